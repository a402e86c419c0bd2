"""Blocks and functions under a guard: what every ``with`` and every decorator has in common."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import wraps
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar, cast

from agentlab.core.errors import InvalidValue
from agentlab.core.guards import outcome
from agentlab.core.protocols import Permit
from agentlab.core.sync import in_loop, last_words, waits_well


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
F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

_entered: ContextVar[tuple[tuple[object, Any], ...]] = ContextVar("agentlab-entered", default=())


class Block(Generic[T]):
    """A plain ``with`` block that is an async one, too."""

    __slots__ = ()

    def __enter__(self) -> T:
        raise NotImplementedError

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        raise NotImplementedError

    async def __aenter__(self) -> T:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.__exit__(kind, error, trace)


class Admission(Block[Q]):
    """A block that holds a permit and says how it ended, whatever it raises."""

    __slots__ = ("_enter", "_guard", "_permit")

    def __init__(self, guard: object, enter: Callable[[], Q]) -> None:
        self._guard, self._enter = guard, enter
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
            ending(self._guard, permit, error)()


class AsyncAdmission(Generic[S]):
    """An async block that holds a permit which is asked for, and settled, over a wire."""

    __slots__ = ("_enter", "_guard", "_permit")

    def __init__(self, guard: object, enter: Callable[[], Awaitable[S]]) -> None:
        self._guard, self._enter = guard, enter
        self._permit: S | None = None

    async def __aenter__(self) -> S:
        unused(self._permit)
        self._permit = permit = await self._enter()
        return permit

    async def __aexit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        permit, self._permit = self._permit, None
        if permit is not None and in_loop():  # else it was thrown away with its loop
            await last_words(ending(self._guard, permit, error)())


def ending(guard: object, permit: Permit, error: BaseException | None) -> Callable[[], Any]:
    """Choose what to say to ``guard``: that it ended with ``error``, or well."""
    chosen: Callable[[], Any] = getattr(permit, outcome(guard, error))
    return chosen


def unused(permit: object) -> None:
    """Refuse a second block while the first is open."""
    if permit is not None:
        raise InvalidValue("this block is entered already: ask for a guard() of its own")


def pushed(guard: object, permit: T) -> T:
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


def decorated(fn: F, call: Callable[..., Any], async_call: Callable[..., Any]) -> F:
    """Give ``fn`` with every call made through ``call``, or through ``async_call`` if it is async.

    Raises
    ------
    InvalidValue
        It is a generator, whose work is done by whoever reads it; or no function at all.
    """
    if not callable(fn):
        raise InvalidValue(f"only a function can be decorated, got {fn!r:.80}")
    if inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
        raise InvalidValue(
            f"{fn!r} is a generator, whose work is done where it is read: decorate what reads it"
        )
    if waits_well(fn):

        @wraps(fn)
        async def awaiting(*args: Any, **kwargs: Any) -> Any:
            return await async_call(fn, *args, **kwargs)

        return cast("F", awaiting)

    @wraps(fn)
    def calling(*args: Any, **kwargs: Any) -> Any:
        return call(fn, *args, **kwargs)

    return cast("F", calling)
