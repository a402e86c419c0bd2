"""The connections to one SQLite file, and what becomes of it when it is damaged.

Where SQLite finds it malformed it is put aside as a whole, and a new one begins.
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
from typing import TYPE_CHECKING, NamedTuple

from agentlab.core.errors import DamagedRecord, PersistenceError
from agentlab.core.files import BINARY, PRIVATE, make_folder
from agentlab.store.schema import File, Malformed, check_owner, examine, identity, is_fixed
from agentlab.store.turns import still_wanted

if TYPE_CHECKING:
    import sqlite3

    from filelock import FileLock

SETTINGS = (
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    f"PRAGMA journal_size_limit = {1 << 24}",
)
FULL, READONLY, BUSY, LOCKED, CORRUPT, NOTADB, TOOBIG = 13, 8, 5, 6, 11, 26, 18
REMEDIES = {
    FULL: "make room on that disk",
    READONLY: "allow writing there, or choose another path",
    TOOBIG: "keep smaller values",
    10: "check that disk",
    14: "see that its folder is there and may be written to",
}
DAMAGED, BESIDE = ".damaged-", ("-wal", "-shm")
NEW, TRIES = os.O_CREAT | os.O_EXCL | os.O_RDWR | BINARY, 10
INHERITED: list[Database] = []  # from a parent process: to close these would harm it


class Link(NamedTuple):
    """A connection, and the file it is to."""

    db: sqlite3.Connection
    file: File | None


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
        self._idle: list[Link] = []
        self._file: File | None = None  # the one that was examined
        self._lock, self._writer = threading.RLock(), threading.Lock()
        self._finalizer = weakref.finalize(self, shut, self._idle, os.getpid())

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection; what the block raises of its own must not be SQLite's.

        Raises
        ------
        PersistenceError
            SQLite cannot do it.
        """
        with self._lent() as link:
            yield link.db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection in a transaction, which ends with the block, well or not at all."""
        with self._only_writer(), self._lent() as link:
            link.db.execute("BEGIN IMMEDIATE")
            still_wanted()
            yield link.db
            link.db.execute("COMMIT")
            if link.file != identity(self.path):  # what was committed lies elsewhere now
                raise self._moved()

    @contextmanager
    def _only_writer(self) -> Iterator[None]:
        """Be the only one of this process who writes."""
        if not self._writer.acquire(timeout=self._wait_s):
            raise self._busy()
        try:
            yield
        finally:
            self._writer.release()

    @contextmanager
    def _lent(self) -> Iterator[Link]:
        link = self._take()
        try:
            with self._telling(link.file):
                yield link
        finally:
            self._give(link)

    def settled(self) -> bool:
        """Tell it once this process's writers are through, also those that were given up."""
        with self._only_writer():
            return self.path.exists()

    def aside(self) -> int:
        """Count the files that were put aside."""
        start = f"{self.path.name}{DAMAGED}"
        found = self.path.parent.iterdir() if self.path.parent.is_dir() else ()
        return sum(each.name.startswith(start) and not each.name.endswith(BESIDE) for each in found)

    def close(self) -> None:
        """Close what nobody uses now."""
        with self._lock:
            self._file = None
            shut(self._idle, os.getpid())

    def _take(self) -> Link:
        with self._lock:
            if self._file is None or self._file != identity(self.path):
                self.close()  # it was moved, or never opened
                link = self._opened()
                self._file = link.file
                return link
            if self._idle:
                return self._idle.pop()
            with self._telling(self._file):
                return Link(self._connected(), self._file)

    def _give(self, link: Link) -> None:
        with contextlib.suppress(Exception):
            if link.db.in_transaction:
                link.db.execute("ROLLBACK")
        with self._lock:
            if link.file == self._file and not link.db.in_transaction:
                self._idle.append(link)
            else:
                link.db.close()

    def _connected(self) -> sqlite3.Connection:
        import sqlite3

        address = f"{self.path.as_uri()}?{'immutable=1' if is_fixed(self.path) else ''}"
        db = sqlite3.connect(
            address, self._wait_s, isolation_level=None, check_same_thread=False, uri=True
        )
        db.text_factory = bytes  # damaged text is no reason to stumble
        try:
            for setting in self._settings:
                db.execute(setting)
        except BaseException:
            db.close()
            raise
        return db

    def _opened(self) -> Link:
        for _ in range(TRIES):
            file = self._made()
            with self._telling(file):
                db = self._connected()
                try:
                    examine(db, self.path)
                    if not is_fixed(self.path):
                        self._use_wal(db)
                except BaseException:
                    db.close()
                    raise
            if file == identity(self.path):  # and so it is the one that was opened
                return Link(db, file)
            db.close()
        raise self._moved()

    def _made(self) -> File | None:
        """Make the file where there is none, and see that it is ours."""
        for _ in range(TRIES):
            try:
                if not self.path.exists():
                    make_folder(self.path.parent)
                    with self._alone(), contextlib.suppress(FileExistsError):
                        os.close(os.open(self.path, NEW, PRIVATE))
                file = identity(self.path)
                check_owner(self.path)
            except FileNotFoundError:  # another process has just put it aside
                continue
            except OSError as error:
                why = f"cannot open {self.path} ({error.strerror or error})"
                raise PersistenceError(f"{why}: look at its folder") from error
            return file
        raise self._moved()

    def _alone(self) -> FileLock:
        """Keep other processes from making this file, or from putting it aside."""
        from filelock import FileLock

        lock = self.path.with_name(f".{self.path.name}.lock")
        return FileLock(lock, timeout=self._wait_s, mode=PRIVATE)

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

    @contextmanager
    def _telling(self, file: File | None) -> Iterator[None]:
        """Turn what SQLite says of this file into what it means for whoever uses it."""
        import sqlite3

        try:
            yield
        except (Malformed, UnicodeDecodeError) as error:  # the latter from SQLite's own messages
            raise self._put_aside(error, file) from error
        except sqlite3.Error as error:
            raise self._told(error, file) from error

    def _told(self, error: sqlite3.Error, file: File | None) -> PersistenceError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # Python's own have none
        if code in {CORRUPT, NOTADB}:
            return self._put_aside(error, file)
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

    def _moved(self) -> PersistenceError:
        error = PersistenceError(
            f"{self.path} was moved while it was in use, and nothing was saved in it: try again"
        )
        error.kind = "transient"
        return error

    def _put_aside(self, error: Exception, file: File | None) -> PersistenceError:
        target = Path(f"{self.path}{DAMAGED}{secrets.token_hex(4)}")
        try:
            return self._moved_to(target, error, file)
        except OSError as why:
            return DamagedRecord(
                f"{self.path} is damaged ({error}), and cannot be put aside ({why}): move it away",
                str(self.path),
            )

    def _moved_to(self, target: Path, error: Exception, file: File | None) -> DamagedRecord:
        with self._lock, self._alone():
            if file is None or file != identity(self.path):
                return DamagedRecord(f"{self.path} was damaged ({error}), and has been put aside")
            self._file = None
            for suffix in ("", *BESIDE):  # whoever makes a new one waits for all three
                with contextlib.suppress(FileNotFoundError):
                    Path(f"{self.path}{suffix}").replace(f"{target}{suffix}")
            shut(self._idle, os.getpid())  # now, for to close it before would change it
        return DamagedRecord(
            f"{self.path} is damaged ({error}): it now lies at {target}, and a new one begins",
            str(target),
        )


def shut(links: list[Link], process: int) -> None:
    """Close connections that this process has opened."""
    while process == os.getpid() and links:
        links.pop().db.close()
