"""A person is asked in the live view of a run, in a real JupyterLab and a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.lab import DARK, LIGHT, NOTEBOOK, Lab, Tab
from tests.browser.test_cards import HERE
from tests.browser.watching import CARD, SETUP, static

pytestmark = pytest.mark.browser

slow = pytest.mark.slow
OVERFLOW, CONTRAST = ((HERE / f"{name}.js").read_text() for name in ("overflow", "contrast"))
ASKS = """
called = []
@al.tool
def send(to: str, text: str, urgent: bool = False) -> str:
    "Send a letter."
    called.append((to, text))
    return f"sent to {to}"

def letters(n):
    said = [
        f'Thought: Letter {i} is due.\\nAction: send ' + '{"to": "Ada", "text": "letter %d"}' % i
        for i in range(n)]
    return AgentRuntime(
        ScriptedModel(*said, "Thought: done\\nAction: FINAL_ANSWER written"), tools=[send])
"""
WATCH = "session = await al.watch(letters({}).start('Write to Ada.', approve=True))"
ASK = ".agl-ask"


def button(page: Page, name: str) -> None:
    """Press a button of the question that is open."""
    page.locator(ASK).get_by_role("button", name=name, exact=True).click()


def asked(tab: Tab, text: str) -> None:
    """Wait until the question is open that has ``text`` in it."""
    tab.wait(f"document.querySelector('{ASK}')?.innerText.includes({json.dumps(text)})", 30_000)


def test_approve_edit_refuse_and_a_reload(lab: Lab, tab: Tab) -> None:
    """Each answer does what it says; a page that loads anew asks again what is still open.

    What is no JSON is told beside the text, and nothing of that is lost.
    """
    check = "assert called == [('Ada', 'letter 0'), ('Eve', 'letter 1')], called\nsession"
    tab.open(lab, "asking.ipynb", SETUP, ASKS, WATCH.format(3), check)
    page = tab.page
    tab.run_all()
    asked(tab, "letter 0")
    assert "1 call waits for your answer" in page.inner_text(".agl-chip >> nth=0")
    button(page, "Approve")
    asked(tab, "letter 1")
    tab.save()
    page.reload()
    asked(tab, "letter 1")

    button(page, "Edit")
    text = page.locator(f"{ASK} textarea")
    assert text.evaluate("t => t === document.activeElement")
    broken = '{\n  "to": Eve,\n  "text": "letter 1"\n}'
    text.fill(broken)
    button(page, "Call with these")
    assert "not JSON yet" in page.inner_text(f"{ASK} .agl-wrong")
    assert text.get_attribute("aria-invalid") == "true"
    assert text.input_value() == broken
    text.fill(broken.replace("Eve", '"Eve"'))
    assert page.inner_text(f"{ASK} .agl-wrong") == ""
    button(page, "Call with these")

    asked(tab, "letter 2")
    button(page, "Refuse")
    page.locator(f"{ASK} input").fill("enough letters")
    button(page, "Refuse")
    tab.wait(f"document.querySelectorAll('{ASK}').length === 0")
    page.evaluate(f"{NOTEBOOK}.content.activeCellIndex = 3")
    tab.do("notebook:run-cell")
    page.wait_for_selector(CARD, timeout=20_000)
    assert tab.bad_outputs() == []
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    card = page.inner_text(CARD)
    assert '(to="Eve", text="letter 1") (edited)' in card
    assert "the reviewer changed the arguments to" in card
    assert "action blocked by reviewer: enough letters" in card


def test_by_keyboard(lab: Lab, tab: Tab) -> None:
    """All three answers, without a mouse; the focus goes on to what is next."""
    check = "assert called == [('Ada', 'letter 1'), ('Ada', 'letter 2')], called"
    tab.open(lab, "keys.ipynb", SETUP, ASKS, WATCH.format(3), check)
    page, press = tab.page, tab.page.keyboard.press
    focus = "document.activeElement"
    tab.run_all()
    asked(tab, "letter 0")
    page.locator(f"{ASK} button >> nth=0").focus()
    press("Tab")
    press("Tab")
    press("Enter")  # on Refuse
    tab.wait(f"{focus}.matches('{ASK} input')")
    press("Escape")
    tab.wait(f"{focus}.textContent === 'Refuse'")
    press("Space")
    page.keyboard.type("dd")  # which is no command of the notebook
    press("Enter")
    asked(tab, "letter 1")
    assert page.evaluate(f"{focus}.closest('.agl-live') !== null")
    page.locator(f"{ASK} button >> nth=0").focus()
    press("Enter")
    asked(tab, "letter 2")
    page.locator(f"{ASK} button >> nth=1").focus()
    press("Enter")
    tab.wait(f"{focus}.matches('{ASK} textarea')")
    press("Control+Enter")  # as it is
    static(tab)
    assert tab.bad_outputs() == []
    assert "action blocked by reviewer: dd" in page.inner_text(CARD)


SIDE = """
class Both:
    strategy_name = "both"
    async def __call__(self, run, goal):
        from agentlab.strategies.react import Outcome
        pair = [run.child(name) for name in ("writer", "<img src=x onerror=alert(1)>")]
        seen = await asyncio.gather(*(
            each.act("send", {"to": "Ada", "text": "key sk-ant-aaaaaaaaaaaaaaaaaaaaaaaa"
                " \\u202e<b>bold</b>" + " and so on" * 9 * i}) for i, each in enumerate(pair)))
        return Outcome("; ".join(each.error or each.data for each in seen))
handle = letters(0).start("Write twice.", strategy=Both(), approve={"send"})
handle"""


@pytest.mark.parametrize(("theme", "width"), [(DARK, 400), pytest.param(LIGHT, 1000, marks=slow)])
def test_looks(labs: Callable[[str], Lab], browser: Browser, theme: str, width: int) -> None:
    """Calls side by side are asked side by side; text is text, keys are hidden, and stay so.

    Nothing overflows, and all of it can be read, in each state.
    """
    check = """
while not handle.done(): await asyncio.sleep(.05)
assert [text[:35] for _, text in called] == ["key sk-ant-aaaaaaaaaaaaaaaaaaaaaaaa"], called
assert called[0][0] == "Eve" """
    tab = Tab(browser, width + 120 * (width < 500), 800)
    name = f"{theme.rpartition(' ')[2].lower()}-{width}"
    tab.open(labs(theme), "look.ipynb", SETUP, ASKS, SIDE, check)
    tab.do("application:toggle-left-area")
    tab.run_all()
    page = tab.page
    tab.wait(f"document.querySelectorAll('{ASK}').length === 2", 30_000)
    assert page.locator(f"{ASK} img, {ASK} pre b").count() == 0
    assert "sk-ant" not in page.inner_text(".agl-card >> nth=0")
    assert "\\u202e<b>" in page.inner_text(f"{ASK} pre >> nth=0")
    first, second = (page.locator(ASK).nth(i) for i in range(2))
    first.get_by_role("button", name="Edit", exact=True).click()
    second.get_by_role("button", name="Refuse", exact=True).click()
    second.locator("input").fill("once is enough")
    text = first.locator("textarea")
    text.fill(text.input_value().replace("key ***", "my ***"))
    first.get_by_role("button", name="Call with these").click()
    tab.wait(f"document.querySelector('{ASK} .agl-wrong').textContent.includes('hidden as ***')")
    assert page.evaluate(OVERFLOW) == []
    assert page.evaluate(CONTRAST) == []
    tab.shot(f"asking-{name}")
    text.fill(text.input_value().replace("my ***", "key ***").replace("Ada", "Eve"))
    first.get_by_role("button", name="Call with these").click()
    tab.wait(f"document.querySelectorAll('{ASK}').length === 1")
    tab.wait(f"document.activeElement.matches('{ASK} input')")
    second = page.locator(ASK)
    second.get_by_role("button", name="Refuse", exact=True).click()
    static(tab)
    assert tab.bad_outputs() == []
    tab.shot(f"asked-{name}")
    tab.fine()
    page.context.close()
