"""A conversation made shorter in three passes, alone or as a chain.

By time: what is old stands in episodes. By words: what says the same is there once. By importance:
what matters comes back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from agentlab.core.bounds import count_of
from agentlab.core.doors import Displayable
from agentlab.core.errors import InvalidValue
from agentlab.core.sync import called, twin
from agentlab.memory.compressed import (
    CompressedEpisode,
    TurnCompression,
    TurnCompressionRun,
    TurnRow,
    row_of,
)
from agentlab.memory.conversation import MemoryTurn, Role, in_time
from agentlab.memory.given import a_share, a_text
from agentlab.memory.passes import (
    IMPORTANT,
    Alike,
    ImportanceFilter,
    SemanticDedup,
    TemporalCompression,
)

__all__ = [
    "CompressedEpisode",
    "CompressorConfig",
    "ImportanceFilter",
    "MemoryCompressor",
    "MemoryTurn",
    "Role",
    "SemanticDedup",
    "TemporalCompression",
    "TurnCompression",
    "TurnCompressionRun",
    "TurnCompressor",
]

QUICK = 500  # turns that hold a loop up for no more than moments


@dataclass(frozen=True)
class CompressorConfig:
    """The settings of a :class:`TurnCompressor`.

    Parameters
    ----------
    max_turns : int
        How many turns there may be before it is needed.
    recency_keep : int
        How many of the newest stay as they are.
    jaccard_dedup_threshold : float, optional
        The share of their words that two turns must have in common to count as the same; None
        keeps all.
    importance_tag : str
        What important turns are tagged with.
    """

    max_turns: int = 50
    recency_keep: int = 10
    jaccard_dedup_threshold: float | None = 0.85
    importance_tag: str = IMPORTANT

    def __post_init__(self) -> None:
        count_of("max_turns", self.max_turns)
        count_of("recency_keep", self.recency_keep)
        if self.jaccard_dedup_threshold is not None:
            a_share("jaccard_dedup_threshold", self.jaccard_dedup_threshold)
        a_text("importance_tag", self.importance_tag)


class TurnCompressor(Displayable):
    """Make a conversation shorter: by time, by words, and then what matters comes back.

    In this module it is called ``MemoryCompressor``, too.

    >>> from datetime import UTC, datetime
    >>> turns = [MemoryTurn(f"t{i}", "user", f"message {i}", datetime(2030, 1, 1, 0, i, tzinfo=UTC))
    ...          for i in range(60)]
    >>> kept, episodes = TurnCompressor().compress(turns)
    >>> len(kept), len(episodes)
    (10, 10)

    Parameters
    ----------
    config : CompressorConfig
        When it is needed, and what stays.
    run : str
        What the ids of episodes begin with, where several calls must not share them.
    """

    def __init__(self, config: CompressorConfig | None = None, *, run: str = "") -> None:
        if not isinstance(config, CompressorConfig | None):
            raise InvalidValue(f"config must be a CompressorConfig, got {config!r:.80}")
        self.config = config or CompressorConfig()
        self._temporal = TemporalCompression(self.config.recency_keep, run=run)
        self._filter = ImportanceFilter(self.config.importance_tag)
        self._dedup = SemanticDedup(self.config.jaccard_dedup_threshold, self._filter)

    def __repr__(self) -> str:
        return (
            f"<TurnCompressor above {self.config.max_turns} turns,"
            f" newest {self.config.recency_keep} kept>"
        )

    def needs_compression(self, turns: Sequence[MemoryTurn]) -> bool:
        """Tell whether there are more turns than there may be."""
        return len(turns) > self.config.max_turns

    def compress(self, turns: Iterable[MemoryTurn]) -> TurnCompression:
        """Give ``(kept, episodes)``, needed or not.

        What matters comes back from the episodes, too; unless something that matters as well, and
        says the same, is there.
        """
        found = in_time(turns)
        recent, episodes = self._temporal.apply(found)
        left = self._dedup.apply(recent)
        chosen = Counter(map(id, [*left, *self._missed(found, left)]))
        kept = [turn for turn in found if chosen[id(turn)]]
        made = TurnCompression(kept, episodes)
        made.turns = tuple(self._fates(found, kept))
        return made

    async def run_if_needed(self, turns: Iterable[MemoryTurn]) -> TurnCompressionRun:
        """Compress where it is needed, many turns in a worker thread.

        Returns
        -------
        TurnCompressionRun
            ``(kept, episodes, triggered)``; where it was not needed, the turns as they came.
        """
        found = list(turns)
        if not self.needs_compression(found):
            made = TurnCompressionRun(found, [], triggered=False)
            made.turns = tuple(row_of(turn, "kept") for turn in in_time(found))
            return made
        work: Callable[..., TurnCompression] = self.compress
        done = await called(work, found, inline=len(found) <= QUICK)
        made = TurnCompressionRun(done.kept, done.episodes, triggered=True)
        made.turns = done.turns
        return made

    run_if_needed_sync = twin(run_if_needed)

    def _missed(self, turns: Iterable[MemoryTurn], left: Iterable[MemoryTurn]) -> list[MemoryTurn]:
        """Give what matters, is gone, and is not said by anything that matters and is left."""
        there = set(map(id, left))
        gone = [turn for turn in turns if id(turn) not in there and self._filter.important(turn)]
        if self._dedup.threshold is None:
            return gone
        said = Alike(self._dedup.threshold)
        for key, turn in enumerate(filter(self._filter.important, left)):
            said.add(key, turn)
        return [turn for turn in self._dedup.apply(gone) if not said.near(turn)]

    def _fates(self, turns: list[MemoryTurn], kept: list[MemoryTurn]) -> Iterable[TurnRow]:
        """Say of each turn what became of it."""
        there, into = set(map(id, kept)), dict[int, str]()
        for i, window in enumerate(self._temporal.windows(turns)):
            into.update(dict.fromkeys(map(id, window), self._temporal.name(i)))
        for turn in turns:
            if id(turn) in there:
                yield row_of(turn, "kept", into.get(id(turn), ""))
            elif id(turn) in into:
                yield row_of(turn, "summarised", into[id(turn)])
            else:
                yield row_of(turn, "dropped")


MemoryCompressor = TurnCompressor
