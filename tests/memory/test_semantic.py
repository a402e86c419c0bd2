"""Facts: by key, by tags, by vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core.errors import InvalidValue, MemoryStoreError, NotConfigured
from agentlab.memory.bag import BagOfWordsEmbedder
from agentlab.memory.semantic import SemanticEntry, SemanticStore


def test_w14_1() -> None:
    """All tags must be there; no tags ask for everything, in order."""
    store = SemanticStore()
    store.store("first", "1", ["a", "b"])
    store.store("second", "2", ["a"])

    assert store.retrieve(["a", "b"]) == [("first", "1")]
    assert store.retrieve([]) == [("first", "1"), ("second", "2")]
    assert store.retrieve(["A"]) == []


def test_w14_2() -> None:
    """The vector that is alike comes first, with 1."""
    store = SemanticStore()
    store.store_with_embedding("first", "1", [], [1, 0])
    store.store_with_embedding("second", "2", [], [0, 1])
    store.store("third", "3")

    assert store.retrieve_similar([1, 0], 1) == [("first", "1", 1.0)]
    assert [key for key, _, _ in store.retrieve_similar([1, 1], 9)] == ["first", "second"]
    assert store.retrieve_similar([1, 0], 0) == []


def test_a_key_is_there_once() -> None:
    """Value, tags and vector are replaced where it stands; unless it is told otherwise."""
    store = SemanticStore()
    store.store_with_embedding("a", "1", ["x"], [1, 0])
    store.store("b", "2")
    store.store("a", "3", ["y"])

    assert store.entries() == [SemanticEntry("a", "3", ("y",)), SemanticEntry("b", "2")]
    store.store("a", "4", unique=False)
    assert [entry.value for entry in store.rows()] == ["3", "2", "4"]
    store.store("a", "5")
    assert [entry.value for entry in store.rows()] == ["5", "2"]
    assert store.get("a") == SemanticEntry("a", "5")
    assert ("a" in store, store.remove("a"), store.remove("a"), store.get("a")) == (
        True, True, False, None
    )  # fmt: skip
    store.clear()
    assert len(store) == 0


def test_a_vector_that_comes_late_keeps_its_place() -> None:
    """Of equals the fact that was stored earlier comes first, whenever it got its vector."""
    store = SemanticStore()
    store.store("a", "1")
    for key in ("b", "c"):
        store.store_with_embedding(key, "2", [], [1, 0])
    store.store_with_embedding("a", "1", [], [2, 0])

    assert [key for key, _, _ in store.retrieve_similar([1, 0], 3)] == ["a", "b", "c"]


def test_dimensions() -> None:
    """All have that of the first, while there is one; one of no length scores 0."""
    store = SemanticStore()
    store.store_with_embedding("a", "1", [], [0, 0])
    with pytest.raises(MemoryStoreError, match="must have 2 numbers"):
        store.store_with_embedding("b", "2", [], [1, 0, 0])
    assert ("b" in store, store.retrieve_similar([1, 0], 5)) == (False, [("a", "1", 0.0)])
    with pytest.raises(MemoryStoreError):
        store.retrieve_similar([1], 5)
    store.store_with_embedding("a", "1", [], [1, 2, 3])
    assert store.dim == 3
    for odd in ([float("nan")] * 3, "text", [], None):
        with pytest.raises(InvalidValue):
            store.store_with_embedding("c", "1", [], odd)
    assert len(store) == 1


def test_texts_need_an_embedder() -> None:
    """With one every fact has a vector and a question may be a text; a growing one is refused."""
    store = SemanticStore()
    store.store("a", "1")
    with pytest.raises(NotConfigured, match="embedder"):
        store.retrieve_similar("what?", 1)
    with pytest.raises(InvalidValue, match="grow"):
        SemanticStore(embedder=BagOfWordsEmbedder())

    def count(texts: Sequence[str]) -> Any:
        return [[text.count("o") + 0.1, text.count("i") + 0.1] for text in texts]

    knows = SemanticStore(embedder=count)
    knows.store("oslo", "looong", ["city"])
    knows.store("paris", "iii")

    assert knows.retrieve_similar("ooo", 1)[0][0] == "oslo"
    (hit,) = knows.recall_for("agent", "ooo", 1)
    assert (hit.text, hit.source, hit.extra) == ("oslo: looong", "facts", {"tags": ["city"]})
    assert str(knows.explain("ooo", 1)[0]).endswith("= cosine 1.00")


def test_bad_facts() -> None:
    """Are refused with their value, and nothing is kept."""
    store = SemanticStore()
    for key, value, tags in (("", "v", []), ("k", 5, []), ("k", "v", "tag"), (None, "v", [])):
        with pytest.raises(InvalidValue, match="got"):
            store.store(key, value, tags)  # type: ignore[arg-type]
    assert len(store) == 0


STEP = st.tuples(
    st.sampled_from(["store", "vector", "append", "remove"]),
    st.sampled_from("abcd"),
    st.integers(0, 4),
)


@given(st.lists(STEP, max_size=30))
def test_against_a_list(steps: list[tuple[str, str, int]]) -> None:
    """A plain list of facts lives through the same, and so does what is saved and read."""
    store, model = SemanticStore(), list[list[Any]]()
    for step, key, n in steps:
        vector = [1.0, float(n)] if step == "vector" else None
        own = [i for i, fact in enumerate(model) if fact[0] == key]
        if step == "remove":
            assert store.remove(key) == bool(own)
            model = [fact for fact in model if fact[0] != key]
            continue
        if vector is None:
            store.store(key, str(n), unique=step != "append")
        else:
            store.store_with_embedding(key, str(n), [], vector)
        if own and step != "append":
            model[own[0]] = [key, str(n), vector]
            model = [fact for i, fact in enumerate(model) if i not in own[1:]]
        else:
            model.append([key, str(n), vector])
    told = [(e.key, e.value, e.embedding is not None) for e in store.entries()]
    found = [(key, value) for key, value, _ in store.retrieve_similar([1, 0], 99)]
    near = sorted((f for f in model if f[2]), key=lambda fact: fact[2][1])

    assert told == [(key, value, vector is not None) for key, value, vector in model]
    assert found == [(key, value) for key, value, _ in near]
    again = SemanticStore.from_bytes(store.to_bytes())
    assert (again.entries(), again.to_bytes()) == (store.entries(), store.to_bytes())
