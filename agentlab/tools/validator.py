"""Small schemas, and the check of a call against them before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from agentlab.core.doors import Displayable
from agentlab.core.errors import InvalidValue, ValidationError
from agentlab.core.portable import Portable
from agentlab.core.registry import Registry
from agentlab.tools.schema import arguments_line


class ParameterTypeHint(StrEnum):
    """What a parameter may be."""

    String = "string"
    Number = "number"
    Boolean = "boolean"
    Array = "array"
    Object = "object"
    Any = "any"

    def fits(self, value: object) -> bool:
        """Tell whether ``value`` is one; a truth value is no number.

        >>> ParameterTypeHint.Number.fits(1.5), ParameterTypeHint.Number.fits(True)
        (True, False)
        """
        return self is ParameterTypeHint.Any or type_name(value) == self.value


@dataclass(frozen=True)
class ParameterSpec(Portable, Displayable):
    """One parameter: make it with :meth:`required` or :meth:`optional`."""

    name: str
    hint: ParameterTypeHint
    description: str = ""
    is_required: bool = True

    def __post_init__(self) -> None:
        if not self.name:
            raise InvalidValue(f"a parameter cannot be named {self.name!r}")
        object.__setattr__(self, "hint", as_hint(self.hint))

    def __repr__(self) -> str:
        optional = "" if self.is_required else " (optional)"
        return f"<ParameterSpec {self.name!r}: {self.hint}{optional}>"

    @classmethod
    def required(cls, name: str, hint: ParameterTypeHint, description: str = "") -> ParameterSpec:
        """Make one that must be there."""
        return cls(name, hint, description)

    @classmethod
    def optional(cls, name: str, hint: ParameterTypeHint, description: str = "") -> ParameterSpec:
        """Make one that may be left out; null is left out."""
        return cls(name, hint, description, is_required=False)

    def is_missing(self, args: Mapping[str, Any]) -> bool:
        """Tell whether it is required and not there."""
        return self.is_required and self.name not in args

    def mismatch(self, args: Mapping[str, Any]) -> ValidationError | None:
        """Say what is wrong with its value, if it is there and wrong."""
        value = args.get(self.name)
        left_out = self.name not in args or (value is None and not self.is_required)
        if left_out or self.hint.fits(value):
            return None
        return ValidationError.TypeMismatch(self.name, self.hint.value, type_name(value))

    def to_json_schema(self) -> dict[str, Any]:
        """Give it as the property of a JSON schema."""
        kind = {} if self.hint is ParameterTypeHint.Any else {"type": self.hint.value}
        return {**kind, "description": self.description} if self.description else kind


@dataclass(frozen=True, repr=False)
class ToolSchema(Portable, Displayable):
    """What a tool takes.

    >>> query = ParameterSpec.required("query", ParameterTypeHint.String, "What to look for.")
    >>> limit = ParameterSpec.optional("limit", ParameterTypeHint.Number, "How many at most.")
    >>> ToolSchema("search", "Look things up.", [query, limit])
    <ToolSchema search(query: string, limit: number (optional))>

    Parameters
    ----------
    name : str
        The tool.
    description : str
        What it does.
    params : iterable of ParameterSpec
        What it takes; no two have the same name.
    """

    name: str
    description: str = ""
    params: tuple[ParameterSpec, ...] = ()

    def __post_init__(self) -> None:
        params = tuple(self.params)
        names = [each.name for each in params]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise InvalidValue(f"schema {self.name!r} has two parameters named {twice[0]!r}")
        object.__setattr__(self, "params", params)

    def __repr__(self) -> str:
        return f"<ToolSchema {self.name}({arguments_line(self.to_json_schema())})>"

    def with_param(self, param: ParameterSpec) -> ToolSchema:
        """Give this schema with one more parameter."""
        return replace(self, params=(*self.params, param))

    def errors(self, args: Any) -> list[ValidationError]:
        """List all that is wrong with ``args``, in the order of the parameters."""
        if not isinstance(args, Mapping):
            args = {}
        found = [
            ValidationError.MissingRequired(each.name)
            if each.is_missing(args)
            else each.mismatch(args)
            for each in self.params
        ]
        return [each for each in found if each]

    def validate(self, args: Any) -> None:
        """Raise what is wrong with ``args`` first: what is missing before what does not fit.

        Raises
        ------
        ValidationError
            Something is.
        """
        found = self.errors(args)
        missing = [each for each in found if isinstance(each, ValidationError.MissingRequired)]
        if found:
            raise (missing or found)[0]

    def to_json_schema(self) -> dict[str, Any]:
        """Give it as a JSON schema, with the name as its title."""
        schema = {
            "title": self.name,
            "description": self.description,
            "type": "object",
            "properties": {each.name: each.to_json_schema() for each in self.params},
            "required": [each.name for each in self.params if each.is_required],
        }
        return {key: part for key, part in schema.items() if part or key in {"title", "properties"}}

    @classmethod
    def from_json_schema(
        cls, schema: Mapping[str, Any], *, name: str | None = None, description: str | None = None
    ) -> ToolSchema:
        """Read what the small form can say of a JSON schema; the rest of it allows anything."""
        required = schema.get("required", ())
        params = [
            ParameterSpec(field_name, hint_of(part), description_of(part), field_name in required)
            for field_name, part in schema.get("properties", {}).items()
        ]
        title = schema.get("title", "") if name is None else name
        said = schema.get("description", "") if description is None else description
        return cls(title, said, tuple(params))


@dataclass(frozen=True)
class ToolCall(Portable, Displayable):
    """A call that somebody wants to make."""

    tool_name: str
    arguments: Any = field(default_factory=dict, hash=False)


class SchemaValidator(Displayable):
    """Checks calls against the schemas it knows. Keys that no schema declares are ignored.

    It may stand among the validators of a ``ToolSpec``: there it checks the arguments of that
    tool, by the schema it has of that name when the call comes.

    >>> n = ParameterSpec.required("n", ParameterTypeHint.Number)
    >>> SchemaValidator([ToolSchema("double", params=[n])]).validate_all(ToolCall("double", {}))
    [MissingRequired('n')]
    """

    def __init__(self, schemas: Iterable[ToolSchema] = ()) -> None:
        self._schemas: Registry[ToolSchema] = Registry(
            lambda name, _: ValidationError.UnknownTool(name)
        )
        for each in schemas:
            self.register(each)

    def __repr__(self) -> str:
        return f"<SchemaValidator {', '.join(sorted(self._schemas)) or 'empty'}>"

    def register(self, schema: ToolSchema) -> None:
        """Add a schema; the same name replaces."""
        self._schemas.register(schema.name, schema)

    def schemas(self) -> list[ToolSchema]:
        """List the schemas, by name."""
        return [self._schemas[name] for name in sorted(self._schemas)]

    def validate(self, call: ToolCall) -> None:
        """Raise what is wrong first: no such tool, something missing, something that misfits.

        Raises
        ------
        ValidationError
            Something is.
        """
        self._schemas[call.tool_name].validate(call.arguments)

    def validate_all(self, call: ToolCall) -> list[ValidationError]:
        """List all that is wrong, in the order of the parameters."""
        try:
            schema = self._schemas[call.tool_name]
        except ValidationError as unknown:
            return [unknown]
        return schema.errors(call.arguments)

    def for_tool(self, name: str) -> OneTool:
        """Give the validator of one tool's arguments."""
        return OneTool(self, name)


@dataclass(frozen=True)
class OneTool:
    """A schema validator that knows which tool it is asked about."""

    schemas: SchemaValidator
    name: str

    def validate(self, args: Any) -> None:
        """Raise what is wrong with ``args`` first."""
        self.schemas.validate(ToolCall(self.name, args))


def type_name(value: object) -> str:
    """Name the JSON type of ``value``, or its own type where it has none.

    >>> [type_name(each) for each in ("", 1, 1.5, True, [], {}, None, {1})]
    ['string', 'number', 'number', 'boolean', 'array', 'object', 'null', 'set']
    """
    if value is None:
        return "null"
    kinds = {bool: "boolean", int: "number", float: "number", str: "string"}
    containers = {list: "array", tuple: "array", Mapping: "object"}
    for kind, name in (kinds | containers).items():
        if isinstance(value, kind):
            return name
    return type(value).__name__


def as_hint(hint: str) -> ParameterTypeHint:
    """Give the hint that ``hint`` is or names."""
    try:
        return ParameterTypeHint(hint)
    except ValueError:
        known = ", ".join(ParameterTypeHint)
        raise InvalidValue(f"no parameter is of type {hint!r}: it may be {known}") from None


def hint_of(part: Any) -> ParameterTypeHint:
    """Read the type of a property: what has several types, or none, may be anything."""
    kind = part.get("type") if isinstance(part, Mapping) else None
    kinds: dict[Any, ParameterTypeHint] = {each.value: each for each in ParameterTypeHint}
    kinds["integer"] = ParameterTypeHint.Number
    return kinds.get(kind if isinstance(kind, str) else None, ParameterTypeHint.Any)


def description_of(part: Any) -> str:
    """Read the description of a property."""
    return str(part.get("description", "")) if isinstance(part, Mapping) else ""
