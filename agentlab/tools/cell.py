"""The other side of an isolated call: a keeper that watches, and a worker that runs the handler.

It runs in a fresh interpreter, which :mod:`agentlab.tools.visit` starts. The keeper makes what
can be made of namespaces, forks the worker, and waits until that is over, out of time, or nobody
waits for it any more: then it kills whatever is left, and says on its own pipe how it went. The
worker lowers the fences over itself, says which hold, and only then reads what it is given.
Answers are JSON: nothing that comes out of here is unpickled.
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from agentlab.tools import fences
from agentlab.tools.fences import Held

LEFT_S = 2.0  # for processes that will not die
HEAD = struct.Struct(">QQ")
NO_MEMORY = b'{"error":"MemoryError: there is no more","fence":"memory","kind":"permanent"}\n'
ERRNOS = {
    errno.EFBIG: "file size",
    errno.EMFILE: "open files",
    errno.ENETUNREACH: "network",
    errno.EAGAIN: "processes",
}


def main(parent: int, status: int, result: int) -> None:
    """Keep one worker, from what stands on the standard input to its end."""
    signal.signal(signal.SIGTERM, lambda *_: None)
    dies = fences.die_with(parent, signal.SIGTERM)
    for each in (status, result):
        os.set_inheritable(each, False)  # noqa: FBT003
    sizes = HEAD.unpack(exactly(HEAD.size))
    how: dict[str, Any] = json.loads(exactly(sizes[0]))
    payload = exactly(sizes[1])
    own, refused = fences.apart(network=how["limits"]["network"])
    held = namespaces(refused, dies=dies, network=how["limits"]["network"])
    how |= {"kernel": parent, "apart": "pid" not in refused, "hidden": False}
    if not how["apart"]:
        with suppress(fences.Refused):
            fences.asked("prctl", fences.SUBREAPER, 1, 0, 0, 0)
        keep(how, payload, held, (status, result), own=own)
    first = os.fork()
    if not first:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with suppress(fences.Refused):  # the parent's number is of another world
            fences.asked("prctl", fences.DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        how["hidden"] = "mount" not in refused and fences.own_proc()
        keep(how, payload, held, (status, result), own=own)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # this one's death is the other's
    fences.die_with(parent)
    for each in (0, status, result):
        os.close(each)
    os.waitpid(first, 0)


def exactly(size: int) -> bytes:
    """Read so many bytes, or leave where nobody sends them any more."""
    parts = []
    while size:
        part = os.read(0, min(size, 1 << 20))
        if not part:
            os._exit(1)
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def namespaces(refused: dict[str, str], *, dies: bool, network: bool) -> list[Held]:
    """Say which fences the namespaces are."""
    tree = "pid" not in refused
    told = "a namespace of its own" if tree else f"they are looked for ({refused['pid']})"
    fences = [
        Held("process tree", tree or sys.platform == "linux", f"all killed at its end: {told}"),
        Held("kernel's end", held=True, how="ends with it" + (", by the system" if dies else "")),
    ]
    if network:
        return [*fences, Held("network", held=False, how="open, as was asked for")]
    reason = refused.get("net")
    how = f"no namespace: {reason}" if reason else "none: a namespace without a way out"
    return [*fences, Held("network", reason is None, how)]


def keep(
    how: dict[str, Any], payload: bytes, held: list[Held], pipes: tuple[int, int], *, own: bool
) -> NoReturn:
    """Fork the worker, watch it, and say how it ended."""
    status, result = pipes
    woken, waking = os.pipe()
    os.set_blocking(waking, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    began = time.monotonic()
    keeper, worker = os.getpid(), os.fork()
    if not worker:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        for each in (woken, waking, status):
            os.close(each)
        work(how, payload, held, result, keeper=keeper, own=own)
    os.close(result)
    why, code, usage = watch(worker, woken, began + how["limits"]["wall_s"])
    ended = {
        "why": why,
        "exit_code": os.WEXITSTATUS(code) if os.WIFEXITED(code) else None,
        "signal": os.WTERMSIG(code) if os.WIFSIGNALED(code) else None,
        "wall_ms": (time.monotonic() - began) * 1000,
        "cpu_ms": (usage.ru_utime + usage.ru_stime) * 1000,
        "peak_mb": usage.ru_maxrss / (1024 if sys.platform == "linux" else 1 << 20),
    }
    ended["left"] = clear(worker)
    with suppress(OSError):
        os.write(status, json.dumps(ended).encode())
    os._exit(0)


def watch(worker: int, woken: int, until: float) -> tuple[str, int, Any]:
    """Wait for the worker; kill it when its time is over, or nobody waits for it."""
    why, control, orphaned = "", [0], False
    while True:
        left = max(until - time.monotonic(), 0) if not why else None
        ready, _, _ = select.select([woken, *control], [], [], left)
        if woken in ready:
            orphaned = signal.SIGTERM in os.read(woken, 4096)
        with suppress(ChildProcessError):
            while (ended := os.wait4(-1, os.WNOHANG))[0]:
                if ended[0] == worker:
                    return why, ended[1], ended[2]
        left_alone = orphaned or 0 in ready
        if not why and (left_alone or time.monotonic() >= until):
            why, control = "left" if left_alone else "time", []
            os.kill(worker, signal.SIGKILL)


def clear(worker: int) -> int:
    """Kill what the worker left behind, and count it."""
    killed, until = 0, time.monotonic() + LEFT_S
    while time.monotonic() < until:
        with suppress(OSError):
            os.killpg(worker, signal.SIGKILL)
        for each in [-1] if os.getpid() == 1 else offspring():
            with suppress(OSError):
                os.kill(each, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                killed += 1
        except ChildProcessError:
            break
        time.sleep(0.001)
    return killed


def offspring() -> list[int]:
    """Find the children of this process: whoever lost a parent has become one."""
    found, me = [], str(os.getpid())
    for each in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError):
            if each.read_text().rpartition(")")[2].split()[1] == me:
                found.append(int(each.parent.name))
    return found


def work(  # noqa: PLR0913 - what it is given
    how: dict[str, Any], payload: bytes, held: list[Held], result: int, *, keeper: int, own: bool
) -> NoReturn:
    """Lower the fences, run the handler, and say what came of it."""
    me = os.getpid()
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.chdir(how["folder"])
    sys.path[:] = how["path"]
    sys.dont_write_bytecode = True
    user = fences.lowered(root=how["root"], own_users=own, path=how["path"], given=how["given"])
    fence = [user, *held]
    fences.die_with(keeper)  # again: who changes is no longer told
    root = how["root"] and not user.held
    fence += fences.limited(how["limits"], root=root, own_users=own)
    fence.append(fences.walled(how["folder"], network=how["limits"]["network"]))
    fence += fences.within_reach(how["kernel"], apart=how["apart"], hidden=how["hidden"])
    if not how["apart"] and fences.reached(keeper):
        told = "whoever kills its keeper gets away: it is the same user's"
        fence = [each for each in fence if each.name != "process tree"]
        fence.append(Held("process tree", held=False, how=told))
    send(result, json.dumps(fence).encode() + b"\n")
    missing = [each for each in fence if each.name in how["limits"]["require"] and not each.held]
    if missing:
        told = "; ".join(f"{each.name} ({each.how})" for each in missing)
        answer = failed(f"what is required does not hold here: {told}", "require")
    else:
        answer = answered(payload, how)
    if os.getpid() != me:
        os._exit(1)  # a fork of the handler's has come out of it: only one of them answers
    with suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    send(result, answer)
    os._exit(0)


def send(to: int, data: bytes) -> None:
    """Write all of it; whoever should hear it may have left."""
    with suppress(OSError):
        while data:
            data = data[os.write(to, data) :]


def answered(payload: bytes, how: dict[str, Any]) -> bytes:
    """Run the handler, and give its answer as a line of JSON, whatever it does."""
    try:
        import cloudpickle

        fn, args, kwargs = cloudpickle.loads(payload)
        value = fn(*args, **kwargs)
        if hasattr(value, "__await__"):
            import asyncio

            value = asyncio.run(awaited(value))
        answer = told(value)
    except MemoryError:
        return NO_MEMORY
    except BaseException as error:  # noqa: BLE001 - whatever a handler raises is its answer
        try:
            fences.spare_files()
            return raised(error, how)
        except MemoryError:
            return NO_MEMORY
    most = how["limits"]["result_kb"] << 10
    if len(answer) > most:
        return failed(f"its result is {len(answer)} bytes, of which {most} may be", "result")
    return answer


async def awaited(value: Any) -> Any:
    """Wait for what an async handler gives."""
    return await value


def told(value: Any) -> bytes:
    """Write a result down; what is no JSON becomes what it would in the kernel."""
    try:
        return json.dumps({"value": value}, allow_nan=False).encode() + b"\n"
    except (TypeError, ValueError, RecursionError):
        from agentlab.core.text import MAX_DEPTH
        from agentlab.tools.values import Reader

        reader = Reader()
        value = reader.read(value, MAX_DEPTH)
        return json.dumps({"value": value, "odd": sorted(reader.odd)}).encode() + b"\n"


def raised(error: BaseException, how: dict[str, Any]) -> bytes:
    """Write an error down, in the words it would have in the kernel."""
    import traceback

    from agentlab.core.errors import explain, kind_of

    trace = "".join(traceback.format_exception(error, limit=-8))[-4000:]
    return failed(explain(error)[:4000], fence_of(error, how["folder"]), kind_of(error), trace)


def fence_of(error: BaseException, folder: str) -> str:
    """Say which fence an error comes from, if it comes from one."""
    name = str(getattr(error, "filename", None) or "")
    if isinstance(error, PermissionError) and name:
        return "" if Path(folder) in (Path(folder) / name).resolve().parents else "files"
    if isinstance(error, PermissionError) and error.errno == errno.EACCES:
        return "network"  # Landlock's word for a connection
    if isinstance(error, OSError) and type(error).__name__ == "gaierror":
        return "network"
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return "processes"
    return ERRNOS.get(error.errno or 0, "") if isinstance(error, OSError) else ""


def failed(said: str, fence: str = "", kind: str = "permanent", trace: str = "") -> bytes:
    """Write down that it did not work."""
    told = {"error": said, "fence": fence, "kind": kind, "traceback": trace}
    return json.dumps(told).encode() + b"\n"
