"""What took how long, and what was within what: the runs of a trace and their calls. A fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from agentlab.core import events
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.events import Entry
from agentlab.core.portable import Portable
from agentlab.core.times import lined_up


class Span(Portable, msgspec.Struct):
    """A run, a call, or something that took no time.

    Attributes
    ----------
    kind : str
        ``run``, ``model``, ``tool``; of no length are ``message``, ``memory``, ``phase``,
        ``save`` and ``warning``.
    run, name : str
        Whose it is; what it is called: the agent's or the tool's name, or the kind of event.
    call_id : int or None
        Of a call, the how-manieth of its run.
    depth : int
        How many runs it is within.
    start, end : float, float or None
        From when to when, in seconds of the trace; what is not over has no end.
    state : str
        ``open``, ``ok``, ``failed``, or ``cut``: it ended without coming to what it was for.
    why : str
        Of a failure, its kind; of a run, how it ended.
    first, last : int, int or None
        Which entries begin and end it, counted from 0.
    above : int or None
        Which span it is within, counted from 0.
    """

    kind: str
    run: str
    name: str
    call_id: int | None
    depth: int
    start: float
    end: float | None = None
    state: str = "open"
    why: str = ""
    first: int = 0
    last: int | None = None
    above: int | None = None


class Spans(Tabular, Displayable, list[Span]):
    """The spans of a trace, in the order they began."""

    __slots__ = ()

    def __repr__(self) -> str:
        runs = sum(span.kind == "run" for span in self)
        return f"<Spans {len(self)} of {runs} run{'s' * (runs != 1)}>"


MOMENTS: dict[type, str] = {
    events.Said: "message", events.Argued: "message", events.Scored: "message",
    events.Recalled: "memory", events.Phase: "phase", events.Charted: "phase",
    events.Marked: "phase", events.AwaitingApproval: "phase", events.Reviewed: "phase",
    events.Saved: "save", events.SaveFailed: "warning",
    events.Warned: "warning",
}  # fmt: skip


class Timeline:
    """Takes entries, and knows their spans, which grow and end as more is taken.

    Attributes
    ----------
    spans : Spans
        In the order they began; one is never before the one that it is within.
    whose : list of int
        For each entry taken, which span is its run's.
    pieces : dict
        Which entries are the pieces of an answer, by the call's span.
    """

    def __init__(self) -> None:
        self.spans = Spans()
        self.whose: list[int] = []
        self.pieces: dict[int, list[int]] = {}
        self._runs: dict[str, int] = {}
        self._open: dict[int, dict[tuple[str, int], int]] = {}  # of a run, its calls, by number
        self._driven: set[int] = set()
        self._takers: dict[type, Callable[[int, Any, float], object]] = {
            events.RunStarted: self._started, events.RunEnded: self._ended,
            events.Asked: self._asked, events.Token: self._heard, events.Answered: self._answered,
            events.ToolStarted: self._called, events.ToolEnded: self._returned,
        }  # fmt: skip

    def take(self, entry: Entry, at: float) -> None:
        """Take an entry that was said at ``at``."""
        event, kind = entry.event, type(entry.event)
        no = self._runs.get(entry.run, -1)
        if no < 0 or (kind is events.RunStarted and no in self._driven):
            no = self._begin(entry, at)
        self.whose.append(no)
        take = self._takers.get(kind)
        if take:
            take(no, event, at)
        elif kind in MOMENTS:
            self._moment(no, entry, at)
        if no not in self._driven:  # nobody will say that it is over
            run = self.spans[no]
            run.end, run.last, run.state = at, self._place, "ok"

    @property
    def _place(self) -> int:
        return len(self.whose) - 1

    def _begin(self, entry: Entry, at: float) -> int:
        """Begin a run; one that was there before is another one, and so are those below it."""
        if entry.run in self._runs:
            again = [run for run in self._runs if f"{run}/".startswith(f"{entry.run}/")]
            for run in again:
                del self._runs[run]
        above, _, name = entry.run.rpartition("/")
        while above and above not in self._runs:
            above = above.rpartition("/")[0]  # that one has said nothing
        parent = self._runs.get(above)
        depth = 0 if parent is None else self.spans[parent].depth + 1
        no = self._runs[entry.run] = len(self.spans)
        first = len(self.whose)
        self.spans.append(Span("run", entry.run, name, None, depth, at, first=first, above=parent))
        self._open[no] = {}
        return no

    def _add(self, no: int, kind: str, name: str, call: int | None, at: float) -> Span:
        run = self.spans[no]
        span = Span(kind, run.run, name, call, run.depth + 1, at, first=self._place, above=no)
        self.spans.append(span)
        return span

    def _started(self, no: int, event: events.RunStarted, _: float) -> None:
        run = self.spans[no]
        run.name, run.state, run.end, run.last = event.agent, "open", None, None
        self._driven.add(no)

    def _ended(self, no: int, event: events.RunEnded, at: float) -> None:
        reason = event.stop_reason
        state = {"final_answer": "ok", "error": "failed"}.get(reason, "cut")
        self._close(no, at, state, reason)
        self._driven.add(no)
        calls = self._open.pop(no, {})
        for call in calls.values():  # what is under way goes down with it
            self._close(call, at, "failed" if state == "failed" else "cut", reason)
        if self.spans[no].above is None:
            self._cut_below(no, at, reason)

    def _cut_below(self, root: int, at: float, reason: str) -> None:
        """End what is below a root that is over; it may yet be said how a call ended."""
        for run in [run for run in self._open if run > root and self._root(run) == root]:
            for no in (*self._open[run].values(), run):
                if self.spans[no].end is None:
                    self._close(no, at, "cut", reason)
            if not self._open[run]:
                del self._open[run]

    def _root(self, no: int) -> int:
        while (above := self.spans[no].above) is not None:
            no = above
        return no

    def _asked(self, no: int, event: events.Asked, at: float) -> None:
        self._call(no, "model", "model", event.call_id, at)

    def _heard(self, no: int, event: events.Token, _: float) -> None:
        call = self._open.get(no, {}).get(("model", event.call_id))
        if call is not None:
            self.pieces.setdefault(call, []).append(self._place)

    def _answered(self, no: int, event: events.Answered, at: float) -> None:
        call = self._open.get(no, {}).pop(("model", event.call_id), None)
        if call is not None:
            self._close(call, at, "ok", "")

    def _called(self, no: int, event: events.ToolStarted, at: float) -> None:
        self._call(no, "tool", event.tool, event.call_id, at)

    def _returned(self, no: int, event: events.ToolEnded, at: float) -> None:
        call = self._open.get(no, {}).pop(("tool", event.call_id), None)
        if call is not None:
            why = (event.error_kind or "error").replace("_", " ") if not event.ok else ""
            self._close(call, at, "ok" if event.ok else "failed", why)

    def _call(self, no: int, kind: str, name: str, call: int, at: float) -> None:
        self._open.setdefault(no, {})[kind, call] = len(self.spans)
        self._add(no, kind, name, call, at)

    def _moment(self, no: int, entry: Entry, at: float) -> None:
        kind = MOMENTS[type(entry.event)]
        span = self._add(no, kind, str(type(entry.event).__struct_config__.tag), None, at)
        span.end, span.last = at, span.first
        span.state = "failed" if isinstance(entry.event, events.SaveFailed) else "ok"

    def _close(self, no: int, at: float, state: str, why: str) -> None:
        span = self.spans[no]
        span.end, span.last, span.state, span.why = at, self._place, state, why


def spans_of(entries: Sequence[Entry]) -> Spans:
    """Give the spans of some entries, in the order they were said."""
    timeline = Timeline()
    for entry, at in zip(*lined_up(entries), strict=True):
        timeline.take(entry, at)
    return timeline.spans
