"""Handlers that fork, hoard, loop, shout and leave: each is stopped, named, and gone at the end.

What a system cannot hold is skipped, with what it said. The worlds are this system as it is, and
as it would be without namespaces, and without Landlock.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import agentlab as al
from agentlab.core.errors import InvalidValue, NotConfigured, ToolArgumentError, ToolTimeout
from agentlab.core.sync import run_sync
from agentlab.tools import fences, visit
from agentlab.tools.isolated import FenceReport, Isolated, IsolationError, Limits
from agentlab.tools.isolation import Isolation, answer_of, read, reported
from agentlab.tools.limits import FENCES, REMEDIES
from agentlab.tools.visit import Heard
from tests.doubles import until
from tests.tools import cellwork

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")

REFUSED = "dict.fromkeys(('user', 'pid', 'ipc', 'mount', 'net'), 'refused here')"
PATCHES = {
    "as it is": "",
    "no namespaces": f"fences.apart = lambda **_: (False, {REFUSED})",
    "no Landlock": "fences.CREATE = 4095",
}
QUICK = Limits(cpu_s=20, wall_s=60)


@pytest.fixture(params=PATCHES if "AGENTLAB_FAULTS" in os.environ else ["as it is"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give a system that allows more, or less: all three where faults are looked for."""
    return made(request.param, monkeypatch)


@pytest.fixture(params=PATCHES)
def each_world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give all three, for what is kept in another way in each."""
    return made(request.param, monkeypatch)


def made(name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make the world of a name."""
    patch = f"from agentlab.tools import fences\n{PATCHES[name]}\nmain(parent"
    monkeypatch.setattr(visit, "CODE", visit.CODE.replace("main(parent", patch))
    return name


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """After each test no process of a cell lives, and no folder of one is there."""
    folder = tmp_path / "cells"
    folder.mkdir()
    folder.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    until(lambda: not alive(folder))
    assert list(folder.iterdir()) == []


def alive(folder: Path) -> list[int]:
    """Find the processes whose home is below ``folder``, in every namespace."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            zombie = (each / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
            if not zombie and f"HOME={folder}".encode() in (each / "environ").read_bytes():
                found.append(int(each.name))
    return found


def tool(fn: Callable[..., Any], limits: Limits = QUICK, **how: Any) -> al.ToolSpec:
    """Isolate a function, or one that takes any JSON."""
    takes_any = fn.__code__.co_varnames[:1] in (("_",), ("args",))
    if takes_any:
        return al.ToolSpec(fn.__name__, "", fn, isolated=limits, **how)
    return al.tool(isolated=limits, **how)(fn)


def stopped(fn: Callable[..., Any], args: Any, limits: Limits = QUICK) -> FenceReport:
    """Call what will not end well, and give the report of the error."""
    spec = tool(fn, limits)
    with pytest.raises(IsolationError) as caught:
        spec.call_sync(args)
    assert spec.last_report is caught.value.report
    assert (REMEDIES.get(caught.value.report.stopped) or "") in str(caught.value)
    return caught.value.report


def holds(fence: str) -> None:
    """Skip where the system does not hold a fence, and say why."""
    spec = tool(cellwork.double)
    spec.call_sync({"n": 1})
    assert spec.last_report is not None
    (how,) = (each for each in spec.last_report.fences if each.name == fence)
    if not how.held:
        pytest.skip(f"the fence {fence!r} is not held here: {how.how}")


def test_a_call(each_world: str) -> None:
    """The result comes back, what was printed is in the report, and so is each fence."""
    spec = tool(cellwork.double)
    assert spec.call_sync({"n": 21}) == 42
    assert spec.call_sync({"n": 1, "times": 3}) == 6

    report = spec.last_report
    assert report is not None
    assert (report.stopped, report.exit_code, report.signal) == ("", 0, None)
    assert (report.stdout, report.stderr) == ("doubling 1\n", "quietly\n")
    assert sorted(each.name for each in report.fences) == sorted(FENCES)
    assert 0 < report.cpu_ms < report.wall_ms + 100 < 10_000
    assert report.held("memory")
    assert report.held("network") is (each_world != "no namespaces" and report.held("process tree"))
    assert report.held("other processes") <= (each_world != "no namespaces")
    if each_world == "no Landlock":
        assert not report.held("files")


def test_what_it_is_given_is_checked_before() -> None:
    """As of any tool, and no process is started for it."""
    spec = tool(cellwork.double)
    with pytest.raises(ToolArgumentError):
        spec.call_sync({"n": "many"})
    assert spec.last_report is None


def test_async_handlers_and_closures() -> None:
    """Run there too; a closure takes its values along, and changes only its copy of them."""
    seen: list[int] = []

    @al.tool(isolated=True)
    def note(n: int) -> int:
        """Note a number."""
        seen.append(n)
        return len(seen)

    assert [note.call_sync({"n": 1}) for _ in range(2)] == [1, 1]
    assert seen == []
    assert tool(cellwork.double_later).call_sync({"n": 4}) == 8
    assert note(n=5) == 1, "called as a function, it is one"


def test_isolated_wraps_any_tool() -> None:
    """A spec, a function, a text tool; with or without limits."""
    wrapped = Isolated(cellwork.double, Limits(memory_mb=256))
    assert wrapped.call_sync({"n": 2}) == 4
    assert wrapped.last_report is not None
    assert wrapped.spec.isolation is not None
    assert wrapped.spec.isolation.limits.memory_mb == 256
    assert (wrapped.name, wrapped.description) == ("double", "Do what is asked.")
    registry = al.ToolRegistry([wrapped])
    assert registry.call_sync("double", {"n": 3}) == 6
    assert repr(wrapped) == f"<Isolated double({wrapped.spec.arguments()})>"
    text = al.NamedToolRegistry([Isolated(al.EchoTool())])
    assert text.call_sync("echo", "hello") == "hello"


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("none", None),
        ("tuple", [1, [2]]),
        ("keys", {"1": "one"}),
        ("surrogate", "\N{REPLACEMENT CHARACTER}"),
        ("no", {"ok": False, "why": "I will not"}),
    ],
)
def test_results(given: str, wanted: Any) -> None:
    """Are plain JSON, as those of any tool."""
    assert tool(cellwork.give).call_sync(given) == wanted


def test_results_that_are_no_json(caplog: pytest.LogCaptureFixture) -> None:
    """Become their text, with a warning, or an error, as in the kernel."""
    spec, bare = tool(cellwork.give), al.ToolSpec("give", "", cellwork.give)
    with caplog.at_level(logging.WARNING, "agentlab.tools"):
        for odd in ("set", "object", "bytes"):
            assert spec.call_sync(odd) == bare.call_sync(odd)
    assert [r.getMessage() for r in caplog.records[0::2]] == [
        r.getMessage() for r in caplog.records[1::2]
    ]
    for fn, args in ((cellwork.give, "nan"), (cellwork.deep, {"levels": 150})):
        bare = al.ToolSpec("give", "", fn) if args == "nan" else al.tool(fn)
        assert error_of(tool(fn), args) == error_of(bare, args)


def error_of(spec: al.ToolSpec, args: Any) -> str:
    """Give what a call says that fails."""
    with pytest.raises(al.AgentLabError) as caught:
        spec.call_sync(args)
    return str(caught.value)


def test_a_result_that_is_too_long() -> None:
    """Is not taken, and the limit is named."""
    report = stopped(cellwork.give, "long", Limits(result_kb=100))
    assert report.stopped == "result"
    assert "102400" in report.why


@pytest.mark.parametrize(
    ("how", "said", "kind"),
    [
        ("value", "ValueError: boom", "permanent"),
        ("connection", "ConnectionError: boom", "transient"),
        ("key", "KeyError: 'boom'", "permanent"),
    ],
)
def test_it_raises(how: str, said: str, kind: str) -> None:
    """The model hears what it would hear of a handler here; the trace is in the report."""
    registry = al.ToolRegistry([tool(cellwork.fail)])
    seen = registry.observe_sync("fail", {"how": how})
    assert (seen.error, seen.error_kind) == (said, kind)
    spec = registry.get("fail")
    assert spec is not None
    assert spec.last_report is not None
    assert spec.last_report.stopped == ""
    assert "in fail" in spec.last_report.traceback


def test_it_leaves(world: str) -> None:
    """Politely, by ``sys.exit``, it is an error; by ``os._exit``, the report has the code."""
    with pytest.raises(IsolationError, match=r"^SystemExit: 3$"):
        tool(cellwork.leave_politely).call_sync({"code": 3})
    report = stopped(cellwork.leave, {"code": 7})
    assert (report.stopped, report.exit_code) == ("exit code", 7)
    assert world in PATCHES


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_it_is_killed(world: str, number: signal.Signals) -> None:
    """The signal is named."""
    report = stopped(cellwork.killed, {"number": int(number)})
    assert (report.stopped, report.signal) == ("signal", number)
    assert number.name in report.why
    assert world in PATCHES


@pytest.mark.parametrize("fn", [cellwork.allocate, cellwork.hoard])
def test_memory(fn: Callable[..., Any]) -> None:
    """Four gigabytes at once, or a little at a time: that was the memory."""
    began = memory()
    args = {"gigabytes": 4} if fn is cellwork.allocate else None
    report = stopped(fn, args, Limits(memory_mb=300, wall_s=60))
    assert report.stopped == "memory"
    assert report.peak_mb < 400
    assert memory() - began < 100


def memory() -> float:
    """Give the megabytes that this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


def test_it_computes_for_ever(world: str) -> None:
    """Its seconds of a processor are over, though it heeds no signal."""
    report = stopped(cellwork.spin, None, Limits(cpu_s=1, wall_s=60))
    assert report.stopped == "cpu"
    assert 900 < report.cpu_ms < 3500
    assert world in PATCHES


def test_it_waits_for_ever(world: str) -> None:
    """Its seconds are over, though it heeds no exception; that may pass."""
    began = time.monotonic()
    with pytest.raises(IsolationError) as caught:
        tool(cellwork.sleep, Limits(wall_s=0.5)).call_sync(None)
    assert (caught.value.report.stopped, caught.value.kind) == ("time", "transient")
    assert "Limits(wall_s=...)" in str(caught.value)
    assert time.monotonic() - began < 30
    assert world in PATCHES


def test_a_fork_bomb() -> None:
    """It can fork no more after some, and all of it is gone at once."""
    holds("processes")
    report = stopped(cellwork.bomb, None, Limits(processes=12, wall_s=30))
    assert report.stopped == "processes"
    assert 0 < report.left <= 16


def test_threads() -> None:
    """Count as processes."""
    holds("processes")
    assert stopped(cellwork.threads, None, Limits(processes=8)).stopped == "processes"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux finds them")
def test_what_it_leaves_behind(each_world: str) -> None:
    """Is killed, though it gave up its parent, its session and its pipes."""
    spec = tool(cellwork.daemon)
    assert spec.call_sync(None) == "left"
    assert spec.last_report is not None
    assert spec.last_report.left >= 1
    assert each_world in PATCHES


def test_it_shouts(world: str) -> None:
    """Of a gigabyte of output a megabyte is kept, and that is its end."""
    report = stopped(cellwork.shout, None, Limits(output_kb=1024, wall_s=60))
    assert report.stopped == "output"
    assert len(report.stdout) == 1 << 20
    assert world in PATCHES


def test_files(tmp_path: Path) -> None:
    """It writes in its own folder, which goes with it, and nowhere else."""
    assert tool(cellwork.write).call_sync({"path": "inside"}) == "written"
    folder, user, home = tool(cellwork.where).call_sync(None)
    assert (folder, Path(folder).exists()) == (home, False)
    assert user != 0 or os.geteuid() == 0
    holds("files")
    outside = tmp_path / "outside"
    outside.write_text("mine")
    outside.chmod(0o666)
    tmp_path.chmod(0o777)
    for path in (outside, tmp_path / "new"):
        report = stopped(cellwork.write, {"path": str(path)})
        assert report.stopped == "files"
        assert str(path) in report.why
    assert outside.read_text() == "mine"
    assert not (tmp_path / "new").exists()
    shell = tool(cellwork.shell)
    assert shell.call_sync({"command": f"echo x > {outside} || echo no; echo y > f; cat f"}) == (
        "no\ny\n"
    )
    assert outside.read_text() == "mine"


def test_large_files_and_many(world: str) -> None:
    """Each has its limit."""
    assert stopped(cellwork.fill, {"megabytes": 9}, Limits(file_mb=4)).stopped == "file size"
    assert stopped(cellwork.hold_open, None, Limits(open_files=20)).stopped == "open files"
    assert world in PATCHES


def test_a_folder_that_is_hard_to_take_away(tmp_path: Path) -> None:
    """Is taken away, whoever owns it: no path reaches its bottom, and its owner shut a part."""
    cells = tmp_path / "cells"
    assert tool(cellwork.dig).call_sync({"levels": 1100}) == "dug"
    until(lambda: not list(cells.iterdir()))

    mine = cells / "mine"
    mine.mkdir()
    for each in (cells, mine):
        each.chmod(0o777)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there are threads does not matter to this fork
        child = os.fork()
    if not child:
        with suppress(BaseException):
            os.chdir(mine)
            if not os.geteuid():  # to whom nothing is closed
                os.chown(mine, 65534, 65534)
                os.setuid(65534)
            above = os.open("..", os.O_RDONLY)
            cellwork.dig(10)
            os.fchdir(above)
            Path("mine").chmod(0)
            visit.swept("mine")
        os._exit(0)
    os.waitpid(child, 0)
    assert not mine.exists()


def test_the_network() -> None:
    """Is not there, unless it is asked for."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = {"port": server.getsockname()[1]}
        there = tool(cellwork.connect, Limits(network=True))
        assert there.call_sync(port) == "connected"
        assert there.last_report is not None
        assert not there.last_report.held("network")
        holds("network")
        with pytest.raises(IsolationError) as caught:
            tool(cellwork.connect).call_sync(port)
        assert "refused" in str(caught.value).lower() or caught.value.report.stopped == "network"


def test_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """It sees none of the environment here, nor that of another process."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "canary-8f3a")
    seen = tool(cellwork.environment).call_sync(None)
    assert "canary-8f3a" not in str(seen)
    assert set(seen) <= {*visit.KEPT, "HOME", "TMPDIR", "PWD", "SHLVL", "LC_CTYPE"}
    holds("other processes")
    child = [sys.executable, "-c", "input()"]
    with subprocess.Popen(child, stdin=subprocess.PIPE) as other:  # noqa: S603
        environ = Path(f"/proc/{other.pid}/environ")
        until(lambda: b"canary-8f3a" in environ.read_bytes())
        read = tool(cellwork.environments).call_sync({"pid": other.pid})
        other.communicate(b"\n")
    assert "canary-8f3a" not in str(read)


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc to look at")
def test_keys_that_can_be_read_all_the_same() -> None:
    """Where the kernel is another process of the same user, that fence is not said to hold."""
    with subprocess.Popen(["sleep", "60"]) as other:  # noqa: S607
        assert fences.reached(other.pid)
        near = fences.within_reach(other.pid, apart=False, hidden=False)
        other.kill()
    far = fences.within_reach(other.pid, apart=True, hidden=True)
    assert not fences.reached(other.pid)
    assert [(each.name, each.held) for each in near] == [
        ("environment", False),
        ("other processes", False),
    ]
    assert [each.held for each in far] == [True, True]


def test_rubbish_on_every_pipe(world: str) -> None:
    """Whatever it writes where, the caller hears an error or a value, and goes on."""
    spec = tool(cellwork.chatter)
    with suppress(IsolationError):
        spec.call_sync(None)
    assert spec.last_report is not None
    assert tool(cellwork.double).call_sync({"n": 1}) == 2
    assert world in PATCHES


@pytest.mark.parametrize(
    "line",
    [
        b"", b"{", b"[]\n", b"3\n", b"{}\n", b'{"error": 3}\n', b"\xff\n", b"[" * 100_000 + b"\n",
        b'{"value": 1, "error": "no"}\n', b'{"value": 1, "odd": 5}\n', b'{"error": ""}\n',
        b'{"error": "no", "fence": "moat"}\n', b'{"error": "no", "kind": ["blocked"]}\n',
        b'{"value": 1, "traceback": {}}\n', b'{"error": "' + b"x" * 5000 + b'"}\n',
        b'{"value": ' + b"9" * 5000 + b"}\n",
    ],
)  # fmt: skip
def test_answers_that_are_none(line: bytes) -> None:
    """Are read as none."""
    assert answer_of(line) is None
    assert read(b"[]\n" + line)[0] is None


def test_a_forged_answer() -> None:
    """Is what a handler may say anyway; one that is none is no error but its end."""
    forge = tool(cellwork.forge)
    assert forge.call_sync({"line": '{"value": 1, "fence": "files"}'}) == 1
    report = stopped(cellwork.forge, {"line": '{"value": 1, "fence": "moat"}'})
    assert (report.stopped, report.exit_code) == ("exit code", 0)


@pytest.mark.parametrize("status", [b"", b"{", b"[]", b'{"why": 1}', b'{"why": "", "left": "x"}'])
def test_a_keeper_that_said_nothing(status: bytes) -> None:
    """Was killed, or was too late; the report tells which."""
    for over, told in (("", "signal"), ("time", "time"), ("stdout", "output")):
        report = reported(Heard(status, b"", b"", b"", over), None, (), QUICK)
        assert (report.stopped, report.exit_code, report.left) == (told, None, 0)


def test_it_attacks() -> None:
    """In a namespace of its own neither its keeper nor the kernel is within its reach."""
    holds("process tree")
    holds("other processes")
    with subprocess.Popen(["sleep", "60"]) as other:  # noqa: S607
        assert tool(cellwork.attack).call_sync({"pid": other.pid}) == "done"
        assert other.poll() is None
        other.kill()


def test_stop(world: str, tmp_path: Path) -> None:
    """A run that is stopped takes its cell along, within moments."""
    spec = tool(cellwork.sleep)
    lab = al.AgentRuntime(al.ScriptedModel("Thought: t\nAction: sleep {}"), tools=[spec])
    handle = lab.start("Go", background=True)
    until(lambda: len(alive(tmp_path / "cells")) >= 2)
    began = time.monotonic()
    handle.stop()
    session = handle.result(30)
    assert session.stop_reason == "stopped"
    until(lambda: not alive(tmp_path / "cells"))
    assert time.monotonic() - began < 30
    assert spec.last_report is not None
    assert spec.last_report.stopped == "stop"
    assert world in PATCHES


def test_cancelled_anywhere() -> None:
    """However early or late a call is given up, nothing of it is left: process, file or folder."""
    spec = tool(cellwork.double)

    async def broken_off(turns: int) -> None:
        call = asyncio.create_task(spec.call({"n": 1}))
        for _ in range(turns):
            await asyncio.sleep(0)
        await asyncio.sleep(turns / 1000 if turns > 12 else 0)
        call.cancel()
        with suppress(asyncio.CancelledError):
            await call

    asyncio.run(broken_off(0))
    files = open_files()
    for turns in [*range(13), 20, 40, 80]:
        asyncio.run(broken_off(turns))
        assert open_files() <= files


def test_its_own_time_out() -> None:
    """The tool's seconds are heeded as well."""
    with pytest.raises(ToolTimeout):
        tool(cellwork.sleep, timeout_s=0.3).call_sync(None)


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc to look at")
def test_the_kernel_is_killed(each_world: str, tmp_path: Path) -> None:
    """Whoever called dies without a word, and nothing of the cell outlives that."""
    code = f"""
import tempfile
tempfile.tempdir = {str(tmp_path / "cells")!r}
import agentlab as al
from agentlab.tools import visit
from agentlab.tools.isolated import Limits
from tests.tools import cellwork
visit.CODE = {visit.CODE!r}
al.ToolSpec("daemon", "", cellwork.{"daemon" if each_world == "no Landlock" else "sleep"},
            isolated=Limits()).call_sync(None)
"""
    path = os.pathsep.join(each or str(Path.cwd()) for each in sys.path)
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}
    ) as kernel:
        until(lambda: len(alive(tmp_path / "cells")) >= 2 or kernel.poll() is not None)
        kernel.kill()
    until(lambda: not alive(tmp_path / "cells"))
    for each in (tmp_path / "cells").iterdir():
        each.rmdir()  # nobody was left to take it away


def test_nothing_grows_here() -> None:
    """After many calls, also side by side, there are as many files and threads as before."""
    spec = tool(cellwork.double)

    async def many() -> list[int]:
        return list(await asyncio.gather(*(spec.call({"n": n}) for n in range(6))))

    assert run_sync(many) == [0, 2, 4, 6, 8, 10]
    files, threads = open_files(), threading.active_count()
    for _ in range(2):
        run_sync(many)
    assert open_files() <= files
    assert threading.active_count() <= threads + 6  # which take the folders away


def open_files() -> int:
    """Count the files that are open here."""
    return sum(1 for _ in Path("/dev/fd").iterdir())


def test_what_cannot_leave() -> None:
    """Is said, with what to do about it; no process was started."""
    lock = threading.Lock()

    @al.tool(isolated=True)
    def locked() -> bool:
        """Hold a lock."""
        return lock.locked()

    with pytest.raises(InvalidValue, match=r"tool 'locked' cannot be isolated: .*open what it"):
        locked.call_sync({})


def test_what_is_required() -> None:
    """Where a fence that is required does not hold, the handler is not called."""
    report = stopped(cellwork.double, {"n": 1}, Limits(network=True, require=("memory", "network")))
    assert report.stopped == "require"
    assert "network (open, as was asked for)" in report.why
    assert report.stdout == ""


def test_limits() -> None:
    """What can never be right is refused."""
    odd: list[dict[str, Any]] = [
        {"memory_mb": 0},
        {"cpu_s": 0},
        {"wall_s": float("inf")},
        {"processes": 1.5},
        {"require": ("walls",)},
        {"wall_s": 1e9},
    ]
    for each in odd:
        with pytest.raises(InvalidValue):
            Limits(**each)
    assert Limits(cpu_s=1.2).cpu_s == 2  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="isolated must be"):
        al.ToolSpec("t", "", str, isolated="yes")  # type: ignore[arg-type]


def test_without_cloudpickle(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says which extra brings it."""
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(NotConfigured, match=r"agentlab-notebook\[isolated\]") as caught:
        Isolation(Limits())
    assert isinstance(caught.value.__cause__, ImportError)
