"""Files that are whole or not there."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

UNABLE = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EISDIR})


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of ``target`` at the end, unless something fails.

    Raises
    ------
    OSError
        It could not be written; what was there before still is.
    """
    folder = target.parent
    new = folder / f".{target.name}.{secrets.token_hex(4)}.tmp"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with new.open("xb") as file:  # with the rights that the user's new files have
            yield file
            seal(file)
        new.replace(target)
    finally:
        with contextlib.suppress(OSError):
            new.unlink()
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
