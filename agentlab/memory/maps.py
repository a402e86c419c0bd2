"""Vectors on a plane: where they lie there, and which of them have room for a name."""

from __future__ import annotations

from typing import Any

LABELLED = 30  # points that can have names
ROOM = (0.34, 0.05)  # that a name takes, as shares of a picture
COVERED = 2  # points that a name may cover


def flat(vectors: Any) -> tuple[Any, float]:
    """Give vectors on the plane in which they differ most, and which share of that it shows.

    The signs are chosen so that the same vectors are always drawn alike.
    """
    import numpy as np

    size = len(vectors)
    if not size or not vectors.shape[1]:
        return np.zeros((size, 2)), 1.0
    centred = vectors - vectors.mean(axis=0)
    left, spread, _ = np.linalg.svd(centred, full_matrices=False)
    spread = np.pad(spread, (0, 2))
    left = np.pad(left, ((0, 0), (0, 2)))[:, :2]
    left *= np.where(left[np.abs(left).argmax(axis=0), [0, 1]] < 0, -1.0, 1.0)
    whole = float((spread**2).sum())
    return left * spread[:2], float((spread[:2] ** 2).sum()) / whole if whole else 1.0


def apart(places: Any) -> list[tuple[int, int]]:
    """Choose points whose names do not cover each other, and on which side each name stands.

    Those farthest from the middle come first.
    """
    import numpy as np

    if not len(places):
        return []
    low, high = places.min(axis=0), places.max(axis=0)
    at = (places - low) / np.where(high > low, high - low, 1.0)
    chosen, taken = list[tuple[int, int]](), list[tuple[float, float]]()
    for row in np.argsort(-np.abs(at - 0.5).max(axis=1), kind="stable").tolist():
        x, y = at[row].tolist()
        side = 1 if x < 1 / 2 else -1
        middle = x + side * ROOM[0] / 2
        under = (np.abs(at - (middle, y)) <= np.array(ROOM) / 2).all(axis=1).sum() - 1
        if under <= COVERED and all(
            abs(middle - a) > ROOM[0] or abs(y - b) > ROOM[1] for a, b in taken
        ):
            chosen.append((row, side))
            taken.append((middle, y))
        if len(chosen) == LABELLED:
            break
    return sorted(chosen)
