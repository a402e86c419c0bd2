"""How far a download has got, on one line of a terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

WIDTH = 24
EVERY_S = 0.1


class Bar:
    """Draws on stderr, and only where that is a terminal.

    Parameters
    ----------
    name : str
        What is coming.
    quiet : bool
        Draw nothing.
    """

    def __init__(self, name: str, *, quiet: bool = False) -> None:
        self._name = name
        self._on = not quiet and sys.stderr.isatty()
        self._began = self._drawn = 0.0
        self._first = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._drawn:
            sys.stderr.write("\n")

    def __call__(self, done: int, total: int | None) -> None:
        """Take the news; draw at most ten times a second, and the end always."""
        now = time.monotonic()
        if not self._began:
            self._began, self._first = now, done
        if self._on and (now - self._drawn >= EVERY_S or done == total):
            self._drawn = now
            rate = (done - self._first) / max(now - self._began, EVERY_S)
            sys.stderr.write(f"\r{line(self._name, done, total, rate)}\x1b[K")
            sys.stderr.flush()


def line(name: str, done: int, total: int | None, rate: float) -> str:
    """Say it in one line.

    >>> line("tiny.gguf", 5_000_000, 20_000_000, 2_500_000)
    'tiny.gguf [######------------------] 5/20 MB, 2.5 MB/s'
    """
    if not total:
        return f"{name} {megabytes(done)} MB, {rate / 1e6:.1f} MB/s"
    full = WIDTH * done // total
    bar = "#" * full + "-" * (WIDTH - full)
    return f"{name} [{bar}] {megabytes(done)}/{megabytes(total)} MB, {rate / 1e6:.1f} MB/s"


def megabytes(size: int) -> int:
    """Give bytes as whole megabytes."""
    return round(size / 1e6)
