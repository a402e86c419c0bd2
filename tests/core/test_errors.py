"""Every class, its whole message and what to do about it."""

from __future__ import annotations

import pickle

import pytest

from agentlab.core import errors
from agentlab.core.errors import (
    AgentLabError,
    AgentLoopError,
    ErrorKind,
    OrchestrationError,
    PersistenceError,
    ProviderError,
    ToolArgumentError,
    ToolError,
    ToolNotFound,
    ToolTimeout,
    ValidationError,
    explain,
    kind_of,
)

TABLE: list[tuple[AgentLabError, str, ErrorKind]] = [
    (errors.MemoryStoreError("m"), "Memory operation failed: m", "permanent"),
    (errors.GraphError("m"), "Graph operation failed: m", "permanent"),
    (errors.GraphError("m", kind="not_found"), "Graph operation failed: m", "not_found"),
    (errors.OrchestrationError("m"), "Orchestration failed: m", "permanent"),
    (errors.WorkflowError("m"), "m", "permanent"),
    (errors.PlannerError("m"), "m", "permanent"),
    (errors.BusError("m"), "m", "permanent"),
    (AgentLoopError("m"), "Agent loop error: m", "permanent"),
    (errors.NotConfigured("x"), "Runtime not configured: missing 'x'", "permanent"),
    (
        errors.NotConfigured("local", "pip install it"),
        "Runtime not configured: missing 'local' (pip install it)",
        "permanent",
    ),
    (errors.CircuitOpen("s"), "Circuit breaker open for 's'", "transient"),
    (
        errors.BackpressureShed(3, 2),
        "Backpressure threshold exceeded: queue depth 3/2",
        "transient",
    ),
    (errors.DeduplicationConflict("k"), "Deduplication key collision: k", "permanent"),
    (ProviderError("m"), "Provider error: m", "permanent"),
    (ProviderError("m", transient=True), "Provider error: m", "transient"),
    (PersistenceError("m"), "Persistence error: m", "permanent"),
    (errors.CheckpointError("m"), "Persistence error: m", "permanent"),
    (errors.DamagedRecord("m"), "Persistence error: m", "permanent"),
    (errors.NewerFormat("m"), "Persistence error: m", "permanent"),
    (errors.InternalError("m"), "Internal error: m", "permanent"),
    (ToolNotFound("n"), "tool 'n' not found", "not_found"),
    (
        ToolNotFound("n", " (did you mean 'm'?)"),
        "tool 'n' not found (did you mean 'm'?)",
        "not_found",
    ),
    (ToolArgumentError("m"), "m", "permanent"),
    (ToolTimeout(), "tool call timed out", "transient"),
    (errors.ActionBlocked(), "action blocked by reviewer", "blocked"),
    (errors.SandboxDenied("no"), "no", "blocked"),
    (ToolError.NotFound("n"), "tool not found: n", "not_found"),
    (ToolError.ExecutionFailed("t", "r"), "tool 't' execution failed: r", "permanent"),
    (ToolError.Timeout(), "tool call timed out", "transient"),
    (ValidationError.MissingRequired("p"), "missing required parameter 'p'", "permanent"),
    (
        ValidationError.TypeMismatch("p", "number", "string"),
        "parameter 'p': expected number, got string",
        "permanent",
    ),
    (ValidationError.UnknownTool("t"), "unknown tool 't'", "not_found"),
    (errors.PersonaNotFound("p"), "persona 'p' not found", "not_found"),
    (errors.RecordingMissed("m"), "m", "not_found"),
    (errors.WrongThread("m"), "m", "permanent"),
    (errors.InvalidValue("m, got 0"), "m, got 0", "permanent"),
]


@pytest.mark.parametrize(("error", "text", "kind"), TABLE, ids=lambda x: type(x).__name__)
def test_messages_and_kinds(error: AgentLabError, text: str, kind: ErrorKind) -> None:
    """The table of the reference, word for word; the model hears the same words."""
    assert (str(error), error.kind) == (text, kind)
    assert (explain(error), kind_of(error)) == (text, kind)
    assert isinstance(error, AgentLabError)


def test_every_class_is_in_the_table() -> None:
    """And in the drawing of the tree."""
    classes = {
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, AgentLabError)
    }
    assert classes - {type(error) for error, *_ in TABLE} == {
        AgentLabError, ToolError, ValidationError,
    }  # fmt: skip
    drawn = errors.__doc__ or ""
    cases = {"MissingRequired", "TypeMismatch", "UnknownTool", "ExecutionFailed"}
    hidden = {"NamedToolNotFound", "NamedToolTimeout"}
    assert all(each.__name__ in drawn for each in classes if each.__name__ not in hidden)
    assert cases <= {each.__name__ for each in classes}
    assert errors.AgentRuntimeError is AgentLabError


def test_families() -> None:
    """Who catches what."""
    assert issubclass(errors.InvalidValue, ValueError)
    assert issubclass(errors.PersonaNotFound, KeyError)
    assert issubclass(errors.WrongThread, RuntimeError)
    assert issubclass(ToolError.NotFound, ToolNotFound)
    assert issubclass(ToolError.Timeout, ToolTimeout)
    assert issubclass(ValidationError.MissingRequired, ToolArgumentError)
    assert issubclass(errors.BusError, OrchestrationError)


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 503, 529, 599])
def test_a_passing_status_is_transient(status: int) -> None:
    """A retry may help."""
    assert ProviderError("m", status=status, retry_after=2.0).kind == "transient"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_another_status_is_permanent(status: int) -> None:
    """A retry cannot help."""
    assert ProviderError("m", status=status).kind == "permanent"


@pytest.mark.parametrize("error", [error for error, *_ in TABLE], ids=lambda x: type(x).__name__)
def test_errors_can_be_pickled(error: AgentLabError) -> None:
    """What crosses to another process says the same there."""
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(again), str(again), again.kind) == (type(error), str(error), error.kind)


def test_a_bare_error_says_its_name() -> None:
    """A class raised without a word still has one."""
    assert str(AgentLoopError()) == "AgentLoopError"
    assert str(ToolTimeout()) == "tool call timed out"


def test_other_peoples_errors() -> None:
    """They say their type, and their class says what to do."""
    assert explain(KeyError("k")) == "KeyError: 'k'"

    class Broken(Exception):
        def __str__(self) -> str:
            raise ValueError

    assert explain(Broken()) == "Broken: (its text cannot be had)"
    assert kind_of(ConnectionResetError()) == kind_of(TimeoutError()) == "transient"
    assert kind_of(BlockingIOError()) == "transient"
    assert kind_of(ZeroDivisionError()) == "permanent"
