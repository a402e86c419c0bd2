"""A tool behind a circuit breaker: refused at once while its service is down, tried again later.

The clock is one that moves only when told to, so nobody waits and the times are the same each run.
"""

from __future__ import annotations

import agentlab as al
from agentlab.core.clock import FakeClock


class Service:
    """A search that is down until somebody mends it."""

    def __init__(self) -> None:
        self.up = False
        self.calls = 0

    def search(self, query: str) -> str:
        """Search the library."""
        self.calls += 1
        if not self.up:
            raise ConnectionError("the library does not answer")
        return f"one book about {query}"


def ask(times: int) -> al.ScriptedModel:
    """Make a model that searches so many times and then says what it knows."""
    call = 'Thought: I will look it up.\nAction: search {"query": "tides"}'
    return al.ScriptedModel(*[call] * times, "Thought: Done.\nAction: FINAL_ANSWER done")


def main() -> None:
    """Open the breaker, be refused, let the window pass, and get through again."""
    clock, service = FakeClock(), Service()
    breaker = al.CircuitBreaker("library", threshold=2, recovery_window=30, clock=clock)
    search = al.tool(service.search).with_circuit_breaker(breaker)
    lab = al.AgentRuntime(tools=[search], config=al.AgentConfig(5, "scripted"))

    session = lab.run_agent_sync("reader", "Find a book about tides.", ask(3))
    for step in session.tool_calls():
        print(f"{step.error_kind}: {step.observation}")
    assert service.calls == 2, "the third call never reached the service"
    assert session.steps[2].error_kind == "transient"
    assert "Circuit breaker open for 'tool:search'" in session.steps[2].observation
    print(breaker)
    assert breaker.state == al.CircuitState.Open

    clock.advance(30)
    service.up = True
    print(breaker)
    session = lab.run_agent_sync("reader", "Find a book about tides.", ask(1))
    print(f"{session.steps[0].observation}\n{breaker}")
    assert breaker.state == al.CircuitState.Closed
    assert breaker.failure_count == 0


if __name__ == "__main__":
    main()
