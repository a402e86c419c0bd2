"""Where a breaker's failures and open time are kept, when that is not in the breaker itself.

A backend knows services by name alone: two breakers with one service name and one backend are one
circuit, whatever their thresholds, in one process or in many. Times are seconds of Unix time, for
processes agree on no other. A synchronous backend is called in place, on a loop too, so one that
goes over a wire had better be async.

Which call is the probe, and which outcomes come too late, each breaker decides for itself; where
one probe must be the only one of all processes, take a
:class:`~agentlab.resilience.shared_breaker.SharedCircuitBreaker`.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from typing import Protocol

from agentlab.core.errors import explain
from agentlab.resilience.circuit import Circuit

log = logging.getLogger("agentlab.resilience")


class CircuitBreakerBackend(Protocol):
    """Keeps failures in a row, and when a circuit opened, by service."""

    def increment_failures(self, service: str, /) -> int:
        """Count one more failure, in one step, and give the new count."""

    def reset_failures(self, service: str, /) -> None:
        """Forget the failures."""

    def get_failures(self, service: str, /) -> int:
        """Give the failures in a row, 0 for a service never heard of."""

    def set_open_at(self, service: str, at: float, /) -> None:
        """Say when it opened."""

    def clear_open_at(self, service: str, /) -> None:
        """Say that it is not open."""

    def get_open_at(self, service: str, /) -> float | None:
        """Give when it opened, None where it is not open."""


class AsyncCircuitBreakerBackend(Protocol):
    """The same over a wire, for a :class:`SharedCircuitBreaker`'s ``backend=``."""

    async def increment_failures(self, service: str, /) -> int:
        """Count one more failure, in one step, and give the new count."""

    async def reset_failures(self, service: str, /) -> None:
        """Forget the failures."""

    async def get_failures(self, service: str, /) -> int:
        """Give the failures in a row, 0 for a service never heard of."""

    async def set_open_at(self, service: str, at: float, /) -> None:
        """Say when it opened."""

    async def clear_open_at(self, service: str, /) -> None:
        """Say that it is not open."""

    async def get_open_at(self, service: str, /) -> float | None:
        """Give when it opened, None where it is not open."""


class InMemoryCircuitBreakerBackend:
    """A backend in this process, for several breakers of one service, from any thread.

    >>> backend = InMemoryCircuitBreakerBackend()
    >>> backend.increment_failures("search"), backend.increment_failures("search")
    (1, 2)
    >>> backend
    <InMemoryCircuitBreakerBackend 1 service, 0 open>
    """

    def __init__(self) -> None:
        self._failures = Counter[str]()
        self._open_at = dict[str, float]()
        self._lock = threading.RLock()  # for one step of two moves; the collector may come between

    def __repr__(self) -> str:
        known = len(self._failures.keys() | self._open_at.keys())
        services = f"{known} service{'s' * (known != 1)}"
        return f"<InMemoryCircuitBreakerBackend {services}, {len(self._open_at)} open>"

    def increment_failures(self, service: str, /) -> int:
        """Count one more failure, and give the new count."""
        with self._lock:
            self._failures[service] += 1
            return self._failures[service]

    def reset_failures(self, service: str, /) -> None:
        """Forget the failures."""
        with self._lock:
            self._failures.pop(service, None)

    def get_failures(self, service: str, /) -> int:
        """Give the failures in a row."""
        return self._failures[service]

    def set_open_at(self, service: str, at: float, /) -> None:
        """Say when it opened."""
        with self._lock:
            self._open_at[service] = at

    def clear_open_at(self, service: str, /) -> None:
        """Say that it is not open."""
        with self._lock:
            self._open_at.pop(service, None)

    def get_open_at(self, service: str, /) -> float | None:
        """Give when it opened, None where it is not open."""
        return self._open_at.get(service)


class Trouble:
    """Counts what goes wrong with a backend; the log hears when it starts and when it is over."""

    def __init__(self, service: str, *, fail_open: bool) -> None:
        self.errors = 0
        self._service, self._fail_open = service, fail_open
        self._down = self._damaged = False
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"<Trouble {self.errors} errors>"

    def add(self, error: BaseException) -> None:
        """Count one error."""
        with self._lock:
            self.errors += 1
            first, self._down = not self._down, True
        if first:
            meanwhile = "calls are let in" if self._fail_open else "calls are refused"
            log.warning(
                "the backend of circuit breaker %r cannot be reached, and %s: %s",
                self._service,
                meanwhile,
                explain(error),
            )

    def damaged(self, error: BaseException) -> None:
        """Count what could not be read there; the next change overwrites it."""
        with self._lock:
            self.errors += 1
            first, self._damaged = not self._damaged, True
        if first:
            log.warning(
                "what is kept of circuit breaker %r cannot be read, and counts as nothing: %s",
                self._service,
                explain(error),
            )

    def over(self) -> None:
        """Hear that it works."""
        if self._down:
            self._down = False
            log.info("the backend of circuit breaker %r is back", self._service)


class Backed:
    """A backend as a breaker sees it: read, write, and errors that stay here."""

    def __init__(self, backend: CircuitBreakerBackend, service: str, *, fail_open: bool) -> None:
        self.trouble = Trouble(service, fail_open=fail_open)
        self._backend, self._service = backend, service

    def __repr__(self) -> str:
        return f"<Backed {self._backend!r}>"

    def read(self, known: Circuit) -> Circuit | None:
        """Give the circuit as it is there, with what only this breaker knows; None if it is out."""
        try:
            failures = self._backend.get_failures(self._service)
            opened_at = self._backend.get_open_at(self._service)
        except Exception as error:  # noqa: BLE001 - whatever a backend raises
            self.trouble.add(error)
            return None
        self.trouble.over()
        return known.seen(failures, opened_at)

    def write(self, before: Circuit, after: Circuit, now: float) -> None:
        """Say what changed. Others count too, so the count that opens it is the backend's."""
        backend, service = self._backend, self._service
        try:
            if after.failures > before.failures:
                count = backend.increment_failures(service)
                if after.opened_at is not None or count >= after.threshold:
                    backend.set_open_at(service, now)
                return
            if after.failures < before.failures:
                backend.reset_failures(service)
            if before.opened_at is not None and after.opened_at is None:
                backend.clear_open_at(service)
        except Exception as error:  # noqa: BLE001 - as above
            self.trouble.add(error)
