"""A graph as a tool: what an agent may ask it, answered in sentences that a small model can use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from msgspec import Meta

from agentlab.core.errors import GraphError
from agentlab.core.text import compact, suggestion
from agentlab.graph import algorithms
from agentlab.graph.extract import ARTICLE

if TYPE_CHECKING:
    from agentlab.graph.base import Graph
    from agentlab.graph.entities import Edge, Entity

Ask: TypeAlias = Literal["facts", "neighbours", "path", "search"]
SHORT = Meta(extra_json_schema={"maxLength": 60})  # what a small model should be held to
MOST = 12  # of each thing in an answer
LETTERS = 120  # of a name, or a value
ALIKE = 5000  # names that are looked at for one that was meant


def query_tool(graph: Graph[Any]) -> Callable[..., str]:
    """Make the tool of a graph; see :meth:`agentlab.GraphStore.query_tool`."""

    def graph_query(ask: Ask, about: Annotated[str, SHORT], to: Annotated[str, SHORT] = "") -> str:
        """Look something up in a graph of what is known.

        Parameters
        ----------
        ask : str
            facts about a thing, its neighbours, the path from it to another, or search for a word.
        about : str
            The thing's name, or the word.
        to : str
            Where the path leads, for path only.
        """
        if ask == "search":
            return found(graph, about)
        entity = named(graph, about)
        if ask == "path" and to:
            return path(graph, entity, named(graph, to))
        return neighbours(graph, entity) if ask == "neighbours" else facts(graph, entity)

    return graph_query


def named(graph: Graph[Any], name: str) -> Entity:
    """Give the entity that a model calls so.

    Raises
    ------
    GraphError
        There is none.
    """
    entity = graph.find(name) or graph.find(ARTICLE.sub("", name.strip()))
    if entity is None:
        known = map(graph.title, graph.held()[0][:ALIKE])
        meant = suggestion(name.strip(), known, within=min(3, len(name) // 2))
        raise GraphError(f"entity '{line(name)}' not found{meant}", kind="not_found")
    return entity


def facts(graph: Graph[Any], entity: Entity) -> str:
    """Say what is known of an entity."""
    name = line(graph.title(entity))
    own = [f"{line(key)} is {line(value)}" for key, value in entity.properties.items()]
    if entity.label and entity.label != graph.title(entity):
        own.insert(0, f"it is a {line(entity.label)}")
    told = f"{name}: {some(own, '; ')}." if own else f"{name}."
    edges = graph.edges_at(entity.id)
    rest = some([sentence(graph, edge) for edge in edges], " ") or "Nothing is related to it."
    return f"{told} {rest}"


def neighbours(graph: Graph[Any], entity: Entity) -> str:
    """Say what an entity leads to, and what leads to it."""
    name, edges = line(graph.title(entity)), graph.edges_at(entity.id)
    ahead = [f"{called(graph, e.ends[1])} ({words(e)})" for e in edges if e.ends[0] == entity.id]
    back = [f"{called(graph, e.ends[0])} ({words(e)})" for e in edges if e.ends[1] == entity.id]
    parts = [
        f"{name} leads to {some(ahead)}." if ahead else f"{name} leads to nothing.",
        f"To {name} lead {some(back)}." if back else f"Nothing leads to {name}.",
    ]
    return " ".join(parts)


def path(graph: Graph[Any], start: Entity, goal: Entity) -> str:
    """Say how one leads to another; where nothing does, how they are connected."""
    held = graph.snapshot()
    i, j = held.index.get(start.id), held.index.get(goal.id)
    ends = f"{line(graph.title(start))} to {line(graph.title(goal))}"
    if i is None or j is None or i == j:
        return f"From {ends} it is no step."
    way = algorithms.hops(held, i, j)
    prefix = f"From {ends} it is"
    if way is None:
        way = algorithms.hops(held, i, j, either_way=True)
        prefix = f"No relations lead from {ends}, but taken either way it is"
    if way is None:
        return f"Nothing connects {ends}."
    steps = [
        sentence(graph, between(graph, held.names[a], held.names[b])) for a, b in pairwise(way)
    ]
    return f"{prefix} {len(steps)} step{'s' * (len(steps) != 1)}: {some(steps, ' ')}"


def between(graph: Graph[Any], one: str, other: str) -> Edge:
    """Give the first edge between two, one that leads ahead before one that leads back."""
    edges: list[Edge] = graph.edges_at(one)
    ahead = [edge for edge in edges if edge.ends[:2] == (one, other)]
    return (ahead or [edge for edge in edges if edge.ends[:2] == (other, one)])[0]


def found(graph: Graph[Any], text: str) -> str:
    """Say which entities have a word in their name, their label or what is known of them."""
    wanted = text.strip().casefold()
    hits = [
        f"{line(graph.title(each))}{f' ({line(each.label)})' if differs(graph, each) else ''}"
        for each in graph.held()[0]
        if wanted
        and any(
            wanted in part.casefold()
            for part in (each.id, each.label, *map(plain, each.properties.values()))
        )
    ]
    if not hits:
        return f"Nothing is found for '{line(text)}'."
    return f"{len(hits)} found: {some(hits)}."


def differs(graph: Graph[Any], entity: Entity) -> bool:
    """Tell whether the label says more than the name."""
    return bool(entity.label) and entity.label != graph.title(entity)


def sentence(graph: Graph[Any], edge: Edge) -> str:
    """Say an edge."""
    return f"{called(graph, edge.ends[0])} {words(edge)} {called(graph, edge.ends[1])}."


def words(edge: Edge) -> str:
    """Say what an edge says."""
    return line(edge.kind.replace("_", " "))


def called(graph: Graph[Any], entity_id: str) -> str:
    """Say what the entity of that id is called, if it is there."""
    entity = graph.find(entity_id)
    return line(entity_id if entity is None or entity.id != entity_id else graph.title(entity))


def some(items: Iterable[str], between: str = ", ") -> str:
    """Join the first of some items, and say how many there are more."""
    items = list(items)
    more = f"{between}and {len(items) - MOST} more" if len(items) > MOST else ""
    return between.join(items[:MOST]) + more


def line(value: Any) -> str:
    """Give a name or a value on one line, and not too long."""
    told = " ".join(plain(value).split())
    return told if len(told) <= LETTERS else f"{told[: LETTERS - 1]}…"


def plain(value: Any) -> str:
    """Give a value as text."""
    return value if isinstance(value, str) else compact(value)
