"""Loops within loops: never by default, and for whoever asks, in a real kernel."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import agentlab
from agentlab.core import nested
from agentlab.core.errors import NotConfigured

ROOT = str(Path(agentlab.__file__).parents[1])
SETUP = """
import asyncio, agentlab as al
lab = al.AgentRuntime(lambda _: "Thought: t\\nAction: FINAL_ANSWER 42")
async def work():
    await asyncio.sleep(.01)
    return (await lab.run("What?")).answer
"""
ASK = "coroutine = work()\nprint(asyncio.run(coroutine))"
REFUSED = f"""
try:
    {ASK.replace(chr(10), chr(10) + "    ")}
except RuntimeError as error:
    coroutine.close()
    print(type(error).__name__, error)
"""
UNTOUCHED = """
import asyncio, asyncio.tasks, asyncio.events
def parts():
    loop = asyncio.BaseEventLoop
    return [asyncio.run, asyncio.Task, asyncio.Future, asyncio.get_event_loop, loop.run_forever,
            loop.run_until_complete, loop._run_once, asyncio.SelectorEventLoop.run_forever]
before = parts()
import agentlab as al
for name in al.__all__:
    getattr(al, name)
al.AgentRuntime(al.ScriptedModel("Thought: t\\nAction: FINAL_ANSWER 42")).run_sync("?")
assert parts() == before
assert not hasattr(asyncio, "_nest_patched")
import sys
assert not {"nest_asyncio", "nest_asyncio2"} & set(sys.modules)
"""


def cells(*sources: str) -> list[str]:
    """Run cells in a kernel of their own, and give what each printed."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in sources])
    client = NotebookClient(
        book, timeout=120, kernel_name="python3", extra_arguments=["--log-level=40"]
    )
    client.execute(env={**os.environ, "PYTHONPATH": ROOT})
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in book.cells]


@pytest.mark.filterwarnings("default")  # of the client, which starts a loop of its own
def test_in_a_kernel() -> None:
    """Before it ``asyncio.run`` in a cell raises; after it a run goes through it, or as ever."""
    _, refused, _, answer, again, awaited, twin = cells(
        SETUP,
        REFUSED,
        "print(al.enable_nested_asyncio())",
        ASK,
        f"al.enable_nested_asyncio()\n{ASK}",
        "print(await work())",
        "print(lab.run_sync('?').answer)",
    )

    assert "RuntimeError asyncio.run() cannot be called from a running event loop" in refused
    assert [answer, again, awaited, twin] == ["42\n"] * 4


@pytest.mark.filterwarnings("default")
def test_a_session_on_the_way_is_not_disturbed() -> None:
    """What runs on the kernel's loop, or on the portal's, goes on while a nested loop runs."""
    *_, told, later = cells(
        f"{SETUP}\nprint(lab.run_sync('?').answer)\nfar = lab.start('?', background=True)",
        "al.enable_nested_asyncio()\nnear = lab.start('?')",
        f"{ASK}\nprint((await near).answer, (await far).answer, near.done())",
        "print(lab.start('?', background=True).result(10).answer)",
    )

    assert told == "42\n42 42 True\n"
    assert later == "42\n"


def test_it_is_never_by_default() -> None:
    """All of the front door can be opened, and a run driven, and nothing of asyncio is changed."""
    env = {**os.environ, "PYTHONPATH": ROOT}
    subprocess.run([sys.executable, "-c", UNTOUCHED], check=True, env=env)  # noqa: S603 - our own


class Double(ModuleType):
    """Stands in for one of the two packages, and counts how often it is applied."""

    calls = 0

    def apply(self) -> None:
        self.calls += 1


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put doubles of both, or of one, or none, in their place."""

    def put(*names: str) -> list[Double]:
        doubles = {name: Double(name) if name in names else None for name in (GOOD, OLD)}
        for name, double in doubles.items():
            monkeypatch.setitem(sys.modules, name, double)
        return [double for double in doubles.values() if double]

    return put


GOOD, OLD = nested.GOOD, nested.OLD


def test_the_better_one_is_taken(packages: Any) -> None:
    """Where both are there, and without a word."""
    good, old = packages(GOOD, OLD)
    nested.enable_nested_asyncio()

    assert (good.calls, old.calls) == (1, 0)


def test_the_forerunner_warns(packages: Any) -> None:
    """That clicks are lost, and what to install."""
    (old,) = packages(OLD)
    with pytest.warns(RuntimeWarning, match="is lost .* Install nest-asyncio2") as caught:
        nested.enable_nested_asyncio()

    assert old.calls == 1
    assert caught[0].filename == __file__


def test_neither_is_there(packages: Any) -> None:
    """The error says how to get one."""
    packages()
    with pytest.raises(NotConfigured, match=r"agentlab-notebook\[lab\]"):
        nested.enable_nested_asyncio()


def test_somebody_was_there_before(packages: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the forerunner: two patches do not go together, so it stays, and one is warned."""
    good, old = packages(GOOD, OLD)
    monkeypatch.setattr(asyncio, "_nest_patched", True, raising=False)
    with pytest.warns(RuntimeWarning, match="is lost"):
        nested.enable_nested_asyncio()
    assert (good.calls, old.calls) == (0, 1)

    monkeypatch.setattr(asyncio, "_nest_asyncio2", object(), raising=False)
    nested.enable_nested_asyncio()
    assert (good.calls, old.calls) == (1, 1)


def test_a_loop_that_cannot_be_nested(packages: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is named before anything is patched."""
    (good,) = packages(GOOD)
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: "another kind of loop")
    with pytest.raises(NotConfigured, match=r"builtins\.str runs here"):
        nested.enable_nested_asyncio()

    assert good.calls == 0
