"""A knowledge graph of real facts to try things on: the rivers of Europe."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from agentlab.graph.entities import Entity, Relation
from agentlab.graph.knowledge import KnowledgeGraph


@cache
def data() -> dict[str, Any]:
    """Read the file once; its ``card`` says what it is, where it is from, and its licence."""
    text = files("agentlab").joinpath("data/rivers.json").read_bytes()
    read: dict[str, Any] = msgspec.json.decode(text)
    return read


def rivers() -> KnowledgeGraph:
    """Give the rivers of Europe: what each flows into, and the countries it flows through.

    >>> graph = rivers()
    >>> graph.shortest_path("Limmat", "North Sea")
    ['Limmat', 'Aare', 'Rhine', 'North Sea']
    """
    told = data()
    graph = KnowledgeGraph(name=told["card"]["name"], strict=True)
    countries = sorted({each for river in told["rivers"] for each in river["countries"]})
    for kind, names in (("sea", told["seas"]), ("country", countries)):
        for name in names:
            graph.add_entity(Entity(name, name, {"type": kind}))
    for river in told["rivers"]:
        known = {"type": "river", "length_km": river["length_km"]}
        graph.add_entity(Entity(river["name"], river["name"], known))
    origin = told["card"]["source"]
    for river in told["rivers"]:
        name = river["name"]
        graph.add_relation(Relation(name, river["flows_into"], "flows_into", origin=origin))
        for country in river["countries"]:
            graph.add_relation(Relation(name, country, "flows_through", origin=origin))
    return graph
