"""How many shortest paths lead through each node: by igraph, or Brandes' way in NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from agentlab.graph.snapshot import Snapshot

ROOM = 300_000  # nodes and edges, once for each source, that are looked at together


def betweenness(graph: Snapshot, *, normalized: bool = True) -> list[float]:
    """Give the share of the shortest paths between others that leads through each node.

    Parameters
    ----------
    graph : Snapshot
        Whose edges count as one step each; parallel ones are one.
    normalized : bool
        Divide by (n - 1)(n - 2), the pairs of others.
    """
    n = len(graph)
    found = _by_igraph(graph) if find_spec("igraph") else _by_numpy(graph)
    pairs = (n - 1) * (n - 2)
    return [each / pairs for each in found] if normalized and pairs > 0 else found


def _by_igraph(graph: Snapshot) -> list[float]:
    import igraph

    ends = [(i, j) for i, each in enumerate(graph.successors) for j in each if i != j]
    return list(igraph.Graph(len(graph), ends, directed=True).betweenness())


def _by_numpy(graph: Snapshot) -> list[float]:
    """Follow all sources of a batch at once: a state is a source and a node, in one number."""
    import numpy as np

    n = len(graph)
    total = np.zeros(n)
    batch = max(1, min(n, ROOM // max(n + len(graph.heads), 1)))
    for first in range(0, n, batch):
        total += _batch(graph, first, min(first + batch, n))
    return [float(each) for each in total]


def _batch(graph: Snapshot, first: int, last: int) -> Any:
    import numpy as np

    count, n = last - first, len(graph)
    sources = np.arange(count) * n + np.arange(first, last)
    ways = np.zeros(count * n)
    ways[sources] = 1
    share = np.zeros(count * n)
    for near, far, here, there in reversed(list(_steps(graph, sources, ways))):
        # What leads through the farther node is shared by those before it, by their ways to it.
        part = (1 + share[far]) / ways[far]
        share[near] = ways[near] * np.bincount(here, weights=part[there], minlength=len(near))
    share[sources] = 0
    return share.reshape(count, n).sum(axis=0)


def _steps(graph: Snapshot, near: Any, ways: Any) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Go a step further from all sources, until nothing is new, and count the ways to each state.

    A step is the states it starts from, those that it reaches first, and the edges of shortest
    paths between them, by their places in these two.
    """
    import numpy as np

    starts, heads = graph.ranges
    degrees, n = np.diff(starts), len(graph)
    seen = np.zeros(len(ways), dtype=bool)
    place = np.zeros(len(ways), dtype=np.intp)
    seen[near] = True
    while len(near):
        node = near % n
        times = degrees[node]
        ends = np.cumsum(times)
        here = np.repeat(np.arange(len(near)), times)
        edge = np.arange(len(here)) + np.repeat(starts[node] - ends + times, times)
        reached = np.repeat(near - node, times) + heads[edge]
        new = np.flatnonzero(~seen[reached])
        here, reached = here[new], reached[new]
        place[reached] = np.arange(len(reached))  # of several edges to a state the last one stands
        far = reached[place[reached] == np.arange(len(reached))]
        place[far] = np.arange(len(far))
        there = place[reached]
        ways[far] = np.bincount(there, weights=ways[near][here], minlength=len(far))
        yield near, far, here, there
        seen[far] = True
        near = far
