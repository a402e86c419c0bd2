"""How a score is read off what a judge says. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

NEUTRAL = 0.5
NUMBER = re.compile(
    r"(?<![\w.])([-+]?(?:[0-9]+(?:[.,][0-9]+)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?)"
    r"(?:\s*(%)|\s*(?:/|out\s+of)\s*([0-9]+(?:\.[0-9]+)?))?"
)


class Reading(NamedTuple):
    """A score between 0 and 1, or None, and what was odd about how it was said."""

    score: float | None
    flag: str = ""


def reading(reply: str) -> Reading:
    """Read the first number of a reply as a score between 0 and 1.

    ``8/10`` and ``80%`` are scaled; another number above 1 or below 0 is taken as the nearer of
    the two, and flagged.

    >>> [reading(said).score for said in ("Score: 0.8 out of 1", ".5", "8/10", "80 %", "7", "no")]
    [0.8, 0.5, 0.8, 0.8, 1.0, None]
    """
    found = NUMBER.search(reply)
    if found is None:
        return Reading(None, "no number")
    value = float(found[1].replace(",", "."))
    if found[2]:
        value /= 100
    elif found[3] and (whole := float(found[3])) >= 1:
        value /= whole
    if 0.0 <= value <= 1.0:
        return Reading(value)
    return Reading(min(max(value, 0.0), 1.0), f"{found[0].strip()} is not between 0 and 1")
