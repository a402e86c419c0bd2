"""Numbers and long texts, as people want them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.display.words import (
    beginning,
    count,
    gist,
    moment,
    most,
    number,
    plural,
    seconds,
    shortened,
)

ODD: list[Any] = [None, "x", math.nan, math.inf, -math.inf, 10**400, [], object(), True, -1, 2.5]


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (0, "0 ms"), (0.1, "0.1 ms"), (0.96, "1.0 ms"), (12.4, "12 ms"), (100, "0.1 s"),
        (940, "0.9 s"), (4100, "4.1 s"), (59_900, "59.9 s"), (180_000, "3 min"),
        (7_140_000, "119 min"), (7_200_000, "2 h"), (172_800_000, "2 d"),
    ],
)  # fmt: skip
def test_durations(ms: float, said: str) -> None:
    """One unit, and no more figures than anybody reads."""
    assert seconds(ms) == said


def test_counts() -> None:
    """Thousands apart, and one of a thing is one."""
    assert count(1204) == "1,204"
    assert [plural(n, "step") for n in (0, 1, 1204)] == ["0 steps", "1 step", "1,204 steps"]
    assert plural(2, "memory", "memories") == "2 memories"


@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
def test_whatever_it_is_it_is_said(value: object) -> None:
    """A view does not fail on a number that is none."""
    assert math.isfinite(number(value))
    assert seconds(value)
    assert count(value)
    assert plural(value, "step")
    assert most([value, 1]) >= 0
    assert isinstance(moment(value), str)


def test_the_most_of_nothing() -> None:
    """Is nothing."""
    assert most([]) == 0


def test_moments() -> None:
    """In one zone, whichever they came in; a naive one stays as it is."""
    at = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)

    assert moment(at) == "2 Jan 2030, 03:04:05 UTC"
    assert moment(at.astimezone(timezone(timedelta(hours=9)))) == moment(at)
    assert moment(at.replace(tzinfo=None)) == "2 Jan 2030, 03:04:05"
    assert moment(datetime.max.replace(tzinfo=timezone(-timedelta(hours=9)))).startswith("31 Dec")


def test_a_cut_says_so() -> None:
    """With the length, and the path that holds the rest."""
    assert shortened("abc" * 1000, "it.text", 3) == "abc… (3,000 characters: it.text)"
    assert shortened("abc", "it.text", 3) == "abc"
    assert shortened(None, "it.text") == ""


@given(st.text(), st.integers(1, 40))
def test_a_gist_is_a_line(text: str, limit: int) -> None:
    """However long the text is; all of it where it is short."""
    line = gist(text, limit)

    assert len(line) <= limit + 1
    assert line.splitlines() in ([], [line])
    assert line == " ".join(text.split()) or line.endswith("…")


def test_a_key_that_is_cut_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a text is cut, no piece of a key is left at its end."""
    monkeypatch.setenv("CAVE_TOKEN", "opensesame-1234")
    text = "x" * 10 + "opensesame-1234" + "y" * 50

    for limit in range(1, 90):
        assert "opens" not in beginning(text, limit)
        assert "opens" not in gist(text, limit) or len(text) <= limit  # a page hides it
        assert "opens" not in shortened(text, "p", limit) or len(text) <= limit
    assert gist(text, 20) == "xxxxxxxxxx***yyyyyyy…"
