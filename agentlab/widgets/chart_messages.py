"""What a live view sends of a chart: all of it once, and then how single parts stand."""

from __future__ import annotations

from typing import TypedDict


class PlanPart(TypedDict):
    """A part: its label, who does it, how deep it is; in a picture its outline, and its corner."""

    label: str
    who: str
    depth: int
    outline: str
    x: float
    y: float
    tall: float


class PlanSign(TypedDict):
    """A word in the picture."""

    text: str
    x: float
    y: float


class Plan(TypedDict):
    """A chart: a ``list``, a ``tree`` or a ``flow``, which has a picture of lines and arrows.

    ``turn`` counts the charts of a run; ``more`` says what is left out.
    """

    turn: int
    shape: str
    title: str
    parts: list[PlanPart]
    more: str
    wide: float
    tall: float
    ways: str
    back: str
    heads: str
    signs: list[PlanSign]


class PlanMark(TypedDict):
    """How a part stands: its mark, the word for it, and what came of it, or why."""

    status: str
    mark: str
    word: str
    said: str


CHARTS = (PlanPart, PlanSign, Plan, PlanMark)
