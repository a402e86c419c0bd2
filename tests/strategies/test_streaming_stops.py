"""When the loop stops listening: late, cancelled, or because it has heard enough."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from agentlab.core.events import Answered
from agentlab.strategies.actions import FinalAnswer, ToolCall
from agentlab.strategies.streaming import (
    InferenceToken,
    StreamingCallbacks,
    StreamingReActLoop,
)
from tests.strategies.streams import DONE, Ears, Reported, Stub, search


@pytest.mark.parametrize("before", [0, 2], ids=["the first token", "a later one"])
def test_a_stream_that_stalls(before: int) -> None:
    """It ends the run with a timeout, and what was heard of the step is kept."""
    closed: list[bool] = []

    async def stalling(_: str) -> AsyncIterator[str]:
        try:
            for piece in ("Thought: a\n", "Action: ")[:before]:
                yield piece
            await asyncio.sleep(60)
        finally:
            closed.append(True)

    session = StreamingReActLoop(stalling, 5, token_timeout_ms=30).run_sync("Go")

    assert session.session.stop_reason == "timeout"
    assert session.session.error == "token timeout after 30 ms"
    assert (session.step_count(), session.total_tokens) == (0, before)
    assert [token.step for token in session.tokens] == [0] * before
    assert closed == [True]


def test_a_stall_that_is_swallowed() -> None:
    """A model with a bare except cannot go on for ever."""

    async def stubborn(_: str) -> AsyncIterator[str]:
        while True:
            try:
                await asyncio.sleep(60)
            except BaseException:  # noqa: BLE001 - what it is about
                yield "Thought: still here\n"

    session = StreamingReActLoop(stubborn, 5, token_timeout_ms=20).run_sync("Go")

    assert session.session.error == "token timeout after 20 ms"


def test_only_waiting_for_tokens_counts() -> None:
    """Slow callbacks, and many tokens that each come in time, are no stall."""

    async def steady(_: str) -> AsyncIterator[str]:
        for piece in ("Thought: a\n", "Action: ", "FINAL_ANSWER ", "4", "2"):
            await asyncio.sleep(0.15)
            yield piece

    async def slow(_: InferenceToken) -> None:
        await asyncio.sleep(0.6)

    callbacks = StreamingCallbacks().on_token(slow)
    loop = StreamingReActLoop(steady, 5, token_timeout_ms=500).with_callbacks(callbacks)

    assert loop.run_sync("Go").final_answer() == "42"


def test_a_timeout_of_the_models_own_is_an_error() -> None:
    """It is not taken for ours."""

    async def late(_: str) -> AsyncIterator[str]:
        yield "Thought: a"
        raise TimeoutError("the server's")

    with pytest.raises(TimeoutError, match="the server's"):
        StreamingReActLoop(late, 5, token_timeout_ms=10_000).run_sync("Go")


def test_cancelling() -> None:
    """It closes the tokens and what they come from, and no task is left."""
    stub = Stub([*["Thought: a "] * 5, DONE])

    async def main() -> None:
        called = asyncio.Event()

        async def forever(_: InferenceToken) -> None:
            called.set()
            await asyncio.sleep(60)

        callbacks = StreamingCallbacks().on_token(forever)
        loop = StreamingReActLoop(stub, 5, token_timeout_ms=5000).with_callbacks(callbacks)
        later = asyncio.get_running_loop().time() + 30
        work = asyncio.create_task(loop.run("Go"))
        await called.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert stub.closed == 1
        assert asyncio.all_tasks() == {asyncio.current_task()}
        timers = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]  # noqa: SLF001
        assert all(timer.cancelled() for timer in timers if timer.when() < later)

    asyncio.run(main())


def test_cancelling_a_model_that_never_waits() -> None:
    """It lets others run now and then, so a stop comes through."""
    alive: list[bool] = []

    async def chatter(_: str) -> AsyncIterator[str]:
        alive.append(True)
        try:
            while True:
                yield "so "
        finally:
            alive.clear()

    async def main() -> None:
        work = asyncio.create_task(StreamingReActLoop(chatter, 5).run("Go"))
        await asyncio.sleep(0.05)
        assert alive
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert not alive

    asyncio.run(main())


def test_what_is_made_up_is_not_heard() -> None:
    """Nobody reads on where more follows a pair; the trace has the answer as it was heard."""
    stub = Stub(
        ["Thought: a\n", "Action: ", 'search {"n": 1}', "\n", "Observ", "ation: 7\n"], [DONE]
    )
    session = StreamingReActLoop(stub, 5).register_tool(search).run_sync("Go")

    assert session.trace
    assert stub.given == ["Thought: a\n", "Action: ", 'search {"n": 1}', "\n", "Observ", DONE]
    assert stub.closed == 2
    answers = [e.event.text for e in session.trace.entries if isinstance(e.event, Answered)]
    assert answers == ['Thought: a\nAction: search {"n": 1}\nObserv', DONE]
    assert session.steps[0].observation == '{"data":"x","ok":true}'
    assert session.session.steps[0].raw == answers[0]


def test_what_ends_is_heard_to_its_end() -> None:
    """A model that says nothing more is not cut short: it tells what the answer cost."""
    session = StreamingReActLoop(Reported("Action: search {}\n", "\n"), 1).run_sync("Go")

    assert session.session.tokens_out == 9
    assert not session.session.tokens_estimated
    assert session.session.steps[0].raw == ""


def test_blanks_for_ever() -> None:
    """A model that is caught in blanks is left after a few."""
    stub = Stub(["Action: search {}\n", *["\n"] * 1000])
    StreamingReActLoop(stub, 1).run_sync("Go")

    assert len(stub.given) < 10
    assert stub.closed == 1


def test_what_is_made_up_in_the_same_piece_is_kept() -> None:
    """It is not acted on, and the step has it as its raw text."""
    text = 'Thought: a\nAction: search {"n": 1}\nObservation: 7\nThought: b\nAction: FINAL_ANSWER 7'
    session = StreamingReActLoop(Stub([text], [DONE]), 5).register_tool(search).run_sync("Go")

    assert session.all_actions() == ['search {"n": 1}', "FINAL_ANSWER 42"]
    assert session.session.steps[0].raw == text


def test_half_a_line_more_is_kept_too() -> None:
    """Whatever was heard and not used is in the raw text, the beginning of a line as well."""
    text = "Thought: a\nAction: go {}\nAnd"
    session = StreamingReActLoop(Stub([text], [DONE]), 5).run_sync("Go")

    assert session.session.steps[0].raw == text


def test_an_observation_ends_an_answer() -> None:
    """An answer is over where the next turn is made up."""
    stub = Stub(["Action: FINAL_ANSWER 4", "2\n", "Observation:", " thanks"])

    assert StreamingReActLoop(stub, 5).run_sync("Go").final_answer() == "42"
    assert stub.given[-1] == "Observation:"


def test_reasoning_that_nothing_opened() -> None:
    """What begins without a header is heard to its end: all of it may be reasoning."""
    ears = Ears()
    pieces = ["Let me see.\n", "Action: no {}\n", "Hm, no.\n", "</think>\n", DONE]
    loop = StreamingReActLoop(Stub(pieces), 1).with_callbacks(ears.callbacks())
    session = loop.run_sync("Go")

    assert session.all_actions() == ["FINAL_ANSWER 42"]
    assert session.session.steps[0].reasoning == "Let me see.\nAction: no {}\nHm, no."
    told = [each for each in ears.heard if not isinstance(each, InferenceToken)]
    assert told == [ToolCall("no", {}), "done", FinalAnswer("42")]


def test_the_final_token_is_the_last() -> None:
    """What a stream would say after it is not asked for, though the pair is incomplete."""
    stub = Stub([InferenceToken.final_token("Thought: a\nAction: FINAL_ANSWER 4"), "2"])

    assert StreamingReActLoop(stub, 1).run_sync("Go").final_answer() == "4"
    assert stub.closed == 1
