"""Texts as sparse vectors, with NumPy alone: what a word is worth is how rare it is.

Every sum here is made in the order of the texts and of their words, so that the same texts give
the same bits in every process.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LONG = re.compile(r"[^\W_]{3,}")  # a run of letters and digits is taken whole, or not at all


class Vocabulary(dict[str, int]):
    """Numbers words in the order they come."""

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self)
        return number


@dataclass(frozen=True, eq=False, slots=True)
class Matrix:
    """Rows of unit length, of which only what is not zero is kept.

    Attributes
    ----------
    rows, columns, values : array
        Where each value stands, ordered by row.
    shape : tuple of int
        How many rows and columns there are.
    """

    rows: Ints
    columns: Ints
    values: Floats
    shape: tuple[int, int]

    @classmethod
    def of(cls, dense: Sequence[Sequence[float]]) -> Matrix:
        """Make one of rows of numbers; each is brought to unit length."""
        import numpy as np

        whole = np.asarray(dense, dtype=np.float64)
        rows, columns = np.nonzero(whole)
        return unit_rows(rows, columns, whole[rows, columns], (whole.shape[0], whole.shape[1]))

    def dot(self, vector: Floats) -> Floats:
        """Multiply each row with ``vector``."""
        return summed(self.rows, self.values * vector[self.columns], self.shape[0])

    def row(self, i: int) -> Floats:
        """Give one row, zeros and all."""
        import numpy as np

        start, end = np.searchsorted(self.rows, (i, i + 1))
        vector = np.zeros(self.shape[1])
        vector[self.columns[start:end]] = self.values[start:end]
        return vector

    def empty(self) -> NDArray[np.bool_]:
        """Tell of each row whether there is nothing in it."""
        import numpy as np

        full = np.zeros(self.shape[0], dtype=bool)
        full[self.rows] = True
        return ~full


def tfidf(texts: Sequence[str]) -> tuple[Matrix, list[str]]:
    """Weigh the words of texts, and name the columns.

    A word of three letters or more counts its share of the text, times ``ln(1 + N/df)``, where
    ``df`` of the ``N`` texts have it.
    """
    import numpy as np

    known = Vocabulary()
    number = known.__getitem__
    found = [[number(word) for word in LONG.findall(text.lower())] for text in texts]
    lengths = np.array([len(words) for words in found], dtype=np.int64)
    flat = np.fromiter((word for words in found for word in words), np.int64, int(lengths.sum()))
    wide = max(1, len(known))
    places, counts = np.unique(
        np.repeat(np.arange(len(texts)), lengths) * wide + flat, return_counts=True
    )
    rows, columns = places // wide, places % wide
    rarity = np.log1p(len(texts) / np.maximum(1, np.bincount(columns, minlength=wide)))
    values = counts / lengths[rows] * rarity[columns]
    return unit_rows(rows, columns, values, (len(texts), wide)), list(known)


def unit_rows(rows: Any, columns: Any, values: Any, shape: tuple[int, int]) -> Matrix:
    """Bring each row to unit length."""
    import numpy as np

    lengths = np.sqrt(summed(rows, values * values, shape[0]))
    return Matrix(rows, columns, values / lengths[rows], shape)


def summed(places: Any, values: Any, size: int) -> Floats:
    """Add up what falls on each of ``size`` places, in order."""
    import numpy as np

    return np.bincount(places, weights=values, minlength=size).astype(np.float64, copy=False)
