"""What hears a vendor's answer: from its JSON to chunks.

Each vendor has an ear of its own, which knows the shapes; what they have in common is here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any, ClassVar

import msgspec

from agentlab.core.errors import ProviderError
from agentlab.core.protocols import Chunk, Usage
from agentlab.core.sync import closing
from agentlab.models.native import NativeStep, ToolNames
from agentlab.models.sse import SseEvent, StreamBroken, read_sse
from agentlab.models.wire import MAX_ERROR_BYTES, OUT_OF_CREDIT, excerpt, lively

# What an error that comes in a stream, after a status of 200, would have had as its status.
STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "api_error": 500,
    "server_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class Ear:
    """Hears one answer.

    Parameters
    ----------
    tools : sequence of dict, optional
        The tools that were sent, perhaps none; calls of them, and an answer without any, are
        told as the text of a step. Without this, text is told as it is.
    """

    vendor: ClassVar[str]
    event: ClassVar[type[Any]]  # the shape of a piece
    reply: ClassVar[type[Any]]  # and of a whole answer
    endings: ClassVar[dict[str, str]]  # what to say of an answer that ended so

    def __init__(self, tools: Sequence[dict[str, Any]] | None = None) -> None:
        self.names = ToolNames(tools or ())
        self.usage: Usage | None = None
        self.ending = ""
        self._step = None if tools is None else NativeStep()

    def hear(self, event: SseEvent) -> Iterator[Chunk]:
        """Take a piece; give what is to be told of it.

        Raises
        ------
        StreamBroken
            It is an error, or cannot be read.
        """
        yield from self._hear(self._decoded(event.data, self.event))

    def read(self, body: bytes) -> str:
        """Take a whole answer; give its text.

        Raises
        ------
        ProviderError
            There is none in it.
        """
        return "".join([*self._read(self._decoded(body, self.reply)), self.rest()])

    def rest(self) -> str:
        """Give what was held back."""
        return self._step.end() if self._step else ""

    def held(self) -> str:
        """Give what is held back, as it was heard."""
        return self._step.held() if self._step else ""

    def warning(self) -> str:
        """Say what should be known of how it ended."""
        told = [self.endings[self.ending]] if self.ending in self.endings else []
        if self._step and self._step.dropped:
            told.append(f"of {self._step.dropped + 1} tool calls at once the first was taken")
        return "; ".join(told)

    @abstractmethod
    def is_end(self, event: SseEvent) -> bool:
        """Tell whether nothing follows."""

    @abstractmethod
    def _hear(self, piece: Any) -> Iterable[Chunk]: ...

    @abstractmethod
    def _read(self, reply: Any) -> Iterable[str]: ...

    def _text(self, piece: str) -> str:
        return self._step.text(piece) if self._step else piece

    def _call(self, key: object, name: str) -> str:
        return self._step.call(key, self.names.ours(name)) if self._step else ""

    def _args(self, key: object, piece: str) -> str:
        return self._step.args(key, piece) if self._step else ""

    def _decoded(self, data: str | bytes, kind: type[Any]) -> Any:
        try:
            piece = msgspec.json.decode(data, type=kind)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            text = data if isinstance(data, str) else data.decode("utf-8", "replace")
            why = f"cannot be read ({error}): {excerpt(text[:MAX_ERROR_BYTES])}"
            raise StreamBroken(f"{self.vendor} response {why}") from None
        if piece.error is not None:
            raise self._broken(piece.error)
        return piece

    def _broken(self, error: Any) -> StreamBroken:
        """Make the error of what a vendor says went wrong after it had begun to answer."""
        told = error if isinstance(error, dict) else {"message": error}
        kind, code = told.get("type"), told.get("code")
        names = [each for each in (kind, code) if isinstance(each, str)]
        status = next((STATUS[each] for each in names if each in STATUS), None)
        if isinstance(code, int) and 400 <= code < 600:  # noqa: PLR2004 - HTTP's own
            status = code
        said = ": ".join(str(each) for each in (kind, told.get("message")) if each)
        return StreamBroken(
            f"{self.vendor} API error {status or 'in mid-answer'}: {excerpt(said)}",
            status=status,
            transient=False if OUT_OF_CREDIT in names else None if status else True,
        )


def missing(vendor: str, what: str) -> ProviderError:
    """Make the error of an answer that lacks what it is asked for."""
    return ProviderError(f"{vendor} response missing {what}")


async def heard(pieces: AsyncIterator[bytes], ear: Ear, timeout_s: float) -> AsyncIterator[Chunk]:
    """Give what an ear makes of a stream; what broke off says how far it had come."""
    said: list[str] = []
    try:
        async with closing(read_sse(lively(pieces, timeout_s), is_end=ear.is_end)) as events:
            async for event in events:
                if ear.is_end(event):
                    continue
                for chunk in ear.hear(event):
                    said.append(chunk.text)
                    yield chunk
    except StreamBroken as error:
        error.partial = "".join(said) + ear.held()
        raise
    if rest := ear.rest():
        yield Chunk(rest)
