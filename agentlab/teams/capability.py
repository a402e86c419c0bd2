"""What agents say they can do, what is asked for, and how well these fit: values and rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import force_setattr

from agentlab.core.bounds import a_name, a_text, not_negative, texts
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import InvalidValue
from agentlab.core.ids import AgentId
from agentlab.core.portable import Portable
from agentlab.core.text import canonical, clean, one_line

SHOWN = 6  # tags, or matches, that are named in one line


class AgentHealth(StrEnum):
    """How an agent is; ``factor`` is what its scores are multiplied by."""

    Healthy = "healthy"
    Degraded = "degraded"
    Unhealthy = "unhealthy"
    Unknown = "unknown"

    @property
    def factor(self) -> float:
        """What a score is multiplied by."""
        return FACTORS[self]


FACTORS = {
    AgentHealth.Healthy: 1.0,
    AgentHealth.Degraded: 0.6,
    AgentHealth.Unhealthy: 0.0,
    AgentHealth.Unknown: 0.0,
}


class Capability(Portable, Displayable, msgspec.Struct, frozen=True):
    """Something an agent can do.

    >>> Capability("summarise", tags=["text", "nlp"])
    <Capability 'summarise': text, nlp>

    Parameters
    ----------
    name, description : str
        What it is called, and what it does.
    tags : iterable of str
        What it is found by; case and blanks round them do not matter.
    input_schema, output_schema : JSON, optional
        What it takes and gives.
    avg_latency_ms, cost_per_call_usd : float, optional
        How long it takes, and what it costs, if that is known.

    Raises
    ------
    InvalidValue
        It has no name, or a value is of another kind.
    """

    name: str
    description: str = ""
    tags: Sequence[str] = ()
    input_schema: dict[str, Any] | None = None
    output_schema: dict[str, Any] | None = None
    avg_latency_ms: float | None = None
    cost_per_call_usd: float | None = None

    def __post_init__(self) -> None:
        force_setattr(self, "name", clean(a_name("a capability's name", self.name)))
        force_setattr(self, "description", a_text("description", self.description))
        force_setattr(self, "tags", texts("tags", self.tags))
        for field in ("input_schema", "output_schema"):
            force_setattr(self, field, canonical(getattr(self, field)))
        bounded(self, "avg_latency_ms", "cost_per_call_usd")

    def __repr__(self) -> str:
        told = f": {', '.join(self.tags)}" if self.tags else ""
        return one_line(f"<Capability {self.name!r}{told}>")


class AgentAdvertisement(Portable, Displayable, msgspec.Struct, frozen=True):
    """An agent, and what it says it can do; a registry sets the times.

    >>> AgentAdvertisement("a1", "Ann", [Capability("summarise")])
    <AgentAdvertisement 'a1', healthy: summarise>
    """

    agent_id: str
    agent_name: str = ""
    capabilities: Sequence[Capability] = ()
    endpoint: str | None = None
    registered_at: datetime | None = None
    last_heartbeat: datetime | None = None
    health: AgentHealth = AgentHealth.Healthy

    def __post_init__(self) -> None:
        if not isinstance(self.agent_id, str):
            raise InvalidValue(f"agent_id must be a name, got {self.agent_id!r:.80}")
        force_setattr(self, "agent_id", str(AgentId(self.agent_id)))
        force_setattr(self, "agent_name", a_text("agent_name", self.agent_name))
        if self.endpoint is not None:
            force_setattr(self, "endpoint", a_text("endpoint", self.endpoint))
        several = not isinstance(self.capabilities, str | Capability)
        if not several or not isinstance(self.capabilities, Iterable):
            raise InvalidValue(f"capabilities must be several, got {self.capabilities!r:.80}")
        force_setattr(self, "capabilities", tuple(self.capabilities))
        for each in self.capabilities:
            if not isinstance(each, Capability):
                raise InvalidValue(f"each of capabilities must be a Capability, got {each!r:.80}")
        force_setattr(self, "health", a_health(self.health))

    def __repr__(self) -> str:
        told = ", ".join(each.name for each in self.capabilities)
        return one_line(
            f"<AgentAdvertisement {self.agent_id!r}, {self.health.value}: {told or 'nothing'}>"
        )


class CapabilityQuery(Portable, Displayable, msgspec.Struct, frozen=True):
    """What is asked for.

    >>> CapabilityQuery(["text"], ["nlp"], max_latency_ms=500).required_tags
    ('text',)

    Parameters
    ----------
    required_tags, preferred_tags : iterable of str
        What a capability must have, and should have.
    max_latency_ms, max_cost_usd : float, optional
        What it may take.
    """

    required_tags: Sequence[str] = ()
    preferred_tags: Sequence[str] = ()
    max_latency_ms: float | None = None
    max_cost_usd: float | None = None

    def __post_init__(self) -> None:
        for field in ("required_tags", "preferred_tags"):
            force_setattr(self, field, texts(field, getattr(self, field)))
        bounded(self, "max_latency_ms", "max_cost_usd")

    def admits(self, capability: Capability, *, strict: bool = False) -> bool:
        """Tell whether a capability has all required tags, and is within the limits.

        What is not known is within them, unless ``strict``.
        """
        if not tag_set(self.required_tags) <= tag_set(capability.tags):
            return False
        return all(
            limit is None or (not strict if value is None else value <= limit)
            for value, limit in (
                (capability.avg_latency_ms, self.max_latency_ms),
                (capability.cost_per_call_usd, self.max_cost_usd),
            )
        )


class CapabilityMatch(Portable, Displayable, msgspec.Struct, frozen=True):
    """A capability of an agent, how well it fits, and why.

    Attributes
    ----------
    agent_id, capability, score
        Whose, which, and from 0 to 1 how well.
    shared, of_tags : tuple of str, int
        The tags that are asked for and there, and how many there are in both together: the first
        by the second is Jaccard's index. Where no tag is asked for, ``of_tags`` is 0, and health
        alone counts.
    health : AgentHealth
        How the agent is; its factor is multiplied by.
    """

    agent_id: str
    capability: Capability
    score: float
    shared: tuple[str, ...] = ()
    of_tags: int = 0
    health: AgentHealth = AgentHealth.Healthy

    def __repr__(self) -> str:
        return one_line(f"<CapabilityMatch {self.agent_id!r} {self.capability.name!r}: {self!s}>")

    def __str__(self) -> str:
        more = ", …" if len(self.shared) > SHOWN else ""
        named = f" ({', '.join(self.shared[:SHOWN])}{more})" if self.shared else ""
        tags = f"{len(self.shared)}/{self.of_tags} tags{named}" if self.of_tags else "no tags asked"
        return f"{self.score:.2f} = {tags} × {self.health.value} {self.health.factor:.1f}"


class CapabilityMatchRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """A match as a row of a frame."""

    agent_id: str
    capability: str
    score: float
    shared: tuple[str, ...]
    of_tags: int
    health: str
    avg_latency_ms: float | None
    cost_per_call_usd: float | None


class CapabilityMatches(Tabular, Displayable, list[CapabilityMatch]):
    """Matches, best first."""

    def __init__(self, found: Iterable[CapabilityMatch] = ()) -> None:
        super().__init__(found)

    def __repr__(self) -> str:
        told = ", ".join(f"{each.agent_id} {each.score:.2f}" for each in self[:SHOWN])
        more = ", …" if len(self) > SHOWN else ""
        return one_line(f"<CapabilityMatches {told or 'none'}{more}>")

    def rows(self) -> list[CapabilityMatchRow]:
        """Give a row a match."""
        return [
            CapabilityMatchRow(
                each.agent_id,
                each.capability.name,
                each.score,
                each.shared,
                each.of_tags,
                each.health.value,
                each.capability.avg_latency_ms,
                each.capability.cost_per_call_usd,
            )
            for each in self
        ]

    def to_dict(self) -> list[dict[str, Any]]:
        """Give them as plain JSON."""
        return [each.to_dict() for each in self]

    @classmethod
    def from_dict(cls, data: Sequence[dict[str, Any]]) -> CapabilityMatches:
        """Read what :meth:`to_dict` gave."""
        return cls(CapabilityMatch.from_dict(each) for each in data)


def scored(
    agent_id: str, capability: Capability, health: AgentHealth, query: CapabilityQuery
) -> CapabilityMatch:
    """Say how well a capability fits: Jaccard's index of the tags, times the health."""
    asked = tag_set(query.required_tags) | tag_set(query.preferred_tags)
    there = tag_set(capability.tags)
    shared, of_tags = asked & there, len(asked | there) if asked else 0
    share = len(shared) / of_tags if of_tags else 1.0
    score = share * health.factor
    return CapabilityMatch(agent_id, capability, score, tuple(sorted(shared)), of_tags, health)


def preference(found: CapabilityMatch) -> tuple[Any, ...]:
    """Rank equals: quicker, cheaper, by agent, by name; what is not known comes last."""
    late, cost = found.capability.avg_latency_ms, found.capability.cost_per_call_usd
    return (late is None, late or 0, cost is None, cost or 0, found.agent_id, found.capability.name)


def tag_set(tags: Iterable[str]) -> set[str]:
    """Give tags as they are compared."""
    return {tag.strip().casefold() for tag in tags} - {""}


def a_health(value: object) -> AgentHealth:
    """Give the health of that name."""
    try:
        return AgentHealth(str(value))
    except ValueError:
        known = ", ".join(AgentHealth)
        raise InvalidValue(f"health must be one of {known}, got {value!r:.80}") from None


def bounded(of: msgspec.Struct, *names: str) -> None:
    """See that some fields are numbers that can be waited for, or paid; or None."""
    for name in names:
        value = getattr(of, name)
        if value is not None:
            force_setattr(of, name, not_negative(name, value))
