"""The counters of a runtime."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core import events
from agentlab.core.clock import FakeClock
from agentlab.core.config import AgentConfig
from agentlab.core.errors import InvalidValue
from agentlab.core.events import Entry, Event
from agentlab.core.run import Run
from agentlab.models.scripted import ScriptedModel
from agentlab.observe.histogram import BucketRow
from agentlab.observe.metrics import MAX_TOOLS, RuntimeMetrics
from agentlab.observe.snapshot import COUNTERS, MetricsSnapshot, ToolMetricRow
from agentlab.runtime import AgentRuntime
from agentlab.strategies.react import Outcome
from agentlab.tools.spec import tool

SCRIPT = (
    'Thought: I will use the double tool.\nAction: double {"n":21}',
    "Thought: The answer is 42.\nAction: FINAL_ANSWER 42",
)


@tool(inline=True)
def double(n: int) -> int:
    """Twice as much."""
    return n * 2


def said(event: Event, run: str = "r", parent: str | None = None) -> Entry:
    """Put an event into its envelope."""
    return Entry(run, parent, 0, datetime(2030, 1, 1, tzinfo=UTC), 0.0, event)


def demo() -> RuntimeMetrics:
    """Run the first worked case, and give what was counted."""
    metrics = RuntimeMetrics()
    config = AgentConfig(5, "stub-model", system_prompt="You are a demo agent.")
    runtime = AgentRuntime(config=config, tools=[double], sinks=[metrics])
    asyncio.run(runtime.run_agent("demo", "Double 21", ScriptedModel(*SCRIPT)))
    return metrics


def test_w30_1() -> None:
    """Two steps, one session, one tool, nothing failed, nothing under way."""
    metrics = demo()
    snapshot = metrics.snapshot()

    assert (metrics.total_steps(), snapshot.total_steps) == (2, 2)
    assert (metrics.total_sessions(), snapshot.total_sessions) == (1, 1)
    assert metrics.most_called_tool() == metrics.top_called_tool() == "double"
    assert snapshot.most_called_tool() == "double"
    assert (metrics.failure_rate(), snapshot.failure_rate()) == (0.0, 0.0)
    assert (metrics.success_rate(), snapshot.success_rate()) == (1.0, 1.0)
    assert metrics.tool_calls_per_session() == snapshot.tool_calls_per_session() == 1.0
    assert (metrics.active_sessions(), snapshot.active_sessions) == (0, 0)
    assert (metrics.sessions_started(), metrics.sessions_failed()) == (1, 0)


def test_w30_2() -> None:
    """Three calls, one in vain: a third."""
    metrics = RuntimeMetrics()
    for ms in (1, 2, 6):
        metrics.record_tool_call("a", ms)
    metrics.record_tool_failure("a")
    metrics.record_tool_call("b")
    snapshot = metrics.snapshot()

    assert metrics.failure_rate_for("a") == snapshot.failure_rate_for("a") == 1 / 3
    assert (snapshot.tool_call_count("a"), snapshot.tool_failure_count("a")) == (3, 1)
    assert (snapshot.tool_call_count("b"), snapshot.tool_failure_count("b")) == (1, 0)
    assert snapshot.failure_rate() == metrics.failure_rate() == 1 / 4
    assert metrics.mean_ms_for("a") == snapshot.mean_ms_for("a") == 3
    assert snapshot.tool_rows() == [
        ToolMetricRow("a", 3, 1, 1 / 3, 3.0),
        ToolMetricRow("b", 1, 0, 0.0, 0.0),
    ]


def test_a_snapshot_does_not_change() -> None:
    """What comes later is in the next one."""
    metrics = demo()
    before = metrics.snapshot()
    plain = before.to_dict()
    metrics.record_tool_call("double")
    metrics.record_step_latency(3)

    assert before.to_dict() == plain
    assert metrics.snapshot().tool_call_count("double") == 2


def test_every_counter_is_a_method_and_a_field() -> None:
    """By the same name, with the same number."""
    metrics = demo()
    metrics.record_shed()
    metrics(said(events.Recalled(())))
    metrics(said(events.SaveFailed("k", "full")))
    snapshot = metrics.snapshot()

    assert {name: getattr(metrics, name)() for name in COUNTERS} == {
        name: getattr(snapshot, name) for name in COUNTERS
    }
    assert snapshot.backpressure_shed_count == 1
    assert snapshot.memory_recall_count == 1
    assert snapshot.checkpoint_errors == 1
    assert metrics.step_latency_mean_ms() == snapshot.step_latency_mean_ms


def test_nothing_yet() -> None:
    """Rates are 0, names have no data, and nobody divides by zero."""
    metrics = RuntimeMetrics()
    snapshot = metrics.snapshot()

    assert snapshot == MetricsSnapshot(step_latency_buckets=dict.fromkeys(BOUNDS, 0))
    for each in (metrics, snapshot):
        assert each.failure_rate() == each.success_rate() == each.failure_rate_for("x") == 0.0
        assert each.tool_calls_per_session() == each.percentile(0.5) == 0.0
        assert each.most_called_tool() is None
    assert metrics.avg_step_latency_ms() == 0.0
    assert (snapshot.tool_call_count("x"), snapshot.tool_failure_count("x")) == (0, 0)
    assert MetricsSnapshot().percentile(1) == 0.0


def test_the_first_by_name_of_equals() -> None:
    """Is called most, in whatever order they were called."""
    metrics = RuntimeMetrics()
    for name in ("b", "a", "c", "b", "a"):
        metrics.record_tool_call(name)

    assert metrics.top_called_tool() == metrics.snapshot().most_called_tool() == "a"
    assert [row.tool for row in metrics.tool_rows()] == ["a", "b", "c"]


BOUNDS = ("1", "5", "10", "50", "100", "500", "+Inf")


def test_steps_take_what_the_clock_says() -> None:
    """The mean is of the steps of all runs; a duration that cannot be is none."""
    clock, metrics = FakeClock(), RuntimeMetrics()

    async def infer(context: str) -> str:
        await clock.sleep(0.02 if "Obs" in context else 0.01)
        return SCRIPT["Obs" in context]

    runtime = AgentRuntime(tools=[double], sinks=[metrics], clock=clock)
    runtime.run_agent_sync("a", "q", infer)
    assert metrics.avg_step_latency_ms() == 15
    assert metrics.snapshot().step_latency_buckets == dict(
        zip(BOUNDS, (0, 0, 1, 1, 0, 0, 0), strict=True)
    )
    metrics(said(events.StepEnded(events.ReActStep("t", "a", step_duration_ms=-3))))
    assert metrics.avg_step_latency_ms() == 10


def test_percentiles_are_bounds() -> None:
    """Of the bucket that reaches the share; the longest step where there is no bound."""
    metrics = RuntimeMetrics()
    for ms in (1, 1.5, 5, 70, 700, 900):
        metrics.record_step_latency(ms)

    for each in (metrics, metrics.snapshot()):
        told = [each.percentile(p) for p in (0, 1 / 6, 0.5, 0.51, 2 / 3, 0.9, 1)]
        assert told == [1, 1, 5, 100, 100, 900, 900]
    assert metrics.bucket_rows()[:2] == [BucketRow("1", 1, 1), BucketRow("5", 2, 3)]
    assert metrics.bucket_rows()[-1] == BucketRow("+Inf", 2, 6)
    for p in (-0.1, 1.1, math.nan, 50, "0.5"):
        with pytest.raises(InvalidValue, match="percentile"):
            metrics.percentile(p)  # type: ignore[arg-type]


def test_a_share_is_what_it_says() -> None:
    """7 of 100 is the seventh, whatever 0.07 is to a machine."""
    metrics = RuntimeMetrics()
    for n in range(100):
        metrics.record_step_latency(1 if n < 7 else 200)

    assert metrics.percentile(0.07) == metrics.snapshot().percentile(0.07) == 1
    assert metrics.percentile(0.08) == 500


MS = st.lists(st.floats(0, 2000), max_size=30)


@given(MS, MS)
def test_what_came_since(first: list[float], then: list[float]) -> None:
    """Is a difference; its mean is that of the steps since, and its shares are of them."""
    metrics = RuntimeMetrics()
    for ms in first:
        metrics.record_step_latency(ms)
        metrics.record_tool_call("a")
    before = metrics.snapshot()
    only = RuntimeMetrics()
    for ms in then:
        for each in (metrics, only):
            each.record_step_latency(ms)
            each.record_tool_call("b")
            each.record_tool_failure("b")
    since, alone = metrics.snapshot().delta(before), only.snapshot()

    assert since == MetricsSnapshot.delta(metrics.snapshot(), before)
    assert since.step_latency_buckets == alone.step_latency_buckets
    assert since.step_latency_mean_ms == pytest.approx(alone.step_latency_mean_ms)
    assert (since.per_tool_calls, since.per_tool_failures) == (
        alone.per_tool_calls, alone.per_tool_failures,
    )  # fmt: skip
    assert since.total_tool_calls == since.failed_tool_calls == len(then)
    assert since.most_called_tool() == ("b" if then else None)
    if max(then, default=0) <= 500 or max(then) >= max(first, default=0):
        assert since.percentile(1) == alone.percentile(1)


def test_what_tools_took_since() -> None:
    """Is of those that were called since; a tool that was not is not there."""
    metrics = RuntimeMetrics()
    for name, ms in (("a", 10.5), ("b", 2)):
        metrics.record_tool_call(name, ms)
    before = metrics.snapshot()
    for ms in (30, 50):
        metrics.record_tool_call("a", ms)
    since = metrics.snapshot().delta(before)

    assert since.per_tool_ms == {"a": 80.0}
    assert since.mean_ms_for("a") == 40
    assert since.mean_ms_for("b") == since.mean_ms_for("c") == 0
    assert before.mean_ms_for("a") == 10.5


def test_a_difference_the_wrong_way_round() -> None:
    """Is nothing, not less than nothing."""
    after = demo().snapshot()
    nothing = RuntimeMetrics().snapshot()

    assert nothing.delta(after) == nothing
    assert after.delta(nothing) == after


def test_json() -> None:
    """Every field, always in the same order, and back to an equal snapshot."""
    metrics = demo()
    for name in ("zeta", "alpha"):
        metrics.record_tool_call(name)
    metrics.record_tool_failure("zeta")
    metrics.record_step_latency(600.5)
    plain = metrics.snapshot().to_json()

    assert [*plain] == [*MetricsSnapshot.__struct_fields__]
    assert [*plain["per_tool_calls"]] == ["alpha", "double", "zeta"]
    assert [*plain["step_latency_buckets"]] == [*BOUNDS]
    assert plain["step_latency_buckets"]["+Inf"] == 1
    assert MetricsSnapshot.from_dict(json.loads(json.dumps(plain))) == metrics.snapshot()
    assert MetricsSnapshot.from_dict({}) == MetricsSnapshot()
    assert msgspec.json.decode(msgspec.json.encode(metrics.snapshot())) == plain


def test_names_have_an_end() -> None:
    """A model may make up as many tools as it likes: the rest is counted together."""
    metrics = RuntimeMetrics()
    metrics.record_tool_failure("only failed")
    for n in range(2 * MAX_TOOLS):
        metrics.record_tool_call(f"tool-{n}")
        metrics.record_tool_failure(f"tool-{n}")
    metrics.record_tool_call("tool-1")
    snapshot = metrics.snapshot()

    assert len(snapshot.per_tool_calls) == len(snapshot.per_tool_failures) - 1 == MAX_TOOLS
    assert snapshot.tool_call_count("__other__") == MAX_TOOLS + 1
    assert snapshot.tool_call_count("tool-1") == 2
    assert snapshot.total_tool_calls == sum(snapshot.per_tool_calls.values())
    assert snapshot.most_called_tool() == "tool-1"


def test_only_a_root_is_a_session() -> None:
    """Runs below are not; and what ends without a beginning leaves nothing under way."""
    metrics = RuntimeMetrics()
    start = events.RunStarted("a", "q", "m", "s", {})
    metrics(said(start))
    metrics(said(start, "r/a#1", "r"))
    metrics(said(events.RunEnded("error"), "r/a#1", "r"))
    assert (metrics.active_sessions(), metrics.total_sessions()) == (1, 0)
    for reason in ("error", "stopped"):
        metrics(said(events.RunEnded(reason)))

    assert (metrics.active_sessions(), metrics.total_sessions()) == (0, 2)
    assert metrics.sessions_failed() == 1


def test_a_runtime_that_works_for_another_counts_no_session() -> None:
    """Its steps are counted; the session is the other's."""
    below, above = RuntimeMetrics(), RuntimeMetrics()
    expert = AgentRuntime(ScriptedModel(*SCRIPT), tools=[double], sinks=[below])

    class Delegates:
        strategy_name = "delegates"

        async def __call__(self, run: Run, goal: str, /) -> Outcome:
            return Outcome((await expert(run, goal)).answer)

    AgentRuntime(ScriptedModel(), sinks=[above]).run_sync("go", strategy=Delegates())
    assert (below.sessions_started(), below.total_sessions(), below.total_steps()) == (0, 0, 2)
    assert (above.sessions_started(), above.total_sessions(), above.total_steps()) == (1, 1, 2)


@pytest.mark.parametrize("ms", [-1, math.nan, math.inf, 10**400, "3", None])
def test_what_is_no_latency_is_refused(ms: float) -> None:
    """By its value, and nothing is counted."""
    metrics = RuntimeMetrics()
    with pytest.raises(InvalidValue, match=r"a latency in ms must be .*, got "):
        metrics.record_step_latency(ms)
    with pytest.raises(InvalidValue, match=r"a latency in ms must be .*, got "):
        metrics.record_tool_call("a", ms)
    assert metrics.avg_step_latency_ms() == metrics.total_tool_calls() == 0


def test_a_snapshot_is_of_one_moment() -> None:
    """While others count, the calls of all tools are always the sum of each."""
    metrics, done = RuntimeMetrics(), threading.Event()
    start, end = events.ToolStarted(1, "a", None), events.ToolEnded(1, False, None, "", None, 1.0)  # noqa: FBT003

    def count(run: str) -> None:
        while not done.is_set():
            metrics(said(start, run))
            metrics(said(end, run))

    threads = [threading.Thread(target=count, args=(f"r{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(300):
            seen = metrics.snapshot()
            assert seen.total_tool_calls == seen.tool_call_count("a") == seen.failed_tool_calls
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert metrics.total_tool_calls() > 0


def test_what_they_look_like() -> None:
    """One line, and rows by name."""
    metrics = demo()

    assert repr(metrics) == "<RuntimeMetrics 1 sessions, 2 steps, 1 tool calls, 0 failed>"
    assert repr(metrics.snapshot()) == (
        "<MetricsSnapshot 1 sessions, 2 steps, 1 tool calls, 0 failed>"
    )
    rows = {row.name: row.value for row in metrics.rows()}
    assert [*rows][: len(COUNTERS)] == [*COUNTERS]
    assert rows["total_steps"] == 2
    assert rows["tool_calls_per_session"] == 1.0
