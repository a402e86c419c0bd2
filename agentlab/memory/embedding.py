"""Texts as numbers: a vector, how alike two are, and what no vector can be."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from agentlab.core.doors import Displayable
from agentlab.core.errors import InvalidValue
from agentlab.core.portable import Portable

NEARLY = 1e-5


class Embedding(Portable, Displayable, msgspec.Struct, frozen=True):
    """A vector.

    >>> Embedding([3, 4]).normalize().values
    (0.6, 0.8)

    Parameters
    ----------
    values : sequence of float
        Its numbers: a list, or an array; they are kept as a tuple.

    Raises
    ------
    InvalidValue
        One is no finite number.
    """

    values: Sequence[float]

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "values", numbers_of(self.values))

    def __repr__(self) -> str:
        return f"<Embedding of {self.dim} numbers, length {self.norm():.4g}>"

    def __len__(self) -> int:
        return len(self.values)

    @property
    def dim(self) -> int:
        """How many numbers it has."""
        return len(self.values)

    def norm(self) -> float:
        """Give its length."""
        return math.hypot(*self.values)

    def normalize(self) -> Embedding:
        """Give one of length 1 in the same direction; that of no length stays as it is."""
        return Embedding(unit(self.values))

    def is_normalized(self) -> bool:
        """Tell whether its length is 1, or nearly."""
        return abs(self.norm() ** 2 - 1.0) < NEARLY

    def dot(self, other: Embedding) -> float:
        """Multiply the two; 0 where they have different dimensions."""
        if self.dim != other.dim:
            return 0.0
        return math.fsum(a * b for a, b in zip(self.values, other.values, strict=True))

    def cosine_similarity(self, other: Embedding) -> float:
        """Tell how alike the directions are, from -1 to 1; 0 where one has no length."""
        return cosine(self.values, other.values)


def unit(values: Sequence[float]) -> tuple[float, ...]:
    """Give a vector of length 1 in the same direction; one of no length as it is."""
    largest = max(map(abs, values), default=0.0)
    if not largest:
        return tuple(values)
    scaled = [value / largest for value in values]  # so that no square is too large or too small
    length = math.hypot(*scaled)
    return tuple(value / length for value in scaled)


def cosine(one: Iterable[float], other: Iterable[float]) -> float:
    """Tell how alike the directions of two vectors are, from -1 to 1.

    It is 0 where they have different dimensions, or one has no length.

    >>> cosine([1, 0], [1, 1])
    0.7071067811865475
    """
    a, b = numbers_of(one), numbers_of(other)
    if len(a) != len(b):
        return 0.0
    product = math.fsum(x * y for x, y in zip(unit(a), unit(b), strict=True))
    return min(1.0, max(-1.0, product))


def numbers_of(values: Any) -> tuple[float, ...]:
    """Give the numbers of a vector, of whatever it is: a list, an array, an :class:`Embedding`.

    Raises
    ------
    InvalidValue
        One is no finite number.
    """
    if isinstance(values, Embedding):
        return tuple(values.values)
    plain = values.tolist() if hasattr(values, "tolist") else values
    try:
        found = tuple(map(float, [] if isinstance(plain, str | bytes) else plain))
    except (TypeError, ValueError, OverflowError):
        raise InvalidValue(f"a vector must be a list of numbers, got {values!r:.80}") from None
    if isinstance(plain, str | bytes):
        raise InvalidValue(f"a vector must be a list of numbers, got {values!r:.80}")
    for i, value in enumerate(found):
        if not math.isfinite(value):
            raise InvalidValue(f"a vector must have finite numbers, got {value!r} at {i}")
    return found
