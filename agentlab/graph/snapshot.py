"""A graph as it was at one moment, with numbers for names: what the algorithms work on.

It never changes, so that whoever counts for a while need not keep others from writing; what it is
asked for more than once (neighbours, matrices, communities) it works out once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from importlib.util import find_spec
from typing import Any, TypeAlias, TypeVar

from agentlab.graph.entities import Edge

Neighbours: TypeAlias = list[list[int]]
Distances: TypeAlias = list[dict[int, float]]
T = TypeVar("T")


class Snapshot:
    """Nodes by number, in the order they were added; edges as pairs of numbers, in theirs.

    Parameters
    ----------
    names : sequence of str
        The ids of the nodes.
    edges : iterable of Edge
        Those that lead to, or from, what is no node are left out.
    """

    def __init__(self, names: Sequence[str], edges: Iterable[Edge]) -> None:
        self.names = list(names)
        self.index = {name: i for i, name in enumerate(self.names)}
        self.edges: list[Edge] = []
        self.tails: list[int] = []
        self.heads: list[int] = []
        self._known: dict[tuple[Any, ...], Any] = {}
        number = self.index.get
        for edge in edges:
            tail, head, _ = edge.ends
            i, j = number(tail), number(head)
            if i is not None and j is not None:
                self.edges.append(edge)
                self.tails.append(i)
                self.heads.append(j)

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def by_id(self) -> list[int]:
        """The nodes in the order of their ids."""
        return sorted(range(len(self)), key=self.names.__getitem__)

    @cached_property
    def successors(self) -> Neighbours:
        """For each node those it leads to, each once, in the order of the edges."""
        return self._neighbours(self.tails, self.heads)

    @cached_property
    def predecessors(self) -> Neighbours:
        """For each node those that lead to it, likewise."""
        return self._neighbours(self.heads, self.tails)

    @cached_property
    def around(self) -> list[dict[int, int]]:
        """For each node its neighbours either way and by how many edges; loops are left out."""
        near: list[dict[int, int]] = [{} for _ in self.names]
        for i, j in zip(self.tails, self.heads, strict=True):
            if i != j:
                near[i][j] = near[i].get(j, 0) + 1
                near[j][i] = near[j].get(i, 0) + 1
        return near

    @cached_property
    def lightest(self) -> tuple[Distances, Distances]:
        """For each node, forwards and backwards, how far its neighbours are by the best edge."""
        ahead: Distances = [{} for _ in self.names]
        back: Distances = [{} for _ in self.names]
        for edge, i, j in zip(self.edges, self.tails, self.heads, strict=True):
            if edge.weight < ahead[i].get(j, float("inf")):
                ahead[i][j] = back[j][i] = edge.weight
        return ahead, back

    @cached_property
    def negative(self) -> Edge | None:
        """The first edge whose weight is negative, if there is one."""
        return next((edge for edge in self.edges if edge.weight < 0), None)

    @cached_property
    def ranges(self) -> tuple[Any, Any]:
        """The successors of all nodes in one array, after where those of each begin in it."""
        import numpy as np

        starts = np.zeros(len(self) + 1, dtype=np.int64)
        np.cumsum([len(each) for each in self.successors], out=starts[1:])
        flat = [j for each in self.successors for j in each]
        return starts, np.array(flat, dtype=np.int64)

    @cached_property
    def matrix(self) -> Any:
        """The same as a sparse matrix, or None where SciPy is not installed."""
        if find_spec("scipy") is None:
            return None
        import numpy as np
        from scipy.sparse import csr_array

        starts, heads = self.ranges
        return csr_array((np.ones(len(heads)), heads, starts), shape=(len(self), len(self)))

    @cached_property
    def degrees(self) -> list[int]:
        """For each node how many edges begin or end there; a loop does both."""
        counted = [0] * len(self)
        for ends in (self.tails, self.heads):
            for i in ends:
                counted[i] += 1
        return counted

    def once(self, key: tuple[Any, ...], make: Callable[[], T]) -> T:
        """Work something out, or give it as it was worked out before; ``key`` says what it is."""
        if key not in self._known:
            self._known[key] = make()
        known: T = self._known[key]
        return known

    def _neighbours(self, here: list[int], there: list[int]) -> Neighbours:
        found: list[dict[int, None]] = [{} for _ in self.names]
        for i, j in zip(here, there, strict=True):
            found[i][j] = None
        return [list(each) for each in found]
