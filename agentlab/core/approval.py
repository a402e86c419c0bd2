"""Calls that wait for a person: who is asked about which, what waits, and how it is answered.

A run asks on its own loop and waits there; whoever answers may be on any thread. Nothing but
memory holds a question: it goes with the run that asks it.
"""

from __future__ import annotations

import threading
from asyncio import wrap_future
from collections.abc import Callable, Iterable
from concurrent.futures import Future, InvalidStateError
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import msgspec

from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import InvalidValue, NotConfigured
from agentlab.core.events import AwaitingApproval, Reviewed, ToolStarted
from agentlab.core.protocols import Approve, Edit, Refuse, Verdict
from agentlab.core.review import after, blocked, done, review, verdict_of
from agentlab.core.sync import settled
from agentlab.core.text import canonical, suggestion

if TYPE_CHECKING:
    from agentlab.core.run import Run

Asks: TypeAlias = bool | Iterable[str] | Callable[[str, Any], object] | None
WORDS = {"Approve": "approved", "Edit": "edited", "Refuse": "refused"}
HINT = (
    "nobody is there to answer: lab.start(goal, approve=...) gives a handle whose"
    " answer(call_id, True) does, and action_hook= lets code decide"
)


class Unattended(NotConfigured):
    """A person is to be asked, and nobody could answer."""

    def __init__(self) -> None:
        super().__init__("approver", HINT)


class PendingCall(Displayable, msgspec.Struct, frozen=True):
    """A call of a tool that waits for a person.

    Attributes
    ----------
    call_id : str
        What to answer by; no other call of the tree of runs has it.
    agent : str
        Whose call it is.
    tool, args
        What it wants to call, and with what.
    asked_at : datetime
        Since when it waits.
    """

    call_id: str
    agent: str
    tool: str
    args: Any
    asked_at: datetime


class PendingCalls(Tabular, Displayable, list[PendingCall]):
    """The calls that wait for a person, the longest first; as it is when it is asked for."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<PendingCalls {len(self)}: {', '.join(each.tool for each in self) or 'none'}>"


class Ruling(NamedTuple):
    """What became of a call before it was made: with which arguments it is, or why it is not."""

    args: Any
    edit: Edit | None = None
    wanted: Any = None
    error: Exception | None = None

    def told(self, call_id: int, tool: str) -> ToolStarted:
        """Give the event that tells of it."""
        allowed, edited = self.error is None, self.edit is not None
        return ToolStarted(call_id, tool, self.args, allowed, edited, self.wanted)


async def rule(
    run: Run, call_id: int, tool: str, args: Any, refused: Exception | None = None
) -> Ruling:
    """Ask the run's hook about a call, and then a person, who sees what it would be by now.

    Nobody is asked about one that is ``refused`` already.

    Raises
    ------
    Unattended
        Nobody could answer.
    """
    given = None
    try:
        given = canonical(args)
        if refused:
            return Ruling(given, error=refused)
        verdict = await review(run.hook, tool, given)
        if run.approvals and not isinstance(verdict, Refuse):
            person = await run.approvals.review(run, call_id, tool, done(verdict, given))
            verdict = after(verdict, person)
    except Unattended:
        raise
    except Exception as error:  # noqa: BLE001 - who cannot say yes has not said it
        return Ruling(given, error=error)
    match verdict:
        case Refuse():
            return Ruling(given, error=blocked(verdict))
        case Edit(edited):
            return Ruling(edited, verdict, given)
    return Ruling(given)


def id_of(run: str, call_id: int) -> str:
    """Give what a call of a run is answered by."""
    return f"{run}:{call_id}"


class Approvals:
    """Asks a person before some tool calls of a tree of runs, and lets each wait for its answer.

    Parameters
    ----------
    asks : bool, iterable of str, or callable
        Before which calls: all of them, those of some tools, or those of which
        ``asks(tool, args)``, plain or async, is true.
    attended : bool
        Somebody can answer.
    known : iterable of str, optional
        Which tools there are, where that is known: another name is refused, for with a slip of
        the pen nobody would ever be asked.

    Raises
    ------
    InvalidValue
        ``asks`` is none of these, or names a tool that is not there.
    """

    def __init__(
        self, asks: Asks, *, attended: bool = True, known: Iterable[str] | None = None
    ) -> None:
        self._asks = asking(asks, known)
        self._attended = attended
        self._waiting: dict[str, tuple[PendingCall, Future[Verdict]]] = {}
        self._over: dict[str, str] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Approvals {len(self._waiting)} pending>"

    async def review(self, run: Run, call_id: int, tool: str, args: Any) -> Verdict:
        """Wait for what a person says about a call, if one is to be asked.

        Raises
        ------
        Unattended
            Nobody could answer.
        """
        if not await settled(self._asks(tool, canonical(args))):
            return Approve()
        if not self._attended:
            raise Unattended
        name, answer = id_of(run.id, call_id), Future[Verdict]()
        # A copy: to look at the arguments, or to change them, must not change what is called.
        asked = PendingCall(name, run.agent, tool, canonical(args), run.clock.now())
        with self._lock:
            self._waiting[name] = asked, answer
        told = Reviewed(call_id, "withdrawn")
        try:
            run.emit(AwaitingApproval(call_id, tool, args))
            verdict = await wrap_future(answer)
            edited = verdict.args if isinstance(verdict, Edit) else None
            told = Reviewed(call_id, said(verdict), getattr(verdict, "reason", ""), edited)
            return verdict
        finally:
            with self._lock:
                self._waiting.pop(name, None)
                self._over[name] = told.decision
            run.emit(told)

    def pending(self) -> PendingCalls:
        """List what waits, the longest first."""
        with self._lock:
            return PendingCalls(asked for asked, _ in self._waiting.values())

    def answer(self, call_id: str, decision: object) -> None:
        """Answer a call that waits; from any thread.

        Raises
        ------
        InvalidValue
            No such call waits (any more), or ``decision`` is none.
        """
        verdict = verdict_of(decision)
        if not isinstance(call_id, str):
            raise InvalidValue(f"a call is answered by its call_id, a text, got {call_id!r:.80}")
        with self._lock:
            _, answer = self._waiting.get(call_id, (None, None))
            if answer is None:
                raise InvalidValue(self._missing(call_id))
            del self._waiting[call_id]
            self._over[call_id] = said(verdict)
            try:
                answer.set_result(verdict)
            except InvalidStateError:  # its run was stopped at this very moment
                self._over[call_id] = "withdrawn"
                raise InvalidValue(self._missing(call_id)) from None

    def _missing(self, call_id: str) -> str:
        before = self._over.get(call_id)
        if before == "withdrawn":
            return f"call {call_id!r:.200} waits no more: its run was stopped, or ran out of time"
        if before:
            return f"call {call_id!r:.200} was answered before: it is {before}"
        waiting = ", ".join(map(repr, self._waiting)) or "nothing"
        return f"no call {call_id!r:.200} waits for an answer: handle.pending() has {waiting}"


def approvals_of(
    asks: Asks, known: Iterable[str] | None = None, *, attended: bool = True
) -> Approvals | None:
    """Give who asks a person, if one is to be asked at all."""
    never = asks is None or asks is False
    return None if never else Approvals(asks, attended=attended, known=known)


def said(verdict: Verdict) -> Any:
    """Say in a word what a verdict comes to."""
    return WORDS[type(verdict).__name__]


def asking(asks: Asks, known: Iterable[str] | None = None) -> Callable[[str, Any], object]:
    """Give a function that tells whether a person is asked before a call.

    Raises
    ------
    InvalidValue
        It cannot be told from ``asks``, or that names a tool that is not there.
    """
    if asks is None or isinstance(asks, bool):
        return lambda *_: asks
    if callable(asks):
        return asks
    named = not isinstance(asks, str) and isinstance(asks, Iterable)
    names = [*asks] if named else []
    if not named or not all(isinstance(name, str) for name in names):
        raise InvalidValue(
            f"approve is True, the names of some tools (['delete']), or a function of tool and"
            f" arguments, got {asks!r:.200}"
        )
    for name in sorted({*names} - {*known}) if known is not None else ():
        hint = suggestion(name, known or ())
        raise InvalidValue(f"approve names {name!r:.200}, and there is no such tool{hint}")
    return lambda tool, _: tool in names
