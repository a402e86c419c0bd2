"""What a registry of agents knows of each, says of it, and shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec

from agentlab.core.doors import Displayable
from agentlab.core.portable import Portable
from agentlab.teams.capability import AgentAdvertisement


class Bus(Protocol):
    """Where news goes, as far as a registry needs it."""

    def send(self, message: Any, /) -> Any:
        """Send it; what this gives is awaited where it must be."""


class Announcement(Portable, Displayable, msgspec.Struct, frozen=True):
    """What a registry says to a bus.

    ``what`` is ``registered``, ``deregistered``, ``evicted``, or ``health`` where that changed.
    """

    what: str
    agent_id: str
    health: str
    at: datetime

    def __str__(self) -> str:
        return f"{self.what}: {self.agent_id} ({self.health})"


class AgentRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """An agent of a registry."""

    agent_id: str
    agent_name: str
    health: str
    stale: bool
    heartbeat_age_s: float
    capabilities: tuple[str, ...]
    tags: tuple[str, ...]
    endpoint: str | None
    registered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Known:
    """An agent, and when it was heard of last, by the clock that never goes back."""

    said: AgentAdvertisement
    beat: float

    def row(self, age_s: float, *, stale: bool) -> AgentRow:
        """Give it as a row."""
        said, capabilities = self.said, self.said.capabilities
        return AgentRow(
            said.agent_id,
            said.agent_name,
            said.health.value,
            stale,
            age_s,
            tuple(each.name for each in capabilities),
            tuple(dict.fromkeys(tag for each in capabilities for tag in each.tags)),
            said.endpoint,
            said.registered_at,
        )
