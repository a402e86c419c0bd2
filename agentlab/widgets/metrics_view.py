"""Metrics that move while runs go on: the Python half."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from agentlab.core.sync import portal
from agentlab.widgets.coalescer import LIVE, Coalescer
from agentlab.widgets.explorer import Explorer
from agentlab.widgets.live import STATIC
from agentlab.widgets.readings import Readings, read

if TYPE_CHECKING:
    from agentlab.observe.agent_metrics import AgentMetricsRegistry
    from agentlab.observe.metrics import RuntimeMetrics
    from agentlab.observe.prometheus import MetricsRegistry

EVERY_S = 0.5


class MetricsView(Explorer):
    """Shows metrics as they are, read twice a second, and how they moved in the last minute.

    They are read on a loop of its own thread, so that a cell that keeps the kernel busy, as a
    blocking run does, is watched too. When nothing changes, nothing is sent; where nobody is there
    to see it, nothing is read.

    Parameters
    ----------
    subject : RuntimeMetrics, AgentMetricsRegistry or MetricsRegistry
        What is read.
    coalescer : Coalescer
        With whom it speaks.
    """

    _esm = STATIC / "metrics_view.js"

    def __init__(
        self,
        subject: RuntimeMetrics | AgentMetricsRegistry | MetricsRegistry,
        coalescer: Coalescer = LIVE,
    ) -> None:
        self._readings, self._cells = Readings(), dict[str, Any]()
        self._now: Any = None
        self._closed = False
        super().__init__(subject, coalescer)
        if self.comm:
            portal().start_task_soon(self._begin)

    def changes(self) -> dict[str, Any]:
        """Give the metrics as they were read last."""
        return self._cells

    def close(self) -> None:
        """Read no more; leave the card as it is now, and nothing else."""
        self._closed = True
        super().close()

    async def _begin(self) -> None:
        self._read()

    def _read(self) -> None:
        import asyncio

        if self._closed:
            return
        now = read(self.subject)
        self._cells = self._readings.take(now, time.monotonic())
        self.touch()
        if now != self._now:
            self._now = now
            self.freshen()
        asyncio.get_running_loop().call_later(EVERY_S, self._read)
