"""CPU spent by the loop, by the trace and by the import. Prints one line a figure.

Each figure is the median of several rounds; the floor, a loop that records the same events in a
list and does nothing else, is timed in turn with ours, so that the ratio holds on a busy machine.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from agentlab import AgentConfig, AgentRuntime, Chunk, Request, Run, Trace, tool

ROUNDS = 9
STEP = 'Thought: I will double it, voilà.\nAction: double {"n": 21}'


@tool(inline=True)
def double(n: int) -> int:
    """Twice as much."""
    return n * 2


async def stub(_: str) -> str:
    """Answer at once."""
    return STEP


class Letters:
    """A model of 1000 tokens."""

    async def stream(self, _request: Request, /) -> AsyncIterator[Chunk]:
        """Give them."""
        for _ in range(1000):
            yield Chunk("tok ", -0.1)


async def steps(count: int) -> None:
    """Run ``count`` steps through everything."""
    runtime = AgentRuntime(tools=[double], config=AgentConfig(count, "stub"))
    session = await runtime.run_agent("a", "Double 21", stub)
    assert len(session.steps) == count


async def floor(count: int) -> None:
    """Do the same by hand: text, a call, eight records a step."""
    records, context = [], "User: Double 21\n"
    for _ in range(count):
        async with asyncio.timeout(60):
            reply = await stub(context)
        thought, _, action = reply.partition("\nAction: ")
        result = double.fn(21) if double.fn else None
        records += [{"at": time.time(), "kind": kind, "text": thought} for kind in range(8)]
        context += f"\n{thought}\nAction: {action}\nObservation: {result}\n"


async def tokens(_: int) -> None:
    """Stream 1000 tokens through ``Run.stream`` and a trace with one listener."""
    heard: list[object] = []
    run = Run("r", "a", Letters(), Trace(heard.append), AgentConfig(1, "m"))
    async for _chunk in run.stream("q"):
        pass


async def bare(_: int) -> None:
    """Stream them through nothing."""
    async for _chunk in Letters().stream(Request("q")):
        pass


def cpu(work: Callable[[int], Awaitable[None]], count: int, each: int) -> float:
    """Give the CPU microseconds a unit of ``work``."""

    async def play() -> float:
        began = time.process_time()
        await work(count)
        return (time.process_time() - began) * 1e6 / each

    return asyncio.run(play())


def compare(name: str, ours: Callable[..., Awaitable[None]], theirs: Callable[..., Awaitable[None]],
            count: int, each: int) -> None:  # fmt: skip
    """Time both in turn and print the medians."""
    pairs = [(cpu(ours, count, each), cpu(theirs, count, each)) for _ in range(ROUNDS)]
    mine, floors = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{name}: {mine:.1f} µs, floor {floors:.1f} µs, ratio {mine / floors:.1f}")


def imports(code: str) -> float:
    """Give the CPU milliseconds of a fresh interpreter that runs ``code``."""
    probe = f"import time; {code}; print(time.process_time())"
    times = [
        float(subprocess.run([sys.executable, "-c", probe], capture_output=True, check=True).stdout)  # noqa: S603
        for _ in range(ROUNDS)
    ]
    return statistics.median(times) * 1000


if __name__ == "__main__":
    compare("a step of 50", steps, floor, 50, 50)
    compare("a step of 1000", steps, floor, 1000, 1000)
    compare("a token", tokens, bare, 0, 1000)
    base = imports("import asyncio")
    for what in ("import agentlab", "from agentlab import AgentRuntime"):
        print(f"{what}: {imports('import asyncio; ' + what) - base:.0f} ms above asyncio")
