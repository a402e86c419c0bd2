"""Runs that are killed: started by the crash tests, each in a fork of this process.

Each line read, ``FOLDER``, is answered with ``pid N``, then ``step N`` for each step once it is
safe, and ``gone`` when the run's process is.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from agentlab.core.events import Entry, StepEnded
from agentlab.core.protocols import Sink
from agentlab.models.scripted import ScriptedModel
from agentlab.runtime import AgentRuntime
from agentlab.store.file import FilePersistenceBackend
from agentlab.store.journal import Journal
from agentlab.store.persistence import BatchStore
from agentlab.store.saver import SessionSaver
from agentlab.store.sqlite import SqlitePersistenceBackend
from agentlab.tools.spec import tool

STEPS = 50


@tool(inline=True)
def double(n: int) -> int:
    """Twice as much."""
    return n * 2


class Acknowledged:
    """Says each step, after those before it have made it safe."""

    durable = True

    def __init__(self) -> None:
        self._steps = self._told = 0

    def __call__(self, entry: Entry, /) -> None:
        self._steps += isinstance(entry.event, StepEnded)

    def flush(self) -> None:
        """Tell of what has become safe."""
        while self._told < self._steps:
            self._told += 1
            say(f"step {self._told}")


def say(text: str) -> None:
    """Say it, and keep nothing back."""
    os.write(1, f"{text}\n".encode())


def store_in(folder: Path) -> BatchStore:
    """Give the store of a folder; what kind, its name says."""
    if folder.name.startswith("files"):
        return FilePersistenceBackend(folder / "store")
    return SqlitePersistenceBackend(folder / "store.db")


def session(folder: Path) -> None:
    """Run all steps."""
    replies = [
        f'Thought: step {number}, voilà.\nAction: double {{"n": {number}}}'
        for number in range(1, STEPS)
    ]
    model = ScriptedModel(*replies, "Thought: done\nAction: FINAL_ANSWER 42")
    journal = Journal(folder / "runs.jsonl")
    sinks: list[Sink] = [journal, SessionSaver(store_in(folder)), Acknowledged()]
    AgentRuntime(model, tools=[double], max_iterations=STEPS, sinks=sinks).run_sync("Count")
    journal.close()


def main() -> None:
    """Fork a run for each line."""
    for line in sys.stdin:
        folder = Path(line.strip())
        if child := os.fork():
            say(f"pid {child}")
            os.waitpid(child, 0)
            say("gone")
        else:
            session(folder)
            os._exit(0)


if __name__ == "__main__":
    main()
