"""Pictures of who hears whom: agents, the lines between them, and how much went over each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agentlab.display.drawings import HUES, lines, short, text
from agentlab.display.html import Html, h
from agentlab.display.labels import Circle, edge_labels, node_labels
from agentlab.display.words import count, gist, plural

WIDE, SIDE = 100.0, 13.0  # percent, and what is left free at the sides
TALL = ((2, 74), (5, 150), (9, 200), (10**9, 280))  # up to how many agents, how high, in pixels
TOP, BOTTOM = 18, 30
FAILED = 4  # the hue of errors


class Actor(NamedTuple):
    """An agent as it is drawn: its name, its hue, and what a pointer is told."""

    name: str
    hue: int
    told: str


def topology(  # noqa: PLR0913 - each is said once
    actors: Sequence[Actor],
    links: Mapping[tuple[str, str], int],
    *,
    centre: str = "",
    title: str,
    legend: str,
    path: str,
) -> Html:
    """Draw agents, the one in the centre amid the others, and how many messages went where."""
    names = [actor.name for actor in actors]
    tall = height(len(actors))
    circles = places(names, centre, tall)
    at = {name: i for i, name in enumerate(names)}
    pairs = {
        (at[a], at[b]): times for (a, b), times in links.items() if a in at and b in at and a != b
    }
    both = dict[tuple[int, int], int]()
    for (i, j), times in pairs.items():
        both[min(i, j), max(i, j)] = both.get((min(i, j), max(i, j)), 0) + times
    labels = node_labels(circles, [short(name) for name in names], tall)
    said = [(i, j, count(times)) for (i, j), times in both.items()]
    edges = edge_labels(circles, said, labels.values())
    box = {"role": "img", "width": "100%", "height": str(tall)}
    told = f"{title}: " + ", ".join(f"{a} to {b} {n}" for (a, b), n in [*links.items()][:12])
    return h("figure", "agl-plot", title=path)(
        h("svg", **box)(
            h("title")(told),
            *lines(circles, dict.fromkeys(pairs, 1), directed=bool(pairs)),
            *(dot(actor, circle) for actor, circle in zip(actors, circles, strict=True)),
            *map(text, [*labels.values(), *edges]),
        ),
        h("figcaption", "agl-small")(legend),
    )


def height(agents: int) -> int:
    """Tell how high a picture of so many agents is, in pixels."""
    return next(tall for most, tall in TALL if agents <= most)


def places(names: Sequence[str], centre: str, tall: int) -> list[Circle]:
    """Give each agent its place: round an ellipse, from the left on, and one in its middle."""
    middle = centre in names and len(names) > 2  # noqa: PLR2004
    around = [name for name in names if not (middle and name == centre)]
    high = (tall - TOP - BOTTOM) / 2
    found = dict[str, Circle]()
    for i, name in enumerate(around):
        turn = math.pi + 2 * math.pi * i / max(len(around), 1)
        if len(around) > 2:  # noqa: PLR2004
            turn += math.pi / len(around)
        x = WIDE / 2 + (WIDE / 2 - SIDE) * math.cos(turn)
        found[name] = Circle(round(x, 1), round(TOP + high + high * math.sin(turn), 1), 8.0)
    if middle:
        found[centre] = Circle(WIDE / 2, TOP + high, 10.0)
    return [found[name] for name in names]


def dot(actor: Actor, circle: Circle) -> Html:
    """Draw an agent."""
    at = {"cx": f"{circle.x:g}%", "cy": f"{circle.y:g}", "r": f"{circle.r:g}"}
    cls = f"agl-nodes agl-g{min(actor.hue, HUES)}"
    return h("g", cls, fill="currentColor")(
        h("circle", **at)(h("title")(f"{gist(actor.name, 60)}: {gist(actor.told, 120)}, "))
    )


def heard(sent: int, received: int) -> str:
    """``3 sent, 1 heard``."""
    return f"{count(sent)} sent, {count(received)} heard"


def left_out(total: int, shown: int, path: str) -> str:
    """Say how many agents are not drawn."""
    return f"{plural(total - shown, 'more agent')}: {path}"
