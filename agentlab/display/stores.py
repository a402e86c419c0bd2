"""The cards of what is kept: stores and checkpoints."""

from __future__ import annotations

from typing import Any

from agentlab.display.html import Html, h
from agentlab.display.parts import Chip, Column, Room, bar, card, note, table
from agentlab.display.words import count, gist, moment, most, plural
from agentlab.store.base import Shelf
from agentlab.store.checkpoint import CheckpointManager

ROWS = [
    Column("key", "wide"),
    Column("size", "fit"),
    Column("saves", "num"),
    Column("last saved", "fit"),
]
CHECKPOINTS = [
    Column("agent", "wide"),
    Column("step", "num"),
    Column("entries", "num"),
    Column("context", "fit"),
    Column("made", "fit"),
]
NO_CHECKPOINTS = (
    "Nothing was saved or looked up yet: `await manager.refresh()` looks, and"
    " `await manager.maybe_checkpoint(agent, step, memory, context)` makes one."
)
NOTHING_KEPT = "Nothing is kept yet. `AgentRuntime(…, store=store)` keeps every run here."


def store_card(store: Shelf, room: Room) -> Html:
    """Draw a store: its first keys, how large they are and how old."""
    stats, found = store.stats_sync(), store.listing(3 * room.ends)
    aside = Chip("bad", f"{count(stats.damaged)} damaged") if stats.damaged else None
    name = plural(stats.count, "key")
    figures = [size(stats.bytes) if stats.bytes else "", gist(stats.where, 80)]
    if not found:
        body = note(NOTHING_KEPT)
        return card("store", "empty", aside or Chip("", "empty"), figures, body, path="store")
    largest = most([row.bytes for row in found]) or 1
    cells = [
        (
            h("span", "agl-code", title=f"(await store.rows())[{i}]")(gist(row.key, 120)),
            h("span")(bar(row.bytes / largest), f" {size(row.bytes)}"),
            count(row.version),
            moment(row.saved_at),
        )
        for i, row in enumerate(found)
    ]
    part = f"the first {count(len(found))} of {name}; all" if len(found) < stats.count else "all"
    caption = f"{part}: await store.rows(), or store.to_frame()"
    return card(
        "store",
        name,
        aside,
        figures,
        table(caption, ROWS, cells, path="await store.rows()"),
        path="store",
    )


def checkpoints_card(manager: CheckpointManager, room: Room) -> Html:
    """Draw what was there when last looked: an agent's checkpoints, oldest first."""
    found = manager.rows()
    every = f"every {plural(manager.interval_steps, 'step')}, the newest {manager.max_checkpoints}"
    if not found:
        return card(
            "checkpoints", "none", Chip("", "empty"), [every], note(NO_CHECKPOINTS), path="manager"
        )
    shown = found[-3 * room.ends :]
    skipped = len(found) - len(shown)
    largest = most([row.context_bytes for row in shown]) or 1
    cells = [
        (
            h("span", title=f"manager.rows()[{i}]")(gist(row.agent, 60)),
            count(row.step),
            count(row.entries),
            h("span")(bar(row.context_bytes / largest), f" {size(row.context_bytes)}"),
            moment(row.created_at),
        )
        for i, row in enumerate(shown, skipped)
    ]
    rest = f"the last {len(shown)} of {count(len(found))}" if skipped else "all"
    return card(
        "checkpoints",
        plural(len(found), "checkpoint"),
        None,
        [plural(len({row.agent for row in found}), "agent"), every],
        table(f"{rest}, by agent: manager.rows()", CHECKPOINTS, cells, path="manager.rows()"),
        path="manager",
    )


def size(value: Any) -> str:
    """Say a number of bytes as people do.

    >>> [size(n) for n in (12, 2048, 5_400_000)]
    ['12 B', '2.0 kB', '5.4 MB']
    """
    for step, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= step:
            return f"{value / step:,.1f} {unit}"
    return f"{count(value)} B"
