"""Notebooks in a real JupyterLab and a real browser: what people see, and what they do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.browser.lab import DARK, LIGHT, Lab, Tab, write

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
STYLES, OVERFLOW, CONTRAST = (
    (HERE / f"{name}.js").read_text() for name in ("styles", "overflow", "contrast")
)
HOSTILE = (HERE / "hostile.txt").read_text().splitlines()
FRAME = "import pandas as pd\npd.DataFrame({'a': [1, 2], 'b': ['x', 'y']})"


def styles_of_a_frame(tab: Tab) -> Any:
    """Read how the last pandas frame on the page looks."""
    tab.page.wait_for_selector("table.dataframe")
    return tab.page.evaluate(STYLES)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("name", ["01_quickstart", "02_looking_at_a_session"])
def test_notebooks(labs: Callable[[str], Lab], tab: Tab, name: str, theme: str) -> None:
    """All cells run, nothing is asked of the network, and a pandas frame below looks as ever."""
    lab = labs(theme)
    tab.open(lab, "bare.ipynb", FRAME)
    tab.run_all()
    tab.idle()
    bare = styles_of_a_frame(tab)

    book = nbformat.read(lab.root / f"{name}.ipynb", as_version=4)
    book.cells.append(nbformat.v4.new_code_cell(FRAME))
    nbformat.write(book, lab.root / f"{name}_and_frame.ipynb")
    tab.open(lab, f"{name}_and_frame.ipynb")
    tab.run_all()
    tab.idle()
    tab.page.wait_for_selector(".agl-card")
    tab.shot(f"{name}-{theme.rpartition(' ')[2].lower()}")

    assert styles_of_a_frame(tab) == bare
    assert tab.page.evaluate(CONTRAST) == []


def test_a_narrow_notebook(lab: Lab, browser: Any) -> None:
    """At 400 pixels nothing leaves its card."""
    tab = Tab(browser, width=520, height=1000)
    tab.open(lab, "02_looking_at_a_session.ipynb")
    tab.do("application:toggle-left-area")
    tab.run_all()
    tab.idle()
    tab.page.wait_for_selector(".agl-card")
    tab.shot("narrow")

    assert tab.page.evaluate("document.querySelector('.agl-card').clientWidth") <= 420
    assert tab.page.evaluate(OVERFLOW) == []
    tab.fine()
    tab.page.context.close()


def test_an_untrusted_notebook(lab: Lab, tab: Tab) -> None:
    """Where the style is taken out, the same text is there, in order, and unfolds."""
    code = "import agentlab as al\nal.AgentRuntime(al.ScriptedModel('Thought: hm\\nAction: "
    code += "FINAL_ANSWER forty-two')).run_sync('How many?')"
    tab.open(lab, "trusted.ipynb", code)
    tab.run_all()
    tab.idle()
    html = next(o["data"]["text/html"] for o in tab.outputs() if "data" in o)
    cell = nbformat.v4.new_code_cell(
        "0",
        execution_count=1,
        outputs=[nbformat.v4.new_output("display_data", data={"text/html": html})],
    )
    write(lab.root / "untrusted.ipynb", cell)
    tab.open(lab, "untrusted.ipynb")
    tab.page.wait_for_selector(".jp-RenderedHTML details")
    tab.shot("untrusted")

    assert tab.page.locator(".jp-RenderedHTML style").count() == 0
    text = tab.page.inner_text(".jp-RenderedHTML")
    places = [text.index(part) for part in ("agent", "answered", "How many?", "forty-two")]
    assert places == sorted(places)


SETUP = """
import json
import agentlab as al
from IPython.display import display

def bad(x: str) -> str:
    raise ValueError(x)

def show(*payloads):
    calls = [f"Thought: {x}\\nAction: bad {json.dumps({'x': x})}" for x in payloads]
    evil = "".join(payloads)
    script = al.ScriptedModel(*calls, evil, f"Action: FINAL_ANSWER {evil}")
    tools = [al.tool(name=f"bad{i}", description=x)(bad) for i, x in enumerate(payloads)]
    lab = al.AgentRuntime(script, tools=[*tools, al.tool(name="bad")(bad)], max_iterations=99)
    session = lab.run_sync(evil, agent=evil)
    error = al.AgentLabError(evil)
    error.session = session
    for each in (session, session.steps[0], session.trace, lab.tools, lab.tool_registry(), error):
        display(each)
"""


def test_hostile_text(lab: Lab, tab: Tab) -> None:
    """No payload in any text of any card runs, or asks for anything."""
    cells = [f"show(*{HOSTILE[i : i + 8]!r})" for i in range(0, len(HOSTILE), 8)]
    tab.open(lab, "hostile.ipynb", SETUP, *cells)
    tab.run_all()
    tab.idle()
    tab.page.wait_for_timeout(1000)

    assert tab.page.locator(".agl-card").count() >= 6 * len(cells)
    assert tab.page.evaluate("window.__xss") is None
    inside = tab.page.locator(".agl :is(script, img, iframe, link, a, template, math, object)")
    assert inside.count() == 0
