"""The graph explorer, in a real JupyterLab and a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from tests.browser.lab import DARK, LIGHT, Lab, Tab
from tests.browser.test_cards import CONTRAST, HOSTILE, OVERFLOW
from tests.browser.test_trace_explorer import LISTEN
from tests.browser.travelling import answer, detail, until
from tests.browser.watching import SETUP, measured, over

pytestmark = pytest.mark.browser

slow = pytest.mark.slow
STAGE = ".agl-figure-of"
OPEN = "document.querySelectorAll('.agl-front text').length > 0"
GRAPHS = (
    SETUP
    + """
import random
from agentlab import Entity, GraphStore, KnowledgeGraph, Relation, Relationship
from agentlab.graph.facts import rivers

def made(nodes, edges, rng=random.Random(7)):
    graph = KnowledgeGraph(name=f"{nodes} things")
    for i in range(nodes):
        known = {"type": "thing", "size": i}
        graph.add_entity(Entity(f"n{i}", f"thing {i}", known))
    for i in range(1, nodes):
        graph.add_relation(Relation(f"n{i}", f"n{rng.randrange(max(0, i - 30), i)}", "part_of"))
    while graph.relation_count() < edges:
        i = rng.randrange(nodes)
        j = min(nodes - 1, max(0, i + rng.randrange(-20, 20)))
        if i != j:
            graph.add_relation(Relation(f"n{i}", f"n{j}", rng.choice(["near", "like"])))
    return graph
"""
)
RIVERS = "explorer = rivers().explore()"


def opened(tab: Tab, lab: Lab, name: str, *cells: str) -> None:
    """Run cells, and wait for the explorer."""
    tab.open(lab, name, *cells)
    tab.run_all()
    tab.wait(OPEN, 60_000)
    over(tab)
    tab.page.locator(STAGE).first.scroll_into_view_if_needed()


def said(tab: Tab) -> str:
    """Read what is said of what is shown."""
    return str(tab.page.inner_text(".agl-then"))


def test_by_mouse(lab: Lab, tab: Tab) -> None:
    """Searched, selected, opened, joined by a path and closed by clicks; Python knows of it."""
    opened(tab, lab, "mouse.ipynb", GRAPHS, RIVERS)
    page = tab.page
    assert answer(tab, "explorer.selected") == "None"
    page.locator(".agl-find").fill("rhine")
    page.keyboard.press("Enter")
    until(tab, "explorer.selected.id", "'Rhine'")
    tab.wait("document.querySelector('.agl-detail').innerText.includes('1233')")
    assert "graph.entity('Rhine')" in detail(tab)
    assert page.inner_text(".agl-entry.on").startswith("Rhine")
    page.locator(".agl-find").fill("")
    page.get_by_role("button", name="Neighbourhood").click()
    until(tab, "explorer.focus.id", "'Rhine'")
    tab.wait("document.querySelector('.agl-then').innerText.startsWith('neighbourhood of Rhine')")
    assert page.locator(f"{STAGE} circle.away").count() > 200
    page.get_by_role("combobox", name="from").fill("Limmat")
    page.keyboard.press("Enter")
    page.get_by_role("combobox", name="to").fill("North Sea")
    page.keyboard.press("Enter")
    until(tab, "explorer.path", "['Limmat', 'Aare', 'Rhine', 'North Sea']")
    told = "path of 3 relations: Limmat → Aare → Rhine → North Sea"
    tab.wait(f"document.querySelector('.agl-then').innerText.includes({told!r})")
    assert page.locator(".agl-ring.way").count() == 4
    page.locator(".agl-link", has_text="Neckar").click()
    until(tab, "explorer.selected.id", "'Neckar'")
    answer(tab, "setattr(explorer, 'focus', None)")
    tab.wait("!document.querySelector('circle.away')")
    page.wait_for_timeout(500)
    page.locator(f"{STAGE} circle[data-no='0']").hover(force=True)
    page.locator(".agl-front text", has_text="Russia · country · 36 links").wait_for()
    page.locator(f"{STAGE} circle[data-no='0']").click(force=True)
    until(tab, "explorer.selected == explorer.subject.entity('Russia')", "True")
    page.get_by_role("button", name="size: links").click()
    page.get_by_role("button", name="size: betweenness").wait_for()
    page.get_by_role("button", name="Close", exact=True).click()
    tab.wait("!document.querySelector('.agl-map')")


def test_by_keyboard(lab: Lab, tab: Tab) -> None:
    """Arrows walk along relations, Enter opens, Escape goes back, and the table does the same."""
    opened(tab, lab, "keys.ipynb", GRAPHS, RIVERS)
    page, press = tab.page, tab.page.keyboard.press
    page.evaluate(LISTEN)
    page.get_by_role("button", name="Close", exact=True).focus()
    press("/")
    assert page.evaluate("document.activeElement.ariaLabel") == "find…"
    page.keyboard.type("rhine")
    press("Enter")
    until(tab, "explorer.selected.id", "'Rhine'")
    press("Escape")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "application"
    press("ArrowRight")
    until(
        tab,
        "any('Rhine' in each.ends for each in explorer.subject.edges_at(explorer.selected.id))",
        "True",
    )
    press("Enter")
    until(tab, "explorer.focus == explorer.selected", "True")
    press("+")
    press("Shift+ArrowLeft")
    press("Escape")
    until(tab, "explorer.focus", "None")
    press("Escape")
    until(tab, "explorer.selected", "None")
    press("Home")
    for _ in range(40):
        press("ArrowLeft")
        press("ArrowRight")
    times = page.evaluate("window.messages")
    assert max(sum(at <= other < at + 1000 for other in times) for at in times) <= 30
    press("e")
    until(tab, "type(explorer.selected).__name__", "'Relation'")
    tab.wait("document.querySelector('.agl-detail').innerText.includes('graph.edges_at(')")
    page.locator("[role=grid]").focus()
    press("End")
    press("Home")
    until(tab, "explorer.selected.id", "'Russia'")
    assert page.locator("[role=row][aria-selected=true]").inner_text().startswith("Russia")
    press("Enter")
    until(tab, "explorer.focus.id", "'Russia'")
    tab.wait(
        "document.querySelector('.agl-live [aria-live=polite]').innerText"
        ".startsWith('neighbourhood of Russia')"
    )


FRAMES = """() => new Promise(done => {
    const stage = document.querySelector('.agl-figure-of');
    const { left, top, width, height } = stage.getBoundingClientRect();
    const at = n => ({ pointerId: 1, bubbles: true, button: 0,
        clientX: left + width / 2 + 80 * Math.sin(n / 9), clientY: top + height / 2 + n % 40 });
    stage.setPointerCapture = () => {};
    stage.dispatchEvent(new PointerEvent('pointerdown', at(0)));
    const times = []; let n = 0;
    const frame = now => {
        times.push(now);
        stage.dispatchEvent(new PointerEvent('pointermove', at(++n)));
        if (n < 90) return requestAnimationFrame(frame);
        stage.dispatchEvent(new PointerEvent('pointerup', at(n)));
        const gaps = times.slice(1).map((t, i) => t - times[i]).sort((a, b) => a - b);
        done([1000 * gaps.length / (times.at(-1) - times[0]), gaps[gaps.length * 0.95 | 0]]);
    };
    requestAnimationFrame(frame); })"""


@pytest.mark.parametrize(
    ("nodes", "edges"),
    [(8, 12), pytest.param(180, 320, marks=slow), (1800, 3200)],
    ids=["20", "500", "5000"],
)
def test_small_and_large(lab: Lab, tab: Tab, nodes: int, edges: int) -> None:
    """From 20 to 5000 elements: moved, zoomed and clicked, without WebGL; names never meet."""
    tab.page.add_init_script(NO_WEBGL)
    made = f"graph = made({nodes}, {edges})\nbegan = time.perf_counter()\n"
    opened(tab, lab, "large.ipynb", GRAPHS, f"{made}explorer = graph.explore()\n{SPENT}")
    page = tab.page
    page.wait_for_timeout(500)
    assert page.evaluate(MEET)[1] == 0
    rate, p95 = page.evaluate(FRAMES)
    measured(
        f"{nodes + edges} elements: {rate:.0f} frames a second while moved (p95 {p95:.0f} ms);"
        f" opened in {answer(tab, 'round(spent, 2)')} s of the kernel"
    )
    page.wait_for_timeout(400)
    tab.shot(f"graph-{nodes + edges}")
    page.get_by_role("button", name="show all (0)").click()
    page.wait_for_timeout(500)
    page.locator(".agl-find").fill("thing 7")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    until(tab, "explorer.selected.id[:2]", "'n7'")
    before = answer(tab, "explorer.selected.id")
    page.keyboard.press("Enter")
    until(tab, "explorer.focus == explorer.selected", "True")
    page.wait_for_timeout(600)
    assert page.evaluate(MEET)[1] == 0
    box = page.locator(".agl-front text:not(.agl-said-arc):not(.on)").first.text_content()
    tab.shot(f"graph-{nodes + edges}-opened")
    page.locator(".agl-link").first.click()
    until(tab, f"explorer.selected.id == {before}", "False")
    assert page.evaluate("window.asked3d") in (None, 0)
    assert rate > 10
    assert "thing" in (box or "")


NO_WEBGL = """const get = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
    if (!kind.startsWith('webgl')) return get.call(this, kind, ...rest);
    window.asked3d = (window.asked3d ?? 0) + 1;
    return null; };"""
SPENT = "spent = time.perf_counter() - began"
MEET = """() => {
    const seen = [...document.querySelectorAll('.agl-front text')]
        .map(e => e.getBoundingClientRect()).filter(r => r.width > 0);
    const meet = (a, b) => a.left + 2 < b.right && b.left + 2 < a.right
        && a.top + 3 < b.bottom && b.top + 3 < a.bottom;
    return [seen.length, seen.filter((a, i) => seen.some((b, j) => j > i && meet(a, b))).length];
}"""


@slow
def test_reload_and_second_view(lab: Lab, tab: Tab) -> None:
    """A page that loads while the kernel goes on, and a second view, show the same."""
    opened(tab, lab, "again.ipynb", GRAPHS, RIVERS, "display(explorer)", "explorer.focus = 'Rhine'")
    twice = """[...document.querySelectorAll('.agl-then')].filter(
        each => each.innerText.includes('neighbourhood of Rhine')).length === 2"""
    tab.wait(twice, 30_000)
    tab.page.locator(".agl-link", has_text="Aare").first.click()
    told = """[...document.querySelectorAll('.agl-live .agl-detail')].filter(
        each => each.innerText.includes("graph.entity('Aare')")).length === 2"""
    tab.wait(told)
    tab.save()
    tab.page.reload()
    tab.wait(told, 60_000)
    tab.wait(twice)
    tab.wait("document.querySelectorAll('.agl-ring.on').length === 2")
    answer(tab, "explorer.close()")
    tab.wait("!document.querySelector('.agl-map')")


MOVES = """() => { window.moves = 0;
    const first = document.querySelector("circle[data-no='0']");
    new MutationObserver(some => { window.moves += some.length; }).observe(
        first, { attributes: true, attributeFilter: ["cx"] }); }"""


@slow
@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_motion(lab: Lab, tab: Tab, motion: str) -> None:
    """Who wants no motion is taken to a neighbourhood at once; others glide there."""
    tab.page.emulate_media(reduced_motion=motion)  # type: ignore[arg-type]
    opened(tab, lab, "motion.ipynb", GRAPHS, RIVERS)
    tab.page.evaluate(MOVES)
    answer(tab, "setattr(explorer, 'focus', 'Rhine')")
    tab.wait("document.querySelector('circle.away')")
    tab.page.wait_for_timeout(600)
    moves = tab.page.evaluate("window.moves")

    assert (moves <= 2) == (motion == "reduce"), moves


EVIL = """
E = {payload}
graph = KnowledgeGraph(name=E)
for i in range(4):
    graph.add_entity(Entity(f"{{E}}{{i}}", E, {{E: E, "type": E}}))
for i in range(3):
    graph.add_relation(Relation(f"{{E}}{{i}}", f"{{E}}{{i + 1}}", E, origin=E))
explorer = graph.explore()"""
ODD = '<img src=x onerror="window.__xss=1"></style></script><script>window.__xss=1</script>\u202e'


@pytest.mark.parametrize(
    "payload",
    [pytest.param(ODD, marks=slow), pytest.param(" ".join(HOSTILE), marks=slow)],
    ids=["one", "all"],
)
def test_hostile_names_are_text(lab: Lab, tab: Tab, payload: str) -> None:
    """Whatever something is called, it is text: in the picture, the table and what is told."""
    payload = payload.replace("\0", "")
    opened(tab, lab, "evil.ipynb", GRAPHS, EVIL.format(payload=repr(payload)))
    page = tab.page
    page.locator(".agl-entry[role=row]").first.click()
    page.get_by_role("button", name="Neighbourhood").click()
    page.locator(".agl-link").first.click()
    page.wait_for_timeout(500)
    tags = set(page.evaluate("[...document.querySelectorAll('.agl-live *')].map(e => e.tagName)"))

    assert not {"IMG", "SCRIPT", "IFRAME", "A", "MATH", "OBJECT", "TEMPLATE", "LINK"} & tags
    assert "\u202e" not in page.inner_text(".agl-live")
    assert page.evaluate("window.__xss") is None


STATES = {
    "rivers": RIVERS,
    "focus": f"{RIVERS}; explorer.focus = 'Rhine'",
    "empty": "explorer = KnowledgeGraph().explore()",
    "three": """
graph = GraphStore(name="letters")
for name in "ab": graph.add_entity(Entity(name, "letter"))
graph.add_relationship(Relationship("a", "b", "comes_before", 2.5))
explorer = graph.explore()""",
    "many": "explorer = made(1800, 3200).explore()",
}


@pytest.mark.parametrize(
    ("theme", "width"),
    [
        pytest.param(LIGHT, 400, marks=slow),
        pytest.param(DARK, 1000, marks=slow),
        pytest.param(LIGHT, 1000, marks=slow),
        pytest.param(DARK, 400, marks=slow),
    ],
)
def test_looks(labs: Callable[[str], Lab], browser: Browser, theme: str, width: int) -> None:
    """In every state nothing overflows, and all of it can be read; the pictures are for the eye."""
    tab = Tab(browser, width + 120 * (width < 500), 900)
    for state, cell in STATES.items():
        tab.open(labs(theme), f"{state}.ipynb", GRAPHS, cell)
        tab.do("application:toggle-left-area")
        tab.run_all()
        over(tab)
        tab.page.wait_for_selector(".agl-live .agl-card", timeout=30_000)
        tab.page.wait_for_timeout(900)
        name = f"graph-{state}-{theme.rpartition(' ')[2].lower()}-{width}"
        assert tab.bad_outputs() == []
        if state == "rivers":
            answer(tab, "explorer.connect('Limmat', 'Po')")
            tab.page.wait_for_timeout(600)
        assert tab.page.evaluate(OVERFLOW) == [], state
        assert tab.page.evaluate(CONTRAST) == [], state
        assert tab.page.evaluate(MEET)[1] == 0, state
        tab.shot(name)
    tab.fine()
    tab.page.context.close()
