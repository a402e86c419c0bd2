"""What a setting may be; anything else is refused at once, with its value."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from numbers import Integral, Real
from typing import Any, TypeVar

from agentlab.core.errors import InvalidValue
from agentlab.core.text import clean

T = TypeVar("T")


def finite_number(value: object) -> bool:
    """Tell whether ``value`` is a number that one can wait for."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number of hundreds of digits
        return False


def not_negative(name: str, value: float, none: str = "") -> float:
    """Give ``value``, which must be a time; ``none`` is what no time would mean."""
    if not finite_number(value) or value < 0:
        raise InvalidValue(f"{name} must be >= 0 and finite{or_none(none)}, got {value!r}")
    return float(value)


def positive(name: str, value: float, none: str = "") -> float:
    """Give ``value``, which must be a time of some length; ``none`` as above."""
    if not finite_number(value) or value <= 0:
        raise InvalidValue(f"{name} must be > 0 and finite{or_none(none)}, got {value!r}")
    return float(value)


def or_none(meaning: str) -> str:
    """Name the other choice, where there is one."""
    return f", or None for {meaning}" if meaning else ""


def at_least_one(name: str, value: int, none: str = "") -> int:
    """Give ``value``, which must count something; ``none`` as above."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise InvalidValue(f"{name} must be a whole number{or_none(none)}, got {value!r}")
    if value < 1:
        raise InvalidValue(f"{name} must be >= 1{or_none(none)}, got {value}")
    return int(value)


def a_name(name: str, value: str) -> str:
    """Give ``value``, by which a thing is told from others."""
    if not isinstance(value, str) or not value:
        raise InvalidValue(f"{name} must be a name, got {value!r}")
    return value


def a_text(name: str, value: object) -> str:
    """Give ``value``, which must be a text, without lone surrogates."""
    if not isinstance(value, str):
        raise InvalidValue(f"{name} must be text, got {value!r:.80}")
    return clean(value)


def texts(name: str, values: Iterable[str]) -> tuple[str, ...]:
    """Give ``values``, which must be several texts."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InvalidValue(f"{name} must be several texts, got {values!r:.80}: put it in a list")
    return tuple(a_text(f"each of {name}", value) for value in values)


def a_judge(name: str, value: Callable[..., Any]) -> None:
    """Refuse what judges no error: a class of errors takes them all, for it makes one of each."""
    if not callable(value) or isinstance(value, type):
        raise InvalidValue(
            f"{name} must be a function of the error, got {value!r}:"
            " write lambda error: isinstance(error, ...)"
        )


def callback(name: str, value: Callable[..., Any]) -> None:
    """Refuse what cannot be called: most often the result of a call."""
    if not callable(value):
        raise InvalidValue(f"{name} must be a function, got {value!r:.80}: pass it uncalled")


def a_kind(name: str, value: object, kind: type[T]) -> T:
    """Give ``value``, which must be of a class."""
    if not isinstance(value, kind):
        raise InvalidValue(f"{name} must be a {kind.__name__}, got {value!r:.80}")
    return value


def several(name: str, values: Iterable[T]) -> tuple[T, ...]:
    """Give ``values``, which must be several things, and no text."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InvalidValue(f"{name} must be several, got {values!r:.80}: put it in a list")
    return tuple(values)


def each_of(name: str, values: Iterable[T], kind: type[T]) -> tuple[T, ...]:
    """Give ``values``, each of which must be of a class."""
    return tuple(a_kind(f"each of {name}", each, kind) for each in several(name, values))


def count_of(name: str, value: int) -> int:
    """Give ``value``, which must say how many."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 0:
        raise InvalidValue(f"{name} must be a whole number >= 0, got {value!r:.80}")
    return int(value)
