"""What memories are worth at a moment: the formulas of recall, over many rows at once."""

from __future__ import annotations

from typing import Any, NamedTuple

from agentlab.memory.decay import RECENCY_HOURS, DecayPolicy, HybridRecall, RecallPolicy
from agentlab.memory.explained import Term
from agentlab.memory.items import HOUR_US

SHORTEST_US = 1e-9  # of a half-life; a shorter one would only make infinite ranks


class Ranking(NamedTuple):
    """By what an agent's memories are ranked."""

    decay: DecayPolicy | None
    recall: RecallPolicy

    @property
    def unit(self) -> float | None:
        """The half-life in microseconds, or None where nothing fades."""
        if self.decay is None:
            return None
        return max(SHORTEST_US, self.decay.half_life_hours * HOUR_US)

    @property
    def hybrid(self) -> HybridRecall | None:
        """The weights, where more counts than importance."""
        return self.recall if isinstance(self.recall, HybridRecall) else None


class Worth(NamedTuple):
    """Each term of the scores of some rows, as arrays; ``score`` is their sum.

    What does not count is None.
    """

    importance: Any
    decay: Any
    faded: Any
    recency: Any
    frequency: Any
    score: Any

    def terms(self, i: int, times: int, how: Ranking) -> tuple[Term, ...]:
        """Take the score of row ``i`` apart, which was recalled so many times before."""
        if how.decay is None:
            first = Term.of("importance", self.importance[i])
        else:
            both = {"importance": self.importance[i], "decay": self.decay[i]}
            first = Term.product(self.faded[i], **both)
        if how.hybrid is None:
            return (first,)
        recency = Term.of("recency", self.recency[i])
        return first, recency, Term.of(f"recalled {times}×", self.frequency[i])


def worth(importance: Any, ages_us: Any, counts: Any, most: int, how: Ranking) -> Worth:
    """Weigh rows.

    Parameters
    ----------
    importance, ages_us, counts : array
        What each was worth when new, its age, and how often it was recalled.
    most : int
        The highest of all the agent's counts.
    how : Ranking
        What counts.
    """
    import numpy as np

    decay, faded = None, importance
    if how.unit is not None:
        decay = ages_us / -how.unit
        np.exp2(decay, out=decay)
        faded = importance * decay
    if how.hybrid is None:
        return Worth(importance, decay, faded, None, None, faded)
    recency = ages_us / (-RECENCY_HOURS * HOUR_US)
    np.exp(recency, out=recency)
    recency *= how.hybrid.recency_weight
    frequency = counts * (how.hybrid.frequency_weight / (most + 1))
    score = faded + recency
    score += frequency
    return Worth(importance, decay, faded, recency, frequency, score)
