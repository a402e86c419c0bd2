"""A thing for one task at a time, of whichever loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from agentlab.store.turns import Turns

T = TypeVar("T")


class Locked(Generic[T]):
    """Gives what it holds to one task at a time.

    >>> import asyncio
    >>> async def work() -> int:
    ...     async with Locked([1, 2]).lock() as numbers:
    ...         return len(numbers)
    >>> asyncio.run(work())
    2
    """

    def __init__(self, thing: T) -> None:
        self._thing = thing
        self._turn = Turns(1)

    def __repr__(self) -> str:
        return f"<Locked {self._thing!r}>"

    @asynccontextmanager
    async def lock(self) -> AsyncIterator[T]:
        """Wait until nobody else has it, and have it."""
        async with self._turn:
            yield self._thing
