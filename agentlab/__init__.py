"""agentlab: agents you can look at. Importing it loads nothing and starts nothing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentlab import datasets
    from agentlab.builder import AgentRuntimeBuilder
    from agentlab.core.config import AgentConfig
    from agentlab.core.errors import (
        ActionBlocked,
        AgentLabError,
        AgentLoopError,
        AgentRuntimeError,
        BackpressureShed,
        BusError,
        CheckpointError,
        CircuitOpen,
        DamagedRecord,
        DeduplicationConflict,
        GraphError,
        InternalError,
        InvalidValue,
        MemoryStoreError,
        NewerFormat,
        NotConfigured,
        OrchestrationError,
        PersistenceError,
        PersonaNotFound,
        PlannerError,
        ProviderError,
        RecordingMissed,
        SandboxDenied,
        ToolArgumentError,
        ToolError,
        ToolNotFound,
        ToolTimeout,
        ValidationError,
        WorkflowError,
        WrongThread,
    )
    from agentlab.core.events import Entry, ReActStep
    from agentlab.core.ids import AgentId, EntityId, MemoryId, MessageId
    from agentlab.core.nested import enable_nested_asyncio
    from agentlab.core.protocols import (
        Chunk,
        Embedder,
        Memory,
        Model,
        PersistenceBackend,
        Request,
        Strategy,
        Tool,
    )
    from agentlab.core.run import Run
    from agentlab.core.secrets import Secret
    from agentlab.core.session import AgentSession
    from agentlab.core.trace import Trace
    from agentlab.graph.entities import Entity, Relation, Relationship
    from agentlab.graph.knowledge import KnowledgeGraph
    from agentlab.graph.store import GraphStore
    from agentlab.handle import RunHandle
    from agentlab.memory.bag import BagOfWordsEmbedder
    from agentlab.memory.compressed import CompressedEpisode, MemorySummary
    from agentlab.memory.compression import MemoryCompressor
    from agentlab.memory.consolidated import ConsolidatedMemory
    from agentlab.memory.consolidation import MemoryConsolidator
    from agentlab.memory.conversation import MemoryTurn, Role
    from agentlab.memory.decay import DecayPolicy, EvictionPolicy, RecallPolicy
    from agentlab.memory.embedders import FunctionEmbedder, StaticEmbedder
    from agentlab.memory.embedding import Embedding
    from agentlab.memory.episodic import EpisodicStore
    from agentlab.memory.forgetting import ForgettingCurve, LtmConfig, LtmEntry
    from agentlab.memory.grouping import ConsolidationPolicy
    from agentlab.memory.importance import ImportanceStrategy
    from agentlab.memory.items import MemoryItem
    from agentlab.memory.ltm import LtmStore
    from agentlab.memory.nearest import VectorMemory
    from agentlab.memory.passes import ImportanceFilter, SemanticDedup, TemporalCompression
    from agentlab.memory.semantic import SemanticEntry, SemanticStore
    from agentlab.memory.turns import CompressorConfig, TurnCompressor
    from agentlab.memory.vector import SemanticMemory
    from agentlab.memory.working import WorkingMemory
    from agentlab.models.anthropic import AnthropicProvider
    from agentlab.models.function import FunctionModel
    from agentlab.models.llm import CompletionOptions, LlmProvider
    from agentlab.models.local import LocalModel
    from agentlab.models.naming import as_model
    from agentlab.models.openai import OpenAiProvider
    from agentlab.models.recorded import RecordedModel
    from agentlab.models.scripted import ScriptedModel
    from agentlab.models.wrapped import Guarded, Retrying
    from agentlab.observe.agent_metrics import (
        AgentMetrics,
        AgentMetricsRegistry,
        AgentMetricsSnapshot,
    )
    from agentlab.observe.metrics import RuntimeMetrics
    from agentlab.observe.prometheus import MetricsRegistry
    from agentlab.observe.series import Counter, Gauge, Histogram
    from agentlab.observe.snapshot import MetricsSnapshot
    from agentlab.recording import record, replay
    from agentlab.resilience.backpressure import BackpressureGuard
    from agentlab.resilience.circuit import CircuitState
    from agentlab.resilience.circuit_backends import CircuitBreakerBackend
    from agentlab.resilience.circuit_breaker import CircuitBreaker
    from agentlab.resilience.dedup import Deduplicator
    from agentlab.resilience.ledger import DeduplicationResult
    from agentlab.resilience.pipeline import Pipeline, Stage
    from agentlab.resilience.retry import RetryPolicy
    from agentlab.resilience.shared_breaker import SharedCircuitBreaker
    from agentlab.runtime import AgentRuntime
    from agentlab.store.checkpoint import CheckpointManager
    from agentlab.store.checkpoint_format import AgentCheckpoint, MemoryEntry
    from agentlab.store.checkpoint_stores import (
        CheckpointStore,
        FileCheckpointStore,
        InMemoryCheckpointStore,
    )
    from agentlab.store.file import FilePersistenceBackend
    from agentlab.store.journal import Journal
    from agentlab.store.loading import load
    from agentlab.store.memory import InMemoryPersistenceBackend
    from agentlab.store.sqlite import SqlitePersistenceBackend
    from agentlab.strategies.agent_events import AgentEvent
    from agentlab.strategies.broadcast import StreamBroadcaster
    from agentlab.strategies.callbacks import StreamingCallbacks
    from agentlab.strategies.event_stream import AgentEventStream
    from agentlab.strategies.grammar import parse_react_step
    from agentlab.strategies.live import StreamingReAct
    from agentlab.strategies.loop import ReActLoop
    from agentlab.strategies.observer import Observer
    from agentlab.strategies.streaming import StreamingReActLoop
    from agentlab.strategies.streaming_session import StreamingSession
    from agentlab.strategies.tokens import InferenceToken, StreamingInference, TokenStream
    from agentlab.tools.builtin import CalculatorTool, EchoTool, TimestampTool, calculator
    from agentlab.tools.named import NamedTool, NamedToolRegistry, ToolInfo
    from agentlab.tools.registry import ToolRegistry
    from agentlab.tools.spec import ToolSpec, tool
    from agentlab.tools.validator import (
        ParameterSpec,
        ParameterTypeHint,
        SchemaValidator,
        ToolCall,
        ToolSchema,
    )
    from agentlab.widgets.memory_explorer import MemoryExplorer
    from agentlab.widgets.trace_explorer import TraceExplorer
    from agentlab.widgets.watch import watch

__version__ = "0.1.0"

__all__ = [
    "ActionBlocked", "AgentCheckpoint", "AgentConfig", "AgentEvent", "AgentEventStream",
    "AgentId", "AgentLabError", "AgentLoopError", "AgentMetrics", "AgentMetricsRegistry",
    "AgentMetricsSnapshot", "AgentRuntime", "AgentRuntimeBuilder", "AgentRuntimeError",
    "AgentSession", "AnthropicProvider", "BackpressureGuard", "BackpressureShed",
    "BagOfWordsEmbedder", "BusError", "CalculatorTool", "CheckpointError", "CheckpointManager",
    "CheckpointStore", "Chunk", "CircuitBreaker", "CircuitBreakerBackend", "CircuitOpen",
    "CircuitState", "CompletionOptions", "CompressedEpisode", "CompressorConfig",
    "ConsolidatedMemory", "ConsolidationPolicy", "Counter", "DamagedRecord", "DecayPolicy",
    "DeduplicationConflict", "DeduplicationResult", "Deduplicator", "EchoTool", "Embedder",
    "Embedding", "Entity", "EntityId", "Entry", "EpisodicStore", "EvictionPolicy",
    "FileCheckpointStore", "FilePersistenceBackend", "ForgettingCurve", "FunctionEmbedder",
    "FunctionModel", "Gauge", "GraphError", "GraphStore", "Guarded", "Histogram",
    "ImportanceFilter", "ImportanceStrategy", "InMemoryCheckpointStore",
    "InMemoryPersistenceBackend", "InferenceToken", "InternalError", "InvalidValue", "Journal",
    "KnowledgeGraph", "LlmProvider", "LocalModel", "LtmConfig", "LtmEntry", "LtmStore",
    "Memory", "MemoryCompressor", "MemoryConsolidator", "MemoryEntry", "MemoryExplorer", "MemoryId",
    "MemoryItem", "MemoryStoreError", "MemorySummary", "MemoryTurn", "MessageId",
    "MetricsRegistry", "MetricsSnapshot", "Model", "NamedTool", "NamedToolRegistry",
    "NewerFormat", "NotConfigured", "Observer", "OpenAiProvider", "OrchestrationError",
    "ParameterSpec", "ParameterTypeHint", "PersistenceBackend", "PersistenceError",
    "PersonaNotFound", "Pipeline", "PlannerError", "ProviderError", "ReActLoop", "ReActStep",
    "RecallPolicy", "RecordedModel", "RecordingMissed", "Relation", "Relationship", "Request",
    "RetryPolicy", "Retrying", "Role", "Run", "RunHandle", "RuntimeMetrics", "SandboxDenied",
    "SchemaValidator", "ScriptedModel", "Secret", "SemanticDedup", "SemanticEntry",
    "SemanticMemory", "SemanticStore", "SharedCircuitBreaker", "SqlitePersistenceBackend",
    "Stage", "StaticEmbedder", "Strategy", "StreamBroadcaster", "StreamingCallbacks",
    "StreamingInference", "StreamingReAct", "StreamingReActLoop", "StreamingSession",
    "TemporalCompression", "TimestampTool", "TokenStream", "Tool", "ToolArgumentError",
    "ToolCall", "ToolError", "ToolInfo", "ToolNotFound", "ToolRegistry", "ToolSchema",
    "ToolSpec", "ToolTimeout", "Trace", "TraceExplorer", "TurnCompressor", "ValidationError",
    "VectorMemory", "WorkflowError", "WorkingMemory", "WrongThread", "__version__", "as_model",
    "calculator", "datasets", "enable_nested_asyncio", "load", "parse_react_step", "record",
    "replay", "tool", "watch",
]  # fmt: skip

_HOME = {
    "builder": "AgentRuntimeBuilder",
    "core.config": "AgentConfig",
    "core.errors": (
        "ActionBlocked AgentLabError AgentLoopError AgentRuntimeError BackpressureShed "
        "BusError CheckpointError CircuitOpen DamagedRecord DeduplicationConflict GraphError "
        "InternalError InvalidValue MemoryStoreError NewerFormat NotConfigured "
        "OrchestrationError PersistenceError PersonaNotFound PlannerError ProviderError "
        "RecordingMissed SandboxDenied ToolArgumentError ToolError ToolNotFound ToolTimeout "
        "ValidationError WorkflowError WrongThread"
    ),
    "core.events": "Entry ReActStep",
    "core.ids": "AgentId EntityId MemoryId MessageId",
    "core.nested": "enable_nested_asyncio",
    "core.protocols": "Chunk Embedder Memory Model PersistenceBackend Request Strategy Tool",
    "core.run": "Run",
    "core.secrets": "Secret",
    "core.session": "AgentSession",
    "core.trace": "Trace",
    "graph.entities": "Entity Relation Relationship",
    "graph.knowledge": "KnowledgeGraph",
    "graph.store": "GraphStore",
    "handle": "RunHandle",
    "memory.bag": "BagOfWordsEmbedder",
    "memory.compressed": "CompressedEpisode MemorySummary",
    "memory.compression": "MemoryCompressor",
    "memory.consolidated": "ConsolidatedMemory",
    "memory.consolidation": "MemoryConsolidator",
    "memory.conversation": "MemoryTurn Role",
    "memory.decay": "DecayPolicy EvictionPolicy RecallPolicy",
    "memory.embedders": "FunctionEmbedder StaticEmbedder",
    "memory.embedding": "Embedding",
    "memory.episodic": "EpisodicStore",
    "memory.forgetting": "ForgettingCurve LtmConfig LtmEntry",
    "memory.grouping": "ConsolidationPolicy",
    "memory.importance": "ImportanceStrategy",
    "memory.items": "MemoryItem",
    "memory.ltm": "LtmStore",
    "memory.nearest": "VectorMemory",
    "memory.passes": "ImportanceFilter SemanticDedup TemporalCompression",
    "memory.semantic": "SemanticEntry SemanticStore",
    "memory.turns": "CompressorConfig TurnCompressor",
    "memory.vector": "SemanticMemory",
    "memory.working": "WorkingMemory",
    "models.anthropic": "AnthropicProvider",
    "models.function": "FunctionModel",
    "models.llm": "CompletionOptions LlmProvider",
    "models.local": "LocalModel",
    "models.naming": "as_model",
    "models.openai": "OpenAiProvider",
    "models.recorded": "RecordedModel",
    "models.scripted": "ScriptedModel",
    "models.wrapped": "Guarded Retrying",
    "observe.agent_metrics": "AgentMetrics AgentMetricsRegistry AgentMetricsSnapshot",
    "observe.metrics": "RuntimeMetrics",
    "observe.prometheus": "MetricsRegistry",
    "observe.series": "Counter Gauge Histogram",
    "observe.snapshot": "MetricsSnapshot",
    "recording": "record replay",
    "resilience.backpressure": "BackpressureGuard",
    "resilience.circuit": "CircuitState",
    "resilience.circuit_backends": "CircuitBreakerBackend",
    "resilience.circuit_breaker": "CircuitBreaker",
    "resilience.dedup": "Deduplicator",
    "resilience.ledger": "DeduplicationResult",
    "resilience.pipeline": "Pipeline Stage",
    "resilience.retry": "RetryPolicy",
    "resilience.shared_breaker": "SharedCircuitBreaker",
    "runtime": "AgentRuntime",
    "store.checkpoint": "CheckpointManager",
    "store.checkpoint_format": "AgentCheckpoint MemoryEntry",
    "store.checkpoint_stores": "CheckpointStore FileCheckpointStore InMemoryCheckpointStore",
    "store.file": "FilePersistenceBackend",
    "store.journal": "Journal",
    "store.loading": "load",
    "store.memory": "InMemoryPersistenceBackend",
    "store.sqlite": "SqlitePersistenceBackend",
    "strategies.agent_events": "AgentEvent",
    "strategies.broadcast": "StreamBroadcaster",
    "strategies.callbacks": "StreamingCallbacks",
    "strategies.event_stream": "AgentEventStream",
    "strategies.grammar": "parse_react_step",
    "strategies.live": "StreamingReAct",
    "strategies.loop": "ReActLoop",
    "strategies.observer": "Observer",
    "strategies.streaming": "StreamingReActLoop",
    "strategies.streaming_session": "StreamingSession",
    "strategies.tokens": "InferenceToken StreamingInference TokenStream",
    "tools.builtin": "CalculatorTool EchoTool TimestampTool calculator",
    "tools.named": "NamedTool NamedToolRegistry ToolInfo",
    "tools.registry": "ToolRegistry",
    "tools.spec": "ToolSpec tool",
    "tools.validator": "ParameterSpec ParameterTypeHint SchemaValidator ToolCall ToolSchema",
    "widgets.memory_explorer": "MemoryExplorer",
    "widgets.trace_explorer": "TraceExplorer",
    "widgets.watch": "watch",
}
_MODULES = frozenset({"datasets"})
_HOME_OF = {name: home for home, names in _HOME.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"agentlab.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'agentlab' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"agentlab.{_HOME_OF[name]}"), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
