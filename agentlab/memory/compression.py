"""A conversation within a budget of tokens: what matters stays, the rest is summed up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any, NamedTuple, Self

from msgspec.structs import replace

from agentlab.core.bounds import at_least_one, count_of
from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.doors import Displayable
from agentlab.core.errors import WrongThread
from agentlab.core.guards import able
from agentlab.core.protocols import TokenEstimator
from agentlab.core.sync import on_portal, run_sync
from agentlab.memory.compressed import Compression, MemorySummary, TurnRow, row_of
from agentlab.memory.conversation import QUARTER, MemoryTurn, Role, in_time
from agentlab.memory.given import a_text, clamped
from agentlab.memory.importance import (
    Composite,
    EntityDensity,
    ImportanceStrategy,
    KeywordDensity,
    RecencyDecay,
    Strategy,
    a_strategy,
)
from agentlab.memory.summaries import as_summariser

__all__ = [
    "Composite",
    "Compression",
    "EntityDensity",
    "ImportanceStrategy",
    "KeywordDensity",
    "MemoryCompressor",
    "MemorySummary",
    "MemoryTurn",
    "RecencyDecay",
    "Role",
    "TurnRow",
]


class Part(NamedTuple):
    """Turns that follow each other and share a fate, and what stands for them if it is cheaper."""

    turns: list[MemoryTurn]
    stays: bool = False
    summary: MemorySummary | None = None

    @property
    def tokens(self) -> int:
        """How many tokens it takes as it is."""
        if self.summary:
            return self.summary.token_count
        return sum(turn.token_count for turn in self.turns)


class MemoryCompressor(Displayable):
    """Prune turns to a budget, and sum up the old ones that matter little.

    >>> from datetime import UTC, datetime
    >>> turns = [MemoryTurn(f"t{i}", "user", "ok", datetime(2030, 1, 1, 0, i, tzinfo=UTC),
    ...                     token_count=5) for i in range(20)]
    >>> compressor = MemoryCompressor(60).with_recency_keep(3)
    >>> compressor.compress(turns)
    <Compression 20 → 3 turns, 100 → 18 tokens>

    Parameters
    ----------
    max_tokens : int
        The budget, for turns and summaries together.
    recency_keep : int
        How many of the newest turns go last of all.
    importance_threshold : float
        The score from which on an older turn is kept.
    strategy : ImportanceStrategy
        How turns are scored; by names.
    summarizer : callable, optional
        Takes the texts of turns, oldest first, and gives what to say of them; it may be async.
    model : Model or callable, optional
        Writes that instead: a model, or a function of a prompt.
    token_estimator : TokenEstimator, optional
        Counts tokens; by default one for every four bytes.
    clock : Clock
        Tells how old turns are.
    """

    def __init__(  # noqa: PLR0913 - settings, all but one by name
        self,
        max_tokens: int,
        *,
        recency_keep: int = 10,
        importance_threshold: float = 0.3,
        strategy: Strategy | None = None,
        summarizer: Callable[[list[str]], Any] | None = None,
        model: Any = None,
        token_estimator: TokenEstimator = QUARTER,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.max_tokens = at_least_one("max_tokens", max_tokens)
        self.with_recency_keep(recency_keep)
        self.with_importance_threshold(importance_threshold)
        self.with_strategy(strategy or EntityDensity())
        self._summarise = as_summariser(summarizer, model)
        self._estimator = able(token_estimator, "count_tokens", "a token estimator")
        self._clock = clock

    def __repr__(self) -> str:
        return (
            f"<MemoryCompressor {self.max_tokens} tokens, newest {self.recency_keep} kept,"
            f" {self.strategy!r:.100} from {self.importance_threshold:g}>"
        )

    def with_recency_keep(self, count: int) -> Self:
        """Let the newest ``count`` turns go last of all."""
        self.recency_keep = count_of("recency_keep", count)
        return self

    def with_importance_threshold(self, threshold: float) -> Self:
        """Keep older turns from this score on; beyond 0 to 1 it is the nearer of the two."""
        self.importance_threshold = clamped("importance_threshold", threshold)
        return self

    def with_strategy(self, strategy: Strategy) -> Self:
        """Score turns so."""
        self.strategy = a_strategy(strategy)
        return self

    def estimate_tokens(self, text: str) -> int:
        """Guess how many tokens ``text`` is."""
        return count_of("a count of tokens", self._estimator.count_tokens(a_text("text", text)))

    def score_turn(self, turn: MemoryTurn) -> float:
        """Say how much ``turn`` matters now, from 0 to 1."""
        return clamped("a score", self.strategy.score(turn, self._clock.now()))

    def compress(self, turns: Iterable[MemoryTurn], *, force: bool = False) -> Compression:
        """Bring turns within the budget; give ``(kept, summaries, tokens_saved)``.

        The newest turns, and older ones that score enough, are kept; what lies between them is
        summed up, a summary a stretch, unless that costs as much as the turns. Where it is still
        too much the oldest summaries are dropped, then the oldest turns. So a turn that is
        protected is dropped only when nothing else is left.

        Parameters
        ----------
        turns : iterable of MemoryTurn
            In any order. Their scores are computed anew, and tokens that nobody counted estimated.
        force : bool
            Sum up even where all of it is within the budget.

        Raises
        ------
        WrongThread
            A summary is to be written, and this is the portal's own thread.
        """
        parts = self._parts(turns, force=force)
        if self._summarise is None or all(part.stays for part in parts):
            return self._finished([self._summed(part) for part in parts])
        if on_portal():
            raise WrongThread("'compress' would block the loop it runs on: await 'compress_async'")
        return run_sync(self._told, parts)

    async def compress_async(
        self, turns: Iterable[MemoryTurn], *, force: bool = False
    ) -> Compression:
        """Do as :meth:`compress`, and let others work while a summary is written."""
        return await self._told(self._parts(turns, force=force))

    async def _told(self, parts: list[Part]) -> Compression:
        done = []
        for part in parts:
            said = None
            if self._summarise and not part.stays:
                said = await self._summarise([turn.content for turn in part.turns])
            done.append(self._summed(part, said))
        return self._finished(done)

    def _parts(self, turns: Iterable[MemoryTurn], *, force: bool) -> list[Part]:
        """Split turns by what is to become of them."""
        scored = [self._scored(turn) for turn in in_time(turns)]
        if not force and sum(turn.token_count for turn in scored) <= self.max_tokens:
            return [Part([turn], stays=True) for turn in scored]
        recent = max(0, len(scored) - self.recency_keep)
        threshold = self.importance_threshold
        fates = [i >= recent or t.importance_score >= threshold for i, t in enumerate(scored)]
        parts = []
        for stays, group in groupby(zip(fates, scored, strict=True), key=lambda pair: pair[0]):
            found = [turn for _, turn in group]
            parts += [Part([turn], stays=True) for turn in found] if stays else [Part(found)]
        return parts

    def _scored(self, turn: MemoryTurn) -> MemoryTurn:
        tokens = turn.token_count or self.estimate_tokens(turn.content)
        return replace(turn, importance_score=self.score_turn(turn), token_count=tokens)

    def _summed(self, part: Part, said: str | None = None) -> Part:
        """Sum a part up, where it is to be and that is cheaper."""
        if part.stays:
            return part
        summary = MemorySummary.of(part.turns, self.estimate_tokens, said)
        return part._replace(summary=summary) if summary.token_count < part.tokens else part

    def _finished(self, parts: list[Part]) -> Compression:
        """Drop what must go, and say what became of everything."""
        single = [one for part in parts for one in ([part] if part.summary else alone(part))]
        order = sorted(range(len(single)), key=lambda i: not single[i].summary)  # then by time
        before = sum(turn.token_count for part in single for turn in part.turns)
        after = sum(part.tokens for part in single)
        gone = set[int]()
        for i in order:
            if after <= self.max_tokens:
                break
            after -= single[i].tokens
            gone.add(i)
        left = [part for i, part in enumerate(single) if i not in gone]
        made = Compression(
            [turn for part in left if not part.summary for turn in part.turns],
            [part.summary for part in left if part.summary],
            max(0, before - after),
        )
        made.max_tokens, made.tokens_before, made.tokens_after = self.max_tokens, before, after
        made.turns = tuple(
            row for i, part in enumerate(single) for row in rows_of(part, gone=i in gone)
        )
        return made


def alone(part: Part) -> list[Part]:
    """Give each turn of a part as one of its own."""
    return [part._replace(turns=[turn]) for turn in part.turns]


def rows_of(part: Part, *, gone: bool) -> list[TurnRow]:
    """Say what became of the turns of a part."""
    if gone:
        return [row_of(turn, "dropped") for turn in part.turns]
    if part.summary:
        return [row_of(turn, "summarised", part.summary.id) for turn in part.turns]
    return [row_of(turn, "kept") for turn in part.turns]
