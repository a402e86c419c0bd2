"""The command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import agentlab
from agentlab.__main__ import extras, main
from agentlab.examples import CHECKOUT, examples
from agentlab.models.catalogue import CATALOGUE
from agentlab.runtime import AgentRuntime
from agentlab.store.journal import Journal


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty cache of models."""
    monkeypatch.setenv("AGENTLAB_CACHE", str(tmp_path))
    return tmp_path / "models"


def test_list(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every model of the catalogue, what it is, and how to get it; and what else was fetched."""
    cache.mkdir()
    (cache / "own.gguf").write_bytes(b"GGUF" * 300_000)
    assert main(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert [line.split()[0] for line in lines] == [*CATALOGUE, "own"]
    assert "253 MB  base  Gemma terms" in lines[0]
    assert "(default)" in lines[0]
    assert "agentlab models pull smollm2-135m" in lines[1]
    assert lines[-1].endswith(str(cache / "own.gguf"))


def test_path(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the file is; and what to do where it is not."""
    cache.mkdir()
    (cache / "own.gguf").write_bytes(b"GGUF" * 10)
    assert main(["models", "path", "own"]) == 0
    assert capsys.readouterr().out == f"{cache / 'own.gguf'}\n"

    assert main(["models", "path", "smollm2-135m"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "agentlab models pull smollm2-135m" in told.err


def test_a_name_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """One line that says what it may have meant, and no traceback."""
    assert main(["models", "pull", "smollm2-135"]) == 1
    told = capsys.readouterr().err

    assert "did you mean 'smollm2-135m'?" in told
    assert len(told.splitlines()) == 1


def test_info(capsys: pytest.CaptureFixture[str]) -> None:
    """Versions, and what each extra lacks."""
    assert main(["info"]) == 0
    told = capsys.readouterr().out

    assert told.startswith(f"agentlab {agentlab.__version__}\npython 3.")
    assert extras(["a>=1", 'b[x]~=2 ; extra == "lab"', "c; extra == 'lab'"]) == {
        "": ["a"], "lab": ["b", "c"],
    }  # fmt: skip


def test_a_reader_that_has_heard_enough() -> None:
    """As in ``agentlab info | head -1``: no traceback."""
    code = "import sys; from agentlab.__main__ import main; sys.exit(main(['info']))"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)

    assert (done.returncode, done.stderr) == (0, b"")


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    """As one expects of a command."""
    for words in (["--version"], ["--help"], ["models", "--help"]):
        with pytest.raises(SystemExit) as left:
            main(words)
        assert left.value.code == 0
    assert agentlab.__version__ in capsys.readouterr().out
    with pytest.raises(SystemExit) as left:
        main([])
    assert left.value.code == 2


@pytest.mark.parametrize("name", sorted(examples()))
def test_an_example(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs as it stands, claims included, and tells of it; beside it is the same as a notebook."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)  # no test asks anybody
    assert main(["example", name]) == 0
    assert len(capsys.readouterr().out.splitlines()) >= 3
    assert (CHECKOUT / "examples" / f"{name}.ipynb").exists()


def test_examples_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """A line each; an unknown one is told what it may have meant."""
    assert main(["example"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(examples())
    assert main(["example", "resilient_tol"]) == 1
    assert "did you mean 'resilient_tool'?" in capsys.readouterr().err


def test_a_journal_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a page of its own: each session, then the trace; nothing in it is run or fetched."""
    with Journal(tmp_path / "runs.jsonl") as journal:
        lab = AgentRuntime(lambda _: "Thought: <b>\nAction: FINAL_ANSWER <i>", sinks=[journal])
        lab.run_sync("One?")
        lab.run_sync("Two?")
    assert main(["show", str(tmp_path / "runs.jsonl")]) == 0
    page = Path(capsys.readouterr().out.strip())
    html = page.read_text()

    assert page == tmp_path / "runs.html"
    assert html.startswith("<!doctype html>")
    assert html.count('<span class="agl-kind">session</span>') == 2
    assert "&lt;i&gt;" in html
    assert "<i>" not in html
    assert "<script" not in html

    assert main(["show", str(tmp_path / "none.jsonl")]) == 1
    assert "none.jsonl" in capsys.readouterr().err
    assert main(["show", str(tmp_path / "runs.jsonl"), "-o", str(tmp_path)]) == 1
    assert "cannot write" in capsys.readouterr().err
