"""What the page of a :class:`GraphExplorer` is told: places, what is looked at, and all in words.

Entities and edges are numbers there, the best connected first; a graph that has changed is another
version of it, with numbers of its own.
"""

from __future__ import annotations

from typing import Any

from agentlab.display.drawings import SIZES, Drawn, drawn_of
from agentlab.display.graphs import EMPTY, words_of
from agentlab.display.parts import Room
from agentlab.display.words import count, gist, plural
from agentlab.graph.algorithms import hops
from agentlab.graph.base import Graph
from agentlab.graph.betweenness import betweenness
from agentlab.graph.entities import Edge, Entity
from agentlab.graph.snapshot import Snapshot
from agentlab.widgets.graph_messages import Arcs, Between, Gaze, Nodes, Plot
from agentlab.widgets.kinship import about_arc, about_node, tag_of
from agentlab.widgets.messages import Title
from agentlab.widgets.saying import said

MOST, DENSE = 5000, 20_000  # entities and edges that are drawn
LOT, PART = 1000, 5000  # that leave at once
EASY = 20_000_000  # nodes by nodes and edges: their betweenness is counted while one waits
NAME = 40  # letters a page may call itself by
SIZE = ("links", "betweenness")


class Atlas:
    """A graph as a page shows it, and what of it is looked at.

    Parameters
    ----------
    graph : Graph
        What is shown.
    """

    def __init__(self, graph: Graph[Any]) -> None:
        self.graph, self.version = graph, 0
        self.node = self.arc = self.focus = self.start = self.goal = -1
        self.path: list[int] | None = None
        self.forwards = True
        self.size, self.colour, self.labels = SIZE[0], True, True
        self.by, self.turn = "", 0
        self._lots = self._parts = 0  # pieces that the page was told of
        self._old = 0, 0  # that it has of versions before
        self._read()

    def _read(self) -> None:
        self._whole = self.graph.snapshot()
        self._entities = {each.id: each for each in self.graph.held()[0]}
        titles = {each.id: self.graph.title(each) for each in self._entities.values()}
        card = drawn_of(self._whole, titles, 12 * Room().ends)
        self.drawn = alike(drawn_of(self._whole, titles, MOST), card)
        self.part: Snapshot = self.drawn.graph
        self.arcs = min(len(self.part.edges), DENSE)
        self.between: list[float] | None = None
        n = len(self.part)
        if n * (n + len(self.part.edges)) <= EASY:
            self.measure()
        self._old = max(self._old[0], self._lots), max(self._old[1], self._parts)
        self._lots = self._parts = 0
        self._fresh = True
        self.version += 1

    def renew(self) -> bool:
        """Read the graph again if it has changed, and tell whether it has; what was looked at is.

        An entity that was replaced is told of as it is now.
        """
        if self.graph.snapshot() is self._whole:
            self._entities = {each.id: each for each in self.graph.held()[0]}
            return False
        names = self.part.names
        spots = ("node", "focus", "start", "goal")
        before = [names[i] if (i := getattr(self, each)) >= 0 else "" for each in spots]
        edge = self.edge()
        self._read()
        for spot, name in zip(spots, before, strict=True):
            setattr(self, spot, self.part.index.get(name, -1))
        ends = {each.ends: i for i, each in reversed(list(enumerate(self.part.edges)))}
        self.arc = ends.get(edge.ends, -1) if edge else -1
        self.connect(self.start, self.goal)
        return True

    def measure(self) -> None:
        """Count the betweenness, if nobody has: of what is drawn."""
        whole = self._whole if len(self.part) == len(self._whole) else self.part
        counted = whole.once(("betweenness", True), lambda: betweenness(whole, normalized=True))
        self.between = [counted[whole.index[name]] for name in self.part.names]

    def entity(self, no: int) -> Entity | None:
        """Give an entity by its number, as it is now."""
        if not 0 <= no < len(self.part):
            return None
        name = self.part.names[no]
        return self._entities.get(name, Entity(name))

    def edge(self) -> Edge | None:
        """Give the edge that is selected."""
        return self.part.edges[self.arc] if 0 <= self.arc < self.arcs else None

    def within(self, no: object, most: int | None = None) -> int:
        """Give a number that is one of them, or -1."""
        whole = isinstance(no, int) and not isinstance(no, bool)
        return no if whole and 0 <= no < (len(self.part) if most is None else most) else -1  # type: ignore[operator, return-value]

    def select(self, node: object, arc: object = -1) -> None:
        """Select an entity, or an edge, or nothing."""
        self.node, self.arc = self.within(node), self.within(arc, self.arcs)
        if self.node >= 0:
            self.arc = -1

    def open(self, node: object) -> None:
        """Look at the neighbourhood of an entity only; -1 is at all of them."""
        self.focus = self.within(node)
        if self.focus >= 0:
            self.select(self.focus)

    def connect(self, start: object, goal: object) -> None:
        """Find the shortest path between two: along the edges, or else also against them."""
        self.start, self.goal = self.within(start), self.within(goal)
        self.path, self.forwards = None, True
        if self.start >= 0 and self.goal >= 0:
            self.path = hops(self.part, self.start, self.goal)
            if self.path is None:
                self.forwards = False
                self.path = hops(self.part, self.start, self.goal, either_way=True)

    def draw(self, size: object, colour: object, labels: object) -> None:
        """Draw it otherwise."""
        self.size = str(size) if size in SIZE else self.size
        self.colour, self.labels = bool(colour), bool(labels)
        if self.size == SIZE[1] and self.between is None:
            self.measure()

    def more(self) -> bool:
        """Tell whether there is something to send at once."""
        return self._lots < self._pieces[0] or self._parts < self._pieces[1]

    @property
    def _pieces(self) -> tuple[int, int]:
        return -(-len(self.part) // LOT), -(-self.arcs // PART)

    def cells(self) -> dict[str, Any]:
        """Give what the page does not have yet, in pieces, and what is looked at."""
        cells: dict[str, Any] = {}
        if self._fresh:
            self._fresh = False
            lots, parts = self._pieces
            cells |= {f"n{i}": None for i in range(lots, self._old[0])}
            cells |= {f"e{i}": None for i in range(parts, self._old[1])}
            self._old = 0, 0
            cells |= {"plot": self._plot(), "title": self._title()}
        if self._lots < self._pieces[0]:
            cells[f"n{self._lots}"] = self._nodes(self._lots * LOT)
            self._lots += 1
        elif self._parts < self._pieces[1]:
            cells[f"e{self._parts}"] = self._edges(self._parts * PART)
            self._parts += 1
        if self.between is not None:
            values = [round(each, 5) for each in self.between]
            cells["between"] = Between(version=self.version, values=values)
        return {**cells, "gaze": self._gaze(), "about": self._about()}

    def _plot(self) -> Plot:
        drawn, whole = self.drawn, len(self._whole)
        words = words_of(self.graph)
        left = []
        if len(self.part) < whole:
            left.append(f"the {count(len(self.part))} best connected of {count(whole)} entities")
        if self.arcs < len(self.part.edges):
            left.append(
                f"{count(self.arcs)} of {count(len(self.part.edges))} {words.edge}s among them"
            )
        return Plot(
            version=self.version,
            nodes=len(self.part),
            arcs=self.arcs,
            lots=self._pieces[0],
            parts=self._pieces[1],
            kinds=[gist(each.replace("_", " "), 40) for each in self._kinds],
            groups=[gist(each, 40) for each in drawn.names],
            sizes=list(drawn.sizes),
            tall=next(height for most, height, _ in SIZES if len(self.part) <= most),
            note=f"Drawn are {' and '.join(left)}." if left else "",
            empty="" if len(self.part) else EMPTY.replace("`", ""),
        )

    @property
    def _kinds(self) -> dict[str, int]:
        """The kinds of edges, with a number each."""
        kinds = dict.fromkeys(each.kind for each in self.part.edges[: self.arcs])
        return {kind: i for i, kind in enumerate(kinds)}

    def _nodes(self, first: int) -> Nodes:
        drawn, some = self.drawn, range(first, min(first + LOT, len(self.part)))
        held = [self.entity(i) for i in some]
        return Nodes(
            version=self.version,
            names=[gist(drawn.titles[i], 60) for i in some],
            tags=[tag_of(self.graph, each) for each in held if each],
            xs=[drawn.places[i][0] for i in some],
            ys=[drawn.places[i][1] for i in some],
            links=[drawn.degrees[i] for i in some],
            groups=[drawn.groups[i] for i in some],
        )

    def _edges(self, first: int) -> Arcs:
        last, kinds = min(first + PART, self.arcs), self._kinds
        return Arcs(
            version=self.version,
            tails=self.part.tails[first:last],
            heads=self.part.heads[first:last],
            kinds=[kinds[each.kind] for each in self.part.edges[first:last]],
        )

    def _title(self) -> Title:
        words = words_of(self.graph)
        figures = [
            plural(len(self._whole), "entity", "entities"),
            plural(len(self._whole.edges), words.edge),
        ]
        if self.drawn.many > 1:
            figures.append(plural(self.drawn.many, "community", "communities"))
        return Title(
            kind=f"{words.kind} explorer",
            name=gist(self.graph.name, 80) or "unnamed",
            path="explorer.subject",
            hue="",
            word="",
            figures=figures,
        )

    def _gaze(self) -> Gaze:
        return Gaze(
            node=self.node,
            arc=self.arc,
            focus=self.focus,
            start=self.start,
            goal=self.goal,
            path=self.path or [],
            size=self.size,
            colour=self.colour,
            labels=self.labels,
            said=said(self),
            by=self.by,
            turn=self.turn,
        )

    def _about(self) -> Any:
        entity, edge = self.entity(self.node), self.edge()
        if entity:
            return about_node(self, entity)
        return about_arc(self, edge) if edge else None

    def name(self, no: int) -> str:
        """Give what an entity is called, shortly."""
        return gist(self.drawn.titles[no], 40)


def alike(drawn: Drawn, card: Drawn) -> Drawn:
    """Give the communities the numbers they have in the card, and so the hues."""
    place = dict(zip(card.graph.names, card.groups, strict=True))
    rank: dict[int, int] = {}
    for name, group in zip(drawn.graph.names, drawn.groups, strict=True):
        if name in place:
            rank.setdefault(group, place[name])
    last = len(drawn.names)
    order = sorted(range(last), key=lambda g: (drawn.sizes[g] == 1, rank.get(g, last), g))
    number = {group: i for i, group in enumerate(order)}
    return drawn._replace(
        groups=[number[group] for group in drawn.groups],
        names=[drawn.names[group] for group in order],
        sizes=[drawn.sizes[group] for group in order],
    )
