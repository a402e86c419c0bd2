"""Merging an agent's old memories that say much the same, now and then, in the background.

A pass reads a snapshot, thinks, and then writes. What it writes is written without a pause: a
cancelled pass has merged a cluster or has not touched it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from math import fsum
from typing import Any, Protocol

from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.doors import Displayable
from agentlab.core.errors import InvalidValue, explain
from agentlab.core.guards import able
from agentlab.core.sync import called, twin
from agentlab.memory.consolidated import (
    ClusterRow,
    ConsolidatedMemory,
    Consolidation,
    ConsolidationMetrics,
    row_of,
)
from agentlab.memory.grouping import Cluster, ConsolidationPolicy, Episode, grouped
from agentlab.memory.summaries import as_summariser

__all__ = [
    "ClusterRow",
    "ConsolidatedMemory",
    "Consolidation",
    "ConsolidationMetrics",
    "ConsolidationPolicy",
    "Episodes",
    "MemoryConsolidator",
]

log = logging.getLogger("agentlab.memory")

TAG = "consolidated"
MOST_LETTERS = 4000
MOST_KEPT = 1000
QUICK = 500  # memories that hold a loop up for no more than moments
NEEDED = ("agent_ids", "items", "add_episode_at", "update_tags_by_id", "remove_by_id")


class Episodes(Protocol):
    """A store of dated memories of agents: what can be consolidated."""

    def agent_ids(self) -> Sequence[str]:
        """Name the agents."""

    def items(self, agent: str, /) -> Sequence[Episode]:
        """Give all memories of an agent, without changing anything."""

    def add_episode_at(
        self, agent: str, content: str, importance: float, timestamp: datetime, /
    ) -> str:
        """Take a memory in, and give its id."""

    def update_tags_by_id(self, agent: str, id: str, tags: Iterable[str], /) -> object:  # noqa: A002
        """Tag one."""

    def remove_by_id(self, agent: str, id: str, /) -> bool:  # noqa: A002
        """Take one out; tell whether it was there."""


class MemoryConsolidator(Displayable):
    """Merge old memories that say much the same.

    Give ``run()`` to a task, or call ``consolidate_agent(agent)`` yourself. Memories it made are
    tagged ``consolidated``, and are left alone later.

    Parameters
    ----------
    store : Episodes
        Where the memories are: an ``EpisodicStore``, or what has the same methods, of which
        ``replace_by_ids`` may be missing.
    policy : ConsolidationPolicy
        What is merged, and how often one looks.
    summarise : callable, optional
        Takes texts, oldest first, and gives what to remember instead; it may be async. By default
        they are joined.
    model : Model or callable, optional
        Writes that instead: a model, or a function of a prompt.
    write_back : bool
        Put what was merged in the place of its sources. Otherwise the store stays as it is, and
        what was merged once is not merged again.
    clock : Clock
        Tells how old memories are, and waits between two passes.

    Raises
    ------
    InvalidValue
        ``store`` lacks something, or a setting can never be right.
    """

    def __init__(  # noqa: PLR0913 - settings, all but two by name
        self,
        store: Episodes,
        policy: ConsolidationPolicy | None = None,
        *,
        summarise: Callable[[list[str]], Any] | None = None,
        model: Any = None,
        write_back: bool = True,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        for method in NEEDED:
            able(store, method, f"a store that has {', '.join(NEEDED)}, as an EpisodicStore")
        if not isinstance(policy, ConsolidationPolicy | None):
            raise InvalidValue(f"policy must be a ConsolidationPolicy, got {policy!r:.80}")
        self.policy = policy or ConsolidationPolicy()
        self._store, self._clock, self._write_back = store, clock, write_back
        self._summarise = as_summariser(summarise, model)
        self._metrics = ConsolidationMetrics()
        self._made = deque[ConsolidatedMemory](maxlen=MOST_KEPT)
        self._seen: dict[str, set[str]] = {}  # what was merged, where nothing is written back
        self.overflowed = 0  # how many of what was made nobody took in time

    def __repr__(self) -> str:
        every = f"every {self.policy.run_interval_secs:g} s"
        return f"<MemoryConsolidator {every}, {self._metrics.consolidated()} consolidated>"

    def metrics(self) -> ConsolidationMetrics:
        """Give the counters, which go on counting."""
        return self._metrics

    def take_consolidated(self) -> list[ConsolidatedMemory]:
        """Give what was made since this was last called, of at most the last thousand."""
        taken = [self._made.popleft() for _ in range(len(self._made))]
        self.overflowed = 0
        return taken

    async def consolidate_agent(self, agent: str) -> Consolidation:
        """Merge what can be merged of one agent's memories: one pass.

        Raises
        ------
        InvalidValue
            A memory has no time zone, no text, or no importance.
        """
        done = await self._consolidated(agent)
        self._metrics.consolidation_runs_total += 1
        return done

    async def consolidate(self) -> Consolidation:
        """Make one pass over all agents; one whose memories cannot be merged stops no other."""
        whole = Consolidation()
        for agent in list(self._store.agent_ids()):
            try:
                whole.add(await self._consolidated(agent))
            except Exception as error:
                log.exception("the memories of %.200r could not be consolidated", agent)
                whole.errors.append(f"{agent}: {explain(error)}")
        self._metrics.consolidation_runs_total += 1
        return whole

    async def run(self) -> None:
        """Make a pass, wait, and so on, until this is cancelled."""
        while True:
            try:
                await self.consolidate()
            except Exception:
                log.exception("a pass of consolidation failed")
            await self._clock.sleep(self.policy.run_interval_secs)

    consolidate_agent_sync, consolidate_sync, run_sync = (
        twin(consolidate_agent),
        twin(consolidate),
        twin(run),
    )

    async def _consolidated(self, agent: str) -> Consolidation:
        items = list(self._store.items(agent))
        done, now = Consolidation(), self._clock.now()
        seen = self._seen.get(agent, set()) & {item.id for item in items}
        open_ = [item for item in items if TAG not in item.tags and item.id not in seen]
        work = partial(grouped, open_, self.policy, now)
        clusters = await called(work, inline=len(open_) <= QUICK)
        texts = [await self._summary(cluster) for cluster in clusters]
        for cluster, text in zip(clusters, texts, strict=True):
            merged = self._merged(agent, cluster, text, now) if cluster.sources else None
            done.clusters.append(row_of(agent, cluster, merged))
            if merged:
                done.append(merged)
                seen |= set(merged.source_ids)
                self._metrics.memories_consolidated_total += merged.source_count
                self.overflowed += len(self._made) == MOST_KEPT
                self._made.append(merged)
        if not self._write_back:
            self._seen[agent] = seen
        written = [made for made in done if made.memory_id]
        done.before = len(items)
        done.after = len(items) - sum(made.source_count - 1 for made in written)
        return done

    async def _summary(self, cluster: Cluster) -> str:
        texts = [item.content for item in cluster.sources]
        if self._summarise and texts:
            said = await self._summarise(texts)
        else:
            said = "; ".join(texts)
        return said if len(said) <= MOST_LETTERS else f"{said[:MOST_LETTERS]}…"

    def _merged(
        self, agent: str, cluster: Cluster, text: str, now: datetime
    ) -> ConsolidatedMemory | None:
        """Merge a cluster, unless some of it is not there any more."""
        sources = cluster.sources
        importance = fsum(item.importance for item in sources) / len(sources)
        kept = None
        if self._write_back:
            kept = replaced(self._store, agent, sources, text, importance)
            if kept is None:
                return None
        ids = tuple(item.id for item in sources)
        return ConsolidatedMemory(agent, text, ids, importance, now, len(ids), kept)


def replaced(
    store: Episodes, agent: str, sources: Sequence[Episode], text: str, importance: float
) -> str | None:
    """Put one memory in the place of several, and give its id; None where one of them is gone.

    A store that can do that in one step does. In others one source makes room, then the memory
    comes in, then the others go: a full store has nothing to evict for it, and where it cannot be
    taken in, all is as before.
    """
    at_once = getattr(store, "replace_by_ids", None)
    if callable(at_once):
        ids, when = [item.id for item in sources], sources[-1].timestamp
        made = at_once(agent, ids, text, importance, timestamp=when, tags=[TAG])
        return None if made is None else str(made)
    there = {item.id for item in store.items(agent)}
    if not all(item.id in there for item in sources):
        return None
    first, *others = sources
    if not store.remove_by_id(agent, first.id):
        return None
    try:
        kept = store.add_episode_at(agent, text, importance, sources[-1].timestamp)
    except BaseException:
        again = store.add_episode_at(agent, first.content, first.importance, first.timestamp)
        store.update_tags_by_id(agent, again, first.tags)
        raise
    store.update_tags_by_id(agent, kept, [TAG])
    for item in others:
        store.remove_by_id(agent, item.id)
    return str(kept)
