"""The ReAct loop without a runtime: a configuration, tools, a goal, and something that answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.config import AgentConfig
from agentlab.core.drive import begin, drive
from agentlab.core.gate import every
from agentlab.core.guards import a_guard
from agentlab.core.protocols import ActionHook, Guard, Model, Tools
from agentlab.core.review import both
from agentlab.core.run import Run
from agentlab.core.session import AgentSession
from agentlab.core.sync import twin
from agentlab.models.naming import as_model
from agentlab.strategies.live import StreamingReAct
from agentlab.strategies.observer import Observer, observing
from agentlab.strategies.react import ReAct
from agentlab.tools.named import NamedTool
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.spec import ToolSpec

if TYPE_CHECKING:
    from typing import Self


class Loop:
    """What every loop without a runtime has: settings, tools, and people who listen and review.

    Parameters
    ----------
    config : AgentConfig
        The settings.
    clock : Clock
        What everything but deadlines reads.
    sandbox : Guard, optional
        Asked before each tool call, with what the tool declares to need: a :class:`Sandbox`.
    """

    def __init__(
        self, config: AgentConfig, *, clock: Clock = SYSTEM_CLOCK, sandbox: Guard | None = None
    ) -> None:
        self.config = config
        self._registry = ToolRegistry(clock=clock)
        self._clock = clock
        self._observers: list[Observer] = []
        self._hook: ActionHook | None = None
        self._sandbox = None if sandbox is None else a_guard(sandbox)

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}({self.config.model!r}, tools={self._registry.tool_names()})"

    def register_tool(self, tool: ToolSpec | NamedTool | Callable[..., Any]) -> Self:
        """Add a tool, or a function as one; the same name replaces."""
        self._registry.register(tool)
        return self

    def register_tools(self, tools: Iterable[ToolSpec | NamedTool | Callable[..., Any]]) -> Self:
        """Add several tools."""
        for each in tools:
            self.register_tool(each)
        return self

    def unregister_tool(self, name: str) -> bool:
        """Take a tool away; tell whether it was there."""
        return self._registry.unregister(name)

    def tool_count(self) -> int:
        """Count the tools."""
        return self._registry.tool_count()

    def registry(self) -> ToolRegistry:
        """Give the tools."""
        return self._registry

    def with_observer(self, observer: Observer) -> Self:
        """Let ``observer`` hear of every step."""
        self._observers.append(observer)
        return self

    def with_action_hook(self, hook: ActionHook) -> Self:
        """Ask ``hook`` with name and arguments before each tool call: it may refuse or edit it."""
        self._hook = hook
        return self

    def with_sandbox(self, sandbox: Guard) -> Self:
        """Ask ``sandbox`` before each tool call, with what the tool declares to need."""
        self._sandbox = a_guard(sandbox)
        return self

    def below(self, run: Run) -> Run:
        """Give a child of ``run`` that has what the loop has; who guards either guards it."""
        child = run.child(run.agent, tools=self._registry, config=self.config)
        hook, sandbox = both(run.hook, self._hook), every(run.sandbox, self._sandbox)
        return replace(child, hook=hook, sandbox=sandbox)

    def _begin(self, model: Model, tools: Tools) -> tuple[Run, AgentSession]:
        return begin(
            map(observing, self._observers),
            agent="agent",
            model=model,
            config=self.config,
            tools=tools,
            hook=self._hook,
            sandbox=self._sandbox,
            clock=self._clock,
        )


class ReActLoop(Loop):
    r"""Think, act and observe until there is an answer.

    >>> loop = ReActLoop(AgentConfig(3, "stub"))
    >>> loop.run_sync("Six times seven?", lambda _: "Thought: easy\nAction: FINAL_ANSWER 42").answer
    '42'

    Parameters
    ----------
    config : AgentConfig
        The settings.
    clock : Clock
        What everything but deadlines reads.
    sandbox : Guard, optional
        Asked before each tool call, with what the tool declares to need: a :class:`Sandbox`.
    """

    async def run(self, prompt: str, infer: Any) -> AgentSession:
        """Work towards ``prompt`` with whatever ``infer`` is (see :func:`agentlab.as_model`)."""
        run, session = self._begin(as_model(infer), self._registry)
        return await drive(run, session, ReAct(), prompt)

    async def run_streaming(self, prompt: str, infer_stream: Any) -> AgentSession:
        """Do the same with a model that answers in pieces, and read them as they come.

        Thought and action are told as soon as they are complete; every answer is heard to its
        end.
        """
        run, session = self._begin(as_model(infer_stream), self._registry)
        return await drive(run, session, StreamingReAct(stop_early=False), prompt)

    run_sync = twin(run)
    run_streaming_sync = twin(run_streaming)
