"""The card of a graph: a picture of its best connected part, and tables of what that shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from agentlab.display.drawings import HUES, Drawn, drawn_of, laid_out, picture
from agentlab.display.html import Html, h
from agentlab.display.parts import Chip, Column, Room, bar, card, fold, note, table
from agentlab.display.words import count, gist, plural, text_of
from agentlab.graph.base import Graph
from agentlab.graph.entities import Entity
from agentlab.graph.snapshot import Snapshot
from agentlab.graph.store import GraphStore

NODES = [
    Column("entity", "wide"),
    Column("what is known", "wide"),
    Column("community", "fit"),
    Column("links", "fit"),
]
EDGES = [
    Column("from", "wide"),
    Column("relation", "fit"),
    Column("to", "wide"),
    Column("weight", "num"),
]
EMPTY = "Nothing is in it yet: `graph.add_entity(Entity('id', 'label'))` adds something."


class Words(NamedTuple):
    """What this graph calls its parts, and where they are."""

    kind: str
    edge: str
    entities: str
    edges: str


def graph_card(graph: Graph[Any], room: Room) -> Html:
    """Draw a graph."""
    words = words_of(graph)
    whole = graph.snapshot()
    entities, edges = graph.held()
    titles = {each.id: graph.title(each) for each in entities}
    figures = [plural(len(entities), "entity", "entities"), plural(len(edges), words.edge)]
    if not whole.names:
        body = note(EMPTY)
        return card(words.kind, graph.name or "empty", Chip("", "empty"), figures, body)
    drawn = drawn_of(whole, titles, 12 * room.ends)
    if drawn.many > 1:
        figures.append(plural(drawn.many, "community", "communities"))
    return card(
        words.kind,
        graph.name or figures[0],
        None,
        figures if graph.name else figures[1:],
        picture(drawn, f"{figures[0]}, {figures[1]}"),
        legend(drawn) if drawn.many > 1 else None,
        left_out(drawn, whole, words),
        tables(drawn, whole, {e.id: e for e in entities}, room, words),
        path="graph",
    )


def words_of(graph: Graph[Any]) -> Words:
    """Say what this graph calls its parts."""
    if isinstance(graph, GraphStore):
        return Words("graph", "relationship", "graph.entities()", "graph.relationships()")
    return Words("knowledge graph", "relation", "graph.all_entities()", "graph.all_relations()")


def legend(drawn: Drawn) -> Html:
    """Name the communities after their best connected member; the others share a colour."""
    named = range(min(HUES, sum(size > 1 for size in drawn.sizes)))
    keys = [(n, f"{gist(drawn.names[n], 30)} ({count(drawn.sizes[n])})") for n in named]
    if drawn.many > len(named):
        keys.append((HUES, plural(drawn.many - len(named), "other")))
    if alone := sum(size == 1 for size in drawn.sizes):
        keys.append((HUES, f"{count(alone)} alone"))
    parts = [h("span")(h("i", f"agl-swatch agl-g{n}")(), f"{say} ") for n, say in keys]
    return h("div", "agl-keys", title="graph.communities()")("communities round ", *parts)


def left_out(drawn: Drawn, whole: Snapshot, words: Words) -> Html | None:
    """Say what is not drawn, and whether the rest is where it would be."""
    shown = len(drawn.titles)
    if shown == len(whole):
        return None
    where = "as they lie in the whole" if laid_out(whole, shown) else "laid out by themselves"
    return note(
        f"Drawn are the {count(shown)} best connected of {count(len(whole))} entities, {where}, and"
        f" {plural(len(drawn.graph.edges), words.edge)} among them; `graph.explore()` shows more,"
        f" and all are in `{words.entities}` and `{words.edges}`."
    )


def tables(
    drawn: Drawn, whole: Snapshot, entities: Mapping[str, Entity], room: Room, words: Words
) -> Html:
    """List the best connected entities, and edges among what is drawn."""
    shown = drawn.graph.names[: 3 * room.ends]
    most = max(drawn.degrees, default=0) or 1
    cells = [
        (
            gist(drawn.titles[i], 60),
            known(entities.get(name), drawn.titles[i]),
            gist(drawn.names[drawn.groups[i]], 30),
            h("span")(bar(drawn.degrees[i] / most, "tool"), f" {count(drawn.degrees[i])}"),
        )
        for i, name in enumerate(shown)
    ]
    best = "the best connected first"
    if len(shown) < len(whole):
        best = f"the {len(shown)} best connected of {count(len(whole))}"
    listed = table(f"{best}: graph.to_frame()", NODES, cells, path="graph.to_frame()")
    name = f"entities and {words.edge}s as tables"
    return fold(name, listed, edge_table(drawn, whole, room, words))


def edge_table(drawn: Drawn, whole: Snapshot, room: Room, words: Words) -> Html | None:
    """List edges; what they weigh only where that says something."""
    some = drawn.graph.edges[: 3 * room.ends]
    if not some:
        return None
    of = dict(zip(drawn.graph.names, drawn.titles, strict=True))
    weighty = any(edge.weight != 1 for edge in some)
    cells = [
        (
            gist(of[edge.ends[0]], 60), gist(edge.kind.replace("_", " "), 30),
            gist(of[edge.ends[1]], 60), *([f"{edge.weight:g}"] if weighty else []),
        )
        for edge in some
    ]  # fmt: skip
    part = "all" if len(some) == len(whole.edges) else f"{len(some)} of {count(len(whole.edges))}"
    columns = EDGES if weighty else EDGES[:-1]
    return table(f"{part}: {words.edges}", columns, cells, path=words.edges)


def known(entity: Entity | None, title: str) -> str:
    """Say in a few words what an entity is."""
    if entity is None:
        return ""
    label = [entity.label] if entity.label not in ("", title) else []
    told = [f"{name} {text_of(value)}" for name, value in entity.properties.items()]
    return gist(" · ".join([*label, *told[:6]]), 80)
