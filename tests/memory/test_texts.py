"""Texts by what they say: by words, by static vectors, by any function."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core.errors import InvalidValue, MemoryStoreError, NotConfigured
from agentlab.core.protocols import Embedder
from agentlab.display import mimebundle
from agentlab.memory.bag import STOP_WORDS, BagOfWordsEmbedder, tokens
from agentlab.memory.embedders import (
    FunctionEmbedder,
    StaticEmbedder,
    as_embedder,
    static_weights,
)
from agentlab.memory.vector import SemanticMemory, VectorMemory
from tests.memory.shelves import said_by


def about(number: float) -> Any:
    """Give what equals a number to six digits."""
    return pytest.approx(number, abs=1e-6)


def test_w16_1() -> None:
    """What shares a word comes first, with 1/√3, though it came first; the other scores 0."""
    memory = SemanticMemory[str]()
    memory.remember("cats are fluffy animals", "cat_fact")
    memory.remember("quantum mechanics uncertainty principle", "physics")
    found = memory.recall_similar("fluffy pets", 2)

    assert found[0] == (about(1 / math.sqrt(3)), "cat_fact")
    assert found[1] == (0.0, "physics")
    assert memory.recall_similar("fluffy pets", 2, min_score=0.1) == found[:1]
    assert len(memory) == 2


def test_w16_2() -> None:
    """Two texts of which each has the word score 0.533600."""
    memory = SemanticMemory[int]()
    memory.remember_many(["red apple", "red car"], [1, 2])

    assert memory.recall_similar("red", 2) == [
        (about(0.533600), 1),
        (about(0.533600), 2),
    ]


def test_older_texts_keep_their_score() -> None:
    """However many words came since."""
    memory = SemanticMemory[int]()
    memory.remember("alpha beta", 0)
    before = memory.recall_similar("alpha beta", 1)[0][0]
    memory.remember_many([f"word{i} other{i}" for i in range(500)], range(500))

    assert before == pytest.approx(1.0)
    assert memory.recall_similar("alpha beta", 1) == [(about(1.0), 0)]


def test_words_that_count() -> None:
    """Lower-case, split at what is no letter or digit, without stop-words or single letters."""
    assert tokens("The CAT's_hat, x 42 naïve") == ["cat", "hat", "42", "naïve"]
    assert len(STOP_WORDS) == 66
    assert {"a", "their", "yet", "not", "i"} <= STOP_WORDS


def test_nothing_to_find() -> None:
    """An empty memory, a question without words, and a limit of 0 give nothing."""
    memory = SemanticMemory[int]()
    assert memory.recall_similar("cat", 5) == []
    memory.remember("", 0)
    memory.remember("cat", 1)

    assert memory.recall_similar("the of", 5) == memory.recall_similar("cat", 0) == []
    assert memory.recall_similar("dog", 5) == [(0.0, 0), (0.0, 1)]
    assert [hit.text for hit in memory.recall_for("a", "my cat", 5)] == ["cat"]
    for call in (
        lambda: memory.remember(5, 1),  # type: ignore[arg-type]
        lambda: memory.recall_similar("x", -1),
        lambda: memory.remember_many(["a"], []),
    ):
        with pytest.raises(InvalidValue, match="got"):
            call()
    memory.clear()
    assert (len(memory), memory.recall_similar("cat", 5)) == (0, [])


def test_a_bag_of_words() -> None:
    """Learns when it embeds, and not when it is asked; its vectors are as wide as its words."""
    bag = BagOfWordsEmbedder()
    first = bag.embed("red apple")
    second = bag.embed("red car")

    assert (first.dim, second.dim, bag.vocab_size(), bag.dim) == (2, 3, 3, 3)
    assert first.is_normalized()
    assert second.values[1] == 0.0
    assert bag.embed_query("red boat").values == (1.0, 0.0, 0.0)
    assert bag.embed_query("nothing known").values == (0.0, 0.0, 0.0)
    assert bag.vocab_size() == 3
    assert bag.embed(["red apple", "boat"]).shape == (2, 4)
    assert BagOfWordsEmbedder.from_dict(bag.to_dict()).to_dict() == bag.to_dict()


def test_words_have_a_limit() -> None:
    """The rarest go, of equals those that came last, and are counted; texts are still found."""
    bag = BagOfWordsEmbedder(max_vocab=10)
    memory = SemanticMemory[int](bag)
    for i in range(8):
        memory.remember(f"common often{i % 2} once{i}", i)

    assert bag.vocab_size() <= 10
    assert bag.dropped > 0
    assert memory.recall_similar("common", 8)[0][0] > 0
    assert {value for _, value in memory.recall_similar("often1", 4)} == {1, 3, 5, 7}
    assert memory.vector_store().dim == bag.vocab_size()
    again = SemanticMemory[int].from_bytes(memory.to_bytes())
    assert again.to_bytes() == memory.to_bytes()
    assert again.recall_similar("common often1 once1", 8) == memory.recall_similar(
        "common often1 once1", 8
    )


KNOWN = "red green blue apple car boat tree house the of sun moon"
WORDS = st.sampled_from(KNOWN.split())
TEXTS = st.lists(WORDS, max_size=6).map(" ".join)


@given(st.lists(TEXTS, max_size=12), TEXTS, st.integers(1, 15))
def test_scores_are_those_of_the_formula(texts: list[str], query: str, limit: int) -> None:
    """TF-IDF and cosine over everything, in plain Python, at any moment; ties by insertion."""
    memory = SemanticMemory[int]()
    for size in range(1, len(texts) + 1):
        memory.remember(texts[size - 1], size - 1)
        found = memory.recall_similar(query, limit)
        if not tokens(query):
            assert found == []
            continue
        bags = [Counter(tokens(text)) for text in texts[:size]]
        having = Counter(word for bag in bags for word in bag)

        def weighed(bag: Counter[str]) -> dict[str, float]:
            raw = {
                word: times / bag.total() * math.log(1 + size / having[word])  # noqa: B023
                for word, times in bag.items()
                if having[word]  # noqa: B023
            }
            length = math.hypot(*raw.values()) or 1.0
            return {word: weight / length for word, weight in raw.items()}

        asked = weighed(Counter(tokens(query)))
        scores = [
            sum(asked.get(word, 0) * weight for word, weight in weighed(bag).items())
            for bag in bags
        ]
        wanted = sorted(range(size), key=lambda i: (-round(scores[i], 9), i))[:limit]
        assert [score for score, _ in found] == pytest.approx([scores[i] for i in wanted])
        assert sorted(round(s, 9) for s, _ in found) == sorted(round(scores[i], 9) for i in wanted)
        for explained, (score, _) in zip(memory.explain(query, limit), found, strict=True):
            assert sum(term.value for term in explained.terms) == pytest.approx(score)


def counted(texts: Sequence[str]) -> Any:
    """Embed texts by two counts."""
    return [[len(text), text.count("a")] for text in texts]


async def slowly(texts: Sequence[str]) -> Any:
    """Do the same when it is its turn."""
    await asyncio.sleep(0)
    return counted(texts)


@pytest.mark.parametrize("fn", [counted, slowly])
def test_any_function_embeds(fn: Any) -> None:
    """Async or not; where a loop is running, too."""
    memory = SemanticMemory[str](fn)
    memory.remember_many(["aaaa", "bbbb"], ["a", "b"])

    async def inside() -> Any:
        return memory.recall_similar("aa", 2)

    assert memory.recall_similar("aa", 1) == [(about(1.0), "a")]
    assert asyncio.run(inside()) == memory.recall_similar("aa", 2)
    assert memory.explain("aa")[0].terms[0].text == "cosine 1.00"
    assert (memory.quick, memory.vector_store().dim) == (False, 2)
    again = SemanticMemory[str].from_bytes(memory.to_bytes(), embedder=fn)
    assert again.recall_similar("aa", 2) == memory.recall_similar("aa", 2)
    assert again.to_bytes() == memory.to_bytes()


def test_functions_that_do_not() -> None:
    """Give too few vectors, or of another dimension, or none: nothing is remembered."""
    sizes = iter([2, 2, 3])
    changing = FunctionEmbedder(lambda texts: [[1.0] * next(sizes) for _ in texts])
    for fn in (lambda _: [[1.0]], lambda _: [[float("nan")] * 2] * 2, lambda _: "no"):
        memory = SemanticMemory[int](fn)
        with pytest.raises((MemoryStoreError, InvalidValue), match=r"gave|got"):
            memory.remember_many(["a", "b"], [1, 2])
        assert len(memory) == 0
    changing.embed(["a", "b"])
    with pytest.raises(MemoryStoreError, match="gave 1 vectors of 3 numbers"):
        changing.embed(["a"])
    for odd in (5, FunctionEmbedder, "dense"):
        with pytest.raises(InvalidValue, match="an embedder is"):
            as_embedder(odd)
    with pytest.raises(InvalidValue, match="put it in a list"):
        changing.embed("a")


def test_static_vectors() -> None:
    """Know a cat for a pet, need no network, and are 256 numbers each."""
    memory = SemanticMemory[str]("static")
    static_weights.cache_clear()
    assert not memory.quick
    memory.remember_many(
        ["a kitten sleeps on the sofa", "stock markets fell sharply"], ["pet", "money"]
    )

    assert memory.recall_similar("the cat is resting", 1)[0][1] == "pet"
    assert memory.recall_similar("the cat is resting", 2)[0][0] > 0.2
    assert memory.quick
    assert memory.vectors().shape == (2, 256)
    assert StaticEmbedder().embed([]).shape == (0, 256)
    assert np.allclose(StaticEmbedder().embed(["a cat"]), StaticEmbedder().embed(["a cat", "b"])[0])
    rows = StaticEmbedder().embed(["", "a cat"])  # without a word of NumPy's
    assert (rows**2).sum(axis=1) == pytest.approx([0, 1])
    kept: Embedder = StaticEmbedder()
    assert kept.dim == 256


def test_static_vectors_leave_the_log_alone() -> None:
    """Their package would send everybody's log to stderr."""
    code = (
        "import logging; from agentlab.memory.embedders import StaticEmbedder;"
        "StaticEmbedder().embed(['a cat']);"
        "print(logging.getLogger().handlers, logging.getLogger().level)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)  # noqa: S603

    assert told.stdout == "[] 30\n"
    assert told.stderr == ""


def test_without_static_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Says which extra brings them, when they are first asked for."""
    monkeypatch.setitem(sys.modules, "wordllama", None)
    static_weights.cache_clear()
    memory = SemanticMemory[int]("static")
    with pytest.raises(NotConfigured, match=r"missing 'local' \(pip install 'agentlab-notebook"):
        memory.remember("a", 1)
    assert len(memory) == 0


def test_the_modules_names() -> None:
    """What belongs together can be had from one module."""
    from agentlab.memory import vector

    assert vector.VectorMemory is VectorMemory
    assert sorted(vector.__all__) == [
        "BagOfWordsEmbedder", "Embedding", "SemanticMemory", "VectorMemory"
    ]  # fmt: skip


def test_a_score_of_nothing() -> None:
    """Says so: there is no term to show."""
    memory = SemanticMemory[int]()
    memory.remember("red apple", 1)
    told = memory.explain("a blue car")

    assert repr(told[0]) == "0.00 = nothing · red apple"
    assert "0.00: nothing in common" in mimebundle(told)["text/html"]


SCRIPT = """
from agentlab.datasets import dialogue, diary
from agentlab.memory.compression import MemoryCompressor
from agentlab.memory.turns import TurnCompressor
from agentlab.memory.vector import SemanticMemory
memory = SemanticMemory()
for entry in diary():
    memory.remember(entry.text, entry.id)
print(memory.to_bytes(), memory.explain("ran along the harbour wall with the cello", 50))
turns = dialogue()
for done in (MemoryCompressor(200).compress(turns), TurnCompressor().compress(turns)):
    print(list(done))
"""


def test_the_same_texts_give_the_same_bytes() -> None:
    """And the same terms, summaries and episodes, in processes whose hashes differ."""
    said = {said_by(SCRIPT, seed) for seed in ("1", "2")}

    assert len(said) == 1
    assert len(said.pop()) > 50_000
