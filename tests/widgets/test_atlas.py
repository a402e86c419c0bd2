"""What a page that shows a graph is told: places, what is looked at, and all of it in words."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from agentlab.display.drawings import drawn_of
from agentlab.display.parts import Room
from agentlab.graph.entities import Entity, Relation, Relationship
from agentlab.graph.facts import rivers
from agentlab.graph.knowledge import KnowledgeGraph
from agentlab.graph.store import GraphStore
from agentlab.widgets import atlas as atlas_module
from agentlab.widgets.atlas import Atlas
from agentlab.widgets.coalescer import presentable
from agentlab.widgets.graph_messages import GRAPHS
from agentlab.widgets.saying import said

HOSTILE = '<img src=x onerror="boom()">\u202e'


def told(atlas: Atlas) -> dict[str, Any]:
    """Give all cells that a page has in the end."""
    cells = atlas.cells()
    while atlas.more():
        cells |= atlas.cells()
    return cells


def chain(count: int, **settings: Any) -> KnowledgeGraph:
    """Give a graph of ``count`` things, each part of the next."""
    graph = KnowledgeGraph(**settings)
    for i in range(count):
        graph.add_entity(Entity(f"n{i}", f"thing {i}", {"type": "thing"}))
    for i in range(count - 1):
        graph.add_relation(Relation(f"n{i}", f"n{i + 1}", "part_of"))
    return graph


def test_places_are_those_of_the_layout() -> None:
    """Every entity is where ``graph.layout()`` puts it, with its links, the best first."""
    graph = rivers()
    cells, places = told(atlas := Atlas(graph)), graph.layout()
    nodes, arcs = cells["n0"], cells["e0"]
    ids = atlas.part.names

    assert list(zip(nodes["xs"], nodes["ys"], strict=True)) == [places[each] for each in ids]
    assert nodes["links"] == sorted(nodes["links"], reverse=True)
    edges = [each.ends for each in graph.all_relations()]
    kinds = cells["plot"]["kinds"]
    assert [
        (ids[i], ids[j], kinds[kind].replace(" ", "_"))
        for i, j, kind in zip(arcs["tails"], arcs["heads"], arcs["kinds"], strict=True)
    ] == edges
    centrality = graph.betweenness_centrality()
    assert cells["between"]["values"] == [round(centrality[each], 5) for each in ids]


def test_communities_have_the_hues_of_the_card() -> None:
    """What is drawn in both is in the community of the same number, of the same name."""
    graph = rivers()
    atlas = Atlas(graph)
    titles = {each.id: each.label for each in graph.all_entities()}
    card = drawn_of(graph.snapshot(), titles, 12 * Room().ends)
    place = dict(zip(atlas.part.names, atlas.drawn.groups, strict=True))
    found = graph.communities()

    pairs = {(card.groups[i], place[name]) for i, name in enumerate(card.graph.names)}
    assert all(a == b for a, b in pairs if card.sizes[a] > 1)
    assert len({found[name] for name in place}) == len(set(place.values()))
    assert [size > 1 for size in atlas.drawn.sizes] == sorted(
        [size > 1 for size in atlas.drawn.sizes], reverse=True
    )


def test_it_leaves_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large graph is sent in lots, none of it twice."""
    monkeypatch.setattr(atlas_module, "LOT", 100)
    monkeypatch.setattr(atlas_module, "PART", 150)
    atlas, sent = Atlas(chain(250)), list[list[str]]()
    while True:
        sent.append([name for name in atlas.cells() if name[1:].isdigit()])
        if not atlas.more():
            break

    assert [name for names in sent for name in names] == ["n0", "n1", "n2", "e0", "e1"]
    assert not [name for name in atlas.cells() if name[1:].isdigit()]


def test_of_a_huge_graph_the_best_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left out is said, and the rest can be explored."""
    monkeypatch.setattr(atlas_module, "MOST", 50)
    monkeypatch.setattr(atlas_module, "DENSE", 30)
    cells = told(atlas := Atlas(chain(200)))

    assert cells["plot"]["nodes"] == len(cells["n0"]["names"]) == 50
    assert cells["plot"]["arcs"] == len(cells["e0"]["tails"]) == 30
    note = "Drawn are the 50 best connected of 200 entities and 30 of 49 relations among them."
    assert cells["plot"]["note"] == note
    atlas.select(-1, 30)
    assert atlas.edge() is None
    assert atlas.between is not None
    assert len(atlas.between) == 50


def test_a_path_in_words() -> None:
    """Along the edges where that is possible, else also against them; or there is none."""
    graph = rivers()
    graph.add_entity(Entity("Lethe", "Lethe"))
    atlas = Atlas(graph)
    at = atlas.part.index
    atlas.connect(at["Limmat"], at["North Sea"])
    assert said(atlas) == "path of 3 relations: Limmat → Aare → Rhine → North Sea"
    assert atlas.path is not None
    assert [atlas.part.names[i] for i in atlas.path] == graph.shortest_path("Limmat", "North Sea")
    atlas.connect(at["North Sea"], at["Aare"])
    assert said(atlas) == (
        "path of 2 relations: North Sea ← Rhine ← Aare (none leads there along the arrows only)"
    )
    atlas.connect(at["Rhine"], at["Lethe"])
    assert [atlas.path, said(atlas)] == [None, "no path joins Rhine and Lethe"]
    atlas.connect(at["Rhine"], at["Rhine"])
    assert said(atlas) == "path of 0 relations: Rhine"
    atlas.connect(at["Rhine"], -1)
    assert [atlas.path, said(atlas)] == [None, ""]


def test_a_long_path_is_told_by_its_ends() -> None:
    """So that it can be read."""
    atlas = Atlas(chain(60))
    at = atlas.part.index
    atlas.connect(at["n0"], at["n59"])

    assert said(atlas).startswith("path of 59 relations: thing 0 → thing 1 →")
    assert "… 48 others …" in said(atlas)
    assert said(atlas).endswith("→ thing 59")
    assert all(abs(i - j) for i, j in pairwise(atlas.path or []))


def test_what_is_told_of_an_entity() -> None:
    """Its kind, properties, centralities, relations by kind, and its Python path."""
    atlas = Atlas(rivers())
    atlas.open(atlas.part.index["Rhine"])
    cells = told(atlas)
    about = cells["about"]

    assert (about["name"], about["tag"]) == ("Rhine", "river")
    assert dict(zip(about["names"], about["values"], strict=True)) == {"length_km": "1233"}
    assert about["path"] == "graph.entity('Rhine')"
    assert about["links"] == 16
    assert 0 < about["between"] < 1
    kin = {(each["kind"], each["out"]): each["names"] for each in about["kin"]}
    assert kin["flows into", True] == ["North Sea"]
    assert "Aare" in kin["flows into", False]
    assert cells["gaze"]["said"] == "neighbourhood of Rhine: 16 other entities"


def test_what_is_told_of_a_hub() -> None:
    """Whom it is related to is cut where it would never end, and says so."""
    graph = GraphStore()
    graph.add_entity(Entity("hub", "centre", {f"p{i}": i for i in range(40)}))
    for i in range(30):
        graph.add_entity(Entity(f"n{i}", "leaf"))
        graph.add_relationship(Relationship(f"n{i}", "hub", "at"))
    atlas = Atlas(graph)
    atlas.select(0)
    about = told(atlas)["about"]

    assert about["tag"] == "centre"
    assert about["kin"][0]["more"] == "and 6 more"
    assert about["values"][-1] == "10 more: explorer.selected.properties"
    assert about["path"] == "graph.get_entity('hub')"


def test_what_is_told_of_an_edge() -> None:
    """What it says, of whom, its weight and its origin; and where it is in Python."""
    graph = KnowledgeGraph()
    for name in "ab":
        graph.add_entity(Entity(name, name.upper()))
    graph.add_relation(Relation("a", "b", "knows_of", 2.5, "a letter"))
    atlas = Atlas(graph)
    atlas.select(-1, 0)
    about = told(atlas)["about"]

    assert (about["name"], about["tag"]) == ("knows of", "edge")
    assert about["names"] == ["weight", "read in"]
    assert about["values"] == ["2.5", "a letter"]
    assert [each["names"] for each in about["kin"]] == [["A"], ["B"]]
    assert said(atlas) == "A \N{EN DASH} knows of → B"
    assert about["path"] == "graph.edges_at('a')[0]"
    assert graph.edges_at("a")[0] == atlas.edge()


def test_a_graph_that_has_changed() -> None:
    """It is read again; what was looked at still is, unless it is gone; old pieces are wiped."""
    graph = chain(6)
    atlas = Atlas(graph)
    at = atlas.part.index
    told(atlas)
    atlas.open(at["n3"])
    atlas.connect(at["n0"], at["n5"])
    assert not atlas.renew()
    graph.add_entity(Entity("new"))
    graph.add_relation(Relation("n0", "n5", "leads_to"))
    assert atlas.renew()
    assert atlas.version == 2
    assert atlas.entity(atlas.focus) == graph.entity("n3")
    assert [atlas.part.names[i] for i in atlas.path or []] == ["n0", "n5"]
    graph.remove_entity("n3")
    assert atlas.renew()
    assert (atlas.focus, atlas.node) == (-1, -1)
    graph.add_entity(Entity("n0", "other"))
    assert not atlas.renew()
    assert atlas.entity(atlas.part.index["n0"]) == Entity("n0", "other")
    graph.clear()
    assert atlas.renew()
    cells = atlas.cells()
    assert cells["n0"] is None
    assert cells["e0"] is None
    assert cells["plot"]["empty"].startswith("Nothing is in it yet: graph.add_entity")
    assert cells["title"]["figures"] == ["0 entities", "0 relations"]


def test_betweenness_that_takes_long_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted when something shall be as large as it is."""
    monkeypatch.setattr(atlas_module, "EASY", 10)
    atlas = Atlas(chain(9))
    atlas.select(0)
    cells = told(atlas)
    assert "between" not in cells
    assert cells["about"]["between"] == -1
    atlas.draw("betweenness", 1, 0)
    cells = told(atlas)
    assert len(cells["between"]["values"]) == 9
    assert (cells["gaze"]["size"], cells["gaze"]["labels"]) == ("betweenness", False)
    atlas.draw("?", 0, 1)
    assert told(atlas)["gaze"]["size"] == "betweenness"
    assert not told(atlas)["gaze"]["colour"]


def test_numbers_that_are_none() -> None:
    """What a page cannot mean selects nothing."""
    atlas = Atlas(chain(3))
    odds: list[Any] = [3, -2, 1.0, "1", True, None, [], 10**30]
    for odd in odds:
        atlas.select(odd, odd)
        atlas.open(odd)
        atlas.connect(odd, odd)
        assert (atlas.node, atlas.arc, atlas.focus, atlas.path) == (-1, -1, -1, None)


def test_hostile_names_leave_as_text() -> None:
    """Nothing unseen leaves, whatever something is called; a word is no more than a word."""
    graph = KnowledgeGraph(name=HOSTILE)
    graph.add_entity(Entity(f"{HOSTILE}1", HOSTILE * 99, {HOSTILE: HOSTILE, "type": HOSTILE}))
    graph.add_entity(Entity(f"{HOSTILE}2", "other"))
    graph.add_relation(Relation(f"{HOSTILE}1", f"{HOSTILE}2", HOSTILE, origin=HOSTILE))
    atlas = Atlas(graph)
    atlas.select(0)
    cells = presentable(told(atlas), lambda text: text)  # type: ignore[arg-type]

    assert "\u202e" not in str(cells)
    assert all(len(name) <= 200 for name in cells["n0"]["names"])


def test_every_message_is_of_its_shape() -> None:
    """Each cell has the fields that the page is told of, and no more."""
    atlas = Atlas(rivers())
    atlas.select(0)
    cells = told(atlas)
    shapes = {shape.__name__: set(shape.__annotations__) for shape in GRAPHS}
    names = {"plot": "Plot", "n0": "Nodes", "e0": "Arcs", "between": "Between", "gaze": "Gaze"}

    assert set(cells["about"]) == shapes["About"]
    assert set(cells["about"]["kin"][0]) == shapes["Kin"]
    for cell, shape in names.items():
        assert set(cells[cell]) == shapes[shape]
