"""How many shortest paths lead through each node: by igraph, or Brandes' way in NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from agentlab.graph.snapshot import Snapshot

ROOM = 3_000_000  # nodes and edges, once for each source, that are looked at together


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

    n = len(graph)
    sources = np.arange(last - first, dtype=np.int64) * n + np.arange(first, last)
    depth = np.full((last - first) * n, -1, dtype=np.int32)
    ways = np.zeros((last - first) * n)
    depth[sources], ways[sources] = 0, 1
    levels = list(_levels(graph, sources, depth, ways))
    share = np.zeros((last - first) * n)
    for here, there in reversed(levels):
        # What leads through the farther node is shared by those before it, by their ways to it.
        np.add.at(share, here, ways[here] / ways[there] * (1 + share[there]))
    share[sources] = 0
    return share.reshape(last - first, n).sum(axis=0)


def _levels(graph: Snapshot, level: Any, depth: Any, ways: Any) -> Iterator[tuple[Any, Any]]:
    """Give, for each step away from the sources, the edges of shortest paths that make it."""
    import numpy as np

    starts, heads = graph.ranges
    degrees, n, far = np.diff(starts), len(graph), 0
    while len(level):
        node = level % n
        times = degrees[node]
        ends = np.cumsum(times)
        here = np.repeat(level, times)
        place = np.arange(len(here)) - np.repeat(ends - times - starts[node], times)
        there = here - np.repeat(node, times) + heads[place]
        far += 1
        fresh = depth[there] < 0
        depth[there[fresh]] = far
        good = depth[there] == far
        here, there = here[good], there[good]
        np.add.at(ways, there, ways[here])
        yield here, there
        level = np.unique(there)
