"""Whatever stands for a model, and the names that do."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agentlab.core.errors import InvalidValue, NotConfigured
from agentlab.core.protocols import Chunk, Request
from agentlab.models.function import FunctionModel
from agentlab.models.local import LocalModel
from agentlab.models.naming import as_model
from agentlab.models.recorded import RecordedModel
from agentlab.models.scripted import ScriptedModel


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty cache."""
    monkeypatch.setenv("AGENTLAB_CACHE", str(tmp_path))
    return tmp_path / "models"


class AsPath:
    """A path by its protocol alone; what it prints is another thing."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __fspath__(self) -> str:
        """Give the path."""
        return self.path


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("local", "gemma3-270m"),
        ("local:gemma3-270m", "gemma3-270m"),
        ("local:smollm2-135m", "smollm2-135m"),
        ("local:/m/own.gguf", "own"),
        ("local:https://example.org/own.gguf", "https://example.org/own.gguf"),
        ("local:hf:o/r/own.gguf", "hf:o/r/own.gguf"),
        ("/m/own.gguf", "own"),
        ("own.gguf", "own"),
        (Path("/m/own.gguf"), "own"),
        (AsPath("/m/own.gguf"), "own"),
        ("https://example.org/own.gguf", "https://example.org/own.gguf"),
        ("hf:o/r/own.gguf", "hf:o/r/own.gguf"),
    ],
)
def test_names_of_local_models(given: Any, name: str) -> None:
    """Each is a model inside the process, and nothing of it is loaded."""
    model = as_model(given)

    assert isinstance(model, LocalModel)
    assert model.name == name


def test_a_model_that_was_fetched(cache: Path) -> None:
    """It goes by the name that it has in the cache."""
    cache.mkdir()
    (cache / "tiny.1234abcd.gguf").write_bytes(b"GGUF")
    model = as_model("local:tiny.1234abcd")

    assert isinstance(model, LocalModel)
    assert (model.name, model.size) == ("tiny.1234abcd", 4)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, "pass model=: 'local', 'local:<name>' (see agentlab models list), the path of"),
        ("loca", "no model is called 'loca' (did you mean 'local'?): 'local', 'local:<name>'"),
        ("gpt-9", "no model is called 'gpt-9': 'local', 'local:<name>' (see agentlab models list)"),
        ("", "no model is called '': 'local'"),
        ("Local:", "no model is called 'Local:' (did you mean 'local'?)"),
        ("local:", "no local model is called ''; known are gemma3-270m, smollm2-135m"),
        ("local:gemma", "no local model is called 'gemma'; known are gemma3-270m"),
        ("local:smollm-135m", "called 'smollm-135m' (did you mean 'smollm2-135m'?); known are"),
        (Path("own.bin"), "no model is called 'own.bin': "),
    ],
)
def test_names_that_are_none(given: Any, told: str) -> None:
    """The error says what would do, and what is near."""
    with pytest.raises(NotConfigured) as caught:
        as_model(given)

    assert caught.value.what == "model"
    assert told in str(caught.value)


@pytest.mark.parametrize("given", [3, 0, b"local", [], {}, object()])
def test_what_cannot_answer(given: Any) -> None:
    """It is shown, with what it would need."""
    with pytest.raises(InvalidValue, match=r" is not a model: it has no 'stream', 'complete' or"):
        as_model(given)


def test_a_class_is_no_model_yet() -> None:
    """Whoever forgot the parentheses is told so."""
    with pytest.raises(InvalidValue, match=r"is a class: .* ScriptedModel\(…\)"):
        as_model(ScriptedModel)


def test_models_are_left_as_they_are(tmp_path: Path) -> None:
    """Whatever has ``stream`` is one, even if it could also be called."""
    several = (
        LocalModel(),
        ScriptedModel("a"),
        FunctionModel(str),
        RecordedModel(None, tmp_path / "tape.jsonl"),
        SimpleNamespace(stream=None, complete=None),
    )

    for model in several:
        assert as_model(model) is model


class Everything:
    """What has several forms, the one more telling than the other."""

    async def infer_stream(self, prompt: str) -> AsyncIterator[str]:
        """Answer in pieces."""
        yield f"inferred {prompt}"

    def complete(self, prompt: str, model: str) -> str:
        """Answer."""
        return f"completed {prompt} by {model}"

    def __call__(self, context: str) -> str:
        """Answer."""
        return f"called with {context}"


class Completing:
    """A provider that blocks."""

    def complete(self, prompt: str, model: str) -> str:
        """Answer."""
        return f"completed {prompt} by {model}"


class Calling:
    """An object that can be called."""

    async def __call__(self, context: str) -> str:
        """Answer."""
        return f"called with {context}"


def joined(one: str, other: str) -> str:
    """Join."""
    return one + other


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (Everything(), "inferred p"),
        (Completing(), "completed p by m"),
        (Calling(), "called with p"),
        (partial(joined, "with "), "with p"),
        (str.upper, "P"),
    ],
)
def test_whatever_answers(given: Any, text: str) -> None:
    """It is asked in its own form."""

    async def play() -> list[Chunk]:
        return [chunk async for chunk in as_model(given).stream(Request("p", model="m"))]

    assert "".join(chunk.text for chunk in asyncio.run(play())) == text


def test_a_name_loads_nothing() -> None:
    """Neither the engine nor anything that it needs, and no thread is started."""
    code = (
        "import sys, threading; from agentlab.models.naming import as_model\n"
        "model = as_model('local'); text = repr(model), model.kind, model.profile\n"
        "print(text, 'xllamacpp' in sys.modules, 'httpx' in sys.modules, threading.active_count())"
    )
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    shown = "\"LocalModel('gemma3-270m', 253 MB)\", 'base', 'base'"
    assert done.stdout == f"({shown}) False False 1\n"
    assert done.stderr == ""
