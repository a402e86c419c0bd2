"""A run can be cancelled anywhere, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agentlab.core.events import RunEnded, RunStarted
from agentlab.core.protocols import Chunk, Request
from agentlab.recording import record
from agentlab.runtime import AgentRuntime
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
