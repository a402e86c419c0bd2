"""Patterns such as ``^[a-z]{1,8}$``: the one form of pattern that a grammar can hold."""

from __future__ import annotations

import re
from typing import NamedTuple

PATTERN = re.compile(r"\^\[(\^?)((?:\\.|[^\]\\])+)\](\{\d+(?:,\d*)?\}|[+*?])?\$", re.DOTALL)
ITEM = re.compile(r"(\\.|[^\\])(?:-(\\.|[^\\]))?", re.DOTALL)
SETS = {"d": "0-9", "w": "0-9A-Z_a-z", "s": " "}
COUNTS = {"": (1, 1), "?": (0, 1), "+": (1, None), "*": (0, None)}
UNSAFE = ((0, 0x1F), (0x22, 0x22), (0x5C, 0x5C), (0x7F, 0x7F))  # what JSON would have to escape
LAST = 0x10FFFF

Span = tuple[int, int]


class CharClass(NamedTuple):
    """The characters that may stand, as spans of code points in order."""

    spans: tuple[Span, ...]

    def has(self, chars: str) -> bool:
        """Tell whether all of ``chars`` may stand."""
        return all(any(low <= ord(c) <= high for low, high in self.spans) for c in chars)

    def as_gbnf(self) -> str:
        """Write it, with whatever might be read otherwise escaped."""
        return f"[{''.join(_written(low) + _upto(low, high) for low, high in self.spans)}]"


def bounded_class(pattern: object, most: int) -> tuple[CharClass, int, int] | None:
    r"""Read a pattern that is one class and a count; give None for any other.

    >>> bounded_class("^[0-9+-]{1,40}$", 200)[0].as_gbnf()
    '[+\\U0000002d0-9]'

    Parameters
    ----------
    pattern : object
        The pattern.
    most : int
        How often at most, where it does not say.
    """
    found = PATTERN.fullmatch(pattern) if isinstance(pattern, str) else None
    spans = _spans(found[2]) if found else None
    if not found or spans is None:
        return None
    allowed = _without(((0, LAST),), spans) if found[1] else spans
    safe = _without(allowed, UNSAFE)
    least, limit = _count(found[3] or "")
    limit = most if limit is None else min(limit, most)
    return (CharClass(safe), least, limit) if safe and least <= limit else None


def _count(text: str) -> tuple[int, int | None]:
    if text in COUNTS:
        return COUNTS[text]
    least, comma, most = text.strip("{}").partition(",")
    return int(least), int(most) if most else (None if comma else int(least))


def _spans(inside: str) -> tuple[Span, ...] | None:
    found: list[Span] = []
    for low, high in ITEM.findall(inside):
        named = SETS.get(low[1:]) if low.startswith("\\") else None
        if named and not high:
            found += _spans(named) or ()
        elif (low[0] == "\\" and low[1].isalnum()) or (high[:1] == "\\" and high[1].isalnum()):
            return None  # \D, \p, \n and the like
        else:
            span = ord(low[-1]), ord((high or low)[-1])
            if span[0] > span[1]:
                return None
            found.append(span)
    return _merged(found)


def _merged(spans: list[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for low, high in sorted(spans):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(high, merged[-1][1])
        else:
            merged.append((low, high))
    return tuple(merged)


def _without(spans: tuple[Span, ...], gone: tuple[Span, ...]) -> tuple[Span, ...]:
    left = list(spans)
    for start, end in gone:
        left = [
            part
            for low, high in left
            for part in ((low, min(high, start - 1)), (max(low, end + 1), high))
            if part[0] <= part[1]
        ]
    return tuple(left)


def _upto(low: int, high: int) -> str:
    return f"-{_written(high)}" if high > low else ""


def _written(code: int) -> str:
    if chr(code).isascii() and (chr(code).isalnum() or chr(code) in " _+*/().,:;=!?%&@#"):
        return chr(code)
    return f"\\U{code:08x}"
