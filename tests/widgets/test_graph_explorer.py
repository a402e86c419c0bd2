"""The explorer of graphs, as the next cell and its page see it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agentlab as al
from agentlab.core.errors import InvalidValue
from agentlab.graph.facts import rivers
from agentlab.widgets.atlas import Atlas
from agentlab.widgets.coalescer import Board
from agentlab.widgets.graph_explorer import GraphExplorer
from tests.widgets.test_atlas import chain
from tests.widgets.test_token_view import in_loop, once


def inside(explorer: GraphExplorer) -> Atlas:
    """Give what its page is told from: the numbers that a page would use are there."""
    return explorer._atlas  # noqa: SLF001 - see above


def ask(explorer: GraphExplorer, kind: str, **what: Any) -> None:
    """Ask as a page does that has this version of the graph."""
    version = inside(explorer).version
    explorer.asked({"type": kind, "version": version, "by": "me", "turn": 1, **what})


def test_selected_and_focus() -> None:
    """None at first; then what the page selects, as the graph has it; focus can be set."""

    def work() -> None:
        graph = rivers()
        explorer = graph.explore()
        assert isinstance(explorer, GraphExplorer)
        assert isinstance(explorer, al.GraphExplorer)
        assert repr(explorer) == f"<GraphExplorer of {graph!r}>"
        assert (explorer.selected, explorer.focus, explorer.path) == (None, None, None)
        at = inside(explorer).part.index
        ask(explorer, "select", node=at["Rhine"], arc=-1)
        assert explorer.selected == graph.entity("Rhine")
        ask(explorer, "select", node=-1, arc=0)
        edge: object = graph.all_relations()[0]
        assert edge == explorer.selected
        ask(explorer, "open", node=at["Aare"])
        assert explorer.focus == explorer.selected == graph.entity("Aare")
        ask(explorer, "path", start=at["Limmat"], goal=at["North Sea"])
        assert explorer.path == ["Limmat", "Aare", "Rhine", "North Sea"]
        explorer.focus = "rhine"
        assert explorer.focus == graph.entity("Rhine")
        explorer.focus = graph.entity("Danube")
        assert explorer.selected == graph.entity("Danube")
        assert explorer.changes()["gaze"]["by"] == ""
        explorer.focus = None
        assert explorer.focus is None
        with pytest.raises(InvalidValue, match="'Styx' is not in what is shown"):
            explorer.focus = "Styx"
        explorer.close()

    in_loop(work)


def test_a_path_can_be_asked_for() -> None:
    """By names, also against the edges; every page goes there, until it is taken back."""

    def work() -> None:
        graph = rivers()
        graph.add_entity(al.Entity("Lethe", "Lethe"))
        explorer = GraphExplorer(graph)
        assert explorer.connect("limmat", graph.entity("North Sea")) == explorer.path
        assert explorer.path == ["Limmat", "Aare", "Rhine", "North Sea"]
        assert explorer.changes()["gaze"]["by"] == ""
        assert explorer.connect("North Sea", "Rhine") == ["North Sea", "Rhine"]
        assert "along the arrows only" in explorer.changes()["gaze"]["said"]
        assert explorer.connect("Rhine", "Lethe") is None
        assert "no path joins" in explorer.changes()["gaze"]["said"]
        assert explorer.connect(None, None) is None
        assert explorer.changes()["gaze"]["said"] == ""
        with pytest.raises(InvalidValue, match="'Styx' is not in what is shown"):
            explorer.connect("Rhine", "Styx")
        explorer.close()

    in_loop(work)


def test_of_a_graph_store() -> None:
    """An edge of it is a Relationship."""

    def work() -> None:
        graph = al.GraphStore()
        for name in "ab":
            graph.add_entity(al.Entity(name, "letter"))
        graph.add_relationship(al.Relationship("a", "b", "next"))
        explorer = graph.explore()
        assert isinstance(explorer, GraphExplorer)
        ask(explorer, "select", node=-1, arc=0)
        assert explorer.selected == al.Relationship("a", "b", "next")
        explorer.close()

    in_loop(work)


def test_what_a_page_may_not_say_does_nothing() -> None:
    """Numbers of another version of the graph, and whatever else, change nothing."""

    def work() -> None:
        graph = chain(5)
        explorer = GraphExplorer(graph)
        ask(explorer, "select", node=2, arc=-1)
        before, gaze = explorer.selected, explorer.changes()["gaze"]
        odds: list[dict[str, Any]] = [
            {"type": "select", "node": 1},
            {"type": "?", "version": 1},
            {},
            {"type": []},
        ]
        for odd in odds:
            explorer.asked(odd)
        ask(explorer, "what", node=1)
        assert explorer.changes()["gaze"] == gaze
        graph.remove_entity("n0")
        explorer.asked({"type": "select", "version": 1, "node": 0, "arc": -1})
        assert explorer.selected == before
        ask(explorer, "select", node=0, arc=-1, by="x" * 99, turn="y")
        now = explorer.changes()["gaze"]
        assert (now["by"], now["turn"]) == ("x" * 40, 0)
        explorer.close()

    in_loop(work)


ANY = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 8), st.integers(), st.floats(), st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
)  # fmt: skip
FIELDS = st.dictionaries(
    st.sampled_from(["node", "arc", "start", "goal", "size", "colour", "labels", "by", "turn"]), ANY
)
KINDS = st.sampled_from(["select", "open", "path", "draw", "?"])


@settings(max_examples=60)
@given(st.lists(st.tuples(KINDS, FIELDS), max_size=8))
def test_whatever_a_page_asks(messages: list[tuple[str, dict[str, Any]]]) -> None:
    """Nothing that a page may send raises, and there is always something to show."""

    def work() -> None:
        explorer = GraphExplorer(chain(6))
        for kind, fields in messages:
            ask(explorer, kind, **fields)
            assert json.dumps(explorer.changes())
            _ = explorer.selected, explorer.focus, explorer.path
        explorer.close()

    in_loop(work)


def test_only_graphs() -> None:
    """Anything else is refused, by what it is."""

    def work() -> None:
        with pytest.raises(InvalidValue, match="a GraphStore or a KnowledgeGraph is explored"):
            GraphExplorer(3)  # type: ignore[arg-type]

    in_loop(work)


def test_a_large_graph_reaches_the_board(monkeypatch: pytest.MonkeyPatch) -> None:
    """In pieces, a message each; and a graph that has grown once more, when it is asked to."""
    sent: list[set[str]] = []
    monkeypatch.setattr(Board, "send_state", lambda _, key: sent.append(set(key)))

    async def main() -> str:
        graph = chain(2500)
        explorer = GraphExplorer(graph)
        explorer.touch()
        await once(lambda: len(sent) >= 4)
        graph.add_entity(al.Entity("new"))
        explorer.refresh()
        await once(lambda: len(sent) >= 8)
        explorer.close()
        return str(explorer.lane)

    lane = asyncio.run(main())
    mine = [{name.removeprefix(f"{lane}.") for name in names} for names in sent]
    pieces = [names & {"n0", "n1", "n2", "e0"} for names in mine]
    assert pieces[:7] == [{"n0"}, {"n1"}, {"n2"}, {"e0"}, {"n0"}, {"n1"}, {"n2"}]
    assert ["plot" in names for names in mine[:6]] == [True, False, False, False, True, False]
