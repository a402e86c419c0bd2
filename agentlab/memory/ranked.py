"""The rows with the best of many scores, without sorting them all."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Any, TypeAlias

BLOCK = 256
Place: TypeAlias = tuple[float, int, int]  # minus rank, minus time, minus number: best first


def near_best(scores: Any, limit: int, slack: float = 0.0) -> Any:
    """Give the rows that are among the best ``limit``, equals of the last too, by row.

    With a ``slack`` those that come so near the last one are there as well. O(n): the best of
    each block of rows says first how good a row must be at least.

    Parameters
    ----------
    scores : array
        One a row; none is NaN.
    limit : int
        How many are wanted, at least 1.
    slack : float
        How wrong a score may be.
    """
    import numpy as np

    size = len(scores)
    if limit >= size:
        return np.arange(size)
    blocks = size // BLOCK
    floor = -np.inf
    if blocks > 2 * limit:
        tops = scores[: blocks * BLOCK].reshape(blocks, BLOCK).max(axis=1)
        floor = np.partition(tops, blocks - limit)[blocks - limit]
    some = scores[scores >= floor]
    last = np.partition(some, len(some) - limit)[len(some) - limit]
    return np.flatnonzero(scores >= last - slack)


class Leaders:
    """The best places, in order, kept up to date while rows come and go.

    It answers as long as it is asked for no more than it holds: what is added is put in its
    place, or is worse than all here; what is removed leaves the others the best that there are.

    Parameters
    ----------
    places : list of Place
        The best, sorted.
    whole : bool
        Whether there are no others.
    """

    __slots__ = ("_places", "_whole")

    most = 2 * BLOCK

    def __init__(self, places: list[Place], *, whole: bool) -> None:
        self._places, self._whole = places, whole

    def first(self, limit: int) -> list[Place] | None:
        """Give the best ``limit``, or None where it does not know."""
        if self._whole or limit <= len(self._places):
            return self._places[:limit]
        return None

    def add(self, place: Place) -> None:
        """Take notice of a new row."""
        places = self._places
        if self._whole or (places and place < places[-1]):
            insort(places, place)
            if len(places) > self.most:
                del places[BLOCK:]
                self._whole = False

    def remove(self, place: Place) -> None:
        """Take notice that a row is gone."""
        at = bisect_left(self._places, place)
        if self._places[at : at + 1] == [place]:
            del self._places[at]
