"""Many sessions on one trace: each hears of its own run, and none is asked about the others'."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agentlab.core.events import Entry
from agentlab.core.session import TAKEN, AgentSession

if TYPE_CHECKING:
    from agentlab.core.trace import Trace


class Followers:
    """One listener for all of them: with a thousand runs on a trace an entry costs no more."""

    takes = TAKEN

    def __init__(self) -> None:
        self._sessions: dict[str, AgentSession] = {}

    def __call__(self, entry: Entry, /) -> None:
        """Pass an entry on to the sessions of its run and of those above it."""
        run = entry.run
        while run:
            session = self._sessions.get(run)
            if session is not None:
                session.apply(entry)
            run = run.rpartition("/")[0]

    @contextmanager
    def following(self, session: AgentSession) -> Iterator[AgentSession]:
        """Let a session hear of its run, which is about to begin, while inside."""
        self._sessions[session.session_id] = session
        try:
            yield session
        finally:
            del self._sessions[session.session_id]


@contextmanager
def followed(trace: Trace, session: AgentSession) -> Iterator[AgentSession]:
    """Let ``session`` hear of its run, which is about to begin, while inside."""
    with trace.followers(Followers).following(session):
        yield session
