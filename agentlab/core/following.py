"""Many who listen on one trace, each to a run of its own: none is asked about the others' runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from agentlab.core.events import Entry
from agentlab.core.protocols import Sink
from agentlab.core.session import AgentSession
from agentlab.core.trace import Part, Trace

Follower: TypeAlias = tuple[Sink, Collection[type] | None]  # who, and what it takes


class Followers:
    """One listener for all of them: with a thousand runs on a trace an entry costs no more."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._of: dict[str, tuple[Follower, ...]] = {}

    def __call__(self, entry: Entry, /) -> None:
        """Pass an entry on to the followers of its run and of those above it."""
        kind, run = type(entry.event), entry.run
        while run:
            for sink, takes in self._of.get(run, ()):
                if takes is None or kind in takes:
                    self._pass(run, sink, entry)
            run = run.rpartition("/")[0]

    def hears(self, sink: Sink, run: str) -> bool:
        """Tell whether ``sink`` follows that run or one above it."""
        while run:
            if any(each is sink for each, _ in self._of.get(run, ())):
                return True
            run = run.rpartition("/")[0]
        return False

    @contextmanager
    def following(self, run: str, *sinks: Sink) -> Iterator[None]:
        """Let these hear of a run, which is about to begin, while inside."""
        self._of[run] = tuple((sink, getattr(sink, "takes", None)) for sink in sinks)
        try:
            yield
        finally:
            del self._of[run]

    def _pass(self, run: str, sink: Sink, entry: Entry) -> None:
        try:
            sink(entry)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a sink raises, an exit too
            self._of[run] = tuple(each for each in self._of[run] if each[0] is not sink)
            self._trace.drop(sink, error)


@contextmanager
def followed(trace: Trace, session: AgentSession, *sinks: Sink) -> Iterator[AgentSession]:
    """Let ``session`` hear of its run, which is about to begin, while inside; and ``sinks`` too.

    A sink that hears of the run already does not hear of it twice.
    """
    run = session.session_id
    new = [sink for sink in sinks if not trace.hears(sink, run)]
    slow = [sink for sink in new if getattr(sink, "durable", False) or hasattr(sink, "flush")]
    parts = [Part(sink, run) for sink in slow]  # which keep a place of their own
    quick = [sink for sink in new if not any(sink is each for each in slow)]
    for part in parts:
        trace.attach(part)
    try:
        with trace.followers(Followers).following(run, session.apply, *quick):
            yield session
    finally:
        for part in parts:
            trace.detach(part)
