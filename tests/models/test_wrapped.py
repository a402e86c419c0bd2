"""Models with a policy round them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Any

import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.config import AgentConfig
from agentlab.core.errors import BackpressureShed, CircuitOpen, InvalidValue, ProviderError
from agentlab.core.events import Token, Warned
from agentlab.core.protocols import Chunk, Model, Permit, Request, Usage
from agentlab.core.run import Run
from agentlab.core.sync import closing
from agentlab.core.trace import Trace
from agentlab.models.scripted import ScriptedModel
from agentlab.models.wrapped import Guarded, Retrying
from agentlab.resilience.backpressure import BackpressureGuard
from agentlab.resilience.circuit import CircuitState
from agentlab.resilience.circuit_breaker import CircuitBreaker
from agentlab.resilience.retry import RetryPolicy

ASKED = Request("p", system="s", model="m", agent="a")
BUSY = ProviderError("busy", status=503)
WRONG = ProviderError("no such key", status=401)

Scene = Callable[[], Coroutine[Any, Any, None]]


class Loops:
    """Two loops, on threads of their own, that take turns."""

    def __init__(self) -> None:
        self.loops = [asyncio.new_event_loop() for _ in "ab"]
        self.turn = 0
        self.threads = [threading.Thread(target=loop.run_forever) for loop in self.loops]
        for thread in self.threads:
            thread.start()

    def __call__(self, work: Coroutine[Any, Any, Any]) -> Any:
        self.turn += 1
        loop = self.loops[self.turn % 2]
        return asyncio.run_coroutine_threadsafe(work, loop).result(10)

    def close(self) -> None:
        """Stop them."""
        for loop, thread in zip(self.loops, self.threads, strict=True):
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)
            loop.close()


@pytest.fixture
def play() -> Iterator[Callable[[Coroutine[Any, Any, Any]], Any]]:
    """Run one piece of work after another, on two loops alternately."""
    loops = Loops()
    yield loops
    loops.close()


class Torn:
    """Gives the pieces of a script in turn, one at a call: a chunk, or an error to raise."""

    name = "torn"
    profile = "chat"

    def __init__(self, *calls: Sequence[str | Chunk | BaseException]) -> None:
        self.calls = list(calls)
        self.asked = self.closed = 0

    async def stream(self, _request: Request, /) -> AsyncIterator[Chunk]:
        self.asked += 1
        try:
            for piece in self.calls[self.asked - 1]:
                if isinstance(piece, BaseException):
                    raise piece
                yield Chunk(piece) if isinstance(piece, str) else piece
        finally:
            self.closed += 1


class Hanging:
    """Says a word, if it has one, and then nothing for ever."""

    def __init__(self, word: str = "") -> None:
        self.word, self.hangs, self.closed = word, threading.Event(), False

    async def stream(self, _request: Request, /) -> AsyncIterator[Chunk]:
        try:
            if self.word:
                yield Chunk(self.word)
            self.hangs.set()
            await asyncio.sleep(60)
        finally:
            self.closed = True


class Ledger:
    """A guard that writes down what it is told; over a wire if ``slow``."""

    def __init__(self, *, slow: bool = False, refuses: Exception | None = None) -> None:
        self.slow, self.refuses = slow, refuses
        self.told: list[str] = []

    def __repr__(self) -> str:
        return "Ledger()"

    def enter(self, subject: str = "", needs: Sequence[str] = ()) -> Any:
        self.told.append(f"enter {subject}{needs or ''}")
        if self.refuses:
            raise self.refuses
        return self._later() if self.slow else self

    async def _later(self) -> Permit:
        await asyncio.sleep(0)
        return self

    def _said(self, how: str) -> Awaitable[None] | None:
        if not self.slow:
            self.told.append(how)
            return None
        return self._written(how)

    async def _written(self, how: str) -> None:
        await asyncio.sleep(0)
        self.told.append(how)

    def success(self) -> Awaitable[None] | None:
        return self._said("success")

    def failure(self) -> Awaitable[None] | None:
        return self._said("failure")

    def cancel(self) -> Awaitable[None] | None:
        return self._said("cancel")


async def answer(model: Model) -> list[Chunk]:
    """Ask and collect."""
    return [chunk async for chunk in model.stream(ASKED)]


async def text(model: Model) -> str:
    """Ask and read."""
    return "".join([chunk.text for chunk in await answer(model)])


async def first(model: Model) -> str:
    """Ask, and leave after the first chunk."""
    async with closing(model.stream(ASKED)) as chunks:
        async for chunk in chunks:
            return chunk.text
    return ""


def policy(attempts: int = 3, **settings: Any) -> RetryPolicy:
    """Give a policy on a clock of its own."""
    return RetryPolicy.exponential(attempts, 100, **{"clock": FakeClock(), **settings})


def test_tries_again(play: Loops) -> None:
    """A transient failure is asked again after the policy's wait, and told as it happens."""
    clock = FakeClock()
    model = ScriptedModel(BUSY, BUSY, "two words", "once more")
    retrying = Retrying(model, policy(clock=clock))

    assert play(answer(retrying)) == [
        Chunk("", warning="ScriptedModel failed (Provider error: busy), trying again in 0.1 s"
                          " (attempt 2 of 3)"),
        Chunk("", warning="ScriptedModel failed (Provider error: busy), trying again in 0.2 s"
                          " (attempt 3 of 3)"),
        Chunk("two"),
        Chunk(" words"),
    ]  # fmt: skip
    assert clock.monotonic() == pytest.approx(0.3)
    assert model.requests == [ASKED] * 3
    assert play(text(retrying)) == "once more"


@pytest.mark.parametrize(
    ("errors", "attempts"), [((BUSY, BUSY, BUSY), 3), ((WRONG,), 1), ((CircuitOpen("m"),), 1)]
)
def test_gives_up(play: Loops, errors: tuple[Exception, ...], attempts: int) -> None:
    """After the last attempt, or at what will not pass, the error itself is raised."""
    model = Torn(*([error] for error in errors))

    with pytest.raises(type(errors[-1])) as caught:
        play(answer(Retrying(model, policy())))
    assert caught.value is errors[-1]
    assert vars(caught.value)["attempts"] == model.asked == model.closed == attempts


def test_hints_and_deadline(play: Loops) -> None:
    """What the provider asks for is waited, unless that would be too long."""
    hint = ProviderError("slow down", status=429, retry_after=7.0)
    clock = FakeClock()

    chunks = play(answer(Retrying(Torn([hint], ["yes"]), policy(clock=clock))))
    assert "trying again in 7 s" in chunks[0].warning
    assert clock.monotonic() == 7.0
    with pytest.raises(ProviderError, match="slow down"):
        play(answer(Retrying(Torn([hint], ["yes"]), policy(deadline_s=5))))


def test_what_was_shown_is_not_said_again(play: Loops) -> None:
    """A stream that is torn after its first word raises, with the word shown once."""
    model, shown = Torn(["The ", BUSY], ["The end"]), list[str]()

    async def read() -> None:
        async for chunk in Retrying(model, policy()).stream(ASKED):
            shown.append(chunk.text)

    with pytest.raises(ProviderError, match="busy"):
        play(read())
    assert (shown, model.asked, model.closed) == (["The "], 1, 1)


@pytest.mark.parametrize(
    ("piece", "again"),
    [
        (Chunk("", usage=Usage(3, 0)), True),
        (Chunk("", warning="loading"), True),
        (Chunk(" "), False),
        (Chunk("", -0.1), False),
        (Chunk("", is_final=True), False),
    ],
)
def test_what_is_part_of_an_answer(play: Loops, piece: Chunk, *, again: bool) -> None:
    """News about an answer may come before a failure; a token may not."""
    model = Torn([piece, BUSY], ["yes"])

    if again:
        assert play(text(Retrying(model, policy()))) == "yes"
    else:
        with pytest.raises(ProviderError):
            play(text(Retrying(model, policy())))


def test_whole_answers(play: Loops) -> None:
    """On request nothing is shown before the end, and a torn stream is tried again too."""
    model = Torn(["The ", "be", BUSY], ["The ", Chunk("end", -0.5, usage=Usage(1, 2))])

    chunks = play(answer(Retrying(model, policy(), whole=True)))

    assert [bool(chunk.warning) for chunk in chunks] == [True, False, False]
    assert chunks[1:] == [Chunk("The "), Chunk("end", -0.5, usage=Usage(1, 2))]
    with pytest.raises(ProviderError):
        play(answer(Retrying(Torn(["a", BUSY], ["b", BUSY]), policy(2), whole=True)))


def test_closes_what_it_asked(play: Loops) -> None:
    """A reader who leaves closes the model, and one who is cancelled is not asked again."""
    model, hanging = Torn([BUSY], ["a", "b"]), Hanging("word")
    retrying = Retrying(model, policy())

    async def leave() -> None:
        async with closing(retrying.stream(ASKED)) as chunks:
            async for chunk in chunks:
                if chunk.text:
                    break
        assert model.closed == 2

    async def cancelled() -> None:
        task = asyncio.create_task(text(Retrying(hanging, policy())))
        await asyncio.to_thread(hanging.hangs.wait, 5)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert hanging.closed

    play(leave())
    play(cancelled())


def test_cancelled_between_attempts(play: Loops) -> None:
    """The wait ends at once, and the model is left alone."""
    model = Torn([BUSY], ["a"])

    async def scene() -> None:
        chunks = Retrying(model, RetryPolicy.constant(2, 60_000)).stream(ASKED)
        assert (await anext(chunks)).warning
        task = asyncio.ensure_future(anext(chunks))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    play(scene())
    assert model.asked == 1


def test_goes_by_the_inner_name(play: Loops) -> None:
    """Name and profile are the inner model's; whatever answers can be wrapped."""
    for wrapped in (Retrying(Torn([]), policy()), Guarded(Torn([]), Ledger())):
        assert (wrapped.name, wrapped.profile) == ("torn", "chat")
    plain = Retrying(Guarded(lambda context: context.upper(), Ledger()), policy())
    assert (plain.name, plain.profile) == ("FunctionModel", None)
    assert play(text(plain)) == "S\n\nP"
    assert repr(Guarded(ScriptedModel(), Ledger())) == (
        "Guarded(<ScriptedModel 0/0 said>, Ledger())"
    )
    assert repr(Retrying(ScriptedModel(), RetryPolicy.constant(2, 5), whole=True)) == (
        "Retrying(<ScriptedModel 0/0 said>, RetryPolicy.constant(2, 5), whole=True)"
    )
    with pytest.raises(InvalidValue, match="3 is not a model"):
        Retrying(3, policy())


def test_a_reason_is_short_and_keeps_no_secret(play: Loops) -> None:
    """What failed is told in a line, without the key that its text may hold."""
    error = ProviderError("bad key sk-ant-1234567890abcdefghij " + "x" * 9999, status=500)

    warning = play(answer(Retrying(Torn([error], ["a"]), policy())))[0].warning

    assert "sk-ant" not in warning
    assert len(warning) < 350


def test_a_run_tells_of_it(play: Loops) -> None:
    """The trace has a warning for each new attempt, and the answer is whole."""
    entries: list[Any] = []
    run = Run(
        "r", "a", Retrying(ScriptedModel(BUSY, "fine words"), policy()),
        Trace(entries.append), AgentConfig(1, "m"),
    )  # fmt: skip

    async def ask() -> str:
        return (await run.ask("q")).text

    assert play(ask()) == "fine words"
    events = [entry.event for entry in entries]
    assert len([event for event in events if isinstance(event, Warned)]) == 1
    assert "".join(event.text for event in events if isinstance(event, Token)) == "fine words"


def test_a_model_that_gives_no_chunks(play: Loops) -> None:
    """What it gives is passed on, so that the run can say what is wrong with it."""

    class Bare:
        async def stream(self, _request: Request, /) -> AsyncIterator[Any]:
            yield "text"

    for wrapped in (Retrying(Bare(), policy()), Guarded(Bare(), Ledger())):
        run = Run("r", "a", wrapped, Trace(), AgentConfig(1, "m"))
        with pytest.raises(InvalidValue, match="a model streams chunks, got 'text'"):
            play(run.ask("q"))


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize(
    ("script", "told"),
    [
        pytest.param(["yes"], "success", id="answered"),
        pytest.param([], "success", id="nothing to say"),
        pytest.param([BUSY], "failure", id="busy"),
        pytest.param(["a", WRONG], "failure", id="torn"),
        pytest.param([CircuitOpen("inner")], "cancel", id="another guard"),
        pytest.param([asyncio.CancelledError()], "cancel", id="cancelled"),
        pytest.param([SystemExit(1)], "cancel", id="the process ends"),
    ],
)
def test_a_guard_hears_how_it_went(
    play: Loops, script: list[Any], told: str, *, slow: bool
) -> None:
    """Once for each question, whether the guard is quick or is asked over a wire."""
    guard = Ledger(slow=slow)

    async def ask() -> None:
        chunks = Guarded(Torn(script), guard).stream(ASKED)
        try:
            async for _ in chunks:
                pass
        except BaseException as error:  # noqa: BLE001 - what came out is what went in
            assert error is script[-1]  # noqa: PT017

    play(ask())
    assert guard.told == ["enter model:torn", told]


@pytest.mark.parametrize("slow", [False, True])
def test_readers_who_leave(play: Loops, *, slow: bool) -> None:
    """After a word the service has answered; before one, nothing is known of it."""
    guard, news = Ledger(slow=slow), Chunk("", warning="loading")

    assert play(first(Guarded(Torn(["a", "b"]), guard))) == "a"
    assert play(first(Guarded(Torn([news, "b"]), guard))) == ""
    assert guard.told[1::2] == ["success", "cancel"]


@pytest.mark.parametrize("word", ["", "word"])
@pytest.mark.parametrize("slow", [False, True])
def test_cancellation_counts_for_nothing(play: Loops, word: str, *, slow: bool) -> None:
    """It passes, closes the model and gives the permit back, whatever was said before."""
    guard, model = Ledger(slow=slow), Hanging(word)

    async def scene() -> None:
        task = asyncio.create_task(text(Guarded(model, guard)))
        await asyncio.to_thread(model.hangs.wait, 5)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    play(scene())
    assert (guard.told[1:], model.closed) == (["cancel"], True)


def test_a_cancelled_reader_who_closes_the_stream(play: Loops) -> None:
    """Closing is how a cancelled task leaves a stream; that is no success either."""
    guard, reading = Ledger(), threading.Event()

    async def read() -> None:
        async with closing(Guarded(Torn(["a", "b"]), guard).stream(ASKED)) as chunks:
            async for _ in chunks:
                reading.set()
                await asyncio.sleep(60)

    async def scene() -> None:
        task = asyncio.create_task(read())
        await asyncio.to_thread(reading.wait, 5)
        task.cancel()
        await asyncio.wait([task])

    play(scene())
    assert guard.told[1:] == ["cancel"]


def test_a_refusal_names_the_model(play: Loops) -> None:
    """Whatever the breaker is called; the model is not asked."""
    for slow in (False, True):
        guard, model = Ledger(slow=slow, refuses=CircuitOpen("shared")), Torn()
        with pytest.raises(CircuitOpen, match=r"^Circuit breaker open for 'model:torn'$"):
            play(text(Guarded(model, guard)))
        with pytest.raises(CircuitOpen, match=r"^Circuit breaker open for 'mine'$"):
            play(text(Guarded(model, guard, subject="mine")))
        assert model.asked == 0


def test_a_guard_that_cannot_be_told(play: Loops, caplog: pytest.LogCaptureFixture) -> None:
    """Its trouble is logged, and the answer is not lost for it."""

    class Deaf(Ledger):
        def success(self) -> None:
            raise RuntimeError("deaf")

    assert play(text(Guarded(Torn(["yes"]), Deaf()))) == "yes"
    assert "'model:torn' could not be told of its success" in caplog.text


def test_a_guard_may_say_what_counts(play: Loops) -> None:
    """Its own judgement goes before ours; one that fails is noted, and nothing counts."""

    class Judge(Ledger):
        def should_count(self, error: BaseException) -> bool:
            return error.status == 503  # type: ignore[attr-defined, no-any-return]

    guard = Judge()
    bug = KeyError("a bug")
    for error in (BUSY, WRONG, bug):
        with pytest.raises(type(error)):
            play(text(Guarded(Torn([error]), guard)))
    assert guard.told[1::2] == ["failure", "cancel", "cancel"]
    assert "should_count could not judge this error: AttributeError" in bug.__notes__[0]


def test_what_is_no_policy() -> None:
    """It is refused where it is given, and not at the first question."""
    with pytest.raises(InvalidValue, match="this needs a guard, such as a CircuitBreaker or a B"):
        Guarded(Torn(), RetryPolicy.constant(2, 1))  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="this needs a RetryPolicy, got 3"):
        Retrying(Torn(), 3)  # type: ignore[arg-type]


def test_breaker_inside(play: Loops) -> None:
    """The usual order: each attempt counts, and an open breaker ends the trying."""
    clock = FakeClock()
    breaker = CircuitBreaker("provider", 2, 30, clock=clock)
    model = ScriptedModel(BUSY, BUSY, "back")
    wrapped = Retrying(Guarded(model, breaker), policy(9, clock=clock))

    with pytest.raises(CircuitOpen, match="model:ScriptedModel") as caught:
        play(text(wrapped))
    assert (len(model.requests), vars(caught.value)["attempts"]) == (2, 3)
    assert breaker.state is CircuitState.Open

    clock.advance(30)
    assert play(text(wrapped)) == "back"
    assert (breaker.state, breaker.failure_count) == (CircuitState.Closed, 0)


def test_breaker_outside(play: Loops) -> None:
    """The other order: a question counts once, when all its attempts have failed."""
    clock = FakeClock()
    breaker = CircuitBreaker("provider", 2, 30, clock=clock)
    model = ScriptedModel(*[BUSY] * 6)
    wrapped = Guarded(Retrying(model, policy(clock=clock)), breaker)

    for failures in (1, 2):
        with pytest.raises(ProviderError):
            play(text(wrapped))
        assert breaker.failure_count == failures
    with pytest.raises(CircuitOpen):
        play(text(wrapped))
    assert len(model.requests) == 6


def test_backpressure(play: Loops) -> None:
    """A slot is held while a stream is read, given back on every way out, and may be awaited."""
    guard = BackpressureGuard(1)
    guarded = Guarded(ScriptedModel("a b", "c d", BUSY), guard)

    async def scene() -> None:
        async with closing(guarded.stream(ASKED)) as chunks:
            await anext(chunks)
            assert guard.depth == 1
            with pytest.raises(BackpressureShed):
                await text(guarded)
        assert guard.depth == 0
        async with closing(guarded.stream(ASKED)) as chunks:
            await anext(chunks)
            with pytest.raises(BackpressureShed) as caught:
                await text(Retrying(guarded, policy(2)))
            assert vars(caught.value)["attempts"] == 2
        assert guard.depth == 0
        with pytest.raises(ProviderError):
            await text(guarded)
        assert guard.depth == 0

    play(scene())
