"""One speaker, many readers, and nobody waits for anybody.

Each reader has a queue of its own. A slow one loses what it has not read, the oldest first, and is
told how much; the speaker and the other readers do not notice. A broadcaster and its readers may
be of any loops and threads.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import count
from typing import NamedTuple, Self
from weakref import ref

from agentlab.core.doors import Displayable
from agentlab.core.errors import AgentLoopError
from agentlab.core.text import clean
from agentlab.strategies.agent_events import AgentEvent

CAPACITY = 256


class Sent(NamedTuple):
    """What a reader gets: the text of it, and the event if it is one of ours."""

    frame: str
    event: AgentEvent | None = None

    @property
    def is_last(self) -> bool:
        """Whether a run has nothing to say after it."""
        return self.event is not None and self.event.is_terminal()


class Waiter(NamedTuple):
    """Somebody who waits on a loop."""

    loop: asyncio.AbstractEventLoop
    news: asyncio.Event

    def wake(self) -> None:
        """Let it look, from any thread, if its loop is still there."""
        with suppress(RuntimeError):  # it is closed
            self.loop.call_soon_threadsafe(self.news.set)


class StreamBroadcaster(Displayable):
    r"""Say things to all who have subscribed; whoever comes later has missed them.

    >>> broadcaster = StreamBroadcaster(8)
    >>> broadcaster.send_event(AgentEvent.Thought("nobody hears this"))
    0
    >>> reader = broadcaster.subscribe()
    >>> broadcaster.send_event(AgentEvent.Result("42"))
    1

    Parameters
    ----------
    capacity : int
        How much a reader may have unread.

    Raises
    ------
    AgentLoopError
        That is nothing at all.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        if not isinstance(capacity, int) or capacity < 1:
            raise AgentLoopError(f"the capacity of a broadcaster must be >= 1, got {capacity!r}")
        self.capacity = capacity
        self._readers: dict[int, ref[StreamSubscription]] = {}
        self._waiting: set[StreamSubscription] = set()  # nothing else may hold one that waits
        self._keys = count()
        self._closed = False
        # Never held while anything waits; re-entrant, because a reader that is thrown away ends
        # wherever the collector happens to run.
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        closed = ", closed" if self._closed else ""
        return f"<StreamBroadcaster {self.receiver_count()} receivers of {self.capacity}{closed}>"

    def subscribe(self, *, until_end: bool = True) -> StreamSubscription:
        """Hear all that is said from now on.

        Parameters
        ----------
        until_end : bool
            Stop after a result or an error. Otherwise only closing ends it.
        """
        with self._lock:
            key = next(self._keys)
            reader = StreamSubscription(self, key, until_end=until_end)
            if self._closed:
                reader.close()
            else:
                readers = self._readers
                readers[key] = ref(reader, lambda _: readers.pop(key, None))
        return reader

    def send(self, frame: str) -> int:
        """Say a piece of an event stream that is ready, such as ``": ping"``.

        Returns
        -------
        int
            How many hear it.
        """
        return self._send(Sent(clean(frame).rstrip("\r\n") + "\n\n"))

    def send_event(self, event: AgentEvent) -> int:
        """Say an event.

        Returns
        -------
        int
            How many hear it.
        """
        return self._send(Sent(event.to_sse(), event)) if self._readers else 0

    def receiver_count(self) -> int:
        """Count who would hear what is said now."""
        with self._lock:
            return len(self._live())

    def close(self) -> None:
        """End it: readers get what they have not read, and then the end."""
        with self._lock:
            self._closed = True
            waiters = [waiter for reader in self._live() for waiter in reader.end()]
        for waiter in waiters:
            waiter.wake()

    def _send(self, sent: Sent) -> int:
        with self._lock:
            readers = self._live()
            waiters = [waiter for reader in readers for waiter in reader.take(sent)]
        for waiter in waiters:
            waiter.wake()
        return len(readers)

    def _live(self) -> list[StreamSubscription]:
        """Give the readers that are still there, but not those whose loop went without a word."""
        for each in tuple(self._waiting):
            each.forget_the_gone()
        found = (reader() for reader in list(self._readers.values()))
        return [reader for reader in found if reader is not None]


class StreamSubscription(Displayable):
    """What one reader hears: text that is ready to be sent on, or with :meth:`events` events.

    It ends after a result or an error, unless it was to go on. It is over, and no longer counted,
    when it is closed, left (``async with``) or thrown away. Made by
    :meth:`StreamBroadcaster.subscribe`.
    """

    def __init__(self, source: StreamBroadcaster, key: int, *, until_end: bool) -> None:
        self.lag = self.lost = 0
        self._source, self._key, self._until_end = source, key, until_end
        self._lock = source._lock  # noqa: SLF001 - one lock, so that all hear in the same order
        self._unread, self._waiters = deque[Sent](), list[Waiter]()
        self._gap, self._open = 0, True

    def __repr__(self) -> str:
        lost = f", {self.lost} lost" if self.lost else ""
        ended = "" if self._open else ", ended"
        return f"<StreamSubscription {len(self._unread)} unread{lost}{ended}>"

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        """Give the next piece of an event stream; where some were lost, a comment says so."""
        sent = await self._next()
        if sent is None:
            raise StopAsyncIteration
        return f": {self.lag} lost\n\n{sent.frame}" if self.lag else sent.frame

    async def events(self) -> AsyncIterator[AgentEvent]:
        """Give the events themselves, without what else was said; leaving ends it.

        ``lag`` says how many were lost just before the last one, ``lost`` how many in all.
        """
        try:
            while (sent := await self._next()) is not None:
                if sent.event is not None:
                    yield sent.event
        finally:
            self.close()

    def close(self) -> None:
        """Hear no more, and forget what was not read."""
        with self._lock:
            waiters = self.end()
            self._unread.clear()
        for waiter in waiters:
            waiter.wake()

    async def aclose(self) -> None:
        """Do the same, as whoever iterates asks for it."""
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def take(self, sent: Sent) -> list[Waiter]:
        """Take what is said, and give whom to wake; the oldest makes room."""
        if len(self._unread) == self._source.capacity:
            self._unread.popleft()
            self._gap += 1
            self.lost += 1
        self._unread.append(sent)
        return self.end() if self._until_end and sent.is_last else self._woken()

    def end(self) -> list[Waiter]:
        """Take no more, and give whom to wake; what is there can still be read."""
        self._open = False
        self._source._readers.pop(self._key, None)  # noqa: SLF001 - they are one thing
        return self._woken()

    def forget_the_gone(self) -> None:
        """Let go of those who wait on a loop that is closed."""
        self._hold([each for each in self._waiters if not each.loop.is_closed()])

    def _woken(self) -> list[Waiter]:
        waiters = self._waiters
        self._hold([])
        return waiters

    def _hold(self, waiters: list[Waiter]) -> None:
        self._waiters = waiters
        (self._source._waiting.add if waiters else self._source._waiting.discard)(self)  # noqa: SLF001

    async def _next(self) -> Sent | None:
        while True:
            with self._lock:
                if self._unread:
                    self.lag, self._gap = self._gap, 0
                    return self._unread.popleft()
                if not self._open:
                    return None
                waiter = Waiter(asyncio.get_running_loop(), asyncio.Event())
                self._hold([*self._waiters, waiter])
            try:
                await waiter.news.wait()
            finally:
                with self._lock:
                    self._hold([each for each in self._waiters if each is not waiter])
