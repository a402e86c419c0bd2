"""What readers of traces have in common: what they take of them, and which calls are under way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, TypeVar

from agentlab.core.events import Entry

V = TypeVar("V")
MAX_TREES = 10_000


class Takes:
    """A sink by a table: to each kind of event that it takes, what it does with one."""

    takes: ClassVar[Mapping[type, Callable[[Any, Entry, Any], None]]]

    def __call__(self, entry: Entry, /) -> None:
        """Take an entry."""
        take = self.takes.get(type(entry.event))
        if take:
            take(self, entry, entry.event)


class Calls(Generic[V]):
    """Remembers calls under way by run and number. Whoever owns it holds the lock.

    A call that is cancelled never ends, and a child that nobody drives does not either; so they
    are kept by tree, and the end of a run forgets it and all below it. Of trees that never end,
    the oldest are forgotten.

    >>> calls = Calls[str]()
    >>> calls.begin("r", 1, "double")
    >>> calls.end("r", 1), calls.end("r", 1)
    ('double', None)
    """

    __slots__ = ("_trees",)

    def __init__(self) -> None:
        self._trees: dict[str, dict[tuple[str, int], V]] = {}

    def __repr__(self) -> str:
        return f"<Calls {len(self)} under way>"

    def __len__(self) -> int:
        return sum(map(len, self._trees.values()))

    def begin(self, run: str, call_id: int, known: V) -> None:
        """Remember a call."""
        root = run.partition("/")[0]
        tree = self._trees.get(root)
        if tree is None:
            if len(self._trees) >= MAX_TREES:
                del self._trees[next(iter(self._trees))]
            tree = self._trees[root] = {}
        tree[run, call_id] = known

    def end(self, run: str, call_id: int) -> V | None:
        """Give what is known of a call, and forget it."""
        root = run.partition("/")[0]
        tree = self._trees.get(root)
        if tree is None:
            return None
        known = tree.pop((run, call_id), None)
        if not tree:
            del self._trees[root]
        return known

    def forget(self, run: str) -> None:
        """Forget all calls of ``run`` and of those below it."""
        root, _, below = run.partition("/")
        tree = self._trees.get(root)
        if tree is None:
            return
        if below:
            inside = f"{run}/"
            for key in [key for key in tree if key[0] == run or key[0].startswith(inside)]:
                del tree[key]
        if not below or not tree:
            del self._trees[root]
