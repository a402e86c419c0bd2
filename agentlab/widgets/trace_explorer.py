"""A trace one can travel in: the Python half. What it looks like is ``trace_explorer.js``."""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import Any

from agentlab.core.calls import ModelCall, ToolUse
from agentlab.core.errors import InvalidValue
from agentlab.core.events import Entry, RunEnded
from agentlab.core.session import AgentSession
from agentlab.core.trace import Trace
from agentlab.handle import RunHandle
from agentlab.widgets.coalescer import LIVE, Coalescer
from agentlab.widgets.explorer import Explorer
from agentlab.widgets.journey import Journey
from agentlab.widgets.live import STATIC
from agentlab.widgets.outline import KNOWN

LONGEST_NAME = 12  # of a page


class TraceExplorer(Explorer):
    """Shows who did what when, and lets one travel to any moment and see what there was then.

    A trace that grows is followed. ``explorer = session.explore()`` opens one.

    Parameters
    ----------
    subject : Trace, AgentSession or RunHandle
        What is travelled in: what ``load`` gave, a session that was run here, a run under way.
    coalescer : Coalescer
        With whom it speaks.

    Attributes
    ----------
    selected
        What is selected in the picture, as it was at the moment: of a run its ``AgentSession``, of
        a question to a model a ``ModelCall`` with the whole prompt, of a tool call a ``ToolUse``,
        of anything else its ``Entry``; None where there is nothing.
    session : AgentSession or None
        That of the whole run which the selected thing is part of, as it was at the moment.
    moment : int
        How many entries had been heard then; set it to travel.
    kinds : set of str
        What is shown, of ``model``, ``tools``, ``messages``, ``memory``, ``phases``, ``saves`` and
        ``errors``; set it to filter.

    find : str
        A text; what has it is shown, and nothing else. Set it to look for another, or "" for none.

    Raises
    ------
    InvalidValue
        ``subject`` has no trace.
    """

    _esm = STATIC / "trace_explorer.js"

    def __init__(
        self, subject: Trace | AgentSession | RunHandle, coalescer: Coalescer = LIVE
    ) -> None:
        self._trace = trace_of(subject)
        # While a cell keeps the kernel busy, and may read this, the loop of a run asks for changes.
        self._lock = threading.RLock()
        self._taken = len(self._trace.entries)
        self._journey = Journey(self._trace.entries[: self._taken], self._trace.damage)
        super().__init__(subject, coalescer)
        self._trace.attach(self)

    def __call__(self, entry: Entry, /) -> None:
        """Note that there is one more entry, on whichever thread the run is."""
        self.touch()
        over = isinstance(entry.event, RunEnded) and "/" not in entry.run
        self.freshen(at_once=over and self.subject is not self._trace)

    @property
    def selected(self) -> AgentSession | ModelCall | ToolUse | Entry | None:
        """What is selected."""
        with self._lock:
            return self._current().thing()

    @property
    def session(self) -> AgentSession | None:
        """The session as it was at the moment."""
        with self._lock:
            journey = self._current()
            if journey.selected is None:
                return None
            return journey.session(journey.root(journey.selected)).copy()

    @property
    def moment(self) -> int:
        """How many entries had been heard."""
        with self._lock:
            return self._current().heard

    @moment.setter
    def moment(self, heard: int) -> None:
        if not isinstance(heard, int):
            raise InvalidValue(f"a moment is a number of entries, got {heard!r}")
        with self._lock:
            self._current().go(heard)
        self.touch()

    @property
    def kinds(self) -> set[str]:
        """What is shown."""
        return {*self._journey.outline.kinds}

    @kinds.setter
    def kinds(self, kinds: Collection[str]) -> None:
        with self._lock:
            self._journey.want(kinds)
        self.touch()

    @property
    def find(self) -> str:
        """What is looked for."""
        return self._journey.finder.text

    @find.setter
    def find(self, text: str) -> None:
        if not isinstance(text, str):
            raise InvalidValue(f"what to find is a text, got {text!r}")
        with self._lock:
            self._current().find(text)
        self.touch()

    def changes(self) -> dict[str, Any]:
        """Read what came since the last time, and give what the page shows."""
        with self._lock:
            return self._current().cells()

    def asked(self, message: dict[str, Any]) -> None:
        """Do what the page asks; what it cannot mean, it does not."""
        super().asked(message)
        with self._lock:
            self._do(self._current(), message)
        self.touch()

    def _do(self, journey: Journey, message: dict[str, Any]) -> None:
        no = whole(message.get("no"))
        match message.get("type"):
            case "see":
                journey.see(no, whole(message.get("size")), name_of(message.get("page")))
            case "go":
                journey.go(no)
            case "select":
                journey.select(no)
            case "row":
                journey.select_row(no)
            case "above":
                journey.select_above(no)
            case "begin":
                journey.begin(no)
            case "fold":
                journey.fold(no, away=bool(message.get("away")))
            case "whole":
                journey.whole()
            case _:
                filtered(journey, message)

    def close(self) -> None:
        """Follow no more; leave the card as it is now, and nothing else."""
        if hasattr(self, "_trace"):  # what cannot be explored was never open
            self._trace.detach(self)
            super().close()

    def _current(self) -> Journey:
        """Give the journey, with what was said since; a trace only grows."""
        entries = self._trace.entries
        for place in range(self._taken, len(entries)):
            self._journey.take(entries[place])
            self._taken = place + 1
        return self._journey


def filtered(journey: Journey, message: dict[str, Any]) -> None:
    """Show less or more, if that is what a page asks."""
    match message:
        case {"type": "kinds", "kinds": list(kinds)}:
            journey.want({str(kind) for kind in kinds} & KNOWN)
        case {"type": "find", "text": str(text)}:
            journey.find(text)


def trace_of(subject: object) -> Trace:
    """Give the trace of a thing.

    Raises
    ------
    InvalidValue
        It has none.
    """
    if isinstance(subject, Trace):
        return subject
    found = getattr(subject, "trace", None)
    if isinstance(found, Trace):
        return found
    if isinstance(subject, AgentSession):
        raise InvalidValue(
            f"{subject!r} has no trace, for it was copied or read from a store: explore what"
            " al.load(…) gives of its journal, or a session that was run here"
        )
    raise InvalidValue(f"a trace, a session or a running handle can be explored, got {subject!r}")


def whole(value: object) -> int:
    """Give a whole number that a page sent, or -1."""
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def name_of(page: object) -> str:
    """Give the name of a page as it may be part of that of a cell, or none."""
    text = page if isinstance(page, str) else ""
    return text if text.isascii() and text.isalnum() and len(text) <= LONGEST_NAME else ""
