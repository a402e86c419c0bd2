"""The fences round a handler: what the system allows of them. Runs in the cell, never in a kernel.

Only the standard library, for a fresh interpreter must be quick. Whatever a system does not allow
is a fence that is not held, with the reason: nothing here raises.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

NOBODY, SPARE = 65534, 16
NEW_MOUNTS, NEW_IPC, NEW_USER, NEW_PIDS, NEW_NET = (
    0x00020000,
    0x08000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
DEATH_SIGNAL, KEEP_CAPABILITIES, SUBREAPER, NO_NEW_PRIVILEGES = 1, 8, 36, 38
READ_ALL = 1 << 2  # CAP_DAC_READ_SEARCH
CAPABILITIES = 0x20080522
PRIVATE, PLAIN = 0x44000, 0xE  # MS_REC | MS_PRIVATE; no setuid, no devices, no programs
WRITES, REFER, TRUNCATE = 0x1FF2, 1 << 13, 1 << 14  # rights of Landlock
CREATE, ADD, RESTRICT = 444, 445, 446  # its system calls, the same on every architecture
SCOPES = 6  # the first of its versions that keeps signals in


class Held(NamedTuple):
    """One fence, whether it holds, and by what; or why not."""

    name: str
    held: bool
    how: str


class Refused(OSError):
    """The system does not allow it."""


def system() -> Any:
    """Give the C library."""
    return ctypes.CDLL(None, use_errno=True)


def asked(name: str, *args: Any) -> int:
    """Call a function of the C library, and raise where it says no."""
    if sys.platform != "linux":
        raise Refused(errno.ENOSYS, "only Linux has it")
    try:
        result = int(getattr(system(), name)(*args))
    except (AttributeError, OSError) as error:
        raise Refused(errno.ENOSYS, f"no {name} here") from error
    if result < 0:
        code = ctypes.get_errno()
        raise Refused(code, os.strerror(code))
    return result


def why(error: OSError) -> str:
    """Say in a few words what the system said."""
    return (error.strerror or str(error)).lower()


def die_with(parent: int, by: signal.Signals = signal.SIGKILL) -> bool:
    """Be told by a signal when the parent dies; tell whether that is so. It may be dead already."""
    try:
        asked("prctl", DEATH_SIGNAL, by, 0, 0, 0)
    except Refused:
        return False
    if os.getppid() != parent:
        os._exit(1)
    return True


def apart(*, network: bool) -> tuple[bool, dict[str, str]]:
    """Leave the namespaces of the kernel; tell if a user's own was made, and what was refused."""
    refused: dict[str, str] = {}
    try:
        own = own_users()
    except OSError as error:
        own, refused["user"] = False, why(error)
    wanted = {"pid": NEW_PIDS, "ipc": NEW_IPC, "mount": NEW_MOUNTS}
    if not network:
        wanted["net"] = NEW_NET
    for name, flag in wanted.items():
        try:
            asked("unshare", flag)
        except Refused as error:
            refused[name] = why(error)
    return own, refused


def own_users() -> bool:
    """Make a namespace of users in which this one is who it was; root keeps all names in it."""
    user, group = os.geteuid(), os.getegid()
    if user:
        asked("unshare", NEW_USER)
        map_oneself(user, group)
        return True
    (ready, go), (said, done) = os.pipe(), os.pipe()
    helper = os.fork()  # only somebody outside can write a map of more than oneself
    if not helper:
        os.close(go)
        with suppress(OSError):
            if os.read(ready, 1):
                for kind in ("uid_map", "gid_map"):
                    names = same(Path("/proc/self", kind).read_text())
                    Path("/proc", str(os.getppid()), kind).write_text(names)
                os.write(done, b"1")
        os._exit(0)
    os.close(done)
    try:
        asked("unshare", NEW_USER)
        os.write(go, b"1")
        if not os.read(said, 1):  # root in name only
            map_oneself(user, group)
    finally:
        for each in (ready, go, said):
            os.close(each)
        os.waitpid(helper, 0)
    return True


def map_oneself(user: int, group: int) -> None:
    """Be in one's own namespace who one was."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def same(names: str) -> str:
    """Write the map that keeps all names there are; a container may have few of them."""
    rows = [line.split() for line in names.splitlines()]
    return "\n".join(f"{first} {first} {length}" for first, _, length in rows)


def own_proc() -> bool:
    """Let ``/proc`` show only the processes of the cell: others have keys in their environment."""
    try:
        asked("mount", None, b"/", None, PRIVATE, None)
        asked("mount", b"proc", b"/proc", b"proc", PLAIN, None)
    except Refused:
        return False
    return True


def limited(limits: dict[str, Any], *, root: bool, own_users: bool) -> list[Held]:
    """Set what the process may use; see :class:`agentlab.tools.limits.Limits`."""
    import resource

    cpu, size, files = limits["cpu_s"], limits["memory_mb"] << 20, limits["file_mb"] << 20
    most = limits["open_files"]
    wanted = [
        ("cpu", resource.RLIMIT_CPU, (cpu, cpu + 1), f"{cpu} s, of each process"),
        ("memory", resource.RLIMIT_AS, (size, size), f"{limits['memory_mb']} MB, of each process"),
        ("file size", resource.RLIMIT_FSIZE, (files, files), f"{limits['file_mb']} MB each"),
        ("open files", resource.RLIMIT_NOFILE, (most, most + SPARE), f"{most} at once"),
        ("core dumps", resource.RLIMIT_CORE, (0, 0), "none"),
    ]  # fmt: skip
    fences = [bounded(*each) for each in wanted]
    if root:
        return [*fences, Held("processes", False, "the system counts none of root's")]  # noqa: FBT003
    most = limits["processes"] + (3 if own_users else running(os.geteuid()))
    told = f"{limits['processes']} more, threads included"
    return [*fences, bounded("processes", resource.RLIMIT_NPROC, (most, most), told)]


def spare_files() -> None:
    """Open the last few files, to tell of an error."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def bounded(name: str, which: int, most: tuple[int, int], told: str) -> Held:
    """Set one limit; where the system has a lower one, that stands."""
    import resource

    try:
        hard = resource.getrlimit(which)[1]
        if hard != resource.RLIM_INFINITY:
            most = (min(most[0], hard), min(most[1], hard))
        resource.setrlimit(which, most)
    except (OSError, ValueError) as error:
        return Held(name, False, str(error))  # noqa: FBT003
    return Held(name, True, told)  # noqa: FBT003


def running(user: int) -> int:
    """Count the threads of ``user``, for a limit on them counts those of others as well."""
    found = 0
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if each.stat().st_uid == user:
                found += sum(1 for _ in (each / "task").iterdir())
    return found


def lowered(*, root: bool, own_users: bool, path: list[str], given: bool) -> Held:
    """Stop being root, but go on reading what root may read, for code lies where it lies."""
    if not root:
        drop_capabilities(0)
        return Held("user", True, f"user {os.geteuid()}, not root")  # noqa: FBT003
    keep = READ_ALL & capabilities()
    try:
        if os.geteuid():
            raise Refused(errno.EPERM, "a namespace that gives it no name")
        if not given or (not keep and not readable(path)):
            raise Refused(errno.EACCES, f"user {NOBODY} could not use its folder, or the code")
        asked("prctl", KEEP_CAPABILITIES, 1, 0, 0, 0)
        with suppress(OSError):
            os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        drop_capabilities(keep)
    except OSError as error:
        drop_capabilities(keep)
        return Held("user", False, f"still root, by name: {why(error)}")  # noqa: FBT003
    where = ", in a namespace of its own" if own_users else ""
    return Held("user", True, f"user {NOBODY} instead of root{where}")  # noqa: FBT003


def capabilities() -> int:
    """Give those the process may have, of the first 32."""
    sets = (ctypes.c_uint32 * 6)()
    with suppress(Refused):
        asked("capget", (ctypes.c_uint32 * 2)(CAPABILITIES, 0), sets)
    return int(sets[1])


def drop_capabilities(keep: int) -> None:
    """Keep these, and no others."""
    with suppress(Refused):
        asked(
            "capset",
            (ctypes.c_uint32 * 2)(CAPABILITIES, 0),
            (ctypes.c_uint32 * 6)(keep, keep, 0, 0, 0, 0),
        )


def readable(path: list[str]) -> bool:
    """Tell whether nobody could read the code."""
    present = {each for each in path if os.path.exists(each)}  # noqa: PTH110 - by name
    os.seteuid(NOBODY)
    try:
        there = [each for each in path if each in present]
        return all(os.access(each, os.R_OK, effective_ids=True) for each in there)
    finally:
        os.seteuid(0)


def walled(folder: str, *, network: bool) -> Held:
    """Let files be changed in ``folder`` alone, by Landlock."""
    try:
        asked("prctl", NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        abi = landlock()
        rights = WRITES | (REFER if abi >= 2 else 0) | (TRUNCATE if abi >= 3 else 0)  # noqa: PLR2004
        tcp = 3 if abi >= 4 and not network else 0  # noqa: PLR2004 - as well, where it can be
        scoped = 3 if abi >= SCOPES else 0  # signals, sockets without a path
        fields = struct.pack("QQQ", rights, tcp, scoped)
        length = 24 if abi >= SCOPES else 16 if abi >= 4 else 8  # noqa: PLR2004
        rules = asked("syscall", CREATE, fields, ctypes.c_size_t(length), ctypes.c_uint32(0))
        allow(rules, folder, rights)
        allow(rules, "/dev/null", rights & (1 << 1 | TRUNCATE))
        asked("syscall", RESTRICT, ctypes.c_int(rules), ctypes.c_uint32(0))
        os.close(rules)
    except OSError as error:
        return Held("files", False, f"no Landlock: {why(error)}")  # noqa: FBT003
    if not rights & TRUNCATE:
        return Held("files", False, f"Landlock {abi} lets files be emptied")  # noqa: FBT003
    return Held("files", True, f"writes in its own folder alone, by Landlock {abi}")  # noqa: FBT003


def landlock() -> int:
    """Give the version of Landlock there is.

    Raises
    ------
    Refused
        There is none.
    """
    return asked("syscall", CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))


def within_reach(kernel: int, *, apart: bool, hidden: bool) -> list[Held]:
    """Say what may be done to others from here, and try whether the kernel's keys can be read."""
    clean = "cleaned: no variables but of paths and language"
    try:
        Path("/proc", str(kernel), "environ").open("rb").close()
    except OSError:
        fences = [Held("environment", held=True, how=clean)]
    else:
        told = "cleaned, but the kernel's can be read: it is the same user's"
        fences = [Held("environment", held=False, how=told)]
    if hidden:
        return [*fences, Held("other processes", held=True, how="not seen: a /proc of its own")]
    with suppress(Refused):
        apart = apart or landlock() >= SCOPES
    told = "but not reached" if apart else f"and those of user {os.geteuid()} can be killed"
    return [*fences, Held("other processes", held=False, how=f"seen, {told}")]


def reached(process: int) -> bool:
    """Tell whether a process could be killed."""
    with suppress(OSError):
        os.kill(process, 0)
        return True
    return False


def allow(rules: int, path: str, rights: int) -> None:
    """Add one exception."""
    where = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", rights, where)
        asked("syscall", ADD, ctypes.c_int(rules), ctypes.c_int(1), rule, ctypes.c_uint32(0))
    finally:
        os.close(where)
