"""Calls that wait for a disk: a few at a time, in threads, for callers on any loop."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import ContextVar
from functools import partial
from typing import Self, TypeVar

from agentlab.core.workers import ABANDONED, WORKERS

T = TypeVar("T")

AT_ONCE = 4  # threads of one store; the disk is busy with fewer


class Withdrawn(Exception):
    """Nobody waits for this call any more, and it has not changed anything."""


class Caller:
    """Who waits for a call, and whether they still do."""

    left = False


CALLER: ContextVar[Caller | None] = ContextVar("agentlab-store-caller", default=None)


def still_wanted() -> None:
    """Raise where the caller has left; asked with the lock held, just before a change.

    A cancelled save must not overwrite what is saved after it.
    """
    if (caller := CALLER.get()) and caller.left:
        raise Withdrawn


class Turns:
    """Lets a few in at a time, of whichever loops: as a lock for tasks, or into threads.

    >>> import asyncio
    >>> async def work() -> int:
    ...     async with Turns(1) as turns:
    ...         return turns.free
    >>> asyncio.run(work())
    0
    """

    def __init__(self, limit: int = AT_ONCE) -> None:
        self._limit = limit
        self._begin()

    def _begin(self) -> None:
        """Start anew, as a forked process must: it has none of those who are in."""
        self._process = os.getpid()
        self._lock = threading.Lock()  # held for a few moves
        self.free = self._limit
        self._waiting: deque[Future[None]] = deque()

    async def __aenter__(self) -> Self:
        if self._process != os.getpid():
            self._begin()
        await self._enter()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    async def run(self, work: Callable[[], T]) -> T:
        """Call ``work`` in a thread, when it is its turn."""
        caller = Caller()
        async with self:
            try:
                done: T = await WORKERS.run(partial(_called, caller, work), ABANDONED)
            except asyncio.CancelledError:
                caller.left = True
                raise
        return done

    async def _enter(self) -> None:
        with self._lock:
            if self.free:
                self.free -= 1
                return
            turn: Future[None] = Future()
            self._waiting.append(turn)
        try:
            await asyncio.wrap_future(turn)
        except asyncio.CancelledError:
            if not turn.cancel():  # it had just been given
                self._leave()
            raise

    def _leave(self) -> None:
        with self._lock:
            while self._waiting:
                turn = self._waiting.popleft()
                if turn.set_running_or_notify_cancel():
                    break
            else:
                self.free += 1
                return
        turn.set_result(None)


def _called(caller: Caller, work: Callable[[], T]) -> T:
    CALLER.set(caller)  # in a context of its own
    return work()
