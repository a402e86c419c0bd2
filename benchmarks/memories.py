"""What memories cost, beside a straightforward port of the same rules to plain Python.

The port does what the reference does: a record an item with a UUID and a datetime, every item
weighed and all of them sorted at each recall, cosine number by number, a dictionary and a list
for working memory. The compiled reference itself is not here, so its ratios cannot be measured.
Ours and the port are timed in turn, round after round, in CPU time on one BLAS thread; each figure
is the median, and a slope is that of ours in a plot of both logarithms, from 1,000 to 100,000.
"""

from __future__ import annotations

import math
import os
import statistics
import time
import tracemalloc
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from agentlab import datasets
from agentlab.core.clock import FakeClock
from agentlab.memory.decay import DecayPolicy, RecallPolicy
from agentlab.memory.episodic import EpisodicStore
from agentlab.memory.nearest import VectorMemory
from agentlab.memory.working import WorkingMemory
from agentlab.widgets.meanings import Map, ways
from agentlab.widgets.shelves import Shelf

ROUNDS = 7
SIZES = (1_000, 10_000, 100_000)
START = datetime(2030, 1, 1, tzinfo=UTC)
HALF_LIFE = 24.0
DIM = 384
CAPACITY = 1000
PORTED = 10_000  # vectors that the port looks at; its time for more is reckoned
Work = Callable[[], object]


@dataclass
class Item:
    """An item of the port."""

    content: str
    importance: float
    timestamp: datetime
    tags: list[str] = field(default_factory=list)
    recall_count: int = 0
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class Port:
    """The rules of an episodic store, said plainly."""

    def __init__(self, score: Callable[[Item, float, int], float]) -> None:
        self.items: list[Item] = []
        self.score = score
        self.now = START

    def add(self, content: str, importance: float, at: datetime) -> str:
        """Add an item."""
        self.items.append(Item(content, min(max(importance, 0.0), 1.0), at))
        return self.items[-1].id

    def recall(self, limit: int) -> list[Item]:
        """Weigh all, sort all, count the first."""
        most = max((item.recall_count for item in self.items), default=0)
        weighed = [
            (self.score(item, (self.now - item.timestamp).total_seconds() / 3600, most), item)
            for item in self.items
        ]
        weighed.sort(key=lambda pair: pair[0], reverse=True)
        best = [item for _, item in weighed[:limit]]
        for item in best:
            item.recall_count += 1
        return best


def faded(item: Item, age: float, _: int) -> float:
    """Give what is left."""
    return item.importance * math.pow(2.0, -age / HALF_LIFE)


def plain(item: Item, _: float, __: int) -> float:
    """Give the importance."""
    return item.importance


def hybrid(item: Item, age: float, most: int) -> float:
    """Give importance, freshness and use."""
    return item.importance + math.exp(-age / 24) + 0.1 * item.recall_count / (most + 1)


def micros(works: Iterable[tuple[Work, int]], rounds: int = ROUNDS) -> list[float]:
    """Time works in turn, each so many times a round; give the median CPU µs of a call."""
    several = list(works)
    times: list[list[float]] = [[] for _ in several]
    for work, _ in several:
        work()
    for _ in range(rounds):
        for (work, repeat), each in zip(several, times, strict=True):
            began = time.process_time()
            for _ in range(repeat):
                work()
            each.append((time.process_time() - began) / repeat * 1e6)
    return [statistics.median(each) for each in times]


def told(name: str, ours: float, port: float, unit: str = "µs") -> None:
    """Print a ratio."""
    print(f"{name}: {ours:,.2f} {unit}, the port {port:,.2f} {unit}, ratio {ours / port:.4f}")


def slope(sizes: Iterable[int], times: Iterable[float]) -> float:
    """Give the slope of both logarithms."""
    return float(np.polyfit(np.log([*sizes]), np.log([*times]), 1)[0])


def filled(size: int, store: EpisodicStore, port: Port) -> None:
    """Remember the same in both, spread over a hundred days."""
    chance = np.random.default_rng(1)
    importance = chance.random(size).tolist()
    hours = chance.uniform(0, 2400, size).tolist()
    for i in range(size):
        at = START - timedelta(hours=hours[i])
        store.add_episode_at("a", f"what happened {i}", importance[i], at)
        port.add(f"what happened {i}", importance[i], at)


def recalls(name: str, score: Callable[[Item, float, int], float], how: dict[str, object]) -> None:
    """Time a recall of five with one add between, at each size."""
    taken = []
    for size in SIZES:
        clock = FakeClock(START)
        store, port = EpisodicStore(clock=clock, **how), Port(score)  # type: ignore[arg-type]
        filled(size, store, port)

        def ours(clock: FakeClock = clock, store: EpisodicStore = store) -> None:
            clock.advance(60)
            store.add_episode("a", "new", 0.5)
            store.recall("a", 5)

        def theirs(port: Port = port) -> None:
            port.now += timedelta(seconds=60)
            port.add("new", 0.5, port.now)
            port.recall(5)

        mine, its = micros([(ours, 20), (theirs, max(1, 3_000 // size))])
        told(f"{name}, {size:,}", mine, its)
        taken.append(mine)
    print(f"{name}: slope {slope(SIZES, taken):.2f}")


def adds() -> None:
    """Time adding one and adding many; weigh an item."""
    count = 20_000
    texts = [f"what happened {i}" for i in range(count)]

    def one() -> None:
        store = EpisodicStore()
        for text in texts:
            store.add_episode("a", text, 0.5)

    def many() -> None:
        EpisodicStore().add_many("a", [(text, 0.5) for text in texts])

    def theirs() -> None:
        port = Port(plain)
        for text in texts:
            port.add(text, 0.5, datetime.now(UTC))

    ours, at_once, port = (each / count for each in micros([(one, 1), (many, 1), (theirs, 1)]))
    told("add_episode", ours, port)
    told("add_many, an item", at_once, port)
    mine, its = weight(lambda: kept(texts)), weight(lambda: ported(texts))
    told("an item, its text of 20 letters included", mine, its, "bytes")


def kept(texts: list[str]) -> object:
    """Remember copies of texts."""
    store = EpisodicStore()
    store.add_many("a", [("" + text[:1] + text[1:], 0.5) for text in texts])
    store.recall("a", 1)
    return store


def ported(texts: list[str]) -> object:
    """Do the same in the port."""
    port = Port(plain)
    for text in texts:
        port.add("" + text[:1] + text[1:], 0.5, datetime.now(UTC))
    return port


def weight(make: Callable[[], object], count: int = 20_000) -> float:
    """Give the bytes of an item that stay."""
    make()  # what is loaded on first use is no item's
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    thing = make()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del thing
    return (after - before) / count


def cosines() -> None:
    """Time exact searches among vectors, one query and many."""
    for size in SIZES[1:]:
        chance = np.random.default_rng(1)
        vectors = chance.normal(size=(size, DIM))
        memory = VectorMemory[int]()
        memory.insert_many(vectors, list(range(size)))
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        rows = unit[:PORTED].tolist()  # of more, a number apiece would fill gigabytes
        queries = chance.normal(size=(32, DIM))
        query = queries[0].tolist()

        def theirs(rows: list[list[float]] = rows, query: list[float] = query) -> list[Any]:
            length = math.sqrt(math.fsum(x * x for x in query))
            scores = [
                (sum(a * b for a, b in zip(row, query, strict=True)) / length, i)
                for i, row in enumerate(rows)
            ]
            scores.sort(reverse=True)
            return scores[:10]

        def in_numpy(unit: np.ndarray = unit, query: np.ndarray = queries[0]) -> object:
            scores = unit @ (query / np.linalg.norm(query))
            return np.argsort(-scores, kind="stable")[:10]

        def ours(memory: VectorMemory[int] = memory, query: np.ndarray = queries[0]) -> object:
            return memory.search(query, 10)

        def at_once(memory: VectorMemory[int] = memory, queries: np.ndarray = queries) -> object:
            return memory.search_many(queries, 10)

        if size == PORTED:
            assert [value for _, value in memory.search(query, 10)] == [i for _, i in theirs()]
        works: list[tuple[Work, int]] = [(ours, 5), (at_once, 1), (in_numpy, 3), (theirs, 1)]
        mine, many, plain_numpy, port = micros(works, 5)
        port *= size / PORTED
        told(f"cosine top 10 of {size:,} × {DIM}", mine / 1000, port / 1000, "ms")
        told("… 32 at once, a query", many / 32_000, port / 1000, "ms")
        print(f"… plain NumPy, double precision: {plain_numpy / 1000:,.2f} ms")


class PortedPad:
    """A dictionary, and the keys in the order they were written."""

    def __init__(self, capacity: int) -> None:
        self.values: dict[str, str] = {}
        self.order: list[str] = []
        self.capacity = capacity

    def set(self, key: str, value: str) -> None:
        """Write, and let the oldest go."""
        if key in self.values:
            self.order.remove(key)
        elif len(self.values) >= self.capacity:
            del self.values[self.order.pop(0)]
        self.order.append(key)
        self.values[key] = value

    def get(self, key: str) -> str | None:
        """Read."""
        return self.values.get(key)


def pads() -> None:
    """Time a full working memory: writing over, reading, making room."""
    chance = np.random.default_rng(1)
    orders = cycle([[f"key {i}" for i in chance.permutation(CAPACITY)] for _ in range(50)])
    keys = next(orders)
    written = [f"key {i}" for i in range(CAPACITY)]
    fresh = [f"fresh {i}" for i in range(10 * CAPACITY)]

    def over(pad: WorkingMemory | PortedPad) -> None:
        for key in next(orders):  # each time another, so that the next is not always in front
            pad.set(key, "value")

    def read(pad: WorkingMemory | PortedPad) -> None:
        for key in keys:
            pad.get(key)

    def evict(pad: WorkingMemory | PortedPad) -> None:
        for key in fresh:
            pad.set(key, "value")

    for name, work, calls in (
        ("overwrite", over, CAPACITY), ("get", read, CAPACITY), ("evicting set", evict, len(fresh)),
    ):  # fmt: skip
        ours, port = WorkingMemory(CAPACITY), PortedPad(CAPACITY)
        for pad in (ours, port):
            for key in written:
                pad.set(key, "value")
        mine, its = micros([(lambda: work(ours), 1), (lambda: work(port), 1)])  # noqa: B023
        told(f"working memory of {CAPACITY:,}, {name}", mine / calls, its / calls)


def frames() -> None:
    """Time a frame of 100,000 memories."""
    store, port = EpisodicStore(decay=DecayPolicy.exponential(HALF_LIFE)), Port(plain)
    filled(SIZES[-1], store, port)
    dicts = [vars(item) for item in port.items]
    mine, its, whole = micros(
        [
            (store.to_frame, 1),
            (lambda: pd.DataFrame(dicts), 1),
            (lambda: pd.DataFrame([item.to_dict() for item in store.items("a")]), 1),
        ]
    )
    told("frame of 100,000", mine / 1000, its / 1000, "ms")
    print(f"… with the making of the dictionaries: {whole / 1000:,.0f} ms, {mine / whole:.4f}")


def maps() -> None:
    """Time maps of meanings as the explorer makes them, beside the kernel's work."""
    entries = datasets.diary()
    for size in (300, 5_000):
        texts = [f"{entries[i % len(entries)].text} ({i})" for i in range(size)]
        for way in ways():
            began = time.process_time()
            Map(Shelf(texts), way)
            print(f"a map of {size:,} by {way}: {time.process_time() - began:.1f} s CPU")


if __name__ == "__main__":
    decay = DecayPolicy.exponential(HALF_LIFE)
    recalls("recall(5) with decay", faded, {"decay": decay})
    recalls("recall(5) without", plain, {})
    recalls("hybrid recall(5)", hybrid, {"recall_policy": RecallPolicy.Hybrid(1.0, 0.1)})
    adds()
    cosines()
    pads()
    frames()
    maps()
