"""A store of episodes as small as can be, and memories and turns to put into things."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from agentlab.memory.conversation import MemoryTurn

AT = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Memory:
    """An episode."""

    id: str
    content: str
    importance: float
    timestamp: datetime
    tags: tuple[str, ...] = ()


@dataclass
class Shelf:
    """Keeps episodes by agent; with a capacity, the least important goes."""

    capacity: int | None = None
    kept: dict[str, list[Memory]] = field(default_factory=dict)
    refuses: bool = False
    made: int = 0

    def agent_ids(self) -> list[str]:
        return sorted(self.kept)

    def items(self, agent: str, /) -> list[Memory]:
        return list(self.kept.get(agent, ()))

    def add_episode_at(
        self, agent: str, content: str, importance: float, timestamp: datetime, /
    ) -> str:
        if self.refuses:
            self.refuses = False
            raise OSError("full")
        self.made += 1
        name = f"m{self.made:05}"
        self.put(agent, Memory(name, content, importance, timestamp))
        return name

    def put(self, agent: str, memory: Memory) -> None:
        """Take one in."""
        some = self.kept.setdefault(agent, [])
        some.append(memory)
        if self.capacity is not None and len(some) > self.capacity:
            some.remove(min(some, key=lambda each: each.importance))

    def update_tags_by_id(self, agent: str, id: str, tags: Iterable[str], /) -> bool:  # noqa: A002
        some = self.kept[agent]
        self.kept[agent] = [replace(m, tags=tuple(tags)) if m.id == id else m for m in some]
        return any(m.id == id for m in some)

    def remove_by_id(self, agent: str, id: str, /) -> bool:  # noqa: A002
        some = self.kept[agent]
        self.kept[agent] = [m for m in some if m.id != id]
        return len(self.kept[agent]) < len(some)


def shelf(
    *contents: str, agent: str = "ada", hours: float = 2, capacity: int | None = None
) -> Shelf:
    """Give a store of memories that old, a second between two, all of importance 0.5."""
    made = Shelf(capacity)
    for i, content in enumerate(contents):
        when = AT - timedelta(hours=hours) + timedelta(seconds=i)
        made.add_episode_at(agent, content, 0.5, when)
    return made


def said_by(script: str, seed: str) -> bytes:
    """Give what ``script`` prints in a process of its own, whose hashes are of ``seed``."""
    return subprocess.run(  # noqa: S603
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONHASHSEED": seed},
    ).stdout


def turn(i: int, content: str = "ok", score: float = 0.0, tokens: int = 0, **more: object) -> MemoryTurn:  # fmt: skip  # noqa: E501
    """Give turn ``i``, a minute after the one before."""
    tags = more.get("tags", ())
    role = str(more.get("role", "user"))
    assert isinstance(tags, tuple)
    return MemoryTurn(f"t{i}", role, content, AT + timedelta(minutes=i), score, tokens, tags)
