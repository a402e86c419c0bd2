"""A memory one can look into: the Python half. What it looks like is ``memory_explorer.js``."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from agentlab.core.clock import SYSTEM_CLOCK
from agentlab.core.errors import InvalidValue
from agentlab.core.sync import portal
from agentlab.display.words import gist
from agentlab.widgets.coalescer import LIVE, Coalescer
from agentlab.widgets.explorer import Explorer
from agentlab.widgets.live import STATIC
from agentlab.widgets.meanings import Map
from agentlab.widgets.recollection import Recollection
from agentlab.widgets.retelling import Retelling
from agentlab.widgets.shelving import shelf_of
from agentlab.widgets.trace_explorer import name_of, whole

TOLD_S = 1.0  # between two words of how long a map takes


class MemoryExplorer(Explorer):
    """Shows what is remembered, why it would be recalled, and how it fades.

    A memory is read when it is opened, and again by :meth:`refresh`; looking changes nothing in
    it. ``explorer = store.explore()`` opens one.

    Parameters
    ----------
    subject : EpisodicStore, LtmStore, SemanticStore, SemanticMemory, VectorMemory or WorkingMemory
        What is looked into.
    coalescer : Coalescer
        With whom it speaks.
    embedder : Embedder, callable or "static", optional
        Makes vectors of texts for the map, where the memory has none of its own; by default
        static vectors if they are installed, or else a bag of words.

    Attributes
    ----------
    selected
        The item that is selected, as the memory has it: a ``MemoryItem``, an ``LtmEntry``, a
        ``SemanticEntry``, a value, or key and value; None where there is none.
    """

    _esm = STATIC / "memory_explorer.js"

    def __init__(self, subject: Any, coalescer: Coalescer = LIVE, *, embedder: Any = None) -> None:
        self._seen = Recollection(shelf_of(subject))
        self._told = Retelling(self._seen)
        self._embedder = embedder
        self._opened = clock_of(subject)
        self._lock = threading.RLock()
        super().__init__(subject, coalescer)
        if self.comm:
            self._map()

    @property
    def selected(self) -> Any:
        """What is selected."""
        with self._lock:
            return self._seen.thing()

    @property
    def query(self) -> str:
        """What is asked."""
        return self._seen.query

    @query.setter
    def query(self, query: str) -> None:
        if not isinstance(query, str):
            raise InvalidValue(f"a query is a text, got {query!r:.80}")
        with self._lock:
            self._seen.ask(query)
        self.touch()

    @property
    def moment(self) -> datetime:
        """The moment that the memory is looked at; set it by a time, or by how far ahead it is."""
        return self._opened + timedelta(hours=self._seen.ahead_h)

    @moment.setter
    def moment(self, moment: datetime | timedelta) -> None:
        if isinstance(moment, timedelta):
            ahead = moment
        elif isinstance(moment, datetime) and moment.tzinfo is not None:
            ahead = moment - self._opened
        else:
            raise InvalidValue(
                "a moment is a datetime with a time zone, or a timedelta from now on,"
                f" got {moment!r:.80}"
            )
        with self._lock:
            self._seen.look_ahead(ahead / timedelta(hours=1))
        self.touch()

    @property
    def agents(self) -> set[str]:
        """Whose memories are listed; all where it is empty."""
        return {*self._seen.agents}

    @agents.setter
    def agents(self, agents: Collection[str]) -> None:
        with self._lock:
            self._seen.want(agents=agents)
        self.touch()

    @property
    def tags(self) -> set[str]:
        """One of which an item must have to be listed; all are where it is empty."""
        return {*self._seen.tags}

    @tags.setter
    def tags(self, tags: Collection[str]) -> None:
        with self._lock:
            self._seen.want(tags=tags)
        self.touch()

    @property
    def sort(self) -> str:
        """In which order items are listed."""
        return self._seen.sort

    @sort.setter
    def sort(self, sort: str) -> None:
        with self._lock:
            self._seen.order_by(sort)
        self.touch()

    @property
    def projection(self) -> str:
        """How the map is made: ``"PCA"``, or ``"t-SNE"`` where scikit-learn is installed."""
        return self._seen.way

    @projection.setter
    def projection(self, way: str) -> None:
        with self._lock:
            self._seen.make(way)
        self._map()

    def refresh(self) -> None:
        """Read the memory again; what is asked and wanted stays as far as it can."""
        with self._lock:
            before, self._opened = self._seen, clock_of(self.subject)
            self._seen = self._told.seen = before.anew(shelf_of(self.subject))
            self._told.forget()
        self._map()
        self.freshen()

    def close(self) -> None:
        """Leave the card as it is now, and nothing else."""
        if hasattr(self, "_told"):  # what cannot be explored was never open
            super().close()

    def changes(self) -> dict[str, Any]:
        """Give what the page shows."""
        with self._lock:
            return self._told.cells()

    def asked(self, message: dict[str, Any]) -> None:
        """Do what the page asks; what it cannot mean, it does not."""
        super().asked(message)
        if message.get("type") == "refresh":
            self.refresh()
            return
        with self._lock:
            way = self._seen.way
            self._do(self._seen, self._told, message)
        if self._seen.way != way:
            self._map()
        self.touch()

    @staticmethod
    def _do(seen: Recollection, told: Retelling, message: dict[str, Any]) -> None:
        no, page = whole(message.get("no")), name_of(message.get("page"))
        match message:
            case {"type": "see"}:
                told.look(no, whole(message.get("size")), page)
            case {"type": "ask", "query": str(query)}:
                seen.ask(query, page)
            case {"type": "go"}:
                seen.go(no)
            case {"type": "select"}:
                seen.select(no)
            case {"type": "row"}:
                seen.select_row(no)
            case {"type": "point"}:
                told.point(no, page)
            case {"type": "sort", "name": str(name)} if name in seen.sorts:
                seen.order_by(name)
            case {"type": "agent" | "tag" as what, "name": str(name)}:
                seen.switch(what, name)
            case {"type": "map", "name": str(name)} if name in seen.ways:
                seen.make(name)
            case _:
                pass

    def _map(self) -> None:
        """Let the map be made on another thread: vectors and layouts may take a while."""
        with self._lock:
            seen, way = self._seen, self._seen.way
            if way in seen.maps:
                seen.drawn(seen.maps[way])
            elif self.comm and way not in seen.drawing:
                seen.drawing.add(way)
                portal().start_task_soon(self._mapped, seen, way)
        self.touch()

    async def _mapped(self, seen: Recollection, way: str) -> None:
        began = time.monotonic()
        work = asyncio.create_task(asyncio.to_thread(Map, seen.shelf, way, self._embedder))
        while not (await asyncio.wait({work}, timeout=TOLD_S))[0]:
            lasted = f"{time.monotonic() - began:.0f} s"
            self._draw_on(seen, way, None, f"drawing the map by {way}, {lasted}…")
        try:
            made, note = work.result(), ""
        except Exception as error:  # noqa: BLE001 - an embedder is somebody else's
            made, note = None, f"no map: {gist(str(error), 200)}"
        with self._lock:
            seen.drawing.discard(way)
            if made:
                seen.maps[way] = made
        self._draw_on(seen, way, made, note)

    def _draw_on(self, seen: Recollection, way: str, made: Map | None, note: str) -> None:
        with self._lock:
            if seen is not self._seen or seen.way != way:
                return  # another is wanted meanwhile
            if way in seen.drawing:
                seen.note = note  # the one before stays until then
            else:
                seen.drawn(made, note)
        self.touch()


def clock_of(memory: Any) -> datetime:
    """Give the moment that a memory's clock shows, or this one where it has none."""
    clock = getattr(memory, "_clock", SYSTEM_CLOCK)
    now: datetime = clock.now()
    return now
