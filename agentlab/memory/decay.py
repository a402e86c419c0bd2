"""How memories fade, and by what they are ranked: plain rules, without a clock."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Any, ClassVar

import msgspec
from msgspec.structs import force_setattr

from agentlab.core.bounds import not_negative, positive
from agentlab.core.doors import Displayable, Plottable
from agentlab.core.errors import InvalidValue
from agentlab.core.portable import Portable

RECENCY_HOURS = 24.0  # after which a memory is no longer fresh, to a hybrid recall


class DecayPolicy(Portable, Displayable, Plottable, msgspec.Struct, frozen=True):
    """Importance halves every so many hours.

    >>> policy = DecayPolicy.exponential(24)
    >>> round(policy.decayed(0.8, age_hours=12), 6)
    0.565685

    Parameters
    ----------
    half_life_hours : float
        After how many hours half is left.

    Raises
    ------
    InvalidValue
        That is not a positive number.
    """

    half_life_hours: float

    def __post_init__(self) -> None:
        hours = self.half_life_hours
        try:
            force_setattr(self, "half_life_hours", positive("half_life_hours", hours))
        except InvalidValue:
            raise InvalidValue(f"half_life_hours must be positive, got {hours!r}") from None

    @classmethod
    def exponential(cls, half_life_hours: float) -> DecayPolicy:
        """Give the policy with that half-life."""
        return cls(half_life_hours)

    def factor(self, age_hours: float) -> float:
        """Give the share of the importance that is left at an age; what is to come has not aged."""
        return float(2.0 ** (-max(0.0, age_hours) / self.half_life_hours))

    def decayed(self, importance: float, age_hours: float) -> float:
        """Give what is left of an importance."""
        return importance * self.factor(age_hours)


class RecallPolicy(Portable, Displayable, msgspec.Struct, frozen=True):
    """By what memories are ranked: ``RecallPolicy.Importance``, or ``RecallPolicy.Hybrid(…)``."""

    Importance: ClassVar[ByImportance]
    Hybrid: ClassVar[type[HybridRecall]]


class ByImportance(RecallPolicy, frozen=True, tag="importance"):
    """By what is left of the importance."""

    def __repr__(self) -> str:
        return "RecallPolicy.Importance"


class HybridRecall(RecallPolicy, frozen=True, tag="hybrid"):
    """By what is left of the importance, how fresh it is, and how often it was of use.

    The score is ``importance + recency_weight × exp(-age_hours / 24) + frequency_weight ×
    recall_count / (max_recall_count + 1)``, the maximum being that of the agent's memories.

    Parameters
    ----------
    recency_weight, frequency_weight : float
        What a memory of this moment, and one that is always recalled, is given on top.

    Raises
    ------
    InvalidValue
        One is negative, or no number.
    """

    recency_weight: float
    frequency_weight: float

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            force_setattr(self, name, not_negative(name, getattr(self, name)))

    def __repr__(self) -> str:
        return f"RecallPolicy.Hybrid({self.recency_weight:g}, {self.frequency_weight:g})"


RecallPolicy.Importance = ByImportance()
RecallPolicy.Hybrid = HybridRecall


class EvictionPolicy(StrEnum):
    """Which memory goes when an agent has one too many."""

    LowestImportance = "lowest_importance"
    Oldest = "oldest"


def importance_of(value: Any) -> float:
    """Give an importance between 0 and 1: a number beyond is taken as the nearer of them.

    Raises
    ------
    InvalidValue
        It is no finite number.
    """
    if type(value) is float and 0.0 <= value <= 1.0:
        return value
    try:
        found = math.nan if isinstance(value, bool | str) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise InvalidValue(f"importance must be a number between 0 and 1, got {value!r:.80}")
    return min(max(found, 0.0), 1.0)
