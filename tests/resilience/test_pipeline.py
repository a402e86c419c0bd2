"""Stages in a row."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core.clock import FakeClock
from agentlab.core.errors import (
    CircuitOpen,
    InvalidValue,
    OrchestrationError,
    ProviderError,
)
from agentlab.resilience.backpressure import BackpressureGuard
from agentlab.resilience.circuit import CircuitState
from agentlab.resilience.circuit_breaker import CircuitBreaker
from agentlab.resilience.dedup import Deduplicator
from agentlab.resilience.pipeline import Pipeline, Stage, StageRow, StageTrace
from agentlab.resilience.retry import RetryPolicy


class Service:
    """A handler that fails with each of ``errors`` in turn, then answers in upper case."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.inputs = list(errors), list[str]()

    async def __call__(self, text: str) -> str:
        self.inputs.append(text)
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        return text.upper()


class SlowGuard:
    """A guard that is asked, and told, over a wire."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def enter(self, subject: str = "", needs: Sequence[str] = ()) -> SlowGuard:
        await asyncio.sleep(0)
        self.told.append(f"enter{subject}{needs or ''}")
        return self

    async def success(self) -> None:
        await asyncio.sleep(0)
        self.told.append("success")

    async def failure(self) -> None:
        await asyncio.sleep(0)
        self.told.append("failure")

    async def cancel(self) -> None:
        await asyncio.sleep(0)
        self.told.append("cancel")


def exclaim(text: str) -> str:
    """Add a mark."""
    return text + "!"


def test_w26_2() -> None:
    """Stages follow each other; one that fails ends it, is named, and has its cause."""
    assert Pipeline().add_stage("upper", str.upper).add_stage("!", exclaim).run_sync("hi") == "HI!"

    boom, after = ValueError("boom"), Service()
    pipeline = Pipeline().add_stage("a", str.upper).add_stage("b", Service(boom))
    pipeline.add_stage("c", after)
    with pytest.raises(OrchestrationError) as caught:
        pipeline.run_sync("hi")
    assert str(caught.value) == "Orchestration failed: stage 'b': ValueError: boom"
    assert caught.value.__cause__ is boom
    assert after.inputs == []


def test_without_stages() -> None:
    """What goes in comes out."""
    assert Pipeline().run_sync("same") == "same"
    assert Pipeline().run_traced_sync("same") == ("same", [])


@given(st.lists(st.text(max_size=3), max_size=6), st.text())
def test_stages_follow_in_order(marks: list[str], text: str) -> None:
    """The output is each handler's, applied to that of the one before."""

    def adding(mark: str) -> Callable[[str], str]:
        return lambda text: text + mark

    pipeline = Pipeline(Stage(f"s{n}", adding(mark), inline=True) for n, mark in enumerate(marks))

    output, traces = pipeline.run_traced_sync(text)

    assert output == text + "".join(marks)
    assert [t.name for t in traces] == [s.name for s in pipeline.stages]
    assert [t.chars_out - t.chars_in for t in traces] == [len(mark) for mark in marks]


@pytest.mark.parametrize(
    ("error", "kind"),
    [(ConnectionError("gone"), "transient"), (ProviderError("no", status=401), "permanent"),
     (CircuitOpen("s"), "transient"), (KeyError("k"), "permanent")],
)  # fmt: skip
def test_an_error_is_of_its_causes_kind(error: Exception, kind: str) -> None:
    """Whether it is worth another attempt does not get lost on the way."""
    with pytest.raises(OrchestrationError) as caught:
        Pipeline().add_stage("s", Service(error)).run_sync("hi")
    assert caught.value.kind == kind
    assert OrchestrationError.kind == "permanent"


def test_traces() -> None:
    """A record a stage: what went in and out, how long it took, and what went wrong."""
    clock = FakeClock()

    def slow(text: str) -> str:
        clock.advance(0.25)
        return text * 2

    pipeline = Pipeline(clock=clock).add_stage("slow", slow).add_stage("bad", Service(KeyError(1)))
    with pytest.raises(OrchestrationError) as caught:
        pipeline.run_sync("abc")

    traces = vars(caught.value)["stages"]
    assert traces == [
        StageTrace("slow", ok=True, ms=250.0, attempts=1, cached=False, chars_in=3, chars_out=6),
        StageTrace(
            "bad", ok=False, ms=0.0, attempts=1, cached=False, chars_in=6, error="KeyError: 1"
        ),
    ]
    assert [StageTrace.from_dict(trace.to_dict()) for trace in traces] == traces


def test_where_handlers_run() -> None:
    """Plain ones in a worker thread, or in place if they say so; async ones are awaited."""

    def where(_: str) -> str:
        return threading.current_thread().name

    async def awaited(_: str) -> str:
        return where("")

    names = [
        asyncio.run(Pipeline([Stage("s", handler, inline=inline)]).run(""))
        for handler, inline in ((where, False), (where, True), (awaited, False))
    ]
    assert names == ["agentlab-worker", "MainThread", "MainThread"]


@pytest.mark.parametrize(
    ("name", "handler", "policies", "why"),
    [
        ("", exclaim, {}, "a stage's name must be a name, got ''"),
        ("s", "upper", {}, "stage 's' needs a function of text, got 'upper'"),
        ("s", exclaim, {"dedup_key": "k"}, "dedup_key must be a function or True, got 'k'"),
        ("s", exclaim, {"retry": 3}, "this needs a RetryPolicy, got 3"),
        ("s", exclaim, {"breaker": 3}, "this needs a guard, such as a CircuitBreaker.*, got 3"),
        ("s", exclaim, {"dedup": 60}, "this needs a Deduplicator, got 60"),
        ("s", exclaim, {"dedup_key": True}, r"stage 's' has a dedup_key and no deduplicator: .*"),
    ],
)
def test_what_is_no_stage(name: str, handler: Any, policies: dict[str, Any], why: str) -> None:
    """It is refused when it is added."""
    pipeline = Pipeline()
    with pytest.raises(InvalidValue, match=f"^{why}"):
        pipeline.add_stage(name, handler, **policies)
    assert len(pipeline) == 0
    with pytest.raises(InvalidValue, match=r"is made of Stage\(name, function\), got <built-in"):
        Pipeline([len])  # type: ignore[list-item]


def test_text_in_text_out() -> None:
    """Anything else is refused, with who gave it."""

    def number(_: str) -> Any:
        return 3

    with pytest.raises(InvalidValue, match="a pipeline takes text, got 3"):
        Pipeline().run_sync(3)  # type: ignore[arg-type]
    with pytest.raises(OrchestrationError, match="stage 's': its handler must give text, got 3"):
        Pipeline().add_stage("s", number).run_sync("x")
    with pytest.raises(OrchestrationError, match="stage 's': its dedup_key must give text, got 3"):
        Pipeline(dedup=Deduplicator(1)).add_stage("s", exclaim, dedup_key=number).run_sync("x")


def test_names_that_come_twice(caplog: pytest.LogCaptureFixture) -> None:
    """They are allowed, reported, and do not take each other's results."""
    pipeline = Pipeline(dedup=Deduplicator(60))
    pipeline.add_stage("s", exclaim, dedup_key=True).add_stage("s", str.upper, dedup_key=True)

    assert "<Pipeline 's'> has a stage of the name 's' already" in caplog.text
    assert pipeline.run_sync("a") == pipeline.run_sync("a") == "A!"
    assert pipeline.run_sync("a!") == "A!!"


def test_retry() -> None:
    """A stage that fails in passing is tried again, and the trace counts."""
    service = Service(ConnectionError(), ConnectionError())
    policy = RetryPolicy.exponential(3, 100, clock=FakeClock())

    output, (trace,) = Pipeline().add_stage("s", service, retry=policy).run_traced_sync("a")

    assert (output, trace.attempts, trace.ok, len(service.inputs)) == ("A", 3, True, 3)
    failing = Service(*[ConnectionError()] * 3)
    with pytest.raises(OrchestrationError, match="ConnectionError") as caught:
        Pipeline().add_stage("s", failing, retry=policy).run_sync("a")
    assert vars(caught.value.__cause__)["attempts"] == 3


def test_breaker() -> None:
    """Each attempt counts; an open breaker ends the trying, and the handler is not called."""
    clock = FakeClock()
    breaker = CircuitBreaker("search", 2, 30, clock=clock)
    service = Service(*[ConnectionError()] * 2)
    pipeline = Pipeline().add_stage(
        "s", service, retry=RetryPolicy.constant(9, 1, clock=clock), breaker=breaker
    )

    with pytest.raises(
        OrchestrationError, match="stage 's': Circuit breaker open for 'search'"
    ) as caught:
        pipeline.run_sync("a")
    assert isinstance(caught.value.__cause__, CircuitOpen)
    assert (breaker.state, len(service.inputs)) == (CircuitState.Open, 2)
    clock.advance(30)
    assert pipeline.run_sync("a") == "A"
    assert breaker.state is CircuitState.Closed


def test_guards_of_other_kinds() -> None:
    """One that is asked over a wire is awaited; a slot is given back on every way out."""
    slow, slots = SlowGuard(), BackpressureGuard(1)
    for guard in (slow, slots):
        pipeline = Pipeline().add_stage("s", Service(KeyError()), breaker=guard)
        with pytest.raises(OrchestrationError):
            pipeline.run_sync("a")
        assert pipeline.run_sync("a") == "A"

    assert slow.told == ["enter", "failure", "enter", "success"]
    assert slots.depth == 0


def test_a_guard_may_say_what_counts() -> None:
    """Its own judgement goes before ours; cancellation never counts."""

    class Judge(SlowGuard):
        def should_count(self, error: BaseException) -> bool:
            return not isinstance(error, KeyError)

    judge = Judge()
    pipeline = Pipeline().add_stage("s", Service(KeyError(), ValueError()), breaker=judge)
    for _ in "ab":
        with pytest.raises(OrchestrationError):
            pipeline.run_sync("a")
    assert judge.told[1::2] == ["cancel", "failure"]


def test_a_guard_that_cannot_be_told(caplog: pytest.LogCaptureFixture) -> None:
    """Its trouble is logged, and the text goes on."""

    class Deaf(SlowGuard):
        async def success(self) -> None:
            raise RuntimeError("deaf")

    assert Pipeline().add_stage("s", Service(), breaker=Deaf()).run_sync("a") == "A"
    assert "the guard of 'stage:s' could not be told" in caplog.text


def test_dedup() -> None:
    """An equal input is served from the cache, past retry, breaker and handler."""
    dedup, guard, service = Deduplicator(60), SlowGuard(), Service(ConnectionError())
    pipeline = Pipeline().add_stage(
        "s", service, retry=RetryPolicy.constant(2, 1), breaker=guard, dedup=dedup
    )

    traces = [pipeline.run_traced_sync("a")[1][0] for _ in "12"]

    assert [(t.attempts, t.cached, t.chars_out) for t in traces] == [(2, False, 1), (0, True, 1)]
    assert len(service.inputs) == 2
    assert guard.told == ["enter", "failure", "enter", "success"]


def test_dedup_keys() -> None:
    """The key may be a function of the input; equal pipelines share what stages of a name have."""
    dedup, service = Deduplicator(60), Service()

    def made() -> Pipeline:
        return Pipeline(dedup=dedup).add_stage("s", service, dedup_key=str.casefold)

    assert made().run_sync("aB") == made().run_sync("Ab") == "AB"
    assert service.inputs == ["aB"]
    other = Pipeline(dedup=dedup).add_stage("t", service, dedup_key=str.casefold)
    other.add_stage("free", service)
    assert other.run_sync("ab") == "AB"
    assert service.inputs == ["aB", "ab", "AB"]


def test_equal_inputs_at_once_are_one_call() -> None:
    """Runs that come together share the call, and its error."""
    service = Service()
    pipeline = Pipeline().add_stage("s", service, dedup=Deduplicator(60), dedup_key=True)

    async def together() -> list[Any]:
        return list(await asyncio.gather(*(pipeline.run("a") for _ in range(5)),
                                         return_exceptions=True))  # fmt: skip

    assert asyncio.run(together()) == ["A"] * 5
    assert service.inputs == ["a"]
    failing = Pipeline().add_stage("s", Service(KeyError()), dedup=Deduplicator(60))
    pipeline = failing
    errors = asyncio.run(together())
    assert {type(error) for error in errors} == {OrchestrationError}
    assert len({id(error.__cause__) for error in errors}) == 1


def test_hostile_text() -> None:
    """Lone surrogates and control characters are keys and errors like others."""
    text = "\ud800\x00'"
    pipeline = Pipeline(dedup=Deduplicator(60)).add_stage("s", str.upper, dedup_key=True)

    assert pipeline.run_sync(text) == pipeline.run_sync(text) == text
    with pytest.raises(OrchestrationError) as caught:
        Pipeline().add_stage("s", Service(ValueError(text))).run_sync("a")
    str(caught.value).encode()


@pytest.mark.parametrize("dedup", [None, Deduplicator(60)])
def test_cancellation_passes_and_releases(dedup: Deduplicator | None) -> None:
    """It is no failure: the breaker hears nothing of it, and nothing is left behind."""
    guard, begun = SlowGuard(), threading.Event()

    async def hang(text: str) -> str:
        begun.set()
        await asyncio.sleep(60)
        return text

    async def scene() -> None:
        pipeline = Pipeline().add_stage(
            "s", hang, breaker=guard, dedup=dedup, retry=RetryPolicy.constant(3, 1)
        )
        task = asyncio.create_task(pipeline.run("a"))
        await asyncio.to_thread(begun.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scene())
    assert guard.told == ["enter", "cancel"]
    assert dedup is None or dedup.in_flight_count == 0


def test_what_it_shows() -> None:
    """One line, and a row a stage with its policies."""
    pipeline = Pipeline(
        [
            Stage("upper", str.upper, inline=True),
            Stage("ask", Service(), retry=RetryPolicy.constant(2, 5), dedup=Deduplicator(60)),
        ]
    )

    assert repr(pipeline) == "<Pipeline 'upper' → 'ask'>"
    assert (repr(Pipeline()), bool(Pipeline()), len(pipeline)) == ("<Pipeline empty>", True, 2)
    assert pipeline.rows() == [
        StageRow("upper", "upper", inline=True),
        StageRow("ask", "Service", inline=True, retry="RetryPolicy.constant(2, 5)",
                 dedup="<Deduplicator ttl 60 s, 0/10000 cached, 0 in flight>"),
    ]  # fmt: skip
