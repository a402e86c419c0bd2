"""The tool an agent asks a graph with: short true sentences, and errors that help."""

from __future__ import annotations

from typing import Any

import pytest

from agentlab.core.errors import GraphError
from agentlab.graph.entities import Entity, Relation, Relationship
from agentlab.graph.facts import rivers
from agentlab.graph.knowledge import KnowledgeGraph
from agentlab.graph.query import LETTERS, MOST
from agentlab.models.gbnf import react_grammar
from agentlab.models.scripted import ScriptedModel
from agentlab.runtime import AgentRuntime
from agentlab.tools.registry import ToolRegistry
from tests.graph.graphs import HOSTILE, people, store

RIVERS = rivers()


def ask(graph: Any, **args: Any) -> Any:
    """Ask as a model does."""
    return ToolRegistry([graph.query_tool()]).observe_sync("graph_query", args)


@pytest.mark.parametrize(
    ("args", "answer"),
    [
        (
            {"ask": "facts", "about": "Limmat"},
            (
                "Limmat: type is river; length_km is 36. Limmat flows into Aare."
                " Limmat flows through Switzerland."
            ),
        ),
        (
            {"ask": "neighbours", "about": "aare "},
            (
                "Aare leads to Rhine (flows into), Switzerland (flows through)."
                " To Aare lead Reuss (flows into), Limmat (flows into)."
            ),
        ),
        (
            {"ask": "path", "about": "Limmat", "to": "North Sea"},
            (
                "From Limmat to North Sea it is 3 steps: Limmat flows into Aare."
                " Aare flows into Rhine. Rhine flows into North Sea."
            ),
        ),
        (
            {"ask": "path", "about": "North Sea", "to": "Thames"},
            (
                "No relations lead from North Sea to Thames, but taken either way it is 1 step:"
                " Thames flows into North Sea."
            ),
        ),
        ({"ask": "search", "about": "morava"}, "2 found: Morava, Great Morava."),
        ({"ask": "search", "about": "nowhere"}, "Nothing is found for 'nowhere'."),
        ({"ask": "search", "about": " "}, "Nothing is found for ''."),
        ({"ask": "path", "about": "Po", "to": "Po"}, "From Po to Po it is no step."),
        (
            {"ask": "path", "about": "the Neva"},
            (
                "Neva: type is river; length_km is 74. Neva flows into Baltic Sea."
                " Neva flows through Russia."
            ),
        ),
    ],
)
def test_answers(args: dict[str, str], answer: str) -> None:
    """A sentence an edge, in whatever case a thing is named."""
    seen = ask(RIVERS, **args)

    assert seen.error is None
    assert seen.data == answer


@pytest.mark.parametrize(
    ("args", "error", "kind"),
    [
        (
            {"ask": "facts", "about": "Rine"},
            "Graph operation failed: entity 'Rine' not found (did you mean 'Rhine'?)",
            "not_found",
        ),
        ({"ask": "facts", "about": "red"}, "entity 'red' not found", "not_found"),
        ({"ask": "facts", "about": ""}, "entity '' not found", "not_found"),
        ({"ask": "path", "about": "Rhine", "to": "Nil"}, "entity 'Nil' not found", "not_found"),
        ({"ask": "who", "about": "Rhine"}, "who", "permanent"),
        ({"about": "Rhine"}, "ask", "permanent"),
        ({"ask": "facts", "about": 3}, "str", "permanent"),
        ({"ask": "facts", "about": "x" * 10_000}, "not found", "not_found"),
    ],
)
def test_errors(args: dict[str, Any], error: str, kind: str) -> None:
    """Say what to do, so that a model can try again."""
    seen = ask(RIVERS, **args)

    assert error in seen.error
    assert seen.error_kind == kind
    assert len(seen.error) < 1000


def test_long_answers_are_cut() -> None:
    """With how much is missing; so are long names, and all is one line."""
    seen = ask(RIVERS, ask="facts", about="Russia").data
    assert seen.count("flows through Russia.") == MOST
    assert seen.endswith("and 24 more")

    graph = KnowledgeGraph()
    graph.add_entity(Entity("a", "x\ny" * 500, {"k\n": "v" * 1000}))
    told = ask(graph, ask="facts", about="a").data
    assert len(told) < 4 * LETTERS
    assert "\n" not in told


def test_nothing_between() -> None:
    """What nothing connects is said to be so."""
    assert ask(store("ab"), ask="path", about="a", to="b").data == "Nothing connects a to b."
    assert ask(store("ab"), ask="neighbours", about="a").data == (
        "a leads to nothing. Nothing leads to a."
    )


def test_a_store_has_kinds() -> None:
    """Its labels say what a thing is; a name beside the id is used."""
    graph = store(["p1", "p2"])
    graph.add_entity(Entity("p1", "person", {"name": "Ada"}))
    graph.add_relationship(Relationship("p1", "p2", "knows"))

    assert ask(graph, ask="facts", about="ada").data == (
        "Ada: it is a person; name is Ada. Ada knows p2."
    )
    assert ask(graph, ask="search", about="person").data == "1 found: Ada (person)."


def test_what_is_not_described() -> None:
    """Can be named in an answer, and has no facts of its own."""
    graph = people()
    graph.add_relation(Relation("bob", "ghost", "sees"))

    assert "Bob sees ghost." in ask(graph, ask="facts", about="Bob").data
    assert ask(graph, ask="facts", about="ghost").error_kind == "not_found"


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name(name: str) -> None:
    """Is found by itself."""
    graph = store([name])
    seen = ask(graph, ask="facts", about=name)

    assert seen.error is None


def test_what_a_model_is_told() -> None:
    """One tool, four questions; a grammar holds a small model to them."""
    (spec,) = ToolRegistry([RIVERS.query_tool()]).specs()

    assert spec.name == "graph_query"
    assert spec.description == "Look something up in a graph of what is known."
    assert spec.schema["required"] == ["ask", "about"]
    grammar = react_grammar([spec])
    for each in ("facts", "neighbours", "path", "search"):
        assert f'\\"{each}\\"' in grammar
    assert "string-60" in grammar


def test_an_agent_asks() -> None:
    """And its session says how much the graph held."""
    model = ScriptedModel(
        'Thought: look\nAction: graph_query {"ask": "path", "about": "Inn", "to": "Black Sea"}',
        "Thought: known\nAction: FINAL_ANSWER by the Danube",
    )
    lab = AgentRuntime(model, tools=[RIVERS.query_tool()], graph=RIVERS)
    session = lab.run_sync("How does the Inn reach the Black Sea?")

    assert session.graph_lookups == RIVERS.entity_count() == 241
    assert "Inn flows into Danube. Danube flows into Black Sea." in session.steps[0].observation


def test_the_error_of_a_direct_call() -> None:
    """The function itself raises."""
    with pytest.raises(GraphError, match="entity 'nothing like it' not found"):
        RIVERS.query_tool()("facts", "nothing like it")
