"""Whatever can keep bytes, as a store."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from agentlab.core.doors import Displayable
from agentlab.core.errors import InvalidValue, NotConfigured
from agentlab.core.protocols import Change, Store
from agentlab.core.sync import settled, twin

NEEDED = ("save", "load", "delete")
WHOLE = (*NEEDED, "keys", "update", "batch_save", "batch_load")


class BatchStore(Store, Protocol):
    """A store that takes and gives many values at once."""

    async def batch_save(self, items: Mapping[str, bytes], /) -> None:
        """Keep each value, in this order."""

    async def batch_load(self, keys: Iterable[str], /) -> list[bytes | None]:
        """Give the value of each key, in this order."""


class Backend(Displayable):
    """A user's own backend as a store: its methods may be async or not.

    One that is not is called where the run is, so it should be quick.

    Parameters
    ----------
    inner : object with save, load and delete
        Where the bytes go. Its ``batch_save`` and ``batch_load`` are used where it has them;
        ``keys`` and ``update`` need its own.
    """

    def __init__(self, inner: Any) -> None:
        lacks = [name for name in NEEDED if not callable(getattr(inner, name, None))]
        if lacks or isinstance(inner, type):
            gap = f"which lacks {', '.join(lacks)}" if lacks else "which is a class: make one"
            raise InvalidValue(f"a store has save, load and delete, got {inner!r}, {gap}")
        self.inner = inner
        self.batches = hasattr(inner, "batch_save")

    def __repr__(self) -> str:
        return f"Backend({self.inner!r})"

    async def save(self, key: str, value: bytes, /) -> None:
        """Keep ``value``."""
        await settled(self.inner.save(key, value))

    async def load(self, key: str, /) -> bytes | None:
        """Give what is kept, or None."""
        found: bytes | None = await settled(self.inner.load(key))
        return found

    async def delete(self, key: str, /) -> None:
        """Keep nothing."""
        await settled(self.inner.delete(key))

    async def batch_save(self, items: Mapping[str, bytes], /) -> None:
        """Keep each value, in this order."""
        if self.batches:
            await settled(self.inner.batch_save(items))
            return
        for key, value in items.items():
            await self.save(key, value)

    async def batch_load(self, keys: Iterable[str], /) -> list[bytes | None]:
        """Give the value of each key, in this order."""
        if hasattr(self.inner, "batch_load"):
            return list(await settled(self.inner.batch_load(keys)))
        return [await self.load(key) for key in keys]

    async def keys(self, prefix: str = "", /) -> list[str]:
        """List the keys that begin so, sorted.

        Raises
        ------
        NotConfigured
            The backend cannot list.
        """
        return sorted(await settled(self._own("keys")(prefix)))

    async def update(self, key: str, change: Change, /) -> bytes | None:
        """Replace a value by a function of it and of the store's time.

        Raises
        ------
        NotConfigured
            The backend has no such step.
        """
        new: bytes | None = await settled(self._own("update")(key, change))
        return new

    save_sync, load_sync, delete_sync = twin(save), twin(load), twin(delete)
    batch_save_sync, batch_load_sync = twin(batch_save), twin(batch_load)
    keys_sync, update_sync = twin(keys), twin(update)

    def _own(self, name: str) -> Any:
        own = getattr(self.inner, name, None)
        if own is None:
            raise NotConfigured(
                f"{name}() of {type(self.inner).__name__}",
                "this needs a whole store: memory, files or SQLite",
            )
        return own


def as_backend(store: Any) -> BatchStore:
    """Give whatever ``store=`` may be as a store.

    Parameters
    ----------
    store : Store, PersistenceBackend or path
        A store is given back as it is; what has only ``save``, ``load`` and ``delete``, async or
        not, as a :class:`Backend`; a path as a SQLite store there.

    Raises
    ------
    InvalidValue
        It cannot keep anything; the message names what it lacks.
    NotConfigured
        It is the address of an object store.
    """
    if isinstance(store, str) and "://" in store:
        raise NotConfigured("store", f"object stores are not there yet, got {store!r}: use a path")
    if isinstance(store, str | Path):
        from agentlab.store.sqlite import SqlitePersistenceBackend

        kept: BatchStore = SqlitePersistenceBackend(Path(store))
        return kept
    if isinstance(store, type) or not all(waits(getattr(store, name, None)) for name in WHOLE):
        return Backend(store)
    whole: BatchStore = store
    return whole


def waits(method: Any) -> bool:
    """Tell whether calling it gives what must be awaited."""
    return inspect.iscoroutinefunction(method)
