"""The cards of what holds tools back: the sandbox and its log, and the fences round a handler."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from agentlab.display.guards import lasting
from agentlab.display.html import Html, h
from agentlab.display.parts import Chip, Column, Room, asked, card, drawn, fold, note, table
from agentlab.display.words import count, gist, moment, number, plural, seconds, shortened, text_of
from agentlab.tools.audit import AuditEntry, AuditLog, SandboxRow
from agentlab.tools.isolated import Isolated
from agentlab.tools.limits import Fence, FenceReport, Limits
from agentlab.tools.permissions import ToolManifest
from agentlab.tools.sandbox import Sandbox, SandboxConfig

TOOLS = [
    Column("tool", "fit"),
    Column("missing", "wide"),
    Column("needs", "wide"),
    Column("says who", "fit"),
]
CHECKS = [
    Column("when", "fit"),
    Column("tool", "fit"),
    Column("said", "fit"),
    Column("missing", "wide"),
]
FENCES = [Column("fence", "fit"), Column("held", "fit"), Column("by what, or why not", "wide")]
ALLOWED, DENIED = Chip("ok", "allowed"), Chip("bad", "denied")
NO_TOOLS = (
    "No tools yet: `@tool(permissions=[...])` declares what a tool needs, and"
    " `sandbox.register_tool(ToolManifest(name, [...]))` says it above the tool's head."
)
GATE = "A gate of policy, not a wall: it goes by what tools declare, before they are called."
NO_CHECKS = "Nothing was checked yet."


def labels(names: Iterable[str]) -> Html:
    """Draw permissions."""
    tags = [part for name in names for part in (h("span", "agl-tag")(gist(name, 60)), " ")]
    return h("span")(*tags) if tags else h("span", "agl-meta")("nothing")


def sandbox_card(sandbox: Sandbox, room: Room) -> Html:
    """Draw a sandbox: what is granted, what each tool lacks, and the checks, the newest first."""
    rows, log = sandbox.rows(), sandbox.audit_log()
    checks, denials = sandbox.stats()
    lacking = sum(bool(row.missing) for row in rows)
    may_not = Chip("warn", f"{count(lacking)} may not be called")
    shown = rows[: 2 * room.ends]
    rest = f"; the rest: sandbox.rows()[{len(shown)}:]" if len(shown) < len(rows) else ""
    listing = table(f"by name{rest}", TOOLS, map(tool_cells, shown), path="sandbox.rows()")
    audit = fold(
        f"audit log, {plural(len(log), 'check')}", checks_table(log, room, "sandbox.audit_log()")
    )
    unknown = "refused" if sandbox.config.deny_unknown_tools else "let through"
    granted = labels(sandbox.granted_capabilities())
    return card(
        "sandbox",
        plural(len(rows), "tool"),
        may_not if lacking else None if rows else Chip("", "empty"),
        [plural(checks, "check"), f"{count(denials)} denied" if denials else ""],
        asked(
            ("granted", granted, "", "sandbox.granted_capabilities()"),
            ("unknown tools", unknown, "", "sandbox.config.deny_unknown_tools"),
        ),
        listing if rows else note(NO_TOOLS),
        audit if log else None,
        note(GATE),
        path="sandbox",
    )


def tool_cells(row: SandboxRow) -> Sequence[object]:
    """Give the cells of one tool."""
    lacks = [part for name in row.missing for part in (drawn(Chip("bad", name)), " ")]
    return (
        h("span", "agl-call", **({"title": row.description} if row.description else {}))(
            h("b")(gist(row.tool, 60))
        ),
        h("span")(*lacks) if lacks else drawn(Chip("ok", "nothing")),
        labels(row.needs),
        "a manifest" if row.by == "manifest" else "the tool",
    )


def checks_table(log: AuditLog, room: Room, path: str) -> Html:
    """Draw checks, the newest first."""
    shown = list(reversed(log[-2 * room.ends :]))
    rest = f"; all: {path}" if len(shown) < len(log) else ""
    return table(f"the newest first{rest}", CHECKS, map(check_cells, shown), path=path)


def check_cells(entry: AuditEntry) -> Sequence[object]:
    """Give the cells of one check."""
    return (
        moment(entry.timestamp),
        h("b")(gist(entry.tool_name, 60)),
        drawn(ALLOWED if entry.allowed else DENIED),
        gist(", ".join(map(text_of, entry.denied_capabilities)), 200),
    )


def audit_card(log: AuditLog, room: Room) -> Html:
    """Draw an audit log."""
    denied = sum(not each.allowed for each in log)
    return card(
        "audit log",
        plural(len(log), "check"),
        None if log else Chip("", "empty"),
        [f"{count(denied)} denied" if denied else ""],
        checks_table(log, room, "log") if log else note(NO_CHECKS),
        path="log",
    )


def entry_card(entry: AuditEntry, room: Room) -> Html:
    """Draw one check."""
    missing = [gist(each, room.text // 4) for each in entry.denied_capabilities]
    return card(
        "check",
        entry.tool_name,
        ALLOWED if entry.allowed else DENIED,
        [moment(entry.timestamp)],
        None
        if entry.allowed
        else asked(("missing", labels(missing), "", "entry.denied_capabilities")),
        path="entry",
    )


def manifest_card(manifest: ToolManifest, room: Room) -> Html:
    """Draw what a tool needs."""
    about = shortened(manifest.description, "manifest.description", room.text)
    told = [("why", about, "", "manifest.description")] if manifest.description else []
    return card(
        "manifest",
        manifest.name,
        None,
        (),
        asked(("needs", labels(sorted(manifest.required)), "", "manifest.required"), *told),
        path="manifest",
    )


def config_card(config: SandboxConfig, room: Room) -> Html:  # noqa: ARG001
    """Draw the settings of a sandbox."""
    unknown = "refused" if config.deny_unknown_tools else "let through"
    return card(
        "sandbox settings",
        f"unknown tools are {unknown}",
        None,
        [f"keeps {plural(config.max_audit_entries, 'check')}"],
        path="config",
    )


def limits_of(limits: Limits) -> str:
    """Say in one line how far a handler may go."""
    return ", ".join(
        (
            lasting(limits.wall_s),
            f"{lasting(limits.cpu_s)} of a processor",
            f"{count(limits.memory_mb)} MB",
            plural(limits.processes, "process", "processes"),
            f"{plural(limits.open_files, 'open file')} of {count(limits.file_mb)} MB each",
            f"{count(limits.output_kb)} KB of output",
            "with the network" if limits.network else "no network",
        )
    )


def limits_card(limits: Limits, room: Room) -> Html:  # noqa: ARG001
    """Draw how far a handler may go."""
    required = (
        [("required", labels(limits.require), "", "limits.require")] if limits.require else []
    )
    return card(
        "limits",
        "of an isolated handler",
        None,
        (),
        asked(("at most", limits_of(limits), "", "limits"), *required),
        path="limits",
    )


def report_card(report: FenceReport, room: Room) -> Html:
    """Draw how an isolated call went: what stopped it, and each fence."""
    held = sum(each.held for each in report.fences)
    stopped = gist(report.stopped, 60)
    told = [("why", shortened(report.why, "report.why", room.text), "", "report.why")]
    return card(
        "isolated call",
        f"stopped by {stopped}" if stopped else "ended by itself",
        Chip("bad", stopped) if stopped else Chip("ok", "done"),
        [
            seconds(report.wall_ms) if report.wall_ms else "",
            f"{seconds(report.cpu_ms)} of a processor" if report.cpu_ms else "",
            f"at most {count(round(number(report.peak_mb)))} MB" if report.peak_mb else "",
            f"{plural(report.left, 'process', 'processes')} killed" if report.left else "",
        ],
        asked(*told) if report.why else None,
        fold(
            f"{count(held)} of {plural(len(report.fences), 'fence')} held",
            table("all of them", FENCES, map(fence_cells, report.fences), path="report.fences"),
            is_open=held < len(report.fences),
        )
        if report.fences
        else None,
        *said(report, room),
        path="report",
    )


def said(report: FenceReport, room: Room) -> Iterator[Html]:
    """Draw what a handler said, one click away."""
    for name in ("stdout", "stderr", "traceback"):
        if text := getattr(report, name):
            path = f"report.{name}"
            yield fold(name, h("pre", "agl-pre", title=path)(shortened(text, path, room.text)))


def fence_cells(fence: Fence) -> Sequence[object]:
    """Give the cells of one fence."""
    return (
        gist(fence.name, 60),
        drawn(Chip("ok", "yes") if fence.held else Chip("warn", "no")),
        gist(fence.how, 200),
    )


def isolated_card(tool: Isolated, room: Room) -> Html:
    """Draw an isolated tool: that of the tool."""
    from agentlab.display.tools import tool_card

    return tool_card(tool.spec, room)
