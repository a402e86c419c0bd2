"""The cards of tools: a registry with a row a tool, what each takes and how it has done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from agentlab.display.html import Html, h
from agentlab.display.parts import Chip, Column, Room, asked, card, fold, in_vain, note, table, took
from agentlab.display.sandboxes import labels, limits_of
from agentlab.display.words import count, gist, number, plural, seconds, shortened, text_of
from agentlab.tools.named import NamedToolRegistry, ToolInfo
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.spec import ToolSpec
from agentlab.tools.tally import ToolRow

COLUMNS = [
    Column("tool", "fit"),
    Column("what it does", "wide"),
    Column("takes", "wide"),
    Column("calls", "num"),
    Column("errors", "fit"),
    Column("mean", "fit"),
]
NO_TOOLS = "No tools yet. `registry.register(function)` adds one: a function will do."
NO_TEXT_TOOLS = "No tools yet. `NamedToolRegistry.with_builtins()` has three to begin with."


def registry_card(registry: ToolRegistry | NamedToolRegistry, room: Room) -> Html:
    """Draw a registry, each tool in a row."""
    named = isinstance(registry, NamedToolRegistry)
    kind, found = "text tools" if named else "tools", registry.stats()
    if not found:
        return card(
            kind,
            "none",
            Chip("", "empty"),
            (),
            note(NO_TEXT_TOOLS if named else NO_TOOLS),
            path="registry",
        )
    calls, errors = sum(each.calls for each in found), sum(each.errors for each in found)
    figures = [
        plural(calls, "call") if calls else "not called yet",
        f"{count(errors)} failed" if errors else "",
        f"{plural(registry.orphaned_calls, 'call')} still running"
        if registry.orphaned_calls
        else "",
    ]
    shown = found[: 3 * room.ends]
    rest = f"; the rest: registry.stats()[{len(shown)}:]" if len(found) > len(shown) else ""
    caption = f"showing {len(shown)} of {count(len(found))}, by name{rest}"
    needs = any(each.permissions for each in found)
    columns = [*COLUMNS[:3], Column("needs", "wide"), *COLUMNS[3:]] if needs else COLUMNS
    slowest = max(number(each.mean_ms) for each in found)
    rows = [tool_cells(each, slowest, room.text // 8, needs=needs) for each in shown]
    name = plural(len(found), "tool")
    return card(
        kind,
        name,
        None,
        figures,
        table(caption, columns, rows, path="registry.stats()"),
        path="registry",
    )


def tool_cells(tool: ToolRow, slowest: float, limit: int, *, needs: bool) -> list[object]:
    """Give the cells of one tool."""
    return [
        h("span", "agl-call")(h("b")(gist(tool.name, 60))),
        gist(tool.description, limit),
        h("span", "agl-result")(gist(tool.arguments, limit)),
        *([labels(tool.permissions)] if needs else []),
        count(tool.calls),
        in_vain(tool.errors, tool.calls),
        took(tool.mean_ms, slowest) if tool.calls else "",
    ]


def tool_card(tool: ToolSpec, room: Room) -> Html:
    """Draw a tool."""
    where = "in place" if tool.in_place else "in a worker thread"
    figures = [
        f"at most {seconds(number(tool.timeout_s) * 1000)}" if tool.timeout_s else "",
        "in a process of its own" if tool.isolation else where,
        "cacheable" if tool.cacheable else "",
        f"guarded by {type(tool.guard).__name__}" if tool.guard is not None else "",
    ]
    takes = gist(tool.arguments(), room.text) or "nothing"
    schema = shortened(json.dumps(tool.schema, indent=2, default=repr), "tool.schema", room.text)
    return card(
        "tool",
        tool.name,
        None,
        figures,
        asked(
            (
                "does",
                shortened(tool.description, "tool.description", room.text),
                "",
                "tool.description",
            ),
            ("takes", h("span", "agl-result")(takes), "", "tool.schema"),
            *held_back(tool, room),
        ),
        fold("JSON schema", h("pre", "agl-pre", title="tool.schema")(schema)),
        path="tool",
    )


def held_back(tool: ToolSpec, room: Room) -> Iterator[tuple[str, object, str, str]]:
    """Say what must be granted for it, how far it may go, and how far it went last."""
    if tool.permissions:
        yield "needs", labels(sorted(tool.permissions)), "", "tool.permissions"
    if tool.isolation:
        limits = limits_of(tool.isolation.limits)
        yield "may take", limits, "", "tool.isolation.limits"
    if report := tool.last_report:
        ended = (
            f"stopped by {report.stopped}: {report.why}" if report.stopped else "ended by itself"
        )
        held = sum(each.held for each in report.fences)
        told = f"{gist(ended, room.text)}; {held} of {len(report.fences)} fences held"
        yield "last call", told, "", "tool.last_report"


def tally_card(row: ToolRow | ToolInfo, room: Room) -> Html:
    """Draw one row of a registry."""
    plain = [text_of(getattr(row, name)) for name in row.__struct_fields__]
    name, description = plain[:2]
    calls, errors, mean = plain[3:6] if isinstance(row, ToolRow) else plain[2:]
    figures = [
        plural(number(calls), "call"),
        f"{count(errors)} failed" if number(errors) else "",
        f"{seconds(mean)} on average" if number(calls) else "",
    ]
    body: list[tuple[str, Any, str, str]] = [
        ("does", shortened(description, "row.description", room.text), "", "row.description")
    ]
    if isinstance(row, ToolRow):
        takes = gist(row.arguments, room.text) or "nothing"
        body.append(("takes", takes, "agl-result", "row.arguments"))
        if row.permissions:
            body.append(("needs", labels(row.permissions), "", "row.permissions"))
    return card("tool", name, None, figures, asked(*body), path="row")
