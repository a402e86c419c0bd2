"""Values in files: read, and what the system says of them told in words."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agentlab.core.errors import PersistenceError
from agentlab.core.files import opened
from agentlab.store.envelope import HEAD_LIMIT, Broken, Head, check, head_of, opened_value

LINKS = frozenset({errno.ELOOP, getattr(errno, "EMLINK", errno.ELOOP), errno.ENXIO, errno.EISDIR})
REMEDIES = {
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there",
    errno.EACCES: "allow it, or choose another folder",
    errno.EPERM: "allow it, or choose another folder",
    errno.EROFS: "choose a folder that can be written to",
    errno.EIO: "check that disk",
    errno.EMFILE: "close some files",
}


def look(path: Path, key: str, *, whole: bool = True) -> tuple[Head, bytes] | None:
    """Read a value, or only its head, if it is there.

    Raises
    ------
    Broken
        It is damaged.
    PersistenceError
        It cannot be read.
    """
    try:
        with reading(path), opened(path) as file:
            head = head_of(file.readline(HEAD_LIMIT), str(path))
            size = os.fstat(file.fileno()).st_size - file.tell()
            check(head, key, size)
            return head, opened_value(head, file.read()) if whole else b""
    except FileNotFoundError:
        return None


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


def busy(path: Path, wait_s: float) -> PersistenceError:
    """Say that somebody else does not let go."""
    error = PersistenceError(
        f"cannot write {path}: another process has held its lock for {wait_s:g} s; "
        "end that process, or try again"
    )
    error.kind = "transient"
    return error
