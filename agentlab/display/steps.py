"""A step: the line that makes sense alone, and all that is inside it."""

from __future__ import annotations

import re
from typing import Any

from agentlab.core.events import ReActStep
from agentlab.core.protocols import CHANGED, EDITED
from agentlab.core.text import compact
from agentlab.display.html import Html, h
from agentlab.display.parts import (
    READ,
    Chip,
    Labelled,
    Room,
    call,
    card,
    labelled,
    laid_out,
    parsed,
    row,
    took,
)
from agentlab.display.words import gist, moment, seconds, shortened, text_of

FINAL = re.compile(r"final[ _]answer\b\s*:?", re.IGNORECASE)
GIST = 120  # of a call, and of its result; what does not fit the line is cut by the page


def step_card(step: ReActStep, room: Room) -> Html:
    """Draw a step by itself."""
    bad = failed(step)
    chip = Chip("bad", said_kind(step)) if bad else Chip("ok", "done") if step.tool else None
    figures = [f"step {step.index + 1}", seconds(step.step_duration_ms), moment(step.started_at)]
    name = step.tool or gist(step.action, 60) or "empty"
    return card("step", name, chip, figures, labelled(*texts(step, "step", room.text)), path="step")


def step_row(index: int, step: ReActStep, path: str, longest: float, room: Room) -> Html:
    """Draw a step among others."""
    return row(
        index + 1,
        line(step, min(GIST, room.text)),
        took(step.step_duration_ms, longest),
        labelled(*texts(step, path, room.text)),
        path=path,
    )


def line(step: ReActStep, limit: int = GIST) -> list[Html]:
    """Say a step in one line: what was called, an arrow, what came back."""
    name, did, came = told(step, limit)
    done = [call(name, did) if name else h("span", "agl-call")(did)]
    if not came:
        return done
    arrow = h("span", "agl-arrow")(" → ")
    hue = "agl-result bad" if failed(step) else "agl-result"
    return [*done, arrow, h("span", hue)(came)]


def told(step: ReActStep, limit: int = GIST) -> tuple[str, str, str]:
    """Give what was called, with what, and what came back, as three texts that fit a line."""
    did, came = summary(step)
    name, did = gist(step.tool, limit), gist(did, limit)
    left = max(limit - len(name) - len(did), limit // 3)
    return name, did, gist(came, left)


def summary(step: ReActStep) -> tuple[str, str]:
    """Give what a step did and what came of it, as two texts that may be long."""
    action = text_of(step.action)
    if step.tool:
        return arguments(step.args) + " (edited)" * edited(step), result(step)
    if found := FINAL.match(action):
        return "FINAL_ANSWER", action[found.end() :]
    return action, "" if step.observation == step.action else result(step)


def arguments(args: Any) -> str:
    """Write the arguments as a call: ``(city="Lyon")``."""
    if not isinstance(args, dict):
        return f"({written(args)})"
    return f"({', '.join(f'{name}={written(value)}' for name, value in args.items())})"


def written(value: Any) -> str:
    """``value`` as JSON; what JSON does not know, as Python writes it."""
    try:
        return compact(value)
    except (TypeError, ValueError, RecursionError):
        return repr(value)


def result(step: ReActStep) -> str:
    """Give the gist of an observation: its data, or the kind of error and its text."""
    seen = parsed(step.observation)
    if not isinstance(seen, dict):
        return text_of(step.observation)
    if seen.get("ok") is True and "data" in seen:
        data = seen["data"]
        return data if isinstance(data, str) else written(data)
    if "error" in seen:
        return f"{said_kind(step)}: {text_of(seen['error'])}"
    return text_of(step.observation)


def failed(step: ReActStep) -> bool:
    """Tell whether it is marked as failed, or its tool itself says that it failed."""
    if step.error_kind is not None:
        return True
    seen = parsed(step.observation) if "false" in text_of(step.observation)[:READ] else None
    return isinstance(seen, dict) and seen.get("ok") is False


def edited(step: ReActStep) -> bool:
    """Tell whether a reviewer changed the call."""
    return text_of(step.observation).startswith((f'{{"{CHANGED}":"{EDITED}', f"({EDITED}"))


def said_kind(step: ReActStep) -> str:
    """Give the kind of error as words."""
    return text_of(step.error_kind or "error").replace("_", " ")


def texts(step: ReActStep, path: str, limit: int = 2000) -> list[Labelled]:
    """List the texts of a step."""
    seen = ("bad", "error") if failed(step) else ("seen", "observation")
    acted = ("tool", "tool") if step.tool else ("", "action")
    parts = [
        ("", "reasoning", "reasoning"),
        ("thought", "thought", "thought"),
        (*acted, "action"),
        (*seen, "observation"),
        ("", "reply", "raw"),
    ]
    return [
        Labelled(hue, name, text, f"{path}.{field}")
        for hue, name, field in parts
        if (text := shown(step, field, f"{path}.{field}", limit))
    ]


def shown(step: ReActStep, field: str, path: str, limit: int) -> str:
    """Give one text of a step as it is shown; the last observation repeats the action."""
    text = text_of(getattr(step, field, ""))
    if field == "observation":
        return "" if text == step.action else laid_out(text, path, limit)
    return shortened(text, path, limit)
