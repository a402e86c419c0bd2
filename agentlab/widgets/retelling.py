"""What the page of a memory explorer is told: cells, made of how one looks into a memory."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

from agentlab.display.words import count, gist, number, plural, shortened
from agentlab.widgets.meanings import Map
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
from agentlab.widgets.recollection import CHIP, Recollection

LOT = 1000  # dots that leave in one cell
MOST = 200  # rows that a page may see at once
PAGES = 8  # that may look at the same time
CHIPS = 12  # of agents, and of tags
TERMS = 6
HUES = ("ok", "tool", "thought", "warn")  # of the terms of a score, in turn
WHOLE = 4000  # letters of the text that is selected
HOUR_MIN, DAY_MIN, FEW_H, FEW_D = 60, 1440, 6, 10  # a second unit is said of a few only


class Retelling:
    """Gives the cells of pages, of which each sees some rows, and may point at a dot.

    Parameters
    ----------
    seen : Recollection
        How one looks, into what.
    """

    def __init__(self, seen: Recollection) -> None:
        self.seen = seen
        self._windows = {"": (0, 40)}  # which rows each page sees; one that just came, the first
        self._hints = dict[str, int]()
        self._shown = list[str]()
        self._made: Map | None = None  # the map that the page has, in so many lots
        self._lots = 0

    def look(self, start: int, size: int, page: str = "") -> None:
        """Look at some rows; of the pages that do, the last few are kept in mind."""
        self._windows.pop(page, None)
        self._windows[page] = max(0, start), min(max(0, size), MOST)
        while len(self._windows) > PAGES:
            del self._windows[next(name for name in self._windows if name)]

    def point(self, no: int, page: str) -> None:
        """Point at a dot, to know what it says; the last one of each page is kept in mind."""
        if page and 0 <= no < len(self.seen.shelf):
            self._hints.pop(page, None)
            self._hints[page] = no
            while len(self._hints) > PAGES:
                del self._hints[next(iter(self._hints))]

    def forget(self) -> None:
        """Point at nothing: what there is has changed."""
        self._hints.clear()

    def cells(self) -> dict[str, Any]:
        """Give what the pages show; None is for what is gone."""
        seen, hits = self.seen, self.seen.hits()
        several = {**self._rows(hits), **self._pointed()}
        gone = dict.fromkeys(name for name in self._shown if name not in several)
        self._shown = [*several]
        return {
            "title": self._title(),
            "search": self._search(),
            "agents": chips(seen.agent_counts, seen.agents),
            "tags": chips(seen.tag_counts, seen.tags),
            "clock": self._clock(),
            "marks": self._marks(hits),
            "found": self._found(hits),
            "spots": self._spots(),
            "why": self._why(),
            **self._dots(),
            **gone,
            **several,
        }

    def _title(self) -> Title:
        return Title(
            kind="memory explorer",
            name=gist(self.seen.shelf.title, 80),
            path="explorer.subject",
            hue="",
            word="" if len(self.seen.shelf) else "empty",
            figures=[figure for figure in self.seen.shelf.figures if figure],
        )

    def _search(self) -> Search:
        return Search(
            query=self.seen.query,
            by=self.seen.by,
            sort=self.seen.sort,
            sorts=self.seen.sorts,
            way=self.seen.way,
            ways=self.seen.ways,
        )

    def _clock(self) -> Clock:
        fade = self.seen.shelf.fade
        return Clock(
            at=self.seen.at,
            ahead=round(self.seen.ahead_h, 4),
            span=round(self.seen.shelf.span_h, 4),
            words=f"{self._when()} · {self._lost()}",
            tau=fade.tau_h,
            limit=fade.limit_h,
            floor=fade.floor,
            forgets=fade.forgets,
        )

    def _when(self) -> str:
        return f"now + {lasting(self.seen.ahead_h)}" if self.seen.at else "now"

    def _lost(self) -> str:
        """Say how many are forgotten or faint at the moment, of all."""
        gone = self.seen.shelf.gone(self.seen.ahead_h)
        lost, faint = int(gone.sum()), int((self.seen.shelf.faint(self.seen.ahead_h) & ~gone).sum())
        told = list[str]()
        if self.seen.shelf.fade.forgets or lost:
            told.append(f"{count(lost)} {'would be' if self.seen.at else 'due to be'} forgotten")
        if self.seen.shelf.fade.tau_h and not self.seen.shelf.fade.forgets:
            told.append(f"{count(faint)} faint")
        return ", ".join(told) or "nothing would be forgotten"

    def _found(self, hits: list[int]) -> Found:
        import numpy as np

        order, no = self.seen.order(), self.seen.no
        place = np.flatnonzero(order == no)
        return Found(
            total=len(order),
            row=int(place[0]) if len(place) else -1,
            no=no,
            said=self._said(len(order), hits),
            rule=self.seen.shelf.rule,
            empty="" if len(self.seen.shelf) else self.seen.shelf.empty,
        )

    def _said(self, listed: int, hits: list[int]) -> str:
        if self.seen.failed:
            return self.seen.failed
        shelf = self.seen.shelf
        shown = f"showing {count(listed)} of {count(len(shelf))}, {self.seen.sort}"
        ringed = f"ringed on the map: the {plural(len(hits), shelf.one, shelf.many)}"
        return f"{shown}; {ringed} that would be recalled first" if hits else shown

    def _spots(self) -> Spots:
        made = self.seen.map
        found = made.spots if made else []
        return Spots(
            names=[gist(spot.name, 24) for spot in found],
            xs=[spot.x for spot in found],
            ys=[spot.y for spot in found],
            dots=-(-len(self.seen.shelf) // LOT) if made else 0,
            note=self.seen.note,
        )

    def _marks(self, hits: list[int]) -> Marks:
        x, y = self.seen.place() or (-1, -1)
        kept = self.seen.kept()
        lit = "" if kept.all() else "".join(map(str, kept.astype(int).tolist()))
        return Marks(x=x, y=y, asks=self.seen.shelf.asks, hits=hits, lit=lit)

    def _why(self) -> Why | None:
        no, shelf = self.seen.no, self.seen.shelf
        if no < 0:
            return None
        terms = self.seen.terms(no)
        score = sum(term.value for term in terms)
        whole, shown = max(1.0, score), terms[:TERMS]
        rest = len(terms) - len(shown)
        told = [gist(term.text, 80) for term in shown] + [plural(rest, "more term")] * bool(rest)
        gone = bool(shelf.gone(self.seen.ahead_h)[no])
        return Why(
            text=shortened(shelf.texts[no], "explorer.selected", WHOLE),
            tags=[gist(tag, 40) for tag in shelf.tags[no][:CHIPS]],
            score=f"{score:.2f}" if terms else "",
            terms=told,
            shares=[round(max(0.0, number(term.value)) / whole, 4) for term in shown],
            hues=[HUES[i % len(HUES)] for i in range(len(told))],
            notes=[each for each in self._notes(no) if each],
            path=gist(shelf.place(no), 200),
            gone=("would be forgotten by then" if self.seen.at else "is due to be forgotten")
            * gone,
        )

    def _notes(self, no: int) -> list[str]:
        shelf = self.seen.shelf
        whose = shelf.agents[shelf.whose[no]] if shelf.whose is not None else ""
        age = (
            f"{lasting(float(shelf.age(self.seen.ahead_h)[no]))} old"
            if shelf.ages is not None
            else ""
        )
        why = (
            ""
            if self.seen.query or not shelf.asks or shelf.worth is not None
            else "ask to see a score"
        )
        return [gist(whose, 40), age, *shelf.notes(no), why]

    def _rows(self, hits: list[int]) -> dict[str, Any]:
        order = self.seen.order()
        cells: dict[str, Any] = {}
        wanted = dict[int, None]()
        for page, (start, size) in self._windows.items():
            nos = [int(no) for no in order[start : start + size]]
            cells[f"w{page}"] = Window(start=start, spans=nos)
            wanted.update(dict.fromkeys(nos))
        row = partial(
            self._row, self.seen.scores(), self.seen.shelf.strength(self.seen.ahead_h), {*hits}
        )
        cells.update({f"r{no}": row(no) for no in wanted})
        return cells

    def _row(self, scores: Any, left: Any, hits: set[int], no: int) -> Memory:
        shelf = self.seen.shelf
        score = -1.0 if scores is None else number(scores[no])
        most = 1.0 if scores is None else max(1.0, number(scores.max()))
        return Memory(
            text=gist(shelf.texts[no], 160),
            agent=gist(shelf.agents[shelf.whose[no]], 24) if len(shelf.agents) > 1 else "",
            share=-1.0 if scores is None else round(max(0.0, score) / most, 3),
            now="" if scores is None else f"{score:.2f}",
            left=1.0
            if left is None or not shelf.fade.tau_h
            else round(min(1.0, float(left[no])), 3),
            hit=no in hits,
        )

    def _dots(self) -> dict[str, Any]:
        """Give the dots where the map is another than before: the board keeps them."""
        made, shelf, before = self.seen.map, self.seen.shelf, self._lots
        if made is self._made:
            return {}
        self._made, self._lots = made, -(-len(shelf) // LOT) if made else 0
        cells: dict[str, Any] = {f"d{i}": None for i in range(self._lots, before)}
        for i in range(self._lots):
            part = slice(i * LOT, (i + 1) * LOT)
            xs, ys = (made.xs[part], made.ys[part]) if made else ([], [])
            cells[f"d{i}"] = Dots(
                xs=xs,
                ys=ys,
                worth=[1.0] * len(xs) if shelf.worth is None else rounded(shelf.worth[part], 3),
                ages=[0.0] * len(xs) if shelf.ages is None else rounded(shelf.ages[part], 2),
            )
        return cells

    def _pointed(self) -> dict[str, Any]:
        texts = self.seen.shelf.texts
        return {
            f"h{page}": Hint(no=no, text=gist(texts[no], 120)) for page, no in self._hints.items()
        }


def chips(counts: Counter[str], wanted: set[str]) -> list[Kind]:
    """Give the names there are most of, and those that are wanted."""
    ranked = sorted(counts, key=lambda name: (name not in wanted, -counts[name], name))[:CHIPS]
    ranked.sort(key=lambda name: (-counts[name], name))
    return [
        Kind(name=gist(name, CHIP), count=count(counts[name]), on=name in wanted) for name in ranked
    ]


def rounded(values: Any, digits: int) -> list[float]:
    """Give numbers as they are sent."""
    found: list[float] = values.round(digits).tolist()
    return found


def lasting(hours: float) -> str:
    """Say how long, in at most two units.

    >>> [lasting(hours) for hours in (0, 0.5, 30, 48, 2400.4)]
    ['0 min', '30 min', '1 d 6 h', '2 d', '100 d']
    """
    minutes = round(number(hours) * 60)
    if minutes < HOUR_MIN:
        return f"{minutes} min"
    if minutes < DAY_MIN:
        whole, rest = divmod(minutes, HOUR_MIN)
        return f"{whole} h" + (f" {rest} min" if rest and whole < FEW_H else "")
    days, rest = divmod(round(minutes / HOUR_MIN), 24)
    return f"{count(days)} d" + (f" {rest} h" if rest and days < FEW_D else "")
