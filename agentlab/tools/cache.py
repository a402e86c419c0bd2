"""Results kept, so that an equal call need not be made again."""

from __future__ import annotations

import threading
from collections.abc import Awaitable
from typing import Any, NamedTuple, Protocol

import msgspec

from agentlab.core.bounds import at_least_one
from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.doors import Displayable
from agentlab.core.text import canonical, compact


class ToolCache(Protocol):
    """Keeps results by tool and arguments. Both methods may be async.

    ``get`` gives ``default`` where nothing is kept, as a dictionary would. What ``get`` raises
    counts as nothing kept, and what ``set`` raises is logged: a call never fails by its cache.
    """

    def get(self, name: str, args: Any, default: Any, /) -> Any | Awaitable[Any]:
        """Give what was kept for this call, or ``default``."""

    def set(
        self, name: str, args: Any, value: Any, /, *, ttl_s: float | None
    ) -> Awaitable[None] | None:
        """Keep ``value``, for ``ttl_s`` seconds where that is given."""


class Kept(NamedTuple):
    """A result as JSON, and when it is stale."""

    data: bytes
    until: float | None


class InMemoryToolCache(Displayable):
    """A cache that forgets what it was told first, and with the process.

    >>> cache = InMemoryToolCache(max_entries=1)
    >>> cache.set("double", {"n": 1}, 2)
    >>> cache.set("double", {"n": 2}, 4)
    >>> cache.get("double", {"n": 1}), cache.get("double", {"n": 2})
    (None, 4)

    Parameters
    ----------
    max_entries : int, optional
        How many results it keeps; without it, all of them.
    clock : Clock
        What tells when a result is stale.
    """

    def __init__(self, max_entries: int | None = None, *, clock: Clock = SYSTEM_CLOCK) -> None:
        if max_entries is not None:
            at_least_one("max_entries", max_entries, "no limit")
        self.max_entries = max_entries
        self.hits, self.misses = 0, 0
        self._kept: dict[tuple[str, str], Kept] = {}
        self._clock = clock
        self._lock = threading.Lock()  # loops share it; never held in a wait

    def __repr__(self) -> str:
        return (
            f"<InMemoryToolCache {self.entry_count()} entries, {self.hits} hits,"
            f" {self.misses} misses>"
        )

    def entry_count(self) -> int:
        """Count what is kept, stale results that nobody asked for included."""
        return len(self._kept)

    def get(self, name: str, args: Any, default: Any = None, /) -> Any:
        """Give a copy of what was kept for this call, or ``default``."""
        key = (name, canonical_text(args))
        with self._lock:
            kept = self._kept.get(key)
            if kept and kept.until is not None and self._clock.monotonic() >= kept.until:
                del self._kept[key]
                kept = None
            self.hits += kept is not None
            self.misses += kept is None
        return msgspec.json.decode(kept.data) if kept else default

    def set(self, name: str, args: Any, value: Any, /, *, ttl_s: float | None = None) -> None:
        """Keep ``value``; the oldest goes where there are too many."""
        key = (name, canonical_text(args))
        until = None if ttl_s is None else self._clock.monotonic() + ttl_s
        data = msgspec.json.encode(value)
        with self._lock:
            self._kept[key] = Kept(data, until)
            if self.max_entries is not None and len(self._kept) > self.max_entries:
                del self._kept[next(iter(self._kept))]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()


def canonical_text(args: Any) -> str:
    """Give the one text of arguments that are equal as JSON: key order does not matter.

    >>> canonical_text({"b": 1, "a": [True]})
    '{"a":[true],"b":1}'
    """
    return compact(canonical(args))
