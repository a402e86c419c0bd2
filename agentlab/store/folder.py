"""A folder of files that several processes change: each whole or not there, damage put aside."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zlib import crc32

from agentlab.core.errors import DamagedRecord, PersistenceError
from agentlab.core.files import PRIVATE, make_folder, replacing, sync_folder, tidy
from agentlab.store.envelope import Broken
from agentlab.store.turns import still_wanted

STRIPES = 64
DAMAGED, LOCKS = "damaged", ".locks"
POLL_S, LOCK_S = 0.002, 30.0
LINKS = frozenset({errno.ELOOP, getattr(errno, "EMLINK", errno.ELOOP), errno.ENXIO, errno.EISDIR})
REMEDIES = {
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
    errno.EACCES: "allow it, or choose another folder",
    errno.EPERM: "allow it, or choose another folder",
    errno.EROFS: "choose a folder that can be written to",
    errno.EEXIST: "choose a folder, not a file",
    errno.ENOTDIR: "choose a folder, not a file",
    errno.EIO: "check that disk",
    errno.EMFILE: "close some files",
}


class Folder:
    """Where files are changed by one thread of one process at a time, and read by anybody.

    Parameters
    ----------
    path : Path
        The folder. It is made, for nobody else to read, when something is first written.
    sync : bool
        Whether a change waits until the disk has it.
    """

    def __init__(self, path: Path, *, sync: bool = True) -> None:
        self.path, self._sync = path, sync
        self._begin()

    def _begin(self) -> None:
        """Make what a forked process must not share with its parent."""
        self._process = os.getpid()
        self._tidied = False
        self._stripes = [threading.Lock() for _ in range(STRIPES)]
        self._locks: dict[int, Any] = {}

    @contextmanager
    def turn(self, name: str) -> Iterator[Path]:
        """Be the only one, of all threads and processes, who changes a file."""
        with self._stripe(name) as stripe:
            path = self.path / name
            lock = self._lock(stripe, path)
            try:
                still_wanted()
                yield path
            finally:
                with contextlib.suppress(OSError):  # of its closing, after which it is free
                    lock.release()

    def has(self, name: str) -> bool:
        """Tell whether a file is there, once this process's writers are through with it."""
        with self._stripe(name):  # a save that was given up may be at work
            return os.path.lexists(self.path / name)

    def write(self, path: Path, *parts: bytes) -> None:
        """Put a new file in the place of ``path``; to be called in its turn."""
        with writing(path), replacing(path, PRIVATE, sync=self._sync) as file:
            for part in parts:
                file.write(part)

    def remove(self, path: Path) -> None:
        """Delete a file; to be called in its turn."""
        with writing(path, "delete"):
            path.unlink(missing_ok=True)
            if self._sync:
                sync_folder(self.path)

    def put_aside(self, path: Path, why: Broken) -> DamagedRecord:
        """Move a damaged file out of the way, and say so; to be called in its turn."""
        aside = self.path / DAMAGED
        target = aside / f"{path.name}.{secrets.token_hex(4)}"
        with writing(path, "put aside the damaged"):
            make_folder(aside)
            if aside.is_symlink():
                raise OSError(errno.ELOOP, f"{aside} leads elsewhere")
            path.replace(target)
        return DamagedRecord(
            f"{path} is damaged: {why}; its bytes now lie at {target}, and nothing in its place",
            str(target),
        )

    def names(self, wanted: Callable[[str], bool]) -> list[str]:
        """Name the files that may be ours."""
        self.tidy()
        try:
            with reading(self.path), os.scandir(self.path) as entries:
                return [entry.name for entry in entries if wanted(entry.name)]
        except FileNotFoundError:
            return []

    def damaged(self) -> int:
        """Count what lies aside."""
        aside = self.path / DAMAGED
        with reading(aside):
            return len(list(aside.iterdir())) if aside.is_dir() else 0

    def tidy(self) -> None:
        """Remove, once, what writers that died have left."""
        if not self._tidied:
            self._tidied = True
            tidy(self.path)

    @contextmanager
    def _stripe(self, name: str) -> Iterator[int]:
        """Be the only one of this process."""
        if self._process != os.getpid():
            self._begin()
        stripe = crc32(name.encode(errors="surrogateescape")) % STRIPES
        mine = self._stripes[stripe]
        if not mine.acquire(timeout=LOCK_S):
            raise busy(self.path / name)
        try:
            yield stripe
        finally:
            mine.release()

    def _lock(self, stripe: int, path: Path) -> Any:
        from filelock import FileLock, Timeout

        folder = self.path / LOCKS
        with writing(path):
            make_folder(self.path)
            make_folder(folder)
            target = folder / f"{stripe:02}.lock"
            if folder.is_symlink() or target.is_symlink():
                raise OSError(errno.ELOOP, f"{target} leads elsewhere")
            if stripe not in self._locks:
                self._locks[stripe] = FileLock(target, mode=PRIVATE, thread_local=False)
            try:
                self._locks[stripe].acquire(timeout=LOCK_S, poll_interval=POLL_S)
            except Timeout:
                raise busy(path) from None
        self.tidy()
        return self._locks[stripe]


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what the system says into what it means for whoever reads ``path``."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in LINKS:
            raise Broken("it is a link or a device, not a file") from None
        raise unable("read", path, error) from error


@contextmanager
def writing(path: Path, verb: str = "write") -> Iterator[None]:
    """Do the same for whoever writes it."""
    try:
        yield
    except OSError as error:
        raise unable(verb, path, error) from error


def unable(verb: str, path: Path, error: OSError) -> PersistenceError:
    """Say what could not be done, why, and what would help."""
    remedy = REMEDIES.get(error.errno or 0, "look at that folder")
    return PersistenceError(f"cannot {verb} {path} ({error.strerror or error}): {remedy}")


def busy(path: Path) -> PersistenceError:
    """Say that somebody else does not let go."""
    error = PersistenceError(
        f"cannot write {path}: another process has held its lock for {LOCK_S:g} s; "
        "end that process, or try again"
    )
    error.kind = "transient"
    return error
