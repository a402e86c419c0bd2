"""Models of OpenAI, and of whoever speaks the Chat Completions format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from agentlab.core.protocols import Chunk, Usage
from agentlab.core.secrets import Secret
from agentlab.models.ear import Ear, missing
from agentlab.models.hosted import HostedModel
from agentlab.models.llm import CompletionOptions
from agentlab.models.sse import SseEvent, is_done

if TYPE_CHECKING:
    import httpx

VENDOR = "OpenAI"


class Counts(msgspec.Struct):
    """Tokens."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Function(msgspec.Struct):
    """Whom a call calls, and with what, or more of that."""

    name: str | None = None
    arguments: str | None = None


class Call(msgspec.Struct):
    """A tool call, or a piece of one."""

    index: int | None = None
    function: Function | None = None


class Said(msgspec.Struct):
    """A whole message, or what is new of one."""

    content: str | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None


class Likely(msgspec.Struct):
    """A token, and how likely it was."""

    token: str = ""
    logprob: float | None = None
    top_logprobs: list[Likely] | None = None


class Worth(msgspec.Struct):
    """What the tokens of a piece were worth."""

    content: list[Likely] | None = None


class Choice(msgspec.Struct):
    """One of the answers; we ask for one."""

    delta: Said | None = None
    message: Said | None = None
    finish_reason: str | None = None
    logprobs: Worth | None = None


class Reply(msgspec.Struct):
    """A whole answer, or a piece of one."""

    choices: list[Choice] | None = None
    usage: Counts | None = None
    error: Any = None


class OpenAiEar(Ear):
    """Hears an answer in the Chat Completions format."""

    vendor = VENDOR
    event = reply = Reply
    endings: ClassVar = {
        "length": "the answer was cut: raise max_tokens",
        "content_filter": "a filter of the vendor's cut the answer",
    }

    def is_end(self, event: SseEvent) -> bool:
        """Tell whether it is ``[DONE]``."""
        return is_done(event)

    def _hear(self, piece: Reply) -> Iterator[Chunk]:
        self._count(piece.usage)
        for choice in (piece.choices or ())[:1]:
            self.ending = choice.finish_reason or self.ending
            if choice.delta and (text := self._taken(choice.delta)):
                told = choice.logprobs if text == choice.delta.content else None
                tokens = (told and told.content) or ()
                worth = [min(each.logprob, 0.0) for each in tokens if each.logprob is not None]
                known = sum(worth) if worth and len(worth) == len(tokens) else None
                yield Chunk(text, known, likely(tokens[0]) if len(tokens) == 1 else None)

    def _read(self, reply: Reply) -> Iterator[str]:
        self._count(reply.usage)
        choice = (reply.choices or [Choice()])[0]
        self.ending = choice.finish_reason or ""
        text = self._taken(choice.message) if choice.message else ""
        if not choice.message or not (choice.message.content is not None or text or self._step):
            raise missing(VENDOR, "choices[0].message.content")
        yield text

    def _taken(self, said: Said) -> str:
        text = said.content or said.refusal or ""
        text = self._text(text) if text else ""
        for place, call in enumerate(said.tool_calls or ()):
            key = place if call.index is None else call.index
            if call.function and call.function.name:
                text += self._call(key, call.function.name)
            if call.function and call.function.arguments:
                text += self._args(key, call.function.arguments)
        return text

    def _count(self, counts: Counts | None) -> None:
        if counts:
            self.usage = Usage(counts.prompt_tokens or 0, counts.completion_tokens or 0)


def likely(token: Likely) -> dict[str, float] | None:
    """Give the likely tokens in a token's place."""
    some = token.top_logprobs or ()
    return {each.token: each.logprob for each in some if each.logprob is not None} or None


class OpenAiProvider(HostedModel):
    """Models of OpenAI, or of a server that speaks the Chat Completions format.

    Ollama, vLLM, llama.cpp and LM Studio do, under their ``/v1``.

    >>> OpenAiProvider(model="qwen3:4b", base_url="http://127.0.0.1:11434/v1")
    <OpenAiProvider 'qwen3:4b', at 127.0.0.1:11434/v1>

    What it has in common with other vendors is said at :class:`HostedModel`.
    """

    ear = OpenAiEar
    variable = "OPENAI_API_KEY"
    home = "https://api.openai.com/v1"
    path = "/chat/completions"
    streaming: ClassVar = {"stream_options": {"include_usage": True}}

    def _sign(self, headers: httpx.Headers, key: Secret) -> None:
        headers["authorization"] = f"Bearer {key.reveal()}"

    def _body(
        self, prompt: str, asked: CompletionOptions, tools: list[dict[str, Any]]
    ) -> dict[str, Any]:
        system = [{"role": "system", "content": asked.system}] if asked.system else []
        limit = "max_completion_tokens" if self.at_home else "max_tokens"  # as others still say
        body: dict[str, Any] = {
            "model": asked.model,
            "messages": [*system, {"role": "user", "content": prompt}],
            limit: asked.max_tokens,
            "temperature": asked.temperature,
            "seed": asked.seed,
            "stop": asked.stop_sequences or None,
        }
        if tools:
            body["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": each["name"],
                        "description": each["description"],
                        "parameters": each["schema"],
                    },
                }
                for each in tools
            ]
            body["parallel_tool_calls"] = False
        return body
