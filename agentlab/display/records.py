"""The cards of plain records: one, its fields by name; a set of them, and what it is."""

from __future__ import annotations

from typing import Any

from agentlab.datasets import Dataset
from agentlab.display.html import Html, h
from agentlab.display.parts import Column, Room, asked, card, table
from agentlab.display.words import count, gist, moment, plural, shortened


def record_card(record: Any, room: Room) -> Html:
    """Draw a row of a frame, or any other struct, when it is shown alone."""
    kind = type(record).__name__
    told = [
        (name, shortened(getattr(record, name), f"row.{name}", room.text // 4), "", f"row.{name}")
        for name in record.__struct_fields__
    ]
    return card("record", kind, None, (), asked(*told), path="row")


def dataset_card(data: Dataset[Any], room: Room) -> Html:
    """Draw a data set: what is to be known about it, and its first entries."""
    about, shown = data.about, data[: room.ends]
    names = shown[0].__struct_fields__ if shown else ()
    columns = [Column(name, "fit" if i < 2 else "wide") for i, name in enumerate(names)]  # noqa: PLR2004 - id and when, or who
    cells = [
        [h("span", title=f"data[{i}]")(gist(entry.id, 40)), *(cell(entry, n) for n in names[1:])]
        for i, entry in enumerate(shown)
    ]
    some = f"the first {len(shown)} of {count(len(data))}" if len(shown) < len(data) else "all"
    return card(
        "data set",
        about.name,
        None,
        [plural(len(data), "entry", "entries"), about.licence],
        asked(
            ("what", shortened(about.what, "data.about.what", room.text), "", "data.about"),
            ("fields", gist(about.fields, room.text), "", "data.about.fields"),
        ),
        table(f"{some}: data, or data.to_frame()", columns, cells, path="data") if shown else None,
        path="data",
    )


def cell(entry: Any, name: str) -> str:
    """Write one field of an entry."""
    value = getattr(entry, name)
    if isinstance(value, tuple):
        return gist(", ".join(value), 80)
    return moment(value) or gist(value, 160)
