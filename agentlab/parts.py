"""The live parts of a runtime: what counts, sheds, asks again and keeps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from agentlab.core.errors import BackpressureShed, InvalidValue
from agentlab.core.events import Prepared, Warned
from agentlab.core.protocols import Model, Sink, Strategy
from agentlab.core.run import Run
from agentlab.locked import Locked
from agentlab.models.wrapped import Retrying
from agentlab.observe.agent_metrics import AgentMetricsRegistry
from agentlab.observe.metrics import RuntimeMetrics
from agentlab.observe.prometheus import MetricsRegistry
from agentlab.personas.persona import Persona
from agentlab.personas.registry import PersonaRegistry
from agentlab.personas.scope import active_persona
from agentlab.resilience.slots import Slot
from agentlab.settings import Settings, check_memory
from agentlab.store.base import Shelf
from agentlab.store.checkpoint import CheckpointManager
from agentlab.store.persistence import as_backend
from agentlab.store.saver import SessionSaver
from agentlab.strategies.observer import observing
from agentlab.strategies.workflow.definition import Workflow
from agentlab.tools.named import NamedToolRegistry

if TYPE_CHECKING:
    from agentlab.memory.ltm import LtmStore
    from agentlab.memory.vector import SemanticMemory


class Parts:
    """What the runs of one runtime share.

    Parameters
    ----------
    settings : Settings
        What the runtime was made from.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.store = None if settings.store is None else as_backend(settings.store)
        if settings.graph is not None and not hasattr(settings.graph, "entity_count"):
            raise InvalidValue(f"graph must be a graph, got {settings.graph!r:.80}")
        self.named_persona(settings.persona)
        self.savers()  # what cannot be right is told when the runtime is made
        self.metrics = settings.metrics or RuntimeMetrics()
        self.registry = MetricsRegistry()
        self.agents = AgentMetricsRegistry(clock=settings.clock)
        memory: Any = settings.memory
        check_memory(memory, settings.working_memory)
        if hasattr(memory, "__len__"):
            self.registry.memory_entries.follow(lambda: len(memory))

    @cached_property
    def named(self) -> NamedToolRegistry:
        """The text tools: the built-in ones or those that were given, and the runtime's own."""
        named = self._settings.tool_registry or NamedToolRegistry.with_builtins()
        for spec in self._settings.tools:
            named.register(spec)
        if self._settings.sandbox is not None:
            named.with_sandbox(self._settings.sandbox)
        return named

    @cached_property
    def personas(self) -> PersonaRegistry:
        """The personas that were given, or else the built-in ones."""
        given = self._settings.persona_registry
        if given is not None and not isinstance(given, PersonaRegistry):
            raise InvalidValue(f"persona_registry must be a PersonaRegistry, got {given!r:.80}")
        return PersonaRegistry.with_builtins() if given is None else given

    def persona(self) -> Persona | None:
        """Give who agents are to be here and now: by a scope, or else always."""
        return active_persona(self) or self.named_persona(self._settings.persona)

    def named_persona(self, who: str | Persona | None) -> Persona | None:
        """Give the persona of that name; one that is given needs none."""
        known = self.personas
        return who if who is None or isinstance(who, Persona) else known[who]

    @cached_property
    def semantic_memory(self) -> Locked[SemanticMemory[Any]]:
        """A memory of texts, for one task at a time: the one that was given, if it is one."""
        from agentlab.memory.vector import SemanticMemory

        given = self._settings.memory
        return Locked(given if isinstance(given, SemanticMemory) else SemanticMemory())

    @cached_property
    def ltm(self) -> LtmStore:
        """A memory for long: the one that was given, if it is one."""
        from agentlab.memory.ltm import LtmStore

        given = self._settings.memory
        return given if isinstance(given, LtmStore) else LtmStore(clock=self._settings.clock)

    @cached_property
    def checkpoints(self) -> CheckpointManager:
        """The manager that was given, else one in memory."""
        how = self._settings
        return how.checkpoint_manager or CheckpointManager(
            working_memory=how.working_memory, clock=how.clock
        )

    @cached_property
    def sinks(self) -> list[Sink]:
        """Who hears of every run, and of every run below one."""
        observer, own = self._settings.observer, self._settings.sinks
        counters = (self.metrics, self.registry, self.agents)
        return [*counters, *own, *([observing(observer)] if observer else [])]

    def savers(self) -> list[Sink]:
        """Give what keeps one run, if there is a store; it says first what is safe."""
        if self.store is None:
            return []
        how = self._settings
        return [SessionSaver(self.store, snapshot_steps=how.snapshot_steps, redact=how.redact)]

    async def close(self) -> None:
        """Keep the time, and close the store if nobody else has it: if it was given by its path."""
        if self.store is None:
            return
        now = self._settings.clock.now().isoformat()
        await self.store.save("runtime:shutdown", now.encode())
        if isinstance(self.store, Shelf) and self.store is not self._settings.store:
            self.store.close()

    def patient(self, model: Model) -> Model:
        """Give ``model`` as it is asked: again, where that is wanted."""
        retry = self._settings.retry
        return model if retry is None else Retrying(model, retry)

    async def prepare(self, run: Run, goal: str) -> str:
        """Put what is remembered before a question, and what the agent has in mind after it."""
        settings = self._settings
        prompt = goal
        if settings.memory is not None:
            hits = await run.remember(goal, run.config.max_memory_recalls)
            if hits:
                told = "".join(f"- {hit.text}\n" for hit in hits)
                prompt = f"Relevant memories:\n{told}\nCurrent prompt: {goal}"
        if settings.working_memory is None:
            self.tell(run)
            return prompt
        from agentlab.memory.working import section

        entries = settings.working_memory.entries()
        self.tell(run, dict(entries))
        return prompt + section(entries)

    def tell(self, run: Run, working: dict[str, str] | None = None) -> None:
        """Tell what an agent has in mind, and how much the graph knows, if there is either."""
        graph = self._settings.graph
        if working is not None or graph is not None:
            run.emit(Prepared(working or {}, 0 if graph is None else graph.entity_count()))

    def admit(self, strategy: Strategy) -> Stay:
        """Let one run in, or shed it, which is counted."""
        guard = self._settings.backpressure
        if isinstance(strategy, Workflow):  # its tasks call text tools too
            strategy = strategy.with_tools(self.named)
        try:
            return Stay(self, strategy, None if guard is None else guard.try_acquire())
        except BackpressureShed:
            self.metrics.record_shed()
            raise


@dataclass(frozen=True, slots=True)
class Stay:
    """A run that was let in, until it is over."""

    parts: Parts
    strategy: Strategy
    slot: Slot | None

    async def prepare(self, run: Run, goal: str) -> str:
        """Make the first prompt, and tell if there are many at once now.

        A plan's or a team's goal is taken as it is.
        """
        if self.slot and self.slot.warning:
            run.emit(Warned(self.slot.warning))
        if getattr(self.strategy, "takes_memories", False):
            return await self.parts.prepare(run, goal)
        self.parts.tell(run)
        return goal

    def over(self) -> None:
        """Give the place back."""
        if self.slot:
            self.slot.success()
