"""What several tests need: sinks, and patience."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from agentlab.core.events import Entry


class Disk:
    """A durable sink that needs a moment to make things safe."""

    durable = True

    def __init__(self, seconds: float = 0.0) -> None:
        self.taken, self.safe = list[Entry](), list[Entry]()
        self._seconds = seconds

    def __call__(self, entry: Entry, /) -> None:
        self.taken.append(entry)

    async def flush(self) -> None:
        await asyncio.sleep(self._seconds)
        self.safe = list(self.taken)


def until(true: Callable[[], bool]) -> None:
    """Wait until something holds."""
    for _ in range(6000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it never came true")
