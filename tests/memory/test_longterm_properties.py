"""Whatever is remembered: a long-term memory and a consolidator do what plain loops would do."""

from __future__ import annotations

import math
from datetime import timedelta
from unittest.mock import patch

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from agentlab.core.clock import FakeClock
from agentlab.memory import clustering
from agentlab.memory.clustering import kmeans
from agentlab.memory.consolidation import ConsolidationPolicy, MemoryConsolidator
from agentlab.memory.likeness import cosine, counted
from agentlab.memory.ltm import LtmConfig, LtmEntry, LtmStore
from agentlab.memory.merging import ALIKE, joined
from agentlab.memory.tfidf import Matrix, tfidf
from agentlab.store.memory import InMemoryPersistenceBackend
from tests.memory.shelves import AT, Shelf

WORDS = ["tide", "pool", "crab", "salt", "rope", "gull"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
SHARES = st.sampled_from([0.0, 0.2, 0.5, 0.5, 0.9, 1.0])
ANY = st.text(st.characters(exclude_categories=()), max_size=30) | TEXTS


def filled(things: list[tuple[str, float, float]], **config: object) -> tuple[LtmStore, FakeClock]:
    """Give a memory of things, each after some hours."""
    clock = FakeClock()
    ltm = LtmStore(LtmConfig(**config), clock=clock)  # type: ignore[arg-type]
    for content, importance, hours in things:
        clock.advance(hours * 3600)
        ltm.remember(content, importance)
    return ltm, clock


THINGS = st.lists(st.tuples(TEXTS, SHARES, st.sampled_from([0.0, 1.0, 500.0])), max_size=25)


@given(THINGS, TEXTS, st.integers(0, 10), st.booleans())
def test_recall(things: list[tuple[str, float, float]], query: str, k: int, decay: bool) -> None:  # noqa: FBT001
    """The best by cosine and what is left, as if each were looked at."""
    ltm, clock = filled(things)
    clock.advance(86_400)
    if decay:
        ltm.decay()
    now = clock.now().timestamp()

    def score(entry: LtmEntry) -> float:
        age = (now - entry.created_at) / 86_400
        return (
            cosine(counted(entry.content), counted(query)) * entry.importance * math.exp(-age / 30)
        )

    wanted = [entry for entry in ltm.entries() if score(entry) > 0]
    wanted.sort(key=lambda e: (-round(score(e), 12), -e.importance, -e.created_at, e.id))
    hits = ltm.recall(query, k)

    assert [round(hit.score or 0, 12) for hit in hits] == [round(score(e), 12) for e in wanted[:k]]
    assert {hit.id for hit in hits} <= {entry.id for entry in wanted}
    assert all(hit.access_count == 1 for hit in hits)


@given(THINGS, st.integers(1, 6), st.lists(st.integers(0, 24), max_size=3))
def test_eviction(things: list[tuple[str, float, float]], capacity: int, decays: list[int]) -> None:
    """The weakest goes, as if all were compared, between decays at any time."""
    clock = FakeClock()
    ltm = LtmStore(LtmConfig(capacity=capacity, min_importance=0), clock=clock)
    plain: list[LtmEntry] = []
    for i, (content, importance, hours) in enumerate(things):
        clock.advance(hours * 3600)
        if i in decays:
            ltm.decay()
            plain = [entry for entry in ltm.entries() if entry.id in {e.id for e in plain}]
        if len(plain) >= capacity:
            plain.remove(
                min(plain, key=lambda e: (e.decayed_importance, e.importance, e.created_at, -e.id))
            )
        ltm.remember(content, importance)
        plain.append(ltm.entries()[-1])

    assert ltm.entries() == plain


def merged_plainly(entries: list[LtmEntry]) -> list[LtmEntry]:
    """Merge by looking at every pair, from the first again after each merge."""
    left = list(entries)
    for first in entries:
        if first.id not in [entry.id for entry in left]:
            continue
        changed = True
        while changed:
            changed = False
            at = next(i for i, entry in enumerate(left) if entry.id == first.id)
            for other in left[at + 1 :]:
                if cosine(counted(left[at].content), counted(other.content)) > ALIKE:
                    left[at] = joined(left[at], other)
                    left.remove(other)
                    changed = True
                    break
    return left


@given(THINGS)
@settings(max_examples=200)
def test_consolidate(things: list[tuple[str, float, float]]) -> None:
    """No two alike are left, none is lost, and it is as if every pair were looked at."""
    ltm, _ = filled(things)
    before = {entry.id: entry for entry in ltm.entries()}
    merges = ltm.consolidate()
    left = ltm.entries()
    ids = [one for entry in left for one in (entry.id, *entry.merged_ids)]

    assert sorted(ids) == sorted(before)
    assert left == merged_plainly(list(before.values()))
    assert not [
        (one.id, other.id)
        for one in left
        for other in left
        if one.id < other.id and cosine(counted(one.content), counted(other.content)) > ALIKE
    ]
    for entry in left:
        members = [before[i] for i in (entry.id, *entry.merged_ids)]
        assert math.isclose(entry.importance, sum(m.importance for m in members) / len(members))
        assert entry.content in {m.content for m in members}
        assert len(entry.content) == max(len(m.content) for m in members)
    assert {row.into for row in merges} == {entry.id for entry in left if entry.merged_ids}
    assert ltm.consolidate() == []


@given(st.lists(st.tuples(ANY, st.floats(-2, 2)), max_size=8))
def test_saved_and_loaded(things: list[tuple[str, float]]) -> None:
    """Whatever the texts, all comes back."""
    ltm, shelf = LtmStore(clock=FakeClock()), InMemoryPersistenceBackend()
    for content, importance in things:
        ltm.remember(content, importance)
    ltm.save_sync(shelf)

    assert LtmStore.load_sync(shelf, clock=FakeClock()).entries() == ltm.entries()


VECTORS = st.lists(
    st.lists(st.sampled_from([0.0, 0.0, 1.0, 2.0, 3.0]), min_size=4, max_size=4).filter(any),
    min_size=1, max_size=20,
)  # fmt: skip


def kmeans_plainly(rows: list[list[float]], k: int, iterations: int) -> list[int]:
    """Do it as it is told, number by number."""

    def unit(v: list[float]) -> list[float]:
        length = math.sqrt(sum(x * x for x in v))
        return [x / length for x in v]

    def like(a: list[float], b: list[float]) -> float:
        return sum(x * y for x, y in zip(a, b, strict=True))

    points = [unit(row) for row in rows]
    centres = [points[0]]
    while len(centres) < k:
        nearest = [max(like(p, c) for c in centres) for p in points]
        centres.append(points[nearest.index(min(nearest))])
    labels: list[int] = []
    for _ in range(iterations):
        scores = [[like(p, c) for c in centres] for p in points]
        new = [row.index(max(row)) for row in scores]
        if new == labels:
            break
        labels = new
        for j in range(k):
            mine = [p for p, label in zip(points, labels, strict=True) if label == j]
            if mine:
                centres[j] = unit([sum(column) for column in zip(*mine, strict=True)])
    return labels


@given(VECTORS, st.integers(1, 5), st.integers(1, 10), st.sampled_from([1, 2000]))
@settings(max_examples=300)
def test_kmeans(rows: list[list[float]], k: int, iterations: int, many: int) -> None:
    """It is as if it were done number by number, with SciPy and without."""
    with patch.object(clustering, "MANY", many):
        found = kmeans(Matrix.of(rows), k, iterations)

    assert found.labels.tolist() == kmeans_plainly(rows, k, iterations)
    assert all(-1e-9 <= near <= 1 + 1e-9 for near in found.likeness.tolist())


@given(st.lists(TEXTS, min_size=1, max_size=12))
def test_tfidf(texts: list[str]) -> None:
    """Every weight is what the formula says."""
    matrix, words = tfidf(texts)
    split = [text.split() for text in texts]
    for i, mine in enumerate(split):
        weights = {
            word: mine.count(word) / len(mine)
            * math.log(1 + len(texts) / sum(word in other for other in split))
            for word in set(mine)
        }  # fmt: skip
        length = math.sqrt(sum(w * w for w in weights.values())) or 1
        row = dict(zip(words, matrix.row(i).tolist(), strict=False))
        assert all(math.isclose(row[word], w / length) for word, w in weights.items())
        assert sum(value != 0 for value in row.values()) == len(weights)


POLICIES = st.builds(
    ConsolidationPolicy,
    min_cluster_size=st.integers(1, 4), max_age_secs=st.sampled_from([0, 3600]),
    similarity_threshold=st.sampled_from([0, 0.5, 0.9]), k_clusters=st.integers(1, 5),
    kmeans_iterations=st.integers(1, 10), keep_recent_per_cluster=st.integers(0, 3),
)  # fmt: skip
MEMORIES = st.lists(st.tuples(TEXTS, SHARES, st.sampled_from([0, 30, 90, 200])), max_size=25)


@given(MEMORIES, POLICIES, st.booleans())
@settings(max_examples=200)
def test_nothing_is_lost(
    memories: list[tuple[str, float, int]],
    policy: ConsolidationPolicy,
    write: bool,  # noqa: FBT001
) -> None:
    """Every memory is there, or in exactly one that stands for it; what is young or new stays."""
    store = Shelf()
    for content, importance, minutes in memories:
        store.add_episode_at("ada", content, importance, AT - timedelta(minutes=minutes))
    before = {memory.id: memory for memory in store.items("ada")}
    making = MemoryConsolidator(store, policy, clock=FakeClock(AT), write_back=write)
    done = making.consolidate_agent_sync("ada")
    merged = [one for made in done for one in made.source_ids]
    left = {memory.id for memory in store.items("ada")}

    assert len(merged) == len(set(merged))
    assert set(merged) <= set(before)
    if write:
        assert left == (set(before) - set(merged)) | {made.memory_id for made in done}
    else:
        assert left == set(before)
    assert done.after == len(left)
    for made in done:
        sources = [before[one] for one in made.source_ids]
        assert made.source_count == len(sources) >= 2
        assert made.summary_content == "; ".join(memory.content for memory in sources)
        assert sources == sorted(sources, key=lambda memory: (memory.timestamp, memory.id))
        assert all((AT - m.timestamp).total_seconds() >= policy.max_age_secs for m in sources)
        assert math.isclose(made.importance, sum(m.importance for m in sources) / len(sources))
    for row in done.clusters:
        assert row.merged <= max(0, row.size - policy.keep_recent_per_cluster)
        assert not row.merged or row.size >= policy.min_cluster_size


@given(MEMORIES, POLICIES)
def test_passes_come_to_an_end(
    memories: list[tuple[str, float, int]], policy: ConsolidationPolicy
) -> None:
    """Pass after pass there is less to merge, until there is nothing."""
    store = Shelf()
    for content, importance, minutes in memories:
        store.add_episode_at("ada", content, importance, AT - timedelta(minutes=minutes))
    making = MemoryConsolidator(store, policy, clock=FakeClock(AT))
    for _ in range(len(memories) // 2 + 1):
        if not making.consolidate_agent_sync("ada"):
            break

    assert making.consolidate_agent_sync("ada") == []
    assert making.metrics().consolidated() <= len(memories)


@given(st.lists(st.builds(
    LtmEntry, st.integers(1, 9), ANY, SHARES, st.integers(0, 9), st.floats(0, 1e9),
    st.floats(0, 1e9), SHARES, st.none() | SHARES, st.lists(st.integers(1, 9)).map(tuple),
)))  # fmt: skip
def test_entries_are_values(entries: list[LtmEntry]) -> None:
    """They go through JSON and come back equal, but for what no text can hold."""
    for entry in entries:
        plain = msgspec.structs.replace(
            entry, content=entry.content.encode(errors="replace").decode()
        )
        assert LtmEntry.from_dict(plain.to_dict()) == plain
