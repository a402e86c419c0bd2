"""A run, told as events of a stream."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

import agentlab as al
from agentlab.core.errors import InvalidValue
from agentlab.core.events import Action, Entry, RunEnded, StepEnded, Thought, ToolEnded
from agentlab.core.protocols import Sink
from agentlab.core.run import Run
from agentlab.models.sse import read_sse
from agentlab.strategies.agent_events import AgentEvent, agent_event
from agentlab.strategies.broadcast import StreamBroadcaster, StreamSubscription
from agentlab.strategies.event_stream import AgentEventStream


def events(reader: StreamSubscription) -> list[AgentEvent]:
    """Read events to the end."""

    async def read() -> list[AgentEvent]:
        return [event async for event in reader.events()]

    return asyncio.run(read())


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
    """Lets another runtime work, so many runs below its own, and answers for it."""

    strategy_name = "delegating"

    def __init__(self, other: al.AgentRuntime, depth: int = 1) -> None:
        self._other, self._depth = other, depth

    async def __call__(self, run: Run, goal: str, /) -> Any:
        for _ in range(self._depth - 1):
            run = run.child("between")
        return await self._other(run, goal)


@pytest.mark.parametrize("children", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_runs_below(children: bool, depth: int) -> None:  # noqa: FBT001 - a case
    """They are told where that is asked for, but never how they end: the stream goes on."""
    stream = AgentEventStream(children=children)
    reader = stream.subscribe(until_end=False)
    outer = al.AgentRuntime(al.ScriptedModel(), sinks=[stream])
    session = outer.run_sync("?", strategy=Delegating(lab(*SCRIPT), depth))
    stream.close()

    assert events(reader) == [*(TOLD[:-1] if children else []), AgentEvent.Result("42")]
    assert session.trace is not None
    assert max(entry.run.count("/") for entry in session.trace.entries) == depth


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


def test_what_is_nothing_is_not_told() -> None:
    """Neither an empty thought, nor an action without a tool, nor a step that saw nothing new."""
    assert agent_event(Thought("")) is None
    assert agent_event(Action("FINAL_ANSWER 42")) is None
    assert agent_event(StepEnded(al.ReActStep("x", "summarise"))) is None
    assert agent_event(StepEnded(al.ReActStep("x", "FINAL_ANSWER 42", "FINAL_ANSWER 42"))) is None
    assert agent_event(StepEnded(al.ReActStep("x", "t 1", "2", tool="t"))) is None  # ToolEnded did
    step = al.ReActStep("x", "summarise", "done")
    assert agent_event(StepEnded(step)) == AgentEvent.Observation("done")


def test_a_stream_forgets_runs() -> None:
    """What comes after the end of a run is not told, and nothing of it is kept."""
    stream, heard = AgentEventStream(), list[Entry]()
    runtime = lab(*SCRIPT * 50, sinks=[stream, heard.append])
    reader = stream.subscribe(until_end=False)
    for _ in range(50):
        runtime.run_sync("?")
    stream(next(entry for entry in heard if isinstance(entry.event, Thought)))  # late news
    stream.close()

    assert events(reader) == TOLD * 50
    assert vars(stream)["_heard"] == {}


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
