"""A store in one SQLite file, that several processes may use at once."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.errors import DamagedRecord, InvalidValue
from agentlab.core.files import path_of
from agentlab.core.protocols import Change
from agentlab.core.workers import outcome
from agentlab.store.base import Pairs, Shelf, StoreRow, StoreStats
from agentlab.store.database import INHERITED, Database
from agentlab.store.envelope import (
    Broken,
    Head,
    check,
    head_of,
    opened_value,
    sealed,
)
from agentlab.store.turns import still_wanted

if TYPE_CHECKING:
    from sqlite3 import Connection

PUT = """INSERT INTO value VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET head = excluded.head, body = excluded.body"""
ASIDE = """INSERT INTO damaged SELECT ?, key, head, body FROM value WHERE key = ?"""
AFTER = b"\xff"  # no text in UTF-8 has it

log = logging.getLogger("agentlab.store")


class SqlitePersistenceBackend(Shelf):
    """Keeps values in one SQLite file: quick, whole whatever dies when, open to other tools.

    The file is in WAL mode and must be on a disk of this machine, not on a network's. While it is
    in use, two files stand beside it; a small hidden one, its lock, stays. Where the folder may
    not be written to, its values can be loaded all the same. A damaged value is moved to the
    table ``damaged``; a file that SQLite finds malformed is renamed, and a new one begins. A file
    that is somebody else's is never touched. A file of up to 256 MB is read through when it is
    opened (less than a millisecond a megabyte); in a larger one only the keys are, and damage to
    a value is found when it is loaded.

    Parameters
    ----------
    path : str or Path
        The file. It is made, for nobody else to read, when the first value is saved.
    sync : bool
        Whether a save waits until the disk has it (``synchronous=FULL``). Without that
        (``NORMAL``) a crash of the process loses nothing, a loss of power the last saves.
    wait_s : float
        How long to wait for other processes that write.
    clock : Clock
        The time that ``update`` and the rows tell.
    """

    _database: Database

    def __init__(
        self,
        path: str | Path,
        *,
        sync: bool = True,
        wait_s: float = 30.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._path = path_of(path, "path")
        if self._path.name == ":memory:":
            raise InvalidValue("path must be a file, got ':memory:': InMemoryPersistenceBackend()")
        if self._path.is_dir():
            raise InvalidValue(
                f"path must be a file, got the folder {str(self._path)!r}: name a file in it, or"
                " keep plain files there with FilePersistenceBackend"
            )
        self._sync, self._wait_s = sync, wait_s
        super().__init__(clock)

    def _begin(self) -> None:
        super()._begin()
        if hasattr(self, "_database"):
            INHERITED.append(self._database)
        self._database = Database(self._path, sync=self._sync, wait_s=self._wait_s)

    def __repr__(self) -> str:
        return f"<SqlitePersistenceBackend {str(self._path)!r}>"

    def close(self) -> None:
        """Close the file; the store opens it again when it is used again."""
        self._database.close()

    def _put(self, pairs: Pairs) -> None:
        with self._database.writing() as db:
            for key, value in pairs:
                self._replace(db, key, value, self._before(db, key))

    def _get(self, key: str) -> bytes | None:
        found = self._found(key, whole=True)
        return found[1] if found else None

    def _drop(self, key: str) -> None:
        if self._database.settled():
            with self._database.writing() as db:
                db.execute("DELETE FROM value WHERE key = ?", [key.encode()])

    def _change(self, key: str, change: Change) -> bytes | None:
        new: bytes | None = None
        failed: BaseException | None
        with self._database.writing() as db:
            try:
                found = look(db, key)
            except Broken as why:
                failed = self._put_aside(db, key, why)
            else:  # what the change raises is not SQLite's, and goes out as it is
                old = found[1] if found else None
                new, failed = outcome(partial(self._changed, change, old))
                if failed is None:
                    still_wanted()
                    self._replace(db, key, new, found[0].version if found else 0)
        if failed:
            raise failed
        return new

    def _list(self, prefix: str) -> list[str]:
        if not self._path.exists():
            return []
        start = prefix.encode()
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT key FROM value WHERE key >= ? AND key < ? ORDER BY key",
                [start, start + AFTER],
            ).fetchall()
        return [key.decode(errors="replace") for (key,) in rows]

    def _number(self, key: str) -> int:
        found = self._found(key, whole=False)
        return found[0].version if found else 0

    def _scan(self, prefix: str, limit: int | None) -> list[StoreRow]:
        if not self._path.exists():
            return []
        start = prefix.encode()
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT head FROM value WHERE key >= ? AND key < ? ORDER BY key LIMIT ?",
                [start, start + AFTER, -1 if limit is None else limit],
            ).fetchall()
        return [row for (head,) in rows if (row := described(head, str(self._path)))]

    def _sums(self) -> StoreStats:
        if not self._path.exists():
            return StoreStats(str(self._path), 0, 0, self._database.aside())
        with self._database.reading() as db:
            counts = [
                db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - ours
                for table in ("value", "damaged")
            ]
        damaged = counts[1] + self._database.aside()
        return StoreStats(str(self._path), counts[0], self._path.stat().st_size, damaged)

    def _found(self, key: str, *, whole: bool) -> tuple[Head, bytes] | None:
        if not self._path.exists():
            return None
        try:
            with self._database.reading() as db:
                return look(db, key, whole=whole)
        except Broken:
            pass
        with self._database.writing() as db:  # where nobody changes it meanwhile
            try:
                return look(db, key, whole=whole)
            except Broken as why:
                lost = self._put_aside(db, key, why)
        raise lost

    def _before(self, db: Connection, key: str) -> int:
        """Tell the version that is about to be replaced; a damaged one is put aside."""
        try:
            found = look(db, key, whole=False)
        except Broken as why:
            log.warning("%s", self._put_aside(db, key, why))
            return 0
        return found[0].version if found else 0

    def _replace(self, db: Connection, key: str, value: bytes | None, version: int) -> None:
        if value is None:
            db.execute("DELETE FROM value WHERE key = ?", [key.encode()])
        else:
            record = sealed(key, value, version + 1, self._clock.now())
            db.execute(PUT, [key.encode(), *record])

    def _put_aside(self, db: Connection, key: str, why: Broken) -> DamagedRecord:
        db.execute(ASIDE, [self._clock.now().isoformat(), key.encode()])
        db.execute("DELETE FROM value WHERE key = ?", [key.encode()])
        return DamagedRecord(
            f"{key!r:.80} in {self._path} is damaged: {why}; "
            "its bytes now lie in the table damaged, and the key is absent",
            f"{self._path}, table damaged",
        )


def look(db: Connection, key: str, *, whole: bool = True) -> tuple[Head, bytes] | None:
    """Read a value, or only its head, if it is there.

    Raises
    ------
    Broken
        It is damaged.
    """
    body = "body" if whole else "NULL"
    row = db.execute(
        f"SELECT head, length(body), {body} FROM value WHERE key = ?",  # noqa: S608 - ours
        [key.encode()],
    ).fetchone()
    if row is None:
        return None
    line, size, value = row
    if not isinstance(line, bytes) or not isinstance(value, bytes | None):
        raise Broken("it is no longer of bytes")
    head = head_of(line, f"{key!r:.80}")
    check(head, key, size)
    return head, b"" if value is None else opened_value(head, value)


def described(line: bytes, what: str) -> StoreRow | None:
    """Read a head for the eye, or None where it is damaged: to load its key will tell."""
    try:
        head = head_of(line, what)
    except Broken as error:
        log.warning("a row of %s is damaged: %s", what, error)
        return None
    return StoreRow(head.key, head.bytes, head.version, head.saved_at)
