"""GraphStore: a typed directed graph, with what can be measured of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from agentlab.core.errors import GraphError
from agentlab.graph import algorithms
from agentlab.graph.base import Graph
from agentlab.graph.entities import Entity, Relationship
from agentlab.graph.snapshot import Snapshot

if TYPE_CHECKING:
    from typing import Self


class GraphStore(Graph[Relationship]):
    """Entities, and relationships between those that are there.

    An agent's runs count its entities (``AgentRuntime(graph=…)``), and its tools can ask it (see
    :meth:`query_tool`).

    >>> graph = GraphStore()
    >>> for name in "abc": graph.add_entity(Entity(name, "letter"))
    >>> graph.add_relationship(Relationship("a", "b", "next", 1))
    >>> graph.add_relationship(Relationship("b", "c", "next", 1))
    >>> graph.shortest_path("a", "c")
    ['a', 'b', 'c']
    """

    edge_type: ClassVar[type[Relationship]] = Relationship

    def __repr__(self) -> str:
        named = f"{self.name!r} " if self.name else ""
        return (
            f"<GraphStore {named}{self.entity_count()} entities,"
            f" {self.relationship_count()} relationships>"
        )

    def get_entity(self, entity_id: str) -> Entity:
        """Give an entity.

        Raises
        ------
        GraphError
            It is not there.
        """
        return self._known(entity_id)

    def add_relationship(self, relationship: Relationship) -> None:
        """Add a relationship.

        Raises
        ------
        GraphError
            An entity at its ends is not there, or there is such a relationship already.
        """
        self._add(relationship)

    def remove_relationship(self, from_: str, to: str, kind: str) -> Relationship:
        """Take a relationship out, and give it.

        Raises
        ------
        GraphError
            It is not there.
        """
        with self._lock:
            key = self._ends(from_, to, kind)
            found = self._edges[key]
            self._drop(key)
        return found

    def relationship_count(self) -> int:
        """Count the relationships."""
        return len(self._edges)

    def entities(self) -> list[Entity]:
        """List the entities in the order they were added."""
        return self.held()[0]

    def relationships(self) -> list[Relationship]:
        """List the relationships in the order they were added."""
        return self.held()[1]

    def neighbors(self, entity_id: str) -> list[str]:
        """List the ids an entity leads to, each once, in the order of the edges.

        Raises
        ------
        GraphError
            It is not there.
        """
        with self._lock:
            self._known(entity_id)
            return list(dict.fromkeys(key[1] for key in self._out.get(entity_id, ())))

    def bfs(self, start: str) -> list[str]:
        """List the ids that can be reached, nearest first, without the start.

        Raises
        ------
        GraphError
            The start is not there.
        """
        graph, i = self._from(start)
        return [graph.names[j] for j in algorithms.reach(graph, i)[1:]]

    def dfs(self, start: str) -> list[str]:
        """List the ids that can be reached, each before those behind it, without the start.

        Raises
        ------
        GraphError
            The start is not there.
        """
        graph, i = self._from(start)
        return [graph.names[j] for j in algorithms.preorder(graph, i)[1:]]

    def transitive_closure(self, start: str) -> set[str]:
        """Give the ids that can be reached, with the start.

        Raises
        ------
        GraphError
            The start is not there.
        """
        graph, i = self._from(start)
        return {graph.names[j] for j in algorithms.reach(graph, i)}

    def shortest_path(self, from_: str, to: str) -> list[str] | None:
        """Give the ids along a path of the fewest edges, both ends included, or None.

        Raises
        ------
        GraphError
            An end is not there.
        """
        graph, i, j = self._between(from_, to)
        path = algorithms.hops(graph, i, j)
        return None if path is None else [graph.names[each] for each in path]

    def shortest_path_weighted(self, from_: str, to: str) -> tuple[list[str], float] | None:
        """Give the ids along a path of the least weight, and that weight, or None.

        Raises
        ------
        GraphError
            An end is not there, or some weight in the graph is negative.
        """
        graph, i, j = self._between(from_, to)
        if (edge := graph.negative) is not None:
            tail, head, kind = edge.ends
            raise GraphError(
                f"negative weight {edge.weight} of '{kind}' from '{tail}' to '{head}':"
                " the lightest path is only found where there is none"
            )
        found = algorithms.cheapest(graph, i, j)
        return None if found is None else ([graph.names[each] for each in found[0]], found[1])

    def path_exists(self, from_: str, to: str) -> bool:
        """Tell whether ``to`` can be reached.

        Raises
        ------
        GraphError
            An end is not there.
        """
        return self.shortest_path(from_, to) is not None

    def subgraph(self, ids: Iterable[str]) -> Self:
        """Give these entities, and the relationships between them, as a graph of its own.

        Raises
        ------
        GraphError
            One is not there.
        """
        with self._lock:
            chosen = {each: self._known(each) for each in dict.fromkeys(ids)}
            between = [
                edge for edge in self._edges.values() if edge.from_ in chosen and edge.to in chosen
            ]
        return self.made(chosen.values(), between, **self.settings())

    def _add(self, edge: Relationship) -> None:
        key = edge.ends
        with self._lock:
            if key[0] not in self._entities or key[1] not in self._entities:
                self._known(key[0], "source")
                self._known(key[1], "target")
            before = len(self._edges)
            self._edges.setdefault(key, edge)
            if len(self._edges) == before:
                raise GraphError(
                    f"Relationship '{edge.kind}' from '{edge.from_}' to '{edge.to}' already exists"
                )
            self._changed(key)

    def _from(self, start: str) -> tuple[Snapshot, int]:
        with self._lock:
            self._known(start, "start")
            graph = self.snapshot()
        return graph, graph.index[start]

    def _between(self, from_: str, to: str) -> tuple[Snapshot, int, int]:
        with self._lock:
            self._known(from_, "source")
            self._known(to, "target")
            graph = self.snapshot()
        return graph, graph.index[from_], graph.index[to]
