"""How a call goes through a guard: let in by it, and telling it how that went."""

from __future__ import annotations

import inspect
import logging
from concurrent import futures
from typing import Any, Literal, TypeAlias, TypeVar

from agentlab.core.errors import CircuitOpen, InvalidValue, is_outage
from agentlab.core.protocols import Guard, Permit
from agentlab.core.sync import in_loop, last_words

T = TypeVar("T")
Outcome: TypeAlias = Literal["success", "failure", "cancel"]

log = logging.getLogger("agentlab.guards")


def able(value: T, method: str, kind: str) -> T:
    """Give ``value``, which must have ``method``; ``kind`` says what has.

    Raises
    ------
    InvalidValue
        It is something else.
    """
    if not callable(getattr(value, method, None)):
        raise InvalidValue(f"this needs {kind}, got {value!r:.80}")
    return value


def a_guard(value: T) -> T:
    """Give ``value``, which must be a guard."""
    return able(value, "enter", "a guard, such as a CircuitBreaker or a BackpressureGuard")


async def admitted(guard: Guard, subject: str = "") -> Permit:
    """Ask ``guard`` to be let in.

    Raises
    ------
    CircuitOpen
        It is open; the error names ``subject`` where one is given.
    """
    try:
        entering: Any = guard.enter(subject)
        permit: Permit = await entering if inspect.isawaitable(entering) else entering
    except CircuitOpen as error:
        if subject in ("", error.service):
            raise
        raise CircuitOpen(subject) from error
    return permit


def outcome(guard: object, error: BaseException | None) -> Outcome:
    """Say what ``error`` means to ``guard``, by its own ``should_count`` if it has one.

    An error that says something about the guarded thing is a failure; of others the guard is told
    nothing but that the call is over. Nobody can make a cancellation or an exit count.
    """
    if error is None:
        return "success"
    if not isinstance(error, Exception) or isinstance(error, futures.CancelledError):
        return "cancel"
    counts = getattr(guard, "should_count", is_outage)
    try:
        return "failure" if counts(error) else "cancel"
    except Exception as broken:  # noqa: BLE001 - a user's function; the error under way matters more
        error.add_note(f"should_count could not judge this error: {broken!r}")
        return "cancel"


async def settle(permit: Permit | None, how: Outcome, whose: str) -> None:
    """Tell how it went, whatever is going on; what the guard says to that is only logged."""
    if permit is None:
        return
    try:
        answer = getattr(permit, how)()
        if inspect.iscoroutine(answer) and not in_loop():
            answer.close()  # the call was thrown away with its loop: nothing can wait any more
        elif inspect.isawaitable(answer):
            await last_words(answer)
    except Exception:
        log.exception("the guard of %r could not be told of its %s", whose, how)
