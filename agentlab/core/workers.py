"""Threads for blocking calls: reused, few, and never in the way of an exit.

A thread cannot be stopped. A call whose caller has left (a time-out, a Stop button) goes on in its
thread, counts against the limit until it ends, and is known as an orphan meanwhile. The threads
are daemons, so that a call that never ends does not keep the process alive.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

LIMIT = 64
IDLE_S = 10.0

log = logging.getLogger("agentlab.workers")


class Orphans:
    """How many calls that nobody waits for any more are still running."""

    __slots__ = ("_lock", "count")

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Orphans {self.count}>"

    def add(self, change: int) -> None:
        """Count one more, or one less."""
        with self._lock:
            self.count += change


@dataclass(eq=False, slots=True)
class Job:
    """A blocking call, who waits for it, and whether they still do."""

    work: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]
    orphans: Orphans
    running: bool = False
    left: bool = False


class Workers:
    """A pool of threads for every loop of the process.

    Parameters
    ----------
    limit : int
        How many threads there may be. Calls beyond it wait, and the log says so.
    idle_s : float
        How long a thread without work is kept.
    """

    def __init__(self, limit: int = LIMIT, idle_s: float = IDLE_S) -> None:
        self._limit, self._idle_s = limit, idle_s
        self.begin()

    def begin(self) -> None:
        """Forget all threads, as a forked process must, which has none of them."""
        self._lock = threading.Lock()  # held for a few moves, never in a call
        self._idle: list[SimpleQueue[Job]] = []
        self._waiting: deque[Job] = deque()
        self._threads = 0
        self._orphans = 0

    def __repr__(self) -> str:
        return f"<Workers {self._threads}/{self._limit}, {self._orphans} orphaned>"

    async def run(self, work: Callable[[], Any], orphans: Orphans) -> Any:
        """Call ``work`` in a thread; whoever stops waiting leaves an orphan behind."""
        loop = asyncio.get_running_loop()
        job = Job(partial(copy_context().run, work), loop, loop.create_future(), orphans)
        self._submit(job)
        try:
            return await job.answer
        except asyncio.CancelledError:
            self._leave(job)
            raise

    def _submit(self, job: Job) -> None:
        inbox, started = None, False
        with self._lock:
            if self._idle:
                inbox = self._idle.pop()
            elif self._threads < self._limit:
                inbox, started = SimpleQueue(), True
                self._threads += 1
            else:
                self._waiting.append(job)
        if inbox is None:
            self._warn()
            return
        inbox.put(job)
        if started:
            self._start(inbox)

    def _start(self, inbox: SimpleQueue[Job]) -> None:
        thread = threading.Thread(
            target=self._serve, args=(inbox,), name="agentlab-worker", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:  # the system has no more
            with self._lock:
                self._threads -= 1
            raise

    def _warn(self) -> None:
        if len(self._waiting) == 1:  # the first of a queue speaks for it
            log.warning(
                "all %d worker threads are busy, %d of them with calls that were given up: "
                "calls wait until one is free",
                self._limit,
                self._orphans,
            )

    def _leave(self, job: Job) -> None:
        with self._lock:
            job.left = True  # a finished one is late by an instant only
            if job.running:
                self._orphans += 1
                job.orphans.add(1)

    def _serve(self, inbox: SimpleQueue[Job]) -> None:
        job: Job | None = inbox.get()
        while job:
            then = self._do(job, inbox)
            job = None  # an idle thread holds on to nothing
            job = then or self._idle_for(inbox)

    def _do(self, job: Job, inbox: SimpleQueue[Job]) -> Job | None:
        """Make one call, and give the one that waits for a thread, if there is one."""
        with self._lock:
            job.running = not job.left  # or it was given up before it began
        result, error = outcome(job.work) if job.running else (None, None)
        with self._lock:
            if job.left and job.running:
                self._orphans -= 1
                job.orphans.add(-1)
            job.running = False
            # Free before the caller knows, so that its next call finds this thread.
            then = self._waiting.popleft() if self._waiting else None
            if then is None:
                self._idle.append(inbox)
        try:
            job.loop.call_soon_threadsafe(deliver, job.answer, result, error)
        except RuntimeError:  # the loop is closed
            drop(result)
        return then

    def _idle_for(self, inbox: SimpleQueue[Job]) -> Job | None:
        try:
            return inbox.get(timeout=self._idle_s)
        except Empty:
            with self._lock:
                if inbox in self._idle:
                    self._idle.remove(inbox)
                    self._threads -= 1
                    return None
        return inbox.get()  # one was on its way


def outcome(work: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """Call ``work`` and give its result, or what it raised."""
    try:
        return work(), None
    except StopIteration as error:  # no future can hold one
        odd = RuntimeError("the call raised StopIteration")
        odd.__cause__ = error
        return None, odd
    except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
        return None, error


def deliver(answer: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    """Give the waiting task what came out, if it still waits."""
    if answer.done():
        drop(result)
    elif error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)


def drop(result: Any) -> None:
    """Let a result go that nobody takes; a coroutine would complain of it."""
    if inspect.iscoroutine(result):
        result.close()


WORKERS = Workers()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=WORKERS.begin)
ABANDONED = Orphans()  # of the calls that nobody counts for themselves
