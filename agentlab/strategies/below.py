"""A strategy at work below a run: as a run of its own, on the same trace."""

from __future__ import annotations

from agentlab.core.drive import drive
from agentlab.core.protocols import Strategy
from agentlab.core.run import Run
from agentlab.core.session import AgentSession


async def below(child: Run, strategy: Strategy, goal: str) -> AgentSession:
    """Take ``child``, which another run made, to its end, and give its session.

    Raises
    ------
    BaseException
        Whatever ends it; the run above decides what that means.
    """
    session = AgentSession(session_id=child.id)
    sink = session.apply
    child.trace.attach(sink)
    try:
        return await drive(child, session, strategy, goal)
    finally:
        child.trace.detach(sink)
