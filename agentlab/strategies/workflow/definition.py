"""A workflow as a value: its steps in order, its chart, and its plain forms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from agentlab.core.bounds import a_name
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.portable import Portable
from agentlab.core.text import clean
from agentlab.strategies.workflow.chart import charted, mermaid, strategy_of
from agentlab.strategies.workflow.files import Written
from agentlab.strategies.workflow.steps import Task, WorkflowStep, steps_of, told

if TYPE_CHECKING:
    from agentlab.core.events import Charted
    from agentlab.core.protocols import Tools
    from agentlab.core.run import Run
    from agentlab.strategies.workflow.engine import Bound
    from agentlab.strategies.workflow.result import WorkflowResult


@dataclass(frozen=True)
class Workflow(Written, Displayable, Tabular):
    r"""Steps, one after the other. It is a :class:`Strategy`, whose goal is the variable ``goal``.

    >>> flow = Workflow("notes", [WorkflowStep.Task("sum", "Summarise {goal}")])
    >>> print(flow.to_mermaid())
    flowchart TD
        n0["sum"]

    Parameters
    ----------
    name : str
        What it is called.
    steps : iterable of WorkflowStep
        What is done, in order.

    Raises
    ------
    InvalidValue
        It cannot be one; or steps are within each other more than 64 deep.
    """

    name: str
    steps: tuple[WorkflowStep, ...] = ()
    strategy_name: ClassVar[str] = "workflow"

    if TYPE_CHECKING:

        def __init__(self, name: str, steps: Iterable[WorkflowStep] = ()) -> None: ...

    def __post_init__(self) -> None:
        told(self, name=clean(a_name("name", self.name)))
        told(self, steps=steps_of(self.steps))

    @property
    def brings_models(self) -> bool:
        """Whether no task needs what answers the run."""
        return not any(map(asks, self.steps))

    async def __call__(self, run: Run, goal: str, /) -> WorkflowResult:
        """Take the steps, with ``goal`` as a variable where there is one."""
        return await self.with_tools(None)(run, goal)

    def with_tools(self, tools: Tools | Iterable[Any] | None) -> Bound:
        """Give the strategy whose tasks call these tools; without any, the run's own."""
        from agentlab.strategies.workflow.engine import Bound, tools_of

        return Bound(self, tools_of(tools))

    def to_mermaid(self) -> str:
        """Write it for mermaid, which JupyterLab and many sites draw as a flow chart."""
        return mermaid(self.steps)

    def chart(self) -> Charted:
        """Give its parts, each under an id, and what leads from one to another."""
        return charted(self.steps, self.name)

    def rows(self) -> list[WorkflowRow]:
        """Give a row a step, at any depth, in order."""
        return [WorkflowRow(*row) for row in rows_of(self.steps)]


class WorkflowRow(Displayable, Portable, msgspec.Struct, frozen=True):
    """A step of a workflow: where, how deep, which kind, its label, and what a task asks whom."""

    step: str
    depth: int
    kind: str
    label: str
    prompt: str | None
    tool: str | None
    strategy: str | None


def asks(step: WorkflowStep) -> bool:
    """Tell whether there is anything in a step that asks the model of its run."""
    if isinstance(step, Task):
        return step.tool is None and not getattr(step.strategy, "brings_models", False)
    return any(asks(inner) for _, inner in step.within)


def rows_of(steps: Iterable[WorkflowStep]) -> Iterator[tuple[Any, ...]]:
    """Go through all steps, each before those in it."""

    def walk(where: str, step: WorkflowStep, depth: int) -> Iterator[tuple[Any, ...]]:
        asks = (
            (step.prompt, step.tool, strategy_of(step))
            if isinstance(step, Task)
            else (None, None, None)
        )
        yield where, depth, step.kind, step.label, *asks
        for name, inner in step.within:
            yield from walk(f"{where}.{name}", inner, depth + 1)

    for i, step in enumerate(steps):
        yield from walk(f"steps[{i}]", step, 0)
