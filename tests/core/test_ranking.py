"""An order that never depends on chance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core.errors import InvalidValue
from agentlab.core.ranking import best

PAIRS = st.lists(st.tuples(st.integers(0, 3), st.text("ab", max_size=2)))


@given(PAIRS, st.integers(0, 5))
def test_the_best_are_the_first_of_all(items: list[tuple[int, str]], limit: int) -> None:
    """A limit only cuts, and the order is by score, tie-break and place."""
    whole = best(items, lambda item: item[0], tie=lambda item: item[1])

    assert best(items, lambda item: item[0], limit, tie=lambda item: item[1]) == whole[:limit]
    assert [item for item, _ in whole] == sorted(items, key=lambda item: (-item[0], item[1]))


def test_equals_keep_their_order() -> None:
    """And are never compared themselves."""
    one, other = object(), object()

    assert best([one, other], lambda _: 0.0) == [(one, 0.0), (other, 0.0)]


def test_a_score_is_a_number() -> None:
    """Not a number is refused where it appears."""
    with pytest.raises(InvalidValue, match="the score of 'x' is not a number"):
        best(["x"], lambda _: float("nan"))
