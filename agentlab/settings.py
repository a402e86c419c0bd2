"""What a runtime is made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, TypeAlias

from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.config import NAMELESS, AgentConfig
from agentlab.core.errors import InvalidValue
from agentlab.core.protocols import (
    ActionHook,
    Guard,
    Memory,
    PersistenceBackend,
    Sink,
    TokenEstimator,
)
from agentlab.models.naming import name_of, needs_model
from agentlab.observe.metrics import RuntimeMetrics
from agentlab.personas.persona import Persona
from agentlab.personas.registry import PersonaRegistry
from agentlab.resilience.backpressure import BackpressureGuard
from agentlab.resilience.retry import RetryPolicy
from agentlab.store.checkpoint import CheckpointManager
from agentlab.store.saver import Redact, Snapshots
from agentlab.strategies.observer import Observer
from agentlab.tools.named import NamedTool, NamedToolRegistry
from agentlab.tools.spec import ToolSpec

if TYPE_CHECKING:
    from agentlab.graph.knowledge import KnowledgeGraph
    from agentlab.graph.store import GraphStore
    from agentlab.memory.working import WorkingMemory

DEFAULT_ITERATIONS = 10
ToolLike: TypeAlias = ToolSpec | NamedTool | Callable[..., Any]


@dataclass(frozen=True)
class Settings:
    """All that a runtime was made from; runtimes with equal settings are equal."""

    model: Any
    config: AgentConfig
    tools: tuple[ToolSpec, ...] = ()
    memory: Memory | None = None
    working_memory: WorkingMemory | None = None
    graph: GraphStore | KnowledgeGraph | None = None
    tool_registry: NamedToolRegistry | None = None
    persona: str | Persona | None = None
    persona_registry: PersonaRegistry | None = None
    backpressure: BackpressureGuard | None = None
    sandbox: Guard | None = None
    retry: RetryPolicy | None = None
    store: PersistenceBackend | str | Path | None = None
    snapshot_steps: Snapshots = "incremental"
    redact: Redact | None = None
    checkpoint_manager: CheckpointManager | None = None
    metrics: RuntimeMetrics | None = None
    observer: Observer | None = None
    action_hook: ActionHook | None = None
    token_estimator: TokenEstimator | None = None
    sinks: tuple[Sink, ...] = ()
    clock: Clock = SYSTEM_CLOCK
    rng: Random | None = field(default=None, compare=False)


def check_memory(memory: object, working_memory: object) -> None:
    """See that these are memories.

    Raises
    ------
    InvalidValue
        One is not.
    """
    if memory is not None and not callable(getattr(memory, "recall_for", None)):
        raise InvalidValue(
            f"a memory has recall_for(agent, prompt, limit), got {memory!r:.80}:"
            " EpisodicStore() is one"
        )
    if working_memory is not None and not callable(getattr(working_memory, "entries", None)):
        raise InvalidValue(f"working_memory must be a WorkingMemory, got {working_memory!r:.80}")


def config_of(model: Any, config: AgentConfig | None, **chosen: Any) -> tuple[Any, AgentConfig]:
    """Give the model and the configuration that follow from what was said about them.

    Raises
    ------
    InvalidValue
        ``config`` and one of its fields are both given.
    """
    chosen = {name: value for name, value in chosen.items() if value is not None}
    if config is None:
        defaults = {"max_iterations": DEFAULT_ITERATIONS, "model": named(model)}
        return model, AgentConfig(**{**defaults, **chosen})
    if chosen:
        raise InvalidValue(f"config= already has {', '.join(chosen)}, got {chosen!r} as well")
    if model is None:
        return config.model, config
    if needs_model(model):
        return model, config
    return model, replace(config, model=name_of(model))


def named(model: Any) -> str:
    """Say what to call whatever answers; there may be nothing yet."""
    return NAMELESS if model is None else name_of(model)
