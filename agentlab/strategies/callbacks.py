"""Somebody who wants to hear a run while it speaks."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from agentlab.core.errors import explain
from agentlab.core.events import Warned
from agentlab.core.run import Run
from agentlab.core.sync import heeded
from agentlab.strategies.actions import FinalAnswer, ToolCall
from agentlab.strategies.tokens import InferenceToken

if TYPE_CHECKING:
    from typing import Self

log = logging.getLogger("agentlab.streaming")

Callback: TypeAlias = Callable[[Any], object]


class StreamingCallbacks:
    """What to call while an answer comes: plain functions, which must be quick, or async ones.

    The next token is not asked for before they are done. Given twice, both are called, in order.

    >>> StreamingCallbacks().on_token(print).on_thought(print)
    StreamingCallbacks(on_token=1, on_thought=1, on_action=0)
    """

    def __init__(self) -> None:
        self.tokens: list[Callback] = []
        self.thoughts: list[Callback] = []
        self.actions: list[Callback] = []

    def __repr__(self) -> str:
        counts = f"on_thought={len(self.thoughts)}, on_action={len(self.actions)}"
        return f"StreamingCallbacks(on_token={len(self.tokens)}, {counts})"

    def on_token(self, f: Callable[[InferenceToken], object]) -> Self:
        """Call ``f`` with each token, in order."""
        self.tokens.append(f)
        return self

    def on_thought(self, f: Callable[[str], object]) -> Self:
        """Call ``f`` with a thought as soon as it is complete: where the action begins."""
        self.thoughts.append(f)
        return self

    def on_action(self, f: Callable[[FinalAnswer | ToolCall], object]) -> Self:
        """Call ``f`` with an answer, or a tool and its arguments, as soon as it is complete."""
        self.actions.append(f)
        return self


class Calls:
    """The callbacks of one run. One that raises is called no more, and the session says so.

    Parameters
    ----------
    run : Run
        Where to say it.
    callbacks : StreamingCallbacks
        What was asked for; what is added to it later is for the next run.
    strict : bool
        Let the error pass and end the run.
    """

    def __init__(self, run: Run, callbacks: StreamingCallbacks, *, strict: bool = False) -> None:
        self._run, self._strict = run, strict
        self.tokens = list(callbacks.tokens)
        self.thoughts = list(callbacks.thoughts)
        self.actions = list(callbacks.actions)

    async def tell(self, callbacks: list[Callback], said: object) -> None:
        """Call each of ``callbacks``, a list of this object, with what was said."""
        for call in tuple(callbacks):
            try:
                result = call(said)
                if inspect.isawaitable(result):
                    with heeded():
                        await result
            except Exception as error:
                if self._strict:
                    raise
                callbacks.remove(call)
                text = f"callback {name_of(call)} failed and is not called again"
                log.exception("%s", text)
                self._run.emit(Warned(f"{text}: {explain(error)}"))


def name_of(call: Callback) -> str:
    """Give what to call a callback when it fails."""
    return str(getattr(call, "__name__", type(call).__name__))
