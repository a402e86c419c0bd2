"""Tools that mean harm, or do it: the caller sees a value or an error, in bounded time."""

from __future__ import annotations

import asyncio
import logging
import math
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any, NoReturn

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core.clock import FakeClock
from agentlab.core.config import AgentConfig
from agentlab.core.errors import AgentLabError, InvalidValue, ToolError
from agentlab.core.protocols import Observation, Permit
from agentlab.core.run import Run
from agentlab.core.text import compact
from agentlab.core.trace import Trace
from agentlab.models.scripted import ScriptedModel
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.spec import ToolSpec
from agentlab.tools.values import MAX_VALUES, plain


def gives(value: Any, *, inline: bool = True) -> Observation:
    """Observe a tool that gives ``value``."""
    spec = ToolSpec("t", "", lambda _: value, inline=inline)
    return ToolRegistry([spec]).observe_sync("t", {})


class Mute:
    """Something that will not say what it is."""

    def __str__(self) -> str:
        raise ValueError("no text")


class MuteError(Exception):
    """An error that will not say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class Trap(Exception):
    """An error whose text would end the process."""

    def __str__(self) -> str:  # noqa: PLE0307 - it does worse
        sys.exit("trapped")


class Endless(Mapping[str, int]):
    """A mapping that never ends."""

    def __getitem__(self, key: str) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        return (str(n) for n in iter(int, 1))

    def __len__(self) -> int:
        return sys.maxsize


class Colour(Enum):
    """Not JSON."""

    Red = 1


class Level(IntEnum):
    """JSON."""

    High = 3


def nested(depth: int) -> Any:
    """Give a list in a list in a list."""
    value: Any = 0
    for _ in range(depth):
        value = [value]
    return value


def doubled(times: int) -> Any:
    """Give a little list that would be a very large one if it were written down."""
    value: Any = 0
    for _ in range(times):
        value = [value, value]
    return value


def cyclic() -> Any:
    """Give a list that holds itself."""
    value: list[Any] = []
    value.append(value)
    return value


BAD = {
    "nan": (math.nan, "nan is not a JSON number"),
    "inf": ([{"a": -math.inf}], "-inf is not a JSON number"),
    "deep": (nested(10_000), "data is nested deeper than 100"),
    "cyclic": (cyclic(), "data is nested deeper than 100"),
    "doubled": (doubled(60), "data is larger than"),
    "endless": (Endless(), "data is larger than"),
    "shared text": (["x" * 1_000_000] * 1000, "data is larger than"),
    "long number": (10**5000, "an integer of 16610 bits is too long to write"),
    "mute": (Mute(), "ValueError: no text"),
    "mute key": ({Mute(): 1}, "ValueError: no text"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("inline", [True, False])
def test_results_that_are_errors(case: str, *, inline: bool) -> None:
    """What cannot be written down is the tool's failure, and says why."""
    value, text = BAD[case]
    began = time.monotonic()
    seen = gives(value, inline=inline)

    assert not seen.ok
    assert seen.error_kind == "permanent"
    assert text in str(seen.error)
    assert time.monotonic() - began < 10


ODD = {
    "decimal": (Decimal("1.10"), "1.10"),
    "enum": (Colour.Red, "Colour.Red"),
    "bytes": (b"a", "b'a'"),
    "set": ({"b", "a", "c"}, "{'a', 'b', 'c'}"),
    "frozenset": ({"x": frozenset({2})}, {"x": "frozenset({2})"}),
    "empty set": (set(), "set()"),
    "function": (nested, "<function nested>"),
    "generator": ((n for n in range(3)), "<generator object <genexpr>>"),
    "object": ([object()], ["<object object>"]),
    "type": (int, "<class 'int'>"),
}


@pytest.mark.parametrize("case", ODD)
def test_results_that_are_no_json(case: str, caplog: pytest.LogCaptureFixture) -> None:
    """Their text is used, the same in every process, with a warning."""
    value, text = ODD[case]
    with caplog.at_level(logging.WARNING, "agentlab.tools"):
        assert gives(value).data == text

    (message,) = caplog.messages
    assert message.startswith("tool 't' gave what is not JSON (")
    assert message.endswith("): its text is used")


def test_results_that_become_plain(caplog: pytest.LogCaptureFixture) -> None:
    """Subclasses and NumPy's scalars lose their type; tuples are lists; surrogates are replaced."""
    import numpy as np

    seen = gives(
        [Level.High, (1,), {1: True}, np.int64(3), np.float32(0.5), np.bool_(1), "\ud800é"]
    )

    assert seen.data == [3, [1], {"1": True}, 3, 0.5, True, "\ufffdé"]
    assert [type(each) for each in seen.data[3:6]] == [int, float, bool]
    assert msgspec.json.decode(seen.text)["data"] == seen.data
    assert gives("\ud800").data == "\ufffd"
    assert caplog.messages == []
    assert not gives(np.float64("nan")).ok


def test_large_is_fine() -> None:
    """A hundred thousand values, a text of ten megabytes, two thousand digits."""
    assert gives([0] * 100_000).data == [0] * 100_000
    assert len(gives("x" * 10_000_000).data) == 10_000_000
    assert gives(10**2000).text == f'{{"data":{10**2000},"ok":true}}'
    assert MAX_VALUES >= 1_000_000


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | st.complex_numbers()
    | st.text(st.characters(exclude_categories=())) | st.builds(object),
    lambda inner: st.lists(inner) | st.sets(st.integers()) | st.tuples(inner)
    | st.dictionaries(st.text() | st.integers() | st.none(), inner),
)  # fmt: skip


@given(ANYTHING)
def test_any_result(value: Any) -> None:
    """It becomes JSON that survives the trip and is not changed again, or an error of ours."""
    try:
        data = plain(value, "t")
    except AgentLabError:
        return
    assert msgspec.json.decode(compact(data)) == data
    assert plain(data, "t") == data


def test_generators() -> None:
    """A function that yields gives a generator, of either kind; nobody runs it."""

    def several(_: Any) -> Iterator[int]:
        yield 1

    async def later(_: Any) -> AsyncIterator[int]:
        yield 1

    for handler, kind in ((several, "generator"), (later, "async_generator")):
        seen = ToolRegistry([ToolSpec("t", "", handler)]).observe_sync("t", {})
        assert str(seen.data).startswith(f"<{kind} object test_generators")


class Odd(BaseException):
    """Neither an error nor a way to leave."""


def leave() -> NoReturn:
    """Try to end the process."""
    sys.exit("bye")


def throw(error: BaseException) -> Callable[[], NoReturn]:
    """Make something that raises."""

    def raises() -> NoReturn:
        raise error

    return raises


RAISED: dict[str, tuple[Callable[[], NoReturn], str]] = {
    "exit": (leave, "SystemExit: bye"),
    "odd": (throw(Odd("strange")), "Odd: strange"),
    "mute": (throw(MuteError()), "MuteError: (its text cannot be had)"),
    "trap": (throw(Trap()), "Trap: (its text cannot be had)"),
    "bare": (throw(ToolError()), "ToolError"),
    "surrogate": (throw(ValueError("\ud800")), "ValueError: \ufffd"),
    "stop": (throw(StopIteration()), "RuntimeError: "),
    "cancelled": (throw(asyncio.CancelledError("self")), "CancelledError: self"),
    "recursion": (throw(RecursionError("deep")), "RecursionError: deep"),
    "memory": (throw(MemoryError()), "MemoryError: "),
    "group": (throw(BaseExceptionGroup("g", [Odd("a")])), "BaseExceptionGroup: g"),
}


@pytest.mark.parametrize("case", RAISED)
@pytest.mark.parametrize("where", ["thread", "inline", "async"])
def test_whatever_is_raised(case: str, where: str) -> None:
    """Even what is meant to end the process is one tool's failure, wherever it runs."""
    fn, text = RAISED[case]

    async def later(_: Any) -> None:
        await asyncio.sleep(0)
        fn()

    handler = later if where == "async" else lambda _: fn()
    tools = ToolRegistry([ToolSpec("t", "", handler, inline=where == "inline")])

    seen = asyncio.run(tools.observe("t", {}))
    assert not seen.ok
    assert str(seen.error).startswith(text)
    assert msgspec.json.decode(seen.text)["ok"] is False
    assert tools.stats()[0].errors == 1
    with pytest.raises(Exception) as caught:  # noqa: PT011 - and nothing but an Exception
        asyncio.run(tools.call("t", {}))
    assert str(seen.error).startswith(caught.typename) or isinstance(caught.value, ToolError)


def test_ctrl_c_is_the_users() -> None:
    """On the main thread it passes through; in a worker thread it can only be the tool's."""
    stop = throw(KeyboardInterrupt())
    inline = ToolRegistry([ToolSpec("t", "", lambda _: stop(), inline=True)])
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(inline.call("t", {}))
    assert inline.stats()[0].errors == 0

    away = ToolRegistry([ToolSpec("t", "", lambda _: stop())])
    assert away.observe_sync("t", {}).error == "KeyboardInterrupt: "


def test_a_real_stop_is_not_the_tools() -> None:
    """A tool that dies of cancellation because it was cancelled lets it through."""

    async def main() -> None:
        async def forever(_: Any) -> None:
            await asyncio.sleep(3600)

        task = asyncio.create_task(ToolSpec.new_async("t", "", forever).call({}))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(main())


def test_a_child_task_that_was_cancelled() -> None:
    """Waiting for somebody else's cancelled task is an error, and stops nobody."""

    async def waits(_: Any) -> None:
        task = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.sleep(0)
        task.cancel()
        await task

    seen = ToolRegistry([ToolSpec("t", "", waits)]).observe_sync("t", {})
    assert seen.error == "CancelledError: "


def test_a_handler_may_spoil_what_it_is_given() -> None:
    """The trace keeps the arguments as they were asked, and the data as they were given."""
    mine: list[Any] = [1]

    def spoil(args: Any) -> Any:
        args["list"].append("spoilt")
        args["new"] = args.pop("old")
        return mine

    async def main() -> Trace:
        trace, model = Trace(clock=FakeClock()), ScriptedModel()
        tools = ToolRegistry([ToolSpec("t", "", spoil)])
        run = Run("r", "a", model, trace, AgentConfig(1, "m"), tools)
        args = {"list": [1], "old": 2}
        assert (await run.act("t", args)).ok
        assert args == {"list": [1], "old": 2}
        mine.append("spoilt")
        return trace

    started, ended = (entry.event for entry in asyncio.run(main()).entries)
    assert started.args == {"list": [1], "old": 2}  # type: ignore[union-attr]
    assert ended.data == [1]  # type: ignore[union-attr]


def test_arguments_of_any_kind() -> None:
    """They are checked, shown and refused, whatever they are."""
    spec = ToolSpec("t", "", lambda _: 1, ("q",), inline=True)
    for args in (None, 3, "x", [1], object(), nested(10_000), {1}, "\ud800", float("nan")):
        seen = ToolRegistry([spec]).observe_sync("t", args)
        assert str(seen.error).startswith("tool 't' requires JSON object args, got ")
        assert len(str(seen.error)) < 700
    assert not ToolRegistry([spec]).observe_sync("t", {"q": nested(10_000)}).ok
    assert not ToolRegistry([spec]).observe_sync(["t"], {}).ok  # type: ignore[arg-type]


def test_a_tool_that_blocks_leaves_the_loop_alone() -> None:
    """Others go on while a plain handler sleeps."""
    gate = threading.Event()

    async def main() -> int:
        blocked = asyncio.create_task(ToolSpec("t", "", lambda _: gate.wait(10)).call({}))
        turns = 0
        for _ in range(20):
            await asyncio.sleep(0.001)
            turns += 1
        gate.set()
        assert await blocked is True
        return turns

    assert asyncio.run(main()) == 20


def test_an_exit_of_a_validator_or_a_guard() -> None:
    """Is an observation as well, and the handler is not called."""

    class Leaves:
        def enter(self, subject: str = "", needs: Sequence[str] = ()) -> Permit:
            sys.exit(f"{subject}{needs}")

    handler = called_never
    tools = ToolRegistry([
        ToolSpec("v", "", handler, validators=(lambda _: sys.exit(3),)),
        ToolSpec("g", "", handler, guard=Leaves()),
    ])  # fmt: skip
    seen = [tools.observe_sync(name, {}) for name in "vg"]
    assert [each.error for each in seen] == ["SystemExit: 3", "SystemExit: tool:g()"]


def called_never(_: Any) -> None:
    """Be called."""
    raise AssertionError


def test_a_schema_is_plain_json() -> None:
    """What could not be shown to a model is made plain, or refused, where the tool is made."""
    odd = ToolSpec("x", "", print, schema={"properties": {"\ud800": {"default": {1}}}})
    assert odd.schema == {"properties": {"\ufffd": {"default": "{1}"}}}
    with pytest.raises(InvalidValue, match="nan is not a JSON number"):
        ToolSpec("x", "", print, schema={"default": float("nan")})
