"""Sums: what they are worth, what is none, and that none takes long."""

from __future__ import annotations

import ast
import inspect
import math
import operator
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from agentlab.core.errors import InvalidValue, ToolError
from agentlab.tools import arithmetic
from agentlab.tools.arithmetic import as_number, evaluate, show
from agentlab.tools.builtin import CalculatorTool

OPERATORS: dict[str, tuple[int, Callable[[Any, Any], Any]]] = {
    "+": (1, operator.add),
    "-": (1, operator.sub),
    "*": (2, operator.mul),
    "/": (2, operator.truediv),
    "%": (2, operator.mod),
    "**": (4, math.pow),
}
MINUS = 3


class Number(NamedTuple):
    """A leaf."""

    text: str


class Minus(NamedTuple):
    """A sign."""

    of: Any


class Step(NamedTuple):
    """Two values and what to do with them."""

    sign: str
    left: Any
    right: Any


def write(tree: Any, space: str) -> tuple[str, int]:
    """Write a tree with no more brackets than it needs; give how tightly it is bound, too."""
    match tree:
        case Number(text):
            return text, 5
        case Minus(of):
            return f"-{space}{bracket(of, MINUS, space)}", MINUS
        case Step("**", left, right):
            # Only the left side has to be bracketed; a sign may stand on the right.
            return f"{bracket(left, 5, space)}{space}**{space}{bracket(right, MINUS, space)}", 4
        case Step(sign, left, right):
            level = OPERATORS[sign][0]
            one, other = bracket(left, level, space), bracket(right, level + 1, space)
            return f"{one}{space}{sign}{space}{other}", level
    raise AssertionError(tree)


def bracket(tree: Any, level: int, space: str) -> str:
    """Write a part, in brackets where it is bound less tightly than ``level``."""
    text, bound = write(tree, space)
    return text if bound >= level else f"({space}{text}{space})"


def worth(tree: Any, number: Callable[[str], Any]) -> Any:
    """Work out a tree with Python's own numbers."""
    match tree:
        case Number(text):
            return number(text)
        case Minus(of):
            return -worth(of, number)
        case Step(sign, left, right):
            return OPERATORS[sign][1](worth(left, number), worth(right, number))
    raise AssertionError(tree)


def trees(signs: str, numbers: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Generate sums."""
    steps = st.sampled_from(signs.split())
    return st.recursive(
        st.builds(Number, numbers),
        lambda inner: st.builds(Minus, inner) | st.builds(Step, steps, inner, inner),
        max_leaves=20,
    )


WHOLE = st.integers(0, 99).map(str)
DECIMAL = st.builds("{}.{}".format, st.integers(0, 999), st.integers(0, 999)) | WHOLE
SCIENTIFIC = st.builds("{}e{}".format, DECIMAL, st.integers(-9, 9)) | DECIMAL
SPACES = st.sampled_from(["", " ", "\t \n"])


@given(trees("+ - *", WHOLE), SPACES)
def test_whole_numbers_are_exact(tree: Any, space: str) -> None:
    """What doubles can hold is what fractions say it is."""
    exact = worth(tree, Fraction)
    assume(abs(exact) < 10**15)
    text = write(tree, space)[0]
    assume(len(text) <= 1000)

    assert show(evaluate(text)) == str(exact)


@given(trees("+ - * /", DECIMAL), SPACES)
def test_it_agrees_with_doubles(tree: Any, space: str) -> None:
    """To the last bit, in the order in which the operators bind."""
    text = write(tree, space)[0]
    assume(len(text) <= 1000)
    try:
        value = worth(tree, float)
    except ZeroDivisionError:
        with pytest.raises(InvalidValue, match="division by zero"):
            evaluate(text)
        return
    assert evaluate(text) == evaluate(text, extended=True) == value
    assert float(show(value)) == value


@given(trees("+ - * / % **", SCIENTIFIC), SPACES)
def test_extended_agrees_with_doubles(tree: Any, space: str) -> None:
    """The same with remainders, powers and exponents, or there is no finite value."""
    text = write(tree, space)[0]
    assume(len(text) <= 1000)
    try:
        value = evaluate(text, extended=True)
    except InvalidValue:
        assume(False)  # noqa: FBT003 - what is refused has cases of its own
    assert value == worth(tree, float)


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(1e15)
@example(5e-324)
@example(-0.0)
@example(1.7976931348623157e308)
def test_what_it_writes_it_can_read(value: float) -> None:
    """Every answer is a sum itself, worth the same; whole ones below 10**15 are written as such."""
    text = show(value)

    assert evaluate(text) == value
    assert show(evaluate(text)) == text
    assert as_number(value) == value
    if value.is_integer() and abs(value) < 1e15:
        assert text == str(int(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(2 + 3) * 4", "20"),
        ("7 / 2", "3.5"),
        ("--5", "5"),
        ("2 - 3 - 4", "-5"),
        ("24 / 4 / 2", "3"),
        ("2 + 3 * 4", "14"),
        ("2 * -3", "-6"),
        ("-(2 + 3)", "-5"),
        ("-2 * -3", "6"),
        ("0.1 + 0.2", "0.30000000000000004"),
        ("-0", "0"),
        ("0 * -1", "0"),
        ("007", "7"),
        ("999999999999999", "999999999999999"),
        ("1000000000000000", "1000000000000000"),
        ("1 / 3", "0.3333333333333333"),
        ("1 / 10000000", "0.0000001"),
        ("\t 1\n", "1"),
        ("-" * 999 + "1", "-1"),
        ("(" * 100 + "1" + ")" * 100, "1"),
        ("+".join("1" * 500), "500"),
        ("+".join(["(1)"] * 200), "200"),
    ],
)
def test_values(text: str, value: str) -> None:
    """Left to right, products first, signs before both; whole numbers look whole."""
    assert CalculatorTool().call_sync(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 ** 3 ** 2", "512"),
        ("-2 ** 2", "-4"),
        ("(-2) ** 2", "4"),
        ("2 ** -1", "0.5"),
        ("2 * 3 ** 2", "18"),
        ("7 % 3 * 2", "2"),
        ("-7 % 3", "2"),
        ("+5 - +3", "2"),
        ("+-+5", "-5"),
        ("1.5e3", "1500"),
        ("1E-2", "0.01"),
        ("0 ** 0", "1"),
        ("(1 - 2 ** -10) ** 1000", "0.37642379805672405"),
    ],
)
def test_extended_values(text: str, value: str) -> None:
    """Powers from right to left and before a sign; remainders as Python has them."""
    assert CalculatorTool(extended=True).call_sync(text) == value
    with pytest.raises(ToolError.ExecutionFailed):
        CalculatorTool().call_sync(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty input"),
        (" \n", "empty input"),
        ("1/0", "division by zero"),
        ("0/0", "division by zero"),
        ("1/(2-2)", "division by zero"),
        ("2 +", "unexpected end"),
        ("(", "unexpected end"),
        ("1.2.3", "trailing characters '.3'"),
        ("1 2", "trailing characters '2'"),
        ("(1))", "trailing characters ')'"),
        ("1" + "x" * 50, "trailing characters '" + "x" * 20 + "…[truncated 30 chars]'"),
        ("(1", "missing ')' at end"),
        ("(1]", "missing ')' at character ']' at 2"),
        ("*3", "unexpected character '*' at 0"),
        ("2 ** 3", "unexpected character '*' at 3"),
        ("+5", "unexpected character '+' at 0"),
        ("()", "unexpected character ')' at 1"),
        (".5", "unexpected character '.' at 0"),
        ("5.", "trailing characters '.'"),
        ("2e3", "trailing characters 'e3'"),
        ("٣", "unexpected character '٣' at 0"),
        ("1\u00a0+ 1", "trailing characters '\\xa0+ 1'"),
        ("\ud800", "unexpected character '\\ud800' at 0"),
        ("nan", "unexpected character 'n' at 0"),
        ("__import__('os')", "unexpected character '_' at 0"),
        ("9" * 400, "the value is too large"),
        ("9" * 200 + "*" + "9" * 200, "the value is too large"),
        ("1" * 1001, "1001 characters are too many: at most 1000"),
        ("(" * 101 + "1" + ")" * 101, "nested deeper than 100"),
    ],
)
def test_reasons(text: str, reason: str) -> None:
    """What is wrong is said, and where."""
    with pytest.raises(ToolError.ExecutionFailed) as caught:
        CalculatorTool().call_sync(text)

    assert str(caught.value) == f"tool 'calculator' execution failed: {reason}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("9**9**9", "exponent 387420489 is too large: at most 1000"),
        ("9**-1001", "exponent -1001 is too large: at most 1000"),
        ("1e400", "the value is too large"),
        ("99**999", "the value is too large"),
        ("0**-1", "division by zero"),
        ("1 % 0", "division by zero"),
        ("(-8) ** 0.5", "-8 ** 0.5 is not a real number"),
        ("**".join("1" * 200), "nested deeper than 100"),
        ("2 **", "unexpected end"),
        ("2e", "trailing characters 'e'"),
    ],
)
def test_extended_reasons(text: str, reason: str) -> None:
    """Powers stay within bounds."""
    with pytest.raises(InvalidValue) as caught:
        evaluate(text, extended=True)

    assert str(caught.value) == reason


LIKELY = st.text("0123456789.+-*/()% eE", max_size=60)
PIECES = st.lists(st.sampled_from(["9", "**", "(", ")", "-", "/", "1e9", " ", "0", "*"])).map(
    "".join
)


@given(st.text(st.characters(exclude_categories=())) | LIKELY | PIECES, st.booleans())
@example("(" * 100_000, True)  # noqa: FBT003 - an example has no keywords
@example("-" * 1_000_000, True)  # noqa: FBT003
@example("9**" * 300, True)  # noqa: FBT003
@example("1*(" * 300, False)  # noqa: FBT003
def test_any_text(text: str, extended: bool) -> None:  # noqa: FBT001
    """It is worth something finite, or the tool has failed; soon, and never otherwise."""
    began = time.monotonic()
    failed = ""
    try:
        value = CalculatorTool(extended=extended).call_sync(text)
    except ToolError.ExecutionFailed as error:
        failed = str(error)
    assert len(failed) < 200
    assert failed or math.isfinite(float(value))
    assert time.monotonic() - began < 1


def test_on_a_deep_stack() -> None:
    """A caller that stands deep already is told so, in the way that tools fail."""

    def down(depth: int) -> str:
        if depth:
            return down(depth - 1)
        try:
            return show(evaluate("(" * 100 + "1" + ")" * 100))
        except InvalidValue as error:
            return str(error)

    free = sys.getrecursionlimit() - len(inspect.stack())
    assert down(free - 50) == "nested too deeply"
    assert down(0) == "1"


def test_there_is_no_eval() -> None:
    """No module of the tools calls anything that runs text."""
    for path in Path(arithmetic.__file__).parent.glob("*.py"):
        called = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not called & {"eval", "exec", "compile", "__import__"}, path.name
