"""Whatever happened, in however many runs: the metrics are what a recount of the trace gives."""

from __future__ import annotations

import asyncio
import math
import threading
from collections import Counter
from itertools import pairwise
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core import events
from agentlab.core.clock import FakeClock
from agentlab.core.drive import drive
from agentlab.core.errors import ToolNotFound
from agentlab.core.events import Entry, Event
from agentlab.core.protocols import Usage
from agentlab.core.run import Run
from agentlab.core.session import AgentSession
from agentlab.models.scripted import ScriptedModel
from agentlab.observe.agent_metrics import AgentMetricsRegistry
from agentlab.observe.metrics import RuntimeMetrics
from agentlab.observe.prometheus import MetricsRegistry
from agentlab.runtime import AgentRuntime
from agentlab.strategies.react import Outcome, ReAct
from agentlab.tools.spec import tool

OTHER = "__other__"
PARENTS = {
    "r": None, "r/a#1": "r", "r/a#1/b#1": "r/a#1", "r/a#2": "r", "r2": None, "r2/x/y#10": "r2",
}  # fmt: skip
NOW = FakeClock().now()
CALL = st.integers(1, 2)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(events.RunStarted, st.sampled_from("abc"), st.just("q"), st.just("m"),
              st.just("s"), st.just({})),
    st.builds(events.Recalled, st.just(())),
    st.builds(events.Asked, CALL, st.none(), st.none(), st.just(0), st.just(0), st.just("")),
    st.builds(events.Token, CALL, st.just("t")),
    st.builds(events.Answered, CALL, st.just("t"),
              st.builds(Usage, st.integers(0, 9), st.integers(0, 9))),
    st.builds(events.ToolStarted, CALL, st.sampled_from(["x", "y"]), st.none(), st.booleans()),
    st.builds(events.ToolEnded, CALL, st.booleans(), st.none(), st.none(), st.none(),
              st.integers(0, 99).map(float)),
    st.builds(events.StepEnded, st.builds(events.ReActStep, st.just("t"), st.just("a"),
              step_duration_ms=st.integers(0, 700))),
    st.builds(events.Warned, st.just("w")),
    st.builds(events.SaveFailed, st.just("k"), st.just("e")),
    st.builds(events.RunEnded, st.sampled_from(["final_answer", "error", "stopped"])),
)  # fmt: skip
ENTRIES = st.lists(st.tuples(st.sampled_from([*PARENTS]), EVENTS), max_size=40).map(
    lambda told: [
        Entry(run, PARENTS[run], seq, NOW, seq * 0.5, event)
        for seq, (run, event) in enumerate(told)
    ]
)


def kinds(entries: list[Entry], kind: type[Any]) -> list[Any]:
    """Give the events of one kind."""
    return [entry.event for entry in entries if isinstance(entry.event, kind)]


def above(run: str, other: str) -> bool:
    """Whether ``other`` is ``run`` or below it."""
    return other == run or other.startswith(f"{run}/")


def begun(entries: list[Entry], end: int, first: type, last: type) -> Any:
    """Look back from the end of a call for its beginning, if its run has not ended since."""
    ended: Any = entries[end].event
    key = entries[end].run, ended.call_id
    for entry in reversed(entries[:end]):
        if isinstance(entry.event, events.RunEnded) and above(entry.run, key[0]):
            return None
        if (entry.run, getattr(entry.event, "call_id", None)) == key:
            if isinstance(entry.event, first):
                return entry
            if isinstance(entry.event, last):
                return None
    return None


def agent_at(entries: list[Entry], place: int) -> str:
    """Look back for whose run it is."""
    here = entries[place]
    for entry in reversed(entries[:place]):
        if entry.run == here.run and isinstance(entry.event, events.RunEnded):
            break
        if entry.run == here.run and isinstance(entry.event, events.RunStarted):
            return entry.event.agent
    named = {"r/a#1": "a", "r/a#1/b#1": "b", "r/a#2": "a", "r2/x/y#10": "x/y"}
    fallback = here.run.split("/")[-1].split("#")[0] if here.parent else OTHER
    return named.get(here.run, fallback)


def tools_in(entries: list[Entry]) -> list[tuple[str, bool, float]]:
    """List the tool calls that ended: of which tool, whether it was well, how long it took."""
    told = []
    for place, entry in enumerate(entries):
        if isinstance(entry.event, events.ToolEnded):
            start = begun(entries, place, events.ToolStarted, events.ToolEnded)
            tool_name = start.event.tool if start else OTHER
            told.append((tool_name, entry.event.ok, entry.event.ms))
    return told


def check_runtime(metrics: RuntimeMetrics, entries: list[Entry]) -> None:
    """Compare with a recount."""
    roots = [entry for entry in entries if entry.parent is None]
    turns = [isinstance(e.event, events.RunStarted) - isinstance(e.event, events.RunEnded)
             for e in roots]  # fmt: skip
    heights = [sum(turns[:n]) for n in range(len(turns) + 1)]
    ended = kinds(roots, events.RunEnded)
    took = [event.step.step_duration_ms for event in kinds(entries, events.StepEnded)]
    tools = tools_in(entries)
    seen = metrics.snapshot()

    assert seen.active_sessions == heights[-1] - min(heights)
    assert seen.sessions_started == len(kinds(roots, events.RunStarted))
    assert seen.total_sessions == len(ended)
    assert seen.sessions_failed == sum(event.stop_reason == "error" for event in ended)
    assert seen.total_steps == len(took)
    assert seen.total_tool_calls == len(tools) == len(kinds(entries, events.ToolEnded))
    assert seen.failed_tool_calls == sum(not ok for _, ok, _ in tools)
    assert seen.per_tool_calls == dict(Counter(name for name, _, _ in tools))
    assert seen.per_tool_failures == dict(Counter(name for name, ok, _ in tools if not ok))
    for name in seen.per_tool_calls:
        assert seen.per_tool_ms[name] == sum(ms for tool_name, _, ms in tools if tool_name == name)
    assert seen.memory_recall_count == len(kinds(entries, events.Recalled))
    assert seen.checkpoint_errors == len(kinds(entries, events.SaveFailed))
    bounds = [-math.inf, 1, 5, 10, 50, 100, 500, math.inf]
    assert [*seen.step_latency_buckets.values()] == [
        sum(low < ms <= high for ms in took) for low, high in pairwise(bounds)
    ]
    assert seen.step_latency_sum_ms == sum(took)
    assert seen.step_latency_max_ms == max(took, default=0)
    assert seen.step_latency_mean_ms == (sum(took) / len(took) if took else 0)


def check_prometheus(registry: MetricsRegistry, entries: list[Entry]) -> None:
    """Compare with a recount."""
    waits = []
    for place, entry in enumerate(entries):
        if isinstance(entry.event, events.Answered):
            start = begun(entries, place, events.Asked, events.Answered)
            waits += [(entry.offset - start.offset) * 1000] if start else []
    failed = sum(event.stop_reason == "error" for event in kinds(entries, events.RunEnded))
    failed += sum(not event.ok for event in kinds(entries, events.ToolEnded))

    assert registry.inferences.get() == len(kinds(entries, events.Asked))
    assert registry.inference_latency.count() == len(waits)
    assert registry.inference_latency.sum() == pytest.approx(sum(waits))
    assert registry.tool_calls.get() == len(kinds(entries, events.ToolEnded))
    assert registry.errors.get() == failed
    assert registry.memory_entries.get() == 0


def check_agents(registry: AgentMetricsRegistry, entries: list[Entry]) -> None:
    """Compare with a recount."""
    by_agent: dict[str, list[Event]] = {}
    for place, entry in enumerate(entries):
        event = entry.event
        if isinstance(event, events.RunStarted):
            by_agent.setdefault(event.agent, [])
        elif isinstance(event, events.StepEnded | events.ToolEnded | events.Answered):
            by_agent.setdefault(agent_at(entries, place), []).append(event)

    assert [*registry.snapshot_all()] == sorted(by_agent)
    for name, told in by_agent.items():
        seen = registry.snapshot(name)
        assert seen
        took = [e.step.step_duration_ms for e in told if isinstance(e, events.StepEnded)]
        tools = [e.ok for e in told if isinstance(e, events.ToolEnded)]
        usages = [e.usage for e in told if isinstance(e, events.Answered)]
        assert seen.total_steps == len(took)
        assert seen.avg_step_latency_ms == pytest.approx(fmean(took) if took else 0)
        assert (seen.tool_calls_made, seen.tool_call_failures) == (len(tools), tools.count(False))
        assert seen.failure_rate == (tools.count(False) / len(tools) if tools else 0)
        assert seen.total_tokens_in == sum(usage.input for usage in usages)
        assert seen.total_tokens_out == sum(usage.output for usage in usages)


@given(ENTRIES)
def test_any_trace(entries: list[Entry]) -> None:
    """Of runs that nest, overlap, begin twice or never, and of calls that do not match."""
    sinks = RuntimeMetrics(), MetricsRegistry(), AgentMetricsRegistry(clock=FakeClock())
    for entry in entries:
        for sink in sinks:
            sink(entry)

    check_runtime(sinks[0], entries)
    check_prometheus(sinks[1], entries)
    check_agents(sinks[2], entries)


@given(ENTRIES)
def test_nothing_is_kept_of_runs_that_ended(entries: list[Entry]) -> None:
    """Once the roots have ended, no call is under way and no run is anybody's."""
    sinks: Any = (RuntimeMetrics(), MetricsRegistry(), AgentMetricsRegistry())
    ends = [
        Entry(run, PARENTS[run], 99, NOW, 99, events.RunEnded("stopped"))
        for run in PARENTS
        if PARENTS[run] is None or any(
            e.run == run and isinstance(e.event, events.RunStarted) for e in entries
        )
    ]  # fmt: skip
    for entry in (*entries, *ends):
        for sink in sinks:
            sink(entry)

    assert [len(sinks[0]._under_way), len(sinks[1]._under_way)] == [0, 0]  # noqa: SLF001 - a leak
    assert sinks[2]._runs == {}  # noqa: SLF001 - shows nowhere else


@tool(inline=True)
def double(n: int) -> int:
    """Twice as much."""
    return n * 2


@tool(inline=True)
def broken(n: int) -> int:
    """Fail."""
    raise ToolNotFound(str(n))


class Delegates:
    """Ask through a child that nobody drives, then let two others work."""

    strategy_name = "delegates"

    async def __call__(self, run: Run, goal: str, /) -> Outcome:
        asked = run.child("scout")
        await asked.ask(goal)
        await asked.end_step(events.ReActStep("t", "scouted"))
        for name in ("worker", "worker"):
            child = run.child(name)
            await drive(child, AgentSession(session_id=child.id), ReAct(), goal)
        return Outcome("done")


SCRIPT = (
    "look there",
    'Thought: t\nAction: double {"n": 2}',
    'Thought: t\nAction: broken {"n": 2}',
    'Thought: t\nAction: dubble {"n": 2}',
    "Thought: t\nAction: FINAL_ANSWER 4",
    'Thought: t\nAction: forbidden {"n": 2}',
    "Thought: t\nAction: FINAL_ANSWER 4",
)


def test_a_real_run() -> None:
    """With tools that work, fail, are not there and are blocked, by children driven and not."""
    metrics, registry, agents = RuntimeMetrics(), MetricsRegistry(), AgentMetricsRegistry()
    runtime = AgentRuntime(
        ScriptedModel(*SCRIPT),
        tools=[double, broken],
        action_hook=lambda name, _: name != "forbidden",
        sinks=[metrics, registry, agents],
    )
    session = runtime.run_sync("go", agent="boss", strategy=Delegates())

    assert session.trace
    entries = session.trace.entries
    check_runtime(metrics, entries)
    check_prometheus(registry, entries)
    check_agents(agents, entries)
    seen = metrics.snapshot()
    assert (seen.total_sessions, seen.total_steps) == (1, 7)
    assert seen.per_tool_calls == {"broken": 1, "double": 1, "dubble": 1, "forbidden": 1}
    assert seen.per_tool_failures == {"broken": 1, "dubble": 1, "forbidden": 1}
    assert seen.failed_tool_calls == sum(
        child.failed_tool_call_count() for child in session.children
    )
    assert [*agents.snapshot_all()] == ["boss", "scout", "worker"]
    assert registry.errors.get() == 3


def test_a_run_that_fails() -> None:
    """Is a session that failed, and an error; what it asked for was asked for."""
    metrics, registry, agents = RuntimeMetrics(), MetricsRegistry(), AgentMetricsRegistry()
    runtime = AgentRuntime(ScriptedModel(), sinks=[metrics, registry, agents])
    with pytest.raises(Exception, match="script") as caught:
        runtime.run_sync("go")

    entries = caught.value.__dict__["session"].trace.entries
    check_runtime(metrics, entries)
    check_prometheus(registry, entries)
    check_agents(agents, entries)
    assert (metrics.sessions_failed(), metrics.total_sessions()) == (1, 1)
    assert (registry.inferences.get(), registry.inference_latency.count()) == (1, 0)
    assert registry.errors.get() == 1


def test_a_call_that_is_cancelled_is_no_failure() -> None:
    """Being stopped is nobody's fault: neither the call nor the run has failed."""
    metrics, registry, agents = RuntimeMetrics(), MetricsRegistry(), AgentMetricsRegistry()
    begins: list[asyncio.Event] = []

    @tool
    async def wait() -> int:
        """Wait for ever."""
        begins[0].set()
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    async def play() -> None:
        begins.append(asyncio.Event())
        runtime = AgentRuntime(
            ScriptedModel("Action: wait {}"), tools=[wait], sinks=[metrics, registry, agents]
        )
        task = asyncio.ensure_future(runtime.run("go"))
        await begins[0].wait()
        assert metrics.active_sessions() == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(play())
    seen = metrics.snapshot()
    assert (seen.total_sessions, seen.sessions_failed, seen.active_sessions) == (1, 0, 0)
    assert (seen.total_tool_calls, seen.failed_tool_calls) == (0, 0)
    assert registry.errors.get() == 0
    assert len(metrics._under_way) == 0  # noqa: SLF001 - a leak shows nowhere else


def test_many_runs_at_once() -> None:
    """On several threads, each with a loop of its own: nothing is lost or counted twice."""
    metrics, registry, agents = RuntimeMetrics(), MetricsRegistry(), AgentMetricsRegistry()

    async def answer(context: str) -> str:
        await asyncio.sleep(0)
        done = context.count("Obs")
        return f'Action: double {{"n": {done}}}' if done < 3 else "Action: FINAL_ANSWER 2"

    async def several(name: str) -> None:
        runtime = AgentRuntime(tools=[double], sinks=[metrics, registry, agents])
        await asyncio.gather(*(runtime.run_agent(name, "q", answer) for _ in range(20)))

    threads = [
        threading.Thread(target=lambda n=n: asyncio.run(several(f"agent-{n}"))) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    seen = metrics.snapshot()
    assert (seen.sessions_started, seen.total_sessions, seen.active_sessions) == (80, 80, 0)
    assert (seen.total_steps, seen.total_tool_calls) == (320, 240)
    assert sum(seen.step_latency_buckets.values()) == 320
    assert registry.inferences.get() == registry.inference_latency.count() == 320
    assert [each.total_steps for each in agents.snapshot_all().values()] == [80] * 4
