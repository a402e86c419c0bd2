"""What an episodic store goes by: its settings, each of which can be set after the other."""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from typing import TYPE_CHECKING

from agentlab.core.bounds import at_least_one, positive
from agentlab.core.chained import chained
from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.errors import InvalidValue
from agentlab.memory.decay import DecayPolicy, EvictionPolicy, RecallPolicy
from agentlab.memory.worth import Ranking

if TYPE_CHECKING:
    from random import Random
    from typing import Self

    from agentlab.memory.episodes import Episodes

log = logging.getLogger("agentlab.memory")


class EpisodicRules:
    """The settings of an :class:`EpisodicStore`, which says what they mean."""

    def __init__(  # noqa: PLR0913 - as many settings
        self,
        *,
        decay: DecayPolicy | None = None,
        recall_policy: RecallPolicy | None = None,
        per_agent_capacity: int | None = None,
        max_age_hours: float | None = None,
        eviction_policy: EvictionPolicy = EvictionPolicy.LowestImportance,
        protect_newest: bool = False,
        clock: Clock = SYSTEM_CLOCK,
        rng: Random | None = None,
    ) -> None:
        self._clock, self._rng = clock, rng
        self._agents: dict[str, Episodes] = {}
        self._lock = threading.RLock()  # never held in a wait
        self._warned = False
        self._rank(decay, recall_policy or RecallPolicy.Importance)
        self._limit(per_agent_capacity, max_age_hours)
        self._evict(eviction_policy)
        self.protect_newest = protect_newest

    @classmethod
    def builder(cls) -> Self:
        """Begin one that is set step by step; :meth:`build` ends that."""
        return cls()

    def build(self) -> Self:
        """Give the store itself: all has been set."""
        return self

    @chained
    def with_decay(self, policy: DecayPolicy | None) -> None:
        """Set how memories fade."""
        self._rank(policy, self.recall_policy)

    @chained
    def with_recall_policy(self, policy: RecallPolicy) -> None:
        """Set by what they are ranked."""
        self._rank(self.decay, policy)

    @chained
    def with_decay_and_recall_policy(self, decay: DecayPolicy | None, recall: RecallPolicy) -> None:
        """Set both."""
        self._rank(decay, recall)

    @chained
    def with_per_agent_capacity(self, capacity: int) -> None:
        """Set how many an agent may have; it is looked at when the next one is added."""
        self._limit(capacity, self._max_age)

    @chained
    def with_max_age(self, hours: float) -> None:
        """Set how old one may be, in hours."""
        self._limit(self._capacity, hours)

    @chained
    def with_eviction_policy(self, policy: EvictionPolicy) -> None:
        """Set which one goes where there is one too many."""
        self._evict(policy)

    @property
    def decay(self) -> DecayPolicy | None:
        """How memories fade."""
        return self._ranking.decay

    @property
    def recall_policy(self) -> RecallPolicy:
        """By what they are ranked."""
        return self._ranking.recall

    @property
    def eviction_policy(self) -> EvictionPolicy:
        """Which one goes where there is one too many."""
        return self._eviction

    @property
    def per_agent_capacity(self) -> int | None:
        """How many an agent may have."""
        return self._capacity

    @property
    def max_age_hours(self) -> float | None:
        """How old one may be."""
        return self._max_age

    @property
    def now(self) -> datetime:
        """The moment that its clock shows."""
        return self._clock.now()

    def _rank(self, decay: DecayPolicy | None, recall: RecallPolicy) -> None:
        if not (decay is None or isinstance(decay, DecayPolicy)):
            raise InvalidValue(f"decay must be a DecayPolicy or None, got {decay!r:.80}")
        if not isinstance(recall, RecallPolicy):
            raise InvalidValue(
                f"recall_policy must be RecallPolicy.Importance or .Hybrid(…), got {recall!r:.80}"
            )
        with self._lock:
            self._ranking = Ranking(decay, recall)
            if decay and self._ranking.hybrid and not self._warned:
                self._warned = True
                log.warning("age counts twice: %r fades, and %r is fresher", decay, recall)

    def _limit(self, capacity: int | None, max_age: float | None) -> None:
        if capacity is not None:
            capacity = at_least_one("per_agent_capacity", capacity, "no limit")
        if max_age is not None:
            max_age = positive("max_age_hours", max_age, "no limit")
        self._capacity, self._max_age = capacity, max_age

    def _evict(self, policy: EvictionPolicy) -> None:
        try:
            self._eviction = EvictionPolicy(policy)
        except ValueError:
            known = ", ".join(f"EvictionPolicy.{each.name}" for each in EvictionPolicy)
            raise InvalidValue(f"eviction_policy must be one of {known}, got {policy!r}") from None
