"""What can be read off a circuit breaker. Reading changes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from agentlab.core.clock import Clock
from agentlab.resilience.circuit import Circuit, CircuitState


class Readings:
    """The readings of whatever can look at its circuit, in seconds."""

    _circuit: Circuit
    _clock: Clock

    def _look(self) -> tuple[Circuit, float]:
        """Give the circuit as it stands, and the time."""
        raise NotImplementedError

    @property
    def threshold(self) -> int:
        """How many failures in a row open it."""
        return self._circuit.threshold

    @property
    def recovery_window(self) -> float:
        """How many seconds it stays open."""
        return self._circuit.recovery_window

    @property
    def state(self) -> CircuitState:
        """What the next caller meets; asking changes nothing."""
        circuit, now = self._look()
        return circuit.state(now)

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
    def opened_at(self) -> datetime | None:
        """When it last opened, None where it is closed."""
        circuit, now = self._look()
        if circuit.opened_at is None:
            return None
        return self._clock.now() - timedelta(seconds=now - circuit.opened_at)

    @property
    def failure_count(self) -> int:
        """Failures in a row so far."""
        return self._look()[0].failures

    @property
    def failures_until_open(self) -> int:
        """How many more would open it."""
        return max(0, self.threshold - self.failure_count)

    @property
    def failure_rate(self) -> float:
        """Failures in a row as a share of the threshold; over 1 after failed probes."""
        return self.failure_count / self.threshold

    @property
    def next_change_s(self) -> float | None:
        """Seconds until a call may be let in again; None where it is closed."""
        circuit, now = self._look()
        return circuit.wait(now)
