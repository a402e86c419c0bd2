"""A map of meanings: where each item is in two dimensions, and what the places are about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from agentlab.core.errors import InvalidValue
from agentlab.core.protocols import Embedder
from agentlab.memory.bag import tokens
from agentlab.memory.embedders import StaticEmbedder, as_embedder
from agentlab.widgets.shelves import Shelf
from agentlab.widgets.themes import LETTERS, normed, spots

PCA, TSNE = "PCA", "t-SNE"
SEED = 7
WIDE = 1000  # of the map, each way
DEPTH = 10  # directions in which groups are looked for
FINE = 50  # directions that t-SNE goes by, and the rounds it takes for many items and for few
MANY, ROUNDS = 1000, (500, 1000)
WORDS = 600  # that a bag of words is made of
NEAR = 3  # items beside which a question is, where there is no formula for its place


class Map:
    """Where items are. It is worked out when it is made, and then stands still.

    Parameters
    ----------
    shelf : Shelf
        What is drawn.
    how : str
        ``"PCA"``, or ``"t-SNE"`` by scikit-learn.
    embedder : Embedder, callable or "static", optional
        Makes vectors of texts, where the memory has none of its own; by default static vectors
        if they are installed, or else a bag of words.
    """

    def __init__(self, shelf: Shelf, how: str = PCA, embedder: Any = None) -> None:
        import numpy as np

        self.how, self._shelf = how, shelf
        self._embedder: Embedder | None = None
        self._bag: Bag | None = None
        self._asked_last: tuple[str, tuple[int, int] | None] = ("", None)
        vectors = normed(self._vectors(embedder))
        self._vectors_of = vectors
        self._mean = vectors.mean(axis=0) if len(vectors) else 0.0
        self._axes = axes(vectors - self._mean)
        deep = (vectors - self._mean) @ self._axes
        flat = deep[:, :2]
        self._near = how == TSNE and len(vectors) > NEAR and bool(np.ptp(vectors, axis=0).any())
        self._flat = neighbourly(vectors - self._mean) if self._near else flat
        self._low, self._range = reach(self._flat)
        self.xs, self.ys = self._placed(self._flat, apart=True)
        maker = self._bag or self._embedder
        self.spots = spots(shelf, (self.xs, self.ys), deep, vectors, maker and maker.embed)

    def place(self, query: str) -> tuple[int, int] | None:
        """Give where a question would be; None where it has nothing that is known."""
        if self._asked_last[0] != query:  # which stays while the clock moves
            self._asked_last = query, self._place(query)
        return self._asked_last[1]

    def _place(self, query: str) -> tuple[int, int] | None:
        import numpy as np

        if not query or not len(self._shelf):
            return None
        vector = self._asked(query)
        if vector is None or not np.any(vector):
            return None
        vector = normed(vector)
        if self._near:
            likes = self._vectors_of @ vector[0]
            near = np.argsort(-likes, kind="stable")[:NEAR]
            flat = self._flat[near].mean(axis=0, keepdims=True)
        else:
            flat = (vector - self._mean) @ self._axes[:, :2]
        xs, ys = self._placed(flat, apart=False)
        return xs[0], ys[0]

    def _vectors(self, embedder: Any) -> Any:
        import numpy as np

        own = self._shelf.vectors()
        if not len(self._shelf):
            self.by = "nothing"
            return np.zeros((0, 1))
        if own is not None:
            self.by = "its own vectors"
            return own
        texts = [text[:LETTERS] for text in self._shelf.texts]
        if embedder is None and find_spec("wordllama"):
            embedder = StaticEmbedder()
        if embedder is None:
            self.by, self._bag = "the words", Bag(texts)
            return self._bag.embed(texts)
        self._embedder = as_embedder(embedder)
        self.by = "static vectors" if isinstance(self._embedder, StaticEmbedder) else "vectors"
        return self._embedder.embed(texts)

    def _asked(self, query: str) -> Any:
        maker = self._bag or self._embedder
        return maker.embed([query[:LETTERS]]) if maker else self._shelf.embed(query)

    def _placed(self, flat: Any, *, apart: bool) -> tuple[list[int], list[int]]:
        import numpy as np

        scaled = (flat - self._low) / self._range
        scaled = np.clip(scaled, -0.03, 1.03)
        if apart:  # what is the same should still be two dots
            scaled = scaled + np.random.default_rng(SEED).normal(0, 0.004, scaled.shape)
        placed = np.clip(np.rint((0.06 + 0.88 * scaled) * WIDE), 0, WIDE).astype(int)
        return placed[:, 0].tolist(), placed[:, 1].tolist()


class Bag:
    """Texts as the words they have, of the few hundred that tell most. It learns nothing more."""

    def __init__(self, texts: Sequence[str]) -> None:
        import numpy as np

        having = Counter(word for text in texts for word in set(tokens(text)))
        common = sorted(having, key=lambda word: (-having[word], word))[:WORDS]
        self._places = {word: place for place, word in enumerate(common)}
        rare = [np.log(1 + len(texts) / having[word]) for word in common]
        self._rarity = np.array(rare, "f4")

    def embed(self, texts: Sequence[str]) -> Any:
        """Give a row a text."""
        import numpy as np

        found = np.zeros((len(texts), max(1, len(self._places))), "f4")
        for row, text in enumerate(texts):
            for word, times in Counter(tokens(text)).items():
                if (place := self._places.get(word)) is not None:
                    found[row, place] = times * self._rarity[place]
        return found


def axes(centred: Any, depth: int = DEPTH) -> Any:
    """Give the directions in which most differs, always the same way round."""
    import numpy as np

    size, dim = centred.shape
    found = np.zeros((dim, max(2, min(depth, size, dim))))
    if size < 2:  # noqa: PLR2004 - one item differs from nothing
        return found
    if dim <= size:
        values, vectors = np.linalg.eigh(centred.T @ centred)
        best = vectors[:, np.argsort(-values)[:depth]].T
    else:
        best = np.linalg.svd(centred, full_matrices=False)[2][:depth]
    for i, axis in enumerate(best):
        most = axis[np.argmax(np.abs(axis))]
        found[:, i] = axis * (1.0 if most >= 0 else -1.0)
    return found


def neighbourly(centred: Any) -> Any:
    """Lay rows out so that what is alike is near, by t-SNE, the same way each time.

    It runs on one thread: beside a kernel that is busy more of them wait for each other.

    Raises
    ------
    NotConfigured
        scikit-learn is not installed.
    """
    from agentlab.core.extras import need

    manifold, pools = need("sklearn.manifold", "lab"), need("threadpoolctl", "lab")
    fine = centred @ axes(centred, FINE)
    wide = min(30.0, max(2.0, (len(fine) - 1) / 3))
    rounds = ROUNDS[len(fine) <= MANY]
    with pools.threadpool_limits(1, user_api="openmp"):
        layout = manifold.TSNE(perplexity=wide, init="pca", max_iter=rounds, random_state=SEED)
        return layout.fit_transform(fine)


def ways() -> list[str]:
    """List how a map can be made here."""
    return [PCA, TSNE] if find_spec("sklearn") else [PCA]


def known_way(how: object) -> str:
    """Give a way to make a map.

    Raises
    ------
    InvalidValue
        There is none of that name.
    """
    if how not in ways():
        raise InvalidValue(f"a map is made by one of {', '.join(ways())}, got {how!r:.80}")
    return str(how)


def reach(flat: Any) -> tuple[Any, Any]:
    """Give where the map begins, and how far it goes; a few that are far off do not count."""
    import numpy as np

    if not len(flat):
        return np.zeros(2), np.ones(2)
    low, high = np.percentile(flat, [1, 99], axis=0)
    span = high - low
    return np.where(span > 0, low, low - 0.5), np.where(span > 0, span, 1.0)
