"""What a runtime's runs share: who sheds, counts, asks again and keeps."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.config import AgentConfig
from agentlab.core.errors import (
    BackpressureShed,
    InvalidValue,
    NotConfigured,
    PersistenceError,
    ProviderError,
)
from agentlab.core.events import Saved, Warned
from agentlab.core.run import Run
from agentlab.core.session import AgentSession
from agentlab.core.sync import last_words
from agentlab.models.scripted import ScriptedModel
from agentlab.observe.metrics import RuntimeMetrics
from agentlab.resilience.backpressure import BackpressureGuard
from agentlab.resilience.circuit_breaker import CircuitBreaker
from agentlab.resilience.retry import RetryPolicy
from agentlab.runtime import AgentRuntime
from agentlab.store.memory import InMemoryPersistenceBackend
from agentlab.strategies.react import Outcome
from agentlab.tools.spec import ToolSpec, tool

SCRIPT = (
    'Thought: I will use the double tool.\nAction: double {"n":21}',
    "Thought: The answer is 42.\nAction: FINAL_ANSWER 42",
)


@tool
def double(n: int) -> int:
    """Twice as much."""
    return n * 2


class Dictionary:
    """The smallest backend there can be."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.full = False

    async def save(self, key: str, value: bytes, /) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        self.kept[key] = value

    async def load(self, key: str, /) -> bytes | None:
        return self.kept.get(key)

    async def delete(self, key: str, /) -> None:
        self.kept.pop(key, None)


def test_w1_5() -> None:
    """Room for one: a second run is shed at once, is no session, and nothing is held after."""
    guard = BackpressureGuard(1)
    lab = AgentRuntime(config=AgentConfig(5, "stub"), backpressure=guard)

    async def both() -> list[Any]:
        going = asyncio.Event()

        async def slow(_: str) -> str:
            await going.wait()
            return SCRIPT[1]

        first = asyncio.create_task(lab.run_agent("a", "?", slow))
        await asyncio.sleep(0)
        second = await asyncio.gather(lab.run_agent("b", "?", slow), return_exceptions=True)
        going.set()
        return [await first, *second]

    session, shed = asyncio.run(both())

    assert session.final_answer() == "42"
    assert isinstance(shed, BackpressureShed)
    assert (shed.depth, shed.capacity) == (1, 1)
    assert guard.depth == 0
    assert lab.metrics().total_sessions() == 1
    assert lab.metrics().snapshot().backpressure_shed_count == 1
    assert lab.metrics().snapshot().sessions_started == 1


@pytest.mark.parametrize("how", ["answer", "error", "cancel", "stop", "never begun", "no room"])
def test_room_is_given_back_on_every_ending(how: str) -> None:
    """Once, whatever happens, also to a background run that is over before it began."""
    guard = BackpressureGuard(2)
    error = ProviderError("down", status=500)
    script = [error] if how == "error" else SCRIPT
    lab = AgentRuntime(ScriptedModel(*script), tools=[double], backpressure=guard)
    alone: BackpressureGuard = BackpressureGuard(1)

    async def play() -> None:
        match how:
            case "answer" | "error":
                await asyncio.gather(lab.run("?"), return_exceptions=True)
            case "cancel":
                task = asyncio.create_task(lab.run("?"))
                await asyncio.sleep(0)
                assert guard.depth == 1
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            case "stop":
                handle = lab.start("?")
                assert guard.depth == 1
                handle.stop()
                assert (await handle).stop_reason == "stopped"
            case "never begun":
                lab.start("?")
                assert guard.depth == 1  # and the loop ends here
            case _:
                full = AgentRuntime(ScriptedModel(*SCRIPT), backpressure=alone)
                full.start("?")
                with pytest.raises(BackpressureShed):
                    full.start("?")

    asyncio.run(play())
    assert (guard.depth, alone.depth) == (0, 0)


def test_w30_1() -> None:
    """Two steps, one session, one call, no failure; nobody is at work any more."""
    lab = AgentRuntime(ScriptedModel(*SCRIPT), tools=[double])
    lab.run_sync("Double 21", agent="demo")
    metrics, seen = lab.metrics(), lab.metrics().snapshot()

    assert (metrics.total_steps(), metrics.total_sessions()) == (2, 1)
    assert seen.most_called_tool() == metrics.top_called_tool() == "double"
    assert seen.failure_rate() == 0.0
    assert metrics.tool_calls_per_session() == 1.0
    assert seen.active_sessions == 0

    lab.run_agent_sync("demo", "Double 21", ScriptedModel(*SCRIPT))
    assert (seen.total_steps, metrics.total_steps()) == (2, 4)
    agent = lab.agent_metrics().snapshot("demo")
    assert agent is not None
    assert (agent.total_steps, agent.tool_calls_made) == (4, 2)
    assert "agent_tool_calls_total 2\n" in lab.metrics_registry().prometheus_text()
    assert "agent_inferences_total 4\n" in lab.metrics_registry().prometheus_text()


class Below:
    """A strategy that lets a runtime do the work."""

    strategy_name = "below"

    def __init__(self, *labs: AgentRuntime) -> None:
        self._labs = labs

    async def __call__(self, run: Run, goal: str, /) -> Outcome:
        answers = [(await lab(run, goal)).final_answer() for lab in self._labs]
        return Outcome(answers[-1])


def test_shared_metrics_count_once() -> None:
    """A runtime below another with the same counters is not counted twice, nor as a session."""
    shared = RuntimeMetrics()
    helper = AgentRuntime(ScriptedModel(*SCRIPT, *SCRIPT), tools=[double], metrics=shared)
    lab = AgentRuntime(ScriptedModel(), metrics=shared)
    own = AgentRuntime(ScriptedModel(*SCRIPT), tools=[double])
    lab.run_sync("Double 21", strategy=Below(helper, own, helper))
    seen = shared.snapshot()

    assert (seen.total_sessions, seen.total_steps, seen.total_tool_calls) == (1, 6, 3)
    assert own.metrics().snapshot().total_steps == 2
    assert own.metrics().snapshot().total_sessions == 0


def failing(calls: list[int], breaker: CircuitBreaker) -> ToolSpec:
    """Make a guarded tool that says no each time."""

    def search(_: Any) -> dict[str, Any]:
        calls.append(1)
        return {"ok": False, "why": "down"}

    return ToolSpec("search", "Search.", search, inline=True).with_circuit_breaker(breaker)


def test_w9_3() -> None:
    """Two failures open the breaker; the third call is refused in the name of the tool."""
    calls: list[int] = []
    clock = FakeClock()
    spec = failing(calls, CircuitBreaker("search", 2, 30, clock=clock))
    lab = AgentRuntime(ScriptedModel(), tools=[spec])

    async def call() -> Any:
        return await lab.tools.observe("search", {})

    seen = [asyncio.run(call()) for _ in range(3)]

    assert [each.ok for each in seen] == [False] * 3
    assert seen[2].error == "Circuit breaker open for 'tool:search'"
    assert len(calls) == 2
    clock.advance(30)
    asyncio.run(call())
    assert len(calls) == 3


def test_w4_8() -> None:
    """An open breaker is an observation of kind ``transient``; the handler is not called."""
    calls: list[int] = []
    breaker = CircuitBreaker("search", 1, 30, clock=FakeClock())
    breaker.record_failure()
    script = "Thought: t\nAction: search {}", "Thought: t\nAction: FINAL_ANSWER none"
    lab = AgentRuntime(ScriptedModel(*script), tools=[failing(calls, breaker)])
    session = lab.run_sync("?")

    assert session.steps[0].error_kind == "transient"
    assert json.loads(session.steps[0].observation) == {
        "ok": False,
        "kind": "transient",
        "error": "Circuit breaker open for 'tool:search'",
    }
    assert calls == []
    assert lab.metrics().failure_rate_for("search") == 1.0


def test_a_runtime_that_asks_again() -> None:
    """A failure that may pass is waited out, told by ``Warned``, whoever brings the model."""
    clock = FakeClock()
    policy = RetryPolicy.exponential(3, 100, clock=clock)
    busy = ProviderError("overloaded", status=529)
    script = (busy, busy, SCRIPT[1])
    lab = AgentRuntime(ScriptedModel(*script), retry=policy, clock=clock)
    sessions = [lab.run_sync("?"), lab.run_agent_sync("a", "?", ScriptedModel(*script))]

    assert [session.final_answer() for session in sessions] == ["42", "42"]
    assert [len(session.warnings) for session in sessions] == [2, 2]
    assert clock.monotonic() == pytest.approx(0.6)
    wrong = ProviderError("no such model", status=404)
    with pytest.raises(ProviderError, match="no such model"):
        AgentRuntime(ScriptedModel(wrong, SCRIPT[1]), retry=policy).run_sync("?")


def test_w28_4() -> None:
    """A run of two steps writes four keys: itself, each step, and the loop where a tool was."""
    backend = Dictionary()
    config = AgentConfig(5, "stub")
    lab = (
        AgentRuntime.builder()
        .with_checkpoint_backend(backend)
        .register_tool(double)
        .with_agent_config(config)
        .build()
    )
    session = lab.run_agent_sync("demo", "Double 21", ScriptedModel(*SCRIPT))
    me = session.session_id

    assert sorted(backend.kept) == [
        f"loop:{me}:step:1",
        f"session:{me}",
        f"session:{me}:step:1",
        f"session:{me}:step:2",
    ]
    assert lab.load_session_sync(me) == session
    assert session.checkpoint_errors == []
    assert session.trace is not None
    told = [entry.event.key for entry in session.trace.entries if isinstance(entry.event, Saved)]
    assert set(told) == {key for key in backend.kept if not key.startswith("loop:")}


def test_how_steps_are_kept() -> None:
    """Each by itself, or with all before it; and only as far as whoever redacts lets it."""
    backend = Dictionary()

    def redact(plain: Any) -> Any:
        if isinstance(plain, dict) and "prompt" in plain:
            plain["prompt"] = "(private)"
        return plain

    builder = AgentRuntime.builder().with_agent_config(AgentConfig(5, "stub"))
    kept = builder.with_checkpoint_backend(backend, snapshot_steps="full", redact=redact)
    lab = kept.register_tool(double).build()
    session = lab.run_agent_sync("demo", "Double 21", ScriptedModel(*SCRIPT))
    last = json.loads(backend.kept[f"session:{session.session_id}:step:2"])

    assert len(last["steps"]) == 2
    assert all(b"Double 21" not in value for value in backend.kept.values())
    assert lab.load_session_sync(session.session_id).prompt == "(private)"
    with pytest.raises(InvalidValue, match="'all'"):
        AgentRuntime(store=backend, snapshot_steps="all")  # type: ignore[arg-type]


def test_a_run_is_kept_from_its_start() -> None:
    """While the first tool works, the store holds the question; a reader sees it running."""
    backend = InMemoryPersistenceBackend()
    seen: list[AgentSession] = []

    @tool(name="double")
    def peeking(n: int) -> int:
        """Twice as much."""
        (key,) = backend.keys_sync("session:")
        seen.append(lab.load_session_sync(key.removeprefix("session:")))
        return 2 * n

    lab = AgentRuntime(ScriptedModel(*SCRIPT), tools=[peeking], store=backend)
    session = lab.run_sync("Double 21")

    assert (seen[0].stop_reason, seen[0].prompt, seen[0].steps) == ("running", "Double 21", [])
    assert lab.load_session_sync(session.session_id) == session


def test_a_store_that_fails_stops_nothing() -> None:
    """It is told in the session, step by step, and what it could not take is kept later."""
    backend = Dictionary()

    @tool(name="double")
    def filling(n: int) -> int:
        """Twice as much."""
        backend.full = n == 1
        return 2 * n

    script = 'Thought: t\nAction: double {"n":1}', 'Thought: t\nAction: double {"n":2}', SCRIPT[1]
    lab = AgentRuntime(ScriptedModel(*script), tools=[filling], store=backend)
    session = lab.run_sync("?")

    assert session.final_answer() == "42"
    assert len(session.checkpoint_errors) == 1
    assert "No space left" in session.checkpoint_errors[0]
    assert f"session:{session.session_id}:step:1" in backend.kept
    assert lab.load_session_sync(session.session_id).steps == session.steps
    assert lab.metrics().snapshot().checkpoint_errors == 1


def test_a_store_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds a run up, which can be stopped, and which ends when its time is up."""
    monkeypatch.setattr("agentlab.core.drive.last_words", lambda work: last_words(work, 0.05))

    class Hanging(Dictionary):
        async def save(self, key: str, value: bytes, /) -> None:
            await asyncio.sleep(60)
            await super().save(key, value)

    async def play() -> list[str]:
        lab = AgentRuntime(ScriptedModel(*SCRIPT), tools=[double], store=Hanging())
        handle = lab.start("?")
        assert not await handle.over(0.05)
        handle.stop()
        config = AgentConfig(5, "stub", loop_timeout_ms=50)
        late = AgentRuntime(ScriptedModel(*SCRIPT), config=config, store=Hanging())
        return [(await handle).stop_reason, (await late.run("?")).stop_reason]

    assert asyncio.run(play()) == ["stopped", "timeout"]


def test_only_a_root_is_kept_as_a_session() -> None:
    """What is below it is kept under its path, as steps."""
    backend, own = Dictionary(), Dictionary()
    helper = AgentRuntime(ScriptedModel(*SCRIPT), tools=[double], store=own)
    lab = AgentRuntime(ScriptedModel(), store=backend)
    session = lab.run_sync("Double 21", agent="boss", strategy=Below(helper))
    whole = [key for key in backend.kept if key.startswith("session:") and ":step:" not in key]

    assert whole == [f"session:{session.session_id}"]
    assert f"session:{session.session_id}/boss#1:step:2" in backend.kept
    assert lab.load_session_sync(session.session_id) == session
    assert own.kept == {}


def test_a_store_by_its_path(tmp_path: Any) -> None:
    """Is an SQLite file, which another runtime reads."""
    lab = AgentRuntime(ScriptedModel(*SCRIPT), tools=[double], store=tmp_path / "runs.sqlite")
    session = lab.run_sync("Double 21")
    lab.shutdown_sync()
    again = AgentRuntime(ScriptedModel(), store=str(tmp_path / "runs.sqlite"))
    same = [AgentRuntime.builder().with_checkpoint_backend(tmp_path / "b") for _ in range(2)]
    one, other = (each.with_agent_config(AgentConfig(1, "m")).build() for each in same)

    assert again.load_session_sync(session.session_id) == session
    assert one == other
    with pytest.raises(InvalidValue, match="save, load and delete"):
        AgentRuntime(store=object())  # type: ignore[arg-type]
    with pytest.raises(PersistenceError, match="'nobody'"):
        again.load_session_sync("nobody")
    with pytest.raises(NotConfigured, match="'store'"):
        AgentRuntime(ScriptedModel()).load_session_sync("nobody")


def test_shutdown() -> None:
    """The time is kept, once; further runs are refused; those under way go on."""
    backend, clock = Dictionary(), FakeClock()

    async def play() -> AgentSession:
        going = asyncio.Event()

        async def slow(_: str) -> str:
            await going.wait()
            return SCRIPT[1]

        async with AgentRuntime(slow, store=backend, clock=clock) as lab:
            handle = lab.start("?")
            await asyncio.sleep(0)
        clock.advance(5)
        await lab.shutdown()
        with pytest.raises(NotConfigured, match="runtime is shut down"):
            await lab.run("?")
        going.set()
        return await handle

    session = asyncio.run(play())

    assert backend.kept["runtime:shutdown"] == b"2030-01-01T00:00:00+00:00"
    assert session.final_answer() == "42"
    assert f"session:{session.session_id}" in backend.kept


def test_checkpoints() -> None:
    """The manager of the runtime: one in memory, every fifth step, the last ten."""
    manager = AgentRuntime(ScriptedModel()).checkpoint()

    assert (manager.interval_steps, manager.max_checkpoints) == (5, 10)
    assert manager.maybe_checkpoint_sync("agent-1", 5, [], "context", force=False)
    latest = manager.load_latest_sync("agent-1")
    assert latest is not None
    assert latest.step == 5


def test_soft_limit_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Crossing it is a warning in the log, and of the run that crossed it."""
    guard = BackpressureGuard(3).with_soft_limit(1)
    session = AgentRuntime(ScriptedModel(SCRIPT[1]), backpressure=guard).run_sync("?")

    assert session.warnings == ["backpressure: depth 1/3, soft limit 1"]
    assert session.warnings[0] in [record.message for record in caplog.records]


def test_many_runs_at_once_on_one_store() -> None:
    """From several threads, each session is kept whole."""
    backend = InMemoryPersistenceBackend()
    lab = AgentRuntime(config=AgentConfig(5, "stub"), tools=[double], store=backend)
    sessions: list[AgentSession] = []

    def work() -> None:
        sessions.extend(
            lab.run_agent_sync(f"a{i}", "Double 21", ScriptedModel(*SCRIPT)) for i in range(5)
        )

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(sessions) == 20
    assert all(lab.load_session_sync(each.session_id) == each for each in sessions)
    assert lab.metrics().snapshot().total_sessions == 20
    assert not any(isinstance(e.event, Warned) for s in sessions for e in s.trace.entries)  # type: ignore[union-attr]
