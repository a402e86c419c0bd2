"""Numbers and long texts, as people want them. Nothing here raises, whatever it is given."""

from __future__ import annotations

import math
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from agentlab.core.secrets import scrub

REACH = 512  # letters that a key may have
SHORT_MS, MINUTE_MS, HOUR_MS, DAY_MS = 100, 60_000, 3_600_000, 86_400_000


def number(value: Any) -> float:
    """Give ``value`` as a finite number, or zero where there is none in it."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return found if math.isfinite(found) else 0.0


def most(values: Collection[Any]) -> float:
    """Give the greatest of some numbers, or zero."""
    try:
        return number(max(values, default=0))
    except TypeError:
        return max(map(number, values))


def seconds(ms: Any) -> str:
    """Say a duration as people do.

    >>> [seconds(ms) for ms in (0.12, 40, 900, 4100, 180_000, 172_800_000)]
    ['0.1 ms', '40 ms', '0.9 s', '4.1 s', '3 min', '2 d']
    """
    ms = number(ms)
    if ms < SHORT_MS:
        return f"{ms:.1f} ms" if 0 < ms < 1 else f"{ms:.0f} ms"
    if ms < MINUTE_MS:
        return f"{ms / 1000:.1f} s"
    if ms < 2 * HOUR_MS:
        return f"{ms / MINUTE_MS:,.0f} min"
    return f"{ms / HOUR_MS:.0f} h" if ms < 2 * DAY_MS else f"{ms / DAY_MS:,.0f} d"


def count(value: Any) -> str:
    """``1,204``."""
    return f"{number(value):,.0f}"


def plural(value: Any, one: str, many: str = "") -> str:
    """``1 step``, ``1,204 steps``."""
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def moment(at: Any) -> str:
    """``25 Nov 2026, 19:44:03 UTC``, wherever it was read; nothing where there is no time."""
    if not isinstance(at, datetime):
        return ""
    with suppress(OverflowError, ValueError):  # the first and the last day there are
        at = at.astimezone(UTC) if at.tzinfo else at
    month = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{at.day} {month[at.month - 1]} {at.year}, {at:%H:%M:%S}{' UTC' if at.tzinfo else ''}"


def text_of(value: Any) -> str:
    """Give ``value`` as a text; None is none."""
    return value if isinstance(value, str) else "" if value is None else str(value)


def shortened(text: Any, path: str, limit: int = 2000) -> str:
    """``text``, or its beginning, its length, and the Python path that holds the rest."""
    whole = text_of(text)
    if len(whole) <= limit:
        return whole
    return f"{beginning(whole, limit)}… ({len(whole):,} characters: {path})"


def beginning(text: str, limit: int) -> str:
    """Give the first letters of ``text``, its keys as ``***``: of one that is cut, too."""
    start = text[: limit + REACH]
    hidden = scrub(start)
    if hidden == start:
        return start[:limit]
    return hidden[: min(limit, len(hidden) - max(0, len(start) - limit))]


def gist(text: Any, limit: int = 200) -> str:
    """Give the beginning of ``text`` as one line; the whole of it is shown elsewhere."""
    whole = text_of(text)
    if len(whole) <= limit:
        return " ".join(whole.split())
    line = " ".join(beginning(whole, 2 * limit).split())
    return f"{line[:limit].rstrip()}…"
