"""The three stores keep the whole contract, and what they share beyond it."""

from __future__ import annotations

import asyncio
import inspect
import os
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from agentlab.core.clock import FakeClock
from agentlab.core.errors import InvalidValue
from agentlab.core.protocols import Store
from agentlab.core.sync import portal
from agentlab.store.base import Shelf
from agentlab.store.file import FilePersistenceBackend
from agentlab.store.memory import InMemoryPersistenceBackend
from agentlab.store.sqlite import SqlitePersistenceBackend
from tests.store.contract import BatchContract, add_one

NAMES = ("load", "save", "delete", "keys", "update", "batch_save", "batch_load", "version", "rows")


class ShelfContract(BatchContract):
    """What our own stores promise beside the contract."""

    def test_it_is_a_store(self, store: Shelf) -> None:
        """A type checker and a reader find the contract's methods, awaited and blocking."""
        kept: Store = store

        for name in NAMES:
            later, now = getattr(kept, name), getattr(kept, f"{name}_sync")
            assert inspect.iscoroutinefunction(later)
            assert inspect.signature(later) == inspect.signature(now)
            assert (later.__name__, now.__name__) == (name, f"{name}_sync")
            assert later.__doc__ == now.__doc__
            assert later.__doc__

    def test_blocking(self, store: Shelf) -> None:
        """The blocking twins do the same, without a loop and within one."""

        def steps() -> None:
            store.save_sync("k", b"v")
            store.batch_save_sync([("a", b"1"), ("b", bytearray(b"2")), ("a", memoryview(b"3"))])
            assert store.load_sync("k") == b"v"
            assert store.batch_load_sync(["b", "a"]) == [b"2", b"3"]
            assert store.keys_sync("k") == ["k"]
            assert store.update_sync("n", add_one) == b"1"
            assert [row.key for row in store.rows_sync()] == ["a", "b", "k", "n"]
            assert store.stats_sync().count == 4
            for key in store.keys_sync():
                store.delete_sync(key)
            assert store.keys_sync() == []

        async def within() -> None:
            steps()

        steps()
        asyncio.run(within())
        portal().call(within)

    def test_versions(self, tmp_path: Path) -> None:
        """A row tells how often it was saved, and when last, by the clock that was given."""
        store = self.make(tmp_path, clock := FakeClock())

        store.save_sync("k", b"one")
        clock.advance(60)
        store.update_sync("k", lambda old, now: (old or b"") + now.strftime("%M").encode())
        store.batch_save_sync({"k": b"three", "j": b""})
        assert (store.version_sync("k"), store.version_sync("missing")) == (3, 0)
        row = store.rows_sync("k")[0]

        assert (row.key, row.bytes, row.version) == ("k", 5, 3)
        assert row.saved_at == FakeClock().now() + timedelta(seconds=60)
        assert store.listing() == store.rows_sync()
        assert [row.key for row in store.listing(1)] == ["j"]
        store.delete_sync("k")
        store.save_sync("k", b"again")
        assert store.version_sync("k") == 1

    def make(self, folder: Path, clock: Any = None) -> Shelf:
        """Give one with this clock."""
        raise NotImplementedError

    @pytest.mark.parametrize("value", ["text", None, 3, [1]])
    def test_no_bytes(self, store: Shelf, value: Any) -> None:
        """What is not bytes is refused, by a change's result too, and nothing is kept."""
        with pytest.raises(InvalidValue, match="a store keeps bytes"):
            store.save_sync("k", value)
        with pytest.raises(InvalidValue, match="a store keeps bytes"):
            store.batch_save_sync({"a": b"1", "k": value})
        if value is not None:
            with pytest.raises(InvalidValue, match="a store keeps bytes"):
                store.update_sync("k", lambda *_: value)
        assert store.keys_sync() == []

    def test_what_can_never_be_right(self, store: Shelf) -> None:
        """What is easily mistaken for several keys, pairs or a change is refused by its name."""
        with pytest.raises(InvalidValue, match="keys must be several, got 'abc'"):
            store.batch_load_sync("abc")
        with pytest.raises(InvalidValue, match=r"items must be .*, got 'ab'"):
            store.batch_save_sync(["ab"])  # type: ignore[list-item]
        with pytest.raises(InvalidValue, match=r"change must be a function .*, got b'new'"):
            store.update_sync("k", b"new")  # type: ignore[arg-type]
        assert store.keys_sync() == []

    def test_a_change_that_uses_the_store(self, store: Shelf) -> None:
        """A change that would wait for itself is told so."""
        uses: list[Callable[..., Any]] = [
            lambda *_: store.load_sync("other"),
            lambda *_: store.update_sync("other", add_one),
            lambda *_: store.save_sync("k", b"v"),
        ]
        for use in uses:
            with pytest.raises(InvalidValue, match="must not use the store it changes"):
                store.update_sync("k", use)

        store.save_sync("k", b"v")
        assert store.load_sync("k") == b"v"

    def test_a_cancelled_save_is_not_late(self, store: Shelf) -> None:
        """A save that was given up never overwrites what is saved after it."""

        async def steps() -> None:
            for number in range(50):
                old = [asyncio.ensure_future(store.save("k", b"old")) for _ in range(8)]
                await asyncio.sleep(0.0003 * (number % 5))
                for task in old:
                    task.cancel()
                await asyncio.gather(*old, return_exceptions=True)
                await store.save("k", b"new")
                await asyncio.sleep(0.002)
                assert await store.load("k") == b"new"

        asyncio.run(steps())

    def test_a_cancelled_save_does_not_undo_a_delete(self, tmp_path: Path) -> None:
        """A first save that was given up does not bring back what is deleted after it."""

        async def steps() -> None:
            for number in range(40):
                store = self.make(tmp_path / str(number))
                task = asyncio.ensure_future(store.save("k", b"old"))
                await asyncio.sleep(0.0002 * (number % 10))
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                await store.delete("k")
                await asyncio.sleep(0.003)
                assert await store.load("k") is None

        asyncio.run(steps())

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
    def test_fork(self, store: Shelf) -> None:
        """A forked process goes on with the store, and does its parent no harm."""
        store.update_sync("n", add_one)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads
            child = os.fork()
        if not child:  # pragma: no cover - in the child
            ok = asyncio.run(store.update("n", add_one)) == b"2"
            os._exit(0 if ok else 1)

        assert os.waitpid(child, 0)[1] == 0
        assert store.update_sync("n", add_one) == (b"2" if store.quick else b"3")

    def test_closing(self, store: Shelf) -> None:
        """A store that was closed opens again."""
        store.close()
        store.save_sync("k", b"v")
        store.close()
        store.close()

        assert store.load_sync("k") == b"v"

    def test_like_a_dict(self) -> None:
        """Whatever is done, a store holds what a dict would hold."""
        run_state_machine_as_test(
            type("Machine", (Machine,), {"make": staticmethod(self.make)}),
            settings=settings(
                max_examples=25,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


KEYS = st.sampled_from(["a", "A", "a/b", "a_b", "\0", "..", "CON", "a%", "\u00e9" * 90]) | st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8
)
VALUES = st.binary(max_size=40)


class Machine(RuleBasedStateMachine):
    """Plays a store against a dict."""

    make: Callable[[Path], Shelf]
    known = Bundle("known")

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.store, self.like = self.make(Path(self.folder.name)), dict[str, bytes]()

    @rule(target=known, key=KEYS, value=VALUES)
    def save(self, key: str, value: bytes) -> str:
        self.store.save_sync(key, value)
        self.like[key] = value
        return key

    @rule(key=known | KEYS)
    def load(self, key: str) -> None:
        assert self.store.load_sync(key) == self.like.get(key)

    @rule(key=known | KEYS)
    def delete(self, key: str) -> None:
        self.store.delete_sync(key)
        self.like.pop(key, None)

    @rule(key=known | KEYS, more=VALUES, gone=st.booleans())
    def update(self, key: str, more: bytes, gone: bool) -> None:  # noqa: FBT001 - drawn
        new = None if gone else self.like.get(key, b"") + more
        assert self.store.update_sync(key, lambda *_: new) == new
        self.like.pop(key, None)
        if new is not None:
            self.like[key] = new

    @rule(items=st.dictionaries(KEYS, VALUES, max_size=4))
    def batch(self, items: dict[str, bytes]) -> None:
        self.store.batch_save_sync(items)
        self.like |= items
        assert self.store.batch_load_sync(items) == list(items.values())

    @rule(prefix=st.just("") | KEYS)
    def keys(self, prefix: str) -> None:
        assert self.store.keys_sync(prefix) == sorted(
            key for key in self.like if key.startswith(prefix)
        )

    @rule()
    def reopen(self) -> None:
        self.store.close()
        if not self.store.quick:
            self.store = self.make(Path(self.folder.name))

    @invariant()
    def sizes(self) -> None:
        if hasattr(self, "store"):
            found = {row.key: row.bytes for row in self.store.rows_sync()}
            assert found == {key: len(value) for key, value in self.like.items()}

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


class TestInMemory(ShelfContract):
    """The store of a dict."""

    def make(self, folder: Path, clock: Any = None) -> Shelf:  # noqa: ARG002 - it has none
        return InMemoryPersistenceBackend(**({"clock": clock} if clock else {}))


class DiskContract(ShelfContract):
    """What those promise that work in threads."""

    def test_a_slow_change_freezes_no_loop(self, store: Shelf) -> None:
        """While a thread's change takes its time, the same key's update waits elsewhere."""
        begun, go_on = threading.Event(), threading.Event()

        def slowly(old: bytes | None, _now: object) -> bytes:
            begun.set()
            go_on.wait(10)
            return (old or b"") + b"1"

        async def steps() -> bytes | None:
            first = asyncio.ensure_future(store.update("k", slowly))
            await asyncio.to_thread(begun.wait, 10)
            second = asyncio.ensure_future(store.update("k", lambda old, _: (old or b"") + b"2"))
            ticks = time.monotonic()
            await asyncio.sleep(0.02)
            assert time.monotonic() - ticks < 2
            go_on.set()
            await first
            return await second

        assert asyncio.run(steps()) == b"12"

    def test_those_who_left_change_nothing(self, store: Shelf) -> None:
        """A cancelled update writes nothing after its change, nor a save that waited for it."""
        begun, go_on = threading.Event(), threading.Event()

        def slowly(_old: bytes | None, _now: object) -> bytes:
            begun.set()
            go_on.wait(10)
            return b"late"

        async def steps() -> None:
            tasks = [asyncio.ensure_future(store.update("k", slowly))]
            await asyncio.to_thread(begun.wait, 10)
            tasks.append(asyncio.ensure_future(store.save("k", b"later")))
            await asyncio.sleep(0.05)  # it waits in its thread
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            go_on.set()
            await asyncio.sleep(0.1)
            assert await store.load("k") is None
            assert await store.rows() == []

        asyncio.run(steps())


class TestFile(DiskContract):
    """The store of plain files."""

    def make(self, folder: Path, clock: Any = None) -> Shelf:
        return FilePersistenceBackend(folder / "kept", **({"clock": clock} if clock else {}))


class TestSqlite(DiskContract):
    """The store of one SQLite file."""

    def make(self, folder: Path, clock: Any = None) -> Shelf:
        return SqlitePersistenceBackend(
            folder / "kept.sqlite", **({"clock": clock} if clock else {})
        )


def test_repr() -> None:
    """A store says in a line what it is and where."""
    assert repr(InMemoryPersistenceBackend()) == "<InMemoryPersistenceBackend 0 keys>"
    assert repr(FilePersistenceBackend("/tmp/x")) == "<FilePersistenceBackend '/tmp/x'>"  # noqa: S108
    assert repr(SqlitePersistenceBackend("/tmp/x.db")) == "<SqlitePersistenceBackend '/tmp/x.db'>"  # noqa: S108
