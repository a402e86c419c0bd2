"""Bags of words, searched: counts are kept, and weighed when somebody asks.

A word's weight depends on how many texts have it, so on every text that was added since. Kept
vectors would go stale; kept counts do not, and to weigh them all takes a few array operations.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from agentlab.core.secrets import MASK
from agentlab.memory.bag import BagOfWordsEmbedder, parts_of_keys, tokens
from agentlab.memory.columns import Column
from agentlab.memory.explained import Term
from agentlab.memory.ranked import near_best
from agentlab.memory.units import NOBODY, PAIRS, Neighbour, Scored

GONE = ""  # the word of a number whose word was dropped


class Weights(NamedTuple):
    """What each word weighs, by number, and one over the length of each text."""

    rarity: Any
    scale: Any


class SparseVectors:
    """The words of texts, in the order they were added. It has no lock.

    Parameters
    ----------
    embedder : BagOfWordsEmbedder
        Learns the words, and says which are too rare to keep.
    """

    def __init__(self, embedder: BagOfWordsEmbedder) -> None:
        self._embedder = embedder
        self.clear()

    def clear(self) -> None:
        """Forget all texts."""
        self._size = 0
        self._numbers: dict[str, int] = {}
        self._spelt: list[str] = []
        self._texts, self._words, self._times = Column("i8"), Column("i8"), Column("f8")
        self._weighed: Weights | None = None

    def __len__(self) -> int:
        return self._size

    @property
    def dim(self) -> int:
        """How many words there are."""
        return len(self._numbers)

    def read(self, texts: list[str]) -> list[Counter[str]]:
        """Count the words of texts."""
        return [Counter(tokens(text)) for text in texts]

    def put(self, bags: list[Counter[str]]) -> None:
        """Add what was read."""
        for bag in bags:
            for word, times in bag.items():
                number = self._numbers.setdefault(word, len(self._spelt))
                if number == len(self._spelt):
                    self._spelt.append(word)
                self._texts.append(self._size)
                self._words.append(number)
                self._times.append(times)
            self._size += 1
            for word in self._embedder.learn(bag):
                if word in self._numbers:
                    self._spelt[self._numbers.pop(word)] = GONE
        self._weighed = None

    def read_query(self, text: str) -> Counter[str] | None:
        """Count the words of a question, or give None where there are none."""
        return Counter(tokens(text)) or None

    def find(self, asked: Counter[str], limit: int, least: float | None) -> Scored:
        """Give the best rows with their score, best first, of equals the earlier."""
        import numpy as np

        scores = self._scores(self._asked(asked))
        rows = near_best(scores, limit)
        order = np.lexsort((rows, -scores[rows]))[:limit]
        found = zip(scores[rows[order]].tolist(), rows[order].tolist(), strict=True)
        return [(score, row) for score, row in found if least is None or score >= least]

    def terms(self, query: str, row: int, _score: float) -> tuple[Term, ...]:
        """Take the score of a text apart, word by word; a part of a key is ``***``."""
        rarity, scale = self._weights()
        start, end = self._texts.array().searchsorted([row, row + 1])
        words, times = self._words.array()[start:end], self._times.array()[start:end]
        has = dict(zip(words.tolist(), times.tolist(), strict=True))
        hidden = parts_of_keys(query)
        return tuple(
            Term.of(
                MASK if (word := self._spelt[number]) in hidden else word,
                weight * (has[number] * rarity[number] * scale[row]),
            )
            for number, weight in self._asked(Counter(tokens(query))).items()
            if number in has
        )

    def neighbours(self, size: int) -> list[Neighbour]:
        """Give for the first rows which other is most like each, and how much."""
        import numpy as np

        if not size or size * self._size > PAIRS:
            return [NOBODY] * size
        rarity, scale = self._weights()
        texts, words, times = (column.array() for column in self._columns())
        near: list[Neighbour] = []
        for row in range(size):
            part = slice(*texts.searchsorted([row, row + 1]))
            weights = times[part] * rarity[words[part]] * scale[row]
            scores = self._scores(dict(zip(words[part].tolist(), weights.tolist(), strict=True)))
            scores[row] = -np.inf
            best = int(scores.argmax())
            near.append(NOBODY if best == row else (best, float(scores[best])))
        return near

    def matrix(self) -> Any:
        """Give all vectors, a row a text and a column a word, as they are weighed now."""
        import numpy as np

        rarity, scale = self._weights()
        texts, words, times = (column.array() for column in self._columns())
        made = np.zeros((self._size, len(self._spelt)), "f4")
        made[texts, words] = times * rarity[words] * scale[texts]
        return made[:, [bool(word) for word in self._spelt]]

    def written(self, texts: list[str]) -> Any:
        """Give it as plain JSON, but for the words that only keys in the texts have."""
        hidden, learnt = parts_of_keys("\n".join(texts)), self._embedder.to_dict()
        learnt["words"] = [told for told in learnt["words"] if told[0] not in hidden]
        columns = [column.array().astype("i8").tolist() for column in self._columns()]
        return {
            "size": self._size,
            "words": [GONE if word in hidden else word for word in self._spelt],
            "counts": columns,
            "learnt": learnt,
        }

    def restore(self, state: Any) -> None:
        """Read what :meth:`written` gave."""
        self.clear()
        self._size, self._spelt = int(state["size"]), [str(word) for word in state["words"]]
        self._numbers = {word: i for i, word in enumerate(self._spelt) if word != GONE}
        for column, values in zip(self._columns(), state["counts"], strict=True):
            column.extend(values)
        self._embedder.restore(state["learnt"])

    def _asked(self, counts: Counter[str]) -> dict[int, float]:
        """Give the weights of a question's words by number, normalised."""
        import numpy as np

        known = {
            self._numbers[word]: times for word, times in counts.items() if word in self._numbers
        }
        raw = (
            np.array([*known.values()]) * self._weights().rarity[[*known]] if known else np.ones(0)
        )
        length = float(np.sqrt((raw * raw).sum())) or 1.0
        return dict(zip(known, (raw / length).tolist(), strict=True))

    def _scores(self, asked: dict[int, float]) -> Any:
        import numpy as np

        rarity, scale = self._weights()
        texts, words, times = (column.array() for column in self._columns())
        scores = np.zeros(self._size)
        for number, weight in asked.items():
            places = np.flatnonzero(words == number)
            rows = texts[places]  # no text is there twice
            scores[rows] += weight * (times[places] * rarity[number] * scale[rows])
        return scores

    def _weights(self) -> Weights:
        if self._weighed is None:
            import numpy as np

            texts, words, times = (column.array() for column in self._columns())
            having = np.bincount(words, minlength=len(self._spelt))
            rarity = np.log(1.0 + self._size / np.maximum(having, 1))
            rarity[[word == GONE for word in self._spelt]] = 0.0
            lengths = np.sqrt(np.bincount(texts, (times * rarity[words]) ** 2, self._size))
            known = lengths > 0
            scale = np.divide(1.0, lengths, out=np.zeros(self._size), where=known)
            self._weighed = Weights(rarity, scale)
        return self._weighed

    def _columns(self) -> tuple[Column, Column, Column]:
        return self._texts, self._words, self._times
