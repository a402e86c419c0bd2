"""Where the parts of a chart go, as a flow: one below the other, side by side, within each other.

All of it is in pixels, so that letters keep their size; what is wide scrolls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from agentlab.core.events import Charted, Edge, Node
from agentlab.core.secrets import scrub
from agentlab.display.html import ODD
from agentlab.display.labels import BROAD, across
from agentlab.display.words import gist

WIDE, TALL = 152, 40  # a box
LOW = 28  # one with a single line
ACROSS, DOWN = 14, 24  # between boxes
EDGE = 4  # round all of it
BACK = 18  # what leads back, beside its loop
ROUND = 6
LETTER, SMALL = 6.8, 6.4  # pixels across of most letters: of 12 px and bold, of 11 px
LEFT, PLAIN = 26, 12  # where a label begins in its box: after a mark, or without one
MOST, DEEPEST = 120, 66  # parts that are drawn; that are within each other

Point = tuple[float, float]


class Box(NamedTuple):
    """A part, by its number, where it is, and the line round it."""

    no: int
    x: float
    y: float
    wide: float
    tall: float
    outline: str


class Sign(NamedTuple):
    """A word beside a line."""

    text: str
    x: float
    y: float


class Flow(NamedTuple):
    """A picture: how large, its boxes, and what leads from one to another, there and back."""

    wide: float
    tall: float
    boxes: list[Box]
    ways: str
    back: str
    heads: str
    signs: list[Sign]


@dataclass
class Piece:
    """Parts that are placed among themselves; ``x`` is where one comes in above, and leaves below.

    ``boxes`` are parts and where they are, ``ways`` lines through points, ``back`` those that lead
    back; ``tips`` are where arrows end.
    """

    wide: float
    tall: float
    x: float
    boxes: list[tuple[int, float, float, float]] = field(default_factory=list)
    ways: list[list[Point]] = field(default_factory=list)
    back: list[list[Point]] = field(default_factory=list)
    tips: list[Point] = field(default_factory=list)
    signs: list[Sign] = field(default_factory=list)
    moves: list[tuple[Piece, float, float]] = field(default_factory=list)

    def put(self, other: Piece, dx: float, dy: float) -> None:
        """Take another in, at a place."""
        self.moves.append((other, dx, dy))

    def all(self, dx: float = 0.0, dy: float = 0.0) -> Iterator[tuple[Piece, float, float]]:
        """Go through all pieces, each with where it is."""
        yield self, dx, dy
        for other, x, y in self.moves:
            yield from other.all(dx + x, dy + y)

    def lead(self, points: Sequence[Point], label: str = "", *, arrow: bool = True) -> None:
        """Lead through points, the last of which is below the one before."""
        (x, y) = points[-1]
        self.ways.append([*points[:-1], (x, y - 3 * arrow)])
        if arrow:
            self.tips.append((x, y))
        if label:
            self.signs.append(Sign(label, x + 6, y - 3))


def flow_of(plan: Charted) -> Flow | None:
    """Place the parts of a chart; None where there are too many, or they are not in each other."""
    nodes = plan.nodes
    within: dict[str | None, list[int]] = {}
    for i, node in enumerate(nodes):
        within.setdefault(node.parent, []).append(i)
    sound = len({node.id for node in nodes}) == len(nodes) and levels(nodes) is not None
    if not 0 < len(nodes) <= MOST or not sound:
        return None
    return finished(Layout(nodes, plan.edges, within).inside(None), nodes)


def finished(whole: Piece, nodes: Sequence[Node]) -> Flow:
    """Draw all pieces where they are."""
    flow = Flow(whole.wide + 2 * EDGE, whole.tall + 2 * EDGE, [], "", "", "", [])
    ways, back, heads = list[str](), list[str](), list[str]()
    for piece, dx, dy in whole.all(EDGE, EDGE):
        for index, x, y, tall in piece.boxes:
            outline = outlined(nodes[index], x + dx, y + dy, tall)
            flow.boxes.append(Box(index, x + dx, y + dy, WIDE, tall, outline))
        ways += [through(points, dx, dy) for points in piece.ways]
        for points in piece.back:
            back.append(through(points, dx, dy))
            x, y = points[-1][0] + dx, points[-1][1] + dy
            heads.append(f"M{x:g} {y:g}l7 -4v8z")
        heads += [f"M{x + dx:g} {y + dy:g}l-4 -7h8z" for x, y in piece.tips]
        flow.signs.extend(Sign(text, x + dx, y + dy) for text, x, y in piece.signs)
    flow.boxes.sort()
    return flow._replace(ways="".join(ways), back="".join(back), heads="".join(heads))


def through(points: Sequence[Point], dx: float, dy: float) -> str:
    """Draw a line through points."""
    return "M" + "L".join(f"{x + dx:g} {y + dy:g}" for x, y in points)


def levels(nodes: Sequence[Node]) -> list[int] | None:
    """Tell how deep each part is; None where one is within itself, or in what is not there."""
    above = {node.id: node.parent for node in nodes}
    known: list[int] = []
    for node in nodes:
        depth, at = 0, node.parent
        while at is not None:
            depth, at = depth + 1, above.get(at, at)
            if depth > DEEPEST:
                return None
        known.append(depth)
    return known


class Layout:
    """Places parts, those within another first."""

    def __init__(
        self, nodes: Sequence[Node], edges: Iterable[Edge], within: Mapping[str | None, list[int]]
    ) -> None:
        self.nodes, self.within = nodes, within
        self.place = {node.id: i for i, node in enumerate(nodes)}
        self.labels = {(e.source, e.target): e.label for e in edges}

    def inside(self, parent: str | None) -> Piece:
        """Place what is directly within a part, or in nothing."""
        chosen = self.within.get(parent, [])
        layers = self.layers(chosen)
        placed = {i: self.one(i) for i in chosen}
        rows = [row(placed[i] for i in layer) for layer in layers]
        wide = max((each.wide for each in rows), default=0.0)
        middle = max((each.x for each in rows), default=0.0)
        right = max((each.wide - each.x for each in rows), default=0.0)
        piece = Piece(max(wide, middle + right), 0, middle)
        at: dict[int, tuple[float, float, Piece]] = {}
        for layer, each in zip(layers, rows, strict=True):
            y, dx = piece.tall + (DOWN if piece.tall else 0), middle - each.x
            for i, (part, x, _) in zip(layer, each.moves, strict=True):
                piece.put(part, dx + x, y)
                at[i] = dx + x + part.x, y, part
            piece.tall = y + each.tall
        for (source, target), label in self.labels.items():
            i, j = self.place.get(source, -1), self.place.get(target, -1)
            if i in at and j in at and i != j:
                (x, y, part), (to_x, to_y, _) = at[i], at[j]
                piece.lead(elbow((x, y + part.tall), (to_x, to_y)), label)
        return piece

    def layers(self, chosen: Sequence[int]) -> list[list[int]]:
        """Put parts below those that lead to them; what leads in a circle is cut somewhere."""
        ids = {self.nodes[i].id for i in chosen}
        before: dict[int, set[int]] = {i: set() for i in chosen}
        for source, target in self.labels:
            if source in ids and target in ids and source != target:
                before[self.place[target]].add(self.place[source])
        found: list[list[int]] = []
        done: set[int] = set()
        while len(done) < len(before):
            free = [i for i in chosen if i not in done and before[i] <= done]
            free = free or [next(i for i in chosen if i not in done)]
            found.append(free)
            done.update(free)
        return found

    def one(self, index: int) -> Piece:
        """Place a part, with what is in it."""
        node = self.nodes[index]
        if node.kind == "pass" and not self.within.get(node.id):
            return Piece(2 * BACK, 0, BACK)
        tall = LOW if node.kind == "parallel" else TALL
        if self.within.get(node.id):
            return self.headed(index, tall)
        return Piece(WIDE, tall, WIDE / 2, [(index, 0, 0, tall)])

    def headed(self, index: int, tall: float) -> Piece:
        """Place a part above what is in it, and lead there and away again."""
        node = self.nodes[index]
        inner, loop = self.inside(node.id), node.kind == "loop"
        left = max(0.0, WIDE / 2 - inner.x)
        x, top = inner.x + left, tall + DOWN
        bottom = top + inner.tall + DOWN / 2
        wide = max(left + inner.wide, x + WIDE / 2) + BACK * loop
        piece = Piece(wide, bottom, x, [(index, x - WIDE / 2, 0, tall)])
        piece.put(inner, left, top)
        layers = self.layers(self.within[node.id])
        order = [i for layer in layers for i in layer]
        ends = {
            i: (left + dx + part.x, top + dy, part.tall)
            for i, (part, dx, dy) in zip(order, inner.moves, strict=True)
        }
        for i in layers[0]:
            label = self.labels.get((node.id, self.nodes[i].id), "")
            to, arrow = ends[i], self.nodes[i].kind != "pass"
            piece.lead(elbow((x, tall), to[:2]), label, arrow=arrow)
        for i in layers[-1]:
            at, y, height = ends[i]
            piece.ways.append([(at, y + height), (at, bottom), (x, bottom)])
        if loop:
            side, mid = wide - BACK / 3, tall / 2
            end = (x + WIDE / 2, mid)
            piece.back.append([(x, bottom), (side, bottom), (side, mid), end])
        return piece


def row(pieces: Iterable[Piece]) -> Piece:
    """Put pieces side by side."""
    whole = Piece(0, 0, 0)
    for each in pieces:
        x = whole.wide + (ACROSS if whole.moves else 0)
        whole.put(each, x, 0)
        whole.wide, whole.tall = x + each.wide, max(whole.tall, each.tall)
    first, last = whole.moves[0], whole.moves[-1]
    whole.x = (first[1] + first[0].x + last[1] + last[0].x) / 2
    return whole


def elbow(start: Point, end: Point) -> list[Point]:
    """Go down, across and down."""
    (x, y), (to_x, to_y) = start, end
    if x == to_x:
        return [start, end]
    return [start, (x, y + DOWN / 2 - 2), (to_x, y + DOWN / 2 - 2), (to_x, to_y)]


def outlined(node: Node, x: float, y: float, tall: float) -> str:
    """Draw the line round a part: a choice is pointed, what has others in it is round."""
    mid, end = y + tall / 2, x + WIDE
    if node.kind == "branch":
        tip = 9
        return (
            f"M{x:g} {mid:g}L{x + tip:g} {y:g}H{end - tip:g}L{end:g} {mid:g}"
            f"L{end - tip:g} {y + tall:g}H{x + tip:g}z"
        )
    r = tall / 2 if node.kind in ("parallel", "loop") else ROUND
    side, flat = tall - 2 * r, WIDE - 2 * r
    turn = f"a{r:g} {r:g} 0 0 1 "
    return (
        f"M{x + r:g} {y:g}h{flat:g}{turn}{r:g} {r:g}v{side:g}{turn}{-r:g} {r:g}"
        f"h{-flat:g}{turn}{-r:g} {-r:g}v{-side:g}{turn}{r:g} {-r:g}z"
    )


def fitted(text: str, room: float = WIDE - LEFT - 8, letter: float = LETTER) -> str:
    """``text`` on one line that is no longer than there is room, in pixels."""
    line = ODD.sub("\N{REPLACEMENT CHARACTER}", scrub(gist(text, 60)))  # a part of a key is none
    used, whole = 0.0, 0
    for i, c in enumerate(line):
        used += across(c, letter)
        if used > room:
            return f"{line[:whole].rstrip()}…"
        if used + BROAD <= room:  # which the dots take
            whole = i + 1
    return line
