"""Travelling in a trace, without a page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentlab.core import events
from agentlab.core.calls import ModelCall, ToolUse
from agentlab.core.errors import InvalidValue
from agentlab.core.events import Entry
from agentlab.core.lines import Damage
from agentlab.core.protocols import Usage
from agentlab.core.session import AgentSession
from agentlab.widgets.journey import Journey
from agentlab.widgets.outline import KNOWN, standing
from tests.core.test_spans import EVENTS, RUNS, STARTED, say
from tests.display.things import trace as everything
from tests.tracing import LAST, SHAPES, STEP, WRONG, ran

TOLD = {shape: ran([STEP, WRONG, STEP, LAST], shape=shape)[0] for shape in SHAPES}
ALL = 500


def cells(journey: Journey, size: int = ALL) -> dict[str, Any]:
    """Give what a page shows that sees so many rows."""
    journey.see(0, size)
    told = journey.cells()
    json.dumps(told)
    return {name: cell for name, cell in told.items() if cell is not None}


def find(journey: Journey, kind: str, nth: int = 0) -> int:
    """Find a span."""
    return [no for no, span in enumerate(journey.timeline.spans) if span.kind == kind][nth]


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=20)
@given(cuts=st.lists(st.integers(0, 300), max_size=8))
def test_growing_is_being_there(shape: str, cuts: list[int]) -> None:
    """A trace that is followed shows what one shows that was opened when it was over."""
    entries = TOLD[shape]
    journey = Journey()
    for place, entry in enumerate(entries):
        journey.take(entry)
        if place in cuts:
            cells(journey)

    assert cells(journey) == cells(Journey(entries))


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=30)
@given(share=st.floats(0, 1), row=st.integers(0, 60))
def test_as_it_was_then(shape: str, share: float, row: int) -> None:
    """At any moment: the session is the fold of the prefix, the text is that of its tokens."""
    entries = TOLD[shape]
    heard = round(share * len(entries))
    journey = Journey(entries)
    journey.select_row(row)
    journey.go(heard)
    told, thing = cells(journey), journey.thing()
    span = journey.timeline.spans[journey.selected or 0]

    assert told["moment"]["heard"] == heard
    match thing:
        case AgentSession():
            assert thing == AgentSession.from_trace(entries[:heard], run=span.run)
            assert told["steps"]["first"] + len(told["steps"]["steps"]) == len(thing.steps)
        case ModelCall():
            said = [
                entry.event.text
                for entry in entries[:heard]
                if entry.run == span.run
                and isinstance(entry.event, events.Token)
                and entry.event.call_id == span.call_id
            ]
            assert (thing.answer or "") == "".join(said)
            assert "".join(told.get("saying", "")) in ("", "".join(said))
        case ToolUse():
            assert (thing.ok is None) == (span.last is not None and span.last >= heard)
        case Entry():
            assert thing == entries[span.first]


def test_what_is_selected() -> None:
    """A run is a session, a question a call with its prompt, and so on; it goes to its end."""
    entries = TOLD["family"]
    journey = Journey(entries)
    kinds = {"run": AgentSession, "model": ModelCall, "tool": ToolUse, "phase": Entry}
    for kind, wanted in kinds.items():
        no = find(journey, kind, -1)
        journey.select(no)
        assert isinstance(journey.thing(), wanted)
        assert journey.heard == (journey.timeline.spans[no].last or 0) + 1
    journey.begin(find(journey, "tool"))
    use = journey.thing()
    assert isinstance(use, ToolUse)
    assert use.ok is None
    assert cells(journey)["detail"]["word"] == "under way"
    journey.select_above(journey.selected or 0)
    assert isinstance(journey.thing(), AgentSession)


def test_before_it_began() -> None:
    """What was yet to come says so, and shows nothing of what came."""
    journey = Journey(TOLD["react"])
    for kind in ("model", "tool"):
        journey.select(find(journey, kind, 1))
        journey.go(1)
        told = cells(journey)
        assert told["detail"]["word"] == "not yet"
        assert "prompt" not in told
        assert not any(text["name"] in ("result", "error", "answer") for text in told["texts"])


def test_a_session_is_lent_to_nobody() -> None:
    """What Python is given does not change when one travels on."""
    journey = Journey(TOLD["family"])
    half = len(TOLD["family"]) // 2
    journey.go(half)
    session = journey.thing()
    assert isinstance(session, AgentSession)
    before = session.to_dict()
    journey.go(half + 30)
    cells(journey)

    assert session.to_dict() == before


@settings(max_examples=40)
@given(
    kinds=st.sets(st.sampled_from(sorted(KNOWN))), start=st.integers(0, 80), size=st.integers(1, 30)
)
def test_filters_and_windows(kinds: set[str], start: int, size: int) -> None:
    """Rows are those of the kinds, and what they are within; a window is a part of them."""
    journey = Journey(TOLD["family"])
    journey.want(kinds)
    everything = cells(journey)["w"]["spans"]
    spans = journey.timeline.spans
    groups = {
        "model": "model", "tool": "tools", "message": "messages", "phase": "phases",
        "save": "saves", "warning": "errors", "memory": "memory",
    }  # fmt: skip

    def wanted(no: int) -> bool:
        span = spans[no]
        failing = span.state in ("failed", "cut") and "errors" in kinds
        below = [other for other, each in enumerate(spans) if each.above == no]
        here = span.kind == "run" if not kinds else groups.get(span.kind) in kinds
        return here or failing or any(map(wanted, below))

    full = {groups[span.kind] for span in spans if span.kind in groups} <= kinds
    assert sorted(everything) == [no for no in range(len(spans)) if full or wanted(no)]
    journey.see(start, size)
    told = journey.cells()
    first = min(start, max(0, len(everything) - size))
    assert told["rows"]["total"] == len(everything)
    assert told["w"]["start"] == first
    assert told["w"]["spans"] == everything[first : first + size]
    assert [name for name in told if name[0] == "r" and name[1:].isdigit() and told[name]] == [
        f"r{no}" for no in told["w"]["spans"]
    ]


def test_pages_see_what_they_look_at() -> None:
    """Each page has the rows it looks at; those that nobody sees any more are taken down."""
    journey = Journey(TOLD["family"])
    journey.see(0, 2)
    for page in range(20):
        journey.see(page % 9, 3, f"p{page}")
    told = {name: cell for name, cell in journey.cells().items() if cell is not None}
    pages = {name: cell for name, cell in told.items() if name[0] == "w"}
    seen = {no for page in pages.values() for no in page["spans"]}

    assert len(pages) == 8
    assert pages["w"]["start"] == 0
    assert pages["wp19"]["start"] == 1
    assert {name for name in told if name[1:].isdigit()} == {f"r{no}" for no in seen}
    journey.see(0, 2, "p19")
    for page in range(20, 30):
        journey.see(0, 1, f"p{page}")
    gone = journey.cells()
    assert gone["wp19"] is None
    assert [name for name in gone if name[0] == "r" and gone[name] is None]


def test_kinds_that_there_are() -> None:
    """There is a chip for what there is, with its count, and for nothing else."""
    told = cells(Journey(TOLD["family"]))

    assert {kind["name"]: kind["count"] for kind in told["kinds"]} == {
        "model": "8", "tools": "3", "messages": "2", "phases": "1", "errors": "1",
    }  # fmt: skip
    assert cells(Journey())["kinds"] == []
    with pytest.raises(InvalidValue, match=r"errors.*got 'error'"):
        Journey().want("error")
    with pytest.raises(InvalidValue):
        Journey().want({"steps"})
    for odd in (None, 3, [["model"]]):
        with pytest.raises(InvalidValue, match="kinds are some of"):
            Journey().want(odd)  # type: ignore[arg-type]


def test_folded_away() -> None:
    """What is folded away is no row; what is selected in there is shown again."""
    journey = Journey(TOLD["family"])
    all_rows = cells(journey)["rows"]["total"]
    child = find(journey, "run", 1)
    journey.fold(child, away=True)
    told = cells(journey)
    assert told[f"r{child}"]["below"] == 0
    assert told["rows"]["total"] < all_rows
    inside = find(journey, "tool")
    assert journey.timeline.spans[inside].above == child
    assert inside not in told["w"]["spans"]
    journey.select(inside)
    told = cells(journey)
    assert told["rows"]["total"] == all_rows
    assert told["w"]["spans"][told["rows"]["row"]] == inside


def test_many_runs_begin_folded() -> None:
    """A journal of many runs is first a list of them."""
    runs = [
        entry
        for i in range(300)
        for entry in say((f"r{i}", STARTED), (f"r{i}", events.Warned("x")))
    ]
    told = cells(Journey(runs))

    assert told["rows"]["total"] == 300
    assert {told[f"r{no}"]["below"] for no in told["w"]["spans"][:10]} == {0}


def test_the_end_moves_on() -> None:
    """Whoever is at the end stays there while more comes; whoever is not stays where he is."""
    entries = TOLD["react"]
    journey = Journey(entries[:20])
    journey.take(entries[20])
    assert journey.heard == 21
    journey.go(5)
    journey.take(entries[21])
    assert journey.heard == 5
    journey.go(10_000)
    journey.take(entries[22])
    assert journey.heard == 23


def test_a_prompt_in_the_page() -> None:
    """What is new stands apart; of what was seen before the middle is left out until asked for."""
    long = "word " * 2000
    journey = Journey(ran([f"Thought: {long}\nAction: nothing {{}}", STEP, LAST])[0])
    journey.select(find(journey, "model", 2))
    call, told = journey.thing(), cells(journey)["prompt"]
    assert isinstance(call, ModelCall)
    assert told["added"] == call.added
    assert call.prompt.startswith(told["start"])
    assert call.prompt[: call.kept].endswith(told["end"])
    assert "letters of it" in told["gap"]
    assert told["more"]
    journey.whole()
    told = cells(journey)["prompt"]
    assert not told["gap"]
    assert not told["more"]
    assert told["start"] + told["end"] + told["added"] == call.prompt


def test_a_prompt_that_is_lost() -> None:
    """It says why."""
    entries = TOLD["react"]
    first = next(i for i, entry in enumerate(entries) if isinstance(entry.event, events.Asked))
    journey = Journey([*entries[:first], *entries[first + 1 :]])
    journey.select(find(journey, "model"))

    assert (
        "cannot be put together: the question it goes on from" in cells(journey)["prompt"]["note"]
    )


def test_nothing_damaged_and_half() -> None:
    """An empty trace, a damaged one and a part of one each say what they are."""
    empty = Journey()
    assert empty.thing() is None
    assert standing(empty.timeline.spans).word == "empty"
    assert "Nothing has been said yet" in cells(empty)["detail"]["notes"][0]
    for do in (empty.select, empty.begin, empty.go, empty.select_row, empty.select_above):
        do(3)
    damaged = Journey(TOLD["react"], [Damage(3, "torn")])
    assert "1 line lost" in cells(damaged)["title"]["figures"]
    assert any(
        "1 line of the file could not be read" in note for note in cells(damaged)["detail"]["notes"]
    )
    part = Journey(TOLD["react"][5:9])
    assert standing(part.timeline.spans).word == "a part"
    assert cells(Journey(TOLD["react"][:-3]))["title"]["word"] == "running"


@settings(max_examples=60)
@given(
    told=st.lists(st.tuples(RUNS, EVENTS), max_size=30),
    does=st.lists(st.tuples(st.integers(0, 4), st.integers(-2, 40)), max_size=8),
)
def test_whatever_is_told_and_done(
    told: list[tuple[str, events.Event]], does: list[tuple[int, int]]
) -> None:
    """Entries in whatever order, and whatever is done with them: there is always a picture."""
    journey = Journey(say(*told))
    acts = [journey.go, journey.select, journey.begin, journey.select_row, journey.select_above]
    for act, no in does:
        acts[act](no)
        cells(journey, 10)
        journey.thing()


def test_everything_there_is() -> None:
    """Every kind of event can be selected, with text of whatever sort in it."""
    journey = Journey(everything("<b>\ud800").entries)
    for no in range(len(journey.timeline.spans)):
        journey.select(no)
        assert cells(journey)["detail"]


def test_text_without_its_pieces() -> None:
    """Of a journal that keeps no pieces, the answer is there as soon as it was."""
    entries = [entry for entry in TOLD["react"] if not isinstance(entry.event, events.Token)]
    journey = Journey(entries)
    journey.select(find(journey, "model"))
    call = journey.thing()
    assert isinstance(call, ModelCall)
    assert call.answer == STEP
    assert isinstance(call.usage, Usage)
    journey.go(journey.heard - 1)
    call = journey.thing()
    assert isinstance(call, ModelCall)
    assert call.answer is None
