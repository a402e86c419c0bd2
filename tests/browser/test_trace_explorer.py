"""The trace explorer, in a real JupyterLab and a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Browser

from tests.browser.lab import DARK, KERNEL, LIGHT, Lab, Tab
from tests.browser.test_cards import CONTRAST, HOSTILE, OVERFLOW
from tests.browser.travelling import FAMILY, LARGE, OPEN, ROWS, answer, detail, picked, until
from tests.browser.watching import CARD, SETUP, VIEW_MIME, measured, over

pytestmark = pytest.mark.browser

slow = pytest.mark.slow
EXPLORE = "explorer = (await debate()).explore()"


def opened(tab: Tab, lab: Lab, name: str, *cells: str) -> None:
    """Run cells, and wait for the explorer."""
    tab.open(lab, name, *cells)
    tab.run_all()
    tab.wait(OPEN, 60_000)


def test_by_mouse(lab: Lab, tab: Tab) -> None:
    """Selected, travelled, filtered and closed by clicks, and all of it is known in Python."""
    opened(tab, lab, "mouse.ipynb", FAMILY, EXPLORE)
    page = tab.page
    over(tab)
    page.locator(ROWS, has_text="permanent").first.click()
    until(tab, "explorer.selected.args", "{'city': 'Nise'}")
    tab.wait("document.querySelector('.agl-detail').innerText.includes('KeyError')")

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_title("copy explorer.selected.args", exact=True).click()
    tab.wait("document.activeElement.textContent === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()") == "explorer.selected.args"
    assert "permanent" in picked(tab)
    assert "thought next\nNo such city" in detail(tab)
    assert answer(tab, "explorer.selected.ok") == "False"
    model = page.locator(ROWS, has_text="No such city").first
    model.click()
    tab.wait("document.querySelector('.agl-new')?.innerText.includes('KeyError')")
    assert 'city": "Lyon' in page.inner_text(".agl-pre.agl-dim")
    until(tab, "explorer.selected.answer[:21]", "'Thought: No such city'")
    page.locator(".agl-range").fill("0")
    until(tab, "explorer.moment", "0")
    tab.wait("document.querySelector('.agl-detail').innerText.includes('not yet')")
    assert page.locator(f"{ROWS}.later").count() == page.locator(ROWS).count()
    page.locator(".agl-toggle", has_text="errors").wait_for()
    for name in ("model", "tools", "messages", "phases", "memory"):
        page.locator(".agl-toggle", has_text=name).click()
        page.locator(f".agl-toggle[aria-pressed=false] >> text={name}").wait_for()
    tab.wait(f"document.querySelectorAll({ROWS!r}).length === 6")
    assert answer(tab, "explorer.kinds") == "{'errors'}"
    page.locator(ROWS).first.locator(".agl-twist").click()
    tab.wait(f"document.querySelectorAll({ROWS!r}).length === 1")
    page.get_by_role("button", name="Close").click()
    tab.wait("!document.querySelector('.agl-spans')")
    tab.save()
    saved = json.loads((lab.root / "mouse.ipynb").read_text())

    assert page.locator(CARD).count() == 1
    assert VIEW_MIME not in json.dumps(saved)
    assert "widgets" not in saved["metadata"]


@slow
def test_time_by_keyboard(lab: Lab, tab: Tab) -> None:
    """The slider goes entry by entry, filters are a key away, Space plays."""
    opened(tab, lab, "keys.ipynb", FAMILY, EXPLORE)
    over(tab)
    page, press = tab.page, tab.page.keyboard.press
    page.get_by_role("button", name="Close").focus()
    press("Tab")  # play
    press("Tab")  # the moment
    press("Home")
    until(tab, "explorer.moment", "0")
    press("ArrowRight")
    press("ArrowRight")
    until(tab, "explorer.moment", "2")
    press("/")
    assert page.evaluate("document.activeElement.getAttribute('type')") == "search"
    page.keyboard.type("Nise/")
    until(tab, "explorer.find", "'Nise/'")
    tab.wait("document.querySelector('.agl-bar2 [role=status]').textContent === 'nothing found'")
    press("Backspace")
    until(tab, "explorer.find", "'Nise'")
    tab.wait("/^[1-9]\\d* found$/.test(document.querySelector('[role=status]').textContent)")
    press("Control+a")
    press("Backspace")
    until(tab, "explorer.find", "''")
    press("Tab")
    assert page.evaluate("document.activeElement.className") == "agl-toggle"
    press("Enter")
    tab.wait("document.activeElement.getAttribute('aria-pressed') === 'false'")
    page.locator("[role=treegrid]").focus()
    press("Space")
    tab.wait("document.querySelector('[aria-label=pause]') !== null")
    tab.wait("document.querySelector('[aria-label=play]') !== null", 20_000)
    until(tab, "explorer.moment == len(explorer.subject.trace.entries)", "True")
    assert page.locator(".agl-live [aria-live=polite]").count() == 1


def test_rows_by_keyboard(lab: Lab, tab: Tab) -> None:
    """Rows are walked, folded and opened; what has the focus is seen, and told to a reader."""
    opened(tab, lab, "rows.ipynb", FAMILY, EXPLORE)
    over(tab)
    page, press = tab.page, tab.page.keyboard.press
    page.locator(".agl-toggle").last.focus()
    press("Tab")
    grid, row = page.locator("[role=treegrid]"), page.locator(f"{ROWS}[aria-selected=true]")
    focus = "g => [g.matches(':focus-visible'), getComputedStyle(g).outlineStyle]"
    assert grid.evaluate(focus) == [True, "solid"]
    kind = "explorer.selected.__class__.__name__"
    press("ArrowDown")
    until(tab, kind, "'Entry'")
    press("Home")
    until(tab, kind, "'AgentSession'")
    for _ in range(6):  # faster than the kernel answers
        press("ArrowDown")
    until(tab, "explorer.selected.call_id", "3")
    row.and_(page.locator("[aria-rowindex='7']")).wait_for()
    press("End")
    until(tab, "explorer.selected.answer[:14]", "'Thought: I hav'")
    tab.wait(
        "document.getElementById(document.querySelector('[role=treegrid]')"
        ".getAttribute('aria-activedescendant'))?.innerText.includes('I have both')"
    )
    press("Enter")
    until(tab, "explorer.selected.answer", "None")
    press("ArrowLeft")
    until(tab, kind, "'AgentSession'")
    row.and_(page.locator("[aria-level='1']")).wait_for()
    press("ArrowLeft")
    tab.wait(f"document.querySelectorAll({ROWS!r}).length === 1")
    assert row.get_attribute("aria-expanded") == "false"
    press("ArrowRight")
    tab.wait(f"document.querySelectorAll({ROWS!r}).length > 5")
    assert row.get_attribute("aria-expanded") == "true"


@slow
def test_playing(lab: Lab, tab: Tab) -> None:
    """Played, it is as it was: steps and text appear; a pause holds it; motion can be reduced."""
    opened(tab, lab, "play.ipynb", FAMILY, EXPLORE)
    over(tab)
    page = tab.page
    page.evaluate("""() => { window.seen = new Set(); new MutationObserver(() => {
        window.seen.add(document.querySelector('.agl-range').getAttribute('aria-valuetext'));
    }).observe(document.body, { subtree: true, childList: true, characterData: true }); }""")
    page.get_by_role("button", name="play").click()
    tab.wait("document.querySelector('.agl-slot .agl-pre .agl-caret') !== null")
    page.get_by_role("button", name="pause").click()
    page.wait_for_timeout(300)
    at = answer(tab, "explorer.moment")
    page.wait_for_timeout(300)
    assert answer(tab, "explorer.moment") == at
    assert 0 < int(at) < int(answer(tab, "len(explorer.subject.trace.entries)"))
    assert page.evaluate("window.seen.size") > 5
    steps = page.locator(".agl-slot .agl-step details").count()
    assert steps == int(answer(tab, "explorer.session.step_count()"))


@slow
def test_playing_with_reduced_motion(lab: Lab, tab: Tab) -> None:
    """Who wants less motion gets a step a second."""
    tab.page.emulate_media(reduced_motion="reduce")
    opened(tab, lab, "still.ipynb", FAMILY, EXPLORE)
    over(tab)
    tab.page.evaluate("""() => {
        window.moves = [];
        const range = document.querySelector('.agl-range');
        let before = range.value; const look = () => {
            if (range.value !== before) window.moves.push(performance.now());
            before = range.value; requestAnimationFrame(look); }; look(); }""")
    tab.page.get_by_role("button", name="play").click()
    tab.wait("window.moves.length >= 4", 8000)
    moves = tab.page.evaluate("window.moves")

    assert all(after - before > 700 for before, after in pairwise(moves[1:]))


WATCH = """() => {
    window.asked = 0; window.waits = [];
    document.querySelector('.agl-range').addEventListener('input', () => {
        window.asked = performance.now(); }, true);
    new MutationObserver(() => {
        if (!window.asked) return;
        const asked = window.asked; window.asked = 0;
        requestAnimationFrame(() => window.waits.push(performance.now() - asked));
    }).observe(document.querySelector('.agl-then'),
        { childList: true, characterData: true, subtree: true }); }"""


OPENING = """
trace, loading = kept({}, {})
began = time.perf_counter()
explorer = trace.explore()
opening = time.perf_counter() - began"""


@pytest.mark.parametrize(
    ("count", "tokens"),
    [(50, 5), *(pytest.param(100_000, tokens, marks=slow) for tokens in (20, 0))],
)
def test_small_and_large(lab: Lab, tab: Tab, count: int, tokens: int) -> None:
    """A journal of 50 or of 100,000 entries: opened, scrolled and travelled in, at once."""
    opened(tab, lab, "large.ipynb", SETUP, LARGE, OPENING.format(count, tokens))
    over(tab)
    page = tab.page
    total = int(answer(tab, "len(trace.entries)"))
    spans = int(answer(tab, "len(trace.spans())"))
    spent = float(answer(tab, "loading + opening"))
    assert int(page.get_attribute("[role=treegrid]", "aria-rowcount") or 0) == spans
    page.evaluate(WATCH)
    for i in range(30):
        page.locator(".agl-range").fill(str((i * 7919 * total // 100_000 + i * 31) % total))
        tab.wait("window.asked === 0")
        page.wait_for_timeout(60)
    waits = sorted(page.evaluate("window.waits"))
    measured(
        f"{total} entries, {spans} spans: opened in {spent:.2f} s of the kernel; from the slider"
        f" to the screen p50 {waits[len(waits) // 2]:.0f},"
        f" p95 {waits[len(waits) * 95 // 100]:.0f} ms"
    )
    page.locator("[role=treegrid]").evaluate("g => { g.scrollTop = g.scrollHeight; }")
    last = f"{ROWS}[aria-rowindex='{spans}']"
    page.locator(last).click()
    until(tab, "explorer.selected.call_id", answer(tab, "trace.spans()[-1].call_id"))
    page.keyboard.press("Home")
    until(tab, "type(explorer.selected).__name__", "'AgentSession'")
    tab.wait("document.querySelector('[role=treegrid]').scrollTop === 0")
    rows = page.locator(ROWS).count()
    failed = int(answer(tab, "sum(span.state == 'failed' for span in trace.spans())"))
    for name in ("model", "tools"):
        page.locator(".agl-toggle", has_text=name).click()
        page.locator(f".agl-toggle[aria-pressed=false] >> text={name}").wait_for()
    tab.wait(f"document.querySelector('[role=treegrid]').ariaRowCount == {failed + 1}")

    assert rows <= 200
    assert len(waits) >= 25
    assert spent < 5  # of a busy machine; docs/measurements.md has figures
    assert waits[len(waits) // 2] < 1000


LIVE = """
gate = asyncio.Event()
async def talk(context):
    global turn
    turn += 1
    if turn == 1:
        for i in range(400):
            yield f"word{i} "
            await asyncio.sleep(.005)
        yield '\\nAction: population {"city": "Nise"}'
    else:
        await gate.wait()
        yield "Action: FINAL_ANSWER 42"
turn = 0
handle = AgentRuntime(talk, tools=[population]).start(ASK)
explorer = handle.explore()
"""
LISTEN = f"""() => {{ window.messages = [];
    {KERNEL}.iopubMessage.connect((_, m) => {{
        if (m.header.msg_type === 'comm_msg') window.messages.push(performance.now()); }}); }}"""


def test_a_run_under_way(lab: Lab, tab: Tab) -> None:
    """It is followed with few messages; whoever travels back stays there, and can catch up."""
    tab.open(lab, "follow.ipynb", SETUP, LIVE)
    tab.page.evaluate(LISTEN)
    tab.run_all()
    tab.wait(OPEN, 60_000)
    page = tab.page
    said = "document.querySelector('.agl-slot .agl-caret')?.parentNode.textContent"
    tab.wait(f"{said}?.includes('word300 ')")
    assert "running" in page.inner_text(".agl-head >> nth=-1")
    tab.wait("[...document.querySelectorAll('.agl-rows .agl-label.bad')].length === 2", 20_000)
    times = page.evaluate("window.messages")
    most = max(sum(at <= other < at + 1000 for other in times) for at in times)
    assert most <= 30
    assert "rate exceeded" not in page.inner_text(".jp-Notebook")
    page.locator(".agl-range").fill("20")
    until(tab, "explorer.moment", "20")
    chips = "[...document.querySelectorAll('.agl-head .agl-chip')].map(chip => chip.textContent)"
    tab.wait(f"{chips}.join() === 'running,running'")
    answer(tab, "gate.set()")
    tab.wait(f"{chips}.join() === 'answered,answered'")
    assert answer(tab, "explorer.moment") == "20"
    page.locator("[role=treegrid]").focus()
    page.keyboard.press("Home")
    until(tab, "explorer.session.answer", "'42'")
    measured(f"a run that is followed: at most {most} messages a second")


def test_reload_and_second_view(lab: Lab, tab: Tab) -> None:
    """A page that loads while the kernel goes on, and a second view, show the same state."""
    opened(tab, lab, "again.ipynb", FAMILY, EXPLORE, "display(explorer)")
    over(tab)
    tab.wait("document.querySelectorAll('[role=treegrid]').length === 2", 30_000)
    tab.page.locator(ROWS, has_text="permanent").first.click()
    told = """[...document.querySelectorAll('.agl-detail')].filter(
        d => d.innerText.includes("KeyError: 'Nise'")).length === 2"""
    tab.wait(told)
    tab.save()
    tab.page.reload()
    tab.wait(told, 60_000)
    tab.wait(
        "[...document.querySelectorAll('[role=row][aria-selected=true]')]"
        ".filter(row => row.innerText.includes('permanent')).length === 2"
    )
    answer(tab, "explorer.close()")
    tab.wait("!document.querySelector('[role=treegrid]')")


@slow
def test_each_view_sees_its_own_rows(lab: Lab, tab: Tab) -> None:
    """Two views that look at different rows have both, and do not quarrel about it."""
    cells = "trace, _ = kept(3000, 0, 'two.jsonl')\nexplorer = trace.explore()", "explorer"
    opened(tab, lab, "two.ipynb", SETUP, LARGE, *cells)
    over(tab)
    tab.wait("document.querySelectorAll('[role=treegrid]').length === 2", 30_000)
    spans = answer(tab, "len(trace.spans())")
    second = tab.page.locator("[role=treegrid]").last
    second.evaluate("g => { g.scrollTop = g.scrollHeight; }")
    for grid, row in ((0, "2"), (1, spans)):
        tab.page.locator("[role=treegrid]").nth(grid).locator(f"[aria-rowindex='{row}']").wait_for()
    tab.page.evaluate(LISTEN)
    tab.page.wait_for_timeout(1000)

    assert tab.page.evaluate("window.messages.length") <= 1


EVIL = """
from agentlab.core.events import Argued, Phase, Warned
E = {payload}
@al.tool(name="bad")
def bad(a: str) -> str:
    raise ValueError(E)
class Evil:
    strategy_name = "evil"
    async def __call__(self, run, goal):
        run.emit(Phase(E, E)); run.emit(Argued(1, E, E)); run.emit(Warned(E))
        await run.child("x").ask(E, system=E)
        return await ReAct()(run, goal)
from agentlab.strategies.react import ReAct
class Says:
    async def stream(self, request):
        import json
        for piece in (f"Thought: {{E}}\\nAction: bad ", json.dumps({{"a": E}})):
            yield al.Chunk(piece)
lab = AgentRuntime(Says(), tools=[bad], max_iterations=2)
explorer = (await lab.start(E, agent=E, strategy=Evil())).explore()"""
ODD = '<img src=x onerror="window.__xss=1"></style></script><script>window.__xss=1</script>\u202e\0'


@pytest.mark.parametrize(
    "payload", [ODD, pytest.param(" ".join(HOSTILE), marks=slow)], ids=["one", "all"]
)
def test_hostile_strings_are_text(lab: Lab, tab: Tab, payload: str) -> None:
    """Whatever is in a field is text, in every row and in every detail."""
    opened(tab, lab, "evil.ipynb", SETUP, EVIL.format(payload=repr(payload)))
    over(tab)
    rows = tab.page.locator(ROWS).count()
    tab.page.locator("[role=treegrid]").focus()
    tab.page.keyboard.press("Home")
    for _ in range(rows):
        tab.page.keyboard.press("ArrowDown")
        tab.page.wait_for_timeout(120)
    tags = set(
        tab.page.evaluate("[...document.querySelectorAll('.agl-live *')].map(e => e.tagName)")
    )

    assert rows >= 8
    assert "onerror" in tab.page.inner_text(".agl-live")
    assert "\u202e" not in tab.page.inner_text(".agl-live")
    assert not {"IMG", "SCRIPT", "IFRAME", "A", "MATH", "OBJECT", "TEMPLATE", "LINK"} & tags
    assert tab.page.evaluate("window.__xss") is None


FAILED = """
look = 'Thought: I look.\\nAction: population {"city": "Nise"}'
lab = AgentRuntime(ScriptedModel(look, ConnectionError("refused")), tools=[population])
handle = lab.start(ASK)
try: await handle
except Exception: pass
explorer = handle.explore()"""
DAMAGED = """
from pathlib import Path
path = Path("torn.jsonl")
path.unlink(missing_ok=True)
with al.Journal(path) as journal:
    await debate(sinks=[journal])
lines = path.read_bytes().splitlines(keepends=True)
lines[3], lines[9] = lines[3][:20] + lines[3][30:], lines[9][:20] + lines[9][30:]
path.write_bytes(b"".join(lines))
explorer = al.load(path).explore()"""
STOPPED = """
handle = AgentRuntime(forever).start(ASK)
await asyncio.sleep(.3)
handle.stop()
explorer = (await handle).explore()"""
STATES = {
    "finished": EXPLORE,
    "failed": FAILED,
    "stopped": STOPPED,
    "empty": "explorer = al.Trace().explore()",
    "damaged": DAMAGED,
    "live": "explorer = AgentRuntime(forever).start(ASK).explore(); await asyncio.sleep(1)",
}


@pytest.mark.parametrize(
    ("theme", "width"),
    [
        (LIGHT, 400),
        pytest.param(DARK, 1000),
        pytest.param(LIGHT, 1000, marks=slow),
        pytest.param(DARK, 400, marks=slow),
    ],
)
def test_looks(labs: Callable[[str], Lab], browser: Browser, theme: str, width: int) -> None:
    """In every state nothing overflows, and all of it can be read; the pictures are for the eye."""
    tab = Tab(browser, width + 120 * (width < 500), 900)
    for state, cell in STATES.items():
        tab.open(labs(theme), f"{state}.ipynb", FAMILY, cell)
        tab.do("application:toggle-left-area")
        tab.run_all()
        over(tab)
        tab.page.wait_for_selector(".agl-live .agl-detail", timeout=30_000)
        tab.page.wait_for_timeout(600)
        name = f"trace-{state}-{theme.rpartition(' ')[2].lower()}-{width}"
        assert tab.bad_outputs() == []
        assert tab.page.evaluate(OVERFLOW) == [], state
        assert tab.page.evaluate(CONTRAST) == [], state
        tab.shot(name)
        if state == "damaged":
            assert "2 lines lost" in tab.page.inner_text(".agl-live .agl-head")
        if state == "finished":
            for row, text in ((3, "permanent"), (4, "No such city")):
                tab.page.locator(ROWS, has_text=text).first.click()
                tab.page.wait_for_timeout(400)
                assert tab.page.evaluate(OVERFLOW) == [], text
                assert tab.page.evaluate(CONTRAST) == [], text
                tab.shot(f"{name}-{row}")
    tab.fine()
    tab.page.context.close()
