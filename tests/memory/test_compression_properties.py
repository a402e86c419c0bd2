"""Whatever was said: a budget holds, no turn is lost unsaid, and passes do what plain loops do."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from agentlab.core.clock import FakeClock
from agentlab.memory.compression import ImportanceStrategy, MemoryCompressor
from agentlab.memory.likeness import jaccard
from agentlab.memory.turns import (
    CompressorConfig,
    ImportanceFilter,
    MemoryTurn,
    SemanticDedup,
    TurnCompressor,
)
from tests.memory.shelves import AT

WORDS = ["alarm", "tide", "Paris", "Acme Corp", "ok", "five words make a fact.", "?"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
ROLES = st.sampled_from(["user", "assistant", "tool", "system"])
TAGS = st.lists(st.sampled_from(["a", "b", "important"]), max_size=2).map(tuple)
TURN = st.builds(
    lambda role, text, minutes, score, tokens, tags: (role, text, minutes, score, tokens, tags),
    ROLES, TEXTS, st.integers(0, 30), st.sampled_from([0.0, 0.3, 0.8, 1.0]),
    st.sampled_from([0, 1, 20, 100]), TAGS,
)  # fmt: skip
TURNS = st.lists(TURN, max_size=25).map(
    lambda some: [
        MemoryTurn(f"t{i}", role, text, AT + timedelta(minutes=minutes), score, tokens, tags)
        for i, (role, text, minutes, score, tokens, tags) in enumerate(some)
    ]
)
DENSE = ImportanceStrategy.KeywordDensity(["alarm"])


@given(TURNS, st.integers(1, 600), st.integers(0, 8), st.sampled_from([0, 0.2, 1]), st.booleans())
@settings(max_examples=300)
def test_a_budget_holds(
    turns: list[MemoryTurn],
    budget: int,
    recent: int,
    threshold: float,
    force: bool,  # noqa: FBT001
) -> None:
    """Never exceeded; each turn kept, in one summary, or dropped, the newest last of all."""
    made = MemoryCompressor(
        budget, recency_keep=recent, importance_threshold=threshold, strategy=DENSE,
        clock=FakeClock(AT),
    )  # fmt: skip
    done = made.compress(turns, force=force)
    kept = [turn.id for turn in done.kept]
    covered = [one for summary in done.summaries for one in summary.covers_turns]
    order = [turn.id for turn in sorted(turns, key=lambda turn: turn.timestamp)]
    newest = order[max(0, len(order) - recent) :]
    left = sum(t.token_count for t in done.kept) + sum(s.token_count for s in done.summaries)
    before = sum(turn.token_count or made.estimate_tokens(turn.content) for turn in turns)

    assert left == done.tokens_after <= budget
    assert done.tokens_saved == before - left >= 0
    assert len(kept) + len(covered) == len({*kept, *covered})
    assert kept == [one for one in order if one in set(kept)]
    assert [row.id for row in done.turns] == order
    assert {row.id for row in done.turns if row.fate == "kept"} == set(kept)
    assert {row.id for row in done.turns if row.fate == "summarised"} == set(covered)
    gone = [row.id for row in done.turns if row.fate == "dropped"]
    if set(gone) & set(newest):
        assert not covered
        assert set(kept) <= set(newest)
        assert [one for one in newest if one in gone] == newest[: len(newest) - len(kept)]
    for summary in done.summaries:
        span = [order.index(one) for one in summary.covers_turns]
        assert all(second == first + 1 for first, second in pairwise(span))
    if before <= budget and not force:
        assert kept == order
    assert made.compress(turns, force=force) == done


def deduplicated(turns: list[MemoryTurn], threshold: float) -> list[MemoryTurn]:
    """Compare each turn with all that are left, by its words, one by one."""
    important = ImportanceFilter().important
    left: list[MemoryTurn] = []
    for turn in sorted(turns, key=lambda turn: turn.timestamp):
        near = [one for one in left if jaccard(words(one), words(turn)) >= threshold]
        rank = (important(turn), turn.importance_score)
        if all(rank >= (important(one), one.importance_score) for one in near):
            left = [one for one in left if one not in near] + [turn]
    return left


def words(turn: MemoryTurn) -> set[str]:
    """Give the words of a turn."""
    return {part.strip(".?").lower() for part in turn.content.split()} - {""}


THRESHOLDS = st.sampled_from([0, 0.01, 0.3, 0.5, 2 / 3, 0.8, 0.85, 1])


@given(TURNS, THRESHOLDS)
@settings(max_examples=300)
def test_dedup(turns: list[MemoryTurn], threshold: float) -> None:
    """It is as if all were compared, and no two that are left are nearly the same."""
    left = SemanticDedup(threshold).apply(turns)

    assert left == deduplicated(turns, threshold)
    assert not [
        (one.id, other.id)
        for i, one in enumerate(left)
        for other in left[i + 1 :]
        if jaccard(words(one), words(other)) >= threshold
    ]
    assert SemanticDedup(threshold).apply(left) == left


@given(TURNS, st.integers(0, 8), st.none() | THRESHOLDS)
@settings(max_examples=300)
def test_the_chain(turns: list[MemoryTurn], recent: int, threshold: float | None) -> None:
    """Each turn is kept, in an episode, or dropped for one that matters as much and is there."""
    done = TurnCompressor(CompressorConfig(0, recent, threshold)).compress(turns)
    order = [turn.id for turn in sorted(turns, key=lambda turn: turn.timestamp)]
    kept = [turn.id for turn in done.kept]
    old = order[: max(0, len(order) - recent)]
    important = ImportanceFilter().important

    assert kept == [one for one in order if one in set(kept)]
    assert len(kept) == len(set(kept))
    assert sum(each.original_count for each in done.episodes) == len(old)
    assert {row.id for row in done.turns if row.fate == "dropped"} <= set(order) - set(old)
    for turn in turns:
        if important(turn) and turn.id not in kept:
            assert threshold is not None
    if threshold is None:
        assert {turn.id for turn in turns if important(turn)} <= set(kept)
        assert set(order) - set(old) <= set(kept)
