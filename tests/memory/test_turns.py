"""Turns made shorter in three passes, alone, chained by hand, and as one."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from agentlab.core.errors import InvalidValue
from agentlab.datasets import dialogue
from agentlab.memory import turns as module
from agentlab.memory.turns import (
    CompressorConfig,
    ImportanceFilter,
    MemoryTurn,
    SemanticDedup,
    TemporalCompression,
    TurnCompressor,
)
from tests.memory.shelves import AT, turn


def ids(turns: Any) -> list[str]:
    """Name turns."""
    return [each.id for each in turns]


def sixty() -> list[MemoryTurn]:
    """Give sixty messages, the sixth of which matters."""
    turns = [turn(i, f"message {i}") for i in range(60)]
    turns[5] = turn(5, "message 5", 0.95, tags=("important",))
    return turns


def test_w20_1() -> None:
    """The newest ten and what matters are kept; the rest is ten episodes of five."""
    kept, episodes, triggered = TurnCompressor().run_if_needed_sync(sixty())

    assert triggered
    assert ids(kept) == ["t5", *(f"t{i}" for i in range(50, 60))]
    assert [(each.original_count, each.compressed_to) for each in episodes] == [(5, 1)] * 10
    assert ids(episodes) == [f"temporal-ep-{i}" for i in range(10)]


def test_w20_2() -> None:
    """Of two that share four words of five the one that matters more is kept."""
    turns = [turn(0, "the quick brown fox", 0.5), turn(1, "the quick brown fox jumps", 0.6)]

    assert ids(SemanticDedup(0.8).apply(turns)) == ["t1"]
    assert ids(SemanticDedup(0.81).apply(turns)) == ["t0", "t1"]


def test_w20_3() -> None:
    """Few turns are untouched."""
    turns = [turn(i) for i in range(10)]
    kept, episodes, triggered = TurnCompressor().run_if_needed_sync(turns)

    assert (kept, episodes, triggered) == (turns, [], False)
    assert not TurnCompressor().needs_compression([turn(i) for i in range(50)])
    assert TurnCompressor().needs_compression([turn(i) for i in range(51)])


def test_defaults_are_those_of_the_reference() -> None:
    """Of the four settings, and of the passes alone; and the module has its other name, too."""
    assert CompressorConfig() == CompressorConfig(50, 10, 0.85, "important")
    assert TemporalCompression() == TemporalCompression(10, 5)
    assert SemanticDedup() == SemanticDedup(0.8)
    assert ImportanceFilter() == ImportanceFilter("important", 0.8)
    assert module.MemoryCompressor is TurnCompressor


def test_chained_by_hand() -> None:
    """The passes give what the chain gives."""
    turns = sixty()
    recent, episodes = TemporalCompression().apply(turns)
    kept = ImportanceFilter().apply(turns, SemanticDedup(0.85).apply(recent))

    assert (kept, episodes) == TurnCompressor().compress(turns)


def test_an_episode() -> None:
    """It says when, what about, and who represents it; of equals the later one."""
    turns = [
        turn(0, "alpha", 0.1, tags=("a", "b")),
        turn(1, "beta", 0.3, tags=("a", "c")),
        turn(2, "gamma", 0.3, tags=("b", "b"), role="tool"),
        turn(3, "delta", 0.2, tags=("c",)),
        turn(4, "epsilon", tags=("a",)),
    ]
    _, (episode,) = TemporalCompression(0).apply(turns)

    assert episode.representative == ("t2", "gamma")
    assert episode.common_tags == ("a",)  # two of five are not half of them
    assert episode.time_range == (int(AT.timestamp()), int(AT.timestamp()) + 240)
    assert episode.summary == "5 turns (tool, user): gamma"
    assert type(episode).from_dict(episode.to_dict()) == episode
    _, (half,) = TemporalCompression(0, 4).apply(turns[:4])
    assert half.common_tags == ("a", "b", "c")


def test_windows() -> None:
    """The last one may be smaller; ids may have a prefix; the order they came in does not count."""
    turns = [turn(i, f"message {i}") for i in range(17)]
    kept, episodes = TemporalCompression(recency_keep=5, window_size=5, run="r1").apply(turns[::-1])

    assert ids(kept) == [f"t{i}" for i in range(12, 17)]
    assert [each.original_count for each in episodes] == [5, 5, 2]
    assert ids(episodes) == [f"r1-temporal-ep-{i}" for i in range(3)]
    assert TemporalCompression(20).apply(turns) == (turns, [])
    assert ids(TurnCompressor(run="x").compress(sixty()).episodes)[0] == "x-temporal-ep-0"


def test_of_equals_the_later_stays() -> None:
    """And one with the same moment stays that came later."""
    assert ids(SemanticDedup().apply([turn(0, "a b c"), turn(1, "c b a")])) == ["t1"]
    twins = [MemoryTurn(name, "user", "a b c", AT) for name in ("x", "y")]
    assert ids(SemanticDedup().apply(twins)) == ["y"]


def test_words_are_letters_and_digits() -> None:
    """Whatever their case, and whatever stands between; nothing is the same as nothing."""
    assert ids(SemanticDedup(1.0).apply([turn(0, "Yes, OK?"), turn(1, "ok - yes")])) == ["t1"]
    assert ids(SemanticDedup(1.0).apply([turn(0, "ok"), turn(1, "ok yes")])) == ["t0", "t1"]
    assert ids(SemanticDedup().apply([turn(0, "?"), turn(1, "")])) == ["t1"]
    assert ids(SemanticDedup(None).apply([turn(0, "ok"), turn(1, "ok")])) == ["t0", "t1"]
    assert ids(SemanticDedup(0).apply([turn(0, "a"), turn(1, "b")])) == ["t1"]


def test_only_what_is_left_is_compared() -> None:
    """A turn that is gone takes no other with it."""
    words = [f"w{i}" for i in range(12)]
    turns = [
        turn(0, " ".join(words[:10]), 0.1),
        turn(1, " ".join(words[1:11]), 0.2),  # like both of the others
        turn(2, " ".join(words[2:12]), 0.15),
    ]

    assert ids(SemanticDedup(0.8).apply(turns)) == ["t1"]
    turns[1] = turn(1, turns[1].content, 0.05)
    assert ids(SemanticDedup(0.8).apply(turns)) == ["t0", "t2"]


def test_what_matters_is_not_dropped_for_what_does_not() -> None:
    """Though that has the higher score, and came later; by its tag or by its score."""
    tagged = turn(0, "deploy on friday", 0.1, tags=("important",))
    late = turn(1, "deploy on friday", 0.7)

    assert ids(SemanticDedup().apply([tagged, late])) == ["t0"]
    assert ids(SemanticDedup().apply([turn(0, "deploy on friday", 0.8), late])) == ["t0"]


def test_rescued_turns_are_in_their_place() -> None:
    """Of the same moment, too: where they stood."""
    turns = [MemoryTurn(f"t{i}", "user", f"message {i}", AT, 0.9 if i in (1, 4) else 0)
             for i in range(6)]  # fmt: skip
    kept, _ = TurnCompressor(CompressorConfig(recency_keep=3)).compress(turns)

    assert ids(kept) == ["t1", "t3", "t4", "t5"]
    again = ImportanceFilter().apply(turns, [turns[5], turns[0]])
    assert ids(again) == ["t0", "t1", "t4", "t5"]


def test_a_filter_knows_turns_by_what_they_say() -> None:
    """A copy of a turn is that turn; one from somewhere else stays, too."""
    turns = [turn(0, "a", 0.9), turn(1, "b")]
    copies = [MemoryTurn.from_dict(each.to_dict()) for each in turns]
    strange = turn(7, "z")

    assert ImportanceFilter().apply(turns, copies) == turns
    assert ids(ImportanceFilter().apply(turns, [strange])) == ["t0", "t7"]
    assert ids(ImportanceFilter().apply(turns, [strange, strange])) == ["t0", "t7", "t7"]
    assert ids(ImportanceFilter().apply([turns[0], turns[0]], [turns[0]])) == ["t0", "t0"]


def test_what_matters_and_is_said_does_not_come_back() -> None:
    """Not if its double, which matters as well, survived; but if that does not matter."""
    turns = [turn(i, f"message {i}") for i in range(20)]
    turns[3] = turn(3, "deploy on friday", 0.9)
    turns[4] = turn(4, "deploy on friday", 0.9)
    turns[15] = turn(15, "deploy on friday", 0.9)
    kept, _ = TurnCompressor().compress(turns)
    assert ids(kept) == [f"t{i}" for i in range(10, 20)]

    turns[15] = turn(15, "deploy on friday")
    kept, _ = TurnCompressor().compress(turns)
    assert ids(kept)[:1] == ["t4"]  # of the two that matter, the later
    assert "t3" not in ids(kept)

    loose, _ = TurnCompressor(CompressorConfig(jaccard_dedup_threshold=None)).compress(turns)
    assert ids(loose)[:2] == ["t3", "t4"]


def test_what_became_of_each_turn() -> None:
    """Is told: kept, in which episode, or dropped for another."""
    turns = [turn(i, f"message {i}") for i in range(16)]
    turns[14] = turn(14, "message 15")
    turns[2] = turn(2, "message 2", 0.9)
    done = TurnCompressor().compress(turns)
    fates = {row.id: (row.fate, row.into) for row in done.turns}

    assert fates["t0"] == ("summarised", "temporal-ep-0")
    assert fates["t2"] == ("kept", "temporal-ep-0")
    assert fates["t5"] == ("summarised", "temporal-ep-1")
    assert fates["t14"] == ("dropped", "")
    assert fates["t15"] == ("kept", "")
    assert len(done.turns) == 16


def test_many_turns() -> None:
    """Go to a worker thread and come back the same."""
    turns = [turn(i, f"message {i}") for i in range(2000)]
    kept, episodes, triggered = TurnCompressor().run_if_needed_sync(turns)

    assert triggered
    assert (kept, episodes) == TurnCompressor().compress(turns)


def test_a_long_turn_is_cut_in_a_summary() -> None:
    """A megabyte of it is in the representative alone."""
    _, (episode,) = TemporalCompression(0).apply([turn(0, "word " * 200_000)])

    assert len(episode.summary) < 200
    assert len(episode.representative[1]) == 1_000_000
    assert SemanticDedup().apply([turn(0, "word " * 200_000)] * 2)[0].id == "t0"


def test_the_dialogue_gets_shorter() -> None:
    """All that is tagged as important is there, or says the same as what is."""
    turns = dialogue()
    kept, episodes, triggered = TurnCompressor().run_if_needed_sync(turns)
    decided = [each.id for each in turns if "important" in each.tags]

    assert triggered
    assert set(decided) <= set(ids(kept))
    assert len(kept) + 5 * len(episodes) >= len(turns)
    assert len(kept) < len(turns) / 4


@pytest.mark.parametrize(
    "make",
    [
        lambda: TemporalCompression(-1),
        lambda: TemporalCompression(1, 0),
        lambda: SemanticDedup(math.nan),
        lambda: SemanticDedup(1.1),
        lambda: ImportanceFilter("x", math.nan),
        lambda: ImportanceFilter(3),  # type: ignore[arg-type]
        lambda: CompressorConfig(-1),
        lambda: CompressorConfig(1, 1, -0.5),
        lambda: TurnCompressor(10),  # type: ignore[arg-type]
        lambda: TurnCompressor().compress(["a text"]),  # type: ignore[list-item]
    ],
)
def test_what_can_never_be_right(make: Callable[[], object]) -> None:
    """Raises, and names the value."""
    with pytest.raises(InvalidValue, match="got "):
        make()


def test_before_the_epoch() -> None:
    """Seconds are whole, and rounded down."""
    early = MemoryTurn("t", "user", "x", AT - timedelta(days=40_000, microseconds=1))
    _, (episode,) = TemporalCompression(0).apply([early])

    assert episode.time_range[0] == math.floor(early.timestamp.timestamp())
