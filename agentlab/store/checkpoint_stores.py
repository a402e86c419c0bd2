"""Where checkpoints are kept."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import threading
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec

from agentlab.core.errors import CheckpointError
from agentlab.core.files import replacing
from agentlab.core.sync import called, twin
from agentlab.store.checkpoint_format import AgentCheckpoint, document, sealed, unsealed
from agentlab.store.persistence import as_backend

T = TypeVar("T")
Ids: TypeAlias = list[str]

log = logging.getLogger("agentlab.checkpoint")

PREFIX = "checkpoint:"
SUFFIX = ".checkpoint.json"
READABLE = 80  # characters of an agent's id in a file's name
MAX_BYTES = 64_000_000


class CheckpointStore(Protocol):
    """Keeps checkpoints by id; its methods may be async or not."""

    def save(self, id: str, checkpoint: AgentCheckpoint, /) -> Awaitable[None] | None:  # noqa: A002 - what it is
        """Keep one, in the place of the one that had the id."""

    def load(
        self,
        id: str,  # noqa: A002
        /,
    ) -> Awaitable[AgentCheckpoint | None] | AgentCheckpoint | None:
        """Give one, or None; one that is damaged raises."""

    def list(self) -> Awaitable[Ids] | Ids:
        """Name all that are there."""

    def delete(self, id: str, /) -> Awaitable[None] | None:  # noqa: A002
        """Forget one, if it is there."""


class InMemoryCheckpointStore:
    """Keeps checkpoints as long as the process."""

    def __init__(self) -> None:
        self._kept: dict[str, AgentCheckpoint] = {}

    def __repr__(self) -> str:
        return f"<InMemoryCheckpointStore {len(self._kept)}>"

    async def save(self, id: str, checkpoint: AgentCheckpoint, /) -> None:  # noqa: A002
        """Keep one."""
        self._kept[id] = checkpoint

    async def load(self, id: str, /) -> AgentCheckpoint | None:  # noqa: A002
        """Give one, or None."""
        return self._kept.get(id)

    async def list(self) -> Ids:
        """Name all that are there, sorted."""
        return sorted(self._kept)

    async def delete(self, id: str, /) -> None:  # noqa: A002
        """Forget one."""
        self._kept.pop(id, None)

    save_sync = twin(save)
    load_sync = twin(load)
    list_sync = twin(list)  # noqa: A003 - the method it is
    delete_sync = twin(delete)


class FileCheckpointStore:
    """Keeps each checkpoint in a file that people can read.

    Parameters
    ----------
    folder : str or Path
        Where; it is made, for its owner only, when the first is saved.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._ids: dict[str, str] = {}  # by the name of the file
        self._writing = threading.Lock()  # for a save that nobody waits for any more

    def __repr__(self) -> str:
        return f"FileCheckpointStore({str(self.folder)!r})"

    async def save(self, id: str, checkpoint: AgentCheckpoint, /) -> None:  # noqa: A002
        """Keep one: whole, or not at all.

        Raises
        ------
        CheckpointError
            It cannot be written; the one that was there still is.
        """
        data = msgspec.json.format(sealed(id, checkpoint), indent=2) + b"\n"
        await self._done(lambda: self._replace(self._path(id), data))
        self._ids[self._path(id).name] = id

    async def load(self, id: str, /) -> AgentCheckpoint | None:  # noqa: A002
        """Give one, or None.

        Raises
        ------
        CheckpointError
            It is damaged, or from the future, or cannot be read.
        """
        path = self._path(id)
        data = await self._done(lambda: read(path))
        return None if data is None else unsealed(data, id)

    async def list(self) -> Ids:
        """Name all that are there, sorted; files that cannot be read are logged, and left."""
        return sorted(await self._done(self._named))

    async def delete(self, id: str, /) -> None:  # noqa: A002
        """Forget one."""
        path = self._path(id)

        def delete() -> None:
            with self._writing:
                path.unlink(missing_ok=True)

        await self._done(delete)

    save_sync = twin(save)
    load_sync = twin(load)
    list_sync = twin(list)  # noqa: A003 - the method it is
    delete_sync = twin(delete)

    async def _done(self, work: Callable[[], T]) -> T:
        try:
            done: T = await called(work, inline=False)
        except OSError as error:
            why = error.strerror or error
            raise CheckpointError(f"{error.filename or self.folder!s}: {why}") from error
        return done

    def _replace(self, path: Path, data: bytes) -> None:
        with self._writing:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with replacing(path) as file:
                if hasattr(os, "fchmod"):
                    os.fchmod(file.fileno(), 0o600)
                file.write(data)

    def _named(self) -> Ids:
        names = []
        with contextlib.suppress(FileNotFoundError), os.scandir(self.folder) as files:
            names = [
                file.name
                for file in files
                if file.name.endswith(SUFFIX) and file.is_file(follow_symlinks=False)
            ]
        return [id for name in names if (id := self._ids.get(name) or self._read_id(name))]  # noqa: A001

    def _read_id(self, name: str) -> str | None:
        try:
            data = read(self.folder / name)
            found = None if data is None else document(data, name).id
        except (CheckpointError, OSError) as error:
            log.warning("%s: skipped: %s", name, error)
            return None
        if found is None or self._path(found).name != name:  # gone, or a copy by another name
            return None
        self._ids[name] = found
        return found

    def _path(self, id: str) -> Path:  # noqa: A002
        agent, mark, step = id.rpartition("__step")
        readable = re.sub(r"[^A-Za-z0-9_-]", "_", agent)[:READABLE] if mark else ""
        ending = re.sub(r"[^A-Za-z0-9_-]", "_", mark + step)[:READABLE]
        digest = blake2b(id.encode(errors="surrogatepass"), digest_size=8).hexdigest()
        return self.folder / f"{readable}{ending}-{digest}{SUFFIX}"


class BackendCheckpointStore:
    """Keeps checkpoints in the same store as the sessions, under ``checkpoint:``.

    Parameters
    ----------
    store : anything that :func:`~agentlab.store.persistence.as_backend` takes
        It must be able to list its keys.
    """

    def __init__(self, store: Any) -> None:
        self.backend = as_backend(store)

    def __repr__(self) -> str:
        return f"BackendCheckpointStore({self.backend!r})"

    async def save(self, id: str, checkpoint: AgentCheckpoint, /) -> None:  # noqa: A002
        """Keep one."""
        await self.backend.save(PREFIX + id, sealed(id, checkpoint))

    async def load(self, id: str, /) -> AgentCheckpoint | None:  # noqa: A002
        """Give one, or None.

        Raises
        ------
        CheckpointError
            It is damaged, or from the future.
        """
        data = await self.backend.load(PREFIX + id)
        return None if data is None else unsealed(data, id)

    async def list(self) -> Ids:
        """Name all that are there, sorted."""
        return [key.removeprefix(PREFIX) for key in await self.backend.keys(PREFIX)]

    async def delete(self, id: str, /) -> None:  # noqa: A002
        """Forget one."""
        await self.backend.delete(PREFIX + id)

    save_sync = twin(save)
    load_sync = twin(load)
    list_sync = twin(list)  # noqa: A003 - the method it is
    delete_sync = twin(delete)


def read(path: Path) -> bytes | None:
    """Give the bytes of a file, if it is there and not too large.

    Raises
    ------
    CheckpointError
        It is too large.
    """
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise CheckpointError(f"{path.name!r} has {size} bytes, more than {MAX_BYTES}")
        return path.read_bytes()
    except FileNotFoundError:
        return None
