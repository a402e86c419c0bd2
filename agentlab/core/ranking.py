"""The best of many, in an order that never depends on chance.

Every result that is ranked is ranked here: by score, then by the tie-breaks its owner names,
then by who came first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from heapq import nsmallest
from typing import Any, TypeVar

from agentlab.core.errors import InvalidValue

T = TypeVar("T")


def best(
    items: Iterable[T],
    score: Callable[[T], float],
    limit: int | None = None,
    *,
    tie: Callable[[T], Any] | None = None,
) -> list[tuple[T, float]]:
    """Give the items with the highest scores, and these, best first. O(n log limit).

    >>> best(["b", "a", "cc"], len, 2, tie=str)
    [('cc', 2), ('a', 1)]

    Parameters
    ----------
    items : iterable
        What to rank.
    score : callable
        How good an item is; more is better.
    limit : int, optional
        How many to give; all by default.
    tie : callable, optional
        Ranks equals, the smallest first. Equals still are in the order they came.

    Raises
    ------
    InvalidValue
        A score is not a number.
    """
    ranked = []
    for place, item in enumerate(items):
        value = score(item)
        if math.isnan(value):
            raise InvalidValue(f"the score of {item!r} is not a number")
        ranked.append((-value, tie(item) if tie else 0, place, item, value))
    # The place is unique, so that items themselves are never compared.
    chosen = sorted(ranked) if limit is None else nsmallest(limit, ranked)
    return [(item, value) for *_, item, value in chosen]
