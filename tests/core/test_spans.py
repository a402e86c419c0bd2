"""What took how long: against a plain look at the entries, and for what never happens in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentlab.core import events
from agentlab.core.events import Entry, Event
from agentlab.core.protocols import Usage
from agentlab.core.spans import Span, Timeline, spans_of
from agentlab.core.times import lined_up
from agentlab.core.trace import Trace
from tests.tracing import LAST, REPLIES, SHAPES, STEP, WRONG, ran

AT = datetime(2030, 1, 1, tzinfo=UTC)


def plain(entries: list[Entry]) -> list[tuple[str, str, int, float, float | None]]:
    """Find the calls of a trace and when they ended: kind, run, number, start, end."""
    found = []
    for i, entry in enumerate(entries):
        if isinstance(entry.event, events.Asked):
            kind, call, end = "model", entry.event.call_id, "Answered"
        elif isinstance(entry.event, events.ToolStarted):
            kind, call, end = "tool", entry.event.call_id, "ToolEnded"
        else:
            continue
        mine = [other for other in entries[i:] if other.run == entry.run]
        ends = [
            other.offset
            for other in mine
            if isinstance(other.event, events.RunEnded)
            or (type(other.event).__name__ == end and getattr(other.event, "call_id", 0) == call)
        ]
        roots = [each.offset for each in entries[i:] if isinstance(each.event, events.RunEnded)]
        found.append((kind, entry.run, call, entry.offset, next(iter([*ends, *roots]), None)))
    return found


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=15)
@given(replies=REPLIES)
def test_calls_are_those_of_a_plain_look(shape: str, replies: list[str]) -> None:
    """Each call begins where it was told, ends where its end was told, and is within its run."""
    entries, _ = ran(replies, shape=shape)
    spans = spans_of(entries)
    calls = [span for span in spans if span.kind in ("model", "tool")]

    assert [(s.kind, s.run, s.call_id, s.start, s.end) for s in calls] == plain(entries)
    runs = {span.run: span for span in spans if span.kind == "run"}
    assert list(runs) == list(dict.fromkeys(entry.run for entry in entries))
    for no, span in enumerate(spans):
        if span.above is not None:
            above = spans[span.above]
            assert span.above < no
            assert above.kind == "run"
            assert span.depth == above.depth + 1
            assert above.start <= span.start
    assert all(entries[span.first].offset == span.start for span in spans)
    assert all(span.last is None or entries[span.last].offset == span.end for span in spans)


def test_states() -> None:
    """What failed says of which kind, what was cut off says by what."""
    entries, _ = ran([WRONG, ValueError("no")])
    states = {(span.kind, span.call_id): (span.state, span.why) for span in spans_of(entries)}

    assert states["model", 1] == ("ok", "")
    assert states["tool", 2] == ("failed", "permanent")
    assert states["model", 3] == ("failed", "error")
    assert states["run", None] == ("failed", "error")
    cut = spans_of(ran([STEP] * 3, max_iterations=2)[0])[0]
    assert (cut.state, cut.why) == ("cut", "max_iterations")
    assert spans_of(ran([LAST])[0])[0].state == "ok"


def say(*told: tuple[str, Event]) -> list[Entry]:
    """Give entries, a second apart."""
    return [
        Entry(run, run.rpartition("/")[0] or None, i, AT + timedelta(seconds=i), float(i), event)
        for i, (run, event) in enumerate(told)
    ]


STARTED = events.RunStarted("agent", "?", "m", "react", {})
ASKED = events.Asked(1, "", None, 0, 0, "?")
ANSWERED = events.Answered(1, "!", Usage(1, 1))


def test_what_goes_down_with_its_root() -> None:
    """A child that never says that it is over ends with the root, and its calls do."""
    spans = spans_of(
        say(
            ("r", STARTED), ("r/a#1", STARTED), ("r/a#1", ASKED), ("r/b#1", ASKED),
            ("r", events.RunEnded("stopped")), ("r", events.Saved("late")),
        )
    )  # fmt: skip

    assert [(s.run, s.kind, s.state, s.end) for s in spans] == [
        ("r", "run", "cut", 4.0), ("r/a#1", "run", "cut", 4.0), ("r/a#1", "model", "cut", 4.0),
        ("r/b#1", "run", "ok", 3.0), ("r/b#1", "model", "cut", 4.0), ("r", "save", "ok", 5.0),
    ]  # fmt: skip


def test_a_run_that_starts_again() -> None:
    """It is another one, and what is below it is that one's."""
    spans = spans_of(
        say(
            ("r", STARTED), ("r/a#1", STARTED), ("r", events.RunEnded("final_answer")),
            ("r", STARTED), ("r/a#1", ASKED), ("r", ASKED), ("r", ANSWERED),
        )
    )  # fmt: skip

    assert [(s.run, s.kind, s.above, s.end) for s in spans] == [
        ("r", "run", None, 2.0), ("r/a#1", "run", 0, 2.0), ("r", "run", None, None),
        ("r/a#1", "run", 2, 4.0), ("r/a#1", "model", 3, None), ("r", "model", 2, 6.0),
    ]  # fmt: skip


EVENTS = st.sampled_from(
    [
        STARTED, ASKED, ANSWERED, events.Token(1, "x"), events.ToolStarted(1, "t", {}),
        events.ToolEnded(1, True, 1, None, None, 1.0), events.RunEnded("error"),  # noqa: FBT003
        events.Warned("odd"), events.Argued(1, "a", "b"), events.Saved("k"),
    ]
)  # fmt: skip
RUNS = st.sampled_from(["r", "r/a#1", "r/a#1/b#1", "q", "q/x#1/y#2", "", "/"])


@given(st.lists(st.tuples(RUNS, EVENTS), max_size=40))
def test_whatever_is_told_in_whatever_order(told: list[tuple[str, Event]]) -> None:
    """There is a span for everything, none ends before it began, and none is its own parent."""
    timeline = Timeline()
    for entry in say(*told):
        timeline.take(entry, entry.offset)
    spans = timeline.spans

    assert len(timeline.whose) == len(told)
    for (run, _), no in zip(told, timeline.whose, strict=True):
        assert (spans[no].kind, spans[no].run) == ("run", run)
    for no, span in enumerate(spans):
        assert span.above is None or span.above < no
        assert span.end is None or span.end >= span.start
        assert (span.end is None) == (span.state == "open") == (span.last is None)


def at(run: str, seconds: float, offset: float, event: Event = STARTED) -> Entry:
    """Give an entry that was said at a time of the world, and of its own clock."""
    return Entry(run, None, 0, AT + timedelta(seconds=seconds), offset, event)


def test_several_clocks() -> None:
    """Runs of several traces are where the world's time says, without the hours between them."""
    over = events.RunEnded("final_answer")
    told = [
        at("a", 0, 5.0), at("b", 1, 100.0), at("a", 3, 8.0, over), at("b", 4, 103.0, over),
        at("c", 7204, 0.5), at("c", 7205, 1.5, over),
    ]  # fmt: skip
    entries, times = lined_up(told)

    assert entries == told
    assert times == pytest.approx([0, 1, 3, 4, 4, 5])


def test_written_out_of_order() -> None:
    """What two processes wrote to one file is put in the order in which it was said."""
    over = events.RunEnded("final_answer")
    told = [at("a", 0, 0), at("a", 2, 2, over), at("b", 1, 0), at("b", 3, 2, over)]
    entries, times = lined_up(told)

    assert [entry.run for entry in entries] == ["a", "b", "a", "b"]
    assert times == pytest.approx([0, 1, 2, 3])


def test_one_clock_is_left_alone() -> None:
    """The entries of one trace keep their order and their offsets."""
    entries, _ = ran([STEP, LAST], shape="family")

    assert lined_up(entries) == (entries, [entry.offset for entry in entries])
    assert lined_up([]) == ([], [])


def test_in_a_cell() -> None:
    """A trace gives its spans: a line, a card, a frame with a row each."""
    spans = Trace.of(ran([WRONG, LAST])[0]).spans()
    frame = spans.to_frame()

    assert repr(spans) == "<Spans 4 of 1 run>"
    assert list(frame.columns) == list(Span.__struct_fields__)
    assert list(frame["kind"]) == ["run", "model", "tool", "model"]
    assert list(frame["state"]) == ["ok", "ok", "failed", "ok"]
    assert "permanent" in spans.to_html()
    assert list(Trace().spans().to_frame().columns) == list(frame.columns)
    assert "nothing yet" in Trace().spans().to_html()
