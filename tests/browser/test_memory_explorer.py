"""The memory explorer, in a real JupyterLab and a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Browser

from tests.browser.lab import DARK, KERNEL, LIGHT, Lab, Tab
from tests.browser.remembering import DRAWN, ITEMS, MEMORIES, OPEN
from tests.browser.test_cards import CONTRAST, HOSTILE, OVERFLOW
from tests.browser.travelling import answer, until
from tests.browser.watching import CARD, SETUP, VIEW_MIME, measured, over

pytestmark = pytest.mark.browser

slow = pytest.mark.slow
EXPLORE = "memory = ltm({})\nbefore = memory.entries()\nexplorer = memory.explore()"
STORE = "store = episodes({})\nbefore = [store.items(a) for a in store.agent_ids()]\n"
STORE += "explorer = store.explore()"
PICKED = f"{ITEMS}[aria-selected=true]"
WHY = ".agl-why"


def opened(tab: Tab, lab: Lab, name: str, *cells: str) -> None:
    """Run cells, and wait for the explorer and its map."""
    tab.open(lab, name, *cells)
    tab.run_all()
    tab.wait(OPEN, 60_000)
    over(tab)
    tab.wait(DRAWN, 60_000)


def total(tab: Tab) -> int:
    """Read how many items are listed."""
    return int(tab.page.get_attribute(f"{ITEMS} >> nth=0", "aria-setsize") or 0)


@pytest.mark.parametrize("count", [20, pytest.param(5000, marks=slow)])
def test_by_mouse(lab: Lab, tab: Tab, count: int) -> None:
    """Asked, selected in the list and on the map, moved in time and closed, by clicks."""
    opened(tab, lab, "mouse.ipynb", MEMORIES, EXPLORE.format(count))
    page, every = tab.page, int(answer(tab, "len(memory)"))
    assert every == count
    assert page.locator(ITEMS).count() <= 60  # the rest is not even sent
    page.locator(".agl-asking").fill("the cello and the garden")
    until(tab, "explorer.query", "'the cello and the garden'")
    tab.wait("document.querySelectorAll('.agl-ray').length > 0")
    assert page.locator(f"{ITEMS}.hit").count() == page.locator(".agl-ray").count()
    assert page.locator(".agl-query").count() == 1
    tab.wait("document.querySelector('.agl-why').innerText.includes('cosine')")
    found = total(tab)
    assert found < count
    page.locator(ITEMS).nth(1).click()
    second = page.inner_text(f"{ITEMS} >> nth=1").split("\n")[0]
    page.locator(f"{ITEMS} >> nth=1").and_(page.locator("[aria-selected=true]")).wait_for()
    until(tab, f"explorer.selected.content.startswith({second.rstrip('…')[:40]!r})", "True")
    ring = page.locator(".agl-hit").last.bounding_box()
    assert ring
    page.mouse.move(ring["x"] + ring["width"] / 2, ring["y"] + ring["height"] / 2)
    tab.wait("!document.querySelector('.agl-caption').textContent.startsWith('map by')")
    said = page.inner_text(".agl-caption")
    page.mouse.down()
    page.mouse.up()
    until(tab, f"explorer.selected.content.startswith({said.rstrip('…')[:40]!r})", "True")
    page.locator(".agl-range").fill("400")
    until(tab, "round((explorer.moment - NOW) / timedelta(hours=1), 1) > 1", "True")
    tab.wait("document.querySelector('.agl-until').innerText.startsWith('now + ')")
    tab.wait(f"document.querySelector('[role=option]').ariaSetSize < {found}")
    page.get_by_label("order").select_option("A to Z")
    until(tab, "explorer.sort", "'A to Z'")
    assert answer(tab, "memory.entries() == before") == "True"
    page.get_by_role("button", name="Close").click()
    tab.wait("!document.querySelector('.agl-mems')")
    tab.save()
    saved = json.loads((lab.root / "mouse.ipynb").read_text())

    assert page.locator(CARD).count() == 1
    assert VIEW_MIME not in json.dumps(saved)
    assert "widgets" not in saved["metadata"]
    tab.fine()


@slow
def test_filters(lab: Lab, tab: Tab) -> None:
    """Agents and tags are a click away, and none of it changes the store."""
    opened(tab, lab, "filters.ipynb", MEMORIES, STORE.format(200))
    page, every = tab.page, total(tab)
    page.locator(".agl-toggle", has_text="ada").click()
    until(tab, "explorer.agents", "{'ada'}")
    tab.wait(f"document.querySelector('[role=option]').ariaSetSize < {every}")
    page.locator("[aria-label=tags] .agl-toggle").first.click()
    until(tab, "len(explorer.tags)", "1")
    tagged = "explorer.selected.agent_id, explorer.tags <= {*explorer.selected.tags}"
    until(tab, tagged, "('ada', True)")
    page.locator(".agl-asking").fill("zzzz")
    tab.wait("document.querySelector('.agl-why').innerText === 'Nothing is found.'")
    same = "[store.items(a) for a in store.agent_ids()] == before"
    assert answer(tab, same) == "True"
    tab.fine()


@slow
def test_by_keyboard(lab: Lab, tab: Tab) -> None:
    """All of it by keyboard: asking, rows, the map, the clock; a reader is told."""
    opened(tab, lab, "keys.ipynb", MEMORIES, EXPLORE.format(20))
    page, press = tab.page, tab.page.keyboard.press
    page.get_by_role("button", name="Close").focus()
    press("Tab")
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.type("garden")
    until(tab, "explorer.query", "'garden'")
    page.keyboard.press("Control+a")
    press("Delete")
    until(tab, "explorer.query", "''")
    for _ in range(3):  # order, map, play
        press("Tab")
    press("Tab")
    assert page.evaluate("document.activeElement.type") == "range"
    for _ in range(3):
        press("ArrowRight")
    tab.wait("document.querySelector('.agl-range').value === '30'")
    press("Home")
    until(tab, "explorer.moment == explorer._opened", "True")
    press("Tab")
    focus = "g => [g.matches(':focus-visible'), getComputedStyle(g).outlineStyle]"
    assert page.locator("[role=listbox]").evaluate(focus) == [True, "solid"]
    for _ in range(3):  # faster than the kernel answers
        press("ArrowDown")
    tab.wait("document.querySelector('[role=option][aria-selected=true]')?.ariaPosInSet === '4'")
    press("End")
    until(tab, "bool(explorer._seen.no == explorer._seen.order()[-1])", "True")
    press("Tab")
    press("Tab")  # past why, and its button
    press("Tab")
    assert page.evaluate("document.activeElement.className") == "agl-field"
    walked = {answer(tab, "explorer.selected.id")}
    for key in ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"):
        press(key)
        page.wait_for_timeout(200)
        walked.add(answer(tab, "explorer.selected.id"))
    assert len(walked) > 1
    tab.wait("(said => document.querySelector('.agl-live [aria-live]').textContent.includes(said))"
             "(document.querySelector('.agl-content').textContent.slice(0, 40))")  # fmt: skip
    assert page.locator(PICKED).count() == 1
    press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    page.locator("[role=listbox]").focus()
    press("Space")
    tab.wait("document.querySelector('[aria-label=pause]') !== null")
    press("Space")
    tab.wait("document.querySelector('[aria-label=play]') !== null")
    assert page.locator(".agl-live [aria-live=polite]").count() == 1
    tab.fine()


LISTEN = f"""() => {{ window.messages = [];
    {KERNEL}.iopubMessage.connect((_, m) => {{
        if (m.header.msg_type === 'comm_msg') window.messages.push(performance.now()); }}); }}"""


@pytest.mark.parametrize("count", [20, 5000])
@slow
def test_playing(lab: Lab, tab: Tab, count: int) -> None:
    """Items fade and fall out before one's eyes, with few messages; the memory stays as it is."""
    opened(tab, lab, "play.ipynb", MEMORIES, EXPLORE.format(count))
    page, every = tab.page, total(tab)
    page.evaluate(LISTEN)
    page.evaluate("""() => { window.totals = []; window.slow = 0; let last = performance.now();
        const look = (now) => { window.slow = Math.max(window.slow, now - last); last = now;
            const n = Number(document.querySelector('[role=option]')?.ariaSetSize ?? 0);
            if (n !== window.totals.at(-1)) window.totals.push(n);
            requestAnimationFrame(look); }; requestAnimationFrame(look); }""")
    page.get_by_role("button", name="play").click()
    tab.wait("document.querySelector('[aria-label=play]') !== null", 40_000)
    until(tab, "len(explorer._seen.order())", "0")
    tab.wait("document.querySelector('.agl-why').innerText === 'Nothing is found.'")
    totals, times = page.evaluate("window.totals"), page.evaluate("window.messages")
    most = max(sum(at <= other < at + 1000 for other in times) for at in times)
    measured(f"{count} entries fading: at most {most} messages a second,"
             f" the longest frame {page.evaluate('window.slow'):.0f} ms")  # fmt: skip

    assert totals[0] == every
    assert all(after < before for before, after in pairwise(totals))
    assert len(totals) > 5
    assert most <= 30
    assert answer(tab, "memory.entries() == before") == "True"
    tab.fine()


@slow
def test_playing_with_reduced_motion(lab: Lab, tab: Tab) -> None:
    """Who wants less motion gets a step a second."""
    tab.page.emulate_media(reduced_motion="reduce")
    opened(tab, lab, "still.ipynb", MEMORIES, EXPLORE.format(20))
    tab.page.evaluate("""() => { window.moves = [];
        const range = document.querySelector('.agl-range'); let before = range.value;
        const look = () => { if (range.value !== before) window.moves.push(performance.now());
            before = range.value; requestAnimationFrame(look); }; look(); }""")
    tab.page.get_by_role("button", name="play").click()
    tab.wait("window.moves.length >= 4", 8000)
    moves = tab.page.evaluate("window.moves")

    assert all(after - before > 700 for before, after in pairwise(moves))


@slow
def test_reload_and_second_view(lab: Lab, tab: Tab) -> None:
    """A page that loads while the kernel goes on, and a second view, show the same state."""
    opened(tab, lab, "again.ipynb", MEMORIES, EXPLORE.format(20), "display(explorer)")
    tab.wait("document.querySelectorAll('.agl-mems').length === 2", 30_000)
    tab.page.locator(".agl-asking").first.fill("the garden")
    tab.page.locator(".agl-range").first.fill("150")
    until(tab, "explorer.query, explorer._seen.at", "('the garden', 150)")
    tab.page.locator(".agl-mems").first.locator("[role=option]").nth(1).click()
    told = """(() => { const views = [...document.querySelectorAll('.agl-mems')].map(list => {
        const root = list.closest('.agl-live');
        return JSON.stringify([root.querySelector('.agl-asking').value,
            root.querySelector('.agl-range').value, root.querySelector('.agl-why').innerText,
            root.querySelectorAll('.agl-hit').length]); });
        return views.length === 2 && views[0] === views[1]
            && views[0].includes('"the garden","150"') && !views[0].endsWith(',0]'); })()"""
    tab.wait(told)
    tab.save()
    tab.page.reload()
    tab.wait(told, 60_000)
    answer(tab, "explorer.close()")
    tab.wait("!document.querySelector('.agl-mems')")


EVIL = """
E = {payload}
store = al.EpisodicStore()
for i in range(12):
    store.add_episode_with_tags(E, f"{{i}} {{E}}", i / 12, [E, f"{{E}}{{i}}"])
    store.add_episode(f"b{{E}}", E, .1)
explorer = store.explore()
explorer.query = E"""
ODD = '<img src=x onerror="window.__xss=1"></style></script><script>window.__xss=1</script>\u202e\0'


@pytest.mark.parametrize("payload", [ODD, " ".join(HOSTILE)], ids=["one", "all"])
@slow
def test_hostile_strings_are_text(lab: Lab, tab: Tab, payload: str) -> None:
    """Whatever a memory, a tag, an agent or a question says is text."""
    opened(tab, lab, "evil.ipynb", SETUP, EVIL.format(payload=repr(payload)))
    tab.page.locator(ITEMS).nth(1).click()
    tab.page.wait_for_timeout(500)
    tags = set(
        tab.page.evaluate("[...document.querySelectorAll('.agl-live *')].map(e => e.tagName)")
    )

    assert "onerror" in tab.page.inner_text(".agl-live .agl-why")
    assert "<" in tab.page.inner_text("[aria-label=tags]")
    assert "\u202e" not in tab.page.inner_text(".agl-live")
    assert not {"IMG", "SCRIPT", "IFRAME", "A", "MATH", "OBJECT", "TEMPLATE", "LINK"} & tags
    assert tab.page.evaluate("window.__xss") is None


COLLIDING = """() => { const boxes = [...document.querySelectorAll('.agl-field text')]
    .map(text => [text.textContent, text.getBoundingClientRect(),
                  text.closest('svg').getBoundingClientRect()]);
    return boxes.flatMap(([one, a, field], i) => [
        ...(a.left < field.left - 1 || a.right > field.right + 1 ? [one] : []),
        ...boxes.slice(i + 1).filter(([, b]) => a.left < b.right && b.left < a.right
            && a.top + 1 < b.bottom && b.top + 1 < a.bottom).map(([other]) => one + '/' + other)
    ]); }"""
TEXTS = """
memory = al.SemanticMemory()
for entry in al.datasets.diary():
    memory.remember(entry.text, entry.id)
explorer = memory.explore()
explorer.query = "a string of the cello broke"
"""
MIND = """
pad = al.WorkingMemory(5)
for key in ("goal", "plan", "note"):
    pad.set(key, f"what the {key} is")
explorer = pad.explore()"""
STATES = {
    "fading": EXPLORE.format(300) + "\nexplorer.query = 'the garden in the rain'",
    "many": EXPLORE.format(5000),
    "episodes": STORE.format(300),
    "texts": TEXTS,
    "mind": MIND,
    "empty": "explorer = al.EpisodicStore().explore()",
}


@pytest.mark.parametrize("width", [400, 1000])
@pytest.mark.parametrize("theme", [LIGHT, DARK])
@slow
def test_looks(labs: Callable[[str], Lab], browser: Browser, theme: str, width: int) -> None:
    """In every state nothing overflows, and all of it can be read; the pictures are for the eye."""
    tab = Tab(browser, width + 120 * (width < 500), 900)
    for state, cell in STATES.items():
        tab.open(labs(theme), f"{state}.ipynb", MEMORIES, cell)
        tab.do("application:toggle-left-area")
        tab.run_all()
        over(tab)
        tab.page.wait_for_selector(".agl-live .agl-card", timeout=30_000)
        if state != "empty":
            tab.wait(DRAWN, 60_000)
        if state in {"fading", "episodes"}:
            tab.page.locator(".agl-range").fill("200")
        tab.page.wait_for_timeout(700)
        assert tab.bad_outputs() == []
        assert tab.page.evaluate(OVERFLOW) == [], state
        assert tab.page.evaluate(CONTRAST) == [], state
        assert tab.page.evaluate(COLLIDING) == [], state
        tab.shot(f"memory-{state}-{theme.rpartition(' ')[2].lower()}-{width}")
    tab.fine()
    tab.page.context.close()
