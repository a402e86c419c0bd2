"""What a memory holds, read once: a row an item. Looking at it changes nothing in the memory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

from agentlab.display.words import count, gist, plural
from agentlab.memory.bag import tokens
from agentlab.memory.explained import Term

FAINT = 0.05  # of an importance of 1; what nothing forgets is called so below that


class Fade(NamedTuple):
    """How items fade while time passes.

    Attributes
    ----------
    tau_h : float
        Hours after which some 37 % are left; 0 where nothing fades.
    limit_h : float
        How old an item may be; 0 is no limit.
    floor : float
        What has faded below this is forgotten, or else only faint.
    forgets : bool
        Whether it is.
    """

    tau_h: float = 0.0
    limit_h: float = 0.0
    floor: float = 0.0
    forgets: bool = False


class Shelf:
    """The items of a memory, as long columns.

    Parameters
    ----------
    texts : sequence of str
        What each says.
    tags : sequence of tuple, optional
        What each is about.
    agents, whose : sequence, optional
        Who remembers, and the place among them of whose each is.
    worth, ages, counts : array, optional
        What each was worth when it was new, its age in hours, and how often it was recalled.
    fade : Fade
        How they fade.
    """

    name = "memory"
    path = "memory"
    one, many = "item", "items"
    asks = False  # whether it finds by what is asked
    rule = ""  # how it recalls, in words
    empty = "Nothing is remembered yet."

    def __init__(  # noqa: PLR0913 - as many columns
        self,
        texts: Sequence[str],
        *,
        tags: Sequence[tuple[str, ...]] | None = None,
        agents: Sequence[str] = (),
        whose: Any = None,
        worth: Any = None,
        ages: Any = None,
        counts: Any = None,
        fade: Fade | None = None,
    ) -> None:
        self.texts = texts
        self.tags = tags if tags is not None else [()] * len(texts)
        self.agents, self.whose = agents, whose
        self.worth, self.ages, self.counts = worth, ages, counts
        self.fade = fade or Fade()
        self.figures: list[str] = []
        self._folded: list[str] | None = None

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def alphabet(self) -> Any:
        """The place of each where they are sorted by their beginnings."""
        import numpy as np

        folded = np.array([gist(text, 60).casefold() for text in self.texts] or [""])
        return np.unique(folded, return_inverse=True)[1][: len(self)]

    @cached_property
    def places(self) -> Any:
        """The place of each in the memory."""
        import numpy as np

        return np.arange(len(self))

    @property
    def title(self) -> str:
        """Whose it is, and how much."""
        size = plural(len(self), self.one, self.many)
        if not self.agents:
            return size
        who = self.agents[0] if len(self.agents) == 1 else plural(len(self.agents), "agent")
        return f"{who}, {size}"

    @cached_property
    def span_h(self) -> float:
        """How many hours ahead one may look: until all is gone, or faint."""
        import numpy as np

        if not len(self) or self.ages is None:
            return 0.0
        fade = self.fade
        if fade.limit_h:
            ends = fade.limit_h - self.ages
        elif fade.tau_h and fade.floor:
            left = np.log(np.maximum(self.worth, 1e-9) / fade.floor) * fade.tau_h
            ends = left - self.ages
        else:
            return 0.0
        return max(1.0, 1.02 * float(ends.max()))

    def age(self, ahead_h: float) -> Any:
        """Give the ages at a moment so many hours ahead; what is yet to come has none."""
        import numpy as np

        return np.maximum(self.ages + ahead_h, 0.0)

    def strength(self, ahead_h: float) -> Any:
        """Give what is left of each then, or None where nothing is weighed."""
        import numpy as np

        if self.worth is None or not self.fade.tau_h:
            return self.worth
        return self.worth * np.exp(self.age(ahead_h) / -self.fade.tau_h)

    def gone(self, ahead_h: float) -> Any:
        """Tell which will have been forgotten then, if nothing recalls them."""
        import numpy as np

        lost = np.zeros(len(self), bool)
        if self.fade.limit_h:
            lost |= self.ages + ahead_h > self.fade.limit_h
        if self.fade.forgets and self.fade.floor:
            lost |= self.strength(ahead_h) < self.fade.floor
        return lost

    def faint(self, ahead_h: float) -> Any:
        """Tell which will hardly count then."""
        import numpy as np

        if not self.fade.tau_h:
            return np.zeros(len(self), bool)
        return self.strength(ahead_h) < (self.fade.floor or FAINT)

    def scores(self, query: str, ahead_h: float) -> Any:  # noqa: ARG002 - for those that ask
        """Give by what each would be recalled then; 0 or less is not at all. None is no ranking."""
        return self.strength(ahead_h)

    def terms(self, row: int, query: str, ahead_h: float, score: float) -> tuple[Term, ...]:  # noqa: ARG002
        """Take the score of one apart."""
        return (Term.of("score", score),)

    def having(self, query: str) -> Any:
        """Tell which have a word of the query; where it has none that counts, the whole of it."""
        import numpy as np

        if self._folded is None:
            both = zip(self.texts, self.tags, strict=True)
            self._folded = [" ".join((text, *tags)).casefold() for text, tags in both]
        wanted = [*dict.fromkeys(tokens(query))] or [query.strip().casefold()]
        found = (any(word in text for word in wanted) for text in self._folded)
        return np.fromiter(found, bool, len(self._folded))

    def vectors(self) -> Any:
        """Give the memory's own vectors, a row an item, or None where it has none of all."""
        return None

    def embed(self, query: str) -> Any:  # noqa: ARG002 - for those that can
        """Give the vector of a question, or None."""
        return None

    def thing(self, row: int) -> Any:
        """Give an item as Python has it."""
        return self.texts[row]

    def place(self, row: int) -> str:
        """Say in Python where it is."""
        return f"{self.path}[{row}]"

    def notes(self, row: int) -> list[str]:
        """Say what else is known of an item."""
        if self.counts is None:
            return []
        times = int(self.counts[row])
        return [f"recalled {count(times)}×" if times else "never recalled"]
