"""Where checkpoints are kept."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec

from agentlab.core.errors import CheckpointError, NotConfigured, PersistenceError
from agentlab.core.files import opened, path_of
from agentlab.core.sync import twin
from agentlab.store.checkpoint_format import AgentCheckpoint, document, sealed, unsealed
from agentlab.store.envelope import Broken
from agentlab.store.folder import Folder, reading
from agentlab.store.persistence import as_backend
from agentlab.store.turns import Turns

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
    """Keeps each checkpoint in a file that people can read, also for several processes.

    Damaged files are moved to ``damaged`` beside the others.

    Parameters
    ----------
    folder : str or Path
        Where; it is made, for its owner only, when the first is saved.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = path_of(folder, "folder")
        self._files = Folder(self.folder)
        self._turns = Turns()
        self._ids: dict[str, str] = {}  # by the name of the file
        self._told: set[str] = set()  # which files were skipped

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
        await self._done(partial(self._put, name_of(id), data))

    async def load(self, id: str, /) -> AgentCheckpoint | None:  # noqa: A002
        """Give one, or None.

        Raises
        ------
        CheckpointError
            It is from the future, or cannot be read, or damaged: then its file is put aside,
            and the error says where.
        """
        return await self._done(partial(self._get, name_of(id), lambda data: unsealed(data, id)))

    async def list(self) -> Ids:
        """Name all that are there, sorted; damaged files are logged, and put aside."""
        return await self._done(self._list)

    async def delete(self, id: str, /) -> None:  # noqa: A002
        """Forget one."""
        await self._done(partial(self._drop, name_of(id)))

    save_sync = twin(save)
    load_sync = twin(load)
    list_sync = twin(list)  # noqa: A003 - the method it is
    delete_sync = twin(delete)

    async def _done(self, work: Callable[[], T]) -> T:
        with of_checkpoints():
            return await self._turns.run(work)

    def _put(self, name: str, data: bytes) -> None:
        with self._files.turn(name) as path:
            self._files.write(path, data)

    def _get(self, name: str, parse: Callable[[bytes], T]) -> T | None:
        path = self.folder / name
        with contextlib.suppress(Broken):  # or somebody has just replaced it
            return parsed(path, parse)
        with self._files.turn(name):
            try:
                return parsed(path, parse)
            except Broken as why:
                raise self._files.put_aside(path, why) from None

    def _drop(self, name: str) -> None:
        if self._files.has(name):
            with self._files.turn(name) as path:
                self._files.remove(path)

    def _list(self) -> Ids:
        names = self._files.names(lambda name: name.endswith(SUFFIX) and name[0] != ".")
        self._ids = {name: self._ids.get(name) or self._id_of(name) for name in names}
        return sorted(filter(None, self._ids.values()))

    def _id_of(self, name: str) -> str:
        """Read whose file it is; empty where that cannot be told."""
        try:
            found = self._get(name, lambda data: document(data, name).id)
        except PersistenceError as error:
            if name not in self._told:
                self._told.add(name)
                log.warning("skipped a checkpoint: %s", error)
            return ""
        return found if found and name_of(found) == name else ""  # a copy by another name


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
        """Keep one.

        Raises
        ------
        CheckpointError
            It cannot be written.
        """
        with of_checkpoints():
            await self.backend.save(PREFIX + id, sealed(id, checkpoint))

    async def load(self, id: str, /) -> AgentCheckpoint | None:  # noqa: A002
        """Give one, or None.

        Raises
        ------
        CheckpointError
            It is from the future, or cannot be read, or damaged: then its bytes are kept under
            ``damaged:checkpoint:``.
        """
        key = PREFIX + id
        with of_checkpoints():
            data = await self.backend.load(key)
            try:
                return None if data is None else unsealed(data, id)
            except Broken as why:
                await self._put_aside(key, data)
                raise CheckpointError(
                    f"{key!r:.80} is damaged: {why}; its bytes now lie under 'damaged:' and that"
                ) from None

    async def list(self) -> Ids:
        """Name all that are there, sorted."""
        with of_checkpoints():
            return [key.removeprefix(PREFIX) for key in await self.backend.keys(PREFIX)]

    async def delete(self, id: str, /) -> None:  # noqa: A002
        """Forget one."""
        with of_checkpoints():
            await self.backend.delete(PREFIX + id)

    async def _put_aside(self, key: str, data: bytes | None) -> None:
        await self.backend.save(f"damaged:{key}", data or b"")
        try:  # not what somebody has saved there meanwhile
            await self.backend.update(key, lambda old, _: None if old == data else old)
        except NotConfigured:
            await self.backend.delete(key)

    save_sync = twin(save)
    load_sync = twin(load)
    list_sync = twin(list)  # noqa: A003 - the method it is
    delete_sync = twin(delete)


def parsed(path: Path, parse: Callable[[bytes], T]) -> T | None:
    """Read a file, if it is there and not too large.

    Raises
    ------
    Broken
        It is damaged.
    PersistenceError
        It is too large, from the future, or cannot be read.
    """
    try:
        with reading(path), opened(path) as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    if len(data) > MAX_BYTES:
        raise PersistenceError(f"{path} is larger than the {MAX_BYTES} bytes of a checkpoint")
    return parse(data)


def name_of(id: str) -> str:  # noqa: A002
    """Give the file name of a checkpoint, in which its agent and its step can be read.

    >>> name_of("a/1__step10")
    'a_1__step10-4ba7564c8e915020.checkpoint.json'
    """
    agent, mark, step = id.rpartition("__step")
    readable = re.sub(r"[^A-Za-z0-9_-]", "_", agent)[:READABLE] if mark else ""
    ending = re.sub(r"[^A-Za-z0-9_-]", "_", mark + step)[:READABLE]
    digest = blake2b(id.encode(errors="surrogatepass"), digest_size=8).hexdigest()
    return f"{readable}{ending}-{digest}{SUFFIX}"


@contextmanager
def of_checkpoints() -> Iterator[None]:
    """Raise what goes wrong with a checkpoint as what its caller expects."""
    try:
        yield
    except CheckpointError:
        raise
    except PersistenceError as error:
        told = CheckpointError(*error.args)
        told.kind = error.kind
        raise told from error
