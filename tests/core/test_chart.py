"""What a strategy means to do can be read off its trace, as far as it is."""

from __future__ import annotations

from agentlab.core.chart import Charts
from agentlab.core.clock import FakeClock
from agentlab.core.events import Charted, Edge, Marked, Node
from agentlab.core.trace import Trace

LIST = Charted("list", (Node("1", "Look it up"), Node("2", "Add")), (Edge("1", "2"),), "Plan")


def test_marks_stand_beside_their_parts() -> None:
    """The last mark counts; what nobody spoke of is pending; other runs are other charts."""
    trace = Trace(clock=FakeClock())
    trace.emit(Marked("1", "done"), run="r")  # of nothing yet
    trace.emit(LIST, run="r")
    trace.emit(LIST, run="r/a#1", parent="r")
    trace.emit(Marked("1", "running"), run="r")
    trace.emit(Marked("1", "failed", "no such city"), run="r")
    trace.emit(Marked("ghost", "done"), run="r")
    charts = Charts.of(trace.entries)

    assert list(charts) == ["r", "r/a#1"]
    assert [charts["r"].status(node) for node in ("1", "2", "ghost")] == [
        "failed", "pending", "pending",
    ]  # fmt: skip
    assert charts["r"].detail("1") == "no such city"
    assert charts["r/a#1"].marks == {}


def test_a_new_chart_stands_for_the_old() -> None:
    """A plan that is made anew begins without marks."""
    trace = Trace(clock=FakeClock())
    for event in (LIST, Marked("1", "failed"), LIST):
        trace.emit(event, run="r")

    assert Charts.of(trace.entries)["r"].status("1") == "pending"


def test_odd_text_in_parts_is_clean() -> None:
    """A lone surrogate in a label does not get into the trace."""
    trace = Trace(clock=FakeClock())
    trace.emit(Charted("list", (Node("1", "a\ud800"),)), run="r")

    assert Charts.of(trace.entries)["r"].plan.nodes[0].label == "a\ufffd"
