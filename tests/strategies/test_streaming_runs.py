"""A streamed run is a run like any other: tapes, metrics, stores, handles and teams know it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.drive import drive
from agentlab.core.events import RunEnded, RunStarted
from agentlab.core.protocols import Result
from agentlab.core.run import Run
from agentlab.core.session import AgentSession
from agentlab.recording import record, replay
from agentlab.runtime import AgentRuntime
from agentlab.strategies.streaming import (
    InferenceToken,
    StreamingCallbacks,
    StreamingReAct,
    StreamingReActLoop,
    StreamingSession,
)
from tests.doubles import Disk
from tests.strategies.streams import ASK, DONE, Ears, Stub, search

MADE_UP = [
    *(f"{word} " for word in ASK.split(" ")),
    "\n",
    "Observation: 7",
    "\nThought: never heard",
]


def test_on_tape(tmp_path: Path) -> None:
    """What was heard is recorded, log-probabilities too, and is said again as it was."""
    tokens = [InferenceToken.of(text, -0.25) for text in MADE_UP]
    lab = record(AgentRuntime(Stub(tokens, [DONE]), tools=[search]), tmp_path / "tape.jsonl")
    ears = Ears(), Ears()
    first = lab.run_sync("Go", strategy=StreamingReAct(ears[0].callbacks()))
    again = replay(AgentRuntime(Stub(["nobody asks"]), tools=[search]), tmp_path / "tape.jsonl")
    replayed = again.run_sync("Go", strategy=StreamingReAct(ears[1].callbacks()))

    assert first.answer == replayed.answer == "42"
    assert ears[0].heard == ears[1].heard
    assert [t.text for t in StreamingSession.of(replayed).tokens] == [*MADE_UP[:-1], DONE]


def test_it_counts_and_is_kept(tmp_path: Path) -> None:
    """Metrics and a store hear of it, and the session is read back from there."""
    lab = AgentRuntime(Stub(MADE_UP, [DONE]), tools=[search], store=tmp_path / "runs.sqlite")
    session = lab.run_sync("Go", strategy=StreamingReAct())
    kept = lab.load_session_sync(session.session_id)

    assert lab.metrics().total_tool_calls() == 1
    assert lab.metrics().total_steps() == 2
    assert kept.all_actions() == session.all_actions()
    assert kept.final_answer() == "42"
    assert not session.checkpoint_errors
    lab.shutdown_sync()


def test_what_it_is_called() -> None:
    """The run says which strategy it was; leaving the model early is nothing to warn of."""
    session = AgentRuntime(Stub(MADE_UP, [DONE]), tools=[search]).run_sync(
        "Go", strategy=StreamingReAct()
    )

    assert session.trace
    started = session.trace.entries[0].event
    assert isinstance(started, RunStarted)
    assert started.strategy == "streaming"
    assert session.tokens_estimated
    assert not session.warnings


def test_one_strategy_in_two_runs_at_once() -> None:
    """It keeps nothing between them: a callback that is dropped in one is called in the other."""
    calls: list[str] = []

    def once(text: str) -> None:
        calls.append(text)
        raise RuntimeError("no ink")

    strategy = StreamingReAct(StreamingCallbacks().on_thought(once))

    async def main() -> list[AgentSession]:
        labs = [AgentRuntime(Stub([f"Thought: {n}\n", "Action: FINAL_ANSWER 42"])) for n in "ab"]
        return await asyncio.gather(*(lab.run("Go", strategy=strategy) for lab in labs))

    assert [len(session.warnings) for session in asyncio.run(main())] == [1, 1]
    assert sorted(calls) == ["a", "b"]


def test_below_another_run() -> None:
    """As a child it speaks into the trace of its parent, and its tokens are its own."""

    class Team:
        strategy_name = "team"

        async def __call__(self, run: Run, goal: str, /) -> Result:
            await run.clock.sleep(5)
            child, session = run.child("b"), AgentSession()
            run.trace.attach(session.apply)
            session.session_id = child.id
            return await drive(child, session, StreamingReAct(), goal)

    lab = AgentRuntime(Stub(MADE_UP, [DONE]), tools=[search], clock=FakeClock())
    session = lab.run_sync("Go", strategy=Team())

    assert session.trace
    (child,) = session.children
    whole = StreamingSession.from_trace(session.trace.entries)
    below = StreamingSession.from_trace(session.trace.entries, run=child.session_id)
    assert (whole.total_tokens, below.total_tokens) == (0, len(MADE_UP))
    assert below.tokens[0].offset == 0  # of its own run
    assert below.final_answer() == whole.final_answer() == "42"


def test_a_callback_that_swallows_a_stop() -> None:
    """It cannot keep a run alive that should be over."""

    async def main() -> AgentSession:
        called = asyncio.Event()

        async def stubborn(_: object) -> None:
            called.set()
            with contextlib.suppress(BaseException):
                await asyncio.sleep(60)

        strategy = StreamingReAct(StreamingCallbacks().on_token(stubborn))
        stub = Stub(["Thought: a\n", "Action: FINAL_ANSWER 42"])
        handle = AgentRuntime(stub).start("?", strategy=strategy)
        await called.wait()
        handle.stop()
        return await handle

    assert asyncio.run(main()).stop_reason == "stopped"


class Waits:
    """Waits before every token, and knows who is listening."""

    def __init__(self) -> None:
        self.open = 0

    async def infer_stream(self, context: str) -> AsyncIterator[InferenceToken]:
        self.open += 1
        try:
            for text in MADE_UP if "\nObservation:" not in context else DONE.split(" "):
                await asyncio.sleep(0)
                yield InferenceToken.of(f"{text} ")
        finally:
            self.open -= 1


async def later(_: Any) -> None:
    """Take a moment."""
    await asyncio.sleep(0)


CALLBACKS = StreamingCallbacks().on_token(later).on_thought(later).on_action(later)


async def cancelled_after(moves: int) -> bool:
    """Run, cancel after so many turns of the loop, look round; tell whether it had ended."""
    model = Waits()
    loop = StreamingReActLoop(model, 5, token_timeout_ms=10_000).with_callbacks(CALLBACKS)
    task = asyncio.create_task(loop.register_tool(search).run("?"))
    for _ in range(moves):
        await asyncio.sleep(0)
    finished = task.done()
    task.cancel()
    await asyncio.wait([task])

    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert model.open == 0
    assert task.cancelled() is not finished
    return finished


def test_cancelled_at_each_await() -> None:
    """No task and no open model is left, wherever it happens."""
    moves = 0
    while not asyncio.run(cancelled_after(moves)):
        moves += 1

    assert moves >= 15


@pytest.mark.parametrize("moves", range(0, 40, 3))
def test_a_handle_stopped_anywhere(moves: int) -> None:
    """The same for a run in the background, on either loop."""

    async def play(*, background: bool) -> None:
        model, disk = Waits(), Disk()
        runtime = AgentRuntime(model, tools=[search], sinks=[disk])
        strategy = StreamingReAct(CALLBACKS, token_timeout_ms=10_000)
        handle = runtime.start("?", strategy=strategy, background=background)
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
