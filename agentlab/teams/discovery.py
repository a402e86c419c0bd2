"""Who can do what: agents say it, and have to go on saying that they are there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from agentlab.core.bounds import a_name, callback, not_negative
from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import InvalidValue
from agentlab.core.ranking import best
from agentlab.core.sync import settled, twin
from agentlab.core.text import one_line
from agentlab.teams.bus import AgentBus
from agentlab.teams.capability import (
    AgentAdvertisement,
    AgentHealth,
    Capability,
    CapabilityMatch,
    CapabilityMatches,
    CapabilityQuery,
    a_health,
    preference,
    scored,
)
from agentlab.teams.census import AgentRow, Announcement, Bus, Known
from agentlab.teams.messages import AgentMessage, AgentTarget

if TYPE_CHECKING:
    from agentlab.teams.dispatch import Dispatch, DispatchResult

__all__ = [
    "AgentAdvertisement",
    "AgentHealth",
    "AgentRegistry",
    "AgentRow",
    "Announcement",
    "Capability",
    "CapabilityMatch",
    "CapabilityMatches",
    "CapabilityQuery",
]

log = logging.getLogger("agentlab.teams")


class AgentRegistry(Displayable, Tabular):
    """Agents by what they can do, as long as they are heard of.

    >>> registry = AgentRegistry(60)
    >>> ann = AgentAdvertisement("ann", "Ann", [Capability("summarise", tags=["text", "nlp"])])
    >>> registry.register_sync(ann)
    >>> registry.query_sync(CapabilityQuery(["nlp"], ["text", "quick"]))[0]
    <CapabilityMatch 'ann' 'summarise': 0.67 = 2/3 tags (nlp, text) × healthy 1.0>

    Parameters
    ----------
    ttl_secs : float
        Seconds after its last heartbeat from which on an agent is not found any more.
    clock : Clock
        What is read; a clock that is set back makes nobody old.
    bus : AgentBus or another object with ``send``, optional
        Is told who came, went, or is not well. What it raises is logged, and changes nothing.
    message : callable, optional
        Makes what is sent of an :class:`Announcement`. By default that itself is sent, and to an
        AgentBus a message of the agent ``registry``, for everybody.

    Raises
    ------
    InvalidValue
        ``ttl_secs`` is no time, ``bus`` cannot send, or ``message`` is no function.
    """

    def __init__(
        self,
        ttl_secs: float,
        *,
        clock: Clock = SYSTEM_CLOCK,
        bus: Bus | None = None,
        message: Callable[[Announcement], Any] | None = None,
    ) -> None:
        self.ttl_secs = not_negative("ttl_secs", ttl_secs)
        if bus is not None and not callable(getattr(bus, "send", None)):
            raise InvalidValue(f"a bus has send(message), got {bus!r:.80}")
        if message is not None:
            callback("message", message)
        self.clock, self._bus, self._message = clock, bus, message
        self._agents: dict[str, Known] = {}
        self._lock = threading.Lock()  # for dictionary work alone

    def __repr__(self) -> str:
        return one_line(f"<AgentRegistry {', '.join(sorted(self._agents)) or 'empty'}>")

    def __len__(self) -> int:
        return len(self._agents)

    def __bool__(self) -> bool:
        return True

    def __contains__(self, agent_id: object) -> bool:
        return isinstance(agent_id, str) and agent_id in self._agents

    def get(self, agent_id: str) -> AgentAdvertisement | None:
        """Give what an agent said, with the times and the health that are known here."""
        known = self._agents.get(a_name("agent_id", agent_id))
        return known.said if known else None

    def rows(self) -> list[AgentRow]:
        """Give a row an agent, by id, stale ones too."""
        return [known.row(self._age(known), stale=self._stale(known)) for known in self._all()]

    async def register(self, said: AgentAdvertisement) -> None:
        """Add an agent, which is heard of just now; one of the same id is replaced."""
        if not isinstance(said, AgentAdvertisement):
            raise InvalidValue(f"a registry takes an AgentAdvertisement, got {said!r:.80}")
        now = self.clock.now()
        said = replace(said, registered_at=now, last_heartbeat=now)
        with self._lock:
            self._agents[said.agent_id] = Known(said, self.clock.monotonic())
        await self._tell("registered", said)

    async def deregister(self, agent_id: str) -> bool:
        """Take an agent out; tell whether it was there."""
        with self._lock:
            known = self._agents.pop(a_name("agent_id", agent_id), None)
        if known:
            await self._tell("deregistered", known.said)
        return known is not None

    async def heartbeat(
        self, agent_id: str, health: AgentHealth | str = AgentHealth.Healthy
    ) -> bool:
        """Say that an agent is there, and how it is; tell whether it is known."""
        return await self._set(agent_id, a_health(health), beat=True)

    async def blame(self, agent_id: str, health: AgentHealth | str = AgentHealth.Degraded) -> bool:
        """Say that an agent is not well, which is no heartbeat; tell whether that is news."""
        return await self._set(agent_id, a_health(health), beat=False)

    async def query(
        self,
        query: CapabilityQuery,
        *,
        include_unhealthy: bool = False,
        strict_limits: bool = False,
    ) -> CapabilityMatches:
        """Give the capabilities that fit, best first; of equals the quicker, then the cheaper.

        Parameters
        ----------
        query : CapabilityQuery
            What is asked for.
        include_unhealthy : bool
            Give those of score 0, too.
        strict_limits : bool
            Leave out what does not say how long it takes, or costs, where that is limited.
        """
        if not isinstance(query, CapabilityQuery):
            raise InvalidValue(f"a registry is asked a CapabilityQuery, got {query!r:.80}")
        found = [
            scored(known.said.agent_id, each, known.said.health, query)
            for known in self._all()
            if not self._stale(known)
            for each in known.said.capabilities
            if query.admits(each, strict=strict_limits)
        ]
        fitting = [each for each in found if each.score > 0 or include_unhealthy]
        ranked = best(fitting, lambda each: each.score, tie=preference)
        return CapabilityMatches(each for each, _ in ranked)

    async def evict_stale(self) -> list[str]:
        """Take out who was not heard of for too long; give their ids, sorted."""
        with self._lock:
            gone = [known for known in self._agents.values() if self._stale(known)]
            for known in gone:
                del self._agents[known.said.agent_id]
        gone.sort(key=lambda known: known.said.agent_id)
        for known in gone:
            await self._tell("evicted", known.said)
        return [known.said.agent_id for known in gone]

    async def dispatch(
        self,
        task: str,
        query: CapabilityQuery,
        infer: Any = None,
        *,
        agents: Mapping[str, Any] | None = None,
        **how: Any,
    ) -> DispatchResult:
        """Give a task to the agent that fits best, and to the next one if it fails.

        Parameters
        ----------
        task : str
            What is to be done.
        query : CapabilityQuery
            Who is to do it.
        infer : callable, optional
            ``infer(agent_id, prompt)`` answers for whoever is not in ``agents``.
        agents : mapping, optional
            By id: a runtime or another strategy, a model, or a function of the prompt.
        **how
            ``max_attempts``, ``timeout_s`` and ``blame`` of
            :class:`agentlab.teams.dispatch.Dispatch`.

        Returns
        -------
        DispatchResult
            Its ``answer``, who gave it, why, and who failed before.

        Raises
        ------
        DispatchFailed
            Nobody fits, or all failed; its ``attempts`` say how.
        """
        from agentlab.teams.dispatch import Dispatch

        return await Dispatch(self, query, infer, agents=agents, **how).run(task)

    def dispatcher(
        self,
        query: CapabilityQuery,
        infer: Any = None,
        *,
        agents: Mapping[str, Any] | None = None,
        **how: Any,
    ) -> Dispatch:
        """Give :meth:`dispatch` as a strategy: ``runtime.run(task, strategy=…)``."""
        from agentlab.teams.dispatch import Dispatch

        return Dispatch(self, query, infer, agents=agents, **how)

    register_sync = twin(register)
    deregister_sync = twin(deregister)
    heartbeat_sync = twin(heartbeat)
    blame_sync = twin(blame)
    query_sync = twin(query)
    evict_stale_sync = twin(evict_stale)
    dispatch_sync = twin(dispatch)

    def _all(self) -> list[Known]:
        with self._lock:
            return sorted(self._agents.values(), key=lambda known: known.said.agent_id)

    def _age(self, known: Known) -> float:
        return max(0.0, self.clock.monotonic() - known.beat)

    def _stale(self, known: Known) -> bool:
        return self._age(known) >= self.ttl_secs

    async def _set(self, agent_id: str, health: AgentHealth, *, beat: bool) -> bool:
        with self._lock:
            known = self._agents.get(a_name("agent_id", agent_id))
            if known is None:
                return False
            before, said, last = known.said.health, known.said, known.beat
            if beat:
                said = replace(said, health=health, last_heartbeat=self.clock.now())
                last = self.clock.monotonic()
            elif health.factor < before.factor:
                said = replace(said, health=health)
            self._agents[agent_id] = Known(said, last)
        if said.health is not before:
            await self._tell("health", said)
        return beat or said.health is not before

    async def _tell(self, what: str, said: AgentAdvertisement) -> None:
        if self._bus is None or unheard(self._bus):
            return
        news = Announcement(what, said.agent_id, said.health.value, self.clock.now())
        try:
            message = self._message or (spoken if isinstance(self._bus, AgentBus) else None)
            await settled(self._bus.send(message(news) if message else news))
        except Exception:  # who listens must not stop who registers
            log.warning("a bus could not be told that %s", news, exc_info=True)


def spoken(news: Announcement) -> AgentMessage:
    """Give news as a message of the registry's, for everybody."""
    return AgentMessage("registry", AgentTarget.Broadcast, str(news), timestamp=news.at)


def unheard(bus: Bus) -> bool:
    """Tell whether nobody listens, so that there is nobody to tell."""
    return isinstance(bus, AgentBus) and not bus.subscriber_count()
