"""What is kept of a tool's results, and for how long."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core.clock import FakeClock
from agentlab.core.errors import InvalidValue
from agentlab.tools.cache import InMemoryToolCache, canonical_text
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.spec import ToolSpec

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def counting(**settings: Any) -> tuple[ToolSpec, list[Any]]:
    """Give a tool that keeps a list of its calls, and gives their number."""
    calls: list[Any] = []

    def count(args: Any) -> Any:
        calls.append(args)
        return args["give"] if "give" in args else len(calls)

    return ToolSpec("count", "", count, inline=True, **settings), calls


@given(JSON, JSON)
def test_what_is_kept_comes_back(args: Any, value: Any) -> None:
    """Any JSON, for any arguments, equal and as a copy."""
    cache, default = InMemoryToolCache(), object()
    assert cache.get("t", args, default) is default
    cache.set("t", args, value)

    assert cache.get("t", args, default) == value
    assert cache.get("u", args, default) is default
    assert canonical_text(args) == canonical_text(args)


def test_none_is_a_result_too() -> None:
    """A tool that gives nothing is not asked twice for it."""
    spec, calls = counting(cacheable=True)
    tools = ToolRegistry([spec], cache=InMemoryToolCache())

    assert [tools.call_sync("count", {"give": None}) for _ in range(3)] == [None] * 3
    assert len(calls) == 1


def test_numbers_are_told_apart() -> None:
    """1, 1.0, true and "1" are different arguments; the order of keys is not."""
    cache = InMemoryToolCache()
    for args in ({"a": 1}, {"a": 1.0}, {"a": True}, {"a": "1"}, {"a": 1, "b": 2}, {"b": 2, "a": 1}):
        cache.set("t", args, args)

    assert cache.entry_count() == 5


def test_the_first_in_is_the_first_out() -> None:
    """Whatever was asked for or told again in between."""
    cache = InMemoryToolCache(max_entries=2)
    cache.set("t", 1, "one")
    cache.set("t", 2, "two")
    cache.get("t", 1)
    cache.set("t", 1, "one again")
    assert cache.get("t", 1) == "one again"
    cache.set("t", 3, "three")

    assert [cache.get("t", args) for args in (1, 2, 3)] == [None, "two", "three"]
    assert repr(cache) == "<InMemoryToolCache 2 entries, 4 hits, 1 misses>"
    cache.clear()
    assert cache.entry_count() == 0
    with pytest.raises(InvalidValue, match="max_entries must be >= 1"):
        InMemoryToolCache(max_entries=0)


def test_results_go_stale() -> None:
    """After the tool's own time, by the cache's clock."""
    clock = FakeClock()
    spec, calls = counting(cacheable=True, cache_ttl_s=60)
    tools = ToolRegistry([spec], cache=InMemoryToolCache(clock=clock))

    assert tools.call_sync("count", {}) == 1
    clock.advance(59.9)
    assert tools.call_sync("count", {}) == 1
    clock.advance(0.1)
    assert tools.call_sync("count", {}) == 2
    assert len(calls) == 2


def test_failures_are_never_kept() -> None:
    """Neither what raises nor what says no, nor what is no JSON."""
    spec, calls = counting(cacheable=True)
    cache = InMemoryToolCache()
    tools = ToolRegistry([spec], cache=cache)
    for args in ({"give": {"ok": False}}, {"give": float("nan")}):
        tools.observe_sync("count", args)
        tools.observe_sync("count", args)

    assert len(calls) == 4
    assert cache.entry_count() == 0


def test_without_a_cache_nothing_is_kept() -> None:
    """A tool that could be cached is called each time."""
    spec, calls = counting(cacheable=True)

    assert [ToolRegistry([spec]).call_sync("count", {}) for _ in range(2)] == [1, 2]
    assert len(calls) == 2


def test_arguments_that_are_no_json_are_not_looked_up() -> None:
    """They go to the tool, and are not kept."""
    spec, calls = counting(cacheable=True)
    tools = ToolRegistry([spec], cache=InMemoryToolCache())

    assert tools.call_sync("count", {"x": float("nan")}) == 1
    assert tools.call_sync("count", {"x": float("nan")}) == 2
    assert len(calls) == 2


def test_many_threads() -> None:
    """Several loops may share one cache: it stays within its bounds and counts right."""
    cache = InMemoryToolCache(max_entries=50)

    def work(seed: int) -> None:
        async def calls() -> None:
            spec = ToolSpec("t", "", lambda args: args["n"] * 2, cacheable=True, inline=True)
            tools = ToolRegistry([spec], cache=cache)
            for n in range(300):
                assert await tools.call("t", {"n": (n * seed) % 97}) == (n * seed) % 97 * 2

        asyncio.run(calls())

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 5, 7, 11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.entry_count() == 50
    assert cache.hits + cache.misses == 1200
