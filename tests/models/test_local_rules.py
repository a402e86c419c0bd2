"""What the embedded model does round its engine, seen with an engine that only plays a part."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core.errors import (
    InternalError,
    InvalidValue,
    NotConfigured,
    PersistenceError,
    ProviderError,
)
from agentlab.core.protocols import Chunk, Request, Usage
from agentlab.models.engine import ENGINES
from agentlab.models.local import Ear, LocalModel, refused
from agentlab.models.question import LONGEST, PORTION, Question, portions

LAST = {"choices": [{"text": "", "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}  # fmt: skip


def piece(text: str, *logprobs: float) -> dict[str, Any]:
    """Give a piece as the engine would, with what each of its tokens was worth."""
    tokens = [
        {"token": text, "logprob": each, "top_logprobs": [
            {"token": text, "logprob": each}, {"token": "x", "logprob": -9.0},
        ]}
        for each in logprobs
    ]  # fmt: skip
    return {"choices": [{"text": text, "logprobs": {"content": tokens}, "finish_reason": None}]}


class Played:
    """Stands in for the engine's module: what is said is set, what is asked is kept."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = [piece("a", -1.0), piece("b", -0.5), LAST]
        self.asked: list[dict[str, Any]] = []
        self.loaded: list[Any] = []
        self.threads: set[str] = set()
        self.policy: list[str | None] = []
        self.failure: Exception | None = None
        self.told = 0
        self.between: Callable[[], object] = lambda: None
        self.common_reasoning_format = SimpleNamespace(COMMON_REASONING_FORMAT_NONE=0)

    def CommonParams(self) -> Any:  # noqa: N802 - the engine's own name
        """Give settings to fill in."""
        return SimpleNamespace(
            model=SimpleNamespace(), cpuparams=SimpleNamespace(), cpuparams_batch=SimpleNamespace()
        )

    def Server(self, params: Any) -> Any:  # noqa: N802 - the engine's own name
        """Load."""
        if self.failure:
            raise self.failure
        self.loaded.append(params)
        return SimpleNamespace(handle_completions=self.answer, handle_chat_completions=self.answer)

    def answer(self, body: dict[str, Any], heard: Callable[[Any], object]) -> None:
        """Say what is set, until nobody listens; as the engine does, on the thread that asks."""
        self.threads.add(threading.current_thread().name)
        self.asked.append(body)
        if body.get("max_tokens") in (0, 1):
            heard(LAST)
            return
        if self.failure:
            raise self.failure
        for each in self.said:
            self.told += 1
            if heard(each):
                return
            self.between()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    """Put it in the place of the real one, and unload what was loaded."""
    played = Played()
    monkeypatch.setitem(sys.modules, "xllamacpp", played)
    yield played
    ENGINES.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a file that begins as a model does."""
    path = tmp_path / "own.gguf"
    path.write_bytes(b"GGUF and so on")
    return path


def ask(model: LocalModel, request: Request | None = None) -> list[Chunk]:
    """Ask and collect."""

    async def play() -> list[Chunk]:
        return [chunk async for chunk in model.stream(request or Request("p"))]

    return asyncio.run(play())


def test_an_answer(engine: Played, path: Path) -> None:
    """It comes in pieces, each with its worth; the last one has the count of tokens."""
    assert ask(LocalModel(path)) == [
        Chunk("a", -1.0, {"a": -1.0, "x": -9.0}),
        Chunk("b", -0.5, {"b": -0.5, "x": -9.0}),
        Chunk("", is_final=True, usage=Usage(5, 2)),
    ]
    assert engine.threads == {"agentlab-engine"}


@pytest.mark.parametrize(
    ("settings", "given", "expected"),
    [
        ({}, {}, {"temperature": 0.0, "max_tokens": 512, "seed": -1, "n_probs": 5}),
        ({"seed": 3, "temperature": 1.0}, {}, {"seed": 3, "temperature": 1.0}),
        ({"seed": 3, "max_tokens": 9}, {"seed": 4, "max_tokens": 8}, {"seed": 4, "max_tokens": 8}),
        ({"seed": 3}, {"seed": None}, {"seed": -1}),
        ({}, {"seed": 2**32 - 1}, {"seed": 0}),
        ({}, {"seed": -1}, {"seed": 2**32 - 2}),
        ({}, {"temperature": 0.5}, {"temperature": 0.5}),
        ({"logprobs": 0}, {}, {"n_probs": 0}),
        ({}, {"grammar": "g", "top_k": 3}, {"grammar": "g", "top_k": 3}),
        ({}, {"stream": False, "n_predict": 3, "prompt": "x"}, {"stream": True, "prompt": "p"}),
    ],
)
def test_options(
    engine: Played, path: Path, settings: Any, given: Any, expected: dict[str, Any]
) -> None:
    """The request goes before the model's settings; what is unknown is not passed on."""
    ask(LocalModel(path, **settings), Request("p", stop=("\n", "END"), options=given))
    body = engine.asked[-1]

    assert {name: body[name] for name in expected} == expected
    assert body["stop"] == ["\n", "END"]
    assert body["stream_options"] == {"include_usage": True}
    assert "n_predict" not in body


def test_base_and_chat(engine: Played, path: Path) -> None:
    """One goes on with the text; the other is given messages, and no empty system text."""
    ask(LocalModel(path, kind="base"), Request("p\ud800", system="s"))
    assert engine.asked[-1]["prompt"] == "s\n\np\ufffd"
    ask(LocalModel(path, kind="chat"), Request("p", system="s"))
    assert engine.asked[-1]["messages"] == [
        {"role": "system", "content": "s"}, {"role": "user", "content": "p"},
    ]  # fmt: skip
    ask(LocalModel(path, kind="chat"))
    assert engine.asked[-1]["messages"] == [{"role": "user", "content": "p"}]


def test_one_load_a_process(engine: Played, path: Path) -> None:
    """Each file is loaded once for each way of loading it, by however many models."""
    for _ in range(2):
        ask(LocalModel(path))
        ask(LocalModel(str(path), temperature=1.0))
        ask(LocalModel(path, n_ctx=128, threads=1))

    assert [params.n_ctx for params in engine.loaded] == [4096, 128]
    assert engine.loaded[0].model.path == str(path)
    assert all(params.n_parallel == 1 and params.verbosity == -1 for params in engine.loaded)
    assert len({params.api_keys[0] for params in engine.loaded}) == 2
    LocalModel(path).unload()
    LocalModel(path).unload()
    ask(LocalModel(path))
    assert len(engine.loaded) == 3


def test_the_environment_is_left_alone(
    engine: Played, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How the engine's threads wait is said while it is loaded in, and not to other libraries."""
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    LocalModel(path).load_sync()

    assert "OMP_WAIT_POLICY" not in os.environ
    assert len(engine.loaded) == 1


def test_leaving_stops_the_engine(engine: Played, path: Path) -> None:
    """At the next piece, and the next question is answered."""
    engine.said = [*[piece("a", -1.0)] * 1000, LAST]
    turn = threading.Event()
    engine.between = lambda: turn.wait(5)  # says the second when the first was heard
    model = LocalModel(path)

    async def play() -> None:
        stream: Any = model.stream(Request("p"))
        await anext(stream)
        await stream.aclose()
        turn.set()

    asyncio.run(play())
    engine.between = lambda: None
    engine.said = [piece("b", -1.0), LAST]

    assert [chunk.text for chunk in ask(model)] == ["b", ""]
    assert 1 + 2 <= engine.told <= 2 + 2  # it may know before it has said the second


def test_a_loop_that_ends_stops_the_engine(engine: Played, path: Path) -> None:
    """What it says to a loop that is closed is no error, and not said on."""
    engine.said = [*[piece("a", -1.0)] * 1000, LAST]
    turn = threading.Event()
    engine.between = lambda: turn.wait(5)
    model = LocalModel(path)
    kept: list[AsyncIterator[Chunk]] = []
    loop = asyncio.new_event_loop()
    kept.append(model.stream(Request("p")))
    loop.run_until_complete(anext(kept[0]))
    loop.close()
    turn.set()
    engine.between = lambda: None
    engine.said = [piece("b", -1.0), LAST]

    assert [chunk.text for chunk in ask(model)] == ["b", ""]
    assert engine.told == 2 + 2


def test_unloading_in_the_middle(engine: Played, path: Path) -> None:
    """Whoever listens is told, and the next question loads it anew."""
    engine.said = [*[piece("a", -1.0)] * 1000, LAST]
    model = LocalModel(path)
    turn = threading.Event()
    engine.between = lambda: turn.wait(5)

    async def play() -> None:
        async for _ in model.stream(Request("p")):
            threading.Timer(0.1, turn.set).start()
            await asyncio.to_thread(model.unload)

    with pytest.raises(ProviderError, match="own was unloaded in the middle of an answer"):
        asyncio.run(play())
    assert engine.told <= 3
    engine.said = [piece("b", -1.0), LAST]
    assert [chunk.text for chunk in ask(model)] == ["b", ""]
    assert len(engine.loaded) == 2


def test_a_failing_engine(engine: Played, path: Path) -> None:
    """Its own failure is a bug of ours to whoever asked, and not the end of the thread."""
    model = LocalModel(path)
    model.load_sync()
    engine.failure = RuntimeError("out of memory")
    with pytest.raises(InternalError, match="the engine failed: out of memory"):
        ask(model)
    engine.failure = None

    assert [chunk.text for chunk in ask(model)] == ["a", "b", ""]
    assert len(engine.loaded) == 1


def test_a_file_that_cannot_be_loaded(engine: Played, path: Path) -> None:
    """The error says which file, and the next question tries again."""
    model = LocalModel(path)
    engine.failure = RuntimeError("bad tensor")
    with pytest.raises(ProviderError, match=rf"cannot load {path} \(bad tensor\): the file may be"):
        ask(model)
    engine.failure = None

    assert [chunk.text for chunk in ask(model)] == ["a", "b", ""]


@pytest.mark.parametrize("data", [b"", b"PK", b"<html>"])
def test_a_file_that_is_no_model(engine: Played, path: Path, data: bytes) -> None:
    """The engine never sees it."""
    path.write_bytes(data)
    with pytest.raises(PersistenceError, match=r"own\.gguf is not a GGUF file"):
        ask(LocalModel(path))
    path.unlink()
    with pytest.raises(NotConfigured, match="there is no file"):
        LocalModel(path).load_sync()

    assert engine.loaded == []


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """The error says how to get it."""
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(NotConfigured) as caught:
        ask(LocalModel(path))

    assert caught.value.what == "local"
    assert "pip install 'agentlab-notebook[local]'" in str(caught.value)


def test_loading_is_told(engine: Played, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Once, on the logger of the package."""
    caplog.set_level(logging.INFO, "agentlab.models")
    ask(LocalModel(path))
    ask(LocalModel(path))

    told = [record.getMessage() for record in caplog.records]
    assert told[0] == "loading own (0 MB) …"
    assert told[1].startswith("own is ready in ")
    assert len(told) == 2
    assert len(engine.loaded) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"n_ctx": 63}, {"max_tokens": 0}, {"threads": -1}, {"threads": 0}, {"logprobs": -1},
        {"n_ctx": "big"}, {"n_ctx": 99.5}, {"max_tokens": None}, {"threads": True},
    ],
)  # fmt: skip
def test_settings_that_can_never_be_right(settings: Any) -> None:
    """The error names them."""
    ((name, given),) = settings.items()
    with pytest.raises(InvalidValue, match=rf"{name} must be >= \d+, got {given!r}"):
        LocalModel(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"n_ctx": 2**31}, {"threads": 10**12}, {"logprobs": 2**31}, {"temperature": -0.1},
        {"temperature": float("nan")}, {"temperature": float("inf")},
        {"temperature": "hot"}, {"seed": "x"}, {"seed": 1.5}, {"kind": "instruct"},
    ],
)  # fmt: skip
def test_other_settings_that_can_never_be_right(settings: Any) -> None:
    """They are refused where they are given, not by the engine at the first question."""
    ((name, given),) = settings.items()
    with pytest.raises(InvalidValue, match=rf"{name} must be .*, got {given!r}"):
        LocalModel(**settings)


def test_numbers_of_numpy(engine: Played, path: Path) -> None:
    """A sweep gives them; the engine is told plain ones."""
    seed: Any = np.int64(3)
    ask(LocalModel(path, seed=seed, temperature=np.float64(0.5)))

    assert {type(engine.asked[-1][name]) for name in ("seed", "temperature")} == {int, float}


def test_what_it_shows(path: Path) -> None:
    """Its name and its size, as far as they are known."""
    assert repr(LocalModel()) == "LocalModel('gemma3-270m', 253 MB)"
    assert repr(LocalModel(path)) == "LocalModel('own', 0 MB)"
    assert repr(LocalModel("/nowhere/x.gguf")) == "LocalModel('x')"
    assert LocalModel.load_sync.__doc__ == LocalModel.load.__doc__


def test_the_worth_of_what_is_held_back() -> None:
    """It is added to the next text, so that nothing is lost; what was cut off is not told."""
    ear = Ear(5, 100)

    assert ear.hear(piece("", -1.0)) is None
    assert ear.hear(piece("", -0.5)) is None
    assert ear.hear(piece("ab", -0.25)) == Chunk("ab", -1.75)  # of several tokens
    assert ear.hear(piece("c", -1.0, -2.0)) == Chunk("c", -3.0, None)
    assert ear.hear(piece("", -7.0)) is None
    assert ear.hear(LAST) == Chunk("", is_final=True, usage=Usage(5, 2))
    assert ear.ended


def test_the_end_of_an_answer_is_no_part_of_it() -> None:
    """What was held back is worth what it was worth, not what the end was that brought it."""
    ear = Ear(2, 100)
    held = {"token": "", "id": 107, "logprob": -0.13, "top_logprobs": [
        {"token": "\n", "id": 107, "logprob": -0.13}, {"token": " ", "id": 1, "logprob": -2.0},
    ]}  # fmt: skip
    end = {"token": "\n", "id": 1, "logprob": -13.65, "top_logprobs": []}
    going_on = {"token": "\nand", "id": 9, "logprob": -0.5, "top_logprobs": []}

    def heard(text: str, token: dict[str, Any]) -> Chunk | None:
        return ear.hear({"choices": [{"text": text, "logprobs": {"content": [token]}}]})

    assert heard("", held) is None
    assert heard("\n", end) == Chunk("\n", -0.13, {"\n": -0.13, " ": -2.0})
    assert heard("", held) is None
    assert heard("\nand", going_on) == Chunk("\nand", -0.63)


@pytest.mark.parametrize("worth", [0.1, 0.0, float("-inf"), float("nan")])
def test_odd_worths(worth: float) -> None:
    """A worth is never above 0, and finite or not told."""
    chunk = Ear(5, 100).hear(piece("a", worth))

    assert chunk is not None
    assert chunk.logprob in (0.0, None)
    assert all(each <= 0 or each == worth for each in (chunk.top or {}).values())


def test_no_worths_where_none_were_asked_for() -> None:
    """Then the engine says none, or says them in vain."""
    assert Ear(0, 100).hear(piece("a", -1.0)) == Chunk("a")
    assert Ear(5, 100).hear({"choices": [{"text": "a", "logprobs": None}]}) == Chunk("a")


def test_a_chat_model_says_it_elsewhere() -> None:
    """In a message, the first of which is empty."""
    first = {"choices": [{"delta": {"role": "assistant", "content": None}}]}
    then = {"choices": [{"delta": {"content": "a"}}]}

    assert [Ear(0, 100).hear(each) for each in (first, then)] == [None, Chunk("a")]


@pytest.mark.parametrize(
    ("finish", "total", "warns"),
    [("length", 100, True), ("length", 99, False), ("stop", 100, False)],
)
def test_the_end_of_the_context(finish: str, total: int, warns: bool) -> None:  # noqa: FBT001
    """An answer that it cuts says so; one cut by its own limit does not."""
    usage = {"prompt_tokens": 1, "completion_tokens": total - 1, "total_tokens": total}
    last = Ear(0, 100).hear({"choices": [{"text": "", "finish_reason": finish}], "usage": usage})

    assert last is not None
    told = "the answer was cut: the context holds 100 tokens"
    assert last.warning == (told if warns else "")


def test_what_the_engine_refuses() -> None:
    """Too long a prompt is told with both numbers and what to do, the rest as it is said."""
    too_long = refused({"type": "exceed_context_size_error", "n_prompt_tokens": 900, "n_ctx": 64})

    assert isinstance(too_long, ProviderError)
    assert "has 900 tokens and the context holds 64" in str(too_long)
    assert "max_context_chars" in str(too_long)
    assert "n_ctx" in str(too_long)
    assert str(refused({"message": "bad grammar"})).endswith("the engine refused: bad grammar")
    assert str(refused({"code": 500})).endswith("the engine refused: {'code': 500}")
    with pytest.raises(ProviderError, match="refused: no"):
        Ear(0, 100).hear({"error": {"message": "no"}})


TEXTS = st.lists(st.sampled_from(["word ", "x" * 300, "\n", "\n ", "y" * 1300, "é"])).map("".join)


@given(TEXTS, TEXTS)
def test_portions(text: str, more: str) -> None:
    """A longer text is cut where the shorter one was, so that equal prompts are read alike."""
    ends = portions(text)

    assert portions(text + more)[: len(ends)] == ends
    assert all(PORTION <= b - a <= LONGEST for a, b in zip([0, *ends], ends, strict=False))
    assert not ends or ends[-1] <= len(text)


def test_what_has_been_read_is_not_read_again(engine: Played, path: Path) -> None:
    """A prompt that goes on is read from where the last one ended; another one from the start."""
    model = LocalModel(path, kind="base")
    prompt = ("word " * 20 + "\n") * 20
    question = Question("", prompt, chat=False, options={})
    assert len(question.ends()) == 2
    counts, kept = [], []
    for text in (prompt, prompt + "more", "other " + prompt):
        before = len(engine.asked)
        ask(model, Request(text))
        counts.append(len(engine.asked) - before)
        kept.append(engine.asked[-1]["cache_prompt"])

    # The first ask also has the engine answer once, when it is loaded.
    assert counts == [1 + 2 + 1, 1 + 1, 2 + 1]
    assert kept == [True, True, True]


def test_a_short_question_keeps_nothing(engine: Played, path: Path) -> None:
    """So that its answer does not depend on what was asked before."""
    ask(LocalModel(path, kind="base"), Request("short"))

    assert engine.asked[-1]["cache_prompt"] is False
