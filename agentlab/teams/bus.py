"""AgentBus: everybody hears what is meant for them, and nobody waits for the slow ones.

A subscription has a queue of its own that holds only what is meant for it; where that is full the
oldest goes, and its reader is told how many. Nothing here belongs to a loop: senders and readers
may be on any, and on any thread.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from agentlab.core.bounds import a_kind, at_least_one, positive, several
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import AgentLoopError
from agentlab.core.events import Said
from agentlab.core.ids import AgentId
from agentlab.core.run import Run
from agentlab.core.sync import twin
from agentlab.teams.messages import (
    AgentMessage,
    BusClosed,
    BusRow,
    BusStats,
    BusUnanswered,
    SubscriberRow,
    role_of,
)
from agentlab.teams.subscription import BusSubscription, Inbox

KEPT = 100  # messages that a bus remembers, to be looked at


class AgentBus(Displayable, Tabular):
    """Brings messages to all agents that they are meant for.

    >>> from agentlab.teams.messages import AgentTarget
    >>> bus = AgentBus(16)
    >>> executor = bus.subscribe("executor", role="worker")
    >>> bus.send(AgentMessage("planner", AgentTarget.Role("worker"), "Summarise Q3 results"))
    1
    >>> executor.try_recv().content
    'Summarise Q3 results'

    Parameters
    ----------
    capacity : int
        How many unread messages each subscription holds; of more the oldest are lost, and its
        reader is told how many.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = at_least_one("capacity", capacity)
        self._inboxes: tuple[Inbox, ...] = ()  # replaced, never changed: senders read it as it is
        self._taps: tuple[Callable[[AgentMessage], object], ...] = ()
        self._recent: deque[tuple[AgentMessage, int]] = deque(maxlen=KEPT)
        self._sent, self._errors, self._closed = 0, 0, False
        self._lost_before = 0  # by those who have left
        self._lock = threading.RLock()  # held for a few moves, never in a wait

    def __repr__(self) -> str:
        many = len(self._inboxes)
        return f"<AgentBus {many} subscriber{'s' * (many != 1)}, {self._sent} sent>"

    def __del__(self) -> None:
        if hasattr(self, "_lock"):  # it was made
            self.close()

    def subscribe(
        self,
        agent_id: str,
        role: str | None = None,
        *,
        roles: Iterable[str] = (),
        include_own: bool = True,
    ) -> BusSubscription:
        """Listen from now on: to what is for everybody, for this agent, and for its roles.

        Parameters
        ----------
        agent_id : str
            Who listens. An agent may do so several times, each with roles of its own.
        role : str, optional
            In which role.
        roles : iterable of str
            In which others.
        include_own : bool
            Hear what the agent says to everybody itself.
        """
        agent = str(AgentId(agent_id))
        names = [
            *([] if role is None else [role]),
            *([roles] if isinstance(roles, str) else several("roles", roles)),
        ]
        mine = tuple(sorted({role_of(name) for name in names}))

        def wants(message: AgentMessage) -> bool:
            own = message.from_ == agent and not include_own
            return not own and message.to.reaches(agent, mine)

        return self._join(Inbox(agent, mine, self.capacity, wants))

    def send(self, message: AgentMessage) -> int:
        """Deliver a message, at once and from any thread, and give how many are subscribed.

        Raises
        ------
        AgentLoopError
            Nobody is, or the bus is closed.
        """
        a_kind("message", message, AgentMessage)
        with self._lock:  # so that all readers hear two senders in the same order
            inboxes = self._inboxes
            if not inboxes:
                self._errors += 1
                why = "is closed" if self._closed else "has no subscribers"
                raise AgentLoopError(f"bus send failed: the bus {why}")
            wanted = [inbox for inbox in inboxes if inbox.wants(message)]
            self._sent += 1
            self._recent.append((message, len(wanted)))
            for inbox in wanted:
                inbox.put(message)
            taps = self._taps
        for tap in taps:
            tap(message)
        return len(inboxes)

    async def request(self, message: AgentMessage, timeout_s: float) -> AgentMessage:
        """Send a message and wait for the one that replies to it.

        Parameters
        ----------
        message : AgentMessage
            What to ask.
        timeout_s : float
            How long to wait, in seconds of real time.

        Raises
        ------
        BusUnanswered
            Nobody replied in time.
        AgentLoopError
            Nobody else is there to ask.
        """
        positive("timeout_s", timeout_s)
        a_kind("message", message, AgentMessage)
        inbox = Inbox(message.from_, (), 1, lambda each: each.reply_to == message.id)
        with self._lock:
            if not self._inboxes:
                self.send(message)  # which says why nobody hears it
            reply = self._join(inbox)
            self.send(message)
        try:
            async with reply, asyncio.timeout(timeout_s) as deadline:
                return await reply.recv()
        except TimeoutError:
            if not deadline.expired():
                raise
            raise BusUnanswered(message.id, timeout_s) from None

    @contextmanager
    def on_trace(self, run: Run) -> Iterator[AgentBus]:
        """Tell all that is said here, while inside, on the trace of ``run`` as well."""
        loop, thread = asyncio.get_running_loop(), threading.get_ident()

        def tell(message: AgentMessage) -> None:
            said = Said(message.from_, str(message.to), message.content)
            if threading.get_ident() == thread:
                run.emit(said)
            else:
                loop.call_soon_threadsafe(run.emit, said)

        with self._lock:
            self._taps = (*self._taps, tell)
        try:
            yield self
        finally:
            with self._lock:
                self._taps = tuple(tap for tap in self._taps if tap is not tell)

    def close(self) -> None:
        """End it: readers get what was delivered, then :class:`BusClosed`."""
        with self._lock:
            self._closed, inboxes, self._inboxes = True, self._inboxes, ()
        for inbox in inboxes:
            inbox.close()

    def subscriber_count(self) -> int:
        """Count the subscriptions."""
        return len(self._inboxes)

    def role_count(self) -> int:
        """Count the different roles that somebody listens in."""
        return len(self.registered_roles())

    def total_sent(self) -> int:
        """Count the messages that were accepted."""
        return self._sent

    def registered_roles(self) -> list[str]:
        """List the roles that somebody listens in, by name."""
        return sorted({role for inbox in self._inboxes for role in inbox.roles})

    def has_role(self, role: str) -> bool:
        """Tell whether somebody listens in that role."""
        return any(role in inbox.roles for inbox in self._inboxes)

    def role_for(self, agent_id: str) -> str | None:
        """Give the role an agent listens in, that of its newest subscription that has one."""
        roles = (inbox.roles for inbox in reversed(self._inboxes) if inbox.agent == agent_id)
        return next((mine[0] for mine in roles if mine), None)

    def stats(self) -> BusStats:
        """Give the figures."""
        inboxes = self._inboxes
        return BusStats(
            self.capacity, len(inboxes), self.role_count(), self._sent, self._errors,
            self._lost_before + sum(inbox.lost for inbox in inboxes),
        )  # fmt: skip

    def subscribers(self) -> list[SubscriberRow]:
        """Give a row a subscription, in the order they came."""
        return [
            SubscriberRow(each.agent, each.roles, len(each), each.lost, each.received)
            for each in self._inboxes
        ]

    def rows(self, limit: int = KEPT) -> list[BusRow]:
        """Give the last messages, the oldest of them first."""
        with self._lock:
            recent = list(self._recent)
        return [
            BusRow(
                each.from_, str(each.to), each.content, count, each.reply_to, each.id,
                each.timestamp,
            )
            for each, count in recent[max(0, len(recent) - limit) :]
        ]  # fmt: skip

    request_sync = twin(request)

    def _join(self, inbox: Inbox) -> BusSubscription:
        with self._lock:
            if self._closed:
                raise BusClosed
            self._inboxes = (*self._inboxes, inbox)
        bus = weakref.ref(self)

        def leave(inbox: Inbox) -> None:
            left = bus()
            if left is not None:
                left._part(inbox)  # noqa: SLF001 - our own
            inbox.close()

        return BusSubscription(inbox, leave)

    def _part(self, inbox: Inbox) -> None:
        with self._lock:
            if inbox in self._inboxes:
                self._inboxes = tuple(each for each in self._inboxes if each is not inbox)
                self._lost_before += inbox.lost
