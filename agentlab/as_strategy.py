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
from agentlab.core.trace import Part
from agentlab.parts import Parts
from agentlab.settings import Settings
from agentlab.strategies.react import ReAct
from agentlab.tools.registry import ToolRegistry


class AsStrategy:
    """Makes a strategy of a runtime."""

    strategy_name = "agent"
    works_below = True  # it makes a child of the run itself
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
        self._check_open()
        borrows = self.settings.model is None
        child = run.child(
            run.agent,
            model=run.model if borrows else self._parts.patient(self.model),
            tools=self.tools if self.tools.tool_count() else run.tools,
            memory=self.settings.memory,
            persona=self._parts.persona(),
            config=replace(self.config, model=run.config.model) if borrows else self.config,
        )
        below = replace(
            child,
            hook=both(run.hook, self.settings.action_hook),
            sandbox=every(run.sandbox, self.settings.sandbox),
            tape=self.tape if run.tape is None else run.tape,
            estimator=self.settings.token_estimator or run.estimator,
        )
        session = AgentSession(session_id=below.id)
        new = [sink for sink in self._parts.sinks if not run.trace.hears(sink, below.id)]
        ours = [Part(sink, below.id) for sink in new]
        for sink in ours:
            run.trace.attach(sink)
        try:
            with followed(run.trace, session):
                return await drive(below, session, ReAct(), goal, self._parts.prepare)
        finally:
            for sink in ours:
                run.trace.detach(sink)
