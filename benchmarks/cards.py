"""What the card of a session costs, beside pandas' own table of the same steps.

Prints milliseconds and kilobytes. Both are timed in turn, round after round, so that the ratio
holds on a busy machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from agentlab.core.events import ReActStep
from agentlab.core.protocols import Observation
from agentlab.core.session import AgentSession

ROUNDS = 15
COUNTS = (20, 200, 2000)
MOST_KB = 24
FOUND = {"title": "A page about a river and its towns", "score": 0.71, "lines": [12, 40, 51]}


def session(count: int) -> AgentSession:
    """Give a session of ``count`` steps, every twentieth of which failed."""
    return AgentSession(
        "id", "agent", "Which towns lie on the river?", "stub",
        steps=[step(i) for i in range(count)], tokens_in=1200, tokens_out=90,
        duration_ms=900 * count, stop_reason="max_iterations",
    )  # fmt: skip


def step(index: int) -> ReActStep:
    """Give one step of about five hundred characters."""
    bad = index % 20 == 0
    seen = Observation(ok=True, data=FOUND)
    if bad:
        seen = Observation(ok=False, error="ConnectionError: refused", error_kind="transient")
    return ReActStep(
        "I have the first towns, so I should look for the next page of the list. " * 2,
        f'search {{"query": "towns on the river", "page": {index}}}',
        seen.text,
        index,
        "search",
        {"query": "towns on the river", "page": index},
        seen.error_kind,
        100 + index * 37 % 900,
    )


def milliseconds(work: Callable[[], object]) -> float:
    """Time one call."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Time all of them in turn and print the medians."""
    sessions = {count: session(count) for count in COUNTS}
    frame = sessions[200].to_frame()
    works: dict[object, Callable[[], str]] = {"pandas": frame.to_html}
    works |= {count: it.to_html for count, it in sessions.items()}
    rounds = [{name: milliseconds(work) for name, work in works.items()} for _ in range(ROUNDS)]
    took = {name: statistics.median(each[name] for each in rounds) for name in works}
    size = {name: len(work().encode()) / 1024 for name, work in works.items()}
    for name in works:
        print(f"{name}: {took[name]:.2f} ms, {size[name]:.1f} KB")
    print(f"200 steps against DataFrame.to_html: {took[200] / took['pandas']:.3f}")
    print(f"2000 against 200: time {took[2000] / took[200]:.2f}, size {size[2000] / size[200]:.2f}")
    assert size[200] <= MOST_KB, "the card of 200 steps has grown"


if __name__ == "__main__":
    main()
