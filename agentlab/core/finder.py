"""Which spans of a trace have a text in them: in what was asked or given, and in what came back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from agentlab.core import events
from agentlab.core.events import Entry
from agentlab.core.spans import Span, Spans

LONGEST = 200  # letters to look for


class Finder:
    """Looks for a text, whatever its case; a span that is over is read once.

    Attributes
    ----------
    text : str
        What is looked for; nothing is with "".
    """

    def __init__(self, spans: Spans, entries: Sequence[Entry]) -> None:
        self._spans, self._entries = spans, entries
        self.text = self._needle = ""
        self._found: list[bool] = []
        self._open: list[int] = []  # what may yet come to have it

    def look_for(self, text: str) -> None:
        """Look for another text."""
        self.text = text.strip()[:LONGEST]
        self._needle = self.text.casefold()
        self._found.clear()
        self._open.clear()

    def found(self) -> list[bool] | None:
        """Tell of each span whether it has the text; None if none is looked for."""
        if not self._needle:
            return None
        again, self._open = self._open, []
        for no in again:
            self._found[no] = self._look(no)
        for no in range(len(self._found), len(self._spans)):
            self._found.append(self._look(no))
        return self._found

    def _look(self, no: int) -> bool:
        span = self._spans[no]
        has = self._has(span)
        if not has and span.state == "open":
            self._open.append(no)
        return has

    def _has(self, span: Span) -> bool:
        ends = {span.first} if span.last is None else {span.first, span.last}
        return self._needle in span.name.casefold() or any(
            self._needle in text.casefold()
            for place in ends
            for text in texts(self._entries[place].event)
        )


def texts(event: events.Event) -> Iterator[str]:
    """Give what there is to read in an event, numbers as they are written."""
    match event:
        case events.RunStarted():
            yield event.prompt
            return
        case events.Asked():
            yield from filter(None, (event.system, event.added))
            return
    waiting: list[Any] = [event]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case bool() | None:
                pass
            case int() | float() as number:
                yield str(number)
            case Mapping() as some:
                waiting += [*some, *some.values()]
            case list() | tuple() as some:
                waiting += some
            case msgspec.Struct() as some:
                waiting += [getattr(some, name) for name in some.__struct_fields__]
