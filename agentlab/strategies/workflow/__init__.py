"""Workflows: tasks, choices, what goes on side by side, and loops."""

from agentlab.strategies.workflow.context import WorkflowContext
from agentlab.strategies.workflow.definition import Workflow
from agentlab.strategies.workflow.engine import WorkflowEngine
from agentlab.strategies.workflow.errors import MaxIterationsExceeded, StepFailed, ToolNotFound
from agentlab.strategies.workflow.result import WorkflowResult
from agentlab.strategies.workflow.steps import WorkflowStep

__all__ = [
    "MaxIterationsExceeded",
    "StepFailed",
    "ToolNotFound",
    "Workflow",
    "WorkflowContext",
    "WorkflowEngine",
    "WorkflowResult",
    "WorkflowStep",
]
