"""What all explorers are: a card that stays, and under it a live view that can be closed."""

from __future__ import annotations

import asyncio
import time
from importlib import import_module
from typing import Any

from agentlab.core.errors import InvalidValue
from agentlab.core.secrets import scrub
from agentlab.display import mimebundle
from agentlab.widgets.coalescer import LIVE, Coalescer, running
from agentlab.widgets.live import LiveView
from agentlab.widgets.notebook import cell, in_notebook

EXPLORERS = {
    "RuntimeMetrics": "metrics_view.MetricsView",
    "AgentMetricsRegistry": "metrics_view.MetricsView",
    "MetricsRegistry": "metrics_view.MetricsView",
    "StreamingSession": "token_view.TokenView",
    "HeardTokens": "token_view.TokenView",
    "Trace": "trace_explorer.TraceExplorer",
    "AgentSession": "trace_explorer.TraceExplorer",
    "RunHandle": "trace_explorer.TraceExplorer",
    "GraphStore": "graph_explorer.GraphExplorer",
    "KnowledgeGraph": "graph_explorer.GraphExplorer",
    "EpisodicStore": "memory_explorer.MemoryExplorer",
    "SemanticStore": "memory_explorer.MemoryExplorer",
    "LtmStore": "memory_explorer.MemoryExplorer",
    "VectorMemory": "memory_explorer.MemoryExplorer",
    "SemanticMemory": "memory_explorer.MemoryExplorer",
    "WorkingMemory": "memory_explorer.MemoryExplorer",
}
CARD_S = 3.0  # a card is drawn anew no more often: what is unfolded in it folds up again
FIRST_S = 0.3  # but the first time, for what was opened as it began
SHARE = 20  # nor for more than one part in so many of the time
NOTHING = {"text/html": "", "text/plain": ""}
SHOWN: dict[str, list[Explorer]] = {}  # by the cell that shows them


class Explorer(LiveView):
    """Explores ``subject``: the card of it is shown, and the explorer under it.

    While the subject changes, its card follows every few seconds, so that a notebook that is saved
    meanwhile tells the truth. Closed, by its button or :meth:`close`, the explorer leaves the card
    as it then is, and no widget. When its cell runs again, what that showed is closed.

    Attributes
    ----------
    subject
        What is explored.
    """

    def __init__(self, subject: Any, coalescer: Coalescer = LIVE, **traits: Any) -> None:
        self.subject = subject
        self._cards: list[Any] = []
        self._lives: list[Any] = []
        self._shown_by = ""
        self._home: asyncio.AbstractEventLoop | None = None
        self._drawn: dict[str, Any] = {}
        self._next_at = 0.0  # when the card may be drawn anew
        self._due = False
        super().__init__(coalescer, **traits)

    def __repr__(self) -> str:
        return scrub(f"<{type(self).__name__} of {self.subject!r}>")

    def show(self) -> None:
        """Show the card, and the explorer under it; only the card where nobody is there to explore.

        Outside a notebook there is nothing to show.
        """
        if not in_notebook():
            return
        from IPython.display import display

        self._make_room()
        self._home, card = running(), self._draw()
        self._next_at = time.monotonic() + FIRST_S
        self._cards.append(display(card, raw=True, display_id=True))  # type: ignore[no-untyped-call]
        if self.comm:
            self.touch()
            data, meta = super()._repr_mimebundle_() or ({}, {})
            self._lives.append(display(data, metadata=meta, raw=True, display_id=True))  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Leave the card as it is now, and nothing else."""
        cards, self._cards = self._cards, []
        lives, self._lives = self._lives, []
        self._give_room()
        if cards:
            card = mimebundle(self.subject)
            for each in cards:
                each.update(card, raw=True)
        for each in lives:
            each.update(NOTHING, raw=True)
        super().close()

    def asked(self, message: dict[str, Any]) -> None:
        """Close, if that is what was asked."""
        if message.get("type") == "close":
            self.close()

    def freshen(self, *, at_once: bool = False) -> None:
        """Note that the subject has changed. Quick, and safe from any thread.

        Parameters
        ----------
        at_once : bool
            It will not change any more.
        """
        if not self._cards or not self._home or self._home.is_closed():
            return
        if at_once:
            self._home.call_soon_threadsafe(self._follow)
        elif not self._due:
            self._due = True
            self._home.call_soon_threadsafe(self._wait)

    def _wait(self) -> None:
        if self._home:
            self._home.call_later(max(0.0, self._next_at - time.monotonic()), self._follow)

    def _follow(self) -> None:
        self._due = False
        before = self._drawn
        if self._cards and self._draw() != before:
            for each in self._cards:
                each.update(self._drawn, raw=True)

    def _draw(self) -> dict[str, Any]:
        began = time.monotonic()
        self._drawn = mimebundle(self.subject)
        now = time.monotonic()
        self._next_at = now + max(CARD_S, SHARE * (now - began))
        return self._drawn

    def _make_room(self) -> None:
        where, self._shown_by = cell()
        if not where:
            return
        before = SHOWN.get(where, [])
        for other in [each for each in before if each._shown_by != self._shown_by]:  # noqa: SLF001 - one of us
            other.close()
        if self.comm:
            SHOWN.setdefault(where, []).append(self)

    def _give_room(self) -> None:
        for where, here in list(SHOWN.items()):
            if self in here:
                here.remove(self)
            if not here:
                del SHOWN[where]

    def _ipython_display_(self) -> None:
        if not self._cards or self._shown_by != cell()[1]:  # opened by this cell, it is on show
            self.show()


def explore(subject: Any) -> Explorer:
    """Open the explorer of ``subject``.

    Raises
    ------
    InvalidValue
        There is none for such a thing.
    """
    for kind in type(subject).__mro__:
        if name := EXPLORERS.get(kind.__name__):
            module, _, view = name.partition(".")
            explorer: Explorer = getattr(import_module(f"agentlab.widgets.{module}"), view)(subject)
            explorer.show()
            return explorer
    raise InvalidValue(f"there is no explorer for a {type(subject).__name__}, got {subject!r}")
