"""However much there is, a view is small and quick, and says what it leaves out and where it is."""

from __future__ import annotations

import time
from typing import Any

import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.events import Entry, ReActStep, RunStarted, Token
from agentlab.core.protocols import Hit
from agentlab.core.session import AgentSession
from agentlab.core.trace import Trace
from agentlab.display import mimebundle
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.spec import ToolSpec
from tests.display.things import AT, Reader, failure, long_trace, steps

LIMIT = 64 * 1024
HUGE = "<&\"'" * 2_500_000  # ten million letters, each of which is five in a page
WIDE = "\u202e" * 10_000


def tangled() -> AgentSession:
    """Give a session that is below itself, two hundred times."""
    made = AgentSession("id", "agent", "?", steps=steps(5))
    made.children = [made] * 200
    return made


def deep() -> AgentSession:
    """Give a chain of a thousand sessions."""
    made = AgentSession("id", "last", "?", steps=steps(20))
    for _ in range(1000):
        made = AgentSession("id", "agent", "?", steps=steps(20), children=[made])
    return made


def many_runs(count: int, parent: str | None) -> Trace:
    """Give a trace of many runs, below each other or below one."""
    made = Trace(clock=FakeClock())
    for i in range(count):
        above = f"r{i - 1}" if parent is None and i else parent
        started = RunStarted(WIDE, WIDE, "m", "s", {})
        made.entries.append(Entry(f"r{i}", above, 0, AT, float(i), started))
    return made


def huge_session() -> AgentSession:
    """Give a session whose every text is huge, and of which there are many."""
    step = ReActStep(HUGE, HUGE, HUGE, 0, HUGE, {HUGE: HUGE}, "transient", raw=HUGE, reasoning=HUGE)
    hit = Hit(HUGE, HUGE, 0.5, HUGE)
    return AgentSession(
        HUGE, HUGE, HUGE, HUGE, AT, [step] * 3, [hit] * 40, answer=HUGE, error=HUGE,
        stop_reason=HUGE, warnings=[HUGE] * 40, checkpoint_errors=[HUGE] * 40,
    )  # fmt: skip


def tools(count: int) -> ToolRegistry:
    """Give many tools that say much of themselves."""
    schema = {"type": "object", "properties": {WIDE: {"type": "string"}}}
    return ToolRegistry([ToolSpec(f"tool_{i}", WIDE, str, schema=schema) for i in range(count)])


LARGE: dict[str, tuple[Any, str]] = {
    "10,000 steps": (
        AgentSession("id", "a", "?", steps=steps(10_000)),
        "9,984 more steps, 999 with an error: session.steps[8:9992]",
    ),
    "long thoughts": (
        AgentSession("id", "a", "?", steps=steps(10_000, "<" * 10_000)),
        "… (10,000 characters: session.steps[9999].thought)",
    ),
    "huge texts": (huge_session(), "… (10,000,000 characters: session.prompt)"),
    "huge step": (huge_session().steps[0], "… (10,000,000 characters: step.thought)"),
    "huge error": (failure(HUGE), " characters: str(error))"),
    "200 children": (
        AgentSession("id", "a", children=[AgentSession("id/b", "b", steps=steps(50))] * 200),
        " more runs: session.children[",
    ),
    "tangled": (tangled(), " more runs: session.children["),
    "deep": (deep(), "1 run below it: session.children[0].children"),
    "80,000 entries": (
        long_trace(10_000),
        "79,968 more entries: trace.entries[16:79984]; all of them: trace.to_frame()",
    ),
    "300 runs": (many_runs(300, "r0"), "the first and the last "),
    "300 generations": (many_runs(300, None), "the first and the last "),
    "400 tools": (tools(400), "; the rest: registry.stats()["),
    "1000 memories": (
        AgentSession("id", "a", recalled=[Hit(str(i), WIDE, 1 / (i + 1)) for i in range(1000)]),
        "; the rest: session.recalled[",
    ),
    "1000 warnings": (AgentSession("id", "a", warnings=[WIDE] * 1000), " more: session.warnings["),
}


@pytest.mark.parametrize("name", LARGE)
def test_it_stays_small(name: str) -> None:
    """At most 64 KB, whatever there is: how many are hidden is said, and what holds the rest."""
    shown, cut = LARGE[name]
    bundle = mimebundle(shown)

    assert len(bundle["text/html"].encode()) <= LIMIT
    assert len(bundle["text/plain"]) < 3000
    text = Reader(bundle["text/html"]).text
    assert cut in text
    assert "cannot be drawn" not in text


def best(shown: Any) -> float:
    """Give the milliseconds of work that a view is, the best of several."""
    times = []
    for _ in range(7):
        began = time.thread_time()
        shown.to_html()
        times.append(time.thread_time() - began)
    return min(times) * 1000


@pytest.mark.parametrize("name", ["10,000 steps", "80,000 entries"])
def test_it_is_quick(name: str) -> None:
    """Ten thousand steps are less than 50 ms of work."""
    assert best(LARGE[name][0]) < 50


def test_length_costs_nothing() -> None:
    """200 steps fit in 24 KB; ten times as many are as large, and take hardly longer."""
    small, large = (AgentSession("id", "a", "?", steps=steps(count)) for count in (200, 2000))

    assert len(large.to_html()) < 1.3 * len(small.to_html()) < 1.3 * 24 * 1024
    assert best(large) < 2 * best(small)


def test_a_small_card_is_small() -> None:
    """A notebook holds many; each carries only the rules it uses."""
    assert len(AgentSession("id", "a", "?", steps=steps(2)).to_html()) < 8 * 1024


def test_many_tokens_are_one_row() -> None:
    """Ten thousand pieces of one answer are read as one text."""
    made = Trace(clock=FakeClock())
    made.entries = [Entry("r", None, i, AT, i / 100, Token(1, "word ")) for i in range(10_000)]
    text = Reader(made.to_html()).line

    assert "10,000 tokens" in text
    assert "(50,000 characters: trace.entries[0:10000])" in text
