"""The rivers: each fact fits the others."""

from __future__ import annotations

from agentlab.graph.facts import data, rivers

GRAPH = rivers()
RIVERS = {each["name"]: each for each in data()["rivers"]}


def test_the_card() -> None:
    """Says what it is, where it is from, and that anyone may use it."""
    card = data()["card"]

    assert card["source"] == "compiled by the authors from general knowledge"
    assert card["licence"] == "CC0-1.0"
    assert card["name"] == GRAPH.name
    assert all(relation.origin == card["source"] for relation in GRAPH.all_relations())


def test_every_fact_fits() -> None:
    """Each river reaches a sea, shares a country with what it flows into, and is named once."""
    assert len(RIVERS) == len(data()["rivers"]) == 187
    assert GRAPH.relation_count() == 481
    assert GRAPH.dangling() == []
    assert not GRAPH.detect_cycles()
    seas = set(data()["seas"])
    for name, river in RIVERS.items():
        assert 30 <= river["length_km"] <= 3600
        assert len(set(river["countries"])) == len(river["countries"]) > 0
        below = river["flows_into"]
        assert below in RIVERS or below in seas
        if below in RIVERS:
            assert set(river["countries"]) & set(RIVERS[below]["countries"])
        assert any(GRAPH.shortest_path(name, sea) for sea in seas)


def test_what_is_well_known() -> None:
    """The longest, the most international, and a way to the sea."""
    assert max(RIVERS, key=lambda name: RIVERS[name]["length_km"]) == "Volga"
    assert max(RIVERS, key=lambda name: len(RIVERS[name]["countries"])) == "Danube"
    assert GRAPH.shortest_path("Moskva", "Caspian Sea") == ["Moskva", "Oka", "Volga", "Caspian Sea"]


def test_each_call_gives_its_own() -> None:
    """What is changed in one is not in another."""
    rivers().remove_entity("Rhine")
    assert "Rhine" in rivers()
