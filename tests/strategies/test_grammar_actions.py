"""How an action is read: an answer, or a name and its arguments, in every way models write it."""

from __future__ import annotations

from typing import Any

import pytest

from agentlab.core.errors import AgentLoopError, ToolArgumentError
from agentlab.strategies.grammar import FinalAnswer, ToolCall, parse_action

ANSWERS = {
    "usual": ("FINAL_ANSWER 42", "42"),
    "empty": ("FINAL_ANSWER", ""),
    "lines": ("final_answer  a\nb ", "a\nb"),
    "on the next line": ("FINAL_ANSWER\n42", "42"),
    "colon": ("FINAL_ANSWER: 42", "42"),
    "one colon only": ("FINAL_ANSWER :: 42", ": 42"),
    "spelled out": ("Final Answer: x", "x"),
    "spelled out, no colon": ("Final Answer x", "x"),
    "capitals": ("FINAL ANSWER: x", "x"),
    "bold": ("**Final Answer:** x", "x"),
    "bold, colon outside": ("**FINAL_ANSWER**: x", "x"),
    "bold line": ("**FINAL_ANSWER x**", "x"),
    "bold inside": ("FINAL_ANSWER **x** and **y**", "**x** and **y**"),
    "a list": ("FINAL_ANSWER: * x\n* y", "* x\n* y"),
    "code": ("FINAL_ANSWER use `x`", "use `x`"),
    "in a fence": ("```\nFINAL_ANSWER x\n```", "x"),
    "with a fence": ("FINAL_ANSWER do\n```py\nx\n```", "do\n```py\nx\n```"),
    "half a fence": ("FINAL_ANSWER x\n```", "x"),
    "JSON": ('FINAL_ANSWER {"a": 1}', '{"a": 1}'),
    "object": ('{"action": "Final Answer", "action_input": "42 "}', "42"),
    "object, data": ('{"name": "final_answer", "args": {"b": 1, "a": 2}}', '{"a":2,"b":1}'),
    "object, nothing": ('{"tool": "FINAL_ANSWER"}', ""),
}


@pytest.mark.parametrize(("action", "text"), ANSWERS.values(), ids=ANSWERS)
def test_answers(action: str, text: str) -> None:
    """The answer is what follows the marker, without the marks around it."""
    assert parse_action(action) == FinalAnswer(text)


CALLS: dict[str, tuple[str, str, Any]] = {
    "not quite an answer": ("FINAL_ANSWERS x", "FINAL_ANSWERS", {"input": "x"}),
    "not quite, spaced": ("Final Answers x", "Final", {"input": "Answers x"}),
    "alone": ("go", "go", {}),
    "object": ('go {"a": 1}', "go", {"a": 1}),
    "object below": ('go\n{"a": 1}', "go", {"a": 1}),
    "object at once": ('go{"a": 1}', "go", {"a": 1}),
    "list": ("go [1]", "go", [1]),
    "number": ("go 12", "go", 12),
    "negative": ("go -1.5", "go", -1.5),
    "null": ("go null", "go", None),
    "true": ("go true", "go", True),
    "string": ('go "a b"', "go", "a b"),
    "almost null": ("go nullable", "go", {"input": "nullable"}),
    "almost true": ("go True", "go", {"input": "True"}),
    "text": ("go to the shop", "go", {"input": "to the shop"}),
    "text, lines": ("go a\n  b\n", "go", {"input": "a\n  b"}),
    "no input": ("go\n", "go", {}),
    "None as input": ("go\nNone", "go", {}),
    "empty object": ("go\n{}", "go", {}),
    "fence": ('go ```json\n{"a": 1}\n```', "go", {"a": 1}),
    "fence on one line": ('go ```json {"a": 1}```', "go", {"a": 1}),
    "fence without a name": ('go ```{"a": 1}```', "go", {"a": 1}),
    "fence round all": ('```\ngo {"a": 1}\n```', "go", {"a": 1}),
    "fenced text": ("run ```python\nx = '{'\ny\n```\nIt works.", "run", {"input": "x = '{'\ny"}),
    "text after": ('go {"a": 1} and that is it', "go", {"a": 1}),
    "JSON after": ('go {"a": 1} {"b": 2}', "go", {"a": 1}),
    "bracket after": ('go {"a": 1}}', "go", {"a": 1}),
    "noise after a number": ("go 12\napples", "go", 12),
    "noise after a string": ('go "a"\nso', "go", "a"),
    "quoted name": ("`go` [1]", "go", [1]),
    "quoted all": ("`go [1]`", "go", [1]),
    "bold name": ("**go** [1]", "go", [1]),
    "name with a colon": ("go: [1]", "go", [1]),
    "literal": ("go {'q': 'x', 'n': None, 'b': True}", "go", {"q": "x", "n": None, "b": True}),
    "literal, mixed": ("go {'a': true, \"b\": None}", "go", {"a": True, "b": None}),
    "literal, quotes": ("go {'q': \"it's\", 'r': 'a\"\\'b'}", "go", {"q": "it's", "r": "a\"'b"}),
    "literal, tuple": ("go {'a': (1, -2.5e3)}", "go", {"a": [1, -2500.0]}),
    "literal, pattern": (r"go {'p': '\d+\.\1'}", "go", {"p": r"\d+\.\1"}),
    "literal, escapes": (r"go {'p': '\x41\n\\'}", "go", {"p": "A\n\\"}),
    "literal, pair": (r"go {'p': '\ud83d\ude00'}", "go", {"p": "\U0001f600"}),
    "trailing comma": ('go {"a": [1, 2,],}', "go", {"a": [1, 2]}),
    "break in a string": ('go {"code": "a\n\tb"}', "go", {"code": "a\n\tb"}),
    "break in a string, no blank": ('go {"a":"b\nc"}', "go", {"a": "b\nc"}),
    "key of another type": ("go {1: 2}", "go", {"1": 2}),
    "call": ('go(key="v", n=2)', "go", {"key": "v", "n": 2}),
    "call, nested": ("go(a=[1, {'b': null}], c = -1)", "go", {"a": [1, {"b": None}], "c": -1}),
    "call, bracket in a text": ("go(a=')', b=\"(\") done", "go", {"a": ")", "b": "("}),
    "call, nothing": ("go()", "go", {}),
    "call, None": ("go(None)", "go", {}),
    "call, object": ('go({"a": 1})', "go", {"a": 1}),
    "call, object, spaced": ('go ({"a": 1})', "go", {"a": 1}),
    "call, list": ("go([1, 2])", "go", [1, 2]),
    "call, number": ("go(7)", "go", 7),
    "call, string": ('go("x")', "go", {"input": "x"}),
    "call, quoted": ("go('x')", "go", {"input": "x"}),
    "call, text": ("go(some text)", "go", {"input": "some text"}),
    "call, apostrophe": ("go(what's up)", "go", {"input": "what's up"}),
    "call, sum": ("calculator(2 + 2)", "calculator", {"input": "2 + 2"}),
    "bracket": ("Search[Colorado orogeny]", "Search", {"input": "Colorado orogeny"}),
    "bracket, number": ("Go[1]", "Go", {"input": "1"}),
    "bracket, nested": ("Go[a [b] it's] c", "Go", {"input": "a [b] it's"}),
    "bracket, inch": ('Go[a 12" screen] c', "Go", {"input": 'a 12" screen'}),
    "not a call": ("go (quickly)", "go", {"input": "(quickly)"}),
    "name, arguments": ('{"name": "go", "arguments": {"a": 1}}', "go", {"a": 1}),
    "tool, args": ('{"tool": "go", "args": [1]}', "go", [1]),
    "action, action_input": ('{"action": "go", "action_input": "x"}', "go", {"input": "x"}),
    "action, input": ('{"action": "go", "input": {"a": 1}}', "go", {"a": 1}),
    "name, parameters": ('{"name": "go", "parameters": {"a": 1}}', "go", {"a": 1}),
    "keys in capitals": ('{"Action": "go", "Action_Input": {"a": 1}}', "go", {"a": 1}),
    "no arguments": ('{"name": "go"}', "go", {}),
    "null arguments": ('{"name": "go", "args": null}', "go", {}),
    "None arguments": ('{"name": "go", "args": "None"}', "go", {}),
    "JSON in JSON": ('{"name": "go", "arguments": "{\\"a\\": 1}"}', "go", {"a": 1}),
    "almost JSON in JSON": ('{"name": "go", "arguments": "{x"}', "go", {"input": "{x"}),
    "object, literal": ("{'name': 'go', 'args': {'a': None}}", "go", {"a": None}),
    "object, fenced": ('```json\n{"name": "go", "args": [1]}\n```', "go", [1]),
    "object, then text": ('{"name": "go", "args": [1]} so', "go", [1]),
    "tool_call": ('{"tool_call": {"name": "go", "args": [1]}}', "go", [1]),
    "tool_calls": ('{"tool_calls": [{"name": "go", "args": [1]}, {"name": "b"}]}', "go", [1]),
    "function": ('{"function": {"name": "go", "arguments": [1]}}', "go", [1]),
    "function of a call": (
        '{"tool_calls": [{"id": "1", "function": {"name": "go", "arguments": "{}"}}]}', "go", {},
    ),
    "list of calls": ('[{"name": "go", "args": [1]}]', "go", [1]),
    "action as an object": ('{"action": {"name": "go", "args": [1]}}', "go", [1]),
    "odd marks": ("\u202ego\u202c [1]", "\u202ego\u202c", [1]),
    "NUL": ("go a\x00b", "go", {"input": "a\x00b"}),
    "a stray bracket": ("(go) now", "(go)", {"input": "now"}),
}  # fmt: skip


@pytest.mark.parametrize(("action", "name", "args"), CALLS.values(), ids=CALLS)
def test_calls(action: str, name: str, args: Any) -> None:
    """A name and its arguments, however they are written."""
    assert parse_action(action) == ToolCall(name, args)


MALFORMED = {
    "open": "go {",
    "no value": 'go {"a": }',
    "two commas": "go [1,,]",
    "number, then text": "go 12 apples",
    "string, then text": 'go "a" and "b"',
    "open string": 'go "a',
    "half": 'go {"a": "b',
    "deep": "go " + "[" * 10_000,
    "deep, and closed": "go " + "[" * 10_000 + "]" * 10_000,
    "deeper than JSON may be": "go " + "[" * 101 + "]" * 101,
    "deep literal": "go " + "['a', " * 150 + "]" * 150,
    "NaN": 'go {"a": NaN}',
    "too large": 'go {"a": 1e999}',
    "too large a literal": "go {'a': 1e999}",
    "too many digits": "go [" + "1" * 5000 + "]",
    "lone surrogate": 'go {"a": "\ud800"}',
    "NUL": 'go {"a": \x00}',
    "set": "go {1, 2}",
    "key of no type": "go {[1]: 2}",
    "expression": "go {'a': 1 + 1}",
    "long expression": "go [1" + " -1" * 30_000 + "]",
    "long chain": "go [" + "[1]" * 30_000 + "]",
    "name in it": "go {'a': b}",
    "call in it": "go {'a': exit()}",
    "bytes": "go {'a': b'x'}",
    "long literal": "go {'a': '" + "x" * 100_000 + "'}",
    "call, open": "go(a=1",
    "call, expression": "go(a=1+1)",
    "call, name": "go(a=b)",
    "call, mixed": 'go("x", n=2)',
    "call, open object": 'go({"a": 1)',
    "bracket, open": "go[a",
    "object": '{"name": "go", "args": {',
    "literal object": "{'tool': 'go', 'args': {[]: 1}}",
}


@pytest.mark.parametrize("action", MALFORMED.values(), ids=MALFORMED)
def test_almost_json(action: str) -> None:
    """What begins like JSON must be JSON, or the literal of it; the error names the tool."""
    with pytest.raises(ToolArgumentError, match=r"^invalid JSON args for tool call 'go': ."):
        parse_action(action)


@pytest.mark.parametrize(
    "action",
    [
        "", " \n", "```", "None", "none", "N/A", "n/a.", "None (direct response required)",
        "None\nNone", "none: I know", "none(x)", "{}", "[]", "[[]]", '{"a": 1}', '{"name": 1}',
        '{"name": "None"}', '{"tool_call": {"tool_call": {"tool_call": {"function": {}}}}}', '""',
    ],
)  # fmt: skip
def test_no_tool(action: str) -> None:
    """Where no tool is named, the model must be told how to answer."""
    with pytest.raises(AgentLoopError, match="could not parse ReAct step from response") as caught:
        parse_action(action)

    assert type(caught.value) is AgentLoopError


@pytest.mark.parametrize("action", ["None", "none (x)", "N/A", "none {}"])
def test_a_tool_of_that_name(action: str) -> None:
    """A tool may have a name that otherwise means none."""
    wanted = parse_action(action, ["NONE", "n/a"])

    assert isinstance(wanted, ToolCall)
    assert wanted.name in ("NONE", "n/a")
