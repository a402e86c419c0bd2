"""What a memory may be given; anything else is refused at once, with its value."""

from __future__ import annotations

from datetime import UTC, datetime

from agentlab.core.bounds import a_text, finite_number, texts
from agentlab.core.errors import InvalidValue

__all__ = ["a_number", "a_share", "a_text", "aware", "clamped", "texts"]


def a_number(name: str, value: float) -> float:
    """Give ``value``, which must be a finite number."""
    if not finite_number(value):
        raise InvalidValue(f"{name} must be a finite number, got {value!r:.80}")
    return float(value)


def clamped(name: str, value: float) -> float:
    """Give ``value``, a finite number, as the nearest one from 0 to 1."""
    return min(1.0, max(0.0, a_number(name, value)))


def a_share(name: str, value: float) -> float:
    """Give ``value``, which must lie from 0 to 1."""
    if not finite_number(value) or not 0 <= value <= 1:
        raise InvalidValue(f"{name} must be from 0 to 1, got {value!r:.80}")
    return float(value)


def aware(name: str, value: object) -> datetime:
    """Give ``value``, which must be a moment with a time zone, in UTC."""
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise InvalidValue(
            f"{name} must be a datetime with a time zone, such as datetime.now(UTC),"
            f" got {value!r:.80}"
        )
    try:
        return value.astimezone(UTC)
    except OverflowError:  # in the first or the last hours there are
        raise InvalidValue(f"{name} must lie in the years 1 to 9999, got {value!r}") from None
