"""What a run does, for the log: one more reader of the trace, there only if somebody asks.

The logger is ``agentlab``, silent unless the program, or ``AGENTLAB_LOG``, wants to hear it:
a level (``AGENTLAB_LOG=info``), or levels by part (``AGENTLAB_LOG=models=debug,react=info``).
Records carry ``run``, ``agent``, ``step`` and ``tool`` as fields.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

from agentlab.core import events
from agentlab.core.errors import InvalidValue
from agentlab.core.events import Entry
from agentlab.core.secrets import scrub

VARIABLE = "AGENTLAB_LOG"
ROOT = "agentlab"
LINE = "%(levelname)s %(name)s: %(message)s"
log = logging.getLogger("agentlab.run")
logging.getLogger(ROOT).addHandler(logging.NullHandler())


@cache
def configure(wanted: str) -> None:
    """Set the levels that ``wanted`` names, and write to stderr.

    Raises
    ------
    InvalidValue
        It is neither a level nor a list of ``part=level``.
    """
    levels = [_level(part) for part in map(str.strip, wanted.split(",")) if part]
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(LINE))
    logging.getLogger(ROOT).addHandler(handler)
    for name, level in levels:
        logging.getLogger(name).setLevel(level)


def _level(part: str) -> tuple[str, int]:
    name, _, level = part.rpartition("=")
    number = logging.getLevelNamesMapping().get(level.strip().upper())
    if number is None:
        raise InvalidValue(f"{VARIABLE} must be a level or a list of part=level, got {part!r}")
    inner = name.strip().removeprefix(ROOT).removeprefix(".")
    return (f"{ROOT}.{inner}" if inner else ROOT), number


def listen() -> list[Callable[[Entry], None]]:
    """Give the sink that logs, if anybody would hear it."""
    if wanted := os.environ.get(VARIABLE):
        configure(wanted)
    return [Logger()] if log.isEnabledFor(logging.INFO) else []


class Logger:
    """Logs what matters of a run, and at debug level nearly all."""

    def __init__(self) -> None:
        self._agents: dict[str, str] = {}
        self._steps: Counter[str] = Counter()
        self._tools: dict[str, str] = {}

    def __call__(self, entry: Entry, /) -> None:
        """Take an entry."""
        run = entry.run
        match entry.event:
            case events.RunStarted(agent=agent, prompt=prompt, model=model):
                self._agents[run] = agent
                self._say(run, logging.INFO, f"started on {model}: {prompt!r}")
            case events.ToolStarted(tool=tool, args=args):
                self._tools[run] = tool
                self._say(run, logging.DEBUG, f"calls {tool} with {args!r}")
            case events.ToolEnded(ok=ok, error=error, ms=ms):
                word = "ok" if ok else f"failed: {error}"
                tool = self._tools.get(run, "a tool")  # it calls several side by side
                self._say(run, logging.DEBUG, f"{tool} {word} ({ms:.1f} ms)")
                self._tools.pop(run, None)
            case events.StepEnded(step=step):
                self._say(run, logging.INFO, f"step {self._steps[run] + 1}: {step.action}")
                self._steps[run] += 1
            case events.SaveFailed(key=key, error=error):
                self._say(run, logging.WARNING, f"could not save {key}: {error}")
            case events.Warned(text=text):
                self._say(run, logging.WARNING, text)
            case events.RunEnded(stop_reason=reason, answer=answer, error=error):
                self._say(run, logging.INFO, f"ended ({reason}): {answer or error}")
            case event:
                self._say(run, logging.DEBUG, type(event).__name__)

    def _say(self, run: str, level: int, text: str) -> None:
        if not log.isEnabledFor(level):
            return
        fields: dict[str, Any] = {
            "run": run, "agent": self._agents.get(run), "step": self._steps[run],
            "tool": self._tools.get(run),
        }  # fmt: skip
        log.log(level, "%s: %s", fields["agent"], scrub(text), extra=fields)
