"""Prompts read back are those that were sent."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import agentlab as al
from agentlab.core.calls import (
    NOTHING,
    ModelCall,
    Question,
    Questions,
    ToolUse,
    after,
    model_calls,
    used,
)
from agentlab.core.events import Asked, ToolEnded, ToolStarted
from agentlab.core.trace import Trace
from tests.tracing import LAST, REPLIES, SHAPES, STEP, WRONG, ran

AGAIN: Any = {"repeat_warn": None, "repeat_stop": None}  # the same call is no matter here
DIFFERENT = [STEP.replace("look", f"look {i}") for i in range(20)]


def asked(call: ModelCall) -> tuple[object, ...]:
    """Give what was sent, as a request has it."""
    options = {name: value for name, value in call.options.items() if name != "stop"}
    return call.prompt, call.system, tuple(call.options.get("stop", ())), options


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=25)
@given(replies=REPLIES, room=st.sampled_from([None, 700, 1500]))
def test_rebuilt_is_sent(shape: str, replies: list[str], room: int | None) -> None:
    """Whatever the loop, with children, errors, retries and trimming: letter by letter."""
    entries, requests = ran(replies, shape=shape, max_context_chars=room)
    calls = list(model_calls(entries))

    assert [asked(call) for call in calls] == [
        (r.prompt, r.system, r.stop, r.options) for r in requests
    ]
    assert [call.lost for call in calls] == [""] * len(calls)
    assert len(calls) >= 1


def test_model_fails() -> None:
    """A question without an answer is rebuilt as well."""
    entries, requests = ran([STEP, ValueError("no")])
    calls = list(model_calls(entries))

    assert [call.prompt for call in calls] == [request.prompt for request in requests]
    assert [call.answer for call in calls] == [STEP, None]
    assert calls[0].ms is not None
    assert calls[0].usage
    assert calls[1].ms is None


def test_what_is_new() -> None:
    """What is new in a prompt is told apart from what was there before, and from what is gone."""
    entries, _ = ran(DIFFERENT[:5], max_context_chars=700, **AGAIN)
    calls = list(model_calls(entries))

    assert calls[0].kept == 0
    for before, call in pairwise(calls):
        assert call.prompt[: call.head] == before.prompt[: call.head]
        assert call.prompt[call.head : call.kept] == before.prompt[call.head + call.trimmed :]
        assert call.added.endswith('Observation: {"data":522000,"ok":true}\n')
    assert any(call.trimmed for call in calls)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 200), min_size=1, max_size=30), st.integers(1, 7))
def test_any_question_at_any_time(order: list[int], every: int) -> None:
    """In whichever order they are asked for, each is what reading all of them gives."""
    entries, _ = ran(DIFFERENT, max_iterations=20, max_context_chars=700, **AGAIN)
    questions, all_of_them, last = Questions(), list[Question](), NOTHING
    questions.EVERY = every
    for entry in entries:
        if isinstance(entry.event, Asked):
            questions.add(entry.event)
            last = after(last, entry.event)
            all_of_them.append(last)

    assert len(questions) == len(all_of_them) == 20
    for index in order:
        assert questions.at(index % 20) == all_of_them[index % 20]


def test_what_is_lost_is_said() -> None:
    """Where a question is missing, those that go on from it say so, and give what was added."""
    entries, _ = ran([STEP, WRONG, LAST])
    places = [i for i, entry in enumerate(entries) if isinstance(entry.event, Asked)]
    gone = [entry for i, entry in enumerate(entries) if i != places[1]]
    first, last = model_calls(gone)

    assert first.lost == ""
    assert last.lost == "the question it goes on from, call 3, is not here"
    assert last.prompt == last.added
    assert "Nowhere" in last.added


def test_what_was_changed_is_said() -> None:
    """Where a question was shortened by whoever wrote it, the next cannot be put together."""
    entries, _ = ran([STEP, LAST])
    hidden = [
        replace(entry, event=replace(entry.event, added="…"))
        if isinstance(entry.event, Asked) and entry.event.extends is None
        else entry
        for entry in entries
    ]

    assert [call.lost for call in model_calls(hidden)] == [
        "", "the question it goes on from is not here as it was sent",
    ]  # fmt: skip


def test_read_from_a_file(tmp_path: Path) -> None:
    """A journal gives the same prompts; but a key in one is not in it."""
    key = al.Secret("a-very-secret-key-0123456789")
    model = al.ScriptedModel(f"Thought: {key.reveal()}\nAction: nothing {{}}", STEP, LAST)
    with al.Journal(tmp_path / "j.jsonl", tokens=False) as journal:
        session = al.AgentRuntime(model, sinks=[journal]).run_sync(f"Use {key.reveal()}!")
    calls = list(al.load(tmp_path / "j.jsonl").model_calls())

    assert session.trace
    assert [call.prompt for call in session.trace.model_calls()] == [
        request.prompt for request in model.requests
    ]
    assert [call.prompt for call in calls] == [
        request.prompt.replace(key.reveal(), "***") for request in model.requests
    ]
    assert [call.lost for call in calls] == [""] * 3


def test_tool_use() -> None:
    """A call of a tool is told before and after it is over."""
    entries, _ = ran([WRONG])
    start = next(entry for entry in entries if isinstance(entry.event, ToolStarted))
    end = next(entry for entry in entries if isinstance(entry.event, ToolEnded))

    assert used(start).ok is None
    use = used(start, end)
    assert (use.tool, use.args, use.ok, use.error) == (
        "population", {"city": "Nowhere"}, False, "KeyError: 'Nowhere'",
    )  # fmt: skip
    assert ToolUse.from_dict(use.to_dict()) == use
    with pytest.raises(TypeError, match="not the start"):
        used(end)


def test_they_show_themselves() -> None:
    """Both kinds of call look good in a cell, and go through JSON."""
    entries, _ = ran([STEP])
    call = next(iter(Trace.of(entries).model_calls()))

    assert ModelCall.from_dict(call.to_dict()) == call
    assert "How many?" in call.to_html()
