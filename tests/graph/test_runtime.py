"""A graph in a runtime: its entities are counted at the start of every run."""

from __future__ import annotations

from typing import Any

import pytest

from agentlab.core.config import AgentConfig
from agentlab.core.errors import InvalidValue
from agentlab.core.events import Prepared
from agentlab.core.run import Run
from agentlab.core.session import AgentSession
from agentlab.graph.entities import Entity
from agentlab.graph.store import GraphStore
from agentlab.models.scripted import ScriptedModel
from agentlab.runtime import AgentRuntime
from tests.graph.graphs import people, store

DONE = "Thought: t\nAction: FINAL_ANSWER done"


@pytest.mark.parametrize("graph", [store("abc"), people()], ids=repr)
def test_graph_lookups(graph: Any) -> None:
    """Is how many entities there were; the trace tells it before the model is asked."""
    lab = AgentRuntime(ScriptedModel(DONE), graph=graph)
    session = lab.run_sync("?")

    assert session.graph_lookups == 3
    assert lab.graph() is graph
    kinds = [type(entry.event).__name__ for entry in session.trace.entries]  # type: ignore[union-attr]
    assert kinds.index("Prepared") < kinds.index("Asked")
    assert AgentSession.from_trace(session.trace.entries) == session  # type: ignore[union-attr]


def test_without_a_graph() -> None:
    """It is zero, and nothing is told."""
    lab = AgentRuntime(ScriptedModel(DONE))
    session = lab.run_sync("?")

    assert session.graph_lookups == 0
    assert lab.graph() is None
    assert not any(isinstance(e.event, Prepared) for e in session.trace.entries)  # type: ignore[union-attr]


def test_each_run_counts_anew() -> None:
    """An empty graph is one too."""
    graph = GraphStore()
    lab = AgentRuntime(ScriptedModel(DONE, DONE), graph=graph)
    first = lab.run_sync("?")
    graph.add_entity(Entity("a"))

    assert (first.graph_lookups, lab.run_sync("?").graph_lookups) == (0, 1)
    assert any(isinstance(e.event, Prepared) for e in first.trace.entries)  # type: ignore[union-attr]


def test_the_builder() -> None:
    """Takes it in any state; equal graphs of settings are equal runtimes."""
    graph, config = store("ab"), AgentConfig(3, "stub")
    built = AgentRuntime.builder().with_graph(graph).with_agent_config(config).build()

    assert built.graph() is graph
    assert built == AgentRuntime(config=config, graph=graph)
    assert built != AgentRuntime(config=config)


def test_a_runtime_as_a_strategy() -> None:
    """As a child it counts its own graph."""

    class Outer:
        strategy_name = "outer"

        async def __call__(self, run: Run, goal: str, /) -> AgentSession:
            return await AgentRuntime(ScriptedModel(DONE), graph=store("abcd"))(run, goal)

    session = AgentRuntime(ScriptedModel(DONE), graph=store("a")).run_sync("?", strategy=Outer())

    assert session.graph_lookups == 1
    assert [child.graph_lookups for child in session.children] == [4]


def test_what_is_no_graph() -> None:
    """Is refused when the runtime is made."""
    with pytest.raises(InvalidValue, match="graph must be a graph, got 'x'"):
        AgentRuntime(ScriptedModel(DONE), graph="x")  # type: ignore[arg-type]
