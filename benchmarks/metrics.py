"""CPU a step that each kind of metrics costs, and all three together, on a recorded run.

The entries of a ReAct run of 1000 steps are fed to the sinks as its trace would feed them; the
floor is a sink that does nothing. Each figure is the median of several rounds, timed in turn.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Callable

from agentlab import AgentConfig, AgentRuntime, Entry, tool
from agentlab.observe.agent_metrics import AgentMetricsRegistry
from agentlab.observe.metrics import RuntimeMetrics
from agentlab.observe.prometheus import MetricsRegistry

ROUNDS = 15
STEPS = 1000


@tool(inline=True)
def double(n: int) -> int:
    """Twice as much."""
    return n * 2


async def stub(_: str) -> str:
    """Answer at once."""
    return 'Thought: I will double it.\nAction: double {"n": 21}'


def recorded() -> list[Entry]:
    """Run ``STEPS`` steps, and give all that was said."""
    config = AgentConfig(STEPS, "stub", repeat_warn=None, repeat_stop=None)
    runtime = AgentRuntime(tools=[double], config=config)
    session = asyncio.run(runtime.run_agent("a", "Double 21", stub))
    assert session.step_count() == STEPS
    assert session.trace
    return session.trace.entries


def floor(_: Entry, /) -> None:
    """Take an entry and do nothing."""


def cpu(sinks: list[Callable[[Entry], None]], entries: list[Entry]) -> float:
    """Give the CPU microseconds a step."""
    began = time.process_time()
    for entry in entries:
        for sink in sinks:
            sink(entry)
    return (time.process_time() - began) * 1e6 / STEPS


def micros(work: Callable[[], object]) -> float:
    """Give the CPU microseconds of ``work``."""
    began = time.process_time()
    for _ in range(100):
        work()
    return (time.process_time() - began) * 1e6 / 100


if __name__ == "__main__":
    told = recorded()
    metrics, registry, agents = RuntimeMetrics(), MetricsRegistry(), AgentMetricsRegistry()
    memory = AgentMetricsRegistry(sample_memory=True)
    cases: dict[str, list[Callable[[Entry], None]]] = {
        "a sink that does nothing": [floor],
        "RuntimeMetrics": [metrics],
        "MetricsRegistry": [registry],
        "AgentMetricsRegistry": [agents],
        "AgentMetricsRegistry, memory sampled": [memory],
        "all three": [metrics, registry, agents],
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, sinks in cases.items():
            times[name].append(cpu(sinks, told))
    kinds = Counter(type(entry.event).__name__ for entry in told)
    assert metrics.total_steps() == kinds["StepEnded"] * ROUNDS * 2
    print(f"{len(told) / STEPS:.1f} entries a step")
    for name, each in times.items():
        print(f"{name}: {statistics.median(each):.2f} µs a step")
    print(f"RuntimeMetrics.snapshot(): {micros(metrics.snapshot):.1f} µs")
    print(f"MetricsRegistry.prometheus_text(): {micros(registry.prometheus_text):.1f} µs")
    print(f"AgentMetricsRegistry.snapshot_all(): {micros(agents.snapshot_all):.1f} µs")
