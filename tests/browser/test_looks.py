"""Every view in every state in a real browser, in hosts we know and in one we do not."""

from __future__ import annotations

import re
import sys
from html import escape
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page

from tests.display.things import everything, states

pytestmark = pytest.mark.browser

SCRIPTS = Path(__file__).parent
STYLES, OVERFLOW, CONTRAST = (
    (SCRIPTS / f"{name}.js").read_text() for name in ("styles", "overflow", "contrast")
)
THEMES = Path(sys.prefix) / "share/jupyter/lab/themes/@jupyterlab"
LONG = {f"long {name}": thing for name, thing in everything("W" * 300).items()}
SHOWN = {name: thing.to_html() for name, thing in {**states(), **LONG}.items()}
HOSTS = ("light", "dark", "white", "black")
PLAIN = "<h4>a</h4><table><tr><td>b</td></tr></table><ul><li>c</li></ul><pre>d</pre><code>e</code>"
LOOKS = """() => [...document.querySelectorAll('#plain *')].map(e => {
    const style = getComputedStyle(e);
    return [...style].map(name => style[name]).join();
})"""


def body(host: str) -> str:
    """Give the tag of a page of JupyterLab's light or dark theme, or of who knows what."""
    if host in ("white", "black"):
        ink = {"white": "black", "black": "white"}[host]
        return f'<body style="background:{host};color:{ink}">'
    theme = (THEMES / f"theme-{host}-extension/index.css").read_text()
    known = dict(re.findall(r"(--(?:jp|md)-[\w-]+):\s*([^;{}]+)[;}]", theme))
    style = "".join(f"{name}:{' '.join(value.split())};" for name, value in known.items())
    style += "background:var(--jp-layout-color0);color:var(--jp-content-font-color1)"
    return f'<body data-jp-theme-light="{str(host == "light").lower()}" style="{escape(style)}">'


@pytest.fixture(scope="module")
def blank(browser: Browser) -> Page:
    """Give a tab."""
    return browser.new_page()


def show(page: Page, host: str, html: str, width: int = 900) -> None:
    """Show ``html`` with all that folds unfolded."""
    page.set_viewport_size({"width": width, "height": 800})
    page.set_content(f"<!doctype html>{body(host)}{html}</body>")
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")


@pytest.mark.parametrize("host", HOSTS)
def test_all_text_can_be_read(blank: Page, host: str) -> None:
    """It stands out by 4.5 to 1, in light and in dark, also where the host is not known."""
    show(blank, host, "".join(SHOWN.values()))

    assert blank.locator(".agl-card").count() >= len(SHOWN)
    assert blank.evaluate(CONTRAST) == []


@pytest.mark.parametrize("name", SHOWN)
def test_nothing_leaves_a_narrow_card(blank: Page, name: str) -> None:
    """At 400 pixels, all unfolded: what is wider scrolls in a box of its own."""
    show(blank, "light", SHOWN[name], width=400)

    assert blank.evaluate(OVERFLOW) == []
    assert blank.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize("host", HOSTS)
def test_the_rest_of_the_page_is_as_it_was(blank: Page, host: str) -> None:
    """A pandas frame, a plain heading, table, list and code: their computed styles are as ever."""
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}).to_html()
    others, looks = f'<div id="plain">{PLAIN}</div>{frame}', []
    for ours in ("", SHOWN["many steps"]):
        show(blank, host, ours + others)
        looks.append((blank.evaluate(LOOKS), blank.evaluate(STYLES)))

    assert looks[0] == looks[1]


def test_numbers_line_up(blank: Page) -> None:
    """In a long list, whatever their number of digits: results begin at one place."""
    show(blank, "light", SHOWN["many steps"])
    lefts = "els => [...new Set(els.map(e => Math.round(e.getBoundingClientRect().left)))]"
    rights = "els => [...new Set(els.map(e => Math.round(e.getBoundingClientRect().right)))]"

    assert len(blank.locator(".agl-line1").evaluate_all(lefts)) == 1
    assert len(blank.locator(".agl-bar").evaluate_all(rights)) == 1
