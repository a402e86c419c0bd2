"""What a graph holds: entities by id, and edges by their ends. The rest of it reads from here."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeAlias, TypeVar

from agentlab.core.errors import GraphError, InvalidValue
from agentlab.graph.entities import Edge, Ends, Entity, Relation, Relationship
from agentlab.graph.snapshot import Snapshot

if TYPE_CHECKING:
    from typing import Self

E = TypeVar("E", Relationship, Relation)
Side: TypeAlias = dict[str, dict[tuple[Any, ...], None]]
"""The edges of each entity on one side of it, by their keys in order."""


class Holding(Generic[E]):
    """Entities and the edges between them. Any thread may use it at any time.

    Parameters
    ----------
    name : str
        What it is about; its card says so.
    """

    edge_type: ClassVar[type[Relationship | Relation]]
    calls_by_label: ClassVar[bool] = False  # whether a label is a name; else it is a kind

    def __init__(self, *, name: str = "") -> None:
        self.name = name
        self._lock = threading.RLock()  # held for dictionary work only
        self._entities: dict[str, Entity] = {}
        self._edges: dict[tuple[Any, ...], E] = {}  # by its ends, and a number where there are more
        self._sides: tuple[Side, Side] | None = None  # who is joined to whom, once somebody asks
        self._snapshot: Snapshot | None = None

    def __contains__(self, entity_id: object) -> bool:
        return entity_id in self._entities

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            return {
                "entities": list(self._entities.values()),
                "edges": list(self._edges.values()),
                "settings": self.settings(),
            }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state["settings"])  # type: ignore[misc]  # those of its own class
        self._fill(state["entities"], state["edges"])

    def settings(self) -> dict[str, Any]:
        """Give what another like it is made with."""
        return {"name": self.name}

    def add_entity(self, entity: Entity) -> None:
        """Add an entity, or replace the one of its id, which keeps its edges."""
        if not isinstance(entity, Entity):
            raise InvalidValue(f"an entity is needed, got {entity!r:.80}: Entity('id', 'label')")
        with self._lock:
            if entity.id not in self._entities:
                self._snapshot = None
            self._entities[entity.id] = entity

    def remove_entity(self, entity_id: str) -> Entity:
        """Take an entity out, with its edges, and give it.

        Raises
        ------
        GraphError
            It is not there.
        """
        with self._lock:
            entity = self._known(entity_id)
            del self._entities[entity_id]
            self._snapshot = None
            ends = (*self._out.get(entity_id, ()), *self._in.get(entity_id, ()))
            for key in dict.fromkeys(ends):
                self._drop(key)
        return entity

    def entity_count(self) -> int:
        """Count the entities."""
        return len(self._entities)

    def clear(self) -> None:
        """Take everything out."""
        with self._lock:
            self._entities.clear()
            self._edges.clear()
            self._sides = self._snapshot = None

    def snapshot(self) -> Snapshot:
        """Give it as it is now, for whoever wants to count in peace."""
        with self._lock:
            if self._snapshot is None:
                self._snapshot = Snapshot([*self._entities], self._edges.values())
            return self._snapshot

    def title(self, entity: Entity) -> str:
        """Give what to call an entity, which need not be its id."""
        name = entity.properties.get("name")
        return name if isinstance(name, str) and name else entity.id

    def has_edge(self, tail: str, head: str, kind: str) -> bool:
        """Tell whether there is an edge of that kind between these two."""
        return (tail, head, kind) in self._edges

    def edges_at(self, entity_id: str) -> list[E]:
        """Give the edges that leave an entity and then those that reach it, a loop once."""
        with self._lock:
            keys = (*self._out.get(entity_id, ()), *self._in.get(entity_id, ()))
            return [self._edges[key] for key in dict.fromkeys(keys)]

    def find(self, name: str) -> Entity | None:
        """Give the entity with that id, else the first that is called so, in whatever case."""
        with self._lock:
            if name in self._entities:
                return self._entities[name]
            wanted = name.strip().casefold()
            return next(
                (
                    each
                    for each in self._entities.values()
                    if wanted in (each.id.casefold(), self.title(each).casefold())
                ),
                None,
            )

    def put(self, tail: str, head: str, kind: str, weight: float = 1.0, origin: str = "") -> None:
        """Add an edge of the kind that this graph has; see its own method for what may be wrong."""
        self._add(self.edge_type(tail, head, kind, weight, origin))  # type: ignore[arg-type]

    def held(self) -> tuple[list[Entity], list[E]]:
        """Give all entities and all edges, as they are at one moment."""
        with self._lock:
            return list(self._entities.values()), list(self._edges.values())

    @classmethod
    def made(cls, entities: Iterable[Entity], edges: Iterable[Edge], **settings: Any) -> Self:
        """Make one of entities and edges; the settings are those of the class."""
        graph = cls(**settings)
        graph._fill(entities, edges)
        return graph

    def _fill(self, entities: Iterable[Entity], edges: Iterable[Edge]) -> None:
        for entity in entities:
            self.add_entity(entity)
        for edge in edges:
            self._add(edge)  # type: ignore[arg-type]  # of its own kind

    def _add(self, edge: E) -> None:
        raise NotImplementedError

    @property
    def _out(self) -> Side:
        """The edges that leave each entity; the lock must be held."""
        return self._joined()[0]

    @property
    def _in(self) -> Side:
        """The edges that reach each entity; likewise."""
        return self._joined()[1]

    def _joined(self) -> tuple[Side, Side]:
        if self._sides is None:  # whoever only fills a graph, or measures it, need not pay for it
            self._sides = {}, {}
            for key in self._edges:
                self._join(key)
        return self._sides

    def _join(self, key: tuple[Any, ...]) -> None:
        for side, end in zip(self._joined(), key, strict=False):
            if end in side:
                side[end][key] = None
            else:
                side[end] = {key: None}

    def _insert(self, key: tuple[Any, ...], edge: E) -> None:
        self._edges[key] = edge
        self._changed(key)

    def _changed(self, key: tuple[Any, ...]) -> None:
        self._snapshot = None
        if self._sides is not None:
            self._join(key)

    def _drop(self, key: tuple[Any, ...]) -> None:
        del self._edges[key]
        self._snapshot = None
        if self._sides is not None:
            for side, end in zip(self._sides, key, strict=False):
                del side[end][key]

    def _known(self, entity_id: str, role: str = "") -> Entity:
        entity = self._entities.get(entity_id)
        if entity is None:
            prefix = f"{role} " if role else ""
            raise GraphError(f"{prefix}entity '{entity_id}' not found", kind="not_found")
        return entity

    def _ends(self, tail: str, head: str, kind: str) -> Ends:
        key = (str(tail), str(head), str(kind))
        if key not in self._edges:
            raise GraphError(
                f"relationship '{kind}' from '{tail}' to '{head}' not found", kind="not_found"
            )
        return key
