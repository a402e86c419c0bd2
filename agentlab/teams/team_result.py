"""What came of a team: its answer, who said what in which round, and who heard it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from agentlab.core.doors import Displayable
from agentlab.core.portable import Portable
from agentlab.core.trace import Trace
from agentlab.teams.results import Traced
from agentlab.teams.team_config import CommunicationTopology, ConsensusStrategy, normalised


class TeamTurn(Portable, Displayable, msgspec.Struct, frozen=True):
    """What an agent said in a round, or why it said nothing."""

    round: int
    agent: str
    role: str
    answer: str | None = None
    error: str | None = None
    ms: int = 0


class Delivery(Portable, Displayable, msgspec.Struct, frozen=True):
    """A message of a round: from whom, for whom, and who it was brought to."""

    round: int
    sender: str
    target: str
    receivers: tuple[str, ...]


class TeamRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """An agent of a team; a row of a result's frame."""

    agent: str
    role: str
    answer: str | None
    error: str | None
    agrees: bool
    turns: int
    sent: int
    received: int
    ms: int


@dataclass(frozen=True, repr=False)
class TeamResult(Traced):
    """What a team came to.

    Attributes
    ----------
    final_answer : str
        The answer; ``answer`` is the same.
    agent_answers : dict of str to str
        What each agent said last, in the order of the team; the leader's is its synthesis or vote.
    consensus_used, topology_used
        How the team worked.
    rounds_completed : int
        How many rounds there really were.
    duration_ms : int
        How long it took.
    messages_exchanged : int
        How many messages were sent, however many heard them.
    task, leader : str
        What it was about, and who led.
    votes : dict of str to int
        How many voted for what, in its first spelling; only of a majority.
    tie : bool
        Whether no option had more votes than each other.
    errors : dict of str to str
        Why agents said nothing.
    turns : tuple of TeamTurn
        Who said what, round by round.
    deliveries : tuple of Delivery
        Who heard whom.
    trace : Trace or None
        All that was said.
    """

    final_answer: str
    agent_answers: dict[str, str]
    consensus_used: ConsensusStrategy
    rounds_completed: int
    duration_ms: int
    topology_used: CommunicationTopology
    messages_exchanged: int
    task: str = ""
    leader: str = ""
    votes: dict[str, int] = field(default_factory=dict)
    tie: bool = False
    errors: dict[str, str] = field(default_factory=dict)
    turns: tuple[TeamTurn, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    trace: Trace | None = field(default=None, compare=False, repr=False)

    def __repr__(self) -> str:
        agents, rounds = len(self.agents()), self.rounds_completed
        return (
            f"<TeamResult {self.final_answer[:60]!r}, {agents} agent{'s' * (agents != 1)},"
            f" {rounds} round{'s' * (rounds != 1)}>"
        )

    @property
    def answer(self) -> str:
        """What the team answers."""
        return self.final_answer

    def agents(self) -> list[str]:
        """List all that were to speak, in the order of the team."""
        asked = dict.fromkeys(turn.agent for turn in self.turns)
        return (
            list(dict.fromkeys([*self.agent_answers, *self.errors])) if not asked else list(asked)
        )

    def all_answered(self) -> bool:
        """Tell whether every agent answered."""
        return all(agent in self.agent_answers for agent in self.agents())

    def distinct_answer_count(self) -> int:
        """Count the different answers."""
        return len({normalised(answer) for answer in self.agent_answers.values()})

    def is_unanimous(self) -> bool:
        """Tell whether all that answered say the same."""
        return self.distinct_answer_count() == 1

    def rows(self) -> list[TeamRow]:
        """Give a row an agent."""
        final = normalised(self.final_answer)
        sent, received = self.traffic()
        return [
            TeamRow(
                agent=agent,
                role=next((turn.role for turn in self.turns if turn.agent == agent), ""),
                answer=self.agent_answers.get(agent),
                error=self.errors.get(agent),
                agrees=normalised(self.agent_answers.get(agent, "")) == final,
                turns=sum(turn.agent == agent for turn in self.turns),
                sent=sent.get(agent, 0),
                received=received.get(agent, 0),
                ms=sum(turn.ms for turn in self.turns if turn.agent == agent),
            )
            for agent in self.agents()
        ]

    def traffic(self) -> tuple[dict[str, int], dict[str, int]]:
        """Count the messages that each agent sent, and those that it was brought."""
        sent, received = dict[str, int](), dict[str, int]()
        for each in self.deliveries:
            sent[each.sender] = sent.get(each.sender, 0) + 1
            for agent in each.receivers:
                received[agent] = received.get(agent, 0) + 1
        return sent, received

    def links(self) -> dict[tuple[str, str], int]:
        """Count who heard whom, and how often."""
        counts = dict[tuple[str, str], int]()
        for each in self.deliveries:
            for agent in each.receivers:
                counts[each.sender, agent] = counts.get((each.sender, agent), 0) + 1
        return counts

    def answers_in(self, number: int) -> dict[str, str]:
        """Give what each agent said in a round, counted from 1."""
        return {
            turn.agent: turn.answer
            for turn in self.turns
            if turn.round == number and turn.answer is not None
        }


def decided(votes: dict[str, Any], leader: str) -> tuple[str, dict[str, int], bool]:
    """Count votes, each given as what it is for; ties go to the leader's, else to the earliest.

    >>> decided({"lead": "a", "ann": "b", "bob": "b", "cid": "a"}, "lead")
    ('lead', {'lead': 2, 'ann': 2}, True)

    Returns
    -------
    str, dict of str to int, bool
        The first who voted for what won; the votes of each option, by the first who voted for it;
        and whether it was a tie.
    """
    first, counts = dict[Any, str](), dict[str, int]()
    for agent, option in votes.items():
        who = first.setdefault(option, agent)
        counts[who] = counts.get(who, 0) + 1
    most = max(counts.values())
    best = [who for who, count in counts.items() if count == most]
    led = first[votes[leader]] if leader in votes else ""
    return (led if led in best else best[0]), counts, len(best) > 1
