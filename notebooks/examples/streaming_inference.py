"""Tokens off the wire: a local server streams an answer as server-sent events, callbacks hear it.

The body is parsed into tokens, a loop runs on them, and what the agent does is written back as
server-sent events, as a service would send them on to a browser.
"""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

import agentlab as al
from agentlab.models.sse import is_done, read_sse
from agentlab.strategies.agent_events import agent_event

ANSWERS = (
    'Thought: I will look it up.\nAction: high_tide {"port": "Brest"}',
    "Thought: I know it now.\nAction: FINAL_ANSWER 06:42",
)


class Stub(BaseHTTPRequestHandler):
    """Answers each question word by word: first with a call, then with the result."""

    def do_POST(self) -> None:
        """Stream an answer."""
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for word in ANSWERS["Observation" in asked].split(" "):
            self.wfile.write(b"data: %b\n\n" % json.dumps({"text": f"{word} "}).encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def serving() -> Iterator[str]:
    """Serve on this machine only."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class Wire:
    """A model at the other end of a wire."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def infer_stream(self, prompt: str) -> AsyncIterator[al.InferenceToken]:
        """Ask, and give each token when it comes."""
        async with (
            httpx.AsyncClient() as client,
            client.stream("POST", self.url, content=prompt) as answer,
        ):
            async for event in read_sse(answer.aiter_bytes(), is_end=is_done):
                if not is_done(event):
                    yield al.InferenceToken.of(json.loads(event.data)["text"])


@al.tool
def high_tide(port: str) -> str:
    """Tell when the tide is high at a port."""
    return {"Brest": "06:42"}[port]


def main() -> None:
    """Run the loop on the wire, hear it speak, and write down what it did."""
    said: list[str] = []
    callbacks = (
        al.StreamingCallbacks()
        .on_token(lambda token: said.append(token.text))
        .on_thought(lambda thought: print(f"thought  {thought}"))
        .on_action(lambda action: print(f"action   {action}"))
    )
    with serving() as url:
        loop = al.StreamingReActLoop(Wire(url), max_steps=5).with_callbacks(callbacks)
        session = loop.register_tool(high_tide).run_sync("When is high tide at Brest?")

    assert session.is_completed()
    assert session.final_answer() == "06:42"
    assert session.total_token_count() == len(said) == 16
    print(f"answer   {session.final_answer()}, from {len(said)} tokens\n")

    told = [agent_event(entry.event) for entry in session.trace.entries]
    body = "".join(event.to_sse() for event in told if event)
    print(body)
    assert body.startswith('data: {"type":"thought","content":"I will look it up."}\n\n')
    assert body.endswith('data: {"type":"result","content":"06:42"}\n\n')


if __name__ == "__main__":
    main()
