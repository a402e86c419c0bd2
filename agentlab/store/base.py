"""What the stores share: one contract, told twice, for those who await and those who block.

A store does its work in a thread, at most a few calls at a time, and holds nothing of any loop:
several loops and threads may use it at once.
"""

from __future__ import annotations

import inspect
import os
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import datetime
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar

import msgspec

from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import InvalidValue
from agentlab.core.portable import Portable
from agentlab.core.protocols import Change
from agentlab.store.envelope import checked, plain
from agentlab.store.turns import Turns

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound="Shelf")

Bytes: TypeAlias = bytes | bytearray | memoryview
Items: TypeAlias = Mapping[str, Bytes] | Iterable[tuple[str, Bytes]]
Pairs: TypeAlias = list[tuple[str, bytes]]


class StoreRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """A stored value: how large, how often saved, when last."""

    key: str
    bytes: int
    version: int
    saved_at: datetime


class StoreStats(Portable, Displayable, msgspec.Struct, frozen=True):
    """A store at a glance; ``bytes`` is what it takes on disk, ``damaged`` what lies aside."""

    where: str
    count: int
    bytes: int
    damaged: int


Plan: TypeAlias = Callable[Concatenate[S, P], Callable[[], T]]


def blocking(plan: Plan[S, P, T]) -> Callable[Concatenate[S, P], T]:
    """Make the method that does what ``plan`` gives, here and now."""

    @wraps(plan)
    def now(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return plan(self, *args, **kwargs)()

    return _named(now, plan, "_sync")


def waiting(plan: Plan[S, P, T]) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Make the method that is awaited: arguments are checked at once, the work is elsewhere."""

    @wraps(plan)
    async def later(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        work = plan(self, *args, **kwargs)
        return work() if self.quick else await self.turns.run(work)

    return _named(later, plan, "")


def _named(method: Callable[P, T], plan: Callable[..., object], suffix: str) -> Callable[P, T]:
    name = plan.__name__.removeprefix("_") + suffix
    method.__name__, method.__qualname__ = name, f"Shelf.{name}"
    signature = inspect.signature(plan)
    result = str(signature.return_annotation)[len("Callable[[], ") : -len("]")]
    method.__signature__ = signature.replace(return_annotation=result)  # type: ignore[attr-defined]
    return method


class Shelf(Tabular, Displayable):
    """Bytes by key. Every method has a blocking twin that ends in ``_sync``.

    A key is any text of 1 to 10 000 characters that UTF-8 can hold. A value is bytes, or
    bytes-like. Both are checked before anything happens.

    A kind of store brings eight verbs of its own, ``_put`` to ``_sums``, each blocking and safe to
    call from any thread. In a forked process ``_begin`` is called before the first of them.
    """

    quick = False  # whether the verbs may be called on a loop

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self.turns = Turns()
        self._begin()

    def _begin(self) -> None:
        """Make what a forked process must not share with its parent: locks, open files."""
        self._process = os.getpid()
        self._changing = threading.local()

    def _load(self, key: str, /) -> Callable[[], bytes | None]:
        """Give the value of ``key``, or None.

        Raises
        ------
        PersistenceError
            It cannot be read. Where it is damaged its bytes are put aside, the error says
            where, and from then on the key is absent.
        """
        return partial(self._get, self._free(checked(key)))

    def _save(self, key: str, value: Bytes, /) -> Callable[[], None]:
        """Keep ``value`` under ``key``: when this returns, it is safe.

        Raises
        ------
        PersistenceError
            It could not be written; what was there before still is.
        """
        return partial(self._put, [(self._free(checked(key)), plain(value))])

    def _delete(self, key: str, /) -> Callable[[], None]:
        """Forget ``key``, if it is there."""
        return partial(self._drop, self._free(checked(key)))

    def _keys(self, prefix: str = "", /) -> Callable[[], list[str]]:
        """Give all keys that begin with ``prefix``, sorted."""
        return partial(self._list, self._free(checked(prefix) if prefix != "" else ""))

    def _update(self, key: str, change: Change, /) -> Callable[[], bytes | None]:
        """Replace the value by ``change(old, now)`` in one atomic step, and give the new one.

        No other task, thread or process comes between. ``old`` is None where nothing is kept,
        ``now`` the store's own time; to return None is to delete, to raise leaves the value as
        it was. ``change`` must be quick, must not use the store, and must have no effect but
        its result: a store may call it again when somebody else was faster.
        """
        if not callable(change):
            raise InvalidValue(f"change must be a function of (old, now), got {change!r:.80}")
        return partial(self._change, self._free(checked(key)), change)

    def _batch_save(self, items: Items, /) -> Callable[[], None]:
        """Keep several values, each whole or not at all; in SQLite, all or none of them."""
        return partial(self._put, [(self._free(checked(k)), plain(v)) for k, v in pairs_of(items)])

    def _batch_load(self, keys: Iterable[str], /) -> Callable[[], list[bytes | None]]:
        """Give several values, in the order of ``keys``."""
        if isinstance(keys, str | bytes):
            raise InvalidValue(f"keys must be several, got {keys!r:.80}: put it in a list")
        wanted = [self._free(checked(key)) for key in keys]
        return lambda: [self._get(key) for key in wanted]

    def _version(self, key: str, /) -> Callable[[], int]:
        """Tell how often ``key`` was saved since it is there; 0 where it is not."""
        return partial(self._number, self._free(checked(key)))

    def _rows(self, prefix: str = "", /) -> Callable[[], list[StoreRow]]:
        """Describe all values whose keys begin with ``prefix``, sorted, without reading them."""
        return partial(self._scan, self._free(checked(prefix) if prefix != "" else ""), None)

    def _stats(self) -> Callable[[], StoreStats]:
        """Tell how much there is."""
        self._free("")
        return self._sums

    load, load_sync = waiting(_load), blocking(_load)
    save, save_sync = waiting(_save), blocking(_save)
    delete, delete_sync = waiting(_delete), blocking(_delete)
    keys, keys_sync = waiting(_keys), blocking(_keys)
    update, update_sync = waiting(_update), blocking(_update)
    batch_save, batch_save_sync = waiting(_batch_save), blocking(_batch_save)
    batch_load, batch_load_sync = waiting(_batch_load), blocking(_batch_load)
    version, version_sync = waiting(_version), blocking(_version)
    rows, rows_sync = waiting(_rows), blocking(_rows)
    stats, stats_sync = waiting(_stats), blocking(_stats)

    def listing(self, limit: int = 100) -> list[StoreRow]:
        """Describe the first ``limit`` values, quickly enough for a card."""
        return self._scan(self._free(""), limit)

    def close(self) -> None:
        """Let go of what is open; the store may be used again."""

    def _free(self, key: str) -> str:
        if self._process != os.getpid():
            self._begin()
        if getattr(self._changing, "now", False):
            raise InvalidValue(
                f"a change must not use the store it changes, got {key!r:.80}: read it beforehand"
            )
        return key

    def _changed(self, change: Change, old: bytes | None) -> bytes | None:
        self._changing.now = True
        try:
            new = change(old, self._clock.now())
        finally:
            self._changing.now = False
        return None if new is None else plain(new)

    def _put(self, pairs: Pairs) -> None:
        raise NotImplementedError

    def _get(self, key: str) -> bytes | None:
        raise NotImplementedError

    def _drop(self, key: str) -> None:
        raise NotImplementedError

    def _list(self, prefix: str) -> list[str]:
        raise NotImplementedError

    def _change(self, key: str, change: Change) -> bytes | None:
        raise NotImplementedError

    def _number(self, key: str) -> int:
        raise NotImplementedError

    def _scan(self, prefix: str, limit: int | None) -> list[StoreRow]:
        raise NotImplementedError

    def _sums(self) -> StoreStats:
        raise NotImplementedError


def pairs_of(items: Any) -> list[tuple[Any, Any]]:
    """Give what is to be saved as keys and values, of which nothing is checked yet.

    Raises
    ------
    InvalidValue
        There are none.
    """
    pairs = []
    for each in items.items() if isinstance(items, Mapping) else items:
        match each:
            case (key, value):
                pairs.append((key, value))
            case _:
                raise InvalidValue(f"items must be pairs of key and value, got {each!r:.80}")
    return pairs
