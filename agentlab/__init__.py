"""agentlab: agents you can look at. Importing it loads nothing and starts nothing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from agentlab.homes import HOMES

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
        Approve,
        Chunk,
        Edit,
        Embedder,
        Memory,
        Model,
        PersistenceBackend,
        Refuse,
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
    from agentlab.personas.persona import Persona, PersonaBuilder, PersonaTone
    from agentlab.personas.registry import PersonaRegistry
    from agentlab.personas.scope import PersonaScope
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
    from agentlab.skills.composing import SkillComposer, SkillPipeline
    from agentlab.skills.loader import SkillLoader
    from agentlab.skills.matching import SkillMatch, SkillMatcher
    from agentlab.skills.registry import Skill, SkillRegistry
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
    from agentlab.strategies.execution import ExecutionPlan
    from agentlab.strategies.grammar import parse_react_step
    from agentlab.strategies.live import StreamingReAct
    from agentlab.strategies.loop import ReActLoop
    from agentlab.strategies.observer import Observer
    from agentlab.strategies.plan_execute import (
        PlanExecute,
        PlanExecuteAgent,
        PlanExecuteConfig,
        Verifier,
    )
    from agentlab.strategies.planner import Planner, PlannerConfig
    from agentlab.strategies.plans import Plan, PlanRun, PlanStep, StepStatus, VerificationResult
    from agentlab.strategies.search import (
        DepthExceeded,
        NodeLimitExceeded,
        NoMethodFound,
        NoPreconditionSatisfied,
        SearchError,
        StepLimitExceeded,
    )
    from agentlab.strategies.streaming import StreamingReActLoop
    from agentlab.strategies.streaming_session import StreamingSession
    from agentlab.strategies.tasks import Method, Precondition, Task
    from agentlab.strategies.tokens import InferenceToken, StreamingInference, TokenStream
    from agentlab.strategies.workflow.context import WorkflowContext
    from agentlab.strategies.workflow.definition import Workflow
    from agentlab.strategies.workflow.engine import WorkflowEngine
    from agentlab.strategies.workflow.errors import MaxIterationsExceeded, StepFailed
    from agentlab.strategies.workflow.result import WorkflowResult
    from agentlab.strategies.workflow.steps import WorkflowStep
    from agentlab.teams.bus import AgentBus
    from agentlab.teams.capability import (
        AgentAdvertisement,
        AgentHealth,
        Capability,
        CapabilityMatch,
        CapabilityQuery,
    )
    from agentlab.teams.debate import DebateOrchestrator, DebateStrategy
    from agentlab.teams.debate_config import DebateConfig, DebaterPosition, DebateSession
    from agentlab.teams.discovery import AgentRegistry
    from agentlab.teams.influence import influence
    from agentlab.teams.messages import AgentMessage, AgentTarget
    from agentlab.teams.subscription import BusSubscription
    from agentlab.teams.swarm import SwarmOrchestrator, SwarmStrategy
    from agentlab.teams.swarm_config import SwarmConfig, SwarmResult, TaskSplitStrategy
    from agentlab.teams.team import TeamOrchestrator, TeamStrategy
    from agentlab.teams.team_config import (
        AgentTeam,
        CommunicationTopology,
        ConsensusStrategy,
        TeamConfig,
    )
    from agentlab.teams.team_result import TeamResult
    from agentlab.teams.tournament import tournament, tournament_sync
    from agentlab.tools.builtin import CalculatorTool, EchoTool, TimestampTool, calculator
    from agentlab.tools.named import NamedTool, NamedToolRegistry, ToolInfo
    from agentlab.tools.permissions import ToolManifest, ToolPermission
    from agentlab.tools.registry import ToolRegistry
    from agentlab.tools.sandbox import Sandbox, SandboxConfig
    from agentlab.tools.spec import ToolSpec, tool
    from agentlab.tools.validator import (
        ParameterSpec,
        ParameterTypeHint,
        SchemaValidator,
        ToolCall,
        ToolSchema,
    )
    from agentlab.widgets.graph_explorer import GraphExplorer
    from agentlab.widgets.memory_explorer import MemoryExplorer
    from agentlab.widgets.trace_explorer import TraceExplorer
    from agentlab.widgets.watch import watch

__version__ = "0.1.0"

__all__ = [
    "ActionBlocked", "AgentAdvertisement", "AgentBus", "AgentCheckpoint", "AgentConfig",
    "AgentEvent", "AgentEventStream", "AgentHealth", "AgentId", "AgentLabError", "AgentLoopError",
    "AgentMessage", "AgentMetrics", "AgentMetricsRegistry", "AgentMetricsSnapshot", "AgentRegistry",
    "AgentRuntime", "AgentRuntimeBuilder", "AgentRuntimeError", "AgentSession", "AgentTarget",
    "AgentTeam", "AnthropicProvider", "Approve", "BackpressureGuard", "BackpressureShed",
    "BagOfWordsEmbedder", "BusError", "BusSubscription", "CalculatorTool", "Capability",
    "CapabilityMatch", "CapabilityQuery", "CheckpointError", "CheckpointManager", "CheckpointStore",
    "Chunk", "CircuitBreaker", "CircuitBreakerBackend", "CircuitOpen", "CircuitState",
    "CommunicationTopology", "CompletionOptions", "CompressedEpisode", "CompressorConfig",
    "ConsensusStrategy", "ConsolidatedMemory", "ConsolidationPolicy", "Counter", "DamagedRecord",
    "DebateConfig", "DebateOrchestrator", "DebateSession", "DebateStrategy", "DebaterPosition",
    "DecayPolicy", "DeduplicationConflict", "DeduplicationResult", "Deduplicator", "DepthExceeded",
    "EchoTool", "Edit", "Embedder", "Embedding", "Entity", "EntityId", "Entry", "EpisodicStore",
    "EvictionPolicy", "ExecutionPlan", "FileCheckpointStore", "FilePersistenceBackend",
    "ForgettingCurve", "FunctionEmbedder", "FunctionModel", "Gauge", "GraphError", "GraphExplorer",
    "GraphStore", "Guarded", "Histogram", "ImportanceFilter", "ImportanceStrategy",
    "InMemoryCheckpointStore", "InMemoryPersistenceBackend", "InferenceToken", "InternalError",
    "InvalidValue", "Journal", "KnowledgeGraph", "LlmProvider", "LocalModel", "LtmConfig",
    "LtmEntry", "LtmStore", "MaxIterationsExceeded", "Memory", "MemoryCompressor",
    "MemoryConsolidator", "MemoryEntry", "MemoryExplorer", "MemoryId", "MemoryItem",
    "MemoryStoreError", "MemorySummary", "MemoryTurn", "MessageId", "Method", "MetricsRegistry",
    "MetricsSnapshot", "Model", "NamedTool", "NamedToolRegistry", "NewerFormat", "NoMethodFound",
    "NoPreconditionSatisfied", "NodeLimitExceeded", "NotConfigured", "Observer", "OpenAiProvider",
    "OrchestrationError", "ParameterSpec", "ParameterTypeHint", "PersistenceBackend",
    "PersistenceError", "Persona", "PersonaBuilder", "PersonaNotFound", "PersonaRegistry",
    "PersonaScope", "PersonaTone", "Pipeline", "Plan", "PlanExecute", "PlanExecuteAgent",
    "PlanExecuteConfig", "PlanRun", "PlanStep", "Planner", "PlannerConfig", "PlannerError",
    "Precondition", "ProviderError", "ReActLoop", "ReActStep", "RecallPolicy", "RecordedModel",
    "RecordingMissed", "Refuse", "Relation", "Relationship", "Request", "RetryPolicy", "Retrying",
    "Role", "Run", "RunHandle", "RuntimeMetrics", "Sandbox", "SandboxConfig", "SandboxDenied",
    "SchemaValidator", "ScriptedModel", "SearchError", "Secret", "SemanticDedup", "SemanticEntry",
    "SemanticMemory", "SemanticStore", "SharedCircuitBreaker", "Skill", "SkillComposer",
    "SkillLoader", "SkillMatch", "SkillMatcher", "SkillPipeline", "SkillRegistry",
    "SqlitePersistenceBackend", "Stage", "StaticEmbedder", "StepFailed", "StepLimitExceeded",
    "StepStatus", "Strategy", "StreamBroadcaster", "StreamingCallbacks", "StreamingInference",
    "StreamingReAct", "StreamingReActLoop", "StreamingSession", "SwarmConfig", "SwarmOrchestrator",
    "SwarmResult", "SwarmStrategy", "Task", "TaskSplitStrategy", "TeamConfig", "TeamOrchestrator",
    "TeamResult", "TeamStrategy", "TemporalCompression", "TimestampTool", "TokenStream", "Tool",
    "ToolArgumentError", "ToolCall", "ToolError", "ToolInfo", "ToolManifest", "ToolNotFound",
    "ToolPermission", "ToolRegistry", "ToolSchema", "ToolSpec", "ToolTimeout", "Trace",
    "TraceExplorer", "TurnCompressor", "ValidationError", "VectorMemory", "VerificationResult",
    "Verifier", "Workflow", "WorkflowContext", "WorkflowEngine", "WorkflowError", "WorkflowResult",
    "WorkflowStep", "WorkingMemory", "WrongThread", "__version__", "as_model", "calculator",
    "datasets", "enable_nested_asyncio", "influence", "load", "parse_react_step", "record",
    "replay", "tool", "tournament", "tournament_sync", "watch",
]  # fmt: skip

_MODULES = frozenset({"datasets"})
_HOME_OF = {name: home for home, names in HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"agentlab.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'agentlab' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"agentlab.{_HOME_OF[name]}"), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
