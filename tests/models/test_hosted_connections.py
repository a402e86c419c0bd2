"""The connections of hosted models: used again, shared, given up, and none left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.errors import ProviderError
from agentlab.core.protocols import Chunk, Request
from agentlab.core.sync import closing
from agentlab.models.wrapped import Retrying
from agentlab.resilience.retry import RetryPolicy
from tests.models.asking import ASKED, TEXT, both, failure, hear, text_of
from tests.models.vendors import KEY, Vendor
from tests.wire import HANG, Act, reply, streamed, until, wire


@both
def test_connections_are_used_again(vendor: Vendor) -> None:
    """Ten questions, streams and errors among them, go over one connection."""

    async def scene() -> int:
        answers = [streamed(vendor.events("x")), reply(vendor.whole("x")), reply("no", 400)] * 3
        async with wire(*answers, streamed(vendor.events("x"))) as there:
            async with vendor.at(there.url) as model:
                for _ in range(3):
                    await hear(model)
                    await model.complete("p")
                    with pytest.raises(ProviderError):
                        await model.complete("p")
                await hear(model)
            return there.connections

    assert asyncio.run(scene()) == 1


@both
def test_so_many_at_once(vendor: Vendor) -> None:
    """No more are under way than may be; the others wait their turn."""

    async def scene(n: int) -> int:
        slow = streamed(0.05, vendor.events("x"))
        model = vendor.made.with_max_concurrent_streams(KEY, n)
        async with wire(slow) as there:
            async with model.with_base_url(KEY, there.url + vendor.base):
                options = Request("p", model="m")
                await asyncio.gather(*(hear(model, options) for _ in range(8)))
            return there.most

    assert asyncio.run(scene(3)) == 3
    assert vendor.made(KEY).max_concurrent_streams == 32


@both
def test_two_loops_in_turn(vendor: Vendor) -> None:
    """One provider serves a loop, then another, and blocking callers; each closes what was its."""
    model = vendor.at("http://127.0.0.1:1")

    async def scene() -> None:
        async with wire(streamed(vendor.events(TEXT))) as there:
            model.with_base_url(KEY, there.url + vendor.base)
            assert text_of(await hear(model)) == TEXT
            await asyncio.gather(*(hear(model) for _ in range(3)))
            assert there.open == 3
            await model.aclose()

    for _ in range(3):
        asyncio.run(scene())


@both
def test_closed_while_one_waits_for_its_turn(vendor: Vendor) -> None:
    """It is asked all the same when its turn comes, and no connection is left of it."""

    async def scene() -> None:
        long = streamed(vendor.events("one "), HANG)
        async with wire(long, streamed(vendor.events(TEXT))) as there:
            model = vendor.at(there.url, max_concurrent_streams=1)
            first = asyncio.create_task(hear(model))
            await until(lambda: len(there.asked) == 1)
            second = asyncio.create_task(hear(model))
            await asyncio.sleep(0)
            await model.aclose()
            first.cancel()
            await asyncio.wait([first])
            assert text_of(await second) == TEXT
            await until(lambda: not there.open)

    asyncio.run(scene())


@both
def test_a_loop_that_ends_closes_its_connections(vendor: Vendor) -> None:
    """Nobody has to: there is no warning of a socket that was left, and it can be asked again."""
    model = vendor.at("http://127.0.0.1:1")

    async def serve(ready: Callable[[str], Coroutine[Any, Any, None]]) -> int:
        async with wire(streamed(vendor.events(TEXT))) as there:
            await asyncio.to_thread(asyncio.run, ready(there.url))
            await until(lambda: not there.open)
            return there.connections

    async def ask(url: str) -> None:
        model.with_base_url(KEY, url + vendor.base)
        assert text_of(await hear(model)) == TEXT

    assert asyncio.run(serve(ask)) == 1
    assert asyncio.run(serve(ask)) == 1


@both
@pytest.mark.parametrize("when", ["before the answer", "in the answer", "waiting for its turn"])
def test_cancelling_leaves_nothing(vendor: Vendor, when: str) -> None:
    """No task, no connection and no slot is left, and the server sees that nobody listens."""
    acts = [HANG] if when == "before the answer" else streamed(vendor.events("ab")[:-60], HANG)

    async def scene() -> None:
        async with wire(acts) as there, vendor.at(there.url, max_concurrent_streams=1) as model:
            tasks = [asyncio.create_task(hear(model)) for _ in "ab"]
            await until(lambda: there.busy > 0)
            victim = tasks[1 if when == "waiting for its turn" else 0]
            victim.cancel()
            with pytest.raises(asyncio.CancelledError):
                await victim
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await until(lambda: not there.open)
            line = await model._lines.get()  # noqa: SLF001 - what must be free
            assert not line.slots.locked()
            assert there.hung_up >= 1
            others = asyncio.all_tasks() - {asyncio.current_task()}
            assert [each for each in others if "hear" in repr(each)] == []

    asyncio.run(scene())


@both
def test_cancelling_at_any_moment(vendor: Vendor) -> None:
    """Wherever it was, no slot is taken for ever and no connection is left."""

    async def scene() -> int:
        body = vendor.events("ab", "cd")
        acts = streamed(*(body[at : at + 40] for at in range(0, len(body), 40)))
        through = 0
        async with wire(acts) as there, vendor.at(there.url, max_concurrent_streams=1) as model:
            for ticks in range(120):
                task = asyncio.create_task(hear(model))
                for _ in range(ticks):
                    await asyncio.sleep(0)
                task.cancel()
                (ended,) = await asyncio.gather(task, return_exceptions=True)
                through += isinstance(ended, list)
                assert isinstance(ended, list | asyncio.CancelledError), ended
            async with asyncio.timeout(5):
                assert text_of(await hear(model)) == "abcd"
            await until(lambda: there.open <= 1)
        return through

    assert asyncio.run(scene()) < 120


@both
def test_leaving_early_hangs_up(vendor: Vendor) -> None:
    """Who has heard enough closes the stream, and with it the connection."""

    async def scene() -> None:
        begun = vendor.events("ab", "cd")
        acts = streamed(begun[: begun.index(vendor.ended)], HANG)
        async with wire(acts) as there, vendor.at(there.url) as model:
            async with closing(model.stream(ASKED)) as chunks:
                assert (await anext(chunks)).text == "ab"
            await until(lambda: not there.open)
            assert there.hung_up == 1

    asyncio.run(scene())


@both
def test_trying_again_as_the_vendor_asks(vendor: Vendor) -> None:
    """After the pause it asks for, at most a minute; never once text was shown."""
    clock = FakeClock()
    policy = RetryPolicy.exponential(4, 10, clock=clock)
    good, body = streamed(vendor.events(TEXT)), vendor.events("so far")
    cut = streamed(body[: body.index(vendor.ended)])
    busy = reply("busy", 429, retry_after="7")

    async def ask(*answers: list[Act]) -> tuple[list[Chunk], int]:
        async with wire(*answers) as there, vendor.at(there.url) as model:
            asked = Retrying(model, policy).stream(ASKED)
            return [chunk async for chunk in asked], len(there.asked)

    began = clock.monotonic()
    chunks, times = asyncio.run(ask(busy, reply("", 503, retry_after="9999"), good))
    assert (text_of(chunks), times) == (TEXT, 3)
    assert clock.monotonic() - began == pytest.approx(67)
    assert "trying again in 7 s" in chunks[0].warning

    error = failure(ask(cut, good))
    assert vars(error)["attempts"] == 1
    assert failure(ask(reply("no", 401), good)).status == 401
