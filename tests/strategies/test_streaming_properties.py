"""However an answer is cut into tokens, the run is the same, and that of the loop that waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agentlab.core.config import AgentConfig
from agentlab.core.errors import AgentLoopError
from agentlab.core.events import Action, Entry, ReActStep, StepEnded, Thought
from agentlab.core.session import AgentSession
from agentlab.strategies.loop import ReActLoop
from agentlab.strategies.streaming import (
    StreamingCallbacks,
    StreamingReActLoop,
    StreamingSession,
)
from agentlab.tools.spec import tool

LAST = "Thought: done\nAction: FINAL_ANSWER 42"
PIECES = st.sampled_from([
    "Thought: ", "Action: ", "\nThought: ", "\nAction: ", "Observation: ", "Final Answer: ",
    "Action Input: ", "**Thought:** ", "**Action: ", "\n", "\n", "\n", " ", "\r\n", "<think>",
    "```", "```json\n", "`", "a", "go", "go {", "{", "}", "[", "]", "(", ")", '"', "'", "\\", "**",
    ":", "1", "None", "FINAL_ANSWER", "FINAL_ANSWER 7", 'go {"a": 1}', 'go {"a": 1}\n', "go(a=1)",
    "S[x]", "é", "\ud800",
])  # fmt: skip
SOUP = st.lists(PIECES, max_size=20).map("".join)
CUTS = st.lists(st.integers(0, 120), max_size=6)
EXAMPLES = (
    'Thought: a\nAction: go {"a": 1}\nObservation: x\nThought: b\nAction: FINAL_ANSWER 7',
    'Thought: a\nAction: go {"a":\n1}\n\nAction: go {"a": 2}\n',
    "Thought: a\nAction: FINAL_ANSWER 1\n2\nObservation: 3",
    "Thought: a\nThought: b\nAction:\nThought: c\nAction: go",
    "Well.\nThought: a\nAction: go {}\nAction: go {}\n",
    "<think>\nAction: no {}\n</think>\nAction: go {}\n",
    "```\nThought: a\nAction: go {}\n```\n",
    "Action: go\nAction Input: {}\nObservation: x",
    'Action: {"name": "go", "arguments": {}}\nx',
    "Thought: a\nAction: None\nFinal Answer: 7",
)  # fmt: skip


@tool(inline=True)
def go(a: int = 0) -> int:
    """Go."""
    return a


def pieces(text: str, cuts: list[int]) -> list[str]:
    """Cut ``text`` there."""
    at = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    return [text[i:j] for i, j in pairwise(at)]


def answers(*all_of_them: list[str]) -> Callable[[str], AsyncIterator[str]]:
    """Give a model that says each of these in turn."""
    waiting = iter(all_of_them)

    async def model(_: str) -> AsyncIterator[str]:
        for piece in next(waiting):
            yield piece

    return model


def bare(steps: list[ReActStep], *, raw: bool = False) -> list[ReActStep]:
    """Leave out when, and what came of text that may not have been heard."""
    return [
        replace(step, started_at=None, step_duration_ms=0, raw=step.raw if raw else "")
        for step in steps
    ]


def streamed(
    text: str, cuts: list[int], *, stop_early: bool = True
) -> tuple[StreamingSession, list[Any]]:
    """Run on ``text``, then on an answer; give the session, and what was called but tokens."""
    heard: list[Any] = []
    loop = StreamingReActLoop(answers(pieces(text, cuts), [LAST]), 2, stop_early=stop_early)
    loop.register_tool(go)
    callbacks = StreamingCallbacks().on_thought(heard.append).on_action(heard.append)
    session = asyncio.run(loop.with_callbacks(callbacks).run("Go"))
    return session, heard


def waited(text: str) -> AgentSession:
    """Run on ``text`` with the loop that waits for all of it."""
    loop = ReActLoop(AgentConfig(2, "m")).register_tool(go)
    return asyncio.run(loop.run("Go", answers([text], [LAST])))


def told(entries: list[Entry]) -> list[Thought | Action]:
    """List what was said of thoughts and actions."""
    return [e.event for e in entries if isinstance(e.event, Thought | Action)]


def told_by_steps(entries: list[Entry]) -> list[tuple[str, str]]:
    """Give the last thought and the last action that were told in each step."""
    pairs, thought, action = [], "", ""
    for entry in entries:
        match entry.event:
            case Thought(text=text):
                thought = text
            case Action(text=text):
                action = text
            case StepEnded():
                pairs.append((thought, action))
            case _:
                pass
    return pairs


def check(text: str, cuts: list[int]) -> None:
    """Compare all ways of saying ``text``."""
    letters, calls = streamed(text, list(range(len(text))))
    parts, same_calls = streamed(text, cuts)
    expected = waited(text)

    assert bare(letters.session.steps) == bare(parts.session.steps) == bare(expected.steps)
    assert parts.final_answer() == letters.final_answer() == expected.final_answer()
    assert calls == same_calls
    assert parts.trace
    assert letters.trace
    assert told(parts.trace.entries) == told(letters.trace.entries)
    assert told_by_steps(parts.trace.entries) == [(s.thought, s.action) for s in expected.steps]
    assert StreamingSession.from_trace(parts.trace.entries) == parts


@given(SOUP, CUTS)
@settings(max_examples=300)
def test_how_it_is_cut_does_not_matter(text: str, cuts: list[int]) -> None:
    """Letter by letter, in pieces or at once: the same steps, answers, calls and events."""
    check(text, cuts)


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_cut_anywhere(text: str) -> None:
    """The same for what models write, cut at each place."""
    for cut in range(0, len(text), 3):
        check(text, [cut])


@given(st.lists(st.one_of(PIECES, st.just("</think>\n")), max_size=20).map("".join), CUTS)
@example("Action: no {}\n</think>\nAction: go {}\n", [3])
@settings(max_examples=300)
def test_heard_to_its_end_it_is_the_same_to_the_letter(text: str, cuts: list[int]) -> None:
    """With ``stop_early`` off even reasoning that shows late, and what was not used, are equal."""
    session, calls = streamed(text, cuts, stop_early=False)
    expected = waited(text)

    assert bare(session.session.steps, raw=True) == bare(expected.steps, raw=True)
    assert session.final_answer() == expected.final_answer()
    first = expected.steps[0]
    if first.tool or len(expected.steps) == 1:
        assert session.trace
        thoughts = [each for each in calls if isinstance(each, str)]
        assert first.thought in ("", *thoughts)
    assert expected.trace
    assert session.trace
    last = [each for each in told(session.trace.entries) if isinstance(each, Action)][-1]
    assert last == told(expected.trace.entries)[-1]


@given(SOUP, CUTS)
@settings(max_examples=150)
def test_what_was_called_is_what_was_done(text: str, cuts: list[int]) -> None:
    """The last action called in a run is its last step's, and none was called that was not done."""
    session, calls = streamed(text, cuts)
    actions = [each for each in calls if not isinstance(each, str)]
    read = [step for step in session.session.steps if step.tool or step.action == step.observation]

    assert len(actions) == len(read)
    assert [getattr(each, "name", None) for each in actions] == [step.tool for step in read]


@given(st.lists(st.one_of(PIECES, st.just("</think>\n")), max_size=20).map("".join), CUTS)
@example("Action: no {}\n</think>\nAction: go {}\n", [])
@settings(max_examples=150)
def test_what_was_told_stands(text: str, cuts: list[int]) -> None:
    """A pair that is complete is acted on alike, whatever came with it in the same token."""
    letters, calls = streamed(text, list(range(len(text))))
    parts, same_calls = streamed(text, cuts)

    assert bare(letters.session.steps) == bare(parts.session.steps)
    assert calls == same_calls


@given(SOUP, CUTS)
@settings(max_examples=100)
def test_raising_is_the_same(text: str, cuts: list[int]) -> None:
    """Where an unreadable answer should raise, both loops do, and have told the same before."""
    config = AgentConfig(1, "m", on_parse_error="raise")
    loops = (
        StreamingReActLoop(answers(pieces(text, cuts)), config=config).run("Go"),
        ReActLoop(config).run("Go", answers([text])),
    )
    ends = []
    for work in loops:
        session = None
        try:
            asyncio.run(work)
        except AgentLoopError as error:
            session = error.session
        trace = session and session.trace
        ends.append(session and (session.error, trace and list(map(repr, told(trace.entries)))))
    assert ends[0] == ends[1]
