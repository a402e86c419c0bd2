"""Any order of calls, outcomes and waits, against a model that is written in another way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)

from agentlab.core.clock import FakeClock
from agentlab.core.errors import CircuitOpen
from agentlab.resilience.circuit_backends import InMemoryCircuitBreakerBackend
from agentlab.resilience.circuit_breaker import BreakerRow, CircuitBreaker, CircuitPermit
from agentlab.resilience.shared_breaker import SharedCircuitBreaker, SharedPermit
from agentlab.store.memory import InMemoryPersistenceBackend

OUTCOMES = st.sampled_from(["success", "failure", "cancel"])
WINDOW, PROBE = 4, 3


class Machine(RuleBasedStateMachine):
    """Each permit knows in which era it was given; an era ends whenever the state changes.

    An era is closed (with failures), or an outage (with the moment it began); in an outage one
    permit at most is the probe.
    """

    permits: Bundle[Any] = Bundle("permits")
    breaker: Any

    def made(self, threshold: int) -> Any:
        """Make what is tested."""
        return CircuitBreaker("s", threshold, WINDOW, probe_timeout_s=PROBE, clock=self.clock)

    @initialize(threshold=st.integers(1, 4))
    def begin(self, threshold: int) -> None:
        """Start closed."""
        self.clock, self.threshold = FakeClock(), threshold
        self.breaker = self.made(threshold)
        self.now = self.failures = 0
        self.opened: int | None = None
        self.probe: tuple[Any, int] | None = None
        self.valid = list[Any]()  # those whose word counts

    def expected(self) -> str:
        """Tell the state."""
        if self.opened is None:
            return "closed"
        return "open" if self.now < self.opened + WINDOW else "half_open"

    def era(self, opened: int | None) -> None:
        """Begin another era: what was given before counts no more."""
        self.opened, self.probe, self.valid = opened, None, []

    @rule(seconds=st.integers(1, 5))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.clock.advance(seconds)
        self.now += seconds

    @rule(target=permits)
    def enter(self) -> Any:
        """Ask to call."""
        out = self.probe is not None and self.now < self.probe[1] + PROBE
        refused = self.expected() == "open" or (self.expected() == "half_open" and out)
        try:
            permit = self.breaker.enter()
        except CircuitOpen:
            assert refused
            return CircuitPermit(CircuitBreaker("other"), -1)  # which nobody gave
        assert not refused
        if self.opened is not None:
            self.probe, self.valid = (permit, self.now), []
        self.valid.append(permit)
        return permit

    @rule(permit=consumes(permits), how=OUTCOMES, again=OUTCOMES)
    def settle(self, permit: Any, how: str, again: str) -> None:
        """Say how a call went, and then something else, which does not count."""
        getattr(permit, how)()
        getattr(permit, again)()
        if not any(permit is each for each in self.valid):
            return
        self.valid = [each for each in self.valid if each is not permit]
        self.told(how)

    def told(self, how: str) -> None:
        """Take in what counts."""
        if how == "cancel":
            self.probe = None
        elif how == "success":
            self.failures = 0
            if self.opened is not None:
                self.era(None)
        else:
            self.failures += 1
            if self.opened is not None or self.failures >= self.threshold:
                self.era(self.now)

    @rule()
    def reset(self) -> None:
        """Close it by hand."""
        self.breaker.reset()
        self.failures = 0
        self.era(None)

    @invariant()
    def agrees(self) -> None:
        """State, count, probe and the next change are the model's."""
        if not hasattr(self, "breaker"):
            return
        row = self.breaker.stats()
        since = None if self.probe is None else self.probe[1]
        assert (row.state, row.failures) == (self.expected(), self.failures)
        assert row.probing == (since is not None and self.now < since + PROBE)
        if self.opened is None:
            assert row.next_change_s is None
        else:
            ends = self.opened + WINDOW if since is None else since + PROBE
            assert row.next_change_s == max(0, ends - self.now)
            assert row.opened_for_s == self.now - self.opened


class BreakerMachine(Machine):
    """A breaker of this process, which also hears of calls without a permit."""

    @rule(how=st.sampled_from(["success", "failure"]))
    def record(self, how: str) -> None:
        """Say how a call without a permit went."""
        getattr(self.breaker, f"record_{how}")()
        if self.expected() != "open":
            self.told(how)


class BackedMachine(BreakerMachine):
    """The same, with failures and open time in a backend."""

    def made(self, threshold: int) -> Any:
        """Make it with a backend."""
        return super().made(threshold).with_backend(InMemoryCircuitBreakerBackend())


class Blocking:
    """A shared breaker, or a permit of it, as if it were not: a call runs the loop."""

    def __init__(self, inner: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._inner, self._loop = inner, loop

    def __getattr__(self, name: str) -> Callable[[], Any]:
        def now() -> Any:
            done = self._loop.run_until_complete(getattr(self._inner, name)())
            return Blocking(done, self._loop) if isinstance(done, SharedPermit) else done

        return now

    def stats(self) -> BreakerRow:
        state = self.current()
        row: BreakerRow = self._inner.stats()
        assert row.state == state
        return row


class SharedMachine(Machine):
    """One in a store."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()

    def teardown(self) -> None:
        """Leave nothing open."""
        self.loop.close()

    def made(self, threshold: int) -> Any:
        """Make it there."""
        store = InMemoryPersistenceBackend(clock=self.clock)
        breaker = SharedCircuitBreaker("s", threshold, WINDOW, probe_timeout_s=PROBE, store=store)
        return Blocking(breaker, self.loop)


TestShared = SharedMachine.TestCase
TestShared.settings = settings(max_examples=100, stateful_step_count=40)
TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(max_examples=150, stateful_step_count=40)
TestBacked = BackedMachine.TestCase
TestBacked.settings = settings(max_examples=200, stateful_step_count=40)


def test_the_model_can_tell() -> None:
    """Calls that the model does not know of are noticed."""

    class Leaky(BreakerMachine):
        @rule()
        def slip(self) -> None:
            self.breaker.enter()
            self.breaker.record_failure()

    with pytest.raises((AssertionError, CircuitOpen)):
        Leaky.TestCase("runTest").runTest()
