"""The live card of a run: the Python half. What it looks like is ``widgets/src/run_view.js``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from traitlets import Bool

from agentlab.core.events import Entry
from agentlab.core.secrets import scrub
from agentlab.widgets.coalescer import LIVE, Coalescer
from agentlab.widgets.live import STATIC, LiveView
from agentlab.widgets.story import Story


class RunView(LiveView):
    """Watches one run. It is a sink: ``handle.trace.attach(view)``. Its cells are a :class:`Story`.

    Parameters
    ----------
    stop : callable, optional
        What the Stop button calls; without it there is no button.
    coalescer : Coalescer
        With whom it speaks.
    """

    _esm = STATIC / "run_view.js"
    stoppable = Bool().tag(sync=True)

    def __init__(self, stop: Callable[[], None] | None = None, coalescer: Coalescer = LIVE) -> None:
        self._news: deque[Entry] = deque()  # written by the run, read by the flush
        self._story, self._stop = Story(), stop
        super().__init__(coalescer, stoppable=stop is not None)

    def __repr__(self) -> str:
        return scrub(repr(self._story.session).replace("AgentSession", "RunView", 1))

    def __call__(self, entry: Entry, /) -> None:
        """Take an entry, on whichever thread the run is."""
        self._news.append(entry)
        # Whoever takes them out takes all; but if its loop is kept busy, another must know of it.
        if len(self._news) == 1 or not self._coalescer.at_home():
            self.touch()

    def changes(self) -> dict[str, Any]:
        """Read what came since the last time, and say what is different."""
        entries = list[Entry]()
        while self._news:
            entries.append(self._news.popleft())
        for entry in entries:
            self._story.take(entry)
        return self._story.news()

    def asked(self, message: dict[str, Any]) -> None:
        """Stop the run, if that is what was asked."""
        if message == {"type": "stop"} and self._stop:
            self._stop()
