"""What a token costs on its way to a reader, and what a live view takes of a loop's speed.

Three things are timed in turn: the model alone, read by a bare loop; a run of a runtime, metrics
on, whose entries somebody reads; and the same with a live view attached, which is read 25 times a
second and says what is new, to a page that is not there. Medians of several rounds.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

from agentlab import AgentRuntime, Chunk, Request
from agentlab.core.events import Token
from agentlab.widgets.coalescer import Coalescer
from agentlab.widgets.run_view import RunView

ROUNDS = 15
PIECE = "token "
LAST = "Thought: t\nAction: FINAL_ANSWER 42"


class Speaker:
    """A model that says so many tokens: at once, letting others run after each, or at a pace."""

    def __init__(self, tokens: int, wait: Callable[[], Awaitable[None]] | None) -> None:
        self.tokens, self.wait = tokens, wait

    async def stream(self, _request: Request, /) -> AsyncIterator[Chunk]:
        """Give them, and an answer."""
        yield Chunk("Thought: ")
        for _ in range(self.tokens):
            yield Chunk(PIECE, -0.1)
            if self.wait:
                await self.wait()
        yield Chunk("\nAction: FINAL_ANSWER 42")


class Timed(NamedTuple):
    """One reading of an answer."""

    cpu_s: float
    wall_s: float


async def alone(model: Speaker) -> int:
    """Read the model by a bare loop."""
    heard = 0
    async for chunk in model.stream(Request("?")):
        heard += chunk.text == PIECE
    return heard


async def read(model: Speaker) -> int:
    """Read the entries of a run."""
    handle = AgentRuntime(model).start("?")
    heard = 0
    async for entry in handle:
        heard += type(entry.event) is Token and entry.event.text == PIECE
    await handle
    return heard


async def told(model: Speaker) -> int:
    """Take a run to its end, and read nothing."""
    session = await AgentRuntime(model).run("?")
    assert session.trace
    return sum(type(e.event) is Token and e.event.text == PIECE for e in session.trace.entries)


async def watched(model: Speaker) -> int:
    """Read the entries of a run that is watched."""
    coalescer = Coalescer()
    handle = AgentRuntime(model).start("?")
    view = RunView(handle.stop, coalescer)
    handle.trace.attach(view)
    heard = 0
    async for entry in handle:
        heard += type(entry.event) is Token and entry.event.text == PIECE
    await handle
    view.changes()  # what a last flush does
    view.close()
    return heard


def timed(work: Callable[[Speaker], Awaitable[int]], model: Speaker) -> Timed:
    """Time a reading; all of it must have been heard."""

    async def play() -> Timed:
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        heard = await work(model)
        took = Timed(time.process_time() - cpu, time.perf_counter() - wall)
        assert heard == model.tokens
        return took

    return asyncio.run(play())


def compare(name: str, model: Speaker) -> None:
    """Time all in turn and print the medians, a token; a loop's speed is what its CPU allows."""
    works = alone, told, read, watched
    times = [[timed(work, model) for work in works] for _ in range(ROUNDS)]
    own, *others = [statistics.median(t.cpu_s for t in c) for c in zip(*times, strict=True)]
    run, handle, view = [(seconds - own) * 1e6 / model.tokens for seconds in others]
    kept = statistics.median(row[2].cpu_s / row[3].cpu_s for row in times)
    print(
        f"P14 {name}, CPU a token above the model's own {own * 1e6 / model.tokens:.2f} µs:"
        f" a run {run:.2f}, read from its handle {handle:.2f}, and watched {view:.2f} µs;"
        f" watched, it keeps {kept:.0%} of its {model.tokens / others[1]:,.0f} tokens a second"
    )


def pace(rate: float, tokens: int = 300) -> None:
    """Print what is left of a model's pace, and how much of a core it takes."""
    works = alone, read, watched
    model = Speaker(tokens, paced(rate))
    times = [[timed(work, model) for work in works] for _ in range(ROUNDS // 3)]
    walls = [min(t.wall_s for t in column) for column in zip(*times, strict=True)]
    cores = [statistics.median(t.cpu_s / t.wall_s for t in c) for c in zip(*times, strict=True)]
    print(  # the best pace of each: others on this machine only ever slow it down
        f"P14 a model of at most {rate:.0f} tokens a second: {tokens / walls[0]:.0f} alone,"
        f" {walls[0] / walls[1]:.1%} of it read, {walls[0] / walls[2]:.1%} watched;"
        f" of a core: {cores[0]:.1%}, {cores[1]:.1%}, {cores[2]:.1%}"
    )


async def turn() -> None:
    """Let others run."""
    await asyncio.sleep(0)


def paced(rate: float) -> Callable[[], Awaitable[None]]:
    """Wait as one that says ``rate`` tokens a second."""

    async def wait() -> None:
        await asyncio.sleep(1 / rate)

    return wait


if __name__ == "__main__":
    timed(watched, Speaker(100, turn))  # what is imported late is there
    compare("a model that never waits", Speaker(5000, None))
    compare("a model that lets others run", Speaker(5000, turn))
    pace(300)
