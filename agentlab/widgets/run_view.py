"""The live card of a run: the Python half. What it looks like is ``widgets/src/run_view.js``."""

from __future__ import annotations

from typing import Any

from agentlab.core.secrets import scrub
from agentlab.widgets.live import STATIC, RunWatcher
from agentlab.widgets.story import Story


class RunView(RunWatcher):
    """Shows what a run says and does. Its cells are a :class:`Story`."""

    _esm = STATIC / "run_view.js"

    def __init__(self, *args: Any, **traits: Any) -> None:
        self._story = Story()
        super().__init__(*args, **traits)

    def __repr__(self) -> str:
        return scrub(repr(self._story.session).replace("AgentSession", "RunView", 1))

    def changes(self) -> dict[str, Any]:
        """Read what came since the last time, and say what is different."""
        for entry in self.entries():
            self._story.take(entry)
        return self._story.news()
