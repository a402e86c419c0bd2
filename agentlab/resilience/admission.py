"""Blocks and functions under a guard: what every ``with`` and every decorator has in common."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from concurrent import futures
from contextvars import ContextVar
from functools import wraps
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar, cast

from agentlab.core.errors import InvalidValue
from agentlab.core.protocols import Permit
from agentlab.core.sync import last_words, waits_well


class QuickPermit(Protocol):
    """A permit that is settled at once."""

    def success(self) -> None:
        """Say that it worked."""

    def failure(self) -> None:
        """Say that it did not."""

    def cancel(self) -> None:
        """Say nothing."""


class SlowPermit(Protocol):
    """A permit whose settling is awaited."""

    async def success(self) -> None:
        """Say that it worked."""

    async def failure(self) -> None:
        """Say that it did not."""

    async def cancel(self) -> None:
        """Say nothing."""


Q = TypeVar("Q", bound=QuickPermit)
S = TypeVar("S", bound=SlowPermit)
A = TypeVar("A", bound=Permit)
F = TypeVar("F", bound=Callable[..., Any])
Blames = Callable[[BaseException], bool]

_entered: ContextVar[tuple[tuple[object, Any], ...]] = ContextVar("agentlab-entered", default=())


class Admission(Generic[Q]):
    """A block, plain or async, that holds a permit and says how it ended, whatever it raises."""

    __slots__ = ("_blames", "_enter", "_permit")

    def __init__(self, enter: Callable[[], Q], blames: Blames) -> None:
        self._enter, self._blames = enter, blames
        self._permit: Q | None = None

    def __enter__(self) -> Q:
        unused(self._permit)
        self._permit = permit = self._enter()
        return permit

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        permit, self._permit = self._permit, None
        if permit is not None:
            settle(permit, error, self._blames)

    async def __aenter__(self) -> Q:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.__exit__(kind, error, trace)


class AsyncAdmission(Generic[S]):
    """An async block that holds a permit which is asked for, and settled, over a wire."""

    __slots__ = ("_blames", "_enter", "_permit")

    def __init__(self, enter: Callable[[], Awaitable[S]], blames: Blames) -> None:
        self._enter, self._blames = enter, blames
        self._permit: S | None = None

    async def __aenter__(self) -> S:
        unused(self._permit)
        self._permit = permit = await self._enter()
        return permit

    async def __aexit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        permit, self._permit = self._permit, None
        if permit is not None and not isinstance(error, GeneratorExit):  # then nothing can wait
            await last_words(ending(permit, error, self._blames)())


def settle(permit: QuickPermit, error: BaseException | None, blames: Blames) -> None:
    """Say how something ended: with ``error``, or well."""
    ending(permit, error, blames)()


def ending(permit: A, error: BaseException | None, blames: Blames) -> Callable[[], Any]:
    """Choose what to say; where ``blames`` itself fails, the permit is still given back."""
    if error is None:
        return permit.success
    try:
        return permit.failure if blames(error) else permit.cancel
    except Exception as broken:  # noqa: BLE001 - a user's function; the error under way matters more
        error.add_note(f"should_count could not judge this error: {broken!r}")
        return permit.cancel


def unused(permit: object) -> None:
    """Refuse a second block while the first is open."""
    if permit is not None:
        raise InvalidValue("this block is entered already: ask for a guard() of its own")


def pushed(guard: object, permit: A) -> A:
    """Remember the permit of a ``with guard:``, for this thread or task alone."""
    _entered.set((*_entered.get(), (guard, permit)))
    return permit


def popped(guard: object) -> Any:
    """Give the last permit remembered for ``guard`` here, or None where there is none."""
    stack = _entered.get()
    for at in range(len(stack) - 1, -1, -1):
        if stack[at][0] is guard:
            _entered.set((*stack[:at], *stack[at + 1 :]))
            return stack[at][1]
    return None


def countable(error: BaseException) -> bool:
    """Tell whether ``error`` may count at all: nobody can make a cancellation or an exit count."""
    return isinstance(error, Exception) and not isinstance(error, futures.CancelledError)


def decorated(fn: F, call: Callable[..., Any], async_call: Callable[..., Any]) -> F:
    """Give ``fn`` with every call made through ``call``, or through ``async_call`` if it is async.

    Raises
    ------
    InvalidValue
        It is a generator, whose work is done by whoever reads it; or no function at all.
    """
    if not callable(fn):
        raise InvalidValue(f"a guard decorates a function, got {fn!r}")
    if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
        raise InvalidValue(f"{fn!r} is a generator: read it inside a guard() block")
    if waits_well(fn):

        @wraps(fn)
        async def awaiting(*args: Any, **kwargs: Any) -> Any:
            return await async_call(fn, *args, **kwargs)

        return cast("F", awaiting)

    @wraps(fn)
    def calling(*args: Any, **kwargs: Any) -> Any:
        return call(fn, *args, **kwargs)

    return cast("F", calling)
