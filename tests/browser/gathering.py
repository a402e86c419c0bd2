"""What the tests of debates, teams and swarms have in common: cells with so many agents."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.lab import Lab, Tab
from tests.browser.test_cards import HERE
from tests.browser.travelling import until
from tests.browser.watching import CARD, SETUP, static

COMPANY = (
    SETUP
    + '''
import itertools
from agentlab.teams.debate import DebateStrategy
from agentlab.teams.debate_config import DebateConfig, DebaterPosition
from agentlab.teams.team import TeamStrategy
from agentlab.teams.team_config import AgentTeam, TeamConfig
from agentlab.teams.swarm import SwarmStrategy
from agentlab.teams.swarm_config import SwarmConfig
NAMES = ("Alice", "Bob", "Carol", "Dan", "Eve", "Faythe", "Grace", "Heidi", "Ivan", "Judy",
         "Kim", "Leo", "Mallory", "Niaj", "Olivia", "Peggy")
SIDES = ("Monolith for simplicity", "Microservices for scale", "Modules first", "It depends")
WORDS = ("one deployable is one thing to reason about, and small teams ship faster when a call is"
         " a function call; boundaries that hold can be split along later").split()

def talker(rate=30, words=24):
    """Agents that speak so many words a second; whoever judges gives a number."""
    turns = itertools.count()
    async def infer(agent, prompt):
        no = next(turns)
        if prompt.startswith("You judge"):
            await asyncio.sleep(1 / rate)
            yield f"0.{4 + no % 5}"
            return
        for i in range(words):
            await asyncio.sleep(1 / rate)
            yield f"{WORDS[(i + 5 * no) % len(WORDS)]} "
    return infer

def debate(n, rounds=2, infer=None, **how):
    sides = [DebaterPosition(NAMES[i], SIDES[i % 4]) for i in range(n)]
    config = DebateConfig("Monolith or microservices?", sides, rounds=rounds, **how)
    return AgentRuntime(infer or talker()).start(
        "Monolith or microservices?", strategy=DebateStrategy(config, infer or talker()))

def team(n, infer=None, agents=None, **how):
    members = [name.lower() for name in NAMES[:n]]
    made = AgentTeam(members[0], members[1:], "How severe is this ticket?")
    strategy = TeamStrategy(TeamConfig(made, **how), infer or talker(), agents=agents)
    return AgentRuntime(infer or talker()).start("How severe is this ticket?", strategy=strategy)

def swarm(n, infer=None, parts=None, **how):
    task = " and ".join(f"look into source {i + 1}" for i in range(parts or n))
    agents = [name.lower() for name in NAMES[:n]]
    return AgentRuntime(infer or talker()).start(
        task, strategy=SwarmStrategy(SwarmConfig(**how), agents, infer or talker()))
'''
)


def narrowed(tab: Tab, lab: Lab, name: str, width: int, *cells: str) -> None:
    """Open a notebook in a page so wide that a card has about ``width`` pixels."""
    tab.page.set_viewport_size({"width": width + 120 * (width < 500), "height": 900})
    tab.open(lab, name, COMPANY, *cells)
    tab.do("application:toggle-left-area")


LIVE = ".agl-live .agl-card"
SIZES = ((2, 1000), (8, 1000), (8, 400), (16, 1000), (16, 400))
SHORT = 45_000  # ms of patience for a kernel that starts
OVERFLOW, CONTRAST = ((HERE / f"{name}.js").read_text() for name in ("overflow", "contrast"))


def cases(*quick: tuple[int, int]) -> list[Any]:
    """Give how many agents in which width, those that are not ``quick`` as slow."""
    marks = {size: () if size in quick else pytest.mark.slow for size in SIZES}
    return [pytest.param(*size, marks=mark) for size, mark in marks.items()]


def sound(tab: Tab) -> None:
    """Check that nothing sticks out, and all of it can be read."""
    assert tab.page.evaluate(OVERFLOW) == []
    assert tab.page.evaluate(CONTRAST) == []


def stopped(tab: Tab) -> None:
    """Press Stop, and check that the card says so."""
    tab.page.locator("button.stop").click()
    static(tab)
    assert "stopped" in tab.page.inner_text(CARD)
    assert tab.bad_outputs() == []


def comes_back(tab: Tab, script: str) -> None:
    """Load the page again while the kernel goes on: all is there, it moves, and Stop still stops.

    The card is for the page that saw it begin: another has lost which output it is.
    """
    tab.save()
    tab.page.reload()
    tab.wait(script, SHORT)
    text = f"document.querySelector('{LIVE}').innerText"
    tab.page.evaluate(f"window.was = {text}")
    tab.wait(f"{text} !== window.was")
    tab.page.locator("button.stop").click()
    until(tab, "handle.done()", "True")
