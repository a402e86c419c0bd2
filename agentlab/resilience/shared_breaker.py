"""One circuit for many processes: the same rules, behind the one atomic step of a store.

Everything that may change the circuit is a ``Store.update`` by the store's own time, so that no
two machines have to agree on theirs and only one of all callers gets the probe. While the circuit
is closed and nothing has failed, a call costs two reads and no write.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from types import CoroutineType
from typing import Any, ParamSpec, TypeVar

from agentlab.core.bounds import a_judge, a_name, callback, positive
from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import CircuitOpen, InvalidValue, is_outage
from agentlab.core.guards import able
from agentlab.core.protocols import Store
from agentlab.core.sync import last_words, run_sync, twin
from agentlab.resilience.admission import AsyncAdmission, decorated, ending
from agentlab.resilience.circuit import BreakerRow, Circuit, CircuitState, Counts, Readings, Rule
from agentlab.resilience.circuit_backends import AsyncCircuitBreakerBackend, Trouble
from agentlab.resilience.circuit_keepers import MS, InBackend, InStore, Keeper

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
PREFIX = "agentlab:cb"
STORE_TIMEOUT_S = 5.0


class SharedCircuitBreaker(Readings, Tabular, Displayable):
    """Guard calls to one service together with everybody who shares the store.

    >>> from agentlab import InMemoryPersistenceBackend
    >>> breaker = SharedCircuitBreaker("search", store=InMemoryPersistenceBackend())
    >>> breaker.call(str.upper, "ok")
    'OK'
    >>> breaker
    <SharedCircuitBreaker 'search' closed 0/5>

    In async code it is ``await breaker.async_call(fn)``, or ``async with breaker.guard():``. Its
    methods are awaited, and have blocking twins (``acquire_sync``, …). One object may be used from
    several loops and threads. The repr, the card, ``stats()`` and what can be read off it tell
    what was seen last; ``await current()`` looks.

    Parameters
    ----------
    service : str
        Name used in errors; with ``prefix`` it is the key that those who share it agree on. They
        should agree on the numbers too, for each goes by its own.
    threshold : int
        Failures in a row, whoever's, that open the circuit.
    recovery_window : float
        Seconds to stay open.
    store : Store
        Where the circuit is kept.
    prefix : str
        What comes before ``:service`` in the key.
    probe_timeout_s : float, optional
        Seconds after which a probe that has not ended no longer keeps others out; a recovery
        window where nothing is said.
    should_count : callable
        Which exceptions are the service's fault. Cancellation, Ctrl-C and exits never are.
    fail_open : bool
        Whether calls are let in, or refused, while the store cannot be reached.
    store_timeout_s : float
        Seconds of real time after which it counts as out of reach.
    backend : AsyncCircuitBreakerBackend, optional
        Where to keep failures and open time, in place of a store. It has no atomic step, so each
        process has a probe of its own.
    clock : Clock
        The time for a ``backend``; a store has its own.
    """

    def __init__(  # noqa: PLR0913 - all of it may differ by service
        self,
        service: str,
        threshold: int = 5,
        recovery_window: float = 30.0,
        *,
        store: Store | None = None,
        prefix: str = PREFIX,
        probe_timeout_s: float | None = None,
        should_count: Callable[[BaseException], bool] = is_outage,
        fail_open: bool = True,
        store_timeout_s: float = STORE_TIMEOUT_S,
        backend: AsyncCircuitBreakerBackend | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        Circuit(threshold, recovery_window, probe_timeout_s)  # says what is wrong in seconds
        positive("store_timeout_s", store_timeout_s)
        a_judge("should_count", should_count)
        probe = None if probe_timeout_s is None else probe_timeout_s * MS
        self._rules = Circuit(threshold, recovery_window * MS, probe)
        self._service, self._fail_open = a_name("service", service), fail_open
        self.should_count = should_count
        self._timeout_s = store_timeout_s
        self._counts = Counts()
        self._trouble = Trouble(service, fail_open=fail_open)
        self._seen: tuple[Circuit, float] = self._rules, 0
        self._kept: Keeper
        if backend is not None and store is None:
            able(backend, "get_failures", "an AsyncCircuitBreakerBackend")
            self._kept = InBackend(backend, service, self._rules, clock)
        elif store is not None and backend is None:
            able(
                store,
                "update",
                "a store with an atomic update, such as SqlitePersistenceBackend(path)",
            )
            self._kept = InStore(store, f"{prefix}:{service}", self._rules, self._trouble)
        else:
            which = "neither" if store is None else "both"
            raise InvalidValue(f"a shared breaker needs a store or a backend, got {which}")

    def __repr__(self) -> str:
        circuit, now = self._seen
        standing = f"{circuit.state(now)} {circuit.failures}/{circuit.threshold}"
        return f"<SharedCircuitBreaker {self._service!r} {standing}>"

    def stats(self) -> BreakerRow:
        """Give what was seen last, and what this object did."""
        return self._counts.row(self._service, *self._seen, self._trouble.errors, MS)

    async def current(self) -> CircuitState:
        """Look what the next caller meets; closed where that cannot be had."""
        seen = await self._tried(self._look)
        self._seen = seen or (self._rules, 0)
        circuit, now = self._seen
        return circuit.state(now)

    async def acquire(self, subject: str = "") -> SharedPermit:
        """Ask to call the service; ``subject`` is whom a refusal names.

        Raises
        ------
        CircuitOpen
            It is open, or half open with somebody's probe out.
        """
        answer = await self._tried(self._admit)
        blind = answer is None and self._fail_open
        admitted = answer[0] if answer else None
        if admitted is None and not blind:
            self._counts.refused += 1
            raise CircuitOpen(subject or self._service)
        self._counts.calls += 1
        return SharedPermit(self._settle, None if admitted is None else admitted.generation)

    def enter(self, subject: str = "", needs: Sequence[str] = ()) -> Awaitable[SharedPermit]:  # noqa: ARG002
        """Ask likewise, as every guard is asked: await it."""
        return self.acquire(subject)

    def guard(self, subject: str = "") -> AsyncAdmission[SharedPermit]:
        """Admit an ``async with`` block; what it raises tells how it went."""
        return AsyncAdmission(self, lambda: self.acquire(subject))

    def __call__(self, fn: F, /) -> F:
        """Decorate a function, plain or async."""
        return decorated(fn, self.call, self.async_call)

    def call(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call ``fn`` here, inside the guard."""
        callback("fn", fn)
        permit = self.acquire_sync()
        try:
            result = fn(*args, **kwargs)
        except BaseException as error:
            run_sync(ending(self, permit, error))
            raise
        if isinstance(result, CoroutineType):
            result.close()
            permit.cancel_sync()
            raise InvalidValue(f"{fn!r} is async: await async_call(fn)")
        permit.success_sync()
        return result

    async def async_call(
        self, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Await ``fn`` inside the guard."""
        callback("fn", fn)
        async with self.guard() as permit:
            work = fn(*args, **kwargs)
            if not inspect.isawaitable(work):
                await permit.cancel()
                raise InvalidValue(f"{fn!r} is not async, it gave {work!r:.80}: use call(fn)")
            return await work

    async def reset(self) -> None:
        """Close it for everybody and forget what was counted; calls under way do not matter."""
        self._seen = await self._kept.change(lambda circuit, _: circuit.reset())

    async def _settle(self, permit: SharedPermit, rule: Rule) -> None:
        """Take in how a call ended, once, and unless it was admitted in an earlier state."""
        if permit.settled or permit.generation is None:
            return
        permit.settled = True

        def unless_late(circuit: Circuit, now: float) -> Circuit:
            return rule(circuit, now) if circuit.generation == permit.generation else circuit

        async def tell() -> tuple[Circuit, float]:
            circuit = await self._kept.peek()
            idle = circuit.opened_at is None and not circuit.failures and rule is not Circuit.fail
            return (circuit, 0) if idle else await self._kept.change(unless_late)

        self._seen = await self._tried(tell) or self._seen

    acquire_sync, current_sync, reset_sync = twin(acquire), twin(current), twin(reset)
    async_call_sync = twin(async_call)

    async def _look(self) -> tuple[Circuit, float]:
        circuit = await self._kept.peek()
        if circuit.opened_at is None:
            return circuit, 0
        return await self._kept.change(lambda circuit, _: circuit)  # by the time there

    async def _admit(self) -> tuple[Circuit | None]:
        """Give the circuit with the call let in, or None; only a probe has to be written down."""
        circuit = await self._kept.peek()
        if circuit.opened_at is None:
            self._seen = circuit, 0
            return (circuit,)
        admitted: Circuit | None = None

        def claim(circuit: Circuit, now: float) -> Circuit:
            nonlocal admitted
            admitted = circuit.admit(now)
            return admitted or circuit

        try:
            self._seen = await self._kept.change(claim)
        except asyncio.CancelledError:
            if admitted is not None:  # nobody will make the probe
                await last_words(SharedPermit(self._settle, admitted.generation).cancel(), 1.0)
            raise
        return (admitted,)

    async def _tried(self, work: Callable[[], Awaitable[T]]) -> T | None:
        """Do something with the store, in time; None where that cannot be done."""
        try:
            async with asyncio.timeout(self._timeout_s):
                done = await work()
        except Exception as error:  # noqa: BLE001 - whatever a store raises
            self._trouble.add(error)
            return None
        self._trouble.over()
        return done


@dataclass(slots=True)
class SharedPermit:
    """Leave for one call; only what is said first counts. Without a generation nothing does."""

    settle: Callable[[SharedPermit, Rule], Coroutine[Any, Any, None]]
    generation: int | None
    settled: bool = False

    async def success(self) -> None:
        """Say that the service answered."""
        await self.settle(self, lambda circuit, _: circuit.succeed())

    async def failure(self) -> None:
        """Say that the service failed."""
        await self.settle(self, Circuit.fail)

    async def cancel(self) -> None:
        """Say nothing about the service, and free the probe."""
        await self.settle(self, lambda circuit, _: circuit.release())

    success_sync, failure_sync, cancel_sync = twin(success), twin(failure), twin(cancel)
