"""Plans that are carried out: by tools, by an agent a step, and where it goes wrong."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

import agentlab as al
from agentlab.core.chart import Charts
from agentlab.core.session import AgentSession
from agentlab.strategies.execution import PlannedRun
from agentlab.strategies.loop import ReActLoop
from agentlab.strategies.planner import (
    Method,
    NoMethodFound,
    NoPreconditionSatisfied,
    Planner,
    Precondition,
    Task,
)


@al.tool(inline=True)
def search(q: str) -> dict[str, str]:
    """Find something."""
    if q == "nothing":
        raise ConnectionError("down")
    return {"found": q}


@al.tool(inline=True)
def summarise(text: str, n: int = 0) -> str:
    """Say it shortly."""
    return f"{n}: {text}"


def planner(q: str = "<topic>", **settings: Any) -> Planner:
    """Give a planner of two calls, the second of which takes what the first gave."""
    calls = (
        Task.primitive("search", {"q": q}),
        Task.primitive("summarise", '{"text": "of <search>", "n": 3}'),
    )
    deep = Method("report", (Task.compound("find"),), (), "by finding")
    never = Method("report", (), [Precondition("k", "v")], "never")
    return Planner(**settings).register_methods([deep, never, Method("find", calls)])


def lab(*replies: str) -> al.AgentRuntime:
    """Give a runtime with both tools."""
    return al.AgentRuntime(al.ScriptedModel(*replies), tools=[search, summarise])


def folded(session: AgentSession) -> Any:
    """See that the session is what was told; give the chart."""
    assert session.trace is not None
    assert AgentSession.from_trace(session.trace.entries) == session
    return Charts.of(session.trace.entries)[session.session_id]


def test_a_plan_is_carried_out() -> None:
    """Tools are called in order, later ones with what earlier ones gave; no model is asked."""
    plan = planner().plan("report", bindings={"topic": "rain"})
    session = plan.run_sync(lab())
    chart = folded(session)

    assert session.final_answer() == '3: of {"found":"rain"}'
    assert [(step.tool, step.args) for step in session] == [
        ("search", {"q": "rain"}),
        ("summarise", {"text": 'of {"found":"rain"}', "n": 3}),
    ]
    assert isinstance(session.result, PlannedRun)
    assert len(session.result.outputs) == 2
    assert chart.plan.shape == "tree"
    assert {node.label: chart.status(node.id) for node in chart.plan.nodes} == {
        "report": "done", "by finding": "chosen", "never": "rejected", "find": "done",
        "method 1": "chosen", "search": "done", "summarise": "done",
    }  # fmt: skip
    of = {node.id: node for node in chart.plan.nodes}
    assert of["step 1"].parent == "task 2, method 1"
    assert of["task 2"].parent == "task 1, method 1"
    assert session.warnings == []


def test_a_planner_is_a_strategy() -> None:
    """The goal names the task, in the planner's own world and with its bindings."""
    session = lab().run_sync("report", strategy=planner(bindings={"topic": "snow"}))
    emptied = lab().run_sync("report", strategy=planner(world={"k": "v"}))

    assert session.final_answer() == '3: of {"found":"snow"}'
    assert (emptied.final_answer(), len(emptied)) == ("", 0)  # the method that does nothing
    with pytest.raises(NoMethodFound) as caught:
        lab().run_sync("repot", strategy=planner())
    assert caught.value.session is not None
    assert caught.value.session.stop_reason == "error"


def test_a_plan_within_a_run() -> None:
    """``await plan(run, goal)`` does it as part of whatever runs."""

    class Twice:
        strategy_name = "twice"

        async def __call__(self, run: al.Run, goal: str, /) -> PlannedRun:
            plan = planner().plan("report", bindings={"topic": goal})
            await plan(run)
            return await plan(run, "whatever")

    session = lab().run_sync("hail", strategy=Twice())

    assert len(session) == 4
    assert session.final_answer() == '3: of {"found":"hail"}'
    folded(session)


def test_a_step_that_fails() -> None:
    """The rest is skipped, and the run ends with what went wrong."""
    session = planner("nothing").plan("report").run_sync(lab())
    chart = folded(session)

    assert session.stop_reason == "error"
    assert session.error == "step 1 (search) failed: ConnectionError: down"
    assert session.steps[0].error_kind == "transient"
    assert (chart.status("step 1"), chart.status("step 2")) == ("failed", "skipped")


def test_what_is_not_bound() -> None:
    """Is sent as it is in a text, with a warning; where JSON needs a value the step fails."""
    session = planner().plan("report").run_sync(lab())
    bare = Planner().register_method(Method("A", (Task.primitive("search", '{"q": <topic>}'),)))
    failed = bare.plan("A").run_sync(lab())

    assert session.steps[0].args == {"q": "<topic>"}
    assert session.warnings[0].startswith("nothing says what <topic> is")
    assert failed.error is not None
    assert "invalid JSON args for tool 'search'" in failed.error


def test_an_unknown_tool_a_blocked_one_and_a_slow_one() -> None:
    """Are steps that failed, each with its kind."""

    async def hang(_: Any) -> int:
        await asyncio.sleep(30)
        return 1

    slow = al.ToolSpec.new_async("slow", "Hangs.", hang, timeout_s=0.02)
    room = al.AgentRuntime(
        al.ScriptedModel(), tools=[search, slow], action_hook=lambda name, _: name != "search"
    )
    kinds = {}
    for name in ("serch", "search", "slow"):
        session = Planner().plan(Task.primitive(name, {"q": "a"})).run_sync(room)
        kinds[name] = session.steps[0].error_kind
        assert session.stop_reason == "error"

    assert kinds == {"serch": "not_found", "search": "blocked", "slow": "transient"}


def test_cancelled_and_out_of_time() -> None:
    """The step under way is marked so, and no task is left."""

    async def main() -> None:
        began = asyncio.Event()

        async def hang(_: Any) -> int:
            began.set()
            await asyncio.sleep(30)
            return 1

        tool = al.ToolSpec.new_async("hang", "Hangs.", hang)
        config = al.AgentConfig(3, "m", loop_timeout_ms=80)
        plan = Planner().plan(Task.primitive("hang"))
        handle = al.AgentRuntime(al.ScriptedModel(), tools=[tool]).start("", strategy=plan)
        await began.wait()
        handle.stop()
        stopped = await handle
        late = await plan.run(al.AgentRuntime(al.ScriptedModel(), tools=[tool], config=config))

        for session, reason in ((stopped, "stopped"), (late, "timeout")):
            assert session.stop_reason == reason
            assert folded(session).status("step 1") == "cancelled"
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


REACT = [
    'Thought: t\nAction: search {"q":"rain"}',
    "Thought: t\nAction: FINAL_ANSWER it rains",
    "Thought: t\nAction: FINAL_ANSWER short",
]


def test_a_bridge() -> None:
    """Each step is a question to an agent with the loop's tools, a run of its own below."""
    loop = ReActLoop(al.AgentConfig(3, "m")).register_tools([search, summarise])
    model = al.ScriptedModel(*REACT)
    made = planner(bindings={"topic": "rain"})
    session = made.bridge(loop).run_sync("report", model)
    folded(session)

    assert session.final_answer() == "short"
    assert [child.answer for child in session.children] == ["it rains", "short"]
    assert 'call the tool search with {"q":"rain"}' in model.requests[0].prompt
    assert "search gave: it rains" in model.requests[2].prompt
    assert [step.observation for step in session] == ["it rains", "short"]


def test_a_bridge_in_a_runtime() -> None:
    """By default ReAct with the run's own tools; what an agent cannot do is a step that failed."""
    made = planner(bindings={"topic": "rain"}).bridge()
    session = lab(*REACT).run_sync("report", strategy=made)
    failed = lab("x", "y", "z").run_sync("report", strategy=made)

    assert session.final_answer() == "short"
    assert failed.error is not None
    assert failed.error.startswith("step 1 (search) failed: ")
    assert [child.stop_reason for child in failed.children] == ["error"]
    with pytest.raises(al.NotConfigured, match="loop"):
        made.run_sync("report", al.ScriptedModel())


def test_errors_have_cards() -> None:
    """They say what was tried, and are told by the run."""
    never = Planner().register_method(Method("A", (), [Precondition("k", "v")]))

    with pytest.raises(NoPreconditionSatisfied) as caught:
        lab().run_sync("A", strategy=never)

    assert "k must be" in caught.value.to_html()
    assert json.dumps(caught.value.choices[0].to_dict())


def test_no_model_is_needed_where_none_is_asked() -> None:
    """A planner, a plan and a workflow of tools work in a runtime without; what asks does not."""
    tool = al.tool(name="look", inline=True)(lambda: "seen")
    bare = al.AgentRuntime(tools=[tool])
    one = al.Planner().register_method(al.Method("go", [al.Task.primitive("look")]))
    step = al.WorkflowStep
    look = step.Task("t", "{}", tool="look")
    within = al.Workflow("w", [step.Loop(look, 1), step.Task("s", "go", strategy=one)])
    for strategy in (one, one.plan("go"), within):
        assert bare.run_sync("go", strategy=strategy).final_answer() == "seen"
    for asking in (one.bridge(), al.Workflow("w", [look, step.Task("t", "?")])):
        with pytest.raises(al.NotConfigured, match="model"):
            bare.run_sync("go", strategy=asking)


def test_tasks_of_a_plan_that_fails() -> None:
    """Those the step was for have failed; one that was over before is done, one without is too."""
    methods = [
        al.Method("all", [al.Task.compound(name) for name in ("rest", "good", "bad", "never")]),
        al.Method("rest"),
        *(al.Method(name, [al.Task.primitive(name)]) for name in ("good", "bad", "never")),
    ]
    tools = [al.tool(name="good", inline=True)(lambda: "fine")]
    session = al.AgentRuntime(tools=tools).run_sync(
        "all", strategy=al.Planner().register_methods(methods)
    )
    chart = folded(session)
    stands = {n.label: chart.status(n.id) for n in chart.plan.nodes if n.kind == "task"}
    assert stands == {
        "all": "failed", "rest": "done", "good": "done", "bad": "failed", "never": "pending",
    }  # fmt: skip
