"""What an action asks for: an answer, or a tool and its arguments. Pure, total and linear."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from typing import Any

import msgspec

from agentlab.core.errors import AgentLoopError, InvalidValue, ToolArgumentError
from agentlab.core.text import compact
from agentlab.strategies.extent import FINAL, Extent, stray_fence
from agentlab.strategies.literals import decode, from_json, literal

log = logging.getLogger("agentlab.grammar")

UNREADABLE = "could not parse ReAct step from response"
NO_TOOL = re.compile(r"(?:none|n/a)?[.,:]*+", re.IGNORECASE)
JSON_START = re.compile(r'[{\["\d-]|(?:true|false|null)\b')
KEYWORD = re.compile(r"\s*+\w++\s*+=(?!=)")
NAMES = ("name", "tool", "action")
ARGUMENTS = ("arguments", "args", "input", "action_input", "parameters")
WRAPPERS = ("tool_call", "tool_calls", "function")
MAX_WRAPPERS = 4
NAMED = re.compile(r"""["'](?:name|tool|action)["']\s*+:\s*+["']([^"'\n]++)""", re.IGNORECASE)


class FinalAnswer(msgspec.Struct, frozen=True):
    """The agent is done."""

    text: str


class ToolCall(msgspec.Struct, frozen=True):
    """The agent wants a tool."""

    name: str
    args: Any


def parse_action(action: str, known: Collection[str] = ()) -> FinalAnswer | ToolCall:
    """Read an action: an answer, or a tool's name and its arguments.

    >>> parse_action('Search(q="x", n=2)', known=["search"])
    ToolCall(name='search', args={'q': 'x', 'n': 2})

    Parameters
    ----------
    action : str
        What follows ``Action:``.
    known : collection of str
        The tools there are. A name in another case is read as the only one it can mean.

    Raises
    ------
    ToolArgumentError
        The arguments begin like JSON, but are not.
    AgentLoopError
        There is neither an answer nor a tool in it.
    """
    name, _, rest = action.partition("\n")
    if call := plain_call(action if " " in name else f"{name} {rest}"):
        return call if call.name in known else ToolCall(resolve(call.name, known), call.args)
    if final := FINAL.match(action):
        return FinalAnswer(answer(final))
    extent = Extent()
    extent.add(action)
    if extent.tail:
        log.debug("ignored what follows the arguments of %r", extent.name)
    if extent.form == "object":
        return of_object(extent.text()[extent.at :], known)
    name = resolve(extent.name, known)
    return ToolCall(name, arguments(name, extent))


def plain_call(text: str) -> ToolCall | None:
    """Read a name alone or with an object, as nearly every call is written; else nothing."""
    name, _, rest = text.partition(" ")
    if not name.isidentifier() or (name[0] in "fF" and FINAL.match(name)):
        return None
    if not rest:
        return ToolCall(name, {})
    try:
        return ToolCall(name, from_json(rest)) if rest[0] == "{" else None
    except InvalidValue:
        return None


def answer(final: re.Match[str]) -> str:
    """Give the text of a final answer, without what only closes in it: a fence, or marks."""
    before, text = final.string[: final.start(1)], final[1].strip()
    if "```" in before or stray_fence(text):
        text = text.removesuffix("```").rstrip()
    before = before.replace("```", "")
    mark = next((mark for mark in ("**", "*", "`") if before.count(mark) % 2), "")
    return text.removesuffix(mark) if text.count(mark) % 2 else text


def resolve(name: str, known: Collection[str]) -> str:
    """Give the tool that ``name`` means.

    Raises
    ------
    AgentLoopError
        It says that there is none.
    """
    if name in known:
        return name
    name = name.strip("`*\"'").rstrip(":,.").rstrip("`*\"'")
    alike = [each for each in known if each.casefold() == name.casefold()]
    if not alike and NO_TOOL.fullmatch(name):
        raise AgentLoopError(UNREADABLE)
    return alike[0] if len(alike) == 1 else name


def arguments(name: str, extent: Extent) -> Any:
    """Read the arguments of tool ``name``.

    Raises
    ------
    ToolArgumentError
        They begin like JSON, but are not; or a bracket is never closed.
    """
    text = extent.text()[extent.at :]
    try:
        if extent.form == "bracket":
            return {"input": inside(text, extent).strip()}
        if extent.form == "call":
            return of_call(inside(text, extent).strip())
        return of_text(unfenced(text) if extent.fenced else text)
    except InvalidValue as error:
        raise ToolArgumentError(f"invalid JSON args for tool call '{name}': {error}") from None


def inside(text: str, extent: Extent) -> str:
    """Give what stands inside the bracket that ``text`` goes up to."""
    if not extent.closed:
        raise InvalidValue("a bracket is never closed")
    return text[:-1]


def unfenced(text: str) -> str:
    """Give what stands before the end of a code fence."""
    inner, fence, _ = text.partition("\n```")
    return inner if fence else text.rstrip().removesuffix("```")


def of_text(text: str) -> Any:
    """Read JSON where it begins like JSON; anything else is the tool's one input."""
    text = text.strip()
    if not text or text.casefold() == "none":
        return {}
    return decode(text) if JSON_START.match(text) else {"input": text}


def of_call(text: str) -> Any:
    """Read what stands between the round brackets of a call."""
    if KEYWORD.match(text):
        return literal(text, keywords=True)
    if not text or text.casefold() == "none":
        return {}
    try:
        value = decode(text)
    except InvalidValue:
        if text[0] in "{[\"'":
            raise
        value = text  # search(some text), calculator(2 + 2)
    return {"input": value} if isinstance(value, str) else value


def of_object(text: str, known: Collection[str]) -> FinalAnswer | ToolCall:
    """Read an action that is one JSON object, perhaps in a wrapper or two.

    Raises
    ------
    ToolArgumentError
        It is not JSON.
    AgentLoopError
        It names no tool.
    """
    try:
        data = decode(text)
    except InvalidValue as error:
        name = named[1] if (named := NAMED.search(text)) else ""
        raise ToolArgumentError(f"invalid JSON args for tool call '{name}': {error}") from None
    for _ in range(MAX_WRAPPERS):
        if isinstance(data, list) and data:
            log.debug("took the first of %d actions", len(data))
            data = data[0]
        fields = {k.lower(): v for k, v in data.items()} if isinstance(data, dict) else {}
        names = [fields[key] for key in NAMES if isinstance(fields.get(key), str)]
        if names:
            given = next((fields[key] for key in ARGUMENTS if key in fields), None)
            return called(names[0], given, known)
        data = next((fields[key] for key in (*WRAPPERS, *NAMES) if key in fields), None)
    raise AgentLoopError(UNREADABLE)


def called(name: str, given: Any, known: Collection[str]) -> FinalAnswer | ToolCall:
    """Read the name and the arguments of such an object."""
    if FINAL.fullmatch(name):
        given = given if isinstance(given, str) else "" if given is None else compact(given)
        return FinalAnswer(given.strip())
    name = resolve(name, known)
    if not isinstance(given, str):
        return ToolCall(name, {} if given is None else given)
    if given.lstrip()[:1] in ("{", "["):  # arguments are often JSON inside JSON
        try:
            return ToolCall(name, decode(given.strip()))
        except InvalidValue:
            pass
    text = given.strip()
    return ToolCall(name, {"input": text} if text and text.casefold() != "none" else {})
