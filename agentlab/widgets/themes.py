"""What the places of a map are about."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from agentlab.core.secrets import scrub
from agentlab.memory.bag import tokens
from agentlab.widgets.shelves import Shelf

LETTERS = 2000  # of a text that is embedded
THEMES = 9
COMMON = 0.1  # the share of a group that its name is true of, at least
TELLING = 1.5  # how many times as frequent it is there
CHOICE = 30  # names that are thought about
TINY = 1e-12
SEVERAL = 2  # what only one has is no theme
SHORTEST = 4  # letters of a word that names something
FEWEST = 8  # items that can have themes


class Spot(NamedTuple):
    """What a place on the map is about."""

    name: str
    x: int
    y: int
    size: int


def spots(
    shelf: Shelf,
    places: tuple[Sequence[int], Sequence[int]],
    deep: Any,
    vectors: Any,
    embed: Any,
) -> list[Spot]:
    """Name what is alike, each group where most of it is.

    A name is a tag that is frequent there and not elsewhere; or a word of which that is true, and
    that means what the group does.
    """
    import numpy as np

    if len(shelf) < FEWEST:
        return []
    points = np.array(places, "f8").T
    where = grouped(deep, min(THEMES, max(2, int(np.sqrt(len(shelf) / 2)))))
    groups = sorted({*where.tolist()}, key=lambda each: -int((where == each).sum()))
    rows = [np.flatnonzero(where == group) for group in groups]
    tags = candidates([{*tags} for tags in shelf.tags], rows)
    words = candidates([telling(scrub(text)) for text in shelf.texts], rows)
    mean = vectors.mean(axis=0)
    found, taken = list[Spot](), set[str]()
    for some, tag, word in zip(rows, tags, words, strict=True):
        near = closest(word, vectors[some].mean(axis=0) - mean, mean, embed)
        name = next((mark for mark in [*tag, *near] if mark not in taken), "")
        if name:
            taken.add(name)
            x, y = np.median(points[some], axis=0)
            found.append(Spot(name, int(x), int(y), len(some)))
    return found


def normed(vectors: Any) -> Any:
    """Give rows of length 1; those of no length as they are."""
    import numpy as np

    rows = np.atleast_2d(np.asarray(vectors, "f8"))
    long = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(long > 0, long, 1.0)


def telling(text: str) -> set[str]:
    """Give the words by which a text could be named."""
    return {word for word in tokens(text[:LETTERS]) if len(word) >= SHORTEST}


def candidates(marks: Sequence[set[str]], groups: Sequence[Any]) -> list[dict[str, float]]:
    """Give for each group what tells it from the rest, best first, and how frequent it is there."""
    everywhere = Counter(mark for some in marks for mark in some)
    found = []
    for rows in groups:
        here = Counter(mark for row in rows for mark in marks[row])
        scores = dict[str, float]()
        for mark in sorted(here):
            share = here[mark] / len(rows)
            lift = share * len(marks) / everywhere[mark]
            if here[mark] >= SEVERAL and share >= COMMON and lift >= TELLING:
                scores[mark] = share * math.log(lift)
        best = sorted(scores, key=scores.__getitem__, reverse=True)[:CHOICE]
        found.append({mark: here[mark] / len(rows) for mark in best})
    return found


def closest(words: dict[str, float], middle: Any, mean: Any, embed: Any) -> list[str]:
    """Put the words first that are frequent in a group and mean what it does."""
    import numpy as np

    if not words or embed is None:
        return [*words]
    found = normed(embed([*words])) - mean
    likes = found @ middle / np.maximum(np.linalg.norm(found, axis=1), TINY)
    ranks = likes * np.sqrt([*words.values()])
    return [[*words][i] for i in np.argsort(-ranks, kind="stable")]


def grouped(points: Any, groups: int) -> Any:
    """Give the group of each point, by k-means from points that are far apart."""
    import numpy as np

    centres = [points.mean(axis=0)]
    for _ in range(groups):
        apart = np.min([((points - each) ** 2).sum(axis=1) for each in centres], axis=0)
        centres.append(points[int(apart.argmax())])
    middles = np.array(centres[1:])
    where = np.zeros(len(points), int)
    for _ in range(20):
        far = (middles**2).sum(axis=1) - 2 * points @ middles.T  # but for what is the same for all
        where = far.argmin(axis=1)
        for group in range(groups):
            if (where == group).any():
                middles[group] = points[where == group].mean(axis=0)
    return where
