"""The pieces of an answer, as somebody's own streaming model gives them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import TYPE_CHECKING, Protocol

import msgspec

from agentlab.core.portable import Portable

if TYPE_CHECKING:
    from typing import Self


class InferenceToken(Portable, msgspec.Struct, frozen=True):
    r"""A piece of an answer, how likely it was, and whether it is the last.

    >>> said = InferenceToken.thought("easy"), InferenceToken.final_answer("42")
    >>> "".join(token.text for token in said)
    'Thought: easy\nAction: FINAL_ANSWER 42'
    """

    text: str
    logprob: float | None = None
    is_final: bool = False

    @classmethod
    def of(cls, text: str, logprob: float | None = None) -> Self:
        """Give a piece after which more may come."""
        return cls(text, logprob)

    @classmethod
    def final_token(cls, text: str, logprob: float | None = None) -> Self:
        """Give the last piece."""
        return cls(text, logprob, is_final=True)

    @classmethod
    def thought(cls, text: str) -> Self:
        """Give a whole thought, under its header."""
        return cls(f"Thought: {text}")

    @classmethod
    def final_answer(cls, text: str) -> Self:
        """Give a whole answer, under its header; it is the last piece."""
        return cls(f"\nAction: FINAL_ANSWER {text}", is_final=True)


class TokenStream(Protocol):
    """Tokens, one after the other: what an async generator of them is."""

    def __aiter__(self) -> AsyncIterator[InferenceToken]: ...
    def __anext__(self) -> Awaitable[InferenceToken]: ...


class StreamingInference(Protocol):
    """Answers in tokens. Whatever has this one method is a model as it is."""

    def infer_stream(self, prompt: str, /) -> TokenStream:
        """Answer ``prompt``; whoever leaves early closes the stream, if it has ``aclose``."""
        ...
