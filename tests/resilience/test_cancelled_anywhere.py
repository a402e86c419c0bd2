"""All policies in one, cancelled after any number of turns of the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.errors import ProviderError
from agentlab.core.protocols import Change, Chunk, Request
from agentlab.models.wrapped import Guarded, Retrying
from agentlab.resilience.backpressure import BackpressureGuard
from agentlab.resilience.dedup import Deduplicator
from agentlab.resilience.pipeline import Pipeline
from agentlab.resilience.retry import RetryPolicy
from agentlab.resilience.shared_breaker import SharedCircuitBreaker
from agentlab.store.memory import InMemoryPersistenceBackend

TURNS = 60
BUSY = ProviderError("busy", status=503)


class Far(InMemoryPersistenceBackend):
    """A store that is some way off."""

    async def load(self, key: str, /) -> bytes | None:
        await asyncio.sleep(0)
        found = await super().load(key)
        await asyncio.sleep(0)
        return found

    async def update(self, key: str, change: Change, /) -> bytes | None:
        await asyncio.sleep(0)
        now = await super().update(key, change)
        await asyncio.sleep(0)
        return now


class Once:
    """A service, and a model, that is busy at first."""

    def __init__(self) -> None:
        self.busy = True

    async def __call__(self, text: str) -> str:
        await asyncio.sleep(0)
        if self.busy:
            self.busy = False
            raise BUSY
        await asyncio.sleep(0)
        return text

    async def stream(self, request: Request, /) -> AsyncIterator[Chunk]:
        yield Chunk(await self(request.prompt))
        await asyncio.sleep(0)
        yield Chunk("", is_final=True)


class Scene:
    """What is guarded, behind a breaker that waits for a probe."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.breaker = SharedCircuitBreaker("s", 1, 10, store=Far(clock=self.clock))
        self.room, self.dedup = BackpressureGuard(1), Deduplicator(60, clock=self.clock)
        self.retry = RetryPolicy.constant(3, 11_000, clock=self.clock)

    async def stage(self) -> str:
        """Send a text through a stage that has all of them, and one that is crowded."""
        pipeline = Pipeline().add_stage(
            "a", Once(), retry=self.retry, breaker=self.breaker, dedup=self.dedup
        )
        return await pipeline.add_stage("b", str.upper, inline=True, breaker=self.room).run("hi")

    async def model(self) -> str:
        """Ask a model."""
        inner = Guarded(Guarded(Once(), self.breaker), self.room)
        model = Retrying(inner, self.retry)
        return "".join([chunk.text async for chunk in model.stream(Request("HI"))])


async def cancelled(scene: Scene, work: Awaitable[Any], turns: int, *, twice: bool) -> bool:
    """Cancel some work after so many turns; tell whether it was over by then."""
    await (await scene.breaker.acquire()).failure()
    scene.clock.advance(11)
    task = asyncio.ensure_future(work)
    for _ in range(turns):
        await asyncio.sleep(0)
    over = task.done()
    task.cancel()
    if twice:
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.wait([task], timeout=5)
    assert task.done()
    assert task.cancelled() or task.result() == "HI"
    return over


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("what", ["stage", "model"])
def test_nothing_is_left(what: str, *, twice: bool) -> None:
    """No task, probe, slot or claim, whenever it was cancelled, and however often."""

    async def main(turns: int) -> bool:
        scene = Scene()
        over = await cancelled(scene, getattr(scene, what)(), turns, twice=twice)
        for _ in range(10):
            await asyncio.sleep(0)
        await scene.breaker.current()

        assert not scene.breaker.stats().probing, turns
        assert (scene.room.depth, scene.dedup.in_flight_count) == (0, 0), turns
        assert asyncio.all_tasks() == {asyncio.current_task()}, turns
        return over

    ends = [asyncio.run(main(turns)) for turns in range(TURNS)]
    assert not ends[0]
    assert ends[-1]  # so that every moment of it was tried
