"""A memory for long: what is in it fades, is forgotten, and grows together, when it is told to.

Nothing here happens by itself. ``decay()`` forgets, ``consolidate()`` merges, and a task that
decays in the background is there for who starts it.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from heapq import heappop, heappush
from typing import Any

import msgspec

from agentlab.core.bounds import count_of
from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.doors import Explorable, Plottable, Tabular
from agentlab.core.errors import InvalidValue
from agentlab.core.protocols import Hit, PersistenceBackend
from agentlab.core.ranking import best
from agentlab.core.sync import in_loop, portal, run_sync, twin
from agentlab.memory.explained import Explanation, Explanations, Term
from agentlab.memory.forgetting import (
    Ebbinghaus,
    ForgettingCurve,
    LtmConfig,
    LtmEntry,
    LtmMerges,
    LtmRow,
    MergeRow,
    left_after,
)
from agentlab.memory.given import a_text, clamped
from agentlab.memory.kept import Kept
from agentlab.memory.likeness import WordIndex, counted, squared
from agentlab.memory.ltm_state import LtmState, key_of
from agentlab.memory.merging import merged

__all__ = [
    "Ebbinghaus",
    "ForgettingCurve",
    "LtmConfig",
    "LtmEntry",
    "LtmMerges",
    "LtmRow",
    "LtmStore",
    "MergeRow",
]

HOUR_S = 3600.0


class LtmStore(Kept, Tabular, Plottable, Explorable):
    """Remember for long, by importance and by Ebbinghaus' curve.

    Threads may share one. The words of a text are its lower-case runs of letters and digits of
    two letters or more.

    >>> ltm = LtmStore(LtmConfig(capacity=1000))
    >>> ltm.remember("Rust ownership rules prevent data races", 0.9)
    1
    >>> [hit.id for hit in ltm.recall("ownership memory safety", 5)]
    [1]

    Parameters
    ----------
    config : LtmConfig
        How much it holds, and how that fades.
    clock : Clock
        Tells how old things are.
    """

    kind = "agentlab long-term memory"

    def __init__(self, config: LtmConfig | None = None, *, clock: Clock = SYSTEM_CLOCK) -> None:
        if not isinstance(config, LtmConfig | None):
            raise InvalidValue(f"config must be an LtmConfig, got {config!r:.80}")
        self._config = config or LtmConfig()
        self._clock = clock
        self._lock = threading.RLock()
        self._entries: dict[int, LtmEntry] = {}
        self._counts: dict[int, dict[str, int]] = {}
        self._long: dict[int, int] = {}  # their squared lengths
        self._index = WordIndex[int]()
        self._weakest: list[tuple[float, float, float, int]] = []  # a heap; some are gone
        self._next_id = 1
        self._decayed_at = self._now()

    def __repr__(self) -> str:
        return f"<LtmStore {len(self)}/{self._config.capacity} entries>"

    def __len__(self) -> int:
        return len(self._entries)

    def __bool__(self) -> bool:
        return True  # an empty memory is still one

    @property
    def config(self) -> LtmConfig:
        """The settings."""
        return self._config

    def remember(self, content: str, importance: float) -> int:
        """Keep ``content``, and give its id; where it is full, the weakest entry makes room.

        Parameters
        ----------
        content : str
            What to remember.
        importance : float
            From 0 to 1; beyond, it is the nearer of the two.
        """
        content, importance = a_text("content", content), clamped("importance", importance)
        with self._lock:
            while len(self._entries) >= self._config.capacity:
                self._drop_weakest()
            key, now = self._next_id, self._now()
            self._next_id += 1
            self._put(LtmEntry(key, content, importance, 0, now, now, importance))
        return key

    def recall(self, query: str, top_k: int) -> list[LtmEntry]:
        """Give the ``top_k`` entries that fit best, best first, and count that as their recall.

        An entry's ``score`` is the cosine of its words and those of ``query``, times what is left
        of its importance now; what shares no word is no hit. Of equals the more important comes
        first, then the newer, then the lower id.
        """
        with self._lock:
            now, ranked = self._ranked(query, top_k)
            return [self._recalled(entry, now, alike * left) for entry, alike, left in ranked]

    def explain(self, query: str, top_k: int = 10) -> Explanations:
        """Give the scores of what fits best, taken apart; nothing is counted.

        >>> ltm = LtmStore()
        >>> _ = ltm.remember("the exam is on Friday", 0.5)
        >>> ltm.explain("exam")[0]
        0.22 = cosine 0.45 × importance 0.50 × left 1.00 · the exam is on Friday
        """
        with self._lock:
            return Explanations(
                Explanation(
                    str(entry.id),
                    entry.content,
                    alike * left,
                    (fitting(alike, entry.importance, left),),
                )
                for entry, alike, left in self._ranked(query, top_k)[1]
            )

    def recall_for(self, agent: str, prompt: str, limit: int, /) -> list[Hit]:  # noqa: ARG002
        """Recall as every memory is asked to; whoever asks, it is the same memory."""
        return [
            Hit(str(entry.id), entry.content, entry.score or 0.0, "ltm")
            for entry in self.recall(prompt, limit)
        ]

    def decay(self) -> list[LtmEntry]:
        """Let everything fade to what is left of it now, and give what that made it forget."""
        with self._lock:
            now = self._decayed_at = self._now()
            gone = []
            for key, entry in list(self._entries.items()):
                left = self._strength(entry, now)
                self._entries[key] = msgspec.structs.replace(entry, decayed_importance=left)
                if left < self._config.min_importance:
                    gone.append(self._entries[key])
                    self._drop(key)
            self._weakest = sorted(map(weakness, self._entries.values()))
            return gone

    def decay_if_due(self) -> list[LtmEntry] | None:
        """Decay where the last time is ``decay_interval_hours`` ago; None where it is not."""
        with self._lock:
            return self.decay() if self._due_in_s() <= 0 else None

    async def run(self) -> None:
        """Decay whenever it is due, until this is cancelled."""
        while True:
            self.decay_if_due()
            await self._clock.sleep(max(1.0, self._due_in_s()))

    run_sync = twin(run)

    def start_background(self, loop: asyncio.AbstractEventLoop | None = None) -> Future[None]:
        """Start :meth:`run` on ``loop``, and give what its ``cancel()`` ends it by.

        By default that is the loop which runs here, and where none does, agentlab's own.
        """
        if loop is None and not in_loop():
            return portal().start_task_soon(self.run)
        return asyncio.run_coroutine_threadsafe(self.run(), loop or asyncio.get_running_loop())

    def consolidate(self) -> LtmMerges:
        """Merge entries whose words have a cosine above 0.85, until no two have.

        What they become has the lowest of their ids, the longest content, the mean of their
        importances, the sum of their recalls, and the newest of their days.
        """
        with self._lock:
            before = len(self._entries)
            left, rows = merged(self._entries.values())
            self._fill(left)
            return LtmMerges(rows, before, len(left))

    def forget(self, id: int) -> bool:  # noqa: A002 - it is called so everywhere
        """Drop one entry; tell whether it was there."""
        with self._lock:
            return id in self._entries and self._drop(id)

    def get(self, id: int) -> LtmEntry | None:  # noqa: A002
        """Give one entry, without counting that."""
        return self._entries.get(id)

    def entries(self) -> list[LtmEntry]:
        """Give all entries by id, without counting that."""
        with self._lock:
            return [self._entries[key] for key in sorted(self._entries)]

    def rows(self) -> list[LtmRow]:
        """Describe all entries as they are now, the strongest first."""
        with self._lock:
            now, reinforce = self._now(), self._config.reinforce
            strengths = {key: self._strength(each, now) for key, each in self._entries.items()}
            ranked = best(self._entries.values(), lambda entry: strengths[entry.id], tie=rank)
            return [
                LtmRow.of(entry, strength, entry.age_days(now, reinforce=reinforce))
                for entry, strength in ranked
            ]

    async def save(self, store: PersistenceBackend, key: str = "default") -> None:
        """Keep all of it in ``store`` under ``ltm:{key}``; secrets are kept as ``***``.

        Parameters
        ----------
        store : PersistenceBackend
            Any store, or what has ``save`` and ``load``.
        key : str
            Which memory it is.
        """
        await super().save(store, key_of(key))

    @classmethod
    async def load(cls, store: PersistenceBackend, key: str = "default", **parts: Any) -> LtmStore:
        """Read what :meth:`save` kept; a ``clock`` is not.

        Raises
        ------
        PersistenceError
            Nothing is kept under that key, or it cannot be read.
        """
        return await super().load(store, key_of(key), **parts)

    def save_sync(self, store: PersistenceBackend, key: str = "default") -> None:
        """Keep all of it, and block meanwhile."""
        run_sync(self.save, store, key)

    @classmethod
    def load_sync(cls, store: PersistenceBackend, key: str = "default", **parts: Any) -> LtmStore:
        """Read what :meth:`save` kept, and block meanwhile."""
        return run_sync(cls.load, store, key, **parts)

    def _state(self) -> LtmState:
        with self._lock:
            return LtmState.of(self._config, self._next_id, self._decayed_at, (*self.entries(),))

    @classmethod
    def _of_state(cls, state: Any, **parts: Any) -> LtmStore:
        told = msgspec.convert(state, LtmState)
        made = cls(told.settings(), **parts)
        made._next_id, made._decayed_at = told.next_id, told.decayed_at
        made._fill(told.entries)
        return made

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _due_in_s(self) -> float:
        return self._decayed_at + self._config.decay_interval_hours * HOUR_S - self._now()

    def _strength(self, entry: LtmEntry, now: float) -> float:
        """Give what is left of an importance: its retention, once, whatever was decayed before."""
        age = entry.age_days(now, reinforce=self._config.reinforce)
        return entry.importance * left_after(age, self._config.stability_days)

    def _ranked(self, query: str, top_k: int) -> tuple[float, list[tuple[LtmEntry, float, float]]]:
        """Give the moment, and what fits best then: how alike it is, and what is left of it."""
        wanted, top_k = counted(a_text("query", query)), count_of("top_k", top_k)
        now, dots = self._now(), dict[int, int]()
        for word, count in wanted.items():
            for key, times in self._index.holders(word).items():
                dots[key] = dots.get(key, 0) + count * times
        long = squared(wanted)
        scores = {
            key: dot / math.sqrt(long * self._long[key]) * self._strength(self._entries[key], now)
            for key, dot in dots.items()
        }
        hits = [self._entries[key] for key, score in scores.items() if score > 0]
        ranked = best(hits, lambda entry: scores[entry.id], top_k, tie=rank)
        return now, [
            (
                entry,
                dots[entry.id] / math.sqrt(long * self._long[entry.id]),
                self._strength(entry, now),
            )
            for entry, _ in ranked
        ]

    def _recalled(self, entry: LtmEntry, now: float, score: float) -> LtmEntry:
        seen = msgspec.structs.replace(
            entry, access_count=entry.access_count + 1, last_accessed=now
        )
        self._entries[entry.id] = seen
        return msgspec.structs.replace(seen, score=score)

    def _put(self, entry: LtmEntry) -> None:
        self._entries[entry.id] = entry
        self._counts[entry.id] = counts = counted(entry.content)
        self._long[entry.id] = squared(counts)
        self._index.add(entry.id, counts)
        heappush(self._weakest, weakness(entry))

    def _drop(self, key: int) -> bool:
        del self._entries[key], self._long[key]
        self._index.drop(key, self._counts.pop(key))
        return True

    def _drop_weakest(self) -> None:
        key = 0
        while key not in self._entries:
            key = -heappop(self._weakest)[-1]
        self._drop(key)

    def _fill(self, entries: Iterable[LtmEntry]) -> None:
        self._entries, self._counts, self._long = {}, {}, {}
        self._index, self._weakest = WordIndex(), []
        for entry in entries:
            self._put(entry)


def fitting(alike: float, importance: float, left: float) -> Term:
    """Say what the score of an entry is a product of."""
    share = left / importance if importance else 0.0
    return Term.product(alike * left, cosine=alike, importance=importance, left=share)


def rank(entry: LtmEntry) -> tuple[float, float, int]:
    """Order equals: the more important first, then the newer, then the lower id."""
    return -entry.importance, -entry.created_at, entry.id


def weakness(entry: LtmEntry) -> tuple[float, float, float, int]:
    """Order by who must go: what faded most, of equals the last in rank."""
    return entry.decayed_importance, entry.importance, entry.created_at, -entry.id
