"""What can be read of an episodic store, and changes nothing."""

from __future__ import annotations

from typing import Any

from agentlab.core.bounds import count_of
from agentlab.core.ids import AgentId
from agentlab.core.text import clean
from agentlab.memory.episodes import Episodes
from agentlab.memory.episodic_rules import EpisodicRules
from agentlab.memory.explained import Explanations
from agentlab.memory.items import HOUR_US, EpisodeRow, MemoryItem, micros
from agentlab.memory.readings import All, explained, items_of


class EpisodicReadings(EpisodicRules):
    """The reading half of an :class:`EpisodicStore`."""

    def __repr__(self) -> str:
        memories, agents = len(self), len(self.agent_ids())
        several = "y" if memories == 1 else "ies"
        told = [f"{memories} memor{several} of {agents} agent{'s' * (agents != 1)}"]
        if self.decay:
            told.append(f"half-life {self.decay.half_life_hours:g} h")
        if self._ranking.hybrid:
            told.append(repr(self.recall_policy))
        return f"<EpisodicStore {', '.join(told)}>"

    def __len__(self) -> int:
        with self._lock:
            return sum(map(len, self._agents.values()))

    def __bool__(self) -> bool:
        return True  # an empty store is still one

    def recall_top_n(self, agent: str, limit: int) -> list[MemoryItem]:
        """Give the best memories, and change nothing: none is counted, none forgotten."""
        with self._lock:
            now = micros(self._clock.now())
            kept, rows = self._look(agent, limit, now)
            return [] if kept is None else items_of(kept, rows)

    def explain(self, agent: str, query: str = "", limit: int = 10) -> Explanations:  # noqa: ARG002
        """Give the scores of the best memories, taken apart; nothing is counted.

        >>> from agentlab.memory.episodic import EpisodicStore
        >>> store = EpisodicStore()
        >>> _ = store.add_episode("demo", "Lyon is large", 0.9)
        >>> store.explain("demo")[0]
        0.90 = importance 0.90 · Lyon is large

        Parameters
        ----------
        agent : str
            Whose.
        query : str
            What was asked, as other memories want it: episodes are ranked without it.
        limit : int
            How many.
        """
        with self._lock:
            now = micros(self._clock.now())
            kept, rows = self._look(agent, limit, now)
            if kept is None:
                return Explanations()
            return Explanations(explained(kept, rows, now, self._ranking))

    def items(self, agent: str) -> list[MemoryItem]:
        """Give all memories of an agent, in the order they were added."""
        with self._lock:
            kept = self._kept(agent)
            return [] if kept is None else items_of(kept, [*range(len(kept))])

    def get(self, agent: str, id: str) -> MemoryItem | None:  # noqa: A002 - what it is
        """Give one memory, or None where there is none of that id."""
        with self._lock:
            kept, row = self._find(agent, id)
            return None if kept is None else items_of(kept, [row])[0]

    def count_for(self, agent: str) -> int:
        """Count the memories of an agent."""
        return len(self._kept(agent) or ())

    def agent_ids(self) -> list[AgentId]:
        """List the agents that have memories, sorted."""
        with self._lock:
            return sorted(AgentId(agent) for agent, kept in self._agents.items() if kept)

    def rows(self, limit: int | None = None) -> list[EpisodeRow]:
        """List the memories of all agents by what is left of their importance, the most first."""
        with self._lock:
            return self._all().strongest(limit)

    def columns(self) -> dict[str, Any]:
        """Give the fields of all rows as columns, for a frame: by agent, in the order added.

        ``agent`` is the place of each among ``agents``; times are microseconds since 1970.
        """
        with self._lock:
            return self._all().columns()

    def _all(self) -> All:
        return All(self._agents, micros(self._clock.now()), self._ranking)

    def _kept(self, agent: str) -> Episodes | None:
        return self._agents.get(agent) or self._agents.get(clean(agent))

    def _look(self, agent: str, limit: int, now: int) -> tuple[Episodes | None, list[int]]:
        limit = count_of("limit", limit)
        kept = self._kept(agent)
        if kept is None or not limit:
            return None, []
        since = None if self._max_age is None else now - self._max_age * HOUR_US
        return kept, kept.best(limit, now, self._ranking, since)

    def _find(self, agent: str, id: str) -> tuple[Episodes | None, int]:  # noqa: A002 - as above
        kept = self._kept(agent)
        row = None if kept is None else kept.row_of(id)
        return (None, 0) if row is None else (kept, row)
