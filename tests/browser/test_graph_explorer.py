"""The graph explorer, in a real JupyterLab and a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from tests.browser.lab import DARK, LIGHT, Lab, Tab
from tests.browser.test_cards import CONTRAST, HOSTILE, OVERFLOW
from tests.browser.travelling import answer, detail, until
from tests.browser.watching import SETUP, measured, over

pytestmark = pytest.mark.browser

slow = pytest.mark.slow
STAGE = ".agl-figure-of"
OPEN = "document.querySelectorAll('.agl-front text').length > 0"
GRAPHS = (
    SETUP
    + """
import random
from agentlab import Entity, GraphStore, KnowledgeGraph, Relation, Relationship
from agentlab.graph.facts import rivers

def made(nodes, edges, rng=random.Random(7)):
    graph = KnowledgeGraph(name=f"{nodes} things")
    for i in range(nodes):
        known = {"type": "thing", "size": i}
        graph.add_entity(Entity(f"n{i}", f"thing {i}", known))
    for i in range(1, nodes):
        graph.add_relation(Relation(f"n{i}", f"n{rng.randrange(max(0, i - 30), i)}", "part_of"))
    while graph.relation_count() < edges:
        i = rng.randrange(nodes)
        j = min(nodes - 1, max(0, i + rng.randrange(-20, 20)))
        if i != j:
            graph.add_relation(Relation(f"n{i}", f"n{j}", rng.choice(["near", "like"])))
    return graph
"""
)
RIVERS = "explorer = rivers().explore()"


def opened(tab: Tab, lab: Lab, name: str, *cells: str) -> None:
    """Run cells, and wait for the explorer."""
    tab.open(lab, name, *cells)
    tab.run_all()
    tab.wait(OPEN, 60_000)
    over(tab)
    tab.page.locator(STAGE).scroll_into_view_if_needed()


def said(tab: Tab) -> str:
    """Read what is said of what is shown."""
    return str(tab.page.inner_text(".agl-then"))


def test_by_mouse(lab: Lab, tab: Tab) -> None:
    """Searched, selected, opened, joined by a path and closed by clicks; Python knows of it."""
    opened(tab, lab, "mouse.ipynb", GRAPHS, RIVERS)
    page = tab.page
    assert answer(tab, "explorer.selected") == ""
    tab.shot("graph-first")
    page.locator(".agl-find").fill("rhine")
    page.keyboard.press("Enter")
    until(tab, "explorer.selected.id", "'Rhine'")
    tab.wait("document.querySelector('.agl-detail').innerText.includes('length')")
    tab.shot("graph-rhine")
