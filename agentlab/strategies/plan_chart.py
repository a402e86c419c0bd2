"""What a plan of tool calls looks like as a chart, and how the tasks in it stand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agentlab.core.events import Charted, Marked, Node, Status
from agentlab.core.run import Run
from agentlab.core.text import cut
from agentlab.strategies.tasks import Choice, PlanStep

if TYPE_CHECKING:
    from agentlab.strategies.execution import ExecutionPlan

MOST_REJECTED = 8  # methods of a task that are charted though they were not chosen
MAX_DETAIL = 500


class Above:
    """Tells how the tasks stand that steps are a part of.

    A task is under way from its first step to its last, and fails with any of them.
    """

    def __init__(self, run: Run, plan: ExecutionPlan) -> None:
        self._run, self._plan = run, plan
        self._last: dict[int, int] = {}
        for n in range(len(plan)):
            self._last.update(dict.fromkeys(self._of(n), n))
        self._begun: set[int] = set()
        for k in range(len(plan.choices)):
            if k not in self._last:
                self._mark(k, "done")  # there is nothing to do for it

    @contextmanager
    def around(self, n: int) -> Iterator[None]:
        """Tell of those that begin with a step, and of all of them where it is cancelled."""
        for k in self._of(n):
            if k not in self._begun:
                self._begun.add(k)
                self._mark(k, "running")
        try:
            yield
        except asyncio.CancelledError:
            for k in self._of(n):
                self._mark(k, "cancelled")
            raise

    def came(self, n: int, *, ok: bool) -> None:
        """Tell of those that end with a step."""
        for k in self._of(n):
            if not ok or self._last[k] == n:
                self._mark(k, "done" if ok else "failed")

    def _of(self, n: int) -> list[int]:
        """List the choices that a step follows from, from the goal down."""
        found, at = list[int](), self._plan.planned[n].choice
        while at is not None and 0 <= at < len(self._plan.choices):
            found.append(at)
            above = self._plan.choices[at].parent
            at = above if above is not None and above < at else None  # as read from a file
        return found[::-1]

    def _mark(self, k: int, status: Status) -> None:
        self._run.emit(Marked(f"task {k + 1}", status))


def step_id(n: int) -> str:
    """Name a step in a chart."""
    return f"step {n + 1}"


def draw(run: Run, plan: ExecutionPlan) -> None:
    """Chart the tree: each task, its methods, and under the chosen one what it leads to."""
    nodes, marks = list[Node](), list[Marked]()
    chosen = dict[int, str]()
    for kind, n in in_order(plan.planned, plan.choices):
        if kind == "step":
            step = plan.planned[n]
            above = None if step.choice is None else chosen.get(step.choice)
            nodes.append(Node(step_id(n), step.tool, "step", above, step.args))
            continue
        choice, task = plan.choices[n], f"task {n + 1}"
        above = None if choice.parent is None else chosen.get(choice.parent)
        nodes.append(Node(task, choice.task, "task", above))
        rejected = 0
        for k, option in enumerate(choice.options, start=1):
            rejected += not option.chosen
            if not option.chosen and rejected > MOST_REJECTED:
                continue
            name = f"{task}, method {k}"
            nodes.append(Node(name, option.method, "method", task))
            status: Status = "chosen" if option.chosen else "rejected"
            marks.append(Marked(name, status, cut(option.why, MAX_DETAIL)))
            if option.chosen:
                chosen[n] = name
    run.emit(Charted("tree", tuple(nodes), title=plan.goal.name))
    for mark in marks:
        run.emit(mark)


def in_order(steps: Sequence[PlanStep], choices: Sequence[Choice]) -> Iterator[tuple[str, int]]:
    """Give choices and steps as they follow from each other, each by its kind and its number."""
    n = 0
    for k, choice in enumerate(choices):
        while n < min(choice.at, len(steps)):
            yield "step", n
            n += 1
        yield "choice", k
    for rest in range(n, len(steps)):
        yield "step", rest
