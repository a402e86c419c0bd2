"""How alike two texts are by their words, and which of many can be alike at all."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import Generic, TypeVar

from agentlab.core.text import words

K = TypeVar("K", bound=Hashable)

SHORTEST = 2  # letters of a word that counts
SLACK = 1e-9  # one word more is looked at than rounding could make us miss


def words_of(text: str) -> list[str]:
    """Give the words of ``text`` that have two letters or more, in order.

    >>> words_of("A cat, a CAT!")
    ['cat', 'cat']
    """
    return [word for word in words(text) if len(word) >= SHORTEST]


def counted(text: str) -> Counter[str]:
    """Count the words of ``text`` that have two letters or more.

    >>> counted("A cat, a CAT!")
    Counter({'cat': 2})
    """
    return Counter(words_of(text))


def squared(counts: Mapping[str, int]) -> int:
    """Give the squared length of a vector of counts."""
    return sum(count * count for count in counts.values())


def cosine(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """Give the cosine of two vectors of counts; 0 where one of them is empty.

    >>> cosine(counted("the quick brown fox"), counted("the quick brown fox jumps"))
    0.8944271909999159
    """
    if len(other) < len(one):
        one, other = other, one
    dot = sum(count * other[word] for word, count in one.items() if word in other)
    return dot / math.sqrt(squared(one) * squared(other)) if dot else 0.0


def jaccard(one: set[str], other: set[str]) -> float:
    """Give the share of all words that both have; two empty sets are the same.

    >>> jaccard({"a", "b"}, {"b", "c", "d"})
    0.25
    """
    shared = len(one & other)
    whole = len(one) + len(other) - shared
    return shared / whole if whole else 1.0


class WordIndex(Generic[K]):
    """Who has which word, so that only those are compared that can be alike."""

    def __init__(self) -> None:
        self._holders: dict[str, dict[K, int]] = {}

    def add(self, key: K, words: Mapping[str, int]) -> None:
        """Note that ``key`` has these words, each so many times."""
        for word, count in words.items():
            self._holders.setdefault(word, {})[key] = count

    def drop(self, key: K, words: Iterable[str]) -> None:
        """Forget it again."""
        for word in words:
            holders = self._holders[word]
            del holders[key]
            if not holders:
                del self._holders[word]

    def holders(self, word: str) -> Mapping[K, int]:
        """Give who has ``word``, in the order they came, and how many times."""
        return self._holders.get(word, {})

    def near(self, masses: Mapping[str, int], share: float) -> set[K]:
        """Give all that can have at least ``share`` of these words' mass in common with them.

        Whoever has none of the rarest words, which weigh more than the rest of the mass, cannot;
        so only the holders of those are given.
        """
        spare = (1 - share + SLACK) * sum(masses.values())
        found: set[K] = set()
        taken = 0
        for word in sorted(masses, key=lambda word: (len(self._holders.get(word, ())), word)):
            if taken > spare:
                break
            found.update(self._holders.get(word, ()))
            taken += masses[word]
        return found
