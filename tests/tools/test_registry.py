"""Calling by name: what the model asked for, what it is told, and in which order things happen."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.errors import InvalidValue, ToolNotFound
from agentlab.core.protocols import Observation
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.spec import ToolSpec
from agentlab.tools.tally import ToolRow


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
        ("search", {}, "tool 'search' missing required field 'q'"),
        ("search", [1], "tool 'search' requires JSON object args, got [1]"),
        ("search", {"q": 1}, "tool 'search': Expected `str`, got `int` - at `$.q`"),
        (
            "search",
            {"q": "", "x": 1},
            "tool 'search': Object contains unknown field `x`: it takes q, limit",
        ),
        ("waits", {"q": "é"}, '{"data":"é","ok":true}'),
    ],
    ids=range(8),
)
def test_calls(name: str, args: Any, text: str) -> None:
    """Each refusal has its own words, and each answer its envelope."""
    seen = call(search, waits, name=name, args=args)

    assert (seen.text if seen.ok else seen.error) == text


def test_a_very_long_name_is_soon_not_found() -> None:
    """A model may write anything; nothing is compared that cannot be near."""
    name, began = "x" * 10_000_000, time.monotonic()

    assert call(search, waits, name=name, args={}).error == f"tool '{name}' not found"
    assert time.monotonic() - began < 2


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


@pytest.mark.parametrize("wrong", [None, 3, "search", print])
def test_several_tools_are_needed(wrong: Any) -> None:
    """One that is in no list is refused, and what to do is said."""
    with pytest.raises(InvalidValue, match="put it in a list"):
        ToolRegistry(wrong)


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
    tools.register(ToolSpec("work", "Another.", print))
    assert tools.stats()[1] == ToolRow("work", "Another.", "")
