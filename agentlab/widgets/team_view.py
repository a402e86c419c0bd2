"""The live card of a team: the Python half. The other is ``widgets/src/team_view.js``."""

from __future__ import annotations

from typing import Any

from agentlab.widgets.live import STATIC
from agentlab.widgets.run_view import RunView
from agentlab.widgets.teaming import Teaming


class TeamView(RunView):
    """Shows who may hear whom, what is said and answered, and the turns of whom one looks at."""

    _esm = STATIC / "team_view.js"
    fold = Teaming

    def asked(self, message: dict[str, Any]) -> None:
        """Tell of the turns of an agent, if that is what was asked."""
        if message.get("type") != "open" or not isinstance(self._story, Teaming):
            return super().asked(message)
        self._story.open(message.get("no"))
        return self.touch()
