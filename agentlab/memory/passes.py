"""Three passes that make a conversation shorter, each a value that can be used alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import floor
from typing import NamedTuple

from agentlab.core.bounds import at_least_one, count_of
from agentlab.core.text import words
from agentlab.memory.compressed import CompressedEpisode
from agentlab.memory.conversation import MemoryTurn, in_time, roles_of
from agentlab.memory.given import a_number, a_share, a_text
from agentlab.memory.likeness import WordIndex, jaccard

IMPORTANT, ENOUGH = "important", 0.8
GIST = 160  # letters of a representative in a summary


@dataclass(frozen=True)
class ImportanceFilter:
    """Bring back what matters: turns with a tag, or with a score.

    Parameters
    ----------
    importance_tag : str
        What important turns are tagged with.
    min_score : float
        The score from which on a turn is important without it.
    """

    importance_tag: str = IMPORTANT
    min_score: float = ENOUGH

    def __post_init__(self) -> None:
        a_text("importance_tag", self.importance_tag)
        a_number("min_score", self.min_score)

    def important(self, turn: MemoryTurn) -> bool:
        """Tell whether ``turn`` matters."""
        return self.importance_tag in turn.tags or turn.importance_score >= self.min_score

    def apply(self, original: Iterable[MemoryTurn], kept: Iterable[MemoryTurn]) -> list[MemoryTurn]:
        """Give what was kept and what matters of the original, by their time."""
        stays = Counter(found := in_time(kept))
        whole = []
        for turn in in_time(original):
            if stays[turn] or self.important(turn):
                whole.append(turn)
                stays[turn] -= 1
        for turn in found:  # what is left of it comes from somewhere else
            if stays[turn] > 0:
                whole.append(turn)
                stays[turn] -= 1
        return in_time(whole)


@dataclass(frozen=True)
class SemanticDedup:
    """Drop of turns whose words are nearly the same all but the one that matters most.

    Of equals the later stays. One that is important is never dropped for one that is not.

    Parameters
    ----------
    threshold : float, optional
        The share of their words that two must have in common: 1 drops what has exactly the same
        words, None drops nothing.
    importance : ImportanceFilter
        Tells which turns are important.
    """

    threshold: float | None = 0.8
    importance: ImportanceFilter = ImportanceFilter()

    def __post_init__(self) -> None:
        if self.threshold is not None:
            a_share("threshold", self.threshold)

    def apply(self, turns: Iterable[MemoryTurn]) -> list[MemoryTurn]:
        """Give what is left, by its time; no two of it are nearly the same."""
        found = in_time(turns)
        if self.threshold is None:
            return found
        left = Alike(self.threshold)
        for i, turn in enumerate(found):
            near = left.near(turn)
            worth = (self.importance.important(turn), turn.importance_score)
            others = (found[j] for j in near)
            if any(worth < (self.importance.important(o), o.importance_score) for o in others):
                continue
            for j in near:
                left.drop(j)
            left.add(i, turn)
        return [found[i] for i in sorted(left.words)]


class Alike:
    """Which of some turns have nearly the words of another."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self.words: dict[int, set[str]] = {}
        self._index = WordIndex[int]()
        self._wordless: dict[int, None] = {}

    def add(self, key: int, turn: MemoryTurn) -> None:
        """Take a turn in."""
        self.words[key] = mine = set(words(turn.content))
        self._index.add(key, dict.fromkeys(mine, 1))
        if not mine:
            self._wordless[key] = None

    def drop(self, key: int) -> None:
        """Leave one out again."""
        self._index.drop(key, self.words.pop(key))
        self._wordless.pop(key, None)

    def near(self, turn: MemoryTurn) -> list[int]:
        """Give those that are nearly the same as ``turn``, the first first."""
        mine = set(words(turn.content))
        if self.threshold == 0:  # everybody is
            return list(self.words)
        some = self._index.near(dict.fromkeys(mine, 1), self.threshold) if mine else self._wordless
        return [key for key in sorted(some) if jaccard(mine, self.words[key]) >= self.threshold]


class Windows(NamedTuple):
    """What time leaves: the newest turns, and an episode for each window of the older ones."""

    kept: list[MemoryTurn]
    episodes: list[CompressedEpisode]


@dataclass(frozen=True)
class TemporalCompression:
    """Keep the newest turns as they are, and put the older ones into episodes.

    Parameters
    ----------
    recency_keep : int
        How many turns stay as they are.
    window_size : int
        How many older ones make an episode.
    run : str
        What the ids of episodes begin with, where several calls must not share them.
    """

    recency_keep: int = 10
    window_size: int = 5
    run: str = ""

    def __post_init__(self) -> None:
        count_of("recency_keep", self.recency_keep)
        at_least_one("window_size", self.window_size)
        a_text("run", self.run)

    def apply(self, turns: Iterable[MemoryTurn]) -> Windows:
        """Give ``(kept, episodes)``, both by their time."""
        found = in_time(turns)
        old = max(0, len(found) - self.recency_keep)
        return Windows(
            found[old:], [self._episode(i, window) for i, window in enumerate(self.windows(found))]
        )

    def windows(self, turns: Sequence[MemoryTurn]) -> list[Sequence[MemoryTurn]]:
        """Split what is old, of turns by their time, into windows."""
        old, size = max(0, len(turns) - self.recency_keep), self.window_size
        return [turns[i : min(i + size, old)] for i in range(0, old, size)]

    def name(self, i: int) -> str:
        """Name an episode."""
        return f"{self.run}-temporal-ep-{i}" if self.run else f"temporal-ep-{i}"

    def _episode(self, i: int, window: Sequence[MemoryTurn]) -> CompressedEpisode:
        tags = Counter(tag for turn in window for tag in set(turn.tags))
        chosen = max(window, key=lambda turn: (turn.importance_score, turn.timestamp))
        line = " ".join(chosen.content[: 2 * GIST].split())
        gist = line if len(line) <= GIST else f"{line[:GIST].rstrip()}…"
        return CompressedEpisode(
            self.name(i),
            len(window),
            1,
            f"{len(window)} turn{'s' * (len(window) != 1)} ({roles_of(window)}): {gist}",
            (floor(window[0].timestamp.timestamp()), floor(window[-1].timestamp.timestamp())),
            tuple(sorted(tag for tag, count in tags.items() if 2 * count >= len(window))),
            (chosen.id, chosen.content),
        )
