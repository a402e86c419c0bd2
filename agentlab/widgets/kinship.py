"""What a page is told of one entity of a graph, or of one edge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentlab.display.words import count, gist, text_of
from agentlab.graph.base import Graph
from agentlab.graph.entities import Edge, Entity
from agentlab.graph.store import GraphStore
from agentlab.widgets.graph_messages import About, Kin

if TYPE_CHECKING:
    from agentlab.widgets.atlas import Atlas

FACTS, LONG = 30, 300  # properties that are told, and letters of each
KINDS, EACH = 12, 24  # kinds of edges, and entities of each


def tag_of(graph: Graph[Any], entity: Entity) -> str:
    """Say what kind of thing an entity is, where that is known."""
    if not graph.calls_by_label:
        return gist(entity.label, 30)
    told = entity.properties.get("type")
    return gist(told, 30) if isinstance(told, str) else ""


def about_node(atlas: Atlas, entity: Entity) -> About:
    """Tell of an entity: what is known, how central it is, and whom it is related to."""
    no = atlas.node
    named = {"type"} if atlas.graph.calls_by_label and tag_of(atlas.graph, entity) else set()
    facts = [(name, value) for name, value in entity.properties.items() if name not in named]
    names = [gist(name, 60) for name, _ in facts[:FACTS]]
    values = [gist(text_of(value), LONG) for _, value in facts[:FACTS]]
    if len(facts) > FACTS:
        names.append("…")
        values.append(f"{count(len(facts) - FACTS)} more: explorer.selected.properties")
    title = atlas.drawn.titles[no]
    if entity.id != title:
        names.insert(0, "id")
        values.insert(0, gist(entity.id, LONG))
    most = max(atlas.between or [0.0])
    get = "get_entity" if isinstance(atlas.graph, GraphStore) else "entity"
    return About(
        name=gist(title, 120),
        tag=tag_of(atlas.graph, entity),
        names=names,
        values=values,
        links=atlas.drawn.degrees[no],
        between=-1.0 if atlas.between is None else round(atlas.between[no], 4),
        share=round(atlas.between[no] / most, 3) if atlas.between and most else 0.0,
        kin=kin_of(atlas, no),
        path=f"graph.{get}({entity.id!r})",
    )


def kin_of(atlas: Atlas, no: int) -> list[Kin]:
    """List whom an entity is related to, by kind and direction; the best connected first."""
    found: dict[tuple[str, bool], dict[int, None]] = {}
    part = atlas.part
    for edge in atlas.graph.edges_at(part.names[no]):
        tail, head = part.index.get(edge.ends[0]), part.index.get(edge.ends[1])
        if tail is None or head is None:
            continue
        out = tail == no
        found.setdefault((edge.kind, out), {})[head if out else tail] = None
    kinds = sorted(found.items(), key=lambda each: (not each[0][1], -len(each[1])))
    told = []
    for (kind, out), near in kinds[:KINDS]:
        nos = sorted(near)
        left = len(nos) - EACH
        told.append(
            Kin(
                kind=gist(kind.replace("_", " "), 40),
                out=out,
                nos=nos[:EACH],
                names=[atlas.name(i) for i in nos[:EACH]],
                more=f"and {count(left)} more" if left > 0 else "",
            )
        )
    return told


def about_arc(atlas: Atlas, edge: Edge) -> About:
    """Tell of an edge: what it says of whom, how much it weighs, and where that was read."""
    tail, head = atlas.part.tails[atlas.arc], atlas.part.heads[atlas.arc]
    names, values = ["weight"], [f"{edge.weight:g}"]
    if edge.origin:
        names.append("read in")
        values.append(gist(edge.origin, LONG))
    at = atlas.graph.edges_at(edge.ends[0])
    place = next((i for i, each in enumerate(at) if each == edge), -1)
    ends = [
        Kin(kind="from", out=False, nos=[tail], names=[atlas.name(tail)], more=""),
        Kin(kind="to", out=True, nos=[head], names=[atlas.name(head)], more=""),
    ]
    return About(
        name=gist(edge.kind.replace("_", " "), 120),
        tag="edge",
        names=names,
        values=values,
        links=-1,
        between=-1.0,
        share=0.0,
        kin=ends,
        path=f"graph.edges_at({edge.ends[0]!r})[{place}]" if place >= 0 else "explorer.selected",
    )
