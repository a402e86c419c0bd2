"""Metrics that move while runs go on, in a real JupyterLab and a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from tests.browser.lab import DARK, KERNEL, LIGHT, Lab, Tab
from tests.browser.test_run_view import CONTRAST, OVERFLOW
from tests.browser.watching import SETUP, VIEW_MIME

pytestmark = pytest.mark.browser

slow = pytest.mark.slow
LAB = """
async def talk(context):
    await asyncio.sleep(.1)
    seen = context.count("Observation:")
    city = ("Lyon", "Nise", "Nice")[seen % 3]
    yield f'Thought: look\\nAction: population {{"city": "{city}"}}'
lab = AgentRuntime(talk, tools=[population], max_iterations=6)
"""
FIGURES = "[...document.querySelectorAll('.agl-figure')].map(f => f.textContent)"
VIEW = ".agl-live .agl-card"


def test_it_moves_while_runs_go_on(lab: Lab, tab: Tab) -> None:
    """While runs go on, blocking ones too, the figures move; closed, the card is of now."""
    runs = "[lab.run_sync(ASK) for _ in range(5)];"
    tab.open(lab, "metrics.ipynb", SETUP, LAB, "view = lab.metrics().explore(); view", runs)
    tab.run_all()
    tab.wait(f"{FIGURES}[0] === '1' && parseFloat({FIGURES}[1]) > 1")
    assert tab.page.locator(f"{VIEW} .agl-chip.run").inner_text() == "1 running"
    tab.idle()
    tab.wait(f"document.querySelector('{VIEW} .agl-name').textContent === '5 sessions'")
    tab.page.locator(f"{VIEW} button", has_text="Close").focus()
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector(VIEW, state="detached")

    assert "5 sessions" in tab.page.inner_text(".jp-RenderedHTML .agl-card")
    tab.save()
    saved = json.loads((lab.root / "metrics.ipynb").read_text())
    assert VIEW_MIME not in json.dumps(saved)
    assert "widgets" not in saved["metadata"]


@slow
def test_held_reloaded_and_run_again(lab: Lab, tab: Tab) -> None:
    """Held, it stands still; a page that loads anew has it; a cell run again has one view."""
    go_on = "await asyncio.gather(*(lab.run(ASK) for _ in range(3)))"
    tab.open(lab, "held.ipynb", SETUP, LAB, "lab.metrics().explore()", go_on)
    tab.run_all()
    tab.idle()
    name = f"document.querySelector('{VIEW} .agl-name')?.textContent"
    tab.wait(f"{name} === '3 sessions'")
    tab.page.locator(f"{VIEW} button", has_text="Hold").click()
    tab.page.evaluate(f"void {KERNEL}.requestExecute({{code: {go_on!r}}})")
    tab.page.wait_for_timeout(2500)
    assert tab.page.evaluate(name) == "3 sessions"
    tab.page.locator(f"{VIEW} button", has_text="Go on").click()
    tab.wait(f"{name} === '6 sessions'")
    tab.save()
    tab.page.reload()
    tab.wait(f"{name} === '6 sessions'", 30_000)
    tab.run_all()
    tab.idle()
    tab.wait(f"{name} === '3 sessions'")
    assert tab.page.locator(VIEW).count() == 1


HOSTILE = """
E = "<img src=x onerror='window.__xss=1'>"
lab = runtime(400)
lab.metrics().record_tool_call(E)
lab.metrics_registry().counter("odd_total", E, labels={"x": E}).inc()
await lab.run(ASK, agent=E)
for each in (lab.metrics(), lab.agent_metrics(), lab.metrics_registry()): each.explore()
"""


@slow
@pytest.mark.parametrize(("theme", "width"), [(LIGHT, 400), (LIGHT, 1000), (DARK, 1000)])
def test_looks(labs: Callable[[str], Lab], browser: Browser, theme: str, width: int) -> None:
    """Nothing overflows, all of it can be read, and whatever a name is, it is text."""
    tab = Tab(browser, width + 120 * (width < 500), 800)
    tab.open(labs(theme), "look.ipynb", SETUP, HOSTILE)
    tab.do("application:toggle-left-area")
    tab.run_all()
    tab.idle()
    tab.wait(f"document.querySelectorAll('{VIEW} .agl-table').length === 3")

    assert tab.page.evaluate(OVERFLOW) == []
    assert tab.page.evaluate(CONTRAST) == []
    assert tab.page.locator(".agl img").count() == 0
    assert tab.page.evaluate("window.__xss") is None
    tab.shot(f"metrics-{theme.rpartition(' ')[2].lower()}-{width}")
    tab.fine()
    tab.page.context.close()
