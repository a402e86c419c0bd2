"""A session at any moment is the fold of what was said until then."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentlab.core.events import Entry
from agentlab.core.past import Branch, Past
from agentlab.core.session import AgentSession
from agentlab.core.spans import Timeline
from tests.tracing import LAST, SHAPES, STEP, WRONG, ran

TOLD = {shape: ran([STEP, WRONG, STEP, "odd", LAST], shape=shape)[0] for shape in SHAPES}


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=30)
@given(moments=st.lists(st.floats(0, 1), max_size=12), every=st.integers(1, 40))
def test_any_moment(shape: str, moments: list[float], every: int) -> None:
    """However one travels, and however often it is kept, it equals a fold of the prefix."""
    entries = TOLD[shape]
    past = Past(entries[0].run, entries)
    past.EVERY = every
    for share in moments:
        count = round(share * len(entries))
        wanted = AgentSession.from_trace(entries[:count], run=entries[0].run)
        assert past.at(count) == wanted


@settings(max_examples=30)
@given(cuts=st.lists(st.integers(0, 400), max_size=6), share=st.floats(0, 1))
def test_a_branch_that_grows(cuts: list[int], share: float) -> None:
    """A run below, read while the trace grows, is a fold of what concerns it."""
    entries = TOLD["family"]
    timeline, branches, grown = Timeline(), dict[str, Branch](), list[Entry]()
    for count in sorted({*(cut for cut in cuts if cut < len(entries)), len(entries)}):
        for entry in entries[len(grown) : count]:
            grown.append(entry)
            timeline.take(entry, entry.offset)
        for no, span in enumerate(timeline.spans):
            if span.kind == "run":
                branch = branches.setdefault(span.run, Branch(span.run, no))
                branch.catch_up(grown, timeline)
                heard = round(share * count)
                wanted = AgentSession.from_trace(entries[:heard], run=span.run)
                assert branch.at(heard) == wanted
    assert len(branches) == 4


def test_it_goes_back_without_starting_over() -> None:
    """A step back folds no more than what lies between two copies."""
    entries = [entry for _ in range(40) for entry in TOLD["react"][1:-1]]
    past, folded = Past(entries[0].run, entries), []
    past.at(len(entries))
    apply = AgentSession.apply

    def counted(session: AgentSession, entry: Entry) -> None:
        folded.append(entry)
        apply(session, entry)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AgentSession, "apply", counted)
        for back in range(1, len(entries), 97):
            folded.clear()
            past.at(len(entries) - back)
            assert len(folded) <= Past.EVERY


def test_a_copy_goes_its_own_way() -> None:
    """What is folded into one is not in the other, nor in the runs below it."""
    entries = TOLD["family"]
    half = len(entries) // 2
    one = AgentSession.from_trace(entries[:half])
    before, other = pickle.dumps(one), one.copy()
    for entry in entries[half:]:
        other.apply(entry)

    assert pickle.dumps(one) == before
    assert other == AgentSession.from_trace(entries)
    assert other != one
