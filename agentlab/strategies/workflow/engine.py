"""How a workflow goes: one step after the other, side by side, this way or that, and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.config import AgentConfig
from agentlab.core.drive import begin, drive, result_of
from agentlab.core.errors import InvalidValue
from agentlab.core.protocols import Tools
from agentlab.core.run import Run
from agentlab.core.sync import twin
from agentlab.models.naming import as_model, name_of
from agentlab.strategies.workflow.chart import place
from agentlab.strategies.workflow.context import WorkflowContext, context_of
from agentlab.strategies.workflow.definition import Workflow
from agentlab.strategies.workflow.result import WorkflowResult
from agentlab.strategies.workflow.walk import Arm, Board
from agentlab.tools.named import NamedToolRegistry

Presets = WorkflowContext | Mapping[str, str] | None


@dataclass(frozen=True)
class Bound:
    """A workflow with the tools that its tasks call, and what is known before it begins.

    Attributes
    ----------
    workflow : Workflow
        What is done.
    tools : Tools, optional
        What tasks call; by default the tools of the run.
    context : WorkflowContext or mapping, optional
        Variables to begin with.
    titled : bool
        Whether the goal is only a title, and no variable.
    """

    workflow: Workflow
    tools: Tools | None = None
    context: Presets = None
    titled: bool = False
    strategy_name: ClassVar[str] = "workflow"

    async def __call__(self, run: Run, goal: str, /) -> WorkflowResult:
        """Take the steps in order."""
        context, began = context_of(self.context), run.clock.monotonic()
        if goal and not self.titled:
            context.set("goal", goal)
        board = Board(run, self.workflow.chart())
        arm = Arm(board, run, self.tools or run.tools, context)
        known, first = len(context.step_outputs), context.current_step
        for i, step in enumerate(self.workflow.steps):
            context.current_step = i
            await arm.take(place(i), step)
        context.current_step = max(first, len(self.workflow.steps))
        return WorkflowResult(
            context.step_outputs[known:],
            context,
            len(arm.done),
            round((run.clock.monotonic() - began) * 1000),
            self.workflow.name,
            tuple(arm.done),
            board.chart(),
            run.trace,
        )


class WorkflowEngine:
    """Runs workflows without a runtime.

    >>> from agentlab.strategies.workflow.steps import WorkflowStep
    >>> flow = Workflow("shout", [WorkflowStep.Task("one", "Say {word}")])
    >>> engine = WorkflowEngine()
    >>> engine.run_sync(flow, lambda prompt: prompt.upper(), context={"word": "no"}).answer
    'SAY NO'

    Parameters
    ----------
    config : AgentConfig, optional
        The settings of its runs.
    clock : Clock
        What everything but deadlines reads.

    Raises
    ------
    InvalidValue
        ``config`` is something else.
    """

    def __init__(self, config: AgentConfig | None = None, *, clock: Clock = SYSTEM_CLOCK) -> None:
        if config is not None and not isinstance(config, AgentConfig):
            raise InvalidValue(f"config must be an AgentConfig, got {config!r:.80}")
        self.config, self._clock = config, clock

    def __repr__(self) -> str:
        return "WorkflowEngine()" if self.config is None else f"WorkflowEngine({self.config!r})"

    async def run(
        self,
        workflow: Workflow,
        infer: Any,
        tool_registry: Tools | Iterable[Any] | None = None,
        *,
        context: Presets = None,
    ) -> WorkflowResult:
        """Take the steps of a workflow in order.

        Parameters
        ----------
        workflow : Workflow
            What is done.
        infer : anything that answers
            See :func:`agentlab.as_model`.
        tool_registry : NamedToolRegistry, ToolRegistry, or iterable of tools, optional
            What tasks call by name.
        context : WorkflowContext or mapping, optional
            Variables to begin with. It is copied.

        Raises
        ------
        StepFailed
            A task failed, or something that went on beside others.
        MaxIterationsExceeded
            A loop did not come to its end.
        ToolNotFound
            A task names a tool that is not there.
        AgentLoopError
            Its time was up.
        """
        bound = Bound(a_workflow(workflow), tools_of(tool_registry), context, titled=True)
        model = as_model(infer)
        named = name_of(infer) or type(model).__name__
        run, session = begin(
            clock=self._clock,
            agent="workflow",
            model=model,
            config=self.config or AgentConfig(1, named),
            tools=bound.tools,
        )
        return result_of(await drive(run, session, bound, title_of(bound)), WorkflowResult)

    run_sync = twin(run)


def a_workflow(value: Workflow) -> Workflow:
    """Refuse what is no workflow."""
    if not isinstance(value, Workflow):
        raise InvalidValue(f"workflow must be a Workflow, got {value!r:.80}")
    return value


def title_of(bound: Bound) -> str:
    """Give what a run of it is called: its goal, if it has one."""
    return context_of(bound.context).get("goal") or bound.workflow.name


def tools_of(given: Tools | Iterable[Any] | Callable[..., Any] | None) -> Tools | None:
    """Give tools by name."""
    if given is None or (hasattr(given, "observe") and hasattr(given, "specs")):
        return given  # type: ignore[return-value]  # it has what tools have
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidValue(f"tool_registry must hold tools by name, got {given!r:.80}")
    return NamedToolRegistry(given)
