"""agentlab: agents you can look at. Importing it loads nothing and starts nothing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
        DeduplicationConflict,
        GraphError,
        InternalError,
        InvalidValue,
        MemoryStoreError,
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
    from agentlab.core.ids import AgentId, MemoryId, MessageId
    from agentlab.core.protocols import Chunk, Model, Request, Strategy, Tool
    from agentlab.core.run import Run
    from agentlab.core.secrets import Secret
    from agentlab.core.session import AgentSession
    from agentlab.core.trace import Trace
    from agentlab.handle import RunHandle
    from agentlab.models.function import FunctionModel
    from agentlab.models.local import LocalModel
    from agentlab.models.naming import as_model
    from agentlab.models.recorded import RecordedModel
    from agentlab.models.scripted import ScriptedModel
    from agentlab.recording import record, replay
    from agentlab.runtime import AgentRuntime
    from agentlab.strategies.grammar import parse_react_step
    from agentlab.strategies.loop import ReActLoop
    from agentlab.strategies.observer import Observer
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

__version__ = "0.1.0"

__all__ = [
    "ActionBlocked", "AgentConfig", "AgentId", "AgentLabError", "AgentLoopError",
    "AgentRuntime", "AgentRuntimeBuilder", "AgentRuntimeError", "AgentSession",
    "BackpressureShed", "BusError", "CalculatorTool", "CheckpointError", "Chunk", "CircuitOpen",
    "DeduplicationConflict", "EchoTool", "Entry", "FunctionModel", "GraphError",
    "InternalError", "InvalidValue", "LocalModel", "MemoryId", "MemoryStoreError", "MessageId",
    "Model", "NamedTool", "NamedToolRegistry", "NotConfigured", "Observer",
    "OrchestrationError", "ParameterSpec", "ParameterTypeHint", "PersistenceError",
    "PersonaNotFound", "PlannerError", "ProviderError", "ReActLoop", "ReActStep",
    "RecordedModel", "RecordingMissed", "Request", "Run", "RunHandle", "SandboxDenied",
    "SchemaValidator", "ScriptedModel", "Secret", "Strategy", "TimestampTool", "Tool",
    "ToolArgumentError", "ToolCall", "ToolError", "ToolInfo", "ToolNotFound", "ToolRegistry",
    "ToolSchema", "ToolSpec", "ToolTimeout", "Trace", "ValidationError", "WorkflowError",
    "WrongThread", "__version__", "as_model", "calculator", "parse_react_step", "record",
    "replay", "tool",
]  # fmt: skip

_HOME = {
    "builder": "AgentRuntimeBuilder",
    "core.config": "AgentConfig",
    "core.errors": (
        "ActionBlocked AgentLabError AgentLoopError AgentRuntimeError BackpressureShed "
        "BusError CheckpointError CircuitOpen DeduplicationConflict GraphError InternalError "
        "InvalidValue MemoryStoreError NotConfigured OrchestrationError PersistenceError "
        "PersonaNotFound PlannerError ProviderError RecordingMissed SandboxDenied "
        "ToolArgumentError ToolError ToolNotFound ToolTimeout ValidationError WorkflowError "
        "WrongThread"
    ),
    "core.events": "Entry ReActStep",
    "core.ids": "AgentId MemoryId MessageId",
    "core.protocols": "Chunk Model Request Strategy Tool",
    "core.run": "Run",
    "core.secrets": "Secret",
    "core.session": "AgentSession",
    "core.trace": "Trace",
    "handle": "RunHandle",
    "models.function": "FunctionModel",
    "models.local": "LocalModel",
    "models.naming": "as_model",
    "models.recorded": "RecordedModel",
    "models.scripted": "ScriptedModel",
    "recording": "record replay",
    "runtime": "AgentRuntime",
    "strategies.grammar": "parse_react_step",
    "strategies.loop": "ReActLoop",
    "strategies.observer": "Observer",
    "tools.builtin": "CalculatorTool EchoTool TimestampTool calculator",
    "tools.named": "NamedTool NamedToolRegistry ToolInfo",
    "tools.registry": "ToolRegistry",
    "tools.spec": "ToolSpec tool",
    "tools.validator": "ParameterSpec ParameterTypeHint SchemaValidator ToolCall ToolSchema",
}
_HOME_OF = {name: home for home, names in _HOME.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'agentlab' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"agentlab.{_HOME_OF[name]}"), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
