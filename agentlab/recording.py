"""Put a run on tape, and play it again without asking anybody."""

from __future__ import annotations

from pathlib import Path
from typing import Any, overload

from agentlab.models.naming import as_model
from agentlab.models.recorded import Mode, RecordedModel, Recording
from agentlab.runtime import AgentRuntime


@overload
def record(target: AgentRuntime, path: str | Path, *, mode: Mode | None = None) -> AgentRuntime: ...
@overload
def record(target: Any, path: str | Path, *, mode: Mode | None = None) -> RecordedModel: ...
def record(
    target: Any, path: str | Path, *, mode: Mode | None = None
) -> AgentRuntime | RecordedModel:
    """Replay what is on the tape from now on, and record what is not.

    Parameters
    ----------
    target : AgentRuntime or anything that answers
        A runtime is changed in place: every question of its runs, and of the runs below them,
        goes over the tape, whatever model answers. Recording again replaces the tape. A model
        is returned wrapped.
    path : path
        The tape.
    mode : {"auto", "replay", "record", "off"}, optional
        See :class:`agentlab.models.recorded.Recording`.

    Returns
    -------
    AgentRuntime or RecordedModel
        Also a context manager that takes the tape out again.
    """
    if isinstance(target, AgentRuntime):
        target.tape = Recording(path, mode=mode)
        return target
    return RecordedModel(None if target is None else as_model(target), path, mode=mode)


@overload
def replay(target: AgentRuntime, path: str | Path) -> AgentRuntime: ...
@overload
def replay(target: Any, path: str | Path) -> RecordedModel: ...
def replay(target: Any, path: str | Path) -> AgentRuntime | RecordedModel:
    """Play a tape and never ask a model: ``record`` with ``mode="replay"``."""
    recorded: AgentRuntime | RecordedModel = record(target, path, mode="replay")
    return recorded
