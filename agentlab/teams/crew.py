"""Who works for a team, a swarm or a debate: whatever answers, each turn a run of its own.

Every turn is a child of the team's run, driven like any run: what an agent says streams on the
one trace under its own name, and its session is one of the children of the team's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from agentlab.core.bounds import positive
from agentlab.core.clock import Clock
from agentlab.core.config import AgentConfig
from agentlab.core.drive import begin, driven
from agentlab.core.errors import InvalidValue, NotConfigured, kind_of
from agentlab.core.events import ReActStep
from agentlab.core.protocols import Model, Request, Strategy
from agentlab.core.run import Run
from agentlab.core.session import AgentSession
from agentlab.core.text import clean, suggestion
from agentlab.models.function import FunctionModel
from agentlab.models.naming import ANSWERS, as_model, name_of, needs_model
from agentlab.strategies.react import Outcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agentlab.core.protocols import Chunk

E = TypeVar("E", bound=StrEnum)
ITERATIONS = 10  # of an agent that is a strategy, and brings no settings


class Ask:
    """What an agent does that is only a model: it is asked once, and what it says is its answer."""

    strategy_name = "ask"

    async def __call__(self, run: Run, goal: str, /) -> Outcome:
        """Ask."""
        return Outcome((await run.ask(goal)).text)


@dataclass(frozen=True, slots=True)
class Worker:
    """An agent: how it works, and with what, where that is not what the team works with."""

    strategy: Strategy
    model: Model | None = None
    name: str = ""


@dataclass(slots=True)
class Turn:
    """A turn of an agent, which may be over, or not have begun."""

    agent: str
    run: Run
    strategy: Strategy


class Nobody:
    """The model of a team each of whose agents brings its own."""

    async def stream(self, request: Request, /) -> AsyncIterator[Chunk]:
        """Refuse.

        Raises
        ------
        NotConfigured
            Always.
        """
        raise NotConfigured("infer", f"nobody answers for {request.agent!r}: pass infer")
        yield


class Crew:
    """The agents of one run, while it goes on.

    Parameters
    ----------
    run : Run
        Whose children their turns are.
    workers : mapping
        Those agents that bring something of their own.
    model : Model, optional
        What answers for the others; by default the run's own.
    timeout_s : float, optional
        How long a turn may take, in seconds of real time.
    """

    def __init__(
        self,
        run: Run,
        workers: Mapping[str, Worker],
        model: Model | None = None,
        timeout_s: float | None = None,
    ) -> None:
        self._run, self._workers = run, workers
        self._other, self._model = Worker(Ask()), model
        self._ms = None if timeout_s is None else max(1, round(timeout_s * 1000))
        self._configs: dict[str, AgentConfig] = {}

    def turn(self, agent: str) -> Turn:
        """Give an agent a turn. Of those that work side by side, all turns are given first."""
        worker = self._workers.get(agent, self._other)
        if agent not in self._configs:
            self._configs[agent] = self._config(worker)
        model = worker.model or self._model
        child = self._run.child(agent, model=model, config=self._configs[agent])
        return Turn(agent, child, worker.strategy)

    async def answer(self, turn: Turn, prompt: str) -> str:
        """Let an agent have its turn, and give what it answers; see :meth:`work`."""
        return (await self.work(turn, prompt)).answer or ""

    async def work(self, turn: Turn, prompt: str) -> AgentSession:
        """Let an agent have its turn, and give its session, which has an answer.

        Raises
        ------
        Exception
            It failed; what it raised, with its session.
        AgentLoopError
            It ended without an answer: its time was up, say.
        """
        session = await self.take(turn, prompt)
        session.raise_for_status()
        return session

    async def take(self, turn: Turn, prompt: str) -> AgentSession:
        """Let an agent have its turn, and give its session, which may have no answer."""
        return await driven(turn.run, turn.strategy, clean(prompt))

    def _config(self, worker: Worker) -> AgentConfig:
        config = self._run.config
        changes: dict[str, Any] = {"model": worker.name} if worker.name else {}
        if self._ms is not None:
            mine = config.loop_timeout_ms
            changes["loop_timeout_ms"] = self._ms if mine is None else min(mine, self._ms)
        return replace(config, **changes) if changes else config


def as_infer(infer: Any) -> Model:
    """Make a model of ``infer(agent_id, prompt)``, or of whatever else answers."""
    plain = callable(infer) and not isinstance(infer, type | str)
    if plain and not any(hasattr(infer, name) for name in ANSWERS):
        return FunctionModel(infer, with_agent=True)
    return as_model(infer)


def as_worker(agent: str, given: Any) -> Worker:
    """Take a runtime, a strategy, or whatever answers (see :func:`agentlab.as_model`).

    Raises
    ------
    InvalidValue
        It is nothing of these.
    """
    if isinstance(given, Worker):
        return given
    if isinstance(getattr(given, "strategy_name", None), str):
        if isinstance(given, type):
            raise InvalidValue(f"agent {agent!r} is a class, {given!r}: pass one made of it")
        return Worker(given)
    if given is None:
        raise InvalidValue(f"agent {agent!r} is None: pass a runtime, a strategy, or a model")
    model = as_model(given)
    return Worker(Ask(), model, name="" if needs_model(given) else name_of(given))


def as_workers(agents: Mapping[str, Any] | None, known: Iterable[str]) -> dict[str, Worker]:
    """Take what some of the known agents are.

    Raises
    ------
    InvalidValue
        One is not known, or cannot work.
    """
    names = list(known)
    mapped(agents)
    for agent in agents or ():
        if agent not in names:
            near = suggestion(str(agent), names)
            raise InvalidValue(f"no agent here is called {agent!r}{near}: they are {names!r}")
    return {str(agent): as_worker(agent, given) for agent, given in (agents or {}).items()}


def mapped(agents: object) -> None:
    """Refuse what says of nobody what they are."""
    if agents is not None and not isinstance(agents, Mapping):
        raise InvalidValue(f"agents must be a mapping of ids, got {agents!r:.80}: pass {{id: …}}")


def variant(kind: type[E], name: str, value: object) -> E:
    """Give a variant, which may be given by its value.

    Raises
    ------
    InvalidValue
        There is no such one.
    """
    try:
        return kind(str(value))
    except ValueError:
        known = [str(each) for each in kind]
        raise InvalidValue(f"{name} must be one of {known}, got {value!r:.80}") from None


def a_limit(name: str, seconds: float | None) -> None:
    """Refuse what is no limit of time."""
    if seconds is not None:
        positive(name, seconds, "no limit")


def turn_step(action: str, said: str, index: int, failure: Exception | None, ms: int) -> ReActStep:
    """Give an agent's turn as a step: what it said, or what went wrong."""
    kind = kind_of(failure) if failure else None
    return ReActStep("", action, said, index, error_kind=kind, step_duration_ms=ms)


def opened(  # noqa: PLR0913 - whatever a run that stands alone is made of
    agent: str,
    infer: Any,
    workers: Mapping[str, Worker],
    needed: Iterable[str],
    *,
    clock: Clock,
    seed: int | None = None,
) -> tuple[Run, AgentSession]:
    """Begin a run that stands alone.

    Raises
    ------
    NotConfigured
        There is no ``infer``, and somebody brings nothing of their own.
    """
    missing = [each for each in needed if each not in workers]
    if infer is None and missing:
        raise NotConfigured("infer", f"nobody answers for {missing!r}: pass infer, or agents=")
    name = "agents" if infer is None else name_of(infer)
    model = Nobody() if infer is None else as_infer(infer)
    config = AgentConfig(ITERATIONS, name, seed=seed)
    return begin(agent=agent, model=model, config=config, clock=clock)
