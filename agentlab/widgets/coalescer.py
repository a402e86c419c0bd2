"""From many fast runs to a few messages: what all live views have to say leaves together.

The views of a kernel write on one :class:`Board`, and each flush sends what is new on it as one
message. So the number of messages does not depend on the number of views, none waits for its
turn, and nothing is lost: a board, unlike a message, can be read by whoever comes later. Nothing
leaves with a key in it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from ipywidgets import Widget

from agentlab.core.errors import WrongThread
from agentlab.core.secrets import Scrubber, scrubber
from agentlab.display.html import visible
from agentlab.widgets.notebook import attended

log = logging.getLogger("agentlab.widgets")
INTERVAL_S = 1 / 25  # a jupyter server drops messages in silence; 30 a second is our budget

PATIENCE = 3  # intervals, until another loop stands in for a kernel's that is kept busy


class View(Protocol):
    """Someone with something to say, asked for it on the thread of the loop."""

    lane: str

    def changes(self) -> Mapping[str, Any]:
        """Say what is different since the last time; None is for what is gone."""


class Board(Widget):  # type: ignore[misc]  # ipywidgets has no types
    """A widget nobody sees: cells by name, told when they change, kept for whoever comes later.

    The cell ``at`` is when it was told, for the clocks of page and kernel may differ.
    """

    def __init__(self) -> None:
        self._cells: dict[str, Any] = {}
        super().__init__()

    def open(self) -> None:
        """Meet the page, if somebody is there to see it."""
        if attended():
            super().open()

    def get_state(
        self,
        key: str | Iterable[str] | None = None,
        drop_defaults: bool = False,  # noqa: FBT001, FBT002 - as in ipywidgets
    ) -> dict[str, Any]:
        """Give all there is, for a page that loads; or the cells named ``key``."""
        at = {"at": time.time() * 1000}
        if key is None:
            return {**super().get_state(drop_defaults=drop_defaults), **self._cells, **at}
        names = [key] if isinstance(key, str) else key
        return {**{name: self._cells.get(name) for name in names}, **at}

    def write(self, cells: Mapping[str, Any]) -> bool:
        """Change some cells, in one message, and forget those that are None; tell if any did."""
        news = {name: value for name, value in cells.items() if self._cells.get(name) != value}
        self._cells.update(news)
        if news:
            self.send_state(list(news))
        for name in [name for name, value in news.items() if value is None]:
            del self._cells[name]
        return bool(news)

    def lane(self, name: str) -> list[str]:
        """List the cells of one view."""
        return [cell for cell in self._cells if cell.startswith(f"{name}.")]


class Coalescer:
    """Flushes all live views together, at most 25 times a second.

    It has no thread, and no timer unless somebody has spoken. Views may be touched from any
    thread. Messages leave from the loop that the first of them was opened on, the kernel's; while
    a cell blocks that, from the loop of a run that is on another thread.
    """

    def __init__(self, interval_s: float = INTERVAL_S) -> None:
        self._interval = interval_s
        self._board: Board | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open: dict[str, View] = {}
        self._touched: dict[str, View] = {}
        self._wiped: dict[str, None] = {}
        self._lock = threading.Lock()  # of what is touched; held for a moment
        self._sending = threading.RLock()  # of all the rest
        self._timer: asyncio.TimerHandle | None = None
        self._thread = 0
        self._deputy: asyncio.AbstractEventLoop | None = None  # that speaks for a busy kernel
        self._last = 0.0

    def open(self, view: View) -> str:
        """Let ``view`` speak, and give the id of the board it is heard on.

        Raises
        ------
        WrongThread
            No loop runs here, and so no notebook.
        """
        with self._sending:
            if self._loop is None or self._loop.is_closed():
                self._loop, self._timer = running(), None
                self._thread, self._deputy = threading.get_ident(), None
            if self._loop is None:
                raise WrongThread("a live view needs a running loop: make it in a cell")
            self._board = self._board or Board()
            self._open[view.lane] = view
            return str(self._board.model_id) if self._board.comm else ""

    def touch(self, view: View) -> None:
        """Note that ``view`` has news. Quick, and safe from any thread."""
        mine = self.at_home()
        if view.lane in self._touched and (mine or self._standing_in):
            return
        with self._lock:
            if view.lane not in self._open:
                return  # it was closed meanwhile: nobody would ever ask it
            self._touched[view.lane] = view
        self._wake()
        if not (mine or self._standing_in) and (here := running()):
            self._deputy = here
            here.call_later(PATIENCE * self._interval, self._stand_in, here)

    def at_home(self) -> bool:
        """Tell whether this is the thread of the loop that messages leave from."""
        return threading.get_ident() == self._thread

    def close(self, view: View) -> None:
        """Take down what ``view`` said; the board goes with its last view."""
        with self._sending:
            if self._open.pop(view.lane, None) is None or self._board is None:
                return
            with self._lock:
                self._touched.pop(view.lane, None)
            if self._open:
                self._wiped.update(dict.fromkeys(self._board.lane(view.lane)))
                self._wake()
                return
            self._board.close()
            self._board = self._loop = None
            self._wiped.clear()
            if self._timer:
                self._timer.cancel()
                self._timer = None

    @property
    def _standing_in(self) -> bool:
        return self._deputy is not None and not self._deputy.is_closed()

    def _wake(self) -> None:
        loop = self._loop
        if loop and not loop.is_closed():
            loop.call_soon_threadsafe(self._arm)

    def _arm(self) -> None:
        if not self._timer and self._loop:
            wait = max(0.0, self._last + self._interval - time.monotonic())
            self._timer = self._loop.call_later(wait, self._flush)

    def _flush(self) -> None:
        self._timer = None
        self._send()

    def _stand_in(self, here: asyncio.AbstractEventLoop) -> None:
        """Speak for the kernel's loop if that has been silent for too long."""
        if time.monotonic() - self._last >= (PATIENCE - 1) * self._interval:
            self._send()
        self._deputy = here if self._touched else None
        if self._deputy:
            here.call_later(self._interval, self._stand_in, here)

    def _send(self) -> None:
        with self._sending:
            if not self._board:
                return
            with self._lock:
                touched, self._touched = self._touched, {}
            cells: dict[str, Any] = dict(self._wiped)
            self._wiped.clear()
            scrub = scrubber()
            for lane, view in touched.items():
                try:
                    news = presentable(view.changes(), scrub)
                except Exception:  # what one view cannot say must not silence the others
                    log.exception("live view %s failed and was left out", lane)
                else:
                    cells.update({f"{lane}.{name}": value for name, value in news.items()})
            if self._board.write(cells):
                self._last = time.monotonic()


def presentable(value: Any, scrub: Scrubber) -> Any:
    """Give ``value`` with every text in it as a page may have it: no key, nothing unseen."""
    if isinstance(value, str):
        return visible(scrub(value))
    if isinstance(value, Mapping):
        return {name: presentable(each, scrub) for name, each in value.items()}
    return [presentable(each, scrub) for each in value] if isinstance(value, list) else value


def running() -> asyncio.AbstractEventLoop | None:
    """Give the loop of this thread, if one runs."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


LIVE = Coalescer()
