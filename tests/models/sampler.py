"""Texts by chance out of a grammar in GBNF, read by its own rules and no engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random
from typing import Any, TypeAlias

TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>"(?:\\.|[^"\\])*")
    | (?P<set>\[\^?(?:\\.|[^\]\\])*\])
    | (?P<name>[a-zA-Z][a-zA-Z0-9-]*)
    | (?P<count>\{\d+(?:,\d*)?\}|[*+?])
    | (?P<mark>[()|])
    )""",
    re.VERBOSE | re.DOTALL,
)
CHAR = re.compile(r"\\x([0-9a-fA-F]{2})|\\U([0-9a-fA-F]{8})|\\(.)|(.)", re.DOTALL)
NAMED = {"n": "\n", "r": "\r", "t": "\t"}
# Characters that mean something somewhere, and a few that mean nothing.
ODD = "aB z{}[]()<>`'\"\\/:,.*#|-_=\t\n\r\x00\x1f\x7f\x85\u2028\u202e\xa0é\ufeff\U0001f600"
# Runs of characters that mean something to whoever reads a step, by the rule that allows them.
MEANT: dict[str, list[str]] = {
    "free": ["Action: ", "Thought: ", "Observation: ", "FINAL_ANSWER ", "**", " {", "# "],
    "char": [
        "<think>", "</think>", "</p>", "```", "```json", "Action: ", "Thought: ", "}",
        "FINAL_ANSWER 42", "Observation: ", "{", "<tool_call>", "None", "  ", "x(a=1)", "//",
    ],
}  # fmt: skip
MANY = 12
RARELY = 0.1

Node: TypeAlias = tuple[str, Any]


def characters(text: str) -> list[str]:
    """Undo the escapes."""
    return [
        chr(int(x or u, 16)) if x or u else NAMED.get(escaped, escaped) or plain
        for x, u, escaped, plain in CHAR.findall(text)
    ]


class Grammar:
    """The rules of a grammar.

    Raises
    ------
    ValueError
        It is none, or a rule is used that is not there.
    """

    def __init__(self, text: str) -> None:
        self.rules: dict[str, Node] = {}
        used: set[str] = set()
        for line in text.split("\n"):
            name, mark, body = line.partition(" ::= ")
            if not mark or name in self.rules:
                raise ValueError(line)
            tokens = list(tokenised(body))
            used |= {value for kind, value in tokens if kind == "name"}
            self.rules[name] = alternatives(tokens)
            if tokens:
                raise ValueError(line)
        if missing := used - set(self.rules):
            raise ValueError(f"there are no rules {missing}")

    def sample(self, seed: int, name: str = "root") -> str:
        """Give a text, the same one for the same seed."""
        random = Random(seed)  # noqa: S311 - chance that repeats
        return "".join(self._sample(self.rules[name], random, 0))

    def literals(self) -> set[str]:
        """Give every text that stands in it."""
        return {str(value) for rule in self.rules.values() for value in texts(rule)}

    def _sample(self, node: Node, random: Random, depth: int) -> Iterator[str]:
        kind, value = node
        match kind, value:
            case "text", str():
                yield value
            case "set", str():
                yield member(value, random)
            case "name", str():
                yield from self._sample(self.rules[value], random, depth + 1)
            case "or", list():
                yield from self._sample(random.choice(value), random, depth)
            case "all", list():
                for each in value:
                    yield from self._sample(each, random, depth)
            case "times", (inner, least, most):
                few = least if depth > MANY else least + random.choice([0, 0, 1, 1, 2, 5, 40])
                yield from self._times(
                    inner, random, depth, few if most is None else min(few, most)
                )

    def _times(self, inner: Node, random: Random, depth: int, left: int) -> Iterator[str]:
        meant = MEANT.get(inner[1]) if inner[0] == "name" else None
        while left:
            piece = random.choice(meant) if meant and random.random() < RARELY else ""
            if piece and len(piece) <= left:
                yield piece
                left -= len(piece)
            else:
                yield from self._sample(inner, random, depth + 1)
                left -= 1


def tokenised(text: str) -> Iterator[tuple[str, str]]:
    """Cut a rule into its parts."""
    at = 0
    while text[at:].strip():
        found = TOKEN.match(text, at)
        if not found or not found.lastgroup:
            raise ValueError(text[at:])
        at = found.end()
        yield found.lastgroup, found[found.lastgroup]


def alternatives(tokens: list[tuple[str, str]]) -> Node:
    """Read what is separated by ``|``."""
    several = [sequence(tokens)]
    while tokens and tokens[0] == ("mark", "|"):
        tokens.pop(0)
        several.append(sequence(tokens))
    return "or", several


def sequence(tokens: list[tuple[str, str]]) -> Node:
    """Read what stands in a row."""
    row: list[Node] = []
    while tokens and tokens[0] not in (("mark", "|"), ("mark", ")")):
        kind, value = tokens.pop(0)
        if kind == "count":
            row.append(("times", (row.pop(), *bounds(value))))
        elif kind == "mark":
            row.append(alternatives(tokens))
            if not tokens or tokens.pop(0) != ("mark", ")"):
                raise ValueError("a bracket is not closed")
        elif kind == "text":
            row.append(("text", "".join(characters(value[1:-1]))))
        else:
            row.append((kind, value))
    return "all", row


def bounds(text: str) -> tuple[int, int | None]:
    """Read how often."""
    if text in "*+?":
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[text]
    least, comma, most = text[1:-1].partition(",")
    return int(least), int(most) if most else None if comma else int(least)


def spans(text: str) -> tuple[bool, list[tuple[int, int]]]:
    """Read a set: whether it is of those that are left out, and what it names."""
    inside = text[1:-1]
    out = inside.startswith("^")
    found: list[tuple[int, int]] = []
    pieces = [each.group() for each in CHAR.finditer(inside[out:])]
    while pieces:
        low = high = ord(characters(pieces.pop(0))[0])
        if len(pieces) > 1 and pieces[0] == "-":
            pieces.pop(0)
            high = ord(characters(pieces.pop(0))[0])
        found.append((low, high))
    return out, found


def member(text: str, random: Random) -> str:
    """Choose a character of a set."""
    out, named = spans(text)
    if out:
        return random.choice([
            each for each in ODD if not any(low <= ord(each) <= high for low, high in named)
        ])  # fmt: skip
    low, high = random.choice(named)
    inside = [each for each in ODD if low <= ord(each) <= high]
    chosen = chr(random.randint(low, min(high, low + 1000)))
    return random.choice([*inside, chosen]) if not "\ud800" <= chosen <= "\udfff" else "a"


def texts(node: object) -> Iterator[object]:
    """Give every text in a rule."""
    if isinstance(node, tuple) and node and node[0] == "text":
        yield node[1]
    elif isinstance(node, tuple | list):
        for each in node:
            yield from texts(each)
