"""A trace one can travel in, without a page: where one is, what is selected, and what is seen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from agentlab.core import events
from agentlab.core.calls import ModelCall, Questions, ToolUse, answered, call_of, used
from agentlab.core.errors import InvalidValue
from agentlab.core.events import Entry
from agentlab.core.finder import Finder
from agentlab.core.lines import Damage
from agentlab.core.past import Branch
from agentlab.core.session import AgentSession
from agentlab.core.spans import Timeline
from agentlab.core.times import lined_up
from agentlab.display.gists import gist_of, kind_of
from agentlab.display.words import count, gist, plural, seconds
from agentlab.widgets import details
from agentlab.widgets.details import Scene
from agentlab.widgets.messages import Kind, Moment, Rows, Title, Window
from agentlab.widgets.outline import KINDS, KNOWN, Outline, line_of, standing, told

MOST = 200  # rows that a page may see at once
PAGES = 8  # that may look at the same time
BRANCHES = 4  # runs whose past is kept at hand


class Journey:
    """Takes entries; goes to a moment, selects, folds and filters; gives the cells of a page.

    Parameters
    ----------
    entries : sequence of Entry
        What there is to begin with.
    damage : sequence of Damage
        What was lost of it.
    """

    def __init__(self, entries: Sequence[Entry] = (), damage: Sequence[Damage] = ()) -> None:
        self.entries, times = lined_up(entries)
        began = times[0] if times else 0.0
        self.times = [at - began for at in times]
        self.damage = damage
        self.timeline = Timeline()
        self.finder = Finder(self.timeline.spans, self.entries)
        self.outline = Outline(self.timeline.spans, self.finder)
        self.selected: int | None = None
        self._questions: dict[int, Questions] = {}  # by run
        self._asked: dict[int, int] = {}  # which question of its run a call is
        self._branches: dict[int, Branch] = {}
        self._heard: int | None = None  # None is the end, wherever that comes to be
        self._whole: int | None = None
        self._windows = {"": (0, 40)}  # which rows each page sees; one that just came, the first
        self._stale = True
        self._shown: list[str] = []  # cells of rows and windows that are there
        self._shift = self.times[-1] - self.entries[-1].offset if self.entries else None
        for entry, at in zip(self.entries, self.times, strict=True):
            self._index(entry, at)

    def take(self, entry: Entry) -> None:
        """Take one more entry."""
        if self._shift is None:
            self._shift = -entry.offset
        last = self.times[-1] if self.times else 0.0
        self.entries.append(entry)
        self.times.append(max(last, entry.offset + self._shift))
        self._index(entry, self.times[-1])

    def _index(self, entry: Entry, at: float) -> None:
        before = len(self.timeline.spans)
        self.timeline.take(entry, at)
        self._stale = True
        if isinstance(entry.event, events.Asked):
            questions = self._questions.setdefault(self.timeline.whose[-1], Questions())
            self._asked[len(self.timeline.spans) - 1] = len(questions)
            questions.add(entry.event)
        if not before and self.selected is None:
            self.selected = 0

    @property
    def heard(self) -> int:
        """How many entries were heard at the moment."""
        return len(self.entries) if self._heard is None else self._heard

    @property
    def seconds(self) -> float:
        """How long it had taken then."""
        return self.times[self.heard - 1] if self.heard else 0.0

    @property
    def span(self) -> float:
        """How long all of it took."""
        return self.times[-1] if self.times else 0.0

    def go(self, heard: int) -> None:
        """Go to the moment after so many entries; the end moves on while there come more."""
        heard = min(max(heard, 0), len(self.entries))
        self._heard = None if heard == len(self.entries) else heard

    def select(self, no: int) -> None:
        """Select a span, and go to its end."""
        if 0 <= no < len(self.timeline.spans):
            self.selected = no
            self._stale |= self.outline.reveal(no)
            last = self.timeline.spans[no].last
            self.go(len(self.entries) if last is None else last + 1)

    def begin(self, no: int) -> None:
        """Select a span, and go to where it began."""
        if 0 <= no < len(self.timeline.spans):
            self.select(no)
            self.go(self.timeline.spans[no].first + 1)

    def select_above(self, no: int) -> None:
        """Select what a span is within."""
        if 0 <= no < len(self.timeline.spans):
            above = self.timeline.spans[no].above
            self.select(no if above is None else above)

    def select_row(self, row: int) -> None:
        """Select what is in a row."""
        self._refresh()
        if rows := self.outline.rows:
            self.select(rows[min(max(row, 0), len(rows) - 1)])

    def fold(self, no: int, *, away: bool) -> None:
        """Fold away what is below a span, or show it; what is selected in there is let go."""
        self.outline.fold(no, away=away)
        self._stale = True

    def want(self, kinds: Collection[str]) -> None:
        """Show what is of some kinds only.

        Raises
        ------
        InvalidValue
            There is no such kind.
        """
        fits = isinstance(kinds, Collection) and not isinstance(kinds, str)
        if not fits or not all(isinstance(kind, str) and kind in KNOWN for kind in kinds):
            told = ", ".join(sorted(KNOWN))
            raise InvalidValue(f"kinds are some of {told}, got {kinds!r}")
        self.outline.kinds = {*kinds}
        self._stale = True

    def find(self, text: str) -> None:
        """Show only what has a text in it; with "" all that is wanted."""
        self._refresh()
        self.outline.look_for(text)
        self._stale = True

    def see(self, start: int, size: int, page: str = "") -> None:
        """Look at some rows; of the pages that do, the last few are kept in mind."""
        self._windows.pop(page, None)
        self._windows[page] = max(0, start), min(max(0, size), MOST)
        while len(self._windows) > PAGES:
            del self._windows[next(name for name in self._windows if name)]

    def whole(self) -> None:
        """Show all of the prompt that is selected."""
        self._whole = self.selected

    def session(self, no: int) -> AgentSession:
        """Give the session of the run that a span is of, as it was at the moment; it is lent."""
        spans = self.timeline.spans
        while spans[no].kind != "run":
            no = spans[no].above or 0
        branch = self._branches.pop(no, None) or Branch(spans[no].run, no)
        self._branches[no] = branch
        while len(self._branches) > BRANCHES:
            del self._branches[next(iter(self._branches))]
        branch.catch_up(self.entries, self.timeline)
        return branch.at(self.heard)

    def root(self, no: int) -> int:
        """Give the run that is above all that a span is within."""
        while (above := self.timeline.spans[no].above) is not None:
            no = above
        return no

    def thing(self) -> AgentSession | ModelCall | ToolUse | Entry | None:
        """Give what is selected, as it was at the moment: a session, a call, or an entry."""
        if self.selected is None:
            return None
        span = self.timeline.spans[self.selected]
        match span.kind:
            case "run":
                return self.session(self.selected).copy()
            case "model":
                return self._call(self.selected)
            case "tool":
                end = None if span.last is None or span.last >= self.heard else span.last
                last = None if end is None else self.entries[end]
                return used(self.entries[span.first], last)
            case _:
                return self.entries[span.first]

    def cells(self) -> dict[str, Any]:
        """Give what the page shows; None is for what is gone."""
        self._refresh()
        return {
            "title": self._title,
            "moment": self._moment(),
            "kinds": self._kinds,
            **self._rows(),
            **dict.fromkeys(details.CELLS),
            **self._detail(self._scene()),
        }

    def _scene(self) -> Scene:
        return Scene(self.entries, self.timeline, self.heard, len(self.damage))

    def _refresh(self) -> None:
        if not self._stale:
            return
        self._stale = False
        self.outline.refresh()
        spans, chip = self.timeline.spans, standing(self.timeline.spans)
        figures = [
            *told(spans),
            seconds(self.span * 1000) if spans else "",
            plural(len(self.entries), "entry", "entries"),
            f"{plural(len(self.damage), 'line')} lost" if self.damage else "",
        ]
        self._title = Title(
            kind="trace explorer", name=gist(spans[0].name, 60) if spans else "no run",
            path="explorer", hue=chip.hue, word=chip.word,
            figures=[each for each in figures if each],
        )  # fmt: skip
        found, wanted = self.outline.count(), self.outline.kinds
        self._kinds = [
            Kind(name=name, count=count(found[name]), on=name in wanted)
            for name in dict.fromkeys(KINDS.values())
            if found[name]
        ]

    def _rows(self) -> dict[str, Any]:
        rows, spans = self.outline.rows, self.timeline.spans
        cells: dict[str, Any] = dict.fromkeys(self._shown)
        for page, (start, size) in self._windows.items():
            first = min(start, max(0, len(rows) - size))
            shown = rows[first : first + size]
            cells[f"w{page}"] = Window(start=first, spans=shown)
            for no in shown:
                if cells.get(f"r{no}") is None:
                    cells[f"r{no}"] = line_of(spans[no], self.outline.leaf(no), self.entries)
        self._shown = [name for name, cell in cells.items() if cell is not None]
        selected = -1 if self.selected is None else self.selected
        place = self.outline.place(selected)
        text = self.finder.text
        found = self.outline.hits if text else -1
        told = Rows(total=len(rows), row=place, span=selected, find=text, found=found)
        return {**cells, "rows": told}

    def _moment(self) -> Moment:
        heard, total = self.heard, len(self.entries)
        last = self.entries[heard - 1] if heard else None
        span = self.timeline.spans[self.timeline.whose[heard - 1]] if heard else None
        words = f"{seconds(self.seconds * 1000)} of {seconds(self.span * 1000)}"
        return Moment(
            heard=heard,
            entries=total,
            at=self.seconds,
            span=self.span,
            words=words,
            said=f"entry {count(heard)} of {count(total)}: {gist(span.name, 40)} · "
            f"{kind_of(last.event).replace('_', ' ')} · {gist(gist_of(last.event), 160)}"
            if last and span
            else "before the first entry",
        )

    def _call(self, no: int) -> ModelCall:
        span, scene = self.timeline.spans[no], self._scene()
        question = self._questions[span.above or 0].at(self._asked[no])
        call = call_of(span.run, question, self.entries[span.first].offset)
        end = None if span.last is None or not scene.over(span) else self.entries[span.last]
        return answered(call, scene.said(no), end)

    def _detail(self, scene: Scene) -> dict[str, Any]:
        no = self.selected
        if no is None:
            return details.of_nothing()
        if self.timeline.spans[no].kind == "run":
            return details.of_run(scene, no, self.session(no))
        match self.thing():
            case ModelCall() as call:
                return details.of_model(scene, no, call, whole=self._whole == no)
            case ToolUse() as use:
                return details.of_tool(scene, no, use)
            case Entry() as entry:
                return details.of_entry(scene, no, entry)
        return {}
