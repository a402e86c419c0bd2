"""KnowledgeGraph: the worked cases, what is not described yet, and searching."""

from __future__ import annotations

from typing import Any

import pytest

from agentlab.core.errors import GraphError, InvalidValue
from agentlab.graph.entities import Entity, Relation
from agentlab.graph.knowledge import KnowledgeGraph
from tests.graph.graphs import people


def test_w22_1() -> None:
    """Paths, search, a part of it, and its Graphviz, as in the reference's own case."""
    graph = people()

    assert graph.shortest_path("alice", "carol") == ["alice", "carol"]
    assert len(graph.search("engineer")) == 1
    part = graph.subgraph("alice", 1)
    assert (part.entity_count(), part.relation_count()) == (3, 3)
    assert '"alice" -> "bob" [label="reports_to (1.00)"]' in graph.to_dot()
    assert [each.id for each in graph.neighbors("alice")] == ["bob", "carol"]


def test_w22_2() -> None:
    """Within no step is the root alone."""
    part = people().subgraph("alice", 0)

    assert (part.entity_count(), part.relation_count()) == (1, 0)


def test_the_text_of_graphviz() -> None:
    """A line an entity with its properties, a line a relation, left to right; odd names escaped."""
    graph = KnowledgeGraph()
    graph.add_entity(Entity('a"\\', "two\nlines", {'k"': "v\\", "n": 3}))
    graph.add_relation(Relation('a"\\', "b", 'says "hi"', 0.456))

    assert graph.to_dot() == (
        "digraph KnowledgeGraph {\n"
        "  rankdir=LR;\n"
        r'  "a\"\\" [label="two\nlines\nk\"=v\\\nn=3"];' + "\n"
        r'  "a\"\\" -> "b" [label="says \"hi\" (0.46)"];' + "\n"
        "}\n"
    )


def test_what_is_only_named() -> None:
    """May be in a relation: it is listed, and neither a neighbour nor on any path."""
    graph = people()
    graph.add_relation(Relation("alice", "dora", "knows"))
    graph.add_relation(Relation("dora", "eve", "knows"))
    graph.add_entity(Entity("eve", "Eve"))

    assert [each.to_id for each in graph.dangling()] == ["dora", "eve"]
    assert [each.id for each in graph.neighbors("alice")] == ["bob", "carol"]
    assert graph.neighbors("nobody") == []
    assert graph.shortest_path("alice", "eve") is None
    assert graph.shortest_path("alice", "dora") is None
    assert graph.subgraph("alice", 5).entity_count() == 3
    graph.add_entity(Entity("dora", "Dora"))
    assert graph.shortest_path("alice", "eve") == ["alice", "dora", "eve"]
    assert graph.dangling() == []


def test_strict() -> None:
    """A strict graph has no such relations."""
    graph = KnowledgeGraph(strict=True)
    graph.add_entity(Entity("a"))

    with pytest.raises(GraphError, match="target entity 'b' not found"):
        graph.add_relation(Relation("a", "b", "k"))
    with pytest.raises(GraphError, match="source entity 'b' not found"):
        graph.add_relation(Relation("b", "a", "k"))


def test_paths_at_their_ends() -> None:
    """Of a thing to itself it is no step; of an unknown one there is none."""
    graph = people()

    assert graph.shortest_path("bob", "bob") == ["bob"]
    assert graph.shortest_path("zoe", "zoe") is None
    assert graph.shortest_path("bob", "alice") is None


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("ENGINEER", ["alice"]), ("o", ["bob", "carol"]), ("", []), ("role", []), ("7", ["dan"]),
        ("straße", ["dan"]), ("nothing", []),
    ],
)  # fmt: skip
def test_search(query: str, ids: list[str]) -> None:
    """Looks in labels and in values, not in names of properties, whatever the case."""
    graph = people()
    graph.add_entity(Entity("dan", "Dan", {"age": 71, "address": "Hauptstraße"}))

    assert [each.id for each in graph.search(query)] == ids


def test_relations_of_one_kind() -> None:
    """The last replaces, in its place; or both are kept, where that is wanted."""
    relations = [Relation("a", "b", "k", 1), Relation("a", "c", "k"), Relation("a", "b", "k", 2)]
    graph, both = KnowledgeGraph(), KnowledgeGraph(allow_parallel=True)
    for each in relations:
        graph.add_relation(each)
        both.add_relation(each)

    assert [each.weight for each in graph.all_relations()] == [2, 1]
    assert both.all_relations() == relations
    assert len(both.remove_relation("a", "b", "k")) == 2
    assert both.relation_count() == 1
    with pytest.raises(GraphError, match="relationship 'k' from 'a' to 'b' not found"):
        both.remove_relation("a", "b", "k")


def test_neighbours_are_there_once() -> None:
    """However many relations lead to them."""
    graph = people()
    graph.add_relation(Relation("alice", "bob", "likes"))
    graph.add_relation(Relation("alice", "alice", "likes"))

    assert [each.id for each in graph.neighbors("alice")] == ["bob", "carol", "alice"]


@pytest.mark.parametrize(("root", "depth", "size"), [("alice", 1, 3), ("bob", 9, 1), ("zoe", 3, 0)])
def test_subgraph(root: str, depth: int, size: int) -> None:
    """Follows relations as they point; of an unknown root nothing is there."""
    assert people().subgraph(root, depth).entity_count() == size


@pytest.mark.parametrize("depth", [-1, 1.0, True, None])
def test_depths_that_are_none(depth: Any) -> None:
    """Are refused."""
    with pytest.raises(InvalidValue, match="depth"):
        people().subgraph("alice", depth)


def test_entities() -> None:
    """Are found or None, replaced with their relations kept, and taken out with them."""
    graph = people()
    graph.add_entity(Entity("bob", "Robert"))

    assert graph.entity("bob") == Entity("bob", "Robert")
    assert graph.entity("zoe") is None
    assert [each.id for each in graph.all_entities()] == ["alice", "bob", "carol"]
    graph.remove_entity("bob")
    assert (graph.entity_count(), graph.relation_count()) == (2, 1)
    assert repr(graph) == "<KnowledgeGraph 2 entities, 1 relations>"


def test_it_is_measured_like_the_other() -> None:
    """Centrality, communities and rings, over what is described."""
    graph = people()
    graph.add_relation(Relation("bob", "ghost", "sees"))

    assert graph.degree_centrality() == {"alice": 1, "bob": 1, "carol": 1}
    assert graph.communities() == {"alice": 0, "bob": 0, "carol": 0}
    assert graph.detect_cycles() is False
    assert sorted(graph.layout()) == ["alice", "bob", "carol"]
