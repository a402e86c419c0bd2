"""Trying again: the rule as a value, and what drives it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from functools import partial
from operator import attrgetter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core.clock import FakeClock
from agentlab.core.errors import CircuitOpen, InvalidValue, ProviderError, ToolTimeout
from agentlab.resilience.retry import MAX_RETRY_DELAY, Retry, RetryPolicy

Passing = ConnectionError


class Flaky:
    """Fails with each of ``errors`` in turn, then answers."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    def plain(self) -> str:
        """Do the same without waiting for anything."""
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return threading.current_thread().name


class Watch(FakeClock):
    """A clock that knows who slept on it."""

    def __init__(self) -> None:
        super().__init__()
        self.naps: list[float] = []

    async def sleep(self, seconds: float, /) -> None:
        self.naps.append(seconds)
        await super().sleep(seconds)


def test_w24_1() -> None:
    """Each delay is twice the last, and none is above a minute."""
    policy = RetryPolicy.exponential(12, 100)

    assert [policy.delay_for(n) for n in (1, 2, 3, 10, 11)] == [0.1, 0.2, 0.4, 51.2, 60.0]
    assert policy.delay_for(0) == policy.delay_for(-5) == 0.1
    assert MAX_RETRY_DELAY == 60.0


def test_w24_2() -> None:
    """No attempt at all is refused, with the value."""
    with pytest.raises(InvalidValue, match=r"^max_attempts must be >= 1, got 0$"):
        RetryPolicy.exponential(0, 100)


def test_w24_3() -> None:
    """Two failures and a success are three calls, with the waits that were promised."""
    clock, fn = Watch(), Flaky(Passing(), Passing())

    assert asyncio.run(RetryPolicy.exponential(3, 100, clock=clock).run(fn)) == "done"
    assert (fn.calls, clock.naps) == (3, [0.1, 0.2])


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"max_attempts": 1.5}, "max_attempts must be a whole number, got 1.5"),
        ({"max_attempts": True}, "max_attempts must be a whole number, got True"),
        ({"base_ms": -1}, "base_ms must be >= 0 and finite, got -1"),
        ({"base_ms": float("nan")}, "base_ms must be >= 0 and finite, got nan"),
        ({"base_ms": "100"}, "base_ms must be >= 0 and finite, got '100'"),
        ({"base_ms": -1, "growth": "constant"}, "delay_ms must be >= 0 and finite, got -1"),
        ({"deadline_s": 0}, "deadline_s must be > 0 and finite, or None for no deadline, got 0"),
        (
            {"deadline_s": 10**400},
            f"deadline_s must be > 0 and finite, or None for no deadline, got {10**400}",
        ),
        ({"jitter": "half"}, "jitter must be one of ('none', 'full'), got 'half'"),
        ({"growth": "slow"}, "growth must be one of ('exponential', 'constant'), got 'slow'"),
    ],
)
def test_settings_that_can_never_be_right(settings: dict[str, Any], why: str) -> None:
    """Each is refused where it is given, with the value."""
    with pytest.raises(InvalidValue) as caught:
        RetryPolicy(**{"max_attempts": 3, "base_ms": 100, **settings})
    assert str(caught.value) == why


@given(st.integers(), st.floats(0, 1e300), st.sampled_from(["exponential", "constant"]))
def test_no_delay_overflows(attempt: int, base_ms: float, growth: Any) -> None:
    """However many attempts, and however long the first wait, a delay is within a minute."""
    policy = RetryPolicy(3, base_ms, growth)

    assert 0 <= policy.delay_for(attempt) <= MAX_RETRY_DELAY
    assert policy.delay_for(attempt) <= policy.delay_for(max(attempt, 1) + 1)


def test_a_value() -> None:
    """Equal settings are equal policies, printed as they are made; none can be changed."""
    policy = RetryPolicy.constant(3, 250, deadline_s=9.0)

    assert policy == RetryPolicy.constant(3, 250, deadline_s=9.0) != RetryPolicy.constant(3, 251)
    assert repr(policy) == "RetryPolicy.constant(3, 250, deadline_s=9.0)"
    with pytest.raises(AttributeError):
        policy.max_attempts = 4  # type: ignore[misc]


def test_the_schedule() -> None:
    """A row a wait, up to the deadline and the limit."""
    policy = RetryPolicy.exponential(4, 100)

    assert [(r.attempt, r.delay_s) for r in policy.schedule()] == [(1, 0.1), (2, 0.2), (3, 0.4)]
    assert policy.schedule()[-1].total_s == pytest.approx(0.7)
    assert RetryPolicy.exponential(4, 100, deadline_s=0.5).delays() == [0.1, 0.2]
    assert RetryPolicy.exponential(1, 100).delays() == []
    assert len(RetryPolicy.constant(10**9, 1).delays()) == 100
    assert len(RetryPolicy.constant(10**9, 1).delays(7)) == 7


@pytest.mark.parametrize(
    ("error", "calls"),
    [
        pytest.param(Passing(), 2, id="connection"),
        pytest.param(ToolTimeout(), 2, id="transient"),
        pytest.param(ProviderError("busy", status=529), 2, id="busy"),
        pytest.param(ProviderError("no", status=401), 1, id="permanent"),
        pytest.param(ValueError("no"), 1, id="a bug"),
        pytest.param(CircuitOpen("search"), 1, id="an open breaker"),
    ],
)
def test_what_is_tried_again(error: Exception, calls: int) -> None:
    """Transient errors are; others, and an open circuit breaker, are raised at once."""
    fn = Flaky(error, error)

    with pytest.raises(type(error)) as caught:
        asyncio.run(RetryPolicy.constant(2, 1, clock=FakeClock()).run(fn))
    assert caught.value is error
    assert vars(error)["attempts"] == fn.calls == calls


def test_retry_if() -> None:
    """The caller may say what is worth it, but for an open breaker, and may not hide an error."""
    policy = RetryPolicy.constant(
        3, 1, retry_if=lambda error: isinstance(error, KeyError | CircuitOpen), clock=FakeClock()
    )
    broken = RetryPolicy.constant(3, 1, retry_if=attrgetter("code"), clock=FakeClock())

    assert policy.run_sync(Flaky(KeyError())) == "done"
    for error in (Passing(), CircuitOpen("s")):
        with pytest.raises(type(error)):
            policy.run_sync(Flaky(error))
    with pytest.raises(Passing, match="first") as caught:
        broken.run_sync(Flaky(Passing("first")))
    assert "retry_if could not judge this error: AttributeError" in caught.value.__notes__[0]


@pytest.mark.parametrize("error", [asyncio.CancelledError, GeneratorExit, SystemExit])
def test_what_is_no_failure_passes(error: type[BaseException]) -> None:
    """A cancellation, or the end of the process, is neither tried again nor judged."""
    policy = RetryPolicy.constant(3, 1, retry_if=lambda _: True, clock=FakeClock())
    fn = Flaky(error())

    with pytest.raises(error):
        policy.run(fn).send(None)
    assert fn.calls == 1
    assert policy.pause(1, error()) is None


def test_cancelled_while_it_waits() -> None:
    """Cancelling the caller ends the wait, and there is no further call."""
    fn = Flaky(Passing(), Passing())

    async def play() -> None:
        called = asyncio.Event()
        policy = RetryPolicy.constant(3, 60_000)
        task = asyncio.create_task(policy.run(fn, lambda _: called.set()))
        await asyncio.wait_for(called.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(play())
    assert fn.calls == 1


@pytest.mark.parametrize(
    ("hint", "waited"),
    [(2.0, 2.0), (0.01, 0.1), (9999.0, 60.0), (float("nan"), 0.1), (float("inf"), 0.1),
     (-1.0, 0.1), (None, 0.1), ("soon", 0.1), (True, 0.1), (3, 3.0)],
)  # fmt: skip
def test_hints(hint: Any, waited: float) -> None:
    """Who asks to be left alone is, longer than planned but within a minute."""
    clock = Watch()
    error = ProviderError("busy", status=429, retry_after=hint)

    asyncio.run(RetryPolicy.exponential(2, 100, clock=clock).run(Flaky(error)))
    assert clock.naps == [waited]


def test_anybody_may_hint() -> None:
    """The hint is an attribute, not a class."""
    error = Passing()
    error.retry_after = 5  # type: ignore[attr-defined]

    assert RetryPolicy.constant(2, 1).pause(1, error) == 5.0


def test_the_deadline() -> None:
    """No wait begins that would last until it; a hint too long for it is the end."""
    clock, fn = Watch(), Flaky(*[Passing() for _ in range(9)])
    policy = RetryPolicy.exponential(10, 100, deadline_s=1.0, clock=clock)

    with pytest.raises(Passing) as caught:
        asyncio.run(policy.run(fn))
    assert clock.naps == [0.1, 0.2, 0.4]
    assert vars(caught.value)["attempts"] == 4

    assert policy.pause(1, Passing(), 0.89) == 0.1
    assert policy.pause(1, Passing(), 0.9) is None
    assert policy.pause(1, ProviderError("", status=429, retry_after=1.0)) is None


def test_attempts_take_time_too() -> None:
    """The deadline counts from the first attempt's beginning."""
    clock = Watch()

    async def slow() -> None:
        clock.advance(0.4)
        raise Passing

    with pytest.raises(Passing):
        asyncio.run(RetryPolicy.constant(9, 100, deadline_s=1.0, clock=clock).run(slow))
    assert clock.naps == [0.1]


def test_jitter() -> None:
    """Full jitter is anything up to the delay, repeats with its source, and heeds hints."""

    def delays(seed: int) -> list[float | None]:
        policy = RetryPolicy.exponential(99, 100, jitter="full", rng=Random(seed))  # noqa: S311 - repeats
        return [policy.pause(n, Passing()) for n in range(1, 9)]

    assert delays(1) == delays(1) != delays(2)
    drawn = [delay for seed in range(50) for delay in delays(seed)[:1]]
    assert all(delay is not None and 0 <= delay <= 0.1 for delay in drawn)
    assert len(set(drawn)) == 50
    own = RetryPolicy.exponential(9, 100, jitter="full")
    assert own.pause(1, Passing()) != own.pause(1, Passing())
    assert own.pause(1, ProviderError("", status=429, retry_after=7.0)) == 7.0


def test_on_retry() -> None:
    """Whoever listens, plain or async, hears of each failure that is followed by a wait."""
    heard: list[Retry] = []
    errors = [Passing("1"), Passing("2"), Passing("3")]

    async def later(news: Retry) -> None:
        await asyncio.sleep(0)
        heard.append(news)

    for hook in (heard.append, later):
        heard.clear()
        with pytest.raises(Passing):
            RetryPolicy.exponential(3, 100, clock=FakeClock()).run_sync(Flaky(*errors), hook)
        assert heard == [Retry(1, 0.1, errors[0]), Retry(2, 0.2, errors[1])]


def test_a_listener_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the call goes on."""

    def broken(_: Retry) -> None:
        raise RuntimeError("listener")

    policy = RetryPolicy.constant(2, 1, clock=FakeClock())

    assert policy.run_sync(Flaky(Passing()), broken) == "done"
    assert "on_retry failed after attempt 1" in caplog.text


def test_plain_functions_work_in_a_thread() -> None:
    """A blocking function does not freeze the loop; one that gives a coroutine is awaited."""
    policy, fn = RetryPolicy.constant(3, 1, clock=FakeClock()), Flaky(Passing())

    async def later(text: str) -> str:
        return text

    assert asyncio.run(policy.run(fn.plain)) == "agentlab-worker"
    assert fn.calls == 2
    assert asyncio.run(policy.run(lambda: later("done"))) == "done"


def test_decorates() -> None:
    """A decorator keeps what is async async and what is plain plain, with its name."""
    policy = RetryPolicy.constant(3, 1, clock=FakeClock())
    calls: list[int] = []

    @policy
    async def double(n: int, *, by: int = 2) -> int:
        """Multiply."""
        calls.append(n)
        if len(calls) % 2:
            raise Passing
        return n * by

    @policy
    def twice(n: int) -> int:
        calls.append(n)
        if len(calls) % 2:
            raise Passing
        return n * 2

    assert asyncio.run(double(4, by=3)) == 12
    assert twice(4) == 8
    assert calls == [4] * 4
    assert (double.__name__, double.__doc__) == ("double", "Multiply.")


def test_a_generator_cannot_be_decorated() -> None:
    """It fails where it is read, which is out of the policy's sight."""

    def letters() -> Iterator[str]:
        yield "a"

    with pytest.raises(InvalidValue, match=r"is a generator.*: decorate what reads it"):
        RetryPolicy.constant(2, 1)(letters)


def test_what_looks_like_an_error_is_a_result() -> None:
    """An exception that is returned, not raised, is a value; so is None."""
    error = Passing()

    async def give(value: object) -> object:
        return value

    for value in (error, None, False):
        assert RetryPolicy.constant(3, 1).run_sync(partial(give, value)) is value


def test_a_policy_serves_many_at_once() -> None:
    """It holds nothing of a call: concurrent ones, on two loops, do not disturb each other."""
    policy = RetryPolicy.exponential(4, 1)

    async def many() -> list[str]:
        calls = [policy.run(Flaky(*[Passing() for _ in range(n % 4)])) for n in range(40)]
        return list(await asyncio.gather(*calls))

    results: list[list[str]] = []
    threads = [threading.Thread(target=lambda: results.append(asyncio.run(many()))) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [["done"] * 40] * 2
