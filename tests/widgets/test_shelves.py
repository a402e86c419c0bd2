"""Memories as shelves: they rank, fade and explain as the memory itself does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agentlab as al
from agentlab.core.clock import FakeClock
from agentlab.core.errors import InvalidValue
from agentlab.memory.explained import Term
from agentlab.widgets.shelves import Shelf
from agentlab.widgets.shelving import shelf_of
from tests.widgets.remembered import (
    NOW,
    TOLD,
    episodes,
    facts,
    long_term,
    mind,
    plane,
    texts,
)


def test_what_is_no_memory() -> None:
    """What cannot be explored is named."""
    with pytest.raises(InvalidValue, match="got 3"):
        shelf_of(3)


@pytest.mark.parametrize(
    "policy", [al.RecallPolicy.Importance, al.RecallPolicy.Hybrid(0.3, 0.2)], ids=repr
)
@settings(max_examples=25, deadline=None)
@given(ahead=st.floats(0, 500), recalls=st.lists(st.integers(1, 3), max_size=3))
def test_episodes_are_ranked_as_the_store_ranks_them(
    policy: al.RecallPolicy, ahead: float, recalls: list[int]
) -> None:
    """At any moment, scores and terms are those that the store would give then."""
    store = episodes(recall_policy=policy)
    for limit in recalls:
        store.recall("ada", limit)
    shelf = shelf_of(store)
    scores = shelf.scores("anything", ahead)
    store._clock.advance(ahead * 3600)  # type: ignore[attr-defined]  # noqa: SLF001 - a FakeClock
    for agent in ("ada", "bob"):
        for found in store.explain(agent, "", 9):
            row = shelf.texts.index(found.text)
            assert scores[row] == pytest.approx(found.score, rel=1e-6)
            terms = shelf.terms(row, "", ahead, scores[row])
            assert [term.text for term in terms] == [term.text for term in found.terms]
            assert sum(term.value for term in terms) == pytest.approx(scores[row])


@settings(max_examples=25, deadline=None)
@given(ahead=st.floats(0, 3000))
def test_long_term_entries_fade_as_the_store_has_it(ahead: float) -> None:
    """What is gone at a moment is what the store would then forget; a recall gives the rest."""
    ltm = long_term()
    shelf = shelf_of(ltm)
    gone, scores = shelf.gone(ahead), shelf.scores("the exam is near", ahead)
    ltm._clock.advance(ahead * 3600)  # type: ignore[attr-defined]  # noqa: SLF001 - a FakeClock
    told = ltm.explain("the exam is near", 9)
    recalled = ltm.recall("the exam is near", 9)
    assert [found.text for found in told] == [entry.content for entry in recalled]
    for entry, found in zip(recalled, told, strict=True):
        row = shelf.texts.index(entry.content)
        assert scores[row] == pytest.approx(entry.score)
        assert found.score == entry.score
        terms = shelf.terms(row, "the exam is near", ahead, scores[row])
        assert [term.text for term in terms] == [term.text for term in found.terms]
    forgotten = {entry.content for entry in ltm.decay()}

    assert {shelf.texts[row] for row in np.flatnonzero(gone).tolist()} == forgotten


def test_what_is_too_old_is_gone() -> None:
    """An age that a store allows is kept to, to the microsecond that it is."""
    shelf = shelf_of(episodes(max_age_hours=48))
    ages = dict(zip(shelf.texts, shelf.gone(0.0).tolist(), strict=True))

    assert ages == {text: age > 48 for _, text, _, age, _ in TOLD}
    assert not shelf.gone(0).all()
    assert shelf.gone(shelf.span_h).all()


def test_how_far_ahead_there_is_something_to_see() -> None:
    """The clock goes until all is forgotten, or faint; where nothing fades it does not go."""
    shelf = shelf_of(long_term())
    assert shelf.gone(shelf.span_h).all()
    assert not shelf.gone(0.9 * shelf.span_h).all()
    faint = shelf_of(episodes())
    assert faint.faint(faint.span_h).all()
    assert not faint.gone(faint.span_h).any()
    kept = al.LtmStore(al.LtmConfig(min_importance=0), clock=FakeClock(NOW))
    kept.remember("for ever", 1.0)
    lasting = shelf_of(kept)
    assert lasting.faint(lasting.span_h).all()
    assert not lasting.gone(1e6).any()
    assert shelf_of(al.EpisodicStore()).span_h == 0
    for memory in (facts(), texts(), mind(), plane()):
        assert shelf_of(memory).span_h == 0


def test_words_are_looked_for() -> None:
    """Any word that counts is enough, in texts and tags, whatever its case."""
    shelf = shelf_of(episodes())
    found = shelf.having("when is the EXAM?")

    assert {shelf.texts[i] for i in np.flatnonzero(found).tolist()} == {TOLD[1][1], TOLD[3][1]}
    assert shelf.having("is").sum() == 1  # no word that counts: as it stands


def test_texts_and_facts_are_found_as_the_memory_finds_them() -> None:
    """Scores and terms are those of ``explain``; without a question there are none."""
    memory = texts()
    for subject in (memory, facts()):
        shelf = shelf_of(subject)
        scores: Any = shelf.scores("the exam on Friday", 0.0)
        for found in subject.explain("the exam on Friday", 9):
            row = shelf.texts.index(found.text)
            assert scores[row] == pytest.approx(found.score)
            assert shelf.terms(row, "the exam on Friday", 0.0, scores[row]) == found.terms
        assert shelf.scores("", 0.0) is None


def test_things_and_places() -> None:
    """An item is what the memory holds, and where it is said to be, it is."""
    for name, memory in (("store", episodes()), ("ltm", long_term()), ("store", facts()),
                         ("memory", texts()), ("memory", plane()), ("memory", mind())):  # fmt: skip
        shelf = shelf_of(memory)
        for row in range(len(shelf)):
            there = _at(shelf.place(row), name, memory)
            thing = shelf.thing(row)
            assert there == (thing[1] if isinstance(memory, al.WorkingMemory) else thing)
    forgetful = episodes()
    shelf = shelf_of(forgetful)
    forgetful.clear()
    assert shelf.thing(0) is None


def _at(path: str, name: str, memory: Any) -> Any:
    """Follow a path of one or two steps, as a cell would."""
    head, _, rest = path.partition(".")
    assert head == name
    method, _, arguments = rest.partition("(")
    import ast

    inside, _, index = arguments.partition(")")
    given_ = ast.literal_eval(f"({inside},)") if inside else ()
    found = getattr(memory, method)(*given_)
    return found[int(index.strip("[]"))] if index else found


def test_a_shelf_of_nothing_in_particular() -> None:
    """Texts alone have no ranking, do not fade, and are in their order."""
    shelf = Shelf(["b", "a"])
    assert shelf.scores("a", 0) is None
    assert not shelf.gone(1e9).any()
    assert not shelf.faint(1e9).any()
    assert shelf.alphabet.tolist() == [1, 0]
    assert shelf.title == "2 items"
    assert shelf.vectors() is None
    assert shelf.embed("a") is None
    assert shelf.terms(0, "", 0, 0.5) == (Term.of("score", 0.5),)
    assert [shelf.thing(0), shelf.place(1), shelf.notes(0)] == ["b", "memory[1]", []]


def test_what_lies_ahead_is_whole() -> None:
    """A memory of tomorrow has no age, and fades from then on."""
    store = al.EpisodicStore(decay=al.DecayPolicy.exponential(24), clock=FakeClock(NOW))
    store.add_episode_at("a", "later", 0.8, NOW + timedelta(hours=24))
    shelf = shelf_of(store)

    assert shelf.strength(0.0).tolist() == [0.8]
    assert shelf.strength(24.0).tolist() == [0.8]
    assert shelf.strength(48.0).tolist() == pytest.approx([0.4])
    assert shelf.faint(shelf.span_h).all()
