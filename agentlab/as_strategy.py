"""A runtime at work below another run: with its own parts, on that run's trace."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

from agentlab.core.config import AgentConfig
from agentlab.core.drive import drive
from agentlab.core.following import followed
from agentlab.core.gate import every
from agentlab.core.protocols import Model, Tape
from agentlab.core.review import both
from agentlab.core.run import Run
from agentlab.core.session import AgentSession
from agentlab.parts import Parts
from agentlab.settings import Settings
from agentlab.strategies.react import ReAct
from agentlab.tools.registry import ToolRegistry


class AsStrategy:
    """Makes a strategy of a runtime."""

    strategy_name = "agent"
    settings: Settings
    tools: ToolRegistry
    tape: Tape | None
    _parts: Parts

    @property
    @abstractmethod
    def config(self) -> AgentConfig:
        """The settings of its runs."""

    @property
    @abstractmethod
    def model(self) -> Model:
        """What answers where a run brings nothing of its own."""

    @abstractmethod
    def _check_open(self) -> None:
        """Refuse once it is shut down."""

    async def __call__(self, run: Run, goal: str, /) -> AgentSession:
        """Work towards ``goal`` as a child of ``run``."""
        unbound = replace(run.config, loop_timeout_ms=None)  # its time is the run's business
        return await self.take_over(run.child(run.agent, config=unbound), goal)

    async def take_over(self, child: Run, goal: str) -> AgentSession:
        """Take a child, which another run made, to its end: with what the runtime brings."""
        self._check_open()
        with followed(
            child.trace, AgentSession(session_id=child.id), *self._parts.sinks
        ) as session:
            return await drive(self._of_ours(child), session, ReAct(), goal, self._parts.prepare)

    def _of_ours(self, child: Run) -> Run:
        """Give ``child`` the runtime's parts, where there are any, beside what binds it already."""
        ours, persona = self.settings, self._parts.persona()
        return replace(
            child,
            model=child.model if ours.model is None else self._parts.patient(self.model),
            tools=self.tools if self.tools.tool_count() else child.tools,
            memory=child.memory if ours.memory is None else ours.memory,
            persona=child.persona if persona is None else persona,
            config=self._config_of(child.config),
            hook=both(child.hook, ours.action_hook),
            sandbox=every(child.sandbox, ours.sandbox),
            tape=self.tape if child.tape is None else child.tape,
            estimator=ours.token_estimator or child.estimator,
        )

    def _config_of(self, given: AgentConfig) -> AgentConfig:
        """Give the runtime's settings; the shorter time counts, and the seed where it has none."""
        ours = self.config
        times = [ms for ms in (ours.loop_timeout_ms, given.loop_timeout_ms) if ms is not None]
        return replace(
            ours,
            model=given.model if self.settings.model is None else ours.model,
            loop_timeout_ms=min(times, default=None),
            seed=given.seed if ours.seed is None else ours.seed,
        )
