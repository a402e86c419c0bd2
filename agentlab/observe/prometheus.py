"""Metrics by name, as Prometheus reads them: a reader of traces, and whatever else you count."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from agentlab.core import events
from agentlab.core.doors import Explorable, Tabular
from agentlab.core.errors import InvalidValue
from agentlab.core.events import Entry
from agentlab.core.text import clean
from agentlab.observe.calls import Calls, Takes
from agentlab.observe.exposition import CONTENT_TYPE, SampleRow
from agentlab.observe.families import MAX_SERIES, Family, check_names
from agentlab.observe.histogram import ordered
from agentlab.observe.series import LATENCY_BOUNDS_MS, Counter, Gauge, Histogram, Series
from agentlab.observe.values import OTHER

if TYPE_CHECKING:
    from agentlab.observe.serving import MetricsServer

__all__ = ["CONTENT_TYPE", "Counter", "Gauge", "Histogram", "MetricsRegistry", "SampleRow"]

log = logging.getLogger("agentlab.metrics")
S = TypeVar("S", bound=Series)


class MetricsRegistry(Takes, Tabular, Explorable):
    """Named counters, gauges and histograms, and their text for Prometheus.

    It is a sink that feeds the five metrics it begins with: ``agent_inferences_total`` (the
    questions put to a model, answered or not), ``agent_inference_latency_ms`` (from question to
    whole answer, of those answered), ``agent_tool_calls_total`` (that ended),
    ``agent_errors_total`` (failed tool calls, blocked ones too, and runs that ended in an error,
    each once: an error that a child leaves its parent to fail of is two failed runs) and
    ``agent_memory_entries``, which follows the memory of a runtime that has one.

    >>> registry = MetricsRegistry()
    >>> registry.counter("my_calls_total", "Custom call counter").inc()
    >>> print(registry.prometheus_text().partition("my_calls_total")[2].splitlines()[-1])
    my_calls_total 1
    """

    def __init__(self) -> None:
        self._families: dict[str, Family] = {}
        self._samples: dict[str, str] = {}  # whose each sample name is
        self._under_way = Calls[float]()
        self._lock = threading.Lock()  # for the dictionaries; a series has its own
        self.inferences = self.counter("agent_inferences_total", "Questions put to a model")
        self.inference_latency = self.histogram(
            "agent_inference_latency_ms", "Milliseconds from question to whole answer"
        )
        self.memory_entries = self.gauge("agent_memory_entries", "Episodes remembered")
        self.tool_calls = self.counter("agent_tool_calls_total", "Tool calls that ended")
        self.errors = self.counter("agent_errors_total", "Failed tool calls and failed runs")

    def __repr__(self) -> str:
        count = sum(len(each.series) for each in [*self._families.values()])
        return f"<MetricsRegistry {len(self._families)} metrics, {count} series>"

    def counter(
        self,
        name: str,
        help: str = "",  # noqa: A002 - what the format calls it
        *,
        labels: Mapping[str, object] | None = None,
    ) -> Counter:
        """Give the counter of that name and those labels, made on first use.

        What a metric is for is said by whoever names it first. Of more than 1000 sets of labels
        the rest is one series, whose labels are all ``__other__``.

        Raises
        ------
        InvalidValue
            A name cannot be one, or the name is taken by a metric of another kind or with
            labels of other names.
        """
        return self._series(Counter, name, help, labels)

    def gauge(
        self,
        name: str,
        help: str = "",  # noqa: A002 - as above
        *,
        labels: Mapping[str, object] | None = None,
    ) -> Gauge:
        """Give the gauge of that name; see :meth:`counter`."""
        return self._series(Gauge, name, help, labels)

    def histogram(
        self,
        name: str,
        help: str = "",  # noqa: A002 - as above
        buckets: Iterable[float] | None = None,
        *,
        labels: Mapping[str, object] | None = None,
    ) -> Histogram:
        """Give the histogram of that name; see :meth:`counter`.

        Without ``buckets`` a new one has those for latencies in milliseconds, from 1 to 30 000.

        Raises
        ------
        InvalidValue
            As of a counter; or the bounds do not ascend, or are others than the metric has.
        """
        options = {} if buckets is None else {"buckets": ordered(buckets)}
        return self._series(Histogram, name, help, labels, **options)

    def prometheus_text(self) -> str:
        """Write all metrics down, by name; serve it as ``CONTENT_TYPE``."""
        return "".join(family.text() for family in self._sorted())

    def series(self) -> list[Series]:
        """List all counters, gauges and histograms, in the order of the text."""
        return [each for family in self._sorted() for each in family.ordered()]

    def rows(self) -> list[SampleRow]:
        """List all samples, in the order of the text."""
        return [row for family in self._sorted() for row in family.rows()]

    def serve(self, port: int = 0, *, host: str = "127.0.0.1") -> MetricsServer:
        """Serve the text under ``/metrics``, to this machine only, until it is closed.

        Raises
        ------
        InvalidValue
            ``host`` is not this machine's own.
        """
        from agentlab.observe.serving import MetricsServer

        return MetricsServer(self.prometheus_text, port, host)

    def _sorted(self) -> list[Family]:
        with self._lock:  # a copy of each, for others may add series meanwhile
            return [
                Family(each.name, each.help, each.kind, each.label_names, {}, dict(each.series))
                for _, each in sorted(self._families.items())
            ]

    def _series(
        self,
        kind: type[S],
        name: str,
        about: str,
        labels: Mapping[str, object] | None,
        **options: Any,
    ) -> S:
        told = {key: clean(str(value)) for key, value in sorted((labels or {}).items())}
        with self._lock:
            family = self._families.get(name)
            if family is None:
                family = self._open(kind, name, about, tuple(told), options)
            self._check(family, kind, tuple(told), options)
            was_full = family.full
            found = family.of(told)
        if family.full and not was_full:
            log.warning(
                "metric %r has more than %d sets of labels: the rest is counted as %r",
                name, MAX_SERIES, OTHER,
            )  # fmt: skip
        return cast("S", found)

    def _open(
        self,
        kind: type[Series],
        name: str,
        about: str,
        label_names: tuple[str, ...],
        options: dict[str, Any],
    ) -> Family:
        check_names(kind, name, label_names)
        claims = {name, *(f"{name}{part}" for part in kind.parts)}
        for claim in sorted(claims & self._samples.keys()):
            raise InvalidValue(
                f"metric {name!r} would have samples named {claim!r}, as metric"
                f" {self._samples[claim]!r} has: choose another name"
            )
        if kind is Histogram:
            options = {"buckets": LATENCY_BOUNDS_MS, **options}
        family = Family(name, clean(about), kind, label_names, options)
        self._samples |= dict.fromkeys(claims, name)
        self._families[name] = family
        return family

    def _check(
        self,
        family: Family,
        kind: type[Series],
        label_names: tuple[str, ...],
        options: dict[str, Any],
    ) -> None:
        name = family.name
        if family.kind is not kind:
            raise InvalidValue(
                f"metric {name!r} is a {family.kind.kind} and cannot be a {kind.kind} as well:"
                " choose another name"
            )
        if family.label_names != label_names:
            raise InvalidValue(
                f"metric {name!r} has the labels {list(family.label_names)!r},"
                f" got {list(label_names)!r}: all series of a metric have the same"
            )
        if options and options != family.options:
            raise InvalidValue(
                f"metric {name!r} has other buckets than {list(options['buckets'])!r}:"
                " leave them out, or choose another name"
            )

    def _asked(self, entry: Entry, event: events.Asked) -> None:
        with self._lock:
            self._under_way.begin(entry.run, event.call_id, entry.offset)
        self.inferences.inc()

    def _answered(self, entry: Entry, event: events.Answered) -> None:
        with self._lock:
            began = self._under_way.end(entry.run, event.call_id)
        if began is not None:
            self.inference_latency.observe(max(0.0, entry.offset - began) * 1000)

    def _tool_ended(self, _: Entry, event: events.ToolEnded) -> None:
        self.tool_calls.inc()
        if not event.ok:
            self.errors.inc()

    def _run_ended(self, entry: Entry, event: events.RunEnded) -> None:
        with self._lock:
            self._under_way.forget(entry.run)
        if event.stop_reason == "error":
            self.errors.inc()

    takes: ClassVar = {
        events.Asked: _asked,
        events.Answered: _answered,
        events.ToolEnded: _tool_ended,
        events.RunEnded: _run_ended,
    }
