"""Two vendors' formats, as their servers write them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agentlab.models.anthropic import AnthropicProvider
from agentlab.models.hosted import HostedModel
from agentlab.models.openai import OpenAiProvider

KEY = "canary-7f3a9b1c5d2e"


@dataclass(frozen=True)
class Vendor:
    """One of them."""

    name: str
    made: type[HostedModel]
    base: str
    path: str
    key_header: tuple[str, str]
    ended: bytes
    error: bytes

    def __str__(self) -> str:
        return self.name

    def at(self, url: str, key: str | None = KEY, **settings: Any) -> HostedModel:
        """Make a provider that asks there."""
        settings = {"model": "m", "timeout_s": 5.0, **settings}
        return self.made(key, base_url=url + self.base, **settings)

    def whole(self, text: str, **more: Any) -> dict[str, Any]:
        """Give a whole answer."""
        if self is ANTHROPIC:
            usage = {"input_tokens": 7, "output_tokens": 3, "cache_read_input_tokens": 2}
            return {"content": [{"type": "text", "text": text}], "usage": usage, **more}
        message = {"role": "assistant", "content": text}
        usage = {"prompt_tokens": 9, "completion_tokens": 3}
        return {"choices": [{"index": 0, "message": message}], "usage": usage, **more}

    def events(self, *pieces: str, ending: str | None = None) -> bytes:
        """Give the body of a stream, its end marker included."""
        if self is ANTHROPIC:
            usage = {"input_tokens": 9, "output_tokens": 1}
            block = {"type": "content_block_start", "index": 0}
            reason = {"stop_reason": ending or "end_turn"}
            events: list[dict[str, Any]] = [
                {"type": "message_start", "message": {"content": [], "usage": usage}},
                {**block, "content_block": {"type": "text", "text": ""}},
                {"type": "ping"},
                *map(text_delta, pieces),
                {"type": "content_block_stop", "index": 0},
                {"type": "message_delta", "delta": reason, "usage": {"output_tokens": 3}},
                {"type": "message_stop"},
            ]
            return b"".join(sse(each, each["type"]) for each in events)
        chunks = [{"choices": [{"index": 0, "delta": {"role": "assistant", "content": None}}]}]
        chunks += [{"choices": [{"index": 0, "delta": {"content": each}}]} for each in pieces]
        chunks += [{"choices": [{"index": 0, "delta": {}, "finish_reason": ending or "stop"}]}]
        usage = {"prompt_tokens": 9, "completion_tokens": 3}
        return b"".join(map(sse, [*chunks, {"choices": [], "usage": usage}])) + b"data: [DONE]\n\n"

    def call(self, text: str, name: str, *args: str, more: Sequence[str] = ()) -> bytes:
        """Give the body of a stream with text, a call whose arguments come in pieces, and more."""
        if self is ANTHROPIC:
            events = [text_delta(text)] if text else []
            for index, each in enumerate([name, *more], start=1):
                block = {"type": "tool_use", "id": f"t{index}", "name": each, "input": {}}
                events.append(
                    {"type": "content_block_start", "index": index, "content_block": block}
                )
                events += [
                    {
                        "type": "content_block_delta",
                        "index": index,
                        "delta": {"type": "input_json_delta", "partial_json": piece},
                    }
                    for piece in args
                ]
            events += [{"type": "message_delta", "usage": {"input_tokens": 9, "output_tokens": 3}}]
            events += [{"type": "message_stop"}]
            return b"".join(sse(each, each["type"]) for each in events)
        deltas: list[dict[str, Any]] = [{"content": text}] if text else []
        for index, each in enumerate([name, *more]):
            function = {"name": each, "arguments": ""}
            deltas.append({"tool_calls": [{"index": index, "id": "t", "function": function}]})
            deltas += [
                {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
                for piece in args
            ]
        chunks: list[dict[str, Any]] = [
            {"choices": [{"index": 0, "delta": each}]} for each in deltas
        ]
        chunks += [{"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3}}]
        return b"".join(map(sse, chunks)) + b"data: [DONE]\n\n"


def text_delta(text: str) -> dict[str, Any]:
    """Give an event of Anthropic's with more text."""
    delta = {"type": "text_delta", "text": text}
    return {"type": "content_block_delta", "index": 0, "delta": delta}


def sse(data: Any, event: str = "") -> bytes:
    """Give one event."""
    kind = f"event: {event}\n" if event else ""
    return f"{kind}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


ANTHROPIC = Vendor(
    "anthropic",
    AnthropicProvider,
    "",
    "/v1/messages",
    ("x-api-key", KEY),
    sse({"type": "message_stop"}, "message_stop"),
    sse(
        {"type": "error", "error": {"type": "overloaded_error", "message": f"busy {KEY}"}}, "error"
    ),
)
OPENAI = Vendor(
    "openai",
    OpenAiProvider,
    "/v1",
    "/v1/chat/completions",
    ("authorization", f"Bearer {KEY}"),
    b"data: [DONE]\n\n",
    sse({"error": {"message": f"busy {KEY}", "type": "server_error", "code": 529}}),
)
VENDORS = (ANTHROPIC, OPENAI)
