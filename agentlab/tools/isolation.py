"""What an isolated tool has besides a tool: its limits, a way to its cell, and the last report."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from typing import TYPE_CHECKING, Any

import msgspec

from agentlab.core.errors import InvalidValue, NotConfigured
from agentlab.core.extras import need
from agentlab.tools.limits import REMEDIES, Fence, FenceReport, IsolationError, Limits
from agentlab.tools.signature import Signature

if TYPE_CHECKING:
    from agentlab.tools.visit import Heard

CLEAN = Fence("environment", held=True, how="cleaned: no variables but of paths and language")

log = logging.getLogger("agentlab.tools")


class Isolation:
    """Calls handlers in fresh processes.

    Parameters
    ----------
    limits : Limits
        How far each may go.

    Raises
    ------
    NotConfigured
        There is no cloudpickle (extra ``isolated``), or this system cannot fork.
    """

    def __init__(self, limits: Limits) -> None:
        need("cloudpickle", "isolated")
        if not hasattr(os, "fork"):
            raise NotConfigured("a system that can fork", "isolated tools need Linux or macOS")
        self.limits = limits
        self.last_report: FenceReport | None = None

    def __repr__(self) -> str:
        return f"<Isolation {self.limits}>"

    async def call(self, name: str, handler: Any, args: Any) -> Any:
        """Give what the handler gives for ``args`` in a process of its own.

        Raises
        ------
        InvalidValue
            It cannot be handed over.
        IsolationError
            It failed, or a fence stopped it.
        """
        from agentlab.tools.visit import Visit

        payload = packed(name, handler, args)
        visit = Visit(self.limits)
        try:
            heard = await visit.run(payload)
        except asyncio.CancelledError:
            self.last_report = FenceReport("stop", "nobody waits for it any more")
            raise
        answer, fences = read(heard.result)
        self.last_report = report = reported(heard, answer, fences, self.limits)
        if report.stopped or "error" in answer:
            raise failure(answer, report)
        if odd := answer.get("odd"):
            said = ", ".join(map(str, odd))
            log.warning("tool %r gave what is not JSON (%s): its text is used", name, said)
        return answer["value"]


def isolation_of(
    wanted: Isolation | Limits | bool | None,  # noqa: FBT001 - what a user may say
) -> Isolation | None:
    """Give what ``isolated=`` asks for.

    Raises
    ------
    InvalidValue
        It asks for nothing there is.
    """
    if wanted is None or wanted is False:
        return None
    if isinstance(wanted, Isolation):
        return wanted
    if wanted is not True and not isinstance(wanted, Limits):
        raise InvalidValue(f"isolated must be True or Limits(...), got {wanted!r:.80}")
    return Isolation(Limits() if wanted is True else wanted)


def packed(name: str, handler: Any, args: Any) -> bytes:
    """Make bytes of a handler and what it is given; only the way there is pickled.

    Raises
    ------
    InvalidValue
        It holds something that cannot leave this process.
    """
    import cloudpickle

    work: Any = (handler, (args,), {})
    if isinstance(handler, Signature):  # whose checks were made here
        work = (handler.fn, (), handler.arguments(args))
    try:
        data: bytes = cloudpickle.dumps(work)
    except Exception as error:  # whatever an object says to being pickled
        raise InvalidValue(
            f"tool {name!r} cannot be isolated: {type(error).__name__}: {error}."
            " Let its function open what it needs, instead of holding it"
        ) from error
    return data


def read(result: bytes) -> tuple[dict[str, Any], tuple[Fence, ...]]:
    """Read the two lines of a worker: which fences hold, and its answer, if it had time for one."""
    first, _, rest = result.partition(b"\n")
    try:
        fences = msgspec.json.decode(first, type=tuple[Fence, ...])
    except (msgspec.DecodeError, UnicodeError):
        fences = ()
    return answer_of(rest), (*fences, CLEAN)


def answer_of(line: bytes) -> dict[str, Any]:
    """Read an answer, which comes from outside: whatever is no answer is none."""
    import json

    if not line.endswith(b"\n"):
        return {}
    try:
        answer = json.loads(line)  # which takes a lone surrogate, as a result may have
    except (ValueError, RecursionError):
        return {}
    known = isinstance(answer, dict) and ("value" in answer or isinstance(answer.get("error"), str))
    return answer if known else {}


def reported(
    heard: Heard, answer: dict[str, Any], fences: tuple[Fence, ...], limits: Limits
) -> FenceReport:
    """Say how it went."""
    try:
        ended = msgspec.json.decode(heard.status, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError):
        ended = {}
    stopped, why = judged(heard, ended, answer, limits)
    return FenceReport(
        stopped,
        why,
        fences,
        ended.get("exit_code"),
        ended.get("signal"),
        float(ended.get("wall_ms", 0)),
        float(ended.get("cpu_ms", 0)),
        float(ended.get("peak_mb", 0)),
        int(ended.get("left", 0)),
        heard.stdout.decode(errors="replace"),
        heard.stderr.decode(errors="replace"),
        str(answer.get("traceback", "")),
    )


def judged(  # noqa: PLR0911 - one a way to end
    heard: Heard, ended: dict[str, Any], answer: dict[str, Any], limits: Limits
) -> tuple[str, str]:
    """Say what ended it, and why."""
    if heard.over in ("stdout", "stderr"):
        return "output", f"it printed more than {limits.output_kb} KB"
    if heard.over:
        return "result", f"it answered with more than {limits.result_kb} KB"
    if ended.get("why") == "time" or not ended:
        return "time", f"it took longer than {limits.wall_s:g} s"
    if fence := str(answer.get("fence", "")):
        return fence, str(answer["error"])
    if answer:
        return "", ""
    code, number = ended.get("exit_code"), ended.get("signal")
    used = float(ended.get("cpu_ms", 0)) >= limits.cpu_s * 1000 - 100
    if number == signal.SIGXCPU or (number == signal.SIGKILL and used):
        return "cpu", f"it computed for more than {limits.cpu_s} s"
    if number is not None:
        return "signal", f"it was killed by {named(number)}"
    return "exit code", f"it ended the process with exit code {code} instead of returning"


def named(number: int) -> str:
    """Give the name of a signal."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def failure(answer: dict[str, Any], report: FenceReport) -> IsolationError:
    """Give the error that tells of it: the handler's own words, and the fence with its remedy."""
    kind = answer.get("kind")
    known: Any = kind if kind in ("not_found", "transient", "permanent", "blocked") else "permanent"
    if not report.stopped:
        return IsolationError(str(answer["error"]), report, known)
    remedy = REMEDIES.get(report.stopped, "")
    said = f"stopped by its fence {report.stopped!r}: {report.why.rstrip('.')}. {remedy}"
    return IsolationError(said, report, "transient" if report.stopped == "time" else "permanent")
