"""One SQLite file: whose it is, whether it is whole, and the connections to it.

It is ours if it says so in the two numbers that SQLite keeps for that, the application id and
the user version. Anything else is left as it is. Ours, where SQLite finds it malformed, is put
aside as a whole, and a new one begins.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agentlab.core.errors import PersistenceError
from agentlab.core.files import BINARY, PRIVATE, make_folder
from agentlab.store.envelope import DamagedRecord, NewerFormat
from agentlab.store.turns import still_wanted

if TYPE_CHECKING:
    import sqlite3

APPLICATION, FORMAT = int.from_bytes(b"aglb", "big"), 1
SCHEMA = {
    b"value": b"CREATE TABLE value (key BLOB PRIMARY KEY NOT NULL, head BLOB NOT NULL, "
    b"body BLOB NOT NULL)",
    b"damaged": b"CREATE TABLE damaged (at TEXT NOT NULL, key BLOB, head BLOB, body BLOB)",
}
SETTINGS = (
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    f"PRAGMA journal_size_limit = {1 << 24}",
)
MAGIC, HEADER, ID_AT = b"SQLite format 3\0", 100, 68
CHECK_BYTES = 1 << 23  # larger files are not read through when opened: each value has a checksum
FULL, READONLY, BUSY, LOCKED, CORRUPT, NOTADB, TOOBIG = 13, 8, 5, 6, 11, 26, 18
REMEDIES = {
    FULL: "make room on that disk",
    READONLY: "allow writing there, or choose another path",
    TOOBIG: "keep smaller values",
    10: "check that disk",
    14: "see that its folder is there and may be written to",
}
INHERITED: list[Database] = []  # from a parent process: to close these would harm it


class Database:
    """The connections to one file, as many as are used at once.

    Parameters
    ----------
    path : Path
        Where it is.
    sync : bool
        Whether a commit waits for the disk.
    wait_s : float
        How long to wait for a lock that another process holds.
    """

    def __init__(self, path: Path, *, sync: bool, wait_s: float) -> None:
        self.path, self._wait_s = path, wait_s
        self._settings = (*SETTINGS, f"PRAGMA synchronous = {'FULL' if sync else 'NORMAL'}")
        self._idle: list[sqlite3.Connection] = []
        self._file: tuple[int, int] | None = None  # the one that was examined
        self._lock, self._writer = threading.Lock(), threading.Lock()
        self._finalizer = weakref.finalize(self, shut, self._idle, os.getpid())

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection; what the block raises of its own must not be SQLite's.

        Raises
        ------
        PersistenceError
            SQLite cannot do it.
        """
        import sqlite3

        db = None
        try:
            db = self._take()
            yield db
        except (sqlite3.Error, UnicodeDecodeError) as error:  # the latter from damaged messages
            raise self._told(error, db) from error
        except OSError as error:
            raise PersistenceError(
                f"cannot open {self.path} ({error.strerror or error})"
            ) from error
        finally:
            self._give(db)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection in a transaction, which ends with the block, well or not at all."""
        if not self._writer.acquire(timeout=self._wait_s):
            raise self._busy()
        try:
            with self.reading() as db:
                db.execute("BEGIN IMMEDIATE")
                still_wanted()
                yield db
                db.execute("COMMIT")
        finally:
            self._writer.release()

    def exists(self) -> bool:
        """Tell whether there is anything to read."""
        return self.path.exists()

    def close(self) -> None:
        """Close what nobody uses now."""
        with self._lock:
            self._file = None
            shut(self._idle, os.getpid())

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._file is None or self._file != identity(self.path):
                shut(self._idle, os.getpid())  # it was moved, or never opened
                self._idle.append(self._opened())
                self._file = identity(self.path)
            if self._idle:
                return self._idle.pop()
        return self._connected()

    def _give(self, db: sqlite3.Connection | None) -> None:
        if db is None:
            return
        if db.in_transaction:
            with contextlib.suppress(Exception):
                db.execute("ROLLBACK")
        with self._lock:
            if self._file is None or db.in_transaction:
                db.close()
            else:
                self._idle.append(db)

    def _connected(self) -> sqlite3.Connection:
        import sqlite3

        db = sqlite3.connect(
            self.path, timeout=self._wait_s, isolation_level=None, check_same_thread=False
        )
        db.text_factory = bytes  # damaged text is no reason to stumble
        try:
            for setting in self._settings:
                db.execute(setting)
        except BaseException:
            db.close()
            raise
        return db

    def _opened(self) -> sqlite3.Connection:
        make_folder(self.path.parent)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR | BINARY, PRIVATE))
        self._check_owner()
        db = self._connected()
        try:
            self._examine(db)
        except BaseException:
            db.close()
            raise
        return db

    def _check_owner(self) -> None:
        """See whose file it is before SQLite touches it, for to open one may change it."""
        import sqlite3

        with self.path.open("rb") as file:
            start = file.read(HEADER)
        if not start or start[ID_AT : ID_AT + 4] == APPLICATION.to_bytes(4, "big"):
            return
        if start.startswith(MAGIC) and not Path(f"{self.path}-wal").exists():
            with (
                contextlib.suppress(sqlite3.Error),
                contextlib.closing(
                    sqlite3.connect(f"{self.path.absolute().as_uri()}?immutable=1", uri=True)
                ) as db,
            ):
                if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    return  # somebody has made it for us
        raise PersistenceError(
            f"{self.path} is no store of agentlab's; it is left as it is: choose another path"
        )

    def _examine(self, db: sqlite3.Connection) -> None:
        import sqlite3

        if not db.execute("PRAGMA application_id").fetchone()[0]:
            self._create(db)
        if (found := db.execute("PRAGMA user_version").fetchone()[0]) > FORMAT:
            raise NewerFormat(
                f"{self.path} has format {found}, newer than {FORMAT}: update agentlab"
            )
        tables = dict(db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
        if tables != SCHEMA:
            raise sqlite3.DatabaseError("its tables are not the ones that were made")
        if self.path.stat().st_size <= CHECK_BYTES:
            said = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if said != b"ok":
                raise sqlite3.DatabaseError(said.decode(errors="replace"))
        self._use_wal(db)

    def _create(self, db: sqlite3.Connection) -> None:
        db.execute("BEGIN IMMEDIATE")  # before the log, so that the file itself says whose it is
        if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            for table in SCHEMA.values():
                db.execute(table.decode())
            db.execute(f"PRAGMA application_id = {APPLICATION}")
            db.execute(f"PRAGMA user_version = {FORMAT}")
        db.execute("COMMIT")

    def _use_wal(self, db: sqlite3.Connection) -> None:
        import sqlite3

        end = time.monotonic() + self._wait_s
        while True:  # SQLite does not wait here by itself
            try:
                db.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in {BUSY, LOCKED} or time.monotonic() > end:
                    raise
                time.sleep(0.01)
            else:
                return

    def _told(
        self, error: sqlite3.Error | UnicodeDecodeError, db: sqlite3.Connection | None
    ) -> PersistenceError:
        code = getattr(error, "sqlite_errorcode", CORRUPT) & 0xFF  # ours, of _examine, have none
        if code in {CORRUPT, NOTADB}:
            return self._put_aside(error, db)
        if code in {BUSY, LOCKED}:
            return self._busy()
        remedy = REMEDIES.get(code, "look at that file")
        return PersistenceError(f"cannot use {self.path} ({error}): {remedy}")

    def _busy(self) -> PersistenceError:
        error = PersistenceError(
            f"{self.path} is locked: another process has been writing for {self._wait_s:g} s; "
            "end that process, or try again"
        )
        error.kind = "transient"
        return error

    def _put_aside(self, error: Exception, db: sqlite3.Connection | None) -> PersistenceError:
        from filelock import FileLock

        with self._lock:
            mine, self._file = self._file, None
            if db:
                db.close()
            shut(self._idle, os.getpid())
            target = Path(f"{self.path}.damaged-{secrets.token_hex(4)}")
            with FileLock(f"{self.path}.lock", timeout=self._wait_s, mode=PRIVATE):
                if mine and mine != identity(self.path):
                    return DamagedRecord(
                        f"{self.path} was damaged, and another process has put it aside"
                    )
                for suffix in ("", "-wal", "-shm"):
                    with contextlib.suppress(FileNotFoundError):
                        Path(f"{self.path}{suffix}").replace(f"{target}{suffix}")
        return DamagedRecord(
            f"{self.path} is damaged ({error}): it now lies at {target}, and a new one begins",
            str(target),
        )


def identity(path: Path) -> tuple[int, int] | None:
    """Tell which file is at ``path``, if one is."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def shut(connections: list[sqlite3.Connection], process: int) -> None:
    """Close connections that this process has opened."""
    while process == os.getpid() and connections:
        connections.pop().close()
