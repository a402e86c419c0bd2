"""The demo, with the real model."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest

from agentlab.demo import demo, errors
from agentlab.examples import CHECKOUT


def test_what_failed_is_told() -> None:
    """In one line a cell."""
    failed = nbformat.v4.new_output("error", ename="AssertionError", evalue="no", traceback=[])
    cells = [nbformat.v4.new_code_cell("1"), nbformat.v4.new_code_cell("2", outputs=[failed])]

    assert errors(nbformat.v4.new_notebook(cells=cells)) == ["AssertionError: no"]


@pytest.mark.local
def test_the_demo(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Tells of the loading, of the steps, of the answer, and where the page is; asks nobody."""
    before = dict(os.environ)
    page = demo(tmp_path / "demo")
    told, html = capfd.readouterr(), page.read_text()

    assert "loading gemma3-270m" in told.err
    assert '1. population {"city":"Lyon"}' in told.out
    assert "answer: 875000" in told.out
    assert "failed" not in told.out
    assert str(page) in told.out
    assert html.count('<div class="agl-card">') >= 4
    assert "INFO agentlab" not in html
    assert 'src="http' not in html
    assert 'src=""' not in html
    assert dict(os.environ) == before
    assert not list(CHECKOUT.glob("**/.agentlab"))
