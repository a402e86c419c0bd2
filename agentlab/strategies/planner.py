"""A planner: it takes a task apart by methods until only calls of tools are left.

Source of the idea: Erol, Hendler and Nau 1994, "HTN Planning: Complexity and Expressivity".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from agentlab.core.bounds import at_least_one, count_of, each_of
from agentlab.core.doors import Displayable
from agentlab.core.errors import InvalidValue
from agentlab.core.portable import Portable
from agentlab.core.protocols import Strategy
from agentlab.core.run import Run
from agentlab.strategies.execution import ExecutionPlan, PlannedRun
from agentlab.strategies.search import (
    DepthExceeded,
    Limits,
    NodeLimitExceeded,
    NoMethodFound,
    NoPreconditionSatisfied,
    Search,
    SearchError,
    StepLimitExceeded,
)
from agentlab.strategies.tasks import (
    Method,
    PlanStep,
    Precondition,
    Task,
    bindings_of,
    task_of,
    world_of,
)

if TYPE_CHECKING:
    from typing import Self

    from agentlab.strategies.bridge import Bridge
    from agentlab.strategies.loop import Loop

__all__ = [
    "DepthExceeded", "ExecutionPlan", "Method", "NoMethodFound", "NoPreconditionSatisfied",
    "NodeLimitExceeded", "PlanStep", "Planner", "PlannerConfig", "Precondition", "SearchError",
    "StepLimitExceeded", "Task",
]  # fmt: skip

Selection = Literal["most_specific", "first"]


@dataclass(frozen=True, slots=True)
class PlannerConfig(Portable):
    """Where a search ends, and which method it tries first.

    Parameters
    ----------
    max_depth : int
        How deep a task may be; the goal's depth is 0.
    max_steps : int
        How many steps a plan may have.
    method_selection : {"most_specific", "first"}
        Of the methods that apply, try that with the most preconditions first (of equals the one
        registered first), or just the one registered first.
    max_nodes : int
        How many tasks a search may look at, those of methods that failed included.

    Raises
    ------
    InvalidValue
        A value that can never be right.
    """

    max_depth: int = 16
    max_steps: int = 256
    method_selection: Selection = "most_specific"
    max_nodes: int = 10_000

    def __post_init__(self) -> None:
        count_of("max_depth", self.max_depth)
        at_least_one("max_steps", self.max_steps)
        at_least_one("max_nodes", self.max_nodes)
        if self.method_selection not in get_args(Selection):
            raise InvalidValue(
                f"method_selection must be one of {get_args(Selection)}, "
                f"got {self.method_selection!r}"
            )


class Planner(Displayable):
    """Makes plans.

    >>> planner = Planner()
    >>> rest = [Task.primitive("wash"), Task.primitive("dry")]
    >>> planner.register_method(Method("clean up", rest))
    Planner(1 method of 1 task)
    >>> planner.plan("clean up")
    <ExecutionPlan 'clean up': wash, dry>

    It is a strategy: the goal of a run names the task, and the plan is carried out by the run's
    tools.

    Parameters
    ----------
    config : PlannerConfig
        Where a search ends, and what it tries first.
    world, bindings : mapping, optional
        What is the case, and what placeholders stand for, where a plan is made without more being
        said: as a strategy, for one.
    """

    strategy_name = "planner"
    brings_models = True  # for it asks none

    def __init__(
        self,
        config: PlannerConfig | None = None,
        *,
        world: Mapping[str, str] | None = None,
        bindings: Mapping[str, Any] | None = None,
    ) -> None:
        self.config = config or PlannerConfig()
        self.world = world_of(world)
        self.bindings = bindings_of(bindings)
        self._methods: dict[str, list[Method]] = {}

    def __repr__(self) -> str:
        count, tasks = sum(map(len, self._methods.values())), len(self._methods)
        return (
            f"{type(self).__name__}({count} method{'s' * (count != 1)} of"
            f" {tasks} task{'s' * (tasks != 1)})"
        )

    def register_method(self, method: Method) -> Self:
        """Add a way to do a task, after those that are there."""
        if not isinstance(method, Method):
            raise InvalidValue(f"a planner takes a Method, got {method!r:.80}")
        self._methods.setdefault(method.task, []).append(method)
        return self

    def register_methods(self, methods: Iterable[Method]) -> Self:
        """Add several ways, in order; all of them or, where one is none, not any."""
        for method in each_of("methods", methods, Method):
            self.register_method(method)
        return self

    def methods(self, task: str | None = None) -> list[Method]:
        """List the methods, or those of a task, as they were registered."""
        if task is not None:
            return [*self._methods.get(task, ())]
        return [method for several in self._methods.values() for method in several]

    def plan(self, goal: Task | str, *, bindings: Mapping[str, Any] | None = None) -> ExecutionPlan:
        """Make a plan for ``goal`` in the planner's own world, which is empty if none was given.

        Raises
        ------
        SearchError
            There is none; its class says why, and its ``choices`` where the search ended.
        """
        return self.plan_with_world(goal, self.world, bindings=bindings)

    def plan_with_world(
        self,
        goal: Task | str,
        world: Mapping[str, str],
        *,
        bindings: Mapping[str, Any] | None = None,
    ) -> ExecutionPlan:
        """Make a plan for ``goal`` where ``world`` is the case.

        Parameters
        ----------
        goal : Task or str
            What to do; a name is that of a compound task.
        world : mapping
            What is the case.
        bindings : mapping, optional
            What ``<name>`` in arguments stands for.

        Raises
        ------
        SearchError
            There is none; its class says why, and its ``choices`` where the search ended.
        """
        task, world, how = task_of(goal), world_of(world), self.config
        specific = how.method_selection == "most_specific"
        limits = Limits(how.max_depth, how.max_steps, how.max_nodes, specific)
        search = Search(self._methods, world, limits)
        search.run(task)
        plan = ExecutionPlan(task, tuple(search.steps), tuple(search.choices), world)
        known = {**self.bindings, **bindings_of(bindings)}
        return plan.bound(known) if known else plan

    async def __call__(self, run: Run, goal: str, /) -> PlannedRun:
        """Make a plan for the task that ``goal`` names, and call its tools."""
        return await self.plan(goal)(run)

    def bridge(self, loop: Loop | Strategy | None = None) -> Bridge:
        """Give a strategy that makes a plan and lets ``loop`` do each step.

        Parameters
        ----------
        loop : ReActLoop or Strategy, optional
            Who does the steps, each as a run of its own; by default ReAct with the run's tools.

        Raises
        ------
        InvalidValue
            ``loop`` is neither.
        """
        from agentlab.strategies.bridge import Bridge

        return Bridge(self, loop)
