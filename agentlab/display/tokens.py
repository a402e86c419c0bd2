"""Tokens: how sure the model was of each, to the eye, in words, and as a table of the doubts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from heapq import nsmallest
from math import exp, isfinite
from operator import itemgetter
from typing import Any, NamedTuple

from agentlab.core.secrets import MASK, Scrubber, scrubber
from agentlab.display.html import Html, h
from agentlab.display.parts import Chip, Column, Room, bar, card, note, table
from agentlab.display.words import count, gist, number, plural, text_of
from agentlab.strategies.marks import HEADER

LEVELS = (0.05, 0.2, 0.5, 0.9)  # below which probability a token is shaded, and how much
DOUBTED = 2  # up to that level it is underlined as well: less likely than not
MOST_SURE = len(LEVELS)
FIT = 500  # tokens in a card
DOUBTS = [
    Column("token", "fit"),
    Column("probability", "fit"),
    Column("the model's alternatives", "wide"),
    Column("log p", "num"),
    Column("where", "fit"),
]
KINDS = {"thought": ("thought", "thought"), "observation": ("", "made up"), "": ("", "reply")}
ACTION = ("tool", "action")
NOT_TOLD = "not told, as for several tokens in one piece"
NO_TOKENS = "Nothing was heard yet. `al.StreamingSession.of(session)` has the tokens of a run."
LEGEND = "The redder, the less likely; underlined: less likely than not. ↵ is a line break."


class Placed(NamedTuple):
    """A token, and where it is: in what, and the how-manieth."""

    token: Any
    root: str
    at: int

    @property
    def path(self) -> str:
        """The Python path to it."""
        return f"{self.root}[{self.at}]"


class Hidden(NamedTuple):
    """What is shown of a token that has a part of a key in it."""

    step: Any
    logprob: float | None
    text: str = MASK
    top: None = None


def placed(tokens: Sequence[Any], path: str) -> list[Placed]:
    """Give each token its place, and none that has a part of a key in it."""
    secret = secrets([text_of(token.text) for token in tokens], scrubber())
    return [
        Placed(Hidden(getattr(token, "step", None), logprob(token)), path, i)
        if i in secret
        else Placed(token, path, i)
        for i, token in enumerate(tokens)
    ]


def secrets(texts: list[str], scrub: Scrubber) -> set[int]:
    """Tell which of some texts that follow each other have a part of a key in them."""
    whole = "".join(texts)
    if scrub(whole) == whole:
        return set()
    found, at = set(), 0
    for i, text in enumerate(texts):
        ends = (at, at + len(text) - 1) if text else ()
        if any(scrub.beside(whole, place) != place for place in ends):
            found.add(i)
        at += len(text)
    return found


def share(room: Room, steps: int) -> int:
    """Tell how many tokens of a thought, or of an action, may be shown where there are steps."""
    return max(min(room.text // 4, FIT // max(steps, 1)), 2)


def tokens_card(tokens: Sequence[Any], room: Room) -> Html:
    """Draw a list of tokens, by the steps they are of."""
    path = "tokens"
    if not tokens:
        return card("tokens", "none", Chip("", "empty"), (), note(NO_TOKENS), path=path)
    at = placed(tokens, path)
    steps = by_step(at)
    ends = room.ends
    shown = steps if len(steps) <= 2 * ends + 1 else [*steps[:ends], *steps[-ends:]]
    left = len(steps) - len(shown)
    most = share(room, len(shown))
    flows = [h("div", "agl-body")(*flow(each, room, most)) for each in shown]
    if left:
        flows.insert(ends, h("div", "agl-gap")(f"{plural(left, 'more step')}: {path}"))
    return card(
        "tokens",
        "how sure the model was",
        None,
        figures(tokens),
        h("div", "agl-flows")(*flows),
        doubts(at, room),
        path=path,
    )


def by_step(tokens: Iterable[Placed]) -> list[list[Placed]]:
    """Put together what follows each other in one step; pieces without one are all of one."""
    steps: list[list[Placed]] = []
    last: object = by_step
    for each in tokens:
        step = getattr(each.token, "step", None)
        if step != last or not steps:
            steps.append([])
        steps[-1].append(each)
        last = step
    return steps


def figures(tokens: Sequence[Any]) -> list[str]:
    """Say how many there are, and how likely they were."""
    known = [lp for token in tokens if (lp := logprob(token)) is not None]
    return [plural(len(tokens), "token"), mean(sum(known), len(known), len(tokens))]


def mean(total: Any, known: int, tokens: int) -> str:
    """Say the mean log-probability, and what that is as a probability; or that there is none."""
    if not tokens:
        return ""
    if not known:
        return "no log-probabilities"
    average = number(total) / known
    without = f", {count(tokens - known)} without" if known < tokens else ""
    return f"mean log p {decimal(average)} ({percent(average)} a token{without})"


def logprob(token: Any) -> float | None:
    """Give the log-probability of ``token``, if it has one that can be."""
    value = getattr(token, "logprob", None)
    return min(number(value), 0.0) if value is not None and isfinite(value) else None


def decimal(value: float) -> str:
    """Write a log-probability.

    >>> [decimal(-0.0), decimal(-2.345)]
    ['0.00', '\N{MINUS SIGN}2.35']
    """
    text = f"{abs(value):.2f}"
    return f"\N{MINUS SIGN}{text}" if value < 0 and text != "0.00" else text


def percent(value: float) -> str:
    """Write a log-probability as a probability.

    >>> [percent(value) for value in (0, -0.0001, -1, -4.5, -9)]
    ['100%', '>99%', '37%', '1.1%', '<0.1%']
    """
    p = exp(min(value, 0.0))
    if p == 1 or 0.1 <= p < 0.995:  # noqa: PLR2004 - where a whole percent says enough
        return f"{p:.0%}"
    return ">99%" if p > 0.5 else "<0.1%" if p < 0.001 else f"{p:.1%}"  # noqa: PLR2004


def flow(tokens: Sequence[Placed], room: Room, most: int) -> list[Html]:
    """Draw what a model said, thought and action apart, each token shaded by how likely it was."""
    parts = []
    for kind, some in sections(tokens):
        hue, name = KINDS.get(kind, ACTION)
        parts += [
            h("span", f"agl-label {hue}".strip())(name, " "),
            h("pre", "agl-pre agl-toks", title=span(some))(*pieces(some, room, most)),
        ]
    return parts


def span(tokens: Sequence[Placed]) -> str:
    """Give the path to tokens that follow each other."""
    return f"{tokens[0].root}[{tokens[0].at}:{tokens[-1].at + 1}]"


def sections(tokens: Sequence[Placed]) -> list[tuple[str, list[Placed]]]:
    """Tell thought and action apart by their headers; a token belongs where its last letter is."""
    texts = [text_of(each.token.text) for each in tokens]
    headers = list(HEADER.finditer("\n" + "".join(texts)))  # so that all begin one letter later
    starts = [header.start(1) - 1 for header in headers]
    found: list[tuple[str, list[Placed]]] = []
    at = 0
    previous = -1
    for each, text in zip(tokens, texts, strict=True):
        at += len(text)
        within = bisect_right(starts, max(at - 1, 0)) - 1
        if not found or within != previous:
            found.append((headers[within][2].lower() if within >= 0 else "", []))
        found[-1][1].append(each)
        previous = within
    return found


def pieces(tokens: Sequence[Placed], room: Room, most: int) -> list[Html]:
    """Draw tokens; of very many the first and the last, and where the others are."""
    if len(tokens) <= most + 1:
        return [piece(each, room, first=i == 0) for i, each in enumerate(tokens)]
    head, tail = most - most // 3, most // 3
    middle = tokens[head : len(tokens) - tail]
    gap = h("span", "agl-dim")(f" … {plural(len(middle), 'more token')}: {span(middle)} … ")
    return [
        *(piece(each, room, first=i == 0) for i, each in enumerate(tokens[:head])),
        gap,
        *(piece(each, room) for each in tokens[len(tokens) - tail :]),
    ]


def piece(each: Placed, room: Room, *, first: bool = False) -> Html:
    """Draw one token. What is less likely than not is an element that is underlined by itself."""
    text = visible(each.token.text, room.text)
    text = text.replace("↵\n", "↵", 1) if first and text.startswith("↵") else text
    known = logprob(each.token)
    level = MOST_SURE if known is None else bisect_right(LEVELS, exp(known))
    if level == MOST_SURE:
        return h("span", "agl-tok")(text)
    title = f"{each.path}: {percent(known or 0)}"
    return h("u" if level <= DOUBTED else "span", f"agl-tok p{level}", title=title)(text)


def visible(text: Any, limit: int) -> str:
    """Mark line breaks, and a token that is nothing but spaces; nothing at all is said to be."""
    text = text_of(text)
    text = text if len(text) <= limit else f"{text[:limit]}…"
    text = text.replace("\r", "␍").replace("\t", "⇥\t")
    return text.replace("\n", "↵\n") if text.strip(" ") else text.replace(" ", "␣") or "∅"


def spelled(text: Any, limit: int) -> str:
    """Write a token so that all of it is seen, in one line."""
    text = gist(text_of(text).replace(" ", "␣").replace("\n", "↵").replace("\t", "⇥"), limit)
    return text or "∅"


def doubts(tokens: Sequence[Placed], room: Room) -> Html | None:
    """List the least likely tokens, and what the model might have said instead."""
    known = [(value, each) for each in tokens if (value := logprob(each.token)) is not None]
    unsure = (pair for pair in known if pair[0] < 0)
    doubted = nsmallest(room.ends, unsure, key=itemgetter(0))
    if not doubted:
        return None
    cells = [
        (
            h("span", "agl-code")(spelled(each.token.text, min(room.text, 24))),
            h("span")(bar(exp(value), "bad" if exp(value) < LEVELS[2] else "ok"), percent(value)),
            alternatives(each.token, room),
            decimal(value),
            h("span", "agl-dim")(each.path),
        )
        for value, each in doubted
    ]
    shown = f"The {len(cells)} least likely of {plural(len(known), 'token')}. {LEGEND}"
    return table(shown, DOUBTS, cells)


def alternatives(token: Any, room: Room) -> Html:
    """List what else the model thought of, the likeliest first."""
    top = getattr(token, "top", None)
    if not top:
        return h("span", "agl-dim")(NOT_TOLD)
    others = sorted(
        (-number(value), text_of(text)) for text, value in top.items() if text != token.text
    )
    line = " · ".join(
        f"{spelled(text, min(room.text, 30))}\N{NO-BREAK SPACE}{percent(-value)}"
        for value, text in others[:4]
    )
    return h("span", "agl-code")(line or "none")
