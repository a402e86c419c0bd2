"""The live card of a run: the Python half. What it looks like is ``widgets/src/run_view.js``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from anywidget import AnyWidget
from traitlets import Bool, Unicode

from agentlab.core.events import Entry
from agentlab.core.secrets import scrub
from agentlab.widgets.coalescer import LIVE, Coalescer
from agentlab.widgets.story import Story

STATIC = Path(__file__).parents[1] / "static"
_lanes = count(1)


class RunView(AnyWidget):
    """Watches one run. It is a sink: ``handle.trace.attach(view)``.

    What it shows is written on the board of the :class:`Coalescer`, as the cells of
    :class:`Story` under the name of its lane.

    Parameters
    ----------
    stop : callable, optional
        What the Stop button calls; without it there is no button.
    coalescer : Coalescer
        With whom it speaks.
    """

    _esm = STATIC / "run_view.js"
    board = Unicode().tag(sync=True)
    lane = Unicode().tag(sync=True)
    stoppable = Bool().tag(sync=True)

    def __init__(self, stop: Callable[[], None] | None = None, coalescer: Coalescer = LIVE) -> None:
        self._news: deque[Entry] = deque()  # written by the run, read by the flush
        self._story, self._stop, self._coalescer = Story(), stop, coalescer
        lane = f"run{next(_lanes)}"
        self.set_trait("lane", lane)
        board = coalescer.open(self)
        super().__init__(lane=lane, board=board, stoppable=stop is not None)
        self.on_msg(self._asked)

    def __repr__(self) -> str:
        return scrub(repr(self._story.session).replace("AgentSession", "RunView", 1))

    def __call__(self, entry: Entry, /) -> None:
        """Take an entry, on whichever thread the run is."""
        self._news.append(entry)
        self._coalescer.touch(self)

    def changes(self) -> dict[str, Any]:
        """Read what came since the last time, and say what is different."""
        while self._news:
            self._story.take(self._news.popleft())
        return self._story.news()

    def close(self) -> None:
        """Leave the page, and the board."""
        self._coalescer.close(self)
        super().close()

    def _asked(self, _: object, content: Any, __: object) -> None:
        if content == {"type": "stop"} and self._stop:
            self._stop()
