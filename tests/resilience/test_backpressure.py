"""So many at once, and no more; a line for those who wait."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Any

import pytest

from agentlab.core.errors import BackpressureShed, InvalidValue, WrongThread
from agentlab.core.protocols import Guard
from agentlab.core.sync import run_sync
from agentlab.resilience.backpressure import BackpressureGuard, BackpressureRow, Slot
from agentlab.resilience.slots import Waiter
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.spec import ToolSpec

LOGGER = "agentlab.resilience"


def until(true: Callable[[], bool]) -> None:
    """Wait until something holds."""
    for _ in range(1000):
        if true():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it never came true")


def test_w26_1(caplog: pytest.LogCaptureFixture) -> None:
    """Of a hundred with a soft limit of 75, the 75th warns and the 101st is shed."""
    guard = BackpressureGuard(100).with_soft_limit(75)
    with caplog.at_level(logging.WARNING, LOGGER):
        slots = [guard.try_acquire() for _ in range(74)]
        assert caplog.records == []
        slots.append(guard.try_acquire())
        assert len(caplog.records) == 1
        slots += [guard.try_acquire() for _ in range(25)]
    with pytest.raises(BackpressureShed) as caught:
        guard.try_acquire()

    assert str(caught.value).endswith("queue depth 100/100")
    assert (caught.value.depth, caught.value.capacity) == (100, 100)
    assert [record.message for record in caplog.records] == [
        "backpressure: depth 75/100, soft limit 75"
    ]
    assert [at for at, slot in enumerate(slots, 1) if slot.warning] == [75]
    assert (guard.soft_limit_hits, guard.shed_count) == (26, 1)


def test_readings() -> None:
    """What can be read off it, and the row that has all of it."""
    guard = BackpressureGuard(2, soft_limit=1)
    assert (guard.capacity, guard.soft_limit, guard.depth) == (2, 1, 0)
    assert (guard.available, guard.is_full) == (2, False)
    guard.try_acquire()
    guard.try_acquire()
    assert (guard.depth, guard.available, guard.is_full) == (2, 0, True)
    with pytest.raises(BackpressureShed):
        guard.try_acquire()
    guard.release()

    row = BackpressureRow(2, 1, 1, 1, 0, peak=2, acquired=2, shed_count=1, soft_limit_hits=2)
    assert guard.stats() == row
    assert BackpressureRow.from_dict(row.to_dict()) == row
    assert repr(guard) == "<BackpressureGuard 1/2, soft limit 1>"
    assert repr(BackpressureGuard(3)) == "<BackpressureGuard 0/3>"


@pytest.mark.parametrize("n", [0, -1, 1.5, "2", True, None])
def test_counts_are_positive_numbers(n: Any) -> None:
    """Anything else is refused, with the value."""
    must = ">= 1" if type(n) is int else "a whole number"
    with pytest.raises(InvalidValue, match=rf"^capacity must be {must}, got {n!r}$"):
        BackpressureGuard(n)
    with pytest.raises(InvalidValue, match=rf"^soft_capacity must be {must}, got {n!r}$"):
        BackpressureGuard(9).with_soft_limit(n)


@pytest.mark.parametrize("n", [100, 101])
def test_a_soft_limit_is_below_the_hard_one(n: int) -> None:
    """In both ways to set it."""
    with pytest.raises(InvalidValue) as caught:
        BackpressureGuard(100).with_soft_limit(n)
    assert str(caught.value) == f"soft_capacity must be less than hard capacity, got {n}"
    with pytest.raises(InvalidValue, match="soft_capacity must be less than"):
        BackpressureGuard(100, soft_limit=n)


def test_it_warns_once_a_crossing(caplog: pytest.LogCaptureFixture) -> None:
    """Above the limit it is silent; having been below it warns again."""
    guard = BackpressureGuard(10, soft_limit=3)
    held = list[Slot]()
    warned = list[bool]()

    def go(depth: int) -> None:
        while guard.depth < depth:
            held.append(guard.enter())
            warned.append(bool(held[-1].warning))
        while guard.depth > depth:
            held.pop().success()

    with caplog.at_level(logging.WARNING, LOGGER):
        for depth in (5, 3, 6, 2, 3, 0):
            go(depth)
    assert [at for at, yes in enumerate(warned) if yes] == [2, 8]
    assert len(caplog.records) == 2
    assert guard.soft_limit_hits == 7

    go(6)
    guard.with_soft_limit(4)  # already above: no crossing until it has been below
    caplog.clear()
    go(7)
    assert caplog.records == []


def test_release_without_acquire(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged and ignored: the depth is never below zero."""
    guard = BackpressureGuard(1)
    with caplog.at_level(logging.WARNING, LOGGER):
        guard.release()
    assert guard.depth == 0
    assert [record.message for record in caplog.records] == [
        "<BackpressureGuard 0/1>: a slot was released that nobody had acquired"
    ]
    guard.try_acquire()
    guard.release()
    assert guard.depth == 0


@pytest.mark.parametrize("ending", ["success", "failure", "cancel", "release"])
def test_a_slot_is_given_back_once(ending: str) -> None:
    """Every ending gives it back, whatever else is said later."""
    guard = BackpressureGuard(3)
    others = [guard.enter(), guard.enter()]
    contract: Guard = guard
    slot: Any = contract.enter("a run", ["a right"])
    assert (repr(slot), guard.depth) == ("<Slot held>", 3)
    getattr(slot, ending)()
    for again in ("success", "failure", "cancel"):
        getattr(slot, again)()
    assert (repr(slot), guard.depth) == ("<Slot given back>", 2)
    assert all(other.held for other in others)


def test_blocks() -> None:
    """Plain and async, of the guard, of ``guard()`` and of a slot: left, the slot is back."""
    guard = BackpressureGuard(2)

    async def main() -> None:
        async with guard, guard.guard("x") as slot:
            assert (guard.depth, slot.held) == (2, True)
            with pytest.raises(BackpressureShed):
                async with guard:
                    pytest.fail("was let in")
            with pytest.raises(BackpressureShed), guard.guard():
                pytest.fail("was let in")
            assert guard.depth == 2
        async with await guard.acquire() as slot:
            assert (guard.depth, slot.held) == (1, True)
            slot.success()
        assert guard.depth == 0

    asyncio.run(main())
    error = KeyError()
    for block in (guard, guard.guard(), guard.try_acquire()):
        with pytest.raises(KeyError) as caught, block:
            raise error
        assert caught.value is error
    assert guard.depth == 0


def test_behind_a_tool() -> None:
    """A dispatcher may have it as a guard: what is too much is shed at once."""
    guard = BackpressureGuard(1)
    spec = ToolSpec("t", "", lambda _: guard.depth, inline=True).with_circuit_breaker(guard)
    tools = ToolRegistry([spec])
    assert asyncio.run(tools.call("t", {})) == 1
    with guard:
        seen = asyncio.run(tools.observe("t", {}))
    assert (seen.ok, seen.error_kind) == (False, "transient")
    assert guard.depth == 0


def test_waiting_is_first_come_first_served() -> None:
    """A slot that is given back goes to the first in line, and nobody comes between."""
    guard = BackpressureGuard(1)
    served = list[int]()

    async def work(at: int) -> None:
        async with await guard.acquire():
            served.append(at)
            assert guard.depth == 1
            with pytest.raises(BackpressureShed):
                guard.try_acquire()

    async def main() -> None:
        slot = guard.try_acquire()
        tasks = list[asyncio.Task[None]]()
        for at in range(5):
            tasks.append(asyncio.create_task(work(at)))
            await asyncio.sleep(0)
        assert guard.stats().waiting == 5
        slot.success()
        with pytest.raises(BackpressureShed):  # it is the first one's already
            guard.try_acquire()
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert served == [0, 1, 2, 3, 4]
    assert (guard.depth, guard.stats().waiting, guard.stats().peak) == (0, 0, 1)


def test_out_of_time() -> None:
    """Who waits too long is shed, leaves the line, and takes no slot along."""
    guard = BackpressureGuard(1)

    async def main() -> None:
        with pytest.raises(BackpressureShed, match=r"queue depth 1/1$") as caught:
            await guard.acquire(timeout_s=0.01)
        assert caught.value.__suppress_context__
        with pytest.raises(BackpressureShed):
            await guard.acquire(timeout_s=0)

    with guard:
        asyncio.run(main())
        with pytest.raises(BackpressureShed):
            guard.acquire_sync(0.01)
        assert (guard.stats().waiting, guard.shed_count) == (0, 3)
    assert guard.depth == 0
    assert asyncio.run(guard.acquire(timeout_s=0)).held
    for seconds in (-1.0, math.nan, math.inf):
        with pytest.raises(InvalidValue, match="timeout_s must be >= 0 and finite, or None"):
            asyncio.run(guard.acquire(seconds))
        with pytest.raises(InvalidValue, match="timeout_s must be >= 0 and finite, or None"):
            guard.acquire_sync(seconds)


@pytest.mark.parametrize("first", ["cancel", "release"])
def test_a_cancelled_waiter_loses_no_slot(first: str) -> None:
    """Handed a slot and cancelled at the same moment, in either order, it passes it on."""
    guard = BackpressureGuard(1)

    async def main() -> None:
        slot = guard.try_acquire()
        one, two = (asyncio.create_task(guard.acquire()) for _ in range(2))
        await asyncio.sleep(0)
        for move in (one.cancel, slot.success) if first == "cancel" else (slot.success, one.cancel):
            move()
        await asyncio.wait([one])
        assert one.cancelled()
        async with asyncio.timeout(5):
            (await two).success()

    asyncio.run(main())
    assert (guard.depth, guard.stats().waiting) == (0, 0)


def test_a_waiter_whose_loop_is_gone_is_passed_over() -> None:
    """A slot is not given to whom nobody can tell of it."""
    guard = BackpressureGuard(1)
    slot = guard.try_acquire()
    loop = asyncio.new_event_loop()
    work = guard.acquire()

    async def start() -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting), 0)

    waiting = loop.create_task(work)
    loop.run_until_complete(start())
    assert guard.stats().waiting == 1
    waiting._log_destroy_pending = False  # type: ignore[attr-defined] # noqa: SLF001 - on purpose
    loop.close()

    slot.success()
    assert (guard.depth, guard.stats().waiting) == (0, 0)
    work.close()
    gc.collect()
    assert guard.depth == 0


def test_who_has_left_is_not_served() -> None:
    """Nor is anything raised at whoever gives the slot."""
    waiter = Waiter(None)
    waiter.cancel()
    assert not waiter.serve(0)
    assert waiter.cancelled()


def test_threads_and_loops_wait_in_one_line() -> None:
    """A thread, a cell's loop and the portal's stand in one line, and each is woken where it is."""
    guard = BackpressureGuard(1)
    slot, served = guard.try_acquire(), list[str]()

    async def work(name: str) -> None:
        async with await guard.acquire(timeout_s=30):
            served.append(name)
            await asyncio.sleep(0.001)

    def plain(name: str) -> None:
        with guard.acquire_sync(timeout_s=30):
            served.append(name)

    def waiting(count: int) -> bool:
        return guard.stats().waiting == count

    ways: list[tuple[str, Callable[[str], object]]] = [
        ("loop", lambda name: asyncio.run(work(name))),
        ("thread", plain),
        ("portal", lambda name: run_sync(work, name)),
        ("another", plain),
    ]
    threads = [threading.Thread(target=way, args=(name,)) for name, way in ways]
    for at, thread in enumerate(threads, 1):
        thread.start()
        until(partial(waiting, at))
    slot.success()
    for thread in threads:
        thread.join(30)
    assert served == ["loop", "thread", "portal", "another"]
    assert guard.depth == 0


def test_many_threads() -> None:
    """However they come, never more are in than may be, and in the end none is."""
    guard = BackpressureGuard(3)
    inside, most, lock = 0, 0, threading.Lock()

    def busy(change: int) -> None:
        nonlocal inside, most
        with lock:
            inside += change
            most = max(most, inside)

    def work(at: int) -> None:
        for turn in range(60):
            try:
                if (at + turn) % 3:
                    slot = guard.acquire_sync(0.0005 * (turn % 4) if turn % 2 else None)
                else:
                    slot = guard.try_acquire()
            except BackpressureShed:
                continue
            busy(1)
            busy(-1)
            slot.success()

    threads = [threading.Thread(target=work, args=(at,)) for at in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    row = guard.stats()
    assert (row.depth, row.waiting) == (0, 0)
    assert row.acquired + row.shed_count == 12 * 60
    assert max(most, row.peak) <= 3


def test_reset() -> None:
    """It counts from zero, lets in who waits, and forgets the slots that are out."""
    guard = BackpressureGuard(2, soft_limit=1)

    async def main() -> None:
        old = [guard.try_acquire(), guard.try_acquire()]
        tasks = [asyncio.create_task(guard.acquire()) for _ in range(3)]
        await asyncio.sleep(0)
        guard.reset()
        assert (guard.depth, guard.stats().waiting) == (2, 1)
        for slot in old:
            slot.success()
        assert guard.depth == 2
        (await tasks[0]).success()
        (await tasks[1]).success()
        (await tasks[2]).success()

    asyncio.run(main())
    assert (guard.depth, guard.stats().waiting) == (0, 0)


def test_reset_inside_a_block() -> None:
    """The end of a block that was entered before gives back no slot of somebody else."""
    guard = BackpressureGuard(1)
    with guard:
        guard.reset()
        other = guard.try_acquire()
    assert guard.is_full
    other.release()
    assert guard.depth == 0


def test_a_block_left_elsewhere_gives_its_slot_back() -> None:
    """Left in another context than it was entered in."""
    guard, stack = BackpressureGuard(1), AsyncExitStack()

    async def main() -> None:
        await asyncio.create_task(stack.enter_async_context(guard))
        assert guard.is_full
        await asyncio.create_task(stack.aclose())

    asyncio.run(main())
    assert guard.depth == 0


def test_a_thrown_away_block_gives_its_slot_back() -> None:
    """A generator that nobody finishes gives it back when it is collected."""
    guard = BackpressureGuard(1)

    def block() -> Iterator[None]:
        with guard:
            yield

    held = block()
    next(held)
    assert guard.is_full
    del held
    gc.collect()
    assert guard.depth == 0


def test_acquire_sync_does_not_block_the_portal() -> None:
    """There it would wait for itself, and says what to do."""

    async def inner() -> None:
        BackpressureGuard(1).acquire_sync()

    with pytest.raises(WrongThread, match="await 'acquire'"):
        run_sync(inner)
