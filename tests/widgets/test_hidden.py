"""No key reaches a page, however it is said: in pieces, over the border of two, half said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agentlab as al
from agentlab.core.events import Asked, Entry, RunStarted, Token
from agentlab.core.run import Run
from agentlab.core.secrets import HINT, Scrubber
from agentlab.core.trace import Trace
from agentlab.strategies.react import ReAct
from agentlab.widgets.coalescer import Board, Coalescer, presentable
from agentlab.widgets.run_view import RunView
from agentlab.widgets.story import KEPT, PIECE, Story
from tests.widgets.test_story import texts_in

MARK = "7f3a9b1c5d2e"
KEYS = [f"canary-{MARK}", f"two words {MARK}", f'a"<&>\\{MARK}', f"sk-{MARK}-{MARK}"]
ALL = " and ".join(KEYS)


def entries(pieces: list[str], run: str = "r") -> list[Entry]:
    """Give what a run says while it speaks, or one below it."""
    trace = Trace()
    trace.emit(RunStarted("a", "q", "m", "s", {}), run="r")
    if run != "r":
        trace.emit(RunStarted("b", "q", "m", "s", {}), run=run, parent="r")
    trace.emit(Asked(1, None, None, 0, 0, "q", None), run=run)
    for piece in pieces:
        trace.emit(Token(1, piece, None, None), run=run)
    return trace.entries


def parts_of(keys: list[str]) -> set[str]:
    """Give what no page may hold: any letters of a key that tell more than its beginning."""
    size = HINT + 2
    return {key[i : i + size] for key in keys for i in range(len(key) - size + 1)} - {"two wo"}


FILLING = st.sampled_from(["so it is ", "line\n", "x" * 40, "Bearer of ", "sk-ip ", "task-", " "])
SAID = st.lists(st.one_of(FILLING, st.sampled_from(KEYS).map(lambda key: f" {key} ")), max_size=80)


@settings(max_examples=150)
@given(SAID, st.lists(st.integers(1, 60), min_size=1, max_size=9), st.integers(1, 9))
def test_however_it_is_cut(said: list[str], sizes: list[int], every: int) -> None:
    """At no moment is a part of a key on the page, and at the end it is what it should be."""
    text, tokens, at = "".join(said) + ".\n", list[str](), 0
    while at < len(text):
        size = sizes[len(tokens) % len(sizes)]
        tokens.append(text[at : at + size])
        at += size
    scrub, story, page = Scrubber(KEYS[:-1]), Story(), dict[str, Any]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agentlab.widgets.story.scrubber", lambda: scrub)
        for i, entry in enumerate(entries(tokens)):
            story.take(entry)
            if i % every == 0:
                page.update(presentable(story.news(), scrub))
                shown = "".join([*(page[f"p{n}"] for n in range(page["now"]["pieces"]))])
                assert not [part for part in parts_of(KEYS) if part in shown + page["tail"]]
        page.update(presentable(story.news(), scrub))
    pieces = [page[f"p{n}"] for n in range(page["now"]["pieces"])]

    assert "".join([*pieces, page["tail"]]) == presentable(text, scrub)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("before", [PIECE - 20, PIECE - 5, PIECE + 3, 2 * KEPT - 20])
def test_over_the_border_of_two_pieces(key: str, before: int) -> None:
    """Of a run, and in the line of one below it, where no space says where to cut."""
    scrub = Scrubber(KEYS[:-1])
    for run in ("r", "r/b#1"):
        story, shown = Story(), ""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("agentlab.widgets.story.scrubber", lambda: scrub)
            for entry in entries(["x" * (before - 1) + " ", *key, " ", "y" * 100, " "], run):
                story.take(entry)
                shown += "".join(texts_in(presentable(story.news(), scrub)))

        assert "***" in shown
        assert MARK[:HINT] not in shown.replace(key[:HINT], "")


class Team:
    """A run below says what it should not, then the run itself does."""

    strategy_name = "team"

    async def __call__(self, run: Run, goal: str, /) -> Any:
        await al.AgentRuntime(leaks)(run.child(KEYS[0]), goal)
        return await ReAct()(run, goal)


async def leaks(context: str) -> AsyncIterator[str]:
    """Say all keys, letter by letter, with time for the page to hear of it."""
    for i, letter in enumerate(f"Thought: {ALL}\nAction: "):
        yield letter
        if i % 9 == 0:
            await asyncio.sleep(0.001)
    yield (f"FINAL_ANSWER {ALL}" if "Observation" in context else f"tell {json.dumps({'a': KEYS})}")


@al.tool(inline=True)
def tell(a: list[str]) -> list[str]:
    """Say it again."""
    return a


def test_no_letter_of_a_key_leaves_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """In no message of a run and of those below it: its steps, names, question and answer."""
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(Board, "send_state", lambda board, key: sent.append(board.get_state(key)))
    for i, key in enumerate(KEYS[:-1]):
        monkeypatch.setenv(f"TEST{i}_API_KEY", key)

    async def cell() -> None:
        lab = al.AgentRuntime(leaks, tools=[tell], max_iterations=3)
        handle = lab.start(f"What of {ALL}?", agent=KEYS[1], strategy=Team())
        view = RunView(coalescer=Coalescer(0.005))
        handle.trace.attach(view)
        assert (await handle).stop_reason == "final_answer"
        await asyncio.sleep(0.05)
        bundle = view._repr_mimebundle_()
        assert bundle
        assert MARK not in json.dumps(bundle[0])
        view.close()

    asyncio.run(cell())
    told = json.dumps(sent)
    assert len(sent) > 5
    assert told.count("***") > 20
    assert [text for text in texts_in(sent) if MARK[: HINT + 2] in text] == []
