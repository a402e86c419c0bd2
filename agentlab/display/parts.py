"""What cards are made of. A view is a few of these, so that all of them look and read alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from agentlab.display.html import Html, h
from agentlab.display.words import count, gist, number, seconds, shortened, text_of

READ = 20_000  # a longer text is not taken apart to be laid out nicely
ONE_LINE = 100
KEPT = "white-space:pre-wrap"  # beside the words: line breaks outlive the sheet
DIGITS = 2  # of a row's number, before the sheet must be told


class Room(NamedTuple):
    """How much a view may show; :func:`agentlab.display.view` gives less where that is too much.

    Attributes
    ----------
    text : int
        Letters of a text.
    ends : int
        Items at either end of a list.
    depth : int
        Levels of runs below a run.
    """

    text: int = 2000
    ends: int = 8
    depth: int = 2

    def inside(self) -> Room:
        """Give the room of a thing inside another."""
        return Room(self.text // 4, min(self.ends, 3), self.depth - 1)


class Chip(NamedTuple):
    """How something stands: ``ok``, ``bad``, ``warn`` or ``run``, and the word that says so."""

    hue: str
    word: str


class Column(NamedTuple):
    """A column: ``num`` is for figures, ``fit`` is never wrapped, ``wide`` is never squeezed."""

    name: str
    cls: str = ""


class Labelled(NamedTuple):
    """A text under its name, whose hue means the same as the name; where to find it in Python."""

    hue: str
    name: str
    text: str
    path: str


def card(
    kind: str,
    name: str,
    chip: Chip | None = None,
    figures: Iterable[str] = (),
    *body: Html | None,
    path: str = "",
) -> Html:
    """Draw a card: a header line that makes sense alone, and what is under it."""
    meta = " · ".join(filter(None, figures))
    return h("div", "agl-card")(
        h("header", "agl-head")(
            h("span", "agl-kind")(kind),
            " ",
            h("b", "agl-name", **({"title": path} if path else {}))(gist(name)) if name else None,
            " ",
            drawn(chip) if chip else None,
            " ",
            h("span", "agl-meta")(meta) if meta else None,
        ),
        *body,
    )


def drawn(chip: Chip) -> Html:
    """Draw a chip."""
    return h("span", f"agl-chip {chip.hue}".strip())(gist(chip.word, 60))


def bar(share: float, hue: str = "", start: float | None = None) -> Html:
    """Draw a share of one as a small bar; the number stands beside it.

    With a ``start`` it is a time on a line: however short, it leaves a mark there.
    """
    left = min(max(number(start), 0.0), 0.98)
    width = min(max(number(share), 0.0), 1.0 - left)
    before = h("span", style=f"width:{left:.0%}")() if left else None
    filled = h("i", style=f"width:{width:.0%}")() if width or start is not None else None
    return h("span", f"agl-bar {hue}".strip())(before, filled)


def took(ms: Any, longest: Any) -> Html:
    """Draw how long something took, beside the longest of its kind."""
    return h("span", "agl-ms")(bar(number(ms) / (number(longest) or 1)), " ", seconds(ms))


def in_vain(failures: Any, calls: Any) -> Html | str:
    """Draw how many calls failed, and which share of all that is."""
    share = number(failures) / (number(calls) or 1)
    return h("span")(bar(share, "bad"), f" {count(failures)} ({share:.0%})") if failures else "0"


def listed(
    total: int, ends: int, one: Callable[[int], Html], gap: Callable[[int, int], Html]
) -> list[Html]:
    """Draw all items; or the first and the last, and between them what says which are missing."""
    if total <= 2 * ends + 1:
        return [one(i) for i in range(total)]
    last = total - ends
    return [*map(one, range(ends)), gap(ends, last), *map(one, range(last, total))]


def row(
    no: int,
    line: Sequence[Any],
    right: Html,
    *body: Html | None,
    path: str,
    is_open: bool = False,
) -> Html:
    """Draw an item of a list: a line that makes sense alone, and all of it inside."""
    return h("li", "agl-step", title=path)(
        h("details", **({"open": ""} if is_open else {}))(
            h("summary")(
                h("span", "agl-no")(count(no)), h("span", "agl-line1")(" ", *line), " ", right
            ),
            *body,
        )
    )


def rows(last: int, items: Iterable[Html]) -> Html:
    """Put rows under each other, with room for as many digits as the last number has."""
    digits = len(count(last))
    wide = {"style": f"--agl-digits:{digits}"} if digits > DIGITS else {}
    return h("ul", "agl-steps", **wide)(*items)


def skipped(text: str) -> Html:
    """Say in a list what is not shown, and where it is."""
    return h("li", "agl-step agl-gap")(text)


def labelled(*texts: Labelled) -> Html:
    """Show texts beside their names."""
    return h("div", "agl-body")(
        *(
            part
            for hue, name, text, path in texts
            for part in (
                h("span", f"agl-label {hue}")(name),
                " ",
                h("pre", "agl-pre", title=path)(text),
                " ",
            )
        )
    )


def asked(*pairs: tuple[str, Any, str, str]) -> Html:
    """Show a few things by name: name, what, class, Python path."""
    return h("dl", "agl-qa")(
        *(
            part
            for name, what, cls, path in pairs
            for part in (
                h("dt")(name, " "),
                h("dd", cls, style=KEPT, **({"title": path} if path else {}))(what, " "),
            )
        )
    )


def table(
    caption: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]], *, path: str = ""
) -> Html:
    """Draw a table; the first cell of a row is its head. A wide one scrolls in a box of its own."""

    def line(cells: Sequence[Any]) -> Html:
        first, *others = zip(cells, columns, strict=False)
        return h("tr")(
            h("th", first[1].cls, scope="row")(first[0], " "),
            *(h("td", column.cls)(cell, " ") for cell, column in others),
        )

    return h("div", "agl-scroll", **({"title": path} if path else {}))(
        h("table", "agl-table")(
            h("caption")(caption),
            h("thead")(h("tr")(*(h("th", c.cls, scope="col")(c.name, " ") for c in columns))),
            h("tbody")(*map(line, rows)),
        )
    )


def fold(summary: str, *body: Html | None, hue: str = "", is_open: bool = False) -> Html:
    """Put something one click away, under a line that says what it is."""
    return h("details", "agl-foot", **({"open": ""} if is_open else {}))(
        h("summary", f"agl-label {hue}" if hue else "")(summary), *body
    )


def note(text: str) -> Html:
    """Say something in passing."""
    return h("p", "agl-note")(prose(text))


def prose(text: str) -> Html:
    """Give a sentence of ours with what stands between backticks as code."""
    parts = text.split("`")
    return h("span")(
        *(h("code", "agl-code")(part) if i % 2 else part for i, part in enumerate(parts))
    )


def call(name: str, arguments: str) -> Html:
    """Write a call, its name first."""
    return h("span", "agl-call")(h("b")(name), arguments)


def laid_out(text: Any, path: str, limit: int) -> str:
    """``text``, indented if it is a longer piece of JSON, and shortened."""
    text = text_of(text)
    if ONE_LINE < len(text) <= READ and text[0] in "{[":
        with suppress(msgspec.DecodeError, UnicodeError, RecursionError):
            text = msgspec.json.format(text, indent=2)
    return shortened(text, path, limit)


def parsed(text: Any) -> Any:
    """Read ``text`` as JSON, or give None: for what is no JSON, and for what is very long."""
    if not isinstance(text, str) or len(text) > READ or text[:1] not in '{["':
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
