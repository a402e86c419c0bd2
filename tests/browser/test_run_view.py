"""The live view of a run, in a real JupyterLab and a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Browser

from tests.browser.lab import DARK, LIGHT, Lab, Tab, jupyter_lab
from tests.browser.test_cards import HERE, HOSTILE
from tests.browser.watching import CARD, SETUP, TAIL, VIEW_MIME, measured, static

pytestmark = pytest.mark.browser

slow = pytest.mark.slow
OVERFLOW, CONTRAST = ((HERE / f"{name}.js").read_text() for name in ("overflow", "contrast"))
WATCH_HEIGHT = """() => {
    window.heights = [];
    const look = () => {
        const shown = document.querySelector('.agl-card')?.getBoundingClientRect();
        if (window.heights.length || shown) window.heights.push(shown?.height ?? 0);
        requestAnimationFrame(look); };
    look(); }"""


def test_live_then_card_without_a_jump(lab: Lab, tab: Tab) -> None:
    """Text and steps appear while it runs; then the card is there, and nothing shrank between."""
    tab.open(lab, "live.ipynb", SETUP, "session = await al.watch(runtime().start(ASK))", "session")
    tab.page.evaluate(WATCH_HEIGHT)
    tab.run_all()
    tab.wait(f"{TAIL}?.includes('Lyon')")
    tab.wait("document.querySelectorAll('.agl-step details').length === 2")

    assert "tokens/s" in tab.page.inner_text(".agl-meta")
    assert tab.page.locator("button.stop").count() == 1
    static(tab)
    live, result = (o["data"]["text/html"] for o in tab.outputs())
    assert live == result
    heights = tab.page.evaluate("window.heights")
    assert all(after > before - 40 for before, after in pairwise(heights))


def test_saved_and_reopened_elsewhere(lab: Lab, tab: Tab) -> None:
    """Static HTML only is saved, no state of a widget, and another server shows it."""
    tab.open(lab, "saved.ipynb", SETUP, "session = await al.watch(runtime(400).start(ASK))")
    tab.run_all()
    static(tab)
    tab.save()
    saved = json.loads((lab.root / "saved.ipynb").read_text())

    assert "widgets" not in saved["metadata"]
    assert VIEW_MIME not in json.dumps(saved)
    with jupyter_lab(lab.root) as other:
        tab.open(other, "saved.ipynb")
        tab.page.wait_for_selector(CARD)
        assert "875000" in tab.page.inner_text(".agl-answer >> nth=0")
        assert "model not found" not in tab.page.inner_text("body")
        tab.page.goto("about:blank")


def test_tokens_before_the_view_are_shown(lab: Lab, tab: Tab) -> None:
    """Tokens sent before the view is rendered are shown: Run All, without a pause."""
    talk = """
words = [f"w{i} " for i in range(5000)]
hold = asyncio.Event()
async def talk(context):
    for word in words: yield word
    await hold.wait()
handle = AgentRuntime(talk).start(ASK)
handle"""
    tab.open(lab, "all.ipynb", SETUP, talk, *["time.sleep(.3)"] * 3, "handle")
    tab.run_all()
    whole = "Array.from({length: 5000}, (_, i) => `w${i} `).join('')"
    tab.wait(
        "[...document.querySelectorAll('.agl-tail .agl-pre')]"
        f".filter(p => p.textContent === {whole}).length === 2"
    )


@slow
def test_live_while_a_cell_blocks(lab: Lab, tab: Tab) -> None:
    """A run in the background is seen to go on though a later cell keeps the kernel busy."""
    start = "AgentRuntime(forever).start(ASK, background=True)"
    tab.open(lab, "busy.ipynb", SETUP, f"handle = {start}\nhandle", "time.sleep(4); handle.stop()")
    tab.run_all()
    tab.wait(f"{TAIL}?.includes('word9 ')")
    tab.wait(f"{TAIL}?.includes('word60 ')", 3000)

    assert tab.page.locator(CARD).count() == 0
    static(tab)


TWICE = """
from agentlab.widgets.run_view import RunView
hold = asyncio.Event(); said = "Thought: " + "so it is " * 400
calls = 0
async def talk(context):
    global calls
    calls += 1
    if calls < 30:
        yield f'Thought: step {calls}\\nAction: population {{"city": "Lyon"}}'
    else:
        for word in said.split(" "): yield word + " "
        await hold.wait()
config = al.AgentConfig(50, "talk", repeat_warn=None, repeat_stop=None)
handle = AgentRuntime(talk, tools=[population], config=config).start(ASK)
view = RunView(handle.stop); handle.trace.attach(view)
view"""
FULL = """count => [...document.querySelectorAll('.agl-card')].filter(card =>
    card.querySelectorAll('details').length === 16
    && card.innerText.includes('13 more steps: session.steps[8:21]')
    && card.querySelector('.agl-tail .agl-label.thought')
    && card.querySelector('.agl-tail').textContent.trim().length > 3600).length === count"""


def test_second_display_and_reload(lab: Lab, tab: Tab) -> None:
    """A second display, and a page that loads while the kernel goes on, show the whole state."""
    tab.open(lab, "twice.ipynb", SETUP, TWICE, "await asyncio.sleep(.5)", "view")
    tab.run_all()
    tab.page.wait_for_function(FULL, arg=2, timeout=10_000)
    tab.save()
    tab.page.reload()
    tab.page.wait_for_function(FULL, arg=2, timeout=30_000)


STARTS = {
    "await": "await al.watch(AgentRuntime(forever).start(ASK))",
    "task": "AgentRuntime(forever).start(ASK)",
    "portal": "AgentRuntime(forever).start(ASK, background=True)",
}
QUICK = {("await", "click"), ("task", "Enter"), ("portal", "Space")}
WATCH_STOP = """() => {
    const note = () => { window.pressed ??= performance.now(); };
    document.addEventListener('click', note, true);
    new MutationObserver(() => {
        if (document.querySelector('.jp-RenderedHTML .agl-card'))
            window.drawn ??= performance.now();
    }).observe(document.body, { childList: true, subtree: true }); }"""


@pytest.mark.alone
@pytest.mark.parametrize(
    ("start", "press"),
    [
        pytest.param(start, press, marks=() if (start, press) in QUICK else slow)
        for start in STARTS
        for press in ("click", "Enter", "Space")
    ],
)
def test_stop_within_200_ms(lab: Lab, tab: Tab, start: str, press: str) -> None:
    """Stop, by mouse or keyboard, with a focus that is seen, and the card is there at once."""
    tab.open(lab, "stop.ipynb", SETUP, STARTS[start])
    tab.run_all()
    tab.wait(f"{TAIL}?.includes('word9')")
    tab.page.evaluate(WATCH_STOP)
    button = tab.page.locator("button.stop")
    if press == "click":
        button.click()
    else:
        tab.page.locator(".agl-tail .agl-pre").focus()
        tab.page.keyboard.press("Shift+Tab")
        seen = button.evaluate(
            "b => [b.matches(':focus-visible'), getComputedStyle(b).outlineStyle]"
        )
        assert seen == [True, "solid"]
        tab.page.keyboard.press(press)
    static(tab)
    took = tab.page.evaluate("window.drawn - window.pressed")

    measured(f"stop, {start}, {press}: {took:.0f} ms")
    assert "stopped" in tab.page.inner_text(CARD)
    assert tab.bad_outputs() == []
    assert took < 200


@pytest.mark.parametrize(
    ("cell", "word", "raised"),
    [
        pytest.param(
            "await al.watch(AgentRuntime(ScriptedModel(ValueError('no'))).start(ASK))",
            "failed", "ValueError", id="error",
        ),
        pytest.param(
            "await al.watch(AgentRuntime(forever).start(ASK))", "stopped", "CancelledError",
            id="interrupt", marks=slow,
        ),
        pytest.param(
            "await asyncio.wait_for(al.watch(AgentRuntime(forever).start(ASK)), 1)",
            "stopped", "TimeoutError", id="timeout", marks=slow,
        ),
        pytest.param(
            "await asyncio.gather(*(al.watch(runtime(400).start(ASK)) for _ in range(3)));",
            "answered", None, id="gather",
        ),
        pytest.param(
            "runtime(400).start(ASK, background=True)", "answered", None,
            id="last line", marks=slow,
        ),
    ],
)  # fmt: skip
def test_every_ending_leaves_a_card(
    lab: Lab, tab: Tab, cell: str, word: str, raised: str | None
) -> None:
    """After finish, error, cancel and kernel interrupt the output is HTML, and errors are seen."""
    tab.open(lab, "ends.ipynb", SETUP, cell)
    tab.run_all()
    if raised == "CancelledError":
        tab.wait(f"{TAIL}?.includes('word9')")
        tab.do("notebook:interrupt-kernel")
    static(tab)
    text = tab.page.inner_text(".jp-Notebook")

    assert word in tab.page.inner_text(CARD + " >> nth=0")
    assert text.count("SESSION") == (3 if "gather" in cell else 1)
    assert [o["ename"] for o in tab.outputs() if o["output_type"] == "error"] == (
        [raised] if raised else []
    )


EVIL = """
from agentlab.strategies.react import ReAct
E = {payload}
async def bad(context):
    for piece in (f"Thought: {{E}}\\n", 'Action: bad {{"a": "', E.replace('"', "'"), '"}}'):
        yield piece
        await asyncio.sleep(.2)
@al.tool(name="bad")
def tool(a: str) -> str:
    raise ValueError(E)
class Debate:
    strategy_name = "debate"
    async def __call__(self, run, goal):
        await al.AgentRuntime(bad, tools=[tool], max_iterations=1)(run.child(E), goal)
        return await ReAct()(run, goal)
handle = AgentRuntime(bad, tools=[tool], max_iterations=3).start(E, agent=E, strategy=Debate())
await al.watch(handle)"""
ODD = '<img src=x onerror="window.__xss=1"></style></script><script>window.__xss=1</script>\u202e\0'


@pytest.mark.parametrize(
    "payload", [ODD, pytest.param(" ".join(HOSTILE), marks=slow)], ids=["one", "all"]
)
def test_hostile_strings_are_text(lab: Lab, tab: Tab, payload: str) -> None:
    """Whatever is in a field, of a run below too, is text, in the live view and in the card."""
    tab.open(lab, "evil.ipynb", SETUP, EVIL.format(payload=repr(payload)))
    tab.run_all()
    tab.wait("document.querySelectorAll('.agl-kid').length >= 1")
    tab.wait("document.querySelectorAll('.agl-step details').length >= 1")
    tags = "[...new Set([...document.querySelectorAll('.agl *')].map(e => e.tagName))].sort()"
    live = set(tab.page.evaluate(tags))
    assert "onerror" in tab.page.inner_text(".agl-card")
    assert "\u202e" not in tab.page.inner_text(".agl-card")
    static(tab)

    assert not {"IMG", "SCRIPT", "IFRAME", "A", "MATH", "OBJECT", "TEMPLATE"} & (
        live | set(tab.page.evaluate(tags))
    )
    assert tab.page.evaluate("window.__xss") is None


def test_scrolling_yields_to_the_reader(lab: Lab, tab: Tab) -> None:
    """The newest text is in sight until the reader scrolls up, and again from the end on."""
    fast = SETUP.replace("asyncio.sleep(.02)", "asyncio.sleep(.004)")
    tab.open(lab, "scroll.ipynb", fast, "AgentRuntime(forever).start(ASK)")
    tab.page.emulate_media(reduced_motion="reduce")
    tab.run_all()
    pre, caret = (tab.page.locator(f".agl-tail .agl-{part}") for part in ("pre", "caret"))
    left = "p => p.scrollHeight - p.clientHeight - p.scrollTop"
    tab.wait(f"{TAIL}?.includes('word300 ')", 30_000)
    assert pre.evaluate("p => p.scrollTop") > 50
    assert pre.evaluate(left) < 16
    assert caret.evaluate("c => getComputedStyle(c).animationName") == "none"
    pre.evaluate("p => { p.scrollTop = 0; }")
    tab.wait(f"{TAIL}?.includes('word600 ')")
    assert pre.evaluate("p => p.scrollTop") == 0
    pre.evaluate("p => { p.scrollTop = 1e6; }")
    tab.wait(f"{TAIL}?.includes('word900 ')")
    assert pre.evaluate(left) < 16
    tab.page.locator("button.stop").click()
    static(tab)


@slow
def test_a_screen_reader_is_told_once_a_second(lab: Lab, tab: Tab) -> None:
    """However fast the states change, the polite region changes at most once a second."""
    hurry = """
async def hurry(context):
    await asyncio.sleep(.02)
    yield 'Action: population {"city": "Lyon"}'
config = al.AgentConfig(150, "hurry", repeat_warn=None, repeat_stop=None)
session = await al.watch(AgentRuntime(hurry, tools=[population], config=config).start(ASK))"""
    tab.open(lab, "spoken.ipynb", SETUP, hurry)
    tab.page.evaluate("""() => {
        window.told = [];
        new MutationObserver(records => { for (const { target } of records) {
            const region = target.closest ? target : target.parentElement;
            if (region?.closest('.agl-spoken[aria-live=polite]'))
                window.told.push(performance.now());
        } }).observe(document.body, { childList: true, subtree: true, characterData: true }); }""")
    tab.run_all()
    static(tab)
    told = tab.page.evaluate("window.told")

    assert len(told) >= 3
    assert min(after - before for before, after in pairwise(told)) > 950


@pytest.mark.parametrize(
    ("theme", "width"),
    [(LIGHT, 400), pytest.param(LIGHT, 1000, marks=slow), pytest.param(DARK, 1000, marks=slow)],
)
def test_looks(labs: Callable[[str], Lab], browser: Browser, theme: str, width: int) -> None:
    """Nothing overflows, and all of it can be read; the pictures are for the eye."""
    talk = """
from agentlab.strategies.react import ReAct
class Both:
    strategy_name = "both"
    async def __call__(self, run, goal):
        pair = [run.child(name) for name in ("optimist", "sceptic")]
        asked = [asyncio.ensure_future(runtime(5)(each, goal)) for each in pair]
        try:
            return await ReAct()(run, goal)
        finally:
            for each in asked: each.cancel()
await al.watch(runtime(8).start(ASK, strategy=Both()));"""
    tab = Tab(browser, width + 120 * (width < 500), 800)
    tab.open(labs(theme), "look.ipynb", SETUP, talk)
    tab.do("application:toggle-left-area")
    tab.run_all()
    tab.wait("document.querySelectorAll('.agl-step details').length === 3", 30_000)
    tab.wait(f"{TAIL}?.includes('so I')", 30_000)
    name = f"{theme.rpartition(' ')[2].lower()}-{width}"
    assert tab.page.evaluate(OVERFLOW) == []
    assert tab.page.evaluate(CONTRAST) == []
    tab.shot(f"live-{name}")
    static(tab)
    assert tab.page.evaluate(OVERFLOW) == []
    tab.shot(f"card-{name}")
    tab.fine()
    tab.page.context.close()
