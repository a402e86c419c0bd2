"""A run, told to whoever listens from afar: a reader of its trace, like all that shows a run."""

from __future__ import annotations

from typing import Any

from agentlab.core.doors import Displayable
from agentlab.core.errors import InvalidValue
from agentlab.core.events import Entry, RunEnded, RunStarted
from agentlab.strategies.agent_events import AgentEvent, agent_event
from agentlab.strategies.broadcast import CAPACITY, StreamBroadcaster, StreamSubscription

__all__ = ["AgentEventStream"]


class AgentEventStream(Displayable):
    """Tell what an agent does, by hand or as a sink: ``AgentRuntime(sinks=[stream])``.

    As a sink it tells of one run: thoughts, calls of tools, what came of them, and in the end the
    result or the error. Where several runs go on at once, give each a stream of its own, which
    hears it from its beginning: subscribe, then ``handle.trace.attach(stream)``.

    Served by any HTTP framework, the answer's body is the subscription itself::

        StreamingResponse(stream.subscribe(), media_type="text/event-stream")

    >>> stream = AgentEventStream()
    >>> stream.emit_thought("nobody hears this")
    0

    Parameters
    ----------
    broadcaster : StreamBroadcaster, optional
        Who says it; by default one of its own.
    capacity : int
        How much a reader of its own broadcaster may have unread.
    children : bool
        Also tell of the thoughts, calls and observations of runs below the run it hears of; how
        those end is never told, for only the end of the run is the end of the stream.
    """

    def __init__(
        self,
        broadcaster: StreamBroadcaster | None = None,
        *,
        capacity: int = CAPACITY,
        children: bool = False,
    ) -> None:
        self.broadcaster = StreamBroadcaster(capacity) if broadcaster is None else broadcaster
        self.children = children
        self._heard: dict[str, None] = {}  # the runs under way

    def __repr__(self) -> str:
        return f"<AgentEventStream {self.receiver_count()} receivers>"

    def __call__(self, entry: Entry, /) -> None:
        """Take an entry of a trace."""
        fact, run = entry.event, entry.run
        below = self._is_below(run)
        if isinstance(fact, RunStarted):
            self._heard[run] = None
        ends = isinstance(fact, RunEnded)
        told = self.children and not ends if below else run in self._heard
        if told and (event := agent_event(fact)) is not None:
            self.broadcaster.send_event(event)
        if ends:
            self._heard.pop(run, None)

    def subscribe(self, *, until_end: bool = True) -> StreamSubscription:
        """Hear all that is told from now on; see :meth:`StreamBroadcaster.subscribe`."""
        return self.broadcaster.subscribe(until_end=until_end)

    def receiver_count(self) -> int:
        """Count who would hear what is told now."""
        return self.broadcaster.receiver_count()

    def close(self) -> None:
        """End it for all who listen, once they have read what there is."""
        self.broadcaster.close()

    def emit(self, event: AgentEvent) -> int:
        """Tell of an event; like all below, this gives how many hear it."""
        if not isinstance(event, AgentEvent):
            raise InvalidValue(f"this tells of an AgentEvent, got {event!r:.80}")
        return self.broadcaster.send_event(event)

    def emit_thought(self, content: str) -> int:
        """Tell what the agent thinks."""
        return self.emit(AgentEvent.Thought(content))

    def emit_action(self, tool: str, input: Any) -> int:  # noqa: A002 - the name in the JSON
        """Tell which tool it calls, and with what."""
        return self.emit(AgentEvent.Action(tool, input))

    def emit_observation(self, content: str) -> int:
        """Tell what came of that."""
        return self.emit(AgentEvent.Observation(content))

    def emit_result(self, content: str) -> int:
        """Tell the answer, which ends the stream for who listens."""
        return self.emit(AgentEvent.Result(content))

    def emit_error(self, content: str) -> int:
        """Tell why there is no answer, which ends the stream as well."""
        return self.emit(AgentEvent.Error(content))

    def _is_below(self, run: str) -> bool:
        """Tell whether it hears of a run above ``run``, whose id is a path."""
        while "/" in run:
            run = run.rpartition("/")[0]
            if run in self._heard:
                return True
        return False
