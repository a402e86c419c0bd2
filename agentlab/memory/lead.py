"""The best of an agent's memories, kept at hand.

Under exponential decay the order of ``importance × 2^(-age / half_life)`` does not depend on the
time at which one looks: it is that of ``log2(importance) + time / half_life``. So the best rows
stay the best, until some are added or removed. That holds unless something is said to happen in
the future, which has not aged, and unless more counts than importance: then all rows are weighed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from agentlab.memory.columns import Column
from agentlab.memory.ranked import BLOCK, Leaders, Place, near_best

if TYPE_CHECKING:
    from agentlab.memory.episodes import Episodes

AT_ONCE = 4096  # rows that are looked at one by one; of more, all are
NEVER = -math.inf


class Lead:
    """Knows the rows that lead, of as many as it was told of. It has no lock.

    Parameters
    ----------
    of : Episodes
        Whose memories.
    """

    def __init__(self, of: Episodes) -> None:
        self._of = of
        self._logs = Column("f8")
        self._leaders = Leaders([], whole=True)
        self._unit: float | None = None  # by which they lead
        self._known = 0  # rows that were looked at

    def rows(self, limit: int, unit: float | None) -> list[int] | None:
        """Give the best rows in order, or None for so many that all must be weighed.

        Parameters
        ----------
        limit : int
            How many; there are as many.
        unit : float, optional
            The half-life in microseconds, or None where nothing fades.
        """
        if limit > BLOCK:
            return None
        if unit != self._unit or len(self._of) - self._known > AT_ONCE:
            self._begin(unit)
        for row in range(self._known, len(self._of)):
            self._leaders.add(self._place(row))
        self._known = len(self._of)
        first = self._leaders.first(limit)
        if first is None:  # many of them have gone
            self._begin(unit)
            first = self._leaders.first(limit) or []
        numbers = [-number for _, _, number in first]
        if self._of.numbers is None:
            return numbers
        rows: list[int] = self._of.numbers.array().searchsorted(numbers).tolist()
        return rows

    def first(self, rows: Any, scores: Any, limit: int) -> list[int]:
        """Give the best of some rows by the scores of all: of equals the newer, then the later."""
        import numpy as np

        order = np.lexsort((-rows, -self._of.times.array()[rows], -scores[rows]))
        found: list[int] = rows[order[:limit]].tolist()
        return found

    def drop(self, row: int) -> None:
        """Take notice that a row goes, before it does."""
        if row < self._known:
            self._leaders.remove(self._place(row))
            self._known -= 1
        if row < len(self._logs):
            self._logs.drop(row)

    def keep(self, mask: Any) -> None:
        """Take notice that only some rows stay, before the others go."""
        self.logarithms()
        self._logs.keep(mask)
        self._leaders, self._known = Leaders([], whole=True), 0

    def logarithms(self) -> Any:
        """Give log2 of each importance; each is taken once, for the last bits must not change."""
        known = len(self._logs)
        if known < len(self._of):
            new = self._of.importance.array()[known:].tolist()
            self._logs.extend([math.log2(each) if each else NEVER for each in new])
        return self._logs.array()

    def _begin(self, unit: float | None) -> None:
        self._unit = unit
        scores = self._of.importance.array()
        if unit is not None:
            scores = self._of.times.array() / unit + self.logarithms()
        near = near_best(scores, BLOCK)
        many = len(near) > Leaders.most  # masses of equals
        rows = self.first(near, scores, BLOCK) if many else near.tolist()
        places = sorted(map(self._place, rows))
        self._leaders = Leaders(places, whole=len(rows) == len(self._of))
        self._known = len(self._of)

    def _place(self, row: int) -> Place:
        at = int(self._of.times.array()[row])
        rank = float(self._of.importance.array()[row])
        if self._unit is not None:
            rank = at / self._unit + float(self.logarithms()[row])
        return -rank, -at, -self._of.number_of(row)
