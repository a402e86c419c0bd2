"""Fail fast while a service is down, and let one call through to see whether it is back.

The rules are in :class:`~agentlab.resilience.circuit.Circuit`. :class:`CircuitBreaker` is the
thin shell that holds one circuit, reads the time and gives out permits.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import CoroutineType, TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from agentlab.core.bounds import a_judge, a_name, callback
from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import CircuitOpen, InvalidValue, is_outage
from agentlab.core.guards import able
from agentlab.core.sync import twin
from agentlab.resilience.admission import Admission, Block, decorated, ending, popped, pushed
from agentlab.resilience.circuit import BreakerRow, Circuit, CircuitState, Counts, Readings, Rule
from agentlab.resilience.circuit_backends import Backed, CircuitBreakerBackend

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["BreakerRow", "Circuit", "CircuitBreaker", "CircuitPermit", "CircuitState"]


class CircuitBreaker(Readings, Block["CircuitPermit"], Tabular, Displayable):
    """Guard calls to one service: as a function, a decorator, a block, plain or async.

    >>> breaker = CircuitBreaker("search", threshold=5, recovery_window=30)
    >>> breaker.call(str.upper, "ok")
    'OK'
    >>> breaker
    <CircuitBreaker 'search' closed 0/5>

    What the guarded code raises passes through unchanged. Its outcome counts only while the
    circuit is as it was when the call was let in: a slow success does not end an outage.

    Parameters
    ----------
    service : str
        Name used in errors and by a backend.
    threshold : int
        Failures in a row that open the circuit.
    recovery_window : float
        Seconds to stay open.
    probe_timeout_s : float, optional
        Seconds after which a probe that has not ended no longer keeps others out; a recovery
        window where nothing is said.
    should_count : callable
        Which exceptions are the service's fault. Cancellation, Ctrl-C and exits never are.
    clock : Clock
        Where to read the time.
    backend : CircuitBreakerBackend, optional
        Where to keep failures and open time, so that all breakers of this service name share
        them; see :mod:`~agentlab.resilience.circuit_backends`.
    fail_open : bool
        Whether calls are let in, or refused, while the backend cannot be reached.
    """

    def __init__(  # noqa: PLR0913 - all of it may differ by service
        self,
        service: str,
        threshold: int = 5,
        recovery_window: float = 30.0,
        *,
        probe_timeout_s: float | None = None,
        should_count: Callable[[BaseException], bool] = is_outage,
        clock: Clock = SYSTEM_CLOCK,
        backend: CircuitBreakerBackend | None = None,
        fail_open: bool = True,
    ) -> None:
        self._service = a_name("service", service)
        self._circuit = Circuit(threshold, recovery_window, probe_timeout_s)
        a_judge("should_count", should_count)
        self.should_count = should_count
        self._clock = clock
        self._fail_open = fail_open
        self._counts = Counts()
        self._backed: Backed | None = None
        # Tools may run in worker threads. Never held across a call; re-entrant, because a block
        # that is thrown away ends wherever the collector happens to run.
        self._lock = threading.RLock()
        if backend is not None:
            self.with_backend(backend)

    def __repr__(self) -> str:
        circuit, now = self._look()
        standing = f"{circuit.state(now)} {circuit.failures}/{circuit.threshold}"
        return f"<CircuitBreaker {self._service!r} {standing}>"

    def with_backend(self, backend: CircuitBreakerBackend) -> Self:
        """Keep failures and open time in ``backend`` from now on, and forget one's own."""
        able(backend, "get_failures", "a CircuitBreakerBackend")
        if inspect.iscoroutinefunction(backend.get_failures):
            raise InvalidValue(
                f"{backend!r} is async: SharedCircuitBreaker(service, backend=...) awaits it"
            )
        with self._lock:
            self._backed = Backed(backend, self._service, fail_open=self._fail_open)
            self._circuit = self._circuit.reset()
        return self

    @property
    def opened_at(self) -> datetime | None:
        """When it last opened, None where it is closed."""
        since = self.stats().opened_for_s
        return None if since is None else self._clock.now() - timedelta(seconds=since)

    def stats(self) -> BreakerRow:
        """Give all there is to see, at one moment."""
        circuit, now = self._look()
        errors = self._backed.trouble.errors if self._backed else 0
        return self._counts.row(self._service, circuit, now, errors)

    def enter(self, subject: str = "", needs: Sequence[str] = ()) -> CircuitPermit:  # noqa: ARG002
        """Ask to call the service; ``subject`` is whom a refusal names.

        Raises
        ------
        CircuitOpen
            It is open, or half open with its probe out.
        """
        with self._lock:
            now = self._now()
            known = self._circuit if self._backed is None else self._backed.read(self._circuit)
            if known is not None:
                admitted = known.admit(now)
            else:  # nobody can tell
                admitted = self._circuit if self._fail_open else None
            self._circuit = admitted or known or self._circuit
            if admitted is None:
                self._counts.refused += 1
                raise CircuitOpen(subject or self._service)
            self._counts.calls += 1
        return CircuitPermit(self, admitted.generation)

    def acquire(self) -> CircuitPermit:
        """Ask to call the service, and say yourself how it went: on every way out, in the end."""
        return self.enter()

    def guard(self, subject: str = "") -> Admission[CircuitPermit]:
        """Admit a block, ``with`` or ``async with``; what it raises tells how it went."""
        return Admission(self, lambda: self.enter(subject))

    def __enter__(self) -> CircuitPermit:
        return pushed(self, self.enter())

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        # Left in another context than it was entered in, the permit is not at hand.
        ending(self, popped(self) or CircuitPermit(self, None), error)()

    def __call__(self, fn: F, /) -> F:
        """Decorate a function, plain or async."""
        return decorated(fn, self.call, self.async_call)

    def call(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call ``fn`` inside the guard."""
        callback("fn", fn)
        with self.guard() as permit:
            result = fn(*args, **kwargs)
            if isinstance(result, CoroutineType):
                permit.cancel()
                result.close()
                raise InvalidValue(f"{fn!r} is async: await async_call(fn)")
            return result

    async def async_call(
        self, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Await ``fn`` inside the guard."""
        callback("fn", fn)
        with self.guard() as permit:
            work = fn(*args, **kwargs)
            if not inspect.isawaitable(work):
                permit.cancel()
                raise InvalidValue(f"{fn!r} is not async, it gave {work!r:.80}: use call(fn)")
            return await work

    async_call_sync = twin(async_call)

    def record_success(self) -> None:
        """Count a call made without a permit, as one of now; while it is open, there is none."""
        CircuitPermit(self, None).success()

    def record_failure(self) -> None:
        """Count a failed call made without a permit, likewise."""
        CircuitPermit(self, None).failure()

    def reset(self) -> None:
        """Close it and forget what was counted; calls under way no longer matter."""
        with self._lock:
            self._change(lambda circuit, _: circuit.reset())

    def settle(self, permit: CircuitPermit, change: Rule) -> None:
        """Take in how a call ended, once, and unless it was admitted in an earlier state."""
        with self._lock:
            if not permit.settled:
                permit.settled = True
                self._change(lambda *now: change(*now) if permit.counts(*now) else now[0])

    def _change(self, change: Rule) -> None:
        now, backed = self._now(), self._backed
        known = self._circuit if backed is None else backed.read(self._circuit)
        if known is None:
            return  # it cannot be told
        self._circuit = changed = change(known, now)
        if backed is not None and changed is not known:
            backed.write(known, changed, now)

    def _look(self) -> tuple[Circuit, float]:
        """Give the circuit as it stands, closed where that cannot be had, and the time."""
        circuit = self._circuit
        if self._backed is not None:
            circuit = self._backed.read(circuit) or circuit.reset()
        return circuit, self._now()

    def _now(self) -> float:
        if self._backed is None:
            return self._clock.monotonic()
        return self._clock.now().timestamp()


@dataclass(slots=True)
class CircuitPermit:
    """Leave for one call; only what is said first counts. Without a generation it is of now."""

    breaker: CircuitBreaker
    generation: int | None
    settled: bool = False

    def counts(self, circuit: Circuit, now: float) -> bool:
        """Tell whether it is of this state of the circuit."""
        if self.generation is None:
            return circuit.state(now) is not CircuitState.Open
        return self.generation == circuit.generation

    def success(self) -> None:
        """Say that the service answered."""
        self.breaker.settle(self, lambda circuit, _: circuit.succeed())

    def failure(self) -> None:
        """Say that the service failed."""
        self.breaker.settle(self, Circuit.fail)

    def cancel(self) -> None:
        """Say nothing about the service, and free the probe."""
        self.breaker.settle(self, lambda circuit, _: circuit.release())
