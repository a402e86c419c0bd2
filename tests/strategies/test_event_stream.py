"""What an agent says from afar: its events, who hears them, and a run told by them."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from weakref import ref

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import agentlab as al
from agentlab.core.errors import AgentLoopError, InvalidValue
from agentlab.core.events import Action, Entry, RunEnded, StepEnded, ToolEnded
from agentlab.core.protocols import Sink
from agentlab.core.run import Run
from agentlab.models.sse import SseParser, read_sse
from agentlab.strategies.agent_events import AgentEvent, agent_event
from agentlab.strategies.broadcast import StreamBroadcaster, StreamSubscription
from agentlab.strategies.event_stream import AgentEventStream

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=[]))  # lone surrogates too
EVENTS = (
    st.builds(AgentEvent.Action, TEXT, JSON)
    | st.builds(AgentEvent.Thought, TEXT)
    | st.builds(AgentEvent.Observation, TEXT)
    | st.builds(AgentEvent.Result, TEXT)
    | st.builds(AgentEvent.Error, TEXT)
)


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


# -- events ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "json"),
    [
        (AgentEvent.Thought("hm"), '{"type":"thought","content":"hm"}'),
        (
            AgentEvent.Action("search", {"q": "é", "n": [1, None]}),
            '{"type":"action","tool":"search","input":{"q":"é","n":[1,null]}}',
        ),
        (AgentEvent.Observation("a\nb"), '{"type":"observation","content":"a\\nb"}'),
        (AgentEvent.Result("42"), '{"type":"result","content":"42"}'),
        (AgentEvent.Error("down"), '{"type":"error","content":"down"}'),
    ],
)
def test_the_envelope(event: AgentEvent, json: str) -> None:
    """Each kind has its JSON, to the letter, and is one event of a stream."""
    assert event.to_json() == json
    assert event.to_sse() == f"data: {json}\n\n"
    assert AgentEvent.from_sse(event.to_sse()) == event
    assert AgentEvent.from_json(json) == event
    assert AgentEvent.from_dict(event.to_dict()) == type(event).from_dict(event.to_dict()) == event


def test_results_and_errors_are_terminal() -> None:
    """The other three are not."""
    kinds = (AgentEvent.Thought, AgentEvent.Observation, AgentEvent.Result, AgentEvent.Error)

    assert [kind("x").is_terminal() for kind in kinds] == [False, False, True, True]
    assert not AgentEvent.Action("x", None).is_terminal()


def test_events_are_shown() -> None:
    """One line of text; HTML with what is in them escaped."""
    event = AgentEvent.Thought("<script>")

    assert repr(event) == "ThoughtEvent(content='<script>')"
    assert "<script>" not in event.to_html()
    assert "&lt;script&gt;" in event.to_html()


@given(EVENTS)
def test_what_is_written_is_read(event: AgentEvent) -> None:
    """Whatever is in it, an event is one line to everybody, and comes back equal."""
    frame = event.to_sse()

    assert len(frame.splitlines()) == 2
    assert frame.endswith("\n\n")
    assert AgentEvent.from_sse(frame) == event
    assert AgentEvent.from_sse(frame.encode()) == event


@given(st.lists(EVENTS, max_size=5), st.integers(1, 7))
def test_a_stream_of_them_is_read(said: list[AgentEvent], step: int) -> None:
    """Several in one stream, in pieces of any length, come back in order."""
    raw = "".join(event.to_sse() for event in said).encode()
    parser = SseParser()
    found = [e for at in range(0, len(raw), step) for e in parser.feed(raw[at : at + step])]

    assert [AgentEvent.from_json(each.data) for each in found] == said
    assert parser.close() is None


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '"thought"', "NaN", "{}", '{"type":"token","content":"x"}',
        '{"type":"thought"}', '{"type":"thought","content":3}', '{"type":"action","input":1}',
        b"\xff", "[" * 100_000, '{"type":"thought","content":"\\ud800"}',
        '{"type":"action","tool":"t","input":' + "[" * 200 + "]" * 200 + "}",
    ],
)  # fmt: skip
def test_what_is_no_event_is_refused(text: str | bytes) -> None:
    """By a message that is about the text, and not long."""
    with pytest.raises(InvalidValue, match=r"^not the (JSON|data) of an agent's event") as caught:
        AgentEvent.from_json(text)
    assert len(str(caught.value)) < 500


def test_what_is_not_one_event_is_refused() -> None:
    """Nor is it where the frame has none, two, or half of one; a comment beside it is fine."""
    frame = AgentEvent.Thought("x").to_sse()
    for wrong in ("", ": ping\n\n", frame * 2, frame[:-1], frame + "data", frame[6:]):
        with pytest.raises(InvalidValue, match="not one event of an event stream"):
            AgentEvent.from_sse(wrong)
    assert AgentEvent.from_sse(f": 3 lost\n\n{frame}") == AgentEvent.Thought("x")
    with pytest.raises(InvalidValue, match=r"^not the data of a ResultEvent: .*'thought'"):
        AgentEvent.Result.from_sse(frame)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**5000], ids=["nan", "inf", "big"])
def test_an_input_is_json(value: object) -> None:
    """What JSON has no word for is refused; what is only not plain becomes plain."""
    with pytest.raises(InvalidValue):
        AgentEvent.Action("t", {"x": [value]})

    assert AgentEvent.Action("t", (1, {2: "\ud800"})).to_dict()["input"] == [1, {"2": "\ufffd"}]


# -- the broadcaster ------------------------------------------------------------------------------


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


# -- the stream of a run --------------------------------------------------------------------------


def test_emitting_by_hand() -> None:
    """Each kind has its method, which gives how many hear it."""
    stream = AgentEventStream()
    assert stream.emit_thought("x") == 0
    reader = stream.subscribe(until_end=False)
    told = [
        stream.emit_thought("hm"),
        stream.emit_action("search", {"q": 1}),
        stream.emit_observation("rain"),
        stream.emit_result("42"),
        stream.emit_error("down"),
    ]
    assert told == [1] * 5
    assert repr(stream) == "<AgentEventStream 1 receivers>"
    stream.close()

    assert events(reader) == [
        AgentEvent.Thought("hm"),
        AgentEvent.Action("search", {"q": 1}),
        AgentEvent.Observation("rain"),
        AgentEvent.Result("42"),
        AgentEvent.Error("down"),
    ]


def test_several_streams_may_share_a_broadcaster() -> None:
    """What one tells is heard by all who listen to it."""
    broadcaster = StreamBroadcaster(4)
    one, two = AgentEventStream(broadcaster), AgentEventStream(broadcaster)
    reader = one.subscribe()
    two.emit_result("42")

    assert events(reader) == [AgentEvent.Result("42")]
    with pytest.raises(InvalidValue, match=r"^this tells of an AgentEvent, got 'x'$"):
        one.emit("x")  # type: ignore[arg-type]


def double(n: int) -> int:
    """Twice as much."""
    return 2 * n


SCRIPT = ('Thought: use it\nAction: double {"n": 21}', "Thought: done\nAction: FINAL_ANSWER 42")
TOLD = [
    AgentEvent.Thought("use it"),
    AgentEvent.Action("double", {"n": 21}),
    AgentEvent.Observation('{"data":42,"ok":true}'),
    AgentEvent.Thought("done"),
    AgentEvent.Result("42"),
]


def lab(*replies: str | Exception, **options: Any) -> al.AgentRuntime:
    """Make a runtime with a script and a tool."""
    return al.AgentRuntime(al.ScriptedModel(*replies), tools=[double], **options)


def told_by(stream: AgentEventStream, runtime: al.AgentRuntime) -> list[AgentEvent]:
    """Run once, and give what was heard of it."""
    reader = stream.subscribe()
    runtime.run_sync("?")
    return events(reader)


def test_a_run_is_told() -> None:
    """As a sink it tells of thoughts, calls, observations and the result, as they are."""
    stream = AgentEventStream()
    sink: Sink = stream
    runtime = lab(*SCRIPT, *SCRIPT, sinks=[sink])

    assert told_by(stream, runtime) == TOLD
    assert told_by(stream, runtime) == TOLD  # and so is the next one


def test_a_run_that_fails_is_told() -> None:
    """With the words that the session has, whatever way it ended without an answer."""
    stream = AgentEventStream()
    runtime = lab(ZeroDivisionError("oh"), sinks=[stream])
    reader = stream.subscribe()
    with pytest.raises(ZeroDivisionError) as caught:
        runtime.run_sync("?")
    (error,) = events(reader)
    assert error == AgentEvent.Error("ZeroDivisionError: oh")
    assert error.to_dict()["content"] == caught.value.session.error  # type: ignore[attr-defined]

    last = told_by(stream, lab(SCRIPT[0], sinks=[stream], max_iterations=1))[-1]
    assert last == AgentEvent.Error("max iterations (1) reached without final answer")


def test_a_run_that_is_stopped_is_told() -> None:
    """Being stopped is how it ends, and nothing hangs."""

    async def play() -> list[AgentEvent]:
        stream = AgentEventStream()
        handle = al.AgentRuntime(al.ScriptedModel("so slow", tokens_per_s=0.1)).start("?")
        reader = stream.subscribe()
        handle.trace.attach(stream)
        await asyncio.sleep(0.01)
        handle.stop()
        await handle
        return [event async for event in reader.events()]

    assert asyncio.run(play()) == [AgentEvent.Error("stopped")]


def test_a_response_that_cannot_be_read_is_told() -> None:
    """What the model is told of it is the observation, without a call."""
    stream = AgentEventStream()
    told = told_by(stream, lab("Thought: hm\nAction: double {", SCRIPT[1], sinks=[stream]))

    assert [type(event).__name__ for event in told] == [
        "ThoughtEvent", "ObservationEvent", "ThoughtEvent", "ResultEvent",
    ]  # fmt: skip
    assert '"ok":false' in told[1].to_dict()["content"]


def test_a_tool_that_fails_is_told() -> None:
    """The observation is the envelope that the model reads."""
    stream = AgentEventStream()
    told = told_by(stream, lab('Thought: x\nAction: halve {"n": 1}', SCRIPT[1], sinks=[stream]))

    assert told[1:3] == [
        AgentEvent.Action("halve", {"n": 1}),
        AgentEvent.Observation(
            '{"error":"tool \'halve\' not found","kind":"not_found","ok":false}'
        ),
    ]


def test_late_is_early_enough() -> None:
    """Attached to a run that is over, it tells all of it from the beginning."""
    stream = AgentEventStream()
    trace = lab(*SCRIPT).run_sync("?").trace
    assert trace is not None
    reader = stream.subscribe()
    trace.attach(stream)

    assert events(reader) == TOLD


class Delegating:
    """Lets another runtime work, as a run below its own, and answers for it."""

    strategy_name = "delegating"

    def __init__(self, other: al.AgentRuntime) -> None:
        self._other = other

    async def __call__(self, run: Run, goal: str, /) -> Any:
        return await self._other(run, goal)


@pytest.mark.parametrize("children", [False, True])
def test_runs_below(children: bool) -> None:  # noqa: FBT001 - a case
    """They are told where that is asked for, but never how they end: the stream goes on."""
    stream = AgentEventStream(children=children)
    outer = al.AgentRuntime(al.ScriptedModel(), sinks=[stream])
    reader = stream.subscribe()
    outer.run_sync("?", strategy=Delegating(lab(*SCRIPT)))

    assert events(reader) == [*(TOLD[:-1] if children else []), AgentEvent.Result("42")]


def test_a_stream_of_a_run_below() -> None:
    """A runtime that works below another run has a stream of its own, of all that it does."""
    stream = AgentEventStream()
    outer = al.AgentRuntime(al.ScriptedModel())
    reader = stream.subscribe()
    outer.run_sync("?", strategy=Delegating(lab(*SCRIPT, sinks=[stream])))

    assert events(reader) == TOLD


def test_runs_side_by_side() -> None:
    """Each with a stream of its own is told apart from the others."""

    async def play() -> list[list[AgentEvent]]:
        def answer(context: str) -> str:
            return f"Thought: x\nAction: FINAL_ANSWER {context.rsplit(maxsplit=1)[-1]}"

        runtime = al.AgentRuntime(al.FunctionModel(answer, inline=True))
        heard = []
        for n in range(5):
            stream = AgentEventStream()
            heard.append(listened(stream.subscribe()))
            runtime.start(f"{n}").trace.attach(stream)
        return await asyncio.gather(*heard)

    async def listened(reader: StreamSubscription) -> list[AgentEvent]:
        return [event async for event in reader.events()]

    expected = [[AgentEvent.Thought("x"), AgentEvent.Result(str(n))] for n in range(5)]
    assert asyncio.run(play()) == expected


def test_nothing_a_run_says_breaks_it() -> None:
    """What cannot be written as JSON is told in other words, so that the sink stays attached."""
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    assert agent_event(Action("t [[[", "t", deep)) == AgentEvent.Action("t", "t [[[")
    assert agent_event(Action("t 1", "t", 10**5000)) == AgentEvent.Action("t", "t 1")
    told = agent_event(ToolEnded(1, ok=True, data=10**5000, error=None, error_kind=None, ms=1.0))
    assert told is not None
    assert '"ok":false' in told.to_dict()["content"]
    assert agent_event(RunEnded("final_answer")) == AgentEvent.Result("")
    assert agent_event(RunEnded("budget")) == AgentEvent.Error("budget")
    step = al.ReActStep("", "summarise", "done")
    assert agent_event(StepEnded(step)) == AgentEvent.Observation("done")


def test_a_stream_forgets_runs() -> None:
    """What comes after the end of a run is not told, and nothing of it is kept."""
    stream, heard = AgentEventStream(), list[Entry]()
    runtime = lab(*SCRIPT * 50, sinks=[stream, heard.append])
    reader = stream.subscribe(until_end=False)
    for _ in range(50):
        runtime.run_sync("?")
    stream(heard[3])  # late news of the first run
    stream.close()

    assert events(reader) == TOLD * 50
    assert vars(stream)["_heard"] == {}


# -- over HTTP ------------------------------------------------------------------------------------


class Served(BaseHTTPRequestHandler):
    """Runs an agent for each request, and streams what it says."""

    runtime: al.AgentRuntime

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer on a loop of this thread; the run is on another."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()

        async def serve() -> None:
            stream = AgentEventStream()
            reader = stream.subscribe()
            handle = self.runtime.start("?", background=True)
            handle.trace.attach(stream)
            async for frame in reader:
                self.wfile.write(frame.encode())
            await handle

        asyncio.run(serve())


@pytest.fixture
def server() -> Iterator[str]:
    """Serve it on a free port of loopback."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), Served)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{http.server_address[1]}"
    http.shutdown()
    thread.join()
    http.server_close()


def test_a_run_served_over_http(server: str) -> None:
    """Two clients watch two runs from another loop, and read what the agent said."""
    Served.runtime = al.AgentRuntime(
        al.FunctionModel(lambda text: SCRIPT["Observation" in text]), tools=[double]
    )

    async def watch(client: httpx.AsyncClient) -> list[AgentEvent]:
        async with client.stream("GET", server) as response:
            said = read_sse(
                response.aiter_raw(3),
                is_end=lambda event: AgentEvent.from_json(event.data).is_terminal(),
            )
            return [AgentEvent.from_json(each.data) async for each in said]

    async def both() -> list[list[AgentEvent]]:
        async with httpx.AsyncClient() as client:
            return list(await asyncio.gather(watch(client), watch(client)))

    assert asyncio.run(both()) == [TOLD, TOLD]
