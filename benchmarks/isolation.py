"""What holding tools back costs: a check of the sandbox, and a call in a process of its own.

Checks are CPU microseconds, the median of several rounds; calls are real milliseconds from the
call to the result, one after the other, and the bare call beside it.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from agentlab.core.errors import SandboxDenied
from agentlab.tools.isolated import Limits
from agentlab.tools.sandbox import Sandbox, SandboxConfig, ToolManifest
from agentlab.tools.spec import ToolSpec

ROUNDS, COUNT, CALLS = 9, 20_000, 60
NEEDS = ("file_read",)


def box(*, granted: bool, full: bool) -> Sandbox:
    """Make a sandbox with ten tools; one whose log is full has to forget at each check."""
    sandbox = Sandbox(SandboxConfig(1000 if full else 10 * COUNT * ROUNDS))
    for i in range(10):
        sandbox.register_tool(ToolManifest(f"tool_{i}", NEEDS))
    if granted:
        sandbox.grant("file_read")
    for _ in range(1000):
        ask(sandbox)
    return sandbox


def ask(sandbox: Sandbox) -> bool:
    """Ask by a manifest."""
    try:
        sandbox.check("tool_5")
    except SandboxDenied:
        return False
    return True


def declared(sandbox: Sandbox) -> bool:
    """Ask by what a tool declares, as a run does."""
    try:
        sandbox.enter("other", NEEDS)
    except SandboxDenied:
        return False
    return True


def cpu(fn: Callable[[Sandbox], bool], sandbox: Sandbox, *, wanted: bool) -> float:
    """Give the CPU microseconds of one of many."""
    took = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(COUNT):
            said = fn(sandbox)
        took.append((time.process_time() - began) * 1e6 / COUNT)
        assert said is wanted
    return statistics.median(took)


def double(args: dict[str, int]) -> int:
    """Do next to nothing."""
    return args["n"] * 2


def large(args: dict[str, int]) -> str:
    """Answer at length."""
    return "x" * args["n"]


async def timed(tool: ToolSpec, n: int, calls: int) -> list[float]:
    """Give the milliseconds of each of several calls."""
    took = []
    for _ in range(calls):
        began = time.perf_counter()
        await tool.call({"n": n})
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)


def floor() -> float:
    """Give the milliseconds of a fresh interpreter that reads cloudpickle and ends."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-I", "-c", "import cloudpickle"], check=True)
    return (time.perf_counter() - began) * 1000


async def in_turn(tool: ToolSpec) -> tuple[list[float], list[float]]:
    """Give the milliseconds of calls, and of the floor beside each."""
    pairs = [((await timed(tool, 1, 1))[0], floor()) for _ in range(CALLS)]
    calls, floors = zip(*pairs, strict=True)
    return sorted(calls), sorted(floors)


async def together(tool: ToolSpec, at_once: int) -> float:
    """Give the calls a second of several at once."""
    began = time.perf_counter()
    for _ in range(CALLS // at_once):
        await asyncio.gather(*(tool.call({"n": 1}) for _ in range(at_once)))
    return CALLS // at_once * at_once / (time.perf_counter() - began)


def show(name: str, took: list[float]) -> None:
    """Print the middle and the slow end."""
    p95 = took[int(len(took) * 0.95)]
    print(f"{name:52}{statistics.median(took):10.2f} ms{p95:10.2f} ms")


if __name__ == "__main__":
    print(f"{'a check of the sandbox, CPU':52}{'allowed':>13}{'denied':>13}")
    for name, fn in (("by a manifest", ask), ("by what the tool declares", declared)):
        for full in (False, True):
            times = [
                cpu(fn, box(granted=granted, full=full), wanted=granted)
                for granted in (True, False)
            ]
            told = f"{name}, {'log full' if full else 'room in the log'}"
            print(f"{told:52}{times[0]:10.2f} µs{times[1]:10.2f} µs")
    print(f"\n{f'a call, {os.cpu_count()} cores':52}{'p50':>13}{'p95':>13}")
    isolated = ToolSpec("double", "", double, isolated=Limits())
    show("bare, in a worker thread", asyncio.run(timed(ToolSpec("double", "", double), 1, CALLS)))
    calls, floors = asyncio.run(in_turn(isolated))
    show("isolated", calls)
    show("… a fresh interpreter alone, in turn with it", floors)
    report = isolated.last_report
    assert report is not None
    away = ToolSpec("large", "", large, isolated=Limits())
    show("… with a result of 1 MB", asyncio.run(timed(away, 1 << 20, CALLS // 2)))
    print(f"{'… four at once':52}{asyncio.run(together(isolated, 4)):8.1f} a second")
    print(f"{len(report.fences)} fences, held: {sum(each.held for each in report.fences)}")
