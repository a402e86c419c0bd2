"""agentlab: agents you can look at. Importing it loads nothing and starts nothing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentlab.core.config import AgentConfig
    from agentlab.core.errors import AgentLabError, InvalidValue, NotConfigured
    from agentlab.core.events import Entry, ReActStep
    from agentlab.core.ids import AgentId
    from agentlab.core.protocols import Chunk, Model, Request, Strategy, Tool
    from agentlab.core.run import Run
    from agentlab.core.session import AgentSession
    from agentlab.core.trace import Trace
    from agentlab.handle import RunHandle
    from agentlab.models.function import FunctionModel
    from agentlab.models.naming import as_model
    from agentlab.models.recorded import RecordedModel
    from agentlab.models.scripted import ScriptedModel
    from agentlab.runtime import AgentRuntime
    from agentlab.strategies.grammar import parse_react_step
    from agentlab.strategies.react import ReActLoop
    from agentlab.tools.registry import ToolRegistry
    from agentlab.tools.spec import ToolSpec, tool

__all__ = [
    "AgentConfig", "AgentId", "AgentLabError", "AgentRuntime", "AgentSession", "Chunk",
    "Entry", "FunctionModel", "InvalidValue", "Model",
    "NotConfigured", "ReActLoop", "ReActStep", "RecordedModel", "Request", "Run", "RunHandle",
    "ScriptedModel", "Strategy", "Tool", "ToolRegistry", "ToolSpec", "Trace", "as_model",
    "parse_react_step", "tool",
]  # fmt: skip

_HOME = {
    "core.config": "AgentConfig",
    "core.errors": "AgentLabError InvalidValue NotConfigured",
    "core.events": "Entry ReActStep",
    "core.ids": "AgentId",
    "core.protocols": "Chunk Model Request Strategy Tool",
    "core.run": "Run",
    "core.session": "AgentSession",
    "core.trace": "Trace",
    "handle": "RunHandle",
    "models.function": "FunctionModel",
    "models.naming": "as_model",
    "models.recorded": "RecordedModel",
    "models.scripted": "ScriptedModel",
    "runtime": "AgentRuntime",
    "strategies.grammar": "parse_react_step",
    "strategies.react": "ReActLoop",
    "tools.registry": "ToolRegistry",
    "tools.spec": "ToolSpec tool",
}
_HOME_OF = {name: home for home, names in _HOME.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'agentlab' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"agentlab.{_HOME_OF[name]}"), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
