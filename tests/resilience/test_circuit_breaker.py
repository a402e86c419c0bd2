"""The circuit's rules as tables, then the breaker's promises one by one."""

from __future__ import annotations

import asyncio
import gc
import inspect
import math
import re
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.errors import CircuitOpen, InvalidValue, ToolArgumentError, ToolNotFound
from agentlab.core.protocols import Guard
from agentlab.core.sync import run_sync
from agentlab.resilience.circuit_breaker import BreakerRow, Circuit, CircuitBreaker, CircuitState
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.spec import ToolSpec


def play(script: str, threshold: int) -> str:
    """Run one symbol a second: F fail, S succeed, . wait, ! is turned away. Window: 3 s."""
    circuit = Circuit(threshold, recovery_window=3)
    for now, symbol in enumerate(script):
        if symbol == ".":
            continue
        admitted = circuit.admit(now)
        assert (admitted is None) == (symbol == "!"), f"second {now} of {script!r}"
        if admitted is not None:
            circuit = admitted.fail(now) if symbol == "F" else admitted.succeed()
    return circuit.state(len(script))


@pytest.mark.parametrize(
    ("script", "threshold", "state"),
    [
        pytest.param("FFFF", 5, "closed", id="below the threshold"),
        pytest.param("FFFFF", 5, "open", id="the threshold opens it"),
        pytest.param("FSF", 2, "closed", id="a success forgets earlier failures"),
        pytest.param("FF!", 2, "open", id="open turns calls away"),
        pytest.param("FF...", 2, "half_open", id="the window ends by itself"),
        pytest.param("FF..SFS", 2, "closed", id="a good probe closes it, counter at zero"),
        pytest.param("FF..F!", 2, "open", id="a bad probe opens it for a fresh window"),
        pytest.param("FF..F!!SF", 2, "closed", id="which ends in a new probe"),
    ],
)
def test_rules(script: str, threshold: int, state: str) -> None:
    """Outcomes in, state out."""
    assert play(script, threshold) == state


def test_only_one_probe_at_a_time() -> None:
    """Half-open admits one caller; the next is let in once that probe has timed out."""
    probing = Circuit(1, recovery_window=3, probe_timeout=5).fail(0).admit(3)

    assert probing is not None
    assert probing.admit(7.9) is None
    assert probing.admit(8) is not None
    assert (probing.wait(7), probing.wait(9)) == (1, 0)
    assert Circuit(1, recovery_window=0).probe_timeout == 30  # or there would be no single probe


def test_a_change_is_a_new_value() -> None:
    """A circuit never changes, so that whoever looks at one sees one moment."""
    circuit = Circuit(2, 30)
    failed = circuit.fail(0)

    assert (circuit.failures, failed.failures) == (0, 1)
    assert circuit.succeed() is circuit  # nothing to tell
    assert circuit.release() is circuit


@pytest.mark.parametrize("threshold", [0, -1, 1.5, "5", True, None])
def test_a_threshold_is_a_positive_number(threshold: Any) -> None:
    """Anything else is refused, with the value."""
    must = ">= 1" if type(threshold) is int else "a whole number"
    with pytest.raises(InvalidValue) as caught:
        CircuitBreaker("x", threshold)
    assert str(caught.value) == f"circuit breaker threshold must be {must}, got {threshold!r}"


@pytest.mark.parametrize("seconds", [-1.0, math.nan, math.inf, "30", 10**400])
def test_times_are_finite(seconds: Any) -> None:
    """A window may be of no length; a time-out may not; neither may be endless."""
    with pytest.raises(InvalidValue, match="recovery_window must be >= 0 and finite, got"):
        CircuitBreaker("x", 1, seconds)
    with pytest.raises(InvalidValue, match="probe_timeout_s must be > 0 and finite, or None"):
        CircuitBreaker("x", 1, probe_timeout_s=seconds)
    with pytest.raises(InvalidValue, match=r"probe_timeout_s must be > 0.*got 0"):
        CircuitBreaker("x", 1, probe_timeout_s=0)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"service": ""}, "service must be a name, got ''"),
        ({"service": None}, "service must be a name, got None"),
        ({"should_count": ValueError}, "should_count must be a function of the error, got <class"),
        ({"should_count": (OSError,)}, "should_count must be a function of the error, got (<class"),
        ({"backend": "redis"}, "this needs a CircuitBreakerBackend, got 'redis'"),
    ],
)
def test_what_it_cannot_be_made_of(settings: dict[str, Any], why: str) -> None:
    """It is refused at once; a class of errors would have judged every error to be one."""
    with pytest.raises(InvalidValue, match="^" + re.escape(why)):
        CircuitBreaker(**{"service": "x", **settings})


@pytest.mark.parametrize("jump", [-3600.0, -60.0])
def test_a_clock_set_back(jump: float) -> None:
    """It keeps nobody out for longer than it went back, and no longer than another window."""
    opened = Circuit(1, recovery_window=30, probe_timeout=10).fail(now=0)
    probing = opened.admit(30)

    assert (opened.state(-29), opened.wait(-29)) == ("open", 59)
    assert (opened.state(jump), opened.wait(jump)) == ("half_open", 0)
    assert probing is not None
    assert not probing.probing(jump)
    assert probing.admit(jump) is not None


@pytest.fixture
def clock() -> FakeClock:
    """Give a clock that stands still."""
    return FakeClock()


@pytest.fixture
def breaker(clock: FakeClock) -> CircuitBreaker:
    """Give a breaker that one failure opens."""
    return CircuitBreaker("search", threshold=1, recovery_window=30, clock=clock)


def trip(breaker: CircuitBreaker) -> None:
    """Fail once."""
    with pytest.raises(ZeroDivisionError):
        breaker.call(lambda: 1 / 0)


def never() -> None:
    """Must not be called."""
    pytest.fail("was called")


def test_w23_1(clock: FakeClock) -> None:
    """Four failures leave it closed, the fifth opens it, the window and a success close it."""
    breaker = CircuitBreaker("my-service", 5, 30, clock=clock)
    for _ in range(4):
        trip(breaker)
    assert breaker.state == "closed"
    trip(breaker)
    assert breaker.state == "open"

    with pytest.raises(CircuitOpen) as caught:
        breaker.call(never)
    assert str(caught.value) == "Circuit breaker open for 'my-service'"

    clock.advance(30)
    assert breaker.call(lambda: "back") == "back"
    assert (breaker.state, breaker.failure_count) == ("closed", 0)


def test_w23_2(breaker: CircuitBreaker, clock: FakeClock) -> None:
    """A probe that fails opens it for a whole window more."""
    trip(breaker)
    clock.advance(30)
    trip(breaker)

    assert breaker.state == "open"
    clock.advance(29.9)
    with pytest.raises(CircuitOpen):
        breaker.call(never)
    clock.advance(0.1)
    assert breaker.state == "half_open"


def test_w23_3(clock: FakeClock) -> None:
    """Failures count only in a row."""
    breaker = CircuitBreaker("x", 2, 30, clock=clock)
    trip(breaker)
    breaker.call(lambda: None)
    trip(breaker)

    assert breaker.state == "closed"


def test_readings(clock: FakeClock) -> None:
    """What can be read off it, closed, open and half open; reading changes nothing."""
    breaker = CircuitBreaker("s", 4, 30, clock=clock)
    trip(breaker)
    assert (breaker.service_name, breaker.threshold, breaker.recovery_window) == ("s", 4, 30)
    assert (breaker.failure_count, breaker.failures_until_open, breaker.failure_rate) == (
        1,
        3,
        0.25,
    )
    assert (breaker.is_closed, breaker.is_healthy) == (True, True)
    assert (breaker.opened_at, breaker.next_change_s) == (None, None)

    for _ in range(3):
        trip(breaker)
    opened = clock.now()
    clock.advance(12)
    assert (breaker.is_open, breaker.is_healthy, breaker.is_closed) == (True, False, False)
    assert (breaker.failures_until_open, breaker.failure_rate) == (0, 1.0)
    assert (breaker.opened_at, breaker.next_change_s) == (opened, 18)

    clock.advance(20)
    assert (breaker.is_half_open, breaker.is_healthy) == (True, True)
    assert (breaker.opened_at, breaker.next_change_s) == (clock.now() - timedelta(seconds=32), 0)
    assert [breaker.state for _ in range(3)] == ["half_open"] * 3


def test_stats(breaker: CircuitBreaker, clock: FakeClock) -> None:
    """A row tells all of it at one moment, and goes through JSON."""
    breaker.call(lambda: None)
    trip(breaker)
    clock.advance(12)
    with pytest.raises(CircuitOpen):
        breaker.call(never)
    row = breaker.stats()

    assert row == BreakerRow("search", "open", 1, 1, 30.0, 12.0, 18.0, calls=2, refused=1)
    assert BreakerRow.from_dict(row.to_dict()) == row
    clock.advance(18)
    breaker.acquire()
    clock.advance(1)
    assert (breaker.stats().probing, breaker.stats().next_change_s) == (True, 29)


def test_reset(breaker: CircuitBreaker) -> None:
    """It closes at once, and what was under way no longer matters."""
    under_way = breaker.acquire()
    trip(breaker)
    breaker.reset()
    under_way.failure()

    assert (breaker.state, breaker.failure_count) == ("closed", 0)


def test_records_without_a_permit(breaker: CircuitBreaker, clock: FakeClock) -> None:
    """They count as a call of now; while it is open there is none."""
    breaker.record_failure()
    assert breaker.is_open
    clock.advance(20)
    breaker.record_failure()
    breaker.record_success()
    assert (breaker.is_open, breaker.next_change_s) == (True, 10)

    clock.advance(10)
    breaker.record_failure()
    assert breaker.is_open
    clock.advance(30)
    breaker.record_success()
    assert breaker.is_closed


@pytest.mark.parametrize(
    "error",
    [
        ToolArgumentError("bad"), ToolNotFound("x"), CircuitOpen("other"), KeyboardInterrupt(),
        asyncio.CancelledError(), futures.CancelledError(), SystemExit(1), GeneratorExit(),
    ],
    ids=lambda e: type(e).__module__ + type(e).__name__,
)  # fmt: skip
def test_blameless_errors_do_not_count(breaker: CircuitBreaker, error: BaseException) -> None:
    """The caller's own mistakes and cancellation pass through untouched and open nothing."""
    with pytest.raises(type(error)) as caught, breaker.guard():
        raise error

    assert caught.value is error
    assert breaker.state == "closed"


def test_what_counts_can_be_chosen(clock: FakeClock) -> None:
    """``should_count`` decides, but cannot make a cancellation count, and may not hide an error."""
    picky = CircuitBreaker("x", 1, should_count=lambda e: isinstance(e, OSError), clock=clock)
    with pytest.raises(KeyError), picky.guard():
        raise KeyError
    assert picky.is_closed
    with pytest.raises(TimeoutError), picky.guard():
        raise TimeoutError
    assert picky.is_open

    strict = CircuitBreaker("x", 1, should_count=lambda _: True)
    with pytest.raises(asyncio.CancelledError), strict.guard():
        raise asyncio.CancelledError
    assert strict.is_closed

    broken = CircuitBreaker("x", 1, should_count=lambda _: 1 / 0 > 0)
    with pytest.raises(KeyError) as caught, broken.guard():
        raise KeyError
    assert "should_count could not judge this error: ZeroDivisionError" in caught.value.__notes__[0]


def test_a_cancelled_probe_frees_its_place(breaker: CircuitBreaker, clock: FakeClock) -> None:
    """Cancelling the probe says nothing about the service, so the next caller may probe."""
    trip(breaker)
    clock.advance(30)
    with pytest.raises(asyncio.CancelledError), breaker.guard():
        raise asyncio.CancelledError

    assert breaker.call(lambda: "probe") == "probe"


def test_a_cancelled_task_frees_the_probe(breaker: CircuitBreaker, clock: FakeClock) -> None:
    """So does a task that is cancelled while it waits for the service."""
    trip(breaker)
    clock.advance(30)

    async def main() -> str:
        task = asyncio.create_task(breaker.async_call(asyncio.sleep, 60))
        await asyncio.sleep(0)
        assert breaker.stats().probing
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        return await breaker.async_call(asyncio.sleep, 0, "probe")

    assert asyncio.run(main()) == "probe"


def test_a_slow_outcome_of_before_does_not_count(breaker: CircuitBreaker, clock: FakeClock) -> None:
    """A call admitted before the outage neither ends nor lengthens it, nor what comes after."""
    slow = [breaker.acquire() for _ in range(4)]
    trip(breaker)
    slow[0].success()
    assert breaker.is_open

    clock.advance(20)
    slow[1].failure()
    assert breaker.next_change_s == 10

    clock.advance(10)
    probe = breaker.acquire()
    slow[2].cancel()
    assert breaker.stats().probing
    probe.success()
    slow[3].failure()
    assert (breaker.is_closed, breaker.failure_count) == (True, 0)


def test_a_lapsed_probe_no_longer_counts(clock: FakeClock) -> None:
    """Once another has taken its place, only that one's outcome does."""
    breaker = CircuitBreaker("x", 1, 30, probe_timeout_s=5, clock=clock)
    trip(breaker)
    clock.advance(30)
    lost = breaker.acquire()
    clock.advance(4.9)
    with pytest.raises(CircuitOpen):
        breaker.acquire()
    clock.advance(0.1)
    second = breaker.acquire()
    lost.success()
    assert breaker.is_half_open

    second.success()
    assert breaker.is_closed


def test_a_permit_is_settled_once(breaker: CircuitBreaker) -> None:
    """Only what is said first counts, in a block too."""
    guard: Guard = breaker
    permit: Any = guard.enter("anything", ["a right"])
    permit.cancel()
    permit.failure()
    assert breaker.failure_count == 0

    with breaker.guard() as inside:
        inside.failure()
    assert breaker.is_open


def test_refusals_name_the_subject(breaker: CircuitBreaker) -> None:
    """A dispatcher says for whom it asked."""
    trip(breaker)
    with pytest.raises(CircuitOpen, match=r"^Circuit breaker open for 'tool:x'$"):
        breaker.enter("tool:x")
    with pytest.raises(CircuitOpen, match=r"^Circuit breaker open for 'tool:y'$"):
        breaker.guard("tool:y").__enter__()


def test_the_error_itself_comes_through(breaker: CircuitBreaker) -> None:
    """The very object, with no cause added, from a call, a coroutine, a block, a decorator."""
    error = LookupError("mine")

    def bad() -> None:
        raise error

    async def worse() -> None:
        raise error

    async def block() -> None:
        async with breaker:
            raise error

    ways: list[Callable[[], object]] = [
        lambda: breaker.call(bad),
        lambda: asyncio.run(breaker.async_call(worse)),
        breaker(bad),
        lambda: asyncio.run(breaker(worse)()),
        lambda: asyncio.run(block()),
    ]
    for way in ways:
        breaker.reset()
        with pytest.raises(LookupError) as caught:
            way()
        assert caught.value is error
        assert (error.__cause__, error.__context__) == (None, None)
        assert breaker.is_open


def test_decorates(breaker: CircuitBreaker) -> None:
    """A decorated function looks as before, and is guarded, plain or async."""

    @breaker
    def plain(n: int, *, by: int = 2) -> float:
        """Divide."""
        return n / by

    @breaker
    async def slow(n: int) -> int:
        """Wait."""
        await asyncio.sleep(0)
        return n

    assert (plain.__name__, plain.__doc__) == ("plain", "Divide.")
    assert str(inspect.signature(plain)) == "(n: 'int', *, by: 'int' = 2) -> 'float'"
    assert inspect.iscoroutinefunction(slow)
    assert (plain(1), asyncio.run(slow(4))) == (0.5, 4)

    with pytest.raises(ZeroDivisionError):
        plain(1, by=0)
    for call in (lambda: plain(1), lambda: asyncio.run(slow(1))):
        with pytest.raises(CircuitOpen):
            call()


def test_decorates_methods(breaker: CircuitBreaker) -> None:
    """A method under the breaker is still a method."""

    class Api:
        name = "api"

        @breaker
        def get(self, key: str) -> str:
            return f"{self.name}/{key}"

    assert Api().get("a") == "api/a"


def test_what_cannot_be_decorated(breaker: CircuitBreaker) -> None:
    """A generator does its work later, so the breaker would see only its beginning."""

    def numbers() -> Iterator[int]:
        yield 1

    with pytest.raises(InvalidValue, match=r"is a generator.*: decorate what reads it"):
        breaker(numbers)
    with pytest.raises(InvalidValue, match="only a function can be decorated, got 3"):
        breaker(3)  # type: ignore[type-var]


def test_the_wrong_call_says_so(breaker: CircuitBreaker) -> None:
    """A coroutine that nobody awaits is no success; neither mistake counts."""
    breaker.record_failure()
    breaker.reset()

    async def slow() -> None:
        pytest.fail("was awaited")

    with pytest.raises(InvalidValue, match=r"is async: await async_call\(fn\)"):
        breaker.call(slow)  # type: ignore[unused-coroutine]
    with pytest.raises(InvalidValue, match=r"is not async, it gave 3: use call\(fn\)"):
        asyncio.run(breaker.async_call(lambda: 3))  # type: ignore[arg-type, return-value]
    assert breaker.is_closed
    gc.collect()  # no coroutine complains that it was never awaited


def test_what_is_no_function_counts_for_nothing(breaker: CircuitBreaker) -> None:
    """It is the caller's mistake, and the service was not asked: a call made already, say."""
    under_way = asyncio.sleep(0)
    with pytest.raises(InvalidValue, match="fn must be a function, got 'OK': pass it uncalled"):
        breaker.call(str.upper("ok"))  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="fn must be a function, got <coroutine"):
        breaker.async_call_sync(under_way)  # type: ignore[arg-type]
    under_way.close()
    assert (breaker.state, breaker.stats().calls) == ("closed", 0)


def test_blocks_nest(clock: FakeClock) -> None:
    """``with breaker`` inside itself: each block settles the permit it took."""
    breaker = CircuitBreaker("x", 2, 30, clock=clock)
    with pytest.raises(KeyError), breaker as outer:  # noqa: PT012
        with pytest.raises(ZeroDivisionError), breaker as inner:
            raise ZeroDivisionError
        assert inner is not outer
        assert (inner.settled, outer.settled, breaker.failure_count) == (True, False, 1)
        raise KeyError

    assert outer.settled
    assert breaker.is_open


def test_blocks_in_tasks_are_apart(clock: FakeClock) -> None:
    """Tasks that are in a block at once each settle their own permit, in whatever order."""
    breaker = CircuitBreaker("x", 1, 30, clock=clock)

    async def work(gate: asyncio.Event, *, fails: bool) -> object:
        async with breaker as permit:
            await gate.wait()
            if fails:
                raise ZeroDivisionError
        return permit

    async def main() -> None:
        gates = [asyncio.Event() for _ in range(3)]
        async with breaker:  # the tasks are made in a block, and inherit its context
            tasks = [
                asyncio.create_task(work(gate, fails=at == 1)) for at, gate in enumerate(gates)
            ]
            await asyncio.sleep(0)
            for gate, task in zip(gates, tasks, strict=True):
                gate.set()
                await asyncio.wait([task])
                assert breaker.is_open == (task is not tasks[0])

    asyncio.run(main())
    assert breaker.is_open  # the late successes, also that of the outer block, ended nothing


def test_interleaved_generators(breaker: CircuitBreaker, clock: FakeClock) -> None:
    """Blocks that are left in another order than they were entered lose no permit."""

    def block(error: Exception | None) -> Iterator[None]:
        with breaker:
            yield
            if error:
                raise error

    first, second = block(None), block(None)
    next(first)
    next(second)
    assert (next(first, "over"), next(second, "over")) == ("over", "over")

    trip(breaker)
    clock.advance(30)
    probe = block(KeyError())
    next(probe)
    with pytest.raises(KeyError):
        next(probe)
    assert breaker.is_open


def test_interleaved_breakers(clock: FakeClock) -> None:
    """Blocks of several breakers that cross each other settle each its own."""
    one, two = (CircuitBreaker(name, 1, clock=clock) for name in "ab")

    def block(breaker: CircuitBreaker, error: Exception | None) -> Iterator[None]:
        with breaker:
            yield
            if error:
                raise error

    first, second = block(one, KeyError()), block(two, None)
    next(first)
    next(second)
    with pytest.raises(KeyError):
        next(first)
    assert next(second, "over") == "over"
    assert (one.state, two.state) == ("open", "closed")


def test_a_block_left_elsewhere_still_counts(breaker: CircuitBreaker, clock: FakeClock) -> None:
    """Left in another context than it was entered in, a block counts as a call of now."""
    trip(breaker)
    clock.advance(30)
    stack = AsyncExitStack()

    async def main() -> None:
        await asyncio.create_task(stack.enter_async_context(breaker))
        assert breaker.stats().probing
        await asyncio.create_task(stack.aclose())

    asyncio.run(main())
    assert breaker.is_closed


def test_a_block_cancelled_elsewhere_frees_its_probe(
    breaker: CircuitBreaker, clock: FakeClock
) -> None:
    """As every other that was cancelled."""
    trip(breaker)
    clock.advance(30)

    async def main() -> None:
        await asyncio.create_task(AsyncExitStack().enter_async_context(breaker))
        breaker.__exit__(None, asyncio.CancelledError(), None)

    asyncio.run(main())
    assert (breaker.state, breaker.stats().probing) == ("half_open", False)


def test_a_thrown_away_block_ends(breaker: CircuitBreaker, clock: FakeClock) -> None:
    """A generator that nobody finishes frees its probe when it is collected."""
    trip(breaker)
    clock.advance(30)

    def block() -> Iterator[None]:
        with breaker.guard():
            yield

    probe = block()
    next(probe)
    assert breaker.stats().probing
    del probe
    gc.collect()
    assert not breaker.stats().probing


def test_a_guard_is_entered_once_at_a_time(breaker: CircuitBreaker) -> None:
    """One ``guard()`` is one block; it may be used again afterwards."""
    guard = breaker.guard()
    with guard, pytest.raises(InvalidValue, match="entered already"):
        guard.__enter__()
    with guard:
        pass
    assert breaker.stats().calls == 2


def test_one_probe_among_fifty_threads(breaker: CircuitBreaker, clock: FakeClock) -> None:
    """However many ask at once, one is let in, and its word decides."""
    for _ in range(20):
        trip(breaker)
        clock.advance(30)
        together, probing = threading.Barrier(50), threading.Event()
        refused = list[str]()

        def ask(
            together: threading.Barrier = together,
            probing: threading.Event = probing,
            refused: list[str] = refused,
        ) -> None:
            together.wait()
            try:
                breaker.call(probing.wait, 10)
            except CircuitOpen as error:
                refused.append(error.service)
                if len(refused) == 49:
                    probing.set()

        threads = [threading.Thread(target=ask) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert refused == ["search"] * 49
        assert breaker.is_closed


def test_many_threads_lose_no_failure(clock: FakeClock) -> None:
    """Each of a thousand failures is counted, and each call."""
    breaker = CircuitBreaker("x", 1001, clock=clock)

    def fail() -> None:
        for _ in range(100):
            trip(breaker)

    threads = [threading.Thread(target=fail) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (breaker.failure_count, breaker.stats().calls) == (1000, 1000)


def test_two_loops(breaker: CircuitBreaker, clock: FakeClock) -> None:
    """What happens on one loop is known on the other."""

    async def fail() -> None:
        async with breaker:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_sync(fail)
    with pytest.raises(CircuitOpen):
        asyncio.run(breaker.async_call(asyncio.sleep, 0))
    clock.advance(30)
    asyncio.run(breaker.async_call(asyncio.sleep, 0))

    async def there() -> str:
        return await breaker.async_call(asyncio.sleep, 0, "on the portal")

    assert run_sync(there) == "on the portal"


def test_w9_3() -> None:
    """Two results that say no open it; the third call is refused in the tool's name."""
    calls: list[object] = []

    def no(args: object) -> dict[str, bool]:
        calls.append(args)
        return {"ok": False}

    spec = ToolSpec("no", "", no, inline=True).with_circuit_breaker(CircuitBreaker("x", 2))
    tools = ToolRegistry([spec])
    seen = [asyncio.run(tools.observe("no", {})) for _ in range(3)][-1]

    assert (seen.error_kind, seen.error) == ("transient", "Circuit breaker open for 'tool:no'")
    assert len(calls) == 2


def test_repr(breaker: CircuitBreaker) -> None:
    """One line: who, state, how close."""
    assert repr(breaker) == "<CircuitBreaker 'search' closed 0/1>"
    trip(breaker)
    assert repr(breaker) == "<CircuitBreaker 'search' open 1/1>"
    assert [str(state) for state in CircuitState] == ["closed", "open", "half_open"]
