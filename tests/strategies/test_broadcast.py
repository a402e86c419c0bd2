"""Who hears what is said: everybody who is there, at his own pace."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any
from weakref import ref

import pytest

from agentlab.core.errors import AgentLoopError
from agentlab.strategies.agent_events import AgentEvent
from agentlab.strategies.broadcast import StreamBroadcaster, StreamSubscription
from agentlab.strategies.event_stream import AgentEventStream


def frames(reader: StreamSubscription) -> list[str]:
    """Read text to the end."""

    async def read() -> list[str]:
        return [frame async for frame in reader]

    return asyncio.run(read())


def events(reader: StreamSubscription) -> list[AgentEvent]:
    """Read events to the end."""

    async def read() -> list[AgentEvent]:
        return [event async for event in reader.events()]

    return asyncio.run(read())


@pytest.mark.parametrize("capacity", [0, -1, 1.5, None, "8"])
def test_a_capacity_is_a_positive_number(capacity: Any) -> None:
    """A capacity of 0, or of no number, is an error of the loop that names it."""
    with pytest.raises(AgentLoopError, match=rf"must be >= 1, got {capacity!r}$"):
        StreamBroadcaster(capacity)
    with pytest.raises(AgentLoopError):
        AgentEventStream(capacity=capacity)


def test_two_subscribers() -> None:
    """Both hear all of it, in order, and sending says that they are two."""
    broadcaster = StreamBroadcaster(8)
    said = [AgentEvent.Thought("a"), AgentEvent.Action("t", 1), AgentEvent.Result("b")]
    one, two = broadcaster.subscribe(), broadcaster.subscribe()
    assert broadcaster.receiver_count() == 2

    assert [broadcaster.send_event(event) for event in said] == [2, 2, 2]
    assert frames(one) == [event.to_sse() for event in said]
    assert events(two) == said


def test_nobody_need_listen() -> None:
    """Saying things to nobody is fine, and whoever comes later has missed them."""
    broadcaster = StreamBroadcaster(1)
    assert broadcaster.send_event(AgentEvent.Thought("early")) == broadcaster.send(": hm") == 0
    reader = broadcaster.subscribe()
    broadcaster.send_event(AgentEvent.Result("late"))

    assert events(reader) == [AgentEvent.Result("late")]


def test_other_frames() -> None:
    """A ready piece of a stream is sent as it is, ended by a blank line; it is no event of ours."""
    broadcaster = StreamBroadcaster(8)
    one, two = broadcaster.subscribe(), broadcaster.subscribe()
    for frame in (": ping", "event: x\ndata: y\n\n", "data: [DONE]\r\n", "\ud800"):
        assert broadcaster.send(frame) == 2
    broadcaster.close()

    assert frames(one) == [
        ": ping\n\n", "event: x\ndata: y\n\n", "data: [DONE]\n\n", "\ufffd\n\n",
    ]  # fmt: skip
    assert events(two) == []


def test_a_slow_reader_loses_the_oldest() -> None:
    """It is told how many, in the stream and by figures; the others lose nothing."""
    broadcaster = StreamBroadcaster(2)

    async def read() -> None:
        slow, quick = broadcaster.subscribe(), broadcaster.subscribe()
        for n in range(5):
            broadcaster.send_event(AgentEvent.Thought(str(n)))
            assert await anext(quick) == AgentEvent.Thought(str(n)).to_sse()
        assert (quick.lost, slow.lost) == (0, 3)
        assert repr(slow) == "<StreamSubscription 2 unread, 3 lost>"
        first = await anext(slow)
        assert first == ": 3 lost\n\n" + AgentEvent.Thought("3").to_sse()
        assert AgentEvent.from_sse(first) == AgentEvent.Thought("3")
        assert (slow.lag, slow.lost) == (3, 3)
        assert await anext(slow) == AgentEvent.Thought("4").to_sse()
        assert (slow.lag, slow.lost) == (0, 3)
        for n in range(3):
            broadcaster.send_event(AgentEvent.Thought(str(n)))
        event = await anext(slow.events())
        assert (event, slow.lag, slow.lost) == (AgentEvent.Thought("1"), 1, 4)

    asyncio.run(read())


def test_a_reader_that_never_reads_costs_its_queue() -> None:
    """A hundred thousand events later it holds as many as it may, and a count of the rest."""
    broadcaster = StreamBroadcaster(10)
    idle = broadcaster.subscribe()
    for n in range(100_000):
        broadcaster.send_event(AgentEvent.Thought(str(n)))

    assert repr(idle) == "<StreamSubscription 10 unread, 99990 lost>"


@pytest.mark.parametrize("end", [AgentEvent.Result("42"), AgentEvent.Error("down")])
def test_a_reader_ends_with_the_run(end: AgentEvent) -> None:
    """After a result or an error it ends, even if more was said before it read; others go on."""
    broadcaster = StreamBroadcaster(3)
    one, on = broadcaster.subscribe(), broadcaster.subscribe(until_end=False)
    more = AgentEvent.Thought("of the next run")
    assert broadcaster.send_event(AgentEvent.Thought("x")) == 2
    assert broadcaster.send_event(end) == 2
    assert [broadcaster.send_event(more) for _ in range(9)] == [1] * 9
    assert repr(one) == "<StreamSubscription 2 unread, ended>"
    broadcaster.close()

    assert events(one) == [AgentEvent.Thought("x"), end]
    assert events(one) == []
    assert events(on) == [more] * 3
    assert on.lost == 8


def test_closing_ends_all() -> None:
    """Who waits hears the end, who has something unread reads it first, who comes is too late."""
    broadcaster = StreamBroadcaster(8)

    async def play() -> list[list[str]]:
        one, two = broadcaster.subscribe(), broadcaster.subscribe()
        broadcaster.send("data: 1")
        waiting = asyncio.create_task(aiter_to_list(one))
        await asyncio.sleep(0.01)
        broadcaster.close()
        broadcaster.close()
        assert broadcaster.send("data: 2") == broadcaster.receiver_count() == 0
        late = broadcaster.subscribe()
        return [await waiting, await aiter_to_list(two), await aiter_to_list(late)]

    assert asyncio.run(play()) == [["data: 1\n\n"], ["data: 1\n\n"], []]
    assert repr(broadcaster) == "<StreamBroadcaster 0 receivers of 8, closed>"


async def aiter_to_list(reader: StreamSubscription) -> list[str]:
    """Read text to the end."""
    return [frame async for frame in reader]


def test_readers_that_left_do_not_count() -> None:
    """Whether they were closed, left a block, broke off, or were thrown away."""
    broadcaster = StreamBroadcaster(8)
    count = broadcaster.receiver_count

    async def play() -> None:
        reader = broadcaster.subscribe()
        reader.close()
        reader.close()
        assert count() == 0
        async with broadcaster.subscribe() as reader:
            assert count() == 1
            broadcaster.send("data: unread")
        assert count() == 0
        assert [frame async for frame in reader] == []  # it forgot what it had not read

        reader = broadcaster.subscribe()
        broadcaster.send_event(AgentEvent.Thought("x"))
        some = reader.events()
        await anext(some)
        assert count() == 1
        await some.aclose()  # type: ignore[attr-defined]
        assert count() == 0

        sender = asyncio.get_running_loop().call_later(0.01, broadcaster.send, "data: x")
        async for _ in broadcaster.subscribe():
            break
        assert sender.when()
        assert count() == 0

    asyncio.run(play())
    broadcaster.subscribe()
    assert count() == 0
    kept = broadcaster.subscribe()
    assert count() == 1
    del kept
    assert count() == broadcaster.send("data: x") == 0


def test_cancelling_who_waits_loses_nothing() -> None:
    """A reader whose wait was cancelled, or timed out, reads on where it was."""
    broadcaster = StreamBroadcaster(8)

    async def play() -> str:
        reader = broadcaster.subscribe()
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await anext(reader)
        waiting = asyncio.create_task(reader.__anext__())
        await asyncio.sleep(0)
        broadcaster.send("data: x")
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return await anext(reader)

    async def leave() -> None:
        reader = broadcaster.subscribe()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(reader)
        del reader
        await asyncio.sleep(0)  # until then the task has the traceback of how it was cancelled
        gc.collect()
        assert broadcaster.receiver_count() == 0  # nothing of the wait holds it

    asyncio.run(leave())
    assert asyncio.run(play()) == "data: x\n\n"
    assert broadcaster.receiver_count() == 0


def test_two_who_share_a_reader() -> None:
    """Each thing is heard by one of them, and both hear the end."""
    broadcaster = StreamBroadcaster(8)

    async def play() -> list[str]:
        reader = broadcaster.subscribe()
        both = [asyncio.create_task(aiter_to_list(reader)) for _ in range(2)]
        for n in range(6):
            await asyncio.sleep(0)
            broadcaster.send(f"data: {n}")
        broadcaster.close()
        one, two = await asyncio.gather(*both)
        return sorted(one + two)

    assert asyncio.run(play()) == [f"data: {n}\n\n" for n in range(6)]


def test_a_task_that_waits_is_not_collected() -> None:
    """Though nobody holds the task, and it alone holds the reader."""
    broadcaster, heard = StreamBroadcaster(8), list[str]()

    async def listen(reader: StreamSubscription) -> None:
        heard.extend([frame async for frame in reader])

    async def play() -> None:
        asyncio.create_task(listen(broadcaster.subscribe()))  # noqa: RUF006 - that is the point
        await asyncio.sleep(0.01)
        gc.collect()
        assert broadcaster.send_event(AgentEvent.Result("42")) == 1
        await asyncio.sleep(0.01)

    asyncio.run(play())
    assert heard == [AgentEvent.Result("42").to_sse()]


def test_nothing_is_kept() -> None:
    """Readers go when they have ended, also those that waited on a loop that was closed."""
    broadcaster = StreamBroadcaster(8)
    gone = list[ref[StreamSubscription]]()

    async def play(*, wait: bool) -> None:
        reader = broadcaster.subscribe()
        gone.append(ref(reader))
        if wait:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await anext(reader)
        else:
            broadcaster.send_event(AgentEvent.Result("42"))
            assert len(await aiter_to_list(reader)) == 1

    asyncio.run(play(wait=True))
    asyncio.run(play(wait=False))

    abandoned = asyncio.new_event_loop()
    reader = broadcaster.subscribe()
    gone.append(ref(reader))
    task = abandoned.create_task(aiter_to_list(reader))
    abandoned.run_until_complete(asyncio.sleep(0.01))
    abandoned.close()
    del reader, task
    gc.collect()
    assert gone[2]() is not None  # for who waits is held, until it is seen that nobody can
    broadcaster.receiver_count()
    gc.collect()

    assert broadcaster.receiver_count() == broadcaster.send("data: x") == 0
    assert [each() for each in gone] == [None, None, None]


def test_a_loop_that_closed_stops_nobody() -> None:
    """What is said to who waited there is said to the others all the same."""
    broadcaster = StreamBroadcaster(8)
    dead, alive = broadcaster.subscribe(), broadcaster.subscribe()
    loop = asyncio.new_event_loop()
    task = loop.create_task(aiter_to_list(dead))
    loop.run_until_complete(asyncio.sleep(0.01))
    loop.close()

    assert broadcaster.send_event(AgentEvent.Result("42")) == 2
    assert events(alive) == events(dead) == [AgentEvent.Result("42")]
    assert not task.done()
    del task
    gc.collect()


def test_several_threads_and_loops() -> None:
    """Readers on loops of their own hear all of what several threads say, in the same order."""
    broadcaster, senders, each = StreamBroadcaster(10_000), 4, 250
    heard = dict[int, list[str]]()
    ready = threading.Barrier(4 + senders)

    def listen(n: int) -> None:
        reader = broadcaster.subscribe()
        ready.wait()
        heard[n] = frames(reader)

    def speak(n: int) -> None:
        ready.wait()
        for k in range(each):
            assert broadcaster.send(f"data: {n}/{k}") == 4

    listening = [threading.Thread(target=listen, args=(n,)) for n in range(3)]
    speaking = [threading.Thread(target=speak, args=(n,)) for n in range(senders)]
    for thread in (*listening, *speaking):
        thread.start()
    mine = broadcaster.subscribe()
    ready.wait()
    for thread in speaking:
        thread.join()
    broadcaster.close()
    for thread in listening:
        thread.join()

    assert frames(mine) == heard[0] == heard[1] == heard[2]
    assert len(heard[0]) == senders * each
    for n in range(senders):
        own = [frame for frame in heard[0] if frame.startswith(f"data: {n}/")]
        assert own == [f"data: {n}/{k}\n\n" for k in range(each)]


def test_readers_that_come_and_go() -> None:
    """While others speak and leave, in threads, nothing breaks and nobody is left."""
    broadcaster, over = StreamBroadcaster(2), threading.Event()
    broken = list[BaseException]()

    def churn() -> None:
        try:
            for _ in range(300):
                readers = [broadcaster.subscribe() for _ in range(3)]
                readers[0].close()
                broadcaster.receiver_count()
                with pytest.raises(TimeoutError):
                    asyncio.run(asyncio.wait_for(aiter_to_list(readers[1]), 0.001))
        except BaseException as error:  # noqa: BLE001 - a thread tells nobody otherwise
            broken.append(error)

    def speak() -> None:
        try:
            while not over.is_set():
                broadcaster.send(": hm")
        except BaseException as error:  # noqa: BLE001 - as above
            broken.append(error)

    threads = [threading.Thread(target=churn) for _ in range(2)]
    speaker = threading.Thread(target=speak)
    for thread in (speaker, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    speaker.join()

    assert broken == []
    gc.collect()
    assert broadcaster.receiver_count() == 0
