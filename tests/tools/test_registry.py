"""Calling by name: what the model asked for, what it is told, and in which order things happen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.errors import CircuitOpen, ToolArgumentError, ToolNotFound
from agentlab.core.protocols import Observation
from agentlab.tools.cache import InMemoryToolCache
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.spec import ToolSpec, tool
from agentlab.tools.tally import ToolRow
from agentlab.tools.validator import (
    ParameterSpec,
    ParameterTypeHint,
    SchemaValidator,
    ToolSchema,
)


def search(q: str, limit: int = 3) -> str:
    """Look things up."""
    return f"{q} {limit}"


async def waits(q: str) -> str:
    """Look things up, later."""
    return q


def call(*tools: Any, name: str, args: Any) -> Observation:
    """Call one of ``tools``."""
    return asyncio.run(ToolRegistry(tools).observe(name, args))


def test_w9_1() -> None:
    """A tool is registered and called by name."""
    tools = ToolRegistry()
    tools.register(ToolSpec("greet", "Say hello.", lambda _: {"message": "hello"}))

    assert tools.call_sync("greet", {}) == {"message": "hello"}


def test_w9_2() -> None:
    """A required field that is missing is named, and the handler is not called."""
    called: list[Any] = []
    spec = ToolSpec("search", "", called.append).with_required_fields(["q", "r"])
    seen = call(spec, name="search", args={})

    assert (seen.error, seen.error_kind) == (
        "tool 'search' missing required field 'q'",
        "permanent",
    )
    assert called == []
    assert call(spec, name="search", args={"q": None, "r": None}).ok


@pytest.mark.parametrize(
    ("name", "args", "text"),
    [
        ("search", {"q": "x"}, '{"data":"x 3","ok":true}'),
        ("serch", {}, "tool 'serch' not found (did you mean 'search'?)"),
        ("xyz", {}, "tool 'xyz' not found"),
        ("x" * 1_000_000, {}, f"tool '{'x' * 1_000_000}' not found"),
        ("search", {}, "tool 'search' missing required field 'q'"),
        ("search", [1], "tool 'search' requires JSON object args, got [1]"),
        ("search", {"q": 1}, "tool 'search': Expected `str`, got `int` - at `$.q`"),
        ("search", {"q": "", "x": 1}, "tool 'search': Object contains unknown field `x`"),
        ("waits", {"q": "é"}, '{"data":"é","ok":true}'),
    ],
    ids=range(9),
)
def test_calls(name: str, args: Any, text: str) -> None:
    """What comes back is what the reference says, word for word."""
    seen = call(search, waits, name=name, args=args)

    assert (seen.text if seen.ok else seen.error) == text


def test_suggestions_do_not_depend_on_order() -> None:
    """The smallest distance, then the name."""
    tools = [ToolSpec(name, "", print) for name in ("cat", "bat", "at", "hat")]

    for given in (tools, tools[::-1]):
        assert "did you mean 'at'" in str(call(*given, name="a", args={}).error)
        assert "did you mean 'at'" in str(call(*given, name="xat", args={}).error)
    near = call(ToolSpec("bat", "", print), ToolSpec("cat", "", print), name="zat", args={})
    assert near.error == "tool 'zat' not found (did you mean 'bat'?)"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("no"), "permanent"),
        (ConnectionResetError("no"), "transient"),
        (TimeoutError("no"), "transient"),
        (BlockingIOError("no"), "transient"),
        (FileNotFoundError("no"), "permanent"),
    ],
)
def test_kinds(error: Exception, kind: str) -> None:
    """By class, with the type and the text and no traceback."""

    def fails(_: Any) -> None:
        raise error

    seen = call(ToolSpec("t", "", fails), name="t", args={})
    assert (seen.error_kind, seen.error) == (kind, f"{type(error).__name__}: no")
    assert seen.text == f'{{"error":"{seen.error}","kind":"{kind}","ok":false}}'


def test_a_tool_that_says_no_is_passed_on() -> None:
    """Unchanged, but it counts as a failure."""
    seen = call(ToolSpec("t", "", lambda _: {"ok": False, "why": 1}), name="t", args={})

    assert (seen.ok, seen.text) == (False, '{"ok":false,"why":1}')


def test_names_are_kept(caplog: pytest.LogCaptureFixture) -> None:
    """Sorted, looked up, taken out; a second tool of a name replaces the first, with a warning."""
    first, second = ToolSpec("b", "First.", print), ToolSpec("b", "Second.", print)
    tools = ToolRegistry([first]).with_tool(ToolSpec("a", "An a.", print)).with_tool(first)
    assert caplog.messages == []
    tools.register(second)

    assert caplog.messages == ["tool 'b' replaces another of that name"]
    assert tools.tool_names() == ["a", "b"]
    assert tools.descriptions() == [("a", "An a."), ("b", "Second.")]
    assert (tools.get("b"), tools.get("c")) == (second, None)
    assert (tools.has_tool("a"), tools.has_tool("c"), tools.tool_count()) == (True, False, 2)
    assert [tools.unregister("a"), tools.unregister("a")] == [True, False]
    assert [each.name for each in tools.specs()] == ["b"]
    assert repr(tools) == "<ToolRegistry b>"
    assert repr(ToolRegistry()) == "<ToolRegistry empty>"


class Log:
    """Validator, guard, permit, cache and handler in one, that notes each of their turns."""

    def __init__(self, *, refuses: bool = False, keeps: bool = False, says: Any = "data") -> None:
        self.seen: list[str] = []
        self.refuses, self.keeps, self.says = refuses, keeps, says

    def validate(self, args: Any, /) -> None:
        self.seen.append("validate")
        if args.get("wrong"):
            raise ToolArgumentError("wrong")

    async def enter(self, subject: str = "", needs: Sequence[str] = ()) -> Log:
        await asyncio.sleep(0)
        self.seen += [subject, *needs]
        if self.refuses:
            raise CircuitOpen("service")
        return self

    async def success(self) -> None:
        await asyncio.sleep(0)
        self.seen.append("success")

    def failure(self) -> None:
        self.seen.append("failure")

    def cancel(self) -> None:
        self.seen.append("cancel")

    async def get(self, name: str, args: Any, default: Any, /) -> Any:
        self.seen.append(f"get {name} {args}")
        return "kept" if self.keeps else default

    def set(self, name: str, args: Any, value: Any, /, *, ttl_s: float | None) -> None:
        self.seen.append(f"set {name} {args} {value} {ttl_s}")

    def handler(self, args: Any) -> Any:
        args.clear()  # it is the handler's own
        self.seen.append("handler")
        if isinstance(self.says, BaseException):
            raise self.says
        return self.says


def through(log: Log, args: dict[str, Any], *, cacheable: bool = True) -> Any:
    """Call a tool whose every part is ``log``; give what came out, and the text of an error."""
    spec = ToolSpec("t", "", log.handler, ("f",), cacheable=cacheable, inline=True)
    spec = spec.with_validators([log, log.validate]).with_circuit_breaker(log)
    try:
        return ToolRegistry([spec], cache=log).call_sync("t", args)
    except Exception as error:  # noqa: BLE001 - any will do
        return str(error)


ORDER = {
    "missing": (Log(), {}, "tool 't' missing required field 'f'", []),
    "wrong": (Log(), {"f": 1, "wrong": 1}, "wrong", ["validate"]),
    "open": (
        Log(refuses=True, keeps=True), {"f": 1}, "Circuit breaker open for 'tool:t'",
        ["validate", "validate", "tool:t"],
    ),
    "kept": (
        Log(keeps=True), {"f": 1}, "kept",
        ["validate", "validate", "tool:t", "get t {'f': 1}", "cancel"],
    ),
    "made": (
        Log(), {"f": 1}, "data",
        ["validate", "validate", "tool:t", "get t {'f': 1}", "handler", "success",
         "set t {'f': 1} data None"],
    ),
    "no": (
        Log(says={"ok": False}), {"f": 1}, {"ok": False},
        ["validate", "validate", "tool:t", "get t {'f': 1}", "handler", "failure"],
    ),
    "raised": (
        Log(says=OSError("no")), {"f": 1}, "no",
        ["validate", "validate", "tool:t", "get t {'f': 1}", "handler", "failure"],
    ),
    "argument": (
        Log(says=ToolArgumentError("no")), {"f": 1}, "no",
        ["validate", "validate", "tool:t", "get t {'f': 1}", "handler", "cancel"],
    ),
    "not a number": (
        Log(says=float("nan")), {"f": 1}, "nan is not a JSON number",
        ["validate", "validate", "tool:t", "get t {'f': 1}", "handler", "failure"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ORDER)
def test_order(case: str) -> None:
    """Fields, validators, guard, cache, handler, the guard's record, cache; each may end it."""
    log, args, result, seen = ORDER[case]

    assert through(log, args) == result
    assert log.seen == seen


def test_a_cache_is_for_those_who_ask() -> None:
    """A tool that is not cacheable never meets it."""
    log = Log(keeps=True)

    assert through(log, {"f": 1}, cacheable=False) == "data"
    assert log.seen == ["validate", "validate", "tool:t", "handler", "success"]


def test_a_typed_argument_that_misfits_never_meets_the_guard() -> None:
    """The types of a signature are checked with the fields."""
    log = Log()
    spec = tool(search).with_circuit_breaker(log)

    assert "Expected `str`" in str(call(spec, name="search", args={"q": 1}).error)
    assert log.seen == []


def test_a_breaker_that_opens_stops_the_calls() -> None:
    """After two failures the third call is refused under the tool's name, and not made."""

    class Breaker:
        failures = 0

        def enter(self, subject: str = "", needs: Sequence[str] = ()) -> Breaker:
            assert needs == ()
            if self.failures >= 2:
                raise CircuitOpen(subject)
            return self

        def success(self) -> None:
            self.failures = 0

        def failure(self) -> None:
            self.failures += 1

        def cancel(self) -> None:
            raise AssertionError("nothing was cancelled")

    calls: list[int] = []

    def no(_: Any) -> dict[str, bool]:
        calls.append(1)
        return {"ok": False}

    tools = ToolRegistry([ToolSpec("t", "", no).with_circuit_breaker(Breaker())])
    for _ in range(2):
        assert tools.call_sync("t", {}) == {"ok": False}
    with pytest.raises(CircuitOpen, match="Circuit breaker open for 'tool:t'"):
        tools.call_sync("t", {})
    assert tools.observe_sync("t", {}).error_kind == "transient"
    assert len(calls) == 2


def test_a_guard_that_fails_afterwards_spoils_no_result(caplog: pytest.LogCaptureFixture) -> None:
    """A result is not lost because its success could not be told."""

    class Broken:
        def enter(self, subject: str = "", needs: Sequence[str] = ()) -> Broken:
            assert (subject, needs) == ("tool:t", ())
            return self

        def success(self) -> None:
            raise ConnectionError("the store is away")

        failure = cancel = success

    spec = ToolSpec("t", "", lambda _: 1).with_circuit_breaker(Broken())
    assert ToolRegistry([spec]).call_sync("t", {}) == 1
    assert caplog.messages == ["the guard of tool 't' could not be told of its success"]


def test_cancellation_blames_nobody() -> None:
    """A stopped call gives its permit back, and is a call but no error."""
    log = Log()

    async def main() -> ToolRegistry:
        started = asyncio.Event()

        async def forever(_: Any) -> None:
            started.set()
            await asyncio.sleep(3600)

        spec = ToolSpec.new_async("t", "", forever).with_circuit_breaker(log)
        tools = ToolRegistry([spec])
        task = asyncio.create_task(tools.observe("t", {}))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return tools

    (row,) = asyncio.run(main()).stats()
    assert log.seen == ["tool:t", "cancel"]
    assert (row.calls, row.errors) == (1, 0)


def test_a_permit_is_given_back_even_on_the_portal() -> None:
    """Where every await is cancelled anew, a guard that waits is still told."""
    told: list[str] = []

    class Slow:
        async def enter(self, subject: str = "", needs: Sequence[str] = ()) -> Slow:
            assert (subject, needs) == ("tool:t", ())
            return self

        async def cancel(self) -> None:
            for _ in range(5):
                await asyncio.sleep(0.01)
            told.append("cancel")

        success = failure = cancel

    async def forever(_: Any) -> None:
        await asyncio.sleep(3600)

    async def main() -> None:
        from anyio import move_on_after

        spec = ToolSpec.new_async("t", "", forever).with_circuit_breaker(Slow())
        with move_on_after(0.02):
            await ToolRegistry([spec]).call("t", {})

    asyncio.run(main())
    assert told == ["cancel"]


def test_statistics() -> None:
    """Calls, errors and the mean of their times; a tool's own no and wrong arguments are errors."""
    clock = FakeClock()

    async def work(args: Any) -> Any:
        await clock.sleep(args["s"])
        if args.get("fail"):
            raise ValueError
        return {"ok": args.get("ok", True)}

    spec = ToolSpec.new_async("work", "Work.", work, required_fields=["s"])
    tools = ToolRegistry([spec, ToolSpec("idle", "Idle.", print)], clock=clock)
    for args in ({"s": 0.1}, {"s": 0.2, "fail": True}, {"s": 0.3, "ok": False}, {}):
        tools.observe_sync("work", args)
    with pytest.raises(ToolNotFound):
        tools.call_sync("wrk", {})

    idle, row = tools.stats()
    assert idle == ToolRow("idle", "Idle.", "", 0, 0, 0.0)
    assert (row.name, row.description, row.arguments) == ("work", "Work.", "s: any")
    assert (row.calls, row.errors) == (4, 3)
    assert row.mean_ms == pytest.approx(150)
    assert ToolRow.from_dict(row.to_dict()) == row
    assert tools.observe_sync("work", {"s": 0.5}).ms == pytest.approx(500)


def test_validators() -> None:
    """Objects, functions and schema validators; the first that minds ends it."""
    n = ParameterSpec.required("n", ParameterTypeHint.Number)
    schemas = SchemaValidator([ToolSchema("t", params=(n,))])
    spec = ToolSpec("t", "", lambda args: args["n"], inline=True)

    def small(args: Any) -> bool:
        return bool(args["n"] < 10)

    def even(args: Any) -> None:
        if args["n"] % 2:
            raise ValueError("odd")

    tools = ToolRegistry([spec.with_validators([schemas, small, even])])
    said = [
        tools.observe_sync("t", args) for args in ({"n": 2}, {}, {"n": "x"}, {"n": 11}, {"n": 3})
    ]
    assert [seen.error for seen in said] == [
        None,
        "missing required parameter 'n'",
        "parameter 'n': expected number, got string",
        "tool 't': a validator refused {\"n\":11}",
        "ValueError: odd",
    ]
    schemas.register(ToolSchema("t"))
    assert "refused" in str(tools.observe_sync("t", {"n": 99}).error)
    with pytest.raises(ToolArgumentError, match="missing required parameter 'n'"):
        spec.with_validators([ToolSchema("t", params=(n,))]).call_sync({})


def test_a_spec_called_by_itself_is_guarded_too() -> None:
    """There is no way round the checks and the guard."""
    log = Log(refuses=True)
    spec = ToolSpec("t", "", print, ("q",)).with_circuit_breaker(log)

    with pytest.raises(ToolArgumentError, match="missing required field 'q'"):
        spec.call_sync({})
    with pytest.raises(CircuitOpen):
        spec.call_sync({"q": 1})


def test_cached_results() -> None:
    """An equal call is answered without the handler, with a value nobody else holds."""
    calls: list[Any] = []

    @tool(cacheable=True, inline=True)
    def find(q: str, limit: int = 1) -> list[Any]:
        """Find."""
        calls.append((q, limit))
        return [q, {"limit": limit}]

    tools = ToolRegistry([find]).with_cache(InMemoryToolCache())
    first = tools.call_sync("find", {"q": "a", "limit": 2})
    first[1].clear()

    assert tools.call_sync("find", {"limit": 2, "q": "a"}) == ["a", {"limit": 2}]
    assert tools.call_sync("find", {"q": "a"}) == ["a", {"limit": 1}]
    assert calls == [("a", 2), ("a", 1)]
    assert tools.stats()[0].calls == 3


def test_a_broken_cache_is_only_slow(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the tool is called."""

    class Broken:
        def get(self, name: str, args: Any, default: Any, /) -> Any:
            raise ConnectionError(name, args, default)

        def set(self, name: str, args: Any, value: Any, /, *, ttl_s: float | None) -> None:
            raise ConnectionError(name, args, value, ttl_s)

    spec = ToolSpec("t", "", lambda _: 1, cacheable=True)
    assert ToolRegistry([spec], cache=Broken()).call_sync("t", {}) == 1
    assert caplog.messages == [
        "the cache could not be read: tool 't' is called",
        "the result of tool 't' could not be kept",
    ]
    assert {record.levelno for record in caplog.records} == {logging.ERROR}
