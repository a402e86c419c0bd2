"""Where to draw what, so that what is related is near: the same places each time.

Small parts are laid out so that distances in the picture are those in the graph (stress
majorization). Larger ones are first split into their communities: these are laid out as nodes of
their own, and then each within its circle. Only sums and products are taken, in a fixed order, so
that no library of linear algebra can make a difference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeAlias

from agentlab.graph.algorithms import parts
from agentlab.graph.communities import louvain
from agentlab.graph.entities import Relation
from agentlab.graph.snapshot import Snapshot

Place: TypeAlias = tuple[float, float]
WHOLE = 300  # nodes that are laid out together
CLOSER = 0.55  # circles, before those that then lie on each other are pushed apart
ROUNDS = 80
SPIRAL = math.pi * (3 - math.sqrt(5))  # as seeds stand in a sunflower
APART = 1.6  # edges, between two parts
ASPECT = 1.6  # of the picture, width by height
STRETCH = 1.6  # how much one side may be drawn out to fill it
DIGITS = 4


def layout(graph: Snapshot, seed: int) -> list[Place]:
    """Give a place in the unit square for each node.

    Parts that nothing joins stand beside each other, the largest first.
    """
    return graph.once(("layout", seed), lambda: _layout(graph, seed))


def _layout(graph: Snapshot, seed: int) -> list[Place]:
    boxes = []
    for part in parts(graph):
        points = turned(_part(graph, part, seed))
        boxes.append((part, boxed(points)))
    places: list[Place] = [(0.5, 0.5)] * len(graph)
    for (part, points), (left, top) in zip(boxes, shelved([p for _, p in boxes]), strict=True):
        for i, (x, y) in zip(part, points, strict=True):
            places[i] = (x + left, y + top)
    return fitted(places)


def _part(graph: Snapshot, part: list[int], seed: int) -> list[Place]:
    """Lay out nodes that hang together, in lengths of an edge."""
    if len(part) <= WHOLE:
        return near(len(part), links(graph, part), Random(seed))  # noqa: S311 - reproducible
    within = induced(graph, part)
    home = louvain(within, seed)
    names = {label: n for n, label in enumerate(dict.fromkeys(home))}
    groups: list[list[int]] = [[] for _ in names]
    for i, label in enumerate(home):
        groups[names[label]].append(i)
    if len(groups) == 1 or len(groups) > WHOLE:
        return spiral(within)
    return _grouped(within, groups, seed)


def _grouped(graph: Snapshot, groups: list[list[int]], seed: int) -> list[Place]:
    """Lay out groups as circles, and each in its own."""
    insides, rings = [], []
    for group in groups:
        alone = induced(graph, group)
        pieces = [turned(_part(alone, part, seed)) for part in parts(alone)]
        order = [i for part in parts(alone) for i in part]
        offsets = shelved([boxed(piece) for piece in pieces])
        flat = [
            (x + left, y + top)
            for piece, (left, top) in zip(map(boxed, pieces), offsets, strict=True)
            for x, y in piece
        ]
        inside: list[Place] = [(0.0, 0.0)] * len(group)
        for i, place in zip(order, centred(flat), strict=True):
            inside[i] = place
        insides.append(inside)
        rings.append(max(math.hypot(x, y) for x, y in inside) + 0.7)
    of = {i: g for g, group in enumerate(groups) for i in group}
    far = {
        (of[i], of[j]): rings[of[i]] + rings[of[j]]
        for i, each in enumerate(graph.around)
        for j in each
        if of[i] != of[j]
    }
    wide = near(len(groups), far, Random(seed))  # noqa: S311 - as above
    centres = spread([(x * CLOSER, y * CLOSER) for x, y in wide], rings)
    places: list[Place] = [(0.0, 0.0)] * len(graph)
    for group, inside, (x, y) in zip(groups, insides, centres, strict=True):
        for i, (dx, dy) in zip(group, inside, strict=True):
            places[i] = (x + dx, y + dy)
    return places


def near(count: int, far: dict[tuple[int, int], float], rng: Random) -> list[Place]:
    """Find places whose distances are those along the edges, as nearly as can be."""
    import numpy as np

    if count <= 2:  # noqa: PLR2004 - a line
        return [(0.0, 0.0), (next(iter(far.values()), 1.0), 0.0)][:count]
    wanted = np.full((count, count), np.inf)
    for (i, j), length in far.items():
        wanted[i, j] = wanted[j, i] = min(length, wanted[i, j])
    np.fill_diagonal(wanted, 0)
    for k in range(count):
        np.minimum(wanted, wanted[:, k : k + 1] + wanted[k : k + 1, :], out=wanted)
    known = wanted[np.isfinite(wanted)]
    wanted[~np.isfinite(wanted)] = known.max() * 1.3
    places = np.array(start(wanted, rng))
    weights = np.divide(1, wanted**2, out=np.zeros_like(wanted), where=wanted > 0)
    whole = weights.sum(axis=1)
    for _ in range(ROUNDS):
        dx, dy = (places[:, None, axis] - places[None, :, axis] for axis in (0, 1))
        apart = np.sqrt(dx * dx + dy * dy)
        pull = np.divide(wanted, apart, out=np.zeros_like(apart), where=apart > 1e-9) * weights  # noqa: PLR2004
        for axis, d in ((0, dx), (1, dy)):
            there = (weights * places[None, :, axis]).sum(axis=1)
            places[:, axis] = (there + (pull * d).sum(axis=1)) / whole
    return [(float(x), float(y)) for x, y in places]


def start(wanted: Any, rng: Random) -> list[Place]:
    """Give first places: the two directions in which the distances differ most."""
    import numpy as np

    n = len(wanted)
    squares = wanted**2
    inner = -(squares - squares.mean(axis=0) - squares.mean(axis=1)[:, None] + squares.mean()) / 2
    axes: list[Any] = []
    for _ in range(2):
        axis = np.array([rng.uniform(-1, 1) for _ in range(n)])
        for _ in range(40):
            for other in axes:
                axis = axis - other * (axis * other).sum()
            axis = (inner * axis[None, :]).sum(axis=1)
            axis = axis / max(math.sqrt((axis * axis).sum()), 1e-12)
        axes.append(axis)
    size = float(wanted.max())
    crumbs = [[rng.uniform(-0.05, 0.05) for _ in range(2)] for _ in range(n)]
    return [
        (float(x) * size + dx, float(y) * size + dy)
        for x, y, (dx, dy) in zip(*axes, crumbs, strict=True)
    ]


def spiral(graph: Snapshot) -> list[Place]:
    """Put the best connected in the middle and the others round them, where nothing else helps."""
    ranked = sorted(range(len(graph)), key=lambda i: (-graph.degrees[i], i))
    places: list[Place] = [(0.0, 0.0)] * len(graph)
    for n, i in enumerate(ranked):
        r, turn = 0.6 * math.sqrt(n), n * SPIRAL
        places[i] = (r * math.cos(turn), r * math.sin(turn))
    return places


def spread(centres: list[Place], rings: list[float]) -> list[Place]:
    """Push circles apart until none lies on another."""
    import numpy as np

    places, sizes = np.array(centres), np.array(rings)
    for _ in range(300):
        dx, dy = (places[:, None, axis] - places[None, :, axis] for axis in (0, 1))
        apart = np.sqrt(dx * dx + dy * dy)
        over = sizes[:, None] + sizes[None, :] - apart
        np.fill_diagonal(over, 0)
        if over.max(initial=0) <= 0.01:  # noqa: PLR2004 - nothing to be seen
            break
        push = np.divide(np.maximum(over, 0), apart, out=np.zeros_like(apart), where=apart > 1e-9)  # noqa: PLR2004
        places[:, 0] += 0.3 * (push * dx).sum(axis=1)
        places[:, 1] += 0.3 * (push * dy).sum(axis=1)
    return [(float(x), float(y)) for x, y in places]


def turned(points: Sequence[Place]) -> list[Place]:
    """Turn it so that it is as wide as can be, the first point at the left, the second on top."""
    points = centred(points)
    xx, yy, xy = (math.fsum(f(x, y) for x, y in points) for f in MOMENTS)
    angle = 0.5 * math.atan2(2 * xy, xx - yy)
    cos, sin = math.cos(angle), math.sin(angle)
    out = [(x * cos + y * sin, y * cos - x * sin) for x, y in points]
    flip = [-1 if out and out[0][axis] > 1e-9 else 1 for axis in (0, 1)]  # noqa: PLR2004
    return [(x * flip[0], y * flip[1]) for x, y in out]


MOMENTS: tuple[Callable[[float, float], float], ...] = (
    lambda x, _: x * x,
    lambda _, y: y * y,
    lambda x, y: x * y,
)


def centred(points: Sequence[Place]) -> list[Place]:
    """Move the middle to where both axes are nothing."""
    n = len(points) or 1
    x0, y0 = (math.fsum(each[axis] for each in points) / n for axis in (0, 1))
    return [(x - x0, y - y0) for x, y in points]


def boxed(points: Sequence[Place]) -> list[Place]:
    """Move it so that it begins at zero both ways."""
    left, top = (min(each[axis] for each in points) for axis in (0, 1))
    return [(x - left, y - top) for x, y in points]


def shelved(parts: Sequence[Sequence[Place]]) -> list[Place]:
    """Put parts beside each other in rows, and say where each begins."""
    sizes = [(max(x for x, _ in p) + APART, max(y for _, y in p) + APART) for p in parts]
    room = sum(w * h for w, h in sizes)
    width = max([math.sqrt(room * ASPECT), *(w for w, _ in sizes)], default=0.0)
    rows: list[list[int]] = []
    filled = math.inf
    for n, (w, _) in enumerate(sizes):
        if filled + w > width + 1e-9:
            rows.append([])
            filled = 0.0
        rows[-1].append(n)
        filled += w
    places: list[Place] = [(0.0, 0.0)] * len(sizes)
    top = 0.0
    for row in rows:
        tall = max(sizes[n][1] for n in row)
        gap = (width - sum(sizes[n][0] for n in row)) / len(row)
        left = gap / 2
        for n in row:
            places[n] = (left, top + (tall - sizes[n][1]) / 2)
            left += sizes[n][0] + gap
        top += tall
    return places


def fitted(points: Sequence[Place]) -> list[Place]:
    """Fit it into the unit square, which will be drawn wider than high."""
    if not points:
        return []
    low = [min(each[axis] for each in points) for axis in (0, 1)]
    wide, tall = (max(each[axis] for each in points) - low[axis] for axis in (0, 1))
    across, down = (ASPECT / wide if wide else math.inf), (1 / tall if tall else math.inf)
    scale = min(across, down)
    if math.isinf(scale):
        return [(0.5, 0.5)] * len(points)
    across, down = min(across, scale * STRETCH) / ASPECT, min(down, scale * STRETCH)
    return [
        (
            round(0.5 + (x - low[0] - wide / 2) * across, DIGITS),
            round(0.5 + (y - low[1] - tall / 2) * down, DIGITS),
        )
        for x, y in points
    ]


def links(graph: Snapshot, part: list[int]) -> dict[tuple[int, int], float]:
    """Give the edges among some nodes, each one long, by their places in the list."""
    number = {i: n for n, i in enumerate(part)}
    return {(number[i], number[j]): 1.0 for i in part for j in graph.around[i] if j in number}


def induced(graph: Snapshot, part: list[int]) -> Snapshot:
    """Give the graph of some nodes and the edges among them."""
    number = {i: str(n) for n, i in enumerate(part)}
    edges = [
        Relation(number[i], number[j], "to")
        for i, j in zip(graph.tails, graph.heads, strict=True)
        if i in number and j in number
    ]
    return Snapshot(list(number.values()), edges)
