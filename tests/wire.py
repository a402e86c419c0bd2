"""A server that does what its script says, byte by byte, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Act: TypeAlias = bytes | float | str  # bytes to send, seconds to wait, or how to end
HANG, CLOSE, RESET = "hang", "close", "reset"
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found"}


@dataclass
class Asked:
    """A request as it came."""

    line: str
    headers: dict[str, str]
    body: Any


@dataclass
class Wire:
    """The server: an answer after the other, the last one again and again."""

    port: int = 0
    answers: list[Sequence[Act]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    busy: int = 0
    most: int = 0
    hung_up: int = 0

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer on one connection, for as long as it is open."""
        self.connections += 1
        self.open += 1
        try:
            while asked := await heard(reader):
                self.asked.append(asked)
                acts = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                self.busy += 1
                self.most = max(self.most, self.busy)
                try:
                    await self._act(acts, reader, writer)
                finally:
                    self.busy -= 1
        except (ConnectionError, asyncio.IncompleteReadError):
            self.hung_up += 1
        finally:
            self.open -= 1
            writer.close()

    async def _act(
        self, acts: Sequence[Act], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        for act in acts:
            if isinstance(act, bytes):
                writer.write(act)
                await writer.drain()
            elif act == HANG:
                await reader.read(1)  # until the other side hangs up
                raise ConnectionResetError
            elif act == CLOSE:
                writer.close()
                raise ConnectionResetError
            elif act == RESET:
                writer.transport.abort()
                raise ConnectionResetError
            else:
                await asyncio.sleep(float(act))


async def heard(reader: asyncio.StreamReader) -> Asked | None:
    """Read a request."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    line, *others = head.strip().split("\r\n")
    headers = {k.lower(): v for k, _, v in (each.partition(": ") for each in others)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(line, headers, json.loads(body))


@asynccontextmanager
async def wire(*answers: Sequence[Act]) -> AsyncIterator[Wire]:
    """Serve on this machine, and see that nothing is left at the end."""
    served = Wire(answers=list(answers))
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0, limit=1 << 24)
    served.port = server.sockets[0].getsockname()[1]
    try:
        yield served
        await until(lambda: not served.open)
    finally:
        server.close()


async def until(true: Callable[[], bool]) -> None:
    """Wait until something holds; not for ever."""
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


def reply(body: bytes | str | dict[str, Any], status: int = 200, **headers: str) -> list[Act]:
    """Give a whole answer."""
    kind = "application/json" if isinstance(body, dict) else "text/plain"
    raw = json.dumps(body).encode() if isinstance(body, dict) else as_bytes(body)
    lines = {"content-type": kind, "content-length": str(len(raw))} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return [head(status, lines) + raw]


def head(status: int, headers: dict[str, str]) -> bytes:
    """Give a status line and headers."""
    said = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {REASONS.get(status, 'Odd')}\r\n{said}\r\n".encode()


STREAM = head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
LAST = b"0\r\n\r\n"


def streamed(*pieces: Act, end: bytes = LAST) -> list[Act]:
    """Give a stream: each piece is one chunk of it; numbers are waits."""
    acts: list[Act] = [STREAM]
    for piece in pieces:
        if isinstance(piece, bytes) and piece:
            acts.append(b"%x\r\n%b\r\n" % (len(piece), piece))
        elif piece:
            acts.append(piece)
    return [*acts, end] if end else acts


def as_bytes(text: bytes | str) -> bytes:
    """Give bytes."""
    return text.encode() if isinstance(text, str) else text
