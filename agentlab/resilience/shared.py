"""One call that many wait for, each on a loop of its own.

The work is a task of nobody's: not of whoever came first, who may be cancelled while others still
wait. It runs on that caller's loop, for what it uses may belong there, and it is cancelled when
the last one has stopped waiting. Its end crosses loops and threads as a ``concurrent.futures``
future, which each waits for in its own way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeAlias

from agentlab.core.clock import Clock
from agentlab.core.errors import AgentLabError
from agentlab.core.sync import Raised, called, waits_well


class Given(NamedTuple):
    """What some work gave."""

    value: Any


Ended: TypeAlias = Given | Raised | None  # nothing came of it: whoever waits asks again

_within: ContextVar[tuple[object, ...]] = ContextVar("agentlab-shared", default=())


class Shared:
    """A call under way here, or, before :meth:`begin`, one that somebody else answers for.

    ``waiting`` counts who waits; whoever changes it holds a lock of theirs.
    """

    __slots__ = ("_ended", "_loop", "_stopped", "_task", "waiting")

    def __init__(self) -> None:
        self.waiting, self._stopped = 0, False
        self._task: asyncio.Task[Ended] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: Future[Ended] = Future()
        self._ended.set_running_or_notify_cancel()  # or one who leaves would cancel it for all

    @property
    def done(self) -> bool:
        """Whether it is over."""
        return self._ended.done()

    @property
    def lost(self) -> bool:
        """Whether the loop it ran on is closed, so that nothing more can come of it."""
        return self._loop is not None and self._loop.is_closed()

    def begin(self, fn: Callable[[], Any], then: Callable[[Ended], None]) -> None:
        """Start ``fn`` on this loop; ``then`` hears of its end before anybody else does."""

        def over(task: asyncio.Task[Ended]) -> None:
            ended = None if task.cancelled() else task.result()
            then(ended)
            self.end(ended)

        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._do(fn), name="agentlab-shared")
        self._task.add_done_callback(over)

    def end(self, ended: Ended) -> None:
        """Tell everybody who waits."""
        if not self._ended.done():
            self._ended.set_result(ended)

    def cancel(self) -> None:
        """Stop the work, from any thread; once, for it may be cleaning up."""
        if self._stopped or self._loop is None or self._task is None:
            return
        self._stopped = True
        try:
            self._loop.call_soon_threadsafe(self._task.cancel)
        except RuntimeError:  # the loop is closed, and took the work with it
            self.end(None)

    def heard(self) -> asyncio.Future[Ended]:
        """Give the end as a future of this loop.

        Raises
        ------
        AgentLabError
            It is asked for by its own work.
        """
        if self in _within.get():
            raise AgentLabError("this call waits for itself: its work asks for its own key")
        return asyncio.wrap_future(self._ended)

    async def heard_within(self, seconds: float, clock: Clock) -> Ended:
        """Wait for the end for so long, by ``clock``."""
        heard = self.heard()
        timer = asyncio.ensure_future(clock.sleep(seconds))
        first: set[asyncio.Future[Any]] = {heard, timer}
        try:
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            return heard.result() if heard.done() else None
        finally:
            timer.cancel()
            heard.cancel()

    async def _do(self, fn: Callable[[], Any]) -> Ended:
        _within.set((*_within.get(), self))
        try:
            return Given(await called(fn, inline=waits_well(fn)))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - it belongs to all who wait
            return Raised(error)
