"""What a page is told of a run's chart, without a page."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agentlab as al
from agentlab.core.events import Charted, Entry, Marked, Node, Shape
from agentlab.core.secrets import scrubber
from agentlab.display.flowing import MOST
from agentlab.widgets.charting import Charting
from agentlab.widgets.coalescer import presentable
from agentlab.widgets.story import Story
from tests.display.test_charted import Charting as Says
from tests.strategies import flows

NODES = (Node("a", "Look <it> up", detail="tool search"), Node("b", "Add", parent="a"))
PLAN = Charted("list", NODES, (), "the plan")


def told(*events: Any, every: int = 1) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Give what is sent after each few events, and the cells that a page then has."""
    charting, sent, cells = Charting(), list[dict[str, Any]](), dict[str, Any]()
    for i, event in enumerate(events):
        charting.take(event)
        if i % every == every - 1 or i == len(events) - 1:
            sent.append(charting.news())
            cells.update(sent[-1])
    return sent, {name: cell for name, cell in cells.items() if cell is not None}


def entries_of(strategy: Any) -> list[Entry]:
    """Give all that a run says."""
    session = al.AgentRuntime(flows.answer).run_sync("go", strategy=strategy)
    assert session.trace
    return session.trace.entries


def test_sent_once() -> None:
    """A chart is sent once, and after that only the parts that differ."""
    sent, cells = told(PLAN, Marked("a", "running"), Marked("a", "done", "42"), Marked("x", "done"))

    assert [sorted(each) for each in sent] == [
        ["m0", "m1", "plan", "planned"], ["m0", "planned"], ["m0", "planned"], [],
    ]  # fmt: skip
    assert [part["label"] for part in cells["plan"]["parts"]] == ["Look <it> up", "Add"]
    assert [part["depth"] for part in cells["plan"]["parts"]] == [0, 1]
    assert cells["m0"] == {"status": "done", "mark": "✓", "word": "done", "said": "42"}
    assert cells["m1"]["status"] == "pending"
    assert cells["planned"] == "1 done of 2 parts"


def test_only_the_last_mark() -> None:
    """Of many marks between two messages the last is sent."""
    marks = [Marked("a", "running", str(i)) for i in range(500)]
    sent, cells = told(PLAN, *marks, every=1000)

    assert len(sent) == 1
    assert cells["m0"]["said"] == "499"


def test_charted_anew() -> None:
    """Another chart takes the place of the first, and nothing of that is left over."""
    again = Charted("tree", (Node("c", "new"),))
    _, cells = told(PLAN, Marked("a", "done"), again, Marked("a", "failed"))

    assert cells["plan"]["turn"] == 2
    assert cells["plan"]["shape"] == "tree"
    assert sorted(cells) == ["m0", "plan", "planned"]
    assert cells["m0"]["status"] == "pending"


def test_long_ones_are_cut() -> None:
    """Of very many parts the first are sent, and how many there are besides."""
    nodes = tuple(Node(str(i), f"part {i}") for i in range(MOST + 30))
    _, cells = told(Charted("flow", nodes), Marked(str(MOST + 5), "done"), Marked("3", "done"))

    assert len(cells["plan"]["parts"]) == MOST
    assert cells["plan"]["shape"] == "list"
    assert cells["plan"]["more"] == "30 more parts: session.trace"
    assert f"m{MOST}" not in cells
    assert cells["m3"]["status"] == "done"
    assert cells["planned"] == f"2 done of {MOST + 30} parts"


@settings(max_examples=50, deadline=None)
@given(flows.workflows(), st.integers(1, 7))
def test_whenever_it_is_asked(flow: al.Workflow, every: int) -> None:
    """However often a page is told, in the end it has the same."""
    if not flow.steps:
        return
    events = [
        entry.event for entry in entries_of(flow) if isinstance(entry.event, Charted | Marked)
    ]

    assert told(*events, every=every)[1] == told(*events, every=10**6)[1]


def test_in_the_story() -> None:
    """The cells of a chart are among those of its run, and the chip says what is under way."""
    story = Story()
    entries = entries_of(Says(PLAN, Marked("b", "running")))
    for entry in entries[:-1]:
        story.take(entry)
    cells = presentable(story.news(), scrubber())

    assert cells["m1"]["status"] == "running"
    assert cells["now"]["word"] == "step 1 · Add"
    assert "plan" not in story.news()


def test_below() -> None:
    """A run below says which part of its own chart is under way, and leaves that above alone."""
    inner = Says(PLAN, Marked("b", "running"))
    flow = al.Workflow("outer", [al.WorkflowStep.Task("think", "go", strategy=inner)])
    story, entries = Story(), entries_of(flow)
    last = next(i for i, e in enumerate(entries) if e.parent and isinstance(e.event, Marked))
    for entry in entries[: last + 1]:
        story.take(entry)
    cells = story.news()

    assert cells["plan"]["title"] == "outer"
    assert cells["c0"]["word"] == "Add"


@pytest.mark.parametrize("times", [6, 20])
@pytest.mark.parametrize("shape", ["list", "flow"])
def test_no_key_leaves(shape: Shape, times: int) -> None:
    """A key in a label, or in what came of a part, is not sent."""
    key = "sk-ant-api03-" + "k7Qz" * times
    nodes = (Node("a", key),)
    _, cells = told(Charted(shape, nodes, (), key), Marked("a", "done", f"{key} is it"))

    assert "k7" not in str(presentable(cells, scrubber()))
