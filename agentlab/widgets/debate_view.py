"""The live card of a debate: the Python half. The other is ``widgets/src/debate_view.js``."""

from __future__ import annotations

from agentlab.widgets.debating import Debating
from agentlab.widgets.live import STATIC
from agentlab.widgets.run_view import RunView


class DebateView(RunView):
    """Shows what debaters say side by side, how they are judged, and what it comes to."""

    _esm = STATIC / "debate_view.js"
    fold = Debating
