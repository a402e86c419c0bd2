"""The card of a plain record: its fields by name."""

from __future__ import annotations

from typing import Any

from agentlab.display.html import Html
from agentlab.display.parts import Room, asked, card
from agentlab.display.words import shortened


def record_card(record: Any, room: Room) -> Html:
    """Draw a row of a frame, or any other struct, when it is shown alone."""
    kind = type(record).__name__
    told = [
        (name, shortened(getattr(record, name), f"row.{name}", room.text // 4), "", f"row.{name}")
        for name in record.__struct_fields__
    ]
    return card("record", kind, None, (), asked(*told), path="row")
