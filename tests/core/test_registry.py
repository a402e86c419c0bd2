"""Things by name."""

from __future__ import annotations

import pytest

from agentlab.core.errors import ToolNotFound
from agentlab.core.registry import Registry


def test_a_registry_is_a_mapping() -> None:
    """In the order things came; what is missing is an error of the registry's kind."""
    things: Registry[int] = Registry(ToolNotFound, {"b": 1})
    assert things.register("a", 2) is None
    assert things.register("b", 3) == 1

    assert dict(things) == {"b": 3, "a": 2}
    assert (things.get("a"), things.get("c"), things.get("c", 0)) == (2, None, 0)
    assert ("a" in things, "c" in things, len(things)) == (True, False, 2)
    assert (things.unregister("b"), things.unregister("b")) == (True, False)
    with pytest.raises(ToolNotFound, match=r"tool 'c' not found \(did you mean 'a'\?\)"):
        _ = things["c"]


def test_it_may_change_while_it_is_read() -> None:
    """Whoever goes through it sees what was there when they began."""
    things = Registry(ToolNotFound, {"a": 1, "b": 2})
    seen = []
    for name in things:
        things.register(f"{name}{name}", 0)
        things.unregister(name)
        seen.append(name)

    assert seen == ["a", "b"]
    assert [*things] == ["aa", "bb"]
