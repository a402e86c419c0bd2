"""CPU spent by the loop, by the trace, by a worker thread and by the import; a line a figure.

Each figure is the median of several rounds; the floor, a loop that records the same events in a
list and does nothing else, is timed in turn with ours, so that the ratio holds on a busy machine.
"""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from agentlab import (
    AgentConfig,
    AgentRuntime,
    AgentSession,
    Chunk,
    InMemoryPersistenceBackend,
    PersistenceBackend,
    ReActLoop,
    Request,
    Run,
    SqlitePersistenceBackend,
    ToolSpec,
    Trace,
    tool,
)

ROUNDS = 9
CROWD: list[AgentSession] = []
STEP = 'Thought: I will double it, voilà.\nAction: double {"n": 21}'


@tool(inline=True)
def double(n: int) -> int:
    """Twice as much."""
    return n * 2


@tool(name="double")
def double_in_a_thread(n: int) -> int:
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


def same(count: int) -> AgentConfig:
    """Give the settings of a run whose steps are all the same."""
    return AgentConfig(count, "stub", repeat_warn=None, repeat_stop=None)


async def steps(
    count: int, spec: ToolSpec = double, store: PersistenceBackend | None = None
) -> None:
    """Run ``count`` steps through everything; all three kinds of metrics are always on."""
    runtime = AgentRuntime(tools=[spec], config=same(count), store=store)
    session = await runtime.run_agent("a", "Double 21", stub)
    assert session.all_observations() == ['{"data":42,"ok":true}'] * count
    assert runtime.metrics().total_steps() == count
    assert not session.checkpoint_errors


async def bared(count: int) -> None:
    """Run them with nobody but the session listening."""
    loop = ReActLoop(same(count)).register_tool(double)
    session = await loop.run("Double 21", stub)
    assert len(session) == count


async def kept_in_memory(count: int) -> None:
    """Run them, each step saved in a dictionary."""
    await steps(count, double, InMemoryPersistenceBackend())


async def kept_in_sqlite(count: int) -> None:
    """Run them, each step saved in SQLite, synced."""
    with TemporaryDirectory() as folder:
        await steps(count, double, SqlitePersistenceBackend(Path(folder) / "runs.sqlite"))


async def slow(context: str) -> str:
    """Answer after 50 ms: first with a call, then with the answer."""
    await asyncio.sleep(0.05)
    return STEP if "Observation" not in context else "Thought: Done.\nAction: FINAL_ANSWER 42"


async def crowd(count: int, store: PersistenceBackend | None) -> float:
    """Run ``count`` agents at once, keep their sessions, and give the seconds it took."""
    runtime = AgentRuntime(tools=[double], config=AgentConfig(5, "stub"), store=store)
    began = time.perf_counter()
    CROWD[:] = await asyncio.gather(
        *(runtime.run_agent(f"a{i}", "Double 21", slow) for i in range(count))
    )
    took = time.perf_counter() - began
    assert all(session.final_answer() == "42" for session in CROWD)
    return took


def room(count: int, store: PersistenceBackend | None) -> float:
    """Give the KB an agent that such a crowd leaves, all entries and what is stored included."""
    asyncio.run(crowd(count, store))  # what is made once is there
    CROWD.clear()
    gc.collect()
    tracemalloc.start()
    asyncio.run(crowd(count, store))
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / 1024 / count


async def threaded(count: int) -> None:
    """Run them with a tool that works in a thread."""
    await steps(count, double_in_a_thread)


async def floor(count: int) -> None:
    """Do the same by hand: text, a call, eight records a step."""
    records, context = [], "User: Double 21\n"
    for _ in range(count):
        async with asyncio.timeout(60):
            reply = await stub(context)
        thought, _, action = reply.partition("\nAction: ")
        result = double(21)
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
    """Give the CPU milliseconds of a fresh interpreter that runs ``code``, byte code cached."""
    probe = f"import time; {code}; print(time.process_time())"
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    times = [
        float(subprocess.check_output([sys.executable, "-c", probe], env=env))  # noqa: S603
        for _ in range(ROUNDS + 1)
    ]
    return statistics.median(times[1:]) * 1000


if __name__ == "__main__":
    for count in (50, 1000):
        compare(f"P12 a step of {count}, only its session", bared, floor, count, count)
        compare(f"P12 a step of {count}, and all metrics", steps, floor, count, count)
        compare(
            f"P12 a step of {count}, and a store in memory", kept_in_memory, floor, count, count
        )
    compare("P12 a step of 1000, and a SQLite store", kept_in_sqlite, floor, 1000, 1000)
    for name, store in (("metrics", None), ("and a store", InMemoryPersistenceBackend())):
        took = statistics.median(asyncio.run(crowd(1000, store)) for _ in range(3))
        size = room(1000, store)
        print(f"P13 1000 agents of 2 steps, {name}: {took:.2f} s, {size:.1f} KB an agent")
    compare("P13b a step with a sync tool, an inline one", threaded, steps, 1000, 1000)
    compare("P14 a streamed token", tokens, bare, 0, 1000)
    base = imports("import asyncio")
    for what in ("import agentlab", "from agentlab import AgentRuntime"):
        print(f"P18 {what}: {imports('import asyncio; ' + what) - base:.1f} ms above asyncio")
