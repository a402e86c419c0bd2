"""One visit to a cell: start it, hand the work over, hear it out, and leave nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import agentlab
from agentlab.core.sync import called, to_the_end
from agentlab.tools.limits import Limits

ROOT = str(Path(agentlab.__file__).parents[1])
CODE = """\
import sys
parent, status, result = map(int, sys.argv[1:4])
sys.path.insert(0, sys.argv[4])
from agentlab.tools.cell import main
main(parent, status, result)
"""
GRACE_S = 5.0  # beyond its own time, before the whole session is killed from here
LAST_S = 1.0
SWEEP_S = 120.0
STATUS_MOST, RESULT_MORE = 65_536, 65_536
NOBODY = 65534
KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH")


class Heard(NamedTuple):
    """What came out of a cell, in raw bytes; ``over`` is the pipe that said too much, or ``time``.

    The last is only where its keeper did not see to that.
    """

    status: bytes
    result: bytes
    stdout: bytes
    stderr: bytes
    over: str


class Ear(asyncio.Protocol):
    """Hears one pipe out, up to a limit."""

    def __init__(self, most: int, over: Callable[[], None]) -> None:
        self.heard, self.closed = bytearray(), asyncio.Event()
        self._most, self._over = most, over

    def data_received(self, data: bytes) -> None:
        """Take what there is room for."""
        room = self._most - len(self.heard)
        self.heard += data[:room]
        if len(data) > room:
            self._over()

    def connection_lost(self, _: Exception | None) -> None:
        """Say that nobody speaks there any more."""
        self.closed.set()


class Visit:
    """A cell while it is at work.

    Parameters
    ----------
    limits : Limits
        How far it may go.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._over = ""
        self._ears: dict[str, Ear] = {}
        self._pipes: list[asyncio.BaseTransport] = []
        self._control: asyncio.WriteTransport | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._files: list[Any] = []

    async def run(self, payload: bytes) -> Heard:
        """Let it work on ``payload``, and give what it said; however that ends, it is gone."""
        folder = tempfile.mkdtemp(prefix="agentlab-cell-")
        try:
            given = give(folder)
            await self._start(folder)
            self._hand_over(payload, folder, given=given)
            try:
                async with asyncio.timeout(self._limits.wall_s + GRACE_S):
                    await self._ears["status"].closed.wait()
            except TimeoutError:
                self._over = self._over or "time"
        finally:
            await to_the_end(self._end(folder))
        return self.heard()

    def heard(self) -> Heard:
        """Give what was said so far."""
        said = {name: bytes(ear.heard) for name, ear in self._ears.items()}
        return Heard(**said, over=self._over)

    async def _start(self, folder: str) -> None:
        (status, told), (result, given) = os.pipe(), os.pipe()
        numbers = map(str, (os.getpid(), told, given))
        try:
            self._process = process = subprocess.Popen(  # noqa: ASYNC220, S603 - it returns at once
                [sys.executable, "-I", "-c", CODE, *numbers, ROOT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(told, given),
                env=environment(folder),
                cwd=folder,
                start_new_session=True,
            )
        except BaseException:
            os.close(status)
            os.close(result)
            raise
        finally:
            os.close(told)
            os.close(given)
        limits = self._limits
        pipes = [os.fdopen(each, "rb", 0) for each in (status, result)]
        self._files = [*pipes, process.stdout, process.stderr, process.stdin]
        output, answer = limits.output_kb << 10, (limits.result_kb << 10) + RESULT_MORE
        for name, pipe, most in (
            ("status", pipes[0], STATUS_MOST),
            ("result", pipes[1], answer),
            ("stdout", process.stdout, output),
            ("stderr", process.stderr, output),
        ):
            await self._listen(name, pipe, most)
        loop = asyncio.get_running_loop()
        self._control, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, process.stdin)

    async def _listen(self, name: str, pipe: Any, most: int) -> None:
        self._ears[name] = Ear(most, partial(self._too_much, name))
        hear = asyncio.get_running_loop().connect_read_pipe
        transport, _ = await hear(lambda: self._ears[name], pipe)
        self._pipes.append(transport)

    def _too_much(self, name: str) -> None:
        self._over = self._over or name
        self._leave()

    def _hand_over(self, payload: bytes, folder: str, *, given: bool) -> None:
        path = [each or str(Path.cwd()) for each in sys.path]
        limits = asdict(self._limits)
        told: dict[str, Any] = {"limits": limits, "folder": folder, "path": path, "given": given}
        told["root"] = os.geteuid() == 0
        how = json.dumps(told).encode()
        if self._control is not None:
            self._control.write(struct.pack(">QQ", len(how), len(payload)) + how + payload)

    def _leave(self) -> None:
        """Stop waiting: the keeper sees its pipe close, and kills what there is."""
        if self._control is None:
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()
        elif not self._control.is_closing():
            self._control.abort()

    async def _end(self, folder: str) -> None:
        if self._process is not None:
            self._leave()
            await self._ended(self._process)
        for each in self._pipes:
            each.close()
        await asyncio.sleep(0)  # which closes their files
        for each in self._files:  # those of a start that was broken off, too
            with suppress(OSError):
                each.close()
        await called(swept, folder, inline=False)

    async def _ended(self, process: subprocess.Popen[bytes]) -> None:
        await self._closed("status")
        for _ in range(round(LAST_S / 0.002)):
            if process.poll() is not None:
                break
            await asyncio.sleep(0.002)
        else:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for name in ("result", "stdout", "stderr"):
            await self._closed(name)

    async def _closed(self, name: str) -> None:
        with suppress(TimeoutError, KeyError):
            async with asyncio.timeout(LAST_S):
                await self._ears[name].closed.wait()


def give(folder: str) -> bool:
    """Let the one who works there have the folder; root may be so in name only."""
    if os.geteuid() == 0:
        try:
            os.chown(folder, NOBODY, NOBODY)
        except OSError:
            return False
    return True


def environment(folder: str) -> dict[str, str]:
    """Give what a cell is told of the world: no keys, and a home that is its own."""
    kept = {name: value for name in KEPT if (value := os.environ.get(name)) is not None}
    return {**kept, "HOME": folder, "TMPDIR": folder}


def swept(folder: str) -> None:
    """Take a folder away, though it be as deep as there is room for, or closed to its owner.

    What lies deeper is moved up, level by level: a way down would be too long for the system, and
    for Python. No link is followed.
    """
    mark, until = secrets.token_hex(8), time.monotonic() + SWEEP_S
    fresh = (f"{mark}-{number}" for number in count())
    before: list[str] = []
    with suppress(OSError):
        top = opened(folder)
        try:
            while (names := os.listdir(top)) != before and time.monotonic() < until:  # noqa: PTH208
                before = names
                for name in names:
                    with suppress(OSError):
                        removed(name, top, fresh)
        finally:
            os.close(top)
        Path(folder).rmdir()


def removed(name: str, top: int, fresh: Iterator[str]) -> None:
    """Remove something in the folder ``top``; folders in it are moved there, by fresh names."""
    with suppress(OSError):
        os.unlink(name, dir_fd=top)
        return
    inside = opened(name, top)
    try:
        for each in os.listdir(inside):  # noqa: PTH208 - of a number
            try:
                os.unlink(each, dir_fd=inside)
            except OSError:
                os.close(opened(each, inside))
                os.rename(each, next(fresh), src_dir_fd=inside, dst_dir_fd=top)
    finally:
        os.close(inside)
    os.rmdir(name, dir_fd=top)


def opened(name: str, at: int | None = None) -> int:
    """Open a folder, and let its owner do in it what he wants."""
    how = os.O_DIRECTORY | os.O_NOFOLLOW
    try:
        there = os.open(name, os.O_RDONLY | how, dir_fd=at)
    except PermissionError:
        if not hasattr(os, "O_PATH"):
            os.chmod(name, stat.S_IRWXU, dir_fd=at, follow_symlinks=False)
            return os.open(name, os.O_RDONLY | how, dir_fd=at)
        closed = os.open(name, os.O_PATH | how, dir_fd=at)  # what has this number is no link
        try:
            Path(f"/proc/self/fd/{closed}").chmod(stat.S_IRWXU)
            return os.open(f"/proc/self/fd/{closed}", os.O_RDONLY | os.O_DIRECTORY)
        finally:
            os.close(closed)
    with suppress(OSError):
        os.fchmod(there, stat.S_IRWXU)
    return there
