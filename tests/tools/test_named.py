"""Text tools by name."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core.clock import FakeClock
from agentlab.core.errors import CircuitOpen, InvalidValue, ToolArgumentError, ToolError
from agentlab.core.protocols import Tools
from agentlab.tools.builtin import CalculatorTool, EchoTool, TimestampTool
from agentlab.tools.named import NamedToolRegistry, ToolInfo
from agentlab.tools.spec import ToolSpec, tool


class Uppercase:
    """A tool of somebody's own."""

    name, description = "uppercase", "Say it loudly."

    async def call(self, text: str, /) -> str:
        return text.upper()


class Sleeper:
    """A tool that takes its time, on a clock or for real."""

    description = "Sleep."

    def __init__(self, name: str = "sleeper", clock: FakeClock | None = None) -> None:
        self.name, self._clock = name, clock
        self.ended = ""

    async def call(self, text: str, /) -> str:
        try:
            await (self._clock or asyncio).sleep(float(text))
        except asyncio.CancelledError:
            self.ended = "cancelled"
            raise
        return "slept"


@tool
def double(n: int) -> int:
    """Twice as much."""
    return n * 2


def test_w10_1() -> None:
    """The three built-in tools."""
    tools = NamedToolRegistry.with_builtins()

    assert tools.call_sync("echo", "hello") == "hello"
    assert tools.call_sync("calculator", "(2 + 3) * 4") == "20"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", tools.call_sync("timestamp", ""))


def test_w10_2() -> None:
    """What the calculator works out, and what it does not."""
    tools = NamedToolRegistry([CalculatorTool()])

    assert tools.call_sync("calculator", "7 / 2") == "3.5"
    assert tools.call_sync("calculator", "--5") == "5"
    for text in ("1/0", "2 +", "1.2.3"):
        with pytest.raises(ToolError.ExecutionFailed, match="tool 'calculator' execution failed: "):
            tools.call_sync("calculator", text)


def test_w10_3() -> None:
    """A tool is whatever has a name, a description and a call."""
    tools = NamedToolRegistry()
    tools.register(Uppercase())

    assert tools.call_sync("uppercase", "hello") == "HELLO"


def test_w10_4() -> None:
    """A tool that sleeps past the time-out is cancelled, and is a call and an error."""
    sleeper = Sleeper()
    tools = NamedToolRegistry([sleeper]).with_timeout(0.02)
    with pytest.raises(ToolError.Timeout, match=r"^tool call timed out$"):
        tools.call_sync("sleeper", "3600")

    (info,) = tools.list_sync()
    assert (info.call_count, info.error_count) == (1, 1)
    assert info.avg_latency_ms >= 15
    assert sleeper.ended == "cancelled"
    assert tools.orphaned_calls == 0
    assert tools.with_timeout(None).call_sync("sleeper", "0") == "slept"


@given(st.text(st.characters(exclude_categories=())))
def test_echo(text: str) -> None:
    """Whatever it is, unchanged, the empty text too."""
    assert NamedToolRegistry([EchoTool()]).call_sync("echo", text) == text


def test_timestamp() -> None:
    """UTC and whole seconds, in whatever zone the clock is, and whatever it is asked."""

    class Elsewhere(FakeClock):
        def now(self) -> datetime:
            return datetime(987, 6, 5, 4, 3, 2, 999, tzinfo=timezone(timedelta(hours=2)))

    assert TimestampTool(FakeClock()).call_sync("{'ignored'}") == "2030-01-01T00:00:00Z"
    assert TimestampTool(Elsewhere()).call_sync("") == "0987-06-05T02:03:02Z"
    assert (
        TimestampTool(FakeClock(datetime(2030, 1, 1, 5, tzinfo=UTC))).call_sync("")[11:13] == "05"
    )


def test_statistics() -> None:
    """Errors are calls too, the average is over all of them, and a tool not found is neither."""
    clock = FakeClock()
    sleeper = Sleeper(clock=clock)
    tools = NamedToolRegistry([sleeper, EchoTool()], clock=clock)
    for text in ("0.1", "0.3", "not a number"):
        if text[0] == "0":
            tools.call_sync("sleeper", text)
        else:
            with pytest.raises(ToolError.ExecutionFailed):
                tools.call_sync("sleeper", text)
    with pytest.raises(ToolError.NotFound, match=r"^tool not found: sleepr$") as caught:
        tools.call_sync("sleepr", "")
    assert caught.value.kind == "not_found"

    echo, slept = tools.list_sync()
    assert echo == ToolInfo("echo", EchoTool.description, 0, 0, 0.0)
    assert (slept.name, slept.call_count, slept.error_count) == ("sleeper", 3, 1)
    assert slept.avg_latency_ms == pytest.approx(400 / 3)
    assert ToolInfo.from_dict(slept.to_dict()) == slept
    row = tools.stats()[1]
    assert (row.name, row.arguments, row.calls, row.errors) == ("sleeper", "input: string", 3, 1)
    assert row.mean_ms == pytest.approx(400 / 3)


def test_a_stopped_call_is_no_error() -> None:
    """It is a call, and passes the cancellation on."""
    tools = NamedToolRegistry([Sleeper()])

    async def main() -> None:
        task = asyncio.create_task(tools.call("sleeper", "3600"))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(main())
    (info,) = tools.list_sync()
    assert (info.call_count, info.error_count) == (1, 0)


def test_registering() -> None:
    """The same name replaces silently and starts anew; lists are by name."""
    tools = NamedToolRegistry([Uppercase()])
    tools.call_sync("uppercase", "")
    second = Uppercase()
    tools.register(second)
    tools.register(EchoTool())

    assert [info.name for info in tools.list_sync()] == ["echo", "uppercase"]
    assert tools.list_sync()[1].call_count == 0
    assert tools.get("uppercase") is second
    assert tools.get("nothing") is None
    assert (tools.has_tool("echo"), tools.has_tool("nothing")) == (True, False)
    assert repr(tools) == "<NamedToolRegistry echo, uppercase>"
    assert repr(NamedToolRegistry()) == "<NamedToolRegistry empty>"
    assert repr(NamedToolRegistry.with_builtins()) == (
        "<NamedToolRegistry calculator, echo, timestamp>"
    )


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_timeout_is_a_time(seconds: float) -> None:
    """What can never be right is refused."""
    with pytest.raises(InvalidValue, match="seconds must be > 0"):
        NamedToolRegistry().with_timeout(seconds)


def test_a_nameless_tool() -> None:
    """It could not be called; a name with spaces can, but not by a model."""
    with pytest.raises(InvalidValue, match="a tool cannot be named ''"):
        NamedToolRegistry([Sleeper("")])
    tools = NamedToolRegistry([Sleeper("two words"), EchoTool()])
    assert tools.call_sync("two words", "0") == "slept"
    assert [spec.name for spec in tools.specs()] == ["echo"]


def test_a_blocking_tool_is_an_orphan() -> None:
    """A plain call runs in a thread; past its time it is counted until it ends."""
    gate = threading.Event()

    class Blocks:
        name, description = "blocks", "Block."

        def call(self, text: str, /) -> str:
            gate.wait(10)
            return text

    tools = NamedToolRegistry([ToolSpec("spec", "", lambda _: gate.wait(10))]).with_timeout(0.02)
    tools.register(Blocks())  # type: ignore[arg-type] # it may be plain all the same
    try:
        for name in ("blocks", "spec"):
            with pytest.raises(ToolError.Timeout):
                tools.call_sync(name, "{}")
        assert tools.orphaned_calls == 2
    finally:
        gate.set()
    for _ in range(500):
        if not tools.orphaned_calls:
            break
        time.sleep(0.01)
    assert tools.orphaned_calls == 0
    assert tools.with_timeout(5).call_sync("blocks", "x") == "x"


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (ValueError("no"), "permanent", "ValueError: no"),
        (ConnectionError("no"), "transient", "ConnectionError: no"),
        (CircuitOpen("s"), "transient", "Circuit breaker open for 's'"),
        (ToolArgumentError("no"), "permanent", "no"),
        (SystemExit(3), "permanent", None),
    ],
)
def test_every_error_is_a_tool_error(error: BaseException, kind: str, text: str | None) -> None:
    """With the kind of what went wrong, and that as its cause."""

    class Fails:
        name, description = "fails", "Fail."

        async def call(self, _: str, /) -> str:
            raise error

    tools = NamedToolRegistry([Fails()])
    with pytest.raises(ToolError) as caught:
        tools.call_sync("fails", "")
    assert caught.value.kind == kind
    assert caught.value.__cause__ is error
    if text:
        assert str(caught.value) == f"tool 'fails' execution failed: {text}"
    seen = tools.observe_sync("fails", {"input": ""})
    assert (seen.ok, seen.error_kind) == (False, kind)


def test_it_is_a_set_of_tools_for_a_run() -> None:
    """It lists its tools, and observes calls with JSON arguments, counted with the others."""
    tools: Tools = NamedToolRegistry([EchoTool(), double])
    assert isinstance(tools, NamedToolRegistry)

    assert [spec.name for spec in tools.specs()] == ["double", "echo"]
    assert tools.observe_sync("echo", {"input": "hi"}).text == '{"data":"hi","ok":true}'
    assert tools.observe_sync("double", {"n": 21}).data == 42
    assert tools.observe_sync("dubble", {}).error == "tool not found: dubble"
    assert "missing required field 'n'" in str(tools.observe_sync("double", {}).error)
    assert [info.call_count for info in tools.list_sync()] == [2, 1]
