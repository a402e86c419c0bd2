"""Graphs in a real browser: what is drawn, and the page of pyvis, which asks nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from agentlab.graph.facts import rivers
from tests.graph.graphs import people
from tests.graph.test_export import hostile

pytestmark = pytest.mark.browser

# Whether the boxes of two labels that can be seen meet, by more than their empty rims.
MEET = """() => {
    const seen = [...document.querySelectorAll('svg text')]
        .map(e => e.getBoundingClientRect()).filter(r => r.width > 0);
    const meet = (a, b) => a.left + 2 < b.right && b.left + 2 < a.right
        && a.top + 3 < b.bottom && b.top + 3 < a.bottom;
    return [seen.length, seen.filter((a, i) => seen.some((b, j) => j > i && meet(a, b))).length];
}"""


@pytest.mark.parametrize("width", [400, 700, 1000])
def test_labels_do_not_meet(browser: Browser, width: int, tmp_path: Path) -> None:
    """As the browser lays them out, in a narrow cell and in a wide one, where there are more."""
    page = browser.new_page(viewport={"width": width, "height": 700})
    page.goto(rivers().to_html(tmp_path / "rivers.html").as_uri())
    seen, meeting = page.evaluate(MEET)
    page.close()

    assert seen >= (30 if width == 400 else 50)
    assert meeting == 0


def watched(browser: Browser) -> tuple[Page, list[str], list[str]]:
    """Give a tab, what it asks for, and what goes wrong in it."""
    page = browser.new_page(viewport={"width": 1100, "height": 760})
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    return page, asked, wrong


@pytest.mark.parametrize("make", [people, hostile], ids=["people", "hostile"])
def test_the_page_of_pyvis(browser: Browser, make: object, tmp_path: Path) -> None:
    """Draws every node, asks for nothing but itself, and runs nothing of what names say."""
    graph = make()  # type: ignore[operator]
    place = graph.to_pyvis().write_html(tmp_path / "network.html")
    page, asked, wrong = watched(browser)
    page.goto(place.as_uri())
    page.wait_for_selector("canvas")
    nodes = page.evaluate("nodes.length")
    page.close()

    assert nodes == graph.entity_count()
    assert asked == [place.as_uri()]
    assert wrong == []


def test_what_a_cell_shows_of_it(browser: Browser) -> None:
    """The same in a frame of its own, which can do nothing to the page round it."""
    page, asked, wrong = watched(browser)
    page.set_content(f"<!doctype html><body>{people().to_pyvis()._repr_html_()}</body>")
    page.frame_locator("iframe").locator("canvas").wait_for()
    page.close()

    assert [url for url in asked if not url.startswith("about:")] == []
    assert wrong == []
