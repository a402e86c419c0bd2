"""Ways to run a runtime that bring what answers with them."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from agentlab.core.protocols import Model, Strategy
from agentlab.core.run import Run
from agentlab.core.session import AgentSession
from agentlab.core.sync import twin
from agentlab.models.naming import as_model, name_of
from agentlab.parts import Parts
from agentlab.settings import Settings
from agentlab.strategies.react import ReAct
from agentlab.strategies.workflow.definition import Workflow
from agentlab.strategies.workflow.engine import (
    Bound,
    Presets,
    a_workflow,
    result_of,
    title_of,
)
from agentlab.strategies.workflow.result import WorkflowResult

if TYPE_CHECKING:
    from agentlab.strategies.plan_execute import PlanExecuteConfig
    from agentlab.strategies.plans import PlanRun


class Ways:
    """Runs with one model or another, by one strategy or another."""

    settings: Settings
    _parts: Parts

    @property
    @abstractmethod
    def model(self) -> Model:
        """What answers where a run brings nothing of its own."""

    @abstractmethod
    def _open(self, agent: str, model: Model, name: str = "") -> tuple[Run, AgentSession]:
        """Begin a run."""

    @abstractmethod
    async def _drive(
        self, run: Run, session: AgentSession, strategy: Strategy, goal: str
    ) -> AgentSession:
        """Take a run to its end."""

    async def run_agent(self, agent_id: str, prompt: str, infer: Any) -> AgentSession:
        """Work towards ``prompt`` with whatever ``infer`` is."""
        name = name_of(infer) if self.settings.model is None else ""
        return await self._drive(*self._open(agent_id, as_model(infer), name), ReAct(), prompt)

    async def run_agent_with_provider(
        self, agent_id: str, prompt: str, provider: Any
    ) -> AgentSession:
        """Work towards ``prompt`` with an object that has ``complete(context, model)``."""
        return await self.run_agent(agent_id, prompt, provider)

    async def run_plan_execute(
        self, agent_id: str, goal: str, infer: Any, *, config: PlanExecuteConfig | None = None
    ) -> PlanRun:
        """Plan for ``goal`` with whatever ``infer`` is, carry that out, and have it judged.

        Raises
        ------
        InternalError
            The response holds no plan.
        AgentLabError
            What else went wrong; the session as far as it got is its ``session``.
        """
        from agentlab.strategies.plan_execute import PlanExecute, planned

        name = name_of(infer) if self.settings.model is None else ""
        run, session = self._open(agent_id, as_model(infer), name)
        return planned(await self._drive(run, session, PlanExecute(config), goal))

    async def run_workflow(
        self,
        workflow: Workflow,
        infer: Any = None,
        *,
        context: Presets = None,
        agent: str = "agent",
    ) -> WorkflowResult:
        """Take the steps of a workflow; its tasks call the tools of :meth:`tool_registry`.

        Parameters
        ----------
        workflow : Workflow
            What is done.
        infer : anything that answers, optional
            By default the runtime's model.
        context : WorkflowContext or mapping, optional
            Variables to begin with. It is copied.
        agent : str
            Whose run it is.

        Raises
        ------
        StepFailed
            A task failed, or something that went on beside others.
        MaxIterationsExceeded
            A loop did not come to its end.
        ToolNotFound
            A task names a tool that is not there; it is a ``WorkflowError``.
        TimeoutError
            Its time was up.
        """
        flow = Bound(a_workflow(workflow), self._parts.named, context, titled=True)
        name = "" if infer is None or self.settings.model is not None else name_of(infer)
        opened = self._open(agent, self.model if infer is None else as_model(infer), name)
        session = await self._drive(*opened, flow, title_of(flow))
        return result_of(session.result, session.error)

    run_agent_sync = twin(run_agent)
    run_agent_with_provider_sync = twin(run_agent_with_provider)
    run_plan_execute_sync = twin(run_plan_execute)
    run_workflow_sync = twin(run_workflow)
