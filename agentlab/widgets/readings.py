"""What the page of a :class:`MetricsView` is told: metrics as they are, and how they moved."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from agentlab.display.charts import span, under
from agentlab.display.html import visible
from agentlab.display.metrics import AGENTS, SERIES, TOOLS, figures, left_out, reading
from agentlab.display.parts import Chip, Column
from agentlab.display.words import count, gist, most, number, plural, seconds
from agentlab.observe.agent_metrics import AgentMetricsRegistry
from agentlab.observe.exposition import labelled
from agentlab.observe.metrics import RuntimeMetrics
from agentlab.observe.prometheus import MetricsRegistry
from agentlab.observe.series import Histogram
from agentlab.widgets.messages import Bars, Bit, Grid, Tile, Title

KEPT = 120  # readings
MOST_ROWS = 24
UNKNOWN = -1.0
Say = Callable[[float], str]
"""Writes a value, shortly."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Metrics at one moment.

    Attributes
    ----------
    title : Title
        The header line.
    levels : dict of str to (float, Say)
        What is drawn as it is.
    totals : dict of str to (float, Say)
        What only grows: drawn is how much a second.
    means : dict of str to (float, float, Say)
        A sum, and of how many: drawn is the mean of what came since the reading before.
    bars : Bars, optional
        A histogram.
    grid : Grid, optional
        A table.
    """

    title: Title
    levels: dict[str, tuple[float, Say]] = field(default_factory=dict)
    totals: dict[str, tuple[float, Say]] = field(default_factory=dict)
    means: dict[str, tuple[float, float, Say]] = field(default_factory=dict)
    bars: Bars | None = None
    grid: Grid | None = None


class Readings:
    """Take a reading now and then; give the cells of all that there were."""

    def __init__(self) -> None:
        self._last: Reading | None = None
        self._at = 0.0
        self._tracks: dict[str, deque[float]] = {}

    def take(self, reading: Reading, at: float) -> dict[str, Any]:
        """Give the cells after ``reading``, which is of the moment ``at``, in seconds."""
        before, spent = self._last, at - self._at
        self._last, self._at = reading, at
        tiles = [self._tile(name, value, say) for name, (value, say) in reading.levels.items()]
        for name, (total, say) in reading.totals.items():
            old = before.totals[name][0] if before else total
            pace = max(0.0, total - old) / spent if before and spent > 0 else UNKNOWN
            tiles.append(self._tile(name, pace, say))
        for name, (total, times, say) in reading.means.items():
            old, had = before.means[name][:2] if before else (total, times)
            mean = (total - old) / (times - had) if times > had else UNKNOWN
            tiles.append(self._tile(name, mean, say))
        return {
            "title": reading.title,
            "tiles": tiles,
            "bars": reading.bars,
            "grid": reading.grid,
        }

    def _tile(self, name: str, value: float, say: Say) -> Tile:
        track = self._tracks.setdefault(name, deque(maxlen=KEPT))
        track.append(float(f"{value:.3g}"))
        known = [each for each in track if each != UNKNOWN]
        highest = max(known, default=0.0)
        return Tile(
            name=name,
            now=say(value) if value != UNKNOWN else "\N{EN DASH}",
            most=f"at most {say(highest)}" if known else "",
            values=list(track),
            room=KEPT,
        )


def read(metrics: Any) -> Reading:
    """Read metrics of any kind."""
    if isinstance(metrics, RuntimeMetrics):
        return of_runtime(metrics)
    if isinstance(metrics, AgentMetricsRegistry):
        return of_agents(metrics)
    return of_registry(metrics)


def of_runtime(metrics: RuntimeMetrics) -> Reading:
    """Read the metrics of a runtime."""
    seen = metrics.snapshot()
    tools, path = seen.tool_rows(), "metrics.tool_rows()"
    shown = tools[:MOST_ROWS]
    slowest = most([tool.mean_ms for tool in shown]) or 1
    cells = [
        [
            bit(gist(tool.tool, 60), hue="call"),
            bit(count(tool.calls)),
            failed(tool.failures, tool.calls),
            bit(seconds(tool.mean_ms), tool.mean_ms / slowest),
        ]
        for tool in shown
    ]
    running = Chip("run", f"{count(seen.active_sessions)} running")
    return Reading(
        title(
            "metrics",
            plural(seen.total_sessions, "session"),
            running if seen.active_sessions else Chip("", "at rest"),
            figures(seen),
        ),
        {"running": (seen.active_sessions, count)},
        {
            "steps a second": (seen.total_steps, rate),
            "calls a second": (seen.total_tool_calls, rate),
        },
        {"time a step": (seen.step_latency_sum_ms, seen.total_steps, seconds)},
        columns(seen.step_latency_buckets, "how long steps took", "metrics.bucket_rows()", seconds),
        grid(
            left_out(len(shown), len(tools), "tools, most called first", path),
            path,
            TOOLS,
            cells,
        ),
    )


def of_agents(agents: AgentMetricsRegistry) -> Reading:
    """Read the metrics of agents."""
    found, path = agents.rows(), "agents.rows()"
    shown = found[:MOST_ROWS]
    slowest = most([each.avg_step_latency_ms for each in shown]) or 1
    cells = [
        [
            bit(gist(each.agent_id, 60)),
            bit(count(each.total_steps)),
            bit(seconds(each.avg_step_latency_ms), each.avg_step_latency_ms / slowest),
            bit(count(each.tool_calls_made)),
            failed(each.tool_call_failures, each.tool_calls_made),
            bit(count(each.total_tokens_in)),
            bit(count(each.total_tokens_out)),
        ]
        for each in shown
    ]
    steps, calls, came = (
        sum(getattr(each, name) for each in found)
        for name in ("total_steps", "tool_calls_made", "total_tokens_out")
    )
    return Reading(
        title("agents", plural(len(found), "agent"), None, [
            plural(steps, "step"), plural(calls, "tool call"), plural(came, "token") + " out",
        ]),
        totals={
            "steps a second": (steps, rate),
            "calls a second": (calls, rate),
            "tokens a second": (came, rate),
        },
        grid=grid(
            left_out(len(shown), len(found), "agents by name", path),
            path,
            AGENTS,
            cells,
        ),
    )  # fmt: skip


def of_registry(registry: MetricsRegistry) -> Reading:
    """Read the metrics that Prometheus reads: of each series, what it has come to."""
    found, path = registry.series(), "registry.series()"
    shown = found[:MOST_ROWS]
    cells = [
        [
            bit(gist(labelled(each.name, each.labels), 90), hue="code"),
            bit(reading(each)),
            bit(each.kind),
            bit(gist(each.help, 90)),
        ]
        for each in shown
    ]
    latency = registry.inference_latency
    return Reading(
        title("metrics registry", plural(len({each.name for each in found}), "metric"), None, [
            plural(len(found), "series", "series"),
        ]),
        totals={
            "model calls a second": (registry.inferences.get(), rate),
            "tool calls a second": (registry.tool_calls.get(), rate),
            "errors a second": (registry.errors.get(), rate),
        },
        means={"time a model call": (latency.sum(), latency.count(), seconds)},
        bars=bars_of(latency),
        grid=grid(
            left_out(len(shown), len(found), "series by name", path),
            path,
            SERIES,
            cells,
        ),
    )  # fmt: skip


def bars_of(latency: Histogram) -> Bars | None:
    """Give the columns of a histogram of milliseconds."""
    rows = latency.bucket_rows()
    return columns(
        {str(row.le): row.count for row in rows},
        "how long model calls took",
        "registry.inference_latency.bucket_rows()",
        seconds,
    )


def columns(counts: dict[str, int], title: str, path: str, say: Say) -> Bars | None:
    """Give the columns of a histogram, if anything was counted."""
    if not any(counts.values()):
        return None
    bounds = [float(bound) for bound in counts]
    return Bars(
        title=title,
        path=path,
        under=[under(bounds, i, say) for i in range(len(bounds))],
        spans=[span(bounds, i, say) for i in range(len(bounds))],
        counts=list(counts.values()),
    )


def title(kind: str, name: str, chip: Chip | None, figures: Iterable[str]) -> Title:
    """Give a header line."""
    hue, word = chip or Chip("", "")
    return Title(
        kind=kind,
        name=name,
        path=PATHS[kind],
        hue=hue,
        word=word,
        figures=[each for each in figures if each],
    )


PATHS = {"metrics": "metrics", "agents": "agents", "metrics registry": "registry"}


def grid(caption: str, path: str, heads: Sequence[Column], rows: list[list[Bit]]) -> Grid | None:
    """Give a table, if it has rows."""
    if not rows:
        return None
    names, classes = [head.name for head in heads], [head.cls for head in heads]
    return Grid(caption=caption, path=path, columns=names, classes=classes, rows=rows)


def bit(text: str, share: float = UNKNOWN, hue: str = "") -> Bit:
    """Give what stands in a table; a share is drawn as a bar."""
    return Bit(text=visible(text), bar=float(f"{share:.2g}"), hue=hue)


def failed(failures: int, calls: int) -> Bit:
    """Give how many calls failed, and which share of all that is."""
    if not failures:
        return bit("0")
    share = number(failures) / (number(calls) or 1)
    return bit(f"{count(failures)} ({share:.0%})", share, "bad")


def rate(value: float) -> str:
    """Write how often a second.

    >>> [rate(each) for each in (0, 0.5, 12.34, 1234)]
    ['0', '0.5', '12', '1,234']
    """
    return f"{value:.1f}".removesuffix(".0") if value < 10 else count(value)  # noqa: PLR2004
