"""Graphs to test with: any, and some that are known."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import networkx as nx
from hypothesis import strategies as st

from agentlab.graph.entities import Entity, Relation, Relationship
from agentlab.graph.knowledge import KnowledgeGraph
from agentlab.graph.store import GraphStore

NAMES = [f"n{i}" for i in range(8)]
HOSTILE = [
    'say "a"', "back\\slash", "two\nlines", "cr\r\nlf\ttab", "\x00\x1b\x7f\x85", "é東京\U0001f600",
    "</data>&amp;<x>", "\u202eabc\u2028", "n0", "\\x41\\u0041", " spaces ", "]]>", "a;b,c", "'",
    "{}", "\ufffe\uffff",
]  # fmt: skip


@st.composite
def stores(draw: st.DrawFn) -> GraphStore:
    """Give any small graph: with loops, parallel edges of several kinds, and islands."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
    node = st.sampled_from(names)
    edges = draw(
        st.lists(
            st.tuples(node, node, st.sampled_from("xy"), st.integers(0, 9)),
            max_size=24,
            unique_by=lambda edge: edge[:3],
        )
    )
    return store(names, edges)


def store(names: Any, edges: Any = (), **settings: Any) -> GraphStore:
    """Give a graph of names, and of tuples that are edges."""
    graph = GraphStore(**settings)
    for name in names:
        graph.add_entity(Entity(name))
    for edge in edges:
        tail, head, *rest = edge
        graph.add_relationship(Relationship(tail, head, *(rest or ["to"])))
    return graph


def path(length: int) -> GraphStore:
    """Give a graph that is one long path."""
    names = [f"{i:06d}" for i in range(length)]
    return store(names, pairwise(names))


def scattered(nodes: int, edges: int, seed: int = 0) -> GraphStore:
    """Give a graph of chance; the same each time."""
    rng = Random(seed)  # noqa: S311 - reproducible
    names = [f"n{i}" for i in range(nodes)]
    ends = dict.fromkeys((rng.choice(names), rng.choice(names)) for _ in range(edges))
    return store(names, ends)


def cliques(*sizes: int, bridged: bool = True) -> GraphStore:
    """Give groups in which all are related, each with an edge to the next."""
    groups = [[f"{g}-{i}" for i in range(size)] for g, size in enumerate(sizes)]
    edges = [(a, b) for group in groups for a in group for b in group if a < b]
    if bridged:
        edges += [(one[0], other[0]) for one, other in pairwise(groups)]
    return store([name for group in groups for name in group], edges)


def people() -> KnowledgeGraph:
    """Give the graph of the worked case."""
    graph = KnowledgeGraph()
    graph.add_entity(Entity("alice", "Alice").with_property("role", "engineer"))
    graph.add_entity(Entity("bob", "Bob").with_property("role", "manager"))
    graph.add_entity(Entity("carol", "Carol").with_property("role", "designer"))
    graph.add_relation(Relation("alice", "bob", "reports_to", 1.0))
    graph.add_relation(Relation("alice", "carol", "works_with", 0.8))
    graph.add_relation(Relation("carol", "bob", "reports_to", 1.0))
    return graph


def simple(graph: GraphStore) -> Any:
    """Give the same to networkx, each edge once."""
    return nx.DiGraph(graph.to_networkx())
