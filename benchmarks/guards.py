"""What a guard costs round a call: a breaker that is closed, a permit, a slot; a line a figure.

Each figure is the median of several rounds. The floor, the bare call, is timed in turn with it,
so that the ratio holds on a busy machine.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from agentlab.core.errors import CircuitOpen
from agentlab.resilience.backpressure import BackpressureGuard
from agentlab.resilience.circuit_backends import InMemoryCircuitBreakerBackend
from agentlab.resilience.circuit_breaker import CircuitBreaker
from agentlab.resilience.shared_breaker import SharedCircuitBreaker
from agentlab.store.sqlite import SqlitePersistenceBackend

ROUNDS, COUNT = 9, 20_000

breaker = CircuitBreaker("s")
backed = CircuitBreaker("s", backend=InMemoryCircuitBreakerBackend())
opened = CircuitBreaker("s", 1, 3600)
opened.record_failure()
guard = BackpressureGuard(10, soft_limit=9)


def work() -> int:
    """Do next to nothing."""
    return 1


async def slow_work() -> int:
    """Do it async."""
    return 1


decorated = breaker(work)


def called() -> None:
    """Make a call."""
    breaker.call(work)


def backed_call() -> None:
    """Make one whose failures are in a backend."""
    backed.call(work)


def permitted() -> None:
    """Ask for a permit and settle it."""
    breaker.acquire().success()


def in_a_block() -> None:
    """Work in a block."""
    with breaker:
        work()


def refused() -> None:
    """Be turned away."""
    try:
        opened.call(work)
    except CircuitOpen:
        return
    raise AssertionError


def slotted() -> None:
    """Take a slot and give it back."""
    guard.try_acquire().success()


def slot_block() -> None:
    """Work in a block of it."""
    with guard:
        work()


async def async_called() -> None:
    """Make an async call."""
    await breaker.async_call(slow_work)


async def waited() -> None:
    """Take a slot by the way that may wait, where there is one."""
    (await guard.acquire()).success()


def cpu(fn: Callable[[], object], count: int = COUNT) -> float:
    """Give the CPU microseconds a call."""
    began = time.process_time()
    for _ in range(count):
        fn()
    return (time.process_time() - began) * 1e6 / count


def async_cpu(fn: Callable[[], Awaitable[object]]) -> float:
    """Give those of an async one."""

    async def play() -> float:
        began = time.process_time()
        for _ in range(COUNT):
            await fn()
        return (time.process_time() - began) * 1e6 / COUNT

    return asyncio.run(play())


def show(name: str, pairs: list[tuple[float, float]]) -> None:
    """Print the medians."""
    mine, floor = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{name:44}{mine:8.2f} µs{floor:10.3f} µs{mine / floor:9.0f}")


def contended(count: int) -> tuple[float, float]:
    """Hand one slot on along a line of waiters; the floor is the standard semaphore's."""

    async def ours() -> float:
        one = BackpressureGuard(1)

        async def work() -> None:
            async with await one.acquire():
                await asyncio.sleep(0)

        return await timed([work() for _ in range(count)])

    async def theirs() -> float:
        one = asyncio.Semaphore(1)

        async def work() -> None:
            async with one:
                await asyncio.sleep(0)

        return await timed([work() for _ in range(count)])

    async def timed(works: list[Awaitable[None]]) -> float:
        began = time.process_time()
        await asyncio.gather(*works)
        return (time.process_time() - began) * 1e6 / count

    return asyncio.run(ours()), asyncio.run(theirs())


async def shared(folder: Path) -> tuple[float, float]:
    """Give the wall milliseconds of a shared call that is let in, and of one that is refused."""
    store = SqlitePersistenceBackend(folder / "s.db")
    calm, down = (SharedCircuitBreaker(name, 1, 3600, store=store) for name in ("calm", "down"))
    await (await down.acquire()).failure()

    async def refused_there() -> None:
        try:
            await down.acquire()
        except CircuitOpen:
            return
        raise AssertionError

    times = []
    for fn in (lambda: calm.async_call(slow_work), refused_there):
        began = time.perf_counter()
        for _ in range(200):
            await fn()
        times.append((time.perf_counter() - began) * 1000 / 200)
    store.close()
    return times[0], times[1]


if __name__ == "__main__":
    print(f"{'':44}{'CPU':>11}{'bare':>13}{'ratio':>9}")
    for name, fn in (
        ("breaker.call, closed", called),
        ("a decorated function", decorated),
        ("with breaker:", in_a_block),
        ("acquire and success", permitted),
        ("breaker.call, backend in memory", backed_call),
        ("a refusal", refused),
        ("try_acquire and release", slotted),
        ("with guard:", slot_block),
    ):
        show(name, [(cpu(fn), cpu(work)) for _ in range(ROUNDS)])
    for name, each in (("await async_call", async_called), ("await acquire, free", waited)):
        show(name, [(async_cpu(each), async_cpu(slow_work)) for _ in range(ROUNDS)])
    show("await acquire, 1000 in line (semaphore)", [contended(1000) for _ in range(ROUNDS)])
    show("await acquire, 10000 in line (semaphore)", [contended(10_000) for _ in range(ROUNDS)])
    with tempfile.TemporaryDirectory() as folder:
        let_in, turned_away = asyncio.run(shared(Path(folder)))
    print(f"shared by SQLite: {let_in:.2f} ms let in, {turned_away:.2f} ms refused (wall)")
