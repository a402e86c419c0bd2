"""Episodes: what is recalled, in which order, and what goes."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.errors import InvalidValue
from agentlab.core.ids import MemoryId
from agentlab.memory.decay import DecayPolicy, EvictionPolicy, RecallPolicy
from agentlab.memory.episodic import EpisodicStore
from agentlab.memory.explained import Explanation
from agentlab.memory.items import MemoryItem

DAY = DecayPolicy.exponential(24)


def contents(items: list[MemoryItem]) -> list[str]:
    """Give what they say."""
    return [item.content for item in items]


def at(clock: FakeClock, **ago: float) -> datetime:
    """Give a moment before now."""
    return clock.now() - timedelta(**ago)


def test_w13_1() -> None:
    """The more important comes first."""
    store = EpisodicStore()
    store.add_episode("demo", "second", 0.8)
    store.add_episode("demo", "first", 0.9)

    assert contents(store.recall("demo", 10)) == ["first", "second"]


def test_w13_2() -> None:
    """After half a half-life 0.8 is 0.565685."""
    clock = FakeClock()
    store = EpisodicStore(decay=DAY, clock=clock)
    store.add_episode_at("a", "x", 0.8, at(clock, hours=12))

    assert DAY.decayed(0.8, 12) == pytest.approx(0.565685, abs=1e-6)
    assert store.recall_for("a", "?", 1)[0].score == pytest.approx(0.565685, abs=1e-6)
    assert store.rows()[0].importance_now == pytest.approx(0.565685, abs=1e-6)


def test_w13_3() -> None:
    """What is fresh beats what was recalled often, by these weights."""
    clock = FakeClock()
    store = EpisodicStore(recall_policy=RecallPolicy.Hybrid(1.0, 0.1), clock=clock)
    store.add_episode_at("a", "B", 0.5, at(clock, hours=10))
    for _ in range(10):
        store.recall("a", 1)
    store.add_episode_at("a", "A", 0.5, at(clock, hours=1))

    first, second = store.explain("a")
    assert (first.text, second.text) == ("A", "B")
    assert first.score == pytest.approx(1.459189, abs=1e-6)
    assert second.score == pytest.approx(1.250150, abs=1e-6)
    assert contents(store.recall("a", 2)) == ["A", "B"]


def test_w13_4() -> None:
    """By weight on use, what was recalled fifty times beats what is new."""
    store = EpisodicStore(recall_policy=RecallPolicy.Hybrid(0, 10))
    store.add_episode("a", "B", 0.5)
    for _ in range(50):
        store.recall("a", 1)
    store.add_episode("a", "new", 0.5)

    assert contents(store.recall("a", 2)) == ["B", "new"]


@pytest.mark.parametrize(("protect", "left"), [(False, ["x0.9", "x0.8"]), (True, ["x0.9", "x0.1"])])
def test_w13_5(protect: bool, left: list[str]) -> None:  # noqa: FBT001
    """The least goes, though it be the one just added; unless that is protected."""
    store = EpisodicStore(per_agent_capacity=2, protect_newest=protect)
    ids = [store.add_episode("a", f"x{each}", each) for each in (0.9, 0.8, 0.1)]

    assert contents(store.items("a")) == left
    assert len(set(ids)) == 3
    assert (store.get("a", ids[2]) is None) == (not protect)


def test_w13_6() -> None:
    """Two recalls count one, then two; the copies show the new count."""
    store = EpisodicStore()
    store.add_episode("a", "x", 0.5)

    assert store.recall("a", 10)[0].recall_count == 1
    assert store.recall("a", 10)[0].recall_count == 2


def test_only_what_is_given_is_counted() -> None:
    """A limit of one counts one; looking counts none."""
    store = EpisodicStore()
    for importance in (0.9, 0.8):
        store.add_episode("a", "x", importance)
    store.recall("a", 1)
    store.recall_top_n("a", 2)
    store.explain("a")

    assert [item.recall_count for item in store.items("a")] == [1, 0]


def test_decay_is_not_compounded() -> None:
    """Two recalls at one half-life both find half."""
    clock = FakeClock()
    store = EpisodicStore(decay=DAY, clock=clock)
    store.add_episode("a", "x", 0.5)
    clock.advance(24 * 3600)

    assert [store.recall_for("a", "", 1)[0].score for _ in range(2)] == [0.25, 0.25]
    assert store.items("a")[0].importance == 0.5


def test_use_is_measured_by_what_is_there() -> None:
    """When the memory that was recalled most is gone, the next is the measure."""
    store = EpisodicStore(recall_policy=RecallPolicy.Hybrid(0, 1))
    often, _ = store.add_episode("a", "often", 0.9), store.add_episode("a", "once", 0.5)
    for limit in (1, 1, 1, 2):
        store.recall("a", limit)
    assert store.explain("a")[1].score == 0.5 + 1 / 5
    store.remove_by_id("a", often)

    assert store.explain("a")[0].score == 0.5 + 1 / 2


def test_agents_are_independent() -> None:
    """Each has its own memories, and its own room."""
    store = EpisodicStore(per_agent_capacity=1)
    store.add_episode("b", "of b", 0.1)
    store.add_episode("a", "of a", 0.9)

    assert contents(store.recall("b", 5)) == ["of b"]
    assert store.recall("c", 5) == []
    assert (store.agent_ids(), store.count_for("a"), len(store)) == (["a", "b"], 1, 2)
    store.clear("a")
    assert (store.agent_ids(), len(store)) == (["b"], 1)
    store.clear()
    assert len(store) == 0


def test_of_equals_the_newer_comes_first() -> None:
    """By time, and at the same time by who was added later; the older goes first."""
    clock = FakeClock()
    store = EpisodicStore(per_agent_capacity=3, clock=clock)
    for name, hours in (("old", 2), ("new", 1), ("new too", 1)):
        store.add_episode_at("a", name, 0.5, at(clock, hours=hours))

    assert contents(store.recall("a", 9)) == ["new too", "new", "old"]
    store.add_episode("a", "newest", 0.5)
    assert contents(store.items("a")) == ["new", "new too", "newest"]


def test_eviction_compares_what_is_left() -> None:
    """An important memory that has faded goes before a lesser one that is fresh."""
    clock = FakeClock()
    store = EpisodicStore(decay=DAY, per_agent_capacity=2, clock=clock)
    store.add_episode_at("a", "faded", 0.9, at(clock, hours=240))
    store.add_episode("a", "fresh", 0.2)
    store.add_episode("a", "third", 0.5)

    assert contents(store.items("a")) == ["fresh", "third"]


def test_the_oldest_may_go() -> None:
    """Another policy looks at age alone."""
    clock = FakeClock()
    store = EpisodicStore.with_eviction_policy(EvictionPolicy.Oldest).with_per_agent_capacity(1)
    store.add_episode_at("a", "old and great", 1.0, at(clock, hours=9))
    store.add_episode_at("a", "new and small", 0.1, at(clock, hours=1))

    assert contents(store.items("a")) == ["new and small"]


def test_what_is_too_old_is_forgotten() -> None:
    """When it is recalled; to look leaves it out and leaves it there."""
    clock = FakeClock()
    store = EpisodicStore(max_age_hours=10, clock=clock)
    store.add_episode("a", "old", 0.9)
    clock.advance(5 * 3600)
    store.add_episode("a", "new", 0.1)
    clock.advance(6 * 3600)

    assert contents(store.recall_top_n("a", 5)) == ["new"]
    assert len(store) == 2
    assert contents(store.recall("a", 5)) == ["new"]
    assert len(store) == 1
    clock.advance(24 * 3600)
    assert store.recall_top_n("a", 5) == []
    assert store.recall("a", 5) == []


def test_what_is_yet_to_come_has_not_aged() -> None:
    """It is worth what it is worth, and so comes before what has faded."""
    clock = FakeClock()
    store = EpisodicStore(decay=DAY, clock=clock)
    store.add_episode_at("a", "future", 0.4, clock.now() + timedelta(days=300))
    store.add_episode_at("a", "now", 0.5, clock.now())

    assert contents(store.recall("a", 2)) == ["now", "future"]
    assert store.recall_for("a", "", 2)[1].score == 0.4
    clock.advance(24 * 3600)
    assert contents(store.recall("a", 2)) == ["future", "now"]


def test_tags_and_ids() -> None:
    """What a memory is about can be changed; a memory can be had and forgotten by its id."""
    store = EpisodicStore(rng=Random(1))  # noqa: S311 - reproducible, not secret
    name = store.add_episode_with_tags("a", "x", 0.5, ["city", "city", "fact"])
    other = store.add_episode("a", "y", 0.5)
    item = store.get("a", name)

    assert isinstance(name, MemoryId)
    assert item is not None
    assert (item.tags, item.has_tag("city"), item.has_tag("town")) == (
        ("city", "fact"),
        True,
        False,
    )
    assert store.update_tags_by_id("a", name, ["town"])
    assert store.items("a")[0].tags == ("town",)
    assert store.remove_by_id("a", name)
    assert not store.remove_by_id("a", name)
    assert not store.update_tags_by_id("a", name, [])
    assert not store.remove_by_id("b", other)
    assert contents(store.recall("a", 5)) == ["y"]
    again = EpisodicStore(rng=Random(1))  # noqa: S311 - as above
    assert again.add_episode("a", "x", 0.5) == name
    for odd in ("", "zzz", name[:-1], f"{other[:-12]}ffffffffffff", "0" * 36, f"-{name[1:]}"):
        assert store.get("a", odd) is None


def test_contents_can_be_made_unique() -> None:
    """The most important of those that say the same stays, in its place."""
    store = EpisodicStore()
    for content, importance in (("x", 0.5), ("y", 0.1), ("x", 0.9), ("x", 0.9), ("z", 1)):
        store.add_episode("a", content, importance)

    assert store.deduplicate_content("a") == 2
    assert [(i.content, i.importance) for i in store.items("a")] == [
        ("y", 0.1), ("x", 0.9), ("z", 1.0)
    ]  # fmt: skip
    assert store.deduplicate_content("a") == store.deduplicate_content("b") == 0


def test_settings_in_any_order() -> None:
    """On the class they begin a store, on a store they change it; nothing set before is lost."""
    policy = RecallPolicy.Hybrid(1, 2)
    store = EpisodicStore.with_decay(DAY).with_per_agent_capacity(3).with_max_age(100)
    same = store.with_recall_policy(policy)

    assert same is store
    assert (store.decay, store.recall_policy) == (DAY, policy)
    assert (store.per_agent_capacity, store.max_age_hours) == (3, 100.0)
    both = EpisodicStore.builder().with_decay_and_recall_policy(None, policy).build()
    assert (both.decay, both.recall_policy) == (None, policy)
    assert EpisodicStore.with_decay.__doc__ == "Set how memories fade."
    store.add_episode("a", "x", 0.5)
    assert len(EpisodicStore.with_decay(DAY)) == 0


def test_a_capacity_that_comes_late() -> None:
    """Is kept from the next memory on."""
    store = EpisodicStore()
    store.add_many("a", [("x", i / 10) for i in range(10)])
    store.with_per_agent_capacity(2)
    store.add_episode("a", "last", 0.95)

    assert contents(store.items("a")) == ["x", "last"]


def test_a_capacity_that_comes_very_late() -> None:
    """Lets many go at once, as if one by one: the least, of equals the older."""
    clock = FakeClock()
    one, many = (EpisodicStore(decay=DAY, clock=clock) for _ in range(2))
    for store in (one, many):
        for i in range(300):
            when = at(clock, hours=i % 7)
            store.add_episode_at("a", f"x{i}", (i % 5) / 5, when)
    for size in range(299, 49, -1):
        one.with_per_agent_capacity(size + 1)
        one.add_episode_at("a", "least", 0.0, at(clock, days=99))
        one.with_per_agent_capacity(size)
        one.add_episode_at("a", "least", 0.0, at(clock, days=99))
    many.with_per_agent_capacity(50).add_episode_at("a", "least", 0.0, at(clock, days=99))

    assert contents(one.items("a")) == contents(many.items("a"))
    assert (len(many), "least" in contents(many.items("a"))) == (50, False)


def test_names_are_cleaned() -> None:
    """An agent whose name cannot be written down is found under the one that can."""
    store = EpisodicStore()
    name = store.add_episode("a\ud800", "x", 0.5)

    assert store.agent_ids() == ["a\ufffd"]
    assert store.recall("a\ud800", 1)[0].agent_id == "a\ufffd"
    assert (store.count_for("a\ud800"), store.remove_by_id("a\ud800", name)) == (1, True)


def test_half_lives_of_no_length_and_of_ages() -> None:
    """Rank as they should, and warn of nothing."""
    for hours in (1e-300, 1e-9, 1e300):
        clock = FakeClock()
        store = EpisodicStore(decay=DecayPolicy.exponential(hours), clock=clock)
        for i, importance in enumerate((0.0, 0.5, 1.0, 0.0)):
            store.add_episode_at("a", f"x{i}", importance, at(clock, hours=5 - i))
        assert contents(store.recall("a", 4)) == ["x2", "x1", "x3", "x0"]
        assert len(store.explain("a")) == 4


def test_age_that_counts_twice_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """Decay and freshness together are allowed."""
    with caplog.at_level(logging.WARNING, logger="agentlab.memory"):
        store = EpisodicStore(decay=DAY, recall_policy=RecallPolicy.Hybrid(1, 1))
        store.with_decay(DecayPolicy.exponential(2))

    assert len(caplog.records) == 1


@pytest.mark.parametrize("importance", [float("nan"), float("inf"), "0.5", None, True, 10**400])
def test_what_is_no_importance(importance: Any) -> None:
    """Is refused with its value, and nothing is remembered."""
    store = EpisodicStore()
    with pytest.raises(InvalidValue, match="importance must be a number between 0 and 1, got"):
        store.add_episode("a", "x", importance)
    with pytest.raises(InvalidValue):
        store.add_many("a", [("x", 0.5), ("y", importance)])

    assert (len(store), store.agent_ids()) == (0, [])


def test_odd_values() -> None:
    """Importance is clamped, content may be empty or huge; the rest is refused with its value."""
    store = EpisodicStore()
    store.add_many("a", [("", 7), ("\ud800", -1), ("x" * 1_000_000, 0.5)])

    assert [i.importance for i in store.items("a")] == [1.0, 0.0, 0.5]
    assert contents(store.items("a"))[:2] == ["", "\ufffd"]
    assert store.recall("a", 0) == store.recall_top_n("a", 0) == []
    assert not store.explain("a", limit=0)
    calls: list[Any] = [
        lambda: store.add_episode("a", None, 0.5),  # type: ignore[arg-type]
        lambda: store.add_episode("", "x", 0.5),
        lambda: store.add_episode_at("a", "x", 0.5, datetime(2030, 1, 1)),  # noqa: DTZ001
        lambda: store.add_episode_at("a", "x", 0.5, 5),  # type: ignore[arg-type]
        lambda: store.add_episode_with_tags("a", "x", 0.5, "tag"),
        lambda: store.add_episode_with_tags("a", "x", 0.5, [1]),  # type: ignore[list-item]
        lambda: store.add_many("a", [("x",)]),  # type: ignore[list-item]
        lambda: store.recall("a", -1),
        lambda: store.recall("a", 1.5),  # type: ignore[arg-type]
        lambda: EpisodicStore(per_agent_capacity=0),
        lambda: EpisodicStore(max_age_hours=float("nan")),
        lambda: EpisodicStore(eviction_policy="x"),  # type: ignore[arg-type]
        lambda: EpisodicStore(decay=24),  # type: ignore[arg-type]
        lambda: EpisodicStore(recall_policy="hybrid"),  # type: ignore[arg-type]
        lambda: DecayPolicy.exponential(float("inf")),
        lambda: RecallPolicy.Hybrid(-1, 0),
        lambda: RecallPolicy.Hybrid(0, float("nan")),
    ]
    for call in calls:
        with pytest.raises(InvalidValue, match="got"):
            call()
    assert len(store) == 3
    with pytest.raises(InvalidValue, match=r"^half_life_hours must be positive, got 0$"):
        DecayPolicy.exponential(0)


def test_times_are_exact() -> None:
    """To the microsecond, in any zone, and as far away as there are years."""
    store = EpisodicStore()
    far = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
    near = datetime(2030, 1, 1, 12, 0, 0, 123457, tzinfo=timezone(timedelta(hours=5)))
    for when in (*far, near):
        store.add_episode_at("a", "x", 0.5, when)

    assert [item.timestamp for item in store.items("a")] == [*far, near]
    assert store.items("a")[2].timestamp.tzinfo is UTC


def test_an_item() -> None:
    """Tells its age and its words, and comes back from JSON as it is."""
    item = MemoryItem("1", "a", "two words", 0.5, datetime(2030, 1, 1, tzinfo=UTC), ("t",), 3)

    assert item.age_hours(datetime(2030, 1, 1, 6, tzinfo=UTC)) == 6.0
    assert item.age_hours(datetime(2029, 1, 1, tzinfo=UTC)) == 0.0
    assert item.word_count() == 2
    assert repr(item) == "<MemoryItem 0.50 'two words'>"
    assert MemoryItem.from_dict(item.to_dict()) == item
    policy = RecallPolicy.Hybrid(1, 2)
    assert type(policy).from_dict(policy.to_dict()) == policy
    assert repr(RecallPolicy.Importance) == "RecallPolicy.Importance"


def test_a_score_explains_itself() -> None:
    """In one line, whose terms add up to the score that recall goes by."""
    clock = FakeClock()
    store = EpisodicStore(decay=DAY, recall_policy=RecallPolicy.Hybrid(0.1, 0.2), clock=clock)
    store.add_episode("a", "Ada prefers short answers.", 0.9)
    store.recall("a", 1)
    clock.advance(3600)
    (found,) = store.explain("a", "what was asked")

    assert str(found) == ("1.07 = importance 0.90 × decay 0.97 + recency 0.10 + recalled 1× 0.10")
    assert found.score == sum(term.value for term in found.terms)
    assert found.score == store.recall_for("a", "", 1)[0].score
    assert Explanation.from_dict(found.to_dict()) == found
    assert repr(Explanation("1", "a\nb " * 99, 0.0)) == f"0.00 = nothing · {'a b ' * 10}…"
    assert str(EpisodicStore().explain("a")) == "<Explanations of 0 memories>"


def test_ids_stay_apart() -> None:
    """Of a hundred stores of which each has its own, and a thousand memories of each."""
    ids = {name for _ in range(100) for name in EpisodicStore().add_many("a", [("x", 0.5)] * 1000)}
    assert len(ids) == 100_000
    assert all(len(name) == 36 and name[14] == "4" for name in ids)


def test_many_threads() -> None:
    """Nothing is lost, whoever adds, recalls and removes at the same time."""
    store = EpisodicStore(decay=DAY)

    def work(me: int) -> None:
        for i in range(200):
            name = store.add_episode("shared", f"{me} {i}", i / 200)
            store.add_episode(f"own {me}", "x", 0.5)
            store.recall("shared", 3)
            if i % 2:
                assert store.remove_by_id("shared", name)

    workers = [threading.Thread(target=work, args=(me,)) for me in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert (store.count_for("shared"), len(store)) == (800, 2400)
    assert len({item.id for item in store.items("shared")}) == 800
    assert sum(item.recall_count for item in store.items("shared")) <= 8 * 200 * 3
