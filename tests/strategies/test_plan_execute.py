"""Plan, execute, verify: the reference's worked cases, what goes wrong, and what is told of it."""

from __future__ import annotations

import asyncio
import json
import pickle
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agentlab as al
from agentlab.core.chart import Charts
from agentlab.core.events import Charted, Marked, Phase
from agentlab.core.session import AgentSession
from agentlab.strategies.plan_execute import (
    Plan,
    PlanExecute,
    PlanExecuteAgent,
    PlanExecuteConfig,
    PlanRun,
    PlanStep,
    StepStatus,
    VerificationResult,
    Verifier,
)
from agentlab.strategies.react import ReAct

TWO = "1. Search for it | tool: web_search | expected: results\n2. Summarise findings | tool: none"
GOOD = "ACHIEVED 0.92\nBoth steps completed with good output."


@al.tool(inline=True)
def lookup(city: str, goal: str = "", previous: list[str] | None = None) -> int:
    """People living in a city."""
    return {"Lyon": 522_000, "Nice": 353_000}[city] + len(previous or ()) * 0 + len(goal) * 0


@al.tool(inline=True)
def told(goal: str, step: str, previous: list[str]) -> dict[str, Any]:
    """Say what it was given."""
    return {"goal": goal, "step": step, "previous": previous}


@al.tool(inline=True)
def double(n: int) -> int:
    """Twice as much."""
    return 2 * n


def run(*replies: str | Exception, tools: Any = (), **config: Any) -> tuple[PlanRun, Any]:
    """Carry a script out without a runtime; give what came of it, and the model."""
    model = al.ScriptedModel(*replies)
    agent = PlanExecuteAgent("agent", PlanExecuteConfig(**config))
    return agent.run_sync("Research it", model, tools), model


def session_of(done: PlanRun) -> AgentSession:
    """Fold what a run said."""
    assert done.trace is not None
    return AgentSession.from_trace(done.trace.entries)


def test_w6_1() -> None:
    """Two steps, an unknown tool, exactly four questions."""
    done, model = run(TWO, "found", "short", GOOD)
    plan, verification = done

    assert (plan.step_count(), plan.completed_count(), plan.all_succeeded()) == (2, 2, True)
    assert (plan.steps[0].tool, plan.steps[1].tool) == ("web_search", None)
    assert (verification.achieved, verification.confidence) == (True, 0.92)
    assert verification.issues == ["Both steps completed with good output."]
    assert verification.is_confident_success()
    assert len(model.requests) == 4
    assert model.requests[0].system == PlanExecuteConfig().system_prompt
    assert plan.outputs() == ["found", "short"]
    assert done.answer == "short"


def test_w6_2() -> None:
    """A verdict of failure, how sure it is, and two issues; there is no answer then."""
    done, _ = run(TWO, "a", "b", "NOT_ACHIEVED 0.30\nStep 2 failed.\nData was incomplete.")

    assert not done.verification.achieved
    assert done.verification.confidence == 0.3
    assert len(done.verification.issues) == 2
    assert done.answer is None
    assert session_of(done).error == "goal not achieved: Step 2 failed.; Data was incomplete."


def test_w6_3() -> None:
    """What is beyond the limit of steps is skipped, and the verdict is asked for."""
    done, model = run(TWO, "a", GOOD, max_steps=1)

    assert done.plan.steps[1].status == StepStatus.Skipped
    assert done.plan.completed_count() == 1
    assert not done.plan.all_succeeded()
    assert "skipped" in model.requests[-1].prompt


def test_w6_4() -> None:
    """A response without numbered lines is an error that shows it, with the session."""
    with pytest.raises(al.InternalError, match="'I would rather not'") as caught:
        run("I would rather not")

    assert caught.value.session is not None
    assert caught.value.session.stop_reason == "error"


def test_outputs_are_handed_on() -> None:
    """A step's question has the outputs before it, newest last, and a judge sees all of them."""
    plan = "1. One\n2. Two\n3. Three"
    _, model = run(plan, "alpha", "beta", "gamma", GOOD)
    third, judged = model.requests[3].prompt, model.requests[4].prompt

    assert third.index("alpha") < third.index("beta") < third.index("Step: Three")
    assert all(word in judged for word in ("Research it", "alpha", "beta", "gamma", "completed"))


def test_outputs_make_room() -> None:
    """The oldest go first, one that is too long alone is cut, and the step always stays."""
    _, model = run("1. One\n2. Two\n3. Three", "a" * 300, "b" * 300, "c", GOOD,
                   max_context_chars=500)  # fmt: skip
    _, cut = run("1. One\n2. Two", "a" * 3000, "c", GOOD, max_context_chars=800)

    assert "b" * 300 in model.requests[3].prompt
    assert "aaa" not in model.requests[3].prompt
    assert len(cut.requests[2].prompt) <= 800
    assert "truncated" in cut.requests[2].prompt
    assert "Step: Two" in cut.requests[2].prompt


def test_a_tool_with_the_plans_own_arguments() -> None:
    """They are what the plan wrote, with outputs in their places, as text and as numbers."""
    lines = '1. Look | tool: lookup | args:{"city":"Lyon"}\n2. Go | tool: double | args:{"n":<1>}'
    done, model = run(lines, GOOD, tools=[lookup, double])
    first, second = session_of(done).steps

    assert done.plan.outputs() == ["522000", "1044000"]
    assert (first.tool, first.args) == ("lookup", {"city": "Lyon"})
    assert (second.tool, second.args) == ("double", {"n": 522_000})
    assert second.observation == '{"data":1044000,"ok":true}'
    assert len(model.requests) == 2


def test_a_tool_without_arguments() -> None:
    """It is given goal, step and outputs, as far as it has fields for them."""
    done, _ = run("1. One\n2. Tell | tool: told\n3. Sum | tool: double", "a", GOOD,
                  tools=[told, double])  # fmt: skip

    assert json.loads(done.plan.outputs()[1]) == {
        "goal": "Research it", "step": "Tell", "previous": ["a"],
    }  # fmt: skip
    assert done.plan.steps[2].status.is_failed()
    assert "'n'" in str(done.plan.steps[2].status.error())


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ('{"city":"Nowhere"}', "KeyError"),
        ('{"city":', "invalid JSON args for tool 'lookup'"),
        ('{"town":"Lyon"}', "city"),
        ('{"city":<2>}', "invalid JSON args"),
    ],
)
def test_a_step_that_fails(args: str, why: str) -> None:
    """It says why, what comes after it is skipped, and the verdict is asked for all the same."""
    lines = f"1. Look | tool: lookup | args:{args}\n2. Sum up"
    done, model = run(lines, "NOT_ACHIEVED", tools=[lookup])
    first, second = done.plan.steps
    (step,) = session_of(done).steps

    assert why in str(first.status.error())
    assert second.status == StepStatus.Skipped
    assert (done.plan.failed_count(), step.error_kind) == (1, "permanent")
    assert len(model.requests) == 2
    assert "failed" in model.requests[1].prompt


def test_going_on_after_a_failure() -> None:
    """Where that is wanted."""
    busy = al.ProviderError("busy", status=503)
    done, _ = run("1. One\n2. Two", busy, "b", "ACHIEVED", stop_on_failure=False)

    assert done.plan.steps[0].status.error() == "Provider error: busy"
    assert done.plan.outputs() == ["b"]
    assert done.verification.confidence == 0.8
    assert session_of(done).steps[0].error_kind == "transient"


def test_a_blocked_tool_and_one_that_says_no() -> None:
    """Whoever reviews actions is heard, and a tool may say itself that it failed."""

    def refuse(_: Any) -> dict[str, Any]:
        return {"ok": False, "error": "closed on Sundays"}

    no = al.ToolSpec("shop", "Sells.", refuse, inline=True)
    model = al.ScriptedModel("1. Look | tool: told\n2. Buy | tool: shop", "NO")
    lab = al.AgentRuntime(model, tools=[told, no], action_hook=lambda name, _: name != "told")
    strategy = PlanExecute(PlanExecuteConfig(stop_on_failure=False))
    session = lab.run_sync("Buy it", strategy=strategy)
    done: Any = session.result

    assert [step.status.error() for step in done.plan.steps] == [
        "action blocked by reviewer", "closed on Sundays",
    ]  # fmt: skip
    assert [step.error_kind for step in session.steps] == ["blocked", "permanent"]
    assert session.stop_reason == "error"


def test_another_plan() -> None:
    """After a failure the model may plan anew: what is done stays, what failed makes room."""
    replies = ["1. One\n2. Two | tool: lookup\n3. Three", "a", "1. Two by hand\n2. Three", "b", "c"]
    done, model = run(*replies, GOOD, tools=[lookup], max_replans=1)
    charts = [e.event for e in done.trace.entries if isinstance(e.event, Charted)]  # type: ignore[union-attr]

    assert [step.description for step in done.plan.steps] == ["One", "Two by hand", "Three"]
    assert done.plan.all_succeeded()
    assert done.plan.replans == 1
    assert "failed" in model.requests[2].prompt
    assert len(charts) == 2
    assert Charts.of(done.trace.entries)[done.trace.entries[0].run].status("1") == "done"  # type: ignore[union-attr]


def test_no_other_plan() -> None:
    """Where the model has none, or it fails too, the verdict is on what there is."""
    done, _ = run("1. Two | tool: lookup", "I give up", "NO", tools=[lookup], max_replans=3)
    again, model = run(*["1. Two | tool: lookup"] * 3, "NO", tools=[lookup], max_replans=2)

    assert done.plan.failed_count() == again.plan.failed_count() == 1
    assert "no other plan" in session_of(done).warnings[0]
    assert len(model.requests) == 4


def test_what_is_told() -> None:
    """Phases, the list of steps, and how each stands, as it comes."""
    lines = "1. One\n2. Two | tool: lookup\n3. Three"
    done, _ = run(lines, "a", "NO", tools=[lookup])
    assert done.trace is not None
    said = [entry.event for entry in done.trace.entries]
    chart = Charts.of(done.trace.entries)[done.trace.entries[0].run]

    assert [e.name for e in said if isinstance(e, Phase)] == ["plan", "execute", "verify"]
    assert [(e.node, e.status) for e in said if isinstance(e, Marked)] == [
        ("1", "running"), ("1", "done"), ("2", "running"), ("2", "failed"), ("3", "skipped"),
    ]  # fmt: skip
    assert [node.label for node in chart.plan.nodes] == ["One", "Two", "Three"]
    assert chart.plan.shape == "list"
    assert chart.detail("1") == "a"


def test_in_a_runtime() -> None:
    """By name, with the runtime's tools; the session folds from the trace, and has the pair."""
    lines = '1. Look | tool: lookup | args:{"city":"Lyon"}\n2. Say it'
    lab = al.AgentRuntime(al.ScriptedModel(lines, "522000 people", GOOD), tools=[lookup])
    session = lab.run_sync("How many?", strategy=PlanExecute())
    infer = iter([lines, "522000 people", GOOD])
    plan, verification = lab.run_plan_execute_sync("a", "How many?", lambda _: next(infer))

    assert session.final_answer() == "522000 people"
    assert isinstance(session.result, PlanRun)
    assert session.trace is not None
    assert AgentSession.from_trace(session.trace.entries) == session
    assert [step.action for step in session] == ['lookup {"city":"Lyon"}', "Say it"]
    assert (plan.steps, verification) == (session.result.plan.steps, session.result.verification)
    assert lab.metrics().snapshot().total_tool_calls == 2


def test_steps_by_another_strategy() -> None:
    """Each step without a tool is a run below, which is told as one."""
    react = "Thought: t\nAction: FINAL_ANSWER done"
    lab = al.AgentRuntime(al.ScriptedModel("1. One\n2. Two", react, "nonsense " * 3, "NO"),
                          config=al.AgentConfig(1, "m"))  # fmt: skip
    session = lab.run_sync("Go", strategy=PlanExecute(step_strategy=ReAct()))
    done: Any = session.result

    assert [step.status.state for step in done.plan.steps] == ["completed", "failed"]
    assert [child.stop_reason for child in session.children] == ["final_answer", "max_iterations"]
    assert session.trace is not None
    assert AgentSession.from_trace(session.trace.entries) == session


def test_out_of_time() -> None:
    """A model that hangs ends the run where it plans, and fails the step where it works."""
    calls = iter(["1. One\n2. Two", None, "NO"])

    async def infer(_: str) -> str:
        if (reply := next(calls)) is None:
            await asyncio.sleep(30)
        return str(reply)

    async def hangs(_: str) -> str:
        await asyncio.sleep(30)
        return ""

    config = al.AgentConfig(5, "m", step_timeout_ms=30)
    lab = al.AgentRuntime(config=config)
    done = lab.run_plan_execute_sync("a", "Go", infer)
    with pytest.raises(al.AgentLoopError, match="step timeout after 30 ms") as caught:
        lab.run_plan_execute_sync("a", "Go", hangs)

    assert done.plan.steps[0].status.error() == "step timeout after 30 ms"
    assert caught.value.session is not None
    assert caught.value.session.stop_reason == "timeout"


def test_cancelled() -> None:
    """The step under way is marked so, the run ends stopped, and no task is left."""

    async def main() -> None:
        began = asyncio.Event()

        @al.tool
        async def hang() -> int:
            """Hang."""
            began.set()
            await asyncio.sleep(30)
            return 1

        lab = al.AgentRuntime(al.ScriptedModel("1. Hang | tool: hang\n2. Two"), tools=[hang])
        handle = lab.start("Go", strategy=PlanExecute())
        await began.wait()
        handle.stop()
        session = await handle
        entries = handle.trace.entries

        assert session.stop_reason == "stopped"
        assert Charts.of(entries)[entries[0].run].status("1") == "cancelled"
        assert AgentSession.from_trace(entries) == session
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_the_verifier_alone() -> None:
    """A plan can be judged by anything that answers."""
    plan = Plan("goal", (PlanStep("One", status=StepStatus.Completed("a")),))

    assert Verifier().verify_sync(plan, lambda _: "YES 0.6").is_confident_success()
    assert not Verifier().verify_sync(plan, lambda _: "YES 0.5").is_confident_success()


@pytest.mark.parametrize(
    "wrong", [{"max_steps": 0}, {"max_replans": -1}, {"max_context_chars": 0}, {"system_prompt": 3}]
)
def test_settings_that_cannot_be(wrong: Any) -> None:
    """Are refused at once, with their value."""
    with pytest.raises(al.InvalidValue, match=str(next(iter(wrong.values())))):
        PlanExecuteConfig(**wrong)


texts = st.text(max_size=20)
statuses = st.builds(
    StepStatus, st.sampled_from(["pending", "running", "completed", "failed", "skipped"]), texts
)
plans = st.builds(
    Plan, texts, st.lists(st.builds(PlanStep, texts, st.none() | texts, texts, statuses, texts),
                          max_size=5).map(tuple), st.none(), st.integers(0, 3),
)  # fmt: skip
verdicts = st.builds(VerificationResult, st.booleans(), st.floats(0, 1), st.lists(texts), texts)


@given(plans, verdicts)
def test_plans_come_back_equal(plan: Plan, verdict: VerificationResult) -> None:
    """Through JSON; and counts, rows and answers agree with each other."""
    done = PlanRun(plan, verdict)
    back = PlanRun.from_dict(json.loads(json.dumps(done.to_dict())))

    assert back == done
    assert len(plan.rows()) == plan.step_count()
    assert len(plan.outputs()) == plan.completed_count()
    assert (done.answer is None) == (done.error is not None)
    config = PlanExecuteConfig(3)
    assert PlanExecuteConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: PlanExecute(3),  # type: ignore[arg-type]
        lambda: PlanExecute(step_strategy=3),  # type: ignore[arg-type]
        lambda: PlanExecute(verifier=3),  # type: ignore[arg-type]
        lambda: PlanExecuteAgent("a", al.AgentConfig(3, "m")),  # type: ignore[arg-type]
        lambda: Verifier().verify_sync(3, print),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be(wrong: Any) -> None:
    """Is refused at once, with its value."""
    with pytest.raises(al.InvalidValue, match=r"got 3|got AgentConfig|3 is no strategy"):
        wrong()


@pytest.mark.parametrize(
    ("reply", "reason", "answer"),
    [("YES 0.9", "final_answer", "out"), ("NO 0.9\nHalf of it is missing.", "error", None)],
)
def test_how_it_ended(reply: str, reason: str, answer: str | None) -> None:
    """A run has an answer where the goal was achieved, and a plan and a verdict either way."""
    lab = al.AgentRuntime(al.ScriptedModel("1. Do it", "out", reply))
    session = lab.run_sync("go", strategy=PlanExecute())
    assert isinstance(session.result, PlanRun)

    for ended in (session, session.result):
        assert (ended.stop_reason, ended.answer) == (reason, answer)
    assert session.error == (None if answer else "goal not achieved: Half of it is missing.")


def test_strict() -> None:
    """A strict runtime raises where the goal was not achieved; the plan is in the session."""
    strict = al.AgentRuntime(al.ScriptedModel(""), config=al.AgentConfig(9, "m", strict=True))
    with pytest.raises(al.AgentLoopError, match="goal not achieved") as e:
        strict.run_plan_execute_sync("a", "go", al.ScriptedModel("1. Do it", "out", "NO"))

    assert e.value.session is not None
    assert isinstance(e.value.session.result, PlanRun)
    assert e.value.session.result.plan.outputs() == ["out"]


def test_it_can_be_sent_elsewhere() -> None:
    """A session with what came of a plan is pickled and copied, without the trace."""
    lab = al.AgentRuntime(al.ScriptedModel("1. One", "a", GOOD))
    session = lab.run_sync("Go", strategy=PlanExecute())
    for other in (pickle.loads(pickle.dumps(session)), deepcopy(session)):  # noqa: S301 - ours
        assert other == session
        assert other.result == session.result
        assert getattr(other.result, "trace", "lost") is None


def test_a_frame() -> None:
    """It has a row a step, of the plan and of the pair alike."""
    done, _ = run(TWO, "found", al.ProviderError("busy"), "NO")
    table = done.to_frame()

    assert list(table["status"]) == ["completed", "failed"]
    assert list(table["step"]) == [1, 2]
    assert table["output"][0] == "found"
    assert table["error"][1] == "Provider error: busy"
    assert done.plan.to_frame().equals(table)


def test_the_data_of_something_else() -> None:
    """Is refused."""
    for wrong in ({}, None, {"plan": 3, "verification": {}}):
        with pytest.raises(al.InvalidValue, match="not the data"):
            PlanRun.from_dict(wrong)  # type: ignore[arg-type]


step_lines = st.tuples(
    st.sampled_from(["Look", "Sum", "Tell"]),
    st.sampled_from(["", " | tool: lookup", " | tool: told", " | tool: double", " | tool: other"]),
    st.sampled_from(["", ' | args:{"city":"Lyon"}', ' | args:{"n":<1>}', " | args:{"]),
).map("".join)


@settings(max_examples=40, deadline=None)
@given(st.lists(step_lines, min_size=1, max_size=6), st.integers(1, 6), st.booleans(),
       st.integers(0, 2))  # fmt: skip
def test_whatever_is_planned(lines: list[str], most: int, stop: bool, replans: int) -> None:  # noqa: FBT001
    """Each step ends, steps and turns agree, and the session folds from what was said."""
    numbered = "\n".join(f"{n}. {line}" for n, line in enumerate(lines, start=1))

    def infer(context: str) -> str:
        return (
            numbered if "Make a plan" in context else "ACHIEVED 0.9" if "Judge" in context else "7"
        )

    config = PlanExecuteConfig(most, stop, max_replans=replans)
    model = al.FunctionModel(infer, inline=True)
    lab = al.AgentRuntime(model, tools=[lookup, told, double])
    session = lab.run_sync("Go", strategy=PlanExecute(config))
    done: Any = session.result
    states = [step.status.state for step in done.plan.steps]
    assert session.trace is not None
    chart = Charts.of(session.trace.entries)[session.session_id]
    words = {"completed": "done"}

    assert set(states) <= {"completed", "failed", "skipped"}
    assert states.count("completed") <= most
    assert [chart.status(str(n + 1)) for n in range(len(states))] == [
        words.get(state, state) for state in states
    ]
    if not done.plan.replans:
        assert len(session) == len(states) - states.count("skipped")
    assert AgentSession.from_trace(session.trace.entries) == session
