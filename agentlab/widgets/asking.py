"""What a page is asked about calls that wait for a person, and what it answers: a fold.

A key in the arguments is not shown. So what comes back from the page is laid over what was really
asked: a part that nobody changed is what it was, and one that was hidden is never sent as ``***``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from agentlab.core import events
from agentlab.core.approval import id_of
from agentlab.core.errors import InvalidValue
from agentlab.core.events import Entry
from agentlab.core.protocols import Approve, Edit, Refuse, Verdict
from agentlab.core.secrets import MASK, Scrubber, scrubber
from agentlab.core.text import canonical, compact
from agentlab.display.html import ODD
from agentlab.display.parts import Chip
from agentlab.display.words import gist, shortened
from agentlab.widgets.messages import Question

TAKEN = frozenset({events.AwaitingApproval, events.Reviewed, events.RunEnded})
MOST = 20_000  # letters that a page shows of arguments, and takes back
HIDDEN = "a part that was hidden as *** can be left as it is, or replaced as a whole"


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that waits: what was asked, and what of that is shown."""

    run: str
    call_id: int
    agent: str
    tool: str
    args: Any
    shown: Any
    text: str
    why_not: str  # it cannot be changed on a page
    wrong: str = ""
    tries: int = 0

    def cell(self) -> Question:
        """Give it as the page needs it."""
        return Question(
            agent=gist(self.agent, 60),
            tool=gist(self.tool, 120),
            args=shortened(self.text, "handle.pending()", MOST),
            fixed=self.why_not,
            wrong=self.wrong,
            tries=self.tries,
        )

    def edited(self, text: str) -> Any:
        """Give the arguments that a page sent, the hidden parts of them as they really are.

        Raises
        ------
        InvalidValue
            They are not JSON, or somebody wrote into what is hidden.
        """
        if self.why_not:
            raise InvalidValue(self.why_not)
        given = read(text)
        if isinstance(self.args, dict) and not isinstance(given, dict):
            raise InvalidValue(f'arguments are an object, {{"name": value}}, got {text!r:.80}')
        return restored(self.args, self.shown, given)


class Asking:
    """Take entries, and give the cells of the questions that are open; a page may answer them."""

    def __init__(self) -> None:
        self._open: dict[int, Asked] = {}
        self._count = 0
        self._news: dict[str, Any] = {}

    def take(self, entry: Entry, agent: str) -> None:
        """Take an entry of ``agent``, of any run of the tree."""
        match entry.event:
            case events.AwaitingApproval(call_id, tool, args):
                shown, text, why_not = presented(args, scrubber())
                self._count += 1
                whose = (entry.run, call_id, agent, tool, args)
                self._put(self._count, Asked(*whose, shown, text, why_not))
            case events.Reviewed(call_id):
                self._drop(lambda each: (each.run, each.call_id) == (entry.run, call_id))
            case events.RunEnded():
                self._drop(lambda each: f"{each.run}/".startswith(f"{entry.run}/"))
            case _:
                pass

    def news(self) -> dict[str, Any]:
        """Give the cells that differ since the last time."""
        news, self._news = self._news, {}
        return {**news, "asks": [*self._open]} if news else {}

    def chip(self) -> Chip | None:
        """Say that somebody is waited for, if so."""
        waiting = len(self._open)
        words = "call waits" if waiting == 1 else "calls wait"
        return Chip("warn", f"{waiting} {words} for your answer") if waiting else None

    def answer(self, message: dict[str, Any]) -> tuple[str, Verdict]:
        """Give what a page answers to which call.

        Raises
        ------
        InvalidValue
            It answers nothing that is open, or cannot be read.
        """
        asked = self._asked(message)
        if asked is None:
            raise InvalidValue("that call waits no more")
        call = id_of(asked.run, asked.call_id)
        match message:
            case {"answer": "approve"}:
                return call, Approve()
            case {"answer": "refuse", "reason": str(reason)}:
                return call, Refuse(reason)
            case {"answer": "edit", "args": str(text)}:
                args = asked.edited(text)
                return call, Approve() if compact(args) == compact(asked.args) else Edit(args)
        raise InvalidValue(f"a page answers approve, refuse or edit, got {message!r:.80}")

    def wrong(self, message: dict[str, Any], why: str) -> None:
        """Say what was wrong with an answer; the question is still open."""
        if asked := self._asked(message):
            self._put(message["no"], replace(asked, wrong=why, tries=asked.tries + 1))

    def _asked(self, message: dict[str, Any]) -> Asked | None:
        no = message.get("no")
        return self._open.get(no) if isinstance(no, int) else None

    def _put(self, no: int, asked: Asked) -> None:
        self._open[no] = asked
        self._news[f"q{no}"] = asked.cell()

    def _drop(self, over: Any) -> None:
        for no in [no for no, each in self._open.items() if over(each)]:
            del self._open[no]
            self._news[f"q{no}"] = None


def presented(args: Any, scrub: Scrubber) -> tuple[Any, str, str]:
    """Give ``args`` as they may be shown, as text, and why they cannot be changed on a page."""
    shown = hidden(args, scrub)
    text = ODD.sub(
        lambda odd: f"\\u{ord(odd[0]):04x}", json.dumps(shown, ensure_ascii=False, indent=2)
    )
    why_not = ""
    if len(text) > MOST:
        why_not = "too long to be changed here: handle.answer(call_id, Edit(args)) can"
    elif scrub(text) != text or not same_names(args, shown):
        why_not = "a key is in it that cannot be told apart: handle.answer(call_id, Edit(args)) can"
    return shown, text, why_not


def hidden(value: Any, scrub: Scrubber) -> Any:
    """``value`` with each text and number that has a key in it without that."""
    match value:
        case dict():
            return {scrub(name): hidden(each, scrub) for name, each in value.items()}
        case list():
            return [hidden(each, scrub) for each in value]
        case str():
            return scrub(value)
        case bool() | None:
            return value
    written = str(value)
    return value if scrub(written) == written else MASK


def same_names(args: Any, shown: Any) -> bool:
    """Tell whether all names in ``args`` are shown as they are."""
    if isinstance(args, dict):
        return [*args] == [*shown] and all(same_names(args[name], shown[name]) for name in args)
    if isinstance(args, list):
        return all(map(same_names, args, shown))
    return True


def read(text: str) -> Any:
    """Read JSON as a person wrote it.

    Raises
    ------
    InvalidValue
        It is none.
    """
    try:
        return canonical(json.loads(text, parse_constant=_refuse))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidValue(f"this is not JSON: {error.msg}, {where}") from None
    except RecursionError:
        raise InvalidValue("this is nested too deeply") from None


def _refuse(name: str) -> Any:
    raise InvalidValue(f"{name} is not a JSON number")


def restored(args: Any, shown: Any, given: Any) -> Any:
    """Give ``given`` with all that is as it was ``shown`` as it really is in ``args``.

    Raises
    ------
    InvalidValue
        It has ``***`` where that stands for something, and is not left alone.
    """
    if compact(given) == compact(shown):
        return args
    if isinstance(given, dict) and isinstance(shown, dict):
        return {
            name: restored(args[name], shown[name], each) if name in shown else fresh(args, each)
            for name, each in given.items()
        }
    if isinstance(given, list) and isinstance(shown, list) and len(given) == len(shown):
        return [restored(*each) for each in zip(args, shown, given, strict=True)]
    if compact(args) != compact(shown):
        return fresh(args, given, secret=True)
    return given


def fresh(args: Any, given: Any, *, secret: bool = False) -> Any:
    """Give what somebody wrote anew, beside or in the place of ``args``.

    Raises
    ------
    InvalidValue
        It looks as if a hidden part was moved there.
    """
    masked = MASK in compact(given)
    if masked and (secret or scrubber()(compact(args)) != compact(args)):
        raise InvalidValue(f"{HIDDEN}, got {compact(given)[:80]}")
    return given
