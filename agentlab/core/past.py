"""A session as it was at any moment, without folding all that came before it each time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from agentlab.core.events import Entry, RunStarted
from agentlab.core.session import TAKEN, AgentSession
from agentlab.core.spans import Timeline


class Past:
    """What a run had come to after so many of its entries; whichever way one travels.

    A copy is kept now and then: each time about as much was folded as there is to copy. Going
    forth goes on with the last session, going back with the nearest copy.

    Parameters
    ----------
    run : str
        Whose session it is.
    entries : sequence of Entry
        Those of the run and of the runs below it, in order. There may come more.
    """

    EVERY = 1024
    PER_RUN = 4  # entries folded for each run that there is to copy

    def __init__(self, run: str, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self._session, self._place = AgentSession(session_id=run), 0
        self._farthest = self._runs = 0
        self._kept: list[tuple[int, AgentSession]] = [(0, self._session.copy())]

    def at(self, count: int) -> AgentSession:
        """Give it as it was after ``count`` entries. It is lent: :meth:`AgentSession.copy` it."""
        nearest = bisect_right(self._kept, count, key=lambda kept: kept[0]) - 1
        if count < self._place or self._kept[nearest][0] > self._place:
            self._place, kept = self._kept[nearest]
            self._session = kept.copy()
        for place in range(self._place, count):
            entry = self._entries[place]
            self._session.apply(entry)
            if place < self._farthest:
                continue
            self._farthest = place + 1
            self._runs += isinstance(entry.event, RunStarted)
            if place + 1 - self._kept[-1][0] >= max(self.EVERY, self.PER_RUN * self._runs):
                self._kept.append((place + 1, self._session.copy()))
        self._place = max(self._place, count)
        return self._session


class Branch:
    """What was said by a run and those below it, as far as a session is made of it."""

    def __init__(self, run: str, no: int) -> None:
        self.no, self._within, self._scanned, self._spans = no, {no}, 0, no
        self.entries: list[Entry] = []
        self.places: list[int] = []
        self.past = Past(run, self.entries)

    def catch_up(self, entries: Sequence[Entry], timeline: Timeline) -> None:
        """Take what came since."""
        for no in range(self._spans, len(timeline.spans)):
            span = timeline.spans[no]
            if span.kind == "run" and span.above in self._within:
                self._within.add(no)
        self._spans = len(timeline.spans)
        for place in range(self._scanned, len(entries)):
            entry = entries[place]
            if timeline.whose[place] in self._within and type(entry.event) in TAKEN:
                self.entries.append(entry)
                self.places.append(place)
        self._scanned = len(entries)

    def at(self, heard: int) -> AgentSession:
        """Give the session as it was; it is lent."""
        return self.past.at(bisect_left(self.places, heard))
