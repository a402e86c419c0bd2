"""Saying in words what is looked at in a graph: a path, a neighbourhood, an entity, an edge."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from agentlab.display.graphs import words_of
from agentlab.display.words import gist, plural

if TYPE_CHECKING:
    from agentlab.widgets.atlas import Atlas

LONG = 12  # entities of a path that are named


def said(atlas: Atlas) -> str:
    """Say what is looked at; nothing, if that is all of it."""
    told = [path_said(atlas)] if atlas.start >= 0 and atlas.goal >= 0 else []
    if atlas.focus >= 0:
        near = plural(len(atlas.part.around[atlas.focus]), "other entity", "other entities")
        told.append(f"neighbourhood of {atlas.name(atlas.focus)}: {near}")
    edge = atlas.edge()
    if atlas.node >= 0 and atlas.node != atlas.focus:
        links = plural(atlas.drawn.degrees[atlas.node], "link")
        told.append(f"{atlas.name(atlas.node)}, {links}")
    elif edge:
        tail, head = atlas.part.tails[atlas.arc], atlas.part.heads[atlas.arc]
        kind = gist(edge.kind.replace("_", " "), 40)
        told.append(f"{atlas.name(tail)} \N{EN DASH} {kind} → {atlas.name(head)}")
    return "; ".join(told)


def path_said(atlas: Atlas) -> str:
    """Say how the path leads, with arrows as the edges have them."""
    if atlas.path is None:
        return f"no path joins {atlas.name(atlas.start)} and {atlas.name(atlas.goal)}"
    told = [atlas.name(atlas.path[0])]
    for i, j in pairwise(atlas.path):
        ahead = j in atlas.part.successors[i]
        told.append(f"{'→' if ahead else '←'} {atlas.name(j)}")
    if len(told) > LONG:
        gap = plural(len(told) - LONG, "other")
        told[LONG // 2 : -(LONG // 2)] = [f"… {gap} …"]
    steps = plural(len(atlas.path) - 1, words_of(atlas.graph).edge)
    long = f"path of {steps}: {' '.join(told)}"
    return long if atlas.forwards else f"{long} (none leads there along the arrows only)"
