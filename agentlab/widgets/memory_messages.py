"""What the explorer of a memory sends its page, beside what all explorers do."""

from __future__ import annotations

from typing import TypedDict


class Search(TypedDict):
    """What is asked of a memory, in which order the items are, and how the map is made."""

    query: str
    by: str
    sort: str
    sorts: list[str]
    way: str
    ways: list[str]


class Clock(TypedDict):
    """How far ahead one looks, in thousandths of ``span`` hours, and what will have become then.

    ``span`` is 0 where no time passes. An item is worth ``worth * exp(-age / tau)``; it is gone
    where that is below ``floor``, if the memory ``forgets``, or where it is older than ``limit``.
    """

    at: int
    ahead: float
    span: float
    words: str
    tau: float
    limit: float
    floor: float
    forgets: bool


class Found(TypedDict):
    """How many items are listed, which is selected and where in the list it is; all in words."""

    total: int
    row: int
    no: int
    said: str
    rule: str
    empty: str


class Memory(TypedDict):
    """An item as a row: its beginning, whose it is; the bar, or -1, and what it says; how faded."""

    text: str
    agent: str
    share: float
    now: str
    left: float
    hit: bool


class Dots(TypedDict):
    """Some of the dots of a map, in thousandths of it; what each was worth, and its age in hours.

    Where nothing is weighed, all are worth 1.
    """

    xs: list[int]
    ys: list[int]
    worth: list[float]
    ages: list[float]


class Spots(TypedDict):
    """What the places of a map are about, and what is going on with it."""

    names: list[str]
    xs: list[int]
    ys: list[int]
    dots: int
    note: str


class Marks(TypedDict):
    """Where a question is on the map, or -1; which items would be recalled; which are listed.

    ``lit`` has a letter an item: 1 is listed, 0 is not; it is empty where all are.
    """

    x: int
    y: int
    asks: bool
    hits: list[int]
    lit: str


class Why(TypedDict):
    """The item that is selected, and each term of its score: in words, as a share, in a hue."""

    text: str
    tags: list[str]
    score: str
    terms: list[str]
    shares: list[float]
    hues: list[str]
    notes: list[str]
    path: str
    gone: str


class Hint(TypedDict):
    """What an item on the map says, for whoever points at it."""

    no: int
    text: str


MEMORY = (Search, Clock, Found, Memory, Dots, Spots, Marks, Why, Hint)
