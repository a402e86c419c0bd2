"""One server a theme and one browser for all; each test has a tab of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.lab import CHROMIUM, LIGHT, Lab, Tab, chromium, jupyter_lab

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip loudly where there is no browser; in CI there has to be one."""
    if shutil.which(CHROMIUM) or os.environ.get("CI"):
        return
    reason = f"no Chromium at {CHROMIUM}: install it, or name it in CHROMIUM"
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Lab]]:
    """Give the server of a theme, serving a copy of the notebooks."""
    with ExitStack() as running:

        @cache
        def start(theme: str) -> Lab:
            root = tmp_path_factory.mktemp("lab") / "notebooks"
            shutil.copytree(NOTEBOOKS, root)
            return running.enter_context(jupyter_lab(root, theme))

        yield start


@pytest.fixture
def lab(labs: Callable[[str], Lab]) -> Lab:
    """Give a server with the light theme."""
    return labs(LIGHT)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Run the browser."""
    with chromium() as running:
        yield running


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    """Give a tab that must have seen no error at the end."""
    tab = Tab(browser)
    yield tab
    tab.fine()
    tab.page.context.close()
