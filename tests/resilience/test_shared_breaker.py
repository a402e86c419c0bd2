"""One circuit for everybody who shares a store."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import multiprocessing
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.errors import CircuitOpen, InvalidValue, ToolArgumentError, WrongThread
from agentlab.core.protocols import Change, Guard, Store
from agentlab.core.sync import run_sync
from agentlab.resilience.circuit_breaker import BreakerRow
from agentlab.resilience.pipeline import Pipeline
from agentlab.resilience.shared_breaker import SharedCircuitBreaker, SharedPermit
from agentlab.store.memory import InMemoryPersistenceBackend
from agentlab.store.sqlite import SqlitePersistenceBackend
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.spec import ToolSpec

KEY = "agentlab:cb:search"


class Dict:
    """A store that lets others in at every step, tries each change twice, and may be out."""

    def __init__(self, clock: FakeClock) -> None:
        self.kept = dict[str, bytes]()
        self.clock, self.down, self.hangs, self.writes = clock, False, False, 0
        self.lock = threading.Lock()

    async def _reach(self) -> None:
        await asyncio.sleep(0)
        if self.hangs:
            await asyncio.sleep(60)
        if self.down:
            raise ConnectionError("no route")

    async def load(self, key: str, /) -> bytes | None:
        await self._reach()
        return self.kept.get(key)

    async def save(self, key: str, value: bytes, /) -> None:
        await self._reach()
        self.kept[key] = value

    async def delete(self, key: str, /) -> None:
        await self._reach()
        self.kept.pop(key, None)

    async def keys(self, prefix: str = "", /) -> list[str]:
        await self._reach()
        return sorted(key for key in self.kept if key.startswith(prefix))

    async def update(self, key: str, change: Change, /) -> bytes | None:
        await self._reach()
        with self.lock:
            change(self.kept.get(key), self.clock.now())
            new = change(self.kept.get(key), self.clock.now())
            assert new is not None
            self.kept[key] = new
            self.writes += 1
        await asyncio.sleep(0)
        return new


@pytest.fixture
def clock() -> FakeClock:
    """Give a clock that stands still."""
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> Dict:
    """Give a store on that clock."""
    return Dict(clock)


@pytest.fixture
def breaker(store: Store) -> SharedCircuitBreaker:
    """Give a breaker that one failure opens."""
    return SharedCircuitBreaker("search", 1, 30, store=store)


async def fail() -> None:
    """Do not answer."""
    raise ZeroDivisionError


async def turns(count: int) -> None:
    """Let the others run so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


async def trip(breaker: SharedCircuitBreaker) -> None:
    """Fail once."""
    with pytest.raises(ZeroDivisionError):
        await breaker.async_call(fail)


class Lab(NamedTuple):
    """What most tests need."""

    breaker: SharedCircuitBreaker
    store: Dict
    clock: FakeClock


def played(script: Callable[[Lab], Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Let a test be a coroutine."""

    def test(breaker: SharedCircuitBreaker, store: Dict, clock: FakeClock) -> None:
        asyncio.run(script(Lab(breaker, store, clock)))

    test.__doc__ = script.__doc__
    return test


@played
async def test_opens_and_recovers(lab: Lab) -> None:
    """Two breakers on one store are one circuit, by the store's time."""
    breaker, store, clock = lab
    other = SharedCircuitBreaker("search", 1, 30, store=store)
    apart = SharedCircuitBreaker("search", 1, 30, store=store, prefix="mine")
    await trip(breaker)
    assert (await other.current(), await apart.current()) == ("open", "closed")
    with pytest.raises(CircuitOpen, match=r"^Circuit breaker open for 'search'$"):
        await other.async_call(fail)

    clock.advance(29.999)
    assert await other.current() == "open"
    clock.advance(0.001)
    assert await other.current() == "half_open"
    assert await other.async_call(asyncio.sleep, 0, "back") == "back"
    assert await breaker.current() == "closed"


@played
async def test_what_is_stored(lab: Lab) -> None:
    """One key of JSON, with whole milliseconds; nothing before something has failed."""
    breaker, store, clock = lab
    await breaker.async_call(asyncio.sleep, 0)
    assert await breaker.current() == "closed"
    assert (store.kept, store.writes) == ({}, 0)

    await trip(breaker)
    at = round(clock.now().timestamp() * 1000)
    assert json.loads(store.kept[KEY]) == {
        "failures": 1, "opened_at_ms": at, "probing_since_ms": None, "generation": 1, "version": 1,
    }  # fmt: skip
    for _ in range(5):
        with pytest.raises(CircuitOpen):
            await breaker.acquire()
        await breaker.current()
    assert store.writes == 1  # to refuse, and to look, writes nothing

    clock.advance(30)
    await breaker.acquire()
    assert json.loads(store.kept[KEY])["probing_since_ms"] == at + 30_000


@played
async def test_one_probe_of_all(lab: Lab) -> None:
    """Half open lets one in, whoever asks, and the next one when that has lapsed."""
    breaker, store, clock = lab
    breakers = [SharedCircuitBreaker("search", 1, 30, store=store) for _ in range(20)]
    await trip(breaker)
    clock.advance(30)
    asked = await asyncio.gather(*(b.acquire() for b in breakers), return_exceptions=True)
    (probe,) = [each for each in asked if isinstance(each, SharedPermit)]
    assert sum(isinstance(each, CircuitOpen) for each in asked) == 19

    clock.advance(30)
    second = await breaker.acquire()
    await probe.success()
    assert await breaker.current() == "half_open"
    await second.success()
    assert await breaker.current() == "closed"


@played
async def test_late_outcomes(lab: Lab) -> None:
    """A call let in before the outage does not end it, and a permit is settled once."""
    breaker, store, clock = lab
    slow, twice = await breaker.acquire(), await breaker.acquire()
    await twice.cancel()
    await twice.failure()
    assert await breaker.current() == "closed"
    await trip(breaker)
    await slow.success()
    assert await breaker.current() == "open"
    await breaker.reset()
    assert await breaker.current() == "closed"
    assert json.loads(store.kept[KEY])["failures"] == 0
    clock.advance(1)


@played
async def test_failures_are_in_a_row(lab: Lab) -> None:
    """A success of anybody begins the count anew."""
    store = lab.store
    one, two = (SharedCircuitBreaker("s", 2, 30, store=store) for _ in range(2))
    await trip(one)
    await two.async_call(asyncio.sleep, 0)
    await trip(one)
    assert await two.current() == "closed"
    await trip(two)
    assert await one.current() == "open"


@played
async def test_blameless_errors(lab: Lab) -> None:
    """The caller's mistakes do not count; a cancelled probe frees its place."""
    breaker, _, clock = lab
    for error in (ToolArgumentError("x"), asyncio.CancelledError(), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught:
            async with breaker.guard():
                raise error
        assert caught.value is error
    assert await breaker.current() == "closed"

    await trip(breaker)
    clock.advance(30)
    task = asyncio.create_task(breaker.async_call(asyncio.sleep, 60))
    await turns(50)
    assert breaker.stats().probing
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert await breaker.async_call(asyncio.sleep, 0, "probe") == "probe"


@pytest.mark.parametrize("moves", range(1, 12))
def test_cancelled_while_it_asks(moves: int, store: Dict, clock: FakeClock) -> None:
    """At whatever await an asking task is cancelled, no probe is left behind."""

    async def main() -> None:
        breaker = SharedCircuitBreaker("search", 1, 30, store=store)
        await trip(breaker)
        clock.advance(30)
        task = asyncio.create_task(breaker.acquire())
        await turns(moves)
        if task.done():
            await (await task).cancel()
        task.cancel()
        await asyncio.wait([task])
        assert await breaker.async_call(asyncio.sleep, 0, "probe") == "probe"

    asyncio.run(main())


@pytest.mark.parametrize("moves", range(1, 9))
def test_cancelled_while_it_tells(moves: int, store: Dict) -> None:
    """What a call that has ended says is heard, though its task is cancelled meanwhile."""

    async def main() -> None:
        breaker = SharedCircuitBreaker("search", 1, 30, store=store)
        failed = asyncio.Event()

        async def work() -> None:
            failed.set()
            raise ZeroDivisionError

        task = asyncio.create_task(breaker.async_call(work))
        await failed.wait()
        await turns(moves)
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            assert isinstance(task.exception(), ZeroDivisionError)
        await turns(50)
        assert await breaker.current() == "open"

    asyncio.run(main())


@played
async def test_unreachable(lab: Lab) -> None:
    """It counts as closed, in the beginning and in the end; errors are counted."""
    breaker, store, _ = lab
    await trip(breaker)
    store.down = True
    assert await breaker.current() == "closed"
    assert await breaker.async_call(asyncio.sleep, 0, "in") == "in"
    await trip(breaker)
    assert breaker.stats().backend_errors == 3
    with pytest.raises(ConnectionError):
        await breaker.reset()

    store.down = False
    assert await breaker.current() == "open"
    await breaker.reset()
    permit = await breaker.acquire()
    store.down = True
    await permit.failure()  # raises nothing
    assert breaker.stats().backend_errors == 4


@played
async def test_unreachable_it_may_refuse(lab: Lab) -> None:
    """With ``fail_open=False`` nobody gets in while it cannot be told."""
    store = lab.store
    breaker = SharedCircuitBreaker("search", store=store, fail_open=False)
    store.down = True
    with pytest.raises(CircuitOpen):
        await breaker.acquire()
    assert breaker.stats().refused == 1


@played
async def test_a_store_that_hangs(lab: Lab) -> None:
    """Is out of reach after a while, and so keeps nobody waiting for long."""
    store = lab.store
    breaker = SharedCircuitBreaker("search", store=store, store_timeout_s=0.02)
    store.hangs = True
    async with asyncio.timeout(5):
        assert await breaker.async_call(asyncio.sleep, 0, "in") == "in"
    assert breaker.stats().backend_errors == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b'{"failures": -1}',
        b'{"opened_at_ms": "x"}',
        b"null",
        b'{"failures": 9, "version": 2}',
    ],
)
def test_damaged_state(
    data: bytes, store: Dict, breaker: SharedCircuitBreaker, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be read counts as nothing, is told once, and is overwritten."""

    async def main() -> None:
        store.kept[KEY] = data
        with caplog.at_level(logging.WARNING, "agentlab.resilience"):
            assert await breaker.current() == "closed"
            await trip(breaker)
        assert await breaker.current() == "open"

    asyncio.run(main())
    (record,) = caplog.records
    assert "what is kept of circuit breaker 'search' cannot be read" in record.message
    assert breaker.stats().backend_errors > 0


def test_from_a_cell(breaker: SharedCircuitBreaker, clock: FakeClock) -> None:
    """Blocking twins, and ``call`` for plain functions; the permit has twins too."""

    async def cell() -> None:
        assert breaker.call(str.upper, "ok") == "OK"
        with pytest.raises(ZeroDivisionError) as caught:
            breaker.call(lambda: 1 / 0)
        assert caught.value.__cause__ is None
        assert breaker.current_sync() == "open"
        with pytest.raises(CircuitOpen):
            breaker.acquire_sync("x")
        clock.advance(30)
        breaker.acquire_sync().success_sync()
        assert breaker.current_sync() == "closed"
        breaker.acquire_sync().failure_sync()
        breaker.reset_sync()
        breaker.acquire_sync().cancel_sync()
        assert breaker.current_sync() == "closed"

    asyncio.run(cell())
    with pytest.raises(WrongThread, match="await 'acquire' instead"):
        run_sync(asked, breaker)


async def asked(breaker: SharedCircuitBreaker) -> SharedPermit:
    """Block where one must not."""
    return breaker.acquire_sync()


def test_decorates(breaker: SharedCircuitBreaker) -> None:
    """A function, plain or async; the wrong call says so and does not count."""

    @breaker
    async def slow(n: int) -> int:
        return 1 // n

    @breaker
    def plain(n: int) -> int:
        return 1 // n

    assert (plain(1), asyncio.run(slow(1))) == (1, 1)
    with pytest.raises(InvalidValue, match="is async"):
        breaker.call(fail)  # type: ignore[unused-coroutine]
    with pytest.raises(InvalidValue, match="is not async, it gave 3"):
        asyncio.run(breaker.async_call(lambda: 3))  # type: ignore[arg-type, return-value]
    assert breaker.current_sync() == "closed"

    with pytest.raises(ZeroDivisionError):
        asyncio.run(slow(0))
    with pytest.raises(CircuitOpen):
        plain(1)


def test_behind_a_tool(store: Dict) -> None:
    """A dispatcher awaits it like every guard; two results that say no open it."""
    guard: Guard = SharedCircuitBreaker("x", 2, store=store)
    spec = ToolSpec("no", "", lambda _: {"ok": False}, inline=True).with_circuit_breaker(guard)
    tools = ToolRegistry([spec])
    seen = [asyncio.run(tools.observe("no", {})) for _ in range(3)]

    assert [each.error for each in seen] == [None, None, "Circuit breaker open for 'tool:no'"]


def test_two_loops(breaker: SharedCircuitBreaker, store: Dict, clock: FakeClock) -> None:
    """One object serves a cell's loop and the portal's."""
    asyncio.run(trip(breaker))
    assert breaker.current_sync() == "open"
    clock.advance(30)
    permit = breaker.acquire_sync()
    asyncio.run(permit.success())
    assert breaker.current_sync() == "closed"
    assert store.kept


@played
async def test_a_reader_who_leaves(lab: Lab) -> None:
    """A generator that is closed inside a block frees its probe at once."""
    await trip(lab.breaker)
    lab.clock.advance(30)

    async def letters() -> AsyncGenerator[str, None]:
        async with lab.breaker.guard():
            yield "a"
            yield "b"

    reading = letters()
    assert await anext(reading) == "a"
    await lab.breaker.current()
    assert lab.breaker.stats().probing
    await reading.aclose()
    await lab.breaker.current()
    assert not lab.breaker.stats().probing


@pytest.mark.parametrize("staged", [False, True])
def test_a_block_thrown_away_with_its_loop(
    breaker: SharedCircuitBreaker, caplog: pytest.LogCaptureFixture, *, staged: bool
) -> None:
    """Nothing more can be said of it, and it says so to nobody; its probe lapses."""
    loop, begun = asyncio.new_event_loop(), asyncio.Event()

    async def hang(text: str) -> str:
        begun.set()
        await asyncio.sleep(60)
        return text

    async def block() -> None:
        if staged:
            await Pipeline().add_stage("s", hang, breaker=breaker).run("a")
        async with breaker.guard():
            await hang("a")

    task = loop.create_task(block())
    loop.run_until_complete(begun.wait())
    loop.close()
    task._log_destroy_pending = False  # type: ignore[attr-defined] # noqa: SLF001 - it is meant
    del task
    gc.collect()
    assert breaker.stats().calls == 1
    assert not caplog.records


def test_what_was_seen_last(breaker: SharedCircuitBreaker, clock: FakeClock) -> None:
    """The repr and the row do not ask the store."""
    assert repr(breaker) == "<SharedCircuitBreaker 'search' closed 0/1>"
    asyncio.run(trip(breaker))
    clock.advance(10)
    assert breaker.current_sync() == "open"
    assert repr(breaker) == "<SharedCircuitBreaker 'search' open 1/1>"
    expected = BreakerRow("search", "open", 1, 1, 30.0, 10.0, 20.0, calls=1)
    assert (breaker.stats(), breaker.service_name) == (expected, "search")
    assert (breaker.state, breaker.is_healthy, breaker.failures_until_open) == ("open", False, 0)
    assert (breaker.threshold, breaker.recovery_window, breaker.next_change_s) == (1, 30.0, 20.0)


def test_arguments(store: Dict) -> None:
    """What can never be right is refused in seconds, not in what is stored."""
    with pytest.raises(InvalidValue, match=r"^circuit breaker threshold must be >= 1, got 0$"):
        SharedCircuitBreaker("x", 0, store=store)
    with pytest.raises(InvalidValue, match=r"recovery_window must be >= 0 and finite, got -1$"):
        SharedCircuitBreaker("x", 1, -1, store=store)
    with pytest.raises(InvalidValue, match=r"store_timeout_s must be > 0 and finite, got 0$"):
        SharedCircuitBreaker("x", 1, store=store, store_timeout_s=0)
    with pytest.raises(InvalidValue, match="needs a store or a backend, got neither"):
        SharedCircuitBreaker("x", 1)
    with pytest.raises(InvalidValue, match="needs a store or a backend, got both"):
        SharedCircuitBreaker("x", 1, store=store, backend=store)  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match=r"needs a store with an atomic update, such as .*, got"):
        SharedCircuitBreaker("x", 1, store="runs.sqlite")  # type: ignore[arg-type]


def test_on_our_own_stores(tmp_path: Path, clock: FakeClock) -> None:
    """It works on the stores there are, by their time; a refusal leaves no new version."""
    for store in (
        InMemoryPersistenceBackend(clock=clock),
        SqlitePersistenceBackend(tmp_path / "s.db", clock=clock),
    ):
        breaker = SharedCircuitBreaker("search", 1, 30, store=store)
        asyncio.run(trip(breaker))
        with pytest.raises(CircuitOpen):
            breaker.acquire_sync()
        assert store.version_sync(KEY) == 1
        clock.advance(30)
        assert breaker.call(lambda: "back") == "back"
        assert breaker.current_sync() == "closed"
        store.close()


def worker(path: Path, together: Any, done: Any, answers: Any) -> None:
    """Ask at once with the others, and keep what one gets until all have asked."""
    store = SqlitePersistenceBackend(path)
    breaker = SharedCircuitBreaker(  # with patience, for the machine may be busy
        "search", 1, 0.5, store=store, probe_timeout_s=120, store_timeout_s=60
    )
    for _ in range(3):
        together.wait(60)
        try:
            permit = breaker.acquire_sync()
        except CircuitOpen:
            permit = None
        done.wait(60)
        answers.put(permit is not None)
        if permit is not None:
            permit.failure_sync()  # open again: the next round has a probe too
        done.wait(60)
        threading.Event().wait(0.6)


def test_one_probe_among_processes(tmp_path: Path) -> None:
    """Of several processes that find it half open at once, one gets the probe, each time."""
    path, several = tmp_path / "s.db", 3
    breaker = SharedCircuitBreaker("search", 1, 0.5, store=SqlitePersistenceBackend(path))
    asyncio.run(trip(breaker))
    context = multiprocessing.get_context("spawn")
    together, done, answers = context.Barrier(several), context.Barrier(several), context.Queue()
    workers = [
        context.Process(target=worker, args=(path, together, done, answers), daemon=True)
        for _ in range(several)
    ]
    threading.Event().wait(0.6)
    for each in workers:
        each.start()
    seen = [answers.get(timeout=60) for _ in range(3 * several)]
    for each in workers:
        each.join(60)

    assert [seen[at : at + several].count(True) for at in range(0, len(seen), several)] == [1, 1, 1]
    assert breaker.stats().backend_errors == 0
