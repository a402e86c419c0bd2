"""Ways through a graph. Nothing here recurses, and no result depends on the order of a set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import pairwise
from math import inf
from typing import Any

from agentlab.graph.snapshot import Distances, Snapshot

NOBODY = -1  # what comes before the first


def reach(graph: Snapshot, start: int) -> list[int]:
    """Give what can be reached, the start first, nearest first, then as the edges came."""
    if graph.matrix is not None:
        from scipy.sparse.csgraph import breadth_first_order

        found: list[int] = breadth_first_order(
            graph.matrix, start, return_predecessors=False
        ).tolist()
        return found
    return walk(graph, start)


def walk(graph: Snapshot, start: int) -> list[int]:
    """Do the same without SciPy."""
    order, seen = [start], {start}
    for i in order:
        for j in graph.successors[i]:
            if j not in seen:
                seen.add(j)
                order.append(j)
    return order


def preorder(graph: Snapshot, start: int) -> list[int]:
    """Give what can be reached, each before what is behind it: depth first."""
    order, seen = [start], {start}
    stack = [iter(graph.successors[start])]
    while stack:
        for j in stack[-1]:
            if j not in seen:
                seen.add(j)
                order.append(j)
                stack.append(iter(graph.successors[j]))
                break
        else:
            stack.pop()
    return order


def hops(graph: Snapshot, start: int, goal: int, *, either_way: bool = False) -> list[int] | None:
    """Give a path with the fewest edges, or None; ``either_way`` takes them backwards too.

    From both ends at once, a step at a time on the side where there is less to look at. Of paths
    as short it is always the same one.
    """
    if start == goal:
        return [start]
    near: Sequence[Iterable[int]] = graph.around
    sides = (near, near) if either_way else (graph.successors, graph.predecessors)
    before: tuple[dict[int, int], dict[int, int]] = ({start: NOBODY}, {goal: NOBODY})
    edge = [[start], [goal]]
    while edge[0] and edge[1]:
        side = len(edge[1]) < len(edge[0])
        here, there, fresh = before[side], before[not side], list[int]()
        for i in edge[side]:
            for j in sides[side][i]:
                if j not in here:
                    here[j] = i
                    if j in there:
                        return joined(before, j)
                    fresh.append(j)
        edge[side] = fresh
    return None


def joined(before: Sequence[dict[int, int]], meeting: int) -> list[int]:
    """Give the path that leads from both ends to where they meet."""
    return [*reversed([*back(before[0], meeting)]), *back(before[1], before[1][meeting])]


def back(before: Any, last: int) -> Iterator[int]:
    """Give the nodes of a path, the last first."""
    while last != NOBODY:
        yield last
        last = before[last]


def cheapest(graph: Snapshot, start: int, goal: int) -> tuple[list[int], float] | None:
    """Give a path of the least weight, and what it weighs, or None. No weight may be negative.

    Dijkstra's, from both ends at once.
    """
    if start == goal:
        return [start], 0.0
    sides = graph.lightest
    far: tuple[dict[int, float], dict[int, float]] = ({start: 0.0}, {goal: 0.0})
    before: tuple[dict[int, int], dict[int, int]] = ({start: NOBODY}, {goal: NOBODY})
    heaps = ([(0.0, start)], [(0.0, goal)])
    best, meeting = inf, NOBODY
    while heaps[0] and heaps[1] and heaps[0][0][0] + heaps[1][0][0] < best:
        side = heaps[1][0][0] < heaps[0][0][0]
        here, there, heap = far[side], far[not side], heaps[side]
        passed, i = heappop(heap)
        if passed > here[i]:
            continue  # there was a better way
        for j, step in sides[side][i].items():
            total = passed + step
            if total < here.get(j, inf):
                here[j], before[side][j] = total, i
                heappush(heap, (total, j))
                if total + there.get(j, inf) < best:
                    best, meeting = total + there[j], j
    if meeting == NOBODY:
        return None
    path = joined(before, meeting)
    return path, weight_of(sides[0], path)


def weight_of(ahead: Distances, path: list[int]) -> float:
    """Add up a path from its beginning, so that the sum is the same each time."""
    return float(sum(ahead[i][j] for i, j in pairwise(path)))


def cycle(graph: Snapshot) -> list[int] | None:
    """Give nodes that lead round in a ring, or None. A loop is a ring of one."""
    done: set[int] = set()
    for start in range(len(graph)):
        if start in done:
            continue
        path, on_path = [start], {start: 0}
        stack = [iter(graph.successors[start])]
        while stack:
            for j in stack[-1]:
                if j in on_path:
                    return path[on_path[j] :]
                if j not in done:
                    on_path[j] = len(path)
                    path.append(j)
                    stack.append(iter(graph.successors[j]))
                    break
            else:
                stack.pop()
                done.add(path[-1])
                del on_path[path.pop()]
    return None


def parts(graph: Snapshot) -> list[list[int]]:
    """Give the parts that nothing joins, the largest first, each in the order it was added."""
    found, seen = [], set[int]()
    for start in range(len(graph)):
        if start in seen:
            continue
        seen.add(start)
        part = [start]
        for i in part:
            for j in graph.around[i]:
                if j not in seen:
                    seen.add(j)
                    part.append(j)
        found.append(sorted(part))
    return sorted(found, key=len, reverse=True)


def central(graph: Snapshot, limit: int) -> list[int]:
    """Choose the best connected nodes so that they hang together, the best first.

    From the node with the most edges on, always the best connected neighbour of what is chosen.
    """
    ranked = sorted(range(len(graph)), key=lambda i: (-graph.degrees[i], i))
    chosen: dict[int, None] = {}
    for start in ranked:
        heap = [(-graph.degrees[start], start)]
        while heap and len(chosen) < limit:
            _, i = heappop(heap)
            if i not in chosen:
                chosen[i] = None
                for j in graph.around[i]:
                    if j not in chosen:
                        heappush(heap, (-graph.degrees[j], j))
        if len(chosen) >= limit:
            break
    return list(chosen)
