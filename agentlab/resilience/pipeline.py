"""Named stages in a row: text in, text out, and each with the policies it needs.

    input ─► stage ─► stage ─► output
              └ deduplicate ( try again ( circuit breaker ( handler )))

So an equal request costs nothing, each attempt counts at the breaker, and an open one ends it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import Any, Literal, Protocol, TypeAlias, TypedDict, Unpack

import msgspec

from agentlab.core.bounds import a_name
from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import InvalidValue, OrchestrationError, explain, kind_of
from agentlab.core.guards import a_guard, able, admitted, outcome, settle
from agentlab.core.portable import Portable
from agentlab.core.protocols import Guard
from agentlab.core.sync import called, twin, waits_well
from agentlab.core.text import clean

log = logging.getLogger("agentlab.resilience")

Handler: TypeAlias = Callable[[str], str | Awaitable[str]]
Key: TypeAlias = Callable[[str], str] | Literal[True]


class Retries(Protocol):
    """A retry policy, as far as a stage needs it."""

    async def run(self, fn: Callable[[], Any], on_retry: Any = None) -> Any:
        """Call ``fn`` until it succeeds, or it is no use."""


class Shares(Protocol):
    """A deduplicator, as far as a stage needs it."""

    async def run(self, key: str, fn: Callable[[], Any]) -> Any:
        """Give what was kept for ``key``, or call ``fn``."""


class Policies(TypedDict, total=False):
    """What a stage may be given, by name; see :class:`Stage`."""

    retry: Retries | None
    breaker: Guard | None
    dedup: Shares | None
    dedup_key: Key | None
    inline: bool


class StageTrace(msgspec.Struct, Portable, Displayable, frozen=True):
    """One stage of one run; ``cached`` where the deduplicator had the text, or waited for it."""

    name: str
    ok: bool
    ms: float
    attempts: int
    cached: bool
    chars_in: int
    chars_out: int = 0
    error: str | None = None


class StageRow(msgspec.Struct, Portable, Displayable, frozen=True):
    """What a stage is made of."""

    name: str
    handler: str
    inline: bool
    dedup: str | None = None
    retry: str | None = None
    breaker: str | None = None


@dataclass(frozen=True)
class Stage:
    """One stage.

    Parameters
    ----------
    name : str
        What it is called in errors and traces.
    handler : callable
        Takes text and gives text; async, or plain and then called in a worker thread.
    retry : RetryPolicy, optional
        Tries again what fails in passing.
    breaker : Guard, optional
        Lets each attempt in, or not.
    dedup : Deduplicator, optional
        Does the same once. Stages of one name share what they have in one, so that equal
        pipelines do too.
    dedup_key : callable or True, optional
        Gives the key of an input, or True for the input itself, which is what ``dedup`` alone
        means too.
    inline : bool
        Call a plain handler in place. It must be quick.
    """

    name: str
    handler: Handler
    _: KW_ONLY
    retry: Retries | None = None
    breaker: Guard | None = None
    dedup: Shares | None = None
    dedup_key: Key | None = None
    inline: bool = False

    def __post_init__(self) -> None:
        a_name("a stage's name", self.name)
        if not callable(self.handler):
            raise InvalidValue(
                f"stage {self.name!r} needs a function of text, got {self.handler!r}"
            )
        if not (self.dedup_key in (None, True) or callable(self.dedup_key)):
            raise InvalidValue(f"dedup_key must be a function or True, got {self.dedup_key!r}")
        if self.retry is not None:
            able(self.retry, "run", "a RetryPolicy")
        if self.breaker is not None:
            a_guard(self.breaker)
        if self.dedup is not None:
            able(self.dedup, "run", "a Deduplicator")

    def row(self) -> StageRow:
        """Say what it is made of."""
        policies = [None if p is None else repr(p) for p in (self.dedup, self.retry, self.breaker)]
        name = getattr(self.handler, "__name__", type(self.handler).__name__)
        return StageRow(self.name, name, self.inline or waits_well(self.handler), *policies)

    async def attempt(self, text: str) -> str:
        """Call the handler, if the breaker lets it be called, and tell the breaker how it went."""
        call = partial(called, self.handler, text, inline=self.inline or waits_well(self.handler))
        result = await (call() if self.breaker is None else self._under(self.breaker, call))
        if not isinstance(result, str):
            raise InvalidValue(f"its handler must give text, got {result!r:.80}")
        return result

    attempt_sync = twin(attempt)

    async def _under(self, guard: Guard, call: Callable[[], Awaitable[Any]]) -> Any:
        permit, whose = await admitted(guard), f"stage:{self.name}"
        try:
            result = await call()
        except BaseException as error:
            await settle(permit, outcome(guard, error), whose)
            raise
        await settle(permit, "success", whose)
        return result


class Pipeline(Displayable, Tabular):
    """Stages in a row; the first that fails ends it.

    >>> pipeline = Pipeline().add_stage("upper", str.upper).add_stage("!", lambda text: text + "!")
    >>> pipeline
    <Pipeline 'upper' → '!'>
    >>> pipeline.run_sync("hi")
    'HI!'

    Parameters
    ----------
    stages : iterable of Stage
        What to begin with.
    dedup : Deduplicator, optional
        That of stages which have a ``dedup_key`` and no deduplicator of their own.
    clock : Clock
        What times the stages.
    """

    def __init__(
        self,
        stages: Iterable[Stage] = (),
        *,
        dedup: Shares | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._dedup, self._clock = dedup, clock
        self._stages: list[Stage] = []
        for stage in stages:
            self._add(stage)

    def __repr__(self) -> str:
        return f"<Pipeline {' → '.join(repr(stage.name) for stage in self._stages) or 'empty'}>"

    def __len__(self) -> int:
        return len(self._stages)

    def __bool__(self) -> bool:
        return True

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages, in order."""
        return tuple(self._stages)

    def rows(self) -> list[StageRow]:
        """Give a row for each stage."""
        return [stage.row() for stage in self._stages]

    def add_stage(self, name: str, handler: Handler, **policies: Unpack[Policies]) -> Pipeline:
        """Add a stage with the keywords of :class:`Stage`; a name that comes twice is reported.

        Raises
        ------
        InvalidValue
            It is no stage, or has a ``dedup_key`` where nobody has a deduplicator.
        """
        self._add(Stage(name, handler, **policies))
        return self

    async def run(self, input: str) -> str:  # noqa: A002 - the reference's word
        """Send a text through all stages; without stages it comes out as it went in.

        Raises
        ------
        OrchestrationError
            A stage failed. It names the stage, is as transient as its cause, which is chained,
            and has the traces so far as ``stages``.
        """
        output, _ = await self.run_traced(input)
        return output

    async def run_traced(self, input: str) -> tuple[str, list[StageTrace]]:  # noqa: A002
        """Do the same, and tell what each stage did."""
        if not isinstance(input, str):
            raise InvalidValue(f"a pipeline takes text, got {input!r:.80}")
        text, traces, seen = input, list[StageTrace](), list[str]()
        for stage in self.stages:
            seen.append(stage.name)
            text = await self._pass(stage, seen.count(stage.name), text, traces)
        return text, traces

    run_sync = twin(run)
    run_traced_sync = twin(run_traced)

    def _add(self, stage: Stage) -> None:
        if not isinstance(stage, Stage):
            raise InvalidValue(f"a pipeline is made of Stage(name, function), got {stage!r:.80}")
        if stage.dedup_key is not None and stage.dedup is None and self._dedup is None:
            raise InvalidValue(
                f"stage {stage.name!r} has a dedup_key and no deduplicator:"
                " pass dedup=Deduplicator(ttl_s) to it, or to the pipeline"
            )
        if any(stage.name == other.name for other in self._stages):
            log.warning("%r has a stage of the name %r already", self, stage.name)
        self._stages.append(stage)

    async def _pass(self, stage: Stage, turn: int, text: str, traces: list[StageTrace]) -> str:
        """Send ``text`` through a stage, the ``turn``-th of its name, and trace it."""
        attempts, began = 0, self._clock.monotonic()

        async def attempt() -> str:
            nonlocal attempts
            attempts += 1
            return await stage.attempt(text)

        def trace(output: str | None, error: str | None = None) -> None:
            ms = (self._clock.monotonic() - began) * 1000
            ok, size = output is not None, len(output or "")
            cached = ok and not attempts
            traces.append(StageTrace(stage.name, ok, ms, attempts, cached, len(text), size, error))

        try:
            output = await self._shared(stage, turn, text, attempt)
        except Exception as error:
            why = clean(explain(error))
            trace(None, why)
            failed = OrchestrationError(f"stage '{stage.name}': {why}")
            failed.kind = kind_of(error)
            vars(failed)["stages"] = traces
            raise failed from error
        trace(output)
        return output

    async def _shared(
        self, stage: Stage, turn: int, text: str, attempt: Callable[[], Awaitable[str]]
    ) -> str:
        work = attempt if stage.retry is None else partial(stage.retry.run, attempt)
        dedup = stage.dedup or (self._dedup if stage.dedup_key is not None else None)
        if dedup is None:
            return await work()
        key = stage.dedup_key(text) if callable(stage.dedup_key) else text
        if not isinstance(key, str):
            raise InvalidValue(f"its dedup_key must give text, got {key!r:.80}")
        output: str = await dedup.run(repr((stage.name, turn, key)), work)
        return output
