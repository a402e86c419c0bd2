"""What a long-term memory holds, and how it fades: values and rules, without clock or store."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Protocol

import msgspec

from agentlab.core.bounds import at_least_one, positive
from agentlab.core.doors import Displayable, Plottable, Tabular
from agentlab.core.errors import InvalidValue
from agentlab.core.portable import Portable
from agentlab.memory.given import a_number, a_share

DAY_S = 86_400.0


class Retention(Protocol):
    """Tells how much is left of a memory."""

    def retention(self, days: float) -> float:
        """Give the share that is left after so many days."""


@dataclass(frozen=True)
class Ebbinghaus(Plottable, Displayable):
    """Ebbinghaus' curve: quick at first, then ever slower.

    >>> curve = ForgettingCurve.Ebbinghaus(30)
    >>> [round(curve.retention(days), 6) for days in (0, 30)]
    [1.0, 0.367879]

    Parameters
    ----------
    stability : float
        Days after which some 37 % are left.
    """

    stability: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "stability", positive("stability", self.stability))

    def retention(self, days: float) -> float:
        """Give the share that is left after so many days; what lies ahead is whole."""
        return left_after(a_number("days", days), self.stability)


def left_after(days: float, stability: float) -> float:
    """Give the share that is left, by Ebbinghaus; of what lies ahead, all."""
    return math.exp(-max(0.0, days) / stability)


class ForgettingCurve:
    """How memories fade. There is one kind, ``ForgettingCurve.Ebbinghaus(stability)``."""

    Ebbinghaus: ClassVar[type[Ebbinghaus]] = Ebbinghaus


@dataclass(frozen=True)
class LtmConfig:
    """The settings of a long-term memory.

    Parameters
    ----------
    capacity : int
        How many entries there may be; the weakest makes room for a new one.
    min_importance : float
        What has faded below this is forgotten at the next ``decay()``.
    stability_days : float
        Days after which some 37 % of an importance are left.
    decay_interval_hours : float
        How long ``decay_if_due()`` waits between two decays.
    reinforce : bool
        Let a recall strengthen what it gives: it then fades from its last recall on, not from
        the day it was made.

    Raises
    ------
    InvalidValue
        A value that can never be right.
    """

    capacity: int = 10_000
    min_importance: float = 0.05
    stability_days: float = 30.0
    decay_interval_hours: float = 24
    reinforce: bool = False

    def __post_init__(self) -> None:
        at_least_one("capacity", self.capacity)
        a_share("min_importance", self.min_importance)
        positive("stability_days", self.stability_days)
        positive("decay_interval_hours", self.decay_interval_hours)
        if not isinstance(self.reinforce, bool):
            raise InvalidValue(f"reinforce must be True or False, got {self.reinforce!r}")

    @property
    def curve(self) -> Ebbinghaus:
        """How it fades."""
        return Ebbinghaus(self.stability_days)


class LtmEntry(Portable, Displayable, msgspec.Struct, frozen=True):
    """Something remembered for long.

    Attributes
    ----------
    id : int
        Counted from 1.
    content : str
        What it says.
    importance : float
        From 0 to 1, as it was made.
    access_count : int
        How often it was recalled.
    created_at, last_accessed : float
        When, in unix seconds.
    decayed_importance : float
        What the last ``decay()`` left of it.
    score : float, optional
        How well it fits; only of what a recall gives.
    merged_ids : tuple of int
        Which entries were merged into it.
    """

    id: int
    content: str
    importance: float
    access_count: int
    created_at: float
    last_accessed: float
    decayed_importance: float
    score: float | None = None
    merged_ids: tuple[int, ...] = ()

    @property
    def members(self) -> int:
        """How many memories it stands for, itself included."""
        return 1 + len(self.merged_ids)

    def age_days(self, now_s: float, *, reinforce: bool = False) -> float:
        """Give the days since it was made, or last recalled; what lies ahead has none."""
        return max(0.0, now_s - (self.last_accessed if reinforce else self.created_at)) / DAY_S


class LtmRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """An entry as it is at one moment; ``strength`` is what is left of its importance then."""

    id: int
    content: str
    importance: float
    strength: float
    decayed_importance: float
    age_days: float
    access_count: int
    created_at: datetime
    last_accessed: datetime
    merged: int

    @classmethod
    def of(cls, entry: LtmEntry, strength: float, age_days: float) -> LtmRow:
        """Describe ``entry``."""
        return cls(
            entry.id,
            entry.content,
            entry.importance,
            strength,
            entry.decayed_importance,
            age_days,
            entry.access_count,
            moment_of(entry.created_at),
            moment_of(entry.last_accessed),
            len(entry.merged_ids),
        )


class MergeRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """One merge: which entry it became, and which ones that were."""

    into: int
    merged_ids: tuple[int, ...]
    content: str
    importance: float
    merged_contents: tuple[str, ...]


class LtmMerges(Tabular, Displayable, list[MergeRow]):
    """What a consolidation merged into what: a list, a row a merge.

    Attributes
    ----------
    before, after : int
        How many entries there were, and are.
    """

    def __init__(self, rows: list[MergeRow], before: int, after: int) -> None:
        super().__init__(rows)
        self.before, self.after = before, after

    def __repr__(self) -> str:
        return f"<LtmMerges {self.before} → {self.after} entries>"


def moment_of(seconds: float) -> datetime:
    """Give unix seconds as a moment."""
    return datetime.fromtimestamp(seconds, UTC)
