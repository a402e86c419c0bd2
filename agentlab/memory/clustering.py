"""Spherical k-means with a start that needs no chance: the same vectors fall the same way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from agentlab.memory.tfidf import Matrix, summed

if TYPE_CHECKING:
    from agentlab.memory.tfidf import Floats, Ints

MANY = 2000  # rows from which on it pays to load SciPy

Products: TypeAlias = "Callable[[Floats], Floats]"


class Clusters(NamedTuple):
    """Which cluster each row is in, how near it is to its centre, and the centres."""

    labels: Ints
    likeness: Floats
    centres: Floats


def kmeans(matrix: Matrix, k: int, iterations: int) -> Clusters:
    """Cluster unit rows by their cosine to ``k`` centres.

    The first centre is the first row, each next one the row that is least like those chosen.
    Ties go to the lowest index; a centre that nobody is nearest to stays where it is.

    >>> rows = Matrix.of([(1, 0), (0.95, 0.05), (0, 1), (0.05, 0.95)])
    >>> kmeans(rows, 2, 10).labels.tolist()
    [0, 0, 1, 1]
    """
    import numpy as np

    products = products_with(matrix)
    lengths = np.bincount(matrix.rows, minlength=matrix.shape[0])
    centres = farthest_points(matrix, k, products)
    labels = np.full(matrix.shape[0], -1, dtype=np.int64)
    scores = products(centres)
    for _ in range(iterations):
        nearest = scores.argmax(axis=1)
        if np.array_equal(nearest, labels):
            break
        labels = nearest
        centres = means(matrix, np.repeat(labels, lengths), centres)
        scores = products(centres)
    return Clusters(labels, scores[np.arange(len(labels)), labels], centres)


def products_with(matrix: Matrix) -> Products:
    """Give what multiplies each row with some vectors: a column for each of them.

    Many rows are multiplied by SciPy where that is installed, which is several times as quick; it
    adds up in the same order.
    """
    import numpy as np

    if matrix.shape[0] >= MANY:
        try:
            from scipy.sparse import csr_array
        except ImportError:
            pass
        else:
            ends = np.searchsorted(matrix.rows, np.arange(matrix.shape[0] + 1))
            sparse = csr_array((matrix.values, matrix.columns, ends), shape=matrix.shape)
            return lambda vectors: sparse @ np.ascontiguousarray(vectors.T)
    return lambda vectors: np.stack([matrix.dot(vector) for vector in vectors], axis=1)


def farthest_points(matrix: Matrix, k: int, products: Products) -> Floats:
    """Give ``k`` rows that are far from each other."""
    import numpy as np

    centres = np.zeros((k, matrix.shape[1]))
    centres[0] = matrix.row(0)
    nearest = products(centres[:1])[:, 0]
    for i in range(1, k):
        centres[i] = matrix.row(int(np.argmin(nearest)))
        nearest = np.maximum(nearest, products(centres[i : i + 1])[:, 0])
    return centres


def means(matrix: Matrix, labels: Ints, before: Floats) -> Floats:
    """Move each centre to the middle of its rows, at unit length; a label for each value."""
    import numpy as np

    k, wide = before.shape
    places = labels * wide + matrix.columns
    sums = summed(places, matrix.values, k * wide).reshape(k, wide)
    lengths = np.sqrt((sums * sums).sum(axis=1))
    full = lengths > 0
    centres = before.copy()
    centres[full] = sums[full] / lengths[full, None]
    return centres
