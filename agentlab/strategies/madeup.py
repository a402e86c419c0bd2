"""Values that fit a schema and look right for their names, for worked examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor
from typing import Any, TypeAlias

from agentlab.models.charclass import bounded_class

Schema: TypeAlias = Mapping[str, Any]
Inner: TypeAlias = Callable[[str, Any], Any]

VALUES = {
    "city": ("Oslo", "Bergen"),
    "country": ("Norway", "Sweden"),
    "name": ("Ada", "Alan"),
    "person": ("Ada", "Alan"),
    "author": ("Ada", "Alan"),
    "date": ("2024-05-01", "2024-06-01"),
    "query": ("snow", "rain"),
    "question": ("snow", "rain"),
    "text": ("hello", "good day"),
    "word": ("hello", "day"),
    "url": ("https://example.org/a", "https://example.org/b"),
    "path": ("a.txt", "b.txt"),
    "file": ("a.txt", "b.txt"),
}
FORMATS = {
    "date": ("2024-05-01", "2024-06-01"),
    "date-time": ("2024-05-01T12:00:00Z", "2024-06-01T12:00:00Z"),
    "time": ("12:00:00Z", "18:00:00Z"),
    "duration": ("PT1H", "PT2H"),
    "decimal": ("2.5", "3.5"),
    "uuid": ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"),
}
WORDS = ("red", "blue")
MAX_DEPTH = 6


def required(schema: Schema) -> dict[str, Any]:
    """Give the arguments that must be there, in order."""
    fields = schema.get("properties") or {}
    return {name: fields[name] for name in fields if name in schema.get("required", ())}


def value(name: str, field: Any, which: int, shared: Schema, depth: int = 0) -> Any:
    """Make up an argument that fits its schema, and looks right for its name.

    What a schema says beyond types, choices, bounds and simple patterns is not heeded.

    Parameters
    ----------
    name : str
        Of the argument.
    field : mapping
        Its schema.
    which : {0, 1}
        The first such value, or another.
    shared : mapping
        What the schema may refer to.
    depth : int
        How many schemas this one is in.
    """

    def inner(name: str, field: Any) -> Any:
        return value(name, field, which, shared, depth + 1)

    if depth > MAX_DEPTH:  # it leads back to itself
        field = {"const": None}
    match field:
        case {"$ref": str(ref)}:
            return inner(name, shared.get(ref.rpartition("/")[2]))
        case {"const": const}:
            return const
        case {"enum": [*values]} if values:
            return values[which % len(values)]
        case {"anyOf": [*several]} | {"oneOf": [*several]} if several:
            return inner(name, simplest(several))
        case {"type": [first, *_]}:
            return inner(name, {**field, "type": first})
    return of_type(name, field if isinstance(field, Mapping) else {}, which, inner)


def of_type(name: str, field: Schema, which: int, inner: Inner) -> Any:
    """Make up a value of the type that the schema names; a text where it names none."""
    match field.get("type", "object" if field.get("properties") else "string"):
        case "array":
            return items(name.removesuffix("s"), field, inner)
        case "object":
            return {each: inner(each, part) for each, part in required(field).items()}
        case "integer" | "number":
            return number(field, which)
        case "boolean":
            return not which
        case "null":
            return None
    return word(name, field, which)


def simplest(several: Sequence[Any]) -> Any:
    """Choose the first schema that does not lead elsewhere, and perhaps back, if there is one."""
    plain = [each for each in several if not (isinstance(each, Mapping) and "$ref" in each)]
    return (plain or several)[0]


def items(name: str, field: Schema, inner: Inner) -> list[Any]:
    """Make up a list: one item, or as many as there must be."""
    if first := field.get("prefixItems"):
        return [inner(name, each) for each in first]
    many = min(max(1, field.get("minItems", 0)), field.get("maxItems", 1 << 30))
    return [inner(name, field.get("items"))] * many


def number(field: Schema, which: int) -> int | float:
    """Make up a number within its bounds.

    >>> number({"type": "integer", "maximum": 5}, 0), number({"type": "number"}, 1)
    (5, 3.5)
    """
    lows, highs = bounds(field, "inimum"), bounds(field, "aximum")
    if field["type"] == "number":
        low, high = max(lows.values(), default=None), min(highs.values(), default=None)
        wanted = 2.5 + which
        if low is not None and high is not None and not low < wanted < high:
            return (low + high) / 2
        if low is not None and wanted <= low:
            return low + 0.5
        return wanted if high is None or wanted < high else high - 0.5
    least = [ceil(each) if is_in else floor(each) + 1 for is_in, each in lows.items()]
    most = [floor(each) if is_in else ceil(each) - 1 for is_in, each in highs.items()]
    return min([max([7 + which, *least]), *most])


def bounds(field: Schema, end: str) -> dict[bool, float]:
    """Give the bounds at one end: that which may be reached (True), that which may not (False)."""
    found = {True: field.get(f"m{end}"), False: field.get(f"exclusiveM{end}")}
    return {
        is_in: each
        for is_in, each in found.items()
        if isinstance(each, int | float) and not isinstance(each, bool)
    }


def word(name: str, field: Schema, which: int) -> str:
    """Make up a text of the right length, out of the right characters as far as that is simple."""
    made = VALUES.get(name.lower().rpartition("_")[2]) or FORMATS.get(field.get("format", ""))
    text: str = (made or WORDS)[which]
    least: int = field.get("minLength", 0)
    most: int = max(least, field.get("maxLength", len(text)))
    if found := bounded_class(field.get("pattern"), most):
        allowed, fewest, limit = found
        least, most = max(least, fewest), min(most, limit)
        text = "".join(each for each in text if allowed.has(each)) or chr(allowed.spans[0][0])
    length = max(least, min(most, len(text)))
    return (text * max(least, 1))[:length]
