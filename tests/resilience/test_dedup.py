"""The same thing asked twice is done once."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.errors import AgentLabError, DeduplicationConflict, InvalidValue
from agentlab.resilience.dedup import DeduplicationResult, Deduplicator
from tests.doubles import until

New, Cached, InProgress = (
    DeduplicationResult.New,
    DeduplicationResult.Cached,
    DeduplicationResult.InProgress,
)


def test_w25_1() -> None:
    """A key is new, in progress, cached, and new again when its time is over."""
    clock = FakeClock()
    dedup = Deduplicator(60, clock=clock)

    assert isinstance(dedup.check_and_register("k"), New)
    assert dedup.check_and_register("k") == InProgress()
    dedup.complete("k", "v")
    assert dedup.check_and_register("k") == Cached("v")
    clock.advance(60)
    assert isinstance(dedup.check_and_register("k"), New)


def test_reads_well_in_a_match() -> None:
    """Each case is a pattern of its own, with what it knows."""
    dedup = Deduplicator(60)

    def say(key: str) -> str:
        match dedup.check_and_register(key):
            case DeduplicationResult.New(token):
                return f"mine {token}"
            case DeduplicationResult.InProgress():
                return "wait"
            case DeduplicationResult.Cached(value):
                return f"have {value}"

    assert [say("a"), say("a"), say("b")] == ["mine 1", "wait", "mine 2"]
    dedup.complete("a", 7)
    assert say("a") == "have 7"


def test_the_last_moment() -> None:
    """What is as old as its time to live is over, everywhere alike."""
    clock = FakeClock()
    dedup = Deduplicator(10, in_flight_ttl_s=5, clock=clock)
    dedup.complete("done", 1)
    dedup.check_and_register("going")

    clock.advance(4.5)
    assert dedup.check("going", 10) == InProgress()
    assert (dedup.in_flight_count, dedup.contains("going")) == (1, True)
    clock.advance(0.5)
    assert (dedup.in_flight_count, dedup.contains("going")) == (0, False)
    assert isinstance(dedup.check_and_register("going"), New)

    clock.advance(4.5)
    assert (dedup.get_result("done"), dedup.cached_count) == (1, 1)
    clock.advance(0.5)
    assert (dedup.get_result("done"), dedup.get_result("done", "gone")) == (None, "gone")
    assert (dedup.cached_count, dedup.contains("done")) == (0, False)
    assert dedup.purge_expired() == 2
    assert dedup.purge_expired() == 0


def test_a_ttl_for_one_question() -> None:
    """It judges results, and claims too where these have no time of their own."""
    clock = FakeClock()
    dedup, own = Deduplicator(60, clock=clock), Deduplicator(60, in_flight_ttl_s=20, clock=clock)
    for each in (dedup, own):
        each.complete("done", 1)
        each.check_and_register("going")
    clock.advance(10)

    assert dedup.check("done", 11) == Cached(1)
    assert dedup.check("going", 11) == own.check("going", 11) == own.check("going", 9)
    assert isinstance(dedup.check("going", 9), New)
    assert isinstance(dedup.check("done", 10), New)
    assert dedup.check("done", 60) == Cached(1)


def test_many_at_once() -> None:
    """They are met in order, so that the second of two equal keys is in progress."""
    dedup = Deduplicator(60)
    dedup.complete("c", 3)

    met = dedup.dedup_many([("a", 60), ("c", 60), ("a", 60)])

    assert met == [New(1), Cached(3), InProgress()]
    with pytest.raises(InvalidValue, match="ttl must be >= 0 and finite, got nan"):
        dedup.dedup_many([("b", 60), ("b", float("nan"))])
    assert not dedup.contains("b")


def test_a_stale_claim(caplog: pytest.LogCaptureFixture) -> None:
    """Who comes too late changes nothing, and the log says so."""
    clock = FakeClock()
    dedup = Deduplicator(10, clock=clock)
    first = dedup.register_strict("k")
    clock.advance(10)
    second = dedup.register_strict("k")

    assert not dedup.complete("k", "old", first.token)
    assert not dedup.fail("k", first.token)
    assert dedup.check_and_register("k") == InProgress()
    assert dedup.complete("k", "new", second.token)
    assert not dedup.complete("k", "again", second.token)
    assert dedup.get_result("k") == "new"
    assert [r.levelno for r in caplog.records] == [logging.WARNING] * 3
    assert "a late result for 'k' is ignored: its claim is over" in caplog.text
    assert dedup.stats().stale == 3


def test_a_late_result_that_nobody_replaced() -> None:
    """A claim that lapsed, but that nobody else took, still ends with its result."""
    clock = FakeClock()
    dedup = Deduplicator(10, clock=clock)
    token = dedup.register_strict("k").token
    clock.advance(99)

    assert dedup.complete("k", "v", token)
    assert dedup.get_result("k") == "v"


def test_without_a_token() -> None:
    """A result is taken in any case, and a failure frees the key."""
    dedup = Deduplicator(60)

    assert dedup.complete("k", 1)
    assert dedup.get_result("k") == 1
    dedup.check_and_register("j")
    assert dedup.fail("j")
    assert not dedup.fail("j")
    assert isinstance(dedup.check_and_register("j"), New)


def test_strict() -> None:
    """A key that is known already is a conflict."""
    dedup = Deduplicator(60)
    dedup.register_strict("k")

    with pytest.raises(DeduplicationConflict, match=r"^Deduplication key collision: k$"):
        dedup.register_strict("k")
    dedup.complete("k", 1)
    with pytest.raises(DeduplicationConflict):
        dedup.register_strict("k")


def test_first_in_first_out() -> None:
    """The oldest result makes room; one that came again is the latest, and leaves no ghost."""
    dedup = Deduplicator(60, max_entries=2)
    for key in "aba":
        dedup.complete(key, key)
    dedup.complete("c", "c")

    assert [dedup.get_result(key) for key in "abc"] == ["a", None, "c"]
    assert dedup.stats().evicted == 1
    assert dedup.evict_oldest()
    assert [dedup.get_result(key) for key in "abc"] == [None, None, "c"]
    assert dedup.evict_oldest()
    assert not dedup.evict_oldest()


def test_with_max_entries() -> None:
    """It sets the limit at once, and gives itself back."""
    made = Deduplicator(60).with_max_entries(2)
    for key in "abc":
        made.complete(key, key)

    assert made.cached_count == 2
    assert made.with_max_entries(1) is made
    assert [made.get_result(key) for key in "abc"] == [None, None, "c"]
    with pytest.raises(InvalidValue, match="max_entries must be >= 1, got 0"):
        made.with_max_entries(0)
    assert made.stats().max_entries == 1


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"ttl_s": -1}, "ttl_s must be >= 0 and finite, got -1"),
        ({"ttl_s": float("inf")}, "ttl_s must be >= 0 and finite, got inf"),
        ({"ttl_s": 1, "in_flight_ttl_s": "5"}, "in_flight_ttl_s must be >= 0 and finite, got '5'"),
        ({"ttl_s": 1, "max_entries": 0}, "max_entries must be >= 1, got 0"),
    ],
)
def test_settings_that_can_never_be_right(settings: dict[str, Any], why: str) -> None:
    """Each is refused with its value; so is a key that is no text."""
    with pytest.raises(InvalidValue) as caught:
        Deduplicator(**settings)
    assert str(caught.value) == why
    with pytest.raises(InvalidValue, match="a key is text, got 3"):
        Deduplicator(1).check_and_register(3)  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="fn must be a function, got 5: pass it uncalled"):
        Deduplicator(1).run_sync("k", 5)  # type: ignore[arg-type]


def test_a_value_that_asks_when_it_goes() -> None:
    """A value may use the deduplicator while it is being replaced, or forgotten."""
    dedup, seen = Deduplicator(60, max_entries=1), list[int]()

    class Last:
        def __del__(self) -> None:
            seen.append(dedup.cached_count)

    def replace() -> None:
        dedup.complete("a", Last())
        dedup.complete("a", Last())
        dedup.complete("b", Last())
        dedup.clear()

    thread = threading.Thread(target=replace, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert len(seen) == 3


def test_clear() -> None:
    """Everything is free again, and what was under way is late."""
    dedup = Deduplicator(60)
    token = dedup.register_strict("a").token
    dedup.complete("b", 1)
    dedup.clear()

    assert (dedup.in_flight_count, dedup.cached_count) == (0, 0)
    assert not dedup.complete("a", 1, token)


def test_what_it_shows() -> None:
    """One line, counters, and a row for each live key."""
    clock = FakeClock()
    dedup = Deduplicator(60, in_flight_ttl_s=30, max_entries=5, clock=clock)
    dedup.complete("done", 1)
    clock.advance(10)
    dedup.check_and_register("going")
    clock.advance(5)
    dedup.check_and_register("done")
    dedup.check_and_register("going")

    assert repr(dedup) == "<Deduplicator ttl 60 s, 1/5 cached, 1 in flight>"
    assert dedup.stats().to_dict() == {
        "ttl_s": 60.0, "in_flight_ttl_s": 30.0, "max_entries": 5, "in_flight": 1, "cached": 1,
        "hits": 1, "joined": 1, "claims": 1, "evicted": 0, "stale": 0,
    }  # fmt: skip
    assert [(e.key, e.state, e.age_s, e.left_s) for e in dedup.entries()] == [
        ("done", "cached", 15.0, 45.0),
        ("going", "in_flight", 5.0, 25.0),
    ]


def test_forgotten_claims_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims that nobody ends go when they are over and there are many; live ones stay."""
    monkeypatch.setattr("agentlab.resilience.ledger.MANY_CLAIMS", 5)
    clock = FakeClock()
    dedup = Deduplicator(10, clock=clock)
    for number in range(1000):
        dedup.check_and_register(str(number))
        clock.advance(1)

    assert len(dedup._ledger.claims) <= 11  # noqa: SLF001 - what is kept is the promise
    assert dedup.in_flight_count == 9


def test_a_call_at_work_is_no_forgotten_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is kept, however old it is and however many claims come after it."""
    monkeypatch.setattr("agentlab.resilience.ledger.MANY_CLAIMS", 2)
    clock, work = FakeClock(), Work()
    dedup = Deduplicator(10, clock=clock)

    async def scene() -> None:
        tasks = await started(dedup, work, 1)
        for number in range(20):
            clock.advance(10)
            dedup.check_and_register(str(number))
        assert dedup.check_and_register("k") == InProgress()
        work.let.set()
        assert await tasks[0] == "done"

    play(scene())
    assert len(dedup._ledger.claims) <= 4  # noqa: SLF001 - what is kept is the promise


def test_threads() -> None:
    """However many ask at once, one of them gets each key."""
    dedup, start = Deduplicator(60), threading.Barrier(8)

    def ask(_: int) -> int:
        start.wait()
        return sum(isinstance(dedup.check_and_register(str(n)), New) for n in range(500))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 500


class Work:
    """Work that ends when it is let, and knows what became of it."""

    def __init__(self) -> None:
        self.begun = self.ended = self.cancelled = 0
        self.let = threading.Event()

    async def __call__(self) -> str:
        self.begun += 1
        try:
            while not self.let.is_set():  # noqa: ASYNC110 - from another thread
                await asyncio.sleep(0.001)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        self.ended += 1
        return "done"


async def started(dedup: Deduplicator, work: Callable[[], Awaitable[Any]], count: int) -> Any:
    """Let ``count`` callers wait for the same."""
    tasks = [asyncio.create_task(dedup.run("k", work)) for _ in range(count)]
    await asyncio.sleep(0.01)
    return tasks


def play(scene: Coroutine[Any, Any, None]) -> None:
    """Run a scene, and see that it leaves no task behind."""

    async def whole() -> None:
        await scene
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(whole())


def test_run_shares_one_call() -> None:
    """All who come while it runs have its result, and later ones have it from the cache."""
    dedup, work = Deduplicator(60), Work()

    async def scene() -> None:
        tasks = await started(dedup, work, 5)
        assert dedup.check_and_register("k") == InProgress()
        work.let.set()
        assert await asyncio.gather(*tasks) == ["done"] * 5
        assert await dedup.run("k", work) == "done"

    play(scene())
    assert work.begun == 1
    assert (dedup.stats().hits, dedup.stats().joined) == (1, 5)
    assert (dedup.in_flight_count, dedup.cached_count) == (0, 1)


def test_run_from_many_loops_and_threads() -> None:
    """Callers of other loops, of the portal and of plain threads share the call too."""
    dedup, work, results = Deduplicator(60), Work(), list[str]()

    async def three() -> list[str]:
        return list(await asyncio.gather(*(dedup.run("k", work) for _ in range(3))))

    threads = [
        *(threading.Thread(target=lambda: results.extend(asyncio.run(three()))) for _ in "ab"),
        *(threading.Thread(target=lambda: results.append(dedup.run_sync("k", work))) for _ in "ab"),
    ]
    for thread in threads:
        thread.start()
    until(lambda: dedup.stats().joined == 7)
    work.let.set()
    for thread in threads:
        thread.join(10)

    assert (results, work.begun) == (["done"] * 8, 1)
    assert dedup.in_flight_count == 0


def test_errors_reach_everybody_and_are_forgotten() -> None:
    """The same exception is raised to all who wait, and the next caller tries anew."""
    dedup, error, calls = Deduplicator(60), ValueError("no"), list[int]()

    async def fail() -> None:
        calls.append(1)
        await asyncio.sleep(0.02)
        raise error

    async def scene() -> None:
        for _ in range(2):
            tasks = await started(dedup, fail, 3)
            assert await asyncio.gather(*tasks, return_exceptions=True) == [error] * 3

    play(scene())
    assert len(calls) == 2
    assert (dedup.in_flight_count, dedup.cached_count) == (0, 0)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_what_would_end_the_loop_reaches_the_caller(error: BaseException) -> None:
    """It is raised where it is waited for, and nothing is left in flight."""
    dedup = Deduplicator(60)

    async def leave() -> None:
        raise error

    with pytest.raises(type(error)):
        dedup.run_sync("k", leave)
    assert dedup.in_flight_count == 0


def test_the_first_caller_may_go() -> None:
    """The call is nobody's: whoever is cancelled leaves the others their result."""
    dedup, work = Deduplicator(60), Work()

    async def scene() -> None:
        tasks = await started(dedup, work, 3)
        for task in tasks[:2]:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        work.let.set()
        assert await tasks[2] == "done"

    play(scene())
    assert (work.begun, work.cancelled, dedup.get_result("k")) == (1, 0, "done")


def test_nobody_waits_any_more() -> None:
    """Then the call is cancelled, has ended before the last caller has, and the key is free."""
    dedup, work = Deduplicator(60), Work()

    async def scene() -> None:
        tasks = await started(dedup, work, 3)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert [task.cancelled() for task in tasks] == [True] * 3
        assert (work.cancelled, dedup.in_flight_count) == (1, 0)
        work.let.set()
        assert await dedup.run("k", work) == "done"

    play(scene())
    assert (work.begun, work.ended) == (2, 1)


def test_who_comes_while_a_call_is_being_stopped() -> None:
    """One who comes then waits for its end, and does the work after it, not beside it."""
    dedup, order = Deduplicator(60), list[str]()

    async def slow_to_go() -> None:
        order.append("begin")
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.02)
            order.append("end")

    async def scene() -> None:
        (task,) = await started(dedup, slow_to_go, 1)
        task.cancel()
        await asyncio.sleep(0.005)
        assert await dedup.run("k", lambda: order.append("next")) is None
        await asyncio.wait([task])

    play(scene())
    assert order == ["begin", "end", "next"]


def test_stopped_once() -> None:
    """Others who come and go while a call cleans up do not cut that short."""
    dedup, order = Deduplicator(60), list[str]()

    async def slow_to_go() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.03)
            order.append("clean")

    async def scene() -> None:
        tasks = await started(dedup, slow_to_go, 1)
        tasks[0].cancel()
        await asyncio.sleep(0.005)
        tasks += await started(dedup, slow_to_go, 1)
        tasks[1].cancel()
        await asyncio.wait(tasks)

    play(scene())
    assert order == ["clean"]


def test_work_that_will_not_be_stopped() -> None:
    """It goes on, and whoever comes meanwhile has its result."""
    dedup, work = Deduplicator(60), Work()

    async def stubborn() -> str:
        try:
            return await work()
        except asyncio.CancelledError:
            await asyncio.sleep(0.02)
            return "anyway"

    async def scene() -> None:
        (task,) = await started(dedup, stubborn, 1)
        task.cancel()
        await asyncio.sleep(0.005)
        assert await dedup.run("k", work) == "anyway"
        await asyncio.wait([task])
        assert task.cancelled()

    play(scene())
    assert (work.begun, dedup.get_result("k"), dedup.in_flight_count) == (1, "anyway", 0)


def test_a_time_out_of_the_only_caller() -> None:
    """It cancels the call, as if that had been awaited directly."""
    dedup, work = Deduplicator(60), Work()

    async def scene() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await dedup.run("k", work)
        assert (work.cancelled, dedup.in_flight_count) == (1, 0)

    play(scene())


def test_the_last_who_waits_is_elsewhere() -> None:
    """A caller on another loop keeps the call alive, and cancels it when it goes too."""
    dedup, work, gone = Deduplicator(60), Work(), threading.Event()

    async def first() -> None:
        (task,) = await started(dedup, work, 1)
        until(lambda: dedup.stats().joined == 1)
        task.cancel()
        await asyncio.wait([task])
        assert work.cancelled == 0
        while not gone.is_set():  # noqa: ASYNC110 - from another thread
            await asyncio.sleep(0.001)

    async def second() -> None:
        until(lambda: work.begun == 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await dedup.run("k", work)
        assert work.cancelled == 1
        gone.set()

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(play, first()), pool.submit(play, second())]:
            future.result(10)
    assert dedup.in_flight_count == 0


def test_the_loop_of_the_first_ends() -> None:
    """One who waits on another loop takes over when the loop that did the work is gone."""
    dedup, theirs, mine = Deduplicator(60), Work(), Work()
    mine.let.set()

    async def first() -> None:
        asyncio.get_running_loop().create_task(dedup.run("k", theirs))
        await asyncio.to_thread(until, lambda: dedup.stats().joined == 1)

    async def second() -> str:
        await asyncio.to_thread(until, lambda: theirs.begun == 1)
        return str(await dedup.run("k", mine))

    with ThreadPoolExecutor(2) as pool:
        pool.submit(asyncio.run, first())
        assert pool.submit(asyncio.run, second()).result(10) == "done"
    assert (theirs.cancelled, mine.ended) == (1, 1)
    assert dedup.in_flight_count == 0


def test_a_loop_that_was_thrown_away() -> None:
    """Work whose loop was closed under it holds neither its key nor who waits for it."""
    dedup, lost, mine = Deduplicator(60), Work(), Work()
    mine.let.set()
    loop = asyncio.new_event_loop()
    task = loop.create_task(dedup.run("k", lost))
    loop.run_until_complete(asyncio.sleep(0.01))
    assert dedup.in_flight_count == 1

    async def leave() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await dedup.run("k", lost)

    waiting = threading.Thread(target=lambda: asyncio.run(leave()))
    waiting.start()
    until(lambda: dedup.stats().joined == 1)
    task.cancel()
    loop.run_until_complete(asyncio.sleep(0.01))
    assert (task.cancelled(), lost.cancelled) == (True, 0)
    loop.close()
    waiting.join(10)

    assert not waiting.is_alive()
    assert dedup.in_flight_count == 0
    assert asyncio.run(dedup.run("k", mine)) == "done"
    for work in asyncio.all_tasks(loop):
        work._log_destroy_pending = False  # type: ignore[attr-defined] # noqa: SLF001 - it is meant
    del work
    gc.collect()


def test_work_that_cancels_itself() -> None:
    """Its caller is cancelled, as by awaiting it directly; one who joined does it himself."""
    dedup, calls = Deduplicator(60), list[int]()

    async def give_up() -> None:
        calls.append(1)
        await asyncio.sleep(0.02)
        raise asyncio.CancelledError

    async def scene() -> None:
        tasks = await started(dedup, give_up, 2)
        await asyncio.wait(tasks)
        assert [task.cancelled() for task in tasks] == [True, True]

    play(scene())
    assert (len(calls), dedup.in_flight_count) == (2, 0)


def test_work_that_asks_for_itself() -> None:
    """It is told so, instead of waiting for ever."""
    dedup = Deduplicator(60)

    async def outer() -> str:
        return str(await dedup.run("k", Work()))

    with pytest.raises(AgentLabError, match="this call waits for itself"):
        dedup.run_sync("k", outer)
    assert dedup.in_flight_count == 0

    async def other() -> str:
        return str(await dedup.run("another", lambda: "fine"))

    assert dedup.run_sync("k", other) == "fine"


def test_run_does_not_lapse() -> None:
    """A slow call is not made twice, however short the time to live."""
    clock, work = FakeClock(), Work()
    dedup = Deduplicator(1, clock=clock)

    async def scene() -> None:
        tasks = await started(dedup, work, 1)
        clock.advance(100)
        assert dedup.check_and_register("k") == InProgress()
        assert [e.left_s for e in dedup.entries()] == [None]
        tasks += await started(dedup, work, 1)
        work.let.set()
        assert await asyncio.gather(*tasks) == ["done"] * 2

    play(scene())
    assert work.begun == 1


def test_no_time_to_live_shares_and_forgets() -> None:
    """With 0 s calls are shared while they run, and nothing is cached."""
    dedup, work = Deduplicator(0), Work()

    async def scene() -> None:
        tasks = await started(dedup, work, 3)
        work.let.set()
        await asyncio.gather(*tasks)
        await dedup.run("k", work)

    play(scene())
    assert (work.begun, dedup.cached_count) == (2, 0)


def test_run_waits_for_a_claim_made_by_hand() -> None:
    """It gets that result; where the claim fails, or lapses, it does the work itself."""
    dedup, own = Deduplicator(60), Work()
    own.let.set()

    async def scene() -> None:
        token = dedup.register_strict("k").token
        (task,) = await started(dedup, own, 1)
        dedup.complete("k", "theirs", token)
        assert await task == "theirs"

        dedup.clear()
        dedup.register_strict("k")
        (task,) = await started(dedup, own, 1)
        dedup.fail("k")
        assert await task == "done"
        assert own.begun == 1

        clock = FakeClock()
        short = Deduplicator(60, clock=clock)
        short.register_strict("k")
        assert await short.run("k", own) == "done"
        assert (clock.monotonic(), own.begun) == (60.0, 2)

        dedup.clear()
        dedup.register_strict("k")
        (task,) = await started(dedup, own, 1)
        task.cancel()
        await asyncio.wait([task])
        assert dedup.in_flight_count == 1

    play(scene())


def test_cleared_while_it_runs() -> None:
    """Who waits gets the result; it is not cached, and the next caller begins anew."""
    dedup, first, second = Deduplicator(60), Work(), Work()

    async def scene() -> None:
        tasks = await started(dedup, first, 2)
        dedup.clear()
        tasks += await started(dedup, second, 1)
        first.let.set()
        assert await asyncio.gather(*tasks[:2]) == ["done"] * 2
        assert dedup.get_result("k") is None
        second.let.set()
        assert await tasks[2] == "done"
        assert dedup.get_result("k") == "done"

    play(scene())


def test_plain_work_runs_in_a_thread() -> None:
    """A blocking function does not freeze the loop."""
    dedup = Deduplicator(60)

    name = asyncio.run(dedup.run("k", lambda: threading.current_thread().name))

    assert name == dedup.run_sync("k", Work()) == "agentlab-worker"
