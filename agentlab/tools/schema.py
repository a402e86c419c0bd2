"""JSON schemas of arguments, said in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from agentlab.core.text import clean, cut

MAX_CHARS = 300


def arguments_line(schema: Mapping[str, Any]) -> str:
    """Say which arguments a schema takes, the way a signature would.

    >>> q, limit = {"type": "string"}, {"type": "integer", "default": 3}
    >>> arguments_line({"properties": {"q": q, "limit": limit}, "required": ["q"]})
    'q: string, limit: integer = 3'
    """
    fields = schema.get("properties", {})
    required = schema.get("required", ())
    said = [
        f"{name}: {type_line(field)}{default_line(field, given=name in required)}"
        for name, field in fields.items()
    ]
    return cut(" ".join(clean(", ".join(said)).split()), MAX_CHARS)


def type_line(field: Any) -> str:
    """Name the type of one field.

    >>> type_line({"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]})
    'array of string | null'
    """
    if not isinstance(field, Mapping):
        return "any"
    if "enum" in field:
        return " | ".join(text(value) for value in field["enum"])
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    for several in ("anyOf", "oneOf"):
        if several in field:
            return " | ".join(type_line(each) for each in field[several])
    kind = field.get("type", "any")
    if kind == "array" and field.get("items"):
        return f"array of {type_line(field['items'])}"
    return kind if isinstance(kind, str) else " | ".join(map(str, kind))


def default_line(field: Any, *, given: bool) -> str:
    """Say what holds where the field is left out."""
    if given:
        return ""
    known = isinstance(field, Mapping) and field.get("default") is not None
    return f" = {text(field['default'])}" if known else " (optional)"


def text(value: Any) -> str:
    """Give a value of a schema as JSON, or as it is where it is none."""
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError):
        return repr(value)
