"""What a sandbox says and keeps: why a call was refused, and each check that was made."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec

from agentlab.core.doors import Displayable, Tabular
from agentlab.core.portable import Portable


class DenialReason(msgspec.Struct, Portable, frozen=True):
    """Why a call was refused; its text is what the model reads. The cases are below."""

    tool: str


class UnknownTool(DenialReason, frozen=True):
    """No manifest has that name, and nothing declares the tool."""

    def __str__(self) -> str:
        return f"unknown tool: {self.tool}"


class MissingCapabilities(DenialReason, frozen=True):
    """It needs what was not granted."""

    missing: tuple[str, ...]

    def __str__(self) -> str:
        return f"tool '{self.tool}' denied: missing capabilities: {', '.join(self.missing)}"


class AuditEntry(msgspec.Struct, Portable, Displayable, frozen=True):
    """One check: when, of what, and what was missing."""

    timestamp: datetime
    tool_name: str
    allowed: bool
    denied_capabilities: list[str]

    def __str__(self) -> str:
        if self.allowed:
            return f"{self.tool_name}: ALLOW"
        return f"{self.tool_name}: DENY — {', '.join(self.denied_capabilities)}"

    def __repr__(self) -> str:
        return f"<AuditEntry {self}>"


class AuditLog(Tabular, Displayable, list[AuditEntry]):
    """Checks, the oldest first."""

    __slots__ = ()

    def __repr__(self) -> str:
        denied = sum(not each.allowed for each in self)
        return f"<AuditLog {len(self)} checks, {denied} denied>"


class SandboxRow(msgspec.Struct, Portable, Displayable, frozen=True):
    """A tool: what it needs, and what of that is not granted here and now."""

    tool: str
    needs: tuple[str, ...]
    missing: tuple[str, ...]
    by: str
    description: str = ""


class SandboxStats(NamedTuple):
    """How often it was asked, and how often it said no."""

    checks_total: int
    denials_total: int
