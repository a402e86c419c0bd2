"""The typed builder: a type checker, and then the run time, refuse to build without a config."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from agentlab.core.clock import Clock
from agentlab.core.config import AgentConfig
from agentlab.core.errors import NotConfigured
from agentlab.core.protocols import (
    ActionHook,
    Guard,
    Memory,
    PersistenceBackend,
    TokenEstimator,
)
from agentlab.observe.metrics import RuntimeMetrics
from agentlab.personas.registry import PersonaRegistry
from agentlab.resilience.backpressure import BackpressureGuard
from agentlab.resilience.retry import RetryPolicy
from agentlab.runtime import AgentRuntime
from agentlab.settings import ToolLike
from agentlab.store.checkpoint import CheckpointManager
from agentlab.store.saver import Redact, Snapshots
from agentlab.strategies.observer import Observer
from agentlab.tools.named import NamedToolRegistry

if TYPE_CHECKING:
    from agentlab.graph.knowledge import KnowledgeGraph
    from agentlab.graph.store import GraphStore
    from agentlab.memory.working import WorkingMemory


class NeedsConfig:
    """A builder that cannot build yet."""


class HasConfig:
    """A builder that can."""


StateT = TypeVar("StateT", NeedsConfig, HasConfig)


class AgentRuntimeBuilder(Generic[StateT]):
    """Collects the parts of a runtime, in any order.

    >>> builder = AgentRuntime.builder().with_agent_config(AgentConfig(5, "local"))
    >>> builder.build() == AgentRuntime.quick(5, "local")
    True
    """

    def __init__(self) -> None:
        self._parts: dict[str, Any] = {}
        self._tools: list[ToolLike] = []

    def __repr__(self) -> str:
        return f"AgentRuntimeBuilder({', '.join([*self._parts, f'{len(self._tools)} tools'])})"

    def with_agent_config(self, config: AgentConfig) -> AgentRuntimeBuilder[HasConfig]:
        """Set the configuration; only then can it build."""
        self._parts["config"] = config
        return self  # type: ignore[return-value]  # the state is only a word to the type checker

    def register_tool(self, tool: ToolLike) -> AgentRuntimeBuilder[StateT]:
        """Add a tool, or a function as one; the same name replaces."""
        self._tools.append(tool)
        return self

    def with_memory(self, memory: Memory) -> AgentRuntimeBuilder[StateT]:
        """Set what is recalled and put before each question."""
        return self._with(memory=memory)

    def with_working_memory(self, memory: WorkingMemory) -> AgentRuntimeBuilder[StateT]:
        """Set what is put after it: what agents have in mind."""
        return self._with(working_memory=memory)

    def with_graph(self, graph: GraphStore | KnowledgeGraph) -> AgentRuntimeBuilder[StateT]:
        """Set the graph whose entities are counted when a run begins."""
        return self._with(graph=graph)

    def with_tool_registry(self, registry: NamedToolRegistry) -> AgentRuntimeBuilder[StateT]:
        """Set the text tools."""
        return self._with(tool_registry=registry)

    def with_persona_registry(self, registry: PersonaRegistry) -> AgentRuntimeBuilder[StateT]:
        """Set the personas that ``with_persona`` knows."""
        return self._with(persona_registry=registry)

    def with_backpressure(self, guard: BackpressureGuard) -> AgentRuntimeBuilder[StateT]:
        """Set what sheds a run at once where too many are under way."""
        return self._with(backpressure=guard)

    def with_retry(self, policy: RetryPolicy) -> AgentRuntimeBuilder[StateT]:
        """Set how often, and when, a model is asked again whose failure may pass."""
        return self._with(retry=policy)

    def with_metrics(self, metrics: RuntimeMetrics) -> AgentRuntimeBuilder[StateT]:
        """Set counters that are shared with other runtimes."""
        return self._with(metrics=metrics)

    def with_checkpoint_backend(
        self,
        backend: PersistenceBackend | str | Path,
        *,
        snapshot_steps: Snapshots = "incremental",
        redact: Redact | None = None,
    ) -> AgentRuntimeBuilder[StateT]:
        """Set where every run is kept while it goes on, and how."""
        return self._with(store=backend, snapshot_steps=snapshot_steps, redact=redact)

    def with_checkpoint_manager(self, manager: CheckpointManager) -> AgentRuntimeBuilder[StateT]:
        """Set what ``checkpoint()`` gives."""
        return self._with(checkpoint_manager=manager)

    def with_observer(self, observer: Observer) -> AgentRuntimeBuilder[StateT]:
        """Set who hears of every step."""
        return self._with(observer=observer)

    def with_action_hook(self, hook: ActionHook) -> AgentRuntimeBuilder[StateT]:
        """Set who is asked before each tool call."""
        return self._with(action_hook=hook)

    def with_sandbox(self, sandbox: Guard) -> AgentRuntimeBuilder[StateT]:
        """Set who is asked then whether what the tool needs was granted."""
        return self._with(sandbox=sandbox)

    def with_token_estimator(self, estimator: TokenEstimator) -> AgentRuntimeBuilder[StateT]:
        """Set what counts tokens where the model does not."""
        return self._with(token_estimator=estimator)

    def with_clock(self, clock: Clock) -> AgentRuntimeBuilder[StateT]:
        """Set what everything but deadlines reads."""
        return self._with(clock=clock)

    def build(self: AgentRuntimeBuilder[HasConfig]) -> AgentRuntime:
        """Make the runtime.

        Raises
        ------
        NotConfigured
            There is no configuration; a type checker says so earlier.
        """
        if "config" not in self._parts:
            raise NotConfigured("agent_config")
        return AgentRuntime(tools=self._tools, **self._parts)

    def _with(self, **part: Any) -> AgentRuntimeBuilder[StateT]:
        self._parts.update(part)
        return self
