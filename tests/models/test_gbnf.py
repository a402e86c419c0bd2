"""Grammars: what can be written by them can be read, and suits the tools."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta

from agentlab.core.text import compact
from agentlab.models.charclass import bounded_class
from agentlab.models.gbnf import react_grammar
from agentlab.strategies.grammar import FinalAnswer, ToolCall, read
from agentlab.tools.builtin import calculator
from agentlab.tools.spec import ToolSpec, tool
from tests.models.sampler import Grammar

SEEDS = st.integers(0, 2**32)


class Unit(enum.Enum):
    """A choice."""

    METRE = "m"
    FOOT = "ft"


@dataclass
class Point:
    """A nested object."""

    x: float
    y: float = 0.0
    label: str | None = None


@dataclass
class Tree:
    """An object that has itself within."""

    value: int
    left: Tree | None = None


@tool
def strings(
    plain: str,
    short: Annotated[str, Meta(max_length=5)],
    long: Annotated[str, Meta(min_length=3, max_length=9)],
    sums: Annotated[str, Meta(pattern=r"^[0-9+*/(). -]{1,40}$")],
    word: Annotated[str, Meta(pattern=r"^[^a-z\]]+$", max_length=12)] = "A",
) -> str:
    """Take texts."""
    return plain + short + long + sums + word


@tool
def numbers(  # noqa: PLR0913, PLR0917 - one of each kind
    any_int: int,
    month: Annotated[int, Meta(ge=1, le=12)],
    around: Annotated[int, Meta(ge=-2, le=2)],
    count: Annotated[int, Meta(ge=0)],
    real: float,
    sure: bool,  # noqa: FBT001 - a tool's argument
    nothing: None = None,
) -> str:
    """Take numbers, and what is no text."""
    return f"{any_int}{month}{around}{count}{real}{sure}{nothing}"


@tool
def choices(
    unit: Unit,
    mode: Literal["a", 'b"c\\', "d\ne"],
    level: Literal[1, 2],
    maybe: int | str | None,
    *,
    both: bool | list[int] = False,
) -> str:
    """Take one of several."""
    return f"{unit}{mode}{level}{maybe}{both}"


@tool
def collections(  # noqa: PLR0913, PLR0917 - one of each kind
    items: list[int],
    pair: tuple[int, str],
    few: Annotated[list[str], Meta(min_length=2, max_length=3)],
    table: dict[str, float],
    points: list[Point],
    tree: Tree,
    anything: Any = None,
) -> str:
    """Take what holds others."""
    return f"{items}{pair}{few}{table}{points}{tree}{anything}"


@tool
def options(*, a: int = 1, b: str = "", c: bool | None = None, d: Point | None = None) -> str:
    """Take what may be left out."""
    return f"{a}{b}{c}{d}"


@tool
def nothing() -> str:
    """Take nothing."""
    return ""


EVERY = (strings, numbers, choices, collections, options, nothing, calculator)


@dataclass
class Loose:
    """A tool as others may make them: nothing in it is checked."""

    name: str
    schema: dict[str, Any] = field(default_factory=dict)
    description: str = ""

    async def call(self, args: Any, /) -> Any:
        """Do nothing."""
        return args


def rules(*tools: Any, **limits: int) -> dict[str, str]:
    """Give the rules of a grammar as texts."""
    lines = react_grammar(tools, **limits).split("\n")
    return {name: body for name, _, body in (line.partition(" ::= ") for line in lines)}


def value(schema: Any) -> str:
    """Give what a grammar has for the only argument of a tool."""
    body = rules(Loose("t", {"properties": {"x": schema}, "required": ["x"]}))["call-1"]
    assert body.startswith('"t " "{" "\\"x\\":" ')
    return body.removeprefix('"t " "{" "\\"x\\":" ').removesuffix(' "}"')


def test_the_whole_text() -> None:
    """Two tools, every rule; the same text each time."""
    population = Loose(
        "population",
        {"properties": {"city": {"type": "string", "maxLength": 40}}, "required": ["city"]},
    )
    calculate = Loose(
        "calculator",
        {
            "properties": {"expression": {"type": "string", "pattern": "^[0-9+*/(). -]{1,40}$"}},
            "required": ["expression"],
        },
    )
    text = react_grammar([calculate, population], thought=120, answer=160)

    assert text.split("\n") == [
        r'root ::= "Thought: " thought "\nAction: " action "\n"?',
        'action ::= "FINAL_ANSWER " answer | call-1 | call-2',
        r"thought ::= digits? [^0-9<`\x00-\x20\x7f] free{0,119} digits? | digits",
        r"answer ::= digits? [^0-9<`\x00-\x20\x7f] free{0,159} digits? | digits",
        "digits ::= [0-9]{1,12}",
        r"free ::= digits? [^0-9<`\x00-\x1f\x7f]",
        r'call-1 ::= "calculator " "{" "\"expression\":" "\"" [ (-+\U0000002d-9]{1,40} "\"" "}"',
        r'char ::= [^"\\\x00-\x1f\x7f] | "\\" ["\\/bfnrt]',
        r'string-40 ::= "\"" char{0,40} "\""',
        r'call-2 ::= "population " "{" "\"city\":" string-40 "}"',
    ]
    assert react_grammar([calculate, population], thought=120, answer=160) == text


def test_without_tools() -> None:
    """Only an answer is left."""
    assert rules(thought=1, answer=0)["action"] == '"FINAL_ANSWER " answer'


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "string"}, "string-200"),
        ({"type": "string", "maxLength": 5000}, "string-200"),
        ({"type": "string", "minLength": 2, "maxLength": 4}, "string-2-4"),
        ({"type": "string", "minLength": 300}, "string-300-300"),
        ({"type": "string", "pattern": "^[a-c]{2}$"}, r'"\"" [a-c]{2,2} "\""'),
        ({"type": "string", "pattern": "^[a-c]+$", "maxLength": 7}, r'"\"" [a-c]{1,7} "\""'),
        ({"type": "string", "pattern": "^[a-c]+$", "minLength": 3}, r'"\"" [a-c]{3,200} "\""'),
        ({"type": "string", "pattern": "^[a-c]{2}$", "minLength": 3}, r'"\"" [a-c]{2,2} "\""'),
        ({"type": "string", "pattern": "^(a|b)$"}, "string-200"),
        ({"enum": ["a", 'b"', 3, None]}, r'("\"a\"" | "\"b\\\"\"" | "3" | "null")'),
        ({"const": {"b": 1, "a": []}}, r'"{\"a\":[],\"b\":1}"'),
        ({"type": "integer"}, "integer"),
        ({"type": "integer", "minimum": 0}, "natural"),
        ({"type": "integer", "minimum": 1, "maximum": 3}, '("1" | "2" | "3")'),
        ({"type": "integer", "minimum": 1, "maximum": 1000}, "natural"),
        ({"type": "integer", "minimum": 3, "maximum": 1}, "natural"),
        ({"type": "integer", "minimum": True, "maximum": 1.5}, "integer"),
        ({"type": "number"}, "number"),
        ({"type": "boolean"}, "boolean"),
        ({"type": "null"}, "null"),
        ({"type": ["integer", "null"]}, "(integer | null)"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "(integer | null)"),
        ({"oneOf": [{"type": "boolean"}]}, "(boolean)"),
        ({"type": "array"}, '"[" (any-3 ("," any-3){0,7})? "]"'),
        (
            {"type": "array", "items": {"type": "null"}, "minItems": 2, "maxItems": 3},
            '"[" null ("," null){1,2} "]"',
        ),
        ({"type": "array", "items": {"type": "null"}, "maxItems": 1}, '"[" (null)? "]"'),
        ({"type": "array", "items": {"type": "null"}, "maxItems": 0}, '"["  "]"'),
        (
            {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "null"}]},
            '"[" integer "," null "]"',
        ),
        ({"type": "object", "additionalProperties": False}, '"{}"'),
        (
            {"type": "object", "additionalProperties": {"type": "null"}},
            '"{" (string-200 ":" null ("," string-200 ":" null){0,7})? "}"',
        ),
        (
            {"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"]},
            r'"{" "\"a\":" null "}"',
        ),
        (
            {"type": "object", "properties": {"b": {"type": "null"}, "a": {"type": "null"}}},
            r'"{" ("\"b\":" null ("," "\"a\":" null)? | "\"a\":" null)? "}"',
        ),
        (
            {
                "type": "object",
                "properties": {"b": {"type": "null"}, "a": {"type": "null"}},
                "required": ["a"],
            },
            r'"{" "\"a\":" null ("," "\"b\":" null)? "}"',
        ),
        (
            {"properties": {"a": {"type": "null"}}, "required": ["a"]},  # whose type goes unsaid
            r'"{" "\"a\":" null "}"',
        ),
        ({}, "any-3"),
        (True, "any-3"),
        ({"type": "odd"}, "any-3"),
        ({"enum": [], "anyOf": []}, "any-3"),
    ],
)
def test_every_kind(schema: Any, text: str) -> None:
    """What a schema says is in the grammar; what cannot be said in one is left to the tool."""
    assert value(schema) == text


def test_references_lead_to_rules() -> None:
    """Also to themselves; and two tools may have different ones of the same name."""
    inner = {"next": {"anyOf": [{"$ref": "#/$defs/N"}, {"type": "null"}]}}
    node = {"type": "object", "properties": inner}
    one = Loose("one", {"properties": {"n": {"$ref": "#/$defs/N"}}, "$defs": {"N": node}})
    two = Loose(
        "two", {"properties": {"n": {"$ref": "#/$defs/N"}}, "$defs": {"N": {"type": "boolean"}}}
    )
    found = rules(one, two)
    refs = {name: body for name, body in found.items() if name.startswith("ref-")}

    (recursive, plain) = refs
    assert refs[recursive] == rf'"{{" ("\"next\":" ({recursive} | null))? "}}"'
    assert refs[plain] == "boolean"
    assert recursive in found["call-1"]
    assert plain in found["call-2"]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^[a-z]$", "[a-z]{1,1}"),
        (r"^[\d.]*$", r"[.0-9]{0,99}"),
        (r"^[\w-]{2,}$", r"[\U0000002d0-9A-Z_a-z]{2,99}"),
        (r"^[\]\\^]?$", r"[\U0000005d-\U0000005e]{0,1}"),
        ('^["a]+$', "[a]{1,99}"),
        (r"^[c-ea-d]{3}$", "[a-e]{3,3}"),
        (r"^[^ -~]+$", r"[\U00000080-\U0010ffff]{1,99}"),
    ],
)
def test_patterns(pattern: str, text: str) -> None:
    """One class and a count is all that is read; what JSON would escape is left out."""
    found = bounded_class(pattern, 99)

    assert found is not None
    chars, least, most = found
    assert f"{chars.as_gbnf()}{{{least},{most}}}" == text


@pytest.mark.parametrize(
    "pattern",
    [
        "[a-z]+", "^[a-z]+", "^a$", "^[a-z]{3}[0-9]$", r"^[\D]$", r"^[\n]$", "^[z-a]$", "^[]$",
        '^["]$', "^[a]{5,2}$", "^.*$", "^[a]{300}$", None, 3,
    ],
)  # fmt: skip
def test_other_patterns(pattern: object) -> None:
    """None other is guessed at."""
    assert bounded_class(pattern, 200) is None


def check(text: str, tools: Sequence[ToolSpec]) -> None:
    """Read a step, and have the tool look at its arguments."""
    step, wanted = read(text, [each.name for each in tools])
    thought, _, action = text.rstrip("\n").partition("\nAction: ")

    assert step.thought == thought.removeprefix("Thought: ").strip()
    if action.startswith("FINAL_ANSWER "):
        assert wanted == FinalAnswer(action.removeprefix("FINAL_ANSWER ").strip())
        return
    name, _, args = action.partition(" ")
    assert wanted == ToolCall(name, json.loads(args))
    next(each for each in tools if each.name == name).check(json.loads(args))


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.name)
def test_what_it_allows_a_tool_takes(each: ToolSpec) -> None:
    """Whatever is written by the grammar is read as a call, and its arguments fit the tool."""
    grammar = Grammar(react_grammar([each]))
    for seed in range(300):
        call = grammar.sample(seed, "call-1")
        check(f"Thought: t\nAction: {call}", [each])


@given(SEEDS, st.lists(st.sampled_from(EVERY), unique_by=lambda each: each.name))
@settings(max_examples=300)
def test_what_it_allows_is_read(seed: int, tools: list[ToolSpec]) -> None:
    """Whole steps: a call of a tool that there is, or the answer, and nothing lost of either."""
    text = Grammar(react_grammar(tools)).sample(seed)

    check(text, tools)


@given(SEEDS, st.integers(1, 30), st.integers(1, 30))
def test_limits(seed: int, thought: int, answer: int) -> None:
    """A line has at most so many characters besides digits, and no number is endless."""
    text = Grammar(react_grammar([], thought=thought, answer=answer)).sample(seed)
    first, _, second = text.rstrip("\n").partition("\nAction: FINAL_ANSWER ")

    for line, limit in ((first.removeprefix("Thought: "), thought), (second, answer)):
        assert line.isdigit() or 0 < sum(each not in "0123456789" for each in line) <= limit
        assert not re.search("[0-9]{13}", line)
        assert "\n" not in line


NAMES = st.one_of(
    st.text(min_size=1),
    st.sampled_from([
        'x" | "rm', "a\nroot ::= [^x]*", "\\", '\\"', '"', "]", "[a-z]", "x\\", "(", "root",
        "call-1", "a\r\nb", "\x7f", "\t", "e\u0301", "#", "::=", "{2,3}",
    ]),
)  # fmt: skip


@given(NAMES, NAMES, NAMES)
@settings(max_examples=300)
def test_names_stay_names(name: str, field_name: str, choice: str) -> None:
    """Whatever a tool, an argument or a choice is called, it is a text in the same rules."""
    if not all(map(encodable, (field_name, choice))):
        return
    schema = {"properties": {field_name: {"enum": [choice]}}, "required": [field_name]}
    hostile = react_grammar([Loose(name, schema, description='"\nroot ::= "x"')])
    plain = {"properties": {"f": {"enum": ["c"]}}, "required": ["f"]}
    harmless = Grammar(react_grammar([Loose("n", plain)]))
    grammar = Grammar(hostile)

    assert list(grammar.rules) == list(harmless.rules)
    written = f"{name} {{{compact(field_name)}:{compact(choice)}}}"
    assert grammar.sample(1, "call-1") == written
    assert f"{name} " in grammar.literals()


def encodable(text: str) -> bool:
    """Tell whether a text can be written as JSON at all."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.parametrize("make", [lambda: "a", lambda: ["x"]])
def test_descriptions_are_not_in_it(make: Callable[[], object]) -> None:
    """Neither a tool's nor an argument's; nor what else a schema says of itself."""
    said = {"description": "CANARY", "title": "CANARY", "default": make(), "examples": ["CANARY"]}
    schema = {"properties": {"a": {"type": "string", **said}}, **said}

    assert "CANARY" not in react_grammar([Loose("t", schema, "CANARY")])
