"""The cards of what counts, guards and keeps: what each says, and where it says it comes from."""

from __future__ import annotations

import re

import pytest

from agentlab.core.clock import FakeClock
from agentlab.display.stores import size
from agentlab.observe.agent_metrics import AgentMetricsRegistry
from agentlab.observe.metrics import RuntimeMetrics
from agentlab.observe.prometheus import MetricsRegistry
from agentlab.resilience.circuit_breaker import CircuitBreaker
from agentlab.resilience.dedup import Deduplicator
from agentlab.resilience.pipeline import Pipeline
from agentlab.resilience.retry import RetryPolicy
from agentlab.store.checkpoint import CheckpointManager
from agentlab.store.memory import InMemoryPersistenceBackend
from tests.display.things import Reader


def counted() -> RuntimeMetrics:
    """Give what was counted of two tools, and of four steps."""
    metrics = RuntimeMetrics()
    for name, ms in (("slow", 300), ("slow", 100), ("quick", 1), ("quick", 1), ("quick", 1)):
        metrics.record_tool_call(name, ms)
    metrics.record_tool_failure("quick")
    for ms in (0, 0, 0, 200):
        metrics.record_step_latency(ms)
    return metrics


def test_metrics() -> None:
    """Tools, most called first, with what failed and how long they take; then the steps."""
    html = counted().to_html()
    text, place = Reader(html).line, 0

    for part in (
        "metrics", "0 sessions", "0 steps · 5 tool calls, 1 failed", "tools, most called first",
        "quick 3 1 (33%) 1 ms", "slow 2 0 0.2 s",
        "how long steps took · mean 50 ms · half within 1 ms · 95% within 0.2 s · longest 0.2 s",
        "the columns as a table", "up to 1 ms 3", "up to 0.5 s 1", "above 0.5 s 0",
        "all counters", "as a frame: metrics.to_frame()", "total_tool_calls 5",
    ):  # fmt: skip
        place = text.index(part, place) + len(part)
    assert 'title="metrics.tool_rows()[1]"' in html
    assert 'title="metrics.bucket_rows()"' in html


def test_a_percentile_is_never_above_the_longest() -> None:
    """Though the bound of its bucket is; and steps of no time are said to be short."""
    metrics = RuntimeMetrics()
    metrics.record_step_latency(0.4)
    assert "how long steps took · all less than 1 ms" in Reader(metrics.to_html()).line

    metrics.record_step_latency(120)
    assert metrics.percentile(1) == 500
    assert "95% within 0.1 s · longest 0.1 s" in Reader(metrics.to_html()).line


def test_tools_that_nobody_timed() -> None:
    """Have no mean, rather than one of nothing."""
    metrics = RuntimeMetrics()
    metrics.record_tool_call("find")

    assert "find 1 0 all counters" in Reader(metrics.to_html()).line


def test_a_snapshot_says_that_it_is_one() -> None:
    """And its paths are those of a snapshot."""
    html = counted().snapshot().to_html()

    assert "metrics snapshot 0 sessions" in Reader(html).line
    assert 'title="snapshot.tool_rows()[0]"' in html
    assert "metrics.tool_rows" not in html


def test_agents() -> None:
    """A row each, by name; memory where somebody looked."""
    agents = AgentMetricsRegistry(clock=FakeClock())
    agents.record_step("bea", 40)
    agents.record_tool_call("bea", failed=True)
    agents.record_tokens("ada", 1204, 96)
    text = Reader(agents.to_html()).line

    assert "2 agents 1 step · 1 tool call · 1,204 → 96 tokens" in text
    assert "ada 0 0 0 1,204 96 bea 1 40 ms 1 1 (100%) 0 0" in text
    assert "peak memory" not in text

    agents.record_step_with_memory("ada", 1, 2048)
    assert "peak memory" in Reader(agents.to_html()).line
    assert "2.0 MB" in Reader(agents.to_html()).line


def test_a_registry() -> None:
    """A row a series: its name as in the text, what it has come to, and what it is for."""
    registry = MetricsRegistry()
    took = registry.histogram("took_ms", "How long", [5, 50], labels={"tool": 'a"b'})
    empty = Reader(registry.to_html()).line
    took.observe(3)
    took.observe(30)
    html = registry.to_html()
    text = Reader(html).line

    assert "agent_tool_calls_total 0 counter Tool calls that ended" in text
    assert r'took_ms{tool="a\"b"} none yet histogram How long' in empty
    assert r'took_ms{tool="a\"b"} 2 seen, mean 16.5 histogram How long' in text
    assert registry.series()[5] is took
    assert 'title="registry.series()[5]"' in html


def test_one_histogram() -> None:
    """Is drawn in its own columns, whatever the unit."""
    took = MetricsRegistry().histogram("took_ms", "How long", [5, 2500])
    assert "empty" in Reader(took.to_html()).line

    for ms in (3, 30, 4000):
        took.observe(ms)
    text = Reader(took.to_html()).line
    assert "took_ms 3 seen, mean 1,344 How long" in text
    assert "up to 5 1 up to 2.5k 1 above 2.5k 1" in text
    assert "each without those above it: histogram.bucket_rows()" in text


def chips(html: str) -> list[tuple[str, str]]:
    """List the chips: their hue, and their word."""
    return re.findall(r'<span class="agl-chip ?([\w ]*)">([^<]*)</span>', html)


def test_a_breaker_lights_its_state() -> None:
    """Of the three, in the order they come; in words it says the same."""
    clock = FakeClock()
    breaker = CircuitBreaker("library", threshold=2, recovery_window=30, clock=clock)
    lit = []
    for _ in range(2):
        lit.append(chips(breaker.to_html()))
        breaker.record_failure()
    lit.append(chips(breaker.to_html()))
    text = Reader(breaker.to_html()).line
    clock.advance(30)
    lit.append(chips(breaker.to_html()))

    states = ["closed", "open", "half open"]
    assert [[word for _, word in told[1:]] for told in lit] == [states] * 4
    assert [[hue for hue, _ in told[1:]] for told in lit] == [
        ["ok", "off", "off"], ["ok", "off", "off"], ["off", "bad", "off"], ["off", "off", "warn"],
    ]  # fmt: skip
    assert [told[0][1] for told in lit] == ["closed", "closed", "open", "half open"]
    assert "closed — 2 failures in a row → open — 30 s → half open" in text
    assert "calls are refused at once; a probe may try in 30 s" in text


def test_a_pipeline_says_its_policies_in_words() -> None:
    """From the outside in, each where it is found; a stranger as it shows itself."""
    clock = FakeClock()

    class Policy:
        async def run(self, *_: object) -> str:
            return ""

        def __repr__(self) -> str:
            return "my own policy"

    pipeline = (
        Pipeline()
        .add_stage(
            "ask", str.upper,
            breaker=CircuitBreaker("oracle", clock=clock), dedup=Deduplicator(300, clock=clock),
            retry=RetryPolicy.exponential(4, 100, clock=clock),
        )
        .add_stage("odd", str.upper, retry=Policy())
    )  # fmt: skip
    html = pipeline.to_html()
    text = Reader(html).line

    assert "once in 5 min up to 4 attempts, exponential breaker oracle closed" in text
    assert "my own policy" in text
    assert 'title="pipeline.stages[0].breaker"' in html
    assert " at 0x" not in html


def test_a_store() -> None:
    """Its keys, how large and how old, and the way to them, which is awaited."""
    store = InMemoryPersistenceBackend(clock=FakeClock())
    for n in range(30):
        store.save_sync(f"key {n:02}", b"v" * 100 * (n + 1))
    html = store.to_html()
    text = Reader(html).line

    assert "30 keys" in text
    assert "key 00 100 B 1 1 Jan 2030, 00:00:00 UTC" in text
    assert "the first 24 of 30 keys; all: await store.rows(), or store.to_frame()" in text
    assert 'title="(await store.rows())[23]"' in html


def test_checkpoints() -> None:
    """The last of them, each under its own path."""
    manager = CheckpointManager(interval_steps=1, max_checkpoints=40, clock=FakeClock())
    for step in range(1, 31):
        manager.maybe_checkpoint_sync("walker", step)
    html = manager.to_html()

    assert "the last 24 of 30, by agent: manager.rows()" in Reader(html).line
    assert re.findall(r"manager\.rows\(\)\[(\d+)\]", html) == [str(n) for n in range(6, 30)]
    assert manager.rows()[6].step == 7


@pytest.mark.parametrize(
    ("value", "told"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2_500_000_000, "2.5 GB")]
)
def test_sizes(value: int, told: str) -> None:
    """As people say them."""
    assert size(value) == told
