"""Handlers that misbehave, each in its own way. They are run in cells alone."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn


def double(n: int, times: int = 1) -> int:
    """Do what is asked."""
    print("doubling", n)  # noqa: T201
    print("quietly", file=sys.stderr)  # noqa: T201
    return n * 2 * times


async def double_later(n: int) -> int:
    """Do it async."""
    await asyncio.sleep(0.01)
    return n * 2


def give(args: Any) -> Any:
    """Give something odd."""
    return {
        "set": {3, 1},
        "nan": float("nan"),
        "none": None,
        "surrogate": "\ud800",
        "object": object(),
        "keys": {1: "one"},
        "bytes": b"x",
        "tuple": (1, (2,)),
        "no": {"ok": False, "why": "I will not"},
        "long": "x" * 3_000_000 if args == "long" else "",
    }[args]


def deep(levels: int) -> Any:
    """Give lists in lists."""
    made: Any = []
    for _ in range(levels):
        made = [made]
    return made


def allocate(gigabytes: int) -> int:
    """Take memory, and touch it."""
    return len(bytearray(gigabytes << 30))


def hoard(_: Any) -> None:
    """Take memory a little at a time."""
    held: list[str] = []
    while True:
        held.append("x" * 1_000_000 + str(len(held)))


def spin(_: Any) -> NoReturn:
    """Compute for ever, and heed no signal that can be heeded."""
    with suppress(ValueError):
        signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    while True:
        pass


def sleep(_: Any) -> None:
    """Wait for ever, whatever is raised meanwhile."""
    while True:
        with suppress(BaseException):
            time.sleep(60)


def bomb(_: Any) -> NoReturn:
    """Fork for ever, each fork too."""
    while True:
        os.fork()


def threads(_: Any) -> int:
    """Start threads for ever."""
    while True:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()


def daemon(_: Any) -> str:
    """Leave something behind that has no parent, no session and no pipes of ours."""
    if not os.fork():
        os.setsid()
        if not os.fork():
            with suppress(OSError):
                ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)
            for each in range(3, 64):
                with suppress(OSError):
                    os.close(each)
            time.sleep(600)
        os._exit(0)
    time.sleep(0.1)
    return "left"


def shout(_: Any) -> None:
    """Print a gigabyte."""
    line = "x" * 1_000_000
    for _i in range(1000):
        print(line)  # noqa: T201


def write(path: str) -> str:
    """Write a file."""
    Path(path).write_text("written")
    return Path(path).read_text()


def fill(megabytes: int) -> str:
    """Write a large file where one may."""
    with Path("large").open("wb") as file:
        file.writelines(bytes(1 << 20) for _ in range(megabytes))
    return "done"


def dig(levels: int) -> str:
    """Leave a folder in a folder in a folder, and one that is closed to its owner."""
    closed = Path("closed/inner")
    closed.mkdir(parents=True)
    (closed / "file").write_text("x")
    for each in (closed, closed.parent):
        each.chmod(0)
    Path("link").symlink_to("/", target_is_directory=True)
    for _ in range(levels):
        os.mkdir("d")  # noqa: PTH102 - there are too many for a Path
        os.chdir("d")
    return "dug"


def hold_open(_: Any) -> int:
    """Open files for ever."""
    held = []
    while True:
        held.append(Path(os.devnull).open())  # noqa: SIM115


def connect(port: int) -> str:
    """Call somebody."""
    with socket.create_connection(("127.0.0.1", port), 2):
        return "connected"


def leave(code: int) -> NoReturn:
    """End the process."""
    os._exit(code)


def leave_politely(code: int) -> NoReturn:
    """End it as Python does."""
    sys.exit(code)


def killed(number: int) -> None:
    """Be killed."""
    os.kill(os.getpid(), number)
    time.sleep(60)


def fail(how: str) -> None:
    """Raise."""
    raise {"value": ValueError, "connection": ConnectionError, "key": KeyError}[how]("boom")


def environment(_: Any) -> dict[str, str]:
    """Tell the environment."""
    return dict(os.environ)


def environments(pid: int) -> list[str]:
    """Read that of everybody one can see, and of ``pid``."""
    found = []
    for each in [*Path("/proc").glob("[0-9]*"), Path("/proc", str(pid))]:
        with suppress(OSError):
            found.append((each / "environ").read_bytes().decode(errors="replace"))
    return found


def chatter(_: Any) -> str:
    """Write rubbish on every pipe there is."""
    for each in range(3, 64):
        with suppress(OSError):
            os.write(each, b'{"value": "forged"\n\xff\x00' * 3)
    return "said"


def forge(line: str) -> NoReturn:
    """Write an answer oneself, wherever one may."""
    for each in range(3, 64):
        with suppress(OSError):
            os.write(each, line.encode() + b"\n")
    os._exit(0)


def attack(pid: int) -> str:
    """Kill the one who keeps it, and the kernel."""
    for each in (os.getppid(), pid):
        with suppress(OSError):
            os.kill(each, signal.SIGKILL)
    return "done"


def shell(command: str) -> str:
    """Run a program."""
    return subprocess.run(  # noqa: S602 - in a cell
        command, shell=True, capture_output=True, text=True, check=False
    ).stdout


def where(_: Any) -> list[Any]:
    """Tell where it is, and who."""
    return [str(Path.cwd()), os.geteuid(), os.environ["HOME"]]
