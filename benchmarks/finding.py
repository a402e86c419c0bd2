"""How long it takes to find who and what fits a task, among many: run it as a script."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

import agentlab as al

MANY, ROUNDS = 10_000, 5
WORDS = [f"word{i}" for i in range(500)]


def best_of(work: Callable[[], object]) -> float:
    """Give the shortest of a few times, in milliseconds."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times) * 1000


async def advertised(chance: random.Random) -> al.AgentRegistry:
    """Give a registry of many agents, with four tags each."""
    registry = al.AgentRegistry(3600)
    for i in range(MANY):
        capability = al.Capability("c", tags=chance.choices(WORDS, k=4))
        await registry.register(al.AgentAdvertisement(f"agent {i}", "", [capability]))
    return registry


def main() -> None:
    """Print two figures."""
    chance = random.Random(1)  # noqa: S311 - reproducible, not secret
    skills = al.SkillRegistry(
        al.Skill(
            f"s{i}", " ".join(chance.choices(WORDS, k=12)), "1", "", chance.choices(WORDS, k=4)
        )
        for i in range(MANY)
    )
    matcher, task = al.SkillMatcher(skills), " ".join(chance.choices(WORDS, k=20))
    assert matcher.match_skills(task, 10)
    print(f"a task, {MANY:,} skills: {best_of(lambda: matcher.match_skills(task, 10)):.0f} ms")

    registry = asyncio.run(advertised(chance))
    query = al.CapabilityQuery([], chance.choices(WORDS, k=6))

    def ask() -> object:
        return asyncio.run(registry.query(query))

    assert ask()
    print(f"a query, {MANY:,} agents: {best_of(ask):.0f} ms")


if __name__ == "__main__":
    main()
