"""Few calls at a time, whichever loop they come from, and none of them lost."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
import time
import warnings
from collections.abc import Callable

import pytest

from agentlab.store.turns import AT_ONCE, Turns, Withdrawn, still_wanted
from tests.store.contract import in_threads


class Count:
    """How many are at work, and how many were at most."""

    def __init__(self) -> None:
        self.now = self.most = self.done = 0
        self._lock = threading.Lock()

    def work(self) -> int:
        """Take a moment."""
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.001)
        with self._lock:
            self.now -= 1
            self.done += 1
            return self.done


def test_a_few_at_a_time() -> None:
    """Three loops share the same few turns, and every call is made."""
    turns, count = Turns(), Count()

    async def steps() -> None:
        await asyncio.gather(*[turns.run(count.work) for _ in range(30)])

    in_threads([lambda: asyncio.run(steps())] * 3)

    assert count.done == 90
    assert 1 < count.most <= AT_ONCE


def test_turns_of_the_cancelled_are_passed_on() -> None:
    """Whoever is cancelled, waiting or at work, gives up their turn."""
    turns, count = Turns(2), Count()
    rng = random.Random(3)  # noqa: S311 - the same each time

    async def steps() -> list[int]:
        for _ in range(40):
            tasks = [asyncio.ensure_future(turns.run(count.work)) for _ in range(6)]
            await asyncio.sleep(rng.uniform(0, 0.003))
            for task in rng.sample(tasks, 4):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        work: Callable[[], int] = lambda: 7  # noqa: E731 - its type is checked
        return await asyncio.gather(*[turns.run(work) for _ in range(5)])

    assert asyncio.run(asyncio.wait_for(steps(), 30)) == [7] * 5


def test_who_has_left() -> None:
    """A call learns that its caller has left, and a call without one is always wanted."""
    turns, begun, go_on = Turns(), threading.Event(), threading.Event()
    seen: list[str] = []

    def work() -> None:
        still_wanted()
        begun.set()
        go_on.wait(10)
        try:
            still_wanted()
        except Withdrawn:
            seen.append("left")
            raise

    async def steps() -> None:
        task = asyncio.ensure_future(turns.run(work))
        await asyncio.to_thread(begun.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        while not seen:  # noqa: ASYNC110 - a thread says it
            await asyncio.sleep(0.001)

    asyncio.run(steps())
    still_wanted()
    assert seen == ["left"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_turns_of_a_forked_process() -> None:
    """A forked process does not wait for those of its parent who are in."""
    turns = Turns(1)

    turns.free = 0  # somebody is in
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads
        child = os.fork()
    if not child:  # pragma: no cover - in the child
        signal.alarm(20)
        os._exit(asyncio.run(turns.run(lambda: 7)) != 7)
    assert os.waitpid(child, 0)[1] == 0
