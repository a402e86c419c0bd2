"""What a page that shows a graph is told; see :mod:`agentlab.widgets.messages`."""

from __future__ import annotations

from typing import TypedDict


class Plot(TypedDict):
    """How much there is to draw, in how many pieces; what kinds and communities are called.

    ``tall`` is the height in pixels, ``note`` says what is left out, ``empty`` that there is none.
    """

    version: int
    nodes: int
    arcs: int
    lots: int
    parts: int
    kinds: list[str]
    groups: list[str]
    sizes: list[int]
    tall: int
    note: str
    empty: str


class Nodes(TypedDict):
    """Entities, the best connected first: names, kinds, places, links, and communities."""

    version: int
    names: list[str]
    tags: list[str]
    xs: list[float]
    ys: list[float]
    links: list[int]
    groups: list[int]


class Between(TypedDict):
    """The betweenness of all entities, once it is known."""

    version: int
    values: list[float]


class Arcs(TypedDict):
    """Edges: from which entity to which, and of what kind, all by number."""

    version: int
    tails: list[int]
    heads: list[int]
    kinds: list[int]


class Gaze(TypedDict):
    """What is looked at, by number, where -1 is nothing; how it is drawn; all of it in words.

    ``by`` is the page that asked last, and ``turn`` the how-manieth time it did.
    """

    node: int
    arc: int
    focus: int
    start: int
    goal: int
    path: list[int]
    size: str
    colour: bool
    labels: bool
    said: str
    by: str
    turn: int


class Kin(TypedDict):
    """Entities that one kind of edge leads to, or comes from, by number and by name."""

    kind: str
    out: bool
    nos: list[int]
    names: list[str]
    more: str


class About(TypedDict):
    """What is known of the selected thing; ``between`` is -1 where nobody has counted that."""

    name: str
    tag: str
    names: list[str]
    values: list[str]
    links: int
    between: float
    share: float
    kin: list[Kin]
    path: str


GRAPHS = (Plot, Nodes, Between, Arcs, Gaze, Kin, About)
