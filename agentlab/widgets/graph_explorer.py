"""A graph one can walk in: the Python half. What it looks like is ``graph_explorer.js``."""

from __future__ import annotations

import threading
from typing import Any

from agentlab.core.errors import InvalidValue
from agentlab.graph.base import Graph
from agentlab.graph.entities import Edge, Entity
from agentlab.widgets.atlas import NAME, Atlas
from agentlab.widgets.coalescer import LIVE, Coalescer
from agentlab.widgets.explorer import Explorer
from agentlab.widgets.live import STATIC


class GraphExplorer(Explorer):
    """Shows a graph to move in: search, neighbourhoods, shortest paths, communities, and a table.

    ``explorer = graph.explore()`` opens one. Places and communities are those of
    ``graph.layout()`` and ``graph.communities()``. It shows the graph as it was when it was opened;
    when somebody does something in it, or calls :meth:`refresh`, as it is then.

    Parameters
    ----------
    subject : GraphStore or KnowledgeGraph
        What is explored.
    coalescer : Coalescer
        With whom it speaks.

    Attributes
    ----------
    selected : Entity, Relation, Relationship or None
        What is selected, as it is now; None at first.
    focus : Entity or None
        Whose neighbourhood is looked at; set it, also by an id or a name. None is the whole.
    path : list of str or None
        The ids along the path that is shown, or None.

    Raises
    ------
    InvalidValue
        ``subject`` is no graph.
    """

    _esm = STATIC / "graph_explorer.js"

    def __init__(self, subject: Graph[Any], coalescer: Coalescer = LIVE) -> None:
        if not isinstance(subject, Graph):
            raise InvalidValue(f"a GraphStore or a KnowledgeGraph is explored, got {subject!r:.80}")
        self._lock = threading.RLock()  # the loop of a run may ask for changes while a cell is busy
        self._atlas = Atlas(subject)
        super().__init__(subject, coalescer)

    @property
    def selected(self) -> Entity | Edge | None:
        """What is selected."""
        with self._lock:
            self._renew()
            return self._atlas.entity(self._atlas.node) or self._atlas.edge()

    @property
    def focus(self) -> Entity | None:
        """Whose neighbourhood is looked at."""
        with self._lock:
            self._renew()
            return self._atlas.entity(self._atlas.focus)

    @focus.setter
    def focus(self, who: Entity | str | None) -> None:
        with self._lock:
            self._renew()
            self._atlas.open(-1 if who is None else self._number(who))
            self._atlas.by = ""  # so that every page goes there
        self.touch()

    @property
    def path(self) -> list[str] | None:
        """The path that is shown."""
        with self._lock:
            self._renew()
            path = self._atlas.path
            return None if path is None else [self._atlas.part.names[i] for i in path]

    def connect(self, start: Entity | str | None, goal: Entity | str | None) -> list[str] | None:
        """Show the shortest path between two, and give it; with None the one shown is gone.

        Where none leads along the edges, it goes against them, too, and says so.
        """
        with self._lock:
            self._renew()
            ends = [-1 if each is None else self._number(each) for each in (start, goal)]
            self._atlas.connect(*ends)
            self._atlas.by = ""  # so that every page goes there
        self.touch()
        return self.path

    def refresh(self) -> None:
        """Show the graph as it is now."""
        with self._lock:
            self._renew()
        self.touch()

    def changes(self) -> dict[str, Any]:
        """Give what the page does not have yet, and what is looked at."""
        with self._lock:
            cells = self._atlas.cells()
            if self._atlas.more():
                self.touch()
            return cells

    def asked(self, message: dict[str, Any]) -> None:
        """Do what the page asks; what it cannot mean, it does not."""
        super().asked(message)
        with self._lock:
            self._renew()
            if message.get("version") == self._atlas.version:  # else its numbers mean others
                self._do(message)
        self.touch()

    def close(self) -> None:
        """Leave the card as it is now, and nothing else."""
        if hasattr(self, "_atlas"):  # what cannot be explored was never open
            super().close()

    def _do(self, message: dict[str, Any]) -> None:
        atlas = self._atlas
        match message:
            case {"type": "select"}:
                atlas.select(message.get("node"), message.get("arc"))
            case {"type": "open"}:
                atlas.open(message.get("node"))
            case {"type": "path"}:
                atlas.connect(message.get("start"), message.get("goal"))
            case {"type": "draw"}:
                atlas.draw(message.get("size"), message.get("colour"), message.get("labels"))
            case _:
                return
        turn = message.get("turn")
        atlas.by = str(message.get("by", ""))[:NAME]
        atlas.turn = turn if isinstance(turn, int) else 0

    def _renew(self) -> None:
        if self._atlas.renew():
            self.freshen()
            self.touch()

    def _number(self, who: Entity | str) -> int:
        found = self.subject.find(who.id if isinstance(who, Entity) else str(who))
        no = self._atlas.part.index.get(found.id, -1) if found else -1
        if no < 0:
            raise InvalidValue(f"{who!r:.80} is not in what is shown of {self.subject!r}")
        return no
