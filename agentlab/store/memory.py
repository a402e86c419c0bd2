"""A store that lives as long as its process."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import NamedTuple

from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.protocols import Change
from agentlab.store.base import Pairs, Shelf, StoreRow, StoreStats


class Kept(NamedTuple):
    """A value, how often it was saved, and when."""

    value: bytes
    version: int
    saved_at: datetime


class InMemoryPersistenceBackend(Shelf):
    """Keeps values in a dict: for tests, and for what need not outlive the kernel.

    Parameters
    ----------
    clock : Clock
        The time that ``update`` and the rows tell.

    Examples
    --------
    >>> store = InMemoryPersistenceBackend()
    >>> store.save_sync("greeting", b"hello")
    >>> store.update_sync("greeting", lambda old, now: old + b", world")
    b'hello, world'
    >>> store
    <InMemoryPersistenceBackend 1 key>
    """

    quick = True

    def __init__(self, *, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(clock)
        self._kept: dict[str, Kept] = {}

    def _begin(self) -> None:
        super()._begin()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        count = len(self._kept)
        return f"<InMemoryPersistenceBackend {count} key{'s' * (count != 1)}>"

    def _put(self, pairs: Pairs) -> None:
        now = self._clock.now()
        with self._lock:
            for key, value in pairs:
                self._kept[key] = Kept(value, self._version_of(key) + 1, now)

    def _get(self, key: str) -> bytes | None:
        kept = self._kept.get(key)
        return kept.value if kept else None

    def _drop(self, key: str) -> None:
        with self._lock:
            self._kept.pop(key, None)

    def _list(self, prefix: str) -> list[str]:
        with self._lock:
            return sorted(key for key in self._kept if key.startswith(prefix))

    def _change(self, key: str, change: Change) -> bytes | None:
        with self._lock:
            new = self._changed(change, self._get(key))
            if new is None:
                self._kept.pop(key, None)
            else:
                self._kept[key] = Kept(new, self._version_of(key) + 1, self._clock.now())
            return new

    def _version_of(self, key: str) -> int:
        kept = self._kept.get(key)
        return kept.version if kept else 0

    def _number(self, key: str) -> int:
        return self._version_of(key)

    def _scan(self, prefix: str, limit: int | None) -> list[StoreRow]:
        with self._lock:
            kept = sorted((k, v) for k, v in self._kept.items() if k.startswith(prefix))
        return [StoreRow(k, len(v.value), v.version, v.saved_at) for k, v in kept[:limit]]

    def _sums(self) -> StoreStats:
        with self._lock:
            size = sum(len(kept.value) for kept in self._kept.values())
            return StoreStats("memory", len(self._kept), size, 0)
