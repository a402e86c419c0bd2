"""Sums, worked out while they are read. There is no ``eval`` here, and nothing to evaluate with.

    expr   := term {("+" | "-") term}
    term   := factor {("*" | "/" | "%"*) factor}
    factor := ("-" | "+"*) factor | power
    power  := ("(" expr ")" | number) ["**"* factor]
    number := digits ["." digits] [("e" | "E") ["+" | "-"] digits]*

What is marked * is read only when asked for. Numbers are doubles, and stay finite at every step.
The length of the text bounds the time, for every move reads at least one character.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from decimal import Decimal

from agentlab.core.errors import InvalidValue
from agentlab.core.text import cut

MAX_CHARS = 1000
MAX_DEPTH = 100
MAX_EXPONENT = 1000
WHOLE_BELOW = 1e15

NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
SCIENTIFIC = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "**": 3}
LOOSEST, POWER = 1, 3
STEPS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
}


def evaluate(text: str, *, extended: bool = False) -> float:
    """Work out a sum.

    >>> evaluate("(2 + 3) * 4")
    20.0

    Parameters
    ----------
    text : str
        The sum: at most 1000 characters, brackets at most 100 deep.
    extended : bool
        Read unary ``+``, ``%``, ``**`` (exponents to 1000) and scientific notation too.

    Raises
    ------
    InvalidValue
        It cannot be read, or has no finite value; the message says where and why.
    """
    if len(text) > MAX_CHARS:
        raise InvalidValue(f"{len(text)} characters are too many: at most {MAX_CHARS}")
    try:
        return Reader(text, extended=extended).whole()
    except RecursionError:  # the caller stood deep already
        raise InvalidValue("nested too deeply") from None


def show(value: float) -> str:
    """Write a finite number: whole ones as such, others with the fewest digits that read back.

    >>> [show(value) for value in (20.0, 3.5, -0.0, 0.1 + 0.2, 1e21, 1e-7)]
    ['20', '3.5', '0', '0.30000000000000004', '1000000000000000000000', '0.0000001']
    """
    if value.is_integer() and abs(value) < WHOLE_BELOW:
        return str(int(value))
    digits = f"{Decimal(repr(value)):f}"  # never an exponent, which the grammar could not read
    return digits.removesuffix(".0")


def as_number(value: float) -> int | float:
    """Give a whole number as such.

    >>> as_number(20.0), as_number(3.5)
    (20, 3.5)
    """
    return int(value) if value.is_integer() and abs(value) < WHOLE_BELOW else value


class Reader:
    """Reads one text from left to right; an operator takes what binds more tightly than itself."""

    def __init__(self, text: str, *, extended: bool) -> None:
        self._text = text
        self._number = SCIENTIFIC if extended else NUMBER
        self._binding = BINDING if extended else {sign: BINDING[sign] for sign in "+-*/"}
        self._signs = ("+", "-") if extended else ("-",)
        self._at, self._depth = 0, 0

    def whole(self) -> float:
        """Read everything."""
        if not self._text.strip():
            raise InvalidValue("empty input")
        value = self._expression(LOOSEST)
        if self._next():
            raise InvalidValue(f"trailing characters {cut(self._text[self._at :], 20)!r}")
        return value

    def _expression(self, floor: int) -> float:
        """Read as far as operators bind at least as tightly as ``floor``."""
        value = self._operand()
        while (binding := self._binding.get(sign := self._next(), 0)) >= floor:
            self._at += len(sign)
            if sign == "**":
                value = power(value, self._nested(POWER))  # from right to left
            else:
                value = apply(sign, value, self._expression(binding + 1))
        return value

    def _operand(self) -> float:
        minus = signed = False
        while (sign := self._next()) in self._signs:
            minus, signed = minus ^ (sign == "-"), True
            self._at += 1
        if signed:
            value = self._expression(POWER)
            return -value if minus else value
        if sign == "(":
            return self._brackets()
        found = self._number.match(self._text, self._at)
        if not found:
            raise InvalidValue(f"unexpected {self._where()}")
        self._at = found.end()
        return finite(float(found[0]))

    def _brackets(self) -> float:
        self._at += 1
        value = self._nested(LOOSEST)
        if self._next() != ")":
            raise InvalidValue(f"missing ')' at {self._where()}")
        self._at += 1
        return value

    def _nested(self, floor: int) -> float:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise InvalidValue(f"nested deeper than {MAX_DEPTH}")
        value = self._expression(floor)
        self._depth -= 1
        return value

    def _next(self) -> str:
        """Go to the next sign, and give it, or nothing at the end."""
        while (here := self._text[self._at : self._at + 1]) and here in " \t\r\n":
            self._at += 1
        double = self._text[self._at : self._at + 2]
        return double if double in self._binding else here

    def _where(self) -> str:
        here = self._text[self._at : self._at + 1]
        return f"character {here!r} at {self._at}" if here else "end"


def apply(sign: str, one: float, other: float) -> float:
    """Take one step, whose value must be a number."""
    try:
        return finite(STEPS[sign](one, other))
    except ZeroDivisionError:
        raise InvalidValue("division by zero") from None


def power(base: float, exponent: float) -> float:
    """Raise a number to a bounded power."""
    if abs(exponent) > MAX_EXPONENT:
        raise InvalidValue(f"exponent {show(exponent)} is too large: at most {MAX_EXPONENT}")
    try:
        value = math.pow(base, exponent)
    except OverflowError:
        value = math.inf
    except ValueError:
        if not base:
            raise InvalidValue("division by zero") from None
        raise InvalidValue(f"{show(base)} ** {show(exponent)} is not a real number") from None
    return finite(value)


def finite(value: float) -> float:
    """Give a number that is one."""
    if not math.isfinite(value):
        raise InvalidValue("the value is too large")
    return value
