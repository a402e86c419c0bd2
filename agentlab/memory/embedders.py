"""What can turn texts into vectors: static vectors, any function, and whatever has ``embed``."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from agentlab.core.doors import Displayable
from agentlab.core.errors import InvalidValue, MemoryStoreError
from agentlab.core.extras import need
from agentlab.core.protocols import Embedder
from agentlab.core.sync import run_sync, waits_well
from agentlab.memory.items import text_of
from agentlab.memory.units import vectors_of

STATIC = "static"


class StaticEmbedder(Displayable):
    """Texts as the mean of their words' vectors, which come with the extra ``local``.

    It knows that a pet and a cat have something in common, which a bag of words does not. No
    network is used. The weights are read when it is first asked.
    """

    dim = 256

    def __repr__(self) -> str:
        return f"StaticEmbedder(dim={self.dim})"

    @property
    def quick(self) -> bool:
        """Whether its weights have been read, which takes most of a second."""
        return static_weights.cache_info().currsize > 0

    def embed(self, texts: Sequence[str]) -> Any:
        """Give a row a text; one without any words is all zeros.

        Raises
        ------
        NotConfigured
            The extra ``local`` is not installed.
        """
        told = texts_of(texts)
        if not told:
            return vectors_of([[0.0] * self.dim])[:0]
        import numpy as np

        with _one_at_a_time:
            rows = vectors_of(static_weights().embed(told, norm=False))
        long = np.linalg.norm(rows, axis=1, keepdims=True)  # its own would divide zeros by zero
        return rows / np.where(long > 0, long, 1.0)


@cache
def static_weights() -> Any:
    """Read the weights, from the package that holds them."""
    with quietly():
        package = need("wordllama", "local")
    folder = Path(package.__file__).parent
    return package.WordLlama.load(cache_dir=folder, disable_download=True)


@contextmanager
def quietly() -> Iterator[None]:
    """Keep the log as it is: the package sends everybody's to stderr when it is imported."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


_one_at_a_time = threading.Lock()  # the tokeniser pads for one caller at a time


class FunctionEmbedder(Displayable):
    """Any function that gives vectors for texts, async or not.

    One that is async is waited for, on a loop of its own.

    Parameters
    ----------
    fn : callable
        Takes a list of texts and gives as many vectors, all of one dimension.
    dim : int, optional
        That dimension; by default what it first gives.
    """

    quick = False  # nobody knows how long it takes

    def __init__(self, fn: Callable[..., Any], *, dim: int = 0) -> None:
        if not callable(fn) or isinstance(fn, type):
            raise InvalidValue(f"an embedder is a function of texts, got {fn!r:.80}")
        self._fn, self.dim = fn, dim

    def __repr__(self) -> str:
        return f"FunctionEmbedder({getattr(self._fn, '__name__', self._fn)!r:.80}, dim={self.dim})"

    def embed(self, texts: Sequence[str]) -> Any:
        """Give a row a text.

        Raises
        ------
        MemoryStoreError
            The function gave as many vectors as there are not texts, or of another dimension.
        """
        told = texts_of(texts)
        found = vectors_of(run_sync(self._fn, told) if waits_well(self._fn) else self._fn(told))
        if len(found) != len(told) or (self.dim and found.shape[1] != self.dim):
            raise MemoryStoreError(
                f"{self!r} gave {len(found)} vectors of {found.shape[1]} numbers"
                f" for {len(told)} texts"
            )
        self.dim = found.shape[1]
        return found


def as_embedder(embedder: Any) -> Embedder:
    """Give whatever ``embedder=`` may be as an :class:`Embedder`.

    Parameters
    ----------
    embedder : Embedder, callable or "static"
        An object with ``embed`` and ``dim`` is given back as it is; a function of texts as a
        :class:`FunctionEmbedder`; ``"static"`` is a :class:`StaticEmbedder`.

    Raises
    ------
    InvalidValue
        It is none of these.
    """
    if embedder == STATIC:
        return StaticEmbedder()
    if not isinstance(embedder, type) and callable(getattr(embedder, "embed", None)):
        found: Embedder = embedder
        return found
    if callable(embedder) and not isinstance(embedder, type):
        return FunctionEmbedder(embedder)
    raise InvalidValue(
        f"an embedder is {STATIC!r}, a function of texts, or has embed and dim,"
        f" got {embedder!r:.80}"
    )


def is_quick(embedder: Any) -> bool:
    """Tell whether it may be asked on a loop, which waits for it."""
    return bool(getattr(embedder, "quick", True))


def texts_of(texts: Sequence[str]) -> list[str]:
    """Give texts as they can be written down.

    Raises
    ------
    InvalidValue
        They are not several.
    """
    if isinstance(texts, str):
        raise InvalidValue(f"texts to embed are several, got {texts!r:.80}: put it in a list")
    return [text_of(text, "a text to embed") for text in texts]
