"""From text to JSON and back, and the built-in tools as both."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest

from agentlab.core.errors import CircuitOpen, ToolArgumentError, ToolError
from agentlab.tools.builtin import CalculatorTool, EchoTool, TimestampTool, calculator
from agentlab.tools.named import NamedToolRegistry
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.spec import ToolSpec, tool
from agentlab.tools.textual import TextTool, arguments, as_tool_spec


class Uppercase:
    """A tool of somebody's own."""

    name, description = "uppercase", "Say it loudly."

    async def call(self, text: str, /) -> str:
        return text.upper()


@tool
def double(n: int) -> int:
    """Twice as much."""
    return n * 2


def test_other_tools_are_adapted() -> None:
    """Functions and specs take text as their arguments, and give text, with all their checks."""

    class Shut:
        def enter(self, subject: str = "", needs: Sequence[str] = ()) -> Any:
            raise CircuitOpen(f"{subject}{needs or ''}")

    def pair(a: int, b: int = 0) -> dict[str, int]:
        """Give both."""
        return {"b": b, "a": a}

    tools = NamedToolRegistry([double, pair, calculator])
    tools.register(ToolSpec("shut", "", print).with_circuit_breaker(Shut()))
    tools.register(ToolSpec("slow", "", lambda _: time.sleep(1), timeout_s=0.01))

    assert tools.call_sync("double", '{"n": 21}') == "42"
    assert tools.call_sync("double", "21") == "42"
    assert tools.call_sync("pair", '{"b": 2, "a": 1}') == '{"a":1,"b":2}'
    assert tools.call_sync("calculator", "(2 + 3) * 4") == "20"
    with pytest.raises(ToolError.ExecutionFailed, match="tool 'double': Expected `int`, got `str`"):
        tools.call_sync("double", "many")
    with pytest.raises(ToolError.ExecutionFailed, match="Circuit breaker open for 'tool:shut'"):
        tools.call_sync("shut", "")
    with pytest.raises(ToolError.Timeout):
        tools.call_sync("slow", "")
    assert isinstance(tools.get("double"), TextTool)
    assert tools.get("double").as_tool_spec() is double  # type: ignore[union-attr]
    assert [info.description for info in tools.list_sync()][1] == "Twice as much."
    assert tools.stats()[1].arguments == "n: integer"


ONE = {"properties": {"q": {"type": "string"}}, "required": ["q"]}
WHOLE = {"properties": {"n": {"type": "integer"}}, "required": ["n"]}
TWO = {"required": ["a", "b"]}


@pytest.mark.parametrize(
    ("text", "schema", "args"),
    [
        ('{"q": 1}', ONE, {"q": 1}),
        (' {"x": 1} ', ONE, {"x": 1}),
        ("{}", ONE, {}),
        ("plain", ONE, {"q": "plain"}),
        ("", ONE, {"q": ""}),
        ("42", ONE, {"q": "42"}),
        ("[1]", ONE, {"q": "[1]"}),
        ('{"q": 1', ONE, {"q": '{"q": 1'}),
        ("42", WHOLE, {"n": 42}),
        ("many", WHOLE, {"n": "many"}),
        ("x", {"required": ["any"]}, {"any": "x"}),
        ("x", {}, {"input": "x"}),
        ("x", TWO, {"input": "x"}),
        ("[" * 100_000, ONE, {"q": "[" * 100_000}),
        ("\ud800", ONE, {"q": "\ud800"}),
    ],
    ids=range(15),
)
def test_text_becomes_arguments(text: str, schema: dict[str, Any], args: dict[str, Any]) -> None:
    """A JSON object is what it is; other text is the one required field, or the input."""
    assert arguments(text, schema) == args


def test_text_tools_take_json() -> None:
    """Their text is the field input, and nothing else will do."""
    tools = ToolRegistry([CalculatorTool(extended=True), EchoTool(), Uppercase()])

    assert tools.call_sync("calculator", {"input": "2 ** 10"}) == "1024"
    assert tools.call_sync("echo", {"input": '{"not": "read"}'}) == '{"not": "read"}'
    assert tools.call_sync("uppercase", {"input": "x"}) == "X"
    seen = [tools.observe_sync("echo", args).error for args in ({}, {"input": 3})]
    assert seen == [
        "tool 'echo' missing required field 'input'",
        "parameter 'input': expected string, got number",
    ]
    assert as_tool_spec(Uppercase()).arguments() == "input: string"


def test_the_calculator_of_the_front_door() -> None:
    """It takes an expression, gives a number, and its schema says what a sum looks like."""
    field = calculator.schema["properties"]["expression"]

    assert calculator.name == "calculator"
    assert calculator.required_fields == ("expression",)
    assert field == {
        "type": "string",
        "pattern": "^[0-9+*/(). -]{1,40}$",
        "description": "The sum, such as (2 + 3) * 4.",
    }
    assert calculator.call_sync({"expression": "(2 + 3) * 4"}) == 20
    assert calculator("7 / 2") == 3.5
    assert calculator.call_sync({"expression": "1+" * 40 + "1"}) == 41
    assert calculator.inline
    assert calculator.__module__ == "agentlab.tools.builtin"
    with pytest.raises(ToolError.ExecutionFailed, match="division by zero"):
        calculator.call_sync({"expression": "1/0"})
    with pytest.raises(ToolArgumentError, match="Expected `str`"):
        calculator.call_sync({"expression": 3})


def test_reprs() -> None:
    """One line, and the same each time."""
    tools = [EchoTool(), CalculatorTool(), CalculatorTool(extended=True), TimestampTool()]

    assert [repr(each) for each in tools] == [
        "EchoTool()",
        "CalculatorTool()",
        "CalculatorTool(extended=True)",
        "TimestampTool()",
    ]
    assert repr(TextTool(double)) == "<TextTool double(n: integer)>"
