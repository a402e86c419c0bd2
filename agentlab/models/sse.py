r"""Event streams as the standard has them, read from bytes however they were cut.

The parser is pure: bytes in, events out, as https://html.spec.whatwg.org/#event-stream-interpretation
says. Only CR, LF and CRLF end a line, so U+2028, U+0085 and form feeds are data, which they are not
for ``str.splitlines``. A line is decoded when it is whole, and those three bytes are part of no
other character, so that no character is ever cut.

>>> parser = SseParser()
>>> parser.feed(b"id: 7\ndata: one\r")
[]
>>> parser.feed(b"\ndata:two\n\n: ping\n\ndata: cu")
[SseEvent(event='message', data='one\ntwo', id='7', retry=None)]
>>> parser.close()
SseEvent(event='message', data='cu', id='7', retry=None)
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress

import msgspec

from agentlab.core.doors import Displayable
from agentlab.core.errors import InvalidValue, ProviderError, explain
from agentlab.core.portable import Portable
from agentlab.core.sync import closing

__all__ = ["SseEvent", "SseParser", "StreamBroken", "is_done", "read_sse"]

LIMIT = 16 * 1024 * 1024
MAX_RETRY_DIGITS = 15
HEAR_OUT_S = 0.1
BOM = b"\xef\xbb\xbf"
END_OF_LINE = re.compile(rb"\r\n?|\n")


class SseEvent(msgspec.Struct, Portable, Displayable, frozen=True):
    """One event; ``id`` and ``retry`` (ms) are what was said last, by this event or before it."""

    event: str = "message"
    data: str = ""
    id: str = ""
    retry: int | None = None


class StreamBroken(ProviderError):
    """An answer broke off in its stream; ``partial`` is its text as far as it came.

    Parameters
    ----------
    message : str
        What happened.
    partial : str
        The text so far.
    status : int, optional
        The HTTP status, where the stream names one.
    retry_after : float, optional
        Seconds it asks to be left alone.
    transient : bool, optional
        Whether trying again may help; None leaves that to the status.
    """

    def __init__(
        self,
        message: str,
        *,
        partial: str = "",
        status: int | None = None,
        retry_after: float | None = None,
        transient: bool | None = True,
    ) -> None:
        super().__init__(message, status=status, retry_after=retry_after, transient=transient)
        self.partial = partial


class SseParser:
    """Bytes in, events out; how they are cut makes no difference.

    Parameters
    ----------
    limit : int
        How many bytes a line may have, and all data of one event. What is longer ends the stream.
    """

    def __init__(self, *, limit: int = LIMIT) -> None:
        if not isinstance(limit, int) or limit < 1:
            raise InvalidValue(f"limit must be >= 1, got {limit!r}")
        self.limit = limit
        self.last_event_id = ""
        self.retry: int | None = None
        self._line, self._data = bytearray(), bytearray()
        self._event = self._id = self._broken = ""
        self._fresh, self._begun = True, False  # before the first line; within an event
        self._after_cr = self._closed = False

    def __repr__(self) -> str:
        held = len(self._line) + len(self._data)
        return f"<SseParser {'closed' if self._closed else f'{held} bytes of an event'}>"

    def feed(self, chunk: bytes | bytearray | memoryview) -> list[SseEvent]:
        """Take what came, and give the events that are whole now.

        Raises
        ------
        ProviderError
            A line or an event is longer than the limit; the events before it are given first.
        InvalidValue
            It is closed, or these are no bytes.
        """
        if not isinstance(chunk, bytes | bytearray | memoryview):
            raise InvalidValue(f"an event stream is bytes, got {chunk!r:.80}")
        if self._closed:
            raise InvalidValue("this event stream is closed: make a new SseParser for another one")
        if self._broken:
            raise ProviderError(self._broken)
        found: list[SseEvent] = []
        try:
            self._feed(bytes(chunk), found)
        except ProviderError as error:
            self._broken = error.args[0]
            if not found:
                raise
        return found

    def close(self) -> SseEvent | None:
        """Say that there is no more: None if the stream is whole.

        If it is not, this gives what had come of its last event, which is no event: it was cut.

        Raises
        ------
        ProviderError
            A line or an event was longer than the limit.
        """
        if self._broken:
            raise ProviderError(self._broken)
        self._closed, retry = True, self.retry
        if self._line:
            self._begun = True
            self._take(bytes(self._line))
        self.retry = retry  # a number that was cut is another number
        piece = self._made() if self._begun else None
        self._begun = False
        self._line.clear()
        self._data.clear()
        return piece

    def _feed(self, chunk: bytes, found: list[SseEvent]) -> None:
        begin = 1 if self._after_cr and chunk[:1] == b"\n" else 0
        for end in END_OF_LINE.finditer(chunk, begin):
            line = chunk[begin : end.start()]
            if self._line:
                line = bytes(self._line + line)
                self._line.clear()
            if (event := self._take(line)) is not None:
                found.append(event)
            begin = end.end()
        self._line += chunk[begin:]
        self._bound(len(self._line), "a line")
        if chunk:
            self._after_cr = chunk.endswith(b"\r")

    def _take(self, line: bytes) -> SseEvent | None:
        """Take a line, without its end."""
        self._bound(len(line), "a line")
        if self._fresh:
            self._fresh, line = False, line.removeprefix(BOM)
        if not line:
            return self._dispatched()
        name, _, value = line.partition(b":")
        if not name:
            return None  # a comment
        self._begun = True
        value = value.removeprefix(b" ")
        match name:
            case b"data":
                self._bound(len(self._data) + len(value), "an event")
                self._data += value + b"\n"
            case b"event":
                self._event = text_of(value)
            case b"id" if b"\0" not in value:
                self._id = text_of(value)
            case b"retry" if value.isdigit() and len(value) <= MAX_RETRY_DIGITS:
                self.retry = int(value)
        return None

    def _dispatched(self) -> SseEvent | None:
        """End the event at a blank line; without data it is none, though its id counts."""
        self.last_event_id = self._id
        event = self._made() if self._data else None
        self._data.clear()
        self._event, self._begun = "", False
        return event

    def _made(self) -> SseEvent:
        data = text_of(self._data[:-1])
        return SseEvent(self._event or "message", data, self._id, self.retry)

    def _bound(self, length: int, what: str) -> None:
        if length > self.limit:
            raise ProviderError(
                f"{what} of the event stream has more than {self.limit} bytes: raise limit= if it"
                " is meant to"
            )


def text_of(raw: bytes | bytearray) -> str:
    """Decode whole lines; what is no UTF-8 becomes U+FFFD, as the standard has it."""
    return raw.decode("utf-8", "replace")


def is_done(event: SseEvent) -> bool:
    """Tell whether ``event`` is the ``[DONE]`` that ends a stream of chat completions."""
    return event.data.strip() == "[DONE]"


async def read_sse(
    chunks: AsyncIterator[bytes],
    *,
    is_end: Callable[[SseEvent], bool] | None = None,
    text: Callable[[SseEvent], str] = lambda _: "",
    limit: int = LIMIT,
) -> AsyncIterator[SseEvent]:
    """Give the events of a body as it comes, and close the body when the reader leaves.

    Parameters
    ----------
    chunks : async iterator of bytes
        The body, cut anyhow.
    is_end : callable, optional
        Tells whether an event is the end marker, with which the stream must end; it is the last
        event that is given, at once, and what follows it is passed over. What is left of a stream
        without its last blank line may be one too, so say no to data that are cut.
    text : callable
        Tells what an event adds to the answer, for the ``partial`` of a stream that breaks.
    limit : int
        How many bytes a line, and an event, may have.

    Raises
    ------
    StreamBroken
        The stream ended before its end marker, or the connection broke, which is transient; or
        something in it is longer than the limit, which is not.
    """
    parser, heard = SseParser(limit=limit), list[str]()
    async with closing(chunks) as body:
        while True:
            with _telling(heard):
                chunk = await anext(body, None)
                found = parser.feed(chunk) if chunk is not None else []
            for event in found:
                if is_end and is_end(event):
                    yield event
                    await _hear_out(body)
                    return
                heard.append(text(event))
                yield event
            if chunk is None:
                break
    with _telling(heard):
        rest = parser.close()
    if is_end and rest and is_end(rest):
        yield rest
    elif is_end:
        raise StreamBroken("the stream ended before its end marker", partial="".join(heard))


async def _hear_out(body: AsyncIterator[bytes]) -> None:
    """Come to the end of a body, if that is near, so that its connection can be used again."""
    with suppress(Exception):  # it matters to nobody any more
        async with asyncio.timeout(HEAR_OUT_S):
            while await anext(body, None) is not None:
                pass


@contextmanager
def _telling(heard: list[str]) -> Iterator[None]:
    """Where it can go no further, say what had been heard."""
    try:
        yield
    except ProviderError as error:
        raise StreamBroken(
            error.args[0],
            partial="".join(heard),
            status=error.status,
            retry_after=error.retry_after,
            transient=error.kind == "transient",
        ) from error
    except Exception as error:
        import httpx

        if isinstance(error, OSError | httpx.RequestError):
            why = f"the stream broke off ({explain(error)})"
            raise StreamBroken(why, partial="".join(heard)) from error
        raise
