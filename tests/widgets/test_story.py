"""What a page is told of a run, without a page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest

import agentlab as al
from agentlab.core.events import Entry
from agentlab.core.run import Run
from agentlab.core.secrets import scrubber
from agentlab.display.html import ODD
from agentlab.strategies.react import ReAct
from agentlab.widgets.coalescer import presentable
from agentlab.widgets.messages import MESSAGES
from agentlab.widgets.story import PIECE, Story, cut_of

STEP = 'Thought: look\nAction: population {"city": "Lyon"}'
LAST = "Thought: done\nAction: FINAL_ANSWER 42"


@al.tool
def population(city: str) -> int:
    """People living in a city."""
    return {"Lyon": 522_000}[city]


def told(entries: Sequence[Entry], every: int = 1) -> dict[str, Any]:
    """Give the cells that a page has when it has heard all, asked for after ``every`` entries."""
    story, cells = Story(), dict[str, Any]()
    for i, entry in enumerate(entries):
        story.take(entry)
        if i % every == 0 or i == len(entries) - 1:
            cells.update(presentable(story.news(), scrubber()))
    return {name: cell for name, cell in cells.items() if cell is not None}


def entries_of(*replies: str, **options: Any) -> list[Entry]:
    """Run a script and give all that was said."""
    config = al.AgentConfig(len(replies), "script", repeat_warn=None, repeat_stop=None)
    lab = al.AgentRuntime(al.ScriptedModel(*replies), tools=[population], config=config)
    session = lab.run_sync("How many?", **options)
    assert session.trace
    return session.trace.entries


def before(entries: Sequence[Entry], kind: str) -> list[Entry]:
    """Give what came before the last entry of a kind."""
    last = max(i for i, each in enumerate(entries) if type(each.event).__name__ == kind)
    return list(entries[:last])


def said(cells: dict[str, Any]) -> str:
    """Put together what is being said, as the page does."""
    pieces = [str(cells[f"p{i}"]) for i in range(cells["now"]["pieces"])]
    return "".join([*pieces, cells["tail"]])


def test_while_it_goes_on() -> None:
    """The question, the steps so far, what is being said, and the state in words are there."""
    cells = told(before(entries_of(STEP, LAST), "Answered"))

    assert cells["head"]["asked"] == "How many?"
    assert cells["s0"]["tool"] == "population"
    assert (cells["s0"]["did"], cells["s0"]["came"]) == ('(city="Lyon")', "522000")
    assert [words["name"] for words in cells["s0"]["texts"]] == ["thought", "tool", "observation"]
    assert said(cells) == LAST
    assert (cells["now"]["live"], cells["now"]["word"]) == (True, "step 2 · thinking")
    assert cells["now"]["figures"][0].endswith("tokens")
    assert "end" not in cells


def test_when_it_is_over() -> None:
    """The ending is told as on the card, and nothing is being said any more."""
    cells = told(entries_of(STEP, LAST))

    assert cells["end"] == {"label": "answer", "text": "42"}
    assert (cells["now"]["live"], cells["now"]["word"]) == (False, "answered")
    assert (said(cells), cells["now"]["steps"]) == ("", 2)


@pytest.mark.parametrize("every", [1, 2, 7, 1000])
def test_how_often_it_is_asked_changes_nothing(every: int) -> None:
    """A page that hears of everything at once has what one has that heard of each thing."""
    entries = before(entries_of(*[STEP] * 20, f"Thought: {'very ' * 900}"), "Answered")
    cells = told(entries, every)

    assert said(cells) == f"Thought: {'very ' * 900}"
    assert [name for name in cells if name[0] == "s"] == [
        f"s{i}" for i in (*range(8), *range(12, 20))
    ]
    assert cells["now"]["gap"] == "4 more steps: session.steps[8:12]"


def test_long_texts_are_sent_once() -> None:
    """All but the end of what is being said is sent once, in pieces that cut no line."""
    story, sizes, cells = Story(), [], dict[str, Any]()
    for entry in before(entries_of("Thought: " + "so it is\n" * 2000), "Answered"):
        story.take(entry)
        news = story.news()
        sizes.append(sum(len(text) for name, text in news.items() if name[0] in "pt"))
        cells.update(news)

    assert max(sizes) <= 2 * PIECE
    assert said(cells) == "Thought: " + "so it is\n" * 2000
    assert all(cells[f"p{i}"].endswith("is\n") for i in range(cells["now"]["pieces"]))


def test_where_a_piece_ends() -> None:
    """With a line if there is one, else with a word, else where it must."""
    assert cut_of("a b\nc d" * PIECE) == 1019
    assert cut_of("ab " * PIECE) == 1023
    assert cut_of("a" * 2 * PIECE) == PIECE


class Nested:
    """A strategy with one run below that somebody drives, and one that nobody does."""

    strategy_name = "nested"

    async def __call__(self, run: Run, goal: str, /) -> Any:
        """Ask both, then go on alone."""
        below, bare = run.child("below"), run.child("bare")
        await al.AgentRuntime(al.ScriptedModel(LAST))(below, goal)
        async for _ in bare.stream("Say something.", system=None):
            pass
        return await ReAct()(run, goal)


def test_runs_below() -> None:
    """Each has a line: who, how it stands, and what it says; of its own steps there are none."""
    cells = told(entries_of("well, hm", LAST, strategy=Nested()))

    assert cells["now"]["below"] == 2
    below, bare = cells["c0"], cells["c1"]
    assert (below["name"], below["word"], below["said"]) == ("below", "answered", "42")
    assert below["depth"] == 1
    assert (bare["depth"], bare["hue"], bare["word"], bare["said"]) == (1, "", "done", "well, hm")
    assert cells["now"]["steps"] == 1


def test_a_loop_that_speaks_while_it_reads() -> None:
    """What it wants is told as soon as that is complete, before it is done."""
    story, words = Story(), []
    for entry in entries_of(f"{STEP}\n", LAST, strategy=al.StreamingReAct()):
        story.take(entry)
        words.append((type(entry.event).__name__, story.news()["now"]["word"]))

    assert ("Action", "step 1 · wants population") in words
    assert ("ToolStarted", "step 1 · calling population") in words
    assert words[-1] == ("RunEnded", "answered")


def test_a_rate_once_there_is_one() -> None:
    """Tokens a second are told as soon as two came with time between, and stay through a call."""

    async def talk(_: str) -> AsyncIterator[str]:
        for word in STEP.split(" "):
            await asyncio.sleep(0.03)
            yield f"{word} "

    lab = al.AgentRuntime(talk, tools=[population], max_iterations=1)
    session = lab.run_sync("How many?")
    assert session.trace
    story = Story()
    figures = []
    for entry in before(session.trace.entries, "RunEnded"):
        story.take(entry)
        figures.append(story.news()["now"]["figures"])

    rate = [i for i, told in enumerate(figures) if told and told[-1].endswith("tokens/s")]
    assert rate == list(range(rate[0], len(figures)))
    heard = [each.offset for each in session.trace.entries if type(each.event).__name__ == "Token"]
    pace = (len(heard) - 1) / (heard[-1] - heard[0])
    assert abs(float(figures[-1][-1].split()[0]) - pace) <= 0.5


def test_odd_characters_are_written_out() -> None:
    """What would turn text round, or cannot be seen, is shown as Python writes it."""
    odd = "\u202e\0"
    entries = entries_of(f"Thought: {odd}\nAction: {odd}", LAST, agent="a")
    shown = ""
    for end in range(1, len(entries) + 1):
        shown += "".join(texts_in(told(entries[:end], every=1000)))

    assert "\\u202e\\x00" in shown
    assert not ODD.search(shown)


def texts_in(cells: Any) -> Iterator[str]:
    """Give every text there is in some cells."""
    if isinstance(cells, str):
        yield cells
    elif isinstance(cells, dict | list):
        for each in cells.values() if isinstance(cells, dict) else cells:
            yield from texts_in(each)


def test_every_message_is_of_its_shape() -> None:
    """Each cell has the fields that the page is told of, and no more."""
    cells = told(entries_of("well, hm", LAST, strategy=Nested()))
    shapes = {shape.__name__: set(shape.__annotations__) for shape in MESSAGES}

    assert set(cells["head"]) == shapes["Head"]
    assert set(cells["now"]) == shapes["Now"]
    assert set(cells["s0"]) == shapes["Step"]
    assert set(cells["s0"]["texts"][0]) == shapes["Words"]
    assert set(cells["c0"]) == shapes["Child"]
    assert set(cells["end"]) == shapes["End"]
