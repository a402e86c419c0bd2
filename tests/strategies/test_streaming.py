"""The loop that is heard while it speaks, from the reference's worked cases."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, cast

import pytest

from agentlab.core.config import AgentConfig
from agentlab.core.errors import InvalidValue
from agentlab.core.events import Token
from agentlab.core.session import AgentSession
from agentlab.strategies.actions import FinalAnswer, ToolCall
from agentlab.strategies.loop import ReActLoop
from agentlab.strategies.streaming import (
    InferenceToken,
    StreamingCallbacks,
    StreamingInference,
    StreamingReAct,
    StreamingReActLoop,
    StreamingSession,
    StreamingStep,
    TokenStream,
)
from tests.strategies.streams import ASK, DONE, Ears, Reported, Stub, search


def said(session: StreamingSession) -> list[str]:
    """Name the events of a run, tokens that follow each other once."""
    assert session.trace
    names = [type(entry.event).__name__ for entry in session.trace.entries]
    return [
        n for n, before in zip(names, ["", *names], strict=False) if n != before or n != "Token"
    ]


FIRST, LAST = InferenceToken.thought("I should answer"), InferenceToken.final_answer("42")


def test_w5_1() -> None:
    """A thought and an answer: two tokens, and the callbacks in the order of what they tell."""
    ears = Ears()
    loop = StreamingReActLoop(Stub([FIRST, LAST]), 10).with_callbacks(ears.callbacks())
    session = loop.run_sync("What is the answer?")

    assert ears.heard == [FIRST, LAST, "I should answer", FinalAnswer("42")]
    assert "".join(t.text for t in ears.heard[:2]) == (
        "Thought: I should answer\nAction: FINAL_ANSWER 42"
    )
    assert session.is_completed()
    assert session.completed
    assert (session.step_count(), session.total_token_count()) == (1, 2)
    assert session.final_answer() == "42"
    assert session.steps[0].is_final_answer()


def test_w5_2() -> None:
    """A stream that ends without a final token completes the step all the same."""
    session = StreamingReActLoop(Stub(["Thought: a\nAct", "ion: FINAL_ANSWER 42"]), 10).run_sync(
        "?"
    )

    assert session.is_completed()
    assert session.final_answer() == "42"
    assert (session.step_count(), session.total_tokens) == (1, 2)


def test_tokens() -> None:
    """The forms of a token, and that it goes through JSON."""
    assert InferenceToken.of("a") == InferenceToken("a", None, is_final=False)
    assert InferenceToken.final_token("a", -0.5) == InferenceToken("a", -0.5, is_final=True)
    assert InferenceToken.thought("a") == InferenceToken("Thought: a")
    assert InferenceToken.final_answer("a") == InferenceToken(
        "\nAction: FINAL_ANSWER a", is_final=True
    )
    assert InferenceToken.from_dict(LAST.to_dict()) == LAST


def test_a_provider_of_text_is_heard_too() -> None:
    """One with ``stream_complete`` gives text, and is asked for the model of the settings."""
    asked: list[str] = []

    class Provider:
        async def complete(self, prompt: str, model: str) -> str:
            raise AssertionError(prompt, model)

        async def stream_complete(self, prompt: str, model: str) -> AsyncIterator[str]:
            asked.extend((prompt, model))
            for piece in ("Thought: a\n", "Action: FINAL_", "ANSWER 42"):
                yield piece

    loop = StreamingReActLoop(Provider(), config=AgentConfig(3, "big"))
    session = loop.run_sync("Go")

    assert loop.max_steps == 3
    assert session.final_answer() == "42"
    assert session.total_tokens == 3
    assert asked[0].endswith("User: Go\n")
    assert asked[1] == "big"


def test_it_is_called_while_the_answer_comes() -> None:
    """A thought is told where the action begins, a call where its line ends; tokens at once."""
    ears = Ears()
    known: dict[str, int] = {}

    async def answer(_: str) -> AsyncIterator[str]:
        for piece in ("Thought: a", "\nAction:", ' go {"a": ', "1}", "\n", "Observation: made up"):
            yield piece
            known[piece] = len(
                [each for each in ears.heard if not isinstance(each, InferenceToken)]
            )

    loop = StreamingReActLoop(answer, 1, stop_early=False).with_callbacks(ears.callbacks())
    loop.run_sync("Go")

    assert list(known.values()) == [0, 1, 1, 1, 2, 2]
    assert [each for each in ears.heard if not isinstance(each, InferenceToken)] == [
        "a", ToolCall("go", {"a": 1}),
    ]  # fmt: skip


def test_tools_of_a_handler() -> None:
    """It gets name and compact JSON, and what it gives is the observation, as plain text."""
    calls: list[tuple[str, str, str]] = []

    def handler(name: str, args: str) -> str:
        calls.append((name, args, threading.current_thread().name))
        return "found 3"

    stub = Stub([ASK], [DONE])
    session = StreamingReActLoop(stub, 5).with_tool_handler(handler).run_sync("Go")

    assert [call[:2] for call in calls] == [("search", '{"n":2}')]
    assert calls[0][2] != "agentlab-portal"  # where it would freeze everything else
    assert session.steps[0].observation == "found 3"
    assert stub.prompts[1].endswith(
        '\nThought: look\nAction: search {"n": 2}\nObservation: found 3\n'
    )
    assert session.final_answer() == "42"


def test_a_handler_may_be_async_or_in_place() -> None:
    """An async one is awaited, an inline one called where the loop is."""
    where: list[str] = []

    async def later(name: str, args: str) -> str:
        await asyncio.sleep(0)
        return f"{name} {args}"

    def here(_name: str, _args: str) -> dict[str, int]:
        where.append(threading.current_thread().name)
        return {"b": 1, "a": 2}

    def run(handler: Callable[[str, str], Any], *, inline: bool = False) -> str:
        loop = StreamingReActLoop(Stub([ASK]), 1).with_tool_handler(handler, inline=inline)
        return loop.run_sync("Go").steps[0].observation

    assert run(later) == 'search {"n":2}'
    assert run(here, inline=True) == '{"a":2,"b":1}'
    assert where == ["agentlab-portal"]


def test_a_handler_that_raises() -> None:
    """Its fault is an observation like that of any tool."""

    def handler(_name: str, _args: str) -> str:
        raise ConnectionError("gone")

    session = StreamingReActLoop(Stub([ASK], [DONE]), 5).with_tool_handler(handler).run_sync("Go")

    assert session.steps[0].observation == (
        '{"error":"ConnectionError: gone","kind":"transient","ok":false}'
    )
    assert session.steps[0].error_kind == "transient"
    assert session.is_completed()


def test_without_a_handler() -> None:
    """The model is told that nobody is there."""
    session = StreamingReActLoop(Stub([ASK], [DONE]), 5).run_sync("Go")

    assert session.steps[0].observation == "(no tool handler registered)"
    assert not session.steps[0].is_final_answer()
    assert session.is_completed()


def test_tools_of_a_registry() -> None:
    """They are told to the model, and observed in the envelope; a handler takes what is left."""
    stub = Stub([ASK], ["Action: other {}"], [DONE])
    session = StreamingReActLoop(stub, 5).register_tools([search]).run_sync("Go")

    assert "Find ``n`` things." in stub.prompts[0]
    assert [step.observation for step in session][:2] == [
        '{"data":"xx","ok":true}',
        '{"error":"tool \'other\' not found","kind":"not_found","ok":false}',
    ]

    loop = StreamingReActLoop(Stub([ASK], ["Action: other {}"], [DONE]), 5).register_tool(search)
    session = loop.with_tool_handler(lambda name, _: f"{name}!").run_sync("Go")

    assert [step.observation for step in session] == [
        '{"data":"xx","ok":true}', "other!", "FINAL_ANSWER 42",
    ]  # fmt: skip


def test_the_last_step() -> None:
    """At ``max_steps`` it is over without an answer, and nothing is raised; one step is least."""
    session = StreamingReActLoop(Stub([ASK]), 2).run_sync("Go")

    assert not session.is_completed()
    assert session.final_answer() is None
    assert session.step_count() == 2
    assert session.session.stop_reason == "max_iterations"
    assert StreamingReActLoop(Stub([ASK]), 0).run_sync("Go").step_count() == 1
    assert StreamingReActLoop(Stub([ASK])).max_steps == 10


@pytest.mark.parametrize("ms", [0, -1, "soon", float("nan")])
def test_times_that_can_never_be_right(ms: Any) -> None:
    """They are refused where they are given."""
    for make in (partial(StreamingReActLoop, Stub([DONE]), 1), StreamingReAct):
        with pytest.raises(InvalidValue, match=f"token_timeout_ms must be >= 1, got {ms!r}"):
            make(token_timeout_ms=ms)


@pytest.mark.parametrize("kind", ["on_token", "on_thought", "on_action"])
def test_a_callback_that_raises(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged and called no more, the others are, and the run goes on."""
    calls, ears = list[object](), Ears()

    def broken(said: object) -> None:
        calls.append(said)
        raise RuntimeError("no ink")

    callbacks = getattr(StreamingCallbacks(), kind)(broken)
    getattr(callbacks, kind)(ears.heard.append)
    loop = StreamingReActLoop(Stub([ASK, "\n", "x"], [DONE]), 3).with_callbacks(callbacks)
    session = loop.run_sync("Go")

    assert session.is_completed()
    assert len(calls) == 1
    assert len(ears.heard) == {"on_token": 4, "on_thought": 2, "on_action": 2}[kind]
    told = "callback broken failed and is not called again"
    assert session.session.warnings == [f"{told}: RuntimeError: no ink"]
    assert [record.getMessage() for record in caplog.records] == [told]
    assert caplog.records[0].exc_info
    assert len(loop.run_sync("Again").session.warnings) == 1  # a new run begins anew


def test_strict_callbacks() -> None:
    """Where it should, the error ends the run, with the session as far as it got."""
    stub = Stub([FIRST, LAST])

    async def broken(_: str) -> None:
        await asyncio.sleep(0)
        raise RuntimeError("no ink")

    loop = StreamingReActLoop(stub, 3, callbacks_strict=True)
    loop.with_callbacks(StreamingCallbacks().on_thought(broken))
    with pytest.raises(RuntimeError, match="no ink") as caught:
        loop.run_sync("Go")

    session = caught.value.session  # type: ignore[attr-defined]
    assert isinstance(session, AgentSession)
    assert session.stop_reason == "error"
    assert StreamingSession.of(session).total_tokens == 2
    assert stub.closed == 1


def test_async_callbacks() -> None:
    """The next token is not asked for before they are done."""
    stub, seen = Stub(["Thought: a\n", "Action: FINAL_ANSWER ", "42"]), list[int]()

    async def slow(_: InferenceToken) -> None:
        await asyncio.sleep(0.001)
        seen.append(len(stub.given))

    callbacks = StreamingCallbacks().on_token(slow)
    session = StreamingReActLoop(stub, 1).with_callbacks(callbacks).run_sync("Go")

    assert session.is_completed()
    assert seen == [1, 2, 3]


def test_what_it_says() -> None:
    """The ordinary events, each as soon as it is known, and log-probabilities with the tokens."""
    tokens = [
        InferenceToken.of("Thought: a\nAction:", -0.5),
        InferenceToken.of(" search {}\n", -1.5),
    ]
    loop = StreamingReActLoop(Stub(tokens, [DONE]), 5).register_tool(search)
    session = loop.run_sync("Go")

    assert said(session) == [
        "RunStarted",
        "Asked", "Token", "Thought", "Token", "Action", "Answered", "ToolStarted", "ToolEnded",
        "StepEnded",
        "Asked", "Token", "Thought", "Answered", "Action", "StepEnded",
        "RunEnded",
    ]  # fmt: skip
    assert session.trace
    assert [e.event.logprob for e in session.trace.entries if isinstance(e.event, Token)] == [
        -0.5, -1.5, None,
    ]  # fmt: skip


def test_a_thought_comes_first() -> None:
    """Where there is none, an empty one is said before the action, as in every step."""
    names = said(
        StreamingReActLoop(Stub(["Action: go {}\n", "x"]), 1, stop_early=False).run_sync("?")
    )

    assert names[2:6] == ["Token", "Thought", "Action", "Token"]


def test_run_streaming_says_it_as_early() -> None:
    """The other loop reads in the same way, and hears every answer to its end."""
    answers = [["Thought: a\nAction:", " search {}\n", "Observation: 1"], [DONE]]
    session = ReActLoop(AgentConfig(5, "m")).run_streaming_sync("Go", Stub(*answers))

    assert said(StreamingSession.of(session))[2:6] == ["Token", "Thought", "Token", "Action"]
    assert session.steps[0].raw == "".join(answers[0])


@pytest.mark.parametrize("text", ["", "I do not know.", "Thought: a", "Thought: a\nAction: None"])
def test_what_cannot_be_read(text: str) -> None:
    """The model is told how to answer, as everywhere; nobody is called with an action."""
    actions, thoughts = list[object](), list[str]()
    loop = StreamingReActLoop(Stub([text], [DONE]), 5)
    callbacks = StreamingCallbacks().on_action(actions.append).on_thought(thoughts.append)
    session = loop.with_callbacks(callbacks).run_sync("Go")

    assert "could not parse ReAct step" in session.steps[0].observation
    assert session.steps[0].error_kind == "permanent"
    assert actions == [FinalAnswer("42")]
    assert thoughts == (["a", "done"] if "Action" in text else ["done"])
    assert session.is_completed()


def test_an_answer_without_a_header() -> None:
    """Where the settings take it as one, so do the callbacks."""
    ears, config = Ears(), AgentConfig(5, "m", on_parse_error="answer")
    loop = StreamingReActLoop(Stub(["Forty", " two"]), config=config)
    session = loop.with_callbacks(ears.callbacks()).run_sync("Go")

    assert session.final_answer() == "Forty two"
    assert session.steps[0].is_final_answer()
    assert ears.heard[2:] == [FinalAnswer("Forty two")]


def test_figures() -> None:
    """Missing log-probabilities count as nothing in sums, and not at all in means."""
    first = [InferenceToken.of("Thought: a\nAction:", -1.0), InferenceToken.of(" go"),
             InferenceToken.of(" x", -3.0)]  # fmt: skip
    session = StreamingReActLoop(Stub(first, [DONE]), 5).run_sync("Go")
    one, two = session.steps

    assert (one.token_count, one.logprob_sum, one.mean_logprob()) == (3, -4.0, -2.0)
    assert (two.token_count, two.logprob_sum, two.mean_logprob()) == (1, 0.0, None)
    assert (session.total_tokens, session.avg_tokens_per_step()) == (4, 2.0)
    assert session.overall_mean_logprob() == -2.0
    assert session.all_thoughts() == ["a", "done"]
    assert session.all_actions() == ["go x", "FINAL_ANSWER 42"]
    assert session.duration_ms == session.session.duration_ms
    assert session.answer == "42"
    assert [(t.step, t.index, t.text) for t in session.rows()] == [
        (0, 0, "Thought: a\nAction:"), (0, 1, " go"), (0, 2, " x"), (1, 0, DONE),
    ]  # fmt: skip
    assert len(session) == len(list(session)) == 2


def test_its_frame() -> None:
    """A row a token; there are columns, with their types, where there is no token yet."""
    session = StreamingReActLoop(Stub([InferenceToken.of(ASK, -0.5)], [DONE]), 5).run_sync("Go")
    frame = session.to_frame()

    assert list(frame.columns) == ["step", "index", "text", "logprob", "top", "offset"]
    assert frame["step"].tolist() == [0, 1]
    assert frame["logprob"].isna().tolist() == [False, True]
    assert (StreamingSession().to_frame().dtypes == frame.dtypes).all()


def test_numbers_of_a_library() -> None:
    """A log-probability that NumPy gives is a plain number from here on; a word is none."""
    import numpy as np

    tokens = [
        InferenceToken(DONE, cast("float", np.float32(-0.5))),
        InferenceToken("", float("-inf")),
    ]
    session = StreamingReActLoop(Stub(tokens), 5).run_sync("Go")

    assert type(session.tokens[0].logprob) is float
    assert session.tokens[1].logprob is None
    assert StreamingSession.from_dict(session.to_dict()) == session
    with pytest.raises(InvalidValue, match="a logprob must be a number, got 'likely'"):
        StreamingReActLoop(Stub([InferenceToken(DONE, "likely")]), 1).run_sync("Go")  # type: ignore[arg-type]


def test_nothing_said() -> None:
    """Figures of nothing are nothing, not an error."""
    empty = StreamingSession()

    assert (empty.avg_tokens_per_step(), empty.overall_mean_logprob()) == (0.0, None)
    assert not empty.is_completed()
    assert empty
    assert StreamingStep("t", "FINAL_ANSWER 42").is_final_answer()
    assert not StreamingStep("t", "go {}").is_final_answer()
    assert StreamingSession.from_dict(empty.to_dict()) == empty


def test_a_session_travels() -> None:
    """Through JSON it comes back equal; without its trace the tokens cannot be read again."""
    session = StreamingReActLoop(Stub([ASK], [FIRST, LAST]), 5).run_sync("Go")
    back = StreamingSession.from_dict(session.to_dict())

    assert back == session
    assert back.trace is None
    assert repr(back) == "<StreamingSession final_answer, 2 steps, 3 tokens>"
    with pytest.raises(InvalidValue, match="has no trace"):
        StreamingSession.of(back.session)
    for wrong in ({}, {"session": {}, "tokens": [1]}, {"session": {}, "steps": 1}):
        with pytest.raises(InvalidValue, match="not the data of a streaming session"):
            StreamingSession.from_dict(wrong)


def test_what_only_counts_is_no_token() -> None:
    """Neither usage nor a warning is part of an answer."""
    ears = Ears()
    session = StreamingReActLoop(Reported(DONE), 1).with_callbacks(ears.callbacks()).run_sync("Go")

    assert [each for each in ears.heard if isinstance(each, InferenceToken)] == [
        InferenceToken(DONE, -0.1)
    ]
    assert session.total_tokens == 1
    assert session.session.tokens_out == 9
    assert session.session.warnings == ["the context is nearly full"]


def test_an_empty_final_token_is_one() -> None:
    """Somebody's own last token counts, though there is no text in it."""
    session = StreamingReActLoop(Stub([DONE, InferenceToken.final_token("")]), 1).run_sync("Go")

    assert session.total_tokens == 2


def test_inside_a_loop() -> None:
    """The blocking form works where a loop is running, as in a notebook."""

    async def main() -> StreamingSession:
        return StreamingReActLoop(Stub([FIRST, LAST]), 1).run_sync("Go")

    assert asyncio.run(main()).is_completed()


def test_hostile_text() -> None:
    """Lone surrogates are gone before anybody is called."""
    ears = Ears()
    loop = StreamingReActLoop(Stub(["Thought: \ud800\nAction: FINAL_ANSWER \udfff"]), 1)
    session = loop.with_callbacks(ears.callbacks()).run_sync("Go")

    assert session.final_answer() == "\ufffd"
    assert ears.heard[1:] == ["\ufffd", FinalAnswer("\ufffd")]


def test_what_is_no_token() -> None:
    """A stream of something else says what it must give."""

    def numbers(_: str) -> Any:
        return iter([1, 2])

    with pytest.raises(InvalidValue, match="must give text, or pieces of it, got 1"):
        StreamingReActLoop(numbers, 1).run_sync("Go")


def test_a_loop_in_one_line() -> None:
    """It says what it works with."""
    loop = StreamingReActLoop(Stub([DONE]), 3).register_tool(search)

    assert repr(loop) == "StreamingReActLoop('Stub', tools=['search'])"
    assert loop.provider is not None


def test_the_contract_is_what_a_stub_has() -> None:
    """A class with the one method is a StreamingInference to the type checker."""

    class Own:
        async def infer_stream(self, prompt: str, /) -> AsyncIterator[InferenceToken]:
            yield InferenceToken.final_answer(prompt[-3:-1])

    provider: StreamingInference = Own()
    stream: Callable[[str], TokenStream] = provider.infer_stream

    async def main() -> list[str]:
        return [token.text async for token in stream("Go 42\n")]

    assert asyncio.run(main()) == ["\nAction: FINAL_ANSWER 42"]
    assert StreamingReActLoop(provider, 1).run_sync("Go 42").final_answer() == "42"
