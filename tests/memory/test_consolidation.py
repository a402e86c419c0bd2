"""Old memories that say much the same become one; nothing is lost, nothing is there twice."""

from __future__ import annotations

import asyncio
import logging
import math
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.errors import InvalidValue
from agentlab.datasets import diary
from agentlab.memory import clustering
from agentlab.memory.clustering import kmeans, means
from agentlab.memory.consolidation import ConsolidationPolicy, MemoryConsolidator
from agentlab.memory.episodic import EpisodicStore
from agentlab.memory.tfidf import Matrix, tfidf
from agentlab.models.scripted import ScriptedModel
from tests.memory.shelves import AT, Memory, Shelf, said_by, shelf

SAME = ["the harbour was quiet today"] * 10
TWO = ConsolidationPolicy(k_clusters=2)


def consolidator(
    store: Shelf, policy: ConsolidationPolicy = TWO, **more: Any
) -> MemoryConsolidator:
    """Give one whose clock stands at the moment that memories are measured from."""
    return MemoryConsolidator(store, policy, clock=FakeClock(AT), **more)


def test_w18_1() -> None:
    """Four vectors in two directions fall into two clusters."""
    rows = Matrix.of([(1, 0), (0.95, 0.05), (0, 1), (0.05, 0.95)])
    first, second, third, fourth = kmeans(rows, 2, 10).labels.tolist()

    assert first == second != third == fourth


def test_w18_2() -> None:
    """Of ten that are the same, two hours old, eight become one and the newest two stay."""
    store = shelf(*SAME)
    (made,) = consolidator(store).consolidate_agent_sync("ada")

    assert made.source_count == 8
    assert made.source_ids == tuple(f"m{i:05}" for i in range(1, 9))
    assert made.summary_content == "; ".join(SAME[:8])
    assert made.importance == 0.5
    left = store.items("ada")
    assert [memory.id for memory in left if not memory.tags] == ["m00009", "m00010"]
    (summary,) = [memory for memory in left if memory.tags]
    assert (summary.id, summary.tags) == (made.memory_id, ("consolidated",))
    assert summary.timestamp == AT - timedelta(hours=2) + timedelta(seconds=7)


def test_an_episodic_store() -> None:
    """Is what it is made for: eight become one that is tagged, no memory counts as recalled."""
    clock = FakeClock(AT)
    store = EpisodicStore(per_agent_capacity=10, clock=clock)
    for i, content in enumerate(SAME):
        store.add_episode_at("ada", content, i / 10, AT + timedelta(seconds=i))
    store.add_episode_with_tags("eve", "something else", 0.5, ["kept"])
    clock.advance(7200)
    making = MemoryConsolidator(store, TWO, clock=clock)
    (made,) = making.consolidate_sync()

    assert (made.agent_id, made.source_count) == ("ada", 8)
    assert made.importance == pytest.approx(0.35)
    summary = store.get("ada", str(made.memory_id))
    assert summary is not None
    assert (summary.content, summary.tags) == ("; ".join(SAME[:8]), ("consolidated",))
    assert summary.timestamp == AT + timedelta(seconds=7)
    assert [item.importance for item in store.items("ada") if not item.tags] == [0.8, 0.9]
    assert {item.recall_count for item in store.items("ada")} == {0}
    assert store.items("eve")[0].tags == ("kept",)
    assert making.consolidate_sync() == []


def test_w18_3() -> None:
    """Of two nothing is made."""
    store = shelf(*SAME[:2])

    assert consolidator(store).consolidate_agent_sync("ada") == []
    assert len(store.items("ada")) == 2


def test_w18_4() -> None:
    """A second pass right after finds nothing new; what was made is never clustered again."""
    store = shelf(*SAME)
    making = consolidator(store)
    making.consolidate_agent_sync("ada")
    left = store.items("ada")

    for _ in range(5):
        assert making.consolidate_agent_sync("ada") == []
    assert store.items("ada") == left


def test_defaults_are_those_of_the_reference() -> None:
    """All seven of them."""
    assert ConsolidationPolicy() == ConsolidationPolicy(3, 3600, 0.65, 300, 8, 10, 2)


def test_size_and_age_must_both_hold() -> None:
    """A young cluster stays as it is, and of a mixed one only what is old goes."""
    assert consolidator(shelf(*SAME, hours=0.5)).consolidate_agent_sync("ada") == []

    store = shelf(*SAME[:3])
    for i in range(7):
        store.add_episode_at("ada", SAME[0], 0.5, AT - timedelta(minutes=7 - i))
    (made,) = consolidator(store).consolidate_agent_sync("ada")
    assert made.source_ids == ("m00001", "m00002", "m00003")


def test_what_is_not_near_enough_leaves() -> None:
    """An outlier is not merged, and does not count for the size."""
    policy = ConsolidationPolicy(k_clusters=1, keep_recent_per_cluster=0)
    store = shelf(*["a quiet harbour morning"] * 4, "volcanoes erupt violently underwater")
    done = consolidator(store, policy).consolidate_agent_sync("ada")

    assert [made.source_count for made in done] == [4]
    assert [(row.size, row.strays) for row in done.clusters] == [(4, 1)]
    assert "volcanoes erupt violently underwater" in [m.content for m in store.items("ada")]


def test_few_memories_have_fewer_clusters() -> None:
    """Four of one kind are merged though eight clusters were asked for."""
    store = shelf(*SAME[:4])
    done = consolidator(store, ConsolidationPolicy()).consolidate_agent_sync("ada")

    assert [made.source_count for made in done] == [2]


def test_few_memories_that_differ_are_not_split() -> None:
    """There is one cluster of four, not four of one."""
    store = shelf(*(f"the quiet harbour at {word}" for word in ("dawn", "noon", "dusk", "night")))
    done = consolidator(store, ConsolidationPolicy()).consolidate_agent_sync("ada")

    assert [(row.size, row.merged) for row in done.clusters] == [(4, 2)]


def test_a_centre_that_nobody_is_near_stays() -> None:
    """Where it was; the others move to the middle of theirs."""
    rows = Matrix.of([(1, 0), (0, 1)])
    before = np.array([[0.6, 0.8], [0.8, 0.6]])
    after = means(rows, np.array([0, 0]), before)

    assert after.tolist() == [pytest.approx([math.sqrt(0.5)] * 2), [0.8, 0.6]]


def test_themes_stay_apart() -> None:
    """Each becomes a memory of its own; agents, too."""
    store = shelf(*["watered the tomato plants"] * 5, *["practised the cello sonata"] * 5)
    for memory in shelf(*SAME, agent="bea").items("bea"):
        store.put("bea", memory)
    done = consolidator(store, ConsolidationPolicy(k_clusters=2)).consolidate_sync()

    assert sorted((made.agent_id, made.source_count) for made in done) == [
        ("ada", 3), ("ada", 3), ("bea", 8),
    ]  # fmt: skip
    assert {row.words[0] for row in done.clusters} <= {
        "watered", "tomato", "plants", "practised", "cello", "sonata", "the", "harbour", "was",
        "quiet", "today",
    }  # fmt: skip
    assert (done.before, done.after) == (20, 9)


def test_the_counters_are_live() -> None:
    """What was taken before shows what came after; a pass over all agents is one run."""
    making = consolidator(shelf(*SAME))
    metrics = making.metrics()

    assert (metrics.runs(), metrics.consolidated()) == (0, 0)
    making.consolidate_agent_sync("ada")
    assert (metrics.runs(), metrics.consolidated()) == (1, 8)
    making.consolidate_sync()
    assert (metrics.consolidation_runs_total, metrics.memories_consolidated_total) == (2, 8)


def test_take_consolidated_drains() -> None:
    """What was made is given once, and only the last thousand of it is kept."""
    making = consolidator(shelf(*SAME))
    done = making.consolidate_agent_sync("ada")

    assert making.take_consolidated() == list(done)
    assert making.take_consolidated() == []

    store = Shelf()
    for agent in range(1002):
        for content in SAME[:4]:
            store.add_episode_at(f"a{agent:04}", content, 0.5, AT - timedelta(hours=2))
    making = consolidator(store)
    making.consolidate_sync()
    assert making.overflowed == 2
    taken = making.take_consolidated()
    assert len(taken) == 1000
    assert taken[-1].agent_id == "a1001"


def test_only_reporting() -> None:
    """The store stays as it is, and what was reported once is not reported again."""
    store = shelf(*SAME)
    making = consolidator(store, write_back=False)
    before = store.items("ada")
    (made,) = making.consolidate_agent_sync("ada")

    assert (made.source_count, made.memory_id) == (8, None)
    assert making.consolidate_agent_sync("ada") == []
    assert store.items("ada") == before
    store.kept["ada"] = []
    making.consolidate_agent_sync("ada")
    store.kept["ada"] = before  # they are others now, though they have the same ids
    assert len(making.consolidate_agent_sync("ada")) == 1


def test_a_long_summary_is_cut() -> None:
    """After four thousand characters, with an ellipsis; sources are oldest first."""
    texts = [f"{i} " + "word " * 300 for i in range(10)]
    (made,) = consolidator(shelf(*texts)).consolidate_agent_sync("ada")

    assert len(made.summary_content) == 4001
    assert made.summary_content.endswith("…")
    assert made.summary_content.startswith("0 word")


def test_somebody_writes_the_summary() -> None:
    """A function of the texts, async or not; a model; a function of a prompt."""

    async def counts(texts: list[str]) -> str:
        return f"{len(texts)} quiet days"

    for more in (
        {"summarise": counts},
        {"summarise": lambda texts: f"{len(texts)} quiet days"},
        {"model": ScriptedModel("8 quiet days")},
        {"model": lambda prompt: f"{prompt.count(SAME[0])} quiet days"},
    ):
        store = shelf(*SAME)
        (made,) = consolidator(store, **more).consolidate_agent_sync("ada")
        assert made.summary_content == "8 quiet days"
        assert "8 quiet days" in [memory.content for memory in store.items("ada")]


def test_a_summary_that_fails_changes_nothing() -> None:
    """Not even for a cluster whose summary was there already."""

    def moody(texts: list[str]) -> str:
        if "cello" in texts[0]:
            raise ConnectionError("down")
        return "fine"

    store = shelf(*["watered the tomato plants"] * 5, *["practised the cello sonata"] * 5)
    before = store.items("ada")
    making = consolidator(store, ConsolidationPolicy(k_clusters=2), summarise=moody)

    with pytest.raises(ConnectionError):
        making.consolidate_agent_sync("ada")
    assert store.items("ada") == before
    with pytest.raises(InvalidValue, match="a summary must say something"):
        consolidator(store, summarise=lambda _: " ").consolidate_agent_sync("ada")
    assert store.items("ada") == before


def test_one_agents_error_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and named; the others' memories are consolidated."""
    store = shelf(*SAME)
    store.put("aaa", Memory("x", "no time zone", 0.5, datetime(2030, 1, 1)))  # noqa: DTZ001
    with caplog.at_level(logging.ERROR, "agentlab.memory"):
        done = consolidator(store).consolidate_sync()

    assert [made.agent_id for made in done] == ["ada"]
    assert done.errors[0].startswith("aaa: the timestamp of memory 'x' must be a datetime with")
    assert "'aaa' could not be consolidated" in caplog.text


def test_a_store_that_refuses_keeps_all() -> None:
    """Where the new memory cannot be taken in, every source is still there."""
    store = shelf(*SAME)
    store.refuses = True
    with pytest.raises(OSError, match="full"):
        consolidator(store).consolidate_agent_sync("ada")

    assert sorted(memory.content for memory in store.items("ada")) == sorted(SAME)


def test_a_full_store_evicts_nothing_for_it() -> None:
    """There is room for what is made before it comes."""
    store = shelf(*SAME, capacity=11)
    store.put("ada", Memory("weak", "of no importance whatever", 0.01, AT))
    consolidator(store).consolidate_agent_sync("ada")

    assert "weak" in [memory.id for memory in store.items("ada")]
    assert len(store.items("ada")) == 4


def test_what_went_meanwhile_is_not_merged() -> None:
    """A source that is forgotten while a summary is written leaves the others alone."""
    store = shelf(*SAME)

    def forgetful(texts: list[str]) -> str:
        store.remove_by_id("ada", "m00003")
        return f"{len(texts)} days"

    done = consolidator(store, summarise=forgetful).consolidate_agent_sync("ada")

    assert done == []
    assert len(store.items("ada")) == 9
    assert (done.before, done.after) == (10, 10)


def test_two_at_once_merge_once() -> None:
    """Whoever comes second finds the sources gone."""
    store = shelf(*SAME)

    async def slow(texts: list[str]) -> str:
        await asyncio.sleep(0.01)
        return f"{len(texts)} days"

    making = consolidator(store, summarise=slow)

    async def both() -> list[Any]:
        return await asyncio.gather(*(making.consolidate_agent("ada") for _ in range(3)))

    assert sorted(map(len, asyncio.run(both()))) == [0, 0, 1]
    assert making.metrics().consolidated() == 8


def running(making: MemoryConsolidator, watch: Callable[[], bool]) -> Awaitable[None]:
    """Run it in the background until something is seen, and cancel it then."""

    async def play() -> None:
        task = asyncio.create_task(making.run())
        while not watch():  # noqa: ASYNC110 - a fake clock wakes nobody
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(asyncio.all_tasks()) == 1

    return play()


def test_in_the_background() -> None:
    """A pass at once and one every interval; it ends when it is cancelled, and leaves nothing."""
    clock = FakeClock(AT)
    making = MemoryConsolidator(shelf(*SAME), TWO, clock=clock)

    async def play() -> None:
        await running(making, lambda: making.metrics().runs() == 4)

    asyncio.run(play())
    assert making.metrics().consolidated() == 8
    assert clock.monotonic() in (900, 1200)


def test_in_the_background_errors_are_survived(caplog: pytest.LogCaptureFixture) -> None:
    """Of an agent, and of the store itself."""

    class Broken(Shelf):
        asked = 0

        def agent_ids(self) -> list[str]:
            self.asked += 1
            raise OSError("gone")

    store = Broken()

    async def play() -> None:
        await running(consolidator(store), lambda: store.asked == 3)

    asyncio.run(play())
    assert "a pass of consolidation failed" in caplog.text


def test_cancelled_anywhere() -> None:
    """A pass has merged a cluster or has not touched it, wherever it is cancelled."""

    async def slow(texts: list[str]) -> str:
        for _ in range(3):
            await asyncio.sleep(0)
        return f"{len(texts)} days"

    async def play(steps: int) -> int:
        store = shelf(*SAME)
        task = asyncio.create_task(consolidator(store, summarise=slow).consolidate_agent("ada"))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        contents = sorted(memory.content for memory in store.items("ada"))
        assert contents in (sorted(SAME), sorted(["8 days", *SAME[:2]]))
        return len(contents)

    assert {asyncio.run(play(steps)) for steps in range(12)} == {3, 10}


def test_many_are_thought_over_in_a_thread() -> None:
    """The loop goes on meanwhile."""
    store = shelf(*(f"memory of {word} number {i}" for i in range(400) for word in ("tea", "sea")))
    ticks = 0

    async def play() -> None:
        nonlocal ticks
        task = asyncio.create_task(consolidator(store).consolidate_agent("ada"))
        while not task.done():
            ticks += 1
            await asyncio.sleep(0)
        await task

    asyncio.run(play())
    assert ticks > 3


@pytest.mark.parametrize(
    "make",
    [
        lambda: ConsolidationPolicy(min_cluster_size=0),
        lambda: ConsolidationPolicy(max_age_secs=math.nan),
        lambda: ConsolidationPolicy(similarity_threshold=1.5),
        lambda: ConsolidationPolicy(run_interval_secs=0),
        lambda: ConsolidationPolicy(k_clusters=0),
        lambda: ConsolidationPolicy(kmeans_iterations=True),
        lambda: ConsolidationPolicy(keep_recent_per_cluster=-1),
        lambda: MemoryConsolidator(object()),  # type: ignore[arg-type]
        lambda: MemoryConsolidator(Shelf(), "policy"),  # type: ignore[arg-type]
        lambda: MemoryConsolidator(Shelf(), summarise="no"),  # type: ignore[arg-type]
        lambda: MemoryConsolidator(Shelf(), summarise=len, model=len),
        lambda: MemoryConsolidator(Shelf(), model="local"),
    ],
)
def test_what_can_never_be_right(make: Callable[[], object]) -> None:
    """Raises, and names the value."""
    with pytest.raises(InvalidValue, match="got "):
        make()


@pytest.mark.parametrize("importance", [math.nan, math.inf])
def test_a_memory_without_importance(importance: float) -> None:
    """Is refused with its id; all stay where they are."""
    store = shelf(*SAME)
    store.put("ada", Memory("odd", "x", importance, AT))

    with pytest.raises(InvalidValue, match="memory 'odd' has no importance"):
        consolidator(store).consolidate_agent_sync("ada")
    assert len(store.items("ada")) == 11


def test_odd_texts() -> None:
    """Nothing to read, a megabyte, lone surrogates: nobody's cluster, or an ordinary one."""
    store = shelf("", "!", "a b", "\ud800", *["word " * 200_000] * 4)
    done = consolidator(store).consolidate_agent_sync("ada")

    assert [made.source_count for made in done] == [2]
    assert len(done[0].summary_content) == 4001
    assert {"", "!", "a b", "\ud800"} < {memory.content for memory in store.items("ada")}
    assert consolidator(Shelf()).consolidate_sync() == []
    assert consolidator(Shelf()).consolidate_agent_sync("nobody") == []


def test_scipy_changes_nothing_and_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clusters are the same with it, without it, and where it cannot be imported."""
    matrix, _ = tfidf([entry.text for entry in diary()])
    plain = kmeans(matrix, 8, 10)
    monkeypatch.setattr(clustering, "MANY", 1)
    quick = kmeans(matrix, 8, 10)
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    without = kmeans(matrix, 8, 10)

    for other in (quick, without):
        assert other.labels.tolist() == plain.labels.tolist()
        assert other.likeness.tolist() == pytest.approx(plain.likeness.tolist(), abs=1e-12)


def test_rare_words_weigh_more() -> None:
    """A word's share of its text, times ln(1 + N/df); at unit length."""
    matrix, words = tfidf(["red apple", "red car", "no"])
    weights = [math.log(1 + 3 / 2), math.log(1 + 3)]  # two of the texts have the first word

    assert words == ["red", "apple", "car"]
    assert matrix.row(0).tolist() == pytest.approx(
        [w / math.hypot(*weights) for w in weights] + [0]
    )
    assert matrix.empty().tolist() == [False, False, True]


SCRIPT = """
from datetime import timedelta
from agentlab.core.clock import FakeClock
from agentlab.datasets import diary
from agentlab.memory.consolidation import ConsolidationPolicy, MemoryConsolidator
from tests.memory.shelves import AT, Shelf
store = Shelf()
for entry in diary():
    store.add_episode_at("ada", entry.text, entry.importance, entry.at)
policy = ConsolidationPolicy(similarity_threshold=0.3, k_clusters=12)
done = MemoryConsolidator(store, policy, clock=FakeClock(AT)).consolidate_sync()
print(list(done), done.clusters, store.items("ada"))
"""


def test_the_same_history_gives_the_same_bytes() -> None:
    """In processes whose hashes differ."""
    said = {said_by(SCRIPT, seed) for seed in ("1", "2")}

    assert len(said) == 1
    assert len(said.pop()) > 50_000
