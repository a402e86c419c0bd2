"""The search for a plan: depth first, left to right, one stack, and another method where one fails.

The world does not change while a plan is made, so what one subtask comes to says nothing of the
next: where one cannot be done, no other choice for those before it would help, and only the
methods of the tasks that it belongs to are tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from msgspec.structs import replace

from agentlab.core.errors import PlannerError
from agentlab.core.text import cut, suggestion
from agentlab.strategies.tasks import Choice, Method, Option, PlanStep, Task, World, label_of

Methods: TypeAlias = Mapping[str, Sequence[Method]]
Link: TypeAlias = "tuple[Choice, Link] | None"
MAX_WHY = 300
AFTER = "applies, and comes after the chosen one"


class SearchError(PlannerError):
    """No plan was found; ``choices`` lead from the goal to where it ended."""

    choices: tuple[Choice, ...] = ()
    trail: Link = None  # the same, until it is told


class NoMethodFound(SearchError):
    """Nothing takes a task apart."""

    form = "no method is registered for task '{0}'{1}"

    def __init__(self, task: str, hint: str = "") -> None:
        super().__init__(task, hint)
        self.task = task


class NoPreconditionSatisfied(SearchError):
    """No method of a task applies in this world."""

    form = "no method of task '{0}' applies: {1}"

    def __init__(self, task: str, why: str = "its preconditions do not hold") -> None:
        super().__init__(task, why)
        self.task = task


class DepthExceeded(SearchError):
    """A task came about too deep."""

    form = "task '{0}' is deeper than max_depth={1}"

    def __init__(self, task: str, max_depth: int) -> None:
        super().__init__(task, max_depth)
        self.task, self.max_depth = task, max_depth


class StepLimitExceeded(SearchError):
    """A plan would have too many steps."""

    form = "the plan has more than max_steps={0} steps"

    def __init__(self, max_steps: int) -> None:
        super().__init__(max_steps)
        self.max_steps = max_steps


class NodeLimitExceeded(SearchError):
    """The search looked at too many tasks."""

    form = "the search looked at more than max_nodes={0} tasks without an end"

    def __init__(self, max_nodes: int) -> None:
        super().__init__(max_nodes)
        self.max_nodes = max_nodes


class Limits(NamedTuple):
    """Where a search ends, and how it chooses."""

    max_depth: int
    max_steps: int
    max_nodes: int
    most_specific: bool


class Ranked(NamedTuple):
    """The methods of a task that apply, in the order they are tried, and why so."""

    order: tuple[int, ...]
    options: tuple[Option, ...]


@dataclass(slots=True, eq=False)
class Open:
    """A compound task under way."""

    task: str
    depth: int
    ranked: Ranked
    choice: int  # where it is among the choices
    start: int  # how many steps there were before it
    above: Link
    tried: int = 0
    next: int = 0
    subtasks: tuple[Task, ...] = ()
    options: list[Option] = field(init=False)
    first: SearchError | None = None  # that its methods failed with
    link: Link = None

    def __post_init__(self) -> None:
        self.options = [*self.ranked.options]


class Search:
    """One search, from a goal to steps.

    Parameters
    ----------
    methods : mapping
        By the task that they take apart, in the order they were registered.
    world : mapping
        What is the case.
    limits : Limits
        Where it ends.
    """

    def __init__(self, methods: Methods, world: World, limits: Limits) -> None:
        self.methods, self.world, self.limits = methods, world, limits
        self.steps: list[PlanStep] = []
        self.choices: list[Choice] = []
        self.nodes = 0
        self._stack: list[Open] = []
        self._ranked: dict[str, Ranked] = {}
        self._reasons: dict[str, str] = {}  # why a task cannot be done, told once: names are many

    def run(self, goal: Task) -> None:
        """Find the steps.

        Raises
        ------
        SearchError
            There are none; of several reasons it is the one that the first choices led to.
        """
        self._visit(goal, 0)
        while self._stack:
            top = self._stack[-1]
            if top.next < len(top.subtasks):
                top.next += 1
                self._visit(top.subtasks[top.next - 1], top.depth + 1)
            else:
                self._stack.pop()

    def _visit(self, task: Task, depth: int) -> None:
        self.nodes += 1
        if self.nodes > self.limits.max_nodes:
            self._give_up(NodeLimitExceeded(self.limits.max_nodes))
        if depth > self.limits.max_depth:
            self._give_up(DepthExceeded(task.name, self.limits.max_depth))
        if not task.is_primitive:
            return self._open(task.name, depth)
        if len(self.steps) >= self.limits.max_steps:
            self._give_up(StepLimitExceeded(self.limits.max_steps))
        top = self._stack[-1] if self._stack else None
        whose, choice = (top.task, top.choice) if top else (task.name, None)
        self.steps.append(PlanStep(task.name, task.args, depth, whose, choice))
        return None

    def _open(self, name: str, depth: int) -> None:
        top = self._stack[-1] if self._stack else None
        known = self._ranked.get(name)
        ranked = self._ranked[name] = known or self._ranked_of(name)
        at = Open(
            name, depth, ranked, len(self.choices), len(self.steps), top.link if top else None
        )
        if ranked.order:
            self._stack.append(at)
            self._start(at)
        else:
            self._fail(self._cannot(at))

    def _start(self, at: Open) -> None:
        """Begin with the next method of a task."""
        index = at.ranked.order[at.tried]
        at.subtasks, at.next = tuple(self.methods[at.task][index].subtasks), 0
        parent = self._stack[-2].choice if len(self._stack) > 1 else None
        choice = Choice(at.task, at.depth, parent, at.start, tuple(at.options))
        del self.choices[at.choice :]
        del self.steps[at.start :]
        self.choices.append(choice)
        at.link = (choice, at.above)

    def _fail(self, error: SearchError) -> None:
        """Go back to the last task that has another method, and take that."""
        while self._stack:
            top = self._stack[-1]
            top.first = top.first or error
            top.tried += 1
            if top.tried < len(top.ranked.order):
                retried(top, error)
                return self._start(top)
            error = top.first
            self._stack.pop()
        raise told(error)

    def _cannot(self, at: Open) -> SearchError:
        """Say why no method of a task can be tried."""
        options = at.ranked.options
        if (why := self._reasons.get(at.task)) is None:
            listed = "; ".join(f"{each.method}: {each.why}" for each in options)
            why = cut(listed, MAX_WHY) if options else suggestion(at.task, self.methods)
            self._reasons[at.task] = why
        kind = NoPreconditionSatisfied if options else NoMethodFound
        error = kind(at.task, why)
        error.trail = (Choice(at.task, at.depth, None, 0, at.ranked.options), at.above)
        return error

    def _give_up(self, error: SearchError) -> None:
        error.trail = self._stack[-1].link if self._stack else None
        raise told(error)

    def _ranked_of(self, name: str) -> Ranked:
        """Put the methods that apply in the order they are tried."""
        methods = self.methods.get(name, ())
        unmet = [method.unmet(self.world) for method in methods]
        able = [n for n, missing in enumerate(unmet) if not missing]
        if self.limits.most_specific:
            able.sort(key=lambda n: -len(methods[n].preconditions))  # equals stay as they came
        options = tuple(
            Option(
                label_of(method, n + 1),
                n in able[:1],
                "; ".join(map(str, unmet[n])) or self._place(methods, able, n),
                unmet[n],
            )
            for n, method in enumerate(methods)
        )
        return Ranked(tuple(able), options)

    def _place(self, methods: Sequence[Method], able: Sequence[int], n: int) -> str:
        """Say why a method that applies was chosen, or another one before it."""
        count, best = len(methods[n].preconditions), len(methods[able[0]].preconditions)
        if n == able[0]:
            if len(able) == 1:
                return "the only one that applies"
            more = self.limits.most_specific and best > len(methods[able[1]].preconditions)
            return f"the most specific of {len(able)} that apply" if more else (
                f"the first of {len(able)} that apply")  # fmt: skip
        if self.limits.most_specific and count < best:
            return f"applies, with {conditions(count)} where the chosen one has {best}"
        return "applies, and was registered later"


def conditions(count: int) -> str:
    """``no precondition``, ``1 precondition``, ``3 preconditions``."""
    return f"{count or 'no'} precondition{'s' * (count > 1)}"


def retried(at: Open, error: SearchError) -> None:
    """Take the next method of a task, for the one before it failed."""
    before, now = at.ranked.order[at.tried - 1], at.ranked.order[at.tried]
    why = cut(f"tried, and failed: {error}", MAX_WHY)
    at.options[before] = replace(at.options[before], chosen=False, why=why)
    left = len(at.ranked.order) - at.tried
    why = "the next that applies" if left > 1 else "the last that applies"
    at.options[now] = replace(at.options[now], chosen=True, why=why)
    for later in at.ranked.order[at.tried + 1 :]:
        at.options[later] = replace(at.options[later], why=AFTER)


def told(error: SearchError) -> SearchError:
    """Let an error carry the choices that led to it."""
    link, path = error.trail, list[Choice]()
    while link is not None:
        choice, link = link
        path.append(choice)
    path.reverse()
    error.choices = tuple(replace(c, parent=n - 1 if n else None) for n, c in enumerate(path))
    error.trail = None
    return error
