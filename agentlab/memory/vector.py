"""Values by what a text says: by the words in it, or by vectors that mean something."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from agentlab.core.bounds import count_of
from agentlab.core.doors import Displayable, Explorable, Plottable, Tabular
from agentlab.core.errors import InvalidValue
from agentlab.core.portable import Portable
from agentlab.core.protocols import Embedder, Hit
from agentlab.core.text import clean
from agentlab.memory.bag import BagOfWordsEmbedder
from agentlab.memory.dense import DenseVectors
from agentlab.memory.embedders import as_embedder, is_quick
from agentlab.memory.embedding import Embedding
from agentlab.memory.explained import Explanation, Explanations
from agentlab.memory.items import text_of
from agentlab.memory.kept import Kept
from agentlab.memory.nearest import VectorMemory, check_plain
from agentlab.memory.sparse import SparseVectors

__all__ = ["BagOfWordsEmbedder", "Embedding", "SemanticMemory", "VectorMemory"]

T = TypeVar("T")


class TextRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """A text at a glance: what it stands for, and which other is most like it.

    That is not looked for where there are too many pairs to look at.
    """

    place: int
    text: str
    value: str
    nearest: int | None = None
    similarity: float | None = None


class SemanticMemory(Kept, Tabular, Plottable, Explorable, Generic[T]):
    """Values by what a text says. Thread-safe.

    >>> memory = SemanticMemory()
    >>> memory.remember("cats are fluffy animals", "cat_fact")
    >>> memory.remember("quantum mechanics uncertainty principle", "physics")
    >>> [(round(score, 6), value) for score, value in memory.recall_similar("fluffy pets", 2)]
    [(0.57735, 'cat_fact'), (0.0, 'physics')]

    Parameters
    ----------
    embedder : Embedder, callable or "static", optional
        What makes vectors of texts; see :func:`~agentlab.memory.embedders.as_embedder`. By
        default a :class:`BagOfWordsEmbedder`, whose words are counted, and weighed at each
        question by how many of the texts here have them.
    """

    kind = "agentlab semantic memory"

    def __init__(self, embedder: Any = None) -> None:
        made = BagOfWordsEmbedder() if embedder is None else as_embedder(embedder)
        self._embedder: Embedder = made
        self._texts: list[str] = []
        self._values: list[T] = []
        self._lock = threading.RLock()  # never held while somebody else's function is called
        self._index: SparseVectors | DenseVectors = (
            SparseVectors(made) if isinstance(made, BagOfWordsEmbedder) else DenseVectors(made)
        )

    def __repr__(self) -> str:
        return f"<SemanticMemory {len(self)} texts, {self._embedder!r}>"

    def __len__(self) -> int:
        return len(self._texts)

    def __bool__(self) -> bool:
        return True  # an empty memory is still one

    @property
    def quick(self) -> bool:
        """Whether a run may wait for it; or asks it in a thread."""
        return is_quick(self._embedder)

    def embedder(self) -> Embedder:
        """Give what makes vectors of texts."""
        return self._embedder

    def vector_store(self) -> SparseVectors | DenseVectors:
        """Give what finds them."""
        return self._index

    def texts(self) -> list[str]:
        """List the texts in the order they were remembered."""
        with self._lock:
            return list(self._texts)

    def values(self) -> list[T]:
        """List the values in the same order."""
        with self._lock:
            return list(self._values)

    def remember(self, text: str, value: T) -> None:
        """Remember ``value`` by a text.

        Raises
        ------
        InvalidValue
            ``text`` is none.
        """
        self.remember_many([text], [value])

    def remember_many(self, texts: Iterable[str], values: Iterable[T]) -> None:
        """Remember several values, all or none, which is quicker where vectors are made.

        Raises
        ------
        InvalidValue
            A text is none, or there are not as many values.
        """
        told, kept = [text_of(text, "a text") for text in texts], list(values)
        if len(told) != len(kept):
            raise InvalidValue(f"{len(told)} texts have as many values, got {len(kept)}")
        read = self._index.read(told)
        with self._lock:
            self._index.put(read)
            self._texts += told
            self._values += kept

    def recall_similar(
        self, query: str, top_k: int, *, min_score: float | None = None
    ) -> list[tuple[float, T]]:
        """Give the values whose texts are most like ``query``, best first, each after its score.

        Of equals the one that was remembered earlier comes first. A query without words that
        count finds nothing.

        Parameters
        ----------
        query : str
            What they should be like.
        top_k : int
            How many.
        min_score : float, optional
            The score that one must have; by default the list is filled with whatever there is.

        Raises
        ------
        InvalidValue
            ``query`` is no text, or ``top_k`` does not say how many.
        """
        return [(score, value) for score, _, _, value in self._find(query, top_k, min_score)]

    def recall_for(self, agent: str, prompt: str, limit: int) -> Sequence[Hit]:  # noqa: ARG002
        """Give what is like a prompt as hits, as a run wants it; what has nothing of it is none."""
        return [
            Hit(str(row), text, score, "semantic", {"value": value})
            for score, row, text, value in self._find(prompt, limit, None)
            if score > 0
        ]

    def explain(self, query: str, top_k: int = 10) -> Explanations:
        """Give the scores of what is most like ``query``, taken apart.

        >>> memory = SemanticMemory()
        >>> memory.remember("red apple", 1)
        >>> memory.explain("a red car")[0]
        0.71 = red 0.71 · red apple
        """
        with self._lock:
            return Explanations(
                Explanation(str(row), text, score, self._index.terms(query, row, score))
                for score, row, text, _ in self._find(query, top_k, None)
            )

    def clear(self) -> None:
        """Forget everything; the words that the embedder has learnt it still knows."""
        with self._lock:
            self._index.clear()
            self._texts, self._values = [], []

    def rows(self, limit: int | None = None) -> list[TextRow]:
        """Describe the first texts, by default all, each with the one most like it."""
        with self._lock:
            size = len(self) if limit is None else min(limit, len(self))
            return [
                TextRow(place, self._texts[place], clean(str(self._values[place])), *near)
                for place, near in enumerate(self._index.neighbours(size))
            ]

    def vectors(self) -> Any:
        """Give the vectors, a row a text; those of a bag as they are weighed now."""
        with self._lock:
            return self._index.matrix()

    def _find(self, query: str, top_k: int, least: float | None) -> list[tuple[float, int, str, T]]:
        limit, text = count_of("top_k", top_k), text_of(query, "a query")
        asked = self._index.read_query(text) if limit and self._texts else None
        with self._lock:
            if asked is None or not self._texts:
                return []
            found = self._index.find(asked, limit, least)
            return [(score, row, self._texts[row], self._values[row]) for score, row in found]

    def _state(self) -> Any:
        with self._lock:
            for value in self._values:
                check_plain(value)
            index = self._index.written(self._texts)
            return {"texts": self._texts, "values": self._values, "index": index}

    @classmethod
    def _of_state(cls, state: Any, **parts: Any) -> SemanticMemory[T]:
        made = cls(**parts)
        made._index.restore(state["index"])
        made._texts, made._values = list(state["texts"]), list(state["values"])
        if not len(made._texts) == len(made._values) == len(made._index):
            raise InvalidValue(f"{len(made._texts)} texts have {len(made._index)} vectors")
        return made
