"""Any order of taking, giving back, waiting, leaving and running out of time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agentlab.core.errors import BackpressureShed
from agentlab.resilience.backpressure import BackpressureGuard, Slot

CAPACITY, SOFT = 2, 1
WHICH = st.integers(0, 99)


@dataclass(eq=False)
class Waiting:
    """Somebody in line."""

    task: asyncio.Task[Slot]
    left: bool = False


class GuardMachine(RuleBasedStateMachine):
    """The loop moves only when told to, so that several things happen to a waiter at once."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.guard = BackpressureGuard(CAPACITY, soft_limit=SOFT)
        self.held = list[Slot]()
        self.line = list[Waiting]()
        self.shed = 0
        self.settled = True

    def teardown(self) -> None:
        """Let everybody leave: nothing may remain."""
        for at in range(len(self.line)):
            self.leave(at)
        self.move()
        for slot in self.held:
            slot.success()
        assert (self.guard.depth, self.guard.stats().waiting) == (0, 0)
        self.loop.close()

    @rule()
    def move(self) -> None:
        """Let the loop run until nothing is left to do."""
        self.loop.run_until_complete(self.idle())
        self.settled = True
        served = [each for each in self.line if each.task.done()]
        waiting = [each for each in self.line if not each.task.done()]
        if waiting:  # first come, first served
            before = self.line[: self.line.index(waiting[0])]
            assert all(each in before for each in served if got_one(each))
        self.line = waiting
        for each in served:
            self.ended(each)

    async def idle(self) -> None:
        """Give the others enough turns."""
        for _ in range(12):
            await asyncio.sleep(0)

    def ended(self, each: Waiting) -> None:
        """Take in how somebody's wait ended."""
        if each.task.cancelled():
            assert each.left
        elif isinstance(each.task.exception(), BackpressureShed):
            self.shed += 1
        else:
            self.held.append(each.task.result())

    @rule()
    def take(self) -> None:
        """Take a slot, if there is one."""
        if self.guard.is_full:
            with pytest.raises(BackpressureShed, match=rf"{CAPACITY}/{CAPACITY}$"):
                self.guard.try_acquire()
            self.shed += 1
        else:
            self.held.append(self.guard.try_acquire())

    @precondition(lambda self: self.held)
    @rule(which=WHICH, ways=st.lists(st.sampled_from(["success", "failure", "cancel"]), min_size=1))
    def give_back(self, which: int, ways: list[str]) -> None:
        """Give a slot back, perhaps more than once."""
        slot = self.held.pop(which % len(self.held))
        for way in ways:
            getattr(slot, way)()
        self.settled = False

    @rule(in_time=st.booleans())
    def stand(self, *, in_time: bool) -> None:
        """Stand in line, for as long as it takes or for no time at all."""
        work = self.guard.acquire(None if in_time else 0)
        self.line.append(Waiting(self.loop.create_task(work)))
        self.settled = False

    @precondition(lambda self: self.line)
    @rule(which=WHICH)
    def leave(self, which: int) -> None:
        """Cancel somebody's wait."""
        each = self.line[which % len(self.line)]
        each.left = True
        each.task.cancel()
        self.settled = False

    @rule()
    def spare(self) -> None:
        """Give back what nobody has taken: only where nothing is out is that without effect."""
        if self.settled and not self.held:
            self.guard.release()
            assert self.guard.depth == 0

    @invariant()
    def sound(self) -> None:
        """Never too many; when all is quiet, every slot is somebody's and none waits in vain."""
        row = self.guard.stats()
        assert 0 <= row.depth <= CAPACITY
        assert row.peak <= CAPACITY
        if self.settled:
            assert row.depth == len(self.held)
            assert row.waiting == len(self.line)
            assert row.waiting == 0 or row.depth == CAPACITY
            assert row.shed_count == self.shed


def got_one(each: Waiting) -> bool:
    """Tell whether a wait ended well."""
    return not each.task.cancelled() and each.task.exception() is None


TestGuard = GuardMachine.TestCase
TestGuard.settings = settings(max_examples=150, stateful_step_count=40)
