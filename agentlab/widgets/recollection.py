"""A memory that is looked into, without a page: what is asked, when, what is listed, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from functools import partial
from typing import Any

from agentlab.core.errors import InvalidValue
from agentlab.display.words import count, gist, number, plural, shortened
from agentlab.widgets.meanings import PCA, Map, known_way, ways
from agentlab.widgets.memory_messages import (
    Clock,
    Dots,
    Found,
    Hint,
    Marks,
    Memory,
    Search,
    Spots,
    Why,
)
from agentlab.widgets.messages import Kind, Title, Window
from agentlab.widgets.shelves import Shelf

BEST, STRONG, NEW, OLD, OFTEN, KEPT, ALPHABET = SORTS = (
    "best first",
    "strongest",
    "newest",
    "oldest",
    "most recalled",
    "as stored",
    "A to Z",
)
THOUSAND = 1000
HITS = 5
LOT = 1000  # dots that leave in one cell
MOST = 200  # rows that a page may see at once
PAGES = 8  # that may look at the same time
CHIPS = 12  # of agents, and of tags
TERMS = 6
HUES = ("ok", "tool", "thought", "warn")  # of the terms of a score, in turn
LONGEST = 500  # letters of a question
WHOLE = 4000  # letters of the text that is selected


class Recollection:
    """Asks, filters, sorts, moves the clock and selects; gives the cells of a page.

    Parameters
    ----------
    shelf : Shelf
        What there is.
    """

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.query = self.by = self._failed = ""
        self.at = 0  # thousandths
        self.way = PCA
        self.agents, self.tags = set[str](), set[str]()
        self.map: Map | None = None
        self.note = "drawing the map…"
        self.chosen: int | None = None
        self.sort = self.sorts[0]
        self._windows = {"": (0, 40)}
        self._hints: dict[str, int] = {}
        self._shown: list[str] = []
        self._dots: list[str] = []
        self._order: Any = None
        self._scored: Any = None
        self._lit: Any = None

    @property
    def sorts(self) -> list[str]:
        """List the orders that there can be."""
        shelf = self.shelf
        ranked = shelf.asks or shelf.worth is not None
        there = {
            BEST: ranked,
            STRONG: shelf.worth is not None and bool(shelf.fade.tau_h),
            NEW: shelf.ages is not None,
            OLD: shelf.ages is not None,
            OFTEN: shelf.counts is not None,
        }
        return [sort for sort in SORTS if there.get(sort, True)]

    @property
    def ahead_h(self) -> float:
        """How many hours ahead one looks."""
        return self.shelf.span_h * self.at / THOUSAND

    @property
    def ways(self) -> list[str]:
        """List how the map can be made."""
        return ways() if len(self.shelf) > 1 else []

    def anew(self, shelf: Shelf) -> Recollection:
        """Look into what there is now in the same way, as far as that can be."""
        made = Recollection(shelf)
        made.query, made.by, made.way, made.at = self.query, self.by, self.way, self.at
        made.sort = self.sort if self.sort in made.sorts else made.sort
        made.agents, made.tags = self.agents & {*shelf.agents}, self.tags & {*made._tags()}
        made._windows, made._shown = self._windows, self._shown
        made._dots = self._dots
        return made

    def ask(self, query: str, by: str = "") -> None:
        """Ask something; what is then best is selected."""
        self.query, self.by = query[:LONGEST], by
        self._failed = ""
        self.chosen = None
        self._stale()

    def go(self, thousandths: int) -> None:
        """Look so far ahead."""
        self.at = min(max(thousandths, 0), THOUSAND)
        self._stale(lit=False)

    def look_ahead(self, hours: float) -> None:
        """Look so many hours ahead, as far as there is something to see."""
        span = self.shelf.span_h
        self.go(round(THOUSAND * max(0.0, number(hours)) / span) if span else 0)

    def order_by(self, sort: str) -> None:
        """List in another order.

        Raises
        ------
        InvalidValue
            There is none of that name.
        """
        if sort not in self.sorts:
            raise InvalidValue(f"sort must be one of {', '.join(self.sorts)}, got {sort!r}")
        self.sort = sort
        self._stale(lit=False)

    def want(self, *, agents: Collection[str] | None = None, tags: Collection[str] | None = None) -> None:
        """Keep to some agents, and to what has one of some tags; to all where none is named.

        Raises
        ------
        InvalidValue
            There is no such agent, or nothing has such a tag.
        """
        self.agents = self.agents if agents is None else some("agents", agents, self.shelf.agents)
        self.tags = self.tags if tags is None else some("tags", tags, self._tags())
        self._stale()
        if self.chosen is not None and not self._kept()[self.chosen]:
            self.chosen = None

    def switch(self, what: str, name: str) -> None:
        """Want an agent or a tag, or no longer."""
        if what == "agent" and name in self.shelf.agents:
            self.want(agents=self.agents ^ {name})
        elif what == "tag" and name in self._tags():
            self.want(tags=self.tags ^ {name})

    def make(self, way: str) -> None:
        """Let the map be made in another way; it is, when somebody gives it.

        Raises
        ------
        InvalidValue
            There is no such way.
        """
        self.way = known_way(way)
        self.note = f"drawing the map by {way}…"

    def drawn(self, made: Map | None, note: str = "") -> None:
        """Take the map, or why there is none."""
        size = "; a dot is as strong as what is left of it" if self.shelf.fade.tau_h else ""
        told = f"map by {made.how} of {made.by}{size}" if made else ""
        self.map, self.note = made, note or told

    def select(self, no: int) -> None:
        """Select an item."""
        if 0 <= no < len(self.shelf):
            self.chosen = no

    def select_row(self, row: int) -> None:
        """Select what is in a row."""
        order = self.order()
        if len(order):
            self.chosen = int(order[min(max(row, 0), len(order) - 1)])

    def see(self, start: int, size: int, page: str = "") -> None:
        """Look at some rows; of the pages that do, the last few are kept in mind."""
        self._windows.pop(page, None)
        self._windows[page] = max(0, start), min(max(0, size), MOST)
        while len(self._windows) > PAGES:
            del self._windows[next(name for name in self._windows if name)]

    def point(self, no: int, page: str) -> None:
        """Point at a dot, to know what it says; the last one of each page is kept in mind."""
        if page and 0 <= no < len(self.shelf):
            self._hints.pop(page, None)
            self._hints[page] = no
            while len(self._hints) > PAGES:
                del self._hints[next(iter(self._hints))]

    @property
    def no(self) -> int:
        """Which item is selected: the one that was chosen, or the first; -1 is none."""
        if self.chosen is not None:
            return self.chosen
        order = self.order()
        return int(order[0]) if len(order) else -1

    def thing(self) -> Any:
        """Give what is selected, as Python has it."""
        return None if self.no < 0 else self.shelf.thing(self.no)

    def order(self) -> Any:
        """Give the items that are listed, in their order."""
        import numpy as np

        if self._order is None:
            shelf, scores = self.shelf, self._scores()
            keep = self._kept() & ~shelf.gone(self.ahead_h)
            if self.query and shelf.asks and scores is not None:
                keep &= scores > 0
            rows = np.flatnonzero(keep)
            self._order = rows[np.argsort(self._keys(scores)[rows], kind="stable")]
        return self._order

    def hits(self) -> list[int]:
        """Give what the memory would recall first, of the agents that are asked for."""
        import numpy as np

        scores = self._scores()
        if scores is None or (self.shelf.asks and not self.query):
            return []
        there = self._whose() & ~self.shelf.gone(self.ahead_h) & (scores > 0)
        rows = np.flatnonzero(there)
        return [int(row) for row in rows[np.argsort(-scores[rows], kind="stable")][:HITS]]

    def cells(self) -> dict[str, Any]:
        """Give what the page shows; None is for what is gone."""
        hits = self.hits()
        return {
            "title": self._title(),
            "search": self._search(),
            "agents": self._chips(self._agent_counts(), self.agents),
            "tags": self._chips(self._tags(), self.tags),
            "clock": self._clock(),
            "found": self._found(hits),
            "spots": self._spots(),
            "marks": self._marks(hits),
            "why": self._why(),
            **self._rows(hits),
            **self._map(),
            **{f"h{page}": self._hint(no) for page, no in self._hints.items()},
        }

    def _stale(self, *, lit: bool = True) -> None:
        self._order = self._scored = None
        if lit:
            self._lit = None

    def _scores(self) -> Any:
        if self._scored is None:
            try:
                self._scored = (self.shelf.scores(self.query, self.ahead_h),)
            except Exception as error:  # noqa: BLE001 - an embedder is somebody else's
                self._failed = f"cannot be asked: {gist(str(error), 200)}"
                self._scored = (None,)
        return self._scored[0]

    def _whose(self) -> Any:
        import numpy as np

        if not self.agents or self.shelf.whose is None:
            return np.ones(len(self.shelf), bool)
        wanted = [i for i, name in enumerate(self.shelf.agents) if name in self.agents]
        return np.isin(self.shelf.whose, wanted)

    def _kept(self) -> Any:
        """Tell which items are not filtered away."""
        import numpy as np

        if self._lit is None:
            keep = self._whose()
            if self.tags:
                tagged = (not self.tags.isdisjoint(tags) for tags in self.shelf.tags)
                keep &= np.fromiter(tagged, bool, len(self.shelf))
            if self.query.strip() and not self.shelf.asks:
                keep &= self.shelf.having(self.query)
            self._lit = keep
        return self._lit

    def _keys(self, scores: Any) -> Any:
        """Give what items are sorted by, the least first."""
        import numpy as np

        shelf, kept = self.shelf, np.arange(len(self.shelf))
        match self.sort:
            case "best first":
                return kept if scores is None else -scores
            case "strongest":
                return -shelf.strength(self.ahead_h)
            case "newest":
                return shelf.ages
            case "oldest":
                return -shelf.ages
            case "most recalled":
                return -shelf.counts
            case "A to Z":
                folded = np.array([gist(text, 60).casefold() for text in shelf.texts])
                return np.unique(folded, return_inverse=True)[1]
        return kept

    def _tags(self) -> Counter[str]:
        return Counter(tag for tags in self.shelf.tags for tag in tags)

    def _agent_counts(self) -> Counter[str]:
        shelf = self.shelf
        if shelf.whose is None or len(shelf.agents) < 2:  # noqa: PLR2004 - of one there is no choice
            return Counter()
        return Counter(shelf.agents[i] for i in shelf.whose.tolist())

    @staticmethod
    def _chips(counts: Counter[str], wanted: set[str]) -> list[Kind]:
        ranked = sorted(counts, key=lambda name: (name not in wanted, -counts[name], name))[:CHIPS]
        ranked.sort(key=lambda name: (-counts[name], name))
        return [Kind(name=name, count=count(counts[name]), on=name in wanted) for name in ranked]

    def _title(self) -> Title:
        return Title(
            kind=self.shelf.name,
            name=gist(self.shelf.title, 80),
            path="explorer.subject",
            hue="",
            word="" if len(self.shelf) else "empty",
            figures=[figure for figure in self.shelf.figures if figure],
        )

    def _search(self) -> Search:
        return Search(
            query=self.query,
            by=self.by,
            sort=self.sort,
            sorts=self.sorts,
            way=self.way,
            ways=self.ways,
        )

    def _clock(self) -> Clock:
        fade = self.shelf.fade
        return Clock(
            at=self.at,
            ahead=round(self.ahead_h, 4),
            span=round(self.shelf.span_h, 4),
            words=f"{self._when()} · {self._lost()}",
            tau=fade.tau_h,
            limit=fade.limit_h,
            floor=fade.floor,
            forgets=fade.forgets,
        )

    def _when(self) -> str:
        return f"now + {lasting(self.ahead_h)}" if self.at else "now"

    def _lost(self) -> str:
        """Say how many are forgotten or faint at the moment, of all."""
        gone = self.shelf.gone(self.ahead_h)
        lost, faint = int(gone.sum()), int((self.shelf.faint(self.ahead_h) & ~gone).sum())
        told = list[str]()
        if self.shelf.fade.forgets or lost:
            told.append(f"{count(lost)} {'would be' if self.at else 'due to be'} forgotten")
        if self.shelf.fade.tau_h and not self.shelf.fade.forgets:
            told.append(f"{count(faint)} faint")
        return ", ".join(told) or "nothing would be forgotten"

    def _found(self, hits: list[int]) -> Found:
        import numpy as np

        order, no = self.order(), self.no
        place = np.flatnonzero(order == no)
        return Found(
            total=len(order),
            row=int(place[0]) if len(place) else -1,
            no=no,
            said=self._said(len(order), hits),
            rule=self.shelf.rule,
            empty="" if len(self.shelf) else self.shelf.empty,
        )

    def _said(self, listed: int, hits: list[int]) -> str:
        if self._failed:
            return self._failed
        shown = f"showing {count(listed)} of {count(len(self.shelf))}, {self.sort}"
        ringed = f"; ringed on the map: the {plural(len(hits), self.shelf.one, self.shelf.many)}"
        return shown + (f"{ringed} that would be recalled first" if hits else "")

    def _spots(self) -> Spots:
        made = self.map
        found = made.spots if made else []
        return Spots(
            names=[gist(spot.name, 24) for spot in found],
            xs=[spot.x for spot in found],
            ys=[spot.y for spot in found],
            dots=-(-len(self.shelf) // LOT) if made else 0,
            note=self.note,
        )

    def _marks(self, hits: list[int]) -> Marks:
        place = None
        if self.map and self.query and not self._failed:
            place = self.map.place(self.query)
        x, y = place or (-1, -1)
        kept = self._kept()
        lit = "" if kept.all() else "".join(map(str, kept.astype(int).tolist()))
        return Marks(x=x, y=y, asks=self.shelf.asks, hits=hits, lit=lit)

    def _why(self) -> Why | None:
        no, shelf = self.no, self.shelf
        if no < 0:
            return None
        terms = () if self._failed else shelf.terms(no, self.query, self.ahead_h)
        score = sum(term.value for term in terms)
        whole, shown = max(1.0, score), terms[:TERMS]
        rest = len(terms) - len(shown)
        told = [gist(term.text, 80) for term in shown] + [plural(rest, "more term")] * bool(rest)
        gone = bool(shelf.gone(self.ahead_h)[no])
        return Why(
            text=shortened(shelf.texts[no], "explorer.selected", WHOLE),
            tags=[gist(tag, 40) for tag in shelf.tags[no][:CHIPS]],
            score=f"{score:.2f}" if terms else "",
            terms=told,
            shares=[round(max(0.0, number(term.value)) / whole, 4) for term in shown],
            hues=[HUES[i % len(HUES)] for i in range(len(told))],
            notes=[each for each in self._notes(no) if each],
            path=gist(shelf.place(no), 200),
            gone=("would be forgotten by then" if self.at else "is due to be forgotten") * gone,
        )

    def _notes(self, no: int) -> list[str]:
        shelf = self.shelf
        whose = shelf.agents[shelf.whose[no]] if shelf.whose is not None else ""
        age = f"{lasting(float(shelf.age(self.ahead_h)[no]))} old" if shelf.ages is not None else ""
        why = "" if self.query or not shelf.asks or shelf.worth is not None else "ask to see a score"
        return [gist(whose, 40), age, *shelf.notes(no), why]

    def _rows(self, hits: list[int]) -> dict[str, Any]:
        order = self.order()
        cells: dict[str, Any] = {}
        wanted = dict[int, None]()
        for page, (start, size) in self._windows.items():
            nos = [int(no) for no in order[start : start + size]]
            cells[f"w{page}"] = Window(start=start, spans=nos)
            wanted.update(dict.fromkeys(nos))
        row = partial(self._row, self._scores(), self.shelf.strength(self.ahead_h), {*hits})
        cells.update({f"r{no}": row(no) for no in wanted})
        gone = dict.fromkeys(name for name in self._shown if name not in cells)
        self._shown = [*cells]
        return {**gone, **cells}

    def _row(self, scores: Any, left: Any, hits: set[int], no: int) -> Memory:
        shelf = self.shelf
        score = -1.0 if scores is None else number(scores[no])
        most = 1.0 if scores is None else max(1.0, number(scores.max()))
        return Memory(
            text=gist(shelf.texts[no], 160),
            agent=gist(shelf.agents[shelf.whose[no]], 24) if len(shelf.agents) > 1 else "",
            share=-1.0 if scores is None else round(max(0.0, score) / most, 3),
            now="" if scores is None else f"{score:.2f}",
            left=1.0 if left is None or not shelf.fade.tau_h else round(min(1.0, left[no]), 3),
            hit=no in hits,
        )

    def _map(self) -> dict[str, Any]:
        """Give the dots, which are different only where the map is."""
        made, shelf = self.map, self.shelf
        if made is None:
            return {}
        cells: dict[str, Any] = {}
        for i, start in enumerate(range(0, len(shelf), LOT)):
            part = slice(start, start + LOT)
            size = len(made.xs[part])
            cells[f"d{i}"] = Dots(
                xs=made.xs[part],
                ys=made.ys[part],
                worth=[1.0] * size if shelf.worth is None else rounded(shelf.worth[part], 3),
                ages=[0.0] * size if shelf.ages is None else rounded(shelf.ages[part], 2),
            )
        gone = dict.fromkeys(name for name in self._dots if name not in cells)
        self._dots = [*cells]
        return {**gone, **cells}

    def _hint(self, no: int) -> Hint:
        return Hint(no=no, text=gist(self.shelf.texts[no], 120))


def rounded(values: Any, digits: int) -> list[float]:
    """Give numbers as they are sent."""
    found: list[float] = values.round(digits).tolist()
    return found


def some(what: str, names: object, known: Collection[str]) -> set[str]:
    """Give some of the names that there are.

    Raises
    ------
    InvalidValue
        They are not several, or one of them is not there.
    """
    if isinstance(names, str) or not isinstance(names, Collection):
        raise InvalidValue(f"{what} are several, got {names!r:.80}: put it in a set")
    for name in names:
        if name not in known:
            told = ", ".join(sorted(known)[:CHIPS]) or "none here"
            raise InvalidValue(f"{what} are some of {told}, got {name!r:.80}")
    return {*map(str, names)}


def lasting(hours: float) -> str:
    """Say how long, in at most two units.

    >>> [lasting(hours) for hours in (0, 0.5, 30, 48, 2400.4)]
    ['0 min', '30 min', '1 d 6 h', '2 d', '100 d']
    """
    minutes = round(number(hours) * 60)
    if minutes < 60:  # noqa: PLR2004 - an hour has as many
        return f"{minutes} min"
    if minutes < 24 * 60:
        rest = minutes % 60
        return f"{minutes // 60} h" + (f" {rest} min" if rest and minutes < 6 * 60 else "")
    whole = round(minutes / 60)
    days, rest = divmod(whole, 24)
    return f"{count(days)} d" + (f" {rest} h" if rest and days < 10 else "")  # noqa: PLR2004
