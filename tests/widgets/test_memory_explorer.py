"""The memory explorer as Python has it: what it tells its page, and what the page may ask."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agentlab as al
from agentlab.core.errors import InvalidValue
from agentlab.widgets import memory_explorer
from agentlab.widgets.coalescer import Board, Coalescer
from agentlab.widgets.meanings import PCA, TSNE, Map
from agentlab.widgets.memory_explorer import MemoryExplorer
from agentlab.widgets.shelves import Shelf
from tests.memory.shelves import said_by
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


def test_a_memory_that_changes_is_read_again_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until then the explorer shows what there was; then the card above it follows, too."""
    cards = list[object]()

    def freshen(explorer: MemoryExplorer) -> None:
        cards.append(explorer)

    monkeypatch.setattr(MemoryExplorer, "freshen", freshen)

    async def work() -> None:
        store = episodes()
        explorer = MemoryExplorer(store)
        explorer.query = "exam"
        store.add_episode("ada", "The exam went well", 1.0)
        assert explorer.changes()["found"]["total"] == 2
        assert cards == []
        explorer.asked({"type": "refresh"})
        assert cards == [explorer]
        assert explorer.changes()["found"]["total"] == 3
        assert explorer.query == "exam"
        explorer.close()

    asyncio.run(work())


def test_messages(sent: list[dict[str, Any]]) -> None:
    """Many moves leave in few messages, each with what is different only."""

    async def quiet() -> None:
        while True:
            known = len(sent)
            await asyncio.sleep(0.3)
            if known and len(sent) == known:
                return

    async def work() -> None:
        explorer = MemoryExplorer(long_term(500), Coalescer(0.02))
        explorer.touch()
        await quiet()
        first = len(sent)
        for at in range(0, 300, 3):
            explorer.asked({"type": "go", "no": at})
        await quiet()
        news = sent[first:]
        assert 1 <= len(news) <= 8  # of a hundred moves, and the map
        moved = [told for told in news if any(".clock" in name for name in told)]
        assert moved
        assert not any(".title" in name or ".d0" in name for told in moved for name in told)
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


def test_a_map_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the kernel's work; it says how long it takes, and the one before stays meanwhile."""
    made, go = list[str](), threading.Event()

    class Slow(Map):
        def __init__(self, shelf: Shelf, how: str, embedder: Any) -> None:
            made.append(how)
            assert len(made) == 1 or go.wait(60)
            super().__init__(shelf, PCA, embedder)

    monkeypatch.setattr(memory_explorer, "Map", Slow)
    monkeypatch.setattr(memory_explorer, "TOLD_S", 0.01)

    async def noted(explorer: MemoryExplorer, start: str) -> bool:
        for _ in range(500):
            if explorer.changes()["spots"]["note"].startswith(start):
                return True
            await asyncio.sleep(0.01)
        return False

    async def work() -> None:
        explorer = MemoryExplorer(long_term(20))
        monkeypatch.setattr(MemoryExplorer, "comm", object())
        explorer.projection = PCA
        assert await noted(explorer, "map by PCA")
        explorer.projection = TSNE
        assert await noted(explorer, "drawing the map by t-SNE, ")
        assert explorer.changes()["spots"]["names"]
        for way in (PCA, TSNE, PCA):
            explorer.projection = way
        assert await noted(explorer, "map by PCA")
        go.set()
        explorer.projection = TSNE
        assert await noted(explorer, "map by")
        assert made == [PCA, TSNE]
        monkeypatch.undo()
        explorer.close()

    asyncio.run(work())


def test_no_map_of_vectors_that_cannot_be_made() -> None:
    """An embedder that fails is named in the place of the map; the rest goes on."""

    async def work() -> None:
        explorer = MemoryExplorer(long_term(20), embedder=lambda _: 1 / 0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(MemoryExplorer, "comm", object())
            explorer.projection = PCA
            for _ in range(500):
                if explorer.changes()["spots"]["note"].startswith("no map: "):
                    break
                await asyncio.sleep(0.01)
        assert "division by zero" in explorer.changes()["spots"]["note"]
        explorer.query = "exam"
        explorer.close()

    asyncio.run(work())


SCRIPT = """
import asyncio
from datetime import timedelta
from random import Random
import agentlab as al
from agentlab.core.clock import FakeClock
from agentlab.widgets.meanings import Map, ways
from agentlab.widgets.memory_explorer import MemoryExplorer

async def told():
    store = al.EpisodicStore(decay=al.DecayPolicy.exponential(24), clock=FakeClock(), rng=Random(7))
    for i, entry in enumerate(al.datasets.diary()):
        id = store.add_episode("ab"[i % 2], entry.text, entry.importance)
        store.update_tags_by_id("ab"[i % 2], id, entry.tags)
    explorer = MemoryExplorer(store)
    explorer.query, explorer.moment = "the cello in the garden", timedelta(hours=3)
    for way in ways():
        explorer._seen.drawn(Map(explorer._seen.shelf, way))
        print(explorer.changes())

asyncio.run(told())
"""


def test_the_same_memory_looks_the_same() -> None:
    """Lists, chips, maps by either way and their names, in processes whose hashes differ."""
    said = {said_by(SCRIPT, seed) for seed in ("1", "2")}

    assert len(said) == 1
    assert len(said.pop()) > 5000
