"""Every error agentlab raises on purpose.

AgentLabError                      alias AgentRuntimeError
├── InvalidValue (ValueError)      an argument that can never be right
├── NotConfigured                  something the caller must provide is missing
├── WrongThread (RuntimeError)     blocking here would wait for itself
├── MemoryStoreError               a memory could not do it
├── GraphError                     a graph could not do it
├── OrchestrationError             several parts could not work together
│   ├── WorkflowError
│   ├── PlannerError
│   └── BusError
├── AgentLoopError                 the loop could not go on
│   ├── ToolNotFound               not_found
│   ├── ToolArgumentError
│   │   └── ValidationError        MissingRequired, TypeMismatch, UnknownTool (not_found)
│   ├── ToolTimeout                transient
│   ├── ToolError                  NotFound (a ToolNotFound), ExecutionFailed,
│   │                              Timeout (a ToolTimeout)
│   ├── ActionBlocked              blocked
│   └── SandboxDenied              blocked
├── CircuitOpen                    transient
├── BackpressureShed               transient
├── DeduplicationConflict
├── ProviderError                  transient or permanent, by status
├── PersistenceError               what is stored is not what it should be
│   ├── CheckpointError
│   ├── DamagedRecord              not what was written; its bytes are kept aside
│   └── NewerFormat                of a newer agentlab; left as it is
├── PersonaNotFound (KeyError)     not_found
├── RecordingMissed                not_found
└── InternalError                  a bug of ours

``kind`` tells a retry loop, and the model, what to do about an error. ``form`` is the whole
message, so that a class can be checked against the reference at a glance; a class whose form
has a prefix passes it on only to subclasses without a form of their own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from agentlab.core.doors import Displayable

if TYPE_CHECKING:
    from agentlab.core.session import AgentSession

ErrorKind: TypeAlias = Literal["not_found", "transient", "permanent", "blocked"]

PASSING_STATUS = frozenset({408, 409, 425, 429, 529, *range(500, 600)})


class AgentLabError(Displayable, Exception):
    """Base of the tree; ``session`` is as far as the run had got, where there was one."""

    kind: ErrorKind = "permanent"
    form: ClassVar[str] = "{0}"
    session: AgentSession | None = None

    def __str__(self) -> str:
        if not self.args and "{0}" in self.form:
            return type(self).__name__  # raised bare
        return self.form.format(*self.args)


AgentRuntimeError = AgentLabError


class InvalidValue(AgentLabError, ValueError):
    """An argument that can never be right."""


class NotConfigured(AgentLabError):
    """Something the caller must provide is missing; the hint says how."""

    form = "Runtime not configured: missing '{0}'"

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what, hint)
        self.what, self.hint = what, hint

    def __str__(self) -> str:
        return super().__str__() + (f" ({self.hint})" if self.hint else "")


class WrongThread(AgentLabError, RuntimeError):
    """Blocking on this thread would wait for itself."""


class MemoryStoreError(AgentLabError):
    """A memory could not do what it was asked."""

    form = "Memory operation failed: {0}"


class GraphError(AgentLabError):
    """A graph could not do what it was asked; a missing entity is ``not_found``."""

    form = "Graph operation failed: {0}"

    def __init__(self, message: str, *, kind: ErrorKind = "permanent") -> None:
        super().__init__(message)
        self.kind = kind


class OrchestrationError(AgentLabError):
    """Several parts could not work together."""

    form = "Orchestration failed: {0}"


class WorkflowError(OrchestrationError):
    """A workflow could not go on."""

    form = "{0}"


class PlannerError(OrchestrationError):
    """No plan was found."""

    form = "{0}"


class BusError(OrchestrationError):
    """A message could not be had."""

    form = "{0}"


class AgentLoopError(AgentLabError):
    """The agent loop could not go on."""

    form = "Agent loop error: {0}"


class ToolNotFound(AgentLoopError):
    """The model named a tool that is not there."""

    kind = "not_found"
    form = "tool '{0}' not found{1}"

    def __init__(self, name: str, suggestion: str = "") -> None:
        super().__init__(name, suggestion)
        self.name = name


class ToolArgumentError(AgentLoopError):
    """The model called a tool with arguments it does not take."""

    form = "{0}"


class ValidationError(ToolArgumentError):
    """A call does not fit its tool's schema. The cases are its attributes."""

    MissingRequired: ClassVar[type[MissingRequired]]
    TypeMismatch: ClassVar[type[TypeMismatch]]
    UnknownTool: ClassVar[type[UnknownTool]]

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.args == getattr(other, "args", None)

    def __hash__(self) -> int:
        return hash((type(self), self.args))


class MissingRequired(ValidationError):
    """A required parameter is not there."""

    form = "missing required parameter '{0}'"

    def __init__(self, param: str) -> None:
        super().__init__(param)
        self.param = param


class TypeMismatch(ValidationError):
    """A parameter has a value of another type."""

    form = "parameter '{0}': expected {1}, got {2}"

    def __init__(self, param: str, expected: str, got: str) -> None:
        super().__init__(param, expected, got)
        self.param, self.expected, self.got = param, expected, got


class UnknownTool(ValidationError):
    """No schema has that name."""

    kind = "not_found"
    form = "unknown tool '{0}'"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


ValidationError.MissingRequired = MissingRequired
ValidationError.TypeMismatch = TypeMismatch
ValidationError.UnknownTool = UnknownTool


class ToolTimeout(AgentLoopError):
    """The tool took longer than it may."""

    kind = "transient"
    form = "tool call timed out"


class ToolError(AgentLoopError):
    """A named tool could not be called, or failed. The cases are its attributes."""

    form = "{0}"
    NotFound: ClassVar[type[NamedToolNotFound]]
    ExecutionFailed: ClassVar[type[ExecutionFailed]]
    Timeout: ClassVar[type[NamedToolTimeout]]


class NamedToolNotFound(ToolError, ToolNotFound):
    """No named tool has that name."""

    form = "tool not found: {0}"


class ExecutionFailed(ToolError):
    """A named tool could not do it."""

    form = "tool '{0}' execution failed: {1}"

    def __init__(self, tool: str, reason: str) -> None:
        super().__init__(tool, reason)
        self.tool, self.reason = tool, reason


class NamedToolTimeout(ToolError, ToolTimeout):
    """A named tool took longer than it may."""

    form = "tool call timed out"


ToolError.NotFound = NamedToolNotFound
ToolError.ExecutionFailed = ExecutionFailed
ToolError.Timeout = NamedToolTimeout


class ActionBlocked(AgentLoopError):
    """Whoever reviews actions said no."""

    kind = "blocked"
    form = "action blocked by reviewer"


class SandboxDenied(AgentLoopError):
    """The tool needs what was not granted."""

    kind = "blocked"
    form = "{0}"


class CircuitOpen(AgentLabError):
    """The breaker guarding ``service`` is open."""

    kind = "transient"
    form = "Circuit breaker open for '{0}'"

    def __init__(self, service: str) -> None:
        super().__init__(service)
        self.service = service


class BackpressureShed(AgentLabError):
    """Too much is in flight; try later."""

    kind = "transient"
    form = "Backpressure threshold exceeded: queue depth {0}/{1}"

    def __init__(self, depth: int, capacity: int) -> None:
        super().__init__(depth, capacity)
        self.depth, self.capacity = depth, capacity


class DeduplicationConflict(AgentLabError):
    """Two different things came under one key."""

    form = "Deduplication key collision: {0}"

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class ProviderError(AgentLabError):
    """A model could not answer.

    Parameters
    ----------
    message : str
        What it said.
    status : int, optional
        The HTTP status. Without one the error is permanent, unless ``transient`` says that
        the network or a time-out was to blame.
    retry_after : float, optional
        Seconds it asks to be left alone.
    transient : bool, optional
        Overrides what follows from the status.
    """

    form = "Provider error: {0}"

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        transient: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.retry_after = status, retry_after
        passing = status in PASSING_STATUS if transient is None else transient
        self.kind = "transient" if passing else "permanent"


class PersistenceError(AgentLabError):
    """What is stored is not what was expected, or could not be stored."""

    form = "Persistence error: {0}"


class CheckpointError(PersistenceError):
    """A checkpoint could not be written or read."""


class DamagedRecord(PersistenceError):
    """What is stored is not what was written; ``where`` its bytes lie now."""

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(message)
        self.where = where


class NewerFormat(PersistenceError):
    """What is stored was written by a newer agentlab; it is left as it is."""


class PersonaNotFound(AgentLabError, KeyError):
    """No persona has that name."""

    kind = "not_found"
    form = "persona '{0}' not found{1}"

    def __init__(self, name: str, suggestion: str = "") -> None:
        super().__init__(name, suggestion)
        self.name = name


class RecordingMissed(AgentLabError):
    """A replay was asked for what nobody recorded."""

    kind = "not_found"


class InternalError(AgentLabError):
    """A bug of ours."""

    form = "Internal error: {0}"


def kind_of(error: BaseException) -> ErrorKind:
    """Say what to do about ``error``, by its class and never by its text."""
    if isinstance(error, AgentLabError):
        return error.kind
    passing = (ConnectionError, TimeoutError, BlockingIOError, InterruptedError)
    return "transient" if isinstance(error, passing) else "permanent"


def explain(error: BaseException) -> str:
    """One line for the model: our own errors speak for themselves, others say their type."""
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001 - it is somebody else's __str__
        text = "(its text cannot be had)"
    return text if isinstance(error, AgentLabError) else f"{type(error).__name__}: {text}"


def is_outage(error: BaseException) -> bool:
    """Whether ``error`` says something about the health of the service that was called."""
    harmless = (CircuitOpen, ToolArgumentError, ToolNotFound, asyncio.CancelledError)
    return isinstance(error, Exception) and not isinstance(error, harmless)


def attach_session(error: BaseException, session: Any) -> None:
    """Let ``error``, whoever's it is, carry the session as far as it got."""
    error.__dict__["session"] = session
