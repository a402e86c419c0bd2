"""How often a tool was called, how often in vain, and how long it took."""

from __future__ import annotations

import threading

import msgspec

from agentlab.core.doors import Displayable
from agentlab.core.portable import Portable


class ToolRow(msgspec.Struct, Portable, Displayable, frozen=True):
    """One tool of a registry, and what came of it so far."""

    name: str
    description: str
    arguments: str
    calls: int = 0
    errors: int = 0
    mean_ms: float = 0.0
    permissions: tuple[str, ...] = ()


class Tally:
    """Counts the calls of one tool, from any thread."""

    __slots__ = ("_lock", "_ms", "calls", "errors")

    def __init__(self) -> None:
        self.calls, self.errors, self._ms = 0, 0, 0.0
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Tally {self.calls} calls, {self.errors} errors>"

    def add(self, ms: float, *, failed: bool) -> None:
        """Count one call."""
        with self._lock:
            self.calls += 1
            self.errors += failed
            self._ms += ms

    def read(self) -> tuple[int, int, float]:
        """Give calls, errors and the mean milliseconds, 0 where there were no calls."""
        with self._lock:
            return self.calls, self.errors, self._ms / self.calls if self.calls else 0.0
