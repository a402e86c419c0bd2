"""What every store promises, to inherit for a store of your own.

    class TestMyStore(StoreContract):
        def make(self, folder: Path) -> Store:
            return MyStore(folder)

``KeepContract`` is for what keeps, loads and deletes; ``StoreContract`` also lists and updates.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agentlab.core.errors import AgentLabError

ODD_KEYS = [
    "a/b", "a_b", "../../x", "/etc/passwd", "C:\\x", "nul\0byte", "CON", "con", "COM1.txt", ".",
    "..", ".hidden", " ", "x" * 5000, "x" * 4999 + "y", "\u00e9" * 200, "\U0001f600" * 90, "A", "a",
    "new\nline", "*?%_[a]", "\u202etxt.exe", "trailing.", "session:1:step:2", "-rf",
]  # fmt: skip


def add_one(old: bytes | None, now: datetime) -> bytes:
    """Count."""
    assert now.tzinfo is not None
    return str(int(old or b"0") + 1).encode()


class KeepContract:
    """Bytes by key: saved, loaded, deleted."""

    def make(self, folder: Path) -> Any:
        """Give a store that is empty."""
        raise NotImplementedError

    @pytest.fixture
    def store(self, tmp_path: Path) -> Any:
        """Give the one that is tested."""
        return self.make(tmp_path)

    def test_w28_1(self, store: Any) -> None:
        """What is saved is loaded, until it is deleted; what is missing is None."""

        async def steps() -> list[bytes | None]:
            before = await store.load("k")
            await store.save("k", b"one")
            saved = await store.load("k")
            await store.save("k", b"two")
            again = await store.load("k")
            await store.delete("k")
            return [before, saved, again, await store.load("k")]

        assert asyncio.run(steps()) == [None, b"one", b"two", None]

    def test_w28_2(self, store: Any) -> None:
        """Keys that look alike in a file name are two keys."""

        async def steps() -> list[bytes | None]:
            await store.save("a/b", b"slash")
            await store.save("a_b", b"line")
            await store.delete("a_b")
            return [await store.load("a/b"), await store.load("a_b")]

        assert asyncio.run(steps()) == [b"slash", None]

    def test_w28_3(self, tmp_path: Path) -> None:
        """A key that would climb out of the folder stays inside."""
        inside = tmp_path / "a" / "b"
        inside.mkdir(parents=True)
        store = self.make(inside)

        for up in ("../x", "../../x", "../../../x"):
            asyncio.run(store.save(up, b"in"))
            assert asyncio.run(store.load(up)) == b"in"

        assert [*tmp_path.iterdir()] == [tmp_path / "a"]
        assert [*(tmp_path / "a").iterdir()] == [inside]

    def test_deleting_twice(self, store: Any) -> None:
        """To delete what is not there is no error."""

        async def steps() -> None:
            await store.delete("never")
            await store.save("k", b"v")
            await store.delete("k")
            await store.delete("k")

        asyncio.run(steps())

    @pytest.mark.parametrize(
        "value",
        [b"", b"\0", bytes(range(256)) * 3, b'{"sum":"\n\n', b"x" * 10_000_000],
        ids=["empty", "nul", "binary", "like a head", "10 MB"],
    )
    def test_any_bytes(self, store: Any, value: bytes) -> None:
        """A value comes back as it was, whatever it holds and however large it is."""

        async def steps() -> bytes | None:
            await store.save("k", value)
            found: bytes | None = await store.load("k")
            return found

        assert asyncio.run(steps()) == value

    def test_odd_keys(self, store: Any) -> None:
        """Any text is a key of its own."""

        async def steps() -> list[bytes | None]:
            for key in ODD_KEYS:
                await store.save(key, key.encode())
            return [await store.load(key) for key in ODD_KEYS]

        assert asyncio.run(steps()) == [key.encode() for key in ODD_KEYS]

    @pytest.mark.parametrize("key", ["", "\ud800", "x" * 1_000_000, None, 3])
    def test_no_key(self, store: Any, key: Any) -> None:
        """What can be no key is refused, and nothing is kept."""
        with pytest.raises(AgentLabError):
            asyncio.run(store.save(key, b"v"))

    def test_two_loops(self, store: Any) -> None:
        """Two loops use a store in turn, and at once."""
        for value in (b"1", b"2", b"3"):
            asyncio.run(store.save("k", value))
            assert asyncio.run(store.load("k")) == value

        def busy(name: str) -> Callable[[], None]:
            async def steps() -> None:
                for number in range(20):
                    await store.save(name, b"%d" % number)
                    assert await store.load(name) == b"%d" % number

            return lambda: asyncio.run(steps())

        in_threads([busy(name) for name in "abcd"])


class StoreContract(KeepContract):
    """Lists its keys, and has the one atomic step."""

    def test_keys(self, store: Any) -> None:
        """Keys are listed sorted, and by prefix, in which no character is special."""
        keys = ["b", "a:2", "a:10", "a%b", "a_b", "aXb", "a", "A", "\u00e9", "a\\b", "a*"]

        async def steps() -> dict[str, list[str]]:
            for key in keys:
                await store.save(key, b"v")
            prefixes = ["", "a", "a:", "a%", "a_", "a*", "a\\", "\u00e9", "zz"]
            return {prefix: await store.keys(prefix) for prefix in prefixes}

        listed = asyncio.run(steps())
        assert listed == {
            prefix: sorted(key for key in keys if key.startswith(prefix)) for prefix in listed
        }

    def test_odd_keys_are_listed(self, store: Any) -> None:
        """Every key is listed as it was given."""

        async def steps() -> list[str]:
            for key in ODD_KEYS:
                await store.save(key, b"v")
            await store.delete("CON")
            listed: list[str] = await store.keys()
            return listed

        assert asyncio.run(steps()) == sorted(set(ODD_KEYS) - {"CON"})

    def test_update(self, store: Any) -> None:
        """An update sees the old value and the store's time, and gives the new one."""
        seen: list[tuple[bytes | None, datetime]] = []

        def note(old: bytes | None, now: datetime) -> bytes:
            seen.append((old, now))
            return b"new"

        async def steps() -> bytes | None:
            assert await store.update("k", note) == b"new"
            assert await store.update("k", note) == b"new"
            found: bytes | None = await store.load("k")
            return found

        assert asyncio.run(steps()) == b"new"
        assert seen[0][0] is None
        assert seen[-1][0] == b"new"
        assert all(now.utcoffset() == timedelta(0) for _, now in seen)
        assert seen[0][1] <= seen[-1][1]

    def test_update_deletes(self, store: Any) -> None:
        """To return None is to delete; where nothing is, nothing happens."""

        async def steps() -> list[str]:
            assert await store.update("k", lambda *_: None) is None
            await store.save("k", b"v")
            assert await store.update("k", lambda *_: None) is None
            listed: list[str] = await store.keys()
            return listed

        assert asyncio.run(steps()) == []

    @pytest.mark.parametrize(
        "error", [LookupError("no"), OSError("no"), sqlite3.DatabaseError("no")]
    )
    def test_update_that_raises(self, store: Any, error: Exception) -> None:
        """A change that raises leaves the value as it was, and the store usable."""

        def fail(_old: bytes | None, _now: datetime) -> bytes:
            raise error

        async def steps() -> bytes | None:
            await store.save("k", b"7")
            with pytest.raises(type(error), match="no"):
                await store.update("k", fail)
            with pytest.raises(type(error), match="no"):
                await store.update("other", fail)
            assert await store.keys() == ["k"]
            found: bytes | None = await store.update("k", add_one)
            return found

        assert asyncio.run(steps()) == b"8"

    def test_200_tasks(self, store: Any) -> None:
        """No task's update is lost."""

        async def steps() -> bytes | None:
            await asyncio.gather(*[store.update("n", add_one) for _ in range(200)])
            found: bytes | None = await store.load("n")
            return found

        assert asyncio.run(steps()) == b"200"

    def test_8_threads(self, store: Any) -> None:
        """No thread's update is lost, each with a loop of its own."""

        async def steps() -> None:
            for _ in range(75):
                await store.update("n", add_one)

        in_threads([lambda: asyncio.run(steps())] * 8)

        assert asyncio.run(store.load("n")) == b"600"

    def test_a_save_beside_updates(self, store: Any) -> None:
        """A save never falls between the reading and the writing of an update."""

        async def steps() -> None:
            for number in range(40):
                await store.save("n", b"0")
                adding = [store.update("n", add_one) for _ in range(3)]
                await asyncio.gather(*adding, store.save("m", b"%d" % number))
                assert await store.load("n") == b"3"

        asyncio.run(steps())


class BatchContract(StoreContract):
    """Takes and gives several values at once."""

    def test_batches(self, store: Any) -> None:
        """Values come in the order of the keys that were asked for, None where there is none."""

        async def steps() -> list[bytes | None]:
            await store.batch_save({"a": b"1", "b": b"2", "c": b"3"})
            await store.batch_save({})
            assert await store.batch_load([]) == []
            found: list[bytes | None] = await store.batch_load(["c", "x", "a", "c"])
            return found

        assert asyncio.run(steps()) == [b"3", None, b"1", b"3"]


def in_threads(works: list[Callable[[], None]]) -> None:
    """Run all at once, and raise what one raised."""
    errors: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised below
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        raise error
