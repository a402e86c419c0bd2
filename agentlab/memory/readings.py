"""What is read off an agent's columns: items, rows, hits, explanations, whole columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from agentlab.core.protocols import Hit
from agentlab.memory.episodes import Episodes
from agentlab.memory.explained import Explanation
from agentlab.memory.items import HOUR_US, EpisodeRow, MemoryItem, hours, micros, moment
from agentlab.memory.ranked import near_best
from agentlab.memory.worth import Ranking, worth


def items_of(kept: Episodes, rows: Sequence[int]) -> list[MemoryItem]:
    """Give some rows as memories."""
    columns = [column.array()[rows].tolist() for column in kept.told()]
    return [
        MemoryItem(
            kept.id_of(kept.number_of(row)),
            kept.agent,
            kept.texts[row],
            importance,
            moment(time),
            kept.tags[row],
            count,
        )
        for row, importance, time, count in zip(rows, *columns, strict=True)
    ]


def rows_of(kept: Episodes, rows: Sequence[int], now: int, how: Ranking) -> list[EpisodeRow]:
    """Give some rows with what is left of them at a moment."""
    faded = kept.worth(rows, now, how).faded.tolist()
    return [
        EpisodeRow(
            kept.agent,
            item.content,
            item.importance,
            left,
            hours(now - micros(item.timestamp)),
            item.recall_count,
            item.tags,
            item.timestamp,
            item.id,
        )
        for item, left in zip(items_of(kept, rows), faded, strict=True)
    ]


def hit_of(item: MemoryItem, score: float, now: int) -> Hit:
    """Give a memory as a run wants it."""
    told = {
        "importance": item.importance,
        "age_hours": hours(now - micros(item.timestamp)),
        "recall_count": item.recall_count,
        "tags": list(item.tags),
    }
    return Hit(item.id, item.content, score, "episodic", told)


def explained(kept: Episodes, rows: Sequence[int], now: int, how: Ranking) -> list[Explanation]:
    """Take the scores of some rows apart."""
    seen = kept.worth(rows, now, how)
    counts = kept.counts.array()
    return [
        Explanation(
            kept.id_of(kept.number_of(row)),
            kept.texts[row],
            float(seen.score[i]),
            seen.terms(i, int(counts[row]), how),
        )
        for i, row in enumerate(rows)
    ]


class All:
    """The memories of all agents as long columns: by agent, in the order they were added.

    Parameters
    ----------
    agents : mapping
        Who remembers what.
    now : int
        The moment, in microseconds since 1970.
    how : Ranking
        How memories fade.
    """

    def __init__(self, agents: Mapping[str, Episodes], now: int, how: Ranking) -> None:
        import numpy as np

        self._parts = [kept for _, kept in sorted(agents.items()) if kept]
        self._now, self._how = now, Ranking(how.decay, how.recall.Importance)
        self._starts = np.cumsum([0, *(len(kept) for kept in self._parts)])
        self.importance = self._joined("importance", "f8")
        self.times = self._joined("times", "i8")
        self.counts = self._joined("counts", "i4")
        ages = np.maximum(now - self.times, 0)
        self.age_hours = ages / HOUR_US
        self.faded = worth(self.importance, ages, self.counts, 0, self._how).faded

    def strongest(self, limit: int | None) -> list[EpisodeRow]:
        """Give what is left most of, best first: of equals the newer, then by agent."""
        import numpy as np

        limit = len(self.faded) if limit is None else limit
        if not limit:
            return []
        near = near_best(self.faded, limit)
        order = near[np.lexsort((near, -self.times[near], -self.faded[near]))][:limit]
        whose = self._starts.searchsorted(order, side="right") - 1
        rows = []
        for part, place in zip(whose.tolist(), order.tolist(), strict=True):
            row = place - int(self._starts[part])
            rows += rows_of(self._parts[part], [row], self._now, self._how)
        return rows

    def columns(self) -> dict[str, Any]:
        """Give the fields of :class:`EpisodeRow` as columns.

        ``agent`` is the place of each row's among ``agents``, the names; ``timestamp`` is in
        microseconds since 1970.
        """
        import numpy as np

        return {
            "agents": [kept.agent for kept in self._parts],
            "agent": np.repeat(np.arange(len(self._parts)), np.diff(self._starts)),
            "content": [*chain.from_iterable(kept.texts for kept in self._parts)],
            "importance": self.importance,
            "importance_now": self.faded,
            "age_hours": self.age_hours,
            "recall_count": self.counts.astype("i8"),
            "tags": [*chain.from_iterable(kept.tags for kept in self._parts)],
            "timestamp": self.times,
            "id": [*chain.from_iterable(kept.ids() for kept in self._parts)],
        }

    def _joined(self, name: str, dtype: str) -> Any:
        import numpy as np

        parts = [getattr(kept, name).array() for kept in self._parts]
        return np.concatenate(parts) if parts else np.empty(0, dtype)
