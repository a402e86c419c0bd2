"""What the tests of the memory explorer have in common: cells that make memories."""

from __future__ import annotations

from tests.browser.watching import SETUP

MEMORIES = (
    SETUP
    + '''
import random
from datetime import UTC, datetime, timedelta
from agentlab.core.clock import FakeClock
NOW = datetime(2030, 1, 8, tzinfo=UTC)

def ltm(count=20):
    """Give a long-term memory of entries of several ages, the same each time."""
    diary, chance, clock = al.datasets.diary(), random.Random(7), FakeClock(NOW - timedelta(60))
    made = al.LtmStore(al.LtmConfig(stability_days=14, min_importance=.1), clock=clock)
    for i in range(count):
        entry = diary[i * 13 % len(diary)]
        again = f" (for the {i // len(diary) + 1}th time)" if i >= len(diary) else ""
        made.remember(entry.text + again, .15 + .85 * chance.random())
        clock.advance(60 * 86_400 / count)
    return made

def episodes(count=20, agents=("ada", "bob")):
    """Give an episodic store with tags, decay and an age beyond which it forgets."""
    diary, chance = al.datasets.diary(), random.Random(7)
    made = al.EpisodicStore(clock=FakeClock(NOW), max_age_hours=14 * 24,
        decay=al.DecayPolicy.exponential(48), recall_policy=al.RecallPolicy.Hybrid(.2, .2))
    for i in range(count):
        entry = diary[i * 13 % len(diary)]
        agent = agents[i % len(agents)]
        id = made.add_episode_at(agent, entry.text, entry.importance,
            NOW - timedelta(hours=13 * 24 * chance.random() ** 2))
        made.update_tags_by_id(agent, id, [*entry.tags, entry.theme])
    for agent in agents:
        for n in (3, 2, 1): made.recall(agent, n)
    return made
'''
)
ITEMS = ".agl-rows > [role=option]"
OPEN = "document.querySelectorAll('.agl-rows > [role=option]').length > 0"
DRAWN = "document.querySelector('.agl-caption')?.textContent.startsWith('map by')"
COUNT = "document.querySelector('[role=option]')?.ariaSetSize"
