"""A swarm: how a task is split, who does what, when it is enough, and what came of it. Values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec.structs import replace as changed

from agentlab.core.bounds import (
    a_kind,
    a_name,
    at_least_one,
    callback,
    count_of,
    each_of,
    finite_number,
    several,
)
from agentlab.core.doors import Displayable
from agentlab.core.errors import InternalError, InvalidValue
from agentlab.core.ids import AgentId
from agentlab.core.portable import Portable
from agentlab.core.protocols import Patience
from agentlab.core.text import clean
from agentlab.core.trace import Trace
from agentlab.teams.crew import a_limit, as_worker, variant
from agentlab.teams.results import Traced
from agentlab.teams.splitting import breadth, depth
from agentlab.teams.team_config import normalised

MAX_SUBTASKS = 64
NOTHING = "No successful subtask results to converge."

SubTaskStatus: TypeAlias = Literal["pending", "running", "completed", "failed", "cancelled"]
Splitter: TypeAlias = Callable[[str], Any]


class TaskSplitStrategy(StrEnum):
    """Whether a task is split into what can be done side by side, or those parts again."""

    Breadth = "breadth"
    Depth = "depth"


@dataclass(frozen=True)
class SwarmConfig:
    """How a swarm works; a ``with_`` method gives a changed copy.

    Parameters
    ----------
    max_agents : int
        How many agents are used, and how many subtasks are under way at once; 0 is no limit.
    task_split_strategy : TaskSplitStrategy
        ``Breadth`` splits at list markers, commas and ``and``; ``Depth`` splits these parts again
        at ``then`` and the like, and does the pieces of a part one after the other.
    convergence_threshold : float
        Which share of the subtasks must succeed; then the others are cancelled. At least one must.
    splitter : callable, optional
        Splits the task instead: gives texts, or for those to be done one after the other several
        texts in place of one; it may be async.
    synthesise : anything that answers, optional
        Makes one text of the results; by default they are listed.
    retry : RetryPolicy, optional
        Lets an agent try a subtask again.
    reassign : bool
        Let the next agent try once what an agent could not do.
    timeout_s : float, optional
        How long each attempt may take, in seconds of real time.
    """

    max_agents: int = 0
    task_split_strategy: TaskSplitStrategy = TaskSplitStrategy.Breadth
    convergence_threshold: float = 1.0
    splitter: Splitter | None = None
    synthesise: Any = None
    retry: Patience | None = None
    reassign: bool = False
    timeout_s: float | None = None

    def __post_init__(self) -> None:
        count_of("max_agents", self.max_agents)
        kind = variant(TaskSplitStrategy, "task_split_strategy", self.task_split_strategy)
        object.__setattr__(self, "task_split_strategy", kind)
        share = self.convergence_threshold
        if not finite_number(share) or not 0 <= share <= 1:
            raise InvalidValue(f"convergence_threshold must be between 0 and 1, got {share!r}")
        if self.splitter is not None:
            callback("splitter", self.splitter)
        if self.synthesise is not None:
            object.__setattr__(self, "synthesise", as_worker("synthesis", self.synthesise))
        if self.retry is not None and not callable(getattr(self.retry, "pause", None)):
            raise InvalidValue(f"retry must be a RetryPolicy, got {self.retry!r:.80}")
        a_limit("timeout_s", self.timeout_s)

    def with_max_agents(self, count: int) -> SwarmConfig:
        """Give a copy that uses another number of agents."""
        return replace(self, max_agents=count)

    def with_task_split_strategy(self, strategy: TaskSplitStrategy) -> SwarmConfig:
        """Give a copy that splits in another way."""
        return replace(self, task_split_strategy=strategy)

    def with_convergence_threshold(self, share: float) -> SwarmConfig:
        """Give a copy for which another share of successes is enough."""
        return replace(self, convergence_threshold=share)

    def required(self, total: int) -> int:
        """Tell how many of so many subtasks must succeed.

        >>> SwarmConfig(convergence_threshold=0.07).required(100)
        7
        """
        least = math.ceil(total * self.convergence_threshold - 1e-9)
        return min(total, max(1, least))


class SubTask(Portable, Displayable, msgspec.Struct, frozen=True):
    """A part of a task; those of one ``chain`` are done one after the other."""

    id: str
    description: str
    prompt: str
    assigned_agent: str = ""
    status: SubTaskStatus = "pending"
    result: str | None = None
    depth: int = 0
    chain: int = 0


class SubTaskResult(Portable, Displayable, msgspec.Struct, frozen=True):
    """What came of a subtask; ``agent_id`` is who did it in the end."""

    subtask_id: str
    agent_id: str
    output: str
    success: bool
    error: str | None = None
    status: SubTaskStatus = "completed"
    description: str = ""
    attempts: int = 1
    ms: int = 0


@dataclass(frozen=True, repr=False)
class SwarmResult(Traced):
    """What a swarm came to.

    Attributes
    ----------
    task : str
        What it was about.
    subtask_results : tuple of SubTaskResult
        One a subtask, in their order.
    converged_answer : str
        All results as one text; ``answer`` is the same.
    failure_count : int
        How many subtasks failed; those that were cancelled did not.
    threshold_met : bool
        Whether enough succeeded.
    required : int
        How many that was.
    trace : Trace or None
        All that was said.
    """

    task: str
    subtask_results: tuple[SubTaskResult, ...]
    converged_answer: str
    failure_count: int
    threshold_met: bool
    required: int = 0
    duration_ms: int = 0
    trace: Trace | None = field(default=None, compare=False, repr=False)

    def __repr__(self) -> str:
        done = sum(each.success for each in self.subtask_results)
        return f"<SwarmResult {self.task[:60]!r}, {done} of {len(self.subtask_results)} succeeded>"

    @property
    def answer(self) -> str:
        """What the swarm answers."""
        return self.converged_answer

    def all_succeeded(self) -> bool:
        """Tell whether every subtask succeeded."""
        return all(each.success for each in self.subtask_results)

    def cancelled(self) -> list[SubTaskResult]:
        """List those that were not needed any more."""
        return [each for each in self.subtask_results if each.status == "cancelled"]


class AgentSwarm:
    """Agents, and the subtasks they share.

    >>> swarm = AgentSwarm(SwarmConfig(), ["ann", "bob"])
    >>> [(each.id, each.assigned_agent) for each in swarm.assign(swarm.split_task("a, b and c"))]
    [('st-0', 'ann'), ('st-1', 'bob'), ('st-2', 'ann')]

    Parameters
    ----------
    config : SwarmConfig
        How to split.
    agents : iterable of str
        Who there is.
    """

    def __init__(self, config: SwarmConfig | None = None, agents: Iterable[str] = ()) -> None:
        self.config = SwarmConfig() if config is None else a_kind("config", config, SwarmConfig)
        self.agents = [str(AgentId(a_name("agent", each))) for each in several("agents", agents)]

    def __repr__(self) -> str:
        return f"AgentSwarm({self.agents!r})"

    def pool(self) -> list[str]:
        """List the agents that are used.

        Raises
        ------
        InternalError
            There are none.
        """
        if not self.agents:
            raise InternalError("a swarm has no agents: add_agent(id) adds one")
        return self.agents[: self.config.max_agents or None]

    def split_task(self, task: str) -> list[SubTask]:
        """Split a task; a ``splitter`` that is async is awaited by the orchestrator only."""
        task = clean(task)
        if self.config.splitter is not None:
            return subtasks(self.config.splitter(task))
        parts = breadth(task)
        if self.config.task_split_strategy is TaskSplitStrategy.Breadth:
            return subtasks(parts)
        return subtasks([depth(part) for part in parts])

    def assign(self, parts: Sequence[SubTask]) -> list[SubTask]:
        """Deal subtasks out, one to each agent in turn."""
        pool = self.pool()
        dealt = enumerate(each_of("parts", parts, SubTask))
        return [changed(part, assigned_agent=pool[i % len(pool)]) for i, part in dealt]

    def converge_results(self, results: Sequence[SubTaskResult]) -> str:
        """Make one text of results; see :func:`converge_results`."""
        return converge_results(results)


def subtasks(parts: Iterable[str | Sequence[str]]) -> list[SubTask]:
    """Make subtasks of texts, and of several that are done one after the other.

    Of more than 64 the last holds all that are left.

    Raises
    ------
    InvalidValue
        They are no texts.
    """
    if isinstance(parts, str) or not isinstance(parts, Iterable):
        raise InvalidValue(f"a splitter gives several texts, got {parts!r:.80}")
    made = list[SubTask]()
    for n, part in enumerate(parts):
        alone = isinstance(part, str)
        some = part if isinstance(part, list | tuple) else [part]
        for j, text in enumerate(some):
            if not isinstance(text, str):
                raise InvalidValue(f"a subtask is a text, got {text!r:.80}")
            text = clean(text).strip()  # noqa: PLW2901 - the same, as it is used
            if text:
                name = f"st-{n}" if alone else f"st-{n}-d{j}"
                made.append(SubTask(name, text, text, depth=int(not alone), chain=n))
    if len(made) <= MAX_SUBTASKS:
        return made
    rest = "; ".join(each.prompt for each in made[MAX_SUBTASKS - 1 :])
    last = changed(made[MAX_SUBTASKS - 1], description=rest, prompt=rest)
    return [*made[: MAX_SUBTASKS - 1], last]


def converge_results(results: Sequence[SubTaskResult]) -> str:
    """Make one text of what succeeded, in their order; what is said twice stands there once."""
    results = each_of("results", results, SubTaskResult)
    good = [each for each in results if each.success]
    if len(good) <= 1:
        return good[0].output if good else NOTHING
    distinct = dict[str, SubTaskResult]()
    for each in good:
        distinct.setdefault(normalised(each.output), each)
    lines = [f"{i}. [{r.agent_id}] {r.output}" for i, r in enumerate(distinct.values(), start=1)]
    return "\n".join([f"Synthesised answer from {len(good)} agent result(s):", *lines])


def limit_of(config: SwarmConfig, total: int) -> int:
    """Tell how many subtasks may be under way at once."""
    return at_least_one("max_agents", config.max_agents or max(total, 1))
