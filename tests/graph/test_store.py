"""GraphStore: the worked cases, every error, every order."""

from __future__ import annotations

import math
import pickle
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core.errors import GraphError, InvalidValue
from agentlab.core.ids import EntityId
from agentlab.graph.entities import Entity, Relationship
from agentlab.graph.store import GraphStore
from tests.graph.graphs import cliques, path, store

ABC = [("a", "b", "next", 1), ("b", "c", "next", 1)]


def test_w21_1() -> None:
    """A path is walked in order, has no ring, and has one when its end leads to its beginning."""
    graph = store("abc", ABC)

    assert graph.bfs("a") == ["b", "c"]
    assert graph.shortest_path("a", "c") == ["a", "b", "c"]
    assert graph.transitive_closure("a") == {"a", "b", "c"}
    assert graph.detect_cycles() is False
    graph.add_relationship(Relationship("c", "a", "back"))
    assert graph.detect_cycles() is True
    assert graph.find_cycle() == ["a", "b", "c"]


def test_w21_2() -> None:
    """The lightest path need not be the one of the fewest edges."""
    graph = store("abc", [("a", "b", "x", 1), ("b", "c", "x", 1), ("a", "c", "x", 5)])

    assert graph.shortest_path_weighted("a", "c") == (["a", "b", "c"], 2.0)
    assert graph.shortest_path("a", "c") == ["a", "c"]


def test_w21_3() -> None:
    """Betweenness is a share of the pairs of others: a half in a path of three."""
    assert store("abc", ABC).betweenness_centrality() == {"a": 0, "b": 0.5, "c": 0}
    diamond = store("abcd", ["ab", "bd", "ac", "cd"]).betweenness_centrality()
    assert diamond == pytest.approx({"a": 0, "b": 1 / 12, "c": 1 / 12, "d": 0})
    whole = store("abc", ABC).betweenness_centrality(normalized=False)
    assert whole == {"a": 0, "b": 1, "c": 0}


def test_entities() -> None:
    """Are added, replaced with their edges kept, listed as they came, and taken out with them."""
    graph = store("cab", ["ab", "ba", "bc", "bb"])
    graph.add_entity(Entity("a", "new"))

    assert [entity.id for entity in graph.entities()] == ["c", "a", "b"]
    assert graph.get_entity("a").label == "new"
    assert graph.relationship_count() == 4
    assert graph.remove_entity("b").id == "b"
    assert (graph.entity_count(), graph.relationship_count(), graph.neighbors("a")) == (2, 0, [])
    assert "b" not in graph
    graph.clear()
    assert (graph.entities(), graph.relationships()) == ([], [])


def test_relationships() -> None:
    """Are listed as they came; one of another kind, or the other way, is another."""
    graph = store("abc", [("a", "c", "x"), ("a", "b", "x"), ("a", "c", "y"), ("c", "a", "x")])

    assert [each.ends for each in graph.relationships()] == [
        ("a", "c", "x"), ("a", "b", "x"), ("a", "c", "y"), ("c", "a", "x"),
    ]  # fmt: skip
    assert graph.neighbors("a") == ["c", "b"]
    assert graph.remove_relationship("a", "c", "x").kind == "x"
    assert graph.neighbors("a") == ["b", "c"]
    assert graph.bfs("a") == ["b", "c"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: g.get_entity("z"), "entity 'z' not found"),
        (lambda g: g.remove_entity("z"), "entity 'z' not found"),
        (lambda g: g.neighbors("z"), "entity 'z' not found"),
        (lambda g: g.bfs("z"), "start entity 'z' not found"),
        (lambda g: g.dfs("z"), "start entity 'z' not found"),
        (lambda g: g.transitive_closure("z"), "start entity 'z' not found"),
        (lambda g: g.shortest_path("z", "a"), "source entity 'z' not found"),
        (lambda g: g.shortest_path("a", "z"), "target entity 'z' not found"),
        (lambda g: g.shortest_path("z", "z"), "source entity 'z' not found"),
        (lambda g: g.shortest_path_weighted("a", "z"), "target entity 'z' not found"),
        (lambda g: g.path_exists("z", "a"), "source entity 'z' not found"),
        (lambda g: g.subgraph(["a", "z"]), "entity 'z' not found"),
        (
            lambda g: g.add_relationship(Relationship("z", "a", "k")),
            "source entity 'z' not found",
        ),
        (
            lambda g: g.add_relationship(Relationship("a", "z", "k")),
            "target entity 'z' not found",
        ),
        (
            lambda g: g.remove_relationship("a", "b", "k"),
            "relationship 'k' from 'a' to 'b' not found",
        ),
    ],
)
def test_what_is_not_there(call: Any, message: str) -> None:
    """Is named, with its role; the kind of the error says that it is missing."""
    with pytest.raises(GraphError) as caught:
        call(store("abc", ABC))

    assert str(caught.value) == f"Graph operation failed: {message}"
    assert caught.value.kind == "not_found"


def test_a_relationship_that_is_there() -> None:
    """Is an error, and stays as it was."""
    graph = store("abc", ABC)
    with pytest.raises(GraphError) as caught:
        graph.add_relationship(Relationship("a", "b", "next", 7))

    assert str(caught.value) == (
        "Graph operation failed: Relationship 'next' from 'a' to 'b' already exists"
    )
    assert caught.value.kind == "permanent"
    assert graph.relationships()[0].weight == 1


@pytest.mark.parametrize("weight", [math.nan, math.inf, -math.inf, "1", None, True, 10**400])
def test_weights_that_are_none(weight: Any) -> None:
    """Never enter a graph."""
    with pytest.raises(InvalidValue, match="weight must be"):
        Relationship("a", "b", "k", weight)


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (lambda: Entity(""), "empty"), (lambda: Entity(3), "text"),  # type: ignore[arg-type]
        (lambda: Entity("a", None), "text"), (lambda: Entity("a", "b", [1]), "dictionary"),  # type: ignore[arg-type]
        (lambda: Entity("a", "", {"x": math.nan}), "JSON"),
        (lambda: Relationship("", "b", "k"), "from_"), (lambda: Relationship("a", "b", ""), "kind"),
        (lambda: Relationship("a", "b", "k", 1, 3), "origin"),  # type: ignore[arg-type]
        (lambda: GraphStore().add_entity("a"), "Entity('id', 'label')"),  # type: ignore[arg-type]
        (lambda: GraphStore().communities("none"), "louvain"),  # type: ignore[arg-type]
        (lambda: GraphStore().label_propagation_communities(0), "max_iterations"),
        (lambda: GraphStore().central(0), "limit"),
    ],
)  # fmt: skip
def test_values_that_can_never_be_right(make: Any, part: str) -> None:
    """Are refused at once, and the message says which."""
    with pytest.raises(InvalidValue) as caught:
        make()
    assert part in str(caught.value)


def test_values() -> None:
    """Are plain: an id, or a number, of another class is as good."""
    entity = Entity(EntityId("a"), "", {"t": (1, 2)})

    assert type(entity.id) is str
    assert entity.properties == {"t": [1, 2]}
    assert Entity.from_dict(entity.to_dict()) == entity
    assert entity.with_property("x", 1).properties == {"t": [1, 2], "x": 1}
    assert entity.properties == {"t": [1, 2]}
    assert Relationship("a", "b", "k", 2).weight == 2.0
    assert type(Relationship("a", "b", "k", 2).weight) is float
    assert Relationship("\ud800a", "b", "k").from_ == "\ufffda"


def test_negative_weights() -> None:
    """Anywhere in the graph are an error of the weighted path, and of nothing else."""
    graph = store("abcd", [*ABC, ("c", "d", "x", -0.5)])

    with pytest.raises(GraphError, match=r"negative weight -0.5 of 'x' from 'c' to 'd'"):
        graph.shortest_path_weighted("a", "b")
    assert graph.shortest_path("a", "d") == ["a", "b", "c", "d"]


def test_paths_at_their_ends() -> None:
    """From a thing to itself is no step; where nothing leads is None."""
    graph = store("abc", ["ab"])

    assert graph.shortest_path("a", "a") == ["a"]
    assert graph.shortest_path_weighted("a", "a") == (["a"], 0.0)
    assert graph.shortest_path("b", "a") is None
    assert graph.shortest_path_weighted("b", "a") is None
    assert (graph.path_exists("a", "b"), graph.path_exists("b", "a")) == (True, False)


def test_of_parallel_edges_the_lightest_counts() -> None:
    """For the path, and for what it weighs."""
    graph = store("ab", [("a", "b", "x", 3), ("a", "b", "y", 2)])

    assert graph.shortest_path_weighted("a", "b") == (["a", "b"], 2.0)


def test_dfs_is_a_true_preorder() -> None:
    """What is behind the first edge comes before what the second leads to."""
    graph = store("abcdef", ["ab", "ac", "bd", "be", "cf", "dc"])

    assert graph.dfs("a") == ["b", "d", "c", "f", "e"]
    assert graph.bfs("a") == ["b", "c", "d", "e", "f"]


def test_degrees() -> None:
    """In and out together, by id; alone there are no others."""
    graph = store("cba", [("a", "b"), ("a", "b", "other"), ("c", "c")])

    assert graph.degree_centrality() == {"a": 1, "b": 1, "c": 1}
    assert list(graph.degree_centrality()) == ["a", "b", "c"]
    assert store("a", ["aa"]).degree_centrality() == {"a": 0}
    assert store("").degree_centrality() == {}


def test_betweenness_counts_parallel_edges_once() -> None:
    """Two relationships between the same two are one way."""
    once = store("abcd", ["ab", "bd", "ac", "cd"])
    twice = store("abcd", ["ab", "bd", "ac", "cd", ("a", "b", "again"), ("b", "b")])

    assert once.betweenness_centrality() == twice.betweenness_centrality()


def test_communities() -> None:
    """Two dense groups across a bridge are two; numbers begin at the smallest id."""
    found = cliques(5, 5).communities()

    assert found == {f"{g}-{i}": g for g in (0, 1) for i in range(5)}
    assert list(found) == sorted(found)
    assert cliques(4, 4, bridged=False).label_propagation_communities() == {
        f"{g}-{i}": g for g in (0, 1) for i in range(4)
    }
    assert store("ba").communities() == {"a": 0, "b": 1}


def test_label_propagation_rules() -> None:
    """A tie keeps one's own label if it is among the tied, else the smallest; loops do not vote."""
    assert store("abc", ["ab", "bc"]).label_propagation_communities() == dict.fromkeys("abc", 0)
    assert store("ab", ["aa", "bb"]).label_propagation_communities() == {"a": 0, "b": 1}
    twice = store("abc", ["ab", ("c", "b", "x"), ("c", "b", "y")])
    assert twice.label_propagation_communities(1) == {"a": 0, "b": 1, "c": 1}


def test_subgraph() -> None:
    """The listed entities and what is between them, of the same class, with its name."""
    whole = store("abc", [*ABC, ("a", "a", "self")], name="letters")
    part = whole.subgraph(["b", "a", "b"])

    assert isinstance(part, GraphStore)
    assert [entity.id for entity in part.entities()] == ["b", "a"]
    assert [each.ends for each in part.relationships()] == [("a", "b", "next"), ("a", "a", "self")]
    assert part.name == "letters"
    assert whole.entity_count() == 3


def test_rings() -> None:
    """A loop is one; a diamond is none."""
    assert store("ab", ["bb"]).find_cycle() == ["b"]
    assert store("abcd", ["ab", "bd", "ac", "cd"]).find_cycle() is None
    assert store("abcd", ["ab", "bc", "cd", "db"]).find_cycle() == ["b", "c", "d"]


def test_a_very_long_path() -> None:
    """Nothing recurses: a hundred thousand steps are walked every way there is."""
    graph = path(100_000)
    last = "099999"

    assert graph.bfs("000000")[-1] == graph.dfs("000000")[-1] == last
    assert len(graph.transitive_closure("000000")) == 100_000
    assert len(graph.shortest_path("000000", last) or ()) == 100_000
    assert (graph.shortest_path_weighted("000000", last) or ((), 0))[1] == 99_999
    assert graph.find_cycle() is None
    assert len(graph.central(10)) == 10
    graph.add_relationship(Relationship(last, "000000", "back"))
    assert len(graph.find_cycle() or ()) == 100_000


def test_many_threads() -> None:
    """May write and count at once: nothing is lost, and each count is of one moment."""
    graph, wrong = store(f"hub{t}" for t in range(4)), list[str]()

    def write(t: int) -> None:
        for i in range(200):
            graph.add_entity(Entity(f"{t}-{i}"))
            graph.add_relationship(Relationship(f"hub{t}", f"{t}-{i}", "has"))
            if i % 3 == 0:
                graph.remove_entity(f"{t}-{i}")

    def read() -> None:
        for _ in range(60):
            seen = graph.bfs("hub0")
            if len(seen) != len(set(seen)) or len(graph.degree_centrality()) < 4:
                wrong.append("torn")

    threads = [threading.Thread(target=write, args=(t,)) for t in range(4)]
    threads += [threading.Thread(target=read) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert wrong == []
    assert graph.entity_count() == 4 + 4 * 133
    assert graph.relationship_count() == 4 * 133


def test_repr_and_pickle() -> None:
    """One line; and another process may have it."""
    graph = store("abc", ABC, name="letters")

    assert repr(graph) == "<GraphStore 'letters' 3 entities, 2 relationships>"
    assert pickle.loads(pickle.dumps(graph)).to_dict() == graph.to_dict()  # noqa: S301 - our own


OPERATIONS = st.lists(st.tuples(st.booleans(), st.sampled_from("abcd"), st.sampled_from("abcd")))


@given(OPERATIONS, st.integers(0, 12))
def test_who_is_joined_is_known_whenever_it_is_asked(
    operations: list[tuple[bool, str, str]], early: int
) -> None:
    """Neighbours are the same, in the same order, whether somebody asked before or not."""
    asked, other = store("abcd", []), store("abcd", [])
    for n, (adds, tail, head) in enumerate(operations):
        if n == early:
            asked.neighbors("a")
        for graph in (asked, other):
            if adds and not graph.has_edge(tail, head, "to"):
                graph.add_relationship(Relationship(tail, head, "to"))
            elif graph.has_edge(tail, head, "to"):
                graph.remove_relationship(tail, head, "to")
    asked.remove_entity("d")
    other.remove_entity("d")

    for name in "abc":
        assert asked.neighbors(name) == other.neighbors(name)
        assert asked.edges_at(name) == other.edges_at(name)
        assert asked.neighbors(name) == [
            each.to for each in other.relationships() if each.from_ == name
        ]
