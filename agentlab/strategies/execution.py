"""A plan of tool calls: what it is, why it is so, and how it is carried out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import msgspec

from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import ErrorKind, InvalidValue
from agentlab.core.events import Marked, ReActStep, Status, Warned
from agentlab.core.portable import Portable
from agentlab.core.protocols import Observation
from agentlab.core.run import Run
from agentlab.core.session import AgentSession
from agentlab.core.sync import twin
from agentlab.core.text import compact, cut
from agentlab.strategies.literals import decode
from agentlab.strategies.placeholders import bind, unbound
from agentlab.strategies.plan_chart import Above, draw, step_id
from agentlab.strategies.plan_steps import Came, came_of
from agentlab.strategies.tasks import Choice, PlanStep, Task


class Runtime(Protocol):
    """Carries a strategy out."""

    def run(self, goal: str, *, agent: str, strategy: Any) -> Awaitable[AgentSession]:
        """Work towards ``goal`` by it."""


MAX_DETAIL = 500


class PlannedRun(Displayable, msgspec.Struct, frozen=True):
    """What came of a plan: the outputs of its steps, in order, and how it ended."""

    answer: str | None
    outputs: tuple[str, ...] = ()
    stop_reason: str = "final_answer"
    error: str | None = None


class PlannedRow(Displayable, msgspec.Struct, frozen=True):
    """A step of a plan, in a row; ``method`` is what it is a part of."""

    step: int
    tool: str
    args: str
    depth: int
    source_task: str
    method: str | None


@dataclass(frozen=True)
class ExecutionPlan(Displayable, Tabular, Portable):
    """Calls of tools, in order, and the choices that led to them.

    It is a strategy: ``await lab.run("", strategy=plan)`` calls the tools, whatever the goal says.

    Attributes
    ----------
    goal : Task
        What it is a plan for.
    planned : tuple of PlanStep
        Its steps; ``plan.steps()`` and iterating give the same.
    choices : tuple of Choice
        For each compound task which method was chosen, and why the others were not.
    world : dict
        What was the case.
    """

    goal: Task
    planned: tuple[PlanStep, ...] = ()
    choices: tuple[Choice, ...] = ()
    world: Mapping[str, str] = field(default_factory=dict)

    strategy_name = "planner"
    brings_models = True  # for it asks none

    def __repr__(self) -> str:
        tools = ", ".join(step.tool for step in self.planned)
        return f"<ExecutionPlan {self.goal.name!r:.60}: {cut(tools, 200) or 'no steps'}>"

    def __hash__(self) -> int:
        return hash((self.goal, self.planned))

    def __len__(self) -> int:
        return len(self.planned)

    def __bool__(self) -> bool:
        return True  # a plan without steps is still one

    def __iter__(self) -> Iterator[PlanStep]:
        return iter(self.planned)

    def __getitem__(self, index: int) -> PlanStep:
        return self.planned[index]

    def steps(self) -> list[PlanStep]:
        """List the steps in order."""
        return [*self.planned]

    def unbound(self) -> list[str]:
        """Name the placeholders that have no value: neither a binding nor an earlier step's."""
        seen, tools = dict[str, None](), set[str]()
        for step in self.planned:
            seen.update(dict.fromkeys(unbound([step.args], tools)))
            tools.add(step.tool)
        return [*seen]

    def bound(self, bindings: Mapping[str, Any]) -> ExecutionPlan:
        """Give the plan with values in the places of placeholders."""
        steps = (
            msgspec.structs.replace(step, args=bind(step.args, bindings)) for step in self.planned
        )
        return ExecutionPlan(self.goal, tuple(steps), self.choices, self.world)

    def rows(self) -> list[PlannedRow]:
        """Give a row a step."""
        return [
            PlannedRow(n, step.tool, step.args, step.depth, step.source_task, self._method(step))
            for n, step in enumerate(self.planned, start=1)
        ]

    def _method(self, step: PlanStep) -> str | None:
        chosen = None if step.choice is None else self.choices[step.choice].chosen
        return chosen.method if chosen else None

    async def run(self, runtime: Runtime, *, agent: str = "agent") -> AgentSession:
        """Call the tools of ``runtime``, one after the other; its model is asked nothing.

        Raises
        ------
        InvalidValue
            ``runtime`` is none: what runs a plan is an :class:`agentlab.AgentRuntime`.
        """
        if not callable(getattr(runtime, "run", None)):
            raise InvalidValue(
                f"runtime must be an AgentRuntime, got {runtime!r:.80}:"
                " AgentRuntime('local', tools=[...]) is one"
            )
        return await runtime.run(self.goal.name, agent=agent, strategy=self)

    run_sync = twin(run)

    async def __call__(self, run: Run, goal: str = "", /) -> PlannedRun:  # noqa: ARG002 - it has one
        """Call the tools, one after the other, until one fails."""
        return await carry_out(run, self, call_tool)


Do: TypeAlias = Callable[[Run, PlanStep, Any, Mapping[str, str]], Awaitable[Came]]


async def call_tool(run: Run, step: PlanStep, args: Any, outputs: Mapping[str, str]) -> Came:  # noqa: ARG001
    """Do a step by calling its tool."""
    return came_of(await run.act(step.tool, args))


async def carry_out(run: Run, plan: ExecutionPlan, do: Do) -> PlannedRun:
    """Do the steps of a plan in order, until one fails; what a tool gave can be used by the next.

    In arguments ``<tool>`` stands for what that tool gave last.
    """
    draw(run, plan)
    if missing := plan.unbound():
        named = ", ".join(f"<{name}>" for name in missing)
        run.emit(Warned(f"nothing says what {named} is: plan(…, bindings={{…}}) does"))
    outputs, latest, above = list[str](), dict[str, str](), Above(run, plan)
    for n, step in enumerate(plan.planned):
        with above.around(n):
            came = await one(run, n, step, latest, do)
        above.came(n, ok=came.kind is None)
        if came.kind is not None:
            rest = range(n + 1, len(plan))
            for later in rest:
                run.emit(Marked(step_id(later), "skipped", "a step before it failed"))
            why = f"step {n + 1} ({step.tool}) failed: {came.text}"
            return PlannedRun(None, tuple(outputs), "error", why)
        outputs.append(came.text)
        latest[step.tool] = came.text
    return PlannedRun(outputs[-1] if outputs else "", tuple(outputs))


async def one(run: Run, n: int, step: PlanStep, outputs: Mapping[str, str], do: Do) -> Came:
    """Do a step, and tell of it."""
    at, began = run.clock.now(), run.clock.monotonic()
    run.emit(Marked(step_id(n), "running"))
    args: Any = step.args
    try:
        args = decode(bind(step.args, outputs, outputs=True))
        came = await do(run, step, args, outputs)
    except asyncio.CancelledError:
        run.emit(Marked(step_id(n), "cancelled"))
        raise
    except InvalidValue as error:
        said = f"invalid JSON args for tool '{step.tool}': {error}"
        kind: ErrorKind = "permanent"
        came = Came(said, kind, Observation(ok=False, error=said, error_kind=kind).text)
    status: Status = "done" if came.kind is None else "failed"
    run.emit(Marked(step_id(n), status, cut(came.text, MAX_DETAIL)))
    ms = round((run.clock.monotonic() - began) * 1000)
    seen = cut(came.observation or came.text, run.config.max_observation_chars)
    action = f"{step.tool} {compact(args)}"
    thought = f"{step.source_task}, step {n + 1}"
    await run.end_step(ReActStep(thought, action, seen, n, step.tool, args, came.kind, ms, at))
    return came
