"""Whatever happens in whatever order, a deduplicator is what a small dictionary says."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from agentlab.core.clock import FakeClock
from agentlab.resilience.dedup import DeduplicationResult, Deduplicator

KEYS = st.sampled_from("abcd")
TIMES = st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0])


@dataclass
class Known:
    """What the model keeps of a key: when, and the value or the token."""

    at: float
    what: Any


class Machine(RuleBasedStateMachine):
    """Plays against two dictionaries, in which nothing is ever tidied up by itself."""

    @initialize(
        ttl=st.sampled_from([2.0, 3.0]),
        lapse=st.sampled_from([None, 1.0, 4.0]),
        most=st.integers(1, 3),
    )
    def begin(self, ttl: float, lapse: float | None, most: int) -> None:
        """Start empty."""
        self.clock, self.ttl, self.lapse, self.most = FakeClock(), ttl, lapse, most
        self.dedup = Deduplicator(ttl, in_flight_ttl_s=lapse, max_entries=most, clock=self.clock)
        self.results, self.claims = dict[str, Known](), dict[str, Known]()
        self.tokens, self.values = list[tuple[str, int]](), 0

    def age(self, known: Known) -> float:
        """Tell how old something is."""
        return self.clock.monotonic() - known.at

    def expect(self, key: str, ttl: float) -> str:
        """Tell what ``key`` must meet."""
        if key in self.results and self.age(self.results[key]) < ttl:
            return "Cached"
        lapse = ttl if self.lapse is None else self.lapse
        if key in self.claims and self.age(self.claims[key]) < lapse:
            return "InProgress"
        return "New"

    def settle(self, key: str, *, token: int | None, value: Any = None) -> bool:
        """End a claim in the model."""
        held = self.claims.get(key)
        if token is not None and (held is None or held.what != token):
            return False
        self.claims.pop(key, None)
        if value is not None:
            self.results.pop(key, None)
            self.results[key] = Known(self.clock.monotonic(), value)
            for oldest in list(self.results)[: -self.most]:
                del self.results[oldest]
        return value is not None or held is not None

    @rule(seconds=TIMES)
    def time_passes(self, seconds: float) -> None:
        """Move on."""
        self.clock.advance(seconds)

    @rule(key=KEYS, ttl=st.none() | TIMES)
    def ask(self, key: str, ttl: float | None) -> None:
        """Check and register."""
        expected = self.expect(key, self.ttl if ttl is None else ttl)
        met = self.dedup.check_and_register(key) if ttl is None else self.dedup.check(key, ttl)

        assert type(met).__name__ == expected
        if isinstance(met, DeduplicationResult.Cached):
            assert met.value == self.results[key].what
        if isinstance(met, DeduplicationResult.New):
            assert (key, met.token) not in self.tokens
            self.tokens.append((key, met.token))
            self.claims[key] = Known(self.clock.monotonic(), met.token)

    @rule(pick=st.integers(0, 99), good=st.booleans())
    def end_with_a_token(self, pick: int, *, good: bool) -> None:
        """End any claim there ever was, most of them stale."""
        if self.tokens:
            key, token = self.tokens[-1 - pick % len(self.tokens)]
            self.end(key, token, good=good)

    @rule(key=KEYS, good=st.booleans())
    def end_without_one(self, key: str, *, good: bool) -> None:
        """End whatever claim there is."""
        self.end(key, None, good=good)

    def end(self, key: str, token: int | None, *, good: bool) -> None:
        """Complete or fail, in both."""
        self.values += 1
        if good:
            taken = self.dedup.complete(key, self.values, token)
            assert taken == self.settle(key, token=token, value=self.values)
        else:
            assert self.dedup.fail(key, token) == self.settle(key, token=token)

    @rule()
    def evict(self) -> None:
        """Forget the oldest result."""
        assert self.dedup.evict_oldest() == bool(self.results)
        if self.results:
            del self.results[next(iter(self.results))]

    @rule()
    def purge(self) -> None:
        """Forget what is over."""
        lapse = self.ttl if self.lapse is None else self.lapse
        old = [key for key in self.results if self.age(self.results[key]) >= self.ttl]
        dead = [key for key in self.claims if self.age(self.claims[key]) >= lapse]
        assert self.dedup.purge_expired() == len(old) + len(dead)
        for key in old:
            del self.results[key]
        for key in dead:
            del self.claims[key]

    @rule()
    def clear(self) -> None:
        """Forget everything."""
        self.dedup.clear()
        self.results.clear()
        self.claims.clear()

    @invariant()
    def agrees(self) -> None:
        """Every reading is the model's, and there are never more results than allowed."""
        if not hasattr(self, "dedup"):
            return
        lapse = self.ttl if self.lapse is None else self.lapse
        live = {k: v.what for k, v in self.results.items() if self.age(v) < self.ttl}
        going = {k for k, v in self.claims.items() if self.age(v) < lapse}

        assert {k: self.dedup.get_result(k) for k in "abcd"} == {k: live.get(k) for k in "abcd"}
        assert {k for k in "abcd" if self.dedup.contains(k)} == {*live, *going}
        assert (self.dedup.cached_count, self.dedup.in_flight_count) == (len(live), len(going))
        assert [e.key for e in self.dedup.entries() if e.state == "cached"] == list(live)
        assert len(self.results) <= self.most


Machine.TestCase.settings = settings(max_examples=150, stateful_step_count=40)
TestDeduplicator = Machine.TestCase


class Crowd:
    """Callers of one key, on one loop, and the work they share."""

    def __init__(self) -> None:
        self.dedup, self.at_work, self.most = Deduplicator(0), 0, 0
        self.gates: list[asyncio.Future[int]] = []
        self.tasks: list[asyncio.Task[int]] = []

    async def work(self) -> int:
        """Wait at a gate."""
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        self.gates.append(asyncio.get_running_loop().create_future())
        try:
            return await self.gates[-1]
        finally:
            self.at_work -= 1

    async def move(self, how: str, pick: int) -> None:
        """Let something happen."""
        if how == "join":
            self.tasks.append(asyncio.create_task(self.dedup.run("k", self.work)))
        elif how == "leave" and self.tasks:
            self.tasks[pick % len(self.tasks)].cancel()
        elif how == "step":
            for _ in range(pick):
                await asyncio.sleep(0)
        elif how in ("end", "fail") and self.gates and not self.gates[-1].done():
            gate = self.gates[-1]
            gate.set_result(1) if how == "end" else gate.set_exception(KeyError())


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(st.sampled_from(["join", "leave", "step", "end", "fail"]), st.integers(0, 9)),
        max_size=25,
    )
)
def test_run_in_any_order(moves: list[tuple[str, int]]) -> None:
    """However callers come, leave and wait: one call at a time, and nothing is left."""

    async def scene() -> None:
        crowd = Crowd()
        for move in moves:
            await crowd.move(*move)
        for task in crowd.tasks:
            task.cancel()
        if crowd.tasks:
            await asyncio.wait(crowd.tasks)

        assert crowd.most <= 1
        assert crowd.at_work == crowd.dedup.in_flight_count == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}
        kinds = {type(task.exception()) for task in crowd.tasks if not task.cancelled()}
        assert kinds <= {type(None), KeyError}

    asyncio.run(scene())


@pytest.mark.parametrize("seed", range(6))
def test_four_loops_at_once(seed: int) -> None:
    """Callers on four threads come and go as chance has it: never two calls of a key at once."""
    dedup, lock, at_work = Deduplicator(0), threading.Lock(), Counter[str]()
    clashes, odd = list[str](), list[BaseException | None]()

    async def work(key: str) -> str:
        with lock:
            at_work[key] += 1
            clashes.extend([key] * (at_work[key] > 1))
        try:
            await asyncio.sleep(0.001)
            return key
        finally:
            with lock:
                at_work[key] -= 1

    async def crowd(chance: Random) -> None:
        tasks: list[asyncio.Task[str]] = []
        for _ in range(150):
            key = chance.choice("ab")
            tasks.append(asyncio.create_task(dedup.run(key, partial(work, key)), name=key))
            await asyncio.sleep(chance.choice([0, 0, 0.0005, 0.002]))
            if chance.random() < 0.4:
                chance.choice(tasks).cancel()
        await asyncio.wait(tasks)
        odd.extend(
            task.exception()
            for task in tasks
            if not task.cancelled() and (task.exception() or task.result() != task.get_name())
        )

    with ThreadPoolExecutor(4) as pool:
        chances = [Random(seed * 10 + n) for n in range(4)]  # noqa: S311 - repeats
        list(pool.map(lambda chance: asyncio.run(crowd(chance)), chances))

    assert (clashes, odd, +at_work, dedup.in_flight_count) == ([], [], Counter(), 0)
