"""Several things at once, none of which outlives whoever waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


async def together(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Do all of them at once, and give what each gave, in order.

    The first error ends the others and is raised as it is; cancellation ends them all. They begin
    in order, and none is left when this returns.
    """
    tasks = [asyncio.ensure_future(work) for work in works]
    if not tasks:
        return []
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            if task.done():
                task.result()  # or raise what it raised
        return [task.result() for task in tasks]
    finally:
        await ended(tasks)


async def ended(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel what still runs, and wait until it is over, however often this is cancelled."""
    for task in tasks:
        task.cancel()
    interrupted: asyncio.CancelledError | None = None
    while pending := [task for task in tasks if not task.done()]:
        try:
            await asyncio.wait(pending)
        except asyncio.CancelledError as again:
            interrupted = again
    for task in tasks:
        if not task.cancelled():
            task.exception()  # which is then known to have been seen
    if interrupted:
        raise interrupted
