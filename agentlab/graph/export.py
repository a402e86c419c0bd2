"""Ways in and out: plain JSON, networkx, pandas, GraphML, Graphviz, pyvis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from agentlab.core.errors import InvalidValue
from agentlab.core.extras import need
from agentlab.graph import graphml
from agentlab.graph.entities import Entity, Relationship
from agentlab.graph.holding import E
from agentlab.graph.measures import Measured

if TYPE_CHECKING:
    from typing import Self

    import networkx as nx
    import pandas as pd

RELATED = "related_to"  # where nobody says how
MISSING = "missing"  # a node that is only named


class Exported(Measured[E]):
    """A graph that can be taken elsewhere, and back: nothing is lost on the way."""

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain JSON, in the node-link form that networkx and d3 read."""
        entities, edges = self.held()
        return {
            "directed": True,
            "multigraph": True,
            "graph": {"type": type(self).__name__, **self.settings()},
            "nodes": [entity.to_dict() for entity in entities],
            "edges": [
                {
                    "source": edge.ends[0], "target": edge.ends[1], "kind": edge.kind,
                    "weight": edge.weight, "origin": edge.origin,
                }
                for edge in edges
            ],
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` gave.

        Raises
        ------
        InvalidValue
            It is not the data of a graph.
        GraphError
            It is that of one that cannot be.
        """
        try:
            read = msgspec.convert(data, NodeLink)
        except msgspec.ValidationError as error:
            raise InvalidValue(f"not the data of a graph: {error}") from None
        known = cls.made((), ()).settings()
        how = {name: value for name, value in read.graph.items() if name in known}
        edges = [cls.edge_type(e.source, e.target, e.kind, e.weight, e.origin) for e in read.edges]
        return cls.made(read.nodes, edges, **how)

    def to_json(self) -> str:
        """Give :meth:`to_dict` as text."""
        return msgspec.json.encode(self.to_dict()).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what :meth:`to_json` gave; see :meth:`from_dict`."""
        try:
            data = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise InvalidValue(f"not the data of a graph: {error}") from None
        return cls.from_dict(data)

    def to_networkx(self) -> nx.MultiDiGraph[Any]:
        """Give it as a networkx graph: nodes have label and properties, edges kind and weight."""
        import networkx as nx

        entities, edges = self.held()
        made: Any = nx.MultiDiGraph(name=self.name)
        for entity in entities:
            made.add_node(entity.id, label=entity.label, properties=dict(entity.properties))
        for edge in edges:
            for end in edge.ends[:2]:
                if end not in made:
                    made.add_node(end, **{MISSING: True})
            tail, head, kind = edge.ends
            made.add_edge(tail, head, kind=kind, weight=edge.weight, origin=edge.origin)
        return made

    @classmethod
    def from_networkx(cls, graph: Any, **settings: Any) -> Self:
        """Make one of any networkx graph.

        Parameters
        ----------
        graph : networkx graph
            Nodes are called by their ``str``; attributes we have no other place for become
            properties. An undirected edge becomes two.
        **settings
            Those of the class.

        Raises
        ------
        InvalidValue
            Two nodes have the same name, or an attribute is not JSON.
        """
        names = {node: str(node) for node in graph}
        if len(set(names.values())) < len(names):
            raise InvalidValue("two nodes have the same name as text: rename them first")
        entities = [
            entity_of(names[node], told)
            for node, told in graph.nodes(data=True)
            if told.get(MISSING) is not True
        ]
        found = list(edges_of(graph))
        if not graph.is_directed():
            found += [(there, here, told) for here, there, told in found if here != there]
        edges = [cls.edge_type(names[i], names[j], *told) for i, j, told in found]
        return cls.made(entities, edges, **{"name": str(graph.graph.get("name", "")), **settings})

    def to_pandas(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Give the edges as a frame and the entities as another, for ``from_pandas(*frames)``."""
        import pandas as pd

        entities, edges = self.held()
        return tuple(  # type: ignore[return-value]  # of two
            pd.DataFrame(
                {
                    name: pd.Series([getattr(e, name) for e in each], dtype=dtype)
                    for name in kind.__struct_fields__
                    for dtype in ["float64" if name == "weight" else "object"]
                }
            )
            for each, kind in ((edges, self.edge_type), (entities, Entity))
        )

    @classmethod
    def from_pandas(
        cls,
        edges: pd.DataFrame,
        nodes: pd.DataFrame | None = None,
        *,
        source: str | None = None,
        target: str | None = None,
        **settings: Any,
    ) -> Self:
        """Make one of a list of edges.

        Parameters
        ----------
        edges : DataFrame
            A row an edge. ``kind``, ``weight`` and ``origin`` are read where there are such
            columns.
        nodes : DataFrame, optional
            A row an entity: ``id``, ``label`` and ``properties``; other columns become properties.
            Without it, and in a :class:`GraphStore`, every end is an entity.
        source, target : str, optional
            Which columns hold the ends; by default those that :meth:`to_pandas` writes.
        **settings
            Those of the class.

        Raises
        ------
        InvalidValue
            A column is not there, or a value cannot be right.
        """
        first, second = cls.edge_type.__struct_fields__[:2]
        absent: dict[str, Any] = {"kind": RELATED, "weight": 1.0, "origin": ""}
        columns = []
        for name in (source or first, target or second, *absent):
            if name not in edges.columns and name not in absent:
                raise InvalidValue(f"edges has no column {name!r}, only {list(edges.columns)}")
            there = name in edges.columns
            columns.append(edges[name].tolist() if there else [absent[name]] * len(edges))
        rows = zip(*columns, strict=True)
        found = [cls.edge_type(str(row[0]), str(row[1]), *row[2:]) for row in rows]
        known = {} if nodes is None else entities_of(nodes)
        if nodes is None or cls.edge_type is Relationship:
            for end in (end for edge in found for end in edge.ends[:2]):
                known.setdefault(end, Entity(end))
        return cls.made(known.values(), found, **settings)

    def to_dot(self) -> str:
        """Write it in the language of Graphviz: a line an entity, a line an edge, left to right."""
        entities, edges = self.held()
        lines = [f"digraph {type(self).__name__} {{", "  rankdir=LR;"]
        lines += [f"  {quoted(e.id)} [label={quoted(self.dot_label(e))}];" for e in entities]
        for edge in edges:
            tail, head, kind = edge.ends
            label = quoted(f"{kind} ({edge.weight:.2f})")
            lines.append(f"  {quoted(tail)} -> {quoted(head)} [label={label}];")
        return "\n".join(lines) + "\n}\n"

    def dot_label(self, entity: Entity) -> str:
        """Say what an entity is: its id, and its label where it has one."""
        return f"{entity.id}\n{entity.label}" if entity.label else entity.id

    def to_graphml(self) -> str:
        """Write it as GraphML, for Gephi, yEd, Cytoscape and others."""
        return graphml.write(*self.held())

    @classmethod
    def from_graphml(cls, text: str, **settings: Any) -> Self:
        """Read GraphML, ours or that of others.

        Raises
        ------
        GraphError
            It is not GraphML.
        """
        entities, edges = graphml.read(text)
        return cls.made(entities, [cls.edge_type(*each) for each in edges], **settings)

    def to_pyvis(self, seed: int = 0) -> Any:
        """Give it as a pyvis network, to drag about in a page that needs nothing else.

        ``write_html(path)`` writes that page, and a cell shows it.

        Parameters
        ----------
        seed : int
            Of the layout.

        Raises
        ------
        NotConfigured
            pyvis is not installed; the extra ``pyvis`` brings it.
        """
        need("pyvis", "pyvis")
        from agentlab.graph.network import network

        return network(self, seed)


class Link(msgspec.Struct):
    """An edge in the node-link form."""

    source: str
    target: str
    kind: str = RELATED
    weight: float = 1.0
    origin: str = ""


class NodeLink(msgspec.Struct):
    """A graph in the node-link form."""

    nodes: list[Entity]
    edges: list[Link]
    graph: dict[str, Any] = {}


def entity_of(name: str, told: Mapping[Any, Any]) -> Entity:
    """Make an entity of a name and attributes."""
    label, properties = told.get("label", ""), told.get("properties", {})
    if not isinstance(properties, Mapping):
        properties = {"properties": properties}
    others = {k: v for k, v in told.items() if k not in ("label", "properties")}
    return Entity(name, str(label), {**properties, **others})


def edges_of(graph: Any) -> Iterator[tuple[Any, Any, tuple[str, Any, str]]]:
    """Give ends, kind, weight and origin of the edges of a networkx graph."""
    keyed = graph.edges(keys=True, data=True) if graph.is_multigraph() else None
    for i, j, key, told in keyed or ((i, j, 0, told) for i, j, told in graph.edges(data=True)):
        kind = key if isinstance(key, str) else RELATED if key == 0 else f"{RELATED} {key}"
        told_kind = str(told.get("kind") or kind)
        yield i, j, (told_kind, told.get("weight", 1.0), str(told.get("origin", "")))


def entities_of(nodes: pd.DataFrame) -> dict[str, Entity]:
    """Make an entity of each row, by its id."""
    if "id" not in nodes.columns:
        raise InvalidValue(f"nodes has no column 'id', only {list(nodes.columns)}")
    rows = [present(row) for row in nodes.to_dict("records")]
    entities = [entity_of(str(row.pop("id", "")), row) for row in rows]
    return {entity.id: entity for entity in entities}


def present(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Leave out what pandas says is missing."""
    return {str(name): value for name, value in row.items() if value is not None and value == value}  # noqa: PLR0124 - NaN is not


def quoted(text: str) -> str:
    r"""Quote ``text`` for Graphviz.

    >>> print(quoted('say "a"\nagain'))
    "say \"a\"\nagain"
    """
    told = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}")
    escaped = told.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
