"""A breaker whose failures and open time are kept elsewhere."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.errors import CircuitOpen, InvalidValue
from agentlab.resilience.circuit_backends import (
    AsyncCircuitBreakerBackend,
    CircuitBreakerBackend,
    InMemoryCircuitBreakerBackend,
)
from agentlab.resilience.circuit_breaker import CircuitBreaker
from agentlab.resilience.shared_breaker import SharedCircuitBreaker


class Moody(InMemoryCircuitBreakerBackend):
    """Cannot always be reached, and is read and written to in whole milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False

    def get_failures(self, service: str, /) -> int:
        if self.down:
            raise ConnectionError("no route")
        return super().get_failures(service)

    def increment_failures(self, service: str, /) -> int:
        if self.down:
            raise ConnectionError("no route")
        return super().increment_failures(service)

    def set_open_at(self, service: str, at: float, /) -> None:
        super().set_open_at(service, int(at * 1000) / 1000)


class Remote:
    """The same over a wire that takes a while."""

    def __init__(self, inner: InMemoryCircuitBreakerBackend) -> None:
        self.inner = inner

    async def increment_failures(self, service: str, /) -> int:
        await asyncio.sleep(0)
        return self.inner.increment_failures(service)

    async def reset_failures(self, service: str, /) -> None:
        await asyncio.sleep(0)
        self.inner.reset_failures(service)

    async def get_failures(self, service: str, /) -> int:
        await asyncio.sleep(0)
        return self.inner.get_failures(service)

    async def set_open_at(self, service: str, at: float, /) -> None:
        await asyncio.sleep(0)
        self.inner.set_open_at(service, at)

    async def clear_open_at(self, service: str, /) -> None:
        await asyncio.sleep(0)
        self.inner.clear_open_at(service)

    async def get_open_at(self, service: str, /) -> float | None:
        await asyncio.sleep(0)
        return self.inner.get_open_at(service)


@pytest.fixture
def clock() -> FakeClock:
    """Give a clock that stands still."""
    return FakeClock()


@pytest.fixture
def backend() -> Moody:
    """Give a backend in a good mood."""
    return Moody()


def trip(breaker: CircuitBreaker, times: int = 1) -> None:
    """Fail."""
    for _ in range(times):
        with pytest.raises(ZeroDivisionError):
            breaker.call(lambda: 1 / 0)


def test_a_backend_keeps_what_it_is_told() -> None:
    """By service; a service nobody has heard of has no failures and is not open."""
    backend: CircuitBreakerBackend = InMemoryCircuitBreakerBackend()
    assert (backend.get_failures("s"), backend.get_open_at("s")) == (0, None)
    assert [backend.increment_failures("s") for _ in range(3)] == [1, 2, 3]
    backend.set_open_at("s", 12.5)
    assert (backend.get_failures("s"), backend.get_open_at("s")) == (3, 12.5)
    assert (backend.get_failures("t"), backend.get_open_at("t")) == (0, None)

    backend.reset_failures("s")
    backend.clear_open_at("s")
    backend.clear_open_at("t")
    assert (backend.get_failures("s"), backend.get_open_at("s")) == (0, None)


def test_counting_is_one_step() -> None:
    """Threads that count at once get every number once."""
    backend = InMemoryCircuitBreakerBackend()
    counts = list[int]()

    def count() -> None:
        counts.extend(backend.increment_failures("s") for _ in range(500))

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == list(range(1, 4001))


def test_breakers_of_one_service_share_it(backend: Moody, clock: FakeClock) -> None:
    """What one counts the other knows; services do not mix; times are wall times."""
    one, two, other = (
        CircuitBreaker(name, 3, 30, clock=clock, backend=backend) for name in ("s", "s", "t")
    )
    trip(one)
    trip(two)
    assert (one.failure_count, two.failure_count, other.failure_count) == (2, 2, 0)
    trip(one)
    assert (one.state, two.state, other.state) == ("open", "open", "closed")
    assert backend.get_open_at("s") == clock.now().timestamp()
    assert two.opened_at == clock.now()

    clock.advance(30)
    assert two.call(lambda: "back") == "back"
    assert (one.state, one.failure_count) == ("closed", 0)
    assert (backend.get_failures("s"), backend.get_open_at("s")) == (0, None)


def test_the_count_that_opens_is_the_backends(clock: FakeClock) -> None:
    """Whatever was read before: who reaches the threshold opens it."""

    class Raced(Moody):
        def get_failures(self, service: str, /) -> int:
            return min(super().get_failures(service), 1)  # always a little behind

    raced = Raced()
    breaker = CircuitBreaker("s", 3, 30, clock=clock, backend=raced)
    trip(breaker, 3)
    assert breaker.is_open


def test_a_late_outcome_of_before_does_not_count(backend: Moody, clock: FakeClock) -> None:
    """Another breaker's opening begins a generation here too."""
    one, two = (CircuitBreaker("s", 1, 30, clock=clock, backend=backend) for _ in range(2))
    slow = one.acquire()
    trip(two)
    slow.success()
    assert (one.state, two.state) == ("open", "open")

    clock.advance(30)
    probe = one.acquire()
    trip(two)  # its own probe: a backend has no atomic step that could forbid it
    probe.success()
    assert (one.state, two.state) == ("open", "open")


def test_one_probe_in_a_process(backend: Moody, clock: FakeClock) -> None:
    """A breaker with a backend keeps its probe to itself, also where times are rounded."""
    clock.advance(0.00047)
    breaker = CircuitBreaker("s", 1, 30, clock=clock, backend=backend)
    trip(breaker)
    clock.advance(31)
    probe = breaker.acquire()
    with pytest.raises(CircuitOpen):
        breaker.acquire()
    probe.success()
    assert breaker.is_closed


def test_a_cancelled_probe_changes_nothing_there(backend: Moody, clock: FakeClock) -> None:
    """It frees its place; failures and open time stay, and so do those of others."""
    breaker = CircuitBreaker("s", 2, 30, clock=clock, backend=backend)
    trip(breaker)
    breaker.acquire().cancel()
    assert backend.get_failures("s") == 1
    trip(breaker)
    clock.advance(30)
    opened_at = backend.get_open_at("s")
    breaker.acquire().cancel()
    assert (backend.get_failures("s"), backend.get_open_at("s")) == (2, opened_at)
    trip(breaker)
    assert breaker.is_open


def test_with_backend(backend: Moody, clock: FakeClock) -> None:
    """It sets the backend and gives the breaker back, which forgets its own count."""
    breaker = CircuitBreaker("s", 2, 30, clock=clock)
    trip(breaker, 2)
    assert breaker.with_backend(backend) is breaker
    assert (breaker.state, breaker.failure_count) == ("closed", 0)

    backend.increment_failures("s")
    assert breaker.failures_until_open == 1
    breaker.record_failure()
    assert breaker.is_open
    breaker.reset()
    assert (breaker.state, backend.get_failures("s")) == ("closed", 0)


def test_unreachable_it_lets_calls_in(
    backend: Moody, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """It counts as closed, errors are counted, and the log hears of it once, and of the end."""
    breaker = CircuitBreaker("s", 1, 30, clock=clock, backend=backend)
    trip(breaker)
    backend.down = True
    with caplog.at_level(logging.INFO, "agentlab.resilience"):
        assert breaker.is_closed
        assert breaker.call(lambda: "answer") == "answer"
        trip(breaker)
        assert breaker.stats().backend_errors >= 5
        assert repr(breaker) == "<CircuitBreaker 's' closed 0/1>"
        backend.down = False
        assert breaker.is_open

    who = "the backend of circuit breaker 's'"
    assert [record.message for record in caplog.records] == [
        f"{who} cannot be reached, and calls are let in: ConnectionError: no route",
        f"{who} is back",
    ]


def test_a_write_that_fails_hides_no_error(backend: Moody, clock: FakeClock) -> None:
    """What the service raised is what the caller gets, whatever the backend does meanwhile."""
    breaker = CircuitBreaker("s", 1, 30, clock=clock, backend=backend)

    def fail() -> None:
        backend.down = True
        raise LookupError

    with pytest.raises(LookupError) as caught:
        breaker.call(fail)
    assert caught.value.__context__ is None
    assert breaker.stats().backend_errors > 0


def test_unreachable_it_may_refuse(backend: Moody, clock: FakeClock) -> None:
    """With ``fail_open=False`` nobody gets in while it cannot be told."""
    breaker = CircuitBreaker("s", 1, 30, clock=clock, backend=backend, fail_open=False)
    backend.down = True
    with pytest.raises(CircuitOpen):
        breaker.acquire()
    assert breaker.stats().refused == 1
    backend.down = False
    assert breaker.call(lambda: 1) == 1


def test_an_async_backend_is_awaited(clock: FakeClock) -> None:
    """A shared breaker keeps failures and open time in one, by the same rules."""
    inner = InMemoryCircuitBreakerBackend()
    remote: AsyncCircuitBreakerBackend = Remote(inner)

    async def fail() -> None:
        raise ZeroDivisionError

    async def main() -> None:
        one, two = (SharedCircuitBreaker("s", 3, 30, backend=remote, clock=clock) for _ in range(2))
        for breaker in (one, two, one):
            with pytest.raises(ZeroDivisionError):
                await breaker.async_call(fail)
        assert (await one.current(), await two.current()) == ("open", "open")
        assert inner.get_open_at("s") == clock.now().timestamp()
        with pytest.raises(CircuitOpen):
            await two.acquire()

        clock.advance(30)
        probe = await two.acquire()
        with pytest.raises(CircuitOpen):
            await two.acquire()
        await probe.success()
        assert await one.current() == "closed"
        assert (inner.get_failures("s"), inner.get_open_at("s")) == (0, None)

    asyncio.run(main())


def test_a_probe_among_tasks(clock: FakeClock) -> None:
    """Of many tasks that ask over the wire at once, one gets the probe."""
    inner = InMemoryCircuitBreakerBackend()
    breaker = SharedCircuitBreaker("s", 1, 30, backend=Remote(inner), clock=clock)

    async def main() -> list[str]:
        await (await breaker.acquire()).failure()
        clock.advance(30)
        asked = await asyncio.gather(
            *(breaker.acquire() for _ in range(20)), return_exceptions=True
        )
        return [type(each).__name__ for each in asked]

    assert sorted(asyncio.run(main())) == ["CircuitOpen"] * 19 + ["SharedPermit"]


def test_each_backend_where_it_belongs() -> None:
    """An async backend is refused by the breaker that cannot await it."""
    remote = Remote(InMemoryCircuitBreakerBackend())
    with pytest.raises(InvalidValue, match=r"is async: SharedCircuitBreaker\(service, backend="):
        CircuitBreaker("s", backend=remote)  # type: ignore[arg-type]
