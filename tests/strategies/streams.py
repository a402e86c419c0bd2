"""Models that speak in tokens, and somebody who listens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

from agentlab.core.protocols import Chunk, Request, Usage
from agentlab.strategies.streaming import InferenceToken, StreamingCallbacks, StreamingInference
from agentlab.tools.spec import tool

DONE = "Thought: done\nAction: FINAL_ANSWER 42"
ASK = 'Thought: look\nAction: search {"n": 2}'


@tool(inline=True)
def search(n: int) -> str:
    """Find ``n`` things."""
    return "x" * n


class Stub(StreamingInference):
    """Has only ``infer_stream``: gives scripted tokens, and says what became of them."""

    def __init__(self, *answers: Iterable[InferenceToken | str]) -> None:
        self.prompts: list[str] = []
        self.given: list[str] = []
        self.closed = 0
        self._answers = answers

    async def infer_stream(self, prompt: str, /) -> AsyncIterator[InferenceToken]:
        answer = self._answers[min(len(self.prompts), len(self._answers) - 1)]
        self.prompts.append(prompt)
        try:
            for each in answer:
                token = InferenceToken.of(each) if isinstance(each, str) else each
                self.given.append(token.text)
                yield token
        finally:
            self.closed += 1


class Reported:
    """A model whose last piece brings only what it counted."""

    def __init__(self, *pieces: str) -> None:
        self._pieces = pieces

    async def stream(self, _request: Request, /) -> AsyncIterator[Chunk]:
        for piece in self._pieces:
            yield Chunk(piece, -0.1)
        yield Chunk("", warning="the context is nearly full")
        yield Chunk("", is_final=True, usage=Usage(7, 9))


class Ears:
    """Writes down what it is called with, in order."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def callbacks(self) -> StreamingCallbacks:
        add = self.heard.append
        return StreamingCallbacks().on_token(add).on_thought(add).on_action(add)
