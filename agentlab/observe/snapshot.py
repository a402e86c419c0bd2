"""What was counted, at one moment: plain numbers and the arithmetic on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from agentlab.core.doors import Displayable, Tabular
from agentlab.core.portable import Portable
from agentlab.observe.histogram import BucketRow, bucket_rows, percentile
from agentlab.observe.values import OTHER

N = TypeVar("N", int, float)
COUNTERS = (
    "active_sessions", "total_sessions", "sessions_started", "sessions_failed", "total_steps",
    "total_tool_calls", "failed_tool_calls", "backpressure_shed_count", "memory_recall_count",
    "checkpoint_errors",
)  # fmt: skip


class MetricRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """One number by name."""

    name: str
    value: float


class ToolMetricRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """One tool, what came of calling it, and how long a call took on average."""

    tool: str
    calls: int
    failures: int
    failure_rate: float
    mean_ms: float


class MetricsSnapshot(Portable, Tabular, Displayable, msgspec.Struct, frozen=True):
    """The metrics of a runtime at one moment, all read at once.

    Attributes
    ----------
    active_sessions : int
        Runs under way.
    total_sessions : int
        Runs that ended, however they did; so ``sessions_started`` is at least this.
    sessions_started, sessions_failed : int
        Runs that began, and those that ended in an error.
    total_steps, total_tool_calls, failed_tool_calls : int
        Of all runs, those below others too. A call counts when it ends, so one that was
        cancelled does not; a call that was blocked, or of a tool that is not there, has failed.
    backpressure_shed_count, memory_recall_count, checkpoint_errors : int
        Runs turned away, times a memory was asked, times that something could not be saved.
    per_tool_calls, per_tool_failures : dict of str to int
        By name, in its order; what came when there were too many names is ``__other__``.
    per_tool_ms : dict of str to float
        What the calls of each took together.
    step_latency_buckets : dict of str to int
        How many steps took at most so many milliseconds, and more than the bound before.
    step_latency_mean_ms, step_latency_sum_ms, step_latency_max_ms : float
        Of all steps.
    """

    active_sessions: int = 0
    total_sessions: int = 0
    sessions_started: int = 0
    sessions_failed: int = 0
    total_steps: int = 0
    total_tool_calls: int = 0
    failed_tool_calls: int = 0
    backpressure_shed_count: int = 0
    memory_recall_count: int = 0
    checkpoint_errors: int = 0
    per_tool_calls: dict[str, int] = {}
    per_tool_failures: dict[str, int] = {}
    per_tool_ms: dict[str, float] = {}
    step_latency_buckets: dict[str, int] = {}
    step_latency_mean_ms: float = 0.0
    step_latency_sum_ms: float = 0.0
    step_latency_max_ms: float = 0.0

    def __repr__(self) -> str:
        return (
            f"<MetricsSnapshot {self.total_sessions} sessions, {self.total_steps} steps,"
            f" {self.total_tool_calls} tool calls, {self.failed_tool_calls} failed>"
        )

    def tool_call_count(self, name: str) -> int:
        """Count the calls of one tool."""
        return self.per_tool_calls.get(name, 0)

    def tool_failure_count(self, name: str) -> int:
        """Count the failed calls of one tool."""
        return self.per_tool_failures.get(name, 0)

    def failure_rate(self) -> float:
        """Give the share of tool calls that failed, 0 where there were none."""
        return share(self.failed_tool_calls, self.total_tool_calls)

    def success_rate(self) -> float:
        """Give the share of tool calls that did not fail, 0 where there were none."""
        return 1 - self.failure_rate() if self.total_tool_calls else 0.0

    def failure_rate_for(self, tool: str) -> float:
        """Give the share of the calls of one tool that failed, 0 where there were none."""
        return share(self.tool_failure_count(tool), self.tool_call_count(tool))

    def mean_ms_for(self, tool: str) -> float:
        """Give the milliseconds that a call of one tool took on average, 0 without calls."""
        return share(self.per_tool_ms.get(tool, 0.0), self.tool_call_count(tool))

    def most_called_tool(self) -> str | None:
        """Give the tool that was called most, the first by name of equals."""
        return most_called(self.per_tool_calls)

    def tool_calls_per_session(self) -> float:
        """Give the tool calls a run that ended, 0 where none did."""
        return share(self.total_tool_calls, self.total_sessions)

    def percentile(self, p: float) -> float:
        """Give the milliseconds that the share ``p`` of steps took at most, as a bucket's bound.

        Above the last bound it is the longest step seen. See
        :func:`agentlab.observe.histogram.percentile`.
        """
        buckets = self.step_latency_buckets.items()
        return percentile([(float(le), n) for le, n in buckets], p, self.step_latency_max_ms)

    def delta(self, before: MetricsSnapshot, /) -> MetricsSnapshot:
        """Give what came since ``before``; nothing is ever below zero.

        The mean is that of the steps since. The longest step is the longest seen until now: it
        may be one from before. ``MetricsSnapshot.delta(after, before)`` is the same.
        """
        calls = some(less(self.per_tool_calls, before.per_tool_calls))
        took = less(self.per_tool_ms, before.per_tool_ms)
        counts = {name: max(0, getattr(self, name) - getattr(before, name)) for name in COUNTERS}
        buckets = less(self.step_latency_buckets, before.step_latency_buckets)
        steps = sum(buckets.values())
        total = max(0.0, self.step_latency_sum_ms - before.step_latency_sum_ms) if steps else 0.0
        return MetricsSnapshot(
            **counts,
            per_tool_calls=calls,
            per_tool_failures=some(less(self.per_tool_failures, before.per_tool_failures)),
            per_tool_ms={name: took.get(name, 0.0) for name in calls},
            step_latency_buckets=buckets,
            step_latency_mean_ms=share(total, steps),
            step_latency_sum_ms=total,
            step_latency_max_ms=self.step_latency_max_ms if steps else 0.0,
        )

    def to_json(self) -> dict[str, Any]:
        """Give every field as plain JSON, always in the same order."""
        return self.to_dict()

    def rows(self) -> list[MetricRow]:
        """List the counters, the latencies and the rates by name."""
        plain = (*COUNTERS, "step_latency_mean_ms", "step_latency_max_ms")
        rates = {
            "failure_rate": self.failure_rate(),
            "tool_calls_per_session": self.tool_calls_per_session(),
        }
        return [
            *(MetricRow(name, getattr(self, name)) for name in plain),
            *(MetricRow(name, value) for name, value in rates.items()),
        ]

    def tool_rows(self) -> list[ToolMetricRow]:
        """List the tools, most called first, then by name."""
        names = {**self.per_tool_calls, **self.per_tool_failures}
        return [
            ToolMetricRow(
                tool,
                self.tool_call_count(tool),
                self.tool_failure_count(tool),
                self.failure_rate_for(tool),
                self.mean_ms_for(tool),
            )
            for tool in sorted(names, key=lambda name: (-self.tool_call_count(name), name))
        ]

    def bucket_rows(self) -> list[BucketRow]:
        """List the buckets of the step latencies."""
        return bucket_rows(self.step_latency_buckets)


def share(part: float, whole: float) -> float:
    """Divide, and give 0 where there is nothing to divide by."""
    return part / whole if whole else 0.0


def most_called(calls: Mapping[str, int]) -> str | None:
    """Give the name with most calls, the first by name of equals; ``__other__`` is no name."""
    named = (name for name, count in calls.items() if count and name != OTHER)
    return min(named, key=lambda name: (-calls[name], name), default=None)


def less(after: Mapping[str, N], before: Mapping[str, N]) -> dict[str, N]:
    """Subtract by name, down to zero."""
    return {name: max(0, count - before.get(name, 0)) for name, count in after.items()}


def some(counts: Mapping[str, int]) -> dict[str, int]:
    """Leave out what is zero."""
    return {name: count for name, count in counts.items() if count}
