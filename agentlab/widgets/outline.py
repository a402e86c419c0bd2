"""Which spans of a trace are rows now: those of the kinds that are wanted, in the tree of runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from agentlab.core import events
from agentlab.core.events import Entry
from agentlab.core.finder import Finder
from agentlab.core.spans import Span, Spans
from agentlab.display.endings import chip_of
from agentlab.display.gists import gist_of
from agentlab.display.parts import Chip
from agentlab.display.steps import arguments
from agentlab.display.words import count, gist, plural, seconds
from agentlab.widgets.messages import Line

KINDS = {
    "model": "model", "tool": "tools", "message": "messages", "memory": "memory",
    "phase": "phases", "save": "saves", "warning": "errors",
}  # fmt: skip
KNOWN = frozenset(KINDS.values())
ERRORS, SAVES = "errors", "saves"
HUES = {"model": "thought", "tool": "tool", "warning": "warn", "save": "off"}
GIST = 90  # letters; what does not fit the line is cut by the page
MANY = 500  # rows; where there are more, of several runs, each begins as one row


class Outline:
    """The rows in order, counted anew when the spans, the kinds or what is folded have changed.

    Attributes
    ----------
    rows : list of int
        The spans that are rows.
    kinds : set of str
        The kinds that are wanted.
    hits : int
        How many spans are wanted for themselves, and not for what is below them.
    """

    def __init__(self, spans: Spans, finder: Finder) -> None:
        self._spans, self._finder = spans, finder
        self.hits = 0
        self._below: list[list[int]] = []
        self._roots: list[int] = []
        self._closed: set[int] = set()
        self._closed_before: set[int] = set()
        self._folded = False
        self.rows: list[int] = []
        self.kinds = {*KNOWN} - {SAVES}
        self._places: dict[int, int] = {}

    def count(self) -> Counter[str]:
        """Count what there is of each kind."""
        found = Counter(KINDS[span.kind] for span in self._spans if span.kind in KINDS)
        failing = [span for span in self._spans if fails(span)]
        calls = sum(span.kind in ("model", "tool") for span in failing)
        found[ERRORS] += calls or sum(span.kind == "run" for span in failing)
        return +found

    def fold(self, no: int, *, away: bool) -> None:
        """Fold away what is below a span, or show it."""
        (self._closed.add if away else self._closed.discard)(no)

    def look_for(self, text: str) -> None:
        """Show only what has a text, unfolded meanwhile; with "" what was shown before."""
        before = self._finder.text
        self._finder.look_for(text)
        if self._finder.text and not before:
            self._closed_before, self._closed = self._closed, set()
        elif before and not self._finder.text:
            self._closed = self._closed_before

    def reveal(self, no: int) -> bool:
        """Unfold whatever a span is within, and tell whether anything of it was folded."""
        before = len(self._closed)
        above = self._spans[no].above
        while above is not None:
            self._closed.discard(above)
            above = self._spans[above].above
        return len(self._closed) < before

    def refresh(self) -> None:
        """Count the rows anew."""
        spans = self._spans
        for no in range(len(self._below), len(spans)):
            self._below.append([])
            above = spans[no].above
            (self._roots if above is None else self._below[above]).append(no)
        if not self._folded:
            self._folded = True
            if len(self._roots) > 1 and len(spans) > MANY:
                self._closed.update(self._roots)
        wanted = self._wanted()
        rows: list[int] = []
        waiting = self._roots[::-1]
        while waiting:
            no = waiting.pop()
            if wanted is None or wanted[no]:
                rows.append(no)
                if no not in self._closed:
                    waiting += self._below[no][::-1]
        self.rows = rows
        self._places = {no: place for place, no in enumerate(rows)}

    def place(self, no: int) -> int:
        """Tell which row a span is: -1 if it is none now."""
        return self._places.get(no, -1)

    def leaf(self, no: int) -> int:
        """Tell whether something is below a span: -1 for nothing, 0 if it is folded away, 1."""
        return -1 if not self._below[no] else int(no not in self._closed)

    def _wanted(self) -> list[bool] | None:
        """Tell of each span whether it is wanted, or something below it is; None for all.

        Where no kind is, the runs are. Of a text that is looked for, only what has it is.
        """
        spans, kinds, found = self._spans, self.kinds, self._finder.found()
        every = kinds >= {KINDS[span.kind] for span in spans if span.kind in KINDS}
        if every and found is None:
            return None
        wanted = found or [True] * len(spans)
        if not every:
            wanted = [has and wants(span, kinds) for has, span in zip(wanted, spans, strict=True)]
        else:
            wanted = [*wanted]
        self.hits = sum(wanted)
        for no in range(len(spans) - 1, -1, -1):  # what is within is never before
            above = spans[no].above
            if wanted[no] and above is not None:
                wanted[above] = True
        return wanted


def wants(span: Span, kinds: Collection[str]) -> bool:
    """Tell whether a span is of one of some kinds; of none, whether it is a run."""
    if not kinds:
        return span.kind == "run"
    return KINDS.get(span.kind) in kinds or (ERRORS in kinds and fails(span))


def fails(span: Span) -> bool:
    """Tell whether something went wrong, or was cut short by anything but a Stop."""
    return span.state == "failed" or (span.state == "cut" and span.why != "stopped")


def line_of(span: Span, below: int, entries: Sequence[Entry]) -> Line:
    """Give a span as a row."""
    length = "" if span.end is None else seconds((span.end - span.start) * 1000)
    return Line(
        level=span.depth + 1,
        below=below,
        hue="bad" if span.state == "failed" else HUES.get(span.kind, ""),
        name=gist(name_of(span), 60),
        gist=gist_in(span, entries),
        word=word_of(span),
        took=length if span.kind in ("run", "model", "tool") else "",
        start=span.start,
        end=-1.0 if span.end is None else span.end,
        first=span.first,
        last=-1 if span.last is None else span.last,
    )


def name_of(span: Span) -> str:
    """Say what a span is, in a word or two."""
    return span.name.replace("_", " ") if span.kind not in ("run", "tool") else span.name


def word_of(span: Span) -> str:
    """Say what became of it, where that is not what one expects."""
    if span.state == "failed":
        return span.why if span.why and span.why != "error" else "failed"
    return chip_of(span.why).word if span.state == "cut" else ""


def gist_in(span: Span, entries: Sequence[Entry]) -> str:
    """Say what it was about, and what came of it."""
    first = entries[span.first].event
    last = None if span.last is None else entries[span.last].event
    match first, last:
        case events.RunStarted(prompt=prompt), _:
            return f"“{gist(prompt, GIST)}”"
        case events.Asked(), events.Answered(text=text):
            return gist(text.partition("\nAction:")[0], GIST).removeprefix("Thought: ")
        case events.ToolStarted(args=args), events.ToolEnded() as ended:
            return f"{gist(arguments(args), GIST // 2)} → {gist(gist_of(ended), GIST // 2)}"
        case events.ToolStarted(args=args), _:
            return gist(arguments(args), GIST // 2)
        case _ if span.kind in ("run", "model"):
            return ""
        case event, _:
            return gist(gist_of(event), GIST)


def told(spans: Spans) -> list[str]:
    """List how many runs and calls there are."""
    kinds = Counter(span.kind for span in spans)
    failed = sum(span.kind == "tool" and fails(span) for span in spans)
    bad = f", {count(failed)} failed" if failed else ""
    return [
        plural(kinds["run"], "run") if kinds["run"] > 1 else "",
        plural(kinds["model"], "model call") if kinds["model"] else "",
        plural(kinds["tool"], "tool call") + bad if kinds["tool"] else "",
    ]


def standing(spans: Spans) -> Chip:
    """Say how the run stands, or how many of several failed."""
    roots = [span for span in spans if span.above is None]
    if not roots:
        return Chip("", "empty")
    failed = sum(span.state == "failed" for span in roots)
    if len(roots) > 1:
        of_all = f"{count(failed)} of {count(len(roots))} failed"
        return Chip("bad", of_all) if failed else Chip("", plural(len(roots), "root run"))
    (root,) = roots
    return chip_of(root.why or "running") if root.why or root.end is None else Chip("", "a part")
