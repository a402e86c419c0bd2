"""The embedded model for real: every test here asks it something.

One model, loaded once, with few tokens a question: all of it takes about a minute on two cores.
"""

from __future__ import annotations

import asyncio
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from agentlab.core.errors import ProviderError
from agentlab.core.protocols import Chunk, Request
from agentlab.core.sync import closing, run_sync
from agentlab.models.catalogue import look_up
from agentlab.models.gbnf import react_grammar
from agentlab.models.local import LocalModel
from agentlab.models.pull import at_hand
from agentlab.strategies.grammar import FinalAnswer, ToolCall, read
from agentlab.tools.spec import ToolSpec, tool
from benchmarks.local_tasks import TASKS, TOOLS, run_tasks

pytestmark = pytest.mark.local

TALE = "Once upon a time there was a"
N_CTX = 1024


@pytest.fixture(scope="module")
def model() -> Iterator[LocalModel]:
    """Load it once."""
    model = LocalModel(n_ctx=N_CTX)
    model.load_sync()
    yield model
    model.unload()


async def hear(model: LocalModel, prompt: str = TALE, **options: Any) -> list[Chunk]:
    """Ask and collect; ``stop`` and ``system`` are the request's, the rest are options."""
    stop, system = options.pop("stop", ()), options.pop("system", "")
    request = Request(prompt, system=system, stop=stop, options={"max_tokens": 12, **options})
    return [chunk async for chunk in model.stream(request)]


async def said(model: LocalModel, prompt: str = TALE, **options: Any) -> str:
    """Ask, and give the text."""
    return "".join(chunk.text for chunk in await hear(model, prompt, **options))


def say(model: LocalModel, prompt: str = TALE, **options: Any) -> str:
    """Do the same without a loop."""
    return asyncio.run(said(model, prompt, **options))


def test_a_stream(model: LocalModel) -> None:
    """Token by token, each with its worth and those that were near; then the counts."""
    *chunks, last = asyncio.run(hear(model))
    text = "".join(chunk.text for chunk in chunks)

    assert len(chunks) == 12
    assert text == say(model)
    for chunk in chunks:
        assert chunk.logprob is not None
        assert chunk.top is not None
        assert chunk.logprob <= 0
        assert 1 <= len(chunk.top) <= 5
        assert chunk.text in chunk.top
        # At temperature 0 the likeliest is taken.
        assert math.isclose(chunk.logprob, max(chunk.top.values()))
        assert sum(map(math.exp, chunk.top.values())) <= 1 + 1e-6
    assert last.is_final
    assert last.usage is not None
    assert (last.text, last.usage.output, last.usage.source) == ("", 12, "reported")
    assert 6 <= last.usage.input <= 10
    assert [chunk.is_final for chunk in chunks] == [False] * 12


def test_chance_repeats_with_a_seed(model: LocalModel) -> None:
    """Equal seeds, equal texts; different ones, different texts; without one, chance."""
    hot: dict[str, Any] = {"temperature": 1.0, "max_tokens": 16}
    one, again, other = (say(model, seed=seed, **hot) for seed in (1, 1, 2))
    free = {say(model, **hot) for _ in range(3)}

    assert one == again != other
    assert len(free) > 1


def test_equal_questions_get_equal_answers(model: LocalModel) -> None:
    """Whatever was asked before, and however much of the prompt had been read already."""
    long = "".join(f"{n}: A quick brown fox jumps over the lazy dog.\n" for n in range(25))
    fresh = say(model, long)
    begun = say(model, long[:1000])

    assert begun != fresh
    assert say(model, "Something else altogether.")
    assert say(model, long) == fresh
    assert say(model, long) == fresh
    assert say(model, long[:1000]) == begun


def test_stop_sequences(model: LocalModel) -> None:
    """They end the answer and are not in it, also where they come in pieces."""
    prompt = "List: one, two, three,"
    whole = say(model, prompt, max_tokens=12)
    stop = whole[4:9]
    assert len(stop) == 5

    cut = asyncio.run(hear(model, prompt, stop=(stop, "never said"), max_tokens=12))
    text = "".join(chunk.text for chunk in cut)
    assert text == whole[: whole.index(stop)]
    assert cut[-1].usage is not None
    assert cut[-1].usage.output <= 12


def test_max_tokens(model: LocalModel) -> None:
    """As many as were asked for, and no warning for having kept to it."""
    for most in (1, 3):
        last = asyncio.run(hear(model, max_tokens=most))[-1]
        assert last.usage is not None
        assert (last.usage.output, last.warning) == (most, "")


Note = Annotated[str, Meta(max_length=8)]


@tool(inline=True)
def move(
    direction: Literal["north", 'so"uth'],
    steps: Annotated[int, Meta(ge=1, le=3)],
    *,
    pace: float | None = None,
    notes: Annotated[list[Note], Meta(max_length=2)] | None = None,
) -> str:
    """Go somewhere."""
    return f"{direction}{steps}{pace}{notes}"


@pytest.mark.parametrize("seed", range(4))
def test_a_grammar_is_kept(model: LocalModel, seed: int) -> None:
    """However hot it is: every step can be read, and calls a tool as it would be called."""
    tools: list[ToolSpec] = [*TOOLS, move]
    grammar = react_grammar(tools, thought=30, answer=30)
    text = say(
        model, "User: go\n", grammar=grammar, temperature=1.5, seed=seed, max_tokens=200,
        stop=("\nObservation:",),
    )  # fmt: skip
    _, wanted = read(text, [each.name for each in tools])

    assert isinstance(wanted, ToolCall | FinalAnswer)
    if isinstance(wanted, ToolCall):
        next(each for each in tools if each.name == wanted.name).check(wanted.args)


def test_odd_names_make_a_grammar_all_the_same(model: LocalModel) -> None:
    """The engine reads what is quoted as it was meant."""

    class Odd:
        name, description = 'a" | "b\\', "Odd."
        schema = {  # noqa: RUF012 - as the contract says
            "properties": {'x"]\n\\': {"enum": ['"', "\\", "[", "\n", "é"]}, "n": {}},
            "required": ['x"]\n\\'],
        }

        async def call(self, args: Any, /) -> Any:
            return args

    rule = react_grammar([Odd()], thought=8).replace('"FINAL_ANSWER " answer | ', "")
    text = say(model, "a", grammar=rule, max_tokens=60)

    assert '\nAction: a" | "b\\ {"x\\"]\\n\\\\":' in text


def test_a_grammar_that_is_none(model: LocalModel, capfd: pytest.CaptureFixture[str]) -> None:
    """It is refused, and the next question is answered."""
    with pytest.raises(ProviderError, match=r"the engine refused: .*grammar"):
        say(model, grammar="root ::= (")
    capfd.readouterr()

    assert say(model, max_tokens=1)


def test_leaving_in_mid_sentence(model: LocalModel) -> None:
    """The engine stops at once, and the next question does not wait for what was left."""

    async def play() -> tuple[int, float]:
        heard = 0
        stream = model.stream(Request(TALE, options={"max_tokens": 900}))
        async with closing(stream) as chunks:
            async for _ in chunks:
                heard += 1
                if heard == 5:
                    break
        began = time.perf_counter()
        await said(model, "The sky is", max_tokens=1)
        return heard, time.perf_counter() - began

    heard, waited = asyncio.run(play())
    one = time.perf_counter()
    say(model, "The sky is", max_tokens=30)
    thirty = time.perf_counter() - one

    assert heard == 5
    assert waited < 5 * thirty  # the 895 tokens that were left would take 30 times as long


def test_cancelling_the_task(model: LocalModel) -> None:
    """The same, however the leaving came about; and no task is left."""

    async def play() -> tuple[list[str], float]:
        heard: list[str] = []
        third = asyncio.Event()

        async def listen() -> None:
            async for chunk in model.stream(Request(TALE, options={"max_tokens": 900})):
                heard.append(chunk.text)
                if len(heard) == 3:
                    third.set()

        task = asyncio.create_task(listen())
        await third.wait()
        began = time.perf_counter()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        took = time.perf_counter() - began
        await said(model, max_tokens=1)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return heard, took

    heard, took = asyncio.run(play())
    assert len(heard) < 50
    assert took < 1


def test_two_questions_at_once(model: LocalModel) -> None:
    """Both are answered, each as if it had been alone."""
    prompts = ("The capital of France is", "Two and two make")
    alone = [say(model, each) for each in prompts]

    async def play() -> list[str]:
        return await asyncio.gather(*(said(model, each) for each in prompts * 2))

    assert asyncio.run(play()) == alone * 2


def test_a_question_within_a_question(model: LocalModel) -> None:
    """A reader that asks the same model before it reads on does not wait for itself."""

    async def play() -> list[str]:
        inner = []
        async for chunk in model.stream(Request(TALE, options={"max_tokens": 3})):
            if not chunk.is_final:
                inner.append(await said(model, chunk.text, max_tokens=1))  # noqa: PERF401 - the point
        return inner

    assert len(asyncio.run(asyncio.wait_for(play(), 60))) == 3


def test_loops_in_turn(model: LocalModel) -> None:
    """It belongs to none: two of their own, the portal's, and one on another thread."""
    texts = [say(model), say(model), run_sync(said, model)]
    thread = threading.Thread(target=lambda: texts.append(say(model)))
    thread.start()
    thread.join()

    assert texts == [texts[0]] * 4


def test_too_long_a_prompt(model: LocalModel) -> None:
    """Both numbers are in the error, and the next question is answered."""
    with pytest.raises(ProviderError, match=r"the prompt has 3\d{3} tokens and .* holds 1024:"):
        say(model, "word " * 3000)

    assert say(model, max_tokens=1)


def test_an_answer_that_does_not_fit(model: LocalModel) -> None:
    """It is cut where the context ends, and says so."""
    chunks = asyncio.run(hear(model, "word " * 1010, max_tokens=100))

    assert chunks[-1].usage is not None
    assert chunks[-1].usage.input + chunks[-1].usage.output == N_CTX
    assert chunks[-1].warning == "the answer was cut: the context holds 1024 tokens"


def test_odd_prompts(model: LocalModel) -> None:
    """Nothing, NUL, half a character, and what the model has marks for, are all answered."""
    for prompt in ("", "\x00", "\ud83d", "<end_of_turn><eos>", "é😀\u202e"):
        (*_, last) = asyncio.run(hear(model, prompt, max_tokens=2))
        assert last.is_final


def test_without_logprobs() -> None:
    """A model that was told to tell nothing tells nothing; it shares the loaded engine."""
    quiet = LocalModel(n_ctx=N_CTX, logprobs=0)
    chunks = asyncio.run(hear(quiet, max_tokens=3))

    assert [(chunk.logprob, chunk.top) for chunk in chunks] == [(None, None)] * len(chunks)


def test_unloading_in_the_middle(model: LocalModel) -> None:
    """Whoever listens is told; the next question loads it again."""

    async def play() -> AsyncIterator[str]:
        async for chunk in model.stream(Request(TALE, options={"max_tokens": 900})):
            yield chunk.text
            await asyncio.to_thread(model.unload)

    async def listen() -> list[str]:
        return [text async for text in play()]

    with pytest.raises(ProviderError, match="was unloaded in the middle of an answer"):
        asyncio.run(listen())
    assert say(model, max_tokens=1)


FRESH = """
import asyncio, sys, threading
from agentlab.core.protocols import Request
from agentlab.models.local import LocalModel

model = LocalModel(n_ctx=256)
assert repr(model) == "LocalModel('gemma3-270m', 253 MB)"
assert (model.kind, model.profile) == ("base", "base")
assert "xllamacpp" not in sys.modules and threading.active_count() == 1
stream = model.stream(Request("Hello", options={"max_tokens": 3}))
"""
LISTEN = """
async def listen():
    return "".join([chunk.text async for chunk in stream])

assert asyncio.run(listen())
assert not [name for name in sys.modules if name.startswith("gemma3")]
"""
FORK = (
    LISTEN
    + """
import os, warnings
warnings.simplefilter("ignore")  # newer Pythons warn of what is tried here
child = os.fork()
stream = model.stream(Request("Hello", options={"max_tokens": 3}))
text = asyncio.run(listen())
if not child:
    os._exit(0 if text else 1)
assert os.waitpid(child, 0)[1] == 0
"""
)
LEAVE = """
stream = model.stream(Request("Hello", options={"max_tokens": 200}))
asyncio.new_event_loop().run_until_complete(anext(stream))
sys.exit(7)
"""


def fresh(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own."""
    return subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_fresh_process_is_quiet() -> None:
    """It loads, answers and ends, and neither it nor the engine prints a thing."""
    done = fresh(FRESH + LISTEN)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_leaving_python_in_mid_sentence() -> None:
    """The process ends by itself, with its own exit status, though the engine still speaks."""
    assert fresh(FRESH + LEAVE).returncode == 7


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_forked_process() -> None:
    """It loads the model again, for it has none of the threads; the other one goes on."""
    done = fresh(FRESH + FORK)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("keep", [1000, 1 << 20])
def test_a_damaged_file(tmp_path: Path, capfd: pytest.CaptureFixture[str], keep: int) -> None:
    """A file that is cut is an error that names it, not the end of the process."""
    path = tmp_path / "cut.gguf"
    with at_hand(look_up("gemma3-270m")).open("rb") as whole:
        path.write_bytes(whole.read(keep))
    with pytest.raises(ProviderError, match=rf"cannot load {path} .*: the file may be damaged"):
        LocalModel(path).load_sync()

    assert capfd.readouterr().out == ""


def test_the_twelve_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    """At least five are right, in the default profile; another processor may round differently."""
    model = LocalModel()
    try:
        scores = asyncio.run(run_tasks(model))
    finally:
        model.unload()
    right = sum(score.right for score in scores)
    seconds = sum(score.seconds for score in scores)
    with capsys.disabled():
        print(f"\n{model.name}, {model.profile}: {right} of {len(TASKS)} right, {seconds:.0f} s")  # noqa: T201

    assert len(scores) == len(TASKS) == 12
    assert right >= 5
    steps = [step for score in scores for step in score.session.steps]
    assert all(step.tool or step.action.startswith("FINAL_ANSWER ") for step in steps)
