"""Pictures of graphs: nodes, what joins them, and what they are called.

Everything across is in percent and everything down in pixels, as in :mod:`agentlab.display.charts`,
so that letters keep their size; no two labels meet, in a narrow cell either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from agentlab.display.html import ODD, Html, h
from agentlab.display.labels import Circle, Label, edge_labels, node_labels
from agentlab.display.words import gist, plural
from agentlab.graph.algorithms import central
from agentlab.graph.communities import communities
from agentlab.graph.layout import Place, fitted, layout
from agentlab.graph.snapshot import Snapshot

HUES = 5  # communities with a colour of their own
EASY = 20_000  # edges whose communities are found while one waits
TOGETHER = 300  # nodes that are laid out although only some are drawn: these are as in the whole
DENSE = 2.5  # edges a node, drawn
CROWD = 60  # nodes; more are drawn smaller
FEW = 40  # edges that may say what they are
DIRECTED = 150  # edges whose direction can be seen
# Up to how many nodes a picture is how high, in pixels, and how much is left free at its sides.
SIZES = ((4, 150, 25.0), (12, 240, 14.0), (40, 330, 9.0), (10**9, 430, 7.0))
TOP, BOTTOM, LOWEST = 24, 28, 60  # pixels: round the nodes, and from the first down to the last


class Drawn(NamedTuple):
    """What the picture shows: nodes by number, the best connected first."""

    graph: Snapshot
    titles: list[str]
    degrees: list[int]
    places: Sequence[tuple[float, float]]
    groups: list[int]  # a community each, the largest is 0
    names: list[str]  # of the communities
    sizes: list[int]  # likewise; those of one come last
    many: int  # communities of more than one, also those that are not drawn


def drawn_of(whole: Snapshot, titles: Mapping[str, str], most: int) -> Drawn:
    """Choose what to draw, and where; of a very large graph the communities of what is drawn."""
    part, chosen = whole.once(("part", most), lambda: _part(whole, most))
    if len(whole.edges) <= EASY:
        of = communities(whole, "louvain", 0)
        homes, sizes = [of[i] for i in chosen], Counter(of)
    else:
        homes = communities(part, "louvain", 0)
        sizes = Counter(homes)
    drawn = Counter(homes)  # in order, and so of equals that with the best connected member first
    ranked = sorted(drawn, key=lambda each: (sizes[each] == 1, -drawn[each]))
    called = [titles.get(name, name) for name in part.names]
    places: Sequence[Place] = layout(whole if laid_out(whole, most) else part, 0)
    if laid_out(whole, most):
        places = [places[i] for i in chosen]
    return Drawn(
        part,
        called,
        [whole.degrees[i] for i in chosen],
        places if len(part) == len(whole) else fitted(places),
        [ranked.index(each) for each in homes],
        [called[homes.index(each)] for each in ranked],
        [sizes[each] for each in ranked],
        sum(size > 1 for size in sizes.values()),
    )


def laid_out(whole: Snapshot, most: int) -> bool:
    """Tell whether all of a graph is laid out, however few are drawn.

    Of larger ones what is best connected would lie in a heap.
    """
    return len(whole) <= max(most, TOGETHER)


def _part(whole: Snapshot, most: int) -> tuple[Snapshot, list[int]]:
    chosen = sorted(central(whole, most), key=lambda i: (-whole.degrees[i], i))
    return Snapshot([whole.names[i] for i in chosen], whole.edges), chosen


def picture(drawn: Drawn, title: str) -> Html:
    """Draw the nodes, what joins them, and what they are called."""
    circles, tall = placed(drawn)
    pairs, kinds = joined(drawn.graph, int(DENSE * len(circles)) + 20)
    names = node_labels(circles, [short(each) for each in drawn.titles], tall)
    said = [(*ends, short(kinds[ends])) for ends in pairs] if len(pairs) <= FEW else []
    labels = [*names.values(), *edge_labels(circles, said, names.values())]
    directed = 0 < len(pairs) <= DIRECTED
    told = (
        f"{title}; the best connected: {', '.join(gist(each, 40) for each in drawn.titles[:5])}. "
    )
    say = ["size: links"]
    if drawn.many > 1:
        say.append("colour: community")
    if directed:
        say.append("a line is darker where it leads")
    box = {"role": "img", "width": "100%", "height": str(tall)}
    return h("figure", "agl-plot", title="graph.layout()")(
        h("svg", **box)(
            h("title")(told),
            *lines(circles, pairs, directed=directed),
            *dots(drawn, circles, {i for i, label in names.items() if not label.roomy}),
            *map(text, labels),
        ),
        h("figcaption", "agl-small")(" · ".join(say)),
    )


def dots(drawn: Drawn, circles: Sequence[Circle], named: Collection[int]) -> list[Html]:
    """Draw the nodes, each community together; those that no label names say what they are."""
    groups: dict[int, list[Html]] = {}
    for i, circle in enumerate(circles):
        at = {"cx": f"{circle.x:.1f}%", "cy": f"{circle.y:.0f}", "r": f"{circle.r:g}"}
        told = f"{gist(drawn.titles[i], 60)}: {plural(drawn.degrees[i], 'link')}, "
        dot = h("circle", **at)(None if i in named else h("title")(told))
        group = drawn.groups[i]
        hue = min(group, HUES) if drawn.sizes[group] > 1 else HUES
        groups.setdefault(hue, []).append(dot)
    return [
        h("g", f"agl-nodes agl-g{hue}", fill="currentColor")(*each)
        for hue, each in sorted(groups.items())
    ]


def placed(drawn: Drawn) -> tuple[list[Circle], int]:
    """Give each node its circle, and the height of the picture, which leaves no room empty."""
    n, most = len(drawn.places), max(drawn.degrees, default=0) or 1
    _, height, margin = next(size for size in SIZES if n <= size[0])
    ys = [y for _, y in drawn.places]
    high, used = min(ys), max(ys) - min(ys)
    free = max(LOWEST, round(used * (height - TOP - BOTTOM)))
    largest = 11 if n <= CROWD else 8
    circles = [
        Circle(
            margin + x * (100 - 2 * margin),
            TOP + free * ((y - high) / used if used * free > 1 else 0.5),
            round(3 + largest * (drawn.degrees[i] / most) ** 0.5, 1),
        )
        for i, (x, y) in enumerate(drawn.places)
    ]
    return circles, TOP + free + BOTTOM


def joined(
    graph: Snapshot, most: int
) -> tuple[dict[tuple[int, int], int], dict[tuple[int, int], str]]:
    """Give which nodes are joined, by how many edges, and what the first says; loops too."""
    pairs: dict[tuple[int, int], int] = {}
    kinds: dict[tuple[int, int], str] = {}
    for edge, i, j in zip(graph.edges, graph.tails, graph.heads, strict=True):
        if (i, j) in pairs or len(pairs) < most:
            pairs[i, j] = pairs.get((i, j), 0) + 1
            kinds.setdefault((i, j), edge.kind.replace("_", " "))
    return pairs, kinds


def lines(
    circles: Sequence[Circle], pairs: Mapping[tuple[int, int], int], *, directed: bool
) -> list[Html]:
    """Draw what joins the nodes; a loop is a ring at its node."""
    faint, strong, rings = [], [], []
    for (i, j), times in pairs.items():
        a, b = circles[i], circles[j]
        wide = {"stroke-width": "2"} if times > 1 else {}
        if i == j:
            at = {"cx": f"{a.x:.1f}%", "cy": f"{a.y - a.r - 3:.0f}", "r": "5"}
            rings.append(h("circle", **at, **wide)())
            continue
        ends = {"x2": f"{b.x:.1f}%", "y2": f"{b.y:.0f}"}
        if directed:
            middle = {"x1": f"{(a.x + b.x) / 2:.1f}%", "y1": f"{(a.y + b.y) / 2:.0f}"}
            strong.append(h("line", **middle, **ends, **wide)())
            ends = {"x2": middle["x1"], "y2": middle["y1"]}
        faint.append(h("line", x1=f"{a.x:.1f}%", y1=f"{a.y:.0f}", **ends, **wide)())
    stroke = {"stroke": "currentColor", "fill": "none"}
    return [
        h("g", **stroke, **{"stroke-opacity": opacity})(*each)
        for opacity, each in ((".22", faint), (".5", strong), (".4", rings))
        if each
    ]


def short(name: str) -> str:
    """Give a name as it may stand in the picture: what cannot be seen takes one letter's room."""
    return ODD.sub("\N{REPLACEMENT CHARACTER}", gist(name, 24))


def text(label: Label) -> Html:
    """Write a label where it was found room for."""
    cls = " ".join(
        ["agl-halo", *(["agl-tick"] if label.dim else []), *(["agl-roomy"] if label.roomy else [])]
    )
    at = {"x": f"{label.x:.1f}%", "y": f"{label.y:.0f}", "text-anchor": label.anchor}
    if label.dx:
        at["dx"] = f"{label.dx:g}"
    return h("text", cls, **at, **{"font-size": "11", "fill": "currentColor"})(label.text, " ")
