"""The graph as a tool for the smallest models: one thing, one question about it, one answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from msgspec import Meta

from agentlab.core.errors import GraphError
from agentlab.core.text import suggestion
from agentlab.graph.query import SHORT, called, line, named, some

if TYPE_CHECKING:
    from agentlab.graph.base import Graph
    from agentlab.graph.entities import Edge, Entity

Example: TypeAlias = tuple[str, dict[str, str], str, str]
"""A question, the arguments of the call, what it gives, and what is thought before."""
CHOICES = 16  # kinds of edges, and properties, that may be asked for: a grammar spells them out
PLAIN = 24  # letters of what stands in an example
LOOKED_AT = 1000  # edges, or entities, among which one is found to make an example of


def lookup_tool(graph: Graph[Any]) -> Callable[..., str]:
    """Make the simple tool of a graph; see :meth:`agentlab.GraphStore.query_tool`.

    What may be asked for are the kinds of edges and the properties that are there now, the most
    frequent ones; the worked examples that go with it are of this graph, too.
    """

    def graph_query(about: str, what: str) -> str:
        """Look up what is known of a thing."""
        entity = named(graph, about)
        found = values(graph, entity, what)
        if not found:
            raise GraphError(nothing(graph, entity, what), kind="not_found")
        return some(found)

    choices = asked_for(graph)
    if choices:
        choice = Meta(extra_json_schema={"enum": choices})
        graph_query.__annotations__ |= {"what": Annotated[str, choice]}
    graph_query.__annotations__ |= {"about": Annotated[str, SHORT]}
    graph_query.examples = list(examples(graph))  # type: ignore[attr-defined]
    return graph_query


def asked_for(graph: Graph[Any]) -> list[str]:
    """List the kinds of edges and the properties, in words, the most frequent ones."""
    entities, edges = graph.held()
    kinds = Counter(edge.kind for edge in edges)
    known = Counter(name for entity in entities for name in entity.properties)
    often = (kinds + known).most_common(CHOICES)
    return list(dict.fromkeys(words(name) for name, _ in often))


def values(graph: Graph[Any], entity: Entity, what: str) -> list[str]:
    """Give what an entity leads to by edges of a kind, and what its property says."""
    wanted = words(what)
    known = [line(value) for name, value in entity.properties.items() if words(name) == wanted]
    edges: list[Edge] = graph.edges_at(entity.id)
    ahead = [
        called(graph, each.ends[1])
        for each in edges
        if each.ends[0] == entity.id and words(each.kind) == wanted
    ]
    return list(dict.fromkeys(known + ahead))


def nothing(graph: Graph[Any], entity: Entity, what: str) -> str:
    """Say that something is not known of an entity, and what is."""
    edges: list[Edge] = graph.edges_at(entity.id)
    kinds = [each.kind for each in edges if each.ends[0] == entity.id]
    known = list(dict.fromkeys(map(words, [*kinds, *entity.properties])))
    name = line(graph.title(entity))
    told = f"known is {some(known)}" if known else "nothing is"
    return f"{line(what)!r} of {name} is not known{suggestion(words(what), known)}; {told}"


def examples(graph: Graph[Any]) -> Iterator[Example]:
    """Make a question of the most frequent edge, and then one of a property, of something else."""
    entities, edges = graph.held()
    kind = commonest(edge.kind for edge in edges)
    tails = (graph.find(edge.ends[0]) for edge in edges[:LOOKED_AT] if edge.kind == kind)
    told = [example(graph, each, kind, "{about} {what} what?") for each in tails if each]
    first = next(filter(None, told), None)
    known = commonest(name for each in entities for name in each.properties if name != "type")
    others = [each for each in entities[:LOOKED_AT] if known in each.properties]
    told = [example(graph, each, known, "What is the {what} of {about}?") for each in others]
    used = first and first[1]["about"]
    second = next((each for each in told if each and each[1]["about"] != used), None)
    yield from filter(None, (first, second))


def commonest(names: Iterable[str]) -> str:
    """Give the most frequent name, the first of those alike."""
    return next((name for name, _ in Counter(names).most_common(1)), "")


def example(graph: Graph[Any], entity: Entity, name: str, question: str) -> Example | None:
    """Make an example of an entity, where name and answer are plain and there is only one."""
    about, what = line(graph.title(entity)), words(name)
    found = values(graph, entity, name)
    if len(found) != 1 or not (about.isalpha() and len(about) <= PLAIN and len(found[0]) <= PLAIN):
        return None
    given = {"about": about, "what": what}
    return question.format(**given), given, found[0], f"I need the {what} of {about}."


def words(name: str) -> str:
    """Give the name of a kind or a property as one says it."""
    return line(name.replace("_", " "))
