"""What a live view sends its page: cells by name, each one of these.

``widgets/messages.py`` writes the same as TypeScript, so that both sides are checked.
"""

from __future__ import annotations

from typing import TypedDict


class Head(TypedDict):
    """Whose run it is, what was asked, and since when, in milliseconds of this machine's clock."""

    agent: str
    asked: str
    began: float


class Now(TypedDict):
    """How it stands: the chip, the figures, and how much there is of everything else."""

    live: bool
    hue: str
    word: str
    figures: list[str]
    steps: int
    gap: str
    longest: float
    turn: int
    pieces: int
    below: int


class Words(TypedDict):
    """A text of a step under its name, and its Python path."""

    hue: str
    name: str
    text: str
    path: str


class Step(TypedDict):
    """A step that is over: what was called, what came back, how long it took, and all inside."""

    tool: str
    did: str
    came: str
    bad: bool
    ms: float
    took: str
    texts: list[Words]


class Child(TypedDict):
    """A run below: how deep, whose, how it stands, and the end of what it says."""

    depth: int
    name: str
    hue: str
    word: str
    said: str


class End(TypedDict):
    """What came out: an answer, or an error."""

    label: str
    text: str


MESSAGES = (Head, Now, Words, Step, Child, End)
