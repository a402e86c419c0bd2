"""How a call goes through a guard: let in by it, and telling it how that went."""

from __future__ import annotations

import inspect
import logging
from typing import Any, Literal, TypeAlias

from agentlab.core.errors import CircuitOpen, is_outage
from agentlab.core.protocols import Guard, Permit
from agentlab.core.sync import last_words

Outcome: TypeAlias = Literal["success", "failure", "cancel"]

log = logging.getLogger("agentlab.guards")


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


def outcome(guard: Guard | None, error: BaseException | None) -> Outcome:
    """Say what ``error`` means to ``guard``, by its own ``should_count`` if it has one.

    An error that says something about the guarded thing is a failure; of others, and of
    cancellation, the guard is told nothing but that the call is over.
    """
    if error is None:
        return "success"
    counts = getattr(guard, "should_count", is_outage)
    try:
        return "failure" if isinstance(error, Exception) and counts(error) else "cancel"
    except Exception:
        log.exception("should_count of %r could not judge %r", guard, error)
        return "cancel"


async def settle(permit: Permit | None, how: Outcome, whose: str) -> None:
    """Tell how it went, whatever is going on; what the guard says to that is only logged."""
    if permit is None:
        return
    try:
        answer = getattr(permit, how)()
        if inspect.isawaitable(answer):
            await last_words(answer)
    except Exception:
        log.exception("the guard of %r could not be told of its %s", whose, how)
