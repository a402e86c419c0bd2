"""Vectors: how alike they are, and that a search finds what looking at all would."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core.errors import InvalidValue, MemoryStoreError
from agentlab.memory.embedding import Embedding, cosine
from agentlab.memory.nearest import VectorMemory
from agentlab.memory.ranked import near_best


def test_an_embedding() -> None:
    """Length, product and cosine; of different dimensions the product is 0."""
    three = Embedding([3, 4])

    assert (three.dim, len(three), three.norm()) == (2, 2, 5.0)
    assert three.normalize().values == (0.6, 0.8)
    assert (three.is_normalized(), three.normalize().is_normalized()) == (False, True)
    assert three.dot(Embedding([1, 2])) == 11.0
    assert three.dot(Embedding([1, 2, 3])) == three.cosine_similarity(Embedding([1])) == 0.0
    assert three.cosine_similarity(Embedding([6, 8])) == pytest.approx(1.0)
    assert Embedding([0, 0]).normalize().values == (0.0, 0.0)
    array: Any = np.array([1, 2], "f4")
    assert Embedding(array) == Embedding([1.0, 2.0]) == Embedding((1, 2))
    assert Embedding.from_dict(three.to_dict()) == three
    assert cosine([1e200, 1e200], [1e-200, 1e-200]) == pytest.approx(1.0)


def test_w14_2_of_vectors() -> None:
    """The one that is alike comes first, with 1."""
    memory = VectorMemory[str]()
    memory.insert(Embedding([1, 0]), "first")
    memory.insert([0.0, 2.0], "second")

    assert memory.search([1, 0], 1) == [(1.0, "first")]
    assert memory.search(Embedding([1, 0]), 5) == [(1.0, "first"), (0.0, "second")]
    assert memory.search([1, 0], 5, min_score=0.5) == [(1.0, "first")]
    assert memory.search([1, 0], 0) == []
    assert (len(memory), memory.dim, memory.values()) == (2, 2, ["first", "second"])
    memory.clear()
    assert (len(memory), memory.search([1, 2, 3], 5)) == (0, [])
    memory.insert([1, 2, 3], "any dimension again")


def test_vectors_of_no_length() -> None:
    """Are like nothing, not even themselves."""
    memory = VectorMemory[int]()
    memory.insert_many([[0, 0], [1, 1]], [0, 1])

    assert memory.search([0, 0], 2) == [(0.0, 0), (0.0, 1)]
    assert memory.search([1, 0], 1)[0][1] == 1


def test_of_equals_the_earlier_comes_first() -> None:
    """However many there are, and wherever they stand in the matrix."""
    memory = VectorMemory[int]()
    chance = np.random.default_rng(1)
    same = chance.normal(size=37)
    memory.insert_many([same * (1 + i % 3) for i in range(1000)], list(range(1000)))

    assert [value for _, value in memory.search(same, 1000)] == list(range(1000))
    assert len({score for score, _ in memory.search(same, 1000)}) < 4  # by their last bits


def test_of_two_kinds_of_equals_each_keeps_its_order() -> None:
    """However they are mixed."""
    memory = VectorMemory[int]()
    kinds = np.random.default_rng(1).integers(0, 2, 1000)
    memory.insert_many(np.array([[1.0, 0.0], [1.0, 1.0]])[kinds], list(range(1000)))
    wanted = [*np.flatnonzero(kinds == 0), *np.flatnonzero(kinds == 1)]

    assert [value for _, value in memory.search([1, 0], 1000)] == wanted


def test_what_is_nearly_the_same_is_told_apart() -> None:
    """Where scores differ by less than single precision can say."""
    chance = np.random.default_rng(1)
    base = chance.normal(size=384)
    memory = VectorMemory[int]()
    memory.insert_many(base + 1e-6 * chance.normal(size=(2000, 384)), list(range(2000)))
    query = base + 1e-6 * chance.normal(size=384)
    scores = (memory.vectors().astype("f8") * (query / np.linalg.norm(query))).sum(axis=1)
    wanted = np.lexsort((np.arange(2000), -np.clip(scores, -1, 1)))[:10]

    assert [value for _, value in memory.search(query, 10)] == wanted.tolist()


@pytest.mark.parametrize(
    "vector",
    [[float("nan"), 0], [float("inf"), 0], "12", None, [[1, 2]], [], ["a"], 5, [10**400, 0]],
)
def test_what_is_no_vector(vector: Any) -> None:
    """Is refused with its value, and nothing is added."""
    memory = VectorMemory[str]()
    memory.insert([1, 0], "x")
    for call in (lambda: memory.insert(vector, "y"), lambda: memory.search(vector, 1)):
        with pytest.raises(InvalidValue, match="got"):
            call()
    with pytest.raises(InvalidValue, match="got"):
        memory.insert_many([[1, 0], vector], ["y", "z"])

    assert len(memory) == 1


def test_other_dimensions_are_refused() -> None:
    """All have that of the first; a refused one leaves nothing behind."""
    memory = VectorMemory[str]()
    memory.insert([1, 0], "x")
    calls: list[Callable[[], None]] = [
        lambda: memory.insert([1, 0, 0], "y"),
        lambda: memory.insert_many([[1.0]], ["y"]),
    ]
    for call in calls:
        with pytest.raises(MemoryStoreError, match=r"must have 2 numbers, .* got [13]"):
            call()
    with pytest.raises(MemoryStoreError):
        memory.search([1], 1)
    with pytest.raises(InvalidValue, match="1 values have as many vectors, got 2"):
        memory.insert_many([[1, 0], [0, 1]], ["y"])
    with pytest.raises(InvalidValue, match="top_k"):
        memory.search([1, 0], -1)

    assert (len(memory), memory.search([1, 0], 9)) == (1, [(1.0, "x")])


@given(
    st.integers(1, 40),
    st.integers(1, 700),
    st.integers(1, 30),
    st.integers(0, 5),
    st.sampled_from([1, 2, 6]),
)
def test_search_equals_looking_at_all(
    dim: int, size: int, limit: int, seed: int, digits: int
) -> None:
    """The same rows in the same order as NumPy gives in double precision; ties by insertion."""
    chance = np.random.default_rng(seed)
    vectors = chance.normal(size=(size, dim)).round(digits)
    queries = chance.normal(size=(3, dim)).round(digits)
    memory = VectorMemory[int]()
    memory.insert_many(vectors[: size // 2], list(range(size // 2)))
    for row in range(size // 2, size):
        memory.insert(vectors[row], row)

    kept = memory.vectors().astype("f8")
    for query, found in zip(queries, memory.search_many(queries, limit), strict=True):
        scores = np.clip([(row * (query / np.linalg.norm(query))).sum() for row in kept], -1, 1)
        if not np.linalg.norm(query):
            scores = np.zeros(size)
        wanted = np.lexsort((np.arange(size), -scores))[:limit]
        told = [value for _, value in found]
        assert [score for score, _ in found] == pytest.approx(scores[wanted].tolist(), abs=1e-12)
        assert all(
            a == b or math.isclose(scores[a], scores[b], abs_tol=1e-12)
            for a, b in zip(told, wanted.tolist(), strict=True)
        )
        assert found == memory.search(query, limit)


@given(
    st.lists(st.sampled_from([0.0, 0.5, 1.0, -math.inf]) | st.floats(0, 1), min_size=1).map(
        lambda some: some * 40
    ),
    st.integers(1, 60),
)
def test_the_best_of_many(scores: list[float], limit: int) -> None:
    """All that sorting would put among the first are there, and whatever is as good."""
    array = np.array(scores)
    rows = near_best(array, limit)
    last = np.sort(array)[::-1][: min(limit, len(array))][-1]

    assert rows.tolist() == np.flatnonzero(array >= last).tolist()


@given(st.integers(0, 99), st.integers(1000, 9000), st.integers(1, 12), st.integers(2, 5000))
def test_the_best_of_thousands(seed: int, size: int, limit: int, kinds: int) -> None:
    """The same where whole blocks are passed over; among few different scores, and many."""
    array = np.random.default_rng(seed).integers(0, kinds, size) / kinds
    last = np.sort(array)[-limit]

    assert near_best(array, limit).tolist() == np.flatnonzero(array >= last).tolist()
    assert (
        near_best(np.sort(array), limit).tolist() == np.flatnonzero(np.sort(array) >= last).tolist()
    )


def test_rows_tell_what_is_nearest() -> None:
    """Of each vector the nearest other, or None where it is alone."""
    memory = VectorMemory[str]()
    memory.insert([1, 0], "a")
    assert memory.rows()[0].nearest is None
    memory.insert_many([[1, 0.1], [0, 1]], ["b", "c"])

    assert [row.nearest for row in memory.rows()] == [1, 0, 1]
    assert [row.value for row in memory.rows(2)] == ["a", "b"]
    many = VectorMemory[int]()
    many.insert_many(np.eye(2)[np.arange(3000) % 2], list(range(3000)))
    assert {row.nearest for row in many.rows()} == {None}
    assert [row.nearest for row in many.rows(2)] == [2, 3]
    assert many.search_many([], 5) == []
