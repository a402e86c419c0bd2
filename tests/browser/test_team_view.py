"""The live view of a team, in a real JupyterLab and a real browser."""

from __future__ import annotations

import pytest

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
from tests.browser.watching import CARD, static

pytestmark = pytest.mark.browser

MEMBERS = f"document.querySelectorAll('{LIVE} .agl-member')"
THINKING = f"[...{MEMBERS}].filter(x => x.classList.contains('running')).length"
SPEAKING = f"[...{MEMBERS}].filter(x => x.querySelector('bdi').textContent.length > 20).length"
LONG = "team({n}, infer=talker(8, 2000), topology='mesh', consensus='majority')"
FLYING = """() => {
    window.flown = 0;
    new MutationObserver(all => { for (const { addedNodes } of all) for (const node of addedNodes)
        window.flown += node.classList?.contains('agl-flies') ? 1 : 0;
    }).observe(document.body, { childList: true, subtree: true }); }"""
PANEL = f"document.querySelector('{LIVE} .agl-turn')"


@pytest.mark.parametrize(("n", "width"), cases((8, 1000)))
def test_live_then_card(lab: Lab, tab: Tab, n: int, width: int) -> None:
    """Who thinks is seen, messages travel and are counted, votes come; then the card is there."""
    how = "topology='mesh', consensus='majority', max_rounds=2, multi_round=True"
    watched = f"s = await al.watch(team({n}, infer=talker(8, 12), {how}))"
    narrowed(tab, lab, "team.ipynb", width, watched)
    tab.page.evaluate(FLYING)
    tab.run_all()
    tab.wait(f"{SPEAKING} === {n} && {THINKING} === {n}", SHORT)
    sound(tab)
    assert tab.page.locator(f"{LIVE} .agl-seat").count() == n
    tab.wait("window.flown > 0", 20_000)
    tab.wait(f"document.querySelector('{LIVE} .agl-votes .agl-stack > i')", 20_000)
    sound(tab)
    tab.shot(f"team-{n}-{width}")
    static(tab)

    assert "TEAM" in tab.page.inner_text(CARD)
    assert "votes" in tab.page.inner_text(CARD)
    sound(tab)


def test_an_agents_own_session(lab: Lab, tab: Tab) -> None:
    """A click, or Enter, on an agent opens its session; Escape closes it, the focus comes back."""
    agents = "{'bob': AgentRuntime(script(12), tools=[population])}"
    watched = f"await al.watch(team(3, infer=talker(8, 2000), agents={agents}))"
    tab.open(lab, "turn.ipynb", COMPANY, watched)
    tab.run_all()
    tab.wait(f"{MEMBERS}.length === 3", SHORT)
    row = tab.page.locator(f"{LIVE} .agl-member", has_text="bob")
    row.focus()
    tab.page.keyboard.press("Enter")
    tab.wait(f"{PANEL}?.querySelectorAll('.agl-step details').length >= 2", 30_000)

    panel = tab.page.inner_text(f"{LIVE} .agl-turn")
    assert "How severe is this ticket?" in panel
    assert "population" in panel
    assert row.get_attribute("aria-expanded") == "true"
    sound(tab)
    tab.page.locator(f"{LIVE} .agl-turn button", has_text="Close").focus()
    tab.page.keyboard.press("Escape")
    tab.wait(f"!{PANEL}")
    assert row.evaluate("row => row === document.activeElement")
    tab.page.locator(f"{LIVE} .agl-seat >> nth=2").click()
    tab.wait(f"{PANEL}?.querySelector('.agl-grows')?.textContent.length > 20")
    assert "carol" in tab.page.inner_text(f"{LIVE} .agl-turn")
    stopped(tab)


@pytest.mark.slow
def test_nothing_moves_for_those_who_want_it_so(lab: Lab, tab: Tab) -> None:
    """With reduced motion no message travels and nothing blinks; the counts are there."""
    tab.open(lab, "still.ipynb", COMPANY, "await al.watch(team(8, infer=talker(8, 9)))")
    tab.page.emulate_media(reduced_motion="reduce")
    tab.page.evaluate(FLYING)
    tab.run_all()
    tab.wait(f"{THINKING} >= 7", SHORT)
    ring = tab.page.locator(f"{LIVE} .running > .agl-thinks >> nth=0")
    assert ring.evaluate("x => getComputedStyle(x).animationName") == "none"
    tab.wait(f"document.querySelectorAll('{LIVE} .agl-edge.gone').length > 0", 20_000)
    static(tab)
    assert tab.page.evaluate("window.flown") == 0


@pytest.mark.slow
def test_stop_in_the_middle(lab: Lab, tab: Tab) -> None:
    """Stopped, it leaves the card of the run."""
    tab.open(lab, "stop.ipynb", COMPANY, f"await al.watch({LONG.format(n=16)})")
    tab.run_all()
    tab.wait(f"{SPEAKING} === 16", SHORT)
    stopped(tab)


@pytest.mark.slow
def test_reload_in_the_middle(lab: Lab, tab: Tab) -> None:
    """A page that loads again has the picture and every agent, and goes on."""
    tab.open(lab, "again.ipynb", COMPANY, f"handle = {LONG.format(n=16)}\nhandle")
    tab.run_all()
    tab.wait(f"{SPEAKING} === 16", SHORT)
    seats = f"document.querySelectorAll('{LIVE} .agl-seat').length === 16"
    comes_back(tab, f"{SPEAKING} === 16 && {seats}")
