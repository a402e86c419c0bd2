"""JSON, and Python literals where a model wrote those instead."""

from __future__ import annotations

import ast
import re
from typing import Any

import msgspec

from agentlab.core.errors import InvalidValue
from agentlab.core.text import MAX_DEPTH, canonical

MAX_LITERAL = 100_000  # characters that the parser of Python may be given

# Whole texts, words, numbers and marks; nothing that could chain into an expression.
TOKEN = re.compile(
    r"""("(?:[^"\\]++|\\.)*+"|'(?:[^'\\]++|\\.)*+')"""
    r"|([^\W\d]\w*+)(\s*+=(?!=))?"
    r"|-?\d++(?:\.\d*+)?(?:[eE][+-]?\d++)?(?!\s*+[\w.+-])"
    r"|[\])}](?!\s*+[\w\[({\"'-])"
    r"|[\[({,:\s]",
    re.DOTALL,
)
ESCAPE = re.compile(r"""(\\[\\'"abfnrtvxuUN0])|\\""")
WORDS = {"True": "True", "False": "False", "None": "None",
         "true": "True", "false": "False", "null": "None"}  # fmt: skip


def decode(text: str) -> Any:
    """Read one JSON value, or the Python literal of one.

    >>> decode("{'a': None, 'b': (1, 2)}")
    {'a': None, 'b': [1, 2]}

    Raises
    ------
    InvalidValue
        It is neither, or nested too deeply; the reason is that of JSON.
    """
    try:
        return from_json(text)
    except InvalidValue as error:
        reason = error
    try:
        return literal(text)
    except InvalidValue:
        raise reason from None


def from_json(text: str) -> Any:
    """Read one JSON value.

    Raises
    ------
    InvalidValue
        It is not JSON, or nested too deeply.
    """
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise InvalidValue(str(error)) from None
    deep = len(text) > MAX_DEPTH and text.count("{") + text.count("[") > MAX_DEPTH
    return canonical(value) if deep else value


def literal(text: str, *, keywords: bool = False) -> Any:
    """Read a Python literal; with ``keywords``, what stands between the brackets of a call.

    A line break inside a text is taken as one, and an escape that Python does not know as the
    two characters it is: models write both.

    >>> literal("q='x', n=2", keywords=True)
    {'q': 'x', 'n': 2}

    Raises
    ------
    InvalidValue
        It is none, or longer than 100,000 characters.
    """
    if len(text) > MAX_LITERAL:
        raise InvalidValue(f"a literal of {len(text)} characters is too long")
    source = _tokens(text, keywords=keywords)
    try:
        value = ast.literal_eval(f"{{{source}}}" if keywords else source.strip())
    except (SyntaxError, TypeError, ValueError, MemoryError, RecursionError) as error:
        raise InvalidValue(f"not a literal: {error}") from None
    if _has_set(value):
        raise InvalidValue("a set is not JSON")
    return canonical(value)


def _tokens(text: str, *, keywords: bool) -> str:
    parts, at = [], 0
    while token := TOKEN.match(text, at):
        quoted, word, equals = token.groups()
        if quoted:
            parts.append(_string(quoted))
        elif equals and keywords:
            parts.append(f'"{word}":')
        elif word and (equals or word not in WORDS):
            break
        else:
            parts.append(WORDS[word] if word else token[0])
        at = token.end()
    if at != len(text):
        raise InvalidValue(f"not a literal from character {at} on")
    return "".join(parts)


def _string(quoted: str) -> str:
    quoted = ESCAPE.sub(lambda escape: escape[1] or r"\\", quoted)
    return quoted.replace("\r", r"\r").replace("\n", r"\n")


def _has_set(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_set, value.values()))
    return isinstance(value, set) or (isinstance(value, list | tuple) and any(map(_has_set, value)))
