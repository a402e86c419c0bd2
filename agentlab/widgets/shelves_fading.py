"""Memories that fade, as shelves: how their items are read, ranked and explained."""

from __future__ import annotations

from typing import Any

from agentlab.display.words import gist, seconds
from agentlab.memory.episodic import EpisodicStore
from agentlab.memory.explained import Term
from agentlab.memory.items import HOUR_US, micros
from agentlab.memory.likeness import cosine, counted
from agentlab.memory.ltm import LtmStore, fitting
from agentlab.memory.worth import Ranking, worth
from agentlab.widgets.shelves import FAINT, Fade, Shelf

HOUR_MS, DAY_H, LN2 = 3_600_000, 24.0, 0.6931471805599453


class Episodes(Shelf):
    """What happened to agents: recalled by what it is worth, whatever is asked."""

    name, path, one, many = "episodic store", "store", "memory", "memories"
    rule = (
        "an episodic store recalls what is worth most then, an agent at a time, whatever is asked"
    )
    empty = "Nothing is remembered yet: store.add_episode(agent, content, importance) adds one."

    def __init__(self, store: EpisodicStore) -> None:
        import numpy as np

        self.store, columns, now = store, store.columns(), micros(store.now)
        self.how = Ranking(store.decay, store.recall_policy)
        self._ids = columns["id"]
        self._ages_us = now - columns["timestamp"]
        half = store.decay.half_life_hours if store.decay else 0.0
        super().__init__(
            columns["content"],
            tags=columns["tags"],
            agents=columns["agents"],
            whose=columns["agent"],
            worth=np.array(columns["importance"]),
            ages=self._ages_us / HOUR_US,
            counts=np.array(columns["recall_count"]),
            fade=Fade(half / LN2, store.max_age_hours or 0.0, FAINT if half else 0.0),
        )
        limit = store.max_age_hours
        self.figures = [
            f"half-life {seconds(half * HOUR_MS)}" if half else "no decay",
            f"{'hybrid' if self.how.hybrid else 'importance'} recall",
            f"none older than {seconds(limit * HOUR_MS)}" if limit else "",
        ]

    def _worth(self, rows: Any, agent: int, ahead_h: float) -> Any:
        import numpy as np

        ages = np.maximum(self._ages_us[rows] + int(ahead_h * HOUR_US), 0).astype("f8")
        most = int(self.counts[self.whose == agent].max(initial=0))
        return worth(self.worth[rows], ages, self.counts[rows], most, self.how)

    def scores(self, query: str, ahead_h: float) -> Any:  # noqa: ARG002 - as the store has it
        """Give what recall would rank by, of each agent by itself."""
        import numpy as np

        found = np.zeros(len(self))
        for agent in range(len(self.agents)):
            rows = np.flatnonzero(self.whose == agent)
            found[rows] = self._worth(rows, agent, ahead_h).score
        return found

    def terms(self, row: int, query: str, ahead_h: float, score: float) -> tuple[Term, ...]:  # noqa: ARG002
        """Take the score of one apart, as the store explains it."""
        seen = self._worth([row], int(self.whose[row]), ahead_h)
        found: tuple[Term, ...] = seen.terms(0, int(self.counts[row]), self.how)
        return found

    def thing(self, row: int) -> Any:
        """Give the memory, or None where it has been forgotten meanwhile."""
        return self.store.get(self.agents[self.whose[row]], self._ids[row])

    def place(self, row: int) -> str:
        """Say in Python where it is."""
        return f"store.get({gist(self.agents[self.whose[row]], 40)!r}, {self._ids[row]!r})"


class LongTerm(Shelf):
    """What is remembered for long: found by words, and by what is left of it."""

    name, path, one, many = "long-term memory", "ltm", "entry", "entries"
    asks, rule = True, "recall weighs likeness by what is left of the importance"
    empty = "Nothing is remembered yet: ltm.remember(text, importance) keeps something."

    def __init__(self, ltm: LtmStore) -> None:
        import numpy as np

        self.ltm, config = ltm, ltm.config
        rows = ltm.rows()
        self._ids = [row.id for row in rows]
        self._words = [counted(row.content) for row in rows]
        self._asked: tuple[str | None, Any] = (None, None)
        super().__init__(
            [row.content for row in rows],
            worth=np.array([row.importance for row in rows], "f8"),
            ages=np.array([row.age_days * DAY_H for row in rows], "f8"),
            counts=np.array([row.access_count for row in rows], "i8"),
            fade=Fade(
                config.stability_days * DAY_H,
                0.0,
                config.min_importance or FAINT,
                forgets=config.min_importance > 0,
            ),
        )
        self.figures = [
            f"37 % left after {seconds(config.stability_days * DAY_H * HOUR_MS)}",
            f"forgets below {config.min_importance:.2f}" if config.min_importance else "",
        ]

    def _alike(self, query: str) -> Any:
        import numpy as np

        if self._asked[0] != query:  # which stays while the clock moves
            asked = counted(query)
            alike = np.array([cosine(asked, words) for words in self._words], "f8")
            self._asked = query, alike
        return self._asked[1]

    def scores(self, query: str, ahead_h: float) -> Any:
        """Give how alike each is, times what is left of it; without a question, what is left."""
        left = self.strength(ahead_h)
        return left * self._alike(query) if query else left

    def terms(self, row: int, query: str, ahead_h: float, score: float) -> tuple[Term, ...]:  # noqa: ARG002
        """Take the score of one apart."""
        left, importance = float(self.strength(ahead_h)[row]), float(self.worth[row])
        if query:
            return (fitting(float(self._alike(query)[row]), importance, left),)
        share = left / importance if importance else 0.0
        return (Term.product(left, importance=importance, left=share),)

    def thing(self, row: int) -> Any:
        """Give the entry, or None where it has been forgotten meanwhile."""
        return self.ltm.get(self._ids[row])

    def place(self, row: int) -> str:
        """Say in Python where it is."""
        return f"ltm.get({self._ids[row]})"
