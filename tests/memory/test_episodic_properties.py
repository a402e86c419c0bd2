"""Whatever happened before, a recall is what sorting everything would give."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentlab.core.clock import FakeClock
from agentlab.memory.decay import DecayPolicy, EvictionPolicy, HybridRecall, RecallPolicy
from agentlab.memory.episodic import EpisodicStore
from agentlab.memory.ranked import Leaders

START = datetime(2030, 1, 1, tzinfo=UTC)
HOUR_US = 3_600_000_000


@dataclass
class Kept:
    """A memory of the oracle."""

    id: str
    importance: float
    us: int
    count: int = 0
    tags: tuple[str, ...] = ()


class Oracle:
    """The rules, said in the plainest way: it weighs everything and sorts it, each time."""

    def __init__(self, **how: Any) -> None:
        self.how = how
        self.items: list[Kept] = []

    def key(self, item: Kept, now: int, *, by_importance: bool = False) -> float:
        """Give what an item is ranked by."""
        decay, policy = self.how["decay"], self.how["recall_policy"]
        age = max(0, now - item.us)
        if isinstance(policy, HybridRecall) and not by_importance:
            left = item.importance
            if decay:
                left *= float(np.exp2(np.float64(age / -(decay.half_life_hours * HOUR_US))))
            fresh = float(np.exp(np.float64(age / (-24.0 * HOUR_US))))
            most = max(each.count for each in self.items)
            used = item.count * (policy.frequency_weight / (most + 1))
            return left + fresh * policy.recency_weight + used
        if not decay:
            return item.importance
        importance = math.log2(item.importance) if item.importance else -math.inf
        ranked: float = min(item.us, now) / (decay.half_life_hours * HOUR_US) + importance
        return ranked

    def ranked(self, now: int) -> list[Kept]:
        """Sort everything: of equals the newer first, then the one added later."""
        oldest = -math.inf
        if self.how["max_age_hours"]:
            oldest = now - self.how["max_age_hours"] * HOUR_US
        young = [(i, item) for i, item in enumerate(self.items) if item.us >= oldest]
        ranked = sorted(young, key=lambda each: (self.key(each[1], now), each[1].us, each[0]))
        return [item for _, item in reversed(ranked)]

    def recall(self, limit: int, now: int) -> list[Kept]:
        """Forget, rank, count."""
        ranked = self.ranked(now)
        self.items = [item for item in self.items if item in ranked]
        for item in ranked[:limit]:
            item.count += 1
        return ranked[:limit]

    def add(self, item: Kept, now: int) -> None:
        """Add, and let one go while there are too many."""
        self.items.append(item)
        while self.how["per_agent_capacity"] and len(self.items) > self.how["per_agent_capacity"]:
            some = self.items[:-1] if self.how["protect_newest"] else self.items
            some = some or self.items

            def worst(each: Kept) -> Any:
                if self.how["eviction_policy"] is EvictionPolicy.Oldest:
                    return each.us
                return self.key(each, now, by_importance=True), each.us

            self.items.remove(min(some, key=worst))


IMPORTANCE = st.sampled_from([0.0, 0.25, 0.3, 0.5, 0.9, 1.0]) | st.floats(0, 1)
HOURS = st.sampled_from([0.0, 1.0, 24.0, 24.0, 100.0, -5.0]) | st.floats(-50, 5000)
STEP = st.one_of(
    st.tuples(st.just("add"), IMPORTANCE, HOURS),
    st.tuples(st.just("add"), IMPORTANCE, HOURS),
    st.tuples(st.just("many"), st.lists(IMPORTANCE, max_size=12), HOURS),
    st.tuples(st.just("recall"), st.integers(0, 8), st.none()),
    st.tuples(st.just("look"), st.integers(0, 8), st.none()),
    st.tuples(st.just("remove"), st.integers(0, 100), st.none()),
    st.tuples(st.just("replace"), st.integers(0, 100), IMPORTANCE),
    st.tuples(st.just("tag"), st.integers(0, 100), st.none()),
    st.tuples(st.just("wait"), st.floats(0, 200), st.none()),
    st.tuples(st.just("back"), st.floats(0, 50), st.none()),
    st.tuples(st.just("keep"), st.none(), st.none()),
    st.tuples(st.just("decay"), st.sampled_from([None, 1.0, 24.0]), st.none()),
)
SETTINGS = st.fixed_dictionaries(
    {
        "decay": st.sampled_from([None, DecayPolicy.exponential(24), DecayPolicy.exponential(0.1)]),
        "recall_policy": st.sampled_from(
            [RecallPolicy.Importance, RecallPolicy.Importance, RecallPolicy.Hybrid(1.0, 0.1)]
        ),
        "per_agent_capacity": st.sampled_from([None, None, 1, 5]),
        "max_age_hours": st.sampled_from([None, None, 48.0]),
        "eviction_policy": st.sampled_from(list(EvictionPolicy)),
        "protect_newest": st.booleans(),
    }
)


class Both:
    """The store and the oracle, which live through the same."""

    def __init__(self, how: dict[str, Any]) -> None:
        self.clock = FakeClock(START)
        self.store = EpisodicStore(clock=self.clock, **how)
        self.oracle = Oracle(**how)

    @property
    def now(self) -> int:
        """The moment in microseconds."""
        return (self.clock.now() - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

    def add(self, importance: float, hours: float) -> None:
        """Add something that happened so long ago."""
        when = self.clock.now() - timedelta(hours=hours)
        us = (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        name = self.store.add_episode_at("a", "x", importance, when)
        self.oracle.add(Kept(name, importance, us), self.now)

    def live(self, step: str, value: Any, more: Any) -> None:  # noqa: C901 - one a step
        """Take one step, and see that both give the same."""
        store, oracle = self.store, self.oracle
        match step:
            case "add":
                self.add(value, more)
            case "many" if not oracle.how["per_agent_capacity"]:
                when = self.clock.now() - timedelta(hours=more)
                for importance, name in zip(
                    value, store.add_many("a", [("x", each, when) for each in value]), strict=True
                ):
                    us = (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
                    oracle.add(Kept(name, importance, us), self.now)
            case "recall":
                self.same(store.recall("a", value), oracle.recall(value, self.now))
            case "look":
                self.same(store.recall_top_n("a", value), oracle.ranked(self.now)[:value])
            case "remove" if oracle.items:
                item = oracle.items.pop(value % len(oracle.items))
                assert store.remove_by_id("a", item.id)
            case "replace" if oracle.items:
                first = value % len(oracle.items)
                gone = [item.id for item in oracle.items[first : first + 1 + value % 3]]
                made = store.replace_by_ids("a", gone, "x", more, tags=["merged"])
                oracle.items = [item for item in oracle.items if item.id not in gone]
                oracle.items.append(Kept(str(made), more, self.now, tags=("merged",)))
            case "tag" if oracle.items:
                told = oracle.items[value % len(oracle.items)]
                told.tags = (str(value),)
                assert store.update_tags_by_id("a", told.id, [str(value)])
            case "wait":
                self.clock.advance(value * 3600)
            case "back":
                self.clock.advance(-value * 3600)
            case "keep":
                self.store = EpisodicStore.from_bytes(store.to_bytes(), clock=self.clock)
            case "decay":
                policy = None if value is None else DecayPolicy.exponential(value)
                store.with_decay(policy)
                oracle.how = {**oracle.how, "decay": policy}

    def same(self, items: list[Any], kept: list[Kept]) -> None:
        """See that the same memories come in the same order, with the same counts and tags."""
        assert [(i.id, i.recall_count, i.tags) for i in items] == [
            (k.id, k.count, k.tags) for k in kept
        ]


@settings(max_examples=400)
@given(SETTINGS, st.lists(STEP, max_size=60))
def test_recall_equals_sorting_everything(
    how: dict[str, Any], steps: list[tuple[str, Any, Any]]
) -> None:
    """After any adds, removals, replacements, edits, moves of the clock, reloads, however set."""
    both = Both(how)
    for step in steps:
        both.live(*step)

    both.same(both.store.items("a"), both.oracle.items)
    both.same(both.store.recall_top_n("a", 1000), both.oracle.ranked(both.now))
    if isinstance(how["recall_policy"], HybridRecall):
        scores = [both.oracle.key(item, both.now) for item in both.oracle.ranked(both.now)]
        assert [each.score for each in both.store.explain("a", "", 1000)] == scores
    both.same(both.store.recall("a", 3), both.oracle.recall(3, both.now))


@settings(max_examples=20)
@given(
    st.sampled_from([None, DecayPolicy.exponential(24)]),
    st.lists(st.tuples(st.sampled_from(["add", "recall", "remove"]), st.integers(0, 9999))),
    st.integers(0, 3),
)
def test_the_leaders_of_many(
    decay: DecayPolicy | None, steps: list[tuple[str, int]], seed: int
) -> None:
    """Where only the best of thousands are at hand, they are still the best."""
    how = {
        "decay": decay, "recall_policy": RecallPolicy.Importance, "per_agent_capacity": None,
        "max_age_hours": None, "eviction_policy": EvictionPolicy.Oldest, "protect_newest": False,
    }  # fmt: skip
    both = Both(how)
    chance = np.random.default_rng(seed)
    both.live("many", chance.integers(0, 50, 1500).__truediv__(49.0).tolist(), 1.0)
    both.live("recall", 5, None)
    best = [item.id for item in both.store.recall_top_n("a", 300)]
    for name in best[:290]:  # more than are left at hand
        gone = next(kept for kept in both.oracle.items if kept.id == name)
        both.oracle.items.remove(gone)
        both.store.remove_by_id("a", name)
    both.live("recall", 5, None)
    for step, value in steps:
        more = (value % 7) / 7 if step == "add" else value
        both.live(step, min(more, 300) if step == "recall" else more, 0.0)
        both.live("recall", 5, None)


@pytest.mark.parametrize("size", [0, 1, 10, 300])
def test_leaders_know_what_they_do_not_know(size: int) -> None:
    """They answer only as far as they go, unless there is nothing else."""
    places = [(float(i), 0, -i) for i in range(size)]

    assert Leaders(list(places), whole=True).first(1000) == places
    assert (Leaders(list(places), whole=False).first(size + 1)) is None
    part = Leaders(list(places), whole=False)
    part.add((1e9, 0, 0))
    assert part.first(size) == places
    part.remove((-1.0, 0, 0))
    assert part.first(size) == places


PROGRAM = """
from datetime import UTC, datetime, timedelta
from random import Random
from agentlab.core.clock import FakeClock
from agentlab.memory.decay import DecayPolicy, RecallPolicy
from agentlab.memory.episodic import EpisodicStore
from agentlab.memory.vector import SemanticMemory
clock = FakeClock()
store = EpisodicStore(decay=DecayPolicy.exponential(3), clock=clock, rng=Random(7))
for i in range(500):
    clock.advance(i % 17)
    store.add_episode_with_tags(f"agent {i % 3}", f"text {i}", (i % 11) / 11, {f"t{i % 5}"})
    store.recall(f"agent {i % 3}", 3)
memory = SemanticMemory()
memory.remember_many([f"word{i % 7} word{i % 11} other" for i in range(50)], range(50))
print(store.to_bytes(), store.recall("agent 0", 50), store.to_html())
print(memory.to_bytes(), memory.recall_similar("word1 word2 word3", 50), memory.to_html())
"""


def test_the_same_history_gives_the_same_bytes() -> None:
    """In two processes, whatever the order of their hashes."""
    root = Path(__file__).parents[2]
    told = [
        subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", PROGRAM],
            check=True,
            capture_output=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
        ).stdout
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert len(told[0]) > 10_000
