"""One tool call, from the arguments to a plain result. Every way to call a tool leads here.

    required fields → validators → guard → cache → handler → guard's record → cache

Whatever a handler, a validator or a guard does, a caller sees a value or an ``Exception``: what
else it raises, such as ``SystemExit``, is its failure. Cancellation alone passes through, and
counts against nobody.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec.structs import replace

from agentlab.core.clock import Clock
from agentlab.core.errors import ToolError, ToolTimeout, explain
from agentlab.core.guards import Outcome, admitted, outcome, settle
from agentlab.core.protocols import Observation
from agentlab.core.sync import in_loop
from agentlab.core.workers import WORKERS, Orphans
from agentlab.tools.cache import ToolCache
from agentlab.tools.values import detached, plain, says_no

if TYPE_CHECKING:
    from agentlab.tools.spec import ToolSpec

T = TypeVar("T")
MISSING = object()

log = logging.getLogger("agentlab.tools")


async def perform(spec: ToolSpec, args: Any, cache: ToolCache | None, orphans: Orphans) -> Any:
    """Make one call, in the order above.

    Parameters
    ----------
    spec : ToolSpec
        The tool.
    args : JSON value
        What it is given; the handler gets a copy.
    cache : ToolCache, optional
        Asked where the tool is ``cacheable``.
    orphans : Orphans
        Counts the handler while it runs on with nobody waiting.
    """
    cache = cache if spec.cacheable else None
    guard, whose = spec.guard, f"tool:{spec.name}"
    with CONTAINED:
        spec.check(args)
        permit = None if guard is None else await admitted(guard, whose)
    try:
        data, how = await answered(spec, args, cache, orphans)
    except BaseException as error:
        await settle(permit, outcome(guard, error), whose)
        raise
    await settle(permit, how, whose)
    if cache is not None and how == "success":
        await keep(cache, spec, args, data)
    return data


async def answered(
    spec: ToolSpec, args: Any, cache: ToolCache | None, orphans: Orphans
) -> tuple[Any, Outcome]:
    """Give what is kept for this call, else what the handler gives, and how that is to count."""
    data = MISSING if cache is None else await recalled(cache, spec, args)
    if data is not MISSING:
        return data, "cancel"
    data = await handled(spec, args, orphans)
    return data, "failure" if says_no(data) else "success"


async def handled(spec: ToolSpec, args: Any, orphans: Orphans) -> Any:
    """Run the handler, for as long as it may take, and give plain JSON."""
    if spec.isolation is not None:
        away = spec.isolation.call(spec.name, spec.handler, args)
        return plain(await within(spec.timeout_s, away, ToolTimeout), tool=spec.name)
    work = contained(
        partial(spec.handler, detached(args)),
        partial(plain, tool=spec.name),
        in_place=spec.in_place,
        orphans=orphans,
    )
    return await within(spec.timeout_s, work, ToolTimeout)


async def contained(
    fn: Callable[[], Any], finish: Callable[[Any], Any], *, in_place: bool, orphans: Orphans
) -> Any:
    """Call ``fn`` where it belongs, await what it gives, and finish that where it came about."""

    def now() -> Any:
        with CONTAINED:
            result = fn()
            return result if inspect.isawaitable(result) else finish(result)

    result = now() if in_place else await WORKERS.run(now, orphans)
    if not inspect.isawaitable(result):
        return result
    with CONTAINED:
        return finish(await result)


async def within(seconds: float | None, work: Awaitable[T], late: type[ToolTimeout]) -> T:
    """Await ``work`` for at most ``seconds`` of real time; what it does later is too late."""
    if seconds is None:
        return await work
    try:
        async with asyncio.timeout(seconds) as deadline:
            result = await work
    except Exception:
        if deadline.expired():
            raise late from None
        raise
    if deadline.expired():
        raise late
    return result


class Contained:
    """Turns what is no ``Exception`` into one, unless it is meant for the caller."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None or isinstance(error, Exception) or passes(error):
            return
        raise ToolError(explain(error)) from error


CONTAINED = Contained()


def passes(error: BaseException) -> bool:
    """Tell whether ``error`` comes from outside the tool: a Stop, a Ctrl-C, a closing loop."""
    if isinstance(error, KeyboardInterrupt):
        return threading.current_thread() is threading.main_thread()
    if not in_loop():
        return False  # a worker thread: nobody interrupts those
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is None or task.cancelling() > 0
    return isinstance(error, GeneratorExit)


async def recalled(cache: ToolCache, spec: ToolSpec, args: Any) -> Any:
    """Give what is kept for this call, or MISSING."""
    try:
        return await awaited(cache.get(spec.name, args, MISSING))
    except Exception:
        log.exception("the cache could not be read: tool %r is called", spec.name)
        return MISSING


async def keep(cache: ToolCache, spec: ToolSpec, args: Any, data: Any) -> None:
    """Keep a result."""
    try:
        await awaited(cache.set(spec.name, args, data, ttl_s=spec.cache_ttl_s))
    except Exception:
        log.exception("the result of tool %r could not be kept", spec.name)


async def observed(call: Awaitable[Any], clock: Clock) -> Observation:
    """Await a call; whatever goes wrong is an observation."""
    began = clock.monotonic()
    try:
        data = await call
        seen = Observation(not says_no(data), data)
    except Exception as error:  # noqa: BLE001 - whatever a tool raises
        seen = Observation.failed(error)
    return replace(seen, ms=(clock.monotonic() - began) * 1000)


async def awaited(value: Any) -> Any:
    """Await what has to be awaited."""
    return await value if inspect.isawaitable(value) else value
