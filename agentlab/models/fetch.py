"""A download that goes on where it stopped, and is whole and what it should be at the end.

``<file>.part`` holds what has come so far, ``<file>.part.json`` what the server called it. The
server is asked for the rest of that very thing; if it has changed, or the server only gives whole
files, the download begins again.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from agentlab.core.errors import PersistenceError, ProviderError
from agentlab.core.files import seal, sync_folder
from agentlab.models.catalogue import shown
from agentlab.models.files import (
    check_digest,
    check_magic,
    digest_of,
    unwritable,
)

if TYPE_CHECKING:
    import httpx

Progress: TypeAlias = Callable[[int, int | None], None]

PARTIAL = 206
GONE = 416
MAX_REFUSED = 3
TIMEOUT_S = 30.0
log = logging.getLogger("agentlab.models")


class Label(msgspec.Struct, frozen=True):
    """What a server calls the thing that it gives."""

    thing: str = ""
    validator: str = ""
    total: int | None = None


class Partial:
    """What has come so far of a file."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f"{target.name}.part")
        self._label = target.with_name(f"{target.name}.part.json")

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self.path.stat().st_size if self.path.exists() else 0

    def label(self) -> Label:
        """Read what it is part of; an empty label where that is unknown."""
        try:
            return msgspec.json.decode(self._label.read_bytes(), type=Label)
        except (OSError, msgspec.DecodeError):
            return Label()

    def begin(self, label: Label) -> None:
        """Forget what was there, and keep the name of what is coming."""
        self.path.write_bytes(b"")
        self._label.write_bytes(msgspec.json.encode(label))

    def forget(self) -> None:
        """Begin again; the file stays, for it is what other processes see."""
        self.begin(Label())

    def drop(self) -> None:
        """Remove it."""
        self.path.unlink(missing_ok=True)
        self._label.unlink(missing_ok=True)

    def become(self, target: Path) -> None:
        """Take the place of ``target``."""
        self.path.replace(target)
        self._label.unlink(missing_ok=True)
        sync_folder(target.parent)


def download(
    url: str, target: Path, *, sha256: str | None = None, progress: Progress = lambda *_: None
) -> Path:
    """Fetch ``url`` as ``target``.

    Parameters
    ----------
    url : str
        What to fetch.
    target : path
        Where it is to be.
    sha256 : str, optional
        What its digest must be.
    progress : callable
        Is told how many bytes are there, and how many there will be if that is known.

    Raises
    ------
    ProviderError
        The server cannot be reached, or says no.
    PersistenceError
        It is not what it should be, it cannot be written, or another process is fetching it.
    """
    partial = Partial(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with alone(partial.path):
            try:
                _fetch(url, partial, progress)
                check_digest(shown(url), digest_of(partial.path) if sha256 else "", sha256)
                check_magic(partial.path, shown(url))
            except PersistenceError:
                partial.drop()
                raise
            finally:
                if not partial.size:
                    partial.drop()
            partial.become(target)
    except OSError as error:
        raise unwritable(target.parent, error) from error
    return target


def _fetch(url: str, partial: Partial, progress: Progress) -> None:
    import httpx

    with httpx.Client(follow_redirects=True, timeout=TIMEOUT_S) as client:
        refused = 0
        while refused < MAX_REFUSED:
            before = partial.size
            try:
                if _go_on(client, url, partial, progress):
                    return
                refused += 1
            except httpx.RequestError as error:
                if partial.size <= before:  # no further than the last time
                    raise _unreachable(url, error, partial) from error
                log.info("%s broke off (%s), going on …", shown(url), error)
            except httpx.InvalidURL as error:
                raise ProviderError(f"{shown(url)!r} is no URL: {error}") from error
    raise ProviderError(
        f"{shown(url)} gives neither the whole file nor the part that was asked for"
    )


def _go_on(client: httpx.Client, url: str, partial: Partial, progress: Progress) -> bool:
    """Ask for what is missing; tell whether all of it is there now."""
    label, have = partial.label(), partial.size
    headers = {"Accept-Encoding": "identity"}  # the range counts the bytes as they are sent
    if have and label.thing == thing_at(url) and label.validator:
        if have == label.total:
            return True  # only the last move was missing
        headers |= {"Range": f"bytes={have}-", "If-Range": label.validator}
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == GONE and "Range" in headers:
            partial.forget()
            return False
        if response.is_error:
            raise ProviderError(
                f"{shown(url)} answered {response.status_code}", status=response.status_code
            )
        if response.status_code != PARTIAL:
            label = _label_of(url, response)
            partial.begin(label)
        elif not _continues(response, have, label.total):
            partial.forget()
            return False
        _take(response, partial, label.total, progress)
    return True


def _take(
    response: httpx.Response, partial: Partial, total: int | None, progress: Progress
) -> None:
    import httpx

    have = partial.size
    with partial.path.open("ab") as file:
        progress(have, total)
        for block in response.iter_raw(1 << 18):
            file.write(block)
            have += len(block)
            progress(have, total)
        seal(file)
    if total is not None and have != total:
        raise httpx.RemoteProtocolError(f"it ended after {have} of {total} bytes")


def _label_of(url: str, response: httpx.Response) -> Label:
    tag = response.headers.get("etag", "")
    validator = (
        tag if tag and not tag.startswith("W/") else response.headers.get("last-modified", "")
    )
    length = response.headers.get("content-length", "")
    return Label(thing_at(url), validator, int(length) if length.isdecimal() else None)


def _continues(response: httpx.Response, have: int, total: int | None) -> bool:
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("content-range", ""))
    return found is not None and int(found[1]) == have and found[2] in ("*", str(total))


def thing_at(url: str) -> str:
    """Give a name for what a URL stands for; the URL itself may hold a key, and is not kept."""
    return hashlib.sha256(url.encode()).hexdigest()


def _unreachable(url: str, error: Exception, partial: Partial) -> ProviderError:
    kept = f"; {partial.size} bytes are kept, and the next try goes on from there"
    why = f"{type(error).__name__}: {error}"
    return ProviderError(
        f"could not fetch {shown(url)} ({why}){kept if partial.size else ''}: "
        "is this machine offline? A file that is there already works by its path",
        transient=True,
    )


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a file so that no other process fetches it too, where the system can do that."""
    try:
        import fcntl
    except ImportError:  # not on Windows, where an open file cannot be replaced anyway
        yield
        return
    with path.open("ab") as file:
        held = False
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Else it was let go, and moved away, between the opening and the locking.
            held = path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno()))
        if not held:
            raise PersistenceError(f"{path.name} is being fetched by another process")
        yield
