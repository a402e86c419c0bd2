"""Files that are whole or not there."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from agentlab.core.errors import InvalidValue

UNABLE = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EISDIR})
PUBLIC = 0o666  # less what the user's umask takes away
PRIVATE, PRIVATE_FOLDER = 0o600, 0o700
UNFINISHED_S = 3600.0  # nobody writes one file for longer
BINARY = getattr(os, "O_BINARY", 0)
NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # nor a pipe that waits


def path_of(value: Any, name: str) -> Path:
    """Give the path that ``value`` is, absolute, so that a later ``chdir`` changes nothing.

    Raises
    ------
    InvalidValue
        It is none.
    """
    text = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(text, str) or not text or "\0" in text:
        raise InvalidValue(f"{name} must be a path, got {value!r:.80}")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise InvalidValue(f"{name} must be a path, got {text!r:.80}: {error}") from None


@contextmanager
def replacing(target: Path, mode: int = PUBLIC, *, sync: bool = True) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of ``target`` at the end, unless something fails.

    Parameters
    ----------
    target : Path
        What to replace; its folder is made where it is missing.
    mode : int
        The rights of the new file, less what the umask takes away.
    sync : bool
        Whether to wait until the disk has it. Without that the file is whole or absent after
        the process dies, but not after the power goes.

    Raises
    ------
    OSError
        It could not be written; what was there before still is. Only where the very last step
        fails, that the disk knows the name, the new one is there already.
    """
    folder = target.parent
    new = folder / f".{target.name}.{secrets.token_hex(4)}.tmp"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(
            os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY | BINARY, mode), "wb"
        ) as f:
            yield f
            if sync:
                seal(f)
        new.replace(target)
    finally:
        with contextlib.suppress(OSError):
            new.unlink()
    if sync:
        sync_folder(folder)


def seal(file: BinaryIO) -> None:
    """Wait until the disk has what was written."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the disk knows the folder's new names, where the system can do that."""
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in UNABLE:
            raise


def make_folder(folder: Path) -> None:
    """Make a folder that is nobody else's business, and wait until the disk knows it."""
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    sync_folder(folder.parent)


def opened(path: Path) -> BinaryIO:
    """Open a file to read it, if it is one: no link is followed, no pipe waited for.

    Raises
    ------
    OSError
        It cannot be read; ``ELOOP`` where it is no plain file.
    """
    import stat

    if path.is_symlink():  # where the system has no flag for it
        raise OSError(errno.ELOOP, "it is a link", str(path))
    file = os.fdopen(os.open(path, os.O_RDONLY | BINARY | NO_LINK), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.ELOOP, "it is no plain file", str(path))
    return file


def tidy(folder: Path, older_s: float = UNFINISHED_S) -> None:
    """Remove what writers that died have left; what is young may be somebody's at work."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") and entry.name.endswith(".tmp"):
                with contextlib.suppress(OSError):
                    if time.time() - entry.stat(follow_symlinks=False).st_mtime > older_s:
                        Path(entry.path).unlink()
