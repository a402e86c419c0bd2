"""The counters of one runtime: a reader of its traces."""

from __future__ import annotations

import threading
from typing import ClassVar

from agentlab.core import events
from agentlab.core.doors import Explorable, Tabular
from agentlab.core.events import Entry
from agentlab.observe.calls import Calls, Takes
from agentlab.observe.histogram import BucketRow, Buckets
from agentlab.observe.snapshot import (
    COUNTERS,
    MetricRow,
    MetricsSnapshot,
    ToolMetricRow,
    most_called,
    share,
)
from agentlab.observe.values import OTHER, amount

STEP_BOUNDS_MS = (1, 5, 10, 50, 100, 500)
MAX_TOOLS = 1000


class RuntimeMetrics(Takes, Tabular, Explorable):
    """Counts what runs do: a sink, for as many traces at once as there are, from any thread.

    Only a run that is nobody's child is a session. Steps and tool calls count wherever they
    are. A tool call counts when it ends, and has failed where its observation is not ``ok``:
    a blocked call too, as the model is told so; one that is cancelled is no call. Of more than
    1000 tools the rest is counted as ``__other__``. See :class:`MetricsSnapshot` for what each
    counter is.

    >>> metrics = RuntimeMetrics()
    >>> for _ in range(3): metrics.record_tool_call("search")
    >>> metrics.record_tool_failure("search")
    >>> round(metrics.failure_rate_for("search"), 2)
    0.33
    """

    def __init__(self) -> None:
        self._counts = dict.fromkeys(COUNTERS, 0)
        self._calls_of: dict[str, int] = {}
        self._failures_of: dict[str, int] = {}
        self._ms_of: dict[str, float] = {}
        self._names: set[str] = set()
        self._latency = Buckets(STEP_BOUNDS_MS)
        self._under_way = Calls[str]()
        self._lock = threading.Lock()  # each entry is counted as one; never held in a wait

    def __repr__(self) -> str:
        counts = self._counts
        return (
            f"<RuntimeMetrics {counts['total_sessions']} sessions, {counts['total_steps']} steps,"
            f" {counts['total_tool_calls']} tool calls, {counts['failed_tool_calls']} failed>"
        )

    def record_tool_call(self, name: str, ms: float = 0.0) -> None:
        """Count a call that no trace tells of, and say how long it took.

        Raises
        ------
        InvalidValue
            That is negative, or no number.
        """
        ms = amount(ms, "a latency in ms")
        with self._lock:
            self._called(name, ms)

    def record_tool_failure(self, name: str) -> None:
        """Say that a call so recorded failed."""
        with self._lock:
            self._failed(name)

    def record_step_latency(self, ms: float) -> None:
        """Say how long something like a step took; it is not counted as a step.

        Raises
        ------
        InvalidValue
            It is negative, or no number.
        """
        ms = amount(ms, "a latency in ms")
        with self._lock:
            self._latency.add(ms)

    def record_shed(self) -> None:
        """Count a run that was turned away: it has no trace."""
        with self._lock:
            self._counts["backpressure_shed_count"] += 1

    def active_sessions(self) -> int:
        """Count the runs under way."""
        return self._counts["active_sessions"]

    def total_sessions(self) -> int:
        """Count the runs that ended, however they did."""
        return self._counts["total_sessions"]

    def sessions_started(self) -> int:
        """Count the runs that began."""
        return self._counts["sessions_started"]

    def sessions_failed(self) -> int:
        """Count the runs that ended in an error; being stopped is none."""
        return self._counts["sessions_failed"]

    def total_steps(self) -> int:
        """Count the steps."""
        return self._counts["total_steps"]

    def total_tool_calls(self) -> int:
        """Count the tool calls that ended."""
        return self._counts["total_tool_calls"]

    def failed_tool_calls(self) -> int:
        """Count those that failed."""
        return self._counts["failed_tool_calls"]

    def backpressure_shed_count(self) -> int:
        """Count the runs that were turned away."""
        return self._counts["backpressure_shed_count"]

    def memory_recall_count(self) -> int:
        """Count how often a memory was asked."""
        return self._counts["memory_recall_count"]

    def checkpoint_errors(self) -> int:
        """Count how often something could not be saved."""
        return self._counts["checkpoint_errors"]

    def top_called_tool(self) -> str | None:
        """Give the tool that was called most, the first by name of equals."""
        with self._lock:
            return most_called(self._calls_of)

    def most_called_tool(self) -> str | None:
        """Give the same, by the name that a snapshot has for it."""
        return self.top_called_tool()

    def avg_step_latency_ms(self) -> float:
        """Give the mean of what steps took, 0 where there were none."""
        with self._lock:
            return share(self._latency.sum, self._latency.count)

    def step_latency_mean_ms(self) -> float:
        """Give the same, by the name that a snapshot has for it."""
        return self.avg_step_latency_ms()

    def percentile(self, p: float) -> float:
        """Give the milliseconds that the share ``p`` of steps took at most, as a bucket's bound."""
        with self._lock:
            return self._latency.percentile(p)

    def failure_rate(self) -> float:
        """Give the share of tool calls that failed, 0 where there were none."""
        return self.snapshot().failure_rate()

    def success_rate(self) -> float:
        """Give the share of tool calls that did not fail, 0 where there were none."""
        return self.snapshot().success_rate()

    def failure_rate_for(self, tool: str) -> float:
        """Give the share of the calls of one tool that failed, 0 where there were none."""
        with self._lock:
            return share(self._failures_of.get(tool, 0), self._calls_of.get(tool, 0))

    def mean_ms_for(self, tool: str) -> float:
        """Give the milliseconds that a call of one tool took on average, 0 without calls."""
        with self._lock:
            return share(self._ms_of.get(tool, 0.0), self._calls_of.get(tool, 0))

    def tool_calls_per_session(self) -> float:
        """Give the tool calls a run that ended, 0 where none did."""
        return self.snapshot().tool_calls_per_session()

    def snapshot(self) -> MetricsSnapshot:
        """Read everything at once."""
        with self._lock:
            latency = self._latency
            return MetricsSnapshot(
                **self._counts,
                per_tool_calls=dict(sorted(self._calls_of.items())),
                per_tool_failures=dict(sorted(self._failures_of.items())),
                per_tool_ms=dict(sorted(self._ms_of.items())),
                step_latency_buckets=latency.by_bound(),
                step_latency_mean_ms=share(latency.sum, latency.count),
                step_latency_sum_ms=float(latency.sum),
                step_latency_max_ms=float(latency.most),
            )

    def rows(self) -> list[MetricRow]:
        """List the counters, the latencies and the rates by name."""
        return self.snapshot().rows()

    def tool_rows(self) -> list[ToolMetricRow]:
        """List the tools, most called first."""
        return self.snapshot().tool_rows()

    def bucket_rows(self) -> list[BucketRow]:
        """List the buckets of the step latencies."""
        return self.snapshot().bucket_rows()

    def _called(self, name: str, ms: float) -> None:
        self._counts["total_tool_calls"] += 1
        name = self._name(name)
        self._calls_of[name] = self._calls_of.get(name, 0) + 1
        self._ms_of[name] = self._ms_of.get(name, 0.0) + ms

    def _failed(self, name: str) -> None:
        self._counts["failed_tool_calls"] += 1
        name = self._name(name)
        self._failures_of[name] = self._failures_of.get(name, 0) + 1

    def _name(self, name: str) -> str:
        """Give the name to count under: models make names up, and there may be no end to them."""
        if name not in self._names:
            if len(self._names) >= MAX_TOOLS:
                return OTHER
            self._names.add(name)
        return name

    def _run_started(self, entry: Entry, _: events.RunStarted) -> None:
        if entry.parent is None:
            with self._lock:
                self._counts["sessions_started"] += 1
                self._counts["active_sessions"] += 1

    def _run_ended(self, entry: Entry, event: events.RunEnded) -> None:
        with self._lock:
            self._under_way.forget(entry.run)
            if entry.parent is None:
                counts = self._counts
                counts["total_sessions"] += 1
                counts["sessions_failed"] += event.stop_reason == "error"
                counts["active_sessions"] = max(0, counts["active_sessions"] - 1)

    def _tool_started(self, entry: Entry, event: events.ToolStarted) -> None:
        with self._lock:
            self._under_way.begin(entry.run, event.call_id, event.tool)

    def _tool_ended(self, entry: Entry, event: events.ToolEnded) -> None:
        with self._lock:
            name = self._under_way.end(entry.run, event.call_id) or OTHER
            self._called(name, max(0.0, event.ms))
            if not event.ok:
                self._failed(name)

    def _step_ended(self, _: Entry, event: events.StepEnded) -> None:
        with self._lock:
            self._counts["total_steps"] += 1
            self._latency.add(max(0, event.step.step_duration_ms))

    def _recalled(self, _: Entry, __: events.Recalled) -> None:
        with self._lock:
            self._counts["memory_recall_count"] += 1

    def _save_failed(self, _: Entry, __: events.SaveFailed) -> None:
        with self._lock:
            self._counts["checkpoint_errors"] += 1

    takes: ClassVar = {
        events.RunStarted: _run_started,
        events.RunEnded: _run_ended,
        events.ToolStarted: _tool_started,
        events.ToolEnded: _tool_ended,
        events.StepEnded: _step_ended,
        events.Recalled: _recalled,
        events.SaveFailed: _save_failed,
    }
