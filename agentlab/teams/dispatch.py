"""A task for whoever fits best, and for the next one if that fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from agentlab.core.bounds import at_least_one
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.drive import drive, result_of
from agentlab.core.errors import (
    ErrorKind,
    InvalidValue,
    NotConfigured,
    OrchestrationError,
    explain,
    kind_of,
)
from agentlab.core.events import Phase, ReActStep
from agentlab.core.portable import Portable
from agentlab.core.run import Run
from agentlab.core.sync import twin
from agentlab.core.text import clean, one_line
from agentlab.core.trace import Trace
from agentlab.teams.capability import CapabilityMatch, CapabilityQuery
from agentlab.teams.crew import Crew, a_limit, as_infer, as_worker, mapped, opened

if TYPE_CHECKING:
    from agentlab.teams.discovery import AgentRegistry

NAME = "dispatch"


class DispatchAttempt(Portable, Displayable, msgspec.Struct, frozen=True):
    """One agent that was given the task, or was passed over, and what came of it."""

    agent_id: str
    capability: str
    score: float
    why: str
    ok: bool
    ms: float = 0.0
    answer: str | None = None
    error: str | None = None
    error_kind: ErrorKind | None = None


class DispatchFailed(OrchestrationError):
    """Nobody could do it; ``attempts`` tell who tried, and ``kind`` whether it may pass."""

    def __init__(self, message: str, attempts: Sequence[DispatchAttempt] = ()) -> None:
        super().__init__(message)
        self.attempts = list(attempts)
        kinds = {each.error_kind for each in attempts}
        self.kind = "transient" if "transient" in kinds else "permanent" if kinds else "not_found"


@dataclass
class DispatchResult(Displayable, Tabular):
    """Who did a task, why it was that one, and who failed before.

    Attributes
    ----------
    task, answer : str
        What was to be done, and what came out.
    agent_id, why : str
        Who did it, and its score taken apart.
    attempts : list of DispatchAttempt
        All who were given it, in order; the last one did it.
    trace : Trace or None
        All that was said, where this was run.
    """

    task: str
    answer: str
    agent_id: str
    why: str
    attempts: list[DispatchAttempt] = field(default_factory=list)
    trace: Trace | None = field(default=None, compare=False, repr=False)

    def __repr__(self) -> str:
        return one_line(f"<DispatchResult {self.agent_id!r}: {self.why}>")

    def rows(self) -> list[DispatchAttempt]:
        """Give a row an attempt."""
        return list(self.attempts)

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain JSON, without the trace."""
        told = {name: getattr(self, name) for name in ("task", "answer", "agent_id", "why")}
        return {**told, "attempts": [each.to_dict() for each in self.attempts]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> DispatchResult:
        """Read what :meth:`to_dict` gave."""
        try:
            attempts = [DispatchAttempt.from_dict(each) for each in data["attempts"]]
            return cls(**{**data, "attempts": attempts})
        except (KeyError, TypeError) as error:
            raise InvalidValue(f"not the data of a DispatchResult: {error}") from None


class Dispatch:
    """Gives a task to the agent that fits best; if it fails, to the next.

    An agent fails that raises, takes too long, or ends without an answer.

    Parameters
    ----------
    registry : AgentRegistry
        Who there is.
    query : CapabilityQuery
        Who is to do it.
    infer : callable, optional
        ``infer(agent_id, prompt)`` answers for whoever is not in ``agents``.
    agents : mapping, optional
        By id: a runtime or another strategy, a model, or a function of the prompt.
    max_attempts : int, optional
        How many may try; by default all that fit and are known.
    timeout_s : float, optional
        Real time for each of them.
    blame : bool
        Tell the registry of whoever fails: until its next heartbeat it is degraded.

    Raises
    ------
    InvalidValue
        ``agents`` is no mapping, one of it can do nothing, or a number is none.
    NotConfigured
        There is neither ``infer`` nor ``agents``.
    """

    strategy_name = NAME
    brings_models = True  # who has none, and no infer, is not asked

    def __init__(  # noqa: PLR0913 - settings, by keyword
        self,
        registry: AgentRegistry,
        query: CapabilityQuery,
        infer: Any = None,
        *,
        agents: Mapping[str, Any] | None = None,
        max_attempts: int | None = None,
        timeout_s: float | None = None,
        blame: bool = True,
    ) -> None:
        mapped(agents)
        if infer is None and not agents:
            raise NotConfigured("agents", "pass agents={id: runtime, …} or infer(agent_id, prompt)")
        self.registry, self.query = registry, query
        self._infer, self._model = infer, None if infer is None else as_infer(infer)
        self._workers = {str(name): as_worker(name, each) for name, each in (agents or {}).items()}
        self._limit = None if max_attempts is None else at_least_one("max_attempts", max_attempts)
        a_limit("timeout_s", timeout_s)
        self._timeout_s, self._blame = timeout_s, blame

    def __repr__(self) -> str:
        return f"Dispatch({self.registry!r}, agents={sorted(self._workers)})"

    async def __call__(self, run: Run, goal: str, /) -> DispatchResult:
        """Let one after the other try, as children of ``run``."""
        attempts: list[DispatchAttempt] = []
        crew = Crew(run, self._workers, self._model, self._timeout_s)
        for index, match in enumerate(await self._candidates()):
            run.emit(Phase(NAME, f"{match.agent_id}: {match!s}"))
            attempt = await attempted(run, crew, match, goal)
            attempts.append(attempt)
            await run.end_step(told(attempt, index))
            if attempt.answer is not None:
                who, why = attempt.agent_id, attempt.why
                return DispatchResult(goal, attempt.answer, who, why, attempts, run.trace)
            if self._blame:
                await self.registry.blame(match.agent_id)
        raise DispatchFailed(in_vain(attempts), attempts)

    async def run(self, task: str) -> DispatchResult:
        """Do it without a runtime."""
        run, session = opened(NAME, self._infer, self._workers, (), clock=self.registry.clock)
        return result_of(await drive(run, session, self, task), DispatchResult)

    run_sync = twin(run)

    async def _candidates(self) -> list[CapabilityMatch]:
        """Give the best match of each agent that can be reached, best first."""
        found: dict[str, CapabilityMatch] = {}
        for match in await self.registry.query(self.query):
            if match.agent_id in self._workers or self._model is not None:
                found.setdefault(match.agent_id, match)
        return list(found.values())[: self._limit]


async def attempted(run: Run, crew: Crew, match: CapabilityMatch, goal: str) -> DispatchAttempt:
    """Let an agent try, and say what came of it."""
    began = run.clock.monotonic()
    answer: str | None = None
    error: str | None = None
    kind: ErrorKind | None = None
    try:
        session = await crew.take(crew.turn(match.agent_id), goal)
        answer = session.answer
        if answer is None:
            error = session.error or f"it ended without an answer: {session.stop_reason}"
            kind = "transient" if session.stop_reason == "timeout" else "permanent"
    except Exception as wrong:  # noqa: BLE001 - the next one may do better
        error, kind = clean(explain(wrong)), kind_of(wrong)
    return DispatchAttempt(
        match.agent_id, match.capability.name, match.score, str(match), answer is not None,
        (run.clock.monotonic() - began) * 1000, answer, error, kind,
    )  # fmt: skip


def told(attempt: DispatchAttempt, index: int) -> ReActStep:
    """Give an attempt as a step."""
    return ReActStep(
        attempt.why,
        attempt.agent_id,
        attempt.answer or attempt.error or "",
        index,
        error_kind=attempt.error_kind,
        step_duration_ms=round(attempt.ms),
    )


def in_vain(attempts: Sequence[DispatchAttempt]) -> str:
    """Say who tried in vain."""
    if not attempts:
        return "no agent fits that can be reached: see registry.query(query), and agents="
    told = "; ".join(f"{each.agent_id!r}: {each.error}" for each in attempts)
    return f"no agent could do it: {told}"
