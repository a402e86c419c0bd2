"""Models with a policy round them: try again, and fail fast.

The usual order is ``Retrying(Guarded(model, breaker), policy)``: each attempt asks the breaker and
counts, and an open one ends the trying at once. ``Guarded(Retrying(model, policy), breaker)``
counts a question as one failure when all its attempts have failed, and keeps a slot of a
backpressure guard while it waits between them. Both pass on what the inner model is called and
how it is best told what to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

from agentlab.core.errors import explain
from agentlab.core.guards import Outcome, a_guard, able, admitted, outcome, settle
from agentlab.core.protocols import Chunk, Guard, Model, Patience, Request
from agentlab.core.secrets import scrub
from agentlab.core.sync import closing
from agentlab.core.text import clean, cut
from agentlab.models.naming import as_model, name_of, needs_model

MAX_REASON_CHARS = 200


class Wrapped:
    """A model round another, by whose name and profile it goes.

    Parameters
    ----------
    model : anything that answers
        See :func:`agentlab.as_model`.
    """

    def __init__(self, model: Any) -> None:
        self.model: Model = as_model(model)

    @property
    def name(self) -> str:
        """What the inner model is called."""
        return name_of(self.model)

    @property
    def profile(self) -> str | None:
        """How the inner model is best told what to do, if it knows."""
        profile: str | None = getattr(self.model, "profile", None)
        return profile

    @property
    def needs_model(self) -> bool:
        """Whether the inner model must be told each time which model is meant."""
        return needs_model(self.model)


class Retrying(Wrapped):
    """Ask again where a model failed and nothing of its answer has been shown.

    Once text was shown it cannot be taken back, so a stream that is torn later raises. With
    ``whole`` nothing is shown before the answer is complete, and a torn stream is tried again too.
    Every new attempt is told as a warning in the stream. What is raised in the end has
    ``attempts`` on it.

    Parameters
    ----------
    model : anything that answers
        See :func:`agentlab.as_model`.
    retry : Patience
        A :class:`~agentlab.resilience.retry.RetryPolicy`.
    whole : bool
        Show an answer when it is complete, not as it comes.
    """

    def __init__(self, model: Any, retry: Patience, *, whole: bool = False) -> None:
        super().__init__(model)
        self.retry, self.whole = able(retry, "pause", "a RetryPolicy"), whole

    def __repr__(self) -> str:
        return f"Retrying({self.model!r}, {self.retry!r}{', whole=True' * self.whole})"

    async def stream(self, request: Request, /) -> AsyncIterator[Chunk]:
        """Answer, at the first attempt or a later one."""
        clock, held = self.retry.clock, list[Chunk]()
        began = clock.monotonic()
        for attempt in count(1):
            shown = False
            held.clear()
            try:
                async with closing(self.model.stream(request)) as chunks:
                    async for chunk in chunks:
                        if self.whole and says(chunk):
                            held.append(chunk)
                            continue
                        shown = shown or says(chunk)
                        yield chunk
                break
            except Exception as error:
                spent = clock.monotonic() - began
                pause = None if shown else self.retry.pause(attempt, error, spent)
                if pause is None:
                    vars(error)["attempts"] = attempt
                    raise
                warning = self._again(error, pause, attempt + 1)
            yield Chunk("", warning=warning)
            await clock.sleep(pause)
        for chunk in held:
            yield chunk

    def _again(self, error: Exception, pause: float, attempt: int) -> str:
        reason = cut(scrub(clean(explain(error))), MAX_REASON_CHARS)
        which = f"attempt {attempt} of {self.retry.max_attempts}"
        return f"{self.name} failed ({reason}), trying again in {pause:.3g} s ({which})"


class Guarded(Wrapped):
    """Ask only when a guard lets the question in, and tell it how that went.

    A stream that ended is a success, and so is one whose reader left after it had begun to
    answer; an error that says something about the service is a failure, unless the guard has a
    ``should_count`` that says otherwise. Of a cancellation, a reader who left before any answer,
    or an error of ours, the guard is told nothing but that the question is over.

    Parameters
    ----------
    model : anything that answers
        See :func:`agentlab.as_model`.
    guard : Guard
        A circuit breaker, or a backpressure guard.
    subject : str
        Whom a refusal names; by default ``model:`` and the model's name.
    """

    def __init__(self, model: Any, guard: Guard, *, subject: str = "") -> None:
        super().__init__(model)
        self.guard, self.subject = a_guard(guard), subject or f"model:{self.name}"

    def __repr__(self) -> str:
        return f"Guarded({self.model!r}, {self.guard!r})"

    async def stream(self, request: Request, /) -> AsyncIterator[Chunk]:
        """Answer.

        Raises
        ------
        CircuitOpen
            The breaker is open, and the model was not asked.
        """
        permit, answered = await admitted(self.guard, self.subject), False
        try:
            async with closing(self.model.stream(request)) as chunks:
                async for chunk in chunks:
                    answered = answered or says(chunk)
                    yield chunk
        except BaseException as error:
            await settle(permit, self._outcome(error, answered=answered), self.subject)
            raise
        await settle(permit, "success", self.subject)

    def _outcome(self, error: BaseException, *, answered: bool) -> Outcome:
        if isinstance(error, GeneratorExit):
            task = asyncio.current_task()
            return "success" if answered and not (task and task.cancelling()) else "cancel"
        return outcome(self.guard, error)


def says(chunk: Chunk) -> bool:
    """Tell whether ``chunk`` is part of an answer, and not only about it."""
    if not isinstance(chunk, Chunk):
        return True  # whatever it is, it is not to be said twice
    return bool(chunk.text or chunk.top or chunk.is_final) or chunk.logprob is not None
