"""What the stores cost: saves and updates a second, microseconds a load, a whole listing.

Each figure is the median of several rounds; file and SQLite take turns, so that the figures can
be compared on a busy machine. How long a sync takes is the disk's, and is measured beside.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from agentlab.store.base import Shelf
from agentlab.store.file import FilePersistenceBackend
from agentlab.store.memory import InMemoryPersistenceBackend
from agentlab.store.sqlite import SqlitePersistenceBackend

ROUNDS, COUNT = 7, 100
VALUE = b'{"step":3,"thought":"I will look it up."}' * 25  # a kilobyte, as a step is


def stores(folder: Path) -> dict[str, Shelf]:
    """Give one of each kind."""
    return {
        "memory": InMemoryPersistenceBackend(),
        "file": FilePersistenceBackend(folder / "file"),
        "file, no sync": FilePersistenceBackend(folder / "quick", sync=False),
        "SQLite": SqlitePersistenceBackend(folder / "kept.sqlite"),
        "SQLite, no sync": SqlitePersistenceBackend(folder / "quick.sqlite", sync=False),
    }


def add_one(old: bytes | None, _now: datetime) -> bytes:
    """Count."""
    return b"%d" % (int(old or 0) + 1)


def saves(store: Shelf) -> None:
    """Save one value after another."""
    for number in range(COUNT):
        store.save_sync(f"session:{number}", VALUE)


def batch(store: Shelf) -> None:
    """Save as many at once."""
    store.batch_save_sync({f"batch:{number}": VALUE for number in range(COUNT)})


def updates(store: Shelf) -> None:
    """Update one key again and again."""
    for _ in range(COUNT):
        store.update_sync("n", add_one)


def loads(store: Shelf) -> None:
    """Load what was saved."""
    for number in range(COUNT):
        assert store.load_sync(f"session:{number}") == VALUE


def awaited(store: Shelf) -> None:
    """Load it from a loop."""

    async def steps() -> None:
        for number in range(COUNT):
            await store.load(f"session:{number}")

    asyncio.run(steps())


def listings(store: Shelf) -> None:
    """List the keys of a session."""
    for _ in range(COUNT):
        assert len(store.keys_sync("session:")) == COUNT


WORKS: list[Callable[[Shelf], None]] = [saves, batch, updates, loads, awaited, listings]


def each(work: Callable[[Shelf], None], store: Shelf) -> float:
    """Time one call, in seconds."""
    began = time.perf_counter()
    work(store)
    return (time.perf_counter() - began) / COUNT


def syncing(folder: Path) -> float:
    """Time the disk's own sync of a kilobyte, in seconds."""
    with (folder / "probe").open("wb", buffering=0) as file:
        began = time.perf_counter()
        for _ in range(COUNT):
            file.write(VALUE)
            os.fsync(file.fileno())
        return (time.perf_counter() - began) / COUNT


def main() -> None:
    """Measure all in turn and print a line for each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kinds = stores(folder)
        took: dict[tuple[str, str], list[float]] = {}
        for _ in range(ROUNDS):
            for work in WORKS:
                for kind, store in kinds.items():
                    took.setdefault((kind, work.__name__), []).append(each(work, store))
        fsync = statistics.median(syncing(folder) for _ in range(ROUNDS))
        print(f"the disk's own sync: {fsync * 1e6:.0f} µs")
        for kind, store in kinds.items():
            mid = {work.__name__: statistics.median(took[kind, work.__name__]) for work in WORKS}
            print(
                f"{kind}: {1 / mid['saves']:.0f} saves/s, {1 / mid['batch']:.0f}/s in a batch, "
                f"{1 / mid['updates']:.0f} updates/s, load {mid['loads'] * 1e6:.0f} µs, "
                f"awaited {mid['awaited'] * 1e6:.0f} µs, "
                f"{COUNT} keys listed in {mid['listings'] * 1e6:.0f} µs"
            )
            store.close()


if __name__ == "__main__":
    main()
