"""Memories in stores: they come back as they were, or it is said why not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.errors import (
    DamagedRecord,
    InvalidValue,
    MemoryStoreError,
    NewerFormat,
    PersistenceError,
)
from agentlab.core.lines import frame
from agentlab.display import mimebundle
from agentlab.memory.consolidation import MemoryConsolidator
from agentlab.memory.decay import DecayPolicy, EvictionPolicy, RecallPolicy
from agentlab.memory.episodic import EpisodicStore
from agentlab.memory.kept import Kept
from agentlab.memory.ltm import LtmConfig, LtmStore
from agentlab.memory.nearest import VectorMemory
from agentlab.memory.semantic import SemanticStore
from agentlab.memory.vector import SemanticMemory
from agentlab.memory.working import WorkingMemory
from agentlab.store.file import FilePersistenceBackend
from agentlab.store.memory import InMemoryPersistenceBackend
from agentlab.store.sqlite import SqlitePersistenceBackend


def episodes() -> EpisodicStore:
    """Give episodes with all there can be."""
    clock = FakeClock()
    store = EpisodicStore(
        decay=DecayPolicy.exponential(24), recall_policy=RecallPolicy.Hybrid(1, 2),
        per_agent_capacity=9, max_age_hours=999, eviction_policy=EvictionPolicy.Oldest,
        protect_newest=True, clock=clock,
    )  # fmt: skip
    store.add_episode_with_tags("a", "é", 0.1 + 0.2, ["t"])
    gone = store.add_episode("a", "gone", 0.5)
    store.add_episode_at("b", "", 0, clock.now() + timedelta(microseconds=1))
    store.add_episode("a", "later", 1)
    store.remove_by_id("a", gone)
    store.recall("a", 2)
    return store


def entries() -> WorkingMemory:
    """Give entries in an order."""
    made = WorkingMemory(3, policy="fifo")
    for key in "cab":
        made.set(key, key * 2)
    return made


def vectors() -> VectorMemory[Any]:
    """Give vectors with values of every kind that JSON knows."""
    made = VectorMemory[Any]()
    for i, value in enumerate([None, "x", 1.5, {"a": [1]}, True]):
        made.insert([1 / 3, i, 0.1], value)
    return made


def texts() -> SemanticMemory[Any]:
    """Give texts."""
    made = SemanticMemory[Any]()
    made.remember_many(["red apple", "red red car"], [1, "two"])
    return made


def facts() -> SemanticStore:
    """Give facts with and without vectors."""
    made = SemanticStore()
    made.store("a", "1", ["t"])
    made.store_with_embedding("b", "2", [], [1, 1 / 3])
    return made


def long_term() -> LtmStore:
    """Give a long-term memory that has faded."""
    made = LtmStore(LtmConfig(capacity=9, reinforce=True), clock=FakeClock())
    made.remember("the exam is on Friday", 0.1 + 0.2)
    made.remember("é \ud800", 1)
    made.recall("exam", 1)
    made.decay()
    return made


MADE: list[Callable[[], Kept]] = [episodes, entries, vectors, texts, facts, long_term]


@pytest.mark.parametrize("make", MADE)
def test_it_comes_back_as_it_was(make: Callable[[], Kept], tmp_path: Path) -> None:
    """From every store, awaited or not; saved again it is the same bytes."""
    memory = make()
    stores: list[Any] = [
        InMemoryPersistenceBackend(),
        FilePersistenceBackend(tmp_path / "files"),
        SqlitePersistenceBackend(tmp_path / "db.sqlite"),
    ]
    for store in stores:
        memory.save_sync(store, "my memory")
        again = type(memory).load_sync(store, "my memory")
        assert again.to_bytes() == memory.to_bytes()

        async def there_and_back(store: Any = store) -> Any:
            await memory.save(store, "other")
            return await type(memory).load(store, "other")

        assert asyncio.run(there_and_back()).to_bytes() == memory.to_bytes()
        store.close()


def test_episodes_go_on_where_they_were() -> None:
    """Settings, counts, ids and numbers are as they were; new ids are new."""
    store = episodes()
    clock = FakeClock()
    again = EpisodicStore.from_bytes(store.to_bytes(), clock=clock)

    assert again.items("a") == store.items("a")
    assert (again.decay, again.recall_policy) == (store.decay, store.recall_policy)
    assert (again.per_agent_capacity, again.max_age_hours) == (9, 999.0)
    assert (again.eviction_policy, again.protect_newest) == (EvictionPolicy.Oldest, True)
    one, other = again.add_episode("a", "new", 0.5), store.add_episode("a", "new", 0.5)
    assert one != other
    assert len({item.id for item in again.items("a")}) == 3
    twice = EpisodicStore.from_bytes(again.to_bytes(), clock=clock)
    assert twice.items("a") == again.items("a")
    assert all(twice.get("a", item.id) == item for item in again.items("a"))


class Plain:
    """A user's own store, which is not async."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def save(self, key: str, value: bytes) -> None:
        self.kept[key] = value

    def load(self, key: str) -> bytes | None:
        return self.kept.get(key)


def test_a_store_of_your_own() -> None:
    """Needs no more than save and load."""
    store: Any = Plain()
    entries().save_sync(store, "x")

    assert WorkingMemory.load_sync(store, "x").keys() == ["c", "a", "b"]
    odds: list[Any] = [None, "path", Plain, 5]
    for odd in odds:
        with pytest.raises(InvalidValue, match="a store has save and load, got"):
            entries().save_sync(odd, "x")


@pytest.mark.parametrize("make", MADE)
def test_what_cannot_be_read(make: Callable[[], Kept]) -> None:
    """Is told: nothing there, something else, damaged at any byte, or of the future."""
    kind, data = type(make()), make().to_bytes()
    with pytest.raises(PersistenceError, match=r"is kept under '(ltm:)?x'"):
        kind.load_sync(InMemoryPersistenceBackend(), "x")
    for place in range(0, len(data) - 1, 7):
        damaged = bytearray(data)
        damaged[place] ^= 1
        with pytest.raises(DamagedRecord, match="damaged"):
            kind.from_bytes(bytes(damaged))
    for wrong in (b"", b"{}", data[:-20]):
        with pytest.raises(DamagedRecord):
            kind.from_bytes(wrong)
    other = next(each for each in MADE if each is not make)()
    with pytest.raises(PersistenceError, match=f"this is a '{other.kind}'"):
        kind.from_bytes(other.to_bytes())
    with pytest.raises(NewerFormat, match="update agentlab"):
        kind.from_bytes(frame(b'{"kind":"%b","format":2,"state":0}' % kind.kind.encode()))
    for state in (b"0", b"{}", b'{"agents":{"a":{}}}', b"[]"):
        whole = frame(b'{"kind":"%b","format":1,"state":%b}' % (kind.kind.encode(), state))
        with pytest.raises(PersistenceError, match="cannot be read"):
            kind.from_bytes(whole)
    for odd in (b"[1]", b'{"kind":' + b"[" * 99_999 + b"]" * 99_999 + b"}"):
        with pytest.raises(PersistenceError, match="this is no"):
            kind.from_bytes(frame(odd))


@pytest.mark.parametrize("value", [object(), (1, 2), float("nan"), "\ud800", {1: 2}])
def test_what_cannot_be_written(value: Any) -> None:
    """Values that JSON would change are refused, and what was saved stays."""
    store = InMemoryPersistenceBackend()
    memory, other = vectors(), texts()
    memory.save_sync(store, "x")
    before = store.load_sync("x")
    memory.insert([1, 2, 3], value)
    other.remember("odd", value)

    for each in (memory, other):
        with pytest.raises(MemoryStoreError, match="only what JSON holds can be saved, got"):
            each.save_sync(store, "x")
    assert store.load_sync("x") == before


def test_keys_are_not_written() -> None:
    """A text that holds one comes back without it; the memory itself still has it."""
    store = EpisodicStore()
    store.add_episode("a", "the key is sk-abcdefghijklmnopqrstuvwx", 0.5)
    data = store.to_bytes()

    assert b"sk-abc" not in data
    assert "sk-abc" in store.items("a")[0].content
    assert EpisodicStore.from_bytes(data).items("a")[0].content == "the key is ***"


def test_words_that_only_keys_have_are_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor in lower case, as a bag has them; all else is found as before."""
    monkeypatch.setenv("CAVE_API_KEY", "Canary-Garden-7F3A9B1C5D2E")
    memory = SemanticMemory[int]()
    memory.remember_many(["the key is Canary-Garden-7F3A9B1C5D2E", "a walk in the garden"], [1, 2])
    data = memory.to_bytes()
    again = SemanticMemory[int].from_bytes(data)

    assert b"canary" not in data.lower()
    assert b"7f3a9b1c5d2e" not in data.lower()
    assert [value for _, value in again.recall_similar("garden walk", 1)] == [2]
    assert again.recall_similar("canary", 2, min_score=0.01) == []
    assert again.to_bytes() == data


def test_words_that_only_keys_have_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by what takes a score apart, nor by what names a cluster."""
    monkeypatch.setenv("CAVE_API_KEY", "Canary-Garden-7F3A9B1C5D2E")
    memory, store = SemanticMemory[int](), EpisodicStore(clock=FakeClock())
    for i in range(3):
        memory.remember("the key is Canary-Garden-7F3A9B1C5D2E", i)
        store.add_episode("a", "Canary-Garden-7F3A9B1C5D2E", 0.5)
    done = MemoryConsolidator(store).consolidate_sync()
    told = memory.explain("key Canary-Garden-7F3A9B1C5D2E")

    assert [term.text[:3] for term in told[0].terms] == ["key", "***", "***", "***"]
    assert done.clusters[0].words == ("***", "***", "***")
    for thing in (told, done):
        assert "canary" not in "".join(mimebundle(thing).values()).lower()
