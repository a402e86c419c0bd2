"""What the benchmarks of live views have in common: a real JupyterLab and a real Chromium."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.lab import Lab


def in_browser(work: Callable[[Lab, Browser], None]) -> None:
    """Do some work there, or say why not."""
    try:
        from tests.browser.lab import CHROMIUM, chromium, jupyter_lab
    except ImportError as error:
        print(f"skipped: {error}; it needs the extra `dev`")
        return
    if not shutil.which(CHROMIUM):
        print(f"skipped: no Chromium at {CHROMIUM}: install it, or name it in CHROMIUM")
        return
    with tempfile.TemporaryDirectory() as root, jupyter_lab(Path(root)) as lab, chromium() as page:
        work(lab, page)
