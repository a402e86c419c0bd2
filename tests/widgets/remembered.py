"""Memories for the tests of their explorer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import agentlab as al
from agentlab.core.clock import FakeClock
from agentlab.memory.ltm import LtmStore

NOW = datetime(2030, 1, 8, tzinfo=UTC)
TOLD = [
    ("ada", "Ada prefers short answers", 0.9, 1, ("habit",)),
    ("ada", "The exam is on Friday", 0.8, 12, ("date", "exam")),
    ("bob", "Bob plays the cello", 0.6, 13, ("habit",)),
    ("ada", "Chapter three took two sessions", 0.45, 48, ("exam",)),
    ("bob", "It rained on Tuesday", 0.2, 80, ()),
]


def episodes(**settings: object) -> al.EpisodicStore:
    """Give an episodic store of five memories of two agents."""
    clock = FakeClock(NOW)
    store = al.EpisodicStore(decay=al.DecayPolicy.exponential(24), clock=clock, **settings)  # type: ignore[arg-type]
    for agent, text, importance, age, tags in TOLD:
        made = store.add_episode_at(agent, text, importance, NOW - timedelta(hours=age))
        store.update_tags_by_id(agent, made, tags)
    return store


def long_term(count: int = 0) -> LtmStore:
    """Give a long-term memory of what was told, a day after the other; or of so many entries."""
    clock = FakeClock(NOW)
    ltm = LtmStore(al.LtmConfig(stability_days=10, min_importance=0.1), clock=clock)
    for i in range(count or len(TOLD)):
        _, text, importance, _, _ = TOLD[i % len(TOLD)]
        ltm.remember(f"{text} {i}" if count else text, importance)
        clock.advance(86_400 if not count else 60)
    return ltm


def texts() -> al.SemanticMemory[int]:
    """Give a semantic memory over a bag of words."""
    memory = al.SemanticMemory[int]()
    memory.remember_many([text for _, text, *_ in TOLD], range(len(TOLD)))
    return memory


def vectors(rows: list[str]) -> list[list[float]]:
    """Give vectors of two numbers."""
    return [[1.0, 0.1 * len(row)] for row in rows]


def facts(*, embedder: object = vectors) -> al.SemanticStore:
    """Give facts by key."""
    store = al.SemanticStore(embedder=embedder)
    for _, text, _, _, tags in TOLD:
        store.store(text.split()[0], text, tags)
    return store


def mind() -> al.WorkingMemory:
    """Give a working memory."""
    made = al.WorkingMemory(5)
    for key in ("goal", "plan", "note"):
        made.set(key, f"the {key}")
    return made


def plane() -> al.VectorMemory[str]:
    """Give a vector memory."""
    made = al.VectorMemory[str]()
    made.insert_many([[1, 0], [0, 1], [1, 1]], ["east", "north", "north-east"])
    return made
