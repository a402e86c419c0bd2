"""What an event says, as a text: for the rows of a trace, and for frames of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from agentlab.core import events
from agentlab.core.events import Event
from agentlab.core.text import compact
from agentlab.display.words import plural


def kind_of(event: Event) -> str:
    """Name the kind of an event, as its record in a file does: ``tool_ended``."""
    return KINDS.get(type(event), type(event).__name__)


def gist_of(event: Event) -> str:
    """Say what happened. It may be long; its parts are the fields of the event."""
    say = SAYS.get(type(event))
    return say(event) if say else repr(event)


def _ended(event: events.ToolEnded) -> str:
    if event.error is not None:
        return f"{(event.error_kind or 'error').replace('_', ' ')}: {event.error}"
    return event.data if isinstance(event.data, str) else _json(event.data)


def _json(value: Any) -> str:
    try:
        return compact(value)
    except (TypeError, ValueError, RecursionError):
        return repr(value)


def _closed(event: events.RunEnded) -> str:
    said = event.answer if event.answer is not None else event.error
    return event.stop_reason if said is None else f"{event.stop_reason}: {said}"


def _step(event: events.StepEnded) -> str:
    step = event.step
    seen = "" if step.observation in ("", step.action) else f" → {step.observation}"
    return f"{step.action}{seen}"


KINDS = {each: str(each.__struct_config__.tag) for each in get_args(Event)}
SAYS: dict[type, Callable[[Any], str]] = {
    events.RunStarted: lambda e: f"{e.agent}: {e.prompt}",
    events.Recalled: lambda e: ": ".join(
        [plural(len(e.hits), "memory", "memories"), *[hit.text for hit in e.hits[:1]]]
    ),
    events.Prepared: lambda e: ", ".join(
        [
            plural(len(e.working), "note") + " in the working memory",
            plural(e.graph_entities, "entity", "entities") + " in the graph",
        ]
    ),
    events.Asked: lambda e: e.added,
    events.Token: lambda e: e.text,
    events.Answered: lambda e: e.text,
    events.Thought: lambda e: e.text,
    events.Action: lambda e: e.text,
    events.AwaitingApproval: lambda e: f"{e.tool} {_json(e.args)} waits for a person",
    events.Reviewed: lambda e: ": ".join(
        filter(None, [e.decision, e.reason, _json(e.args) if e.decision == "edited" else ""])
    ),
    events.ToolStarted: lambda e: (
        f"{e.tool} {_json(e.args)}{' (edited)' * e.edited}{' (refused)' * (not e.allowed)}"
    ),
    events.ToolEnded: _ended,
    events.StepEnded: _step,
    events.Said: lambda e: f"{e.sender} → {e.target}: {e.content}",
    events.Argued: lambda e: f"{e.agent}, round {e.round}: {e.text}",
    events.Scored: lambda e: f"{e.by} on {e.of}, round {e.round}: {e.score:.2f}",
    events.Phase: lambda e: f"{e.name}: {e.detail}" if e.detail else e.name,
    events.Charted: lambda e: f"{e.title or e.shape}: " + plural(len(e.nodes), "part"),
    events.Marked: lambda e: f"{e.node} {e.status}" + (f": {e.detail}" if e.detail else ""),
    events.Saved: lambda e: e.key,
    events.SaveFailed: lambda e: f"{e.key}: {e.error}",
    events.Warned: lambda e: e.text,
    events.RunEnded: _closed,
}
