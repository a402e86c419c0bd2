"""The store of one SQLite file: whose it is, how it is set, and what is damaged in it."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from agentlab.core.errors import DamagedRecord, InvalidValue, PersistenceError
from agentlab.store.sqlite import SqlitePersistenceBackend


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a place for a database."""
    return tmp_path / "deep" / "kept.sqlite"


def does(path: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    """Do something to a database behind the store's back."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        return db.execute(statement, values).fetchall()


def test_settings(path: Path) -> None:
    """The file is in WAL mode and says whose it is; nobody else may read it."""
    store = SqlitePersistenceBackend(path)
    store.save_sync("k", b"v")

    assert does(path, "PRAGMA journal_mode") == [("wal",)]
    assert does(path, "PRAGMA application_id") == [(int.from_bytes(b"aglb", "big"),)]
    assert does(path, "PRAGMA user_version") == [(1,)]
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {0o600}


@pytest.mark.parametrize(("sync", "level"), [(True, 2), (False, 1)])
def test_sync(path: Path, level: int, *, sync: bool) -> None:
    """Every commit waits for the disk, or only every checkpoint does."""
    store = SqlitePersistenceBackend(path, sync=sync)
    store.save_sync("k", b"v")

    with store._database.reading() as db:  # noqa: SLF001 - where it is set
        assert db.execute("PRAGMA synchronous").fetchone()[0] == level


def test_nothing_is_made_by_looking(path: Path) -> None:
    """A store that holds nothing leaves no trace, however it is asked."""
    store = SqlitePersistenceBackend(path)

    assert store.load_sync("k") is None
    assert store.keys_sync() == []
    assert store.rows_sync() == store.listing() == []
    assert store.stats_sync().count == store.version_sync("k") == 0
    store.delete_sync("k")
    assert not path.parent.exists()


def other_table(path: Path) -> None:
    """Make a database of another application."""
    does(path, "CREATE TABLE value (key TEXT)")


def other_id(path: Path) -> None:
    """Make one that has an application id."""
    does(path, "PRAGMA application_id = 42")
    other_table(path)


def in_wal(path: Path) -> None:
    """Leave one in WAL mode."""
    does(path, "PRAGMA journal_mode = WAL")
    other_table(path)


def some_text(path: Path) -> None:
    """Write no database at all."""
    path.write_text("Dear diary, today I have learned about page counts. " * 20)


@pytest.mark.parametrize("make", [other_table, other_id, in_wal, some_text])
def test_somebody_elses(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """A file that is not ours is refused, not a byte of it is touched, and nothing is beside it."""
    path = tmp_path / "theirs.db"
    make(path)
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    store = SqlitePersistenceBackend(path)

    for act in (lambda: store.load_sync("k"), lambda: store.save_sync("k", b"v"), store.keys_sync):
        with pytest.raises(PersistenceError, match=r"theirs\.db is no store of agentlab's"):
            act()
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_somebody_elses_at_work(tmp_path: Path) -> None:
    """A database that its own application has open is left alone too."""
    path = tmp_path / "theirs.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE t (x)")
        with pytest.raises(PersistenceError, match="no store of agentlab's"):
            SqlitePersistenceBackend(path).save_sync("k", b"v")
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("t",)]


@pytest.mark.parametrize("make", [Path.touch, lambda path: does(path, "VACUUM")])
def test_an_empty_file(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """An empty file, or an empty database, is made ours."""
    path = tmp_path / "new.db"
    make(path)
    SqlitePersistenceBackend(path).save_sync("k", b"v")

    assert SqlitePersistenceBackend(path).load_sync("k") == b"v"


def test_no_place(tmp_path: Path) -> None:
    """A file in its folder's place, or one that cannot be a file, is told at once."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()

    with pytest.raises(PersistenceError, match=str(tmp_path / "file")):
        SqlitePersistenceBackend(tmp_path / "file" / "kept.sqlite").save_sync("k", b"v")
    with pytest.raises(InvalidValue, match=r"got the folder .*FilePersistenceBackend"):
        SqlitePersistenceBackend(tmp_path / "folder")
    with pytest.raises(InvalidValue, match=r"got ':memory:'.*InMemoryPersistenceBackend"):
        SqlitePersistenceBackend(":memory:")


def test_what_lies_aside_is_counted(path: Path) -> None:
    """A database that was put aside is told of in the new one's figures, and on its card."""
    store = SqlitePersistenceBackend(path)
    store.save_sync("k", b"v")
    store.close()
    data = path.read_bytes()
    path.write_bytes(data[:2000] + b"?" * (len(data) - 2000))
    with pytest.raises(DamagedRecord) as caught:
        store.load_sync("k")

    assert Path(caught.value.where).exists()
    Path(f"{caught.value.where}-wal").touch()  # one of those that belong to it
    assert store.stats_sync().damaged == 1
    store.save_sync("k", b"v")
    assert store.stats_sync().damaged == 1
    assert "1 damaged" in store.to_html()


CHANGES = {
    "body": "UPDATE value SET body = x'00' WHERE key = x'6b'",
    "body as text": "UPDATE value SET body = 'w' WHERE key = x'6b'",
    "head": "UPDATE value SET head = x'00' WHERE key = x'6b'",
    "head as a number": "UPDATE value SET head = 3 WHERE key = x'6b'",
    "another's": "UPDATE value SET head = (SELECT head FROM value WHERE key = x'6c')",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_damaged_row(path: Path, change: str) -> None:
    """A damaged row is told once and put aside with its bytes; the others stay."""
    store = SqlitePersistenceBackend(path)
    store.batch_save_sync({"k": b"v", "l": b"w"})
    does(path, CHANGES[change])
    (was,) = does(path, "SELECT key, head, body FROM value WHERE key = x'6b'")

    with pytest.raises(DamagedRecord, match=r"'k' in .*kept\.sqlite is damaged: .*table damaged"):
        store.load_sync("k")
    assert store.load_sync("k") is None
    assert store.load_sync("l") == b"w"
    assert store.keys_sync() == ["l"]
    assert does(path, "SELECT key, head, body FROM damaged") == [was]
    assert store.stats_sync().damaged == 1


def test_a_damaged_row_in_the_way(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An update of a damaged row raises, a save over one succeeds and says what it found."""
    store = SqlitePersistenceBackend(path)
    store.save_sync("k", b"v")
    does(path, CHANGES["body"])
    with pytest.raises(DamagedRecord):
        store.update_sync("k", lambda *_: pytest.fail("it was called"))
    assert store.update_sync("k", lambda old, _: b"first" if old is None else b"") == b"first"
    does(path, CHANGES["head"])

    with caplog.at_level(logging.WARNING, "agentlab.store"):
        assert store.rows_sync() == []
        store.save_sync("k", b"2")

    assert "a row of" in caplog.text
    assert "'k' in" in caplog.text
    assert store.load_sync("k") == b"2"
    assert store.stats_sync().damaged == 2


def test_a_batch_is_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that fails in the middle has saved nothing."""
    store = SqlitePersistenceBackend(path)
    store.save_sync("b", b"old")
    real, calls = store._replace, list[str]()

    def replace(db: sqlite3.Connection, key: str, value: bytes | None, version: int) -> None:
        calls.append(key)
        if len(calls) == 3:
            raise sqlite3.OperationalError("disk I/O error")
        real(db, key, value, version)

    with monkeypatch.context() as patch:
        patch.setattr(store, "_replace", replace)
        with pytest.raises(PersistenceError):
            store.batch_save_sync({"a": b"1", "b": b"2", "c": b"3"})

    assert calls == ["a", "b", "c"]
    assert store.batch_load_sync([*"abc"]) == [None, b"old", None]


def test_damage_while_it_is_open(path: Path) -> None:
    """A file that becomes malformed is renamed with what belongs to it, told once, and replaced."""
    store = SqlitePersistenceBackend(path)
    store.batch_save_sync({f"k{i:02}": bytes(100_000) for i in range(70)})
    store.close()
    store = SqlitePersistenceBackend(path)
    for key in store.keys_sync():  # more than SQLite remembers
        assert store.load_sync(key) == bytes(100_000)
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)

    with pytest.raises(DamagedRecord, match=r"it now lies at .*, and a new one begins") as caught:
        store.load_sync("k04")
    assert Path(caught.value.where).read_bytes() == bytes(data)
    assert store.load_sync("k04") is None
    store.save_sync("k04", b"new")
    assert SqlitePersistenceBackend(path).load_sync("k04") == b"new"


@pytest.mark.parametrize("put_back", [False, True])
def test_moved_in_the_middle(path: Path, *, put_back: bool) -> None:
    """A value that was written to a file which is no longer there is not called saved."""
    store = SqlitePersistenceBackend(path)
    store.save_sync("k", b"old")

    def move(_old: bytes | None, _now: object) -> bytes:
        path.rename(path.with_name("moved"))
        if put_back:
            path.touch()
        return b"new"

    with pytest.raises(PersistenceError, match="was moved while it was in use") as caught:
        store.update_sync("k", move)
    assert caught.value.kind == "transient"
    assert store.load_sync("k") is None
    store.save_sync("k", b"again")
    assert SqlitePersistenceBackend(path).load_sync("k") == b"again"


def test_a_value_too_large(path: Path) -> None:
    """What SQLite cannot hold is an error of ours."""
    store = SqlitePersistenceBackend(path)
    store.save_sync("k", b"v")
    with store._database.reading() as db:  # noqa: SLF001 - to lower a limit that is a gigabyte
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 5000)

    with pytest.raises(PersistenceError, match="keep smaller values"):
        store.save_sync("k", bytes(6000))
    assert store.load_sync("k") == b"v"
