"""The data that is in the package."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

import agentlab as al
from agentlab import datasets
from agentlab.datasets import Dataset, dialogue, diary

ROOT = Path(__file__).parents[1]
BOTH = [diary(), dialogue()]


def test_the_front_door_leads_there() -> None:
    """As a module, when it is asked for."""
    assert al.datasets is datasets


@pytest.mark.parametrize("data", BOTH, ids=lambda data: data.about.name)
def test_it_has_a_card(data: Dataset[object]) -> None:
    """What it is, how many entries, under which licence; and the card is drawn."""
    assert data.about.count == len(data)
    assert data.about.licence == "CC0-1.0"
    assert len(data.about.what) > 80
    assert data.about.what in data.to_html()
    assert repr(data) == f"<Dataset {data.about.name}, {len(data)} entries, CC0-1.0>"


def test_the_rivers() -> None:
    """Are there too, as a graph, which is made anew for whoever asks."""
    one, other = datasets.rivers(), datasets.rivers()

    assert one.all_relations() == other.all_relations()
    one.remove_entity("Rhine")
    assert other.entity("Rhine") is not None
    assert other.entity_count() > 200
    about = datasets.about_rivers()
    assert (about.count, about.licence) == (other.relation_count(), "CC0-1.0")
    assert "general knowledge" in about.what
    assert about.what in about.to_html()


def test_the_diary() -> None:
    """A few hundred entries of a year, in order, on ten themes, none of them twice."""
    entries = diary()

    assert len(entries) > 250
    assert len({entry.theme for entry in entries}) == 10
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
    assert {entry.at.year for entry in entries} == {2029}
    assert len({entry.text for entry in entries}) == len({entry.id for entry in entries})
    assert all(0 <= entry.importance <= 1 for entry in entries)
    assert not [entry.text for entry in entries if "{" in entry.text]
    once = [entry for entry in entries if "milestone" in entry.tags]
    assert len(once) > 15
    assert min(entry.importance for entry in once) >= 0.8


def test_the_dialogue() -> None:
    """A long one of four roles, in order, in which some turns matter."""
    turns = dialogue()

    assert len(turns) > 150
    assert {turn.role for turn in turns} == {"user", "assistant", "tool"}
    assert [turn.timestamp for turn in turns] == sorted(turn.timestamp for turn in turns)
    assert len({turn.id for turn in turns}) == len(turns)
    assert not [turn.content for turn in turns if "{" in turn.content]
    assert 5 < sum("important" in turn.tags for turn in turns) < 30


def test_they_are_small() -> None:
    """Less than 150 kB together."""
    data = ROOT / "agentlab" / "data"

    assert sum(path.stat().st_size for path in data.glob("*.json")) < 150_000


def test_they_can_be_made_again() -> None:
    """Every byte follows from the sentences and the seed."""
    make = runpy.run_path(str(ROOT / "datasets" / "make.py"))

    for made in (make["diary"](), make["dialogue"]()):
        path = ROOT / "agentlab" / "data" / f"{made['about']['name']}.json"
        assert make["written"](made) == path.read_text(encoding="utf-8")


def test_each_call_gives_its_own() -> None:
    """What one reader changes, no other sees."""
    diary().clear()

    assert len(diary()) > 250
