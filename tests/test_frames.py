"""Frames: a row a thing, a column a field, of types that do not depend on what is in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core.approval import PendingCall, PendingCalls
from agentlab.core.clock import FakeClock
from agentlab.core.errors import InvalidValue
from agentlab.core.events import Asked, Entry, Event, ReActStep, RunEnded, Token, ToolEnded
from agentlab.core.session import AgentSession
from agentlab.core.trace import Trace
from agentlab.datasets import dialogue, diary
from agentlab.frames import frame
from agentlab.graph.store import GraphStore
from agentlab.memory.compression import MemoryCompressor
from agentlab.memory.consolidation import Consolidation, MemoryConsolidator
from agentlab.memory.decay import DecayPolicy
from agentlab.memory.episodic import EpisodicStore
from agentlab.memory.explained import Explanation, Explanations
from agentlab.memory.items import EpisodeRow
from agentlab.memory.ltm import LtmStore
from agentlab.memory.nearest import VectorMemory
from agentlab.memory.semantic import SemanticStore
from agentlab.memory.turns import TurnCompressor
from agentlab.memory.vector import SemanticMemory
from agentlab.memory.working import WorkingMemory
from agentlab.observe.agent_metrics import AgentMetricsRegistry
from agentlab.observe.metrics import RuntimeMetrics
from agentlab.observe.prometheus import MetricsRegistry
from agentlab.resilience.backpressure import BackpressureGuard
from agentlab.resilience.circuit_breaker import CircuitBreaker
from agentlab.resilience.dedup import Deduplicator
from agentlab.resilience.pipeline import Pipeline
from agentlab.resilience.retry import RetryPolicy
from agentlab.store.checkpoint import CheckpointManager
from agentlab.store.memory import InMemoryPersistenceBackend
from agentlab.tools.limits import Fence, FenceReport
from agentlab.tools.named import NamedToolRegistry
from agentlab.tools.permissions import ToolManifest
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.sandbox import Sandbox
from agentlab.tools.spec import ToolSpec
from agentlab.tools.tally import ToolRow
from tests.graph.graphs import people
from tests.memory.shelves import shelf

AT = datetime(2030, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
TEXT = str(pd.Series(["a"]).dtype)  # whatever this pandas takes text as
MOMENT = "datetime64[us, UTC]"
STEP = {
    "thought": TEXT, "action": TEXT, "observation": TEXT, "index": "int64", "tool": TEXT,
    "args": "object", "error_kind": TEXT, "step_duration_ms": "int64", "started_at": MOMENT,
    "raw": TEXT, "reasoning": TEXT,
}  # fmt: skip
ENTRY = {
    "run": TEXT, "parent": TEXT, "seq": "int64", "at": MOMENT, "offset": "float64", "kind": TEXT,
    "event": TEXT,
}  # fmt: skip
TOOL = {
    "name": TEXT, "description": TEXT, "arguments": TEXT, "calls": "int64", "errors": "int64",
    "mean_ms": "float64", "permissions": "object",
}  # fmt: skip
SANDBOX = {
    "tool": TEXT, "needs": "object", "missing": "object", "by": TEXT, "description": TEXT,
}  # fmt: skip
AUDIT = {
    "timestamp": MOMENT, "tool_name": TEXT, "allowed": "bool", "denied_capabilities": "object",
}  # fmt: skip
FENCE = {"name": TEXT, "held": "bool", "how": TEXT}


def step(index: int, **others: Any) -> ReActStep:
    """Give a step with everything in it."""
    told = {"tool": "find", "args": {"a": [1]}, "error_kind": "transient", **others}
    return ReActStep("t", "find {}", "seen", index, step_duration_ms=5, started_at=AT, **told)


def trace() -> Trace:
    """Give a trace of two runs."""
    made = Trace(clock=FakeClock(AT))
    made.emit(Asked(1, "", None, 0, 0, "why?"), run="r")
    made.emit(Token(1, "bec"), run="r/a#1", parent="r")
    made.emit(ToolEnded(2, ok=False, data=None, error="no", error_kind="transient", ms=1), run="r")
    made.emit(RunEnded("final_answer", "because"), run="r")
    return made


def sandbox() -> Sandbox:
    """Give one that let a tool through that needs nothing."""
    made = Sandbox().register_tool(ToolManifest("save", ["file_write"], "Writes."))
    made.enter("note", [])
    return made


def tools() -> ToolRegistry:
    """Give two tools, one of which was called."""
    made = ToolRegistry(
        [ToolSpec("b", "B.", str.upper, inline=True), ToolSpec("a", "A.", str.upper, inline=True)],
        clock=FakeClock(),
    )
    made.call_sync("b", "x")
    return made


def runs() -> RuntimeMetrics:
    """Give what was counted of a call."""
    made = RuntimeMetrics()
    made.record_tool_call("find")
    return made


def store() -> InMemoryPersistenceBackend:
    """Give a store of two values."""
    made = InMemoryPersistenceBackend()
    made.batch_save_sync({"b": b"1", "a": b"2"})
    return made


def manager() -> CheckpointManager:
    """Give one checkpoint."""
    made = CheckpointManager()
    made.maybe_checkpoint_sync("a", 5)
    return made


def agents() -> AgentMetricsRegistry:
    """Give two agents."""
    made = AgentMetricsRegistry()
    made.record_step("b", 1)
    made.record_step("a", 1)
    return made


def dedup() -> Deduplicator:
    """Give a key under way."""
    made = Deduplicator(60, clock=FakeClock())
    made.check_and_register("k")
    return made


METRIC = {"name": TEXT, "value": "float64"}
BUCKET = {"le": TEXT, "count": "int64", "cumulative": "int64"}
CALLED = {
    "tool": TEXT, "calls": "int64", "failures": "int64", "failure_rate": "float64",
    "mean_ms": "float64",
}  # fmt: skip
SAMPLE = {"name": TEXT, "kind": TEXT, "labels": "object", "value": "float64"}
DELAY = {"attempt": "int64", "delay_s": "float64", "total_s": "float64"}
STORED = {"key": TEXT, "bytes": "int64", "version": "int64", "saved_at": MOMENT}
POINT = {
    "agent": TEXT, "step": "int64", "entries": "int64", "context_bytes": "int64",
    "created_at": MOMENT,
}  # fmt: skip
WAITING = {"call_id": TEXT, "agent": TEXT, "tool": TEXT, "args": "object", "asked_at": MOMENT}
ASKED = {"key": TEXT, "state": TEXT, "age_s": "float64", "left_s": "float64"}
STAGE = {
    "name": TEXT, "handler": TEXT, "inline": "bool", "dedup": TEXT, "retry": TEXT, "breaker": TEXT,
}  # fmt: skip
AGENT = {
    "agent_id": TEXT, "total_steps": "int64", "total_tokens_in": "int64",
    "total_tokens_out": "int64", "tool_calls_made": "int64", "tool_call_failures": "int64",
    "avg_step_latency_ms": "float64", "peak_memory_kb": "int64", "session_start": MOMENT,
    "failure_rate": "float64", "uptime_secs": "float64",
}  # fmt: skip
BREAKER = {
    "service": TEXT, "state": TEXT, "failures": "int64", "threshold": "int64",
    "recovery_window": "float64", "opened_for_s": "float64", "next_change_s": "float64",
    "probing": "bool", "calls": "int64", "refused": "int64", "backend_errors": "int64",
}  # fmt: skip
SLOTS = {
    "capacity": "int64", "soft_limit": "float64", "depth": "int64", "available": "int64",
    "waiting": "int64", "peak": "int64", "acquired": "int64", "shed_count": "int64",
    "soft_limit_hits": "int64",
}  # fmt: skip
LTM = {
    "id": "int64", "content": TEXT, "importance": "float64", "strength": "float64",
    "decayed_importance": "float64", "age_days": "float64", "access_count": "int64",
    "created_at": MOMENT, "last_accessed": MOMENT, "merged": "int64",
}  # fmt: skip
MERGE = {
    "into": "int64", "merged_ids": "object", "content": TEXT, "importance": "float64",
    "merged_contents": "object",
}  # fmt: skip
CLUSTER = {
    "agent_id": TEXT, "words": "object", "size": "int64", "strays": "int64",
    "likeness": "float64", "merged": "int64", "into": TEXT, "oldest": MOMENT, "newest": MOMENT,
    "texts": "object",
}  # fmt: skip
TURN = {
    "id": TEXT, "role": TEXT, "timestamp": MOMENT, "content": TEXT, "importance_score": "float64",
    "token_count": "int64", "fate": TEXT, "into": TEXT,
}  # fmt: skip
NOTE = {
    "id": TEXT, "at": MOMENT, "theme": TEXT, "text": TEXT, "importance": "float64",
    "tags": "object",
}  # fmt: skip
SAID = {
    "id": TEXT, "role": TEXT, "content": TEXT, "timestamp": MOMENT, "importance_score": "float64",
    "token_count": "int64", "tags": "object",
}  # fmt: skip


def ltm() -> LtmStore:
    """Give two entries that are alike."""
    made = LtmStore(clock=FakeClock())
    made.remember("the same words", 0.5)
    made.remember("the same words", 0.5)
    return made


def consolidated() -> Consolidation:
    """Give a pass over ten memories."""
    store = shelf(*["the harbour was quiet"] * 10)
    return MemoryConsolidator(store, clock=FakeClock()).consolidate_sync()


EPISODE = {
    "agent": "category", "content": TEXT, "importance": "float64", "importance_now": "float64",
    "age_hours": "float64", "recall_count": "int64", "tags": "object", "timestamp": MOMENT,
    "id": TEXT,
}  # fmt: skip
PAD = {"place": "int64", "key": TEXT, "value": TEXT}
FACT = {"key": TEXT, "value": TEXT, "tags": "object", "embedding": "object"}
VECTOR = {
    "place": "int64", "value": TEXT, "dim": "int64", "nearest": "float64", "similarity": "float64",
}  # fmt: skip
REMEMBERED = {
    "place": "int64", "text": TEXT, "value": TEXT, "nearest": "float64", "similarity": "float64",
}  # fmt: skip
SCORE = {"id": TEXT, "text": TEXT, "score": "float64", "terms": "object"}


def episodes() -> EpisodicStore:
    """Give three memories of two agents."""
    clock = FakeClock(AT)
    made = EpisodicStore(decay=DecayPolicy.exponential(24), clock=clock)
    made.add_episode_at("b", "first", 0.9, AT - timedelta(hours=24))
    made.add_episode("a", "second", 0.5)
    made.add_episode_with_tags("b", "third \ud800", 0.1, ["t"])
    return made


def texts() -> SemanticMemory[int]:
    """Give two texts."""
    made = SemanticMemory[int]()
    made.remember_many(["red apple", "red car"], [1, 2])
    return made


def vectors() -> VectorMemory[str]:
    """Give a vector."""
    made = VectorMemory[str]()
    made.insert([1, 2], "x")
    return made


def pad() -> WorkingMemory:
    """Give an entry."""
    made = WorkingMemory(2)
    made.set("k", 1)
    return made


def facts() -> SemanticStore:
    """Give a fact with a vector and one without."""
    made = SemanticStore()
    made.store("k", "v")
    made.store_with_embedding("l", "v", ["t"], [1, 2])
    return made


NODE = {
    "id": TEXT, "label": TEXT, "links_in": "int64", "links_out": "int64", "community": "int64",
    "properties": "object",
}  # fmt: skip
LINK = {"from_id": TEXT, "to_id": TEXT, "kind": TEXT, "weight": "float64", "origin": TEXT}


FULL: list[tuple[Any, dict[str, str], int]] = [
    (AgentSession("id", "a", steps=[step(0), step(1)]), STEP, 2),
    ([step(0)], STEP, 1),
    (trace(), ENTRY, 4),
    (tools(), TOOL, 2),
    (NamedToolRegistry.with_builtins(), TOOL, 3),
    (tools().stats(), TOOL, 2),
    (runs(), METRIC, 14),
    (runs().snapshot(), METRIC, 14),
    (MetricsRegistry(), SAMPLE, 20),
    (MetricsRegistry().errors, SAMPLE, 1),
    (MetricsRegistry().inference_latency, BUCKET, 14),
    (runs().tool_rows(), CALLED, 1),
    (runs().bucket_rows(), BUCKET, 7),
    (agents(), AGENT, 2),
    (sandbox(), SANDBOX, 2),
    (sandbox().audit_log(), AUDIT, 1),
    (FenceReport(fences=(Fence("cpu", held=True, how="10 s"),)), FENCE, 1),
    (CircuitBreaker("s"), BREAKER, 1),
    (BackpressureGuard(2), SLOTS, 1),
    (RetryPolicy.exponential(3, 100), DELAY, 2),
    (dedup(), ASKED, 1),
    (PendingCalls([PendingCall("r:1", "a", "find", {"a": 1}, AT)]), WAITING, 1),
    (Pipeline().add_stage("up", str.upper), STAGE, 1),
    (store(), STORED, 2),
    (manager(), POINT, 1),
    (ltm(), LTM, 2),
    (ltm().consolidate(), MERGE, 1),
    (consolidated(), CLUSTER, 1),
    (MemoryCompressor(50).compress(dialogue()), TURN, len(dialogue())),
    (TurnCompressor().compress(dialogue()), TURN, len(dialogue())),
    (TurnCompressor().run_if_needed_sync(dialogue()), TURN, len(dialogue())),
    (diary(), NOTE, len(diary())),
    (dialogue(), SAID, len(dialogue())),
    (episodes(), EPISODE, 3),
    (episodes().explain("b"), SCORE, 2),
    (texts(), REMEMBERED, 2),
    (vectors(), VECTOR, 1),
    (pad(), PAD, 1),
    (facts(), FACT, 2),
    (people(), NODE, 3),
    (people().all_relations(), LINK, 3),
]
EMPTY: list[tuple[Any, dict[str, str]]] = [
    (AgentSession(), STEP), ([], STEP), (Trace(), ENTRY), (ToolRegistry(), TOOL),
    (Sandbox(), SANDBOX), (Sandbox().audit_log(), AUDIT), (FenceReport(), FENCE),
    (NamedToolRegistry(), TOOL), (AgentMetricsRegistry(), AGENT), (Deduplicator(1), ASKED),
    (PendingCalls(), WAITING),
    (RetryPolicy.constant(1, 0), DELAY), (Pipeline(), STAGE), (CheckpointManager(), POINT),
    (InMemoryPersistenceBackend(), STORED), (LtmStore(), LTM), (LtmStore().consolidate(), MERGE),
    (Consolidation(), CLUSTER), (MemoryCompressor(9).compress([]), TURN),
    (TurnCompressor().compress([]), TURN),
    (EpisodicStore(), EPISODE), (WorkingMemory(1), PAD),
    (SemanticMemory(), REMEMBERED), (VectorMemory(), VECTOR), (SemanticStore(), FACT),
    (Explanations(), SCORE),
    (GraphStore(), NODE),
]  # fmt: skip


def dtypes(made: pd.DataFrame) -> dict[str, str]:
    """Name the types of the columns."""
    return {str(name): str(dtype) for name, dtype in made.dtypes.items()}


@pytest.mark.parametrize(("thing", "columns", "rows"), FULL, ids=lambda x: type(x).__name__)
def test_columns(thing: Any, columns: dict[str, str], rows: int) -> None:
    """The fields of a row, in their order, of their types."""
    made = frame(thing)

    assert dtypes(made) == columns
    assert list(made.columns) == list(columns)
    assert list(made.index) == list(range(rows))


@pytest.mark.parametrize(("thing", "columns"), EMPTY, ids=lambda x: type(x).__name__)
def test_empty(thing: Any, columns: dict[str, str]) -> None:
    """Nothing has the columns of something."""
    made = frame(thing)

    assert dtypes(made) == columns
    assert len(made) == 0


@pytest.mark.parametrize(("thing", "columns"), EMPTY, ids=lambda x: type(x).__name__)
def test_the_door(thing: Any, columns: dict[str, str]) -> None:
    """``to_frame`` is the same."""
    if type(thing) is not list:
        assert dtypes(thing.to_frame()) == columns


def test_the_columns_are_the_fields() -> None:
    """Of a step and of a row of tools; a new field is a new column."""
    assert list(STEP) == list(ReActStep.__struct_fields__)
    assert list(TOOL) == list(ToolRow.__struct_fields__)
    assert list(EPISODE) == list(EpisodeRow.__struct_fields__)
    assert list(SCORE) == list(Explanation.__struct_fields__)
    assert list(ENTRY) == [*Entry.__struct_fields__[:-1], "kind", "event"]


def test_values() -> None:
    """They come through as they are, and what is missing is missing."""
    made = frame([step(3), ReActStep("t", "a")])
    first, last = made.to_dict("records")

    assert first["args"] == {"a": [1]}
    assert (first["index"], first["tool"], first["error_kind"]) == (3, "find", "transient")
    assert first["started_at"] == AT
    assert made.isna().sum().to_dict() == {
        **dict.fromkeys(STEP, 0), "tool": 1, "args": 1, "error_kind": 1, "started_at": 1,
    }  # fmt: skip
    assert last["raw"] == ""


def test_a_trace() -> None:
    """Whose, what kind, and what it said; kinds are named as in a file."""
    made = trace().to_frame()

    assert made["kind"].tolist() == ["asked", "token", "tool_ended", "run_ended"]
    assert made["event"].tolist() == ["why?", "bec", "transient: no", "final_answer: because"]
    assert made["run"].tolist() == ["r", "r/a#1", "r", "r"]
    assert made["parent"].isna().tolist() == [True, False, True, True]
    assert made.value_counts(["run", "kind"]).sum() == 4


def test_episodes() -> None:
    """Whose, what, what is left of it: by agent, in the order they were added."""
    made = episodes().to_frame()

    assert made["agent"].tolist() == ["a", "b", "b"]
    assert made["content"].tolist() == ["second", "first", "third \ufffd"]
    assert made["importance_now"].tolist() == [0.5, 0.45, 0.1]
    assert made["age_hours"].tolist() == [0.0, 24.0, 0.0]
    assert made["timestamp"].tolist() == [AT, AT - timedelta(hours=24), AT]
    assert made["tags"].tolist() == [(), (), ("t",)]
    assert made.groupby("agent", observed=True)["importance"].max().to_dict() == {
        "a": 0.5,
        "b": 0.9,
    }


def test_ids_of_many_episodes() -> None:
    """Are those that were given, of a store without gaps and of one with."""
    store = EpisodicStore()
    ids = store.add_many("a", [("x", 0.5)] * 9000)
    assert store.to_frame()["id"].tolist() == ids
    store.remove_by_id("a", ids[4096])
    assert store.to_frame()["id"].tolist() == [*ids[:4096], *ids[4097:]]


def test_snapshots_are_a_series() -> None:
    """A row each, taken as often as one likes: what a curve is drawn from."""
    metrics = RuntimeMetrics()
    taken = []
    for ms in (1, 30, 700):
        metrics.record_step_latency(ms)
        metrics.record_tool_call("find", ms)
        taken.append(metrics.snapshot())
    made = frame(taken)

    assert made["total_tool_calls"].tolist() == [1, 2, 3]
    assert made["total_tool_calls"].diff().tolist()[1:] == [1, 1]
    assert made["step_latency_max_ms"].tolist() == [1, 30, 700]
    assert str(made["step_latency_mean_ms"].dtype) == "float64"


def test_bounds_are_numbers_where_one_wants_them() -> None:
    """As text they are exact; the last is infinite."""
    bounds = frame(RuntimeMetrics().bucket_rows())["le"].astype(float)

    assert bounds.tolist() == [1, 5, 10, 50, 100, 500, float("inf")]


@given(st.sampled_from(get_args(Event)), st.text(st.characters(exclude_categories=())))
def test_every_event_has_a_row(kind: Any, text: str) -> None:
    """Whatever happened."""
    from tests.display.things import filled

    made = Trace()
    made.entries = [Entry("r", None, 0, AT, 0.0, filled(kind, text))]
    row = made.to_frame().iloc[0]

    assert row["kind"] == kind.__struct_config__.tag
    assert isinstance(row["event"], str)


def test_moments_of_every_zone() -> None:
    """Are told in one, to the microsecond, the first and the last year too."""
    east = timezone(timedelta(hours=9))
    times = [AT, AT.astimezone(east), None, datetime(1, 1, 1, tzinfo=UTC), AT.replace(year=9999)]
    made = frame([ReActStep("t", "a", started_at=at) for at in times])["started_at"]

    assert str(made.dtype) == MOMENT
    assert made[0] == made[1] == AT
    assert made.isna().tolist() == [False, False, True, False, False]
    assert [made[3].year, made[4].year, made[0].microsecond] == [1, 9999, 678]


def test_naive_moments() -> None:
    """Are taken as they stand."""
    made = frame([ReActStep("t", "a", started_at=AT.replace(tzinfo=None))])["started_at"]

    assert made[0] == AT


def test_odd_text() -> None:
    """Lone surrogates do no harm, and long texts are whole."""
    made = frame([ReActStep("\ud800", "x" * 100_000)])

    assert len(made["action"][0]) == 100_000
    assert len(made["thought"][0]) == 1


@pytest.mark.parametrize(
    "thing", [3, "steps", {}, [1], [step(0), 1], [step(0), trace().entries[0]]]
)
def test_what_has_no_frame(thing: Any) -> None:
    """Says what has one, or that a frame is of one kind of thing."""
    with pytest.raises(InvalidValue, match="frame"):
        frame(thing)


def test_frames_can_be_joined() -> None:
    """Columns of an empty session do not change those of a full one."""
    both = pd.concat([AgentSession().to_frame(), AgentSession(steps=[step(0)]).to_frame()])

    assert dtypes(both) == STEP
