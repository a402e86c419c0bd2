"""Which keys are cached and which are in flight: the rules of deduplication, without a clock.

    free --meet--> in flight --keep--> cached --ttl--> free
      ^               |
      +---- drop, in_flight_ttl

What is live is younger than its time to live; who asks brings both that and the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from agentlab.core.doors import Displayable
from agentlab.core.portable import Portable
from agentlab.resilience.shared import Shared

MANY_CLAIMS = 10_000  # from here on, those that were forgotten are let go


class DeduplicationResult:
    """What a key meets: ``New``, ``Cached`` or ``InProgress``."""

    class New(msgspec.Struct, frozen=True):
        """It was free, and is yours now; ``token`` is your claim to it."""

        token: int

    class Cached(msgspec.Struct, frozen=True):
        """It was done already, with this result."""

        value: Any

    class InProgress(msgspec.Struct, frozen=True):
        """Somebody else is at it."""


Met: TypeAlias = (
    DeduplicationResult.New | DeduplicationResult.Cached | DeduplicationResult.InProgress
)


class DeduplicatorStats(msgspec.Struct, Portable, Displayable, frozen=True):
    """Settings, what is live now, and what came so far.

    ``hits`` were answered from the cache, ``joined`` found somebody at it, ``claims`` found the
    key free; ``evicted`` results made room, ``stale`` ones came too late and were ignored.
    """

    ttl_s: float
    in_flight_ttl_s: float
    max_entries: int
    in_flight: int = 0
    cached: int = 0
    hits: int = 0
    joined: int = 0
    claims: int = 0
    evicted: int = 0
    stale: int = 0


class DeduplicatorEntry(msgspec.Struct, Portable, Displayable, frozen=True):
    """A live key; ``left_s`` is None where a call of ``run`` holds it, which cannot lapse."""

    key: str
    state: Literal["cached", "in_flight"]
    age_s: float
    left_s: float | None


class Kept(NamedTuple):
    """A result, and when it came."""

    value: Any
    at: float


@dataclass(eq=False, slots=True)
class Claim:
    """Somebody's word that a result will come.

    ``own`` says that the work runs here: it ends by itself, and does not lapse. ``shared`` is
    what those wait for who want the result.
    """

    token: int
    at: float
    shared: Shared | None = None
    own: bool = False


class Ledger:
    """Keys and what they meet. Not for two threads at once: the shell holds the lock.

    Parameters
    ----------
    ttl_s, in_flight_ttl_s, max_entries
        As of a ``Deduplicator``.
    """

    def __init__(self, ttl_s: float, in_flight_ttl_s: float | None, max_entries: int) -> None:
        self.ttl_s, self.in_flight_ttl_s, self.max_entries = ttl_s, in_flight_ttl_s, max_entries
        self.cache: dict[str, Kept] = {}  # the oldest result first
        self.claims: dict[str, Claim] = {}
        self.hits = self.joined = self.made = self.evicted = self.stale = 0
        self._tokens = count(1)
        self._longest = self.lapses(ttl_s)

    def lapses(self, ttl: float) -> float:
        """Tell how long a claim lives for one to whom a result lives for ``ttl``."""
        return ttl if self.in_flight_ttl_s is None else self.in_flight_ttl_s

    def result(self, key: str, ttl: float, now: float) -> Kept | None:
        """Find a live result."""
        kept = self.cache.get(key)
        return kept if kept and now - kept.at < ttl else None

    def claim(self, key: str, ttl: float, now: float) -> Claim | None:
        """Find a live claim."""
        claim = self.claims.get(key)
        return claim if claim and self.left(claim, ttl, now) > 0 else None

    def left(self, claim: Claim, ttl: float, now: float) -> float:
        """Tell how long a claim still lives; 0 or less is dead."""
        if claim.own:
            return 0.0 if claim.shared and claim.shared.lost else float("inf")
        return self.lapses(ttl) - (now - claim.at)

    def meet(self, key: str, ttl: float, now: float) -> Met:
        """Tell what ``key`` meets, and claim it where it is free."""
        self._longest = max(self._longest, self.lapses(ttl))
        if kept := self.result(key, ttl, now):
            self.hits += 1
            return DeduplicationResult.Cached(kept.value)
        if self.claim(key, ttl, now):
            self.joined += 1
            return DeduplicationResult.InProgress()
        return DeduplicationResult.New(self.take(key, now).token)

    def take(self, key: str, now: float) -> Claim:
        """Claim ``key``; an older claim to it is over."""
        self.drop(key)
        self.made += 1
        claim = self.claims[key] = Claim(next(self._tokens), now)
        self._tidy(now)
        return claim

    def holds(self, key: str, token: int | None) -> bool:
        """Tell whether ``token`` is that of the claim to ``key``; None always is."""
        claim = self.claims.get(key)
        return token is None or (claim is not None and claim.token == token)

    def keep(self, key: str, value: Any, now: float) -> Claim | None:
        """Cache a result, the latest; give the claim it ends."""
        self.cache.pop(key, None)  # it goes to the end
        self.cache[key] = Kept(value, now)
        self.fit()
        return self.claims.pop(key, None)

    def drop(self, key: str) -> bool:
        """End a claim without a result; tell whether there was one."""
        claim = self.claims.pop(key, None)
        if claim and claim.shared and (not claim.own or claim.shared.lost):
            claim.shared.end(None)  # whoever waits asks again
        return claim is not None

    def fit(self) -> None:
        """Let the oldest results make room."""
        while len(self.cache) > self.max_entries:
            self.evict()
            self.evicted += 1

    def evict(self) -> bool:
        """Forget the oldest result; tell whether there was one."""
        if not self.cache:
            return False
        del self.cache[next(iter(self.cache))]
        return True

    def purge(self, now: float) -> int:
        """Forget what is not live any more; tell how much that was."""
        results = [key for key in self.cache if not self.result(key, self.ttl_s, now)]
        claims = [key for key in self.claims if not self.claim(key, self.ttl_s, now)]
        for key in results:  # pop, for what a value does when it goes may free others
            self.cache.pop(key, None)
        for key in claims:
            self.drop(key)
        return len(results) + len(claims)

    def entries(self, now: float) -> list[DeduplicatorEntry]:
        """Give a row for each live key: results in the order they came, then claims."""
        rows = list[DeduplicatorEntry]()
        for key, kept in self.cache.items():
            if self.result(key, self.ttl_s, now):
                left = self.ttl_s - (now - kept.at)
                rows.append(DeduplicatorEntry(key, "cached", now - kept.at, left))
        for key, claim in self.claims.items():
            if self.claim(key, self.ttl_s, now):
                known = None if claim.own else self.left(claim, self.ttl_s, now)
                rows.append(DeduplicatorEntry(key, "in_flight", now - claim.at, known))
        return rows

    def stats(self, now: float) -> DeduplicatorStats:
        """Count."""
        return DeduplicatorStats(
            self.ttl_s,
            self.lapses(self.ttl_s),
            self.max_entries,
            sum(self.claim(key, self.ttl_s, now) is not None for key in self.claims),
            sum(self.result(key, self.ttl_s, now) is not None for key in self.cache),
            self.hits,
            self.joined,
            self.made,
            self.evicted,
            self.stale,
        )

    def _tidy(self, now: float) -> None:
        """Let go of claims that were forgotten: two for each new one, once there are many."""
        for key in list(self.claims)[:2] if len(self.claims) > MANY_CLAIMS else ():
            oldest = self.claims[key]
            if now - oldest.at < self._longest:
                break
            if oldest.own:  # at work; it need not be looked at again soon
                del self.claims[key]
                self.claims[key] = oldest
            else:
                self.drop(key)
