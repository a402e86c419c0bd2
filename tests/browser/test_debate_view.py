"""The live view of a debate, in a real JupyterLab and a real browser."""

from __future__ import annotations

import json

import nbformat
import pytest
from playwright.sync_api import Browser

from tests.browser.gathering import (
    COMPANY,
    LIVE,
    SHORT,
    cases,
    comes_back,
    narrowed,
    sound,
    stopped,
)
from tests.browser.lab import Lab, Tab
from tests.browser.test_run_view_kept import NBCONVERT, exported
from tests.browser.watching import CARD, VIEW_MIME, static

pytestmark = pytest.mark.browser

SPEAKING = f"document.querySelectorAll('{LIVE} .agl-argued .agl-grows .agl-caret').length"
SAID = f"[...document.querySelectorAll('{LIVE} .agl-argued .agl-grows')].filter(x => x.innerText)"
LONG = "debate({n}, infer=talker(8, 2000), max_argument_chars=20_000)"


@pytest.mark.parametrize(("n", "width"), cases((2, 1000), (16, 400)))
def test_live_then_card(lab: Lab, tab: Tab, n: int, width: int) -> None:
    """A column a debater, all speak at once; scores come; then the card of the debate is there."""
    watched = f"s = await al.watch(debate({n}, rounds=1, infer=talker(8)))"
    narrowed(tab, lab, "debate.ipynb", width, watched)
    tab.run_all()
    tab.wait(f"{SPEAKING} === {n}", SHORT)
    assert tab.page.locator(f"{LIVE} .agl-cols > div > b").count() == n
    assert "round 1 · opening" in tab.page.inner_text(LIVE)
    sound(tab)
    tab.shot(f"debate-{n}-{width}")
    tab.wait(f"document.querySelectorAll('{LIVE} .agl-total .agl-bar').length === {n}", 20_000)
    tab.wait(f"document.querySelector('{LIVE} .agl-qa .agl-caret')", 20_000)
    static(tab)

    card = tab.page.inner_text(CARD)
    assert "DEBATE" in card
    assert "synthesis" in card
    assert tab.page.locator(f"{CARD} .agl-argued > div").count() == n + 1
    sound(tab)


def test_stop_in_the_middle(lab: Lab, tab: Tab) -> None:
    """Stopped, it leaves the card of the run, with what there was."""
    tab.open(lab, "stop.ipynb", COMPANY, f"await al.watch({LONG.format(n=8)})")
    tab.run_all()
    tab.wait(f"{SPEAKING} === 8", SHORT)
    stopped(tab)
    assert "Alice" in tab.page.inner_text(CARD)


@pytest.mark.slow
def test_reload_in_the_middle(lab: Lab, tab: Tab) -> None:
    """A page that loads again has every column, what was said in each, and goes on."""
    tab.open(lab, "again.ipynb", COMPANY, f"handle = {LONG.format(n=16)}\nhandle")
    tab.run_all()
    tab.wait(f"{SAID}.length === 16", SHORT)
    comes_back(tab, f"{SPEAKING} === 16")


@pytest.mark.slow
def test_by_keyboard(lab: Lab, tab: Tab) -> None:
    """The columns that do not fit are reached by arrow keys; the focus is seen."""
    narrowed(tab, lab, "keys.ipynb", 400, f"await al.watch({LONG.format(n=8)})")
    tab.run_all()
    tab.wait(f"{SPEAKING} === 8", SHORT)
    grid = tab.page.locator(f"{LIVE} .agl-cols")
    grid.focus()
    for _ in range(8):
        tab.page.keyboard.press("ArrowRight")
    tab.wait(f"document.querySelector('{LIVE} .agl-cols').scrollLeft > 100")
    assert grid.get_attribute("aria-label")
    stopped(tab)


EVIL = """
E = '<img src=x onerror="window.__xss=1"></style></script><script>window.__xss=1</script>'
async def evil(agent, prompt):
    for piece in (E, E):
        yield piece
        await asyncio.sleep(.7)
sides = [DebaterPosition("<b>ann</b>", E), DebaterPosition("bob", E)]
strategy = DebateStrategy(DebateConfig(E, sides, rounds=1, enable_peer_scoring=False), evil)
s = await al.watch(AgentRuntime(evil).start(E, strategy=strategy))"""


def test_hostile_strings_are_text(lab: Lab, tab: Tab) -> None:
    """Whatever debaters are called, stand for and say is text, live and in the card."""
    tab.open(lab, "evil.ipynb", COMPANY, EVIL)
    tab.run_all()
    tab.wait(f"{SAID}.length === 2", SHORT)
    tags = "[...new Set([...document.querySelectorAll('.agl *')].map(e => e.tagName))]"
    live = set(tab.page.evaluate(tags))
    assert "onerror" in tab.page.inner_text(LIVE)
    static(tab)

    assert not {"IMG", "SCRIPT"} & (live | set(tab.page.evaluate(tags)))
    assert tab.page.evaluate("window.__xss") is None


@pytest.mark.slow
def test_exported(lab: Lab, tab: Tab, browser: Browser) -> None:
    """What is saved of all three is plain HTML, which a page made of it shows offline."""
    cells = [
        f"await al.watch({kind}(8, infer=talker(40)));" for kind in ("debate", "team", "swarm")
    ]
    tab.open(lab, "kept.ipynb", COMPANY, *cells)
    tab.run_all()
    static(tab)
    tab.wait(f"document.querySelectorAll('{CARD}').length === 3", SHORT)
    tab.idle()
    tab.save()
    saved = lab.root / "kept.ipynb"
    book = nbformat.read(saved, as_version=4)

    assert "widgets" not in book.metadata
    assert VIEW_MIME not in json.dumps(book)
    reader = Tab(browser)
    reader.page.goto(exported(saved))
    kinds = reader.page.locator(".agl-card > .agl-head > .agl-kind").all_inner_texts()
    assert [kind.lower() for kind in kinds] == ["debate", "team", "swarm"]
    assert [url for url in reader.outside if not any(own in url for own in NBCONVERT)] == []
    reader.page.context.close()
