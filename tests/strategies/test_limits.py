"""A loop that does the same thing again and again is told so, and then ended."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import agentlab as al
from agentlab.core import events
from agentlab.core.protocols import Observation
from agentlab.strategies.limits import Limits

LYON = 'Thought: look\nAction: population {"city": "Lyon", "at": 1}'
NYOL = 'Thought: look\nAction: population {"at": 1, "city": "Lyon"}'  # the same, to a tool
NICE = 'Thought: look\nAction: population {"city": "Nice", "at": 1}'
ODD = "no format at all"
LAST = "Thought: done\nAction: FINAL_ANSWER 42"


def ran(
    *replies: str, strategy: Any = None, tool: Any = None, **config: Any
) -> tuple[al.AgentSession, list[Any]]:
    """Run a script; give the session, and with what its tool was called."""
    called: list[Any] = []

    @al.tool(inline=True)
    def population(city: str, at: int) -> int:
        """People living in a city."""
        called.append((city, at))
        if tool:
            raise tool
        return len(called)

    settings = al.AgentConfig(**{"max_iterations": 9, "model": "m", **config})
    lab = al.AgentRuntime(al.ScriptedModel(*replies), tools=[population], config=settings)
    return lab.run_sync("?", strategy=strategy), called


@pytest.mark.parametrize("strategy", [None, al.StreamingReAct()], ids=["react", "streaming"])
def test_the_third_is_not_made_and_the_fifth_ends_it(strategy: Any) -> None:
    """By default, in both loops; equal arguments are the same in whichever order."""
    session, called = ran(LYON, NYOL, LYON, NYOL, LYON, LAST, strategy=strategy)

    assert called == [("Lyon", 1)] * 2
    assert (session.stop_reason, len(session.steps)) == ("repeated_action", 5)
    assert session.error == "population was asked for 5 times in a row with the same arguments"
    assert [step.error_kind for step in session.steps] == [None, None, *["blocked"] * 3]
    assert session.steps[2].observation == (
        '{"error":"population was asked for 3 times in a row with the same arguments, and not '
        'called again: call something else, use other arguments, or give your final answer",'
        '"kind":"blocked","ok":false}'
    )
    assert session.steps[2].tool == "population"
    assert session.trace
    started = [e.event for e in session.trace.entries if isinstance(e.event, events.ToolStarted)]
    assert [each.allowed for each in started] == [True, True, False, False, False]
    assert (len(session.tool_calls()), session.failed_tool_call_count()) == (5, 3)
    assert "It did the same thing again and again." in session.to_html()


def test_it_may_think_better_of_it() -> None:
    """Told so, a model that answers has answered; another call in between begins anew."""
    session, called = ran(LYON, LYON, LYON, LAST)
    assert (session.final_answer(), len(called)) == ("42", 2)

    session, called = ran(LYON, LYON, NICE, LYON, LYON, NICE, LAST)
    assert (session.final_answer(), len(called)) == ("42", 6)


def test_what_cannot_be_read_is_no_call_in_between() -> None:
    """For the model has done nothing else."""
    session, called = ran(LYON, LYON, ODD, LYON, LAST)
    assert [step.error_kind for step in session.steps[3:]] == ["blocked", None]
    assert len(called) == 2


def test_what_may_pass_may_be_tried_again() -> None:
    """Though not for ever."""
    session, called = ran(*[LYON] * 6, tool=ConnectionError("down"))

    assert len(called) == 4
    assert [step.error_kind for step in session.steps] == [*["transient"] * 4, "blocked"]
    assert session.stop_reason == "repeated_action"


@pytest.mark.parametrize(
    ("config", "calls", "reason"),
    [
        ({"repeat_warn": None, "repeat_stop": None}, 9, "max_iterations"),
        ({"repeat_stop": None}, 2, "max_iterations"),
        ({"repeat_warn": None}, 4, "repeated_action"),
        ({"repeat_warn": 2, "repeat_stop": 2}, 1, "repeated_action"),
        ({"repeat_warn": 7, "repeat_stop": 3}, 2, "repeated_action"),
    ],
)
def test_each_can_be_set_and_switched_off(config: dict[str, Any], calls: int, reason: str) -> None:
    """None is off: a tool that tells how a job goes may be asked as often as one likes."""
    session, called = ran(*[LYON] * 9, **config)
    assert (len(called), session.stop_reason) == (calls, reason)


@pytest.mark.parametrize(("most", "calls"), [(2, 2), (0, 0)])
def test_so_many_calls_and_no_more(most: int, calls: int) -> None:
    """Whoever wants one more is at the end; what was held back is in the last step."""
    session, called = ran(LYON, NICE, LYON, LAST, max_tool_calls=most)

    assert len(called) == calls
    assert session.stop_reason == "tool_limit"
    assert session.error
    assert session.error.startswith(f"population was not called: a run may make at most {most}")
    assert session.steps[-1].error_kind == "blocked"
    assert len(session.steps) == calls + 1


def test_as_many_calls_as_it_may() -> None:
    """Are no reason to end: it may still answer. What is held back does not count."""
    assert ran(LYON, NICE, LAST, max_tool_calls=2)[0].final_answer() == "42"
    assert ran(LYON, LYON, LYON, NICE, LAST, max_tool_calls=3)[0].final_answer() == "42"


def test_strict() -> None:
    """Raises, as at every end without an answer."""
    with pytest.raises(al.AgentLoopError, match="asked for 5 times in a row"):
        ran(*[LYON] * 5, strict=True)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 1)), max_size=40), st.data())
def test_the_rule(calls: list[tuple[str, int]], data: st.DataObject) -> None:
    """Is what one counts by hand."""
    warn, stop = (data.draw(st.none() | st.integers(2, 6)) for _ in range(2))
    limits = Limits(al.AgentConfig(1, "m", repeat_warn=warn, repeat_stop=stop))
    same = 0
    for place, (tool, arg) in enumerate(calls):
        same = same + 1 if place and calls[place - 1] == (tool, arg) else 1
        held = limits.check(tool, {"n": arg})
        ends = stop is not None and same >= stop
        again = ends or (warn is not None and same >= warn)
        assert (held is not None) == again
        assert (limits.over and limits.over[0]) == ("repeated_action" if ends else None)
        if ends:
            return
        limits.heard(Observation(ok=held is None))


def test_arguments_that_are_no_json() -> None:
    """Are told apart as Python writes them."""
    limits = Limits(al.AgentConfig(1, "m", repeat_warn=2))
    assert limits.check("t", float("nan")) is None
    assert limits.check("t", float("inf")) is None
    assert limits.check("t", float("inf")) is not None


@pytest.mark.parametrize(
    "wrong",
    [{"repeat_warn": 1}, {"repeat_stop": 1}, {"max_tool_calls": -1}, {"repeat_warn": True},
     {"repeat_stop": 2.5}],
)  # fmt: skip
def test_settings_that_can_never_be_right(wrong: dict[str, Any]) -> None:
    """Are refused by name."""
    with pytest.raises(al.InvalidValue, match=next(iter(wrong))):
        al.AgentConfig(1, "m", **wrong)


def test_settings_in_a_file() -> None:
    """They are kept; those of an older version have the defaults."""
    config = al.AgentConfig(1, "m", max_tool_calls=4, repeat_warn=None, repeat_stop=9)
    assert al.AgentConfig.from_dict(config.to_dict()) == config
    old = {k: v for k, v in config.to_dict().items() if not k.startswith(("max_tool", "repeat"))}
    read = al.AgentConfig.from_dict(old)
    assert (read.max_tool_calls, read.repeat_warn, read.repeat_stop) == (None, 3, 5)


def test_each_run_counts_for_itself() -> None:
    """Two at once, of one runtime, have nothing to do with each other."""
    lab = al.AgentRuntime(
        al.FunctionModel(lambda p: LAST if p.count("Obs") == 2 else 'Action: echo {"x": 1}'),
        max_iterations=4,
    )

    async def two() -> list[al.AgentSession]:
        return [*await asyncio.gather(lab.run("?"), lab.run("?"))]

    assert [session.final_answer() for session in asyncio.run(two())] == ["42", "42"]
