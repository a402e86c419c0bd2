"""Texts as bags of words: how a text is taken apart, and what a word weighs."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, overload

from agentlab.core.bounds import at_least_one
from agentlab.core.doors import Displayable
from agentlab.core.secrets import scrub
from agentlab.memory.embedding import Embedding, unit
from agentlab.memory.items import text_of
from agentlab.memory.likeness import words_of

NOT_TELLING = (
    "a an the and or but in on at to for of with by from as is was are were be been being have"
    " has had do does did will would could should may might shall can not no nor so yet both"
    " either neither that this these those it its i me my we our you your he him his she her they"
    " them their"
)
STOP_WORDS = frozenset(NOT_TELLING.split())
MAX_VOCAB = 200_000
KEPT = 0.9  # of the words, where there are too many


def tokens(text: str) -> list[str]:
    """Split ``text`` into the words that count: lower-case, two letters or more, no stop-words.

    >>> tokens("Cats are fluffy animals")
    ['cats', 'fluffy', 'animals']
    """
    return [word for word in words_of(text) if word not in STOP_WORDS]


def parts_of_keys(text: str) -> set[str]:
    """Give the words that only keys in ``text`` have: lower-cased, they look like any other."""
    plain = scrub(text)
    return set() if plain == text else {*tokens(text)} - {*tokens(plain)}


def rarity(documents: int, having: int) -> float:
    """Give what a word weighs that so many of the documents have: ``ln(1 + N / df)``."""
    return math.log(1.0 + documents / having)


class Vocabulary:
    """The words seen so far, and how many documents have each. It has no lock.

    Parameters
    ----------
    limit : int
        How many words there may be; beyond that the rarest are dropped, a tenth at a time.
    """

    __slots__ = ("documents", "dropped", "having", "limit")

    def __init__(self, limit: int = MAX_VOCAB) -> None:
        self.limit = at_least_one("max_vocab", limit)
        self.documents = 0
        self.dropped = 0
        self.having: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.having)

    def learn(self, counts: Iterable[str]) -> list[str]:
        """Take notice of a document's words, each given once; give those dropped for it."""
        self.documents += 1
        having = self.having
        for word in counts:
            having[word] = having.get(word, 0) + 1
        return self._drop() if len(having) > self.limit else []

    def weights(self, counts: dict[str, int]) -> dict[str, float]:
        """Give the weight of each known word of a text, normalised; in the text's order."""
        known = {word: times for word, times in counts.items() if word in self.having}
        raw = tuple(
            times * rarity(self.documents, self.having[word]) for word, times in known.items()
        )
        return dict(zip(known, unit(raw), strict=True))

    def _drop(self) -> list[str]:
        """Drop the rarest words, of equals those that came last."""
        ranked = sorted(self.having.items(), key=lambda item: -item[1])
        stay = max(1, int(self.limit * KEPT))
        gone = [word for word, _ in ranked[stay:]]
        for word in gone:
            del self.having[word]
        self.dropped += len(gone)
        return gone


class BagOfWordsEmbedder(Displayable):
    """Texts as the words they have, weighed by how rare these are (TF-IDF). Thread-safe.

    A word's weight is its share of the text's words times ``ln(1 + N / df)``, of N texts of which
    df have the word; vectors are normalised. A vector has as many numbers as there were words
    when it was made, so that vectors of different moments cannot be compared: a
    :class:`SemanticMemory` keeps the counts, and weighs them when it is asked.

    >>> bag = BagOfWordsEmbedder()
    >>> bag.embed("red apple").dim, bag.embed("red car").dim
    (2, 3)

    Parameters
    ----------
    max_vocab : int
        How many words there may be; beyond that the rarest are dropped, and counted.
    """

    def __init__(self, *, max_vocab: int = MAX_VOCAB) -> None:
        self.vocabulary = Vocabulary(max_vocab)
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        words, texts = self.vocab_size(), self.vocabulary.documents
        return f"<BagOfWordsEmbedder {words} words of {texts} texts>"

    @property
    def dim(self) -> int:
        """How many numbers a vector would have now."""
        return self.vocab_size()

    @property
    def dropped(self) -> int:
        """How many words were dropped because there were too many."""
        return self.vocabulary.dropped

    def vocab_size(self) -> int:
        """Count the words it knows."""
        return len(self.vocabulary)

    @overload
    def embed(self, text: str) -> Embedding: ...
    @overload
    def embed(self, text: Sequence[str]) -> Any: ...
    def embed(self, text: str | Sequence[str]) -> Any:
        """Learn the words of a text and give its vector; of several texts, the rows of a matrix.

        Raises
        ------
        InvalidValue
            It is no text.
        """
        told = [text] if isinstance(text, str) else text
        bags = [Counter(tokens(text_of(each, "a text to embed"))) for each in told]
        with self._lock:
            for bag in bags:
                self.learn(bag)
            rows = [self._vector(bag) for bag in bags]
        return self._shaped(rows, single=isinstance(text, str))

    @overload
    def embed_query(self, text: str) -> Embedding: ...
    @overload
    def embed_query(self, text: Sequence[str]) -> Any: ...
    def embed_query(self, text: str | Sequence[str]) -> Any:
        """Give the vector of a text and learn nothing: a word it does not know counts nothing."""
        told = [text] if isinstance(text, str) else text
        with self._lock:
            rows = [self._vector(Counter(tokens(text_of(each, "a query")))) for each in told]
        return self._shaped(rows, single=isinstance(text, str))

    def learn(self, words: Iterable[str]) -> list[str]:
        """Learn the words of a text, each given once; give those that were dropped for them."""
        with self._lock:
            return self.vocabulary.learn(words)

    def to_dict(self) -> dict[str, Any]:
        """Give what it has learnt as plain JSON."""
        with self._lock:
            learnt = self.vocabulary
            return {
                "max_vocab": learnt.limit,
                "documents": learnt.documents,
                "dropped": learnt.dropped,
                "words": [[word, texts] for word, texts in learnt.having.items()],
            }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Know what :meth:`to_dict` gave, and nothing else."""
        learnt = Vocabulary(data["max_vocab"])
        learnt.documents, learnt.dropped = int(data["documents"]), int(data["dropped"])
        learnt.having = {str(word): int(texts) for word, texts in data["words"]}
        with self._lock:
            self.vocabulary = learnt

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> BagOfWordsEmbedder:
        """Read what :meth:`to_dict` gave."""
        made = cls()
        made.restore(data)
        return made

    def _vector(self, counts: dict[str, int]) -> list[float]:
        weights = self.vocabulary.weights(counts)
        return [weights.get(word, 0.0) for word in self.vocabulary.having]

    def _shaped(self, rows: list[list[float]], *, single: bool) -> Any:
        if single:
            return Embedding(tuple(rows[0]))
        import numpy as np

        return np.array(rows, dtype="f8").reshape(len(rows), -1 if rows else 0)
