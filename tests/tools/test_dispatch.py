"""The order of a call, and what guard, validators and cache hear of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import pytest

from agentlab.core.errors import CircuitOpen, ToolArgumentError
from agentlab.tools.cache import InMemoryToolCache
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.spec import ToolSpec, tool
from agentlab.tools.validator import (
    ParameterSpec,
    ParameterTypeHint,
    SchemaValidator,
    ToolSchema,
)


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

    def search(q: str) -> str:
        return q

    tools = ToolRegistry([tool(search).with_circuit_breaker(log)])
    assert "Expected `str`" in str(tools.observe_sync("search", {"q": 1}).error)
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
    assert caplog.messages == ["the guard of 'tool:t' could not be told of its success"]


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
