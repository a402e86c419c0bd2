"""What is counted is what networkx counts, on any graph; with and without SciPy and igraph."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from importlib.util import find_spec
from random import Random
from typing import Any

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core.errors import NotConfigured
from agentlab.graph import algorithms, betweenness, communities
from agentlab.graph.entities import Entity, Relationship
from agentlab.graph.snapshot import Snapshot
from agentlab.graph.store import GraphStore
from tests.graph.graphs import cliques, path, scattered, simple, store, stores


def without(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    """Hide optional packages."""
    for name in modules:
        monkeypatch.setitem(sys.modules, name, None)


@given(stores())
def test_reachable(graph: GraphStore) -> None:
    """Closure, paths and whether there is one; a path is one, and as short as can be."""
    theirs = simple(graph)
    for start in theirs:
        far = nx.single_source_shortest_path_length(theirs, start)
        assert graph.transitive_closure(start) == set(far)
        assert set(graph.dfs(start)) == set(far) - {start}
        for goal in theirs:
            found = graph.shortest_path(start, goal)
            assert graph.path_exists(start, goal) is (goal in far)
            assert (found is None) is (goal not in far)
            if found is not None:
                assert len(found) == far[goal] + 1
                assert (found[0], found[-1]) == (start, goal)
                assert nx.is_path(theirs, found)


@given(stores())
def test_the_order_of_walks(graph: GraphStore) -> None:
    """Nearest first, then as the edges came; with SciPy, without, and as networkx has it."""
    held = graph.snapshot()
    theirs = nx.DiGraph()
    theirs.add_nodes_from(held.names)
    theirs.add_edges_from(each.ends[:2] for each in held.edges)
    for i, start in enumerate(held.names):
        assert algorithms.walk(held, i) == algorithms.reach(held, i)
        assert graph.bfs(start) == [b for _, b in nx.bfs_edges(theirs, start)]
        assert graph.dfs(start) == list(nx.dfs_preorder_nodes(theirs, start))[1:]


@given(stores())
def test_lightest_paths(graph: GraphStore) -> None:
    """Weigh what networkx says, and are paths of that weight."""
    theirs = nx.DiGraph()
    theirs.add_nodes_from(graph.snapshot().names)
    for each in graph.relationships():
        tail, head, _ = each.ends
        known = theirs.get_edge_data(tail, head, {"weight": math.inf})["weight"]
        theirs.add_edge(tail, head, weight=min(each.weight, known))
    lengths = dict(nx.all_pairs_dijkstra_path_length(theirs))
    for start in theirs:
        for goal in theirs:
            found = graph.shortest_path_weighted(start, goal)
            assert (found[1] if found else None) == lengths[start].get(goal)
            if found:
                assert nx.path_weight(theirs, found[0], "weight") == found[1]


@given(stores())
def test_centralities(graph: GraphStore) -> None:
    """Degrees with every edge, betweenness with each way once; with igraph and without."""
    multi, once = graph.to_networkx(), simple(graph)
    others = len(once) - 1
    theirs = {n: d / others if others else 0.0 for n, d in sorted(multi.degree())}

    assert graph.degree_centrality() == pytest.approx(theirs)
    expected = dict(sorted(nx.betweenness_centrality(once).items()))
    held = graph.snapshot()
    ours = betweenness._by_numpy(held)  # noqa: SLF001 - without igraph, whether it is there or not
    pairs = max((len(once) - 1) * (len(once) - 2), 1)
    assert {n: each / pairs for n, each in zip(held.names, ours, strict=True)} == pytest.approx(
        expected
    )
    assert graph.betweenness_centrality() == pytest.approx(expected)


@given(stores())
def test_rings(graph: GraphStore) -> None:
    """Are found exactly where networkx finds one, and are rings."""
    theirs, ring = simple(graph), graph.find_cycle()

    assert (ring is None) is nx.is_directed_acyclic_graph(theirs)
    assert graph.detect_cycles() is (ring is not None)
    if ring is not None:
        assert nx.is_path(theirs, [*ring, ring[0]])
        assert len(set(ring)) == len(ring)


@given(stores())
def test_parts(graph: GraphStore) -> None:
    """What nothing joins, the largest first."""
    found = [{graph.snapshot().names[i] for i in p} for p in algorithms.parts(graph.snapshot())]
    theirs = list(nx.weakly_connected_components(simple(graph)))

    assert sorted(map(sorted, found)) == sorted(map(sorted, theirs))
    assert [len(each) for each in found] == sorted(map(len, theirs), reverse=True)


@given(stores(), st.sampled_from(["louvain", "label_propagation"]), st.integers(0, 3))
def test_communities_are_communities(graph: GraphStore, method: Any, seed: int) -> None:
    """Everything is in one, those joined by nothing are in different ones, numbers have no gap."""
    found = graph.communities(method, seed)
    part = {n: i for i, p in enumerate(nx.weakly_connected_components(simple(graph))) for n in p}

    assert list(found) == sorted(part)
    assert sorted(set(found.values())) == list(range(len(set(found.values()))))
    assert len({(found[n], part[n]) for n in found}) == len(set(found.values()))
    assert list(dict.fromkeys(found.values())) == sorted(set(found.values()))


@given(st.integers(0, 40))
def test_the_order_of_adding_is_nothing_to_communities(seed: int) -> None:
    """They follow from what is there, in whatever order that came."""
    graph = scattered(30, 60, seed)
    entities, edges = graph.held()
    rng = Random(seed)  # noqa: S311 - reproducible
    rng.shuffle(entities)
    rng.shuffle(edges)
    other = GraphStore.made(entities, edges)

    assert other.label_propagation_communities() == graph.label_propagation_communities()
    assert nx.community.modularity(
        nx.MultiGraph(other.to_networkx()), groups(other.communities())
    ) == pytest.approx(
        nx.community.modularity(nx.MultiGraph(graph.to_networkx()), groups(graph.communities())),
        abs=0.1,
    )


def groups(found: dict[str, int]) -> list[set[str]]:
    """Give the communities as sets."""
    return [{n for n, c in found.items() if c == each} for each in sorted(set(found.values()))]


@pytest.mark.parametrize("seed", range(4))
def test_communities_are_good(seed: int) -> None:
    """As good as networkx's, by modularity, which is what networkx says it is."""
    theirs = nx.planted_partition_graph(6, 25, 0.4, 0.02, seed=seed)
    graph = GraphStore.from_networkx(nx.relabel_nodes(theirs, str))
    undirected = nx.Graph(theirs)
    found = [{int(n) for n in each} for each in groups(graph.communities(seed=seed))]
    ours = nx.community.modularity(undirected, found)
    best = nx.community.modularity(undirected, nx.community.louvain_communities(theirs, seed=seed))
    held = graph.snapshot()
    labels = [graph.communities(seed=seed)[name] for name in held.names]

    assert ours >= best - 0.02
    assert communities.modularity(held, labels) == pytest.approx(ours)
    assert len(found) == 6


def test_a_ring_of_cliques() -> None:
    """Where label propagation may join two, Louvain does not."""
    assert len(set(cliques(5, 5, 5, 5).communities().values())) == 4


@pytest.mark.parametrize("hidden", [("scipy",), ("igraph",), ("scipy", "igraph")])
def test_without_optional_packages(hidden: tuple[str, ...], monkeypatch: Any) -> None:
    """Everything is the same, to the last digits of a share."""
    graph, bare = scattered(120, 400), scattered(120, 400)
    answers: list[Callable[[GraphStore], Any]] = [
        lambda g: g.bfs("n0"), lambda g: g.shortest_path("n0", "n9"),
        lambda g: g.communities(), lambda g: g.layout(),
    ]  # fmt: skip
    expected = [answer(graph) for answer in answers]
    shares = graph.betweenness_centrality()
    without(monkeypatch, *hidden)

    assert [answer(bare) for answer in answers] == expected
    assert bare.betweenness_centrality() == pytest.approx(shares)
    if "scipy" in hidden:
        assert bare.snapshot().matrix is None


def test_betweenness_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources are followed a few at a time where all are too many."""
    graph = scattered(60, 200)
    monkeypatch.setattr(betweenness, "ROOM", 500)

    found = betweenness._by_numpy(graph.snapshot())  # noqa: SLF001 - as above
    theirs = nx.betweenness_centrality(simple(graph), normalized=False)
    assert found == pytest.approx([theirs[n] for n in graph.snapshot().names])


def test_leiden() -> None:
    """With igraph there is one more way, as reproducible; without it, what is missing is said."""
    graph = cliques(6, 6, 6)
    if find_spec("igraph") is None:
        with pytest.raises(NotConfigured, match=r"agentlab-notebook\[graph\]"):
            graph.communities("leiden")
        return
    found = graph.communities("leiden")
    assert found == cliques(6, 6, 6).communities("leiden")
    assert len(set(found.values())) == 3


def test_a_snapshot_is_kept_until_something_changes() -> None:
    """So that asking often is quick, and never stale."""
    graph = store("abc", ["ab"])
    first = graph.snapshot()

    assert graph.snapshot() is first
    changes: list[Callable[[], Any]] = [
        lambda: graph.add_relationship(Relationship("b", "c", "x")),
        lambda: graph.remove_relationship("b", "c", "x"),
        lambda: graph.add_entity(Entity("d")),
        lambda: graph.remove_entity("d"),
        graph.clear,
    ]
    for change in changes:
        before = graph.snapshot()
        change()
        assert graph.snapshot() is not before
    assert isinstance(graph.snapshot(), Snapshot)


def test_the_most_central_hang_together() -> None:
    """From the best connected on, each is joined to one before it, as long as there is one."""
    graph = scattered(200, 500)
    chosen = graph.central(40)
    near = nx.Graph(graph.to_networkx())

    assert len(set(chosen)) == 40
    assert near.degree(chosen[0]) >= max(near.degree(n) for n in near) - 1
    assert nx.is_connected(near.subgraph(chosen))
    assert graph.central(1000) == graph.central(200)
    assert path(5).central(3) == ["000001", "000002", "000003"]
