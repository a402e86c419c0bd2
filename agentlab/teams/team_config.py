"""A team: who is in it, who hears whom, and how it comes to one answer. Values."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal, TypeAlias, get_args

from agentlab.core.bounds import at_least_one, callback
from agentlab.core.errors import InvalidValue
from agentlab.core.ids import AgentId
from agentlab.core.text import clean
from agentlab.teams.crew import a_limit, variant

OnAgentError: TypeAlias = Literal["skip", "raise"]


class CommunicationTopology(StrEnum):
    """Who hears whom."""

    Star = "star"
    Mesh = "mesh"
    Ring = "ring"


class ConsensusStrategy(StrEnum):
    """How many answers become one."""

    Parallel = "parallel"
    Majority = "majority"
    Pipeline = "pipeline"


@dataclass(frozen=True)
class AgentTeam:
    """A leader, members, and what they are to do.

    >>> AgentTeam("lead", ["ann", "bob"], "Classify the tickets").all_agents()
    ['lead', 'ann', 'bob']

    Parameters
    ----------
    leader : str
        Who has the last word.
    members : iterable of str
        The others, in order; there may be none.
    task : str
        What all of them work on.

    Raises
    ------
    InvalidValue
        An id is there twice, or empty.
    """

    leader: str
    members: Sequence[str]
    task: str

    def __post_init__(self) -> None:
        members: Any = self.members
        if isinstance(members, str) or not isinstance(members, Iterable):
            raise InvalidValue(f"members must be several ids, got {members!r}: put it in []")
        object.__setattr__(self, "leader", str(AgentId(self.leader)))
        object.__setattr__(self, "members", tuple(str(AgentId(each)) for each in members))
        object.__setattr__(self, "task", clean(self.task))
        seen = set[str]()
        for each in self.all_agents():
            if each in seen:
                raise InvalidValue(f"agent {each!r} is there twice")
            seen.add(each)

    def size(self) -> int:
        """Count the agents, the leader too."""
        return 1 + len(self.members)

    def contains(self, agent_id: str) -> bool:
        """Tell whether somebody of that id is in it."""
        return agent_id == self.leader or agent_id in self.members

    def all_agents(self) -> list[str]:
        """List them, the leader first."""
        return [self.leader, *self.members]

    def is_solo(self) -> bool:
        """Tell whether the leader is alone."""
        return not self.members

    def member_at(self, index: int) -> str | None:
        """Give the member at ``index``, from zero, or None."""
        return self.members[index] if 0 <= index < len(self.members) else None


@dataclass(frozen=True)
class TeamConfig:
    """How a team works; a ``with_`` method gives a changed copy.

    Parameters
    ----------
    team : AgentTeam
        Who, and on what.
    topology : CommunicationTopology
        Who hears whom: in a star the leader hears all and all hear the leader, in a mesh all hear
        all, in a ring each hears the one before.
    consensus : ConsensusStrategy
        In ``Parallel`` the leader makes one answer of the members'; in ``Majority`` all vote; in
        ``Pipeline`` each goes on from the one before, the leader last.
    max_rounds : int
        How many rounds there may be where ``multi_round`` is on.
    bus_capacity : int
        How many unread messages an agent may have.
    roles : mapping of str to str
        Roles that are not ``leader`` and ``member``, by agent.
    multi_round : bool
        Go on until nobody changes an answer, or most agree. From the second round on everybody
        is told what reached them in the round before.
    on_agent_error : {"skip", "raise"}
        Go on without an agent that fails, which is noted in the result, or stop all.
    timeout_s : float, optional
        How long each answer may take, in seconds of real time.
    key : callable, optional
        Gives what two answers must have in common to count as the same; by default their words,
        whatever their case and spaces, without a final period.
    max_answer_chars : int
        How many letters of answers the leader is given in all.
    """

    team: AgentTeam
    topology: CommunicationTopology = CommunicationTopology.Star
    consensus: ConsensusStrategy = ConsensusStrategy.Parallel
    max_rounds: int = 3
    bus_capacity: int = 256
    roles: Mapping[str, str] = field(default_factory=dict)
    multi_round: bool = False
    on_agent_error: OnAgentError = "skip"
    timeout_s: float | None = None
    key: Callable[[str], Hashable] | None = None
    max_answer_chars: int = 16_000

    def __post_init__(self) -> None:
        if not isinstance(self.team, AgentTeam):
            raise InvalidValue(f"team must be an AgentTeam, got {self.team!r:.80}")
        for name, kind in (("topology", CommunicationTopology), ("consensus", ConsensusStrategy)):
            object.__setattr__(self, name, variant(kind, name, getattr(self, name)))
        if not isinstance(self.roles, Mapping):
            raise InvalidValue(f"roles must be a mapping of ids to roles, got {self.roles!r:.80}")
        object.__setattr__(self, "roles", {k: clean(v) for k, v in dict(self.roles).items()})
        for name in ("max_rounds", "bus_capacity", "max_answer_chars"):
            at_least_one(name, getattr(self, name))
        a_limit("timeout_s", self.timeout_s)
        if self.key is not None:
            callback("key", self.key)
        if self.on_agent_error not in get_args(OnAgentError):
            known = get_args(OnAgentError)
            raise InvalidValue(
                f"on_agent_error must be one of {known}, got {self.on_agent_error!r}"
            )
        for agent in self.roles:
            if not self.team.contains(agent):
                raise InvalidValue(f"roles name {agent!r}, who is not in the team")

    def with_topology(self, topology: CommunicationTopology) -> TeamConfig:
        """Give a copy in which others hear each other."""
        return replace(self, topology=topology)

    def with_consensus(self, consensus: ConsensusStrategy) -> TeamConfig:
        """Give a copy that comes to its answer in another way."""
        return replace(self, consensus=consensus)

    def with_max_rounds(self, rounds: int) -> TeamConfig:
        """Give a copy with another number of rounds, where ``multi_round`` is on."""
        return replace(self, max_rounds=rounds)

    def with_bus_capacity(self, capacity: int) -> TeamConfig:
        """Give a copy whose agents may have another number of unread messages."""
        return replace(self, bus_capacity=capacity)

    def with_role(self, agent_id: str, role: str) -> TeamConfig:
        """Give a copy in which an agent has another role."""
        return replace(self, roles={**self.roles, agent_id: role})

    def role_for(self, agent_id: str) -> str:
        """Give an agent's role."""
        usual = "leader" if agent_id == self.team.leader else "member"
        return self.roles.get(agent_id, usual)

    def same(self, answer: str) -> Hashable:
        """Give what answers that count as the same have in common."""
        return normalised(answer) if self.key is None else self.key(answer)

    def rounds(self) -> int:
        """Tell how many rounds there may be."""
        return self.max_rounds if self.multi_round else 1


def normalised(answer: str) -> str:
    """Give an answer as it is compared.

    >>> normalised("  Yes,  of course. ") == normalised("yes, of COURSE")
    True
    """
    text = " ".join(unicodedata.normalize("NFC", answer).split()).casefold()
    return text.removesuffix(".").rstrip()
