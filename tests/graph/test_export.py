"""What leaves a graph comes back: every form, with the names that break things."""

from __future__ import annotations

import asyncio
import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import networkx as nx
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core.errors import GraphError, InvalidValue, NotConfigured, PersistenceError
from agentlab.graph import graphml
from agentlab.graph.entities import Entity, Relation, Relationship
from agentlab.graph.facts import rivers
from agentlab.graph.knowledge import KnowledgeGraph
from agentlab.graph.store import GraphStore
from agentlab.store.file import FilePersistenceBackend
from agentlab.store.memory import InMemoryPersistenceBackend
from agentlab.store.sqlite import SqlitePersistenceBackend
from tests.graph.graphs import HOSTILE, people, scattered, store, stores

TEXT = st.text(st.characters(), min_size=1, max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=4,
)  # fmt: skip
FORMS = ["dict", "json", "networkx", "graphml", "pandas"]


def hostile() -> GraphStore:
    """Give a graph of names that break things."""
    graph = GraphStore(name=HOSTILE[0])
    for i, name in enumerate(HOSTILE):
        known = {name: name, "n": i, "f": 0.1, "b": i % 2 == 0, "none": None, "l": [{"a": name}]}
        graph.add_entity(Entity(name, HOSTILE[-1 - i], known))
    for one, other in pairwise(HOSTILE):
        graph.add_relationship(Relationship(one, other, other, 0.1, one))
        graph.add_relationship(Relationship(one, one, other, -2.0))
    return graph


def open_ended() -> KnowledgeGraph:
    """Give one with all that is particular to it: the unknown, and the parallel."""
    graph = KnowledgeGraph(allow_parallel=True, name="k")
    graph.add_entity(Entity("a", "A", {"x": [1, None]}))
    for weight in (1.0, 2.0):
        graph.add_relation(Relation("a", "ghost", "sees", weight, "a book"))
    graph.add_relation(Relation("ghost", "shadow", "has"))
    return graph


def there_and_back(graph: Any, form: str) -> Any:
    """Take a graph somewhere and back."""
    cls, settings = type(graph), graph.settings()
    if form in ("dict", "json"):
        return getattr(cls, f"from_{form}")(getattr(graph, f"to_{form}")())
    if form == "pandas":
        edges, nodes = graph.to_pandas()
        return cls.from_pandas(edges, nodes, **settings)
    return getattr(cls, f"from_{form}")(getattr(graph, f"to_{form}")(), **settings)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "graph", [hostile(), open_ended(), people(), GraphStore(), rivers()], ids=repr
)
def test_there_and_back(graph: Any, form: str) -> None:
    """Nothing is lost, and all is in its order; only networkx sorts edges by their start."""
    again, ours = there_and_back(graph, form), graph.to_dict()
    told = again.to_dict()
    if form == "networkx":
        for each in (told, ours):
            each["edges"] = sorted(each["edges"], key=json.dumps)

    assert type(again) is type(graph)
    assert told == ours


@given(stores(), st.sampled_from(FORMS))
def test_any_graph(graph: GraphStore, form: str) -> None:
    """Of any shape."""
    again = there_and_back(graph, form)

    assert sorted(again.relationships(), key=repr) == sorted(graph.relationships(), key=repr)
    assert again.entities() == graph.entities()


@given(st.dictionaries(TEXT, JSON, max_size=4), TEXT, TEXT)
def test_any_words(properties: dict[str, Any], name: str, kind: str) -> None:
    """Of any text, and any JSON, through GraphML, which is XML that others can parse."""
    graph = GraphStore()
    graph.add_entity(Entity(name, kind, properties))
    graph.add_relationship(Relationship(name, name, kind))
    text = graph.to_graphml()

    assert GraphStore.from_graphml(text).to_dict() == graph.to_dict()
    assert ET.fromstring(text).tag.endswith("graphml")  # noqa: S314 - our own


def test_others_read_our_graphml(tmp_path: Path) -> None:
    """The networkx reader finds the same nodes, edges and typed values."""
    place = tmp_path / "g.graphml"
    place.write_text(rivers().to_graphml(), encoding="utf-8")
    theirs = nx.read_graphml(place)
    rhine = next(told for _, told in theirs.nodes(data=True) if told["id"] == "Rhine")

    assert (len(theirs), theirs.number_of_edges()) == (241, 481)
    assert rhine["length_km"] == 1233
    assert {told["kind"] for *_, told in theirs.edges(data=True)} == {"flows_into", "flows_through"}


def test_we_read_the_graphml_of_others(tmp_path: Path) -> None:
    """Undirected edges become two, attributes properties; backslashes are theirs."""
    theirs = nx.Graph()
    theirs.add_node("a\\n", label="A", size=3)
    theirs.add_edge("a\\n", "b", weight=2.5)
    place = tmp_path / "g.graphml"
    nx.write_graphml(theirs, place)
    ours = GraphStore.from_graphml(place.read_text())

    assert ours.entities() == [Entity("a\\n", "A", {"size": 3}), Entity("b")]
    assert [(e.from_, e.to, e.kind, e.weight) for e in ours.relationships()] == [
        ("a\\n", "b", "related_to", 2.5), ("b", "a\\n", "related_to", 2.5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "", "<a", "<a/>", '<!DOCTYPE x [<!ENTITY a "b">]><graphml/>',
        '<graphml><graph><edge source="x" target="y"/></graph></graphml>',
    ],
)  # fmt: skip
def test_what_is_no_graphml(text: str) -> None:
    """Is an error that says why; what could blow up is not expanded."""
    with pytest.raises(GraphError, match="GraphML"):
        GraphStore.from_graphml(text)


def test_values_that_are_not_of_their_type() -> None:
    """Stay the text they are."""
    assert graphml.valued("x", "int") == "x"
    assert graphml.valued("TRUE", "boolean") is True


def test_json_is_node_link() -> None:
    """The form that networkx reads by itself."""
    data = json.loads(people().to_json())
    theirs = nx.node_link_graph(data, edges="edges")

    assert sorted(theirs) == ["alice", "bob", "carol"]
    assert theirs.nodes["alice"]["properties"] == {"role": "engineer"}
    assert theirs.number_of_edges() == 3


@pytest.mark.parametrize(
    "data",
    [
        {}, {"nodes": 3, "edges": []}, {"nodes": [{"id": ""}], "edges": []}, [], None,
        {"nodes": [], "edges": [{"source": "a"}]},
        {"nodes": [{"id": "a"}], "edges": [{"source": "a", "target": "a", "weight": "x"}]},
    ],
)  # fmt: skip
def test_what_is_no_graph(data: Any) -> None:
    """Is refused, and the message says why."""
    with pytest.raises(InvalidValue, match="not the data of a graph"):
        GraphStore.from_dict(data)
    with pytest.raises(InvalidValue, match="not the data of a graph"):
        GraphStore.from_json("{")


def test_an_edge_to_nowhere() -> None:
    """Cannot be in a GraphStore, from wherever it is read."""
    data = {"nodes": [{"id": "a"}], "edges": [{"source": "a", "target": "b"}]}
    with pytest.raises(GraphError, match="target entity 'b' not found"):
        GraphStore.from_dict(data)
    assert len(KnowledgeGraph.from_dict(data).dangling()) == 1


def test_from_networkx() -> None:
    """Any graph will do: attributes become properties, names text, undirected edges two."""
    theirs = nx.Graph()
    theirs.add_edge(1, 2, weight=3, kind="near")
    theirs.add_node(3, label="L", colour="red")
    ours = GraphStore.from_networkx(theirs)

    assert ours.get_entity("3") == Entity("3", "L", {"colour": "red"})
    assert [(e.ends, e.weight) for e in ours.relationships()] == [
        (("1", "2", "near"), 3.0), (("2", "1", "near"), 3.0),
    ]  # fmt: skip
    multi = nx.MultiDiGraph([("a", "b"), ("a", "b")])
    multi.add_edge("a", "b", key="k")
    kinds = [e.kind for e in GraphStore.from_networkx(multi).relationships()]
    assert kinds == ["related_to", "related_to 1", "k"]
    with pytest.raises(InvalidValue, match="same name"):
        GraphStore.from_networkx(nx.Graph([(1, "1")]))


def test_from_pandas() -> None:
    """A list of edges is enough; columns may have any names, and what is missing is left out."""
    edges = pd.DataFrame({"who": ["a", "b"], "whom": ["b", "c"], "weight": [1, 2]})
    ours = GraphStore.from_pandas(edges, source="who", target="whom")

    assert [e.ends for e in ours.relationships()] == [
        ("a", "b", "related_to"), ("b", "c", "related_to"),
    ]  # fmt: skip
    assert ours.entity_count() == 3
    nodes = pd.DataFrame({"id": ["a", "z"], "age": [3.0, None]})
    more = GraphStore.from_pandas(edges, nodes, source="who", target="whom")
    assert [e.id for e in more.entities()] == ["a", "z", "b", "c"]
    assert more.get_entity("a").properties == {"age": 3.0}
    assert more.get_entity("z").properties == {}
    with pytest.raises(InvalidValue, match="'from_'"):
        GraphStore.from_pandas(edges)
    with pytest.raises(InvalidValue, match="'id'"):
        GraphStore.from_pandas(edges, pd.DataFrame({"x": [1]}), source="who", target="whom")


def test_frames_have_the_fields() -> None:
    """Of entities and of edges, empty ones too."""
    edges, nodes = GraphStore().to_pandas()

    assert list(nodes) == ["id", "label", "properties"]
    assert list(edges) == ["from_", "to", "kind", "weight", "origin"]
    assert str(edges["weight"].dtype) == "float64"
    assert list(people().to_pandas()[0])[:2] == ["from_id", "to_id"]


@pytest.mark.parametrize("kind", ["memory", "file", "sqlite"])
def test_stores(kind: str, tmp_path: Path) -> None:
    """A graph is kept whole in any store, and found again; waiting or not."""
    makers: dict[str, Any] = {
        "memory": InMemoryPersistenceBackend,
        "file": lambda: FilePersistenceBackend(tmp_path),
        "sqlite": lambda: SqlitePersistenceBackend(tmp_path / "g.sqlite"),
    }
    kept = makers[kind]()
    hostile().save_sync(kept, "graph:odd")
    asyncio.run(people().save(kept, "graph:people"))

    assert GraphStore.load_sync(kept, "graph:odd").to_dict() == hostile().to_dict()
    again = asyncio.run(KnowledgeGraph.load(kept, "graph:people"))
    assert again.to_dict() == people().to_dict()
    with pytest.raises(PersistenceError, match="nothing is kept under 'graph:none'"):
        GraphStore.load_sync(kept, "graph:none")
    if hasattr(kept, "close"):
        kept.close()


def test_what_is_kept_is_no_graph() -> None:
    """Says so; and what looks like a key is not kept."""
    kept = InMemoryPersistenceBackend()
    kept.save_sync("x", b"nonsense")
    with pytest.raises(PersistenceError, match="under 'x' is not the data of a graph"):
        GraphStore.load_sync(kept, "x")
    secret = "sk-ant-" + "a" * 30
    store([secret]).save_sync(kept, "y")
    assert secret.encode() not in (kept.load_sync("y") or b"")


def test_pyvis(tmp_path: Path) -> None:
    """The page asks nobody for anything, names cannot leave their place, and a cell shows it."""
    graph = hostile()
    network = graph.to_pyvis()
    place = network.write_html(tmp_path / "g.html")
    html = place.read_text(encoding="utf-8")

    assert place.is_absolute()
    assert "https://cdn" not in html
    assert 'src="http' not in html
    assert 'href="http' not in html
    assert "</data>&amp;<x>" not in html
    assert "vis-network" in html
    assert (network.num_nodes(), network.num_edges()) == (len(HOSTILE), 2 * len(HOSTILE) - 2)
    assert network._repr_html_().count("<iframe") == 1
    assert repr(network) == f"<OfflineNetwork {len(HOSTILE)} nodes, {2 * len(HOSTILE) - 2} edges>"


def test_without_pyvis(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is said, and how to get it."""
    monkeypatch.setitem(sys.modules, "pyvis", None)
    with pytest.raises(NotConfigured, match=r"pip install 'agentlab-notebook\[pyvis\]'"):
        people().to_pyvis()


def test_dot_of_a_store() -> None:
    """Ids, labels and edges, each on its line, whatever is in them."""
    graph = GraphStore()
    graph.add_entity(Entity("a\r\nb", "kind"))
    graph.add_relationship(Relationship("a\r\nb", "a\r\nb", "self", 2))

    assert graph.to_dot().splitlines() == [
        "digraph GraphStore {", "  rankdir=LR;", r'  "a\nb" [label="a\nb\nkind"];',
        r'  "a\nb" -> "a\nb" [label="self (2.00)"];', "}",
    ]  # fmt: skip
    assert hostile().to_dot().count("\n") == 3 + len(HOSTILE) + 2 * len(HOSTILE) - 2


def test_large_graphs_travel() -> None:
    """Through every form, thousands of edges."""
    graph = scattered(500, 3000)
    for form in FORMS:
        assert there_and_back(graph, form).relationship_count() == graph.relationship_count()
