"""The live parts of a runtime: what counts, sheds, asks again and keeps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from agentlab.core.errors import BackpressureShed, InvalidValue
from agentlab.core.events import Prepared, Warned
from agentlab.core.protocols import Model, Sink
from agentlab.core.run import Run
from agentlab.models.wrapped import Retrying
from agentlab.observe.agent_metrics import AgentMetricsRegistry
from agentlab.observe.metrics import RuntimeMetrics
from agentlab.observe.prometheus import MetricsRegistry
from agentlab.resilience.slots import Slot
from agentlab.settings import Settings
from agentlab.store.base import Shelf
from agentlab.store.checkpoint import CheckpointManager
from agentlab.store.persistence import as_backend
from agentlab.store.saver import SessionSaver
from agentlab.strategies.observer import observing


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
        self.savers()  # what cannot be right is told when the runtime is made
        self.metrics = settings.metrics or RuntimeMetrics()
        self.registry = MetricsRegistry()
        self.agents = AgentMetricsRegistry(clock=settings.clock)

    @cached_property
    def checkpoints(self) -> CheckpointManager:
        """The manager that was given, else one in memory."""
        return self._settings.checkpoint_manager or CheckpointManager()

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

    def prepare(self, run: Run, goal: str) -> str:
        """Make the first prompt, and tell what is known."""
        if self._settings.graph is not None:
            run.emit(Prepared(graph_entities=self._settings.graph.entity_count()))
        return goal

    def patient(self, model: Model) -> Model:
        """Give ``model`` as it is asked: again, where that is wanted."""
        retry = self._settings.retry
        return model if retry is None else Retrying(model, retry)

    def admit(self) -> Stay:
        """Let one run in, or shed it, which is counted."""
        guard = self._settings.backpressure
        try:
            return Stay(None if guard is None else guard.try_acquire(), self)
        except BackpressureShed:
            self.metrics.record_shed()
            raise


@dataclass(frozen=True, slots=True)
class Stay:
    """A run that was let in, until it is over."""

    slot: Slot | None
    parts: Parts

    def prepare(self, run: Run, goal: str) -> str:
        """Make the first prompt, and tell if there are many at once now."""
        if self.slot and self.slot.warning:
            run.emit(Warned(self.slot.warning))
        return self.parts.prepare(run, goal)

    def over(self) -> None:
        """Give the place back."""
        if self.slot:
            self.slot.success()
