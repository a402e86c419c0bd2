"""The card of an error: what went wrong, what to do about it, and how far the run had got."""

from __future__ import annotations

from agentlab.core import errors
from agentlab.core.errors import AgentLabError
from agentlab.core.session import AgentSession
from agentlab.display.html import Html, h
from agentlab.display.parts import Chip, Room, asked, card, fold, prose
from agentlab.display.sandboxes import report_card
from agentlab.display.sessions import chip, inside
from agentlab.display.words import number, plural, seconds, shortened, text_of
from agentlab.tools.limits import IsolationError

# What to do, by the nearest class that says more than its kind does.
REMEDIES: dict[type[AgentLabError], str] = {
    errors.InvalidValue: "Give a value that fits; the message says which was given.",
    errors.NotConfigured: "Provide what is missing; the message says what it is.",
    errors.WrongThread: "In a notebook use `await`; the blocking form is for scripts.",
    errors.ToolNotFound: "Register the tool, or tell the model the right name of it.",
    errors.ToolArgumentError: "See what the tool takes: the registry lists its arguments.",
    errors.ToolTimeout: "Try again, or let the tool take longer with `timeout_s`.",
    errors.ActionBlocked: "Whoever reviews actions said no: ask for another, or change the rule.",
    errors.SandboxDenied: "Grant the permission that the tool needs, or do without the tool.",
    errors.CircuitOpen: "It failed too often and is left alone for a while: try again later.",
    errors.BackpressureShed: "Too much is in flight: wait for some to end, or raise the capacity.",
    errors.PersistenceError: "See whether the place can be read and written, and what is there.",
    errors.RecordingMissed: "Nobody recorded this: mode `auto` asks the model and records it.",
    errors.InternalError: "A bug of agentlab, not of yours: please report it and its traceback.",
}
BY_STATUS = {
    401: "The key was refused: see that it is the right one, and whole.",
    403: "The key may not do that: see what its plan and its project allow.",
    404: "See that there is a model of that name, and that `base_url` ends where it should.",
    429: "It was asked too often: try again later, or let `retry=` do that.",
}
BY_KIND = {
    "transient": "It may well work if tried again.",
    "permanent": "Trying again will not help: change what the message names first.",
    "not_found": "What was named is not there: check the name, or add it.",
    "blocked": "It was not allowed: ask for something else, or change what is allowed.",
}


def error_card(error: AgentLabError, room: Room) -> Html:
    """Draw the card."""
    kind = text_of(error.kind).replace("_", " ")
    hue = "warn" if kind in ("transient", "blocked") else "bad"
    message = shortened(told(error), "str(error)", room.text) or "(no message)"
    rows: list[tuple[str, object, str, str]] = [
        ("message", message, "agl-bad", "str(error)"),
        ("to do", prose(remedy(error)), "", ""),
    ]
    if error.__cause__ is not None:
        cause = shortened(
            f"{type(error.__cause__).__name__}: {error.__cause__}", "error.__cause__", room.text
        )
        rows.append(("because", cause, "", "error.__cause__"))
    return card(
        "error",
        type(error).__name__,
        Chip(hue, kind),
        figures(error),
        asked(*rows),
        partial(error, room),
        fenced(error, room),
        path="error",
    )


def fenced(error: AgentLabError, room: Room) -> Html | None:
    """Draw how the call went, where it went on behind fences."""
    if not isinstance(error, IsolationError):
        return None
    return fold("behind its fences", report_card(error.report, room.inside()))


def told(error: BaseException) -> str:
    """Say what ``error`` says, even where its own words fail it."""
    try:
        return errors.explain(error)
    except Exception:  # noqa: BLE001 - its __str__ may be anybody's, and may want arguments
        return type(error).__name__


def remedy(error: AgentLabError) -> str:
    """Say what to do: what its status or its class advises, else what its kind does."""
    status = getattr(error, "status", None)
    if isinstance(status, int) and status in BY_STATUS:
        return BY_STATUS[status]
    advice = next((REMEDIES[each] for each in type(error).__mro__ if each in REMEDIES), "")
    return advice or BY_KIND.get(error.kind, BY_KIND["permanent"])


def figures(error: AgentLabError) -> list[str]:
    """List what else it knows."""
    status, wait = getattr(error, "status", None), getattr(error, "retry_after", None)
    return [
        f"status {status}" if isinstance(status, int) else "",
        f"retry after {seconds(number(wait) * 1000)}" if wait is not None else "",
    ]


def partial(error: AgentLabError, room: Room) -> Html | None:
    """Fold the session as far as it had got."""
    session = getattr(error, "session", None)
    if not isinstance(session, AgentSession):
        return None
    name = (
        f"the session as far as it got: {plural(len(session.steps), 'step')}, {chip(session).word}"
    )
    return fold(name, h("div", "agl-below")(*inside(session, room.inside(), "error.session")))
