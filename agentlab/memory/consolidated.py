"""What a consolidation gives: memories that stand for several, and what became of each cluster."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from agentlab.core.doors import Displayable, Tabular
from agentlab.core.portable import Portable
from agentlab.memory.grouping import Cluster


class ConsolidatedMemory(Portable, Displayable, msgspec.Struct, frozen=True):
    """One memory that stands for several.

    Attributes
    ----------
    agent_id : str
        Whose it is.
    summary_content : str
        What they said, oldest first.
    source_ids : tuple of str
        Which ones they were.
    importance : float
        The mean of theirs.
    created_at : datetime
        When they were merged.
    source_count : int
        How many there were.
    memory_id : str, optional
        What it is called in the store; None where nothing was written there.
    """

    agent_id: str
    summary_content: str
    source_ids: tuple[str, ...]
    importance: float
    created_at: datetime
    source_count: int
    memory_id: str | None = None


class ClusterRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """A cluster, and what became of it.

    Of its ``size`` members ``merged`` are in the memory ``into``; ``strays`` were nearest to it
    and not near enough. ``texts`` are the beginnings of what was merged.
    """

    agent_id: str
    words: tuple[str, ...]
    size: int
    strays: int
    likeness: float
    merged: int
    into: str | None
    oldest: datetime | None
    newest: datetime | None
    texts: tuple[str, ...]


class Consolidation(Tabular, Displayable, list[ConsolidatedMemory]):
    """What a pass made: a list of memories that each stand for several.

    Attributes
    ----------
    before, after : int
        How many memories there were, and are.
    clusters : list of ClusterRow
        All clusters it found, and what became of each: the rows of the frame.
    errors : list of str
        Whose memories could not be consolidated, and why.
    """

    def __init__(self, made: Iterable[ConsolidatedMemory] = ()) -> None:
        super().__init__(made)
        self.before = self.after = 0
        self.clusters: list[ClusterRow] = []
        self.errors: list[str] = []

    def __repr__(self) -> str:
        merged = sum(each.source_count for each in self)
        into = f"{merged} merged into {len(self)}" if self else "nothing to merge"
        return f"<Consolidation {self.before} → {self.after} memories, {into}>"

    def add(self, other: Consolidation) -> None:
        """Take in what was made for another agent."""
        self.extend(other)
        self.before, self.after = self.before + other.before, self.after + other.after
        self.clusters += other.clusters


class ConsolidationMetrics(Displayable):
    """What a consolidator has done so far; it goes on counting.

    Attributes
    ----------
    consolidation_runs_total : int
        How many passes there were.
    memories_consolidated_total : int
        How many memories were merged into others.
    """

    def __init__(self) -> None:
        self.consolidation_runs_total = self.memories_consolidated_total = 0

    def __repr__(self) -> str:
        done = f"{self.consolidation_runs_total} runs"
        return f"<ConsolidationMetrics {done}, {self.memories_consolidated_total} consolidated>"

    def runs(self) -> int:
        """Tell how many passes there were."""
        return self.consolidation_runs_total

    def consolidated(self) -> int:
        """Tell how many memories were merged into others."""
        return self.memories_consolidated_total


def row_of(agent: str, cluster: Cluster, made: ConsolidatedMemory | None) -> ClusterRow:
    """Say what became of a cluster."""
    members, sources = cluster.members, cluster.sources if made else []
    return ClusterRow(
        agent,
        cluster.words,
        len(members),
        cluster.strays,
        cluster.likeness,
        len(sources),
        made.memory_id if made else None,
        members[0].timestamp if members else None,
        members[-1].timestamp if members else None,
        tuple(item.content[:200] for item in sources),
    )
