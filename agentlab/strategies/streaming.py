"""The ReAct loop, heard token by token: what thinks aloud can be watched while it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.config import AgentConfig
from agentlab.core.drive import drive
from agentlab.core.protocols import Guard, Observation
from agentlab.core.sync import called, twin, waits_well
from agentlab.core.text import compact
from agentlab.models.naming import as_model, name_of
from agentlab.strategies.callbacks import StreamingCallbacks
from agentlab.strategies.live import StreamingReAct
from agentlab.strategies.loop import Loop
from agentlab.strategies.streaming_session import HeardToken, StreamingSession, StreamingStep
from agentlab.strategies.tokens import InferenceToken, StreamingInference, TokenStream
from agentlab.tools.dispatch import observed
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.spec import ToolSpec

__all__ = [
    "HeardToken",
    "InferenceToken",
    "StreamingCallbacks",
    "StreamingInference",
    "StreamingReAct",
    "StreamingReActLoop",
    "StreamingSession",
    "StreamingStep",
    "TokenStream",
]

DEFAULT_STEPS = 10
NO_HANDLER = "(no tool handler registered)"

Handler: TypeAlias = Callable[[str, str], Any]


class StreamingReActLoop(Loop):
    r"""Think, act and observe until there is an answer, heard while it is said.

    >>> said = ("Thought: ea", "sy\nAction: ", "FINAL_ANSWER 42")
    >>> heard = []
    >>> loop = StreamingReActLoop(lambda context: iter(said), 3)
    >>> loop.with_callbacks(StreamingCallbacks().on_thought(heard.append)).run_sync("6 * 7?")
    <StreamingSession final_answer, 1 step, 3 tokens>
    >>> heard
    ['easy']

    Parameters
    ----------
    provider : StreamingInference, or anything that answers
        Who answers, see :func:`agentlab.as_model`. Who leaves early closes its stream.
    max_steps : int, optional
        How many steps it may take; less than 1 counts as 1. By default what ``config`` says,
        or 10.
    config : AgentConfig, optional
        The other settings; its ``model`` is what a provider of several is asked for.
    callbacks_strict : bool
        Let a callback that raises end the run. Otherwise it is logged, and not called again.
    token_timeout_ms : int, optional
        Real time to wait for each token, the first too, in milliseconds; then the run ends with
        ``timeout``.
    stop_early : bool
        Stop reading an answer when more follows its thought and action, see
        :class:`StreamingReAct`.
    clock : Clock
        What everything but deadlines reads.
    sandbox : Guard, optional
        Asked before each tool call. What only the handler takes, nobody declares: a
        :class:`Sandbox` refuses it, unless it has a manifest of that name.

    Raises
    ------
    InvalidValue
        A value that can never be right.
    """

    def __init__(  # noqa: PLR0913 - settings, by keyword
        self,
        provider: Any,
        max_steps: int | None = None,
        *,
        config: AgentConfig | None = None,
        callbacks_strict: bool = False,
        token_timeout_ms: int | None = None,
        stop_early: bool = True,
        clock: Clock = SYSTEM_CLOCK,
        sandbox: Guard | None = None,
    ) -> None:
        config = config or AgentConfig(DEFAULT_STEPS, name_of(provider))
        if max_steps is not None:
            config = replace(config, max_iterations=max(max_steps, 1))
        super().__init__(config, clock=clock, sandbox=sandbox)
        self.provider = provider
        self._model = as_model(provider)
        self._handler: Handled | None = None
        self._strategy = StreamingReAct(
            callbacks_strict=callbacks_strict,
            token_timeout_ms=token_timeout_ms,
            stop_early=stop_early,
        )

    @property
    def max_steps(self) -> int:
        """How many steps it may take."""
        return self.config.max_iterations

    def with_callbacks(self, callbacks: StreamingCallbacks) -> StreamingReActLoop:
        """Call these while an answer comes, instead of those before."""
        self._strategy.callbacks = callbacks
        return self

    def with_tool_handler(self, handler: Handler, *, inline: bool = False) -> StreamingReActLoop:
        """Let ``handler(name, args_json)`` do what no registered tool does.

        What it gives is the observation, as plain text. A plain function runs in a worker
        thread, unless it is ``inline``; one that raises is told like any tool's fault.
        """
        self._handler = Handled(handler, inline=inline)
        return self

    async def run(self, prompt: str) -> StreamingSession:
        """Work towards ``prompt``."""
        tools = HandledTools(self.registry(), self._handler, self._clock)
        run, session = self._begin(self._model, tools)
        return StreamingSession.of(await drive(run, session, self._strategy, prompt))

    run_sync = twin(run)


class PlainObservation(Observation, frozen=True):
    """What came of a call, in the words of whoever took it, without the envelope."""

    @property
    def text(self) -> str:
        """What the model reads."""
        if self.error is not None:
            told = self.error
        else:
            told = self.data if isinstance(self.data, str) else compact(self.data)
        return f"({self.changed})\n{told}" if self.edit else told


class Handled:
    """A function that takes any call."""

    def __init__(self, fn: Handler, *, inline: bool) -> None:
        self._fn, self._inline = fn, inline or waits_well(fn)

    async def call(self, name: str, args: Any) -> Any:
        """Call it with the arguments as JSON."""
        return await called(self._fn, name, compact(args), inline=self._inline)


class HandledTools:
    """Registered tools, and a function for all others; without either, a word that says so."""

    def __init__(self, registry: ToolRegistry, handler: Handled | None, clock: Clock) -> None:
        self._registry, self._handler, self._clock = registry, handler, clock

    def specs(self) -> Sequence[ToolSpec]:
        """List the registered tools."""
        return self._registry.specs()

    def needs(self, name: str) -> Sequence[str] | None:
        """Give what a registered tool declares to need; the handler declares nothing."""
        if self._handler is not None and not self._registry.has_tool(name):
            return None
        return self._registry.needs(name) if self._registry.tool_count() else ()

    async def observe(self, name: str, args: Any, /) -> Observation:
        """Call whoever takes it; whatever goes wrong is an observation."""
        if self._registry.has_tool(name) or (self._handler is None and self._registry.tool_count()):
            return await self._registry.observe(name, args)
        if self._handler is None:
            return PlainObservation(ok=False, error=NO_HANDLER, error_kind="not_found")
        seen = await observed(self._handler.call(name, args), self._clock)
        return PlainObservation(seen.ok, seen.data, ms=seen.ms) if seen.error is None else seen
