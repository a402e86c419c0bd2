"""Cap the work in flight: a soft limit warns, a hard one sheds. Whoever wants to wait says so.

Nothing waits by default. ``await guard.acquire()`` stands in line, first come, first served, from
any loop or thread: a slot that becomes free goes straight to the first in line, so that nobody who
comes later can take it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from agentlab.core.bounds import at_least_one, not_negative
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import BackpressureShed, InvalidValue, WrongThread
from agentlab.core.sync import on_portal
from agentlab.resilience.admission import Admission, Block, popped, pushed
from agentlab.resilience.slots import BackpressureRow, Slot, Waiter

__all__ = ["BackpressureGuard", "BackpressureRow", "Slot"]

log = logging.getLogger("agentlab.resilience")


class BackpressureGuard(Block["BackpressureGuard"], Tabular, Displayable):
    """Let so many in, and no more.

    >>> guard = BackpressureGuard(2).with_soft_limit(1)
    >>> with guard:
    ...     print(guard)
    <BackpressureGuard 1/2, soft limit 1>
    >>> guard.depth
    0

    ``with guard:``, plain or async, sheds at once where it is full. To wait for a slot, write
    ``async with await guard.acquire(timeout_s=5):``. Give each slot back in one way only: end the
    block, settle the :class:`Slot`, or call ``release()``.

    Parameters
    ----------
    capacity : int
        How many may be in flight.
    soft_limit : int, optional
        From how many on it warns: in the log, and by the slot's ``warning``, once each time the
        depth has come up to it.
    """

    def __init__(self, capacity: int, *, soft_limit: int | None = None) -> None:
        self._capacity = at_least_one("capacity", capacity)
        self._soft: int | None = None
        self._depth = self._peak = self._acquired = self._shed = self._hits = self._round = 0
        self._above = False
        self._line = OrderedDict[Waiter, None]()
        # Never held while anything waits; re-entrant, because a block that is thrown away ends
        # wherever the collector happens to run.
        self._lock = threading.RLock()
        if soft_limit is not None:
            self.with_soft_limit(soft_limit)

    def __repr__(self) -> str:
        soft = f", soft limit {self._soft}" if self._soft else ""
        return f"<BackpressureGuard {self._depth}/{self._capacity}{soft}>"

    def with_soft_limit(self, n: int) -> Self:
        """Warn from a depth of ``n`` on.

        Raises
        ------
        InvalidValue
            It is not less than the capacity.
        """
        n = at_least_one("soft_capacity", n)
        if n >= self._capacity:
            raise InvalidValue(f"soft_capacity must be less than hard capacity, got {n!r}")
        with self._lock:
            self._soft, self._above = n, self._depth >= n
        return self

    @property
    def capacity(self) -> int:
        """How many may be in flight."""
        return self._capacity

    @property
    def soft_limit(self) -> int | None:
        """From how many on it warns."""
        return self._soft

    @property
    def depth(self) -> int:
        """How many are in flight."""
        return self._depth

    @property
    def available(self) -> int:
        """How many more may come."""
        return self._capacity - self._depth

    @property
    def is_full(self) -> bool:
        """Whether the next one is shed."""
        return self._depth >= self._capacity

    @property
    def soft_limit_hits(self) -> int:
        """How many got a slot at the soft limit or above."""
        return self._hits

    @property
    def shed_count(self) -> int:
        """How many got none."""
        return self._shed

    def stats(self) -> BackpressureRow:
        """Give all there is to see, at one moment."""
        with self._lock:
            return BackpressureRow(
                self._capacity, self._soft, self._depth, self.available, len(self._line),
                self._peak, self._acquired, self._shed, self._hits,
            )  # fmt: skip

    def try_acquire(self) -> Slot:
        """Take a slot now, to be given back by :meth:`release`, or by the slot itself.

        Raises
        ------
        BackpressureShed
            There is none.
        """
        with self._lock:
            if self._depth >= self._capacity:
                raise self._shedding()
            self._depth += 1
            return self._taken(self._round)

    def enter(self, subject: str = "", needs: Sequence[str] = ()) -> Slot:  # noqa: ARG002
        """Take a slot now, as every guard is asked; each way to settle it gives it back."""
        return self.try_acquire()

    def release(self) -> None:
        """Give one slot back; where none is taken, that is logged and nothing more."""
        self._give_back(self._round)

    def guard(self, subject: str = "") -> Admission[Slot]:
        """Take a slot for a block, ``with`` or ``async with``."""
        return Admission(self, lambda: self.enter(subject))

    def __enter__(self) -> Self:
        pushed(self, self.try_acquire())
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        slot: Slot | None = popped(self)
        (slot or self).release()  # left in another context, the slot is not at hand

    async def acquire(self, timeout_s: float | None = None) -> Slot:
        """Wait in line for a slot, for at most so many seconds of real time.

        Raises
        ------
        BackpressureShed
            There was none in time.
        """
        waiter = self._stand(timeout_s, asyncio.get_running_loop())
        with self._in_line(waiter):
            if not waiter.done():
                async with asyncio.timeout(timeout_s):
                    await asyncio.wrap_future(waiter)
        return self._taken(waiter.result())

    def acquire_sync(self, timeout_s: float | None = None) -> Slot:
        """Wait in line for a slot on this thread, which whoever is to release must not need.

        Raises
        ------
        BackpressureShed
            There was none in time.
        WrongThread
            This is the portal's own thread.
        """
        if on_portal():
            raise WrongThread("'acquire_sync' would block the loop it runs on: await 'acquire'")
        waiter = self._stand(timeout_s, None)
        with self._in_line(waiter):
            waiter.result(timeout_s)
        return self._taken(waiter.result())

    def reset(self) -> None:
        """Count from zero again, and let in who waits; slots that are still out no longer count."""
        with self._lock:
            self._round += 1
            self._depth, self._above = 0, False
            while self._depth < self._capacity and self._serve():
                self._depth += 1

    def settle(self, slot: Slot) -> None:
        """Take a slot back, once."""
        with self._lock:
            if slot.held:
                slot.held = False
                self._give_back(slot.turn)

    def _give_back(self, turn: int) -> None:
        """Take back what was taken after ``turn`` resets, for the first in line if there is one."""
        with self._lock:
            if turn != self._round:
                return
            spare = self._depth == 0
            if not spare and not self._serve():
                self._depth -= 1
                self._above = self._above and self._soft is not None and self._depth >= self._soft
        if spare:
            log.warning("%r: a slot was released that nobody had acquired", self)

    def _serve(self) -> bool:
        """Give a slot to the first in line who still waits; False where nobody does."""
        while self._line:
            waiter, _ = self._line.popitem(last=False)
            if waiter.serve(self._round):
                return True
        return False

    def _stand(self, timeout_s: float | None, loop: asyncio.AbstractEventLoop | None) -> Waiter:
        """Stand in line; who is served at once has been."""
        if timeout_s is not None:
            not_negative("timeout_s", timeout_s, "no limit")
        waiter = Waiter(loop)
        with self._lock:
            if self._depth < self._capacity:  # then nobody waits
                self._depth += 1
                waiter.serve(self._round)
            else:
                self._line[waiter] = None
        return waiter

    @contextmanager
    def _in_line(self, waiter: Waiter) -> Iterator[None]:
        """Wait here; whoever gives up leaves the line, and passes on a slot given meanwhile."""
        try:
            yield
        except BaseException as error:
            with self._lock:
                if waiter.cancel():
                    self._line.pop(waiter, None)
                else:
                    self._give_back(waiter.result())
            if isinstance(error, TimeoutError):
                raise self._shedding() from None
            raise

    def _taken(self, turn: int) -> Slot:
        """Count one who has a slot, and warn if the soft limit is crossed by it."""
        with self._lock:
            self._acquired += 1
            self._peak = max(self._peak, self._depth)
            above = self._soft is not None and self._depth >= self._soft
            crossed = above and not self._above
            self._above = above
            self._hits += above
            depth = self._depth
        warning = ""
        if crossed:
            warning = f"backpressure: depth {depth}/{self._capacity}, soft limit {self._soft}"
            log.warning(warning)
        return Slot(self.settle, turn, warning)

    def _shedding(self) -> BackpressureShed:
        with self._lock:
            self._shed += 1
            return BackpressureShed(self._depth, self._capacity)
