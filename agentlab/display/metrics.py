"""The cards of metrics: of a runtime, of its agents, and those that Prometheus reads."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from agentlab.display.charts import histogram, numbers
from agentlab.display.html import Html, h
from agentlab.display.parts import Chip, Column, Room, bar, card, fold, note, table, took
from agentlab.display.words import count, gist, most, number, plural, seconds
from agentlab.observe.agent_metrics import AgentMetrics, AgentMetricsRegistry, AgentMetricsSnapshot
from agentlab.observe.exposition import SampleRow
from agentlab.observe.metrics import RuntimeMetrics
from agentlab.observe.prometheus import MetricsRegistry
from agentlab.observe.series import Histogram, Series
from agentlab.observe.snapshot import MetricsSnapshot

NO_RUNS = "Nothing has been counted yet. Every run of the runtime is: `await lab.run(…)`."
NO_AGENTS = "Nothing was heard of any agent yet: `await lab.run(…, agent='ada')` is one."
TOOLS = [
    Column("tool", "fit"),
    Column("calls", "num"),
    Column("failed", "num"),
    Column("failure rate", "wide"),
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
SAMPLES = [Column("metric", "wide"), Column("kind", "fit"), Column("value", "num")]
COUNTERS = [Column("counter", "wide"), Column("value", "num")]


def runtime_card(metrics: RuntimeMetrics | MetricsSnapshot, room: Room) -> Html:
    """Draw the counters of a runtime: its tools, and how long its steps took."""
    live = isinstance(metrics, RuntimeMetrics)
    seen = metrics.snapshot() if isinstance(metrics, RuntimeMetrics) else metrics
    path = "metrics" if live else "snapshot"
    name = plural(seen.total_sessions, "session")
    running = Chip("run", f"{count(seen.active_sessions)} running")
    chip = running if seen.active_sessions else None
    rows = seen.rows()
    if not any(number(row.value) for row in rows):
        return card("metrics", "no runs", Chip("", "empty"), (), note(NO_RUNS), path=path)
    return card(
        "metrics",
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
    shown = found[: 3 * room.ends]
    cells = [
        (
            h("span", "agl-call")(h("b")(gist(tool.tool, 60))),
            count(tool.calls),
            count(tool.failures),
            failing(tool.failure_rate) if tool.failures else "",
        )
        for tool in shown
    ]
    return table(
        left_out(len(shown), len(found), "tools, most called first", f"{path}.tool_rows()"),
        TOOLS,
        cells,
        path=f"{path}.tool_rows()",
    )


def latencies(seen: MetricsSnapshot, path: str) -> tuple[Html, Html]:
    """Draw how long steps took, and in words half of them, nearly all, and the longest."""
    bounds = [float(bound) for bound in seen.step_latency_buckets]
    half, nearly = seen.percentile(0.5), seen.percentile(0.95)
    title = (
        f"step latency, ms · mean {seconds(seen.step_latency_mean_ms)} · half up to"
        f" {seconds(half)} · 95% up to {seconds(nearly)} · longest"
        f" {seconds(seen.step_latency_max_ms)}"
    )
    counts = [*seen.step_latency_buckets.values()]
    path = f"{path}.bucket_rows()"
    return histogram(bounds, counts, title=title, path=path), numbers(bounds, counts, path=path)


def failing(rate: float) -> Html:
    """Draw a share of calls that failed."""
    return h("span")(bar(rate, "bad"), f" {rate:.0%}")


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
        [*agent_cells(each, slowest), *([megabytes(each.peak_memory_kb)] if fattest else [])]
        for each in shown
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


def agent_cells(agent: AgentMetricsSnapshot, slowest: float) -> list[object]:
    """Give the cells of one agent."""
    failed, rate = agent.tool_call_failures, agent.failure_rate
    return [
        gist(agent.agent_id, 60),
        count(agent.total_steps),
        took(agent.avg_step_latency_ms, slowest) if agent.total_steps else "",
        count(agent.tool_calls_made),
        h("span")(bar(rate, "bad"), f" {count(failed)} ({rate:.0%})") if failed else "0",
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
            f"heard of {up} ago" if up else "",
        ],
        path="snapshot" if snapshot else "agent",
    )


def registry_card(registry: MetricsRegistry, room: Room) -> Html:
    """Draw a row a series, histograms by how many and how large."""
    rows = [*lines(registry.rows())]
    shown = rows[: 4 * room.ends]
    caption = left_out(len(shown), len(rows), "series by name", "registry.rows()")
    text = "print(registry.prometheus_text()) is what a scraper reads"
    return card(
        "metrics registry",
        plural(len({name for name, _, _ in rows}), "metric"),
        None,
        [plural(len(rows), "series", "series")],
        table(
            f"{caption}; {text}", SAMPLES, [cells(*row) for row in shown], path="registry.rows()"
        ),
        path="registry",
    )


def lines(rows: Iterable[SampleRow]) -> Iterable[tuple[str, str, Any]]:
    """Give a line a series: its name with its labels, its kind, its value or its buckets."""

    def series(row: SampleRow) -> tuple[str, str, str]:
        labels = {name: value for name, value in row.labels.items() if name != "le"}
        name = row.name
        if row.kind == "histogram":
            name = name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
        told = ", ".join(f"{key}={value!r}" for key, value in labels.items())
        return name, told, row.kind

    for (name, told, kind), samples in groupby(rows, series):
        values = [sample.value for sample in samples]
        yield (f"{name}{{{told}}}" if told else name), kind, values


def cells(name: str, kind: str, values: Sequence[float]) -> list[object]:
    """Give the cells of one series."""
    if kind != "histogram":
        return [h("span", "agl-code")(gist(name, 90)), kind, written(values[0])]
    times, total = values[-1], values[-2]
    said = f"{count(times)} · mean {written(total / times)}" if times else "0"
    return [h("span", "agl-code")(gist(name, 90)), kind, said]


def series_card(series: Series, room: Room) -> Html:  # noqa: ARG001
    """Draw one metric; a histogram as one."""
    labels = [f"{name}={value}" for name, value in series.labels.items()]
    if not isinstance(series, Histogram):
        value = written(series.rows()[0].value)
        return card(series.kind, series.name, Chip("", value), [*labels, gist(series.help, 90)])
    reached = series.buckets()
    counts = [
        n - before for n, before in zip(reached.values(), [0, *reached.values()], strict=False)
    ]
    total, times = series.sum(), series.count()
    bounds, path = [float(bound) for bound in reached], "histogram.buckets()"
    return card(
        series.kind,
        series.name,
        Chip("", plural(times, "observation")),
        [*labels, f"mean {written(total / times)}" if times else "", gist(series.help, 90)],
        histogram(bounds, counts, title="how many were at most so large", path=path),
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
