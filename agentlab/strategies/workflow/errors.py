"""How a workflow can fail."""

from __future__ import annotations

from agentlab.core.errors import ErrorKind, WorkflowError
from agentlab.core.errors import ToolNotFound as AnyToolNotFound


class StepFailed(WorkflowError):
    """A step could not be done; the error it comes from says all there is to say."""

    form = "step '{0}' failed: {1}"

    def __init__(self, step: str, reason: str, *, kind: ErrorKind = "permanent") -> None:
        super().__init__(step, reason)
        self.step, self.reason, self.kind = step, reason, kind


class MaxIterationsExceeded(WorkflowError):
    """A loop went round as often as it may, and its condition does not hold."""

    form = "loop exceeded maximum {0} iterations"

    def __init__(self, max: int) -> None:  # noqa: A002 - the reference's name
        super().__init__(max)
        self.max = max


class ToolNotFound(WorkflowError, AnyToolNotFound):
    """A task names a tool that is not there."""

    kind = "not_found"
    form = "tool not found: {0}"
