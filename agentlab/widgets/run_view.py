"""The live card of a run: the Python half. What it looks like is ``widgets/src/run_view.js``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from traitlets import Bool

from agentlab.core.errors import AgentLabError
from agentlab.core.protocols import Verdict
from agentlab.core.secrets import scrub
from agentlab.widgets.company import Company
from agentlab.widgets.live import STATIC, RunWatcher
from agentlab.widgets.story import Story


class RunView(RunWatcher):
    """Shows what a run says and does, and asks about calls that wait. Its cells are its ``fold``'s.

    Parameters
    ----------
    *args
        As for every live view of a run.
    answer : callable, optional
        What is called with the answer to a call that waits, such as ``handle.answer``; without it
        there are no buttons either.
    **traits
        Of the widget.
    """

    _esm = STATIC / "run_view.js"

    fold: type[Story | Company] = Story

    answers = Bool().tag(sync=True)

    def __init__(
        self,
        *args: Any,
        answer: Callable[[str, Verdict], None] | None = None,
        **traits: Any,
    ) -> None:
        self._story, self._answer = self.fold(), answer
        super().__init__(*args, answers=answer is not None, **traits)

    def __repr__(self) -> str:
        return scrub(repr(self._story.session).replace("AgentSession", type(self).__name__, 1))

    def changes(self) -> dict[str, Any]:
        """Read what came since the last time, and say what is different."""
        for entry in self.entries():
            self._story.take(entry)
        return self._story.news()

    def asked(self, message: dict[str, Any]) -> None:
        """Answer a call that waits, if that is what was asked; the page hears what was wrong."""
        if self._answer is None or message.get("type") != "answer":
            return super().asked(message)
        try:
            self._answer(*self._story.asking.answer(message))
        except AgentLabError as error:
            self._story.asking.wrong(message, str(error))
            self.touch()
        return None
