"""A run can be cancelled anywhere, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agentlab.core.events import RunEnded, RunStarted
from agentlab.core.protocols import Chunk, Request
from agentlab.models.wrapped import Guarded
from agentlab.recording import record
from agentlab.resilience.backpressure import BackpressureGuard
from agentlab.resilience.circuit_breaker import CircuitBreaker
from agentlab.resilience.retry import RetryPolicy
from agentlab.runtime import AgentRuntime
from agentlab.store.journal import Journal
from agentlab.store.loading import load, sessions
from agentlab.store.sqlite import SqlitePersistenceBackend
from agentlab.tools.spec import ToolSpec
from tests.doubles import Disk

SCRIPT = (
    "Thought: t\nAction: waits {}",
    "Thought: t\nAction: works {}",
    "Thought: t\nAction: FINAL_ANSWER 42",
)


class Waits:
    """A model that waits before every piece, and knows who is listening."""

    def __init__(self) -> None:
        self.open = 0

    async def stream(self, request: Request, /) -> AsyncIterator[Chunk]:
        self.open += 1
        try:
            for piece in SCRIPT[request.prompt.count("\nObservation:")].split(" "):
                await asyncio.sleep(0)
                yield Chunk(f"{piece} ")
        finally:
            self.open -= 1


async def waits(_: Any) -> str:
    """Take a moment."""
    await asyncio.sleep(0)
    return "done"


async def hook(_name: str, _args: Any) -> bool:
    """Think about it."""
    await asyncio.sleep(0)
    return True


def lab(model: Waits, disk: Disk, tape: Path) -> AgentRuntime:
    """Make a runtime that waits wherever it can."""
    tools = [ToolSpec("waits", "", waits), ToolSpec("works", "", lambda _: "done", inline=True)]
    runtime = AgentRuntime(model, tools=tools, sinks=[disk], action_hook=hook)
    return record(runtime, tape, mode="record")


async def cancelled_after(moves: int, tape: Path) -> bool:
    """Run, cancel after so many turns of the loop, look round; tell whether it had ended."""
    model, disk = Waits(), Disk()
    task = asyncio.create_task(lab(model, disk, tape).run("?"))
    for _ in range(moves):
        await asyncio.sleep(0)
    finished = task.done()
    task.cancel()
    await asyncio.wait([task])

    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert model.open == 0
    assert task.cancelled() is not finished
    if disk.taken:  # cancelled before its first move, a task never begins
        assert isinstance(disk.taken[0].event, RunStarted)
        ended = disk.taken[-1].event
        assert isinstance(ended, RunEnded)
        assert ended.stop_reason == "final_answer" or not finished
        assert disk.safe == disk.taken
    return finished


def test_cancelled_at_each_await(tmp_path: Path) -> None:
    """No task, no open model, and a last word that is safe, wherever it happens."""
    moves = 0
    while not asyncio.run(cancelled_after(moves, tmp_path / "tape.jsonl")):
        moves += 1

    assert moves >= 15


@pytest.mark.parametrize("moves", range(0, 40, 3))
def test_a_handle_stopped_anywhere(moves: int, tmp_path: Path) -> None:
    """The same for a run in the background, on either loop."""

    async def play(*, background: bool) -> None:
        model, disk = Waits(), Disk()
        runtime = lab(model, disk, tmp_path / "tape.jsonl")
        handle = runtime.start("?", background=background)
        for _ in range(moves):
            await asyncio.sleep(0)
        handle.stop()
        session = await handle
        assert session.stop_reason in ("stopped", "final_answer")
        assert model.open == 0
        assert isinstance(disk.safe[-1].event, RunEnded)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(play(background=False))
    asyncio.run(play(background=True))


async def cancelled_with_all(moves: int, folder: Path) -> bool:
    """Do the same with everything on that a run can lean on."""
    model, guard, breaker = Waits(), BackpressureGuard(1), CircuitBreaker("works", 1)
    store, journal = SqlitePersistenceBackend(folder / "runs.sqlite"), folder / f"{moves}.jsonl"
    tools = [
        ToolSpec("waits", "", waits).with_circuit_breaker(breaker),
        ToolSpec("works", "", lambda _: "done").with_circuit_breaker(breaker),
    ]
    runtime = AgentRuntime(
        Guarded(model, breaker),
        tools=tools,
        store=store,
        sinks=[Journal(journal, sync=False)],
        backpressure=guard,
        retry=RetryPolicy.constant(2, 0),
    )
    task = asyncio.create_task(runtime.run("?"))
    for _ in range(moves):
        await asyncio.sleep(0)
    finished = task.done()
    task.cancel()
    await asyncio.wait([task])

    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert (model.open, guard.depth, breaker.failure_count) == (0, 0, 0)
    assert not breaker.stats().probing
    assert runtime.metrics().active_sessions() == 0
    for session in sessions(load(journal)) if journal.exists() else ():
        assert session.stop_reason in ("stopped", "final_answer")
        assert await runtime.load_session(session.session_id) == session
    store.close()
    return finished


def test_cancelled_with_all_its_parts(tmp_path: Path) -> None:
    """No permit is kept, nobody is blamed, what was said is safe, no file or thread stays open."""

    def held() -> tuple[int, set[str]]:
        files = [*Path("/dev/fd").iterdir()]
        return len(files), {each.name for each in threading.enumerate()}

    moves = 0
    while not asyncio.run(cancelled_with_all(moves, tmp_path)):
        moves += 5
        if moves == 10:  # the workers are there
            files, threads = held()
    more, others = held()

    assert moves >= 50
    assert more <= files
    assert len(others) <= len(threads) + 4
