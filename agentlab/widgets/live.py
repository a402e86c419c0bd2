"""What all live views are: a widget whose state stands on the board of a coalescer."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

from anywidget import AnyWidget
from traitlets import Unicode

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
        if isinstance(content, dict):
            self.asked(content)
