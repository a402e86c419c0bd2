"""What it costs to open a journal of 100,000 entries, and to travel in it.

Prints milliseconds: reading the file, finding the runs and calls, what a page is shown first, and
what it is told when one goes to a moment, selects a row, or filters. One journal has the pieces of
all answers, which most of its entries are; the other has none, and so far more calls.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

from agentlab.core import events
from agentlab.core.errors import ErrorKind
from agentlab.core.events import Entry, Event, ReActStep
from agentlab.core.protocols import Usage
from agentlab.store.journal import Journal
from agentlab.store.loading import load
from agentlab.widgets.journey import Journey

COUNT, MOMENTS, ROUNDS = 100_000, 100, 3
BEGAN = datetime(2030, 1, 1, tzinfo=UTC)
SEEN = '{"data":{"at":1},"ok":true}'


def entries(tokens: int) -> list[Entry]:
    """Give what a run of many steps says; of fifty calls of a tool one fails."""
    told: list[Entry] = []

    def say(event: Event) -> None:
        at = len(told) / 100
        told.append(Entry("r", None, len(told), BEGAN + timedelta(seconds=at), at, event))

    say(events.RunStarted("walker", "Walk!", "m", "react", {}))
    call, length, words = 1, 0, [f"word{i} " for i in range(tokens)]
    while len(told) < COUNT - 1:
        step, added = call // 2, f"Observation: {call}\n"
        first = call == 1
        say(
            events.Asked(
                call, "system" if first else None, None if first else call - 2, length, length,
                added, {} if first else None,
            )
        )  # fmt: skip
        length += len(added)
        for word in words:
            say(events.Token(call, word))
        say(events.Answered(call, "".join(words), Usage(10, tokens)))
        say(events.Thought("On."))
        say(events.ToolStarted(call + 1, "walk", {"to": step}))
        bad = step % 50 == 7  # noqa: PLR2004
        data, error = (None, "refused") if bad else ({"at": step}, None)
        kind: ErrorKind | None = "transient" if bad else None
        say(events.ToolEnded(call + 1, not bad, data, error, kind, 1.0))
        say(events.StepEnded(ReActStep("On.", "walk", SEEN, step, "walk", {"to": step})))
        call += 2
    say(events.RunEnded("final_answer", "there"))
    return told


def milliseconds(work: Callable[[], object]) -> float:
    """Time one call."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def percentiles(works: Sequence[Callable[[], object]]) -> str:
    """Time many calls, and say the middle one and the slow ones."""
    took = sorted(map(milliseconds, works))
    return f"p50 {took[len(took) // 2]:.1f}, p95 {took[len(took) * 95 // 100]:.1f} ms"


def travel(path: Path) -> None:
    """Open a journal and go about in it."""
    told = load(path).entries
    reading = min(milliseconds(lambda: load(path)) for _ in range(ROUNDS))
    finding = min(milliseconds(lambda: Journey(told)) for _ in range(ROUNDS))
    journey, rng = Journey(told), Random(7)  # noqa: S311 - the same each time
    first = milliseconds(journey.cells)
    spans = len(journey.timeline.spans)
    print(f"{len(told):,} entries, {spans:,} runs and calls: opened in", end=" ")
    print(f"{reading + finding + first:.0f} ms (read {reading:.0f}, found {finding:.0f})")

    def go(heard: int) -> None:
        journey.go(heard)
        journey.cells()

    def select(no: int) -> None:
        journey.select(no)
        journey.cells()

    def filter_errors() -> None:
        journey.want({"errors"})
        journey.cells()

    def find(text: str) -> None:
        journey.find(text)
        journey.cells()

    moments = [partial(go, rng.randrange(len(told))) for _ in range(MOMENTS)]
    calls = [partial(select, rng.randrange(spans)) for _ in range(MOMENTS)]
    print("  to a moment:", percentiles(moments))
    print("  to a call:", percentiles(calls))
    print("  to a text:", percentiles([partial(find, f"{i}7") for i in range(9)]))
    journey.find("")
    print(f"  to what failed: {milliseconds(filter_errors):.1f} ms")


def main() -> None:
    """Write both journals, and travel in them."""
    with tempfile.TemporaryDirectory() as folder:
        for name, tokens in (("with tokens", 20), ("without", 0)):
            path = Path(folder) / f"{name}.jsonl"
            with Journal(path, sync=False) as journal:
                for entry in entries(tokens):
                    journal(entry)
            travel(path)


if __name__ == "__main__":
    main()
