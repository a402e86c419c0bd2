"""The threads of blocking calls."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time
import weakref

import pytest

from agentlab.core.workers import Orphans, Workers
from tests.doubles import until


def test_threads_are_reused_and_let_go() -> None:
    """One after the other needs one thread; an idle one ends after a while."""
    workers, orphans = Workers(idle_s=0.05), Orphans()

    async def main() -> set[int]:
        return {await workers.run(threading.get_ident, orphans) for _ in range(20)}

    assert len(asyncio.run(main())) == 1
    assert repr(workers) == "<Workers 1/64, 0 orphaned>"
    until(lambda: repr(workers) == "<Workers 0/64, 0 orphaned>")
    assert len(asyncio.run(main())) == 1


def test_the_limit_holds_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """More calls than threads wait their turn, in order, and the log says so once."""
    workers, orphans = Workers(limit=2), Orphans()
    now, most = 0, 0
    order: list[int] = []
    lock = threading.Lock()

    def work(n: int) -> None:
        nonlocal now, most
        with lock:
            now, order[:] = now + 1, [*order, n]
            most = max(most, now)
        time.sleep(0.01)
        with lock:
            now -= 1

    async def main() -> None:
        await asyncio.gather(
            *(workers.run(lambda n=n: work(n), orphans) for n in range(10))  # type: ignore[misc]
        )

    asyncio.run(main())
    assert most == 2
    assert sorted(order) == [*range(10)]
    assert all(abs(n - place) <= 1 for place, n in enumerate(order))
    assert caplog.messages[0].startswith("all 2 worker threads are busy, 0 of them with calls that")


def test_an_orphan_takes_a_thread(caplog: pytest.LogCaptureFixture) -> None:
    """Until it ends; a call that was given up before it began is never made."""
    workers, orphans, gate = Workers(limit=1), Orphans(), threading.Event()
    made: list[str] = []

    async def main() -> None:
        first = asyncio.create_task(workers.run(lambda: gate.wait(10), orphans))
        await asyncio.sleep(0.05)
        first.cancel()
        await asyncio.wait([first])
        assert (orphans.count, repr(workers)) == (1, "<Workers 1/1, 1 orphaned>")
        second = asyncio.create_task(workers.run(lambda: made.append("second"), orphans))
        third = asyncio.create_task(workers.run(lambda: made.append("third"), orphans))
        await asyncio.sleep(0.05)
        second.cancel()
        await asyncio.wait([second])
        gate.set()
        await third

    try:
        asyncio.run(main())
    finally:
        gate.set()
    assert made == ["third"]
    assert orphans.count == 0
    assert "1 of them with calls that were given up" in caplog.messages[0]


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), KeyboardInterrupt()])
def test_errors_go_to_the_caller(error: BaseException) -> None:
    """Whatever a call raises, and not to the thread, which is used again."""
    workers, orphans = Workers(), Orphans()

    def fail() -> None:
        raise error

    async def main() -> int:
        caught = 0
        for _ in range(3):
            try:
                await workers.run(fail, orphans)
            except BaseException as raised:  # noqa: BLE001 - the one above
                caught += raised is error
        return caught

    assert asyncio.run(main()) == 3
    assert repr(workers) == "<Workers 1/64, 0 orphaned>"


def test_stop_iteration() -> None:
    """No future can hold one, so it is told as an error of another type."""

    async def main() -> None:
        await Workers().run(lambda: next(iter(())), Orphans())

    with pytest.raises(RuntimeError, match="StopIteration"):
        asyncio.run(main())


def test_an_idle_thread_holds_on_to_nothing() -> None:
    """What a call was given and gave is let go when it is over."""

    class Big:
        pass

    workers = Workers()

    async def main() -> weakref.ref[Big]:
        big = Big()
        ref = weakref.ref(big)
        assert await workers.run(lambda: big, Orphans()) is big
        return ref

    ref = asyncio.run(main())
    gc.collect()
    until(lambda: ref() is None)


def test_a_forked_process_begins_anew() -> None:
    """It has none of its parent's threads, and makes its own."""
    code = """
import asyncio, os
from agentlab.core.sync import called
assert asyncio.run(called(lambda: 1, inline=False)) == 1
child = os.fork()
if not child:
    assert asyncio.run(called(lambda: 2, inline=False)) == 2
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code]
    subprocess.run(command, check=True, timeout=60)  # noqa: S603 - our own code


def test_a_call_may_outlive_its_loop() -> None:
    """Its result is dropped, even if it is a coroutine, and its thread is used again."""
    workers, orphans, gate = Workers(), Orphans(), threading.Event()

    async def later() -> None:
        pass

    def work() -> object:
        gate.wait(10)
        return later()

    async def main() -> None:
        async with asyncio.timeout(0.02):
            await workers.run(work, orphans)

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert orphans.count == 1
    gate.set()
    until(lambda: orphans.count == 0)
    gc.collect()
