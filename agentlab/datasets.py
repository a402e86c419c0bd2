"""Small data to try things on, in the package: a diary and a dialogue, invented, CC0; rivers.

>>> diary().about.licence
'CC0-1.0'
>>> len(dialogue()) > 100
True
>>> rivers().shortest_path("Limmat", "North Sea")
['Limmat', 'Aare', 'Rhine', 'North Sea']
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files
from typing import Any, Generic, TypeVar

import msgspec

from agentlab.core.doors import Displayable, Tabular
from agentlab.core.portable import Portable
from agentlab.graph.facts import data as rivers_data
from agentlab.graph.facts import rivers
from agentlab.memory.conversation import MemoryTurn

__all__ = ["About", "Dataset", "DiaryEntry", "about_rivers", "dialogue", "diary", "rivers"]

T = TypeVar("T")


class About(Portable, Displayable, msgspec.Struct, frozen=True):
    """The card of a data set: what it is, how much, under which licence, with which fields."""

    name: str
    what: str
    count: int
    licence: str
    fields: str


class DiaryEntry(Portable, Displayable, msgspec.Struct, frozen=True):
    """What Ada wrote on one evening; ``importance`` is from 0 to 1."""

    id: str
    at: datetime
    theme: str
    text: str
    importance: float
    tags: tuple[str, ...]


class Dataset(Tabular, Displayable, list[T], Generic[T]):
    """A list of records, and what is to be known ``about`` them."""

    def __init__(self, about: About, entries: Sequence[T]) -> None:
        super().__init__(entries)
        self.about = about

    def __repr__(self) -> str:
        return f"<Dataset {self.about.name}, {len(self)} entries, {self.about.licence}>"


def diary() -> Dataset[DiaryEntry]:
    """Give a year of a diary: some hundred dated memories on ten themes, oldest first.

    Those that happened once in that year are tagged ``milestone`` and matter most.
    """
    return _read("diary", DiaryEntry)


def dialogue() -> Dataset[MemoryTurn]:
    """Give a long conversation, to be compressed: turns, oldest first.

    A librarian plans with an assistant how her library moves. Decisions are tagged ``important``.
    """
    return _read("dialogue", MemoryTurn)


def about_rivers() -> About:
    """Give the card of :func:`rivers`: what the graph is, from where, and under which licence."""
    card = rivers_data()["card"]
    return About(
        name=card["name"],
        what=f"{card['what']} {card['notes']} Source: {card['source']}.",
        count=rivers().relation_count(),
        licence=card["licence"],
        fields="type and length_km of an entity; relations flows_into, flows_through",
    )


def _read(name: str, kind: type[T]) -> Dataset[T]:
    data = files("agentlab").joinpath("data", f"{name}.json").read_bytes()
    plain: dict[str, Any] = msgspec.json.decode(data)
    entries = [msgspec.convert(entry, kind) for entry in plain["entries"]]
    return Dataset(msgspec.convert(plain["about"], About), entries)
