"""What many agents cost: messages a second over a bus, and a thousand agents at once.

A message is sent to everybody and read by all subscribers; the second row reads as they come,
with every reader waiting on its own. The agents take two steps each with a tool in place and a
model that takes 50 ms a call, so that 0.1 s is the least there can be. Room is what is held when
all are done and the results are kept. Each figure is the median of several rounds.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import agentlab as al
from agentlab.core.protocols import Chunk, Request
from agentlab.teams.bus import AgentBus

ROUNDS, MESSAGES, AGENTS, MODEL_S = 5, 2000, 1000, 0.05
STEP, LAST = 'Thought: look\nAction: look {"n": 1}', "Thought: done\nAction: FINAL_ANSWER 42"


def sent_and_read(readers: int) -> float:
    """Send, then read all; give seconds."""
    bus = AgentBus(MESSAGES)
    inboxes = [bus.subscribe(f"a{i}") for i in range(readers)]
    message = al.AgentMessage("a", al.AgentTarget.Broadcast, "hello")
    began = time.perf_counter()
    for _ in range(MESSAGES):
        bus.send(message)
    for inbox in inboxes:
        for _ in range(MESSAGES):
            assert inbox.try_recv() is message
    return time.perf_counter() - began


async def as_they_come(readers: int) -> float:
    """Let readers wait, and send now and then; give seconds."""
    bus = AgentBus(MESSAGES)
    message = al.AgentMessage("a", al.AgentTarget.Broadcast, "hello")

    async def read(inbox: al.BusSubscription) -> None:
        for _ in range(MESSAGES):
            await inbox.recv()

    tasks = [asyncio.create_task(read(bus.subscribe(f"a{i}"))) for i in range(readers)]
    await asyncio.sleep(0)
    began = time.perf_counter()
    for i in range(MESSAGES):
        bus.send(message)
        if i % 10 == 0:
            await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    return time.perf_counter() - began


class Stub:
    """A model that takes its time."""

    async def stream(self, request: Request, /) -> AsyncIterator[Chunk]:
        """Answer: a step first, then the end."""
        await asyncio.sleep(MODEL_S)
        yield Chunk(LAST if "Observation:" in request.prompt else STEP)


@al.tool(inline=True)
def look(n: int) -> int:
    """Look at something."""
    return n


async def alone() -> list[Any]:
    """Run a thousand agents, each by itself."""
    lab = al.AgentRuntime(Stub(), tools=[look], max_iterations=4)
    return await asyncio.gather(*(lab.run("Look.") for _ in range(AGENTS)))


async def in_a_team() -> list[Any]:
    """Run them as the members of one team, each a runtime of its own kind."""
    lab = al.AgentRuntime(Stub(), tools=[look], max_iterations=4)
    names = [f"a{i}" for i in range(AGENTS - 1)]
    team = al.TeamConfig(al.AgentTeam("lead", names, "Look."), max_answer_chars=100)
    return [await lab.run_team(team, agents=dict.fromkeys(["lead", *names], lab))]


async def asked_once() -> list[Any]:
    """Ask a thousand members of a team once each."""
    names = [f"a{i}" for i in range(AGENTS - 1)]
    team = al.TeamConfig(al.AgentTeam("lead", names, "Look."), max_answer_chars=100)
    return [await al.TeamOrchestrator(team).run(Stub())]


def timed(work: Callable[[], Coroutine[Any, Any, list[Any]]]) -> tuple[float, float, float]:
    """Give seconds by the wall and of the processor, and bytes that are held afterwards."""
    took, spent = list[float](), list[float]()
    for _ in range(3):
        began, start = time.perf_counter(), time.process_time()
        asyncio.run(work())
        took.append(time.perf_counter() - began)
        spent.append(time.process_time() - start)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = asyncio.run(work())
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert kept
    return statistics.median(took), statistics.median(spent), held


def main() -> None:
    """Print a row a figure."""
    for readers in (1, 10, 100):
        later = statistics.median(sent_and_read(readers) for _ in range(ROUNDS))
        live = statistics.median(asyncio.run(as_they_come(readers)) for _ in range(ROUNDS))
        print(
            f"bus, {readers:3} readers    {MESSAGES / later:9,.0f} messages/s sent and read,"
            f" {MESSAGES / live:9,.0f} as they come;"
            f" {1e6 * later / MESSAGES / readers:5.2f} µs a delivery"
        )
    works = {"by themselves": alone, "in one team": in_a_team, "asked once": asked_once}
    for name, work in works.items():
        seconds, spent, held = timed(work)
        print(
            f"{AGENTS} agents, {name:14} {seconds:6.2f} s ({spent:.2f} s of the processor),"
            f" {held / AGENTS / 1024:6.1f} KB each"
        )


if __name__ == "__main__":
    main()
