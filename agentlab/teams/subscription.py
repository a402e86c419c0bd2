"""One reader of a bus: what waits for it, and how it waits."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from agentlab.core.sync import twin
from agentlab.teams.messages import AgentMessage, BusClosed, BusLagged

if TYPE_CHECKING:
    from typing import Self

Wants = Callable[[AgentMessage], bool]


class Inbox:
    """What waits for one reader. The bus fills it, the reader empties it, from any thread."""

    __slots__ = ("_capacity", "_closed", "_lock", "_lost", "_queue", "_waiting", "agent", "lost",
                 "received", "roles", "wants")  # fmt: skip

    def __init__(self, agent: str, roles: tuple[str, ...], capacity: int, wants: Wants) -> None:
        self.agent, self.roles, self.wants = agent, roles, wants
        self.lost, self.received = 0, 0
        self._capacity, self._closed, self._lost = capacity, False, 0
        self._queue: deque[AgentMessage] = deque()
        self._waiting: list[Future[None]] = []
        self._lock = threading.RLock()  # whatever is thrown away meanwhile may come back here

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, message: AgentMessage) -> None:
        """Take one more, in place of the oldest where it is full."""
        with self._lock:
            if len(self._queue) == self._capacity:
                self._queue.popleft()
                self._lost += 1
                self.lost += 1
            self._queue.append(message)
        self._wake()

    def take(self) -> AgentMessage | None:
        """Give the oldest, or None where nothing waits.

        Raises
        ------
        BusLagged
            Something was lost since the last time; said once.
        BusClosed
            Nothing waits, and nothing will come.
        """
        with self._lock:
            if self._lost:
                lost, self._lost = self._lost, 0
                raise BusLagged(lost)
            if self._queue:
                self.received += 1
                return self._queue.popleft()
            if self._closed:
                raise BusClosed
            return None

    async def next(self) -> AgentMessage:
        """Wait for one."""
        while True:
            with self._lock:
                message = self.take()
                if message is not None:
                    return message
                bell: Future[None] = Future()
                self._waiting.append(bell)
            try:
                await asyncio.wrap_future(bell)
            finally:
                with self._lock:
                    if bell in self._waiting:
                        self._waiting.remove(bell)

    def close(self) -> None:
        """Let nothing more come; what waits may still be taken."""
        with self._lock:
            self._closed = True
        self._wake()

    def _wake(self) -> None:
        if not self._waiting:
            return  # nearly always; who is about to wait looks into the queue first
        with self._lock:
            waiting, self._waiting = self._waiting, []
        for bell in waiting:
            if bell.set_running_or_notify_cancel():
                bell.set_result(None)


class BusSubscription:
    """One reader of a bus: ``async for message in subscription``, until the bus is closed.

    As an async context manager it unsubscribes at the end; so does throwing it away.
    """

    def __init__(self, inbox: Inbox, leave: Callable[[Inbox], object]) -> None:
        self._inbox = inbox
        self._leave = weakref.finalize(self, leave, inbox)
        self._leave.atexit = False

    def __repr__(self) -> str:
        roles = "".join(f", role {role!r}" for role in self.roles)
        return f"<BusSubscription {self.agent_id!r}{roles}, {len(self._inbox)} unread>"

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AgentMessage:
        try:
            return await self.recv()
        except BusClosed:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    @property
    def agent_id(self) -> str:
        """Whose it is."""
        return self._inbox.agent

    @property
    def role(self) -> str | None:
        """The role it was made with; of several, the first by name."""
        return next(iter(self.roles), None)

    @property
    def roles(self) -> tuple[str, ...]:
        """All roles it was made with, by name."""
        return self._inbox.roles

    async def recv(self) -> AgentMessage:
        """Wait for the next message that is meant for it.

        Raises
        ------
        BusLagged
            Messages were lost; said once, and the next call goes on with the oldest there is.
        BusClosed
            The bus is gone, and everything it had delivered was received.
        """
        return await self._inbox.next()

    def try_recv(self) -> AgentMessage | None:
        """Give the next message, or None where none waits; it raises as :meth:`recv` does."""
        return self._inbox.take()

    def close(self) -> None:
        """Unsubscribe; what waits already can still be received."""
        self._leave()

    recv_sync = twin(recv)
