"""What a type checker must see. Checked, never run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import assert_type

import agentlab as al
from agentlab.builder import HasConfig, NeedsConfig
from agentlab.core.protocols import Memory, Sink, Store, Tape, Tools
from agentlab.models.recorded import Recording


@al.tool
def population(city: str) -> int:
    """People living in a city."""
    return len(city)


async def check(runtime: al.AgentRuntime) -> None:
    """Every form of a run gives a session."""
    assert_type(population, al.ToolSpec)
    assert_type(await runtime.run("?"), al.AgentSession)
    assert_type(runtime.run_sync("?", agent="a"), al.AgentSession)
    assert_type(runtime.run_agent_sync("a", "?", lambda _: "hi"), al.AgentSession)
    assert_type(await runtime.run_agent_with_provider("a", "?", object()), al.AgentSession)
    handle = runtime.start("?")
    assert_type(handle, al.RunHandle)
    assert_type(await handle, al.AgentSession)
    assert_type(handle.result(1.0), al.AgentSession)
    assert_type(handle.session.to_html(), str)
    assert_type(handle.session.to_html("session.html"), Path)
    assert_type(al.StreamingSession.of(handle.session).to_html(Path("tokens.html")), Path)
    async for entry in handle:
        assert_type(entry, al.Entry)
    assert_type(al.record(runtime, "tape.jsonl"), al.AgentRuntime)
    assert_type(al.replay(runtime, "tape.jsonl"), al.AgentRuntime)

    model: al.Model = al.ScriptedModel("a")
    taped: al.Model = al.RecordedModel(model, "tape.jsonl", mode="auto")
    function: al.Model = al.FunctionModel(len)
    local: al.Model = al.LocalModel()
    tape: Tape = Recording("tape.jsonl")
    tools: Tools = al.ToolRegistry([population])
    strategy: al.Strategy = runtime
    assert [taped, function, local, tape, tools, strategy]

    runtime.run_sync(3)  # type: ignore[arg-type]
    runtime.run_sync("?", agnet="a")  # type: ignore[call-arg]
    al.RecordedModel(model, "tape.jsonl", mode="maybe")  # type: ignore[arg-type]
    al.AgentConfig(5, "m", on_parse_error="ignore")  # type: ignore[arg-type]


def build() -> None:
    """Build once there is a configuration, and never before."""
    config = al.AgentConfig(5, "m")
    assert_type(al.AgentRuntime.builder(), al.AgentRuntimeBuilder[NeedsConfig])
    ready = al.AgentRuntime.builder().register_tool(population).with_agent_config(config)
    assert_type(ready, al.AgentRuntimeBuilder[HasConfig])
    assert_type(ready.register_tool(population).build(), al.AgentRuntime)

    al.AgentRuntime.builder().build()  # type: ignore[misc]
    al.AgentRuntime.builder().register_tool(population).build()  # type: ignore[misc]


class Shelf:
    """The smallest backend there can be."""

    async def save(self, key: str, value: bytes) -> None: ...
    async def load(self, key: str) -> bytes | None: ...
    async def delete(self, key: str) -> None: ...


async def keep(runtime: al.AgentRuntime) -> None:
    """Give what a runtime counts and keeps its type; and what guards it."""
    al.AgentRuntime(store=Shelf())
    al.AgentRuntime(store="runs.sqlite", backpressure=al.BackpressureGuard(3))
    ready = al.AgentRuntime.builder().with_checkpoint_backend(Shelf())
    assert_type(ready, al.AgentRuntimeBuilder[NeedsConfig])
    assert_type(runtime.metrics().snapshot(), al.MetricsSnapshot)
    assert_type(runtime.agent_metrics().snapshot("a"), al.AgentMetricsSnapshot | None)
    assert_type(runtime.metrics_registry().counter("a_total", "A"), al.Counter)
    assert_type(await runtime.load_session("id"), al.AgentSession)
    assert_type(runtime.checkpoint(), al.CheckpointManager)
    assert_type(al.load("run.jsonl"), al.Trace)

    breaker = al.CircuitBreaker("s")
    assert_type(breaker.call(len, "abc"), int)
    patient: al.Model = al.Retrying(al.Guarded("local", breaker), al.RetryPolicy.constant(2, 1))
    sink: Sink = al.Journal("run.jsonl")
    store: Store = al.SqlitePersistenceBackend("runs.sqlite")
    assert_type(await store.load("key"), bytes | None)
    al.AgentRuntime(patient, sinks=[sink, al.RuntimeMetrics()])

    al.AgentRuntime(store=3)  # type: ignore[arg-type]
    al.RetryPolicy.exponential("3", 100)  # type: ignore[arg-type]


def remember(ltm: al.LtmStore, turns: list[al.MemoryTurn]) -> None:
    """Give what a long-term memory and the compressors give its type."""
    assert_type(ltm.remember("a thing", 0.5), int)
    assert_type(ltm.recall("thing", 3), list[al.LtmEntry])
    memory: Memory = ltm
    al.MemoryTurn("t", "user", "hello", datetime.now(UTC))
    kept, summaries, saved = al.MemoryCompressor(100, model=al.ScriptedModel("short")).compress(
        turns
    )
    assert_type((kept, summaries, saved), tuple[list[al.MemoryTurn], list[al.MemorySummary], int])
    shorter, episodes = al.TurnCompressor().compress(turns)
    assert_type((shorter, episodes), tuple[list[al.MemoryTurn], list[al.CompressedEpisode]])
    assert_type(al.datasets.dialogue()[0], al.MemoryTurn)
    memory.recall_for("agent", "prompt", 3)

    ltm.remember(3, 0.5)  # type: ignore[arg-type]
    al.MemoryConsolidator(ltm)  # type: ignore[arg-type]
