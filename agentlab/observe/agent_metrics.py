"""What each agent did so far, whichever runs it did it in: a reader of traces."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

import msgspec

from agentlab.core import events
from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.doors import Displayable, Explorable, Tabular
from agentlab.core.events import Entry
from agentlab.core.ids import AgentId
from agentlab.core.portable import Portable
from agentlab.observe.calls import Takes
from agentlab.observe.resident import resident_kb
from agentlab.observe.values import OTHER, amount

MAX_AGENTS = 10_000
MAX_RUNS = 100_000
NEVER = datetime.fromtimestamp(0, UTC)


class AgentMetricsSnapshot(Portable, Displayable, msgspec.Struct, frozen=True):
    """The counters of one agent at one moment.

    ``tool_calls_made`` counts the failed ones too; ``failure_rate`` is 0 without calls.
    ``peak_memory_kb`` is the largest figure that was recorded, 0 where nobody did.
    """

    agent_id: str
    total_steps: int = 0
    total_tokens_in: int = 0
    total_tokens_out: int = 0
    tool_calls_made: int = 0
    tool_call_failures: int = 0
    avg_step_latency_ms: float = 0.0
    peak_memory_kb: int = 0
    session_start: datetime = NEVER
    failure_rate: float = 0.0
    uptime_secs: float = 0.0

    def __repr__(self) -> str:
        return (
            f"<AgentMetricsSnapshot {self.agent_id!r} {self.total_steps} steps,"
            f" {self.tool_calls_made} tool calls, {self.tool_call_failures} failed>"
        )


@dataclass
class AgentMetrics(Displayable):
    """The counters of one agent, as they grow. Whoever owns it holds the lock.

    ``session_start`` is when it was first heard of, by the wall; ``began`` by a clock that
    never jumps.
    """

    total_steps: int = 0
    total_tokens_in: int = 0
    total_tokens_out: int = 0
    tool_calls_made: int = 0
    tool_call_failures: int = 0
    avg_step_latency_ms: float = 0.0
    peak_memory_kb: int = 0
    session_start: datetime = NEVER
    began: float = field(default=0.0, repr=False)

    @property
    def failure_rate(self) -> float:
        """The share of tool calls that failed, 0 without calls."""
        made = self.tool_calls_made
        return self.tool_call_failures / made if made else 0.0

    def add_step(self, ms: float) -> None:
        """Count a step; the mean moves by its share of the difference."""
        self.total_steps += 1
        self.avg_step_latency_ms += (ms - self.avg_step_latency_ms) / self.total_steps

    def snapshot(self, agent_id: str, monotonic: float) -> AgentMetricsSnapshot:
        """Give it as it is at that moment."""
        told = asdict(self)
        uptime = max(0.0, monotonic - told.pop("began"))
        return AgentMetricsSnapshot(
            agent_id, **told, failure_rate=self.failure_rate, uptime_secs=uptime
        )


class AgentMetricsRegistry(Takes, Tabular, Explorable):
    """Counts by agent: a sink, for as many traces at once as there are, from any thread.

    A run's agent is the one it started for. A child that nobody drives does not start; its
    agent is the one it was made for, by the name in its path. So what such a child spends is
    its agent's here, while a session counts it for the run above. A tool call counts when it
    ends; a blocked one has failed.

    A copy (``copy.copy``) is another handle on the same counters. Of more than 10 000 agents
    the rest is counted as ``__other__``.

    >>> registry = AgentMetricsRegistry()
    >>> registry.record_step("agent-1", 40)
    >>> registry.record_tool_call("agent-1", failed=True)
    >>> registry.snapshot("agent-1")
    <AgentMetricsSnapshot 'agent-1' 1 steps, 1 tool calls, 1 failed>

    Parameters
    ----------
    clock : Clock
        What tells how long an agent is there.
    sample_memory : bool
        At the end of each step, see how much memory the whole process has in use: an agent's
        peak is then the most that there was when a step of its own ended, other agents' part
        included.

    Raises
    ------
    NotConfigured
        Memory is to be sampled, and this system does not tell.
    """

    def __init__(self, *, clock: Clock = SYSTEM_CLOCK, sample_memory: bool = False) -> None:
        self._clock = clock
        self._agents: dict[str, AgentMetrics] = {}
        self._runs: dict[str, str] = {}  # whose run it is, until it ends
        self._lock = threading.Lock()  # shared by all copies; never held in a wait
        self._sample = resident_kb if sample_memory else nothing
        self._sample()

    def __repr__(self) -> str:
        return f"<AgentMetricsRegistry {len(self._agents)} agents>"

    def __len__(self) -> int:
        return len(self._agents)

    def __bool__(self) -> bool:
        return True  # one without agents is still one

    def record_step(self, agent: str, ms: float) -> None:
        """Count a step that took ``ms``.

        Raises
        ------
        InvalidValue
            It is negative, or no number; or the agent has no name.
        """
        self.record_step_with_memory(agent, ms, 0)

    def record_step_with_memory(self, agent: str, ms: float, kb: int) -> None:
        """Count a step that took ``ms``, and see how much memory there was in use.

        Raises
        ------
        InvalidValue
            One of them is negative, or no number; or the agent has no name.
        """
        ms, kb = amount(ms, "a latency in ms"), int(amount(kb, "memory in KB"))
        with self._lock:
            self._step(str(AgentId(agent)), ms, kb)

    def record_tool_call(
        self,
        agent: str,
        failed: bool = False,  # noqa: FBT001, FBT002 - the documented form
    ) -> None:
        """Count a tool call, and whether it failed.

        Raises
        ------
        InvalidValue
            The agent has no name.
        """
        with self._lock:
            self._call(str(AgentId(agent)), failed=failed)

    def record_tokens(self, agent: str, tokens_in: int, tokens_out: int) -> None:
        """Count what was sent to a model and what came back.

        Raises
        ------
        InvalidValue
            One of them is negative, or no number; or the agent has no name.
        """
        sent = int(amount(tokens_in, "tokens in"))
        came = int(amount(tokens_out, "tokens out"))
        with self._lock:
            self._spent(str(AgentId(agent)), sent, came)

    def snapshot(self, agent: str) -> AgentMetricsSnapshot | None:
        """Give the counters of one agent as they are now, or None if nobody knows it."""
        now = self._clock.monotonic()
        with self._lock:
            known = self._agents.get(agent)
            return None if known is None else known.snapshot(agent, now)

    def snapshot_all(self) -> dict[str, AgentMetricsSnapshot]:
        """Give those of all agents, all read at once, in the order of their names."""
        now = self._clock.monotonic()
        with self._lock:
            return {name: known.snapshot(name, now) for name, known in sorted(self._agents.items())}

    def rows(self) -> list[AgentMetricsSnapshot]:
        """List the agents by name."""
        return [*self.snapshot_all().values()]

    def remove(self, agent: str) -> bool:
        """Forget one agent; tell whether it was known."""
        with self._lock:
            return self._agents.pop(agent, None) is not None

    def reset(self) -> None:
        """Forget all agents. Runs under way are counted on."""
        with self._lock:
            self._agents.clear()

    def _of(self, agent: str) -> AgentMetrics:
        known = self._agents.get(agent)
        if known is None:
            if len(self._agents) >= MAX_AGENTS and agent != OTHER:
                return self._of(OTHER)
            known = AgentMetrics(session_start=self._clock.now(), began=self._clock.monotonic())
            self._agents[agent] = known
        return known

    def _step(self, agent: str, ms: float, kb: int) -> None:
        known = self._of(agent)
        known.add_step(ms)
        known.peak_memory_kb = max(known.peak_memory_kb, kb)

    def _call(self, agent: str, *, failed: bool) -> None:
        known = self._of(agent)
        known.tool_calls_made += 1
        known.tool_call_failures += bool(failed)

    def _spent(self, agent: str, tokens_in: int, tokens_out: int) -> None:
        known = self._of(agent)
        known.total_tokens_in += tokens_in
        known.total_tokens_out += tokens_out

    def _whose(self, entry: Entry) -> str:
        known = self._runs.get(entry.run)
        if known is None and entry.parent is not None:
            known = entry.run[len(entry.parent) + 1 :].rpartition("#")[0]
        return known or OTHER

    def _run_started(self, entry: Entry, event: events.RunStarted) -> None:
        with self._lock:
            if len(self._runs) >= MAX_RUNS:
                del self._runs[next(iter(self._runs))]
            self._runs[entry.run] = event.agent
            self._of(event.agent or OTHER)

    def _run_ended(self, entry: Entry, _: events.RunEnded) -> None:
        with self._lock:
            self._runs.pop(entry.run, None)

    def _answered(self, entry: Entry, event: events.Answered) -> None:
        usage = event.usage
        with self._lock:
            self._spent(self._whose(entry), max(0, usage.input), max(0, usage.output))

    def _tool_ended(self, entry: Entry, event: events.ToolEnded) -> None:
        with self._lock:
            self._call(self._whose(entry), failed=not event.ok)

    def _step_ended(self, entry: Entry, event: events.StepEnded) -> None:
        kb, ms = self._sample(), max(0, event.step.step_duration_ms)
        with self._lock:
            self._step(self._whose(entry), ms, kb)

    takes: ClassVar = {
        events.RunStarted: _run_started,
        events.RunEnded: _run_ended,
        events.Answered: _answered,
        events.ToolEnded: _tool_ended,
        events.StepEnded: _step_ended,
    }


def nothing() -> int:
    """Give no memory: nobody looks."""
    return 0
