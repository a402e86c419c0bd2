"""A memory that is looked into, without a page: what is asked, when, what is listed, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from functools import cached_property
from typing import Any

from agentlab.core.errors import InvalidValue
from agentlab.display.words import gist, number
from agentlab.memory.explained import Term
from agentlab.widgets.meanings import PCA, Map, known_way, ways
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
NAMED = 12  # in a message of an error
CHIP = 40  # letters of what a chip says
LONGEST = 500  # letters of a question


class Recollection:
    """Asks, filters, sorts, moves the clock and selects.

    Parameters
    ----------
    shelf : Shelf
        What there is.
    """

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.query = self.by = self.failed = ""
        self.ahead_h = 0.0
        self.way = PCA
        self.agents, self.tags = set[str](), set[str]()
        self.map: Map | None = None
        self.maps, self.drawing = dict[str, Map](), set[str]()  # that are made, that are under way
        self.note = f"drawing the map by {PCA}…"
        self.chosen: int | None = None
        self.sort = self.sorts[0]
        self._order: Any = None
        self._scored: Any = None
        self._kept: Any = None

    @cached_property
    def sorts(self) -> list[str]:
        """The orders that there can be."""
        shelf = self.shelf
        there = {
            BEST: shelf.asks or shelf.worth is not None,
            STRONG: shelf.worth is not None and bool(shelf.fade.tau_h),
            NEW: shelf.ages is not None,
            OLD: shelf.ages is not None,
            OFTEN: shelf.counts is not None,
        }
        return [sort for sort in SORTS if there.get(sort, True)]

    @cached_property
    def ways(self) -> list[str]:
        """How the map can be made."""
        return ways() if len(self.shelf) > 1 else []

    @cached_property
    def tag_counts(self) -> Counter[str]:
        """How many items have each tag."""
        return Counter(tag for tags in self.shelf.tags for tag in tags)

    @cached_property
    def agent_counts(self) -> Counter[str]:
        """How many items each agent has, where there are several."""
        shelf = self.shelf
        if shelf.whose is None or len(shelf.agents) < 2:  # noqa: PLR2004 - of one there is no choice
            return Counter()
        return Counter(shelf.agents[i] for i in shelf.whose.tolist())

    @property
    def at(self) -> int:
        """How far ahead one looks, in thousandths."""
        span = self.shelf.span_h
        return min(THOUSAND, round(THOUSAND * self.ahead_h / span)) if span else 0

    def anew(self, shelf: Shelf) -> Recollection:
        """Look into what there is now in the same way, as far as that can be."""
        made = Recollection(shelf)
        made.query, made.by, made.way = self.query, self.by, self.way
        made.look_ahead(self.ahead_h)
        made.sort = self.sort if self.sort in made.sorts else made.sort
        made.agents, made.tags = self.agents & {*shelf.agents}, self.tags & {*made.tag_counts}
        return made

    def ask(self, query: str, by: str = "") -> None:
        """Ask something; what is then best is selected."""
        self.query, self.by, self.failed = query[:LONGEST], by, ""
        self.chosen = None
        self._stale()

    def go(self, thousandths: int) -> None:
        """Look so far ahead."""
        self.look_ahead(self.shelf.span_h * min(max(thousandths, 0), THOUSAND) / THOUSAND)

    def look_ahead(self, hours: float) -> None:
        """Look so many hours ahead, as far as there is something to see."""
        self.ahead_h = min(max(0.0, number(hours)), self.shelf.span_h)
        self._stale(filters=False)

    def order_by(self, sort: str) -> None:
        """List in another order.

        Raises
        ------
        InvalidValue
            There is none of that name.
        """
        if sort not in self.sorts:
            raise InvalidValue(f"sort must be one of {', '.join(self.sorts)}, got {sort!r:.80}")
        self.sort = sort
        self._stale(filters=False)

    def want(
        self, *, agents: Collection[str] | None = None, tags: Collection[str] | None = None
    ) -> None:
        """Keep to some agents, and to what has one of some tags; to all where none is named.

        Raises
        ------
        InvalidValue
            There is no such agent, or nothing has such a tag.
        """
        self.agents = self.agents if agents is None else some("agents", agents, self.shelf.agents)
        self.tags = self.tags if tags is None else some("tags", tags, self.tag_counts)
        self._stale()
        if self.chosen is not None and not self.kept()[self.chosen]:
            self.chosen = None

    def switch(self, what: str, name: str) -> None:
        """Want an agent or a tag, or no longer, by what its chip says."""
        known: Collection[str] = self.shelf.agents if what == "agent" else self.tag_counts
        meant = {next((each for each in known if gist(each, CHIP) == name), "")} - {""}
        if what == "agent":
            self.want(agents=self.agents ^ meant)
        else:
            self.want(tags=self.tags ^ meant)

    def make(self, way: str) -> None:
        """Let the map be made in another way; it is there when somebody gives it.

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
            shelf, scores = self.shelf, self.scores()
            keep = self.kept() & ~shelf.gone(self.ahead_h)
            if self.query and shelf.asks and scores is not None:
                keep &= scores > 0
            rows = np.flatnonzero(keep)
            self._order = rows[np.argsort(self._keys(scores)[rows], kind="stable")]
        return self._order

    def hits(self) -> list[int]:
        """Give what the memory would recall first, of the agents that are asked for."""
        import numpy as np

        scores = self.scores()
        if scores is None or (self.shelf.asks and not self.query):
            return []
        there = self._whose() & ~self.shelf.gone(self.ahead_h) & (scores > 0)
        rows = np.flatnonzero(there)
        return [int(row) for row in rows[np.argsort(-scores[rows], kind="stable")][:HITS]]

    def scores(self) -> Any:
        """Give by what each would be recalled, or None where that cannot be said."""
        if self._scored is None:
            try:
                self._scored = (self.shelf.scores(self.query, self.ahead_h),)
            except Exception as error:  # noqa: BLE001 - an embedder is somebody else's
                self._fail(error)
                self._scored = (None,)
        return self._scored[0]

    def terms(self, no: int) -> tuple[Term, ...]:
        """Take the score of an item apart; nothing where it has none."""
        scores = self.scores()
        if scores is None:
            return ()
        return self.shelf.terms(no, self.query, self.ahead_h, float(scores[no]))

    def place(self) -> tuple[int, int] | None:
        """Give where the question is on the map."""
        if not self.map or not self.query or self.failed:
            return None
        try:
            return self.map.place(self.query)
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)
            return None

    def kept(self) -> Any:
        """Tell which items are not filtered away."""
        import numpy as np

        if self._kept is None:
            keep = self._whose()
            if self.tags:
                tagged = (not self.tags.isdisjoint(tags) for tags in self.shelf.tags)
                keep &= np.fromiter(tagged, bool, len(self.shelf))
            if self.query.strip() and not self.shelf.asks:
                keep &= self.shelf.having(self.query)
            self._kept = keep
        return self._kept

    def _fail(self, error: Exception) -> None:
        self.failed = f"cannot be asked: {gist(str(error), 200)}"

    def _stale(self, *, filters: bool = True) -> None:
        self._order = self._scored = None
        if filters:
            self._kept = None

    def _whose(self) -> Any:
        import numpy as np

        if not self.agents or self.shelf.whose is None:
            return np.ones(len(self.shelf), bool)
        wanted = [i for i, name in enumerate(self.shelf.agents) if name in self.agents]
        return np.isin(self.shelf.whose, wanted)

    def _keys(self, scores: Any) -> Any:
        """Give what items are sorted by, the least first."""
        shelf = self.shelf
        if self.sort == BEST and scores is not None:
            return -scores
        if self.sort == STRONG:
            return -shelf.strength(self.ahead_h)
        if self.sort in {NEW, OLD}:
            return shelf.ages if self.sort == NEW else -shelf.ages
        if self.sort == OFTEN:
            return -shelf.counts
        return shelf.alphabet if self.sort == ALPHABET else shelf.places


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
            told = ", ".join(sorted(known)[:NAMED]) or "none here"
            raise InvalidValue(f"{what} are some of {told}, got {name!r:.80}")
    return {*map(str, names)}
