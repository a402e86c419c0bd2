"""Try again, a few times, later each time, and only where that may help.

:class:`RetryPolicy` is a value: how often, how long to wait, what is worth it. Its rule is one
method, :meth:`RetryPolicy.pause`, which says how long to wait after a failure, or that it is the
last. The driving is done elsewhere (:mod:`agentlab.resilience.attempts`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial
from random import Random, SystemRandom
from typing import (
    Any,
    Literal,
    TypeAlias,
    TypedDict,
    TypeVar,
    Unpack,
    get_args,
)

import msgspec

from agentlab.core.bounds import (
    a_judge,
    at_least_one,
    callback,
    finite_number,
    not_negative,
    positive,
)
from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import CircuitOpen, InvalidValue, kind_of
from agentlab.core.portable import Portable
from agentlab.core.sync import run_sync, twin
from agentlab.resilience.admission import decorated
from agentlab.resilience.attempts import Retry, attempted

__all__ = ["MAX_RETRY_DELAY", "Retry", "RetryDelay", "RetryPolicy", "RetrySettings"]

F = TypeVar("F", bound=Callable[..., Any])

Growth: TypeAlias = Literal["exponential", "constant"]
Jitter: TypeAlias = Literal["none", "full"]

MAX_RETRY_DELAY = 60.0
_CHANCE = SystemRandom()  # has no state that a forked process would repeat


class RetryDelay(msgspec.Struct, Portable, Displayable, frozen=True):
    """The wait after one failed attempt, and all the waiting until its end."""

    attempt: int
    delay_s: float
    total_s: float


class RetrySettings(TypedDict, total=False):
    """What else a policy may be given, by name; see :class:`RetryPolicy`."""

    jitter: Jitter
    rng: Random | None
    deadline_s: float | None
    retry_if: Callable[[Exception], bool] | None
    clock: Clock


@dataclass(frozen=True, repr=False)
class RetryPolicy(Displayable, Tabular):
    """How often to try, how long to wait in between, and after which errors.

    Made by :meth:`exponential` or :meth:`constant`; used by ``await policy.run(fn)``, or as a
    decorator.

    >>> policy = RetryPolicy.exponential(3, 100)
    >>> policy
    RetryPolicy.exponential(3, 100)
    >>> policy.delays()
    [0.1, 0.2]
    >>> [policy.delay_for(attempt) for attempt in (1, 10, 11)]
    [0.1, 51.2, 60.0]

    Parameters
    ----------
    max_attempts : int
        How many attempts there are, the first included.
    base_ms : float
        The wait after the first failure, in milliseconds.
    growth : {"exponential", "constant"}
        Whether each wait is twice the last, or all are the same. None is above 60 s.
    jitter : {"none", "full"}
        ``full`` waits for anything between nothing and the delay, so that many callers that
        failed together do not come back together.
    rng : random.Random, optional
        Where jitter draws from; by default the system's own, which does not repeat.
    deadline_s : float, optional
        Seconds by ``clock`` after which no attempt begins: a wait that would last until then
        is not begun either. It does not cut an attempt short.
    retry_if : callable, optional
        Tells whether an error is worth another attempt; by default its kind must be
        ``transient``.
    clock : Clock
        Where to spend the waits.
    """

    max_attempts: int
    base_ms: float
    growth: Growth = "exponential"
    jitter: Jitter = "none"
    rng: Random | None = None
    deadline_s: float | None = None
    retry_if: Callable[[Exception], bool] | None = None
    clock: Clock = SYSTEM_CLOCK

    def __post_init__(self) -> None:
        at_least_one("max_attempts", self.max_attempts)
        not_negative("base_ms" if self.growth == "exponential" else "delay_ms", self.base_ms)
        if self.deadline_s is not None:
            positive("deadline_s", self.deadline_s, "no deadline")
        if self.retry_if is not None:
            a_judge("retry_if", self.retry_if)
        for name, known in (("growth", get_args(Growth)), ("jitter", get_args(Jitter))):
            if getattr(self, name) not in known:
                raise InvalidValue(f"{name} must be one of {known}, got {getattr(self, name)!r}")

    @classmethod
    def exponential(
        cls, max_attempts: int, base_ms: float, **settings: Unpack[RetrySettings]
    ) -> RetryPolicy:
        """Wait ``base_ms``, then twice as long each time, and never more than 60 s."""
        return cls(max_attempts, base_ms, "exponential", **settings)

    @classmethod
    def constant(
        cls, max_attempts: int, delay_ms: float, **settings: Unpack[RetrySettings]
    ) -> RetryPolicy:
        """Wait ``delay_ms`` each time."""
        return cls(max_attempts, delay_ms, "constant", **settings)

    def __repr__(self) -> str:
        settings = [
            f", {field.name}={value!r}"
            for field in fields(self)[3:]
            if (value := getattr(self, field.name)) != field.default
        ]
        first = f"{self.max_attempts}, {self.base_ms!r}"
        return f"RetryPolicy.{self.growth}({first}{''.join(settings)})"

    def delay_for(self, attempt: int) -> float:
        """Tell the wait after failure ``attempt``, counted from 1, in seconds and unjittered."""
        base = float(self.base_ms) / 1000
        if self.growth == "constant":
            return min(MAX_RETRY_DELAY, base)
        try:
            return min(MAX_RETRY_DELAY, math.ldexp(base, max(attempt, 1) - 1))
        except OverflowError:
            return MAX_RETRY_DELAY

    def pause(self, attempt: int, error: BaseException, spent_s: float = 0.0) -> float | None:
        """Say how long to wait after ``error``, or None where it was the last attempt.

        An error that has a ``retry_after`` is not asked again sooner, but within 60 s.

        Parameters
        ----------
        attempt : int
            Which attempt failed, counted from 1.
        error : BaseException
            What it raised.
        spent_s : float
            Seconds since the first attempt began.
        """
        if attempt >= self.max_attempts or not self._worth_it(error):
            return None
        delay = self.delay_for(attempt)
        if self.jitter == "full":
            delay = (self.rng or _CHANCE).uniform(0.0, delay)
        delay = max(delay, min(hint_of(error), MAX_RETRY_DELAY))
        late = self.deadline_s is not None and spent_s + delay >= self.deadline_s
        return None if late else delay

    def delays(self, limit: int = 100) -> list[float]:
        """Give the waits in order, without chance and hints: the first ``limit`` of them."""
        return [row.delay_s for row in self.schedule(limit)]

    def schedule(self, limit: int = 100) -> list[RetryDelay]:
        """Give a row for each wait, as if attempts took no time and there were no hints."""
        rows, total = list[RetryDelay](), 0.0
        for attempt in range(1, min(self.max_attempts, limit + 1)):
            delay = self.delay_for(attempt)
            total += delay
            if self.deadline_s is not None and total >= self.deadline_s:
                break
            rows.append(RetryDelay(attempt, delay, total))
        return rows

    async def run(
        self, fn: Callable[[], Any], on_retry: Callable[[Retry], object] | None = None
    ) -> Any:
        """Call ``fn`` until it succeeds, and give its result.

        Parameters
        ----------
        fn : callable
            Takes nothing; async, or plain and then called in a worker thread.
        on_retry : callable, optional
            Told a :class:`Retry` before each wait; it may be async. What it raises is logged.

        Raises
        ------
        Exception
            What the last attempt raised, unchanged, with ``attempts`` on it. An open circuit
            breaker is never asked again, and cancellation passes at once.
        """
        callback("fn", fn)
        if on_retry is not None:
            callback("on_retry", on_retry)
        return await attempted(self, fn, on_retry)

    run_sync = twin(run)

    def __call__(self, fn: F, /) -> F:
        """Decorate a function: every call of it is tried again by this policy.

        What was async stays so; a plain function still blocks, and works in a worker thread.
        """

        async def run(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            return await self.run(partial(fn, *args, **kwargs))

        def run_blocking(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            return run_sync(run, fn, *args, **kwargs)

        return decorated(fn, run_blocking, run)

    def _worth_it(self, error: BaseException) -> bool:
        if not isinstance(error, Exception) or isinstance(error, CircuitOpen):
            return False
        if self.retry_if is None:
            return kind_of(error) == "transient"
        try:
            return bool(self.retry_if(error))
        except Exception as broken:  # noqa: BLE001 - a user's function; the error under way matters more
            error.add_note(f"retry_if could not judge this error: {broken!r}")
            return False


def hint_of(error: BaseException) -> float:
    """Read how long whoever failed asks to be left alone; 0 where it does not say."""
    hint = getattr(error, "retry_after", None)
    return float(hint) if hint is not None and finite_number(hint) else 0.0
