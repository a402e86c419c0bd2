"""What a page is told of tokens."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import pytest

import agentlab as al
from agentlab.core.events import Entry, Token
from agentlab.core.protocols import Chunk, Usage
from agentlab.core.secrets import MASK, scrubber
from agentlab.display.tokens import placed, secrets, sections
from agentlab.strategies.streaming_session import (
    HeardToken,
    HeardTokens,
    StreamingSession,
    StreamingStep,
)
from agentlab.widgets.coalescer import presentable
from agentlab.widgets.hearing import LOT, MOST_OTHERS, UNKNOWN, Hearing

STEP = ("Thought", ":", " look", ".\n", "Action", ":", " population", ' {"city":', ' "Lyon"}')
LAST = ("Thought", ":", " done", "\n", "Action", ":", " FINAL_ANSWER", " 42")
KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"


@al.tool
def population(city: str) -> int:
    """People living in a city."""
    return {"Lyon": 522_000}[city]


class Model:
    """Says its replies token by token, each half as likely as not."""

    def __init__(self, *replies: Iterable[str]) -> None:
        self._replies = iter(replies)

    async def stream(self, _: object) -> AsyncIterator[Chunk]:
        """Say the next one."""
        for text in next(self._replies):
            yield Chunk(text, math.log(0.5), {text: math.log(0.5), " or": math.log(0.25)})


def session_of(*replies: Sequence[str]) -> al.AgentSession:
    """Run it to its end."""
    return al.AgentRuntime(Model(*replies), tools=[population]).run_sync("How many?")


def entries_of(*replies: Sequence[str]) -> tuple[Entry, ...]:
    """Run it, and give all that was said."""
    session = session_of(*replies)
    assert session.trace
    return tuple(session.trace.entries)


def cells_of(hearing: Hearing) -> dict[str, Any]:
    """Give the cells that a page has when it has heard all."""
    cells: dict[str, Any] = presentable(hearing.news(), scrubber())
    while hearing.more():
        cells.update(presentable(hearing.news(), scrubber()))
    return cells


def lots(cells: dict[str, Any], field: str) -> list[Any]:
    """Put a field of the tokens together, as the page does."""
    return [each for i in range(cells["now"]["pieces"]) for each in cells[f"t{i}"][field]]


def tokens_of(*texts: str, step: int = 0) -> HeardTokens:
    """Give tokens."""
    return HeardTokens(HeardToken(step, i, text, -1.0) for i, text in enumerate(texts))


def test_what_was_heard() -> None:
    """Steps with what came of them, thought and action apart, and each token as on the card."""
    heard = StreamingSession.of(session_of(STEP, LAST))
    cells = cells_of(Hearing(heard))
    first, second = cells["s0"], cells["s1"]

    assert lots(cells, "texts")[:4] == ["Thought", ":", " look", ".↵\n"]
    assert lots(cells, "logs") == [round(math.log(0.5), 3)] * 17
    assert lots(cells, "others") == [[" or".replace(" ", "␣")]] * 17
    assert lots(cells, "told") == [True] * 17
    assert (first["first"], second["first"]) == (0, 9)
    assert (first["starts"], second["starts"]) == ([0, 4], [9, 13])
    assert first["names"] == ["thought", "action"]
    assert first["did"] == 'population {"city": "Lyon"}'
    assert first["came"] == "522000"
    assert first["right"] == "50%"
    assert cells["now"]["root"] == "heard.tokens"
    assert cells["title"]["word"] == "answered"
    assert "17 tokens" in cells["title"]["figures"]
    assert cells["now"] == {**cells["now"], "live": False, "asked": "", "empty": ""}


@pytest.mark.parametrize("every", [1, 2, 5, 1000])
def test_while_it_goes_on(every: int) -> None:
    """However often it is asked, a run that is listened to ends in the same cells."""
    entries = entries_of(STEP, LAST)
    hearing, cells, sent = Hearing(), dict[str, Any](), []
    for i, entry in enumerate(entries):
        hearing.take(entry)
        if i % every == 0:
            cells.update(news := hearing.news())
            sent += [name for name in news if name.startswith("t") and name != "title"]
    cells.update(cells_of(hearing))
    whole = cells_of(Hearing(StreamingSession.from_trace(entries)))

    assert len(sent) == len(set(sent))  # nothing is said twice
    for field in ("texts", "logs", "others", "likely", "told"):
        assert lots(cells, field) == lots(whole, field)
    assert [cells["s0"], cells["s1"]] == [whole["s0"], whole["s1"]]
    assert cells["now"]["asked"] == "How many?"
    assert hearing.heard.tokens == StreamingSession.from_trace(entries).tokens
    assert hearing.heard.steps == StreamingSession.from_trace(entries).steps


def test_a_run_that_goes_on() -> None:
    """The chip says what it does; the step that is not over has no result yet."""
    hearing = Hearing()
    for entry in entries_of(STEP, LAST):
        if type(entry.event).__name__ == "RunEnded":
            break
        hearing.take(entry)
        cells = cells_of(hearing) if type(entry.event).__name__ == "Token" else {}
        if cells and len(hearing.heard.tokens) == 12:
            assert cells["title"]["word"] == "step 2 · thinking"
            assert cells["now"]["live"]
            assert (cells["s1"]["did"], cells["s1"]["came"]) == ("going on", "")
            assert cells["title"]["figures"][:2] == ["12 tokens", "50% a token"]
            return
    pytest.fail("it was never there")


def test_a_header_that_is_in_doubt() -> None:
    """Where a header shows only with its colon, its first token moves to the new section."""
    hearing, seen = Hearing(), []
    for entry in entries_of(LAST):
        hearing.take(entry)
        seen.append(hearing.news().get("s0", {}).get("starts"))

    assert [0] in seen
    assert seen.index([0]) < seen.index([0, 4])


@pytest.mark.parametrize(
    "texts",
    [
        STEP,
        ("no ", "header", ": here"),
        ("\n", "Thought: a", "\nAct", "ion", ": b\nObservation", ": c"),
        ("a\n\n", "Final", " Answer", ":", " x: y"),
    ],
)
@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_sections_as_on_the_card(texts: tuple[str, ...], at_once: int) -> None:
    """Told in pieces or at once, the sections are those of the static card."""
    tokens = tokens_of(*texts)
    hearing = Hearing(tokens)
    for start in range(0, len(tokens), at_once):
        hearing._extend(start, min(start + at_once, len(tokens)))  # noqa: SLF001
    (part,) = hearing._parts  # noqa: SLF001
    card = sections(placed(tokens, "tokens"))

    assert part.starts == [some[0].at for _, some in card]
    assert part.kinds == [kind for kind, _ in card]


def test_alternatives() -> None:
    """They are spelled, the likeliest first, without what was said; and it is said if not told."""
    top = {f" {i}": -float(i) for i in range(1, 20)} | {"x": -0.5, "\n": -0.1}
    tokens = HeardTokens([HeardToken(0, 0, "x", -0.5, top), HeardToken(0, 1, "", None)])
    cells = cells_of(Hearing(tokens))

    assert lots(cells, "others")[0][:2] == ["↵", "␣1"]
    assert lots(cells, "likely")[0][:2] == [-0.1, -1.0]
    assert [len(each) for each in lots(cells, "others")] == [MOST_OTHERS, 0]
    assert lots(cells, "told") == [True, False]
    assert lots(cells, "texts") == ["x", "∅"]
    assert lots(cells, "logs")[1] == UNKNOWN
    assert cells["now"]["root"] == "tokens"


@pytest.mark.parametrize("value", [math.nan, -math.inf, math.inf, 3.0])
def test_odd_numbers(value: float) -> None:
    """What is no log-probability is none; and all that is sent is JSON."""
    tokens = HeardTokens([HeardToken(0, 0, "\udc80\u202e", value, {"b": value})])
    cells = cells_of(Hearing(tokens))

    assert lots(cells, "logs")[0] in {UNKNOWN, 0.0}
    assert lots(cells, "texts") == ["\\udc80\\u202e"]
    assert json.dumps(cells, allow_nan=False).encode()


def test_many_come_in_pieces() -> None:
    """However many, a message holds a thousand, and together they are all."""
    tokens = HeardTokens(HeardToken(i // 500, i % 500, f" {i}", -0.1) for i in range(3210))
    hearing = Hearing(tokens)
    first = hearing.news()
    assert len(first["t0"]["texts"]) == LOT
    assert [name for name in first if name.startswith("s")] == ["s0", "s1"]
    cells = {**first, **cells_of(hearing)}

    assert lots(cells, "texts") == [f" {i}" for i in range(3210)]
    assert cells["now"]["steps"] == 7
    assert cells["now"]["pieces"] == 4


def test_nothing_was_heard() -> None:
    """It is said, with what to do."""
    cells = cells_of(Hearing(HeardTokens()))
    assert "StreamingSession.of(session)" in cells["now"]["empty"]
    kept = StreamingSession(al.AgentSession(agent_id="a"), [StreamingStep("t", "a")])
    assert "does not hold them" in cells_of(Hearing(kept))["now"]["empty"]
    assert cells_of(Hearing())["now"]["empty"] == "No token yet."


def test_a_key_that_is_several_tokens() -> None:
    """No part of a key is shown, nor what might have been said instead; also over two lots."""
    pieces = [KEY[i : i + 4] for i in range(0, len(KEY), 4)]
    texts = ["a "] * (LOT - 3) + [*pieces, " b"]
    tokens = HeardTokens(HeardToken(0, i, t, -1.0, {"Q": -1.0}) for i, t in enumerate(texts))
    cells = cells_of(Hearing(tokens))
    shown = lots(cells, "texts")

    assert shown == ["a "] * (LOT - 3) + [MASK] * len(pieces) + [" b"]
    assert lots(cells, "others")[LOT - 4 : LOT + 1] == [["Q"], [], [], [], []]
    assert secrets(["a ", "b"], scrubber()) == set()


def test_a_key_in_the_card() -> None:
    """Nor does the static card show it, token by token or among the doubts."""
    pieces = [KEY[i : i + 4] for i in range(0, len(KEY), 4)]
    tokens = HeardTokens(
        HeardToken(0, i, text, -3.0, {text: -3.0})
        for i, text in enumerate(["Say ", *pieces, " ok"])
    )
    for shown in (tokens, StreamingSession(al.AgentSession(agent_id="a"), [], tokens)):
        page = shown.to_html()
        assert MASK in page
        assert " ok" in page
        assert not any(f">{piece}<" in page for piece in pieces)


def test_a_key_while_it_is_said() -> None:
    """What may be the beginning of a key waits; nothing of it is ever told."""
    pieces = [KEY[i : i + 4] for i in range(0, len(KEY), 4)]
    hearing, told = Hearing(), []
    for entry in entries_of(("Thought", ":", " ", *pieces, " ok", "\n", *LAST[4:])):
        hearing.take(entry)
        told += [text for name, cell in hearing.news().items() if name[1:].isdigit()
                 for text in cell.get("texts", ())]  # fmt: skip
    told += lots(cells, "texts") if (cells := cells_of(hearing)).get("t0") else []
    said = "".join(told)

    assert MASK in said
    assert not any(piece in said for piece in pieces)
    assert said.endswith("FINAL_ANSWER 42")


def test_a_piece_that_only_brings_the_usage() -> None:
    """It is not told, as it will not be kept."""

    async def model(_: object) -> AsyncIterator[Chunk]:
        for text in LAST:
            yield Chunk(text)
        yield Chunk("", is_final=True, usage=Usage(3, 8))

    class Reporting:
        stream = staticmethod(model)

    trace = al.AgentRuntime(Reporting()).run_sync("?").trace
    assert trace
    assert [e.event.text for e in trace.entries if isinstance(e.event, Token)][-1] == ""
    hearing, cells = Hearing(), dict[str, Any]()
    for entry in trace.entries:
        hearing.take(entry)
        cells.update(hearing.news())

    assert lots(cells, "texts")[-2:] == [" FINAL_ANSWER", " 42"]
    assert len(hearing.heard.tokens) == len(LAST)
