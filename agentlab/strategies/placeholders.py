"""Names in angle brackets that stand in arguments for what is known later."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from agentlab.core.errors import InvalidValue
from agentlab.core.text import canonical, compact
from agentlab.strategies.literals import from_json

# A string of JSON, within which placeholders may stand, or a placeholder in place of a value.
PLACEHOLDER = re.compile(r"<([A-Za-z0-9_][A-Za-z0-9_.-]*+)>")
PART = re.compile(r'"(?:[^"\\]++|\\.)*+"|<[A-Za-z0-9_][A-Za-z0-9_.-]*+>', re.DOTALL)


def bind(text: str, bindings: Mapping[str, Any], *, outputs: bool = False) -> str:
    r"""Put values in their places in a text of JSON, so that it stays JSON.

    Within a string a value is written as text, and escaped; elsewhere it is JSON itself. What has
    no value stays as it is, and what a value says is not looked through again. With ``outputs`` a
    text that is JSON is that JSON where it stands for a value: a tool's 42 is a number.

    >>> bind('{"q": "about <who>", "n": <n>}', {"who": 'the "A"', "n": 3})
    '{"q": "about the \\"A\\"", "n": 3}'
    """

    def inside(found: re.Match[str]) -> str:
        value = bindings.get(found[1], found[0])
        value = value if isinstance(value, str) else compact(canonical(value))
        return compact(canonical(value))[1:-1]

    def part(found: re.Match[str]) -> str:
        whole = found[0]
        if whole.startswith('"'):
            return PLACEHOLDER.sub(inside, whole)
        name = whole[1:-1]
        return as_json(bindings[name], outputs=outputs) if name in bindings else whole

    return PART.sub(part, text)


def as_json(value: Any, *, outputs: bool) -> str:
    """Write a value as JSON."""
    if outputs and isinstance(value, str):
        try:
            return compact(from_json(value))
        except InvalidValue:
            pass
    return compact(canonical(value))


def placeholders(text: str) -> Iterator[str]:
    """Name those that stand in a text, in order; each as often as it does."""
    return (found[1] for found in PLACEHOLDER.finditer(text))


def unbound(texts: Collection[str], known: Collection[str] = ()) -> list[str]:
    """Name the placeholders of several texts that have no value, each once, in order."""
    named = (name for text in texts for name in placeholders(text))
    return [name for name in dict.fromkeys(named) if name not in known]
