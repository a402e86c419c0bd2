"""Everybody against everybody: who wins how often, and how sure that is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import msgspec

from agentlab.core.bounds import a_text, at_least_one, each_of, finite_number, several
from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.doors import Displayable, Plottable, Tabular
from agentlab.core.errors import InvalidValue
from agentlab.core.portable import Portable
from agentlab.core.sync import twin
from agentlab.teams.crew import as_workers
from agentlab.teams.debate import DebateOrchestrator
from agentlab.teams.debate_config import (
    MODERATOR,
    DebateConfig,
    DebaterPosition,
    DebateSession,
)
from agentlab.teams.together import together

SIDES = ("for", "against")
DRAWS, LEVEL = 2000, 0.95


class Match(Portable, Displayable, msgspec.Struct, frozen=True):
    """A debate of two, as one of them saw it; a row of a tournament's frame.

    ``score`` is the mean of its scores in all rounds, and ``points`` 1 for a win, 0.5 for a tie.
    """

    match: int
    debater: str
    opponent: str
    side: str
    spoke_first: bool
    seed: int
    score: float
    opponent_score: float
    points: float
    error: str | None = None


class Standing(Portable, Displayable, msgspec.Struct, frozen=True):
    """How a debater did: shares of points and mean scores, each with its interval."""

    debater: str
    matches: int
    wins: int
    ties: int
    losses: int
    points: float
    points_low: float
    points_high: float
    score: float
    score_low: float
    score_high: float


@dataclass(frozen=True, repr=False)
class Tournament(Portable, Displayable, Tabular, Plottable):
    """A tournament that was held.

    Attributes
    ----------
    topic : str
        What every debate was about.
    matches : tuple of Match
        Two a debate, one as each debater saw it.
    standings : tuple of Standing
        How each did, the best first.
    rounds : int
        How many rounds a debate had.
    level : float
        How sure the intervals are.
    calls : int
        How many answers it took.
    """

    topic: str
    matches: tuple[Match, ...]
    standings: tuple[Standing, ...]
    rounds: int
    level: float = LEVEL
    calls: int = 0

    def __repr__(self) -> str:
        debates, best = len(self.matches) // 2, self.standings[0]
        return (
            f"<Tournament {self.topic[:60]!r}, {debates} debates, {best.debater!r} leads with"
            f" {best.points:.0%} of the points>"
        )

    def wins(self) -> dict[str, dict[str, float]]:
        """Give, of each debater, how many points it has against each other."""
        table: dict[str, dict[str, float]] = {each.debater: {} for each in self.standings}
        for each in self.matches:
            mine = table[each.debater]
            mine[each.opponent] = mine.get(each.opponent, 0.0) + each.points
        return table


async def tournament(  # noqa: PLR0913 - each may be chosen, all but two have a default
    topic: str,
    debaters: Mapping[str, Any] | Iterable[str | DebaterPosition],
    *,
    infer: Any = None,
    rounds: int = 2,
    seeds: Sequence[int] = (0,),
    sides: tuple[str, str] = SIDES,
    moderator: Any = None,
    at_once: int = 4,
    level: float = LEVEL,
    clock: Clock = SYSTEM_CLOCK,
) -> Tournament:
    """Let every debater meet every other one, both ways round, with each seed.

    A debater without a position of its own argues for each of the two sides once; one that has
    its own speaks first once, and second once. Intervals are by the bootstrap over pairs of
    debates, those both ways round with one seed, for these are not independent.

    Parameters
    ----------
    topic : str
        What every debate is about.
    debaters : mapping, or iterable of str or DebaterPosition
        Who there is; in a mapping what each is: a runtime, a strategy, a model, a function.
    infer : callable or model, optional
        ``infer(agent_id, prompt)``, for whoever is nothing of its own.
    rounds : int
        How many rounds a debate has.
    seeds : sequence of int
        One series of debates for each; it is sent to the models with every question.
    sides : two str
        What there is to argue for.
    moderator : optional
        What the moderator is, where it is not ``infer``.
    at_once : int
        How many debates are held at a time.
    level : float
        How sure the intervals are to be.
    clock : Clock
        What everything but deadlines reads.

    Raises
    ------
    InvalidValue
        There are fewer than two debaters, or no seeds.
    """
    topic, seeds = a_text("topic", topic), several("seeds", seeds)
    held = positions_of(several("debaters", debaters))
    if len(held) < 2 or len(seeds) < 1:  # noqa: PLR2004
        raise InvalidValue(f"it takes two debaters and a seed, got {[*held]!r}, seeds {seeds!r}")
    if len(each_of("sides", sides, str)) != 2:  # noqa: PLR2004
        raise InvalidValue(f"there are two sides to argue for, got {sides!r}")
    if not finite_number(level) or not 0 < level < 1:
        raise InvalidValue(f"level must be between 0 and 1, got {level!r}")
    given = debaters.items() if isinstance(debaters, Mapping) else ()
    workers = as_workers({name: what for name, what in given if what is not None}, held)
    if moderator is not None:
        workers.update(as_workers({MODERATOR: moderator}, [MODERATOR]))
    gate = asyncio.Semaphore(at_least_one("at_once", at_once))

    async def debate(pair: tuple[DebaterPosition, ...], seed: int) -> DebateSession:
        mine = {name: workers[name] for name in (pair[0].name, pair[1].name, MODERATOR)
                if name in workers}  # fmt: skip
        config = DebateConfig(topic, pair, rounds)
        async with gate:
            return await DebateOrchestrator(config, clock=clock, seed=seed).run(infer, agents=mine)

    plan = [
        (pair, seed)
        for a, b in combinations(held, 2)
        for seed in seeds
        for pair in both_ways(held[a], held[b], sides)
    ]
    sessions = await together(debate(pair, seed) for pair, seed in plan)
    matches = [
        row
        for no, ((pair, seed), session) in enumerate(zip(plan, sessions, strict=True))
        for row in seen(no, pair, seed, session)
    ]
    best = sorted(
        (standing(name, matches, level) for name in held),
        key=lambda each: (-each.points, -each.score),
    )
    calls = sum(session.calls for session in sessions)
    return Tournament(topic, tuple(matches), tuple(best), rounds, level, calls)


tournament_sync = twin(tournament)


def positions_of(debaters: Iterable[str | DebaterPosition]) -> dict[str, DebaterPosition]:
    """Give each debater its position; an empty one where it has none.

    Raises
    ------
    InvalidValue
        Two have one name.
    """
    held = dict[str, DebaterPosition]()
    for each in debaters:
        one = each if isinstance(each, DebaterPosition) else DebaterPosition(each, "")
        if one.name in held:
            raise InvalidValue(f"debater {one.name!r} is there twice")
        held[one.name] = one
    return held


def both_ways(
    a: DebaterPosition, b: DebaterPosition, sides: tuple[str, str]
) -> list[tuple[DebaterPosition, ...]]:
    """Give the two debates of a pair; sides are dealt to those that have none."""

    def dealt(one: DebaterPosition, side: str) -> DebaterPosition:
        return one if one.position else DebaterPosition(one.name, side)

    return [
        (dealt(a, sides[0]), dealt(b, sides[1])),
        (dealt(b, sides[0]), dealt(a, sides[1])),
    ]


def seen(
    no: int, pair: tuple[DebaterPosition, ...], seed: int, session: DebateSession
) -> list[Match]:
    """Give a debate as each of its two debaters saw it."""
    winner, rounds = session.winner_id(), len(session.rounds)
    means = {name: total / rounds for name, total in session.cumulative_scores.items()}
    rows = list[Match]()
    for one, other in (pair, pair[::-1]):
        points = 0.5 if winner is None else float(winner == one.name)
        rows.append(
            Match(
                no, one.name, other.name, one.position, one is pair[0], seed, means[one.name],
                means[other.name], points, session.error,
            )
        )  # fmt: skip
    return rows


def standing(name: str, matches: Sequence[Match], level: float) -> Standing:
    """Say how a debater did, and how sure that is."""
    mine = [each for each in matches if each.debater == name]
    blocks: dict[tuple[str, int], list[Match]] = {}
    for each in mine:
        blocks.setdefault((each.opponent, each.seed), []).append(each)
    points = [[each.points for each in block] for block in blocks.values()]
    scores = [[each.score for each in block] for block in blocks.values()]
    return Standing(
        name, len(mine), sum(each.points == 1 for each in mine),
        sum(each.points == 0.5 for each in mine), sum(each.points == 0 for each in mine),  # noqa: PLR2004
        *interval(points, level), *interval(scores, level),
    )  # fmt: skip


def interval(blocks: Sequence[Sequence[float]], level: float) -> tuple[float, float, float]:
    """Give the mean of some values, and where it lies: the bootstrap over blocks, by percentile.

    The blocks are of one size. The draws are always the same, so that the interval repeats.

    Source of the method: Efron 1979, "Bootstrap methods: another look at the jackknife".
    """
    import numpy as np

    means = np.array([sum(block) / len(block) for block in blocks])
    draws = np.random.default_rng(0).integers(len(means), size=(DRAWS, len(means)))
    some = means[draws].mean(axis=1)
    low, high = np.quantile(some, [(1 - level) / 2, (1 + level) / 2])
    return float(means.mean()), float(low), float(high)
