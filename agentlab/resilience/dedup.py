"""The same thing asked twice is done once.

Whoever finds a key free has a claim to it, with a token, and must end that; ``run`` does all of
it, and lets those who come meanwhile wait for the one result. The rules are the ledger's.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any, Self

from agentlab.core.bounds import at_least_one, callback, not_negative
from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import DeduplicationConflict, InvalidValue
from agentlab.core.sync import Raised, last_words, twin
from agentlab.resilience.ledger import (
    Claim,
    DeduplicationResult,
    DeduplicatorEntry,
    DeduplicatorStats,
    Ledger,
    Met,
)
from agentlab.resilience.shared import Ended, Given, Shared

__all__ = ["DeduplicationResult", "Deduplicator", "DeduplicatorEntry", "DeduplicatorStats", "Met"]

SOON_S = 0.001  # no shorter wait is worth a timer

log = logging.getLogger("agentlab.resilience")


class Deduplicator(Displayable, Tabular):
    """Do the same thing once, and remember what came of it for a while.

    Threads and loops may share one. A result is kept as it is and given to everybody who asks:
    do not change it. When there are too many, the one that came first makes room.

    >>> dedup = Deduplicator(60)
    >>> dedup.check_and_register("k")
    New(token=1)
    >>> dedup.check_and_register("k")
    InProgress()
    >>> dedup.complete("k", "v")
    True
    >>> dedup.check_and_register("k")
    Cached(value='v')

    These are the cases of :class:`DeduplicationResult`, to ``match`` on.

    Parameters
    ----------
    ttl_s : float
        How many seconds a result is good for; with 0, calls are shared only while they run.
    in_flight_ttl_s : float, optional
        After how many seconds a claim that nobody ended lapses; by default as ``ttl_s``. A call
        of :meth:`run` does not lapse, since it is known to be at work.
    max_entries : int
        How many results to keep.
    clock : Clock
        Tells how old they are.
    """

    def __init__(
        self,
        ttl_s: float,
        *,
        in_flight_ttl_s: float | None = None,
        max_entries: int = 10_000,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        ttl_s = not_negative("ttl_s", ttl_s)
        if in_flight_ttl_s is not None:
            in_flight_ttl_s = not_negative("in_flight_ttl_s", in_flight_ttl_s)
        max_entries = at_least_one("max_entries", max_entries)
        self._ledger = Ledger(ttl_s, in_flight_ttl_s, max_entries)
        self._clock = clock
        # Held for a few moves of the ledger; re-entrant, because a call that is thrown away gives
        # up its place wherever the collector happens to run.
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        now = self.stats()
        kept = f"{now.cached}/{now.max_entries} cached, {now.in_flight} in flight"
        return f"<Deduplicator ttl {now.ttl_s:g} s, {kept}>"

    def with_max_entries(self, n: int) -> Self:
        """Keep at most ``n`` results, the latest ones."""
        with self._lock:
            self._ledger.max_entries = at_least_one("max_entries", n)
            self._ledger.fit()
        return self

    def check_and_register(self, key: str) -> Met:
        """Tell what ``key`` meets, and claim it where it is free."""
        return self.dedup_many([(key, self._ledger.ttl_s)])[0]

    def check(self, key: str, ttl: float) -> Met:
        """Do so with a time to live for this question alone."""
        return self.dedup_many([(key, ttl)])[0]

    def dedup_many(self, pairs: Iterable[tuple[str, float]]) -> list[Met]:
        """Check many keys, each with its time to live, and nobody comes between."""
        asked = [(a_key(key), not_negative("ttl", ttl)) for key, ttl in pairs]
        with self._lock:
            now = self._clock.monotonic()
            return [self._ledger.meet(key, ttl, now) for key, ttl in asked]

    def register_strict(self, key: str) -> DeduplicationResult.New:
        """Claim ``key``.

        Raises
        ------
        DeduplicationConflict
            It is cached or in flight.
        """
        met = self.check_and_register(key)
        if not isinstance(met, DeduplicationResult.New):
            raise DeduplicationConflict(key)
        return met

    def complete(self, key: str, result: Any, token: int | None = None) -> bool:
        """End a claim with its result; tell whether that was taken.

        With a ``token``, it is ignored where the claim has lapsed to somebody else, or was ended,
        and the log says so. Without one it is always taken.
        """
        with self._lock:
            if not self._ledger.holds(a_key(key), token):
                return self._late("result", key)
            claim = self._ledger.keep(key, result, self._clock.monotonic())
        if claim and claim.shared and not claim.own:
            claim.shared.end(Given(result))
        return True

    def fail(self, key: str, token: int | None = None) -> bool:
        """End a claim without a result, which frees the key; tell whether there was one."""
        with self._lock:
            if not self._ledger.holds(a_key(key), token):
                return self._late("failure", key)
            return self._ledger.drop(key)

    async def run(self, key: str, fn: Callable[[], Any]) -> Any:
        """Give the result for ``key``: the cached one, that of whoever is at it, or that of ``fn``.

        The call is shared by all who come while it runs, on whatever loop or thread. What it
        raises is raised to all of them, and forgotten. One who is cancelled leaves the others
        their result; when nobody waits any more the call is cancelled, and the key is free.

        Parameters
        ----------
        key : str
            What makes two calls the same.
        fn : callable
            Takes nothing; async, or plain and then called in a worker thread.
        """
        callback("fn", fn)
        while True:
            met = self._join(a_key(key), fn)
            if not isinstance(met, tuple):
                return met.value
            claim, mine, left = met
            ended = await self._wait(claim, left)
            if isinstance(ended, Given):
                return ended.value
            if isinstance(ended, Raised):
                raise ended.error
            if mine:  # nobody but the work itself, or the end of its loop, has cancelled it
                raise asyncio.CancelledError

    run_sync = twin(run)

    def get_result(self, key: str, default: Any = None) -> Any:
        """Give the cached result, or ``default``."""
        with self._lock:
            kept = self._ledger.result(key, self._ledger.ttl_s, self._clock.monotonic())
        return kept.value if kept else default

    def contains(self, key: str) -> bool:
        """Tell whether ``key`` is cached or in flight."""
        with self._lock:
            ttl, now = self._ledger.ttl_s, self._clock.monotonic()
            known = self._ledger.result(key, ttl, now) or self._ledger.claim(key, ttl, now)
            return known is not None

    @property
    def in_flight_count(self) -> int:
        """How many keys are in flight."""
        return self.stats().in_flight

    @property
    def cached_count(self) -> int:
        """How many results are cached and still good."""
        return self.stats().cached

    def purge_expired(self) -> int:
        """Forget what is not live any more; tell how much that was."""
        with self._lock:
            return self._ledger.purge(self._clock.monotonic())

    def evict_oldest(self) -> bool:
        """Forget the result that came first; tell whether there was one."""
        with self._lock:
            return self._ledger.evict()

    def clear(self) -> None:
        """Forget everything; calls under way go on for those who wait, and are not cached."""
        with self._lock:
            self._ledger.cache.clear()
            for key in list(self._ledger.claims):
                self._ledger.drop(key)

    def stats(self) -> DeduplicatorStats:
        """Count what is live, and what came so far."""
        with self._lock:
            return self._ledger.stats(self._clock.monotonic())

    def entries(self) -> list[DeduplicatorEntry]:
        """Give a row for each live key: results in the order they came, then claims."""
        with self._lock:
            return self._ledger.entries(self._clock.monotonic())

    def _late(self, what: str, key: str) -> bool:
        self._ledger.stale += 1
        log.warning("a late %s for %.200r is ignored: its claim is over", what, key)
        return False

    def _join(
        self, key: str, fn: Callable[[], Any]
    ) -> DeduplicationResult.Cached | tuple[Claim, bool, float]:
        """Take a place among those who wait, as the one who does the work if there is nobody."""
        with self._lock:
            ledger, now = self._ledger, self._clock.monotonic()
            if kept := ledger.result(key, ledger.ttl_s, now):
                ledger.hits += 1
                return DeduplicationResult.Cached(kept.value)
            found = ledger.claim(key, ledger.ttl_s, now)
            ledger.joined += found is not None
            claim = found or ledger.take(key, now)
            claim.shared = shared = claim.shared or Shared()
            claim.own = claim.own or not found
            shared.waiting += 1
            left = ledger.left(claim, ledger.ttl_s, now)
        if not found:  # outside the lock, for some loops begin a task at once
            shared.begin(fn, lambda ended: self._over(key, claim, ended))
        return claim, not found, left

    async def _wait(self, claim: Claim, left: float) -> Ended:
        shared = claim.shared or Shared()
        try:
            if claim.own:
                ended = await shared.heard()
            else:
                ended = await shared.heard_within(max(left, SOON_S), self._clock)
        except BaseException as error:
            if self._leave(claim, shared) and isinstance(error, asyncio.CancelledError):
                await last_words(shared.heard())  # it must not be at work when we are not
            raise
        self._leave(claim, shared)
        return ended

    def _leave(self, claim: Claim, shared: Shared) -> bool:
        """Give the place up, and stop a call that nobody waits for; tell whether it was one.

        Its key is free when it has ended, so that nothing is done twice at once.
        """
        with self._lock:
            shared.waiting -= 1
            if shared.waiting or shared.done or not claim.own:
                return False
            shared.cancel()
        return True

    def _over(self, key: str, claim: Claim, ended: Ended) -> None:
        with self._lock:
            if self._ledger.claims.get(key) is not claim:
                return
            if isinstance(ended, Given):
                self._ledger.keep(key, ended.value, self._clock.monotonic())
            else:
                self._ledger.drop(key)


def a_key(key: str) -> str:
    """Refuse what is no text."""
    if not isinstance(key, str):
        raise InvalidValue(f"a key is text, got {key!r:.80}")
    return key
