"""Ways to run a runtime that bring what answers with them."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from agentlab.core.protocols import Model, Strategy
from agentlab.core.run import Run
from agentlab.core.session import AgentSession
from agentlab.core.sync import twin
from agentlab.models.naming import as_model, name_of
from agentlab.settings import Settings
from agentlab.strategies.react import ReAct

if TYPE_CHECKING:
    from agentlab.strategies.plan_execute import PlanExecuteConfig
    from agentlab.strategies.plans import PlanRun


class Ways:
    """Runs with one model or another, by one strategy or another."""

    settings: Settings

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

    run_agent_sync = twin(run_agent)
    run_agent_with_provider_sync = twin(run_agent_with_provider)
    run_plan_execute_sync = twin(run_plan_execute)
