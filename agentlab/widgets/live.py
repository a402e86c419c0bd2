"""What all live views are: a widget whose state stands on the board of a coalescer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from anywidget import AnyWidget
from traitlets import Bool, Unicode

from agentlab.core.events import Entry
from agentlab.widgets.coalescer import LIVE, Coalescer
from agentlab.widgets.notebook import attended

STATIC = Path(__file__).parents[1] / "static"
_lanes = count(1)


class LiveView(AnyWidget):
    """A widget that says by :meth:`changes` what is different, when the coalescer asks for it.

    What it shows are the cells of its lane on the board, so that a page that comes late, or a
    second one, has all of it.

    Raises
    ------
    WrongThread
        No loop runs here, and so no notebook.
    """

    board = Unicode().tag(sync=True)
    lane = Unicode().tag(sync=True)

    def __init__(self, coalescer: Coalescer = LIVE, **traits: Any) -> None:
        self._coalescer = coalescer
        self.met = False  # whether a page has spoken, and so has loaded it
        lane = f"v{next(_lanes)}"
        self.set_trait("lane", lane)
        board = coalescer.open(self)
        super().__init__(lane=lane, board=board, **traits)
        self.on_msg(self._heard)

    def open(self) -> None:
        """Meet the page, if somebody is there to see it; a notebook then keeps no state of it."""
        if attended():
            super().open()

    def changes(self) -> dict[str, Any]:
        """Say what is different since the last time, by cell; None is for what is gone."""
        raise NotImplementedError

    def asked(self, message: dict[str, Any]) -> None:
        """Take what the page says, on the kernel's thread."""

    def touch(self) -> None:
        """Note that there is news. Quick, and safe from any thread."""
        self._coalescer.touch(self)

    def close(self) -> None:
        """Leave the page, and the board."""
        self._coalescer.close(self)
        if self.comm:
            super().close()
            self.layout.close()  # a widget too, that nobody else would close

    def _heard(self, _: object, content: Any, __: object) -> None:
        self.met = True
        if isinstance(content, dict):
            self.asked(content)


class RunWatcher(LiveView):
    """A live view of one run. It is a sink: ``handle.trace.attach(view)``.

    Parameters
    ----------
    stop : callable, optional
        What the Stop button calls; without it there is no button.
    coalescer : Coalescer
        With whom it speaks.
    """

    stoppable = Bool().tag(sync=True)

    def __init__(
        self, stop: Callable[[], None] | None = None, coalescer: Coalescer = LIVE, **traits: Any
    ) -> None:
        self._news: deque[Entry] = deque()  # written by the run, read by the flush
        self._stop = stop
        super().__init__(coalescer=coalescer, stoppable=stop is not None, **traits)

    def __call__(self, entry: Entry, /) -> None:
        """Take an entry, on whichever thread the run is."""
        self._news.append(entry)
        # Whoever takes them out takes all; but if its loop is kept busy, another must know of it.
        if len(self._news) == 1 or not self._coalescer.at_home():
            self.touch()

    def entries(self) -> list[Entry]:
        """Give what came since the last time."""
        entries = list[Entry]()
        while self._news:
            entries.append(self._news.popleft())
        return entries

    def asked(self, message: dict[str, Any]) -> None:
        """Stop the run, if that is what was asked."""
        if self._stop and message == {"type": "stop"}:
            self._stop()
        else:
            super().asked(message)
