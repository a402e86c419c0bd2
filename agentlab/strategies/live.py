"""The loop that reads an answer while it comes, and says each thing as soon as it is known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from agentlab.core.errors import InvalidValue
from agentlab.core.events import Action, ReActStep, Thought
from agentlab.core.protocols import Chunk
from agentlab.core.run import BREATH_S, Run
from agentlab.core.sync import closing, until
from agentlab.strategies.callbacks import Calls, StreamingCallbacks
from agentlab.strategies.grammar import StepReader, Wanted, wants
from agentlab.strategies.react import Outcome, OutOfTimeError, ReAct, action_of, understood
from agentlab.strategies.tokens import InferenceToken

if TYPE_CHECKING:
    from typing import Self


class StreamingReAct:
    """The strategy: that of ReAct, heard while it speaks.

    Parameters
    ----------
    callbacks : StreamingCallbacks, optional
        Whom to call.
    callbacks_strict : bool
        Let a callback that raises end the run. Otherwise it is logged, and not called again.
    token_timeout_ms : int, optional
        Real time to wait for each token, the first too, in milliseconds.
    stop_early : bool
        Stop reading when more follows a thought and an action that are complete, for it is made
        up; a response that does not begin with a header is heard to its end all the same, for
        all of it may turn out to be reasoning.

    Raises
    ------
    InvalidValue
        A time that can never be right.
    """

    strategy_name = "streaming"
    takes_memories = True

    def __init__(
        self,
        callbacks: StreamingCallbacks | None = None,
        *,
        callbacks_strict: bool = False,
        token_timeout_ms: int | None = None,
        stop_early: bool = True,
    ) -> None:
        known = isinstance(token_timeout_ms, int | float | None)
        if not known or (token_timeout_ms is not None and not token_timeout_ms >= 1):
            raise InvalidValue(f"token_timeout_ms must be >= 1, got {token_timeout_ms!r}")
        self.callbacks = callbacks or StreamingCallbacks()
        self.callbacks_strict = callbacks_strict
        self.token_timeout_ms = token_timeout_ms
        self.stop_early = stop_early

    def __repr__(self) -> str:
        return f"StreamingReAct({self.callbacks!r})"

    async def __call__(self, run: Run, goal: str, /) -> Outcome:
        """Work towards ``goal`` for at most ``max_iterations`` steps."""
        calls = Calls(run, self.callbacks, strict=self.callbacks_strict)
        return await Live(calls, self.token_timeout_ms, stop_early=self.stop_early)(run, goal)


class Live(ReAct):
    """One run of it."""

    def __init__(self, calls: Calls, token_timeout_ms: int | None, *, stop_early: bool) -> None:
        self._calls, self._stop_early = calls, stop_early
        self._timeout_ms = token_timeout_ms
        self._telling: Telling  # of the step it is at

    async def _hear(
        self, run: Run, prompt: str, asked: dict[str, Any], known: list[str]
    ) -> tuple[ReActStep, Wanted]:
        self._telling = Telling(run, known, self._calls)
        reader = await self._heard(run.stream(prompt, **asked))
        if self._stop_early and reader.sure:
            step = reader.step()
            return step, wants(step.action, known)
        return understood(run, reader.text, known)

    async def _heard(self, answer: AsyncIterator[Chunk]) -> StepReader:
        if self._timeout_ms is None:
            return await self._listen(answer, None)
        try:
            async with asyncio.timeout(None) as deadline:
                with (
                    until(deadline.expired),
                    Patience(self._timeout_ms / 1000, deadline) as patience,
                ):
                    return await self._listen(answer, patience)
        except TimeoutError:
            if not deadline.expired():
                raise
            raise OutOfTimeError(f"token timeout after {self._timeout_ms} ms") from None

    async def _listen(self, answer: AsyncIterator[Chunk], patience: Patience | None) -> StepReader:
        reader, clock = StepReader(), asyncio.get_running_loop().time
        breath = clock() + BREATH_S
        async with closing(answer) as chunks:
            async for chunk in chunks:
                if patience:
                    patience.heard()
                if self._calls.tokens and is_token(chunk):
                    token = InferenceToken(chunk.text, chunk.logprob, chunk.is_final)
                    await self._calls.tell(self._calls.tokens, token)
                if chunk.text and (news := reader.feed(chunk.text)):
                    await self._telling.all(news)
                if chunk.is_final or (self._stop_early and reader.sure and reader.more):
                    break  # what only ends is heard to its end, which may say what it cost
                if clock() >= breath:  # a model that never waits must let others run
                    await asyncio.sleep(0)
                    breath = clock() + BREATH_S
                if patience:
                    patience.wait()
        return reader

    async def _tell(self, run: Run, step: ReActStep, wanted: Wanted) -> None:
        telling = self._telling
        await telling.thought(step.thought, readable=bool(step.action))
        if isinstance(wanted, Exception):
            if run.config.on_parse_error != "raise":
                run.emit(action_of(step.action, wanted))
        else:
            await telling.action(step.action, wanted)


class Telling:
    """Says what a step's thought and action are, each when it is known, and once.

    What is said later stands over what was said before: that all of it was reasoning may show
    only at the end of that.
    """

    def __init__(self, run: Run, known: list[str], calls: Calls) -> None:
        self._run, self._known, self._calls = run, known, calls
        self._thought: str | None = None
        self._action: str | None = None

    async def all(self, news: list[Thought | Action]) -> None:
        """Say what has just become complete."""
        for each in news:
            if isinstance(each, Thought):
                await self.thought(each.text)
            else:
                await self.action(each.text, wants(each.text, self._known))

    async def thought(self, text: str, *, readable: bool = True) -> None:
        """Say what the agent thinks; what cannot be read is no thought to call anybody with."""
        if text == self._thought:
            return
        self._thought = text
        self._run.emit(Thought(text))
        if text and readable:
            await self._calls.tell(self._calls.thoughts, text)

    async def action(self, text: str, wanted: Wanted) -> None:
        """Say what it wants; that it cannot be read is said when all is heard."""
        if text == self._action or isinstance(wanted, Exception):
            return
        self._action = text
        if self._thought is None:
            await self.thought("")
        self._run.emit(action_of(text, wanted))
        await self._calls.tell(self._calls.actions, wanted)


class Patience:
    """Waits for each token so long and no longer. What is done with a token takes no time of it.

    One timer looks after many tokens: where one has come since, it is set again.
    """

    def __init__(self, seconds: float, deadline: asyncio.Timeout) -> None:
        self._seconds, self._deadline = seconds, deadline
        self._loop = asyncio.get_running_loop()

    def __enter__(self) -> Self:
        self.wait()
        self._timer = self._loop.call_later(self._seconds, self._look)
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def wait(self) -> None:
        """Begin to wait."""
        self._until: float | None = self._loop.time() + self._seconds

    def heard(self) -> None:
        """Wait no more.

        Raises
        ------
        CancelledError
            It was too late, and the model swallowed that it was told so.
        """
        if self._deadline.expired():
            raise asyncio.CancelledError
        self._until = None

    def _look(self) -> None:
        now = self._loop.time()
        if self._until is not None and self._until <= now:
            self._deadline.reschedule(now)
        else:
            again = self._until or now + self._seconds
            self._timer = self._loop.call_at(again, self._look)


def is_token(chunk: Chunk) -> bool:
    """Tell whether ``chunk`` is part of the answer: not only its usage, or a warning."""
    return bool(chunk.text or chunk.logprob is not None or not (chunk.usage or chunk.warning))
