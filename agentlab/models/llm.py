"""The reference's contract of a provider: whole texts, with or without options, or in pieces."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator
from typing import Any, Protocol

import msgspec

from agentlab.core.bounds import at_least_one, not_negative, positive
from agentlab.core.doors import Displayable
from agentlab.core.errors import InvalidValue
from agentlab.core.portable import Portable
from agentlab.core.protocols import Request


class CompletionOptions(msgspec.Struct, Portable, Displayable, frozen=True):
    """How to complete a text; what is None or empty is left to the provider.

    Parameters
    ----------
    model : str
        The model's name.
    max_tokens : int, optional
        Where the answer is cut.
    temperature : float, optional
        How much chance there is in it.
    timeout : float, optional
        Seconds to wait for a connection, for the answer to begin, and for each line of it.
    system : str, optional
        The system text.
    stop_sequences : tuple of str
        Where the model must stop.
    seed : int, optional
        Makes chance repeat, where the vendor has that.
    extra : dict
        Whatever else the vendor knows, as it is to be sent.
    """

    model: str = ""
    max_tokens: int | None = None
    temperature: float | None = None
    timeout: float | None = None
    system: str | None = None
    stop_sequences: tuple[str, ...] = ()
    seed: int | None = None
    extra: dict[str, Any] = {}

    def __post_init__(self) -> None:
        if self.max_tokens is not None:
            at_least_one("max_tokens", self.max_tokens, "the provider's own")
        if self.temperature is not None:
            not_negative("temperature", self.temperature, "the provider's own")
        if self.timeout is not None:
            positive("timeout", self.timeout, "the provider's own")
        if isinstance(self.stop_sequences, str):
            raise InvalidValue(
                f"stop_sequences must be several texts, got {self.stop_sequences!r}: put it in ()"
            )


class LlmProvider(Protocol):
    """Completes texts. Only ``complete`` is needed; whoever inherits has the rest.

    An object of such a class is a model as it is, see :func:`agentlab.as_model`.
    """

    @abstractmethod
    async def complete(self, prompt: str, model: str) -> str:
        """Give the whole answer."""
        ...

    async def complete_with_options(self, prompt: str, options: CompletionOptions) -> str:
        """Give the whole answer; by default the options but the model are passed over."""
        return await self.complete(prompt, options.model)

    async def stream_complete(self, prompt: str, model: str) -> AsyncIterator[str]:
        """Give the answer in pieces; by default there is one."""
        yield await self.complete(prompt, model)


def options_of(request: Request) -> CompletionOptions:
    """Give the options that a request stands for; those without a field are ``extra``."""
    given = dict(request.options)
    fields = ("max_tokens", "temperature", "timeout", "seed")
    known = {name: given.pop(name, None) for name in fields}
    return CompletionOptions(
        request.model,
        system=request.system or None,
        stop_sequences=tuple(request.stop),
        extra=given,
        **known,
    )
