"""Spherical k-means with a start that needs no chance: the same vectors fall the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agentlab.memory.tfidf import Matrix, summed

if TYPE_CHECKING:
    from agentlab.memory.tfidf import Floats, Ints


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

    centres = farthest_points(matrix, k)
    labels = np.full(matrix.shape[0], -1, dtype=np.int64)
    for _ in range(iterations):
        nearest = np.argmax([matrix.dot(centre) for centre in centres], axis=0)
        if np.array_equal(nearest, labels):
            break
        labels = nearest
        centres = means(matrix, labels, centres)
    own = centres[labels[matrix.rows], matrix.columns] * matrix.values
    return Clusters(labels, summed(matrix.rows, own, len(labels)), centres)


def farthest_points(matrix: Matrix, k: int) -> Floats:
    """Give ``k`` rows that are far from each other."""
    import numpy as np

    centres = np.zeros((k, matrix.shape[1]))
    centres[0] = matrix.row(0)
    nearest = matrix.dot(centres[0])
    for i in range(1, k):
        centres[i] = matrix.row(int(np.argmin(nearest)))
        nearest = np.maximum(nearest, matrix.dot(centres[i]))
    return centres


def means(matrix: Matrix, labels: Ints, before: Floats) -> Floats:
    """Move each centre to the middle of its rows, at unit length."""
    import numpy as np

    k, wide = before.shape
    places = labels[matrix.rows] * wide + matrix.columns
    sums = summed(places, matrix.values, k * wide).reshape(k, wide)
    lengths = np.sqrt((sums * sums).sum(axis=1))
    full = lengths > 0
    centres = before.copy()
    centres[full] = sums[full] / lengths[full, None]
    return centres
