"""What a tool gives back, made into plain JSON that nobody else holds on to."""

from __future__ import annotations

import logging
import math
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from agentlab.core.errors import InvalidValue
from agentlab.core.text import MAX_DEPTH, clean, compact, cut

MAX_VALUES = 1_000_000
MAX_CHARS = 64_000_000
MAX_BITS = 13_000  # about 3900 digits: Python itself refuses to write 4300
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")

log = logging.getLogger("agentlab.tools")


def plain(value: Any, tool: str) -> Any:
    """Give a result as plain JSON; what JSON does not know becomes its text, with a warning.

    Raises
    ------
    InvalidValue
        A number is not finite, or the data are too deep or too large.
    """
    if isinstance(value, str):
        return clean(value)  # however long: it can be cut
    if value is None or value is True or value is False:
        return value
    reader = Reader()
    data = reader.read(value, MAX_DEPTH)
    if reader.odd:
        kinds = ", ".join(sorted(reader.odd))
        log.warning("tool %r gave what is not JSON (%s): its text is used", tool, kinds)
    return data


class Reader:
    """Copies one value, and counts, for what is shared within it multiplies."""

    def __init__(self) -> None:
        self.odd: set[str] = set()
        self._values, self._chars = MAX_VALUES, MAX_CHARS

    def read(self, value: Any, depth: int) -> Any:
        """Copy ``value``, which may have ``depth`` more levels."""
        self._spend(1, 0)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            self._spend(0, len(value))
            return clean(value)
        if isinstance(value, Mapping | list | tuple):
            return self._nest(value, depth)
        number = as_number(value)
        return number if number is not None else self._text(value)

    def _nest(self, value: Any, depth: int) -> Any:
        if not depth:
            raise InvalidValue(f"data is nested deeper than {MAX_DEPTH}")
        if isinstance(value, Mapping):
            return {self._key(key): self.read(item, depth - 1) for key, item in value.items()}
        return [self.read(item, depth - 1) for item in value]

    def _key(self, key: Any) -> str:
        text = clean(str(key))
        self._spend(0, len(text))
        return text

    def _text(self, value: Any) -> str:
        self.odd.add(type(value).__name__)
        text = set_text(value) if isinstance(value, set | frozenset) else str(value)
        self._spend(0, len(text))
        return clean(ADDRESS.sub("", text))  # an address would be another one each time

    def _spend(self, values: int, chars: int) -> None:
        self._values -= values
        self._chars -= chars
        if self._values < 0 or self._chars < 0:
            raise InvalidValue(
                f"data is larger than {MAX_VALUES} values or {MAX_CHARS} characters: return less"
            )


def as_number(value: Any) -> Any:
    """Give a plain JSON number or truth value, NumPy's scalars included, or None."""
    numpy = sys.modules.get("numpy")
    if numpy and isinstance(value, numpy.generic):
        value = value.item()
    if isinstance(value, float):
        return finite(float(value))
    if isinstance(value, int):
        return value if isinstance(value, bool) else whole(int(value))
    return None


def finite(number: float) -> float:
    """Give a number that JSON has."""
    if not math.isfinite(number):
        raise InvalidValue(f"{number} is not a JSON number")
    return number


def whole(number: int) -> int:
    """Give an integer that can be written down."""
    if number.bit_length() > MAX_BITS:
        raise InvalidValue(f"an integer of {number.bit_length()} bits is too long to write")
    return number


def set_text(value: Iterable[Any]) -> str:
    """Give the text of a set in an order that does not depend on hashes."""
    inside = ", ".join(sorted(map(repr, value)))
    braces = f"{{{inside}}}" if inside else ""
    name = type(value).__name__
    return braces if braces and name == "set" else f"{name}({braces})"


def detached(value: Any) -> Any:
    """Copy the containers of JSON, so that a handler may change what it was given."""
    if isinstance(value, dict):
        return {key: detached(item) for key, item in value.items()}
    return [detached(item) for item in value] if isinstance(value, list) else value


def says_no(data: Any) -> bool:
    """Tell whether a tool's own result says that it failed."""
    return isinstance(data, dict) and data.get("ok") is False


def shown(args: Any, limit: int = 500) -> str:
    """Give arguments as a message can show them."""
    try:
        return cut(compact(args), limit)
    except Exception:  # noqa: BLE001 - arguments may be anything
        return f"a {type(args).__name__}"
