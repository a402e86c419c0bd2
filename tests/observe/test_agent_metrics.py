"""What each agent did."""

from __future__ import annotations

import copy
import json
import math
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core import events
from agentlab.core.clock import FakeClock
from agentlab.core.errors import InvalidValue, NotConfigured
from agentlab.core.events import Entry
from agentlab.core.protocols import Usage
from agentlab.models.scripted import ScriptedModel
from agentlab.observe import agent_metrics, resident
from agentlab.observe.agent_metrics import (
    AgentMetrics,
    AgentMetricsRegistry,
    AgentMetricsSnapshot,
)
from agentlab.runtime import AgentRuntime


def test_w32_1() -> None:
    """Steps, memory, calls and tokens of one agent."""
    registry = AgentMetricsRegistry()
    registry.record_step("agent-1", 25)
    registry.record_step_with_memory("agent-1", 50, 2048)
    registry.record_tool_call("agent-1", False)  # noqa: FBT003 - the documented form
    registry.record_tool_call("agent-1", failed=True)
    registry.record_tokens("agent-1", 512, 128)
    snap = registry.snapshot("agent-1")

    assert snap
    assert (snap.total_steps, snap.avg_step_latency_ms, snap.peak_memory_kb) == (2, 37.5, 2048)
    assert (snap.tool_calls_made, snap.tool_call_failures, snap.failure_rate) == (2, 1, 0.5)
    assert (snap.total_tokens_in, snap.total_tokens_out) == (512, 128)
    assert f"steps={snap.total_steps} failure_rate={snap.failure_rate:.2f}" == (
        "steps=2 failure_rate=0.50"
    )
    assert [*registry.snapshot_all()] == ["agent-1"]


def test_the_most_memory_there_was() -> None:
    """Is the peak, whatever came after."""
    registry = AgentMetricsRegistry()
    for kb in (10, 2048, 5):
        registry.record_step_with_memory("a", 1, kb)
    registry.record_step("a", 1)
    snap = registry.snapshot("a")

    assert snap
    assert (snap.peak_memory_kb, snap.total_steps) == (2048, 4)


def test_who_is_not_known() -> None:
    """Has no snapshot, and is not made by asking."""
    registry = AgentMetricsRegistry()

    assert registry.snapshot("nobody") is None
    assert (registry.snapshot_all(), len(registry), bool(registry)) == ({}, 0, True)
    assert registry.remove("nobody") is False


def test_in_the_order_of_names() -> None:
    """Whoever came first; one can be forgotten, and all."""
    registry = AgentMetricsRegistry()
    for name in ("b", "c", "a"):
        registry.record_step(name, 1)

    assert [*registry.snapshot_all()] == ["a", "b", "c"]
    assert [row.agent_id for row in registry.rows()] == ["a", "b", "c"]
    assert registry.remove("b") is True
    assert [*registry.snapshot_all()] == ["a", "c"]
    registry.reset()
    assert registry.snapshot_all() == {}


def test_a_copy_is_another_handle() -> None:
    """What is recorded by one is seen by the other, also after all was forgotten."""
    registry = AgentMetricsRegistry(clock=FakeClock())
    other = copy.copy(registry)
    other.record_step("a", 1)
    assert registry.snapshot("a") == other.snapshot("a")
    assert [*registry.snapshot_all()] == ["a"]
    registry.reset()
    assert other.snapshot("a") is None
    other.record_tool_call("b")
    snap = registry.snapshot("b")
    assert snap
    assert (snap.tool_calls_made, snap.tool_call_failures) == (1, 0)


def test_how_long_it_is_there() -> None:
    """By a clock that never jumps; when it came, by the wall."""
    clock = FakeClock()
    registry = AgentMetricsRegistry(clock=clock)
    clock.advance(10)
    registry.record_step("a", 1)
    clock.advance(2.5)
    snap = registry.snapshot("a")

    assert snap
    assert snap.uptime_secs == 2.5
    assert snap.session_start == datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=10)


def test_json() -> None:
    """And back: an equal snapshot."""
    registry = AgentMetricsRegistry()
    registry.record_step_with_memory("a", 2.5, 7)
    registry.record_tool_call("a", failed=True)
    snap = registry.snapshot("a")

    assert snap
    assert AgentMetricsSnapshot.from_dict(json.loads(json.dumps(snap.to_dict()))) == snap
    assert [*snap.to_dict()] == [
        "agent_id", "total_steps", "total_tokens_in", "total_tokens_out", "tool_calls_made",
        "tool_call_failures", "avg_step_latency_ms", "peak_memory_kb", "session_start",
        "failure_rate", "uptime_secs",
    ]  # fmt: skip


@pytest.mark.parametrize("bad", [-1, math.nan, math.inf, "3", None])
def test_what_cannot_be_counted_is_refused(bad: Any) -> None:
    """By its value; and no agent is made of it."""
    registry = AgentMetricsRegistry()
    told: list[tuple[Callable[..., None], tuple[Any, ...]]] = [
        (registry.record_step, (bad,)),
        (registry.record_step_with_memory, (1, bad)),
        (registry.record_tokens, (bad, 1)),
        (registry.record_tokens, (1, bad)),
    ]
    for record, values in told:
        with pytest.raises(InvalidValue, match="must be a finite number of at least 0, got "):
            record("a", *values)
    assert registry.snapshot_all() == {}


def test_an_agent_has_a_name() -> None:
    """Nobody is nobody's metric."""
    registry = AgentMetricsRegistry()
    with pytest.raises(InvalidValue, match="AgentId must not be empty"):
        registry.record_step("", 1)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_the_mean_moves(took: list[float]) -> None:
    """And is the mean, as near as numbers are."""
    metrics = AgentMetrics()
    for ms in took:
        metrics.add_step(ms)
    assert metrics.avg_step_latency_ms == pytest.approx(fmean(took))
    assert (metrics.total_steps, metrics.failure_rate) == (len(took), 0.0)


def test_agents_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it the rest is counted together; those that are known go on."""
    monkeypatch.setattr(agent_metrics, "MAX_AGENTS", 2)
    registry = AgentMetricsRegistry()
    for name in ("a", "b", "c", "d", "a"):
        registry.record_step(name, 1)

    steps = {name: snap.total_steps for name, snap in registry.snapshot_all().items()}
    assert steps == {"a": 2, "b": 1, "__other__": 2}


def test_one_agent_in_several_runs() -> None:
    """Is one; the runs of another are not its."""
    registry = AgentMetricsRegistry()
    runtime = AgentRuntime(ScriptedModel(*["Action: FINAL_ANSWER 1"] * 3), sinks=[registry])
    for agent in ("a", "b", "a"):
        runtime.run_sync("go", agent=agent)
    told = registry.snapshot_all()

    assert {name: snap.total_steps for name, snap in told.items()} == {"a": 2, "b": 1}
    assert told["a"].total_tokens_in == 2 * told["b"].total_tokens_in > 0
    assert told["a"].peak_memory_kb == 0


def said(event: events.Event, run: str = "r", parent: str | None = None) -> Entry:
    """Put an event into its envelope."""
    return Entry(run, parent, 0, datetime(2030, 1, 1, tzinfo=UTC), 0.0, event)


def test_what_cannot_be_in_a_trace_is_nothing() -> None:
    """A sink never fails: a negative count is none, and who is not known is nobody's."""
    registry = AgentMetricsRegistry()
    registry(said(events.Answered(1, "t", Usage(-5, -5))))
    registry(said(events.StepEnded(events.ReActStep("t", "a", step_duration_ms=-3))))
    registry(said(events.RunStarted("", "q", "m", "s", {})))
    snap = registry.snapshot_all().pop("__other__")

    assert (snap.total_tokens_in, snap.total_tokens_out, snap.avg_step_latency_ms) == (0, 0, 0)
    assert (snap.total_steps, len(registry)) == (1, 1)


def test_runs_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of runs that never end the oldest are forgotten."""
    monkeypatch.setattr(agent_metrics, "MAX_RUNS", 2)
    registry = AgentMetricsRegistry()
    for n in range(3):
        registry(said(events.RunStarted(f"a{n}", "q", "m", "s", {}), f"r{n}"))
    for n in range(3):
        registry(said(events.ToolEnded(1, True, None, None, None, 1.0), f"r{n}"))  # noqa: FBT003
    calls = {name: snap.tool_calls_made for name, snap in registry.snapshot_all().items()}

    assert calls == {"a0": 0, "a1": 1, "a2": 1, "__other__": 1}


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system tells otherwise")
def test_memory_can_be_sampled() -> None:
    """It is what the process has in use when a step ends."""
    registry = AgentMetricsRegistry(sample_memory=True)
    registry(said(events.StepEnded(events.ReActStep("t", "a")), "r/a#1", "r"))
    first = registry.snapshot("a")
    held = bytearray(64_000_000)
    held[::4096] = b"x" * len(held[::4096])  # a page counts once something is in it
    registry(said(events.StepEnded(events.ReActStep("t", "a")), "r/a#1", "r"))
    then = registry.snapshot("a")

    assert first
    assert then
    assert first.peak_memory_kb > 5_000
    assert then.peak_memory_kb > first.peak_memory_kb + 50_000
    assert len(held) > 0


def test_where_the_system_tells_only_the_peak(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """That is taken; where it tells nothing, whoever wants it hears so at once."""
    monkeypatch.setattr(resident, "STATM", tmp_path / "none")
    kb = resident.resident_kb()
    assert kb > 5_000
    monkeypatch.setattr(sys, "platform", "darwin")
    assert abs(resident.resident_kb() - kb // 1024) <= kb // 1024 // 10 + 1
    monkeypatch.setitem(sys.modules, "resource", None)
    with pytest.raises(NotConfigured, match="leave sample_memory out"):
        AgentMetricsRegistry(sample_memory=True)


def test_from_many_threads() -> None:
    """Nothing is lost."""
    registry = AgentMetricsRegistry()

    def work() -> None:
        for _ in range(1000):
            registry.record_step("a", 2)
            registry.record_tokens("a", 1, 2)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    snap = registry.snapshot("a")

    assert snap
    assert (snap.total_steps, snap.total_tokens_in, snap.total_tokens_out) == (4000, 4000, 8000)
    assert snap.avg_step_latency_ms == 2


def test_what_they_look_like() -> None:
    """One line each."""
    registry = AgentMetricsRegistry()
    registry.record_tool_call("a", failed=True)

    assert repr(registry) == "<AgentMetricsRegistry 1 agents>"
    assert repr(registry.snapshot("a")) == (
        "<AgentMetricsSnapshot 'a' 0 steps, 1 tool calls, 1 failed>"
    )
    assert repr(AgentMetrics()).startswith("AgentMetrics(total_steps=0, ")
