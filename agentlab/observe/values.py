"""What may be counted, and where it goes when there are too many names for it."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any

from agentlab.core.errors import InvalidValue

OTHER = "__other__"  # who or what came when there was no more room for names


def amount(value: Any, what: str, *, least: float = 0) -> float:
    """Give ``value`` as a plain number: an ``int`` where it is whole by type, else a ``float``.

    >>> amount(True, "increment"), amount(2.5, "increment")
    (1, 2.5)

    Raises
    ------
    InvalidValue
        It is not a finite number, or below ``least``.
    """
    try:
        good = math.isfinite(value) and value >= least
    except (TypeError, ValueError, OverflowError):  # not a number, or larger than any float
        good = False
    if not good:
        floor = "" if least == -math.inf else f" of at least {least}"
        raise InvalidValue(f"{what} must be a finite number{floor}, got {value!r}")
    return int(value) if isinstance(value, Integral) else float(value)
