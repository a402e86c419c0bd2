"""What it costs to keep a run: a journal and a saved session, a line a way.

CPU and time are microseconds a step beyond those of the same run that keeps nothing, medians of
several rounds in turn; bytes are those on disk, or in memory, a step. The folder named on the
command line, by default the system's for temporary files, decides what a sync costs.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agentlab import AgentConfig, AgentRuntime, tool
from agentlab.store.file import FilePersistenceBackend
from agentlab.store.journal import Journal
from agentlab.store.loading import load
from agentlab.store.memory import InMemoryPersistenceBackend
from agentlab.store.saver import SessionSaver
from agentlab.store.sqlite import SqlitePersistenceBackend

ROUNDS, STEPS = 7, 200
STEP = 'Thought: I will double it, voilà.\nAction: double {"n": 21}'


@tool(inline=True)
def double(n: int) -> int:
    """Twice as much."""
    return n * 2


async def stub(_: str) -> str:
    """Answer at once."""
    return STEP


def played(*sinks: Any) -> tuple[float, float]:
    """Run all steps and give CPU and time, in microseconds a step."""

    async def play() -> tuple[float, float]:
        config = AgentConfig(STEPS, "stub", repeat_warn=None, repeat_stop=None)
        runtime = AgentRuntime(tools=[double], config=config, sinks=sinks)
        cpu, began = time.process_time(), time.perf_counter()
        session = await runtime.run_agent("a", "Double 21", stub)
        spent = time.process_time() - cpu, time.perf_counter() - began
        assert session.all_observations() == ['{"data":42,"ok":true}'] * STEPS
        assert session.checkpoint_errors == []
        return spent[0] * 1e6 / STEPS, spent[1] * 1e6 / STEPS

    return asyncio.run(play())


def took(folder: Path, sink: Any) -> float:
    """Give the bytes that were kept, a step."""
    store = getattr(sink, "backend", None)
    if isinstance(store, InMemoryPersistenceBackend):
        return store.stats_sync().bytes / STEPS
    if isinstance(store, SqlitePersistenceBackend):
        store.close()
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / STEPS


def measure(name: str, make: Callable[[Path], Any], where: Path) -> None:
    """Print a line."""
    spent: list[tuple[float, float]] = []
    size = 0.0
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(dir=where) as folder:
            sink = make(Path(folder))
            kept, bare = played(sink), played()
            spent.append((kept[0] - bare[0], kept[1] - bare[1]))
            size = took(Path(folder), sink)
    cpu, wall = (statistics.median(column) for column in zip(*spent, strict=True))
    print(f"{name}: {cpu:.0f} µs CPU, {wall:.0f} µs, {size:.0f} bytes a step")


def taking(where: Path) -> None:
    """Print what a sink costs while a step goes on, and what it costs to read a journal."""
    with tempfile.TemporaryDirectory(dir=where) as folder:
        path = Path(folder) / "j.jsonl"
        with Journal(path, sync=False) as journal:
            played(journal)
        began = time.perf_counter()
        entries = load(path).entries
        print(f"load: {(time.perf_counter() - began) * 1e6 / STEPS:.0f} µs a step")
        for name, sink in {
            "journal": Journal(Path(folder) / "k.jsonl"),
            "session": SessionSaver(InMemoryPersistenceBackend()),
        }.items():
            began = time.perf_counter()
            for entry in entries:
                sink(entry)  # type: ignore[operator]
            each = (time.perf_counter() - began) * 1e6 / STEPS
            print(f"{name}, taking the entries: {each:.2f} µs a step")


if __name__ == "__main__":
    place = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.gettempdir())
    measure("journal, synced", lambda f: Journal(f / "j.jsonl"), place)
    measure("journal", lambda f: Journal(f / "j.jsonl", sync=False), place)
    measure("session in memory", lambda _: SessionSaver(InMemoryPersistenceBackend()), place)
    measure("session in files", lambda f: SessionSaver(FilePersistenceBackend(f)), place)
    measure("session in SQLite", lambda f: SessionSaver(SqlitePersistenceBackend(f / "s")), place)
    measure(
        "session in memory, all steps so far",
        lambda _: SessionSaver(InMemoryPersistenceBackend(), snapshot_steps="full"),
        place,
    )
    taking(place)
