"""Files of models: joined, checked against their digest, whole or not there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from agentlab.core.errors import PersistenceError
from agentlab.core.files import replacing

BLOCK = 1 << 20
MAGIC = b"GGUF"


def join(sources: Iterable[BinaryIO], target: Path, sha256: str) -> Path:
    """Write the sources one after the other as ``target``, if that is what it should be.

    Raises
    ------
    PersistenceError
        The digest is another one, and nothing was kept; or the folder cannot be written to.
    """
    digest = hashlib.sha256()
    try:
        with replacing(target) as file:
            for source in sources:
                for block in iter(lambda: source.read(BLOCK), b""):  # noqa: B023 - used at once
                    digest.update(block)
                    file.write(block)
            check_digest(target.name, digest.hexdigest(), sha256)
    except OSError as error:
        raise unwritable(target.parent, error) from error
    return target


def unwritable(folder: Path, error: OSError) -> PersistenceError:
    """Say why nothing could be written."""
    return PersistenceError(
        f"cannot write to {folder} ({error.strerror or error}): "
        "make room there, or set AGENTLAB_CACHE to another folder"
    )


def check_digest(what: str, found: str, wanted: str | None) -> None:
    """Raise unless the digest is the wanted one, where one is."""
    if wanted and found != wanted.lower():
        raise PersistenceError(
            f"{what} is not what it should be: its sha256 is {found}, not {wanted}; "
            "nothing of it is kept"
        )


def digest_of(path: Path) -> str:
    """Give the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_magic(path: Path, what: str) -> None:
    """Raise unless the file is a GGUF, as a page that asks for a login is not."""
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if start != MAGIC:
        raise PersistenceError(f"{what} is not a GGUF file: it begins with {start!r}")
