"""Memories that last, as shelves: how their items are read, ranked and explained."""

from __future__ import annotations

from typing import Any

from agentlab.display.words import count, gist, plural
from agentlab.memory.explained import Term
from agentlab.memory.nearest import VectorMemory
from agentlab.memory.semantic import SemanticStore
from agentlab.memory.sparse import SparseVectors
from agentlab.memory.vector import SemanticMemory
from agentlab.memory.working import WorkingMemory
from agentlab.widgets.shelves import Shelf


class Facts(Shelf):
    """Facts by key: found by vectors that are alike where texts can be embedded."""

    name, path, one, many = "semantic store", "store", "fact", "facts"
    empty = "Nothing is kept yet: store.store(key, value, tags) keeps one."

    def __init__(self, store: SemanticStore) -> None:
        self.store, self._entries = store, store.entries()
        self.asks = store._embedder is not None  # noqa: SLF001 - one of us
        self.rule = (
            "facts are found by the cosine of their vectors"
            if self.asks
            else "without an embedder, facts are recalled by tags alone"
        )
        super().__init__(
            [f"{fact.key}: {fact.value}" for fact in self._entries],
            tags=[fact.tags for fact in self._entries],
        )
        self._numbers = {no: row for row, no in enumerate(store._facts)}  # noqa: SLF001 - one of us
        placed = sum(fact.embedding is not None for fact in self._entries)
        self.figures = [f"{plural(placed, 'vector')} of {count(store.dim)}" if placed else ""]

    def scores(self, query: str, ahead_h: float) -> Any:  # noqa: ARG002 - nothing fades
        """Give the cosines, or None where nothing is asked."""
        import numpy as np

        if not (query and self.asks):
            return None
        found = np.zeros(len(self))
        for number, _, score in self.store._find(query, len(self)):  # noqa: SLF001 - one of us
            if (row := self._numbers.get(number)) is not None:
                found[row] = score
        return found

    def terms(self, row: int, query: str, ahead_h: float, score: float) -> tuple[Term, ...]:  # noqa: ARG002
        """Say what the score of one is."""
        return (Term.of("cosine", score),)

    def vectors(self) -> Any:
        """Give the vectors, if all have one."""
        own = self.store.vectors()
        return own if len(own) == len(self) else None

    def embed(self, query: str) -> Any:
        """Give the vector of a question."""
        return self.store._embed(query) if self.asks else None  # noqa: SLF001 - one of us

    def thing(self, row: int) -> Any:
        """Give the fact."""
        return self._entries[row]

    def place(self, row: int) -> str:
        """Say in Python where it is."""
        return f"store.get({gist(self._entries[row].key, 40)!r})"


class Texts(Shelf):
    """Values by what a text says."""

    name, one, many = "semantic memory", "text", "texts"
    asks, rule = True, "texts are found by what they have in common with the question"
    empty = "Nothing is remembered yet: memory.remember(text, value) adds something."

    def __init__(self, memory: SemanticMemory[Any]) -> None:
        self.memory = memory
        self._values = memory.values()
        super().__init__(memory.texts()[: len(self._values)])
        self.figures = [gist(type(memory.embedder()).__name__, 60)]

    def scores(self, query: str, ahead_h: float) -> Any:  # noqa: ARG002 - nothing fades
        """Give how alike each is, or None where nothing is asked."""
        import numpy as np

        if not query:
            return None
        found = np.zeros(len(self))
        for score, row, _, _ in self.memory._find(query, len(self), None):  # noqa: SLF001 - one of us
            if row < len(found):
                found[row] = score
        return found

    def terms(self, row: int, query: str, ahead_h: float, score: float) -> tuple[Term, ...]:  # noqa: ARG002
        """Take the score of one apart."""
        return self.memory.vector_store().terms(query, row, score)

    def vectors(self) -> Any:
        """Give the vectors, where they are those of an embedder."""
        if isinstance(self.memory.vector_store(), SparseVectors):
            return None  # as many numbers as there are words
        return self.memory.vectors()[: len(self)]

    def embed(self, query: str) -> Any:
        """Give the vector of a question."""
        return self.memory.embedder().embed([query])

    def thing(self, row: int) -> Any:
        """Give the value."""
        return self._values[row]

    def place(self, row: int) -> str:
        """Say in Python where it is."""
        return f"memory.values()[{row}]"

    def notes(self, row: int) -> list[str]:
        """Say what it stands for."""
        return [f"→ {gist(str(self._values[row]), 120)}"]


class Vectors(Shelf):
    """Values by vector."""

    name, one, many = "vector memory", "vector", "vectors"
    rule = "a vector memory is asked by vectors: words are looked for in the values"
    empty = "Nothing is here yet: memory.insert(embedding, value) adds one."

    def __init__(self, memory: VectorMemory[Any]) -> None:
        self._vectors = memory.vectors()
        self._values = memory.values()[: len(self._vectors)]
        super().__init__([str(value) for value in self._values])
        self.figures = [f"{count(memory.dim)} numbers each" if self._values else ""]

    def vectors(self) -> Any:
        """Give them."""
        return self._vectors[: len(self)]

    def thing(self, row: int) -> Any:
        """Give the value."""
        return self._values[row]

    def place(self, row: int) -> str:
        """Say in Python where it is."""
        return f"memory.values()[{row}]"


class InMind(Shelf):
    """Values by key, of which the one least recently used goes first."""

    name, one, many = "working memory", "entry", "entries"
    rule = "all of it is in the prompt; the first goes when there is no room"
    empty = "Nothing is in mind yet: memory.set(key, value) puts something there."

    def __init__(self, memory: WorkingMemory) -> None:
        self._rows = memory.entries()
        super().__init__([f"{key}: {value}" for key, value in self._rows])
        goes = "least recently used" if memory.policy == "lru" else "oldest"
        self.figures = [f"{count(len(self))} of {count(memory.capacity)}", f"the {goes} goes first"]

    def thing(self, row: int) -> Any:
        """Give key and value."""
        return self._rows[row]

    def place(self, row: int) -> str:
        """Say in Python where it is."""
        return f"memory.peek({gist(self._rows[row][0], 40)!r})"

    def notes(self, row: int) -> list[str]:
        """Say when it goes."""
        return ["goes next" if not row else f"goes after {count(row)} more"]
