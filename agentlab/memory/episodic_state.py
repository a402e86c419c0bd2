"""How episodes are written down: the settings, and each agent's memories by column."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from agentlab.core.errors import InvalidValue
from agentlab.core.portable import Portable
from agentlab.memory.decay import (
    ByImportance,
    DecayPolicy,
    EvictionPolicy,
    HybridRecall,
    importance_of,
)
from agentlab.memory.episodes import Episodes


class AgentState(msgspec.Struct, frozen=True):
    """One agent's memories; ``numbers`` is None where none was ever removed."""

    prefixes: list[tuple[int, str]]
    next: int
    contents: list[str]
    importance: list[float]
    times_us: list[int]
    recall_counts: list[int]
    tags: dict[str, list[str]] = {}  # by row, of those that have some
    numbers: list[int] | None = None


class EpisodicState(Portable, msgspec.Struct, frozen=True):
    """An episodic store as it is written."""

    agents: dict[str, AgentState]
    decay: DecayPolicy | None = None
    recall_policy: ByImportance | HybridRecall = ByImportance()
    per_agent_capacity: int | None = None
    max_age_hours: float | None = None
    eviction_policy: EvictionPolicy = EvictionPolicy.LowestImportance
    protect_newest: bool = False


def written(kept: Episodes) -> AgentState:
    """Write one agent's memories."""
    importance, times, counts = (column.array().tolist() for column in kept.told())
    return AgentState(
        list(kept.prefixes),
        kept.next,
        list(kept.texts),
        importance,
        times,
        counts,
        {str(row): list(tags) for row, tags in enumerate(kept.tags) if tags},
        None if kept.numbers is None else kept.numbers.array().tolist(),
    )


def read(agent: str, state: AgentState, prefix: str) -> Episodes:
    """Read one agent's memories; the ids of those that will be added begin with ``prefix``.

    Raises
    ------
    InvalidValue
        The columns do not fit each other.
    """
    size = len(state.contents)
    numbers = range(size) if state.numbers is None else state.numbers
    columns = (state.importance, state.times_us, state.recall_counts, numbers)
    if any(len(column) != size for column in columns) or state.next < size:
        raise InvalidValue(f"the columns of {size} memories have other lengths")
    kept = Episodes(agent, "")
    kept.prefixes, kept.due = list(state.prefixes), prefix
    kept.texts = list(state.contents)
    kept.tags = [tuple(state.tags.get(str(row), ())) for row in range(size)]
    kept.importance.extend(map(importance_of, state.importance))
    kept.times.extend(state.times_us)
    kept.counts.extend(state.recall_counts)
    kept.next = state.next
    if state.numbers is not None:
        kept.renumber(state.numbers)
    kept.measure()
    return kept


def agents_of(agents: Mapping[str, Episodes]) -> dict[str, AgentState]:
    """Write all agents' memories, by name."""
    return {agent: written(kept) for agent, kept in sorted(agents.items()) if kept}
