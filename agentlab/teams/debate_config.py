"""A debate: who holds what, for how many rounds, and what was said. Values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import msgspec
from msgspec.structs import force_setattr

from agentlab.core.bounds import at_least_one, each_of
from agentlab.core.doors import Displayable, Plottable
from agentlab.core.errors import InvalidValue
from agentlab.core.ids import AgentId
from agentlab.core.portable import Portable
from agentlab.core.text import clean
from agentlab.core.trace import Trace
from agentlab.teams.crew import a_limit
from agentlab.teams.results import Traced

MODERATOR = "moderator"
NEAR = 1e-9  # scores that differ by less are equal


class DebaterPosition(Portable, Displayable, msgspec.Struct, frozen=True):
    """Who argues for what."""

    name: str
    position: str

    def __post_init__(self) -> None:
        force_setattr(self, "name", str(AgentId(self.name)))
        force_setattr(self, "position", clean(self.position))


@dataclass(frozen=True)
class DebateConfig:
    """How a debate goes; a ``with_`` method gives a changed copy.

    >>> sides = [DebaterPosition("ann", "for"), DebaterPosition("bob", "against")]
    >>> DebateConfig("Tabs?").with_positions(sides).with_rounds(3).calls()
    13

    Parameters
    ----------
    topic : str
        What it is about.
    positions : iterable of DebaterPosition
        Who argues for what: two at least, each of another name.
    rounds : int
        How many: the first opens, the others answer.
    enable_peer_scoring : bool
        Let every debater judge every other one's arguments.
    max_argument_chars : int
        How long an argument may be; what is longer is cut.
    neutral_fallback : bool
        Count a judgement without a number as 0.5, or else leave it out.
    moderator_scores : bool
        Let the moderator judge as well.
    timeout_s : float, optional
        How long each answer may take, in seconds of real time.
    """

    topic: str
    positions: Sequence[DebaterPosition] = ()
    rounds: int = 2
    enable_peer_scoring: bool = True
    max_argument_chars: int = 500
    neutral_fallback: bool = True
    moderator_scores: bool = False
    timeout_s: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "topic", clean(self.topic))
        given = each_of("positions", self.positions, DebaterPosition)
        object.__setattr__(self, "positions", given)
        at_least_one("rounds", self.rounds)
        at_least_one("max_argument_chars", self.max_argument_chars)
        a_limit("timeout_s", self.timeout_s)

    def with_positions(self, positions: Iterable[DebaterPosition]) -> DebateConfig:
        """Give a copy with other debaters."""
        return replace(self, positions=tuple(positions))

    def with_rounds(self, rounds: int) -> DebateConfig:
        """Give a copy with another number of rounds."""
        return replace(self, rounds=rounds)

    def without_peer_scoring(self) -> DebateConfig:
        """Give a copy in which nobody judges the others."""
        return replace(self, enable_peer_scoring=False)

    def with_max_argument_chars(self, count: int) -> DebateConfig:
        """Give a copy whose arguments may be of another length."""
        return replace(self, max_argument_chars=count)

    def names(self) -> list[str]:
        """List the debaters."""
        return [each.name for each in self.positions]

    def check(self) -> None:
        """See that it can be held.

        Raises
        ------
        InvalidValue
            There are fewer than two debaters, two of one name, or one called moderator.
        """
        names = self.names()
        if len(names) < 2:  # noqa: PLR2004
            raise InvalidValue(f"a debate needs two debaters at least, got {names!r}")
        for name in names:
            if names.count(name) > 1:
                raise InvalidValue(f"debater {name!r} is there twice")
        if MODERATOR in names:
            raise InvalidValue(f"the name {MODERATOR!r} is the moderator's, got {names!r}")

    def calls(self) -> int:
        """Tell how many answers it takes, where nobody fails."""
        n = len(self.positions)
        judged = n * (n - 1) * self.enable_peer_scoring + n * self.moderator_scores
        return self.rounds * (n + judged) + 1


class Argument(Portable, Displayable, msgspec.Struct, frozen=True):
    """What a debater said in a round, or why it said nothing, and how it was judged.

    ``cut`` is how many letters were too many; ``flags`` tells of scores that were oddly said.
    """

    agent_id: str
    round: int
    text: str
    peer_scores: dict[str, float] = {}
    error: str | None = None
    cut: int = 0
    flags: dict[str, str] = {}
    ms: int = 0

    def mean_peer_score(self) -> float | None:
        """Give the mean of its scores, or None where nobody judged it."""
        scores = self.peer_scores.values()
        return sum(scores) / len(scores) if scores else None


class DebateRound(Portable, Displayable, msgspec.Struct, frozen=True):
    """The arguments of a round, by the names of the debaters."""

    round: int
    arguments: tuple[Argument, ...]

    def argument_by(self, agent_id: str) -> Argument | None:
        """Give what a debater said."""
        return next((each for each in self.arguments if each.agent_id == agent_id), None)

    def leading_argument(self) -> Argument | None:
        """Give the argument that was judged best, the first of equals by name."""
        judged = [each for each in self.arguments if each.peer_scores]
        return max(judged, key=lambda each: each.mean_peer_score() or 0.0, default=None)


class ScoreError(Portable, Displayable, msgspec.Struct, frozen=True):
    """A judgement that could not be had or read."""

    by: str
    of: str
    round: int
    reason: str


class ArgumentRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """An argument; a row of a debate's frame."""

    round: int
    debater: str
    position: str
    text: str
    score: float | None
    scores: dict[str, float]
    error: str | None
    ms: int


@dataclass(frozen=True, repr=False)
class DebateSession(Traced, Plottable):
    """A debate that was held.

    Attributes
    ----------
    topic : str
        What it was about.
    rounds : tuple of DebateRound
        What was said.
    synthesis : str or None
        What the moderator made of it; ``answer`` is the same. None where the moderator failed.
    cumulative_scores : dict of str to float
        Of each debater, the sum over all rounds of the mean score.
    positions : tuple of DebaterPosition
        Who argued for what.
    score_errors : tuple of ScoreError
        Judgements that were none.
    calls : int
        How many answers it took.
    error : str or None
        Why there is no synthesis.
    trace : Trace or None
        All that was said.
    """

    topic: str
    rounds: tuple[DebateRound, ...]
    synthesis: str | None
    cumulative_scores: dict[str, float]
    positions: tuple[DebaterPosition, ...] = ()
    score_errors: tuple[ScoreError, ...] = ()
    calls: int = 0
    duration_ms: int = 0
    error: str | None = None
    trace: Trace | None = field(default=None, compare=False, repr=False)

    def __repr__(self) -> str:
        won = self.winner_id()
        rounds = f"{len(self.rounds)} round{'s' * (len(self.rounds) != 1)}"
        return f"<DebateSession {self.topic[:60]!r}, {rounds}, {won or 'no'} winner>"

    @property
    def answer(self) -> str | None:
        """What the debate came to."""
        return self.synthesis

    @property
    def stop_reason(self) -> Literal["final_answer", "error"]:
        """How it ended."""
        return "final_answer" if self.synthesis is not None else "error"

    def winner_id(self) -> str | None:
        """Give who has the highest score; nobody, where two have it or it is nothing."""
        ranked = sorted(self.cumulative_scores.items(), key=lambda each: -each[1])
        if not ranked or ranked[0][1] <= 0:
            return None
        tie = len(ranked) > 1 and ranked[0][1] - ranked[1][1] <= NEAR
        return None if tie else ranked[0][0]

    def arguments(self) -> list[Argument]:
        """List all arguments, round by round."""
        return [argument for each in self.rounds for argument in each.arguments]

    def rows(self) -> list[ArgumentRow]:
        """Give a row an argument."""
        held = {each.name: each.position for each in self.positions}
        return [
            ArgumentRow(
                each.round, each.agent_id, held.get(each.agent_id, ""), each.text,
                each.mean_peer_score(), each.peer_scores, each.error, each.ms,
            )
            for each in self.arguments()
        ]  # fmt: skip

    def summary(self) -> str:
        """Say in a few lines how it ended."""
        scores = ", ".join(f"{name} {score:.2f}" for name, score in self.cumulative_scores.items())
        lines = [
            f"Debate: {self.topic}",
            f"Rounds: {len(self.rounds)}",
            f"Scores: {scores}" if scores else "Scores: none",
            f"Winner: {self.winner_id() or 'tie'}",
            f"Synthesis: {self.synthesis}"
            if self.synthesis is not None
            else f"Error: {self.error}",
        ]
        return "\n".join(lines)

    def transcript(self) -> str:
        """Write down all that was said, and how it was judged."""
        lines = [f"Topic: {self.topic}"]
        for each in self.rounds:
            lines += ["", f"Round {each.round}"]
            for argument in each.arguments:
                score = argument.mean_peer_score()
                judged = "" if score is None else f" [{score:.2f}]"
                said = argument.text if argument.error is None else f"({argument.error})"
                lines.append(f"{argument.agent_id}{judged}: {said}")
        if self.synthesis is not None:
            lines += ["", f"Moderator: {self.synthesis}"]
        return "\n".join(lines)
