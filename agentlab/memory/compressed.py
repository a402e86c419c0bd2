"""What the compressors give: the turns that stay, what stands for the others, and what became of
each.
"""  # noqa: D205 - one sentence

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from agentlab.core.doors import Displayable, Tabular
from agentlab.core.portable import Portable
from agentlab.memory.conversation import MemoryTurn, roles_of
from agentlab.memory.entities import entities, key_facts, kind_of

Fate: TypeAlias = Literal["kept", "summarised", "dropped"]

MOST_TOPICS, MOST_NAMES = 5, 20


class MemorySummary(Portable, Displayable, msgspec.Struct, frozen=True):
    """What stands for turns that follow each other.

    Attributes
    ----------
    id : str
        ``summary-{first}-{last}``.
    covers_turns : tuple of str
        The ids of the turns, in order.
    summary_text : str
        How many there were, who spoke, about what, and the first facts; or what a summariser
        wrote. It is what stands in a prompt for the turns.
    key_facts : tuple of str
        Sentences of theirs of 5 to 25 words, at most ten.
    entities : dict
        Names in them, at most twenty, and what each is of.
    time_range : tuple of datetime
        When the first and the last of them were said.
    token_count : int
        How many tokens the text takes.
    """

    id: str
    covers_turns: tuple[str, ...]
    summary_text: str
    key_facts: tuple[str, ...]
    entities: dict[str, str]
    time_range: tuple[datetime, datetime]
    token_count: int

    @classmethod
    def of(
        cls, turns: Sequence[MemoryTurn], count: Callable[[str], int], said: str | None = None
    ) -> MemorySummary:
        """Sum turns up.

        Parameters
        ----------
        turns : sequence of MemoryTurn
            What it stands for.
        count : callable
            Counts tokens. Facts are told within half of those of the turns.
        said : str, optional
            What somebody wrote of them, instead.
        """
        facts = key_facts(turn.content for turn in turns)
        names = dict.fromkeys(name for turn in turns for name in entities(turn.content))
        text = said or told(turns, facts, count)
        return cls(
            f"summary-{turns[0].id}-{turns[-1].id}",
            tuple(turn.id for turn in turns),
            text,
            facts,
            {name: kind_of(name) for name in list(names)[:MOST_NAMES]},
            (turns[0].timestamp, turns[-1].timestamp),
            count(text),
        )


def told(turns: Sequence[MemoryTurn], facts: Iterable[str], count: Callable[[str], int]) -> str:
    """Say how many turns there were, whose, about what, and what was said, as far as it fits."""
    topics = Counter(tag for turn in turns for tag in dict.fromkeys(turn.tags))
    some = sorted(topics, key=lambda tag: (-topics[tag], tag))[:MOST_TOPICS]
    about = f"; topics: {', '.join(some)}" if some else ""
    text = f"{len(turns)} turn{'s' * (len(turns) != 1)} ({roles_of(turns)}){about}"
    half = sum(turn.token_count for turn in turns) / 2
    for fact in facts:
        longer = f"{text}. {fact}"
        if count(longer) > half:
            break
        text = longer
    return text


class CompressedEpisode(Portable, Displayable, msgspec.Struct, frozen=True):
    """What stands for the turns of one window.

    Attributes
    ----------
    id : str
        ``temporal-ep-{i}``, counted from 0.
    original_count, compressed_to : int
        How many turns there were, and how many stand for them: one.
    summary : str
        How many there were, who spoke, and how the representative begins.
    time_range : tuple of int
        When the first and the last of them were said, in whole unix seconds.
    common_tags : tuple of str
        The tags that at least half of them have, sorted.
    representative : tuple of str
        The id and the content of the most important of them.
    """

    id: str
    original_count: int
    compressed_to: int
    summary: str
    time_range: tuple[int, int]
    common_tags: tuple[str, ...]
    representative: tuple[str, str]


class TurnRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """What became of a turn, and in what it lives on."""

    id: str
    role: str
    timestamp: datetime
    content: str
    importance_score: float
    token_count: int
    fate: Fate
    into: str


class _Compression(NamedTuple):
    kept: list[MemoryTurn]
    summaries: list[MemorySummary]
    tokens_saved: int


class Compression(Tabular, Displayable, _Compression):
    """``(kept, summaries, tokens_saved)``, and how that came about.

    Attributes
    ----------
    max_tokens : int
        The budget.
    turns : tuple of TurnRow
        What became of each turn, by their time.
    tokens_before, tokens_after : int
        How many tokens there were, and are.
    """

    max_tokens: int = 0
    turns: tuple[TurnRow, ...] = ()
    tokens_before: int = 0
    tokens_after: int = 0

    def __repr__(self) -> str:
        return (
            f"<Compression {len(self.turns)} → {len(self.kept)} turns,"
            f" {self.tokens_before} → {self.tokens_after} tokens>"
        )


class _TurnCompression(NamedTuple):
    kept: list[MemoryTurn]
    episodes: list[CompressedEpisode]


class _TurnCompressionRun(NamedTuple):
    kept: list[MemoryTurn]
    episodes: list[CompressedEpisode]
    triggered: bool


class TurnCompression(Tabular, Displayable, _TurnCompression):
    """``(kept, episodes)``; ``turns`` says what became of each turn."""

    turns: tuple[TurnRow, ...] = ()

    def __repr__(self) -> str:
        return f"<TurnCompression {len(self.turns)} → {len(self.kept)} turns>"


class TurnCompressionRun(Tabular, Displayable, _TurnCompressionRun):
    """``(kept, episodes, triggered)``; ``turns`` says what became of each turn."""

    turns: tuple[TurnRow, ...] = ()

    def __repr__(self) -> str:
        done = "" if self.triggered else ", not triggered"
        return f"<TurnCompressionRun {len(self.turns)} → {len(self.kept)} turns{done}>"


def row_of(turn: MemoryTurn, fate: Fate, into: str = "") -> TurnRow:
    """Say what became of ``turn``."""
    return TurnRow(
        turn.id,
        turn.role,
        turn.timestamp,
        turn.content,
        turn.importance_score,
        turn.token_count,
        fate,
        into,
    )


def lost(rows: Iterable[TurnRow]) -> int:
    """Count the turns that live on in nothing."""
    return sum(row.fate == "dropped" for row in rows)
