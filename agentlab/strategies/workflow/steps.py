"""What a workflow is made of: tasks, choices, what goes on side by side, and loops."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from agentlab.core.bounds import a_name, a_text, at_least_one, count_of
from agentlab.core.errors import InvalidValue
from agentlab.core.protocols import Strategy
from agentlab.core.text import clean

DEEPEST = 64  # choices, loops and so on that a task may be within


class WorkflowStep:
    """A part of a workflow. The kinds are its attributes.

    >>> WorkflowStep.Task("summarise", "Summarise {goal}", tool="echo")
    WorkflowStep.Task(name='summarise', prompt='Summarise {goal}', tool='echo', strategy=None)
    """

    __slots__ = ()
    Task: ClassVar[type[Task]]
    Branch: ClassVar[type[Branch]]
    Parallel: ClassVar[type[Parallel]]
    Loop: ClassVar[type[Loop]]
    kind: ClassVar[str] = ""

    @property
    def label(self) -> str:
        """What it is, in a few words."""
        return self.kind

    @property
    def within(self) -> tuple[tuple[str, WorkflowStep], ...]:
        """The steps in it, each under the name of where it is."""
        return ()


@dataclass(frozen=True)
class Task(WorkflowStep):
    """Ask the model; or give the prompt to a tool, or to a strategy as its goal.

    ``{name}`` in the prompt stands for the variable of that name; where there is none it stays as
    it is. In a prompt that is a JSON object, for a tool, a value goes into the texts in it and
    cannot add to what is round them.

    Parameters
    ----------
    name : str
        What it is called; its output is the variable of that name.
    prompt : str
        What is asked.
    tool : str, optional
        The tool that gets it.
    strategy : Strategy, optional
        What works towards it, in a run below.
    """

    name: str
    prompt: str
    tool: str | None = None
    strategy: Strategy | None = None
    kind: ClassVar[str] = "task"

    def __post_init__(self) -> None:
        told(self, name=clean(a_name("name", self.name)))
        told(self, prompt=a_text("prompt", self.prompt))
        if self.tool is not None:
            told(self, tool=clean(a_name("tool", self.tool)))
        if self.strategy is not None and self.tool is not None:
            raise InvalidValue(
                f"task {self.name!r} has a tool and a strategy: it can have one of them"
            )
        if self.strategy is not None and not hasattr(self.strategy, "strategy_name"):
            raise InvalidValue(
                f"strategy must have a strategy_name, got {self.strategy!r:.80}: ReAct() is one"
            )

    @property
    def label(self) -> str:
        """Its name."""
        return self.name


@dataclass(frozen=True)
class Branch(WorkflowStep):
    """Go one way if a condition holds, else the other.

    Parameters
    ----------
    condition : str
        ``name:substring``: whether there is such a variable, with that in it.
    if_true, if_false : WorkflowStep
        What is done then; None for nothing, as the second.
    """

    condition: str
    if_true: WorkflowStep
    if_false: WorkflowStep | None = None
    depth: int = field(init=False, repr=False, compare=False)
    kind: ClassVar[str] = "branch"

    def __post_init__(self) -> None:
        told(self, condition=a_text("condition", self.condition))
        a_step("if_true", self.if_true)
        if self.if_false is not None:
            a_step("if_false", self.if_false)
        told(self, depth=depth_of(self))

    @property
    def label(self) -> str:
        """Its condition."""
        return self.condition

    @property
    def within(self) -> tuple[tuple[str, WorkflowStep], ...]:
        """The two ways."""
        other = () if self.if_false is None else (("if_false", self.if_false),)
        return (("if_true", self.if_true), *other)


@dataclass(frozen=True)
class Parallel(WorkflowStep):
    """Do several things side by side.

    Each has a copy of the variables. What they set is put together in the order of declaration.

    Parameters
    ----------
    steps : iterable of WorkflowStep
        What is done.
    max_concurrency : int, optional
        How many of them at once; all, where nothing is said.
    """

    steps: tuple[WorkflowStep, ...]
    max_concurrency: int | None = None
    depth: int = field(init=False, repr=False, compare=False)
    kind: ClassVar[str] = "parallel"

    if TYPE_CHECKING:

        def __init__(
            self, steps: Iterable[WorkflowStep], max_concurrency: int | None = None
        ) -> None: ...

    def __post_init__(self) -> None:
        told(self, steps=steps_of(self.steps))
        if self.max_concurrency is not None:
            at_least_one("max_concurrency", self.max_concurrency, "all at once")
        told(self, depth=depth_of(self))

    @property
    def label(self) -> str:
        """How many at once."""
        most = self.max_concurrency
        return "side by side" if most is None else f"{most} at a time"

    @property
    def within(self) -> tuple[tuple[str, WorkflowStep], ...]:
        """What is done side by side."""
        return tuple((f"steps[{i}]", step) for i, step in enumerate(self.steps))


@dataclass(frozen=True)
class Loop(WorkflowStep):
    """Do something again and again.

    Parameters
    ----------
    body : WorkflowStep
        What is done.
    max_iters : int
        How often; with ``until``, at most.
    until : str, optional
        A condition, ``name:substring``, that ends it; it is looked at after each pass.
    """

    body: WorkflowStep
    max_iters: int
    until: str | None = None
    depth: int = field(init=False, repr=False, compare=False)
    kind: ClassVar[str] = "loop"

    def __post_init__(self) -> None:
        a_step("body", self.body)
        count_of("max_iters", self.max_iters)
        if self.until is not None:
            told(self, until=a_text("until", self.until))
        told(self, depth=depth_of(self))

    @property
    def label(self) -> str:
        """Until when; else how often."""
        return self.times if self.until is None else f"until {self.until}"

    @property
    def times(self) -> str:
        """How often."""
        return f"{self.max_iters} time{'' if self.max_iters == 1 else 's'}"

    @property
    def within(self) -> tuple[tuple[str, WorkflowStep], ...]:
        """What is done again."""
        return (("body", self.body),)


WorkflowStep.Task, WorkflowStep.Branch = Task, Branch
WorkflowStep.Parallel, WorkflowStep.Loop = Parallel, Loop
for each in (Task, Branch, Parallel, Loop):
    each.__qualname__ = f"WorkflowStep.{each.__name__}"  # as people write it


def told(thing: Any, **values: Any) -> None:
    """Set fields of a frozen value while it is made."""
    for name, value in values.items():
        object.__setattr__(thing, name, value)


def a_step(name: str, value: WorkflowStep) -> None:
    """Refuse what is no step."""
    if not isinstance(value, Task | Branch | Parallel | Loop):
        raise InvalidValue(
            f"{name} must be a step, got {value!r:.80}: WorkflowStep.Task('name', 'prompt') is one"
        )


def steps_of(steps: Iterable[WorkflowStep]) -> tuple[WorkflowStep, ...]:
    """Give steps that are steps, in order."""
    if isinstance(steps, WorkflowStep | str | bytes) or not isinstance(steps, Iterable):
        raise InvalidValue(f"steps must be a list of steps, got {steps!r:.80}")
    found = tuple(steps)
    for i, step in enumerate(found):
        a_step(f"steps[{i}]", step)
    return found


def depth_of(step: WorkflowStep) -> int:
    """Tell how many levels there are in a step, itself among them.

    Raises
    ------
    InvalidValue
        Too many.
    """
    depth = 1 + max((getattr(inner, "depth", 0) for _, inner in step.within), default=0)
    if depth > DEEPEST:
        raise InvalidValue(f"steps are nested {depth} deep, at most {DEEPEST} are possible")
    return depth
