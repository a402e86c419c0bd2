"""What the tests of journals say, and how they read it back."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

from agentlab.core import lines
from agentlab.core.events import Entry, Warned
from agentlab.core.trace import Trace
from agentlab.models.scripted import ScriptedModel
from agentlab.runtime import AgentRuntime
from agentlab.store.journal import Journal
from agentlab.store.loading import load
from agentlab.tools.spec import tool

SCRIPT = (
    'Thought: I will use the double tool, voilà.\nAction: double {"n":21}',
    "Thought: The answer is 42.\nAction: FINAL_ANSWER 42",
)
CANARY = "canary-0a1b2c3d4e5f"
HEADER = lines.opening(b"", lines.Header("journal"))


@tool(inline=True)
def double(n: int) -> int:
    """Twice as much."""
    return n * 2


def run(*sinks: Any, rng: int | None = None) -> list[Entry]:
    """Run two steps and give all that was said."""
    chance = None if rng is None else random.Random(rng)  # noqa: S311 - to repeat ids
    runtime = AgentRuntime(ScriptedModel(*SCRIPT), tools=[double], sinks=sinks, rng=chance)
    trace = runtime.run_sync("Double 21").trace
    assert trace is not None
    return trace.entries


def say(journal: Journal, *texts: str, root: str = "r") -> Trace:
    """Say something and have it written."""
    trace = Trace(journal)
    for text in texts:
        trace.emit(Warned(text), run=root)
    asyncio.run(trace.flush())
    return trace


def said(path: Path) -> list[str]:
    """Give the texts that a journal holds."""
    return [e.event.text for e in load(path).entries if isinstance(e.event, Warned)]
