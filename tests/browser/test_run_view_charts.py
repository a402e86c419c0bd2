"""The chart of a run, live: a list, a tree and a flow chart, in a real JupyterLab and browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from tests.browser.lab import DARK, LIGHT, Lab, Tab
from tests.browser.test_cards import HERE
from tests.browser.watching import CARD, SETUP, static

pytestmark = pytest.mark.browser

slow = pytest.mark.slow
OVERFLOW, CONTRAST = ((HERE / f"{name}.js").read_text() for name in ("overflow", "contrast"))
CHARTS = """
from agentlab.core.events import Charted, Marked, Node
from agentlab.strategies.react import Outcome
Task, Branch, Parallel, Loop = (getattr(al.WorkflowStep, kind)
                                for kind in ("Task", "Branch", "Parallel", "Loop"))

class Charting:
    strategy_name = "charting"
    def __init__(self, shape, nodes, marks):
        self.chart, self.marks = Charted(shape, tuple(nodes), (), f"the {shape}"), marks
    async def __call__(self, run, goal):
        run.emit(self.chart)
        await asyncio.sleep(1)  # until there is a page
        for mark in self.marks:
            run.emit(Marked(*mark))
            await asyncio.sleep(PAUSE)
        return Outcome("done")

plan = Charting("list", [Node("1", "Look up <b>Lyon</b>", detail="tool population"),
                         Node("2", "Look up Nice"), Node("3", "Add both numbers")],
                [("1", "running"), ("1", "done", "522000"), ("2", "running"),
                 ("2", "failed", "KeyError: Nise"), ("3", "running"), ("3", "skipped")])
tree = Charting("tree", [Node("r", "travel to Rome"), Node("a", "by plane", parent="r"),
                         Node("b", "by train", parent="r", detail="needs a ticket"),
                         Node("b1", "buy a ticket", parent="b"), Node("b2", "board", parent="b")],
                [("a", "rejected", "precondition: money"), ("b", "chosen"), ("b1", "running"),
                 ("b1", "done", "seat 12"), ("b2", "running"), ("b2", "done")])
flow = al.Workflow("research", [
    Task("summarise", "Summarise {goal}"),
    Parallel([Task("facts", "List facts", tool="echo"), Loop(Task("refine", "Refine {last}"), 2)]),
    Branch("refine:nothing", Task("publish", "Publish"), Task("gather", "Gather more")),
    Task("conclude", "Conclude")])

async def slowly(context):
    await asyncio.sleep(PAUSE + context.startswith("Summarise"))  # until there is a page
    yield "It is so: " + context[:20]
lab = AgentRuntime(slowly)
def start(strategy): return lab.start("tea in Burma", strategy=strategy)
"""
WATCHED = "await asyncio.gather(*(al.watch(start(each)) for each in (plan, tree, flow)));"
PARTS = "[...document.querySelectorAll('.agl-live :is(.agl-part, .agl-box)')]"
NAMED = "x => x.querySelector('.agl-partname').textContent"
WATCH = f"""() => {{
    window.seen = new Set();
    const look = () => {{
        for (const x of {PARTS}) window.seen.add(`${{({NAMED})(x)}}: ${{x.classList[1]}}`);
        requestAnimationFrame(look);
    }};
    look(); }}"""


def stands(tab: Tab, name: str, status: str) -> None:
    """Wait until a part stands so."""
    tab.page.wait_for_function(
        f"([name, status]) => {PARTS}.some("
        f"x => ({NAMED})(x) === name && x.classList.contains(status))",
        arg=[name, status],
        timeout=20_000,
    )


def test_live(lab: Lab, tab: Tab) -> None:
    """Parts change as they are marked, nothing in a label is markup, and the card has them too."""
    tab.open(lab, "charts.ipynb", SETUP, f"PAUSE = .3\n{CHARTS}", WATCHED)
    tab.page.evaluate(WATCH)
    tab.run_all()
    static(tab)
    cards = tab.page.locator(CARD)

    assert {
        "Add both numbers: pending", "Look up <b>Lyon</b>: done", "Look up Nice: failed",
        "Add both numbers: running", "by plane: rejected", "by train: chosen", "board: running",
        "conclude: pending", "summarise: done", "publish: skipped", "gather: running",
        "gather: done", "conclude: running",
    } <= set(tab.page.evaluate("[...window.seen]"))  # fmt: skip
    assert cards.count() == 3
    assert "1 done, 1 failed, 1 skipped of 3 parts" in cards.nth(0).inner_text()
    assert "by plane → precondition: money" in " ".join(cards.nth(1).inner_text().split())
    assert cards.nth(2).locator("g.agl-box.done").count() == 8
    assert cards.nth(2).locator("g.agl-box.skipped").count() == 1


@slow
@pytest.mark.parametrize(("theme", "width"), [(LIGHT, 400), (DARK, 400), (LIGHT, 1000)])
def test_looks(labs: Callable[[str], Lab], browser: Browser, theme: str, width: int) -> None:
    """Nothing overflows, all of it can be read, and a picture is scrolled by keyboard."""
    tab = Tab(browser, width + 120 * (width < 500), 800)
    tab.open(labs(theme), "looks.ipynb", SETUP, f"PAUSE = 2\n{CHARTS}", WATCHED)
    tab.do("application:toggle-left-area")
    tab.run_all()
    stands(tab, "refine", "running")
    stands(tab, "Look up Nice", "running")
    name = f"{theme.rpartition(' ')[2].lower()}-{width}"
    assert tab.page.evaluate(OVERFLOW) == []
    assert tab.page.evaluate(CONTRAST) == []
    assert tab.page.locator(".agl-chart [role=listitem]").count() == 9
    told = tab.page.locator(".agl-chart [role=listitem]").nth(0).get_attribute("aria-label")
    assert told == "summarise, done"
    field = ".agl-live .agl-chart"
    tab.page.locator(field).focus()
    tab.page.keyboard.press("End")
    tab.wait(f"document.querySelector('{field}').scrollTop > 0")
    tab.shot(f"charts-live-{name}")
    static(tab)
    assert tab.page.evaluate(OVERFLOW) == []
    tab.shot(f"charts-card-{name}")
    tab.fine()
    tab.page.context.close()


@slow
def test_reload(lab: Lab, tab: Tab) -> None:
    """A page that loads while a run goes on shows its chart as it stands."""
    watch = "view = __import__('agentlab.widgets.run_view').widgets.run_view.RunView(handle.stop)"
    start = f"handle = start(flow)\n{watch}\nhandle.trace.attach(view)\nview"
    tab.open(lab, "again.ipynb", SETUP, f"PAUSE = 3\n{CHARTS}", start)
    tab.run_all()
    stands(tab, "summarise", "done")
    tab.save()
    tab.page.reload()
    stands(tab, "summarise", "done")
    stands(tab, "refine", "running")
    assert tab.page.locator(".agl-chart").count() == 1
