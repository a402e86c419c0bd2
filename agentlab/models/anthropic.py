"""Models of Anthropic, and of whoever speaks the Messages format."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from agentlab.core.protocols import Chunk, Usage
from agentlab.core.secrets import Secret
from agentlab.models.ear import Ear, missing
from agentlab.models.hosted import HostedModel
from agentlab.models.llm import CompletionOptions
from agentlab.models.native import as_json
from agentlab.models.sse import SseEvent

if TYPE_CHECKING:
    import httpx

VENDOR = "Anthropic"
MAX_TOKENS = 1024
END = "message_stop"


class Counts(msgspec.Struct):
    """Tokens; those that were read from a cache, or written to one, are told apart."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None

    def sent(self) -> int:
        """Count all that was read."""
        cached = (self.cache_creation_input_tokens or 0) + (self.cache_read_input_tokens or 0)
        return (self.input_tokens or 0) + cached


class Block(msgspec.Struct):
    """A part of an answer: text, a tool call, or what is passed over."""

    type: str = ""
    text: str = ""
    name: str = ""
    input: Any = None


class Delta(msgspec.Struct):
    """What is new."""

    text: str = ""
    partial_json: str = ""
    stop_reason: str | None = None


class Message(msgspec.Struct):
    """A whole answer, or what is known of it when it begins."""

    content: list[Block] | None = None
    usage: Counts | None = None
    stop_reason: str | None = None
    error: Any = None


class Piece(msgspec.Struct):
    """An event of a stream."""

    type: str = ""
    index: int = 0
    message: Message | None = None
    content_block: Block | None = None
    delta: Delta | None = None
    usage: Counts | None = None
    error: Any = None


class AnthropicEar(Ear):
    """Hears an answer in the Messages format."""

    vendor = VENDOR
    event = Piece
    reply = Message
    endings: ClassVar = {
        "max_tokens": "the answer was cut: raise max_tokens",
        "model_context_window_exceeded": "the answer was cut: the model's context is full",
        "refusal": "the model refused to go on",
    }

    def is_end(self, event: SseEvent) -> bool:
        """Tell whether it is ``message_stop``, and whole."""
        if END in event.data:
            with suppress(msgspec.DecodeError):
                return bool(msgspec.json.decode(event.data, type=Piece).type == END)
        return False

    def _hear(self, piece: Piece) -> Iterator[Chunk]:
        match piece.type:
            case "content_block_delta" if piece.delta:
                delta = piece.delta
                text = self._text(delta.text) if delta.text else ""
                if delta.partial_json:
                    text = self._args(piece.index, delta.partial_json)
                if text:
                    yield Chunk(text)
            case "content_block_start" if piece.content_block:
                if text := self._begun(piece.index, piece.content_block):
                    yield Chunk(text)
            case "message_start" if piece.message:
                self._count(piece.message.usage)
            case "message_delta":
                self._count(piece.usage)
                self.ending = (piece.delta and piece.delta.stop_reason) or self.ending

    def _read(self, reply: Message) -> Iterator[str]:
        self._count(reply.usage)
        self.ending = reply.stop_reason or ""
        blocks = reply.content or ()
        if not any(each.type in ("text", "tool_use") for each in blocks):
            raise missing(VENDOR, "content[0].text")
        for index, block in enumerate(blocks):
            yield self._begun(index, block)

    def _begun(self, index: int, block: Block) -> str:
        if block.type == "tool_use":
            given = as_json(block.input) if block.input else ""
            return self._call(index, block.name) + self._args(index, given)
        return self._text(block.text) if block.type == "text" and block.text else ""

    def _count(self, counts: Counts | None) -> None:
        if counts:
            before = self.usage or Usage(0, 0)
            self.usage = Usage(counts.sent() or before.input, counts.output_tokens or before.output)


class AnthropicProvider(HostedModel):
    """Models of Anthropic, or of a server that speaks the Messages format.

    >>> AnthropicProvider("sk-ant-1234567890", model="claude-sonnet-4-5")
    <AnthropicProvider 'claude-sonnet-4-5', key ***>

    What it has in common with other vendors is said at :class:`HostedModel`. An answer has at
    most 1024 tokens, unless ``max_tokens`` says otherwise. There is no seed.
    """

    ear = AnthropicEar
    variable = "ANTHROPIC_API_KEY"
    home = "https://api.anthropic.com"
    path = "/v1/messages"
    headers: ClassVar = {"anthropic-version": "2023-06-01"}
    _warned = False

    def _sign(self, headers: httpx.Headers, key: Secret) -> None:
        headers["x-api-key"] = key.reveal()

    def _body(
        self, prompt: str, asked: CompletionOptions, tools: list[dict[str, Any]]
    ) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": asked.model,
            "max_tokens": asked.max_tokens or MAX_TOKENS,
            "messages": [{"role": "user", "content": prompt}],
            "system": asked.system or None,
            "temperature": asked.temperature,
            "stop_sequences": asked.stop_sequences or None,
        }
        if tools:
            body["tools"] = [
                {"name": t["name"], "description": t["description"], "input_schema": t["schema"]}
                for t in tools
            ]
            body["tool_choice"] = {"type": "auto", "disable_parallel_tool_use": True}
        return body

    def _unheeded(self, asked: CompletionOptions) -> str:
        if self._warned or (asked.seed is None and self.defaults.seed is None):
            return ""
        self._warned = True
        return "Anthropic takes no seed: equal questions may have other answers"
