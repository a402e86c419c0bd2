"""The rules of a circuit breaker, as a value: no clock, no lock, no I/O.

    closed --(threshold failures in a row)--> open --(recovery_window)--> half_open
      ^                                        ^                              |
      |                                        +------- probe failed ---------+
      +------------------------------------------------ probe succeeded ------+

:class:`Circuit` answers "may I call?" and "what now?". Whoever holds one reads the time and gives
out permits: :class:`~agentlab.resilience.circuit_breaker.CircuitBreaker` in a process,
:class:`~agentlab.resilience.shared_breaker.SharedCircuitBreaker` among several.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

import msgspec

from agentlab.core.bounds import at_least_one, not_negative, positive
from agentlab.core.doors import Displayable
from agentlab.core.portable import Portable

PROBE_S = 30.0


class CircuitState(StrEnum):
    """What a caller meets."""

    Closed = "closed"
    Open = "open"
    HalfOpen = "half_open"


@dataclass(frozen=True, slots=True)
class Circuit:
    """One circuit's memory. Every method is pure; every change is a new value.

    ``generation`` moves on with the state and with each probe, so that the outcome of an earlier
    call can be told apart and ignored. Half-open lets one caller through at a time.

    >>> circuit = Circuit(threshold=1, recovery_window=30).fail(now=0)
    >>> str(circuit.state(now=29)), str(circuit.state(now=30))
    ('open', 'half_open')

    Parameters
    ----------
    threshold : int
        Failures in a row that open it.
    recovery_window : float
        How long it stays open, in the unit of every ``now``.
    probe_timeout : float, optional
        How long a probe keeps others out: a window where nothing is said.
    """

    threshold: int
    recovery_window: float
    probe_timeout: float | None = None
    failures: int = 0
    opened_at: float | None = None
    probing_since: float | None = None
    generation: int = 0

    def __post_init__(self) -> None:
        at_least_one("circuit breaker threshold", self.threshold)
        not_negative("recovery_window", self.recovery_window)
        if self.probe_timeout is None:
            object.__setattr__(self, "probe_timeout", self.recovery_window or PROBE_S)
        else:
            positive("probe_timeout_s", self.probe_timeout, "a window")

    def state(self, now: float) -> CircuitState:
        """Tell what a caller meets; asking changes nothing."""
        if self.opened_at is None:
            return CircuitState.Closed
        if within(self.opened_at, self.recovery_window, now):
            return CircuitState.Open
        return CircuitState.HalfOpen

    def probing(self, now: float) -> bool:
        """Tell whether a probe is out, and has not lapsed."""
        since, limit = self.probing_since, self.probe_timeout
        return since is not None and limit is not None and within(since, limit, now)

    def wait(self, now: float) -> float | None:
        """Tell how long until a call may be let in; None where nothing is to change by itself."""
        if self.opened_at is None:
            return None
        if self.probing_since is not None and self.probe_timeout is not None and self.probing(now):
            return self.probing_since + self.probe_timeout - now
        if self.state(now) is CircuitState.Open:
            return self.opened_at + self.recovery_window - now
        return 0.0

    def admit(self, now: float) -> Circuit | None:
        """Give the circuit after letting one call in, or None to turn it away."""
        if self.opened_at is None:
            return self
        if self.state(now) is CircuitState.Open or self.probing(now):
            return None
        return replace(self, probing_since=now, generation=self.generation + 1)

    def succeed(self) -> Circuit:
        """Give the circuit after a call that worked."""
        if self.opened_at is None:
            return replace(self, failures=0) if self.failures else self
        return self.reset()

    def fail(self, now: float) -> Circuit:
        """Give the circuit after a call that did not; after a probe one is enough."""
        failed = replace(self, failures=self.failures + 1)
        if self.opened_at is None and failed.failures < self.threshold:
            return failed
        return failed.moved(now)

    def release(self) -> Circuit:
        """Give the circuit after a call that says nothing about the service."""
        return self if self.probing_since is None else replace(self, probing_since=None)

    def reset(self) -> Circuit:
        """Give the circuit closed, with nothing counted; calls under way no longer matter."""
        return replace(self, failures=0).moved(None)

    def seen(self, failures: int, opened_at: float | None) -> Circuit:
        """Give the circuit with what others have made of it meanwhile."""
        now = self if failures == self.failures else replace(self, failures=failures)
        return now if opened_at == self.opened_at else now.moved(opened_at)

    def moved(self, opened_at: float | None) -> Circuit:
        """Give the circuit opened at that moment, or closed, in a generation of its own."""
        return replace(
            self, opened_at=opened_at, probing_since=None, generation=self.generation + 1
        )


Rule: TypeAlias = Callable[[Circuit, float], Circuit]


def within(since: float, span: float, now: float) -> bool:
    """Tell whether less than ``span`` has passed.

    A moment further ahead than that is no moment to wait for: a clock was set back meanwhile.
    """
    return abs(now - since) < span


class BreakerRow(msgspec.Struct, Portable, Displayable, frozen=True):
    """One breaker at one moment.

    ``failures`` are in a row; ``next_change_s`` is when a call may be let in again, None where
    it is closed; ``calls`` were let in and ``refused`` were not, by this very breaker.
    """

    service: str
    state: str
    failures: int
    threshold: int
    recovery_window: float
    opened_for_s: float | None = None
    next_change_s: float | None = None
    probing: bool = False
    calls: int = 0
    refused: int = 0
    backend_errors: int = 0


@dataclass(slots=True)
class Counts:
    """What one breaker did."""

    calls: int = 0
    refused: int = 0

    def row(
        self, service: str, circuit: Circuit, now: float, errors: int, per_s: float = 1
    ) -> BreakerRow:
        """Put it in a row with the circuit, whose unit of time there are ``per_s`` of a second."""
        opened_at, wait = circuit.opened_at, circuit.wait(now)
        return BreakerRow(
            service=service,
            state=str(circuit.state(now)),
            failures=circuit.failures,
            threshold=circuit.threshold,
            recovery_window=circuit.recovery_window / per_s,
            opened_for_s=None if opened_at is None else max(0.0, now - opened_at) / per_s,
            next_change_s=None if wait is None else wait / per_s,
            probing=circuit.probing(now),
            calls=self.calls,
            refused=self.refused,
            backend_errors=errors,
        )


class Readings:
    """What can be read off a breaker: its ``stats()``, one by one. Reading changes nothing."""

    def stats(self) -> BreakerRow:
        """Give all there is to see, at one moment."""
        raise NotImplementedError

    @property
    def service_name(self) -> str:
        """What it guards."""
        return self.stats().service

    @property
    def threshold(self) -> int:
        """How many failures in a row open it."""
        return self.stats().threshold

    @property
    def recovery_window(self) -> float:
        """How many seconds it stays open."""
        return self.stats().recovery_window

    @property
    def state(self) -> CircuitState:
        """What the next caller meets."""
        return CircuitState(self.stats().state)

    @property
    def is_closed(self) -> bool:
        """Whether calls go through."""
        return self.state is CircuitState.Closed

    @property
    def is_open(self) -> bool:
        """Whether calls are turned away."""
        return self.state is CircuitState.Open

    @property
    def is_half_open(self) -> bool:
        """Whether one call may go through, as a probe."""
        return self.state is CircuitState.HalfOpen

    @property
    def is_healthy(self) -> bool:
        """Whether it is anything but open."""
        return not self.is_open

    @property
    def failure_count(self) -> int:
        """Failures in a row so far."""
        return self.stats().failures

    @property
    def failures_until_open(self) -> int:
        """How many more would open it."""
        row = self.stats()
        return max(0, row.threshold - row.failures)

    @property
    def failure_rate(self) -> float:
        """Failures in a row as a share of the threshold; over 1 after failed probes."""
        row = self.stats()
        return row.failures / row.threshold

    @property
    def next_change_s(self) -> float | None:
        """Seconds until a call may be let in again; None where it is closed."""
        return self.stats().next_change_s
