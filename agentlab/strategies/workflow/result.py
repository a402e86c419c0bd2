"""What came of a workflow."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from agentlab.core.chart import Chart
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.portable import Portable
from agentlab.core.trace import Trace
from agentlab.strategies.workflow.context import WorkflowContext


class TaskRun(Displayable, Portable, msgspec.Struct, frozen=True):
    """A task that was done: which, in which run, what it was asked, what came out, how long."""

    step: str
    name: str
    run: str
    tool: str | None
    strategy: str | None
    prompt: str
    output: str
    started_at: datetime
    ms: int


@dataclass(frozen=True)
class WorkflowResult(Displayable, Tabular):
    """What came of a workflow.

    Attributes
    ----------
    outputs : list of str
        What came of each task, in the order of declaration.
    context : WorkflowContext
        The variables, as they are at the end.
    steps_executed : int
        How many tasks were done; one that is in a loop counts each time.
    elapsed_ms : int
        How long it took.
    tasks : tuple of TaskRun
        A record a task, in the same order; ``to_frame()`` has a row each.
    chart : Chart
        The parts of the workflow, and how each stands.
    trace : Trace
        All that was said.
    """

    outputs: list[str]
    context: WorkflowContext
    steps_executed: int
    elapsed_ms: int
    name: str = ""
    tasks: tuple[TaskRun, ...] = ()
    chart: Chart | None = field(default=None, repr=False, compare=False)
    trace: Trace | None = field(default=None, repr=False, compare=False)

    def __repr__(self) -> str:
        tasks = f"{self.steps_executed} task{'' if self.steps_executed == 1 else 's'}"
        return f"<WorkflowResult {self.name!r} {tasks}, answer={self.answer!r:.60}>"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "trace": None}  # a trace stays with the loop it is on

    @property
    def answer(self) -> str:
        """The last output; an empty text where no task was done."""
        return self.outputs[-1] if self.outputs else ""
