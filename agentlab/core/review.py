"""Who reviews actions: asked before each tool call whether, and with what, it may be made."""

from __future__ import annotations

from typing import Any

from agentlab.core.errors import ActionBlocked, InvalidValue
from agentlab.core.protocols import ActionHook, Approve, Edit, Refuse, Verdict
from agentlab.core.sync import settled
from agentlab.core.text import canonical, clean


class Refused(ActionBlocked):
    """Whoever reviews actions said no, and why."""

    form = "action blocked by reviewer: {0}"


def verdict_of(answer: object) -> Verdict:
    """Give what a reviewer said as a verdict: ``True`` approves, ``False`` refuses.

    Raises
    ------
    InvalidValue
        It is none, or the arguments of an edit are no JSON.
    """
    match answer:
        case Approve():
            return answer
        case Refuse(reason):
            return Refuse(clean(reason).strip())
        case Edit(args):
            return Edit(canonical(args))
    if isinstance(answer, bool) or getattr(getattr(answer, "dtype", None), "kind", "") == "b":
        return Approve() if answer else Refuse()
    raise InvalidValue(
        f"a reviewer says True, False, Approve(), Edit(args) or Refuse(reason), got {answer!r:.200}"
    )


async def review(hook: ActionHook | None, name: str, args: Any) -> Verdict:
    """Ask whoever reviews actions; where nobody does, everything is approved.

    They get a copy: to change that, now or later, changes nothing of the call.
    """
    if hook is None:
        return Approve()
    return verdict_of(await settled(hook(name, canonical(args))))


def blocked(verdict: Refuse) -> ActionBlocked:
    """Give the error that the model hears of."""
    return Refused(verdict.reason) if verdict.reason else ActionBlocked()


def both(one: ActionHook | None, other: ActionHook | None) -> ActionHook | None:
    """Let an action pass only if every reviewer there is lets it; the next sees what one edits."""
    if one is None or other is None:
        return other if one is None else one

    async def agree(name: str, args: Any) -> Verdict:
        first = await review(one, name, args)
        if isinstance(first, Refuse):
            return first
        return after(first, await review(other, name, done(first, args)))

    return agree


def done(verdict: Verdict, args: Any) -> Any:
    """Give the arguments that the call would be made with."""
    return verdict.args if isinstance(verdict, Edit) else args


def after(first: Verdict, then: Verdict) -> Verdict:
    """Give what two reviewers, one after the other, came to."""
    return first if isinstance(then, Approve) else then
