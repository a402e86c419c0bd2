"""From a planner to a loop: each step of a plan is a question that an agent works on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agentlab.core.drive import a_strategy, begin, drive, driven
from agentlab.core.errors import NotConfigured, explain, kind_of
from agentlab.core.protocols import Observation, Strategy
from agentlab.core.run import Run
from agentlab.core.session import AgentSession
from agentlab.core.sync import twin
from agentlab.core.text import compact
from agentlab.models.naming import as_model
from agentlab.strategies.execution import PlannedRun, carry_out
from agentlab.strategies.loop import Loop
from agentlab.strategies.plan_steps import Came
from agentlab.strategies.react import ReAct
from agentlab.strategies.tasks import PlanStep

if TYPE_CHECKING:
    from agentlab.strategies.planner import Planner


class Bridge:
    """A strategy that makes a plan and has each of its steps worked on.

    Parameters
    ----------
    planner : Planner
        Makes the plan for the task that the goal names.
    loop : Loop or Strategy, optional
        Does the steps, each as a run of its own: a loop with its settings and tools, or any
        strategy; by default ReAct with the run's own.
    """

    strategy_name = "planner"

    def __init__(self, planner: Planner, loop: Loop | Strategy | None = None) -> None:
        if loop is not None and not isinstance(loop, Loop):
            a_strategy(loop)
        self.planner, self.loop = planner, loop

    def __repr__(self) -> str:
        return f"Bridge({self.planner!r}, {self.loop or ReAct()!r})"

    async def __call__(self, run: Run, goal: str, /) -> PlannedRun:
        """Make a plan for the task that ``goal`` names, and have its steps worked on."""
        return await carry_out(run, self.planner.plan(goal), self._work)

    async def run(self, goal: str, infer: Any) -> AgentSession:
        """Do so without a runtime, with whatever ``infer`` is (see :func:`agentlab.as_model`).

        Raises
        ------
        NotConfigured
            There is no loop, which has the settings and the tools.
        """
        if not isinstance(self.loop, Loop):
            raise NotConfigured("loop", "planner.bridge(ReActLoop(config)) has settings and tools")
        loop = self.loop
        run, session = begin(
            agent="agent", model=as_model(infer), config=loop.config, tools=loop.registry()
        )
        return await drive(run, session, self, goal)

    run_sync = twin(run)

    async def _work(self, run: Run, step: PlanStep, args: Any, outputs: Mapping[str, str]) -> Came:
        loop = self.loop
        child = loop.below(run) if isinstance(loop, Loop) else run.child(run.agent)
        works = ReAct() if loop is None or isinstance(loop, Loop) else loop
        try:
            session = await driven(child, works, question(step, args, outputs))
        except Exception as error:  # noqa: BLE001 - whatever ends it, the step failed
            return Came(explain(error), kind_of(error), Observation.failed(error).text)
        if session.answer is not None:
            return Came(session.answer)
        return Came(session.error or session.stop_reason, "permanent")


def question(step: PlanStep, args: Any, outputs: Mapping[str, str]) -> str:
    """Ask for a step: the call that is planned, and what came out of those before."""
    told = [f"{tool} gave: {output}" for tool, output in outputs.items()]
    task = (
        f"Do this step of the task {step.source_task!r}: call the tool {step.tool} with"
        f" {compact(args)}, then give what came of it as the final answer."
    )
    return "\n".join([*told, task])
