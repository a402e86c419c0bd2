"""Texts by the vectors that an embedder makes of them."""

from __future__ import annotations

from typing import Any

from agentlab.core.protocols import Embedder
from agentlab.memory.explained import Term
from agentlab.memory.units import Neighbour, Scored, Units, vectors_of


class DenseVectors:
    """The vectors of texts, in the order they were added. It has no lock.

    Parameters
    ----------
    embedder : Embedder
        What makes them.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._units = Units()

    def __len__(self) -> int:
        return len(self._units)

    @property
    def dim(self) -> int:
        """How many numbers a vector has."""
        return self._units.dim or self._embedder.dim

    def read(self, texts: list[str]) -> Any:
        """Make vectors of texts."""
        return vectors_of(self._embedder.embed(texts)) if texts else None

    def put(self, vectors: Any) -> None:
        """Add what was read."""
        if vectors is not None:
            self._units.add(vectors)

    def read_query(self, text: str) -> Any:
        """Make a vector of a question."""
        return self.read([text])

    def find(self, asked: Any, limit: int, least: float | None) -> Scored:
        """Give the best rows with their score, best first, of equals the earlier."""
        return self._units.search(asked, limit, least)[0]

    def terms(self, _query: str, _row: int, score: float) -> tuple[Term, ...]:
        """Say what a score is."""
        return (Term.of("cosine", score),)

    def neighbours(self, size: int) -> list[Neighbour]:
        """Give for the first rows which other is most like each, and how much."""
        return self._units.neighbours(size)

    def matrix(self) -> Any:
        """Give a copy of all vectors."""
        return self._units.matrix().copy()

    def clear(self) -> None:
        """Forget all."""
        self._units = Units()

    def written(self, _texts: list[str]) -> Any:
        """Give it as plain JSON."""
        return {"vectors": self._units.written()}

    def restore(self, state: Any) -> None:
        """Read what :meth:`written` gave."""
        self._units = Units.read(state["vectors"])
