"""What a setting may be; anything else is refused with its value."""

from __future__ import annotations

import math
from numbers import Integral, Real

from agentlab.core.errors import InvalidValue


def finite_number(value: object) -> bool:
    """Tell whether ``value`` is a number that one can wait for."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def not_negative(name: str, value: float) -> float:
    """Give ``value``, which must be a time."""
    if not finite_number(value) or value < 0:
        raise InvalidValue(f"{name} must be >= 0 and finite, got {value!r}")
    return float(value)


def at_least_one(name: str, value: int) -> int:
    """Give ``value``, which must count something."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise InvalidValue(f"{name} must be a whole number, got {value!r}")
    if value < 1:
        raise InvalidValue(f"{name} must be >= 1, got {value}")
    return int(value)
