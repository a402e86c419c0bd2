"""How the signature of a function becomes the schema of a tool, and the check of its arguments.

The parameters become the fields of a struct: one definition gives the JSON schema, the types that
arguments are checked against, and the Python values the function is called with.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, UnsetType

from agentlab.core.errors import InvalidValue, ToolArgumentError
from agentlab.tools.docstring import parameters, summary

UNKNOWN = re.compile(r"Object contains unknown field `[^`]*`")
CHOICE = re.compile(r"Invalid enum value .* - at `\$\.(\w+)`", re.DOTALL)


class Signature:
    """A function that takes its arguments as one JSON object.

    >>> def repeat(word: str, times: int = 2) -> str:
    ...     return word * times
    >>> Signature(repeat)({"word": "no"})
    'nono'

    Parameters
    ----------
    fn : callable
        The function. Each parameter must be one that can be given by name.
    name : str, optional
        What to call it; by default what it is called.
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None) -> None:
        self.fn = fn
        self.name = name or name_of(fn)
        self._doc = inspect.getdoc(unwrapped(fn)) or ""
        self._parameters = self._read_parameters()
        self.required = tuple(p.name for p in self._parameters if p.default is p.empty)
        self._struct = self._define()
        self.schema = self._describe()

    def __call__(self, given: Any) -> Any:
        """Call the function with the fields of ``given``."""
        return self.fn(**self.arguments(given))

    @cached_property
    def description(self) -> str:
        """The first paragraph of the docstring."""
        return summary(self._doc)

    def arguments(self, given: Any) -> dict[str, Any]:
        """Give the keyword arguments for a JSON object; what is left out is left to the function.

        Raises
        ------
        ToolArgumentError
            They do not fit the signature.
        """
        try:
            values = msgspec.structs.asdict(msgspec.convert(given, self._struct))
        except msgspec.ValidationError as error:
            said = f"tool '{self.name}': {error}"
            raise ToolArgumentError(f"{said}{self._remedy(str(error))}") from None
        return {name: value for name, value in values.items() if value is not UNSET}

    def _remedy(self, said: str) -> str:
        """Say what would have done, where the check itself does not."""
        fields = self.schema["properties"]
        if UNKNOWN.fullmatch(said):
            return f": it takes {', '.join(fields) or 'nothing'}"
        found = CHOICE.fullmatch(said)
        choices = fields.get(found[1], {}).get("enum", ()) if found else ()
        return f": it is one of {', '.join(map(repr, choices))}" if choices else ""

    def _read_parameters(self) -> list[inspect.Parameter]:
        try:
            found = list(inspect.signature(self.fn).parameters.values())
        except (TypeError, ValueError):  # some built-ins hide their signature
            raise InvalidValue(
                f"tool '{self.name}': it has no signature to read; wrap it in a function"
            ) from None
        named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        if odd := [str(p) for p in found if p.kind not in named]:
            raise InvalidValue(f"tool '{self.name}': {', '.join(odd)} cannot be given by name")
        return found

    def _define(self) -> type[msgspec.Struct]:
        hints = self._hints()
        fields: list[Any] = []
        for p in self._parameters:
            hint = hints.get(p.name, Any)
            if p.default is p.empty:
                fields.append((p.name, hint))
            else:  # the default stays the function's own; None is always allowed where it is one
                also = (None,) if p.default is None else ()
                fields.append((p.name, Union[(hint, *also, UnsetType)], UNSET))
        return msgspec.defstruct(self.name, fields, kw_only=True, forbid_unknown_fields=True)

    def _hints(self) -> dict[str, Any]:
        try:
            return get_type_hints(unwrapped(self.fn), include_extras=True)
        except (NameError, TypeError) as error:
            raise InvalidValue(
                f"tool '{self.name}': its annotations cannot be read ({error}):"
                " define its types at the top of the module"
            ) from None

    def _describe(self) -> dict[str, Any]:
        try:
            (reference,), shared = msgspec.json.schema_components([self._struct])
        except (NameError, TypeError) as error:
            why = " ".join(str(error).split())
            raise InvalidValue(
                f"tool '{self.name}': a parameter is of a type that JSON cannot express ({why})"
            ) from None
        schema: dict[str, Any] = shared.pop(reference["$ref"].rpartition("/")[2])
        said = parameters(self._doc) | dict(notes(self._hints()))
        for p in self._parameters:
            field = schema["properties"][p.name]
            if p.name in said:
                field.setdefault("description", said[p.name])
            if p.default is not p.empty and is_json(p.default):
                field["default"] = p.default
        return {**schema, "$defs": shared} if shared else schema


def notes(hints: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """Find what ``Annotated[type, "text"]`` says of a parameter."""
    for name, hint in hints.items():
        if get_origin(hint) is Annotated:
            yield from ((name, each) for each in get_args(hint)[1:] if isinstance(each, str))


def unwrapped(fn: Callable[..., Any]) -> Any:
    """Give whatever has the annotations and the docstring of ``fn``."""
    while isinstance(fn, partial):
        fn = fn.func
    return fn if inspect.isroutine(fn) or inspect.isclass(fn) else type(fn).__call__


def name_of(fn: Callable[..., Any]) -> str:
    """Give what ``fn`` is called."""
    while isinstance(fn, partial):
        fn = fn.func
    return str(getattr(fn, "__name__", type(fn).__name__))


def is_json(value: object) -> bool:
    """Tell whether a default can stand in a schema."""
    try:
        return bool(msgspec.json.decode(msgspec.json.encode(value)) == value)
    except (TypeError, ValueError):
        return False
