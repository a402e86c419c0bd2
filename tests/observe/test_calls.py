"""What is known of calls under way."""

from __future__ import annotations

import pytest

from agentlab.observe import calls
from agentlab.observe.calls import Calls


def test_the_end_of_a_run_forgets_what_is_below_it() -> None:
    """And nothing beside it, whatever its name begins with."""
    under_way = Calls[str]()
    runs = ("r", "r/a#1", "r/a#1/b#1", "r/a#10", "r2")
    for run in runs:
        under_way.begin(run, 1, run)
    assert (len(under_way), repr(under_way)) == (5, "<Calls 5 under way>")

    under_way.forget("r/a#1")
    assert [under_way.end(run, 1) for run in runs] == ["r", None, None, "r/a#10", "r2"]
    for run in runs:
        under_way.begin(run, 1, run)
    under_way.forget("r")
    assert [under_way.end(run, 1) for run in runs] == [None, None, None, None, "r2"]
    under_way.forget("nobody")
    assert len(under_way) == 0


def test_trees_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those that never end the oldest are forgotten; those that ended take no room."""
    monkeypatch.setattr(calls, "MAX_TREES", 2)
    under_way = Calls[int]()
    under_way.begin("first", 1, 1)
    for n in range(9):
        under_way.begin(f"r{n}/a#1", 1, n)
        assert under_way.end(f"r{n}/a#1", 1) == n
        under_way.begin(f"s{n}/a#1", 1, n)
        under_way.forget(f"s{n}/a#1")
    assert len(under_way) == 1
    under_way.begin("second", 1, 2)
    under_way.begin("second", 2, 2)
    under_way.begin("third", 1, 3)

    assert len(under_way) == 3
    assert [under_way.end(run, 1) for run in ("first", "second", "third")] == [None, 2, 3]
