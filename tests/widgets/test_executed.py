"""A notebook that nobody looks at while it runs: what it holds then, and what its page shows."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import pytest

nbclient = pytest.importorskip("nbclient")
SETUP = """
import asyncio
import agentlab as al
LAST = "Thought: as one does\\nAction: FINAL_ANSWER forty-two"
def start(): return al.AgentRuntime(al.ScriptedModel(LAST, tokens_per_s=20)).start("How many?")
"""
CELLS = (
    SETUP,
    "session = await al.watch(start())",
    "handle = start()\nhandle",
    "while not handle.done(): await asyncio.sleep(.05)\nawait asyncio.sleep(.05)",
    "start()",
    "view = al.RuntimeMetrics().explore()\nview",
    "al.StreamingSession.of(session).explore().close()",
)


@pytest.mark.filterwarnings("default")  # of other libraries
def test_executed_by_itself(tmp_path: Path) -> None:
    """`nbconvert --execute`: no widget and no state of one is saved, and cards are.

    That of a run which its cell did not wait for as well, if there was time for it; if there was
    not, what is there says so.
    """
    cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    book = nbformat.v4.new_notebook(cells=cells)
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "IPYTHONDIR": str(tmp_path)}
    client = nbclient.NotebookClient(book, timeout=60, kernel_name="python3")
    client.execute(env=env, cwd=str(tmp_path))
    shown = [[o["data"] for o in cell.outputs if "data" in o] for cell in book.cells]

    assert "widgets" not in book.metadata
    assert [len(outputs) for outputs in shown] == [0, 1, 1, 0, 1, 1, 1]
    watched, last_line, too_late, *explored = (outputs[0] for outputs in shown if outputs)
    for data in (watched, last_line, too_late, *explored):
        assert set(data) == {"text/plain", "text/html"}
    for data in (watched, last_line):
        assert data["text/plain"] == "<AgentSession 'agent' final_answer, 1 step>"
        assert "forty-two" in data["text/html"]
    assert "await al.watch(handle)" in too_late["text/html"]
    assert not re.search(r"widget-(view|state)", nbformat.writes(book))
