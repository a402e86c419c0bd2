"""A memory for long fades, forgets, and grows together, when it is told to."""

from __future__ import annotations

import asyncio
import math
import pickle
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.errors import InvalidValue, PersistenceError
from agentlab.core.lines import frame, unframe
from agentlab.memory.ltm import ForgettingCurve, LtmConfig, LtmEntry, LtmStore
from agentlab.store.file import FilePersistenceBackend
from agentlab.store.memory import InMemoryPersistenceBackend
from agentlab.store.sqlite import SqlitePersistenceBackend
from tests.memory.shelves import said_by

RUST = "Rust ownership rules prevent data races"
DAY = 86_400


def store(**config: Any) -> tuple[LtmStore, FakeClock]:
    """Give a memory and its clock."""
    clock = FakeClock()
    return LtmStore(LtmConfig(**config), clock=clock), clock


def test_w17_1() -> None:
    """What shares words is recalled, by the cosine of words times the importance."""
    ltm, _ = store(capacity=1000)

    assert ltm.remember(RUST, 0.9) == 1
    (hit,) = ltm.recall("ownership memory safety", 5)
    assert hit.content == RUST
    assert hit.score == pytest.approx(0.212132, abs=1e-6)
    assert hit.score == pytest.approx(0.235702 * 0.9, abs=1e-6)


def test_w17_2() -> None:
    """Retention is whole at first, and 37 % after as many days as it is stable."""
    curve = ForgettingCurve.Ebbinghaus(30)

    assert curve.retention(0) == 1
    assert curve.retention(30) == pytest.approx(0.367879, abs=1e-6)
    assert curve.retention(-5) == 1


def test_w17_3() -> None:
    """What is nearly the same becomes one, longer, of the mean importance."""
    ltm, _ = store()
    ltm.remember("the quick brown fox", 0.8)
    ltm.remember("the quick brown fox jumps", 0.6)
    merges = ltm.consolidate()

    (entry,) = ltm.entries()
    assert entry.content == "the quick brown fox jumps"
    assert entry.importance == pytest.approx(0.7)
    assert entry.decayed_importance == pytest.approx(0.7)
    assert entry.merged_ids == (2,)
    assert (merges.before, merges.after, len(merges)) == (2, 1, 1)


def test_w17_4() -> None:
    """What matters too little is forgotten at the next decay."""
    ltm, _ = store(min_importance=0.5)
    ltm.remember("hardly anything", 0.01)
    ltm.remember("just enough", 0.5)

    assert [entry.id for entry in ltm.decay()] == [1]
    assert [entry.id for entry in ltm.entries()] == [2]


def test_w17_5() -> None:
    """What was important has faded below the least after three months."""
    ltm, clock = store()
    ltm.remember("important", 0.9)
    clock.advance(90 * DAY)
    (gone,) = ltm.decay()

    assert gone.decayed_importance == pytest.approx(0.044808, abs=1e-6)
    assert len(ltm) == 0


def test_defaults_are_those_of_the_reference() -> None:
    """All five of them; ids are counted from 1."""
    assert LtmConfig() == LtmConfig(10_000, 0.05, 30.0, 24, False)  # noqa: FBT003
    ltm = LtmStore()
    assert [ltm.remember("a thing", 1), ltm.remember("another", 1)] == [1, 2]


def test_the_weakest_makes_room() -> None:
    """By what it had faded to, before the new one comes in."""
    ltm, clock = store(capacity=2)
    ltm.remember("old and strong", 0.9)
    clock.advance(80 * DAY)
    ltm.decay()
    ltm.remember("new and weak", 0.3)
    ltm.remember("newest", 0.01)

    assert [entry.id for entry in ltm.entries()] == [2, 3]
    assert ltm.recall("strong", 5) == []


def test_of_equally_weak_ones_the_last_in_rank_goes() -> None:
    """The lower id ranks higher at the same moment, so it stays."""
    ltm, _ = store(capacity=2)
    for word in ("first", "second", "third"):
        ltm.remember(word, 0.5)

    assert [entry.content for entry in ltm.entries()] == ["first", "third"]


def test_retention_counts_once() -> None:
    """A recall after a decay weighs the age once, not twice."""
    ltm, clock = store()
    ltm.remember("a lonely word", 1.0)
    clock.advance(30 * DAY)
    ltm.decay()
    ltm.decay()

    assert ltm.recall("lonely", 1)[0].score == pytest.approx(math.exp(-1) / math.sqrt(2))


def test_no_shared_word_is_no_hit() -> None:
    """It is not given, and its counters do not move."""
    ltm, clock = store()
    ltm.remember("apples and pears", 0.9)
    clock.advance(60)

    assert ltm.recall("submarines", 5) == []
    assert ltm.recall("!?", 5) == []
    assert ltm.recall("apples", 0) == []
    assert ltm.get(1) == LtmEntry(1, "apples and pears", 0.9, 0, ltm.entries()[0].created_at,
                                  ltm.entries()[0].last_accessed, 0.9)  # fmt: skip


def test_a_recall_is_counted() -> None:
    """For what it gives alone; and the time is kept."""
    ltm, clock = store()
    for word in ("red apple", "green apple", "grey stone"):
        ltm.remember(word, 0.5)
    clock.advance(60)
    hits = ltm.recall("apple", 1)
    ltm.recall("apple", 1)

    assert [hit.access_count for hit in hits] == [1]
    assert [entry.access_count for entry in ltm.entries()] == [2, 0, 0]
    assert ltm.entries()[0].last_accessed - ltm.entries()[0].created_at == 60
    assert ltm.entries()[0].score is None


def test_equals_have_an_order() -> None:
    """The more important first, then the newer, then the lower id."""
    ltm, clock = store()
    ltm.remember("apple", 0.5)
    ltm.remember("apple", 0.5)
    clock.advance(0.001)
    ltm.remember("apple", 0.5)
    ids = [hit.id for hit in ltm.recall("apple", 9)]

    assert ids == [3, 1, 2]


def test_reinforcing_recalls() -> None:
    """What was recalled fades from that day on, where that is asked for."""
    for reinforce, left in ((True, 1.0), (False, math.exp(-1))):
        ltm, clock = store(reinforce=reinforce)
        ltm.remember("a word", 1.0)
        clock.advance(30 * DAY)
        ltm.recall("word", 1)

        assert ltm.rows()[0].strength == pytest.approx(left)


def test_recall_for_an_agent() -> None:
    """It is a memory as a run wants one; best first."""
    ltm, _ = store()
    ltm.remember("red apple", 0.5)
    ltm.remember("apple", 0.5)
    hits = ltm.recall_for("ada", "An apple?", 5)

    assert [(hit.id, hit.text, hit.source) for hit in hits] == [
        ("2", "apple", "ltm"), ("1", "red apple", "ltm"),
    ]  # fmt: skip


def test_three_merge_into_the_mean_of_three() -> None:
    """Whatever their order; days, recalls and ids go along; a second pass finds nothing."""
    ltm, clock = store()
    for text, importance in (
        ("one two three four five six", 0.9),
        ("one two three four five six seven", 0.6),
        ("one two three four five six", 0.3),
        ("nothing of the kind", 0.2),
    ):
        ltm.remember(text, importance)
        clock.advance(60)
    ltm.recall("seven", 1)
    ltm.consolidate()
    first, other = ltm.entries()

    assert first.importance == pytest.approx(0.6)
    assert first.merged_ids == (2, 3)
    assert first.access_count == 1
    assert first.created_at - other.created_at == -60
    assert first.content.endswith("seven")
    assert other.id == 4
    assert ltm.consolidate() == []
    assert ltm.recall("seven", 1)[0].id == 1


def test_members_of_an_earlier_merge_count() -> None:
    """The mean is over all that was ever merged."""
    ltm, _ = store()
    for importance in (1.0, 0.0):
        ltm.remember("the same words here", importance)
    ltm.consolidate()
    ltm.remember("the same words here", 0.8)
    ltm.consolidate()

    assert ltm.entries()[0].importance == pytest.approx(0.6)
    assert ltm.entries()[0].merged_ids == (2, 3)


def test_decay_if_due() -> None:
    """Once an interval, and not before the first one is over."""
    ltm, clock = store(decay_interval_hours=1)
    ltm.remember("faint", 0.01)

    assert ltm.decay_if_due() is None
    clock.advance(3600)
    forgotten = ltm.decay_if_due()
    assert forgotten is not None
    assert [entry.content for entry in forgotten] == ["faint"]
    assert ltm.decay_if_due() is None
    assert len(ltm) == 0


def test_the_background_task_decays_and_ends() -> None:
    """Whenever it is due; when it is cancelled nothing of it is left."""
    ltm, clock = store(decay_interval_hours=1)
    ltm.remember("faint", 0.01)

    async def play() -> int:
        before = len(asyncio.all_tasks())
        task = ltm.start_background()
        while clock.monotonic() < 10 * 3600:  # noqa: ASYNC110 - a fake clock wakes nobody
            await asyncio.sleep(0)
        task.cancel()
        while len(asyncio.all_tasks()) > before:  # noqa: ASYNC110 - the end of a task, likewise
            await asyncio.sleep(0)
        assert task.cancelled()
        return len(ltm)

    assert asyncio.run(play()) == 0


def test_the_background_task_runs_without_a_loop() -> None:
    """Then it is agentlab's own."""

    class Waiting(FakeClock):
        slept: Future[float] = Future()

        async def sleep(self, seconds: float, /) -> None:
            self.slept.set_result(seconds)
            await asyncio.sleep(60)

    clock = Waiting()
    task = LtmStore(clock=clock).start_background()

    assert clock.slept.result(10) == 24 * 3600
    assert task.cancel()


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: InMemoryPersistenceBackend(),  # noqa: ARG005
        FilePersistenceBackend,
        lambda folder: SqlitePersistenceBackend(folder / "s.sqlite"),
    ],
)
def test_saved_and_loaded(make: Callable[[Path], Any], tmp_path: Path) -> None:
    """All of it, to the bit, the next id and the settings too."""
    ltm, clock = store(capacity=3, reinforce=True)
    for i in range(5):
        ltm.remember(f"thing number {i} é", 0.1 * i)
        clock.advance(DAY)
    ltm.recall("thing", 2)
    ltm.consolidate()
    shelf = make(tmp_path)
    ltm.save_sync(shelf, "diary")
    again = LtmStore.load_sync(shelf, "diary", clock=clock)

    assert again.entries() == ltm.entries()
    assert again.config == ltm.config
    assert again.rows() == ltm.rows()
    assert again.recall("thing", 9) == ltm.recall("thing", 9)
    assert again.remember("next", 1) == ltm.remember("next", 1)
    assert again.entries() == ltm.entries()
    assert shelf.keys_sync() == ["ltm:diary"]


def test_a_plain_backend_will_do() -> None:
    """One whose methods are not even async."""

    class Plain(dict[str, bytes]):
        def save(self, key: str, value: bytes) -> None:
            self[key] = value

        def load(self, key: str) -> bytes | None:
            return self.get(key)

    plain, (ltm, _) = Plain(), store()
    shelf: Any = plain
    ltm.remember("a thing", 1)
    ltm.save_sync(shelf)

    assert len(LtmStore.load_sync(shelf)) == 1
    assert list(plain) == ["ltm:default"]


def test_what_is_not_there() -> None:
    """Is named by its key."""
    shelf = InMemoryPersistenceBackend()

    with pytest.raises(PersistenceError, match=r"no .* long-term memory is kept under 'ltm:x'"):
        LtmStore.load_sync(shelf, "x")
    with pytest.raises(InvalidValue, match="a store has save and load, got 'a path'"):
        LtmStore().save_sync("a path")  # type: ignore[arg-type]


def test_stored_entries_are_checked() -> None:
    """One that cannot be is refused whole, not shown as something."""
    shelf, (ltm, _) = InMemoryPersistenceBackend(), store()
    ltm.remember("a thing", 0.5)
    ltm.save_sync(shelf)
    good = unframe((shelf.load_sync("ltm:default") or b"").removesuffix(b"\n"))
    assert good is not None
    for old, new in (
        (b'"importance":0.5', b'"importance":7'),
        (b'"next_id":2', b'"next_id":1'),
        (b'"created_at":', b'"created_at":1e300,"x":'),
    ):
        assert old in good
        shelf.save_sync("ltm:default", frame(good.replace(old, new)))
        with pytest.raises(PersistenceError, match="long-term memory cannot be read"):
            LtmStore.load_sync(shelf)


@pytest.mark.filterwarnings("ignore:a key was about to be recorded")
def test_keys_are_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """What looks like one is three stars in the store; the memory at hand is as it was."""
    monkeypatch.setenv("CAVE_API_KEY", "canary-7f3a9b1c5d2e")
    shelf, (ltm, _) = InMemoryPersistenceBackend(), store()
    ltm.remember("the key is canary-7f3a9b1c5d2e", 1)
    ltm.save_sync(shelf)
    data = shelf.load_sync("ltm:default")

    assert data is not None
    assert b"canary" not in data
    assert "canary" in ltm.entries()[0].content


@pytest.mark.parametrize("importance", [math.nan, math.inf, -math.inf, None, "1", True])
def test_importance_is_a_number(importance: Any) -> None:
    """Anything else is refused with its value, and nothing is lost or made."""
    ltm, _ = store(capacity=1)
    ltm.remember("kept", 0.5)

    with pytest.raises(InvalidValue, match="importance must be a finite number, got"):
        ltm.remember("x", importance)
    assert [entry.content for entry in ltm.entries()] == ["kept"]


def test_importance_is_clamped() -> None:
    """Beyond 0 to 1 it is the nearer of the two."""
    ltm, _ = store()
    ltm.remember("a", 7)
    ltm.remember("b", -3)

    assert [entry.importance for entry in ltm.entries()] == [1.0, 0.0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: LtmConfig(capacity=0),
        lambda: LtmConfig(stability_days=0),
        lambda: LtmConfig(stability_days=math.nan),
        lambda: LtmConfig(min_importance=2),
        lambda: LtmConfig(decay_interval_hours=-1),
        lambda: ForgettingCurve.Ebbinghaus(0),
        lambda: ForgettingCurve.Ebbinghaus(1).retention(math.nan),
        lambda: LtmStore("config"),  # type: ignore[arg-type]
        lambda: LtmStore().remember(3, 1),  # type: ignore[arg-type]
        lambda: LtmStore().recall(None, 1),  # type: ignore[arg-type]
        lambda: LtmStore().recall("x", -1),
    ],
)
def test_what_can_never_be_right(make: Callable[[], object]) -> None:
    """Raises, and names the value."""
    with pytest.raises(InvalidValue, match="got "):
        make()


def test_odd_texts() -> None:
    """A megabyte, lone surrogates, nothing at all: kept, found, saved."""
    ltm, _ = store()
    shelf = InMemoryPersistenceBackend()
    for text in ("word " * 200_000, "lone \ud800 surrogate", "", "🦀 crab", "İstanbul"):
        ltm.remember(text, 0.5)
    ltm.consolidate()
    ltm.save_sync(shelf)

    assert LtmStore.load_sync(shelf).entries() == ltm.entries()
    assert [hit.id for hit in ltm.recall("surrogate", 5)] == [2]
    assert [hit.id for hit in ltm.recall("word crab", 5)] == [1, 4]
    assert len(repr(ltm)) < 80


def test_forget() -> None:
    """One can be dropped by hand, once."""
    ltm, _ = store()
    ltm.remember("a secret", 1)

    assert ltm.forget(1)
    assert not ltm.forget(1)
    assert ltm.recall("secret", 5) == []
    assert ltm.get(1) is None


SCRIPT = """
from agentlab.core.clock import FakeClock
from agentlab.datasets import diary
from agentlab.memory.ltm import LtmStore
clock = FakeClock()
ltm = LtmStore(clock=clock)
for entry in diary():
    ltm.remember(entry.text, entry.importance)
    clock.advance(3600)
merges = ltm.consolidate()
hits = ltm.recall("ran along the harbour wall with the cello", 50)
ltm.decay()
print(ltm.to_bytes(), [(hit.id, hit.score) for hit in hits], list(merges))
"""


def test_the_same_history_gives_the_same_bytes() -> None:
    """In processes whose hashes differ."""
    said = {said_by(SCRIPT, seed) for seed in ("1", "2")}

    assert len(said) == 1
    assert len(said.pop()) > 50_000


def test_rows_say_when() -> None:
    """As moments in UTC, beside what is left."""
    ltm, clock = store()
    ltm.remember("a", 0.5)
    clock.advance(15 * DAY)
    (row,) = ltm.rows()

    assert row.created_at == datetime(2030, 1, 1, tzinfo=UTC)
    assert row.age_days == 15
    assert row.strength == pytest.approx(0.5 * math.exp(-0.5))


def test_a_clock_set_back() -> None:
    """What was made after now has no age, and is as strong as it was."""
    ltm, clock = store()
    ltm.remember("from tomorrow", 0.5)
    clock.advance(-DAY)

    assert (ltm.rows()[0].age_days, ltm.rows()[0].strength) == (0, 0.5)
    assert ltm.decay() == []


def test_a_curve_is_a_value() -> None:
    """Equal ones are equal, and one can be sent elsewhere."""
    curve = ForgettingCurve.Ebbinghaus(3)

    assert pickle.loads(pickle.dumps(curve)) == curve  # noqa: S301 - our own
