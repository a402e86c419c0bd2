"""What a hosted model costs here: CPU a streamed token, and connections; a line a figure.

The server is another process on this machine, so its time does not count. The floor reads the
same bytes by httpx and does nothing with them, in turn with ours.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx

from agentlab import AnthropicProvider, OpenAiProvider, Request
from agentlab.models.hosted import HostedModel

TOKENS = 2000
ROUNDS = 9
ASKED = Request("Say much.", model="m")
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def openai_stream() -> list[bytes]:
    """Give the events of an answer."""
    piece = json.dumps({"choices": [{"index": 0, "delta": {"content": " token"}}]})
    return [*[f"data: {piece}\n\n".encode()] * TOKENS, b"data: [DONE]\n\n"]


def anthropic_stream() -> list[bytes]:
    """Give the events of an answer."""
    delta = {"type": "text_delta", "text": " token"}
    piece = json.dumps({"type": "content_block_delta", "index": 0, "delta": delta})
    last = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    return [*[f"event: content_block_delta\ndata: {piece}\n\n".encode()] * TOKENS, last]


async def serve() -> None:
    """Answer every question, and one for ``/connections`` with how many there were."""
    connections = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length or 0))
            if head.startswith(b"GET"):
                said = str(connections - 1).encode()  # but for the one that asks this
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(said), said))
                connections = 0
                writer.close()
                return
            events = anthropic_stream() if b"/messages" in head else openai_stream()
            many = b"small" not in head
            writer.write(HEAD)
            for event in events if many else events[-2:]:
                writer.write(b"%x\r\n%b\r\n" % (len(event), event))
            writer.write(b"0\r\n\r\n")
            await writer.drain()

    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()

    server = await asyncio.start_server(quietly, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@asynccontextmanager
async def served() -> AsyncIterator[str]:
    """Start the server, and end it."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "serve", stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout
    try:
        yield f"http://127.0.0.1:{int(await child.stdout.readline())}"
    finally:
        child.terminate()
        await child.wait()


async def cpu(work: Callable[[], Awaitable[None]]) -> float:
    """Give the CPU microseconds a token of one answer."""
    began = time.process_time()
    await work()
    return (time.process_time() - began) * 1e6 / TOKENS


async def tokens(model: HostedModel) -> None:
    """Hear an answer."""
    count = 0
    async for chunk in model.stream(ASKED):
        count += bool(chunk.text)
    assert count == TOKENS


async def bare(client: httpx.AsyncClient, url: str) -> None:
    """Read the same bytes and do nothing with them."""
    async with client.stream("POST", url, content=b"{}") as answer:
        async for _ in answer.aiter_bytes():
            pass


async def a_token(url: str) -> None:
    """Measure both vendors and the floor in turn."""
    made = (
        AnthropicProvider("key-123456", base_url=url),
        OpenAiProvider("key-123456", base_url=url),
    )
    async with httpx.AsyncClient() as client:
        for model in made:
            ours, floor = [], []
            for _ in range(ROUNDS):
                floor.append(await cpu(lambda m=model: bare(client, url + m.path)))  # type: ignore[misc]
                ours.append(await cpu(lambda m=model: tokens(m)))  # type: ignore[misc]
            mine, least = statistics.median(ours), statistics.median(floor)
            name = model.ear.vendor
            print(f"a streamed token, {name}: {mine:.1f} µs CPU; httpx alone {least:.1f} µs")
            await model.aclose()


async def connections(url: str) -> None:
    """Count them for 50 questions, one after the other and at once."""
    async with httpx.AsyncClient() as client:
        await client.get(f"{url}/connections")
        for name, at_once in (("one after the other", False), ("at once", True)):
            async with OpenAiProvider("key-123456", model="m", base_url=f"{url}/small") as model:
                asked = [model.stream_complete("p") for _ in range(50)]
                began = time.perf_counter()
                if at_once:
                    await asyncio.gather(*map(heard, asked))
                else:
                    for each in asked:
                        await heard(each)
                took = time.perf_counter() - began
                count = (await client.get(f"{url}/connections")).text
                print(f"50 questions {name}: {count} connections, {took * 1000:.0f} ms")


async def heard(pieces: AsyncIterator[str]) -> None:
    """Hear all."""
    async for _ in pieces:
        pass


async def main() -> None:
    """Measure."""
    async with served() as url:
        await a_token(url)
        await connections(url)


if __name__ == "__main__":
    asyncio.run(serve() if "serve" in sys.argv else main())
