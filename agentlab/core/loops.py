"""What belongs to one running loop: made when that loop first asks for it, ended with the loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerLoop(Generic[T]):
    """One thing for each running loop, so that a notebook may mix ``await`` and ``_sync``.

    A loop that is shut down ends its thing, and so does throwing this away.

    Parameters
    ----------
    make : callable
        Makes a thing.
    end : async callable
        Ends it, on the loop that it belongs to.
    """

    def __init__(self, make: Callable[[], T], end: Callable[[T], Awaitable[None]]) -> None:
        self._make, self._end = make, end
        self._held: dict[asyncio.AbstractEventLoop, tuple[T, AsyncGenerator[T, None]]] = {}
        self._lock = threading.Lock()

    async def get(self) -> T:
        """Give the thing of the loop that runs here."""
        loop = asyncio.get_running_loop()
        if held := self._held.get(loop):
            return held[0]
        keeper = kept(self._make, self._end)
        thing = await anext(keeper)  # which does not wait, so that nobody comes between
        with self._lock:
            for other in [each for each in self._held if each.is_closed()]:
                del self._held[other]
            self._held[loop] = thing, keeper
        return thing

    async def aclose(self) -> None:
        """End the things of all loops that still run; who asks again gets another."""
        here = asyncio.get_running_loop()
        with self._lock:
            held, self._held = self._held, {}
        for loop, (_, keeper) in held.items():
            if loop is here:
                await keeper.aclose()
            elif loop.is_running():
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(ended(keeper), loop))


async def kept(make: Callable[[], T], end: Callable[[T], Awaitable[None]]) -> AsyncGenerator[T]:
    """Hold a thing in a generator that stays suspended: its loop closes it when it shuts down."""
    thing = make()
    try:
        yield thing
    finally:
        await end(thing)


async def ended(keeper: AsyncGenerator[T, None]) -> None:
    """Close it from another loop, which takes a coroutine."""
    await keeper.aclose()
