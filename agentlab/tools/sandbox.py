"""The sandbox: a call is let through only if what its tool needs was granted.

It is a gate of policy, **not** a wall between processes. It reads what tools *declare*, before
they are called; what a handler then does, it does as the kernel itself. For a wall, however thin,
see :mod:`agentlab.tools.isolated`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass

from agentlab.core.bounds import count_of
from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import InvalidValue, SandboxDenied
from agentlab.core.text import clean
from agentlab.tools.audit import (
    AuditEntry,
    AuditLog,
    DenialReason,
    MissingCapabilities,
    SandboxRow,
    SandboxStats,
    UnknownTool,
)
from agentlab.tools.permissions import ToolManifest, ToolPermission, permissions

__all__ = [
    "AuditEntry",
    "AuditLog",
    "DenialReason",
    "MissingCapabilities",
    "Sandbox",
    "SandboxConfig",
    "SandboxRow",
    "SandboxStats",
    "ToolManifest",
    "ToolPermission",
    "UnknownTool",
]

NOT_REGISTERED = "[tool not registered]"
MAX_SEEN = 1000  # tools remembered by what they declared, for whoever looks


@dataclass(frozen=True)
class SandboxConfig(Displayable):
    """What a sandbox keeps, and what it makes of tools it does not know.

    Parameters
    ----------
    max_audit_entries : int
        How many checks are kept; then the oldest goes.
    deny_unknown_tools : bool
        Refuse a tool that has no manifest and that nothing declares.
    """

    max_audit_entries: int = 1000
    deny_unknown_tools: bool = True

    def __post_init__(self) -> None:
        count_of("max_audit_entries", self.max_audit_entries)


class Leave:
    """Leave to make one call; a gate of policy does not care how it went."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<Leave>"

    def success(self) -> None:
        """Say that it went well."""

    def failure(self) -> None:
        """Say that it did not."""

    def cancel(self) -> None:
        """Say that it is over."""


LEAVE = Leave()


@dataclass(eq=False, slots=True)
class Scope:
    """What a block grants, until it is over: what was started in it may go on for longer."""

    sandbox: Sandbox
    granted: frozenset[ToolPermission]


SCOPED: ContextVar[tuple[Scope, ...]] = ContextVar("agentlab-grants", default=())


class Sandbox(Displayable, Tabular):
    """Lets a tool be called only if all it needs was granted.

    A gate of policy, **not** process isolation: it goes by what tools declare
    (``@tool(permissions=["file_write"])``) or by the manifests registered here, which stand above
    that. A tool that declares nothing is let through. Any thread may ask; grant and revoke are for
    whoever owns it.

    >>> sandbox = Sandbox().grant("file_read")
    >>> sandbox.register_tool(ToolManifest("delete_file", ["file_read", "file_write"]))
    <Sandbox 1 grant, 1 tool, 0 checks, 0 denied>
    >>> sandbox.check("delete_file")
    Traceback (most recent call last):
    agentlab.core.errors.SandboxDenied: tool 'delete_file' denied: missing capabilities: file_write
    >>> print(sandbox.audit_log()[-1])
    delete_file: DENY — file_write

    Parameters
    ----------
    config : SandboxConfig
        What is kept, and what is made of unknown tools.
    clock : Clock
        When a check was.
    """

    def __init__(self, config: SandboxConfig | None = None, *, clock: Clock = SYSTEM_CLOCK) -> None:
        if config is not None and not isinstance(config, SandboxConfig):
            raise InvalidValue(f"config must be a SandboxConfig, got {config!r:.80}")
        self.config = config or SandboxConfig()
        self._clock = clock
        self._granted: frozenset[ToolPermission] = frozenset()
        self._manifests: dict[str, ToolManifest] = {}
        self._declared: dict[str, frozenset[ToolPermission]] = {}
        self._audit: deque[AuditEntry] = deque(maxlen=self.config.max_audit_entries)
        self._checks = self._denials = 0
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        counts = (len(self.granted_capabilities()), len(self._manifests), self._checks)
        told = zip(counts, ("grant", "tool", "check"), strict=True)
        said = ", ".join(f"{n} {word}{'s' * (n != 1)}" for n, word in told)
        return f"<Sandbox {said}, {self._denials} denied>"

    def grant(self, permission: ToolPermission | str) -> Sandbox:
        """Grant one permission from now on, and give this sandbox."""
        return self.grant_all([permission])

    def grant_all(self, granted: Iterable[ToolPermission | str]) -> Sandbox:
        """Grant several, and give this sandbox."""
        more = permissions(granted)
        with self._lock:
            self._granted |= more
        return self

    def revoke(self, permission: ToolPermission | str) -> Sandbox:
        """Take one back, and give this sandbox; what a block granted itself stays until its end."""
        gone = permissions([permission])
        with self._lock:
            self._granted -= gone
        return self

    @contextmanager
    def scoped(self, grants: Iterable[ToolPermission | str]) -> Iterator[Sandbox]:
        """Grant something more to this task, and to those it starts in here, until the block ends.

        Blocks nest. Tasks beside this one see nothing of it. A run that was started in here and
        goes on after the block has from then on what everybody has: wait for it in the block.
        """
        scope = Scope(self, permissions(grants))
        before = SCOPED.set((*SCOPED.get(), scope))
        try:
            yield self
        finally:
            scope.granted = frozenset()
            with suppress(ValueError):  # left in another context: that one had nothing granted
                SCOPED.reset(before)

    def register_tool(self, manifest: ToolManifest) -> Sandbox:
        """Say what a tool needs, whatever it declares itself, and give this sandbox.

        The same name replaces.
        """
        if not isinstance(manifest, ToolManifest):
            raise InvalidValue(
                f"register_tool takes a ToolManifest, got {manifest!r:.80}:"
                " a tool's own permissions need no manifest"
            )
        with self._lock:
            self._manifests[clean(manifest.name)] = manifest
        return self

    def check(self, name: str) -> None:
        """Return if ``name`` may be called by its manifest; every check is kept and counted.

        Raises
        ------
        SandboxDenied
            It needs what was not granted, or it is not known; ``args[0]`` is the reason.
        """
        self._check(name, None)

    def enter(self, subject: str = "", needs: Sequence[str] | None = None) -> Leave:
        """Let a tool in, as any guard does.

        Parameters
        ----------
        subject : str
            Its name.
        needs : sequence of str, optional
            What it declares, which stands where there is no manifest; None is a tool that nothing
            declares.

        Raises
        ------
        SandboxDenied
            As in :meth:`check`.
        """
        self._check(subject, None if needs is None else permissions(needs))
        return LEAVE

    def audit_log(self) -> AuditLog:
        """Give the checks that are kept, the oldest first."""
        with self._lock:
            return AuditLog(self._audit)

    def granted_capabilities(self) -> list[ToolPermission]:
        """List what is granted here and now, sorted: in a block of :meth:`scoped`, that too."""
        return sorted(self._here())

    def registered_tools(self) -> list[str]:
        """List the tools that have a manifest, sorted."""
        return sorted([*self._manifests])

    def stats(self) -> SandboxStats:
        """Give how many checks there were, and how many denials."""
        with self._lock:
            return SandboxStats(self._checks, self._denials)

    def rows(self) -> list[SandboxRow]:
        """Give a row a tool, by name: those with a manifest, and those that were asked for."""
        granted = self._here()
        with self._lock:
            declared, manifests = dict(self._declared), dict(self._manifests)
        needs = declared | {name: each.required for name, each in manifests.items()}
        return [
            SandboxRow(
                name,
                tuple(map(str, sorted(needs[name]))),
                tuple(map(str, sorted(needs[name] - granted))),
                "manifest" if name in manifests else "tool",
                manifests[name].description if name in manifests else "",
            )
            for name in sorted(needs)
        ]

    def _here(self) -> frozenset[ToolPermission]:
        return self._granted.union(*(each.granted for each in SCOPED.get() if each.sandbox is self))

    def _check(self, name: str, declared: frozenset[ToolPermission] | None) -> None:
        name, now = clean(name), self._clock.now()
        with self._lock:
            if declared is not None and (name in self._declared or len(self._declared) < MAX_SEEN):
                self._declared[name] = declared
            manifest = self._manifests.get(name)
            needs = manifest.required if manifest else declared
            missing = self._missing(needs)
            allowed = not missing
            self._checks += 1
            self._denials += not allowed
            self._audit.append(AuditEntry(now, name, allowed, missing))
        if needs is None and missing:
            raise SandboxDenied(UnknownTool(name))
        if missing:
            raise SandboxDenied(MissingCapabilities(name, tuple(missing)))

    def _missing(self, needs: frozenset[ToolPermission] | None) -> list[str]:
        if needs is None:
            return [NOT_REGISTERED] if self.config.deny_unknown_tools else []
        return [str(each) for each in sorted(needs - self._here())]
