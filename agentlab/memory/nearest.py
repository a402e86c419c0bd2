"""Values by vector: what is alike is found by looking at all."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec

from agentlab.core.bounds import count_of
from agentlab.core.doors import Displayable, Explorable, Plottable, Tabular
from agentlab.core.errors import InvalidValue, MemoryStoreError
from agentlab.core.portable import Portable
from agentlab.core.text import clean
from agentlab.memory.kept import Kept
from agentlab.memory.units import Units, vector_of, vectors_of

T = TypeVar("T")


class VectorRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """A vector at a glance: what it stands for, and what is nearest to it.

    That is not looked for where there are too many pairs to look at.
    """

    place: int
    value: str
    dim: int
    nearest: int | None = None
    similarity: float | None = None


class VectorMemory(Kept, Tabular, Plottable, Explorable, Generic[T]):
    """Values by vector; a search looks at all of them, so that it is exact. Thread-safe.

    >>> from agentlab.memory.embedding import Embedding
    >>> memory = VectorMemory()
    >>> memory.insert(Embedding([1, 0]), "east")
    >>> memory.insert(Embedding([0, 1]), "north")
    >>> memory.search(Embedding([2, 0]), 1)
    [(1.0, 'east')]

    Vectors are normalised, and kept in single precision, which makes a score exact to about
    seven digits. All have the dimension of the first. One of no length is like no other.
    """

    kind = "agentlab vector memory"

    def __init__(self) -> None:
        self._units = Units()
        self._values: list[T] = []
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"<VectorMemory {len(self)} vectors of {self.dim} numbers>"

    def __len__(self) -> int:
        return len(self._values)

    def __bool__(self) -> bool:
        return True  # an empty memory is still one

    @property
    def dim(self) -> int:
        """How many numbers its vectors have; 0 while there are none."""
        return self._units.dim

    def values(self) -> list[T]:
        """List the values in the order they were inserted."""
        with self._lock:
            return list(self._values)

    def vectors(self) -> Any:
        """Give a copy of the vectors, a row a value."""
        with self._lock:
            return self._units.matrix().copy()

    def insert(self, embedding: Any, value: T) -> None:
        """Add a value under a vector: an :class:`Embedding`, a list of numbers, an array.

        Raises
        ------
        InvalidValue
            It is no vector.
        MemoryStoreError
            It has another dimension than the first.
        """
        vector = vector_of(embedding)
        with self._lock:
            self._units.add(vector)
            self._values.append(value)

    def insert_many(self, embeddings: Any, values: Sequence[T]) -> None:
        """Add several values, all or none.

        Raises
        ------
        InvalidValue
            They are no vectors, or not as many as there are values.
        MemoryStoreError
            They have another dimension than the first.
        """
        told = list(values)
        if not told and not len(embeddings):
            return
        vectors = vectors_of(embeddings)
        if len(vectors) != len(told):
            raise InvalidValue(f"{len(told)} values have as many vectors, got {len(vectors)}")
        with self._lock:
            self._units.add(vectors)
            self._values += told

    def search(
        self, query: Any, top_k: int, *, min_score: float | None = None
    ) -> list[tuple[float, T]]:
        """Give the values whose vectors are most alike, best first, each after its score.

        Of equals the one that was inserted earlier comes first.

        Parameters
        ----------
        query : vector
            What they should be like.
        top_k : int
            How many.
        min_score : float, optional
            The cosine that one must have; by default the list is filled with whatever there is.

        Raises
        ------
        InvalidValue
            ``query`` is no vector.
        MemoryStoreError
            It has another dimension.
        """
        return self.search_many([query], top_k, min_score=min_score)[0]

    def search_many(
        self, queries: Any, top_k: int, *, min_score: float | None = None
    ) -> list[list[tuple[float, T]]]:
        """Search for several vectors at once, which costs much less than one after the other."""
        limit = count_of("top_k", top_k)
        single = len(queries) == 1
        if not len(queries):
            return []
        vectors = vector_of(queries[0]) if single else vectors_of(queries)
        with self._lock:
            found = self._units.search(vectors, limit, min_score)
            return [[(score, self._values[row]) for score, row in each] for each in found]

    def clear(self) -> None:
        """Forget everything, the dimension too."""
        with self._lock:
            self._units, self._values = Units(), []

    def rows(self, limit: int | None = None) -> list[VectorRow]:
        """Describe the first vectors, by default all, each with what is nearest to it."""
        with self._lock:
            size = len(self) if limit is None else min(limit, len(self))
            return [
                VectorRow(place, clean(str(self._values[place])), self.dim, *near)
                for place, near in enumerate(self._units.neighbours(size))
            ]

    def _state(self) -> Any:
        with self._lock:
            for value in self._values:
                check_plain(value)
            return {"vectors": self._units.written(), "values": self._values}

    @classmethod
    def _of_state(cls, state: Any, **parts: Any) -> VectorMemory[T]:
        made = cls(**parts)
        made._units = Units.read(state["vectors"])
        made._values = list(state["values"])
        if len(made._values) != len(made._units):
            raise InvalidValue(f"{len(made._values)} values have {len(made._units)} vectors")
        return made


def check_plain(value: object) -> None:
    """See that a value comes back from JSON as it is.

    Raises
    ------
    MemoryStoreError
        It does not.
    """
    try:
        same = msgspec.json.decode(msgspec.json.encode(value)) == value
    except (TypeError, ValueError, OverflowError, RecursionError, UnicodeError):
        same = False
    if not same:
        raise MemoryStoreError(f"only what JSON holds can be saved, got {value!r:.80}")
