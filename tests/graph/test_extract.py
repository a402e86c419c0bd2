"""What a model reads out of a text: only what can be true of the text is added."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from agentlab.core.errors import InvalidValue, ProviderError
from agentlab.core.protocols import Chunk, Request
from agentlab.graph.entities import Entity, Relation, Relationship
from agentlab.graph.extract import Extraction, grammar, read
from agentlab.graph.knowledge import KnowledgeGraph
from agentlab.graph.store import GraphStore
from agentlab.models.function import FunctionModel
from agentlab.models.local import LocalModel
from agentlab.models.scripted import ScriptedModel
from tests.graph.graphs import people

TEXT = "The Aare flows into the Rhine. Bern lies on the Aare."


def test_facts_are_added() -> None:
    """With who, what and whom, and where it was read on each edge."""
    graph = KnowledgeGraph()
    model = ScriptedModel("Aare | flows into | Rhine\n- the Bern | Lies on | the Aare.\n")
    told = graph.extract_sync(TEXT, model, origin="atlas, p. 3")

    assert told.added == (("Aare", "flows_into", "Rhine"), ("Bern", "lies_on", "Aare"))
    assert told == Extraction.from_dict(told.to_dict())
    assert repr(told) == "<Extraction 2 added, 0 known, 0 refused>"
    assert [each.label for each in graph.all_entities()] == ["Aare", "Rhine", "Bern"]
    assert graph.all_relations()[0] == Relation("Aare", "Rhine", "flows_into", 1.0, "atlas, p. 3")


def test_the_text_is_the_origin() -> None:
    """Where nobody names another."""
    graph = GraphStore()
    graph.extract_sync(TEXT, ScriptedModel("Aare | flows into | Rhine"))

    assert graph.relationships() == [Relationship("Aare", "Rhine", "flows_into", 1.0, TEXT)]
    assert graph.get_entity("Aare") == Entity("Aare")


def test_who_is_known_is_found() -> None:
    """By id or label, in whatever case; and what is known already is not added again."""
    graph = people()
    model = ScriptedModel("ALICE | reports to | bob\nAlice | mentors | Bob\nAlice | mentors | Bob")
    told = graph.extract_sync("Alice reports to Bob, and Alice mentors Bob.", model)

    assert told.known == (("alice", "reports_to", "bob"), ("alice", "mentors", "bob"))
    assert told.added == (("alice", "mentors", "bob"),)
    assert graph.entity_count() == 3


@pytest.mark.parametrize(
    "line",
    [
        "Thames | flows into | Rhine", "Rhin | flows into | Rhine", "Aare flows into Rhine",
        "Aare | flows into | Rhine | fast", "Aare || Rhine", " | x | Rhine", "Aare | !? | Rhine",
        "I cannot do that.", "Aare | " + "x" * 50 + " | Rhine", "Aa\x00re | to | Rhine",
        "A" * 100 + " | x | Rhine", "{'a': 1}",
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(line: str) -> None:
    """Names that are not in the text as whole words, lines that are no facts: nothing is added."""
    graph = KnowledgeGraph()
    told = graph.extract_sync(TEXT, ScriptedModel(line))

    assert told.added == told.known == ()
    assert len(told.refused) == 1
    assert (graph.entity_count(), graph.relation_count()) == (0, 0)


def test_no_more_than_asked_for() -> None:
    """However much the model says, and however long it goes on."""
    graph = KnowledgeGraph()
    lines = "\n".join(f"Aare | does {word} | Rhine" for word in "abcdef")
    assert len(graph.extract_sync(TEXT, ScriptedModel(lines), limit=2).added) == 2

    class Endless:
        closed = False

        async def stream(self, _request: Request, /) -> AsyncIterator[Chunk]:
            try:
                while True:
                    yield Chunk("Aare | flows | Rhine\n")
            finally:
                self.closed = True

    endless = Endless()
    assert len(graph.extract_sync(TEXT, endless, limit=3).added) == 1
    assert endless.closed


def test_what_the_model_is_asked() -> None:
    """The text on one line, the form, a grammar of it; an empty text is not asked about at all."""
    asked: list[Request] = []

    def answer(_context: str, request: Request) -> str:
        asked.append(request)
        return ""

    graph = KnowledgeGraph()
    model = FunctionModel(answer)
    assert graph.extract_sync("a\n b\ud800", model, limit=5) == Extraction()
    assert graph.extract_sync(" \n", model) == Extraction()

    (request,) = asked
    assert "Text: a b\ufffd\n" in request.prompt
    assert request.options["grammar"] == grammar(5)
    assert request.options["max_tokens"] == 150


def test_wrong_arguments() -> None:
    """Say what is needed."""
    with pytest.raises(InvalidValue, match="as_model"):
        KnowledgeGraph().extract_sync(TEXT, "local")  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="limit"):
        KnowledgeGraph().extract_sync(TEXT, ScriptedModel(""), limit=0)


def test_a_model_that_fails() -> None:
    """Fails as it would anywhere, and nothing is half added."""
    graph = KnowledgeGraph()
    with pytest.raises(ProviderError):
        asyncio.run(graph.extract(TEXT, ScriptedModel(ProviderError("down"))))
    assert graph.entity_count() == 0


@pytest.mark.parametrize(
    ("line", "triple"),
    [
        ("A | is in | B", ("A", "is_in", "B")), ("1. A | IS-IN | 'B'", ("A", "is_in", "B")),
        ("* **A** | x | an B.", ("A", "x", "B")), ("A|x|B", ("A", "x", "B")), ("A | x", None),
    ],
)  # fmt: skip
def test_lines(line: str, triple: tuple[str, str, str] | None) -> None:
    """Are read in the forms that models give them."""
    assert read(line) == triple


@pytest.mark.local
def test_the_embedded_model() -> None:
    """Keeps to the form, and what it says is in the text."""
    graph = KnowledgeGraph()
    told = graph.extract_sync(TEXT, LocalModel(temperature=0), limit=4)

    assert told.added
    assert all("|" in line for line in told.refused)
    assert {each.id for each in graph.all_entities()} <= {"Aare", "Rhine", "Bern"} | set(
        TEXT.split()
    )
