r"""Grammars in GBNF, so that what a small model writes can be read, whatever it means.

A grammar is made from the names and schemas of the tools, and from nothing else: it is text, the
same text each time, and needs no engine. What a schema says beyond types, ranges, choices and
simple patterns is left to the tool to check.

>>> class Population:
...     name, description = "population", "People living in a city."
...     schema = {"properties": {"city": {"type": "string", "maxLength": 40}}, "required": ["city"]}
>>> print(react_grammar([Population()]))
root ::= "Thought: " thought "\nAction: " action "\n"?
action ::= "FINAL_ANSWER " answer | call-1
...
call-1 ::= "population " "{" "\"city\":" string-40 "}"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from agentlab.core.protocols import Tool
from agentlab.core.text import compact
from agentlab.models.charclass import CharClass, bounded_class

DIGITS = 12  # in a row; a small model does not stop by itself
MAX_STRING = 200
MAX_ITEMS = 8
MAX_CHOICES = 100  # of an integer's range, spelt out
MAX_DEPTH = 3  # of a value of any kind
ESCAPE = r'"\\" ["\\/bfnrt]'
PLAIN = r'[^"\\\x00-\x1f\x7f]'
FREE = r"[^0-9<`\x00-\x1f\x7f]"  # neither a digit nor the start of a tag or a fence
FREE_START = r"[^0-9<`\x00-\x20\x7f]"
COLON = '":"'
NATURAL = f'"0" | [1-9] [0-9]{{0,{DIGITS - 1}}}'
SIMPLE = {
    "number": f'"-"? natural ("." [0-9]{{1,{DIGITS}}})?',
    "boolean": '"true" | "false"',
    "null": '"null"',
}

Schema: TypeAlias = Mapping[str, Any]


def react_grammar(tools: Sequence[Tool], *, thought: int = 120, answer: int = 160) -> str:
    """Give the grammar of one step: a thought, then a call of one of ``tools`` or the answer.

    Parameters
    ----------
    tools : sequence of Tool
        What may be called.
    thought, answer : int
        How many characters each may have, not counting digits.
    """
    rules = Rules()
    calls = [rules.named(f"call-{n}", rules.call(each)) for n, each in enumerate(tools, start=1)]
    head = {
        # A base model ends by a new line.
        "root": '"Thought: " thought "\\nAction: " action "\\n"?',
        "action": " | ".join(['"FINAL_ANSWER " answer', *calls]),
        "thought": line(thought),
        "answer": line(answer),
        "digits": f"[0-9]{{1,{DIGITS}}}",
        "free": f"digits? {FREE}",
    }
    return "\n".join(f"{name} ::= {body}" for name, body in {**head, **rules.bodies}.items())


def line(limit: int) -> str:
    """Give a line of text in which no number has more than :data:`DIGITS` digits."""
    return f"digits? {FREE_START} free{{0,{max(limit - 1, 0)}}} digits? | digits"


def literal(text: str) -> str:
    r"""Quote ``text``.

    >>> print(literal('say "a"'))
    "say \"a\""
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


class Rules:
    """The rules that a grammar needs for its values, each written once."""

    def __init__(self) -> None:
        self.bodies: dict[str, str] = {}
        self._shared: dict[str, str] = {}

    def named(self, name: str, body: str) -> str:
        """Write a rule, and give its name."""
        self.bodies[name] = body
        return name

    def call(self, tool: Tool) -> str:
        """Give a tool's name and its arguments, which are always an object."""
        schema = {"type": "object", **tool.schema}
        self.forget()
        return f"{literal(f'{tool.name} ')} {self.value(schema, schema.get('$defs', {}))}"

    def forget(self) -> None:
        """Begin with another tool: what one calls P is no business of the next."""
        self._shared = {}

    def value(self, schema: Any, shared: Schema) -> str:
        """Give what ``schema`` allows."""
        match schema:
            case {"$ref": str(ref)}:
                return self._reference(ref.rpartition("/")[2], shared)
            case {"const": const}:
                return literal(compact(const))
            case {"enum": [*values]} if values:
                return one_of(literal(compact(each)) for each in values)
            case {"anyOf": [*several]} | {"oneOf": [*several]} if several:
                return one_of(self.value(each, shared) for each in several)
            case {"type": [*kinds]} if kinds:
                return one_of(self.value({**schema, "type": each}, shared) for each in kinds)
        return self._of_type(schema if isinstance(schema, Mapping) else {}, shared)

    def _of_type(self, schema: Schema, shared: Schema) -> str:
        match schema.get("type", "object" if schema.get("properties") else None):
            case "object":
                return self._object(schema, shared)
            case "array":
                return self._array(schema, shared)
            case "string":
                return self._string(schema)
            case "integer":
                return self._integer(schema)
            case str(kind) if kind in SIMPLE:
                return self._simple(kind)
        return self._any()

    def _simple(self, kind: str) -> str:
        self.named("natural", NATURAL)
        return self.named(kind, SIMPLE[kind])

    def _reference(self, name: str, shared: Schema) -> str:
        if name not in self._shared:
            rule = self._shared[name] = f"ref-{len(self.bodies) + 1}"
            self.named(rule, "")  # first, for it may lead back to itself
            self.named(rule, self.value(shared.get(name, {}), shared))
        return self._shared[name]

    def _object(self, schema: Schema, shared: Schema) -> str:
        fields: Mapping[str, Any] = schema.get("properties") or {}
        if not fields:
            return self._map(schema, shared)
        pairs = {
            name: f"{literal(compact(name) + ':')} {self.value(field, shared)}"
            for name, field in fields.items()
        }
        required = schema.get("required", ())
        must = [pair for name, pair in pairs.items() if name in required]
        may = [pair for name, pair in pairs.items() if name not in required]
        if must:
            inside = ' "," '.join(must) + "".join(f' ("," {pair})?' for pair in may)
        else:
            inside = f"({optional(may)})?"
        return f'"{{" {inside} "}}"'

    def _map(self, schema: Schema, shared: Schema) -> str:
        more = schema.get("additionalProperties", True)
        if more is False:
            return '"{}"'
        value = self._any() if more is True else self.value(more, shared)
        pair = f"{self._string({})} {COLON} {value}"
        return f'"{{" {listed(pair, 0, MAX_ITEMS)} "}}"'

    def _array(self, schema: Schema, shared: Schema) -> str:
        if first := schema.get("prefixItems"):
            inside = ' "," '.join(self.value(each, shared) for each in first)
        else:
            least = schema.get("minItems", 0)
            most = max(least, min(schema.get("maxItems", MAX_ITEMS), MAX_ITEMS))
            inside = listed(self.value(schema.get("items", {}), shared), least, most)
        return f'"[" {inside} "]"'

    def _string(self, schema: Schema) -> str:
        least = schema.get("minLength", 0)
        most = max(least, min(schema.get("maxLength", MAX_STRING), MAX_STRING))
        if allowed := bounded_class(schema.get("pattern", ""), most):
            chars, fewest, limit = allowed
            return self._of_class(chars, min(max(least, fewest), limit), limit)
        self.named("char", f"{PLAIN} | {ESCAPE}")
        name = f"string-{least}-{most}" if least else f"string-{most}"
        return self.named(name, f'"\\"" char{{{least},{most}}} "\\""')

    def _of_class(self, chars: CharClass, least: int, most: int) -> str:
        inner = chars.as_gbnf()
        return f'"\\"" {inner}{{{least},{most}}} "\\""'

    def _integer(self, schema: Schema) -> str:
        low, high = whole(schema.get("minimum")), whole(schema.get("maximum"))
        if low is not None and high is not None and 0 <= high - low < MAX_CHOICES:
            return one_of(literal(str(n)) for n in range(low, high + 1))
        self.named("natural", NATURAL)
        if low is not None and low >= 0:
            return "natural"
        return self.named("integer", '"-"? natural')

    def _any(self, depth: int = MAX_DEPTH) -> str:
        name = f"any-{depth}"
        if name not in self.bodies:
            plain = [self._string({}), *map(self._simple, SIMPLE)]
            if depth:
                inner = self._any(depth - 1)
                pair = f"{self._string({})} {COLON} {inner}"
                plain.append(f'"[" {listed(inner, 0, MAX_ITEMS)} "]"')
                plain.append(f'"{{" {listed(pair, 0, MAX_ITEMS)} "}}"')
            self.named(name, " | ".join(plain))
        return name


def one_of(choices: Any) -> str:
    """Give alternatives, as one thing that can stand in a sequence."""
    return f"({' | '.join(choices)})"


def listed(item: str, least: int, most: int) -> str:
    """Give ``least`` to ``most`` items, separated by commas."""
    if most == 0:
        return ""
    more = f' ("," {item}){{{max(least - 1, 0)},{most - 1}}}' if most > 1 else ""
    some = f"{item}{more}"
    return some if least else f"({some})?"


def optional(pairs: Sequence[str]) -> str:
    """Give some of the pairs, at least one, in their order."""
    tails = [""]
    for pair in reversed(pairs[1:]):
        tails.append(f'("," {pair})? {tails[-1]}'.strip())
    return " | ".join(
        f"{pair} {tail}".strip() for pair, tail in zip(pairs, reversed(tails), strict=True)
    )


def whole(bound: object) -> int | None:
    """Give a bound of an integer, where there is one that can be used."""
    return bound if isinstance(bound, int) and not isinstance(bound, bool) else None
