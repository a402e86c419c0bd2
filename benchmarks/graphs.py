"""Graphs: building, walking, centrality and communities, beside networkx and igraph.

Each line is the median of several rounds of CPU time, ours and theirs in turn, and their ratio.
Ours starts from names and edges as a user has them; what it keeps until something changes (numbers
for names, matrices) is timed once, as "the first question", and is there for the others. igraph
stands beside where it is installed: ours then uses it for betweenness, so that without it
(``--without-igraph``) is the other half of the story.
"""

from __future__ import annotations

import gc
import math
import os
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from random import Random
from typing import Any

import networkx as nx

from agentlab.graph.base import Graph
from agentlab.graph.entities import Entity, Relationship
from agentlab.graph.store import GraphStore

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # NumPy is not loaded yet
if "--without-igraph" in sys.argv:
    sys.modules["igraph"] = None  # type: ignore[assignment]  # as if it were not here
IGRAPH = find_spec("igraph") is not None
SIZES = ((1_000, 5_000), (10_000, 50_000))
Made = list[tuple[str, str, float]]


def drawn(nodes: int, edges: int) -> tuple[list[str], Made]:
    """Give names and edges, the same each time, no two alike."""
    rng = Random(7)  # noqa: S311 - reproducible
    names = [f"node-{i}" for i in range(nodes)]
    ends: dict[tuple[str, str], float] = {}
    while len(ends) < edges:
        ends[rng.choice(names), rng.choice(names)] = float(rng.randint(1, 20))
    return names, [(*pair, weight) for pair, weight in ends.items()]


def ours(names: list[str], edges: Made) -> GraphStore:
    """Build our graph, each edge checked."""
    graph = GraphStore()
    for each in names:
        graph.add_entity(Entity(each))
    for tail, head, weight in edges:
        graph.add_relationship(Relationship(tail, head, "to", weight))
    return graph


def theirs(names: list[str], edges: Made) -> Any:
    """Build networkx's, likewise."""
    graph: Any = nx.MultiDiGraph()
    for each in names:
        graph.add_node(each, label="", properties={})
    for tail, head, weight in edges:
        if not graph.has_edge(tail, head, "to"):
            graph.add_edge(tail, head, "to", weight=weight)
    return graph


def other(names: list[str], edges: Made) -> Any:
    """Build igraph's, all at once, as it likes it."""
    import igraph

    number = {each: i for i, each in enumerate(names)}
    made = igraph.Graph(len(names), [(number[a], number[b]) for a, b, _ in edges], directed=True)
    made.es["weight"] = [weight for *_, weight in edges]
    return made


def seconds(work: Callable[[], object]) -> float:
    """Time it once, by the CPU's clock, with nothing left over to clean up."""
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began


def compare(what: str, rounds: int, *works: Callable[[], object] | None) -> float:
    """Time ours and theirs in turn, print medians and ratios, and give ours."""
    timed: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, column in zip(works, timed, strict=True):
            if work is not None:
                column.append(seconds(work))
    mine, *rest = [statistics.median(column) if column else math.nan for column in timed]
    told = [
        f"{name} {took * 1000:10.2f} ms ({mine / took:.3f}x)"
        for name, took in zip(("networkx", "igraph"), rest, strict=False)
        if not math.isnan(took)
    ]
    print(f"{what:38}{mine * 1000:10.2f} ms   {'   '.join(told)}", flush=True)
    return mine


def fresh(graph: GraphStore) -> GraphStore:
    """Have it forget what it has worked out."""
    graph.add_entity(Entity("passing by"))
    graph.remove_entity("passing by")
    return graph


def walks(names: list[str], graph: GraphStore, multi: Any, made: Any) -> None:
    """P7: walking from one node, and paths between pairs."""
    rng = Random(3)  # noqa: S311 - as above
    pairs = [(rng.choice(names), rng.choice(names)) for _ in range(20)]
    number = {each: i for i, each in enumerate(names)}
    start = names[0]
    compare("  the first question, all of it new", 5, lambda: fresh(graph).bfs(start))
    compare(
        "  BFS", 9, lambda: graph.bfs(start), lambda: [b for _, b in nx.bfs_edges(multi, start)],
        (lambda: made.bfs(0, mode="out")) if made else None,
    )  # fmt: skip
    compare(
        "  closure", 9, lambda: graph.transitive_closure(start),
        lambda: nx.descendants(multi, start),
        (lambda: made.subcomponent(0, "out")) if made else None,
    )  # fmt: skip
    graph.shortest_path_weighted(*pairs[0])
    compare(
        "  20 pairs, fewest edges", 5, lambda: [graph.shortest_path(*pair) for pair in pairs],
        lambda: [path(nx.shortest_path, multi, *pair) for pair in pairs],
        (lambda: [made.get_shortest_path(number[a], number[b]) for a, b in pairs])
        if made
        else None,
    )  # fmt: skip
    compare(
        "  20 pairs, least weight", 5,
        lambda: [graph.shortest_path_weighted(*pair) for pair in pairs],
        lambda: [path(nx.bidirectional_dijkstra, multi, *pair) for pair in pairs],
        (lambda: [made.get_shortest_path(number[a], number[b], weights="weight") for a, b in pairs])
        if made
        else None,
    )  # fmt: skip


def path(find: Callable[..., Any], graph: Any, start: str, goal: str) -> Any:
    """Find a path of networkx's, if there is one."""
    try:
        return find(graph, start, goal)
    except nx.NetworkXNoPath:
        return None


def measures(graph: GraphStore, multi: Any, made: Any, nodes: int) -> None:
    """P8 and P9: centrality, communities, and where to draw what."""
    few = nodes <= SIZES[0][0]
    once = nx.DiGraph(multi)
    compare(
        "  betweenness, all pairs", 3 if few else 1,
        lambda: fresh(graph).betweenness_centrality(),
        # networkx takes minutes for the large one: a fiftieth of the sources is timed there
        (lambda: nx.betweenness_centrality(once))
        if few
        else None,
        made.betweenness if made else None,
    )  # fmt: skip
    if not few:
        took = seconds(lambda: nx.betweenness_centrality(once, k=nodes // 50, seed=1)) * 50
        print(f"  networkx, from a fiftieth of the sources {took * 1000:.0f} ms", flush=True)
    undirected = nx.Graph(multi)
    compare(
        "  communities (Louvain)", 3 if few else 1, lambda: fresh(graph).communities(),
        lambda: nx.community.louvain_communities(undirected, seed=1),
        (lambda: made.as_undirected().community_multilevel()) if made else None,
    )  # fmt: skip
    compare(
        "  communities (label propagation)", 3 if few else 1,
        lambda: fresh(graph).label_propagation_communities(),
        lambda: list(nx.community.label_propagation_communities(undirected)),
        (lambda: made.as_undirected().community_label_propagation()) if made else None,
    )  # fmt: skip
    compare("  places for all", 1, lambda: fresh(graph).layout())
    compare("  the card", 3, lambda: fresh(graph).to_html())
    compare("  the card again", 5, graph.to_html)


def main() -> None:
    """Measure everything at both sizes, and how it grows."""
    warnings.simplefilter("ignore")  # igraph warns of what cannot be reached
    print(f"igraph: {'yes' if IGRAPH else 'no'}; SciPy: {'yes' if find_spec('scipy') else 'no'}")
    built = []
    for nodes, edges in SIZES:
        names, ends = drawn(nodes, edges)
        print(f"{nodes:,} nodes, {edges:,} edges")
        built.append(
            compare(
                "  build, each edge checked", 7, lambda: ours(names, ends),  # noqa: B023 - called now
                lambda: theirs(names, ends),  # noqa: B023
                (lambda: other(names, ends)) if IGRAPH else None,  # noqa: B023
            )
        )  # fmt: skip
        graph, multi = ours(names, ends), theirs(names, ends)
        made = other(names, ends) if IGRAPH else None
        walks(names, graph, multi, made)
        measures(graph, multi, made, nodes)
    growth = SIZES[1][1] / SIZES[0][1]
    print(f"slope of building: {math.log(built[1] / built[0]) / math.log(growth):.2f}")
    assert isinstance(graph, Graph)


if __name__ == "__main__":
    main()
