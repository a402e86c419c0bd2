"""Which nodes belong together: the same answer each time, on every machine.

The edges count by their number, in either direction; what weighs on them, and loops, do not.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, Literal, TypeAlias, get_args

from agentlab.core.errors import InvalidValue
from agentlab.core.extras import need
from agentlab.graph.snapshot import Snapshot

Method: TypeAlias = Literal["louvain", "leiden", "label_propagation"]
ROUNDS = 100
TOO_LITTLE = 1e-9  # edges, to be worth a move
_chance = threading.Lock()  # igraph has one source of it for all


def communities(graph: Snapshot, method: Method, seed: int) -> list[int]:
    """Give the number of each node's community; those of the smallest ids come first.

    Raises
    ------
    InvalidValue
        There is no such method.
    NotConfigured
        igraph, which knows ``leiden``, is not installed.
    """
    ways: dict[Any, Callable[[], list[int]]] = {
        "louvain": lambda: louvain(graph, seed),
        "leiden": lambda: leiden(graph, seed),
        "label_propagation": lambda: propagate(graph, ROUNDS),
    }
    if method not in ways:
        raise InvalidValue(f"method must be one of {', '.join(get_args(Method))}, got {method!r}")
    return graph.once(("communities", method, seed), lambda: renumbered(graph, ways[method]()))


def renumbered(graph: Snapshot, labels: list[int]) -> list[int]:
    """Call them 0, 1, 2 … by the smallest id in each."""
    numbers: dict[int, int] = {}
    for i in graph.by_id:
        numbers.setdefault(labels[i], len(numbers))
    return [numbers[label] for label in labels]


def propagate(graph: Snapshot, rounds: int) -> list[int]:
    """Let each node take the label that most of its neighbours have, until nothing changes.

    In the order of their ids; of labels as frequent a node keeps its own, or takes the smallest.
    """
    labels = [0] * len(graph)
    for rank, i in enumerate(graph.by_id):
        labels[i] = rank
    for _ in range(rounds):
        changed = False
        for i in graph.by_id:
            votes: dict[int, int] = {}
            for j, times in graph.around[i].items():
                votes[labels[j]] = votes.get(labels[j], 0) + times
            most = max(votes.values(), default=0)
            if most > votes.get(labels[i], 0):
                labels[i] = min(label for label, count in votes.items() if count == most)
                changed = True
        if not changed:
            break
    return labels


def louvain(graph: Snapshot, seed: int) -> list[int]:
    """Raise the modularity: move nodes while that helps, then take communities for nodes.

    It is written here, and not taken from a package, so that no answer depends on which packages
    are installed.
    """
    rng = Random(seed)  # noqa: S311 - reproducible, not secret
    rank = {i: r for r, i in enumerate(graph.by_id)}
    near: list[dict[int, float]] = [
        {rank[j]: float(times) for j, times in graph.around[i].items()} for i in graph.by_id
    ]
    inside = [0.0] * len(near)
    member = list(range(len(near)))
    while True:
        home = _moved(near, inside, rng)
        names = {label: n for n, label in enumerate(dict.fromkeys(home))}
        home = [names[label] for label in home]
        member = [home[i] for i in member]
        if len(names) == len(near):
            break
        near, inside = _merged(near, inside, home, len(names))
    return [member[rank[i]] for i in range(len(graph))]


def _moved(near: list[dict[int, float]], inside: list[float], rng: Random) -> list[int]:
    """Move each node to the neighbouring community where it is best off, until none moves."""
    n = len(near)
    weight = [sum(each.values()) + 2 * inside[i] for i, each in enumerate(near)]
    whole = sum(weight) or 1.0
    home, size = list(range(n)), weight[:]
    order = list(range(n))
    rng.shuffle(order)
    queue, waiting = deque(order), [True] * n
    while queue:
        i = queue.popleft()
        waiting[i] = False
        links: dict[int, float] = {home[i]: 0.0}
        for j, times in near[i].items():
            links[home[j]] = links.get(home[j], 0.0) + times
        old, share = home[i], weight[i] / whole
        size[old] -= weight[i]
        best, gain = old, links[old] - share * size[old] + TOO_LITTLE
        for label, times in links.items():
            more = times - share * size[label]
            if more > gain or (more == gain and best != old and label < best):
                best, gain = label, more
        home[i] = best
        size[best] += weight[i]
        if best != old:
            for j in near[i]:
                if not waiting[j] and home[j] != best:
                    waiting[j] = True
                    queue.append(j)
    return home


def _merged(
    near: list[dict[int, float]], inside: list[float], home: list[int], count: int
) -> tuple[list[dict[int, float]], list[float]]:
    """Make one node of each community."""
    joined: list[dict[int, float]] = [{} for _ in range(count)]
    within = [0.0] * count
    for i, each in enumerate(near):
        here = home[i]
        within[here] += inside[i]
        for j, times in each.items():
            there = home[j]
            if there == here:
                within[here] += times / 2  # it is seen from both ends
            else:
                joined[here][there] = joined[here].get(there, 0.0) + times
    return joined, within


def leiden(graph: Snapshot, seed: int) -> list[int]:
    """Do it as igraph does: communities that hang together, quickly."""
    igraph: Any = need("igraph", "graph")
    rank = {i: r for r, i in enumerate(graph.by_id)}
    ends: Iterable[tuple[int, int]] = sorted(
        (rank[i], rank[j]) for i, j in zip(graph.tails, graph.heads, strict=True) if i != j
    )
    made = igraph.Graph(len(graph), list(ends), directed=False)
    with _chance:
        igraph.set_random_number_generator(Random(seed))  # noqa: S311 - as above
        try:
            found = made.community_leiden(objective_function="modularity", n_iterations=-1)
        finally:
            igraph.set_random_number_generator(random)  # what it has by itself
    return [found.membership[rank[i]] for i in range(len(graph))]


def modularity(graph: Snapshot, labels: list[int]) -> float:
    """Tell how much more is within the communities than chance would put there: -0.5 to 1."""
    whole = sum(sum(each.values()) for each in graph.around)
    if not whole:
        return 0.0
    within, size = 0, dict[int, int]()
    for i, each in enumerate(graph.around):
        size[labels[i]] = size.get(labels[i], 0) + sum(each.values())
        within += sum(times for j, times in each.items() if labels[j] == labels[i])
    return within / whole - sum((each / whole) ** 2 for each in size.values())
