"""A histogram as a value: how many were at most so large, their sum and the largest."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import accumulate, pairwise

import msgspec

from agentlab.core.doors import Displayable
from agentlab.core.errors import InvalidValue
from agentlab.core.portable import Portable
from agentlab.observe.values import amount


class BucketRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """One bucket of a histogram: its bound as text, its own count, and all up to the bound."""

    le: str
    count: int
    cumulative: int


class Buckets:
    """Counts numbers by size. Whoever owns it holds the lock.

    >>> seen = Buckets([5, 50])
    >>> for ms in (3, 30, 300): seen.add(ms)
    >>> seen.cumulative()
    {'5': 1, '50': 2, '+Inf': 3}
    >>> seen.percentile(0.5), seen.percentile(1)
    (50.0, 300.0)

    Parameters
    ----------
    bounds : iterable of float
        The largest number of each bucket but the last, which has no bound.

    Raises
    ------
    InvalidValue
        The bounds are none, not finite, or not in ascending order.
    """

    __slots__ = ("_most", "bounds", "counts", "sum")

    def __init__(self, bounds: Iterable[float]) -> None:
        self.bounds = ordered(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        self.sum: float = 0
        self._most = -math.inf

    def __repr__(self) -> str:
        return f"<Buckets {self.count} numbers, sum {written(self.sum)}>"

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self.counts)

    @property
    def most(self) -> float:
        """The largest of them, 0 where there were none."""
        return self._most if self._most > -math.inf else 0.0

    def add(self, value: float) -> None:
        """Count ``value``, which is finite."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value
        self._most = max(self._most, value)

    def by_bound(self) -> dict[str, int]:
        """Count each bucket by itself, under its bound as text."""
        return dict(zip(self._labels(), self.counts, strict=True))

    def cumulative(self) -> dict[str, int]:
        """Count what is at most a bound, under that bound as text."""
        return dict(zip(self._labels(), accumulate(self.counts), strict=True))

    def percentile(self, p: float) -> float:
        """See :func:`percentile`."""
        return percentile(zip([*self.bounds, math.inf], self.counts, strict=True), p, self.most)

    def _labels(self) -> Iterator[str]:
        return map(written, (*self.bounds, math.inf))


def bucket_rows(counts: Mapping[str, int]) -> list[BucketRow]:
    """List buckets, given each one's own count under its bound.

    >>> [row.cumulative for row in bucket_rows({"5": 1, "50": 0, "+Inf": 2})]
    [1, 1, 3]
    """
    sums = accumulate(counts.values())
    return [BucketRow(le, n, at) for (le, n), at in zip(counts.items(), sums, strict=True)]


def ordered(bounds: Iterable[float]) -> tuple[float, ...]:
    """Give the bounds; a last one that is infinite is understood, and left out.

    Raises
    ------
    InvalidValue
        They are none, not finite, or not in ascending order.
    """
    given = tuple(bounds)
    if given and given[-1] == math.inf:
        given = given[:-1]
    if not given:
        raise InvalidValue("a histogram needs at least one finite bucket bound, got none")
    kept = tuple(amount(bound, "a bucket bound", least=-math.inf) for bound in given)
    if any(one >= other for one, other in pairwise(kept)):
        raise InvalidValue(f"bucket bounds must ascend, each once, got {list(kept)!r}")
    return kept


def percentile(buckets: Iterable[tuple[float, int]], p: float, most: float) -> float:
    """Give the bound of the first bucket that reaches the share ``p`` of all, from 0 to 1.

    With n numbers that is the bucket of the ⌈p·n⌉-th smallest, and of the smallest for p = 0.
    The last bucket has no bound: there it is ``most``, the largest seen. 0 where there are none.

    Raises
    ------
    InvalidValue
        ``p`` is not from 0 to 1.
    """
    share = float(amount(p, "a percentile"))
    if share > 1:
        raise InvalidValue(f"a percentile is a share from 0 to 1, got {p!r}")
    pairs = list(buckets)
    rank = max(1, math.ceil(Fraction(str(share)) * sum(count for _, count in pairs)))
    reached = 0
    for bound, count in pairs:
        reached += count
        if reached >= rank:
            return float(most if bound == math.inf else bound)
    return 0.0


def written(number: float) -> str:
    """Give a number as text that reads back equal, short where it is whole.

    >>> [written(n) for n in (33, 33.0, 0.1, 1e300, math.inf)]
    ['33', '33', '0.1', '1e+300', '+Inf']
    """
    if isinstance(number, int):
        return str(number)
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    whole = number.is_integer() and abs(number) < 2**53
    return str(int(number)) if whole else repr(number)
