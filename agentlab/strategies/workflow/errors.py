"""How a workflow can fail."""

from __future__ import annotations

from agentlab.core.errors import ErrorKind, WorkflowError, explain, kind_of
from agentlab.core.errors import ToolNotFound as AnyToolNotFound
from agentlab.strategies.workflow.steps import Task, WorkflowStep


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


def as_failed(step: WorkflowStep, error: Exception) -> Exception:
    """Give the failure of something that went on beside others as that of a step."""
    if isinstance(error, StepFailed):
        return error
    failed = StepFailed(
        step.name if isinstance(step, Task) else step.kind, explain(error), kind=kind_of(error)
    )
    failed.__cause__ = error
    return failed
