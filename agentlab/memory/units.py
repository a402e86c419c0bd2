"""Unit vectors as the rows of one matrix, and exact search among them.

Rows are single precision, which halves what is read a search. One matrix product gives scores
that are right to about six digits and depend on how it was split up; so it only finds the rows
that may be among the best, whose scores are then taken again in double precision, each by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from agentlab.core.errors import InvalidValue, MemoryStoreError
from agentlab.memory.embedding import Embedding, numbers_of
from agentlab.memory.ranked import near_best

SMALLEST = 16
PAIRS = 4_000_000
TOGETHER = 64  # queries that share a matrix product
AT_ONCE = 4096  # rows whose scores are taken again
SINGLE = 2.0**-23  # how exact a number of single precision is
Scored: TypeAlias = list[tuple[float, int]]
Neighbour: TypeAlias = tuple[int, float] | tuple[None, None]
NOBODY: Neighbour = (None, None)


class Units:
    """A growing matrix of unit vectors. It has no lock. All have the dimension of the first."""

    __slots__ = ("_matrix", "_size", "dim")

    def __init__(self) -> None:
        self._matrix: Any = None
        self._size = 0
        self.dim = 0

    def __len__(self) -> int:
        return self._size

    def matrix(self) -> Any:
        """Give all rows, to be read before the next change."""
        import numpy as np

        return np.empty((0, 0), "f4") if self._matrix is None else self._matrix[: self._size]

    def add(self, vectors: Any) -> None:
        """Add vectors that :func:`vectors_of` gave; they are normalised here.

        Raises
        ------
        MemoryStoreError
            They have another dimension.
        """
        import numpy as np

        self.check(vectors)
        size = self._size + len(vectors)
        if self._matrix is None or size > len(self._matrix):
            grown = np.empty((max(SMALLEST, size, 2 * self._size), vectors.shape[1]), "f4")
            grown[: self._size] = self.matrix() if self._size else 0
            self._matrix = grown
        self._matrix[self._size : size] = normalised(vectors)
        self._size, self.dim = size, vectors.shape[1]

    def written(self) -> list[str]:
        """Give each row as hex digits, four bytes a number, the lowest first."""
        return [row.astype("<f4").tobytes().hex() for row in self.matrix()]

    @classmethod
    def read(cls, rows: Sequence[str]) -> Units:
        """Read what :meth:`written` gave, to the last bit.

        Raises
        ------
        InvalidValue
            The rows have different lengths, or some are not finite.
        """
        import numpy as np

        made = cls()
        if rows:
            matrix = vectors_of([np.frombuffer(bytes.fromhex(row), "<f4") for row in rows])
            made._matrix, made._size = matrix.astype("f4"), len(matrix)
            made.dim = matrix.shape[1]
        return made

    def insert(self, row: int, vectors: Any) -> None:
        """Add a vector before a row."""
        self.add(vectors)
        kept = self._matrix[: self._size]
        kept[row + 1 :] = kept[row:-1].copy()
        kept[row] = normalised(vectors)[0]

    def row(self, row: int) -> tuple[float, ...]:
        """Give the numbers of a row."""
        return tuple(self._matrix[row].tolist())

    def remove(self, row: int) -> None:
        """Close the gap that a row leaves; without rows any dimension will do again."""
        self._matrix[row : self._size - 1] = self._matrix[row + 1 : self._size]
        self._size -= 1
        if not self._size:
            self._matrix, self.dim = None, 0

    def check(self, vectors: Any) -> None:
        """See that vectors have the dimension of those that are here.

        Raises
        ------
        MemoryStoreError
            They have not.
        """
        if self._size and vectors.shape[1] != self.dim:
            raise MemoryStoreError(
                f"a vector must have {self.dim} numbers, as the first one has,"
                f" got {vectors.shape[1]}"
            )

    def search(self, queries: Any, limit: int, least: float | None = None) -> list[Scored]:
        """Give the best rows for each query with their cosine, best first, of equals the earlier.

        Parameters
        ----------
        queries : array
            What :func:`vectors_of` gave.
        limit : int
            How many for each.
        least : float, optional
            The score that a row must have.

        Raises
        ------
        MemoryStoreError
            They have another dimension.
        """
        self.check(queries)
        if not limit or not self._size:
            return [[] for _ in queries]
        exact, slack = normalised(queries), 2 * (self.dim + 2) * SINGLE
        found: list[Scored] = []
        for start in range(0, len(exact), TOGETHER):
            some = exact[start : start + TOGETHER]
            rough = some.astype("f4") @ self.matrix().T
            found += [
                self._ranked(near_best(scores, limit, slack), query, limit, least)
                for scores, query in zip(rough, some, strict=True)
            ]
        return found

    def neighbours(self, size: int) -> list[Neighbour]:
        """Give for the first rows which other is most like each, and how much.

        Where that would be too many pairs, none is looked at.
        """
        if not size or size * self._size > PAIRS:
            return [NOBODY] * size
        found = self.search(self.matrix()[:size].astype("f8"), 2)
        return [
            next(((other, score) for score, other in each if other != row), NOBODY)
            for row, each in enumerate(found)
        ]

    def _ranked(self, rows: Any, query: Any, limit: int, least: float | None) -> Scored:
        import numpy as np

        matrix = self.matrix()
        parts = [rows[i : i + AT_ONCE] for i in range(0, len(rows), AT_ONCE)]
        scores = np.concatenate([(matrix[part] * query).sum(axis=1) for part in parts])
        scores = np.clip(scores, -1.0, 1.0)
        order = np.lexsort((rows, -scores))[:limit]
        found = zip(scores[order].tolist(), rows[order].tolist(), strict=True)
        return [(score, row) for score, row in found if least is None or score >= least]


def normalised(vectors: Any) -> Any:
    """Give vectors with length 1, in double precision; those of no length as they are."""
    import numpy as np

    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0.0)
    scaled = vectors / np.where(largest > 0, largest, 1.0)  # no square is too large, or too small
    lengths = np.sqrt((scaled * scaled).sum(axis=1, keepdims=True))
    return scaled / np.where(lengths > 0, lengths, 1.0)


def vectors_of(vectors: Any) -> Any:
    """Give several vectors as an array of two dimensions and double precision.

    Raises
    ------
    InvalidValue
        They are none: of different lengths, without numbers, or with some that are not finite.
    """
    import numpy as np

    try:
        if isinstance(vectors, Sequence):
            vectors = [each.values if isinstance(each, Embedding) else each for each in vectors]
        array = np.asarray(vectors, dtype="f8")
    except (TypeError, ValueError, OverflowError):
        raise InvalidValue(
            f"vectors must be lists of numbers of one length, got {vectors!r:.80}"
        ) from None
    if array.ndim != 2 or not array.shape[1]:  # noqa: PLR2004 - rows and columns
        raise InvalidValue(f"vectors must be several lists of numbers, got {vectors!r:.80}")
    if not np.isfinite(array).all():
        bad = array[~np.isfinite(array)][0]
        raise InvalidValue(f"a vector must have finite numbers, got {float(bad)!r}")
    return array


def vector_of(vector: Any) -> Any:
    """Give one vector in the same form.

    Raises
    ------
    InvalidValue
        It is none, or without numbers.
    """
    import numpy as np

    if isinstance(vector, np.ndarray) and vector.ndim == 1:
        return vectors_of(vector[None, :])
    return vectors_of([numbers_of(vector)])
