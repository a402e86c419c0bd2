"""A run under way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from typing import Any

from agentlab.core.approval import Approvals, PendingCalls
from agentlab.core.doors import Explorable, Watchable
from agentlab.core.errors import WrongThread
from agentlab.core.events import Entry, ReActStep, StepEnded
from agentlab.core.protocols import Verdict
from agentlab.core.session import AgentSession
from agentlab.core.sync import ENDINGS, Raised, carried, closing, in_loop, on_portal, portal
from agentlab.core.trace import Trace


class RunHandle(Watchable, Explorable):
    """Await it from any loop, block on it from any thread, stop it, or watch its entries.

    How it ends for the caller: after :meth:`stop`, with the partial session; an error is
    raised with ``.session`` attached; cancelling whoever awaits it stops the run as well.

    Parameters
    ----------
    work : coroutine
        Takes the run to its end and gives the session.
    session, trace
        Of the run.
    background : bool
        Run on the portal, though a loop runs here.
    over : callable
        Called once, however it ends.
    approvals : Approvals, optional
        Where its calls wait for a person.
    view : str
        Which live view fits it, where its strategy says that: ``debate``, ``team`` or ``swarm``.
    """

    def __init__(  # noqa: PLR0913 - of one run
        self,
        work: Coroutine[Any, Any, AgentSession],
        session: AgentSession,
        trace: Trace,
        *,
        background: bool = False,
        over: Callable[[], object] = lambda: None,
        approvals: Approvals | None = None,
        view: str = "",
    ) -> None:
        self.session, self.trace, self.view = session, trace, view
        self._approvals = approvals or Approvals(asks=False)
        self._work = work
        self._end: Future[AgentSession] = Future()
        self._end.add_done_callback(lambda _: over())  # also if the work never began
        self._stopping = False
        if on_portal() or (not background and in_loop()):
            self._begin()
        else:
            portal().call(self._begin)

    def __repr__(self) -> str:
        return repr(self.session).replace("AgentSession", "RunHandle", 1)

    def __await__(self) -> Generator[Any, None, AgentSession]:
        return self._wait().__await__()

    async def __aiter__(self) -> AsyncIterator[Entry]:
        """Give every entry from the first one, until the run is over."""
        bell, seen = Bell(), 0
        self.trace.attach(bell)
        self._end.add_done_callback(bell)
        try:
            while True:
                over = self.done()  # asked first, so that no last entry slips through
                for entry in self.trace.entries[seen:]:
                    seen += 1
                    yield entry
                if over:
                    return
                await bell.heard()
        finally:
            self.trace.detach(bell)

    async def steps(self) -> AsyncIterator[ReActStep]:
        """Give each step of the run when it ends, from the first one, until the run is over.

        >>> async def watch(handle: RunHandle) -> None:
        ...     async for step in handle.steps():
        ...         print(step.action)
        """
        async with closing(self.__aiter__()) as entries:
            async for entry in entries:
                if entry.parent is None and isinstance(entry.event, StepEnded):
                    yield entry.event.step

    async def over(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 - gives up, kills nothing
        """Wait until it is over, however it ends; this raises nothing and stops nothing."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._over()
        return self.done()

    def done(self) -> bool:
        """Tell whether it is over."""
        return self._end.done()

    def stop(self) -> None:
        """End it here; once it is over, or stopped already, this does nothing."""
        if not self.done() and not self._stopping:
            self._stopping = True
            with suppress(RuntimeError):  # its loop is closed, so it is as stopped as can be
                self._loop.call_soon_threadsafe(self._task.cancel)

    def pending(self) -> PendingCalls:
        """List the tool calls that wait for an answer, the longest first; of runs below too."""
        return self._approvals.pending()

    def answer(self, call_id: str, decision: bool | Verdict) -> None:  # noqa: FBT001 - yes or no
        """Let a call be made that waits, change it, or refuse it; from any thread.

        >>> def answer_all(handle: RunHandle) -> None:
        ...     for call in handle.pending():
        ...         handle.answer(call.call_id, call.tool != "delete")

        Parameters
        ----------
        call_id : str
            That of a pending call.
        decision : bool, Approve, Edit or Refuse
            ``Edit(args)`` lets it be made with other arguments, ``Refuse(reason)`` tells the
            model why not.

        Raises
        ------
        InvalidValue
            No such call waits (any more), or it is no decision.
        """
        self._approvals.answer(call_id, decision)

    def result(self, timeout: float | None = None) -> AgentSession:
        """Block until it is over.

        Raises
        ------
        WrongThread
            This thread runs it, and would wait for itself.
        """
        if threading.get_ident() == self._thread and not self.done():
            raise WrongThread("this thread runs the loop the run is on: await the handle")
        return self._end.result(timeout)

    async def _wait(self) -> AgentSession:
        try:
            await self._over()
        except asyncio.CancelledError:
            self.stop()
            raise
        if self._end.cancelled():
            raise asyncio.CancelledError
        return self._end.result()

    async def _over(self) -> None:
        bell = Bell()
        self._end.add_done_callback(bell)
        await bell.heard()

    def _begin(self) -> None:
        self._thread = threading.get_ident()
        self._loop = asyncio.get_running_loop()
        context = copy_context()  # what it was started from may end before it does
        context.run(ENDINGS.set, (lambda: self._stopping,))
        self._task = self._loop.create_task(carried(self._work), context=context)
        self._task.add_done_callback(self._settle)

    def _settle(self, task: asyncio.Task[AgentSession | Raised]) -> None:
        if task.cancelled() and self._stopping:
            self._end.set_result(self.session)
        elif task.cancelled():
            self._end.cancel()
        elif isinstance(ended := task.result(), Raised):
            self._end.set_exception(ended.error)
        else:
            self._end.set_result(ended)


class Bell:
    """Rung from any thread, heard on the loop it was made on, for as long as there is that loop.

    Ringing costs next to nothing while nobody has come for what it was rung for last.
    """

    def __init__(self) -> None:
        self._rung, self._ringing = asyncio.Event(), False
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()

    def __call__(self, _: object) -> None:
        """Ring."""
        if self._ringing:
            return
        self._ringing = True
        with suppress(RuntimeError):  # the loop is closed
            if threading.get_ident() == self._thread:
                self._rung.set()
            else:
                self._loop.call_soon_threadsafe(self._rung.set)

    async def heard(self) -> None:
        """Wait until it is rung; whatever happens after this rings it anew."""
        await self._rung.wait()
        self._rung.clear()
        self._ringing = False
