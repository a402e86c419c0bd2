"""KnowledgeGraph: what is known of things, and what relates them; to search and to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from agentlab.core.errors import InvalidValue
from agentlab.core.text import compact
from agentlab.graph import algorithms
from agentlab.graph.base import Graph
from agentlab.graph.entities import Entity, Relation

if TYPE_CHECKING:
    from typing import Self


class KnowledgeGraph(Graph[Relation]):
    """Entities and relations, which may name entities that nobody has described yet.

    >>> graph = KnowledgeGraph()
    >>> graph.add_entity(Entity("ada", "Ada").with_property("role", "engineer"))
    >>> graph.add_entity(Entity("bob", "Bob"))
    >>> graph.add_relation(Relation("ada", "bob", "knows"))
    >>> [entity.label for entity in graph.neighbors("ada")]
    ['Bob']
    >>> [entity.label for entity in graph.search("engineer")]
    ['Ada']

    Parameters
    ----------
    strict : bool
        Refuse a relation where an entity at its ends is not there.
    allow_parallel : bool
        Keep every relation of the same kind between the same two; else the last replaces, and so
        its weight counts.
    name : str
        What it is about; its card says so.
    """

    edge_type: ClassVar[type[Relation]] = Relation
    calls_by_label: ClassVar[bool] = True

    def __init__(
        self, *, strict: bool = False, allow_parallel: bool = False, name: str = ""
    ) -> None:
        super().__init__(name=name)
        self.strict, self.allow_parallel = strict, allow_parallel
        self._serial = 0  # tells parallel relations apart

    def __repr__(self) -> str:
        named = f"{self.name!r} " if self.name else ""
        return (
            f"<KnowledgeGraph {named}{self.entity_count()} entities,"
            f" {self.relation_count()} relations>"
        )

    def settings(self) -> dict[str, Any]:
        """Give what another like it is made with."""
        return {"strict": self.strict, "allow_parallel": self.allow_parallel, "name": self.name}

    def add_relation(self, relation: Relation) -> None:
        """Add a relation; one of its kind between the same two is replaced.

        Raises
        ------
        GraphError
            The graph is strict, and an entity at its ends is not there.
        """
        self._add(relation)

    def remove_relation(self, from_id: str, to_id: str, kind: str) -> list[Relation]:
        """Take the relations of this kind between these two out, and give them.

        Raises
        ------
        GraphError
            There is none.
        """
        with self._lock:
            first = self._ends(from_id, to_id, kind)
            keys = [key for key in self._out[first[0]] if key[:3] == first]
            found = [self._edges[key] for key in keys]
            for key in keys:
                self._drop(key)
        return found

    def entity(self, entity_id: str) -> Entity | None:
        """Give an entity, or None."""
        return self._entities.get(entity_id)

    def all_entities(self) -> list[Entity]:
        """List the entities in the order they were added."""
        return self.held()[0]

    def all_relations(self) -> list[Relation]:
        """List the relations in the order they were added."""
        return self.held()[1]

    def relation_count(self) -> int:
        """Count the relations."""
        return len(self._edges)

    def dangling(self) -> list[Relation]:
        """List the relations that name an entity which is not there."""
        entities, relations = self.held()
        known = {entity.id for entity in entities}
        return [each for each in relations if each.from_id not in known or each.to_id not in known]

    def neighbors(self, entity_id: str) -> list[Entity]:
        """List the entities that one leads to, each once; those not there are left out."""
        with self._lock:
            ids = dict.fromkeys(key[1] for key in self._out.get(entity_id, ()))
            return [self._entities[each] for each in ids if each in self._entities]

    def shortest_path(self, from_id: str, to_id: str) -> list[str] | None:
        """Give the ids along a path of the fewest relations, both ends included, or None.

        It leads through no entity that is not there, and to none.
        """
        graph = self.snapshot()
        if from_id not in graph.index or to_id not in graph.index:
            return None
        path = algorithms.hops(graph, graph.index[from_id], graph.index[to_id])
        return None if path is None else [graph.names[i] for i in path]

    def search(self, query: str) -> list[Entity]:
        """List the entities with ``query`` in their label or in the value of a property.

        Upper and lower case are one; an empty query finds nothing.
        """
        wanted = query.lower()
        if not wanted:
            return []
        return [
            each
            for each in self.all_entities()
            if wanted in each.label.lower()
            or any(wanted in as_text(value).lower() for value in each.properties.values())
        ]

    def subgraph(self, root: str, depth: int) -> Self:
        """Give what is within ``depth`` steps of ``root``, and all relations among that.

        Of an unknown root it is empty.
        """
        if not isinstance(depth, int) or isinstance(depth, bool) or depth < 0:
            raise InvalidValue(f"depth must be a whole number >= 0, got {depth!r}")
        with self._lock:
            level = [root] if root in self._entities else []
            chosen = dict.fromkeys(level)
            for _ in range(depth):
                nearby = (key[1] for each in level for key in self._out.get(each, ()))
                level = [
                    each for each in dict.fromkeys(nearby)
                    if each not in chosen and each in self._entities
                ]  # fmt: skip
                if not level:
                    break
                chosen |= dict.fromkeys(level)
            entities = [self._entities[each] for each in chosen]
            among = [e for e in self._edges.values() if e.from_id in chosen and e.to_id in chosen]
        return self.made(entities, among, **self.settings())

    def title(self, entity: Entity) -> str:
        """Give what an entity is called, or else its id."""
        return entity.label or entity.id

    def dot_label(self, entity: Entity) -> str:
        """Say what an entity is: its label, and a line a property."""
        lines = (f"{name}={as_text(value)}" for name, value in entity.properties.items())
        return "\n".join([entity.label, *lines])

    def _add(self, edge: Relation) -> None:
        key: tuple[Any, ...] = edge.ends
        with self._lock:
            if self.strict:
                for role, end in (("source", edge.from_id), ("target", edge.to_id)):
                    self._known(end, role)
            if self.allow_parallel and key in self._edges:
                key = (*key, self._serial)
                self._serial += 1
            self._insert(key, edge)


def as_text(value: Any) -> str:
    """Give the value of a property as it is read: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else compact(value)
