"""The live explorer of tokens, in a real JupyterLab and a real browser."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from tests.browser.lab import DARK, LIGHT, Lab, Tab
from tests.browser.test_cards import HERE, HOSTILE
from tests.browser.watching import CARD, HEARD, SETUP, VIEW_MIME, measured, over

pytestmark = pytest.mark.browser

slow = pytest.mark.slow
OVERFLOW, CONTRAST = ((HERE / f"{name}.js").read_text() for name in ("overflow", "contrast"))
EXPLORE = "heard = StreamingSession.of(await asking().run(ASK))\nview = heard.explore()"
OPTIONS = ".agl-heard [role=option]"
CHOSEN = f"{OPTIONS}[aria-selected=true]"

FOCUS = """() => { const now = document.activeElement;
    return [now.matches(':focus-visible'), getComputedStyle(now).outlineStyle]; }"""
SHOWN = """document.querySelectorAll('.agl-spell').length === 3
    && [...document.querySelectorAll('.agl-spell')].filter(x => x.offsetHeight).length === 1"""


def opened(tab: Tab, options: int = 20) -> None:
    """Wait until the tokens are there."""
    tab.wait(f"document.querySelectorAll('{OPTIONS}').length >= {options}", 20_000)


def path(tab: Tab) -> str:
    """Give the path in the detail."""
    return tab.page.inner_text(".agl-detail code")


def kernel(tab: Tab, code: str) -> str:
    """Ask the kernel something, and give what it prints."""
    return str(
        tab.page.evaluate(
            """async code => {
            const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
            const asked = kernel.requestExecute({ code }); let text = '';
            asked.onIOPub = m => { text += m.content.text ?? m.content.evalue ?? ''; };
            await asked.done; return text.trim(); }""",
            f"print({code})",
        )
    )


def told(tab: Tab, what: str, code: str = "view.selected and view.selected.text") -> None:
    """Wait until the kernel says what it should."""
    deadline = time.monotonic() + 5
    while kernel(tab, code) != what and time.monotonic() < deadline:
        tab.page.wait_for_timeout(50)
    assert kernel(tab, code) == what


def test_walk_choose_and_reload(lab: Lab, tab: Tab) -> None:
    """By mouse and keyboard, with what Python is told; a second display and a reload agree."""
    tab.open(lab, "tokens.ipynb", SETUP, HEARD, EXPLORE, "view")
    tab.run_all()
    opened(tab, 2 * 20)
    assert kernel(tab, "view.selected") == "None"
    first = tab.page.locator(OPTIONS).first
    assert first.get_attribute("tabindex") == "0"
    assert tab.page.locator(f".jp-OutputArea {OPTIONS}[tabindex='0']").count() == 2

    tab.page.locator(OPTIONS).nth(5).click()
    assert path(tab) == "heard.tokens[5]"
    told(tab, kernel(tab, "heard.tokens[5].text"))
    tab.page.locator(OPTIONS).nth(8).hover()
    assert path(tab) == "heard.tokens[8]"
    tab.page.locator("input[type=range]").first.hover()
    assert path(tab) == "heard.tokens[5]"
    tab.page.get_by_role("button", name="Copy").first.click()
    tab.page.get_by_role("button", name="Copied").wait_for()
    tab.page.locator(CHOSEN).first.focus()
    press = tab.page.keyboard.press
    for key, at in (("ArrowRight", 6), ("ArrowLeft", 5), ("Home", 0)):
        press(key)
        assert path(tab) == f"heard.tokens[{at}]"
    assert tab.page.evaluate(FOCUS) == [True, "solid"]
    press("n")
    doubt = "next(i for i, t in enumerate(heard.tokens) if i > 0 and t.logprob < math.log(.5))"
    assert path(tab) == f"heard.tokens[{kernel(tab, doubt)}]"
    assert tab.page.locator(f"{CHOSEN} >> nth=0").get_attribute("class") != "agl-tok"
    press("End")
    press("p")
    tab.wait(f"document.querySelector('.agl-spoken').textContent.startsWith('{path(tab)} ')")
    assert tab.page.locator(".agl-odd.said").count() >= 1
    here = path(tab)
    told(tab, here, "f'heard.tokens[{heard.tokens.index(view.selected)}]'")
    tab.wait(f"document.querySelectorAll('{CHOSEN}').length === 2")  # the other display
    tab.save()
    tab.page.reload()
    tab.wait(f"document.querySelectorAll('{CHOSEN}').length === 2", 30_000)
    assert path(tab) == here
    assert "all others" in tab.page.inner_text(".agl-detail >> nth=0")


@slow
def test_doubts_and_steps(lab: Lab, tab: Tab) -> None:
    """The slider says and marks what is doubtful; a step can be looked at alone; then it closes."""
    tab.open(lab, "doubts.ipynb", SETUP, HEARD, EXPLORE)
    tab.run_all()
    opened(tab)
    total = int(kernel(tab, "len(heard.tokens)"))
    low = "sum(t.logprob < math.log({}) for t in heard.tokens)"

    def marked() -> int:
        return tab.page.locator(f"{OPTIONS}.low").count()

    for below in (50, 10):
        tab.page.locator("input[type=range]").fill(str(below))
        found = kernel(tab, low.format(below / 100))
        tab.wait(f"document.body.innerText.includes('{found} of {total} tokens below {below}%')")
        assert marked() == int(found)
    told(tab, "10", "view._chosen['below']")
    chips = tab.page.locator(".agl-chips button")
    assert chips.all_inner_texts() == ["all", "1", "2", "3"]
    chips.nth(2).click()
    tab.wait(SHOWN)
    assert chips.nth(2).get_attribute("aria-pressed") == "true"
    tab.page.locator(".agl-strip").click(position={"x": 20, "y": 10})
    first = int(kernel(tab, "next(i for i, t in enumerate(heard.tokens) if t.step == 1)"))
    assert first <= int(path(tab)[13:-1]) < first + 6
    tab.page.get_by_role("button", name="Close").click()
    tab.wait(f"!document.querySelector('{OPTIONS}')")
    assert [set(o["data"]) for o in tab.outputs()] == [{"text/html", "text/plain"}] * 2
    assert VIEW_MIME not in str(tab.outputs())


def test_live(lab: Lab, tab: Tab) -> None:
    """Tokens appear, shaded, while a run goes on; one can be looked at; then the card is there."""
    watch = "session = await al.watch(asking(.15).start(ASK), tokens=True)"
    tab.open(lab, "live-tokens.ipynb", SETUP, HEARD, watch)
    tab.run_all()
    opened(tab, 8)
    assert tab.page.locator("button.stop").count() == 1
    assert tab.page.get_by_role("button", name="Close").count() == 0
    tab.page.locator(OPTIONS).nth(3).click()
    assert path(tab) == "heard.tokens[3]"
    tab.wait("document.querySelectorAll('.agl-spell').length >= 2")
    labels = tab.page.locator(".agl-spell >> nth=0").locator(".agl-label").all_inner_texts()
    assert labels == ["thought", "action"]
    assert path(tab) == "heard.tokens[3]"
    assert tab.page.evaluate("document.activeElement.ariaSelected") == "true"
    tab.page.wait_for_selector(CARD, timeout=20_000)
    over(tab)
    assert tab.page.locator(OPTIONS).count() == 0
    assert tab.page.locator(f"{CARD} .agl-toks").count() >= 6
    assert kernel(tab, "session.final_answer()") == "875000"


@slow
def test_stop(lab: Lab, tab: Tab) -> None:
    """Stop ends the run, and what was heard stays."""
    watch = "session = await al.watch(asking(.3).start(ASK), tokens=True)"
    tab.open(lab, "stop-tokens.ipynb", SETUP, HEARD, watch)
    tab.run_all()
    opened(tab, 3)
    tab.page.locator("button.stop").click()
    tab.page.wait_for_selector(CARD, timeout=10_000)
    over(tab)
    assert kernel(tab, "session.stop_reason") == "stopped"
    assert tab.page.locator(f"{CARD} .agl-tok").count() >= 3


EVIL = """
E = {payload}
bad = HeardTokens(HeardToken(0, i, text, -1.0, {{text: -1.0, E: -2.0}}) for i, text in enumerate(
    ["Thought:", E, "", "\\n", " ", "\\t", "\\udc80", "\\u202e", "Action: x", E]))
view = StreamingSession(al.AgentSession(agent_id=E), [], bad).explore()"""


def test_hostile_tokens_are_text(lab: Lab, tab: Tab) -> None:
    """Whatever a token or an alternative is, it is text; what is unseen is written out."""
    payload = " ".join(HOSTILE)
    tab.open(lab, "evil-tokens.ipynb", SETUP, HEARD, EVIL.format(payload=repr(payload)))
    tab.run_all()
    opened(tab, 10)
    texts = tab.page.eval_on_selector_all(OPTIONS, "all => all.map(x => x.textContent)")
    assert texts[2:8] == ["∅", "↵\n", "␣", "⇥\t", "\\udc80", "\\u202e"]
    assert tab.page.evaluate(
        f"[...document.querySelectorAll('{OPTIONS}')].every(x => !x.childElementCount)"
    )
    tab.page.locator(OPTIONS).nth(9).click()
    assert "onerror" in tab.page.inner_text(".agl-detail")
    tags = "[...new Set([...document.querySelectorAll('.agl *')].map(e => e.tagName))]"
    assert not {"IMG", "SCRIPT", "IFRAME", "A", "MATH", "OBJECT"} & set(tab.page.evaluate(tags))
    assert tab.page.evaluate("window.__xss") is None


WATCH_OPEN = """count => {
    window.times = {};
    const look = () => {
        const there = document.querySelectorAll('.agl-heard [role=option]').length;
        if (there) window.times.first ??= performance.now();
        if (there >= count) window.times.all ??= performance.now();
        else requestAnimationFrame(look); };
    look(); }"""
STEP = """count => new Promise(done => {
    const times = []; let left = 30, at = 0;
    const go = () => {
        const start = performance.now();
        document.activeElement.dispatchEvent(new KeyboardEvent('keydown',
            { key: 'ArrowRight', bubbles: true, cancelable: true }));
        requestAnimationFrame(() => setTimeout(() => {
            times.push(performance.now() - start);
            if (--left) go(); else done(times.sort((a, b) => a - b)[15]);
        }));
    }; go(); })"""


@pytest.mark.alone
@slow
@pytest.mark.parametrize("count", [5000, 20_000])
def test_many(lab: Lab, tab: Tab, count: int) -> None:
    """Thousands of tokens open in no time, and walking among them stays fluent."""
    tab.open(lab, "many-tokens.ipynb", SETUP, HEARD, f"heard = many({count})")
    tab.run_all()
    tab.idle()
    tab.page.evaluate(WATCH_OPEN, count)
    start = tab.page.evaluate(
        """() => { const now = performance.now();
        window.jupyterapp.shell.currentWidget.content.activeCellIndex = 2;
        window.jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.setSource(
            'view = heard.explore()');
        void window.jupyterapp.commands.execute('notebook:run-cell'); return now; }"""
    )
    tab.wait("window.times.all", 60_000)
    times = tab.page.evaluate("window.times")
    tab.page.locator(OPTIONS).nth(40).click()
    step = tab.page.evaluate(STEP)
    tab.page.keyboard.press("End")
    assert path(tab) == f"heard.tokens[{count - 1}]"
    measured(
        f"{count} tokens: the first after {times['first'] - start:.0f} ms,"
        f" all after {times['all'] - start:.0f} ms; a step by key takes {step:.0f} ms"
    )
    assert times["all"] - start < count  # five seconds for 5000, on a machine that does others
    assert step < 200


@pytest.mark.parametrize(
    ("theme", "width"),
    [(DARK, 400), pytest.param(LIGHT, 400, marks=slow), pytest.param(LIGHT, 1000, marks=slow),
     pytest.param(DARK, 1000, marks=slow)],
)  # fmt: skip
def test_looks(labs: Callable[[str], Lab], browser: Browser, theme: str, width: int) -> None:
    """Nothing overflows, and all of it can be read; the pictures are for the eye."""
    tab = Tab(browser, width + 120 * (width < 500), 900)
    tab.open(labs(theme), "look-tokens.ipynb", SETUP, HEARD, EXPLORE)
    tab.do("application:toggle-left-area")
    tab.run_all()
    opened(tab)
    tab.page.locator(OPTIONS).nth(6).click()
    tab.page.keyboard.press("n")
    assert tab.page.evaluate(OVERFLOW) == []
    assert tab.page.evaluate(CONTRAST) == []
    tab.shot(f"tokens-{theme.rpartition(' ')[2].lower()}-{width}")
    tab.fine()
    tab.page.context.close()
