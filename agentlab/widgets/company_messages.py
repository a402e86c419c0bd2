"""What the live views of debates, teams and swarms send their page."""

from __future__ import annotations

from typing import TypedDict

from agentlab.widgets.messages import Step


class Going(TypedDict):
    """Whether it goes on, and since when, in milliseconds of this machine's clock."""

    live: bool
    began: float


class Debater(TypedDict):
    """Who argues, and for what."""

    name: str
    position: str


class Speech(TypedDict):
    """What somebody says: it ``runs`` while it is said; ``bad`` is why nothing was."""

    text: str
    runs: bool
    bad: bool


class Seat(TypedDict):
    """An agent in a picture, percent across and pixels down, and where its name stands."""

    name: str
    role: str
    x: float
    y: float
    r: float
    label: str
    left: float
    top: float
    anchor: str
    dx: float
    roomy: bool


class Way(TypedDict):
    """Two agents that may hear each other, and where there is room to say how often."""

    a: int
    b: int
    x: float
    y: float
    roomy: bool


class Network(TypedDict):
    """Who may hear whom, drawn: how high the picture is, and what it is called."""

    tall: float
    title: str
    seats: list[Seat]
    ways: list[Way]
    more: str


class Member(TypedDict):
    """How an agent stands: a mark and a word, what it says or said, and what went to and fro."""

    status: str
    mark: str
    word: str
    said: str
    hue: int
    traffic: str
    turns: int


class Turned(TypedDict):
    """The session of an agent as far as it has got: what it was asked, its last steps, its end.

    ``label`` names what came out, if it is over.
    """

    name: str
    turn: str
    path: str
    asked: str
    steps: list[Step]
    first: int
    said: str
    runs: bool
    label: str
    text: str


class Load(TypedDict):
    """How many messages went along a way, to either end."""

    there: int
    back: int


class Flight(TypedDict):
    """A message that was just sent: the how-manieth, from whom, and to whom."""

    no: int
    a: int
    b: int


class Option(TypedDict):
    """An answer that somebody gave: how many others gave the same, and its hue."""

    text: str
    votes: int
    hue: int


class Portion(TypedDict):
    """A part of the work: whose, what, how it stands, and what comes of it."""

    agent: str
    what: str
    status: str
    mark: str
    word: str
    said: str
    took: str
    tried: str
    after: bool


class Quorum(TypedDict):
    """How many parts there are, and how many have to succeed; how many ended how; in words."""

    total: int
    needed: int
    done: int
    failed: int
    cancelled: int
    words: str
    more: str


COMPANY = (
    Going, Debater, Speech, Seat, Way, Network, Member, Turned, Load, Flight, Option, Portion,
    Quorum,
)  # fmt: skip
