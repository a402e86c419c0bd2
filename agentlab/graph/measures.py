"""What can be measured of a graph: how central its entities are, which belong together, where."""

from __future__ import annotations

from typing import Any

import msgspec

from agentlab.core.bounds import at_least_one
from agentlab.core.doors import Displayable
from agentlab.core.portable import Portable
from agentlab.graph import algorithms
from agentlab.graph.betweenness import betweenness
from agentlab.graph.communities import ROUNDS, Method, communities, propagate, renumbered
from agentlab.graph.entities import Entity
from agentlab.graph.holding import E, Holding
from agentlab.graph.layout import layout
from agentlab.graph.snapshot import Snapshot


class EntityRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """An entity as a row: what it is, and how it is connected."""

    id: str
    label: str
    links_in: int
    links_out: int
    community: int
    properties: dict[str, Any]


class Measured(Holding[E]):
    """A graph that can be measured."""

    def degree_centrality(self) -> dict[str, float]:
        """Give for each entity, by id, its edges in and out as a share of the others: n - 1."""
        graph = self.snapshot()
        others = len(graph) - 1
        return _by_id(graph, [each / others if others > 0 else 0.0 for each in graph.degrees])

    def betweenness_centrality(self, *, normalized: bool = True) -> dict[str, float]:
        """Give for each entity, by id, how many shortest paths of others lead through it.

        Parameters
        ----------
        normalized : bool
            As a share of the pairs of others, (n - 1)(n - 2), or as a number.

        Notes
        -----
        Edges count as one step whatever their weight, and parallel ones as one. igraph (the extra
        ``graph``) is many times as quick where it is installed; the figures are the same but for
        their last digits.
        """
        graph = self.snapshot()
        shares = graph.once(
            ("betweenness", normalized), lambda: betweenness(graph, normalized=normalized)
        )
        return _by_id(graph, shares)

    def label_propagation_communities(self, max_iterations: int = ROUNDS) -> dict[str, int]:
        """Give the number of each community, by id: a label is that of most neighbours.

        Parameters
        ----------
        max_iterations : int
            How often all of them are gone through at most.

        Notes
        -----
        Two dense groups that one edge joins may become one: :meth:`communities` keeps them apart.
        """
        graph = self.snapshot()
        rounds = at_least_one("max_iterations", max_iterations)
        return _by_id(graph, renumbered(graph, propagate(graph, rounds)))

    def communities(self, method: Method = "louvain", seed: int = 0) -> dict[str, int]:
        """Give the number of each one's community, by id; the smallest id is in number 0.

        Parameters
        ----------
        method : {"louvain", "leiden", "label_propagation"}
            How; ``leiden`` needs igraph, the extra ``graph``.
        seed : int
            In which order things are tried. Equal seeds give equal answers, whatever is installed;
            those of ``leiden`` are as its version of igraph has them.
        """
        graph = self.snapshot()
        return _by_id(graph, communities(graph, method, seed))

    def detect_cycles(self) -> bool:
        """Tell whether some edges lead round in a ring."""
        return self.find_cycle() is not None

    def find_cycle(self) -> list[str] | None:
        """Give the ids along a ring, from the last of which an edge leads to the first, or None."""
        graph = self.snapshot()
        ring = algorithms.cycle(graph)
        return None if ring is None else [graph.names[i] for i in ring]

    def central(self, limit: int) -> list[str]:
        """Give the ids of the best connected entities, so that they hang together."""
        graph = self.snapshot()
        return [graph.names[i] for i in algorithms.central(graph, at_least_one("limit", limit))]

    def layout(self, seed: int = 0) -> dict[str, tuple[float, float]]:
        """Give a place for each entity, in a square of side 1, by the order they were added.

        What is related is near. Equal graphs and seeds give equal places, in every process.
        """
        graph = self.snapshot()
        return dict(zip(graph.names, layout(graph, seed), strict=True))

    def rows(self) -> list[EntityRow]:
        """Give a row an entity, in the order they were added."""
        graph, found = self.snapshot(), self.communities()
        with self._lock:
            held = [self._entities.get(name, Entity(name)) for name in graph.names]
        count_in, count_out = [0] * len(graph), [0] * len(graph)
        for i, j in zip(graph.tails, graph.heads, strict=True):
            count_out[i] += 1
            count_in[j] += 1
        return [
            EntityRow(
                each.id, each.label, count_in[i], count_out[i], found.get(each.id, 0),
                each.properties,
            )
            for i, each in enumerate(held)
        ]  # fmt: skip


def _by_id(graph: Snapshot, values: list[Any]) -> dict[str, Any]:
    return {graph.names[i]: values[i] for i in graph.by_id}
