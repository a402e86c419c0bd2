"""The simple tool of a graph: what the smallest models can ask, and are held to."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from agentlab.core.config import AgentConfig
from agentlab.graph.entities import Entity, Relation, Relationship
from agentlab.graph.facts import rivers
from agentlab.graph.knowledge import KnowledgeGraph
from agentlab.graph.lookup import CHOICES
from agentlab.graph.query import MOST
from agentlab.graph.store import GraphStore
from agentlab.models.gbnf import react_grammar
from agentlab.models.local import LocalModel
from agentlab.models.scripted import ScriptedModel
from agentlab.runtime import AgentRuntime
from agentlab.strategies.examples import worked_examples
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.spec import ToolSpec, tool
from tests.graph.graphs import HOSTILE, store

RIVERS = rivers()


def simple(graph: Any) -> ToolSpec:
    """Give the tool as a runtime makes it."""
    return tool(graph.query_tool(simple=True))


def ask(graph: Any, about: str, what: str) -> Any:
    """Ask as a model does."""
    return ToolRegistry([simple(graph)]).observe_sync("graph_query", {"about": about, "what": what})


@pytest.mark.parametrize(
    ("about", "what", "answer"),
    [
        ("Limmat", "flows into", "Aare"),
        ("the limmat", "flows_into", "Aare"),
        ("Inn", "flows through", "Switzerland, Austria, Germany"),
        ("Thames", "length km", "346"),
        ("Thames", "type", "river"),
    ],
)
def test_answers(about: str, what: str, answer: str) -> None:
    """Are the values alone, in the order of the graph, in whatever case a thing is named."""
    seen = ask(RIVERS, about, what)

    assert (seen.data, seen.error) == (answer, None)


@pytest.mark.parametrize(
    ("about", "what", "error"),
    [
        ("Rine", "flows into", "entity 'Rine' not found (did you mean 'Rhine'?)"),
        (
            "Limmat",
            "flow into",
            (
                "'flow into' of Limmat is not known (did you mean 'flows into'?);"
                " known is flows into, flows through, type, length km"
            ),
        ),
        ("Black Sea", "flows into", "'flows into' of Black Sea is not known; known is type"),
    ],
)
def test_errors(about: str, what: str, error: str) -> None:
    """Say what there is instead, so that a model can try again."""
    seen = ask(RIVERS, about, what)

    assert error in seen.error
    assert seen.error_kind == "not_found"


def test_nothing_is_known() -> None:
    """Of a thing without properties and relations; of an empty graph nothing can be asked."""
    graph = store("a")
    assert "'x' of a is not known; nothing is" in ask(graph, "a", "x").error
    empty = simple(GraphStore())
    assert empty.schema["properties"]["what"] == {"type": "string"}
    assert empty.examples == ()


def test_what_may_be_asked() -> None:
    """The kinds of edges and the properties, the most frequent ones; a grammar holds a model to it.

    What comes later can be asked for too, by whoever is not held.
    """
    spec = simple(RIVERS)
    choices = ["flows through", "type", "flows into", "length km"]
    assert spec.schema["properties"]["what"]["enum"] == choices
    assert r'"\"length km\""' in react_grammar([spec])

    graph = KnowledgeGraph()
    for i in range(40):
        graph.add_entity(Entity(f"n{i}", f"n{i}", {f"p{n}": n for n in range(i)}))
    made = ToolRegistry([simple(graph)])
    enum = simple(graph).schema["properties"]["what"]["enum"]
    assert enum == [f"p{n}" for n in range(CHOICES)]
    graph.add_relation(Relation("n0", "n1", "is_like"))
    seen = made.observe_sync("graph_query", {"about": "n0", "what": "is like"})
    assert seen.data == "n1"


def test_many_are_cut() -> None:
    """With how many there are more."""
    graph = store("a", [])
    for i in range(20):
        graph.add_entity(Entity(f"n{i}"))
        graph.add_relationship(Relationship("a", f"n{i}", "to"))

    assert ask(graph, "a", "to").data.count(",") == MOST
    assert ask(graph, "a", "to").data.endswith("n11, and 8 more")


def test_examples_are_of_this_graph() -> None:
    """A question of an edge and one of a property, each with a call that gives what it says."""
    spec = simple(RIVERS)

    assert [each.question for each in spec.examples] == [
        "Volga flows through what?",
        "What is the length km of Danube?",
    ]
    for each in spec.examples:
        assert spec.call_sync(dict(each.args)) == each.result
    told = worked_examples([spec])
    assert told.count("User: ") == 2
    assert "I need the flows through of Volga." in told


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(name: str) -> None:
    """Make neither a line of their own in the prompt nor a rule of their own in the grammar."""
    graph = KnowledgeGraph()
    for i in "ab":
        graph.add_entity(Entity(name + i, name, {name: name}))
    graph.add_relation(Relation(f"{name}a", f"{name}b", name))
    spec = simple(graph)
    told = worked_examples([spec])

    starts = ("User: ", "Thought: ", "Action: ", "Observation: ")
    assert all(line.startswith(starts) for line in told.split("\n") if line)
    assert told.count("User: ") <= 2
    assert ask(graph, f"{name}a", name).error is None
    rules = [len(react_grammar([each]).split("\n")) for each in (spec, simple(RIVERS))]
    assert rules[0] == rules[1]


def test_the_same_in_every_process() -> None:
    """Whatever the seed of hashes: what may be asked, and the examples."""
    code = (
        "from agentlab.graph.facts import rivers; t = rivers().query_tool(simple=True);"
        "print(t.examples, t.__annotations__)"
    )
    told = {
        subprocess.run(  # noqa: S603 - our own line
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "7")
    }

    assert len(told) == 1
    assert "Volga" in told.pop()


def test_in_a_run() -> None:
    """An agent asks, and the session tells how much there was to ask."""
    lab = AgentRuntime(
        ScriptedModel(
            'Thought: t\nAction: graph_query {"about": "Aare", "what": "flows into"}',
            "Thought: t\nAction: FINAL_ANSWER Rhine",
        ),
        tools=[RIVERS.query_tool(simple=True)],
        graph=RIVERS,
    )
    session = lab.run_sync("?")

    assert session.steps[0].observation == '{"data":"Rhine","ok":true}'
    assert session.graph_lookups == 241


@pytest.mark.local
def test_the_embedded_model_asks_it() -> None:
    """Three kinds of questions, answered through the graph, and the same when asked again."""
    model = LocalModel()
    lab = AgentRuntime(
        model,
        tools=[RIVERS.query_tool(simple=True)],
        graph=RIVERS,
        config=AgentConfig(4, "local", temperature=0.0),
    )
    asked = {
        "What does the Fulda flow into?": "Weser",
        "Which countries does the Timok flow through?": "Serbia, Bulgaria",
        "How long is the Spree?": "400",
    }
    for question, answer in asked.items():
        session, again = lab.run_sync(question), lab.run_sync(question)
        assert (session.answer or "").rstrip(".") == answer
        assert [each.tool for each in session.tool_calls()] == ["graph_query"]
        assert again.answer == session.answer
