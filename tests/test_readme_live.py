"""The README's first example, with the real model."""

from __future__ import annotations

import ast
import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.local


def test_the_readmes_first_example(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Gives the right sum, by two look-ups and an addition."""
    monkeypatch.chdir(tmp_path)
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    (example, *_) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    code = compile(example, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names: dict[str, Any] = {}

    async def cell() -> None:
        await eval(code, names)  # noqa: S307 - our own README, with its top-level await

    asyncio.run(cell())
    session = names["session"]
    assert session.final_answer() == "875000"
    assert [step.tool for step in session.tool_calls()] == ["population"] * 2 + ["calculator"]
