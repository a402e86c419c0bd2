"""Metrics as they move: what a page is told."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

import agentlab as al
from agentlab.core.sync import portal
from agentlab.widgets.coalescer import Board
from agentlab.widgets.metrics_view import EVERY_S, MetricsView
from agentlab.widgets.readings import KEPT, UNKNOWN, Reading, Readings, read

SCRIPT = (
    'Thought: look\nAction: population {"city": "Lyon"}',
    'Thought: look\nAction: population {"city": "<b>"}',
    "Thought: done\nAction: FINAL_ANSWER 42",
)


@al.tool
def population(city: str) -> int:
    """People living in a city."""
    return {"Lyon": 522_000}[city]


def lab() -> al.AgentRuntime:
    """Give a runtime that has not run."""
    return al.AgentRuntime(al.ScriptedModel(*SCRIPT), tools=[population])


def figures(cells: dict[str, Any]) -> dict[str, str]:
    """Give what the tiles say."""
    return {tile["name"]: tile["now"] for tile in cells["tiles"]}


def test_rates_are_of_what_came_since() -> None:
    """What only grows is shown a second, what is timed as a mean, both of the last reading only."""
    runtime, readings = lab(), Readings()
    metrics = runtime.metrics()
    assert figures(readings.take(read(metrics), 10)) == {
        "running": "0",
        "steps a second": "\N{EN DASH}",
        "calls a second": "\N{EN DASH}",
        "time a step": "\N{EN DASH}",
    }
    asyncio.run(runtime.run("?"))
    metrics.record_step_latency(4000)
    told = figures(readings.take(read(metrics), 12))
    assert told["steps a second"] == "1.5"
    assert told["calls a second"] == "1"
    metrics.record_step_latency(2000)
    told = figures(readings.take(read(metrics), 12.5))
    assert told["steps a second"] == "0"
    assert told["time a step"] == "\N{EN DASH}"  # a latency that is of no step


def test_the_newest_are_kept() -> None:
    """A tile holds a minute, the newest last; where nothing is known it says so."""
    title, readings = read(lab().metrics()).title, Readings()
    for i in range(KEPT + 10):
        now = Reading(title, {"up": (i, str)}, {"still": (7, str)}, {"none": (0, 0, str)})
        up, still, none = readings.take(now, i)["tiles"]

    assert up["values"] == [float(i) for i in range(10, KEPT + 10)]
    assert up["most"] == "at most 129.0"
    assert still["values"] == [0.0] * KEPT
    assert none["values"] == [UNKNOWN] * KEPT
    assert none["most"] == ""


@pytest.mark.parametrize("kind", ["metrics", "agent_metrics", "metrics_registry"])
def test_each_kind_is_told(kind: str) -> None:
    """After a run there are a title, tiles and a table; rows are as many as there are columns."""
    runtime = lab()
    asyncio.run(runtime.run("?", agent="ada"))
    cells = Readings().take(read(getattr(runtime, kind)()), 0)
    grid = cells["grid"]
    texts = [bit["text"] for row in grid["rows"] for bit in row]

    assert cells["title"]["name"]
    assert len(grid["columns"]) == len(grid["classes"])
    assert {len(row) for row in grid["rows"]} == {len(grid["columns"])}
    assert {"metrics": "population", "agent_metrics": "ada"}.get(
        kind, "agent_errors_total"
    ) in texts
    if kind != "agent_metrics":
        assert sum(cells["bars"]["counts"]) == 3


def test_odd_names_are_written_out() -> None:
    """A tool's name may be anything, and is text."""
    metrics = lab().metrics()
    metrics.record_tool_call("<b>\u202e\0")
    assert read(metrics).grid["rows"][0][0]["text"] == "<b>\\u202e\\x00"  # type: ignore[index]


def test_nobody_to_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a notebook that is executed by itself nothing is read again and again, for nobody."""
    monkeypatch.setattr("agentlab.widgets.live.attended", lambda: False)
    monkeypatch.setattr("agentlab.widgets.coalescer.attended", lambda: False)

    async def main() -> dict[str, Any]:
        view = MetricsView(lab().metrics())
        portal().call(asyncio.sleep, 0.05)  # its loop has had its turn
        view.close()
        return view.changes()

    assert asyncio.run(main()) == {}


def test_it_moves_while_a_cell_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page hears of a blocking run while it goes on; closed, the view reads no more."""
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(Board, "send_state", lambda self, key: told.append(self.get_state(key)))

    async def slow(_: str) -> str:
        await asyncio.sleep(0.3)
        return SCRIPT[0]

    async def main() -> MetricsView:
        runtime = al.AgentRuntime(slow, tools=[population], max_iterations=5)
        view = MetricsView(runtime.metrics())
        session = runtime.run_sync("?")  # the loop of this thread is blocked
        assert len(session.steps) == 5
        return view

    view = asyncio.run(main())
    moved = [
        tile["now"]
        for cells in told
        for tile in cells.get(f"{view.lane}.tiles", [])
        if tile["name"] == "running"
    ]
    assert "1" in moved
    view.close()
    time.sleep(1.5 * EVERY_S)
    before = view.changes()
    time.sleep(1.5 * EVERY_S)
    assert view.changes() is before
