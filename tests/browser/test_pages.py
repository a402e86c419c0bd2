"""A page that was mailed: opened from the disk, without a network, in the reader's own theme."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, get_args

import pytest
from playwright.sync_api import Browser, Page

from agentlab.display import saved
from agentlab.models.scripted import ScriptedModel
from agentlab.runtime import AgentRuntime
from agentlab.tools.spec import tool
from tests.display.things import everything

pytestmark = pytest.mark.browser

Scheme = Literal["light", "dark"]
SCRIPTS = Path(__file__).parent
OVERFLOW, CONTRAST = ((SCRIPTS / f"{name}.js").read_text() for name in ("overflow", "contrast"))
UNFOLD = "document.querySelectorAll('details').forEach(each => each.open = true)"
HOSTILE = "</style><script>window.__xss = 1</script><img src=x onerror='window.__xss = 1'>"


@tool
def population(city: str) -> int:
    """People living in a city."""
    return {"Lyon": 522_000}[city]


@pytest.fixture(params=get_args(Scheme))
def scheme(request: pytest.FixtureRequest) -> Scheme:
    """Give each theme of a reader."""
    wanted: Scheme = request.param
    return wanted


@pytest.fixture
def reader(browser: Browser, scheme: Scheme) -> Iterator[Page]:
    """Open a tab that is offline, and must have asked for nothing and have met no error."""
    context = browser.new_context(
        color_scheme=scheme, offline=True, viewport={"width": 900, "height": 900}
    )
    page, seen = context.new_page(), list[str]()
    page.on("console", lambda message: seen.append(message.text))
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.on("request", lambda asked: seen.append(asked.url))
    yield page
    assert seen == [page.url]
    context.close()


def test_the_page_of_a_session(reader: Page, scheme: Scheme, tmp_path: Path) -> None:
    """It looks like the card in the cell, all of it can be read, at 400 pixels as well."""
    script = (
        'Thought: t\nAction: population {"city": "Lyon"}',
        "Thought: t\nAction: FINAL_ANSWER 522000",
    )
    session = AgentRuntime(ScriptedModel(*script), tools=[population]).run_sync("How many?")
    reader.goto(session.to_html(tmp_path / "session.html").as_uri())
    ground = reader.evaluate("getComputedStyle(document.body).backgroundColor")
    reader.evaluate(UNFOLD)

    kinds = [kind.lower() for kind in reader.locator(".agl-kind").all_inner_texts()]
    assert kinds == ["session", "trace"]
    assert reader.locator(".agl-answer").inner_text().strip() == "522000"
    assert (ground == "rgb(255, 255, 255)") is (scheme == "light")
    assert reader.evaluate(CONTRAST) == []
    if folder := os.environ.get("AGENTLAB_SCREENSHOTS"):
        reader.screenshot(path=f"{folder}/page-{scheme}.png", full_page=True)
    reader.set_viewport_size({"width": 400, "height": 900})
    assert reader.evaluate(OVERFLOW) == []
    assert reader.evaluate("document.documentElement.scrollWidth") <= 400


def test_the_page_of_everything(reader: Page, tmp_path: Path) -> None:
    """Hostile words in every field of every view run nothing and ask for nothing."""
    place = saved(tmp_path / "all.html", HOSTILE, *everything(HOSTILE).values())
    reader.goto(place.as_uri())
    reader.evaluate(UNFOLD)

    assert reader.title() == HOSTILE
    assert reader.evaluate("window.__xss") is None
    assert reader.locator("script, img, link, iframe").count() == 0
    assert reader.evaluate(CONTRAST) == []
