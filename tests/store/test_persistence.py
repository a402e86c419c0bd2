"""Anything that keeps bytes is a store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from agentlab.core.errors import InvalidValue, NotConfigured
from agentlab.store.file import FilePersistenceBackend
from agentlab.store.memory import InMemoryPersistenceBackend
from agentlab.store.persistence import Backend, as_backend
from agentlab.store.sqlite import SqlitePersistenceBackend


class Waiting:
    """A user's backend over a dict."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def save(self, key: str, value: bytes) -> None:
        self.kept[key] = value

    async def load(self, key: str) -> bytes | None:
        return self.kept.get(key)

    async def delete(self, key: str) -> None:
        self.kept.pop(key, None)


class Blocking:
    """One that was written without a loop in mind."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def save(self, key: str, value: bytes) -> None:
        self.kept[key] = value

    def load(self, key: str) -> bytes | None:
        return self.kept.get(key)

    def delete(self, key: str) -> None:
        self.kept.pop(key, None)


class Batching(Waiting):
    """One that has its own way with many."""

    batches = 0

    async def batch_save(self, items: dict[str, bytes]) -> None:
        self.batches += 1
        self.kept.update(items)

    async def batch_load(self, keys: list[str]) -> list[bytes | None]:
        self.batches += 1
        return [self.kept.get(key) for key in keys]


@pytest.mark.parametrize("kind", [Waiting, Blocking, Batching])
def test_three_methods_are_enough(kind: type[Any]) -> None:
    """They may be async or not; batches are looped over where there is nothing better."""

    async def play() -> None:
        inner = kind()
        store = as_backend(inner)
        await store.save("a", b"1")
        await store.batch_save({"b": b"2", "c": b"3"})
        assert await store.batch_load(["c", "x", "a"]) == [b"3", None, b"1"]
        await store.delete("a")
        await store.delete("a")
        assert await store.load("a") is None
        assert list(inner.kept) == ["b", "c"]
        assert getattr(inner, "batches", 2) == 2

    asyncio.run(play())


@pytest.mark.parametrize(
    "use", [lambda s: s.keys("session:"), lambda s: s.update("k", lambda old, _now: old)]
)
def test_what_needs_more_says_so(use: Callable[[Any], Awaitable[object]]) -> None:
    """Neither is made up from what is not atomic."""

    async def play() -> None:
        with pytest.raises(NotConfigured, match=r"of Waiting' \(this needs a whole store"):
            await use(as_backend(Waiting()))

    asyncio.run(play())


def test_a_whole_store_is_itself(tmp_path: Path) -> None:
    """So is what was adapted already."""
    for store in (
        InMemoryPersistenceBackend(),
        FilePersistenceBackend(tmp_path / "files"),
        SqlitePersistenceBackend(tmp_path / "s.db"),
        Backend(Waiting()),
    ):
        assert as_backend(store) is store


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_is_a_database(kind: type[Any], tmp_path: Path) -> None:
    """What is saved is there for whoever names the path again."""

    async def play() -> None:
        await as_backend(kind(tmp_path / "runs.db")).save("k", b"v")
        assert await as_backend(kind(tmp_path / "runs.db")).load("k") == b"v"

    asyncio.run(play())
    assert (tmp_path / "runs.db").exists()


def test_what_is_no_store() -> None:
    """The error names what is missing, or what to do."""

    class Half:
        save = load = print

    with pytest.raises(InvalidValue, match="which lacks delete"):
        as_backend(Half())
    with pytest.raises(InvalidValue, match="got 7, which lacks save, load, delete"):
        as_backend(7)
    with pytest.raises(InvalidValue, match="which is a class: make one"):
        as_backend(Waiting)
    with pytest.raises(NotConfigured, match="object stores are not there yet"):
        as_backend("s3://bucket/runs")
    assert repr(as_backend(inner := Blocking())) == f"Backend({inner!r})"


@pytest.mark.parametrize("kind", [Waiting, Blocking, Batching])
def test_blocking_twins(kind: type[Any]) -> None:
    """A user's own can be asked in a cell without ``await``, within a loop too."""

    async def within() -> list[bytes | None]:
        store = Backend(kind())
        store.save_sync("a", b"1")
        store.batch_save_sync({"b": b"2"})
        store.delete_sync("a")
        return [store.load_sync("a"), *store.batch_load_sync(["b"])]

    assert asyncio.run(within()) == [None, b"2"]
