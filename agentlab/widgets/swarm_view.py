"""The live card of a swarm: the Python half. The other is ``widgets/src/swarm_view.js``."""

from __future__ import annotations

from agentlab.widgets.live import STATIC
from agentlab.widgets.run_view import RunView
from agentlab.widgets.swarming import Swarming


class SwarmView(RunView):
    """Shows the parts of a task, who is at which, what is enough, and what was cancelled."""

    _esm = STATIC / "swarm_view.js"
    fold = Swarming
