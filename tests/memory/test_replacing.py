"""One memory in the place of several, at once."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from types import FrameType
from typing import Any

import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.errors import InvalidValue
from agentlab.core.ids import MemoryId
from agentlab.memory import columns, episodes, episodic
from agentlab.memory.consolidation import ConsolidationPolicy, MemoryConsolidator
from agentlab.memory.decay import DecayPolicy
from agentlab.memory.episodic import EpisodicStore


def several(count: int = 6, **how: Any) -> tuple[EpisodicStore, list[MemoryId]]:
    """Give a store of one agent, and its ids; the clock stands an hour later."""
    store = EpisodicStore(clock=FakeClock(), **how)
    ids = store.add_many("demo", [(f"memory {i}", i / 10) for i in range(count)])
    return store, ids


def test_one_takes_the_place_of_several() -> None:
    """Those go, it comes as the newest, others keep ids, tags and counts; recall sees it all."""
    store, ids = several(per_agent_capacity=6)
    store.update_tags_by_id("demo", ids[5], ["kept"])
    store.recall("demo", 1)
    at = store.now - timedelta(hours=2)
    made = store.replace_by_ids(
        "demo", [*ids[1:4], ids[1]], "three", 0.05, timestamp=at, tags=["consolidated"]
    )

    assert made is not None
    assert made not in ids
    left = store.items("demo")
    assert [item.id for item in left] == [ids[0], ids[4], ids[5], made]
    assert (left[2].tags, left[2].recall_count) == (("kept",), 1)
    assert (left[3].content, left[3].importance, left[3].timestamp) == ("three", 0.05, at)
    assert (left[3].tags, left[3].recall_count) == (("consolidated",), 0)
    assert [item.id for item in store.recall("demo", 9)] == [ids[5], ids[4], made, ids[0]]
    again = store.replace_by_ids("demo", [item.id for item in left], "all", 0.5)
    assert [item.id for item in store.items("demo")] == [again]
    assert store.items("demo")[0].timestamp == store.now


def test_what_cannot_take_a_place_changes_nothing() -> None:
    """One is gone, of another agent, or there are none; the memory is not one."""
    store, ids = several()
    other = store.add_episode("other", "x", 0.5)
    before = store.to_bytes()

    assert store.replace_by_ids("demo", [ids[0], other], "x", 0.5) is None
    assert store.replace_by_ids("nobody", ids[:1], "x", 0.5) is None
    wrong: list[tuple[Any, Any, Any]] = [
        ([], "x", 0.5), (ids[0], "x", 0.5), (ids, 5, 0.5), (ids, "x", float("nan")), ([1], "x", 0.5)
    ]  # fmt: skip
    for some, content, importance in wrong:
        with pytest.raises(InvalidValue):
            store.replace_by_ids("demo", some, content, importance)
    with pytest.raises(InvalidValue):
        store.replace_by_ids("demo", ids, "x", 0.5, timestamp=datetime(2030, 1, 1))  # noqa: DTZ001
    assert store.to_bytes() == before


def test_a_failure_half_way_loses_nothing() -> None:
    """Interrupted at any line, the memories are those from before, or those from after it."""
    files = (episodes.__file__, episodic.__file__, columns.__file__)
    seen, at, left = set[str](), 0, 0

    def interrupt(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in files:
            return None
        if event == "line":
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
        return interrupt

    done = False
    while not done:
        store, ids = several(per_agent_capacity=6, decay=DecayPolicy.exponential(24))
        store.recall("demo", 3)
        store.add_episode("demo", "late", 0.5)
        store.items("demo")  # nothing waits to be moved into an array
        left, at = at, at + 1
        sys.settrace(interrupt)
        try:
            store.replace_by_ids("demo", ids[1:4], "three", 0.2)
            done = True
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(None)
        texts = [item.content for item in store.items("demo")]
        assert [item.content for item in store.recall("demo", 9)]
        seen.add(" ".join(texts))
        assert store.add_episode("demo", "more", 0.9)
        assert store.recall_top_n("demo", 1)[0].content == "more"

    assert at > 30
    before = "memory 1 memory 2 memory 3 memory 4 memory 5 late"
    assert seen == {before, "memory 4 memory 5 late three"}


def test_a_consolidator_that_is_interrupted_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It merges in one step: where that fails the sources are all there, and nothing is twice."""
    clock = FakeClock()
    store = EpisodicStore(per_agent_capacity=10, clock=clock)
    store.add_many("demo", [("the harbour was quiet today", i / 10) for i in range(10)])
    clock.advance(7200)
    making = MemoryConsolidator(store, ConsolidationPolicy(k_clusters=1), clock=clock)
    before = store.to_bytes()

    def full(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(episodes.Episodes, "add", full)
        with pytest.raises(MemoryError):
            making.consolidate_agent_sync("demo")
    assert store.to_bytes() == before
    assert len(making.consolidate_agent_sync("demo")) == 1
    assert len(store) == 3
