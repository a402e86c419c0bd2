"""The card of a graph: a picture that can be read, however large the graph, and tables under it."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.display.drawings import drawn_of
from agentlab.display.labels import NARROW, WIDE, Circle, Label, around, edge_labels, node_labels
from agentlab.graph.entities import Entity, Relation, Relationship
from agentlab.graph.facts import rivers
from agentlab.graph.knowledge import KnowledgeGraph
from agentlab.graph.store import GraphStore
from tests.display.things import Reader
from tests.graph.graphs import HOSTILE, cliques, people, scattered, store

CIRCLES = st.lists(
    st.builds(Circle, st.floats(7, 93), st.floats(24, 400), st.floats(3, 14)),
    min_size=1,
    max_size=40,
)


@given(CIRCLES, st.lists(st.text(max_size=24), min_size=40, max_size=40))
def test_labels_never_meet(circles: list[Circle], texts: list[str]) -> None:
    """Nor leave the picture; in a narrow cell and in a wide one, those of edges neither."""
    names = node_labels(circles, texts[: len(circles)], 430)
    edges = [(i, i + 1, texts[i]) for i in range(len(circles) - 1)]
    every = [*names.values(), *edge_labels(circles, edges, names.values())]
    for width in (NARROW, WIDE):
        boxes = [label.box(width) for label in every if width == WIDE or not label.roomy]
        assert not any(one.meets(other) for one, other in combinations(boxes, 2))
        assert all(box.left >= 0 and box.right <= width for box in boxes)


def test_labels_stay_off_circles() -> None:
    """Only of the very first may one stand on others: they matter most."""
    circles = [Circle(10 + 8 * (i % 11), 40 + 40 * (i // 11), 6) for i in range(66)]
    names = node_labels(circles, [f"name {i}" for i in range(66)], 430)
    later = [label for n, label in names.items() if n >= 8]

    assert set(range(8)) <= set(names)
    for width in (NARROW, WIDE):
        dots = [around(circle, width) for circle in circles]
        for label in later:
            if width == WIDE or not label.roomy:
                assert not any(label.box(width).meets(dot) for dot in dots)


def test_broad_letters_take_more_room() -> None:
    """Those of the east are as wide as high."""
    narrow, broad = Label("abcd", 50, 50).box(WIDE), Label("東京都庁", 50, 50).box(WIDE)

    assert broad.right - broad.left > 1.5 * (narrow.right - narrow.left)


def test_a_small_graph_says_everything() -> None:
    """Who, what relates them, which is better connected; and the same as tables."""
    html = people().to_html()
    text = Reader(html).line

    for part in (
        "knowledge graph", "3 entities", "3 relations", "Alice", "reports to", "works with",
        "a line is darker where it leads", "role engineer", "0.8", "graph.all_relations()",
    ):  # fmt: skip
        assert part in text
    assert html.count("<circle") == 3
    assert "communities" not in text


@pytest.mark.parametrize(("nodes", "edges"), [(1, 0), (3, 3), (50, 90), (500, 900), (2500, 2500)])
def test_every_size(nodes: int, edges: int) -> None:
    """To five thousand elements: under 64 KB, the best connected drawn, what is left out said."""
    graph = scattered(nodes, edges, 4)
    html = graph.to_html()
    text = Reader(html).line
    drawn = "".join(re.findall(r'<g class="agl-nodes.*?</g>', html)).count("<circle")

    assert len(html.encode()) <= 64 * 1024
    assert "cannot be drawn" not in text
    if nodes <= 96:
        assert drawn == nodes
        assert "Drawn are" not in text
    else:
        assert drawn == 96
        assert f"Drawn are the 96 best connected of {nodes:,} entities" in text
        assert "graph.entities()" in text
        where = "as they lie in the whole" if nodes <= 300 else "laid out by themselves"
        assert f"{where}, and" in text


def test_a_part_lies_as_in_the_whole() -> None:
    """The card draws the best connected where the explorer has them, only closer."""
    graph = rivers()
    places, whole = graph.layout(), graph.snapshot()
    drawn = drawn_of(whole, {}, 96)
    xs = [places[name][0] for name in drawn.graph.names]
    ys = [places[name][1] for name in drawn.graph.names]

    for axis, now in ((0, xs), (1, ys)):
        before = [place[axis] for place in drawn.places]
        scale = (max(before) - min(before)) / (max(now) - min(now))
        for place, at in zip(before, now, strict=True):
            assert place - min(before) == pytest.approx(scale * (at - min(now)), abs=2e-4)
    assert 1 <= scale < 2
    assert drawn.many == len({*graph.communities().values()}) == 11


def test_communities_have_a_hue_and_a_name() -> None:
    """The five of which most is drawn; those of one are alone; the tables name them too."""
    graph = cliques(6, 5, 5, 4, 4, 3, 3, bridged=False)
    graph.add_entity(Entity("hermit"))
    text = Reader(graph.to_html()).line

    assert "7 communities" in text
    assert "communities round 0-0 (6) 1-0 (5) 2-0 (5) 3-0 (4) 4-0 (4) 2 others 1 alone" in text
    groups = re.findall(r'<g class="agl-nodes agl-g(\d)"', graph.to_html())
    assert groups == ["0", "1", "2", "3", "4", "5"]


def test_loops_and_parallel_edges() -> None:
    """A loop is a ring; two between the same two are a thicker line."""
    html = store("ab", [("a", "a", "x"), ("a", "b", "x"), ("a", "b", "y")]).to_html()

    assert html.count('r="5"') == 1
    assert 'stroke-width="2"' in html


def test_what_is_only_named_is_counted() -> None:
    """A relation to the unknown is in the number, though not in the picture."""
    graph = KnowledgeGraph()
    graph.add_entity(Entity("a", "A"))
    graph.add_relation(Relation("a", "ghost", "sees"))

    assert "1 relation" in Reader(graph.to_html()).line
    empty = KnowledgeGraph()
    empty.add_relation(Relation("a", "b", "sees"))
    assert "Nothing is in it yet" in Reader(empty.to_html()).line


def test_the_card_follows_the_graph() -> None:
    """A new name, a new edge: the next look has it."""
    graph = people()
    graph.to_html()
    graph.add_entity(Entity("bob", "Robert"))
    graph.add_relation(Relation("bob", "alice", "thanks"))

    text = Reader(graph.to_html()).line
    assert "Robert" in text
    assert "thanks" in text


def test_a_very_large_graph_is_looked_at_in_part() -> None:
    """Its communities are those of what is drawn; there is a card all the same."""
    graph = GraphStore()
    for i in range(4000):
        graph.add_entity(Entity(f"n{i}"))
    for i in range(4000):
        for step in range(1, 7):
            graph.add_relationship(Relationship(f"n{i}", f"n{(i * 3 + step * 571) % 4000}", "x"))

    assert "Drawn are the 96 best connected of 4,000 entities" in Reader(graph.to_html()).line


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(name: str) -> None:
    """Are letters in the picture, in its titles and in the tables."""
    graph: Any = KnowledgeGraph(name=name)
    graph.add_entity(Entity(name, name, {name: name}))
    graph.add_relation(Relation(name, name, name))
    tags = [tag for tag, _ in Reader(graph.to_html()).tags]

    assert not {"data", "x", "script"} & set(tags)
    assert tags.count("svg") == 1


def test_the_rivers() -> None:
    """What is best connected is named in the picture, in a narrow cell too."""
    html = rivers().to_html()
    labels = re.findall(r'<text class="([^"]*)"[^>]*>([^<]*) </text>', html)
    always = {text for cls, text in labels if "agl-roomy" not in cls}

    assert {"Danube", "Germany", "Russia", "France", "Rhine"} <= always
    assert len(labels) > 45
