"""No run makes more tool calls than it may, whatever it works by."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import agentlab as al
from agentlab.core.allowance import Allowance
from agentlab.core.run import Run
from agentlab.strategies.react import Outcome, ReAct

Step = al.WorkflowStep
PLAN = "\n".join(f"{n}. Look | tool: look | args: {{}}" for n in range(1, 6))
LOOK = "Thought: look\nAction: look {}"
FOR_EVER = [Step.Task(f"t{n}", "{}", tool="look") for n in range(5)]
NO = "NOT_ACHIEVED 0.9"


class Impatient:
    """Calls, whatever comes back."""

    strategy_name = "impatient"

    async def __call__(self, run: Run, _: str, /) -> Outcome:
        await asyncio.gather(*[run.act("look", {}) for _ in range(5)])
        return Outcome(None, "error", "nothing came of it")


def planner() -> al.Planner:
    """Make one whose only plan looks five times."""
    look = [al.Task.primitive("look")] * 5
    return al.Planner().register_method(al.Method("go", look))


def planning(**how: Any) -> Any:
    """Plan and execute."""
    return al.PlanExecute(al.PlanExecuteConfig(**how))


STRATEGIES: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "react": (ReAct, [LOOK] * 5),
    "streaming": (al.StreamingReAct, [LOOK] * 5),
    "plan-execute": (planning, [PLAN, NO]),
    "plan-execute, on failure": (lambda: planning(stop_on_failure=False), [PLAN, NO]),
    "plan-execute, again": (lambda: planning(max_replans=3), [PLAN, NO]),
    "planner": (planner, []),
    "plan": (lambda: planner().plan("go"), []),
    "workflow": (lambda: al.Workflow("w", FOR_EVER), []),
    "workflow, loop": (lambda: al.Workflow("w", [Step.Loop(FOR_EVER[0], 5)]), []),
    "workflow, side by side": (lambda: al.Workflow("w", [Step.Parallel(FOR_EVER)]), []),
    "own": (Impatient, []),
}


def ran(name: str, most: int | None) -> tuple[int, al.AgentSession]:
    """Run one of them; give how often its tool was reached, and the session."""
    called: list[int] = []

    @al.tool(inline=True)
    def look() -> str:
        """Look."""
        called.append(1)
        return "seen"

    make, replies = STRATEGIES[name]
    off: dict[str, Any] = {"repeat_warn": None, "repeat_stop": None}
    config = al.AgentConfig(5, "m", max_tool_calls=most, **off)
    lab = al.AgentRuntime(al.ScriptedModel(*replies), tools=[look], config=config)
    handle = lab.start("go", strategy=make())
    with suppress(al.AgentLabError):
        handle.result()
    assert handle.session
    return len(called), handle.session


@pytest.mark.parametrize("most", [0, 1, 3])
@pytest.mark.parametrize("name", STRATEGIES)
def test_so_many_and_no_more(name: str, most: int) -> None:
    """The tool is reached as often as it may be; the run says why it is over, and what helps."""
    count, session = ran(name, most)

    assert count == most
    assert session.stop_reason == "tool_limit"
    assert session.error
    if name != "own":
        assert f"look was not called: a run may make at most {most} tool call" in session.error
    assert "max_tool_calls" in session.to_html()


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("most", [None, 5])
def test_enough_of_them(name: str, most: int | None) -> None:
    """As many as it wants are no reason to end."""
    count, session = ran(name, most)

    assert count == 5
    assert session.stop_reason != "tool_limit"


def test_a_plan_may_be_good_enough() -> None:
    """What was achieved with the calls there were is an answer."""
    tool = al.tool(name="look")(lambda: "seen")
    config = al.AgentConfig(9, "m", max_tool_calls=2)
    lab = al.AgentRuntime(al.ScriptedModel(PLAN, "ACHIEVED 0.9"), tools=[tool], config=config)
    session = lab.run_sync("go", strategy=al.PlanExecute())
    result: Any = session.result
    assert (session.final_answer(), result.plan.completed_count()) == ("seen", 2)


def test_runs_below_count_for_themselves() -> None:
    """As those of a team, and those that a plan gives its steps to."""
    called: list[int] = []
    tool = al.tool(name="look", inline=True)(lambda: called.append(1))
    config = al.AgentConfig(9, "m", max_tool_calls=1)
    replies = [LOOK, "Thought: done\nAction: FINAL_ANSWER 1"] * 2
    lab = al.AgentRuntime(al.ScriptedModel(*replies), tools=[tool], config=config)
    two = al.Planner().register_method(al.Method("go", [al.Task.primitive("look")] * 2))
    session = lab.run_sync("go", strategy=two.bridge())
    assert (session.final_answer(), len(called)) == ("1", 2)


@given(st.integers(0, 30), st.none() | st.integers(0, 8))
def test_the_rule(wants: int, most: int | None) -> None:
    """Is what one counts by hand."""
    allowance = Allowance()
    for n in range(wants):
        many = allowance.take("look", most)
        assert (many is None) == (most is None or n < most)
        assert bool(allowance.over) == (many is not None)
    assert allowance.made == (wants if most is None else min(most, wants))
