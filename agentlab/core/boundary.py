"""What enters a run from outside, made fit for events: chunks of models, hits, data of tools."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from agentlab.core.errors import InvalidValue
from agentlab.core.protocols import Chunk, Hit
from agentlab.core.text import canonical, clean, compact, cut, finite

MAX_DATA_CHARS = 1_000_000


def bounded(data: Any) -> Any:
    """Give ``data``, or the beginning of its text where it is too much to keep."""
    if not isinstance(data, str | list | dict):
        return data
    text = data if isinstance(data, str) else compact(data)
    return cut(text, MAX_DATA_CHARS) if len(text) > MAX_DATA_CHARS else data


def sane_hit(hit: Hit) -> Hit:
    """Give ``hit`` as it may enter an event."""
    return structs.replace(
        hit,
        id=clean(hit.id),
        text=clean(hit.text),
        score=finite(hit.score) or 0.0,
        source=clean(hit.source),
        extra=canonical(hit.extra),
    )


def sane(chunk: Chunk) -> Chunk:
    """Give ``chunk`` as it may enter an event; nearly always it is so already."""
    if not isinstance(chunk, Chunk):
        raise InvalidValue(f"a model streams chunks, got {chunk!r}: yield Chunk(text)")
    text, logprob = clean(chunk.text), finite(chunk.logprob)
    if text is chunk.text and logprob == chunk.logprob and not chunk.top:
        return chunk
    top = {clean(k): v for k, v in (chunk.top or {}).items() if finite(v) is not None}
    return structs.replace(chunk, text=text, logprob=logprob, top=top or None)
