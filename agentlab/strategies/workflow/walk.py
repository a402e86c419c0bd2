"""One step of a workflow after another: what is told of it, and who does what."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from msgspec.structs import replace as replaced

from agentlab.core.chart import Chart
from agentlab.core.drive import driven
from agentlab.core.errors import WorkflowError, explain, kind_of
from agentlab.core.events import Action, Charted, Marked, ReActStep, Status, Warned
from agentlab.core.protocols import Tools
from agentlab.core.run import Run
from agentlab.core.text import compact, cut
from agentlab.strategies.react import OutOfTimeError, in_time
from agentlab.strategies.workflow.chart import below, strategy_of
from agentlab.strategies.workflow.context import WorkflowContext, filled_json, merge
from agentlab.strategies.workflow.definition import Workflow
from agentlab.strategies.workflow.errors import (
    MaxIterationsExceeded,
    StepFailed,
    ToolNotFound,
    as_failed,
)
from agentlab.strategies.workflow.result import TaskRun
from agentlab.strategies.workflow.steps import Branch, Loop, Parallel, Task, WorkflowStep
from agentlab.tools.textual import arguments, as_spec

UNNAMED = re.compile(r"[^\w.]+")
GIST = 300  # letters of an output that a mark holds; all of it is in the step


class Board:
    """Tells how each part of a workflow stands; all of it as one chart, of one run.

    Parameters
    ----------
    run : Run
        The run of the workflow.
    plan : Charted
        Its parts.
    """

    def __init__(self, run: Run, plan: Charted) -> None:
        self._run, self._plan = run, plan
        self._marks: dict[str, Marked] = {}
        self._within: dict[str, list[str]] = {}
        for node in plan.nodes:
            if node.parent is not None:
                self._within.setdefault(node.parent, []).append(node.id)
        run.emit(plan)

    def mark(self, node: str, status: Status, detail: str = "") -> None:
        """Say how a part stands now."""
        mark = self._marks[node] = Marked(node, status, detail)
        self._run.emit(mark)

    def skip(self, node: str) -> None:
        """Say that a part, with all in it, is left out, unless it was done at another time."""
        for each in self._all(node):
            if each not in self._marks:
                self.mark(each, "skipped")

    def chart(self) -> Chart:
        """Give how all stands."""
        return Chart(self._plan, {**self._marks})

    def _all(self, node: str) -> Iterator[str]:
        yield node
        for each in self._within.get(node, ()):
            yield from self._all(each)


@dataclass
class Arm:
    """One line of work: a run, what it knows, and what it has done."""

    board: Board
    run: Run
    tools: Tools | None
    context: WorkflowContext
    done: list[TaskRun] = field(default_factory=list)
    turns: int = 0

    async def take(self, where: str, step: WorkflowStep) -> None:
        """Take a step, and tell how it goes."""
        self.board.mark(where, "running")
        try:
            detail = await self._take(where, step)
        except Exception as error:
            own = isinstance(step, Task) and isinstance(error, StepFailed)
            why = error.args[1] if own else explain(error)
            self.board.mark(where, "failed", cut(why, GIST))
            raise
        except BaseException:
            self.board.mark(where, "cancelled")
            raise
        self.board.mark(where, "done", detail)

    async def _take(self, where: str, step: WorkflowStep) -> str:
        match step:
            case Task():
                return await self._task(where, step)
            case Branch():
                return await self._branch(where, step)
            case Parallel():
                return await self._parallel(where, step)
            case Loop():
                return await self._loop(where, step)
        raise WorkflowError(f"{where} is no step: {step!r:.80}")

    async def _branch(self, where: str, step: Branch) -> str:
        yes = self.context.evaluate_condition(step.condition)
        ways = {True: ("if_true", step.if_true), False: ("if_false", step.if_false)}
        (name, taken), (other, _) = ways[yes], ways[not yes]
        self.board.skip(below(where, other))
        if taken is None:
            self.board.mark(below(where, name), "done")
        else:
            await self.take(below(where, name), taken)
        return "yes" if yes else "no"

    async def _loop(self, where: str, step: Loop) -> str:
        for turn in range(step.max_iters):
            self.board.mark(where, "running", f"pass {turn + 1} of {step.max_iters}")
            await self.take(below(where, "body"), step.body)
            await asyncio.sleep(0)  # there may be no task in it, and others want to work
            if step.until is not None and self.context.evaluate_condition(step.until):
                return passes(turn + 1)
        if step.until is not None and not self.context.evaluate_condition(step.until):
            raise MaxIterationsExceeded(step.max_iters)
        if not step.max_iters:
            self.board.skip(below(where, "body"))
        return passes(step.max_iters)

    async def _parallel(self, where: str, step: Parallel) -> str:
        arms = [self._beside(below(where, name), inner) for name, inner in step.within]
        failed: dict[int, Exception] = {}
        gate = asyncio.Semaphore(step.max_concurrency or len(arms) or 1)

        async def work(i: int) -> None:
            async with gate:
                try:
                    await arms[i].work()
                except Exception as error:
                    if not being_cancelled():
                        failed[i] = error
                    raise

        try:
            async with asyncio.TaskGroup() as group:
                for i in range(len(arms)):
                    group.create_task(work(i))
        except BaseExceptionGroup as several:
            if not failed:
                raise several.exceptions[0] from None
            first = min(failed)
            error = as_failed(arms[first].step, failed[first])
            raise error from error.__cause__
        for beside in arms:
            self.done.extend(beside.arm.done)
        for name in merge(self.context, [beside.arm.context for beside in arms]):
            self.run.emit(Warned(f"{where}: several set {name!r}, and the last of them counts"))
        return f"{len(arms)} done"

    def _beside(self, where: str, step: WorkflowStep) -> Beside:
        """Give a line of work of its own to a step, in a run below this one."""
        child = replace(below_it(self.run, named(step)), allowance=self.run.allowance)
        return Beside(Arm(self.board, child, self.tools, self.context.copy()), where, step)

    async def _task(self, where: str, task: Task) -> str:
        at, began = self.run.clock.now(), self.run.clock.monotonic()
        fill = self.context.fill
        prompt = filled_json(task.prompt, fill) if task.tool else fill(task.prompt)
        turn = ReActStep(prompt, task.name, index=self.turns, started_at=at)
        if task.tool is not None:
            args = arguments(prompt, schema_of(self.tools, task.tool))
            turn = replaced(turn, thought=task.name, tool=task.tool, args=args)
        try:
            output, turn = await self._do(task, prompt, turn)
        except OutOfTimeError as late:
            raise StepFailed(task.name, str(late), kind="transient") from late
        except Exception as error:
            raise StepFailed(task.name, explain(error), kind=kind_of(error)) from error
        ms = round((self.run.clock.monotonic() - began) * 1000)
        limit = self.run.config.max_observation_chars
        turn = replaced(turn, observation=cut(turn.observation, limit), step_duration_ms=ms)
        self.turns += 1
        await self.run.end_step(turn)
        if turn.error_kind is not None:
            raise StepFailed(task.name, output, kind=turn.error_kind)
        self.context.record(task.name, output)
        self.done.append(
            TaskRun(
                where, task.name, self.run.id, task.tool, strategy_of(task), prompt, output, at, ms
            )
        )
        return cut(output, GIST)

    async def _do(self, task: Task, prompt: str, turn: ReActStep) -> tuple[str, ReActStep]:
        """Do what a task wants; give what came out, and the turn that tells of it."""
        if task.tool is not None:
            return await self._call(task.tool, prompt, turn)
        if task.strategy is not None:
            output = await self._delegate(task.strategy, named(task), prompt)
        else:
            hearing = self.run.ask(prompt)
            output = (await in_time(self.run.config.step_timeout_ms, hearing)).text
        return output, replaced(turn, observation=output)

    async def _call(self, tool: str, prompt: str, turn: ReActStep) -> tuple[str, ReActStep]:
        said = f"{tool} {prompt}"
        self.run.emit(Action(said, tool, turn.args))
        seen = await replace(self.run, tools=self.tools).act(tool, turn.args)
        turn = replaced(turn, action=said, observation=seen.text)
        if seen.error is not None:
            return seen.error, replaced(turn, error_kind=seen.error_kind or "permanent")
        return seen.data if isinstance(seen.data, str) else compact(seen.data), turn

    async def _delegate(self, strategy: Any, name: str, goal: str) -> str:
        """Let a strategy work towards something, in a run below this one."""
        if isinstance(strategy, Workflow):  # which calls the same ones
            strategy = strategy.with_tools(self.tools)
        result: Any = (await driven(below_it(self.run, name), strategy, goal)).result
        if result is None or result.answer is None:
            why = getattr(result, "error", None) or getattr(result, "stop_reason", "time is up")
            raise WorkflowError(f"no answer: {why}")
        return str(result.answer)


@dataclass
class Beside:
    """A step that goes on beside others: a strategy of its own."""

    arm: Arm
    where: str
    step: WorkflowStep
    answer: str | None = None
    strategy_name: ClassVar[str] = "workflow"

    async def __call__(self, run: Run, goal: str, /) -> Beside:  # noqa: ARG002 - as a strategy
        """Take the step."""
        known = len(self.arm.context.step_outputs)
        await self.arm.take(self.where, self.step)
        self.answer = "".join(self.arm.context.step_outputs[known:][-1:])
        return self

    async def work(self) -> None:
        """Do it, as a run of its own."""
        goal = self.step.prompt if isinstance(self.step, Task) else self.step.label
        try:
            await driven(self.arm.run, self, self.arm.context.fill(goal))
        except asyncio.CancelledError:  # of which a group takes no notice
            if being_cancelled():
                raise
            raise WorkflowError("it was cancelled from within") from None


def below_it(run: Run, name: str) -> Run:
    """Give a run below one; that it may fail, and how long it may take, is the business of that."""
    return run.child(name, config=replace(run.config, strict=False, loop_timeout_ms=None))


def named(step: WorkflowStep) -> str:
    """Name a run after a step: as a part of a path."""
    name = step.name if isinstance(step, Task) else step.kind
    return UNNAMED.sub("-", name).strip("-")[:40] or step.kind


def schema_of(tools: Tools | None, name: str) -> dict[str, Any]:
    """Give what a tool takes.

    Raises
    ------
    ToolNotFound
        There is no such tool.
    """
    get = getattr(tools, "get", None)
    known = [get(name)] if get else [t for t in (tools.specs() if tools else ()) if t.name == name]
    if not known or known[0] is None:
        raise ToolNotFound(name)
    return as_spec(known[0]).schema


def being_cancelled() -> bool:
    """Tell whether whoever waits for this has given up."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def passes(count: int) -> str:
    """``1 pass``, ``3 passes``."""
    return f"{count} pass{'' if count == 1 else 'es'}"
