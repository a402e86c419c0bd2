"""Attempt after attempt, for as long as a policy says so.

``tenacity`` drives; it is given the policy's verdict, wait and sleep, so that a fake clock sees
every delay.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from agentlab.core.protocols import Patience
from agentlab.core.sync import called, waits_well

if TYPE_CHECKING:
    from tenacity import RetryCallState

log = logging.getLogger("agentlab.resilience")


class Retry(msgspec.Struct, frozen=True):
    """What ``on_retry`` is told: which attempt failed, with what, and how long the wait is."""

    attempt: int
    delay_s: float
    error: Exception


class Failed(msgspec.Struct, frozen=True):
    """What an attempt raised, so that nobody between takes it for something else."""

    error: Exception


async def attempted(
    policy: Patience, fn: Callable[[], Any], on_retry: Callable[[Retry], object] | None
) -> Any:
    """Call ``fn`` until it succeeds or ``policy`` says that is enough; see ``RetryPolicy.run``."""
    from tenacity import AsyncRetrying

    inline, began, delay = waits_well(fn), policy.clock.monotonic(), 0.0

    async def attempt() -> Any:
        try:
            return await called(fn, inline=inline)
        except Exception as error:  # noqa: BLE001 - it is judged below
            return Failed(error)

    def again(state: RetryCallState) -> bool:
        nonlocal delay
        ended = failure_of(state)
        if ended is None:
            return False
        spent = policy.clock.monotonic() - began
        pause = policy.pause(state.attempt_number, ended.error, spent)
        delay = pause or 0.0
        if pause is None:
            vars(ended.error)["attempts"] = state.attempt_number
        return pause is not None

    async def tell(state: RetryCallState) -> None:
        if on_retry and (ended := failure_of(state)):
            await told(on_retry, Retry(state.attempt_number, delay, ended.error))

    driver = AsyncRetrying(
        retry=again, wait=lambda _: delay, sleep=policy.clock.sleep, before_sleep=tell
    )
    ended: Any = await driver(attempt)
    if isinstance(ended, Failed):
        raise ended.error
    return ended


def failure_of(state: RetryCallState) -> Failed | None:
    """Give how an attempt failed, where it did and may be made again."""
    if state.outcome is None or state.outcome.failed:  # cancelled, or the process is leaving
        return None
    ended = state.outcome.result()
    return ended if isinstance(ended, Failed) else None


async def told(hook: Callable[[Retry], object], news: Retry) -> None:
    """Tell ``hook``, which may be async; no call fails by whoever only listens."""
    try:
        answer = hook(news)
        if inspect.isawaitable(answer):
            await answer
    except Exception:
        log.exception("on_retry failed after attempt %d", news.attempt)
