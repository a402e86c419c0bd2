"""The same script, wherever it is run: no host is asked to be another."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from agentlab.core.errors import WrongThread
from agentlab.core.sync import run_sync

SCRIPT = """
import agentlab as al
said = ('Action: calculator {"expression": "6*7"}', "Action: FINAL_ANSWER 42")
lab = al.AgentRuntime(lambda context: said["Observation" in context], tools=[al.calculator])
answers = [lab.run_sync("Six times seven?").final_answer() for _ in range(2)]
handle = lab.start("And again?", background=True)
answers.append(handle.result(30).final_answer())
print(*answers)
"""
SAID = "42 42 42"
AWAITED = """
answers = [(await lab.run("Six times seven?")).final_answer(), (await handle).final_answer()]
answers.append((await al.watch(lab.start("And again?"))).final_answer())
print(*answers)
"""
ENV = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}


def told_by(*command: str, **env: str) -> str:
    """Run a command with a Python of its own, and give what it printed last."""
    done = subprocess.run(  # noqa: S603 - our own
        [sys.executable, *command], env={**ENV, **env}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert not done.returncode, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_a_plain_file(tmp_path: Path) -> None:
    """``python script.py``."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    assert told_by(str(script)) == SAID


def test_ipython(tmp_path: Path) -> None:
    """As a file, and with ``await`` where one types."""
    script = tmp_path / "script.ipy"
    script.write_text(SCRIPT + AWAITED)
    assert told_by("-m", "IPython", str(script), IPYTHONDIR=str(tmp_path)) == SAID


@pytest.mark.filterwarnings("default")  # of other libraries
def test_a_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a notebook, where a loop runs already: blocking, and awaited."""
    nbclient = pytest.importorskip("nbclient")
    monkeypatch.setenv("PYTHONPATH", ENV["PYTHONPATH"])
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    cells = [nbformat.v4.new_code_cell(code) for code in (SCRIPT, AWAITED)]
    book = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(book, timeout=60, kernel_name="python3").execute(cwd=str(tmp_path))
    printed = [o.text for cell in book.cells for o in cell.outputs if o.output_type == "stream"]

    assert printed == [f"{SAID}\n"] * 2


def test_here(capsys: pytest.CaptureFixture[str]) -> None:
    """In a test."""
    exec(SCRIPT, {})  # noqa: S102 - our own
    assert capsys.readouterr().out == f"{SAID}\n"


def test_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    """Its loop runs all the time: handlers of both kinds, many at once, and a blocking call in it.

    As web frameworks do it, the plain ones are called in threads, the async ones awaited.
    """

    def plain() -> None:
        exec(SCRIPT, {})  # noqa: S102 - our own

    async def careless() -> None:
        plain()  # blocks the loop, and comes to an end

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(None, plain) for _ in range(3)), careless())

    asyncio.run(serve())
    assert capsys.readouterr().out == f"{SAID}\n" * 4


@pytest.mark.parametrize(
    ("code", "remedy"),
    [(SCRIPT, "await 'run' instead"), ("lab.start('?').result()", "await the handle")],
)
def test_the_portal_itself(code: str, remedy: str) -> None:
    """Whoever runs there would wait for himself, and is told what to do, at once."""

    async def inner() -> None:
        import agentlab

        lab = agentlab.AgentRuntime(agentlab.ScriptedModel("Action: FINAL_ANSWER 42"))
        exec(code, {"lab": lab})  # noqa: S102 - our own

    with pytest.raises(WrongThread, match=remedy):
        run_sync(inner)


BARE = """
import asyncio, sys, threading
for name in ("IPython", "ipykernel", "ipywidgets", "anywidget", "nest_asyncio", "nest_asyncio2"):
    sys.modules[name] = None  # as where it is not installed

def patched():
    kinds = asyncio, asyncio.events, asyncio.base_events.BaseEventLoop, asyncio.Task, asyncio.Future
    return [{name: id(f) for name, f in vars(kind).items() if callable(f)} for kind in kinds]

before = patched()
import agentlab
assert threading.active_count() == 1
assert patched() == before
"""
AFTER = """
assert {each.name for each in threading.enumerate()} <= {
    "MainThread", "agentlab-portal", "agentlab-worker"}
assert patched() == before
assert asyncio.run(lab.run("Six times seven?")).final_answer() == "42"
async def watched():
    return await al.watch(lab.start("Six times seven?"))
assert asyncio.run(watched()).final_answer() == "42"
print("fine")
"""


def test_without_jupyter(tmp_path: Path) -> None:
    """And without node: importing makes no thread, and patches nothing; running neither."""
    script = tmp_path / "bare.py"
    script.write_text(BARE + SCRIPT + AFTER)
    assert told_by(str(script), PATH=str(tmp_path)) == "fine"
