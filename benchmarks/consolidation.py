"""What memories cost that grow fewer: consolidation, long-term memory, and both compressors.

Consolidation is timed in turn with a port to plain Python, number by number, which must put the
same memories into the same clusters; clustering alone in turn with scikit-learn's
MiniBatchKMeans on the same matrix. All of it on one thread.
"""

from __future__ import annotations

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

import argparse
import math
import statistics
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from agentlab.core.text import words
from agentlab.memory.clustering import kmeans
from agentlab.memory.compression import MemoryCompressor, MemoryTurn
from agentlab.memory.consolidation import replaced
from agentlab.memory.episodic import EpisodicStore
from agentlab.memory.grouping import ConsolidationPolicy, Episode, grouped
from agentlab.memory.items import MemoryItem
from agentlab.memory.ltm import LtmStore
from agentlab.memory.tfidf import Matrix, tfidf
from agentlab.memory.turns import SemanticDedup, TurnCompressor

ROUNDS, AT = 5, datetime(2030, 1, 1, tzinfo=UTC)
POLICY = ConsolidationPolicy(similarity_threshold=0.1)
Vector = dict[str, float]


def texts(count: int) -> list[str]:
    """Give texts of a dozen words on eight themes, few of whose words are frequent."""
    rng = Random(7)  # noqa: S311 - nothing here is secret
    common = [f"word{i}" for i in range(60)]
    themes = [[f"{theme}{i}" for i in range(400)] for theme in "abcdefgh"]
    made = []
    for _ in range(count):
        own = rng.choice(themes)
        some = [own[int(400 * rng.random() ** 3)] for _ in range(8)]
        made.append(" ".join([*some, *rng.choices(common, k=4)]))
    return made


def memories(count: int) -> list[Episode]:
    """Give them as memories, a second apart, all old enough."""
    began = AT - timedelta(days=30)
    return [
        MemoryItem(f"m{i:06}", "ada", text, 0.5, began + timedelta(seconds=i))
        for i, text in enumerate(texts(count))
    ]


def unit(vector: Vector) -> Vector:
    """Bring a vector to unit length."""
    length = math.sqrt(sum(x * x for x in vector.values()))
    return {word: x / length for word, x in vector.items()}


def like(one: Vector, other: Vector) -> float:
    """Multiply two vectors, of which the first is the shorter."""
    return sum(x * other[word] for word, x in one.items() if word in other)


def ported(items: list[Episode], policy: ConsolidationPolicy) -> list[list[str]]:
    """Cluster as is told, with dictionaries: the ids of each cluster."""
    counts = [Counter(w for w in words(item.content) if len(w) >= 3) for item in items]  # noqa: PLR2004 - letters
    df = Counter(word for each in counts for word in each)
    points = [
        unit({w: n / each.total() * math.log(1 + len(items) / df[w]) for w, n in each.items()})
        for each in counts
    ]
    centres, nearest = [points[0]], [like(point, points[0]) for point in points]
    while len(centres) < policy.k_clusters:
        centres.append(points[nearest.index(min(nearest))])
        nearest = [max(n, like(p, centres[-1])) for n, p in zip(nearest, points, strict=True)]
    labels: list[int] = []
    for _ in range(policy.kmeans_iterations):
        scores = [[like(point, centre) for centre in centres] for point in points]
        new = [row.index(max(row)) for row in scores]
        if new == labels:
            break
        labels, sums = new, [Counter[str]() for _ in centres]
        for point, label in zip(points, labels, strict=True):
            for word, x in point.items():
                sums[label][word] += x  # type: ignore[assignment] # a counter counts anything
        centres = [unit(dict(s)) if s else c for s, c in zip(sums, centres, strict=True)]
    clusters: list[list[str]] = [[] for _ in centres]
    for item, point, label in zip(items, points, labels, strict=True):
        if like(point, centres[label]) >= policy.similarity_threshold:
            clusters[label].append(item.id)
    return [cluster for cluster in clusters if cluster]


def ours(items: list[Episode], policy: ConsolidationPolicy) -> list[list[str]]:
    """Cluster with agentlab: the ids of each cluster."""
    found = grouped(items, policy, AT)
    return [[item.id for item in cluster.members] for cluster in found if cluster.members]


def seconds(work: Callable[[], object]) -> float:
    """Time one call, in CPU seconds."""
    began = time.process_time()
    work()
    return time.process_time() - began


def in_turn(*works: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Time some works in turn, round after round, and give the medians."""
    times = [[seconds(work) for work in works] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def consolidation(sizes: list[int]) -> None:
    """Compare with the port, and see how it grows."""
    some = memories(10_000)
    assert ours(some, POLICY) == ported(some, POLICY)
    mine, theirs = in_turn(lambda: ours(some, POLICY), lambda: ported(some, POLICY))
    print(
        f"consolidation of 10,000 texts: {mine * 1000:.0f} ms; a port to plain Python"
        f" {theirs:.2f} s; ratio {mine / theirs:.3f}"
    )
    took = {}
    for size in sizes:
        many = memories(size)
        (took[size],) = in_turn(lambda many=many: ours(many, POLICY))  # type: ignore[misc]
        print(f"  {size:>9,} texts: {took[size] * 1000:,.0f} ms")
    first, last = sizes[0], sizes[-1]
    slope = math.log(took[last] / took[first]) / math.log(last / first)
    print(f"  slope from {first:,} to {last:,}: {slope:.2f}")


def clustering(size: int) -> None:
    """Compare with scikit-learn, on the same rows."""
    from scipy.sparse import csr_matrix
    from sklearn.cluster import MiniBatchKMeans

    matrix: Matrix = tfidf(texts(size))[0]
    rows = csr_matrix((matrix.values, (matrix.rows, matrix.columns)), shape=matrix.shape)
    mine, theirs = in_turn(
        lambda: kmeans(matrix, 8, 10),
        lambda: MiniBatchKMeans(8, random_state=0, n_init=1).fit(rows),
    )
    print(
        f"clustering of {size:,} rows: {mine * 1000:.0f} ms; MiniBatchKMeans"
        f" {theirs * 1000:.0f} ms; ratio {mine / theirs:.2f}"
    )


def replacing(size: int) -> None:
    """Put one memory in the place of many: at once, and as a store that cannot do that does."""

    def once(*, whole: bool) -> float:
        store = EpisodicStore()
        store.add_many("ada", [(f"m{i}", i % 10 / 10) for i in range(size)])
        gone = store.items("ada")[: size // 100]
        shown: Any = store if whole else OneByOne(store)
        return seconds(lambda: replaced(shown, "ada", gone, "all of it", 0.5))

    times = [(once(whole=True), once(whole=False)) for _ in range(ROUNDS)]
    at_once, singly = (statistics.median(column) for column in zip(*times, strict=True))
    print(
        f"one memory in the place of {size // 100:,} of {size:,}: {at_once * 1000:.1f} ms; one by"
        f" one {singly * 1000:.1f} ms; ratio {at_once / singly:.3f}"
    )


class OneByOne:
    """A store without ``replace_by_ids``."""

    def __init__(self, store: EpisodicStore) -> None:
        self.items = store.items
        self.add_episode_at = store.add_episode_at
        self.update_tags_by_id = store.update_tags_by_id
        self.remove_by_id = store.remove_by_id


def longterm(size: int) -> None:
    """Time a long-term memory of many entries."""
    some, ltm = texts(size), LtmStore()
    (filling,) = in_turn(lambda: [ltm.remember(text, 0.5) for text in some], rounds=1)
    (recall,) = in_turn(lambda: [ltm.recall(text, 5) for text in some[:100]])
    (full,) = in_turn(lambda: [ltm.remember(text, 0.6) for text in some[:1000]], rounds=1)
    (merging,) = in_turn(ltm.consolidate, rounds=1)
    (decay,) = in_turn(ltm.decay)
    print(
        f"long-term memory of {size:,}: remember {filling / size * 1e6:.0f} µs, when full"
        f" {full * 1000:.0f} µs; recall {recall * 10:.2f} ms; consolidate {merging:.2f} s;"
        f" decay {decay * 1000:.0f} ms"
    )


def compression(size: int) -> None:
    """Time both compressors, and deduplication alone, on a long conversation."""
    turns = [
        MemoryTurn(f"t{i}", "user", f"Then we met Acme Corp in {text}.", AT + timedelta(seconds=i))
        for i, text in enumerate(texts(size))
    ]
    budget = MemoryCompressor(size)
    works: dict[str, Callable[[], object]] = {
        "to a budget": lambda: budget.compress(turns),
        "in three passes": lambda: TurnCompressor().compress(turns),
        "deduplication of all": lambda: SemanticDedup().apply(turns),
    }
    for (name, _), took in zip(works.items(), in_turn(*works.values()), strict=True):
        print(f"compression of {size:,} turns, {name}: {took * 1e6 / size:.1f} µs a turn")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a tenth of it, to see that it runs")
    scale = 10 if parser.parse_args().small else 1
    consolidation([size // scale for size in (1_000, 10_000, 100_000)])
    clustering(10_000 // scale)
    clustering(100_000 // scale)
    replacing(10_000 // scale)
    replacing(100_000 // scale)
    longterm(10_000 // scale)
    compression(10_000 // scale)
