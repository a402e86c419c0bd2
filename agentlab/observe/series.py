"""The kinds of numbers that Prometheus knows: what only grows, what moves, what is spread."""

from __future__ import annotations

import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

from agentlab.core.doors import Displayable, Tabular
from agentlab.observe.exposition import SampleRow, labelled
from agentlab.observe.histogram import BucketRow, Buckets, bucket_rows, written
from agentlab.observe.values import amount

LATENCY_BOUNDS_MS = (1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000)


class Series(Tabular, Displayable, ABC):
    """A metric with one set of labels. A registry makes them, checks the names, and keeps them."""

    kind: ClassVar[str]
    parts: ClassVar[tuple[str, ...]] = ("",)  # what is put after the name of each of its samples

    def __init__(
        self,
        name: str,
        help: str = "",  # noqa: A002 - what the format calls it
        *,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self.name, self.help, self.labels = name, help, dict(labels or {})
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {labelled(self.name, self.labels)} {self._told()}>"

    @abstractmethod
    def rows(self) -> list[SampleRow]:
        """List its samples, all read at once."""

    @abstractmethod
    def _told(self) -> str:
        """Say what it has come to."""


class Simple(Series):
    """A series of one number."""

    _value: float = 0

    def get(self) -> float:
        """Give the number as it is now."""
        return self._value

    def rows(self) -> list[SampleRow]:
        """List its one sample."""
        return [SampleRow(self.name, self.kind, dict(self.labels), self.get())]

    def _told(self) -> str:
        return written(self.get())


class Counter(Simple):
    """A number that only grows.

    >>> calls = Counter("calls_total", "All calls")
    >>> calls.inc()
    >>> calls.inc_by(2)
    >>> calls
    <Counter calls_total 3>
    """

    kind = "counter"

    def inc(self) -> None:
        """Add one."""
        with self._lock:
            self._value += 1

    def inc_by(self, n: float) -> None:
        """Add ``n``.

        Raises
        ------
        InvalidValue
            It is negative, or no finite number.
        """
        n = amount(n, f"what {self.name!r} grows by")
        with self._lock:
            self._value += n


class Gauge(Simple):
    """A number that goes up and down.

    >>> size = Gauge("size", "How many")
    >>> size.set(5)
    >>> size.dec()
    >>> size
    <Gauge size 4>
    """

    kind = "gauge"
    _read: Callable[[], float] | None = None

    def get(self) -> float:
        """Give the number as it is now."""
        return self._value if self._read is None else self._read()

    def follow(self, read: Callable[[], float]) -> None:
        """Let it be what ``read`` gives whenever somebody looks, until it is set.

        >>> size, things = Gauge("size", "How many"), [1, 2]
        >>> size.follow(lambda: len(things))
        >>> size.get()
        2
        """
        self._read = read

    def set(self, value: float) -> None:
        """Make it ``value``.

        Raises
        ------
        InvalidValue
            It is no finite number.
        """
        value = amount(value, f"the value of {self.name!r}", least=-math.inf)
        with self._lock:
            self._value, self._read = value, None

    def inc(self) -> None:
        """Add one."""
        with self._lock:
            self._value, self._read = self.get() + 1, None

    def dec(self) -> None:
        """Take one away."""
        with self._lock:
            self._value, self._read = self.get() - 1, None


class Histogram(Series):
    """Numbers by size.

    >>> ms = Histogram("took_ms", "How long", buckets=[5, 50])
    >>> for each in (3, 30): ms.observe(each)
    >>> ms
    <Histogram took_ms 2 observations, sum 33>
    """

    kind = "histogram"
    parts = ("_bucket", "_sum", "_count")

    def __init__(
        self,
        name: str,
        help: str = "",  # noqa: A002 - as above
        *,
        labels: Mapping[str, str] | None = None,
        buckets: Iterable[float] | None = None,
    ) -> None:
        super().__init__(name, help, labels=labels)
        self._buckets = Buckets(LATENCY_BOUNDS_MS if buckets is None else buckets)

    def observe(self, value: float) -> None:
        """Count ``value``.

        Raises
        ------
        InvalidValue
            It is no finite number.
        """
        value = amount(value, f"an observation of {self.name!r}", least=-math.inf)
        with self._lock:
            self._buckets.add(value)

    def count(self) -> int:
        """Count the observations."""
        with self._lock:
            return self._buckets.count

    def sum(self) -> float:
        """Add them up."""
        return self._buckets.sum

    def buckets(self) -> dict[str, int]:
        """Count what is at most a bound, under that bound as text."""
        with self._lock:
            return self._buckets.cumulative()

    def bucket_rows(self) -> list[BucketRow]:
        """List the buckets: what a frame of it holds."""
        with self._lock:
            return bucket_rows(self._buckets.by_bound())

    def percentile(self, p: float) -> float:
        """Give what the share ``p`` of the observations is at most, as a bucket's bound."""
        with self._lock:
            return self._buckets.percentile(p)

    def rows(self) -> list[SampleRow]:
        """List its samples: a bucket each, the sum, the count."""
        with self._lock:
            buckets, total = self._buckets.cumulative(), self._buckets.sum
        name, kind = self.name, self.kind
        return [
            *(
                SampleRow(f"{name}_bucket", kind, {**self.labels, "le": le}, count)
                for le, count in buckets.items()
            ),
            SampleRow(f"{name}_sum", kind, dict(self.labels), total),
            SampleRow(f"{name}_count", kind, dict(self.labels), buckets["+Inf"]),
        ]

    def _told(self) -> str:
        return f"{self.count()} observations, sum {written(self.sum())}"
