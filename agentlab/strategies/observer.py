"""Someone who wants to know how a loop goes, without reading the trace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from agentlab.core import events
from agentlab.core.events import Entry, ReActStep


class Observer:
    """Does nothing; override what you want to hear of. It must be quick, and may not matter.

    An observer that raises hears no more, which is logged and among the session's warnings.
    """

    def on_loop_start(self, prompt: str) -> None:
        """Hear that a run begins."""

    def on_step(self, index: int, step: ReActStep) -> None:
        """Hear that the step at ``index``, from zero, is over."""

    def on_tool_call(self, name: str, args: Any) -> None:
        """Hear that a tool is called."""

    def on_action_blocked(self, name: str, args: Any) -> None:
        """Hear that the reviewer said no to a call."""

    def on_error(self, error: str) -> None:
        """Hear that the run failed, and why."""

    def on_loop_end(self, step_count: int) -> None:
        """Hear that a run is over, however it ended."""


def observing(observer: Observer) -> Callable[[Entry], None]:
    """Make a sink that tells ``observer`` what it wants to know."""
    steps: Counter[str] = Counter()

    def hear(entry: Entry, /) -> None:
        match entry.event:
            case events.RunStarted(prompt=prompt):
                observer.on_loop_start(prompt)
            case events.ToolStarted(tool=name, args=args, allowed=True):
                observer.on_tool_call(name, args)
            case events.ToolStarted(tool=name, args=args):
                observer.on_action_blocked(name, args)
            case events.StepEnded(step=step):
                observer.on_step(steps[entry.run], step)
                steps[entry.run] += 1
            case events.RunEnded(stop_reason=reason, error=error):
                if reason == "error":
                    observer.on_error(error or "")
                observer.on_loop_end(steps[entry.run])
            case _:
                pass

    hear.__qualname__ = type(observer).__qualname__  # what the log calls it
    return hear
