"""Who writes summaries: a function of the texts, a model, or nobody, and then they are joined."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from agentlab.core.bounds import callback
from agentlab.core.errors import InvalidValue
from agentlab.core.protocols import Request
from agentlab.core.sync import called, closing, waits_well
from agentlab.memory.given import a_text

Summariser: TypeAlias = Callable[[list[str]], Awaitable[str]]

SYSTEM = (
    "You shorten notes. Answer with the summary alone, in at most three sentences. Keep names,"
    " numbers, dates and decisions, and add nothing that is not there."
)
MOST_PROMPT = 12_000  # characters of the texts together


def as_summariser(fn: Callable[..., Any] | None, model: Any) -> Summariser | None:
    """Make what writes a summary, if somebody is to.

    Parameters
    ----------
    fn : callable, optional
        Takes a list of texts, oldest first, and gives one; async, or plain and then called in a
        worker thread.
    model : Model or callable, optional
        A model, or a function of a prompt, as ``infer`` is.

    Raises
    ------
    InvalidValue
        Both are given, or one cannot do it.
    """
    if fn is not None and model is not None:
        raise InvalidValue(f"give a function or a model to summarise, not both, got {model!r:.80}")
    if fn is not None:
        callback("a summariser", fn)
        return partial(_told, fn)
    if model is None:
        return None
    if not callable(getattr(model, "stream", None)) and not callable(model):
        raise InvalidValue(f"model must be a model or a function, got {model!r:.80}: use as_model")
    return partial(_asked, model)


async def _told(fn: Callable[..., Any], texts: list[str]) -> str:
    return _spoken(await called(fn, texts, inline=waits_well(fn)))


async def _asked(model: Any, texts: list[str]) -> str:
    prompt = prompt_of(texts)
    if callable(getattr(model, "stream", None)):
        found = model.stream(Request(prompt, SYSTEM))
    else:
        found = await called(model, f"{SYSTEM}\n\n{prompt}", inline=waits_well(model))
    if hasattr(found, "__aiter__"):
        async with closing(found) as pieces:
            found = "".join([getattr(piece, "text", piece) async for piece in pieces])
    return _spoken(found)


def prompt_of(texts: Sequence[str]) -> str:
    """Write the texts under each other, each cut so that all of them fit."""
    share = MOST_PROMPT // max(1, len(texts))
    return "Notes:\n" + "\n".join(f"- {' '.join(text[:share].split())}" for text in texts)


def _spoken(found: object) -> str:
    said = a_text("a summary", found).strip()
    if not said:
        raise InvalidValue(f"a summary must say something, got {found!r:.80}")
    return said
