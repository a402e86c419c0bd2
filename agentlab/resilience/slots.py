"""What a backpressure guard gives out: a slot, a place in line, a row of figures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent import futures
from typing import Self

import msgspec

from agentlab.core.doors import Displayable
from agentlab.core.portable import Portable
from agentlab.resilience.admission import Block


class BackpressureRow(msgspec.Struct, Portable, Displayable, frozen=True):
    """One guard at one moment.

    ``waiting`` stand in line, ``peak`` is the greatest depth so far, ``acquired`` and
    ``shed_count`` are all who got a slot and who did not, ``soft_limit_hits`` those who got one
    at the soft limit or above.
    """

    capacity: int
    soft_limit: int | None
    depth: int
    available: int
    waiting: int = 0
    peak: int = 0
    acquired: int = 0
    shed_count: int = 0
    soft_limit_hits: int = 0


class Slot(Block["Slot"]):
    """One place in flight, given back once, whichever way is first; a block gives it back too.

    ``warning`` says that the soft limit was crossed by this one, and is empty otherwise.
    """

    __slots__ = ("_settle", "held", "turn", "warning")

    def __init__(self, settle: Callable[[Slot], None], turn: int, warning: str = "") -> None:
        self._settle = settle
        self.turn, self.warning, self.held = turn, warning, True

    def __repr__(self) -> str:
        return f"<Slot {'held' if self.held else 'given back'}>"

    def success(self) -> None:
        """Give it back."""
        self._settle(self)

    failure = cancel = release = success

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.success()


class Waiter(futures.Future[int]):
    """A place in line. It is of no loop, so that anybody may serve it from anywhere."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None) -> None:
        super().__init__()
        self._loop = loop

    def serve(self, turn: int) -> bool:
        """Give it a slot, unless it has left, or its loop is closed and it can never take it."""
        if self._loop is not None and self._loop.is_closed():
            return False
        if not self.set_running_or_notify_cancel():
            return False
        self.set_result(turn)
        return True
