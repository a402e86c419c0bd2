"""Pictures of numbers, drawn as SVG whose text keeps its size in a narrow cell.

A notebook that is not trusted drops pictures, so each stands over a table of its numbers.
Everything across is in percent of the width and everything down in pixels, so that nothing is
scaled; without the sheet the colours are those of the text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from agentlab.display.html import Html, h
from agentlab.display.parts import Column, fold, table
from agentlab.display.words import count, number

COLUMNS = [Column("size", "wide"), Column("how many", "num")]
Words = Callable[[float], str]
TOP, TALLEST, BELOW = 16, 56, 16  # pixels: the count above a bar, the highest bar, its bound
GAP = 0.14  # of a column
MANY = 8  # columns: in a narrow cell there is then room under every other one


def tick(bound: float) -> str:
    """Write a bound as short as can be.

    >>> [tick(bound) for bound in (0.5, 5, 2500, 1e6, math.inf)]
    ['0.5', '5', '2.5k', '1M', '∞']
    """
    if math.isinf(bound):
        return "∞"
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if bound >= size:
            return f"{bound / size:g}{letter}"
    return f"{bound:g}"


def histogram(
    bounds: Sequence[float], counts: Sequence[int], *, title: str, path: str, say: Words = tick
) -> Html:
    """Draw how many there are up to each bound, and above the bound before it.

    Parameters
    ----------
    bounds : sequence of float
        The upper bounds, rising; the last may be infinite.
    counts : sequence of int
        As many, each of its own column only.
    title : str
        What is counted, and in which unit.
    path : str
        Where the numbers are in Python.
    say : callable
        Writes a bound, shortly.
    """
    width, most = 100 / len(bounds), max(map(number, counts), default=0) or 1
    foot = TOP + TALLEST
    parts: list[Html] = []
    for i, times in enumerate(counts):
        tall = math.ceil(TALLEST * number(times) / most)
        middle = f"{(i + 0.5) * width:.2f}%"
        parts += [
            h(
                "rect",
                "agl-column",
                x=f"{(i + GAP / 2) * width:.2f}%",
                y=str(foot - max(tall, 1)),
                width=f"{(1 - GAP) * width:.2f}%",
                height=str(max(tall, 1)),
                fill="currentColor",
                rx="1",
            )(h("title")(f"{span(bounds, i, say)}: {count(times)}")),
            _text("agl-count", middle, foot - tall - 4)(count(times) if times else ""),
            _text(tick_class(i, len(counts)), middle, foot + 13)(under(bounds, i, say)),
        ]
    told = f"{title}: " + ", ".join(
        f"{span(bounds, i, say)} {count(times)}" for i, times in enumerate(counts) if times
    )
    box = {"role": "img", "width": "100%", "height": str(foot + BELOW)}
    return h("figure", "agl-plot", title=path)(
        h("figcaption", "agl-small")(title), h("svg", **box)(h("title")(told), *parts)
    )


def tick_class(i: int, columns: int) -> str:
    """Give the class of what stands under a column: of many, every other one may be left out."""
    return "agl-tick odd" if columns > MANY and i % 2 else "agl-tick"


def _text(cls: str, x: str, y: int) -> Callable[..., Html]:
    how = {"text-anchor": "middle", "fill": "currentColor", "font-size": "11"}
    return h("text", cls, x=x, y=str(y), **how)


def numbers(
    bounds: Sequence[float], counts: Sequence[int], *, path: str, say: Words = tick
) -> Html:
    """Give the numbers of a histogram as a table, one click away."""
    cells = [(span(bounds, i, say), count(times)) for i, times in enumerate(counts)]
    told = table(f"each without those above it: {path}", COLUMNS, cells, path=path)
    return fold("the columns as a table", told)


def under(bounds: Sequence[float], i: int, say: Words) -> str:
    """Write what stands under a column: its bound, or that it has none."""
    return f">{say(bounds[i - 1])}" if i and math.isinf(bounds[i]) else say(bounds[i])


def span(bounds: Sequence[float], i: int, say: Words) -> str:
    """Say in words what a column holds."""
    if math.isinf(bounds[i]):
        return f"above {say(bounds[i - 1])}" if i else "all"
    return f"up to {say(bounds[i])}"
