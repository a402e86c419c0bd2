"""Facts: values by key, found by their tags, or by vectors that are alike."""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from agentlab.core.bounds import count_of
from agentlab.core.doors import Displayable, Explorable, Plottable, Tabular
from agentlab.core.errors import InvalidValue, NotConfigured
from agentlab.core.portable import Portable
from agentlab.core.protocols import Hit
from agentlab.memory.bag import BagOfWordsEmbedder
from agentlab.memory.embedders import as_embedder, is_quick
from agentlab.memory.explained import Explanation, Explanations, Term
from agentlab.memory.items import tags_of, text_of
from agentlab.memory.kept import Kept
from agentlab.memory.units import Units, vector_of, vectors_of
from agentlab.memory.working import key_of


class SemanticEntry(Portable, Displayable, msgspec.Struct, frozen=True):
    """A fact; its vector is of length 1, in single precision."""

    key: str
    value: str
    tags: tuple[str, ...] = ()
    embedding: tuple[float, ...] | None = None


class Fact(msgspec.Struct, frozen=True):
    """A fact without its vector."""

    key: str
    value: str
    tags: tuple[str, ...]


class SemanticStore(Kept, Tabular, Plottable, Explorable):
    """Facts by key, in the order they were first stored. Thread-safe.

    >>> store = SemanticStore()
    >>> store.store("lyon", "522,000 people", ["city", "france"])
    >>> store.store("oslo", "709,000 people", ["city"])
    >>> store.retrieve(["city", "france"])
    [('lyon', '522,000 people')]

    Parameters
    ----------
    embedder : Embedder, callable or "static", optional
        Makes a vector of each fact that is stored without one, and of questions that are texts.

    Raises
    ------
    InvalidValue
        ``embedder`` is none, or a bag of words, whose vectors grow.
    """

    kind = "agentlab semantic store"

    def __init__(self, *, embedder: Any = None) -> None:
        self._embedder = None if embedder is None else as_embedder(embedder)
        if isinstance(self._embedder, BagOfWordsEmbedder):
            raise InvalidValue("the vectors of a bag of words grow: SemanticMemory() keeps counts")
        self._facts: dict[int, Fact] = {}  # by number, in order
        self._numbers: dict[str, list[int]] = {}  # those of a key
        self._next = 0
        self._units = Units()
        self._placed: list[int] = []  # the numbers that have a vector, sorted: a row each
        self._lock = threading.RLock()  # never held while somebody else's function is called

    def __repr__(self) -> str:
        return f"<SemanticStore {len(self)} facts, {len(self._placed)} with vectors>"

    def __len__(self) -> int:
        return len(self._facts)

    def __bool__(self) -> bool:
        return True  # an empty store is still one

    def __contains__(self, key: object) -> bool:
        return key in self._numbers

    @property
    def quick(self) -> bool:
        """Whether a run may wait for it; or asks it in a thread."""
        return is_quick(self._embedder)

    @property
    def dim(self) -> int:
        """How many numbers its vectors have; 0 while there are none."""
        return self._units.dim

    def store(self, key: str, value: str, tags: Iterable[str] = (), *, unique: bool = True) -> None:
        """Keep a fact; one of the same key is replaced where it stands.

        Parameters
        ----------
        key, value : str
            The fact.
        tags : iterable of str
            What it is about.
        unique : bool
            False keeps those of the same key, and adds this one at the end.

        Raises
        ------
        InvalidValue
            ``key`` or ``value`` is no text, or ``tags`` are not several.
        """
        fact = Fact(key_of(key), text_of(value, "value"), tags_of(tags))
        vector = None
        if self._embedder is not None:
            vector = vectors_of(self._embedder.embed([f"{fact.key} {fact.value}"]))
        self._store(fact, vector, unique=unique)

    def store_with_embedding(
        self, key: str, value: str, tags: Iterable[str], embedding: Any, *, unique: bool = True
    ) -> None:
        """Keep a fact with a vector.

        Raises
        ------
        InvalidValue
            As above, or ``embedding`` is no vector.
        MemoryStoreError
            It has another dimension than the first one stored.
        """
        fact = Fact(key_of(key), text_of(value, "value"), tags_of(tags))
        self._store(fact, vector_of(embedding), unique=unique)

    def retrieve(self, tags: Iterable[str] = ()) -> list[tuple[str, str]]:
        """Give key and value of the facts that have all of some tags; of all, where none is asked.

        Tags are compared letter by letter.
        """
        wanted = set(tags_of(tags))
        with self._lock:
            return [
                (fact.key, fact.value)
                for fact in self._facts.values()
                if wanted.issubset(fact.tags)
            ]

    def retrieve_similar(self, query_embedding: Any, top_k: int) -> list[tuple[str, str, float]]:
        """Give key, value and cosine of the facts whose vectors are most alike, best first.

        Facts without a vector are left out; of equals the earlier comes first.

        Parameters
        ----------
        query_embedding : vector or str
            What they should be like; a text where there is an embedder.
        top_k : int
            How many.

        Raises
        ------
        InvalidValue
            It is no vector.
        MemoryStoreError
            It has another dimension.
        NotConfigured
            It is a text, and there is no embedder.
        """
        found = self._find(query_embedding, top_k)
        return [(fact.key, fact.value, score) for _, fact, score in found]

    def recall_for(self, agent: str, prompt: str, limit: int) -> Sequence[Hit]:  # noqa: ARG002
        """Give what is like a prompt as hits, as a run wants it."""
        return [
            Hit(str(number), f"{fact.key}: {fact.value}", score, "facts", {"tags": [*fact.tags]})
            for number, fact, score in self._find(prompt, limit)
            if score > 0
        ]

    def explain(self, query: Any, top_k: int = 10) -> Explanations:
        """Give the scores of what is most like a question."""
        return Explanations(
            Explanation(
                str(number), f"{fact.key}: {fact.value}", score, (Term.of("cosine", score),)
            )
            for number, fact, score in self._find(query, top_k)
        )

    def entries(self) -> list[SemanticEntry]:
        """List all facts in their order."""
        with self._lock:
            return [
                SemanticEntry(fact.key, fact.value, fact.tags, self._vector(number))
                for number, fact in self._facts.items()
            ]

    def rows(self) -> list[SemanticEntry]:
        """List the same: a row a fact."""
        return self.entries()

    def get(self, key: str) -> SemanticEntry | None:
        """Give the first fact of a key, or None."""
        with self._lock:
            for number in self._numbers.get(key, ()):
                fact = self._facts[number]
                return SemanticEntry(fact.key, fact.value, fact.tags, self._vector(number))
        return None

    def remove(self, key: str) -> bool:
        """Forget the facts of a key; tell whether there were any."""
        with self._lock:
            numbers = self._numbers.pop(key, [])
            for number in numbers:
                self._drop(number)
            return bool(numbers)

    def clear(self) -> None:
        """Forget everything, the dimension too."""
        with self._lock:
            self._facts, self._numbers, self._placed = {}, {}, []
            self._units = Units()

    def vectors(self) -> Any:
        """Give a copy of the vectors, a row for each fact that has one."""
        with self._lock:
            return self._units.matrix().copy()

    def _store(self, fact: Fact, vector: Any, *, unique: bool) -> None:
        with self._lock:
            numbers = self._numbers.get(fact.key, [])
            freed = sum(self._row(number) is not None for number in numbers) if unique else 0
            if vector is not None and len(self._placed) > freed:
                self._units.check(vector)
            if unique and numbers:
                number, *others = numbers
                for other in others:
                    self._drop(other)
                self._unplace(number)
                self._numbers[fact.key] = [number]
            else:
                number, self._next = self._next, self._next + 1
                self._numbers.setdefault(fact.key, []).append(number)
            self._facts[number] = fact
            if vector is not None:
                self._units.insert(bisect_left(self._placed, number), vector)
                insort(self._placed, number)

    def _drop(self, number: int) -> None:
        del self._facts[number]
        self._unplace(number)

    def _unplace(self, number: int) -> None:
        row = self._row(number)
        if row is not None:
            del self._placed[row]
            self._units.remove(row)

    def _row(self, number: int) -> int | None:
        row = bisect_left(self._placed, number)
        return row if self._placed[row : row + 1] == [number] else None

    def _vector(self, number: int) -> tuple[float, ...] | None:
        row = self._row(number)
        return None if row is None else self._units.row(row)

    def _find(self, query: Any, top_k: int) -> list[tuple[int, Fact, float]]:
        limit = count_of("top_k", top_k)
        vector = vector_of(query) if not isinstance(query, str) else self._embed(query)
        with self._lock:
            found = self._units.search(vector, limit)[0]
            numbers = [(self._placed[row], score) for score, row in found]
            return [(number, self._facts[number], score) for number, score in numbers]

    def _embed(self, query: str) -> Any:
        if self._embedder is None:
            raise NotConfigured("embedder", "SemanticStore(embedder='static') takes texts")
        return vectors_of(self._embedder.embed([text_of(query, "a query")]))

    def _state(self) -> Any:
        with self._lock:
            places = {number: place for place, number in enumerate(self._facts)}
            return {
                "facts": [[fact.key, fact.value, list(fact.tags)] for fact in self._facts.values()],
                "placed": [places[number] for number in self._placed],
                "vectors": self._units.written(),
            }

    @classmethod
    def _of_state(cls, state: Any, **parts: Any) -> SemanticStore:
        made = cls(**parts)
        for key, value, tags in state["facts"]:
            made._store(Fact(key, value, tuple(tags)), None, unique=False)
        made._units = Units.read(state["vectors"])
        made._placed = [int(place) for place in state["placed"]]
        if len(made._placed) != len(made._units):
            raise InvalidValue(f"{len(made._placed)} facts have {len(made._units)} vectors")
        return made
