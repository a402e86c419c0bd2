"""Between the two forms of a tool: text in and text out, and JSON in and JSON out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

import msgspec

from agentlab.core.doors import Displayable
from agentlab.core.errors import InvalidValue
from agentlab.core.sync import waits_well
from agentlab.core.text import compact
from agentlab.core.workers import ABANDONED, Orphans
from agentlab.tools.dispatch import contained, perform
from agentlab.tools.spec import ToolSpec, from_function
from agentlab.tools.validator import ParameterSpec, ParameterTypeHint, ToolSchema
from agentlab.tools.values import plain

if TYPE_CHECKING:
    from agentlab.tools.named import NamedTool

INPUT = ParameterSpec.required("input", ParameterTypeHint.String, "The text it is given.")


class TextTool(Displayable):
    """Any tool, taking and giving text: for whoever has nothing but text.

    >>> double = ToolSpec("double", "", lambda args: args["n"] * 2, schema={"required": ["n"]})
    >>> text_tool = TextTool(double)
    >>> from agentlab.core.sync import run_sync
    >>> run_sync(text_tool.call, '{"n": 21}')
    '42'
    """

    def __init__(self, spec: ToolSpec) -> None:
        self.spec = spec

    def __repr__(self) -> str:
        return f"<TextTool {self.spec.name}({self.spec.arguments()})>"

    @property
    def name(self) -> str:
        """The tool's."""
        return self.spec.name

    @property
    def description(self) -> str:
        """The tool's."""
        return self.spec.description

    def as_tool_spec(self) -> ToolSpec:
        """Give the tool itself."""
        return self.spec

    async def call(self, text: str, /, *, orphans: Orphans = ABANDONED) -> str:
        """Make arguments of ``text``, and text of the result."""
        data = await perform(self.spec, arguments(text, self.spec.schema), None, orphans)
        return as_text(data, self.name)


def arguments(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Make arguments of text: a JSON object is what it is, other text is the one required field.

    Where that field is not for text, its JSON value is taken, if it has one. Without exactly one
    required field, the field is ``input``.

    >>> field = {"properties": {"n": {"type": "integer"}}, "required": ["n"]}
    >>> arguments('{"n": 21}', field), arguments("21", field), arguments("21", {})
    ({'n': 21}, {'n': 21}, {'input': '21'})
    """
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        value = text
    if isinstance(value, dict):
        return value
    required = schema.get("required", ())
    if len(required) != 1:
        return {"input": text}
    field = schema.get("properties", {}).get(required[0], {})
    return {required[0]: text if field.get("type", "string") == "string" else value}


def as_tool_spec(tool: NamedTool) -> ToolSpec:
    """Let a text tool take JSON: its text is the field ``input``."""
    schema = ToolSchema(tool.name, tool.description, (INPUT,))
    return ToolSpec(
        tool.name,
        tool.description,
        lambda args: tool.call(args["input"]),
        schema=schema.to_json_schema(),
        validators=(schema,),
        inline=waits_well(tool.call),
        permissions=getattr(tool, "permissions", frozenset()),
    )


def as_spec(tool: Any) -> ToolSpec:
    """Make a ``ToolSpec`` of whatever can be one: text tools, functions, anything like a tool."""
    if isinstance(tool, ToolSpec):
        return tool
    if hasattr(tool, "as_tool_spec"):
        spec: ToolSpec = tool.as_tool_spec()
        return spec
    if is_named(tool):
        return as_tool_spec(tool)
    if looks_like_tool(tool):
        settings = {"schema": tool.schema, "inline": waits_well(tool.call)}
        settings["permissions"] = getattr(tool, "permissions", ())
        return ToolSpec(tool.name, tool.description, tool.call, **settings)
    if not callable(tool):
        raise InvalidValue(
            f"{tool!r} is no tool: give a function, a ToolSpec, or an object with name,"
            " description and call"
        )
    return from_function(tool)


def looks_like_tool(tool: Any) -> bool:
    """Tell whether ``tool`` has what every tool has."""
    return not isinstance(tool, type) and all(
        hasattr(tool, part) for part in ("name", "description", "call")
    )


def is_named(tool: Any) -> TypeGuard[NamedTool]:
    """Tell whether ``tool`` takes text: it has no schema of its own."""
    return looks_like_tool(tool) and not hasattr(tool, "schema")


async def spoken(tool: NamedTool, text: str, orphans: Orphans) -> str:
    """Call a text tool where it cannot freeze the loop, and give text."""
    if isinstance(tool, TextTool):
        return await tool.call(text, orphans=orphans)
    finish = partial(as_text, tool=tool.name)
    said: str = await contained(
        partial(tool.call, text), finish, in_place=waits_well(tool.call), orphans=orphans
    )
    return said


def as_text(value: Any, tool: str) -> str:
    """Give a result as text: JSON, where it is none."""
    return value if isinstance(value, str) else compact(plain(value, tool))
