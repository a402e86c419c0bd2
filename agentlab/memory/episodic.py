"""What happened to agents, ranked by how much it matters now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from agentlab.core.doors import Explorable, Plottable, Tabular
from agentlab.core.errors import InvalidValue
from agentlab.core.ids import AgentId, MemoryId, new_id
from agentlab.core.protocols import Hit
from agentlab.core.text import clean
from agentlab.memory.decay import (
    ByImportance,
    importance_of,
)
from agentlab.memory.episodes import Episodes
from agentlab.memory.episodic_readings import EpisodicReadings
from agentlab.memory.episodic_state import EpisodicState, agents_of, read
from agentlab.memory.items import HOUR_US, MemoryItem, micros, tags_of, text_of
from agentlab.memory.kept import Kept
from agentlab.memory.readings import hit_of, items_of

PREFIX = 24  # letters of an id that all memories of an agent have in common; a number follows


class EpisodicStore(EpisodicReadings, Kept, Tabular, Plottable, Explorable):
    """What happened to each agent; recall gives what matters most now. Thread-safe.

    >>> store = EpisodicStore()
    >>> first = store.add_episode("demo", "Lyon has 522,000 people", 0.9)
    >>> second = store.add_episode("demo", "Nice has 353,000 people", 0.8)
    >>> [item.content for item in store.recall("demo", 1)]
    ['Lyon has 522,000 people']

    Each ``with_`` method sets one thing and gives the store back; on the class it begins a new
    one: ``EpisodicStore.with_decay(DecayPolicy.exponential(24)).with_per_agent_capacity(100)``.

    Of equals the newer comes first, then the one that was added later. Importance never changes:
    what is left of it is worked out when somebody looks. A recall counts those it gives, and
    only those, and gives them with the new count.

    Parameters
    ----------
    decay : DecayPolicy, optional
        How memories fade; by default they do not.
    recall_policy : RecallPolicy
        By what they are ranked: importance, or ``RecallPolicy.Hybrid(recency, frequency)``.
    per_agent_capacity : int, optional
        How many an agent may have; then the least goes, though it be the one just added.
    max_age_hours : float, optional
        How old one may be; older ones are forgotten when the agent's are recalled.
    eviction_policy : EvictionPolicy
        Which one goes: that of the lowest importance at that moment, or the oldest.
    protect_newest : bool
        Never let the one go that was just added.
    clock : Clock
        Says what now is.
    rng : random.Random, optional
        A seeded one makes ids repeat.

    Raises
    ------
    InvalidValue
        A setting that can never be right.
    """

    kind = "agentlab episodic memory"

    def add_episode(self, agent: str, content: str, importance: float) -> MemoryId:
        """Remember something that happened now, and give the id of that memory.

        Raises
        ------
        InvalidValue
            ``importance`` is no number, ``content`` no text, or ``agent`` no name.
        """
        return self._add(agent, content, importance, None, ())

    def add_episode_at(
        self, agent: str, content: str, importance: float, timestamp: datetime
    ) -> MemoryId:
        """Remember something that happened at another time.

        Raises
        ------
        InvalidValue
            As above; or ``timestamp`` does not know its time zone.
        """
        return self._add(agent, content, importance, micros(timestamp), ())

    def add_episode_with_tags(
        self, agent: str, content: str, importance: float, tags: Iterable[str]
    ) -> MemoryId:
        """Remember something, and what it is about.

        Raises
        ------
        InvalidValue
            As above; or ``tags`` are not several texts.
        """
        return self._add(agent, content, importance, None, tags_of(tags))

    def add_many(
        self, agent: str, episodes: Iterable[tuple[str, float] | tuple[str, float, datetime]]
    ) -> list[MemoryId]:
        """Remember several things, each a content, an importance and perhaps a time.

        Raises
        ------
        InvalidValue
            One of them cannot be remembered: then none is.
        """
        now = micros(self._clock.now())
        texts, importances, times = list[str](), list[float](), list[int]()
        for each in episodes:
            match each:
                case (text, importance):
                    times.append(now)
                case (text, importance, at):
                    times.append(micros(at))
                case _:
                    raise InvalidValue(
                        f"an episode is a content and an importance, got {each!r:.80}"
                    )
            texts.append(text_of(text))
            importances.append(importance_of(importance))
        with self._lock:
            kept = self._of(agent)
            ids = [kept.id_of(number) for number in kept.extend(texts, importances, times)]
            self._make_room(kept)
        return [str.__new__(MemoryId, each) for each in ids]

    def recall(self, agent: str, limit: int) -> list[MemoryItem]:
        """Give the best memories of an agent, best first, and count them as recalled.

        Those that are too old are forgotten first.

        Raises
        ------
        InvalidValue
            ``limit`` is not a whole number from 0 on.
        """
        with self._lock:
            kept, rows = self._due(agent, limit, micros(self._clock.now()))
            if kept is None:
                return []
            kept.recalled(rows)
            return items_of(kept, rows)

    def recall_for(self, agent: str, prompt: str, limit: int) -> Sequence[Hit]:  # noqa: ARG002
        """Give the same as hits, as a run wants them; episodes are ranked without the prompt."""
        with self._lock:
            now = micros(self._clock.now())
            kept, rows = self._due(agent, limit, now)
            if kept is None:
                return []
            scores = kept.worth(rows, now, self._ranking).score.tolist()
            kept.recalled(rows)
            found = zip(items_of(kept, rows), scores, strict=True)
            return [hit_of(item, score, now) for item, score in found]

    def remove_by_id(self, agent: str, id: str) -> bool:  # noqa: A002 - as above
        """Forget one memory; tell whether it was there."""
        with self._lock:
            kept, row = self._find(agent, id)
            if kept is not None:
                kept.remove(row)
            return kept is not None

    def replace_by_ids(  # noqa: PLR0913 - a memory whole, its time and tags by name
        self,
        agent: str,
        ids: Iterable[str],
        content: str,
        importance: float,
        *,
        timestamp: datetime | None = None,
        tags: Iterable[str] = (),
    ) -> MemoryId | None:
        """Put one memory in the place of several: all of it happens, or, failing, nothing.

        Nobody sees it half done, and no room is made: there are no more of them afterwards.

        Parameters
        ----------
        agent, ids
            Whose, and which go.
        content, importance, timestamp, tags
            What comes; by default it happened now.

        Returns
        -------
        MemoryId or None
            What it is called; None where one of ``ids`` is not there, and then nothing changed.

        Raises
        ------
        InvalidValue
            There are no ``ids``, or it cannot be remembered.
        """
        gone = set(tags_of(ids))
        if not gone:
            raise InvalidValue("ids must be those of one memory or more, got none")
        text, importance, told = text_of(content), importance_of(importance), tags_of(tags)
        at = micros(self._clock.now() if timestamp is None else timestamp)
        with self._lock:
            kept = self._kept(agent)
            rows = [] if kept is None else [kept.row_of(id_) for id_ in gone]
            there = [row for row in rows if row is not None]
            if kept is None or len(there) < len(gone):
                return None
            made = kept.without(there)
            name = made.id_of(made.add(text, importance, at, told))
            self._agents[kept.agent] = made  # in one step: an interrupt comes before or after it
        return str.__new__(MemoryId, name)

    def update_tags_by_id(self, agent: str, id: str, tags: Iterable[str]) -> bool:  # noqa: A002
        """Say what a memory is about; tell whether it was there."""
        told = tags_of(tags)
        with self._lock:
            kept, row = self._find(agent, id)
            if kept is not None:
                kept.tags[row] = told
            return kept is not None

    def deduplicate_content(self, agent: str) -> int:
        """Of memories with the same content keep the most important; tell how many are gone.

        Of equals the newer stays, then the one that was added later.
        """
        with self._lock:
            kept = self._kept(agent)
            if kept is None:
                return 0
            best: dict[str, tuple[float, int, int]] = {}
            values = zip(kept.importance.array().tolist(), kept.times.array().tolist(), strict=True)
            for row, (text, (importance, at)) in enumerate(zip(kept.texts, values, strict=True)):
                best[text] = max(best.get(text, (-1.0, 0, 0)), (importance, at, row))
            stay = {row for _, _, row in best.values()}
            gone = len(kept) - len(stay)
            if gone:
                kept.keep_rows(sorted(stay))
            return gone

    def clear(self, agent: str | None = None) -> None:
        """Forget all, or all of one agent."""
        with self._lock:
            if agent is None:
                self._agents.clear()
            else:
                self._agents.pop(clean(agent), None)

    def _add(
        self, agent: str, content: str, importance: float, at: int | None, tags: tuple[str, ...]
    ) -> MemoryId:
        text, importance = text_of(content), importance_of(importance)
        with self._lock:
            kept = self._agents.get(agent) or self._of(agent)
            at = micros(self._clock.now()) if at is None else at
            name = kept.id_of(kept.add(text, importance, at, tags))
            if self._capacity is not None:
                self._make_room(kept)
        return str.__new__(MemoryId, name)

    def _of(self, agent: str) -> Episodes:
        name = str(AgentId(agent))
        kept = self._agents.get(name)
        if kept is None:
            kept = self._agents[name] = Episodes(name, new_id(self._rng)[:PREFIX])
        return kept

    def _make_room(self, kept: Episodes) -> None:
        if self._capacity is not None and len(kept) > self._capacity:
            now, spare = micros(self._clock.now()), self.protect_newest
            kept.shrink(self._capacity, now, self._ranking, self._eviction, spare=spare)

    def _due(self, agent: str, limit: int, now: int) -> tuple[Episodes | None, list[int]]:
        """Forget what is too old, and give the rows that a recall gives."""
        kept = self._kept(agent)
        if kept is not None and self._max_age is not None:
            kept.forget_before(now - self._max_age * HOUR_US)
        return self._look(agent, limit, now)

    def _state(self) -> EpisodicState:
        with self._lock:
            return EpisodicState(
                agents_of(self._agents),
                self.decay,
                self._ranking.hybrid or ByImportance(),
                self.per_agent_capacity,
                self.max_age_hours,
                self.eviction_policy,
                self.protect_newest,
            )

    @classmethod
    def _of_state(cls, state: Any, **parts: Any) -> EpisodicStore:
        told = EpisodicState.from_dict(state)
        settings = {name: getattr(told, name) for name in told.__struct_fields__[1:]}
        made = cls(**settings, **parts)
        for agent, kept in told.agents.items():
            made._agents[agent] = read(agent, kept, new_id(made._rng)[:PREFIX])
        return made
