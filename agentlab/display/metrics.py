"""The cards of metrics: of a runtime, of its agents, and those that Prometheus reads."""

from __future__ import annotations

import math
from typing import Any

from agentlab.display.charts import histogram, numbers
from agentlab.display.html import Html, h
from agentlab.display.parts import Chip, Column, Room, card, fold, in_vain, note, table, took
from agentlab.display.words import count, gist, most, number, plural, seconds
from agentlab.observe.agent_metrics import AgentMetrics, AgentMetricsRegistry, AgentMetricsSnapshot
from agentlab.observe.exposition import labelled
from agentlab.observe.metrics import RuntimeMetrics
from agentlab.observe.prometheus import MetricsRegistry
from agentlab.observe.series import Histogram, Series
from agentlab.observe.snapshot import MetricsSnapshot

NO_RUNS = "Nothing has been counted yet. Every run of the runtime is: `await lab.run(…)`."
NO_AGENTS = "Nothing was heard of any agent yet: `await lab.run(…, agent='ada')` is one."
TOOLS = [
    Column("tool", "fit"),
    Column("calls", "num"),
    Column("failed", "fit"),
    Column("mean", "wide"),
]
AGENTS = [
    Column("agent", "fit"),
    Column("steps", "num"),
    Column("mean step", "fit"),
    Column("tool calls", "num"),
    Column("failed", "fit"),
    Column("tokens in", "num"),
    Column("out", "num"),
]
SERIES = [
    Column("metric", "fit"),
    Column("value", "num"),
    Column("kind", "fit"),
    Column("what it is", "wide"),
]
COUNTERS = [Column("counter", "wide"), Column("value", "num")]


def runtime_card(metrics: RuntimeMetrics | MetricsSnapshot, room: Room) -> Html:
    """Draw the counters of a runtime: its tools, and how long its steps took."""
    seen = metrics.snapshot() if isinstance(metrics, RuntimeMetrics) else metrics
    kind, path = ("metrics snapshot", "snapshot") if seen is metrics else ("metrics", "metrics")
    name = plural(seen.total_sessions, "session")
    running = Chip("run", f"{count(seen.active_sessions)} running")
    chip = running if seen.active_sessions else None
    rows = seen.rows()
    if not any(number(row.value) for row in rows):
        return card(kind, "no runs", Chip("", "empty"), (), note(NO_RUNS), path=path)
    return card(
        kind,
        name,
        chip,
        figures(seen),
        tool_table(seen, room, path) if seen.per_tool_calls else None,
        *(latencies(seen, path) if any(seen.step_latency_buckets.values()) else ()),
        fold(
            "all counters",
            table(
                f"as a frame: {path}.to_frame()",
                COUNTERS,
                [(row.name, written(row.value)) for row in rows],
                path=f"{path}.rows()",
            ),
        ),
        path=path,
    )


def figures(seen: MetricsSnapshot) -> list[str]:
    """List the figures of the header line; what never happened is left out."""
    failed = f", {count(seen.failed_tool_calls)} failed" if seen.failed_tool_calls else ""
    return [
        f"{count(seen.sessions_failed)} ended in an error" if seen.sessions_failed else "",
        plural(seen.total_steps, "step"),
        plural(seen.total_tool_calls, "tool call") + failed,
        f"{count(seen.backpressure_shed_count)} shed" if seen.backpressure_shed_count else "",
        plural(seen.memory_recall_count, "recall") if seen.memory_recall_count else "",
        f"{count(seen.checkpoint_errors)} not saved" if seen.checkpoint_errors else "",
    ]


def tool_table(seen: MetricsSnapshot, room: Room, path: str) -> Html:
    """Draw a row a tool, most called first."""
    found = seen.tool_rows()
    shown, path = found[: 3 * room.ends], f"{path}.tool_rows()"
    slowest = most([tool.mean_ms for tool in shown])
    cells = [
        (
            h("span", "agl-call", title=f"{path}[{i}]")(h("b")(gist(tool.tool, 60))),
            count(tool.calls),
            in_vain(tool.failures, tool.calls),
            took(tool.mean_ms, slowest) if slowest else "",  # nobody timed them
        )
        for i, tool in enumerate(shown)
    ]
    caption = left_out(len(shown), len(found), "tools, most called first", path)
    return table(caption, TOOLS, cells, path=path)


def latencies(seen: MetricsSnapshot, path: str) -> tuple[Html, Html]:
    """Draw how long steps took, and in words half of them, nearly all, and the longest."""
    longest = seen.step_latency_max_ms
    half, nearly = (seconds(min(seen.percentile(share), longest)) for share in (0.5, 0.95))
    title = (
        f"how long steps took · mean {seconds(seen.step_latency_mean_ms)} · half within {half}"
        f" · 95% within {nearly} · longest {seconds(longest)}"
        if longest >= 1
        else "how long steps took · all less than 1 ms"
    )
    bounds = [float(bound) for bound in seen.step_latency_buckets]
    counts, path = [*seen.step_latency_buckets.values()], f"{path}.bucket_rows()"
    return (
        histogram(bounds, counts, title=title, path=path, say=seconds),
        numbers(bounds, counts, path=path, say=seconds),
    )


def agents_card(agents: AgentMetricsRegistry, room: Room) -> Html:
    """Draw a row an agent."""
    found = agents.rows()
    if not found:
        return card("agents", "none", Chip("", "empty"), (), note(NO_AGENTS), path="agents")
    sent = count(sum(each.total_tokens_in for each in found))
    came = count(sum(each.total_tokens_out for each in found))
    shown = found[: 3 * room.ends]
    slowest = most([each.avg_step_latency_ms for each in shown])
    fattest = most([each.peak_memory_kb for each in found])
    memory = [Column("peak memory", "num")] if fattest else []
    cells = [
        [*agent_cells(each, slowest, i), *([megabytes(each.peak_memory_kb)] if fattest else [])]
        for i, each in enumerate(shown)
    ]
    caption = left_out(len(shown), len(found), "agents by name", "agents.rows()")
    return card(
        "agents",
        plural(len(found), "agent"),
        None,
        [
            plural(sum(each.total_steps for each in found), "step"),
            plural(sum(each.tool_calls_made for each in found), "tool call"),
            f"{sent} → {came} tokens",
        ],
        table(caption, [*AGENTS, *memory], cells, path="agents.rows()"),
        path="agents",
    )


def agent_cells(agent: AgentMetricsSnapshot, slowest: float, i: int) -> list[object]:
    """Give the cells of one agent."""
    return [
        h("span", title=f"agents.rows()[{i}]")(gist(agent.agent_id, 60)),
        count(agent.total_steps),
        took(agent.avg_step_latency_ms, slowest) if agent.total_steps else "",
        count(agent.tool_calls_made),
        in_vain(agent.tool_call_failures, agent.tool_calls_made),
        count(agent.total_tokens_in),
        count(agent.total_tokens_out),
    ]


def agent_card(agent: AgentMetricsSnapshot | AgentMetrics, room: Room) -> Html:  # noqa: ARG001
    """Draw the counters of one agent."""
    snapshot = isinstance(agent, AgentMetricsSnapshot)
    up = seconds(agent.uptime_secs * 1000) if isinstance(agent, AgentMetricsSnapshot) else ""
    return card(
        "agent",
        agent.agent_id if isinstance(agent, AgentMetricsSnapshot) else "live counters",
        None,
        [
            plural(agent.total_steps, "step"),
            f"{seconds(agent.avg_step_latency_ms)} a step" if agent.total_steps else "",
            plural(agent.tool_calls_made, "tool call"),
            f"{agent.failure_rate:.0%} failed" if agent.tool_call_failures else "",
            f"{count(agent.total_tokens_in)} → {count(agent.total_tokens_out)} tokens",
            f"peak {megabytes(agent.peak_memory_kb)}" if agent.peak_memory_kb else "",
            f"known for {up}" if up else "",
        ],
        path="snapshot" if snapshot else "agent",
    )


def registry_card(registry: MetricsRegistry, room: Room) -> Html:
    """Draw a row a series, histograms by how many and how large."""
    found = registry.series()
    shown = found[: 4 * room.ends]
    caption = left_out(len(shown), len(found), "series by name", "registry.series()")
    cells = [
        (
            h("span", "agl-code", title=f"registry.series()[{i}]")(
                gist(labelled(series.name, series.labels), 90)
            ),
            reading(series),
            series.kind,
            gist(series.help, 90),
        )
        for i, series in enumerate(shown)
    ]
    return card(
        "metrics registry",
        plural(len({series.name for series in found}), "metric"),
        None,
        [plural(len(found), "series", "series")],
        table(
            f"{caption}; for Prometheus: print(registry.prometheus_text())",
            SERIES,
            cells,
            path="registry.series()",
        ),
        path="registry",
    )


def reading(series: Series) -> str:
    """Say what a series has come to."""
    if not isinstance(series, Histogram):
        return written(series.rows()[0].value)
    times, total = series.count(), series.sum()
    return f"{count(times)} seen, mean {written(total / times)}" if times else "none yet"


def series_card(series: Series, room: Room) -> Html:  # noqa: ARG001
    """Draw one metric; a histogram as one."""
    about = [*(f"{name}={value}" for name, value in series.labels.items()), gist(series.help, 90)]
    if not isinstance(series, Histogram):
        chip = Chip("", reading(series))
        return card(series.kind, series.name, chip, about, path=f"{series.kind}.get()")
    rows, path = series.bucket_rows(), "histogram.bucket_rows()"
    bounds, counts = [float(row.le) for row in rows], [row.count for row in rows]
    chip = Chip("", reading(series) if series.count() else "empty")
    return card(
        series.kind,
        series.name,
        chip,
        about,
        histogram(bounds, counts, title="how many, by size", path=path),
        numbers(bounds, counts, path=path),
        path="histogram",
    )


def left_out(shown: int, total: int, what: str, path: str) -> str:
    """Say what a table shows, and where the rest is."""
    if shown == total:
        return what
    return f"the first {count(shown)} of {count(total)} {what}; the rest: {path}[{shown}:]"


def megabytes(kb: Any) -> str:
    """``12.5 MB``."""
    return f"{number(kb) / 1024:,.1f} MB"


def written(value: Any) -> str:
    """Write a number for people: whole ones whole, others with four digits."""
    found = number(value)
    if found.is_integer() or math.fabs(found) >= 1000:  # noqa: PLR2004 - then nobody reads on
        return count(found)
    return f"{found:.4g}"
