"""Event streams are read as the standard says, wherever they are cut."""

from __future__ import annotations

import asyncio
import pickle
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import httpx
import pytest

from agentlab.core.errors import InvalidValue, ProviderError
from agentlab.core.sync import closing
from agentlab.models.sse import SseEvent, SseParser, StreamBroken, is_done, read_sse

STREAM = (
    b"\xef\xbb\xbf: a comment first\r\n"
    b"id: 1\r\nretry: 2500\r\n\r\n"
    b"data: caf\xc3\xa9 \xf0\x9f\x98\x80\r\ndata:no space\rdata:  two spaces\n\r\n"
    b"event: note\rdata\r\r"
    b"data: u2028 \xe2\x80\xa8 u0085 \xc2\x85 ff \x0c vt \x0b fs \x1c end\n\n"
    b": ping\n\nid: 2\n: ping\n\n"
    b"data: bad \xff\xe2\x82 end\n\n"
    b'data: {"a": 1}\r\n\r\n'
    b"data: [DONE]\n\n"
)
EVENTS = [
    SseEvent("message", "café 😀\nno space\n two spaces", "1", 2500),
    SseEvent("note", "", "1", 2500),
    SseEvent("message", "u2028 \u2028 u0085 \x85 ff \x0c vt \x0b fs \x1c end", "1", 2500),
    SseEvent("message", "bad \ufffd\ufffd end", "2", 2500),
    SseEvent("message", '{"a": 1}', "2", 2500),
    SseEvent("message", "[DONE]", "2", 2500),
]


def parsed(*chunks: bytes, **options: Any) -> list[SseEvent]:
    """Give the events of a stream that came in these pieces."""
    parser = SseParser(**options)
    found = [event for chunk in chunks for event in parser.feed(chunk)]
    parser.close()
    return found


def data(*chunks: bytes) -> list[str]:
    """Give the data of its events."""
    return [event.data for event in parsed(*chunks)]


class Body:
    """A body in pieces, which may break, and remembers that it was closed."""

    def __init__(self, *chunks: bytes, error: BaseException | None = None) -> None:
        self.chunks, self.error, self.closed = list(chunks), error, 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        await asyncio.sleep(0)
        if self.chunks:
            return self.chunks.pop(0)
        if self.error:
            raise self.error
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed += 1


def singly(raw: bytes) -> list[bytes]:
    """Cut after each byte."""
    return [raw[at : at + 1] for at in range(len(raw))]


def heard(events: AsyncIterator[SseEvent]) -> list[SseEvent]:
    """Read to the end."""

    async def read() -> list[SseEvent]:
        return [event async for event in events]

    return asyncio.run(read())


def test_one_piece() -> None:
    """The whole stream at once."""
    assert parsed(STREAM) == EVENTS


def test_every_cut() -> None:
    """Cut at any byte, or after each, with nothing between, the events are the same."""
    for at in range(len(STREAM) + 1):
        assert parsed(STREAM[:at], b"", STREAM[at:]) == EVENTS, at
    assert parsed(*singly(STREAM)) == EVENTS


def test_every_two_cuts() -> None:
    """Cut at any two bytes of its odd beginning, the events are the same."""
    head = STREAM[:70]
    whole = parsed(head)
    for one in range(len(head)):
        for two in range(one, len(head)):
            assert parsed(head[:one], head[one:two], head[two:]) == whole, (one, two)


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_line_ends(end: bytes) -> None:
    """Each of the three ends a line, and a blank line gives the event at once."""
    parser = SseParser()
    assert parser.feed(b"data: a" + end + b"data: b" + end) == []
    assert parser.feed(end[:1]) == [SseEvent(data="a\nb")]
    assert parser.feed(end[1:]) == []
    assert parser.close() is None


def test_a_crlf_split_between_reads_is_one_line_end() -> None:
    """The LF that follows belongs to the CR, also when an empty read is between; a second not."""
    assert data(b"data: a\r", b"", b"\n", b"data: b\n\n") == ["a\nb"]
    assert data(b"data: a\r", b"\n\n", b"data: b\n\n") == ["a", "b"]
    assert data(b"data: a\r", b"\r", b"\n", b"data: b\n\n") == ["a", "b"]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data\n\n", [""]),
        (b"data:\n\n", [""]),
        (b"data\ndata\n\n", ["\n"]),
        (b"data:x\n\n", ["x"]),
        (b"data: x\n\n", ["x"]),
        (b"data:  x \n\n", [" x "]),
        (b"data:\tx\n\n", ["\tx"]),
        (b"data: a: b\n\n", ["a: b"]),
        (b" data: x\n\n", []),
        (b"Data: x\n\n", []),
        (b"data : x\n\n", []),
        (b"\xef\xbb\xbfdata: x\n\n", ["x"]),
        (b"\xef\xbb\xbf\n\xef\xbb\xbfdata: x\n\n", []),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: x\n\n", []),
        (b"data: \xef\xbb\xbfx\n\n", ["\ufeffx"]),
        (b"event: e\n\ndata: x\n\n", ["x"]),
        (b"foo: bar\ndata: x\nfoo\n\n", ["x"]),
        (b"\n\n\r\r\n\n", []),
        (b"data: x\x00y\n\n", ["x\x00y"]),
        (b"data: \xed\xa0\x80\n\n", ["\ufffd\ufffd\ufffd"]),
        (b"data: \xf0\x9f\x98\n\n", ["\ufffd"]),
        (b"data: \xc0\xaf\n\n", ["\ufffd\ufffd"]),
    ],
)
def test_fields(stream: bytes, expected: list[str]) -> None:
    """What a line says, by the letter of the standard."""
    assert data(stream) == data(*singly(stream)) == expected


def test_event_names_are_of_one_event() -> None:
    """The name goes with its event, also where that has no data."""
    raw = b"event: a\ndata: 1\n\ndata: 2\n\nevent: b\n\ndata: 3\n\nevent: c\nevent:\ndata: 4\n\n"

    assert [each.event for each in parsed(raw)] == ["a", "message", "message", "message"]


def test_ids_stay() -> None:
    """An id holds until the next one, an empty one resets it, and one with a NUL is ignored."""
    raw = b"id: 1\ndata\n\ndata\n\nid: 2\n\ndata\n\nid: 3\x00\ndata\n\nid\ndata\n\n"
    assert [each.id for each in parsed(raw)] == ["1", "1", "2", "2", ""]

    parser = SseParser()
    parser.feed(b"id: 9\n")
    assert parser.last_event_id == ""
    parser.feed(b"\n")
    assert parser.last_event_id == "9"  # counts though there was no event


def test_retry() -> None:
    """Digits are milliseconds, anything else is ignored, and so is what no clock can hold."""
    parser = SseParser()
    for value in (
        b"x",
        b"-1",
        b"1.5",
        b"",
        b" 7",
        b"1_0",
        "\u0663".encode(),
        b"9" * 16,
        b"9" * 5000,
    ):
        parser.feed(b"retry: " + value + b"\n")
        assert parser.retry is None, value
    parser.feed(b"retry:0250\n")
    assert parser.retry == 250
    assert parser.feed(b"data: x\n\n") == [SseEvent(data="x", retry=250)]


@pytest.mark.parametrize("whole", [b"", b"\n", b"data: x\n\n", b"data: x\r", b": ping\n", b"\xef"])
def test_close_tells_a_whole_stream(whole: bytes) -> None:
    """A stream is whole when it ended between two events, and so between two lines."""
    parser = SseParser()
    parser.feed(whole)
    rest = parser.close()

    assert (rest is None) == (whole not in {b"data: x\r", b"\xef"})
    assert parser.close() is None


@pytest.mark.parametrize(
    ("cut", "rest"),
    [
        (b"data: x", SseEvent(data="x")),
        (b"data: x\ndata: y\n", SseEvent(data="x\ny")),
        (b"event: e\nid: 4\ndata: \xe2\x82", SseEvent("e", "\ufffd", "4")),
        (b"retry: 10", SseEvent()),
        (b"dat", SseEvent()),
        (b": pi", SseEvent()),
    ],
)
def test_close_gives_what_was_cut(cut: bytes, rest: SseEvent) -> None:
    """An event cut at the end is dropped: it is given as what is left, and changes nothing."""
    parser = SseParser()
    assert parser.feed(b"data: before\n\n" + cut) == [SseEvent(data="before")]
    assert parser.close() == rest
    assert (parser.last_event_id, parser.retry) == ("", None)


def test_a_closed_parser_is_closed() -> None:
    """What comes after the end is refused, and so is what is no bytes."""
    parser = SseParser()
    with pytest.raises(InvalidValue, match=r"^an event stream is bytes, got 'data: x'$"):
        parser.feed("data: x")  # type: ignore[arg-type]
    assert parser.feed(memoryview(b"data: x\n\n")) == [SseEvent(data="x")]
    assert repr(parser) == "<SseParser 0 bytes of an event>"
    parser.close()
    assert repr(parser) == "<SseParser closed>"
    with pytest.raises(InvalidValue, match="closed"):
        parser.feed(b"data: x\n\n")


@pytest.mark.parametrize("limit", [0, -1, 1.5, None, "9"])
def test_a_limit_is_a_positive_number(limit: Any) -> None:
    """Anything else is refused, with the value."""
    with pytest.raises(InvalidValue, match=rf"^limit must be >= 1, got {limit!r}$"):
        SseParser(limit=limit)


@pytest.mark.parametrize(
    ("long", "what"),
    [
        (b"data: 4567890\n\n", "a line"),
        (b": 34567890123", "a line"),
        (b"data: 45\ndata: 45\ndata: 45\ndata: 45\ndata: 45\n\n", "an event"),
        (b"data\n" * 13 + b"\n", "an event"),
    ],
)
@pytest.mark.parametrize("step", [1, 3, 1000])
def test_what_is_too_long_ends_the_stream(long: bytes, what: str, step: int) -> None:
    """The events before it are given, then it raises, at each call, whatever the cuts."""
    raw = b"data: 1\n\n" + long
    parser, found = SseParser(limit=11), list[SseEvent]()

    def feed() -> None:
        for at in range(0, len(raw) + step, step):
            found.extend(parser.feed(raw[at : at + step]))

    message = rf"^Provider error: {what} of the event stream has more than 11 bytes: raise limit="
    with pytest.raises(ProviderError, match=message) as caught:
        feed()

    assert found == [SseEvent(data="1")]
    assert caught.value.kind == "permanent"
    with pytest.raises(ProviderError):
        parser.feed(b"\n\n")
    with pytest.raises(ProviderError):
        parser.close()


def test_what_is_just_short_enough() -> None:
    """A line, and an event, of exactly the limit are read; comments and other events count not."""
    raw = b"data: 78901\n\n" * 3 + b"data: 78\n" * 3 + b"\n" + b": 345678901\n" * 9

    assert data(raw) == data(*singly(raw)) == ["78901"] * 3 + ["78\n78\n78"]
    assert parsed(raw, limit=11) == parsed(*singly(raw), limit=11) == parsed(raw)


def test_a_long_line_in_small_pieces() -> None:
    """A megabyte byte by byte is read in time that grows with it, not with its square."""
    took = []
    for size in (1 << 18, 1 << 20):
        raw = b"data: " + b"x" * size + b"\n\n"
        began = time.process_time()
        (found,) = data(*singly(raw))
        took.append(time.process_time() - began)
        assert found == "x" * size

    assert took[1] < 12 * took[0]  # 4 where it is linear, 16 where it is not


def test_memory_is_bounded() -> None:
    """What never ends, be it a line, an event or comments, holds no more than the limit."""
    parser = SseParser(limit=1000)
    for _ in range(5000):
        parser.feed(b": ping\n\n: pong\nfoo: bar\n")
    assert repr(parser) == "<SseParser 0 bytes of an event>"
    for _ in range(1001):
        parser.feed(b"data\n")
    with pytest.raises(ProviderError):
        parser.feed(b"data\n")
    assert repr(parser) == "<SseParser 1001 bytes of an event>"


def test_w27_6() -> None:
    """Event streams as they come: pings, no space, odd line ends, odd letters, cut at the end."""
    raw = (
        b": OPENROUTER PROCESSING\n\nid: 1\n\n: ping\n\n"
        b"data:x\n\ndata: a\rdata: b\r\ndata: c\n\r\n"
        b"data: \xe2\x80\xa8\xc2\x85\x0c\n\n"
        b"data:  [DONE]  \n\ndata: never read\n\n"
    )
    for chunks in ([raw], singly(raw)):
        body = Body(*chunks)
        events = heard(read_sse(body, is_end=is_done))
        assert [each.data for each in events] == ["x", "a\nb\nc", "\u2028\x85\x0c", " [DONE]  "]
        assert body.closed == 1

    for cut in (b"data: x\n\n", b"data: x\n\ndata: [DON", b"data: x\n\ndata: y\n"):
        body = Body(cut)
        with pytest.raises(
            StreamBroken, match=r"the stream ended before its end marker$"
        ) as caught:
            heard(read_sse(body, is_end=is_done, text=lambda event: event.data))
        assert (caught.value.kind, caught.value.partial, body.closed) == ("transient", "x", 1)


def test_a_cut_anywhere_is_noticed() -> None:
    """Wherever a stream breaks off before its end marker, that is an error with the text so far."""
    raw = b"".join(b"data: %d\n\n" % n for n in range(5)) + b"data: [DONE]\n\n"
    marker = raw.index(b"[DONE]") + len("[DONE]")
    for at in range(marker):
        whole = "".join(event.data for event in parsed(raw[:at]))
        with pytest.raises(StreamBroken) as caught:
            heard(read_sse(Body(raw[:at]), is_end=is_done, text=lambda event: event.data))
        assert caught.value.partial == whole
    for at in range(marker, len(raw) + 1):  # only line ends are missing
        events = heard(read_sse(Body(raw[:at]), is_end=is_done))
        assert [each.data for each in events] == ["0", "1", "2", "3", "4", "[DONE]"]


def test_a_stream_without_an_end_marker_just_ends() -> None:
    """Where nobody says how it ends, it may end anywhere; an event that was cut is dropped."""
    assert heard(read_sse(Body(b"data: x\n\ndata: y"))) == [SseEvent(data="x")]
    assert heard(read_sse(Body())) == []
    assert heard(read_sse(Body(b"", b"data: x\n", b"", b"\n"))) == [SseEvent(data="x")]


def test_a_reader_that_leaves_closes_the_body() -> None:
    """Whether it has heard enough, fails or is cancelled."""

    async def leave(how: BaseException | None) -> Body:
        body = Body(b"data: x\n\ndata: y\n\n", b"data: z\n\n")
        async with closing(read_sse(body)) as events:
            with suppress(ZeroDivisionError, asyncio.CancelledError):
                async for _ in events:
                    if how is None:
                        break
                    raise how
        return body

    for how in (None, ZeroDivisionError(), asyncio.CancelledError()):
        body = asyncio.run(leave(how))
        assert (body.closed, len(body.chunks)) == (1, 1)


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadError("reset"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("incomplete chunked read"),
        ConnectionResetError("reset"),
        TimeoutError("slow"),
    ],
)
def test_a_connection_that_breaks(error: Exception) -> None:
    """It is a transient error, with the text so far and what caused it, marker or not."""
    for is_end in (None, is_done):
        body = Body(b"data: one \n\ndata: two\n\ndata: thr", error=error)
        events = read_sse(body, is_end=is_end, text=lambda event: event.data)
        with pytest.raises(StreamBroken, match="the stream broke off") as caught:
            heard(events)
        assert (caught.value.kind, caught.value.partial) == ("transient", "one two")
        assert type(error).__name__ in str(caught.value)
        assert caught.value.__cause__ is error
        assert body.closed == 1


def test_other_errors_pass() -> None:
    """What is no fault of the network is not called one, wherever it is raised."""
    body = Body(b"data: x\n\n", error=ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError):
        heard(read_sse(body))
    assert body.closed == 1

    def broken(event: SseEvent) -> str:
        raise OSError(event.data)  # in the caller's own code

    with pytest.raises(OSError, match=r"^x$"):
        heard(read_sse(Body(b"data: x\n\n"), text=broken))


def test_provider_errors_get_the_text_so_far() -> None:
    """One from below keeps its status and its kind; what is too long is permanent."""
    busy = ProviderError("overloaded", status=529, retry_after=2.0)
    for error, kind in ((busy, "transient"), (ProviderError("no", status=400), "permanent")):
        with pytest.raises(StreamBroken) as caught:
            heard(read_sse(Body(b"data: x\n\n", error=error), text=lambda event: event.data))
        told = caught.value
        assert (str(told), told.partial, told.kind) == (str(error), "x", kind)
        assert (told.status, told.retry_after) == (error.status, error.retry_after)

    long = Body(b"data: x\n\ndata: " + b"y" * 100 + b"\n\n")
    with pytest.raises(StreamBroken, match="more than 50 bytes") as caught:
        heard(read_sse(long, text=lambda event: event.data, limit=50))
    assert (caught.value.partial, caught.value.kind, long.closed) == ("x", "permanent", 1)


def test_a_broken_stream_is_an_error_like_others() -> None:
    """Its kind follows from its status where that is all one knows; it goes through a pickle."""
    error = StreamBroken("overloaded", partial="so far", status=529, transient=None)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - of our own

    assert error.kind == again.kind == "transient"
    assert StreamBroken("no", status=400, transient=None).kind == "permanent"
    assert (str(again), again.partial) == ("Provider error: overloaded", "so far")


def test_events_are_values() -> None:
    """They go through their plain form, and show themselves with what is in them escaped."""
    event = SseEvent("note", "<b>&", "7", 100)

    assert SseEvent.from_dict(event.to_dict()) == event
    assert "<b>&" not in event.to_html()
    assert "&lt;b&gt;&amp;" in event.to_html()


def test_the_end_marker_is_given_at_once() -> None:
    """Also where the body never ends: it is heard out for a moment, and then closed."""

    class Endless(Body):
        async def __anext__(self) -> bytes:
            if not self.chunks:
                await asyncio.sleep(60)
            return await super().__anext__()

    async def play() -> None:
        body = Endless(b"data: [DONE]\n\n")
        events = read_sse(body, is_end=is_done)
        async with asyncio.timeout(5):
            assert is_done(await anext(events))
            assert body.closed == 0
            assert await anext(events, None) is None
        assert body.closed == 1

    asyncio.run(play())
    torn = Body(b"data: [DONE]\n\n", error=httpx.ReadError("reset"))
    assert len(heard(read_sse(torn, is_end=is_done))) == 1  # and what breaks then broke nothing
    assert torn.closed == 1


class Streamer(BaseHTTPRequestHandler):
    """Answers with an event stream, byte by byte; ``/cut`` breaks off before the marker."""

    protocol_version = "HTTP/1.1"
    callers: ClassVar[set[object]] = set()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Send the stream in chunks of one byte."""
        self.callers.add(self.client_address)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        body = STREAM if self.path == "/" else STREAM[: STREAM.index(b"data: [DONE]")]
        for byte in singly(body):
            self.wfile.write(b"1\r\n" + byte + b"\r\n")
        if self.path == "/reset":
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")


@pytest.fixture
def server() -> Iterator[str]:
    """Serve it on a free port of loopback."""
    Streamer.callers.clear()
    http = ThreadingHTTPServer(("127.0.0.1", 0), Streamer)
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{http.server_address[1]}"
    http.shutdown()
    thread.join()
    http.server_close()


def test_over_http(server: str) -> None:
    """Read from a real server, whole, cut and torn; a whole one leaves its connection usable."""

    async def get(*paths: str) -> list[SseEvent]:
        async with httpx.AsyncClient() as client:
            for path in paths:
                async with client.stream("GET", server + path) as response:
                    raw = response.aiter_raw()
                    events = read_sse(raw, is_end=is_done, text=lambda event: event.data[:3])
                    found = [event async for event in events]
        return found

    assert asyncio.run(get("/", "/", "/")) == EVENTS
    assert len(Streamer.callers) == 1
    for path, why in (("/cut", "before its end marker"), ("/reset", "RemoteProtocolError")):
        with pytest.raises(StreamBroken, match=why) as caught:
            asyncio.run(get(path))
        assert caught.value.partial == 'cafu20bad{"a'
        assert caught.value.kind == "transient"
