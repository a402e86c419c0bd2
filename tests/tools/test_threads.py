"""Deadlines, threads, and the calls that nobody waits for any more."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from agentlab.core.errors import ToolTimeout
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.spec import ToolSpec, tool
from tests.doubles import until


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Something to block on, opened at the end whatever happens."""
    event = threading.Event()
    yield event
    event.set()


def test_threads() -> None:
    """Plain handlers leave the loop's thread, inline and async ones do not."""
    here = threading.get_ident()

    async def later(_: Any) -> int:
        return threading.get_ident()

    tools = ToolRegistry(
        [
            ToolSpec("away", "", lambda _: threading.get_ident()),
            ToolSpec("inline", "", lambda _: threading.get_ident(), inline=True),
            ToolSpec("later", "", later),
        ]
    )

    async def main() -> list[Any]:
        return [await tools.call(name, {}) for name in ("away", "inline", "later")]

    away, inline, later_ = asyncio.run(main())
    assert away != here
    assert inline == later_ == here
    assert [spec.in_place for spec in tools.specs()] == [False, True, True]


def test_a_slow_thread_is_given_up(gate: threading.Event) -> None:
    """In real time; it is an orphan until it ends, and its late result is nobody's."""
    spec = ToolSpec("slow", "", lambda _: gate.wait(10), timeout_s=0.02)
    tools = ToolRegistry([spec])
    began = time.monotonic()
    seen = tools.observe_sync("slow", {})

    assert (seen.error, seen.error_kind) == ("tool call timed out", "transient")
    assert time.monotonic() - began < 5
    assert tools.orphaned_calls == 1
    gate.set()
    until(lambda: tools.orphaned_calls == 0)
    assert tools.observe_sync("slow", {}).data is True
    (row,) = tools.stats()
    assert (row.calls, row.errors) == (2, 1)


def test_a_slow_coroutine_is_cancelled() -> None:
    """It is no orphan, for it has ended."""
    ended: list[str] = []

    @tool(timeout_s=0.02)
    async def slow() -> None:
        """Sleep."""
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("cancelled")

    tools = ToolRegistry([slow])
    with pytest.raises(ToolTimeout, match="tool call timed out"):
        tools.call_sync("slow", {})
    assert ended == ["cancelled"]
    assert tools.orphaned_calls == 0


@pytest.mark.parametrize("how", ["result", "error"])
def test_too_late_is_too_late(how: str) -> None:
    """A coroutine that catches its cancellation has timed out all the same."""

    @tool(timeout_s=0.02)
    async def stubborn() -> str:
        """Go on."""
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            if how == "error":
                raise ValueError from None
        return "late"

    with pytest.raises(ToolTimeout):
        stubborn.call_sync({})


def test_a_tools_own_timeout_is_an_error_of_its_own() -> None:
    """Only the deadline that was set is a time-out of the call."""

    def gave_up(_: Any) -> None:
        raise TimeoutError("server")

    seen = ToolRegistry([ToolSpec("t", "", gave_up, timeout_s=5)]).observe_sync("t", {})
    assert (seen.error, seen.error_kind) == ("TimeoutError: server", "transient")


def test_a_stop_leaves_orphans_too(gate: threading.Event) -> None:
    """Each of them counted once, and until it ends."""
    tools = ToolRegistry([ToolSpec("slow", "", lambda _: gate.wait(10))])

    async def main() -> None:
        tasks = [asyncio.create_task(tools.call("slow", {})) for _ in range(5)]
        await asyncio.sleep(0.1)
        for task in tasks[:3]:
            task.cancel()
        await asyncio.wait(tasks[:3])
        assert tools.orphaned_calls == 3
        gate.set()
        assert await asyncio.gather(*tasks[3:]) == [True, True]

    asyncio.run(main())
    until(lambda: tools.orphaned_calls == 0)
    (row,) = tools.stats()
    assert (row.calls, row.errors) == (5, 0)


def test_many_calls_at_once() -> None:
    """Four loops and a hundred calls each: every answer is right, and every call is counted."""

    @tool
    def square(n: int) -> int:
        """Square."""
        time.sleep(0.001)
        return n * n

    tools = ToolRegistry([square])

    async def calls() -> list[Any]:
        return await asyncio.gather(*(tools.call("square", {"n": n}) for n in range(100)))

    results: list[list[Any]] = []
    threads = [
        threading.Thread(target=lambda: results.append(asyncio.run(calls()))) for _ in "abcd"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[n * n for n in range(100)]] * 4
    assert (tools.stats()[0].calls, tools.orphaned_calls) == (400, 0)


def test_registering_while_others_call() -> None:
    """Looking up, listing and suggesting go on while tools come and go."""
    tools = ToolRegistry([ToolSpec("there", "", lambda _: 1, inline=True)])
    done = threading.Event()

    def churn() -> None:
        for n in range(2000):
            tools.register(ToolSpec(f"t{n}", "", print))
            if n % 2:
                tools.unregister(f"t{n - 1}")
        done.set()

    async def calls() -> None:
        while not done.is_set():
            assert await tools.call("there", {}) == 1
            assert "not found" in str((await tools.observe("t", {})).error)
            tools.stats()

    thread, patience = threading.Thread(target=churn), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        thread.start()
        asyncio.run(calls())
        thread.join()
    finally:
        sys.setswitchinterval(patience)
    assert tools.tool_count() == 1001


def test_context_goes_along() -> None:
    """A handler in a thread sees the caller's context variables."""
    who = contextvars.ContextVar("who", default="nobody")
    spec = ToolSpec("who", "", lambda _: who.get())

    async def main() -> Any:
        who.set("me")
        return await spec.call({})

    assert asyncio.run(main()) == "me"


def test_handlers_may_run_loops_and_tools_of_their_own() -> None:
    """A thread without a loop is free to start one."""

    @tool
    def outer(depth: int) -> int:
        """Go down."""
        if depth:
            down: int = asyncio.run(outer.call({"depth": depth - 1}))
            floor: int = outer.call_sync({"depth": 0})
            return down + floor + 1
        return 0

    assert outer.call_sync({"depth": 3}) == 3


def test_a_tool_that_hangs_keeps_no_process_alive() -> None:
    """A script ends though one of its tools never will."""
    code = """
import asyncio, threading
from agentlab.tools.spec import ToolSpec
spec = ToolSpec("hang", "", lambda _: threading.Event().wait(), timeout_s=0.05)
try:
    asyncio.run(spec.call({}))
except Exception as error:
    print(error)
"""
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert (done.stdout, done.stderr) == ("tool call timed out\n", "")
