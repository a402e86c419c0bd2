"""What a notebook keeps of a watched run: saved, exported, executed by itself, or another's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser

from tests.browser.lab import REPO, Lab, Tab, write
from tests.browser.watching import CARD, SETUP, VIEW_MIME, static

pytestmark = pytest.mark.browser

WATCHED = "session = await al.watch(runtime(400).start(ASK))"
LAST_LINE = "handle = runtime(400).start(ASK)\nhandle"
AFTER = "while not handle.done(): await asyncio.sleep(.05)\nawait asyncio.sleep(.8)"
ASK = "How many people live in Lyon and Nice together?"
# In the order in which they must be read, whatever is taken out.
READ = (
    *("agent", "answered", "4 steps", "3 tool calls, 1 failed", ASK, "875000"),
    *('population(city="Lyon")', "522000", "I should look up the population of Lyon"),
    *('population(city="Nise")', "KeyError", 'population(city="Nice")', "353000"),
    "I have both numbers",
)
# nbconvert's own, for formulas and diagrams; the view asks for nothing.
NBCONVERT = ("/mathjax/", "/require.js/", "/mermaid/", "/mermaid@")


def exported(book: Path, *options: str) -> str:
    """Turn a notebook into a page with nbconvert, and give where it is."""
    command = [sys.executable, "-m", "nbconvert", "--to", "html", *options, str(book)]
    env = {**os.environ, "PYTHONPATH": str(REPO)}
    done = subprocess.run(command, env=env, capture_output=True, timeout=120, check=False)  # noqa: S603
    assert not done.returncode, done.stderr.decode()[-2000:]
    return book.with_suffix(".html").resolve().as_uri()


def reads(tab: Tab, within: str) -> None:
    """Check that all of it can be read, in order, with all that folds unfolded."""
    tab.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    text, place = tab.page.locator(within).first.inner_text(), 0
    for part in READ:
        place = text.lower().index(part.lower(), place)
    assert "model not found" not in tab.page.inner_text("body")


def test_exported_and_untrusted(lab: Lab, tab: Tab, browser: Browser) -> None:
    """Run in JupyterLab, saved, and `nbconvert --to html`: all of the card, opened offline.

    And opened as somebody else's notebook, where style and pictures are taken out: the same.
    """
    tab.open(lab, "kept.ipynb", SETUP, WATCHED, LAST_LINE, AFTER)
    tab.run_all()
    static(tab)
    tab.idle()
    tab.save()
    saved = lab.root / "kept.ipynb"
    book = nbformat.read(saved, as_version=4)

    assert "widgets" not in book.metadata
    assert VIEW_MIME not in json.dumps(book)
    reader = Tab(browser)
    reader.page.goto(exported(saved))
    assert reader.page.locator(".agl-card").count() == 2
    reads(reader, ".agl-card")
    assert [url for url in reader.outside if not any(own in url for own in NBCONVERT)] == []
    assert all("Failed to load resource" in error for error in reader.errors), reader.errors
    reader.page.context.close()

    outputs = [output for cell in book.cells for output in cell.outputs]
    write(lab.root / "theirs.ipynb", nbformat.v4.new_code_cell("0", outputs=outputs))
    tab.open(lab, "theirs.ipynb")
    tab.page.wait_for_selector(CARD)
    assert tab.page.locator(".jp-RenderedHTML :is(style, svg, button)").count() == 0
    reads(tab, CARD)


@pytest.mark.slow
def test_executed_and_exported(lab: Lab, browser: Browser) -> None:
    """`nbconvert --execute --to html`: the cards are on the page, offline; no widget is."""
    book = lab.root / "executed.ipynb"
    cells = (SETUP, WATCHED, LAST_LINE, AFTER, "AgentRuntime(forever).start(ASK)")
    write(book, *map(nbformat.v4.new_code_cell, cells))
    tab = Tab(browser)
    tab.page.goto(exported(book, "--execute"))

    assert tab.page.locator(".agl-card").count() == 3
    reads(tab, ".agl-card >> nth=0")
    reads(tab, ".agl-card >> nth=1")
    assert "await al.watch(handle)" in tab.page.inner_text(".agl-card >> nth=2")
    assert "widget" not in tab.page.content().partition("<body")[2]
    assert [url for url in tab.outside if not any(own in url for own in NBCONVERT)] == []
    assert all("Failed to load resource" in error for error in tab.errors), tab.errors
    tab.page.context.close()


def test_short_runs_are_not_torn_from_the_page(lab: Lab, tab: Tab) -> None:
    """However soon they are over, the page has had the time to load what it was given."""
    cells = [
        f"session = await al.watch(al.AgentRuntime(script({rate})).start('{rate}'))"
        for rate in (None, 1500, 750, 500, 300)  # of the 150 tokens there are, in a second
    ]
    tab.open(lab, "short.ipynb", SETUP, *cells, *cells)
    tab.run_all()
    static(tab)

    assert tab.page.locator(".agl-card").count() == 2 * len(cells)
    tab.fine()
