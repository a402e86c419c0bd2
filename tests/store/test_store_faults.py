"""Disks that are full, broken or locked: what was there before stays, and the error says where."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from agentlab.core.errors import DamagedRecord, NewerFormat, PersistenceError
from agentlab.core.events import Warned
from agentlab.core.trace import Trace
from agentlab.store import database, schema
from agentlab.store.file import FilePersistenceBackend
from agentlab.store.journal import Journal
from agentlab.store.sqlite import SqlitePersistenceBackend
from tests.faulty import SHORT, FaultyDisk
from tests.store.journals import said

OLD, NEW = b"old" * 5000, b"new" * 7000
FAULTS = [errno.ENOSPC, errno.EIO, errno.EDQUOT, SHORT]
ACTS: dict[str, tuple[Callable[[FilePersistenceBackend], object], bytes | None]] = {
    "save": (lambda store: store.save_sync("k", NEW), NEW),
    "update": (lambda store: store.update_sync("k", lambda *_: NEW), NEW),
    "delete": (lambda store: store.delete_sync("k"), None),
    "update away": (lambda store: store.update_sync("k", lambda *_: None), None),
}


@pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda e: errno.errorcode.get(e, "SHORT"))
@pytest.mark.parametrize("act", ACTS)
def test_a_fault_at_each_call(tmp_path: Path, act: str, fault: int, *, for_good: bool) -> None:
    """Whichever call fails, the old value is there or the new one, and the error names the file."""
    work, wanted = ACTS[act]
    hits = set()
    for nth in itertools.count(1):
        folder = tmp_path / str(nth)
        FilePersistenceBackend(folder).save_sync("k", OLD)
        store = FilePersistenceBackend(folder)
        error: PersistenceError | None = None
        with FaultyDisk(folder, nth, fault, for_good=for_good) as disk:
            try:
                work(store)
            except PersistenceError as raised:
                error = raised
        if not disk.hit:
            break
        hits.add(disk.hit)
        changed = "replace" in disk.calls or (wanted is None and "unlink" in disk.calls)
        now = store.load_sync("k")
        if error is None:
            assert now == wanted
        else:
            assert str(folder) in str(error)
            assert fault != SHORT
            assert now == (wanted if changed else OLD)
        store.save_sync("k", b"again")
        assert FilePersistenceBackend(folder).load_sync("k") == b"again"
        assert store.stats_sync().damaged == 0

    assert error is None
    assert {"open", "fsync"} <= hits
    assert {"read", "write", "replace"} <= hits or wanted is None


@pytest.mark.parametrize("nth", range(1, 6))
def test_a_fault_while_reading(tmp_path: Path, nth: int) -> None:
    """A disk that cannot be read is an error of its own: nothing is put aside for it."""
    store = FilePersistenceBackend(tmp_path)
    store.save_sync("k", OLD)
    with FaultyDisk(tmp_path, nth, errno.EIO) as disk:
        try:
            assert store.load_sync("k") == OLD
        except PersistenceError as error:
            assert str(tmp_path) in str(error)  # noqa: PT017 - it may go through
            assert "check that disk" in str(error)  # noqa: PT017
    assert bool(disk.hit) == (disk.count >= nth)

    assert store.load_sync("k") == OLD
    assert store.stats_sync().damaged == 0


def test_a_first_save_on_a_full_disk(tmp_path: Path) -> None:
    """Where nothing could be made, nothing is there, and later all is well."""
    for nth in itertools.count(1):
        store = FilePersistenceBackend(tmp_path / str(nth) / "deep")
        with FaultyDisk(tmp_path / str(nth), nth, errno.ENOSPC) as disk:
            try:
                store.save_sync("k", NEW)
            except PersistenceError as error:
                assert "make room" in str(error)  # noqa: PT017 - it may go through
        if not disk.hit:
            break
        store.save_sync("k", NEW)
        assert store.load_sync("k") == NEW
    assert nth > 5


@pytest.mark.parametrize("for_good", [False, True], ids=["once", "for good"])
@pytest.mark.parametrize("new", [False, True], ids=["goes on", "new"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda e: errno.errorcode.get(e, "SHORT"))
def test_a_journal_at_each_call(tmp_path: Path, fault: int, *, new: bool, for_good: bool) -> None:
    """Whichever call fails, nothing is torn, and once the disk is well everything is there once."""
    hits = set()
    for nth in itertools.count(1):
        path = tmp_path / str(nth) / "runs.jsonl"
        before = [] if new else ["before"]
        with Journal(path) as journal:
            for text in before:
                Trace(journal).emit(Warned(text), run="r")
        journal = Journal(path)
        trace = Trace(journal)
        trace.emit(Warned("one " * 2000), run="r")
        trace.emit(Warned("two"), run="r")
        with FaultyDisk(path.parent, nth, fault, for_good=for_good) as disk:
            try:
                journal.close()
            except PersistenceError as error:
                assert f"cannot write {path} (" in str(error)  # noqa: PT017 - it may go through
                assert not path.exists() or "ftruncate" not in disk.calls or said(path) == before
                assert "2 entries to write" in repr(journal)
        if not disk.hit:
            break
        hits.add(disk.hit)
        journal.close()
        with Journal(path) as later:
            Trace(later).emit(Warned("later"), run="s")
        found = said(path)
        assert found[: len(before)] == before
        assert found[-3:] == ["one " * 2000, "two", "later"]
        if not for_good:  # nor was its taking back in the way
            assert len(found) == len(before) + 3
    assert {"open", "write", "fsync", "close"} <= hits


def test_sqlite_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that cannot grow keeps what it has, says so, and goes on when it can."""
    path = tmp_path / "kept.sqlite"
    store = SqlitePersistenceBackend(path)
    store.save_sync("k", OLD)
    store.close()
    small = (*database.SETTINGS, "PRAGMA max_page_count = 12")
    with monkeypatch.context() as patch:
        patch.setattr(database, "SETTINGS", small)
        full = SqlitePersistenceBackend(path)
        acts: list[Callable[[], object]] = [
            lambda: full.save_sync("k", b"x" * 100_000),
            lambda: full.batch_save_sync({"a": b"1", "b": b"x" * 100_000}),
            lambda: full.update_sync("k", lambda *_: b"x" * 100_000),
        ]
        for act in acts:
            with pytest.raises(PersistenceError, match=r"kept\.sqlite.*full.*make room"):
                act()
        assert full.load_sync("k") == OLD
        assert full.keys_sync() == ["k"]
        full.save_sync("small", b"1")
        full.close()

    store.save_sync("k", b"x" * 100_000)
    assert store.keys_sync() == ["k", "small"]


READ_ONLY = """
import os, sqlite3, filelock
from agentlab.core.errors import PersistenceError
from agentlab.store.file import FilePersistenceBackend
from agentlab.store.journal import Journal
from agentlab.store.loading import load
from agentlab.store.sqlite import SqlitePersistenceBackend
if os.getuid() == 0:
    os.setgid(65534); os.setuid(65534)
for store in (SqlitePersistenceBackend("kept.sqlite"), FilePersistenceBackend("kept")):
    try:
        store.save_sync("k", b"new")
    except PersistenceError as error:
        print(error)
    print(store.load_sync("k") == b"old" * 5000, store.load_sync("none"), store.keys_sync())
store = SqlitePersistenceBackend("torn.sqlite")
try:
    store.load_sync("k")
except PersistenceError as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="no rights to take away here")
def test_files_that_may_not_be_written() -> None:
    """What may only be read can be read; to write there is told, with its path and what to do."""
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        stores = (
            SqlitePersistenceBackend(place / "kept.sqlite"),
            FilePersistenceBackend(place / "kept"),
        )
        for store in stores:
            store.save_sync("k", OLD)
            store.close()
        torn = (place / "kept.sqlite").read_bytes()[:5000]
        (place / "torn.sqlite").write_bytes(torn)
        (place / "torn.sqlite").chmod(0o444)
        (place / "kept.sqlite").chmod(0o444)
        for path in (place / "kept").rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o444)
        (place / "kept").chmod(0o555)
        place.chmod(0o555)
        env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        said = subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-c", READ_ONLY], cwd=place, env=env, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        place.chmod(0o755)
        (place / "kept").chmod(0o755)
        lines = said.stdout.splitlines()

        assert len(lines) == 5, said.stderr
        assert "kept.sqlite" in lines[0]
        assert "allow writing" in lines[0]
        assert f"{place}/kept/" in lines[2]
        assert "allow it" in lines[2]
        assert lines[1] == lines[3] == "True None ['k']"
        assert lines[4].startswith("DamagedRecord")
        assert "cannot be put aside" in lines[4]
        assert (place / "torn.sqlite").read_bytes() == torn
        assert [store.load_sync("k") for store in stores] == [OLD, OLD]


def test_a_locked_database(tmp_path: Path) -> None:
    """A database that another process does not let go of is an error that may pass."""
    path = tmp_path / "kept.sqlite"
    store = SqlitePersistenceBackend(path, wait_s=0.05)
    store.save_sync("k", OLD)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(PersistenceError, match=r"kept\.sqlite is locked.*try again") as caught:
        store.save_sync("k", NEW)
    assert caught.value.kind == "transient"
    assert store.load_sync("k") == OLD
    other.execute("ROLLBACK")
    other.close()
    store.save_sync("k", NEW)
    assert store.load_sync("k") == NEW


def many_values(path: Path) -> dict[str, bytes]:
    """Fill a database, so that it has pages of every kind."""
    rng = random.Random(7)  # noqa: S311 - the same each time
    values = {f"key:{i}": rng.randbytes(rng.choice([3, 90, 900, 9000])) for i in range(60)}
    store = SqlitePersistenceBackend(path)
    store.batch_save_sync(values)
    for key in list(values)[::7]:
        store.delete_sync(key)
        del values[key]
    store.close()
    return values


def survey(path: Path, values: dict[str, bytes]) -> tuple[int, list[PersistenceError]]:
    """Load every key of a damaged database: whole, or an error, never anything else."""
    store = SqlitePersistenceBackend(path)
    errors: list[PersistenceError] = []
    missing = 0
    for key, value in values.items():
        try:
            found = store.load_sync(key)
        except PersistenceError as error:
            errors.append(error)
            continue
        assert found in (None, value), f"{key} is torn"
        missing += found is None
    store.close()
    return missing, errors


@pytest.mark.parametrize("size", ["small", "large"])
def test_flipped_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    """A database with one bit flipped gives every value as it was, or says what happened."""
    if size == "large":
        monkeypatch.setattr(schema, "CHECK_BYTES", 0)
    path = tmp_path / "kept.sqlite"
    values = many_values(path)
    whole = path.read_bytes()
    rng = random.Random(11)  # noqa: S311 - the same each time
    aside = told = 0
    with contextlib.closing(sqlite3.connect(path)) as db:
        ((page,),) = db.execute("SELECT rootpage FROM sqlite_master WHERE type = 'index'")
    index = range(4096 * (page - 1), 4096 * page)
    places = {
        "small": [*range(0, 100, 2), *rng.sample(range(len(whole)), 70), *rng.sample(index, 30)],
        "large": [*rng.sample(range(len(whole)), 50), *rng.sample(index, 100)],
    }[size]
    for place in places:
        for old in tmp_path.iterdir():
            old.unlink()
        path.write_bytes(
            whole[:place] + bytes([whole[place] ^ (1 << rng.randrange(8))]) + whole[place + 1 :]
        )
        missing, errors = survey(path, values)
        assert not missing or errors, f"{missing} values are gone without a word, {place}"
        aside += any(each.name.startswith("kept.sqlite.damaged") for each in tmp_path.iterdir())
        told += bool(errors)
        if any(isinstance(error, DamagedRecord) for error in errors):
            SqlitePersistenceBackend(path).save_sync("k", b"on we go")

    assert aside > 10
    assert told > 50


def test_truncated(tmp_path: Path) -> None:
    """A database that was cut anywhere opens, is put aside, or is refused as none of ours."""
    path = tmp_path / "kept.sqlite"
    values = many_values(path)
    whole = path.read_bytes()
    rng = random.Random(13)  # noqa: S311 - the same each time
    for size in [1, 16, 71, 72, 99, 100, 4096, *(rng.randrange(len(whole)) for _ in range(60))]:
        for old in tmp_path.iterdir():
            old.unlink()
        path.write_bytes(whole[:size])
        _, errors = survey(path, values)
        assert errors
        if size >= 72:
            assert isinstance(errors[0], DamagedRecord)
            assert errors[0].where
            assert Path(errors[0].where).read_bytes() == whole[:size]
            SqlitePersistenceBackend(path).save_sync("k", b"on we go")
        else:
            assert path.read_bytes() == whole[:size]


def test_flipped_bits_in_a_file(tmp_path: Path) -> None:
    """Each byte of a file that is changed is noticed, and the bytes are kept aside."""
    for place in itertools.count():
        store = FilePersistenceBackend(tmp_path / str(place))
        store.save_sync("k", b"some bytes")
        (path,) = (tmp_path / str(place)).glob("*.bin")
        data = path.read_bytes()
        if place == len(data):
            break
        changed = data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :]
        path.write_bytes(changed)

        with pytest.raises(DamagedRecord, match=r"is damaged: .*; its bytes now lie at") as caught:
            store.load_sync("k")
        assert Path(caught.value.where).read_bytes() == changed
        assert store.load_sync("k") is None
        assert store.keys_sync() == []


def test_two_errors(tmp_path: Path) -> None:
    """What is from the future is another error than what is damaged, and stays where it is."""
    assert not issubclass(NewerFormat, DamagedRecord)
    assert not issubclass(DamagedRecord, NewerFormat)
    path = tmp_path / "kept.sqlite"
    store = SqlitePersistenceBackend(path)
    store.save_sync("k", OLD)
    store.close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 9")
    db.close()

    with pytest.raises(NewerFormat, match=r"kept\.sqlite has format 9, newer than 1: update"):
        store.load_sync("k")
    assert path.exists()
