"""A disk that fails when told to: the n-th call that touches a folder raises, or writes short.

It stands between Python and the system: ``os`` and ``io`` are patched, for the calls of one
thread that concern one folder, so that whatever is tested needs no door for it.

    with FaultyDisk(folder, nth=3, error=errno.ENOSPC) as disk:
        ...
    assert disk.hit == "write"
"""

from __future__ import annotations

import builtins
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

SHORT = -1  # no error: the call writes half of what it was given
BY_PATH = ("mkdir", "replace", "rename", "unlink", "rmdir", "scandir", "listdir")
BY_HANDLE = ("fsync", "ftruncate", "write", "read")


class FaultyDisk:
    """Counts the calls of this thread that touch ``folder``, and fails the n-th.

    Parameters
    ----------
    folder : Path
        What is on the disk.
    nth : int
        Which call fails, counted from 1; 0 for none.
    error : int
        The ``errno``, or ``SHORT``.
    for_good : bool
        Whether all later calls that write fail too, as on a disk that stays full.
    """

    def __init__(self, folder: Path, nth: int, error: int, *, for_good: bool = False) -> None:
        self._folder, self._nth, self._error, self._for_good = str(folder), nth, error, for_good
        self._thread, self._handles = threading.get_ident(), set[int]()
        self._before: list[tuple[Any, str, Any]] = []
        self.calls: list[str] = []  # that were made and have not failed
        self.count, self.hit = 0, ""

    def __enter__(self) -> Self:
        for name in BY_PATH:
            self._patch(os, name, self._by_path(name))
        for name in BY_HANDLE:
            self._patch(os, name, self._by_handle(name))
        self._patch(os, "open", self._open)
        self._patch(os, "close", self._close)
        self._patch(os, "fdopen", self._fdopen)
        self._patch(io, "open", self._io_open)
        self._patch(builtins, "open", self._io_open)
        return self

    def __exit__(self, *_: object) -> None:
        while self._before:
            setattr(*self._before.pop())

    def call(self, name: str) -> bool:
        """Count one call and raise if it is the one; tell whether it must write short."""
        self.count += 1
        due = self.count == self._nth
        later = self._for_good and bool(self.hit) and name not in {"unlink", "close", "read"}
        if due:
            self.hit = name
        if not (due or later):
            self.calls.append(name)
            return False
        if self._error == SHORT:
            return True
        raise OSError(self._error, os.strerror(self._error))

    def _patch(self, module: Any, name: str, new: Callable[..., Any]) -> None:
        self._before.append((module, name, getattr(module, name)))
        setattr(module, name, new)

    def _mine(self, path: object) -> bool:
        if threading.get_ident() != self._thread:
            return False
        if isinstance(path, int):
            return path in self._handles
        return isinstance(path, str | os.PathLike) and str(path).startswith(self._folder)

    def _by_path(self, name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def patched(path: Any = ".", *args: Any, **kwargs: Any) -> Any:
            if self._mine(path):
                self.call(name)
            return real(path, *args, **kwargs)

        return patched

    def _by_handle(self, name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def patched(handle: int, *args: Any) -> Any:
            if self._mine(handle) and self.call(name) and name == "write":
                return real(handle, args[0][: max(1, len(args[0]) // 2)])
            return real(handle, *args)

        return patched

    def _open(self, path: Any, *args: Any, **kwargs: Any) -> int:
        mine = self._mine(path)
        if mine:
            self.call("open")
        handle: int = self._real("open")(path, *args, **kwargs)
        if mine:
            self._handles.add(handle)
        return handle

    def _close(self, handle: int) -> None:
        mine = self._mine(handle)
        self._handles.discard(handle)
        self._real("close")(handle)
        if mine:
            self.call("close")

    def _fdopen(self, handle: int, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if not self._mine(handle) or "b" not in mode:
            return self._real("fdopen")(handle, mode, *args, **kwargs)
        raw = FaultyRaw(handle, mode.replace("b", ""))
        raw.disk = self
        return io.BufferedReader(raw) if "r" in mode else io.BufferedWriter(raw)

    def _io_open(self, path: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if not self._mine(path) or "b" not in mode:
            return self._real("open", io)(path, mode, *args, **kwargs)
        self.call("open")
        raw = FaultyRaw(os.fspath(path), mode.replace("b", ""))
        raw.disk = self
        self._handles.add(raw.fileno())
        return io.BufferedReader(raw) if "r" in mode else io.BufferedWriter(raw)

    def _real(self, name: str, module: Any = os) -> Any:
        return next(was for where, called, was in self._before if (where, called) == (module, name))

    def forget(self, handle: int) -> None:
        """Let go of a handle that was closed."""
        self._handles.discard(handle)


class FaultyRaw(io.FileIO):
    """A file on such a disk."""

    disk: FaultyDisk

    def write(self, data: Any, /) -> int:
        """Write, or half, or nothing."""
        if self.disk.call("write"):
            data = bytes(data)[: max(1, len(data) // 2)]
        return super().write(data)

    def readinto(self, into: Any, /) -> int:
        """Read some."""
        self.disk.call("read")
        return super().readinto(into)

    def readall(self) -> bytes:
        """Read the rest."""
        self.disk.call("read")
        return super().readall()

    def close(self) -> None:
        """Close, and then tell of what went wrong, as networks do."""
        if self.closed:
            return
        self.disk.forget(self.fileno())
        super().close()
        self.disk.call("close")
