"""What both graphs have in common: what they hold, and what can be measured of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import msgspec

from agentlab.core.bounds import at_least_one
from agentlab.core.doors import Displayable, Plottable, Tabular
from agentlab.core.errors import GraphError, InvalidValue
from agentlab.core.portable import Portable
from agentlab.core.sync import twin
from agentlab.graph import algorithms
from agentlab.graph.betweenness import betweenness
from agentlab.graph.communities import ROUNDS, Method, communities, propagate, renumbered
from agentlab.graph.entities import Edge, Ends, Entity, Relation, Relationship
from agentlab.graph.layout import layout
from agentlab.graph.snapshot import Snapshot

if TYPE_CHECKING:
    from typing import Self

    from agentlab.core.protocols import Model
    from agentlab.graph.extract import Extraction

E = TypeVar("E", Relationship, Relation)


class EntityRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """An entity as a row: what it is, and how it is connected."""

    id: str
    label: str
    links_in: int
    links_out: int
    community: int
    properties: dict[str, Any]


class Graph(Tabular, Plottable, Displayable, Generic[E]):
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
        self._out: dict[str, dict[tuple[Any, ...], None]] = {}
        self._in: dict[str, dict[tuple[Any, ...], None]] = {}
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
            for each in (self._entities, self._edges, self._out, self._in):
                each.clear()
            self._snapshot = None

    def snapshot(self) -> Snapshot:
        """Give it as it is now, for whoever wants to count in peace."""
        with self._lock:
            if self._snapshot is None:
                self._snapshot = Snapshot([*self._entities], self._edges.values())
            return self._snapshot

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
        key = "betweenness", normalized
        if key not in graph.memory:
            graph.memory[key] = betweenness(graph, normalized=normalized)
        return _by_id(graph, graph.memory[key])

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
            In which order things are tried. Equal seeds give equal answers, on any machine.
        """
        graph = self.snapshot()
        key = "communities", method, seed
        if key not in graph.memory:
            graph.memory[key] = communities(graph, method, seed)
        return _by_id(graph, graph.memory[key])

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

        What is related is near. Equal graphs and seeds give equal places, on any machine.
        """
        graph = self.snapshot()
        key = "layout", seed
        if key not in graph.memory:
            graph.memory[key] = layout(graph, seed)
        return dict(zip(graph.names, graph.memory[key], strict=True))

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

    def title(self, entity: Entity) -> str:
        """Give what to call an entity, which need not be its id."""
        name = entity.properties.get("name")
        return name if isinstance(name, str) and name else entity.id

    def query_tool(self) -> Callable[..., str]:
        """Give the function ``graph_query``, a tool by which an agent asks this graph.

        >>> import agentlab as al
        >>> rivers = al.KnowledgeGraph()
        >>> rivers.add_entity(al.Entity("Rhine", "Rhine", {"length_km": 1233}))
        >>> lab = al.AgentRuntime(tools=[rivers.query_tool()], graph=rivers)
        >>> lab.tools.call_sync("graph_query", {"ask": "facts", "about": "rhine"})
        'Rhine: length_km is 1233. Nothing is related to it.'
        """
        from agentlab.graph.query import query_tool

        return query_tool(self)

    async def extract(
        self, text: str, model: Model, *, origin: str = "", limit: int = 12
    ) -> Extraction:
        """Ask a model what ``text`` says of what, and add that.

        Parameters
        ----------
        text : str
            What to read.
        model : Model
            Who reads it; ``as_model("local")`` will do. One with grammars, as the embedded one
            is, is held to the form.
        origin : str
            What the new edges say of where they were read; by default the beginning of ``text``.
        limit : int
            How many facts to ask for at most.

        Returns
        -------
        Extraction
            What was added, what was known already, and what was refused, for its words are not
            in the text.
        """
        from agentlab.graph.extract import extract

        return await extract(self, text, model, origin=origin, limit=limit)

    extract_sync = twin(extract)

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

    def _insert(self, key: tuple[Any, ...], edge: E) -> None:
        self._edges[key] = edge
        tail, head = key[0], key[1]
        try:
            self._out[tail][key] = None
        except KeyError:
            self._out[tail] = {key: None}
        try:
            self._in[head][key] = None
        except KeyError:
            self._in[head] = {key: None}
        self._snapshot = None

    def _drop(self, key: tuple[Any, ...]) -> None:
        del self._edges[key], self._out[key[0]][key], self._in[key[1]][key]
        self._snapshot = None

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


def _by_id(graph: Snapshot, values: list[Any]) -> dict[str, Any]:
    return {graph.names[i]: values[i] for i in graph.by_id}
