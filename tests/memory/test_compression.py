"""Turns within a budget: what matters stays, the rest is summed up, the newest go last."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.errors import InvalidValue, WrongThread
from agentlab.core.sync import run_sync
from agentlab.datasets import dialogue
from agentlab.memory.compression import (
    Compression,
    ImportanceStrategy,
    MemoryCompressor,
    MemoryTurn,
    Role,
)
from agentlab.memory.entities import entities, key_facts, kind_of
from agentlab.models.scripted import ScriptedModel
from tests.memory.shelves import AT, turn

LONG = "The ferry from Carrow was late again and the harbour had no lights at all"


def compressor(max_tokens: int = 10_000, **more: Any) -> MemoryCompressor:
    """Give one whose clock stands still."""
    return MemoryCompressor(max_tokens, clock=FakeClock(AT), **more)


def tokens(done: Compression) -> int:
    """Count what is left, one by one."""
    return sum(t.token_count for t in done.kept) + sum(s.token_count for s in done.summaries)


def test_w19_1() -> None:
    """One turn below the budget is kept, and scored by its keywords."""
    said = MemoryTurn("t1", Role.User, "Show me the latest results.", AT)
    keywords = ImportanceStrategy.KeywordDensity(["error", "result"])
    made = compressor(4096).with_recency_keep(8).with_strategy(keywords)
    kept, summaries, saved = made.compress([said])

    assert [each.id for each in kept] == ["t1"]
    assert summaries == []
    assert saved == 0
    assert made.score_turn(said) == pytest.approx(0.2)
    assert kept[0].importance_score == pytest.approx(0.2)


def test_w19_2() -> None:
    """Forced, seventeen of twenty are summed up in one, and the newest three stay."""
    turns = [turn(i, "ok", tokens=5) for i in range(20)]
    done = compressor(recency_keep=3, importance_threshold=0.99).compress(turns, force=True)

    assert [each.id for each in done.kept] == ["t17", "t18", "t19"]
    (summary,) = done.summaries
    assert summary.covers_turns == tuple(f"t{i}" for i in range(17))
    assert summary.id == "summary-t0-t16"
    assert done.tokens_saved == 100 - tokens(done)
    assert summary.time_range == (turns[0].timestamp, turns[16].timestamp)


def test_w19_3() -> None:
    """A token is four bytes, and there is one at the least; a counter of yours counts instead."""

    class Words:
        def count_tokens(self, text: str, /) -> int:
            return len(text.split())

    assert compressor().estimate_tokens("") == 1
    assert compressor().estimate_tokens("hello world foo bar baz") == 5
    assert compressor(token_estimator=Words()).estimate_tokens("hello world") == 2


def test_w19_4() -> None:
    """Nothing gives nothing."""
    assert compressor().compress([]) == ([], [], 0)
    assert compressor().compress([], force=True) == ([], [], 0)


def test_w19_5() -> None:
    """What is left fits, all of the rest is saved, and the newest three are there."""
    turns = [turn(i, f"{LONG}, said number {i}.", tokens=100) for i in range(20)]
    done = compressor(1000, recency_keep=3, importance_threshold=0.99).compress(turns)

    assert tokens(done) <= 1000
    assert done.tokens_saved == 2000 - tokens(done)
    assert [each.id for each in done.kept][-3:] == ["t17", "t18", "t19"]


def test_w19_6() -> None:
    """A summary holds the sentence and the names of what it stands for."""
    said = "The team met Acme Corp in Paris today"
    turns = [turn(0, said, tokens=200), turn(1)]
    done = compressor(150, recency_keep=1, importance_threshold=0.99).compress(turns)
    (summary,) = done.summaries

    assert said in summary.key_facts
    assert summary.entities == {"Acme Corp": "Organisation", "Paris": "Location"}


def test_keywords_are_words() -> None:
    """Repeats count, endings are tolerated from four letters on, beginnings are not."""
    density = ImportanceStrategy.KeywordDensity(["user", "ai", "machine learning"])

    assert density.hits("The superuser saw the users. User!") == 2
    assert density.hits("ai AI airport") == 2
    assert density.hits("machine learnings, but no machines for learning") == 1
    assert density.score(turn(0, ""), AT) == 0
    assert ImportanceStrategy.KeywordDensity([]).hits("anything") == 0


def test_names() -> None:
    """Runs of capitals within a sentence; what begins one, and "I", are none."""
    assert entities("Paris. Then Berlin, Rome and New York. Yes! Oslo") == [
        "Berlin", "Rome", "New York",
    ]  # fmt: skip
    assert entities("and I said I'm sorry to Mr. X") == ["Mr"]
    assert entities("we use PyTorch (Linux)") == ["PyTorch", "Linux"]
    assert [kind_of(name) for name in ("Orgasmic", "PyTorch", "Harbour Council", "Lake Como")] == [
        "Unknown", "Technology", "Organisation", "Location",
    ]  # fmt: skip
    scored = ImportanceStrategy.EntityDensity().score(turn(0, "We met Acme Corp in Paris"), AT)
    assert scored == pytest.approx(2 / 6)


def test_facts() -> None:
    """Sentences of five to twenty-five words, each once, at most ten of them."""
    facts = key_facts(["Too short. This one has just five. THIS ONE HAS JUST FIVE! " + "w " * 26])

    assert facts == ("This one has just five",)
    assert len(key_facts(f"this is fact number {i}" for i in range(30))) == 10


def test_recency_and_composites() -> None:
    """What is left after ten hours; a mean by weight, which no weight can break."""
    old = turn(0)
    later = AT + timedelta(hours=10)
    recency = ImportanceStrategy.RecencyDecay(0.1)
    keywords = ImportanceStrategy.KeywordDensity(["ok"])

    assert recency.score(old, later) == pytest.approx(math.exp(-1))
    assert recency.score(old, AT - timedelta(hours=1)) == 1
    mean = ImportanceStrategy.Composite([(recency, 3), (keywords, 1)])
    assert mean.score(old, later) == pytest.approx((3 * math.exp(-1) + 1) / 4)
    huge = ImportanceStrategy.Composite([(recency, 1e308), (keywords, 1e308)])
    assert huge.score(old, later) == pytest.approx((math.exp(-1) + 1) / 2)
    nested = ImportanceStrategy.Composite([(mean, 1), (keywords, 0)])
    assert nested.score(old, later) == mean.score(old, later)


def test_below_the_budget_nothing_happens() -> None:
    """But that scores are computed anew, and turns come by their time."""
    turns = [turn(2, score=0.9), turn(0), turn(1)]
    done = compressor().compress(turns)

    assert [each.id for each in done.kept] == ["t0", "t1", "t2"]
    assert [each.importance_score for each in done.kept] == [0, 0, 0]
    assert turns[0].importance_score == 0.9
    assert (done.summaries, done.tokens_saved) == ([], 0)


def test_what_matters_stays() -> None:
    """A turn that scores enough parts the stretches on both sides of it, which are summed up."""
    turns = [turn(i, LONG, tokens=60) for i in range(9)]
    turns[4] = turn(4, "alarm alarm", tokens=60)
    made = compressor(400, recency_keep=2).with_strategy(
        ImportanceStrategy.KeywordDensity(["alarm"])
    )
    done = made.compress(turns)

    assert [each.id for each in done.kept] == ["t4", "t7", "t8"]
    assert [summary.id for summary in done.summaries] == ["summary-t0-t3", "summary-t5-t6"]


def test_enough_is_enough() -> None:
    """A score that is the threshold keeps a turn."""
    turns = [turn(0, "alarm and four more words", tokens=99), turn(1)]
    made = compressor(recency_keep=1, importance_threshold=0.2)
    done = made.with_strategy(ImportanceStrategy.KeywordDensity(["alarm"])).compress(
        turns, force=True
    )

    assert [each.id for each in done.kept] == ["t0", "t1"]


def test_a_summary_that_costs_more_is_not_made() -> None:
    """Nor one that costs as much: then the turns are kept."""
    done = compressor(recency_keep=1, importance_threshold=1).compress(
        [turn(i) for i in range(3)], force=True
    )

    assert len(done.kept) == 3
    assert done.summaries == []


def test_the_oldest_go_first_and_the_newest_last() -> None:
    """Summaries, then older turns, then the protected ones, and at last the newest of all."""
    turns = [turn(i, LONG, tokens=60) for i in range(10)]
    turns[5] = turn(5, "alarm " * 3, tokens=60)

    def left(budget: int) -> tuple[list[str], int]:
        made = compressor(budget, recency_keep=3)
        done = made.with_strategy(ImportanceStrategy.KeywordDensity(["alarm"])).compress(turns)
        assert tokens(done) <= budget
        return [each.id for each in done.kept], len(done.summaries)

    assert left(340) == (["t5", "t7", "t8", "t9"], 2)
    assert left(270) == (["t5", "t7", "t8", "t9"], 1)
    assert left(240) == (["t5", "t7", "t8", "t9"], 0)
    assert left(200) == (["t7", "t8", "t9"], 0)
    assert left(125) == (["t8", "t9"], 0)
    assert left(60) == (["t9"], 0)
    assert left(59) == ([], 0)


def test_what_became_of_each_turn() -> None:
    """Is told, in the order of time: kept, in which summary, or dropped."""
    turns = [turn(i, LONG, tokens=60) for i in range(10)]
    done = compressor(200, recency_keep=2, importance_threshold=0.99).compress(turns)

    assert [row.fate for row in done.turns] == ["summarised"] * 8 + ["kept"] * 2
    assert {row.into for row in done.turns} == {"summary-t0-t7", ""}
    assert (done.tokens_before, done.tokens_after) == (600, tokens(done))
    less = compressor(130, recency_keep=2, importance_threshold=0.99).compress(turns)
    assert [row.fate for row in less.turns] == ["dropped"] * 8 + ["kept"] * 2


def test_a_summary_says_who_and_what_about() -> None:
    """How many turns, which roles, sorted, and up to five topics, the most frequent first."""
    turns = [turn(i, LONG, tokens=90, role="user" if i % 2 else "tool",
                  tags=("b", "b", f"x{i}", "a")[: 4 if i else 3]) for i in range(7)]  # fmt: skip
    done = compressor(300, recency_keep=1, importance_threshold=0.99).compress(turns)
    (summary,) = done.summaries

    assert summary.summary_text == f"6 turns (tool, user); topics: b, a, x0, x1, x2. {LONG}"
    assert summary.token_count == compressor().estimate_tokens(summary.summary_text)


def test_facts_are_told_within_half_of_what_they_replace() -> None:
    """The first ones; all of them are in the list."""
    turns = [turn(i, f"{LONG} on day {i}") for i in range(11)]
    done = compressor(recency_keep=1, importance_threshold=1).compress(turns, force=True)
    (summary,) = done.summaries
    replaced = sum(row.token_count for row in done.turns if row.fate == "summarised")

    assert replaced * 0.35 < summary.token_count <= replaced / 2
    assert f"{LONG} on day 3" in summary.summary_text
    assert f"{LONG} on day 9" not in summary.summary_text
    assert len(summary.key_facts) == 10


def test_somebody_writes_the_summaries() -> None:
    """A function of the texts, or a model; plainly, and awaited."""
    turns = [turn(i, LONG, tokens=60) for i in range(10)]
    for more in (
        {"summarizer": lambda texts: f"{len(texts)} times late"},
        {"model": ScriptedModel("8 times late", "8 times late")},
    ):
        made = compressor(200, recency_keep=2, importance_threshold=0.99, **more)
        for done in (made.compress(turns), asyncio.run(made.compress_async(turns))):
            assert done.summaries[0].summary_text == "8 times late"
            assert tokens(done) <= 200


def test_a_summary_is_not_written_on_the_loop_it_waits_for() -> None:
    """It says to await instead."""

    async def written(texts: list[str]) -> str:
        return texts[0]

    made = compressor(200, recency_keep=2, importance_threshold=0.99, summarizer=written)

    async def play() -> None:
        made.compress([turn(i, LONG, tokens=60) for i in range(10)])

    with pytest.raises(
        WrongThread, match="'compress' would block the loop it runs on: await 'compress_async'"
    ):
        run_sync(play)


def test_settings_are_chained() -> None:
    """They change the compressor and give it back; a threshold is clamped."""
    made = compressor()

    assert made.with_recency_keep(4).with_importance_threshold(7) is made
    assert (made.recency_keep, made.importance_threshold) == (4, 1)
    assert compressor().importance_threshold == 0.3
    assert compressor().recency_keep == 10
    assert compressor().strategy == ImportanceStrategy.EntityDensity()


def test_turns_are_values() -> None:
    """A role may be its text; a moment is kept in UTC; they go through JSON and come back."""
    east = timezone(timedelta(hours=2))
    made = MemoryTurn("t", "tool", "x", datetime(2030, 1, 1, 2, tzinfo=east), tags=["a"])  # type: ignore[arg-type]

    assert made.role is Role.Tool
    assert made.timestamp == datetime(2030, 1, 1, tzinfo=UTC)
    assert made.timestamp.tzinfo is UTC
    assert MemoryTurn.from_dict(made.to_dict()) == made
    with pytest.raises(InvalidValue, match="role must be one of"):
        MemoryTurn.from_dict({**made.to_dict(), "role": "cat"})
    assert MemoryTurn("t", "user", "lone \ud800", AT).content == "lone \ufffd"


def test_summaries_are_values() -> None:
    """They go through JSON and come back equal."""
    turns = [turn(i, LONG, tokens=60) for i in range(10)]
    (summary,) = compressor(200, recency_keep=2, importance_threshold=1).compress(turns).summaries

    assert type(summary).from_dict(summary.to_dict()) == summary


@pytest.mark.parametrize(
    "make",
    [
        lambda: MemoryCompressor(0),
        lambda: MemoryCompressor(10, recency_keep=-1),
        lambda: MemoryCompressor(10, importance_threshold=math.nan),
        lambda: MemoryCompressor(10, strategy=ImportanceStrategy.EntityDensity),  # type: ignore[arg-type]
        lambda: MemoryCompressor(10, strategy="entities"),  # type: ignore[arg-type]
        lambda: MemoryCompressor(10, summarizer=3),  # type: ignore[arg-type]
        lambda: MemoryCompressor(10).compress(["a text"]),  # type: ignore[list-item]
        lambda: ImportanceStrategy.KeywordDensity("word"),
        lambda: ImportanceStrategy.KeywordDensity(["..."]),
        lambda: ImportanceStrategy.RecencyDecay(-1),
        lambda: ImportanceStrategy.RecencyDecay(math.inf),
        lambda: ImportanceStrategy.Composite([]),
        lambda: ImportanceStrategy.Composite([(ImportanceStrategy.EntityDensity(), -1)]),
        lambda: ImportanceStrategy.Composite([(ImportanceStrategy.EntityDensity(), math.nan)]),
        lambda: ImportanceStrategy.Composite([3]),  # type: ignore[list-item]
        lambda: MemoryTurn("t", "user", "x", datetime(2030, 1, 1)),  # noqa: DTZ001
        lambda: MemoryTurn("t", "user", "x", "today"),  # type: ignore[arg-type]
        lambda: MemoryTurn("t", "user", "x", AT, math.nan),
        lambda: MemoryTurn("t", "user", "x", AT, math.inf),
        lambda: MemoryTurn("t", "user", "x", AT, 0, -1),
        lambda: MemoryTurn("t", "user", "x", AT, tags="tag"),  # type: ignore[arg-type]
        lambda: MemoryTurn("t", "cat", "x", AT),
        lambda: MemoryTurn("t", "user", 3, AT),  # type: ignore[arg-type]
    ],
)
def test_what_can_never_be_right(make: Callable[[], object]) -> None:
    """Raises, and names the value."""
    with pytest.raises(InvalidValue, match="got "):
        make()


def test_a_scorer_of_yours_is_checked() -> None:
    """One that says NaN is not believed."""

    class Odd:
        def score(self, turn: MemoryTurn, now: datetime) -> float:  # noqa: ARG002
            return math.nan

    with pytest.raises(InvalidValue, match="a score must be a finite number, got nan"):
        compressor(strategy=Odd()).compress([turn(0)])


def test_a_megabyte() -> None:
    """Is counted, and goes where it does not fit."""
    turns = [turn(0, "word " * 200_000), turn(1)]
    done = compressor(100, recency_keep=1).compress(turns)

    assert done.tokens_before == 250_001
    assert [each.id for each in done.kept] == ["t1"]


def test_the_dialogue_gets_shorter() -> None:
    """A real one: within the budget, its decisions in it, its newest turns as they were."""
    turns = dialogue()
    decided = ImportanceStrategy.KeywordDensity(["decided", "euros"])
    made = compressor(2500, importance_threshold=0.05).with_strategy(decided)
    done = made.compress(turns)

    assert tokens(done) <= 2500 < done.tokens_before
    assert [each.id for each in done.kept[-10:]] == [each.id for each in turns[-10:]]
    assert "shelves" in " ".join(summary.summary_text for summary in done.summaries)
