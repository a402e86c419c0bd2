"""The memory explorer as Python has it: what it tells its page, and what the page may ask."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agentlab as al
from agentlab.core.errors import InvalidValue
from agentlab.widgets.coalescer import Board, Coalescer
from agentlab.widgets.memory_explorer import MemoryExplorer
from tests.widgets.remembered import (
    NOW,
    TOLD,
    episodes,
    facts,
    long_term,
    mind,
    plane,
    texts,
)

Work = Callable[[], Awaitable[None]]
ALL = (episodes, long_term, facts, texts, plane, mind)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Give each message of a board."""
    messages: list[dict[str, Any]] = []
    monkeypatch.setattr(
        Board, "send_state", lambda board, key: messages.append(board.get_state(key))
    )
    yield messages
    Board.close_all()


def test_what_can_be_explored() -> None:
    """Every memory, and nothing else."""

    async def work() -> None:
        for make in ALL:
            memory: Any = make()
            explorer = memory.explore()
            assert isinstance(explorer, MemoryExplorer)
            assert explorer.selected is not None
            assert repr(explorer).startswith("<MemoryExplorer of <")
            json.dumps(explorer.changes())
            explorer.close()
        with pytest.raises(InvalidValue, match="got 3"):
            MemoryExplorer(3)

    asyncio.run(work())


def test_in_python() -> None:
    """What is asked, when, and what is wanted can be set, and what is selected follows."""

    async def work() -> None:
        store = episodes(max_age_hours=100)
        before = store.rows()
        explorer = MemoryExplorer(store)
        assert explorer.selected.content == TOLD[0][1]
        explorer.query = "exam"
        assert explorer.selected.content == TOLD[1][1]
        assert explorer.moment == NOW
        explorer.moment = timedelta(hours=30)
        assert explorer.moment == NOW + timedelta(hours=30)
        assert explorer.changes()["found"]["total"] == 2
        explorer.moment = NOW + timedelta(hours=53)
        assert explorer.changes()["found"]["total"] == 1  # one is older than 100 hours by then
        explorer.query, explorer.agents, explorer.sort = "", {"bob"}, "oldest"
        assert explorer.agents == {"bob"}
        explorer.moment = timedelta()
        assert explorer.selected.content == TOLD[4][1]
        explorer.agents, explorer.tags = [], ["habit"]
        assert (explorer.agents, explorer.tags) == (set(), {"habit"})
        assert explorer.projection == "PCA"
        assert explorer.sort == "oldest"
        assert store.rows() == before
        for name, value in (("query", 3), ("moment", 3), ("moment", NOW.replace(tzinfo=None)),
                            ("sort", "x"), ("agents", ["x"]), ("projection", "x")):  # fmt: skip
            with pytest.raises(InvalidValue):
                setattr(explorer, name, value)
        explorer.close()

    asyncio.run(work())


def test_a_memory_that_changes_is_read_again_when_asked() -> None:
    """Until then the explorer shows what there was."""

    async def work() -> None:
        store = episodes()
        explorer = MemoryExplorer(store)
        explorer.query = "exam"
        store.add_episode("ada", "The exam went well", 1.0)
        assert explorer.changes()["found"]["total"] == 2
        explorer.asked({"type": "refresh"})
        assert explorer.changes()["found"]["total"] == 3
        assert explorer.query == "exam"
        explorer.close()

    asyncio.run(work())


def test_messages(sent: list[dict[str, Any]]) -> None:
    """Many moves leave in few messages, each with what is different only."""

    async def work() -> None:
        explorer = MemoryExplorer(long_term(500), Coalescer(0.02))
        explorer.touch()
        await asyncio.sleep(0.06)
        assert len(sent) == 1
        for at in range(0, 300, 3):
            explorer.asked({"type": "go", "no": at})
        await asyncio.sleep(0.06)
        assert len(sent) == 2
        assert not any(".title" in name or ".d0" in name for name in sent[1])
        explorer.close()

    asyncio.run(work())


ANY = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9),
                st.lists(st.integers(), max_size=2))  # fmt: skip
TYPES = ("see", "ask", "go", "select", "row", "point", "sort", "agent", "tag", "map", "?")
ASKED = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES)},
    optional={
        "no": ANY | st.integers(-9, 2000),
        "size": ANY,
        "page": ANY | st.just("p1"),
        "name": ANY | st.sampled_from(["ada", "exam", "oldest", "PCA", "A to Z"]),
        "query": ANY | st.sampled_from(["exam", "the", ""]),
    },
)


@settings(max_examples=60, deadline=None)
@given(asked=st.lists(ASKED, max_size=12), kind=st.sampled_from(ALL))
def test_whatever_a_page_asks(asked: list[dict[str, Any]], kind: Callable[[], object]) -> None:
    """Nothing raises, the cells stay what they are, and nothing in the memory is changed."""

    async def work() -> None:
        memory: Any = kind()
        before = memory.rows()
        explorer = MemoryExplorer(memory, Coalescer())
        for message in asked:
            explorer.asked(message)
            cells = explorer.changes()
            json.dumps(cells)
            assert -1 <= cells["found"]["row"] < max(1, cells["found"]["total"])
            assert -1 <= cells["found"]["no"] < len(before)
        assert memory.rows() == before
        explorer.close()

    asyncio.run(work())


def test_it_is_at_the_front_door() -> None:
    """``al.MemoryExplorer`` is it, and takes an embedder for its map."""

    async def work() -> None:
        explorer = al.MemoryExplorer(episodes(), embedder="static")
        explorer.close()

    asyncio.run(work())
