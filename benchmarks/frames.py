"""What a frame of 100,000 records costs, beside pandas' own frame of the same as dictionaries.

Prints milliseconds. Both are timed in turn, round after round, so that the ratio holds on a busy
machine; the dictionaries are made before, and also as part of it, since somebody has to.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pandas as pd

from agentlab.core.events import Entry, ReActStep, Token
from agentlab.core.trace import Trace
from agentlab.frames import frame

ROUNDS, COUNT = 9, 100_000
BEGAN = datetime(2030, 1, 1, tzinfo=UTC)


def at(index: int) -> datetime:
    """Give a moment of its own."""
    return BEGAN + timedelta(milliseconds=index)


def steps() -> list[ReActStep]:
    """Give steps as a loop makes them."""
    return [
        ReActStep(
            f"thought {i}", f"find {i}", '{"data":1,"ok":true}', i, "find", {"n": i},
            step_duration_ms=9, started_at=at(i),
        )
        for i in range(COUNT)
    ]  # fmt: skip


def tokens() -> Trace:
    """Give a trace as a stream makes it."""
    made = Trace()
    made.entries = [Entry("r", None, i, at(i), i / 1000, Token(1, f"w{i}")) for i in range(COUNT)]
    return made


def milliseconds(work: Callable[[], object]) -> float:
    """Time one call."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def compare(name: str, thing: object, records: list[ReActStep] | list[Entry]) -> None:
    """Time a frame against both others and print the medians."""
    dicts = [msgspec.structs.asdict(each) for each in records]
    works: list[Callable[[], object]] = [
        lambda: frame(thing),
        lambda: pd.DataFrame(dicts),
        lambda: pd.DataFrame([msgspec.structs.asdict(each) for each in records]),
    ]
    rounds = [[milliseconds(work) for work in works] for _ in range(ROUNDS)]
    ours, plain, whole = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(
        f"{name}: {ours:.0f} ms; of dictionaries {plain:.0f} ms, ratio {ours / plain:.2f};"
        f" with the making of them {whole:.0f} ms, ratio {ours / whole:.2f}"
    )


if __name__ == "__main__":
    some, trace = steps(), tokens()
    compare("steps", some, some)
    compare("entries", trace, trace.entries)
