"""Four ways to say how much a turn matters. Values; none of them knows the time by itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol

from agentlab.core.bounds import not_negative
from agentlab.core.errors import InvalidValue
from agentlab.core.guards import able
from agentlab.core.text import words
from agentlab.memory.conversation import MemoryTurn
from agentlab.memory.entities import entities
from agentlab.memory.given import texts

STEM = 4  # letters from which on a keyword may have an ending
HOUR_S = 3600.0


class Strategy(Protocol):
    """Scores a turn, from 0 to 1."""

    def score(self, turn: MemoryTurn, now: datetime) -> float:
        """Say how much ``turn`` matters at this moment."""


@dataclass(frozen=True)
class KeywordDensity:
    """The share of words that are keywords; one of four letters or more may have any ending.

    >>> KeywordDensity(["user", "result"]).hits("The superuser saw the users' results, result.")
    3
    """

    keywords: Sequence[str]
    _wanted: tuple[tuple[str, ...], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keywords", texts("keywords", self.keywords))
        parts = tuple(tuple(words(keyword)) for keyword in self.keywords)
        if not all(parts):
            raise InvalidValue(f"each of keywords must have a word in it, got {self.keywords!r}")
        object.__setattr__(self, "_wanted", parts)

    def hits(self, text: str) -> int:
        """Count where a keyword stands."""
        said = words(text)
        return sum(any(begins(said, i, part) for part in self._wanted) for i in range(len(said)))

    def score(self, turn: MemoryTurn, now: datetime) -> float:  # noqa: ARG002
        """Give the share of its words."""
        return min(1.0, self.hits(turn.content) / length(turn.content))


@dataclass(frozen=True)
class EntityDensity:
    """The share of words that begin a name."""

    def score(self, turn: MemoryTurn, now: datetime) -> float:  # noqa: ARG002
        """Give it."""
        return min(1.0, len(entities(turn.content)) / length(turn.content))


@dataclass(frozen=True)
class RecencyDecay:
    """What is left of 1 after the turn's age, ``exp(-decay_per_hour * hours)``."""

    decay_per_hour: float

    def __post_init__(self) -> None:
        rate = not_negative("decay_per_hour", self.decay_per_hour)
        object.__setattr__(self, "decay_per_hour", rate)

    def score(self, turn: MemoryTurn, now: datetime) -> float:
        """Give it; what lies ahead has no age."""
        hours = max(0.0, (now - turn.timestamp).total_seconds()) / HOUR_S
        return math.exp(-self.decay_per_hour * hours)


@dataclass(frozen=True)
class Composite:
    """The weighted mean of several strategies: pairs of strategy and weight."""

    parts: Sequence[tuple[Strategy, float]]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(map(a_part, self.parts)))
        if not any(weight for _, weight in self.parts):
            raise InvalidValue(f"some weight must be above 0, got {self.parts!r:.200}")

    def score(self, turn: MemoryTurn, now: datetime) -> float:
        """Give the mean."""
        most = max(weight for _, weight in self.parts)  # so that no sum is infinite
        weighed = [(part.score(turn, now), weight / most) for part, weight in self.parts]
        return math.fsum(s * w for s, w in weighed) / math.fsum(w for _, w in weighed)


class ImportanceStrategy:
    """How much a turn matters; its cases are ``KeywordDensity(keywords)``, ``EntityDensity()``,
    ``RecencyDecay(decay_per_hour)`` and ``Composite([(strategy, weight), …])``.
    """  # noqa: D205 - one sentence

    KeywordDensity: ClassVar[type[KeywordDensity]] = KeywordDensity
    EntityDensity: ClassVar[type[EntityDensity]] = EntityDensity
    RecencyDecay: ClassVar[type[RecencyDecay]] = RecencyDecay
    Composite: ClassVar[type[Composite]] = Composite


def a_strategy(value: Strategy) -> Strategy:
    """Give ``value``, which must be able to score."""
    if isinstance(value, type):
        raise InvalidValue(f"a strategy is made before it is used, got {value!r}: call it")
    return able(
        value, "score", "an importance strategy, such as ImportanceStrategy.EntityDensity()"
    )


def a_part(part: Any) -> tuple[Strategy, float]:
    """Give a part of a composite, if it is one."""
    match part:
        case (strategy, int() | float() as weight):
            return a_strategy(strategy), not_negative("a weight", weight)
        case _:
            raise InvalidValue(f"parts are pairs of strategy and weight, got {part!r:.80}")


def begins(said: Sequence[str], at: int, keyword: Sequence[str]) -> bool:
    """Tell whether ``keyword`` stands there, its last word perhaps with an ending."""
    found, last = said[at : at + len(keyword)], keyword[-1]
    if len(found) < len(keyword) or tuple(found[:-1]) != tuple(keyword[:-1]):
        return False
    return found[-1] == last or (len(last) >= STEM and found[-1].startswith(last))


def length(text: str) -> int:
    """Count the words as they are written, and at least one."""
    return max(1, len(text.split()))
