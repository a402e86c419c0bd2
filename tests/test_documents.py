"""What the documents say is so."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

import agentlab as al

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("**/*.ipynb"))
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")
FENCE = re.compile(r"```python\n(.*?)```", re.DOTALL)
SCRIPT = (
    'Thought: t\nAction: population {"city": "Lyon"}',
    'Thought: t\nAction: population {"city": "Nice"}',
    'Thought: t\nAction: calculator {"expression": "522000+353000"}',
    "Thought: t\nAction: FINAL_ANSWER 875000",
)


def test_the_readmes_first_example(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Runs as it stands, and gives what it says; only the model knows its lines."""
    monkeypatch.chdir(tmp_path)
    example = FENCE.findall((ROOT / "README.md").read_text())[0]
    monkeypatch.setattr("agentlab.runtime.as_model", lambda _: al.ScriptedModel(*SCRIPT))
    code = compile(example, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names: dict[str, Any] = {}

    async def cell() -> None:
        result = eval(code, names)  # noqa: S307 - our own README, with its top-level await
        if inspect.isawaitable(result):
            await result

    asyncio.run(cell())
    assert names["session"].final_answer() == "875000"
    assert len(names["session"].to_frame()) == 4
    assert "875000" in (tmp_path / "lyon.html").read_text()


def test_the_readmes_policies() -> None:
    """They do round a model and a tool what is said there."""
    (example,) = (
        block for block in FENCE.findall((ROOT / "README.md").read_text()) if "Guarded" in block
    )

    @al.tool
    def search() -> str:
        """Find nothing, for it is down."""
        raise ConnectionError("down")

    busy = al.ProviderError("busy", status=503, retry_after=0)
    model = al.ScriptedModel(busy, "Thought: t\nAction: search {}", SCRIPT[-1])
    names: dict[str, Any] = {"al": al, "search": search, "model": model}
    exec(example, names)  # noqa: S102 - our own README
    session = names["lab"].run_sync("How many?")

    assert session.final_answer() == "875000"
    assert len(session.warnings) == 1
    assert names["search"].guard.failure_count == 1
    assert names["lab"].settings.backpressure.stats().acquired == 1


def test_the_readmes_memories(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said of them there is so: the hit, the explanation, the prompt."""
    (example,) = (
        block for block in FENCE.findall((ROOT / "README.md").read_text()) if "memory_hits" in block
    )
    model = al.ScriptedModel(SCRIPT[-1])
    monkeypatch.setattr("agentlab.runtime.as_model", lambda _: model)
    code = compile(example, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names: dict[str, Any] = {}
    asyncio.run(eval(code, names))  # noqa: S307 - our own README, with its top-level await

    assert names["session"].memory_hits == 1
    assert "- Ada prefers short answers.\n" in model.requests[0].prompt
    assert model.requests[0].prompt.endswith("\n  chapter: 3\n")
    told = re.search(r"memory\.explain\(\"agent\"\) +# (.+)", example)
    assert told is not None
    assert repr(names["memory"].explain("agent")[0]) == told[1]


def test_the_readmes_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    """A goal is planned for, a task is taken apart, and a workflow is taken, as said there."""
    (example,) = (
        block for block in FENCE.findall((ROOT / "README.md").read_text()) if "al.Planner(" in block
    )
    model = al.ScriptedModel("1. Add them", "875000", "ACHIEVED 0.9", "Lyon has 522000 people.")
    monkeypatch.setattr("agentlab.runtime.as_model", lambda _: model)

    @al.tool(inline=True)
    def population(city: str) -> int:
        """People living in a city."""
        return {"Lyon": 522_000}[city]

    names: dict[str, Any] = {"al": al, "population": population}
    exec(example, names)  # noqa: S102 - our own README

    assert names["session"].result.verification.achieved
    assert [step.tool for step in names["planner"].plan("research")] == ["population"]
    assert model.requests[-1].prompt == "Say in a sentence that Lyon has 522000 people."


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_every_example_is_python(path: Path) -> None:
    """And every name it takes from the front door is there."""
    for block in FENCE.findall(path.read_text()):
        tree = ast.parse(block)
        used = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "al"
        }
        assert used <= set(al.__all__)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: p.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    """Within the project."""
    for target in LINK.findall(path.read_text()):
        assert (path.parent / target).exists(), target


def test_the_architecture_names_every_file() -> None:
    """The table of who owns what names each module of the package, and none that is not there."""
    table = (ROOT / "ARCHITECTURE.md").read_text().partition("## Who owns what")[2]
    named = re.findall(r"`([\w/]+\.(?:py|css))`", table)
    package = ROOT / "agentlab"
    there = {path.relative_to(package).as_posix() for path in package.rglob("*.py")}

    assert len(named) == len(set(named))
    assert {name for name in named if name.endswith(".py")} == {
        name for name in there if not name.endswith("__init__.py")
    }
    assert [name for name in named if not (package / name).exists()] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.name)
def test_notebooks_are_clean(path: Path) -> None:
    """No outputs, no counts, no widget state; a claim asserted; exercises at the end."""
    book = nbformat.read(path, as_version=4)
    code = [cell for cell in book.cells if cell.cell_type == "code"]

    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert "widgets" not in book.metadata
    assert any("assert " in cell.source for cell in code)
    assert book.cells[0].source.startswith("# ")
    assert len(re.findall(r"^\d\. ", book.cells[-1].source, re.MULTILINE)) == 3


@pytest.mark.parametrize(
    "path", sorted((ROOT / "notebooks").glob("**/*.jsonl")), ids=lambda p: p.name
)
def test_recordings_are_whole(path: Path) -> None:
    """Every line is intact, and says which model and which version it came from."""
    from agentlab.models.recorded import Recording

    tape = Recording(path, mode="replay")
    header = json.loads(path.read_text().splitlines()[0])["is"]

    assert len(tape) > 0
    assert tape.damage == []
    assert header["about"]["model"]
