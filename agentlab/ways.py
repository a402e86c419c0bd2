"""Ways to run a runtime that bring what answers with them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from agentlab.core.drive import result_of
from agentlab.core.errors import NotConfigured
from agentlab.core.protocols import Model, Strategy
from agentlab.core.run import Run
from agentlab.core.session import AgentSession
from agentlab.core.sync import twin
from agentlab.models.naming import as_model, name_of
from agentlab.parts import Parts
from agentlab.settings import Settings
from agentlab.strategies.react import ReAct
from agentlab.strategies.workflow.definition import Workflow
from agentlab.strategies.workflow.engine import Bound, Presets, a_workflow, title_of
from agentlab.strategies.workflow.result import WorkflowResult

if TYPE_CHECKING:
    from agentlab.strategies.plan_execute import PlanExecuteConfig
    from agentlab.strategies.plans import PlanRun
    from agentlab.teams.bus import AgentBus
    from agentlab.teams.debate_config import DebateConfig, DebateSession
    from agentlab.teams.swarm_config import SwarmConfig, SwarmResult
    from agentlab.teams.team_config import TeamConfig
    from agentlab.teams.team_result import TeamResult


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

    def _model_for(self, strategy: Strategy) -> Model:
        """Give what answers, which need not be there where nobody asks it."""
        try:
            return self.model
        except NotConfigured:
            if not getattr(strategy, "brings_models", False):
                raise
        from agentlab.teams.crew import Nobody

        return Nobody()

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
        AgentLoopError
            Its time was up before there was a verdict; or the runtime is strict, and the goal
            was not achieved.
        AgentLabError
            What else went wrong; the session as far as it got is its ``session``.
        """
        from agentlab.strategies.plan_execute import PlanExecute
        from agentlab.strategies.plans import PlanRun

        name = name_of(infer) if self.settings.model is None else ""
        run, session = self._open(agent_id, as_model(infer), name)
        return result_of(await self._drive(run, session, PlanExecute(config), goal), PlanRun)

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
        AgentLoopError
            Its time was up.
        """
        flow = Bound(a_workflow(workflow), self._parts.named, context, titled=True)
        name = "" if infer is None or self.settings.model is not None else name_of(infer)
        opened = self._open(agent, self.model if infer is None else as_model(infer), name)
        return result_of(await self._drive(*opened, flow, title_of(flow)), WorkflowResult)

    def bus(self, capacity: int) -> AgentBus:
        """Give a new bus, whose subscriptions hold at most ``capacity`` unread messages."""
        from agentlab.teams.bus import AgentBus

        return AgentBus(capacity)

    async def run_team(
        self, config: TeamConfig, infer: Any = None, *, agents: Mapping[str, Any] | None = None
    ) -> TeamResult:
        """Let a team work, and give what it came to.

        Parameters
        ----------
        config : TeamConfig
            Who is in it, on what, and how it works.
        infer : callable or model, optional
            ``infer(agent_id, prompt)``; by default the runtime's own model answers for all.
        agents : mapping, optional
            What some agents are instead: runtimes, strategies, models or functions of the prompt.

        Raises
        ------
        OrchestrationError
            Nobody answered.
        """
        from agentlab.teams.team import TeamStrategy
        from agentlab.teams.team_result import TeamResult

        strategy = TeamStrategy(config, agents=agents)
        ended = await self._together("team", infer, strategy, config.team.task)
        return result_of(ended, TeamResult)

    async def run_swarm(
        self,
        task: str,
        infer: Any = None,
        *,
        agents: Iterable[str] | Mapping[str, Any],
        config: SwarmConfig | None = None,
    ) -> SwarmResult:
        """Split a task, let a swarm work on it, and give what it came to.

        Parameters
        ----------
        task : str
            What to do.
        infer : callable or model, optional
            ``infer(agent_id, prompt)``; by default the runtime's own model answers for all.
        agents : iterable of str, or mapping
            Who there is; what some are instead: runtimes, strategies, models or functions.
        config : SwarmConfig, optional
            How it works.

        Raises
        ------
        InternalError
            There are no agents.
        """
        from agentlab.teams.swarm import SwarmStrategy
        from agentlab.teams.swarm_config import SwarmResult

        strategy = SwarmStrategy(config, agents)
        return result_of(await self._together("swarm", infer, strategy, task), SwarmResult)

    async def run_debate(
        self, config: DebateConfig, infer: Any = None, *, agents: Mapping[str, Any] | None = None
    ) -> DebateSession:
        """Hold a debate, and give what was said and what it came to.

        Parameters
        ----------
        config : DebateConfig
            Who argues for what, and how it goes.
        infer : callable or model, optional
            ``infer(agent_id, prompt)``; by default the runtime's own model answers for all.
        agents : mapping, optional
            What some debaters, or the moderator, are instead.

        Raises
        ------
        OrchestrationError
            Nobody argued at all.
        """
        from agentlab.teams.debate import DebateStrategy
        from agentlab.teams.debate_config import DebateSession

        strategy = DebateStrategy(config, agents=agents)
        ended = await self._together("debate", infer, strategy, config.topic)
        return result_of(ended, DebateSession)

    async def _together(
        self, agent: str, infer: Any, strategy: Strategy, goal: str
    ) -> AgentSession:
        """Run many agents: ``infer`` is told which one is asked."""
        from agentlab.teams.crew import as_infer

        name = name_of(infer) if infer is not None and self.settings.model is None else ""
        model = self._model_for(strategy) if infer is None else as_infer(infer)
        return await self._drive(*self._open(agent, model, name), strategy, goal)

    run_team_sync = twin(run_team)
    run_swarm_sync = twin(run_swarm)
    run_debate_sync = twin(run_debate)
    run_agent_sync = twin(run_agent)
    run_agent_with_provider_sync = twin(run_agent_with_provider)
    run_plan_execute_sync = twin(run_plan_execute)
    run_workflow_sync = twin(run_workflow)
