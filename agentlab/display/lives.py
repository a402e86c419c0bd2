"""What a trace tells of each run in it: one pass over the entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from agentlab.core import events
from agentlab.core.events import Entry
from agentlab.display.words import number, text_of

NOTED = {events.Asked, events.ToolEnded, events.RunStarted, events.RunEnded}


@dataclass(slots=True)
class Life:
    """One run: whose it was, from when to when, and how often it said what."""

    path: str
    parent: str | None
    name: str
    first: float
    last: float = 0.0
    failed: int = 0
    end: events.RunEnded | None = None
    kinds: Counter[type] = field(default_factory=Counter)
    asked: dict[int, float] = field(default_factory=dict)
    below: list[Life] = field(default_factory=list)

    def note(self, entry: Entry) -> None:
        """Remember what one entry says of the whole run."""
        match entry.event:
            case events.Asked(call_id=call):
                self.asked[call] = entry.offset
            case events.ToolEnded(ok=ok):
                self.failed += not ok
            case events.RunStarted(agent=agent):
                self.name = text_of(agent)
            case events.RunEnded():
                self.end = entry.event
            case _:
                pass

    @property
    def length(self) -> float:
        """How many seconds there are between its first word and its last."""
        return number(self.last) - number(self.first)


def told(entries: Sequence[Entry]) -> dict[str, Life]:
    """Gather what is told of each run, in the order of their first words."""
    lives: dict[str, Life] = {}
    for entry in entries:
        life = lives.get(entry.run)
        if life is None:
            name = entry.run.rpartition("/")[2]
            life = lives[entry.run] = Life(entry.run, entry.parent, name, entry.offset)
        kind = type(entry.event)
        life.last = entry.offset
        life.kinds[kind] += 1
        if kind in NOTED:
            life.note(entry)
    return lives


def tree(lives: dict[str, Life]) -> list[tuple[int, Life]]:
    """Give each run with its depth, below its parent; those that hang on nothing come last."""
    roots: list[Life] = []
    for life in lives.values():
        parent = lives.get(life.parent or "")
        (roots if parent is None or parent is life else parent.below).append(life)
    order: list[tuple[int, Life]] = []
    waiting, seen = [(0, life) for life in reversed([*roots, *lives.values()])], set[str]()
    while waiting:
        depth, life = waiting.pop()
        if life.path not in seen:
            seen.add(life.path)
            order.append((depth, life))
            waiting += [(depth + 1, each) for each in reversed(life.below)]
    return order
