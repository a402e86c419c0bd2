"""What an isolated tool has besides a tool: its limits, a way to its cell, and the last report."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from agentlab.core.errors import ErrorKind, InvalidValue, NotConfigured
from agentlab.core.extras import need
from agentlab.tools.limits import REMEDIES, Fence, FenceReport, IsolationError, Limits
from agentlab.tools.signature import Signature

if TYPE_CHECKING:
    from agentlab.tools.visit import Heard

log = logging.getLogger("agentlab.tools")


Words = Annotated[str, msgspec.Meta(max_length=4000)]


class Answer(msgspec.Struct, frozen=True):
    """What a worker says came of its handler; who writes on its pipe may say anything."""

    value: Any = msgspec.UNSET
    error: Words = ""
    fence: Literal[
        "", "memory", "result", "file size", "open files", "processes", "files", "network",
        "require",
    ] = ""  # fmt: skip
    kind: ErrorKind = "permanent"
    traceback: Words = ""
    odd: tuple[Words, ...] = ()


class Ended(msgspec.Struct, frozen=True):
    """What a keeper says of a worker's end; this is what there is where it said nothing."""

    why: str = "lost"
    exit_code: int | None = None
    signal: int | None = None
    wall_ms: float = 0.0
    cpu_ms: float = 0.0
    peak_mb: float = 0.0
    left: int = 0


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
        if report.stopped or answer is None or answer.value is msgspec.UNSET:
            raise failure(answer, report)
        if answer.odd:
            said = ", ".join(answer.odd)
            log.warning("tool %r gave what is not JSON (%s): its text is used", name, said)
        return answer.value


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


def read(result: bytes) -> tuple[Answer | None, tuple[Fence, ...]]:
    """Read the two lines of a worker: which fences hold, and its answer, if it had time for one."""
    first, _, rest = result.partition(b"\n")
    try:
        fences = msgspec.json.decode(first, type=tuple[Fence, ...])
    except (msgspec.DecodeError, UnicodeError):
        fences = ()
    return answer_of(rest), fences


def answer_of(line: bytes) -> Answer | None:
    """Read an answer, which comes from outside: whatever is no answer is none."""
    import json

    if not line.endswith(b"\n"):
        return None
    try:
        said = json.loads(line)  # which takes a lone surrogate, as a result may have
        answer = msgspec.convert(said, Answer)
    except (ValueError, RecursionError, msgspec.ValidationError):
        return None
    return answer if ("value" in said) != bool(answer.error) else None


def reported(
    heard: Heard, answer: Answer | None, fences: tuple[Fence, ...], limits: Limits
) -> FenceReport:
    """Say how it went."""
    try:
        ended = msgspec.json.decode(heard.status, type=Ended)
    except (msgspec.DecodeError, UnicodeError):
        ended = Ended()
    stopped, why = judged(heard, ended, answer, limits)
    return FenceReport(
        stopped,
        why,
        fences,
        ended.exit_code,
        ended.signal,
        ended.wall_ms,
        ended.cpu_ms,
        ended.peak_mb,
        ended.left,
        heard.stdout.decode(errors="replace"),
        heard.stderr.decode(errors="replace"),
        answer.traceback if answer else "",
    )


def judged(  # noqa: PLR0911 - one a way to end
    heard: Heard, ended: Ended, answer: Answer | None, limits: Limits
) -> tuple[str, str]:
    """Say what ended it, and why."""
    if heard.over in ("stdout", "stderr"):
        return "output", f"it printed more than {limits.output_kb} KB"
    if "time" in (heard.over, ended.why):
        return "time", f"it took longer than {limits.wall_s:g} s"
    if heard.over:
        return "result", f"it answered with more than {limits.result_kb} KB"
    if ended.why == "lost":
        return "signal", "what kept it was killed, so that nobody knows what it left behind"
    if answer:
        return (answer.fence, answer.error) if answer.error and answer.fence else ("", "")
    used = ended.cpu_ms >= limits.cpu_s * 1000 - 100
    if ended.signal == signal.SIGXCPU or (ended.signal == signal.SIGKILL and used):
        return "cpu", f"it computed for more than {limits.cpu_s} s"
    if ended.signal is not None:
        return "signal", f"it was killed by {named(ended.signal)}"
    code = ended.exit_code
    return "exit code", f"it ended the process with exit code {code} instead of returning"


def named(number: int) -> str:
    """Give the name of a signal."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def failure(answer: Answer | None, report: FenceReport) -> IsolationError:
    """Give the error that tells of it: the handler's own words, and the fence with its remedy."""
    if answer and not report.stopped:
        return IsolationError(answer.error, report, answer.kind)
    remedy = REMEDIES.get(report.stopped, "")
    said = f"stopped by its fence {report.stopped!r}: {report.why.rstrip('.')}. {remedy}"
    return IsolationError(said, report, "transient" if report.stopped == "time" else "permanent")
