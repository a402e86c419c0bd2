"""Tasks, the methods that take them apart, when these apply, and what was chosen. Values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from agentlab.core.bounds import a_name, a_text, each_of
from agentlab.core.doors import Displayable
from agentlab.core.errors import InvalidValue
from agentlab.core.portable import Portable
from agentlab.core.text import canonical, clean
from agentlab.strategies.literals import from_json
from agentlab.strategies.placeholders import unbound


class Task(Displayable, Portable, msgspec.Struct, frozen=True):
    """Something to do: a tool call as it is, or what a method takes apart.

    >>> Task.primitive("search", {"q": "<who>"}).args
    '{"q":"<who>"}'
    """

    name: str
    kind: Literal["primitive", "compound"] = "compound"
    args: str = "{}"

    def __post_init__(self) -> None:
        put(self, name=clean(a_name("the name of a task", self.name)))
        put(self, args=args_of(self.name, self.args))
        if self.kind not in ("primitive", "compound"):
            raise InvalidValue(f"kind must be 'primitive' or 'compound', got {self.kind!r:.80}")

    @classmethod
    def primitive(cls, tool: str, args: str | Mapping[str, Any] = "{}") -> Task:
        """Give the call of a tool.

        Parameters
        ----------
        tool : str
            Its name.
        args : str or mapping
            What it is given: JSON, in which ``<name>`` stands for what is known later.

        Raises
        ------
        InvalidValue
            ``args`` is not JSON, and holds no placeholder that could make it so.
        """
        return cls(tool, "primitive", args)  # type: ignore[arg-type]  # which becomes text

    @classmethod
    def compound(cls, name: str) -> Task:
        """Give a task that methods take apart."""
        return cls(name)

    @property
    def is_primitive(self) -> bool:
        """Whether it is the call of a tool."""
        return self.kind == "primitive"


def args_of(tool: str, args: object) -> str:
    """Give arguments as the text of JSON that they are, or will be."""
    if isinstance(args, Mapping):
        return msgspec.json.encode(canonical(args)).decode()
    if not isinstance(args, str):
        raise InvalidValue(f"args of {tool!r:.80} must be JSON or a dictionary, got {args!r:.80}")
    try:
        from_json(args)
    except InvalidValue as error:
        if not unbound([args]):
            raise InvalidValue(
                f"args of {tool!r:.80} are not JSON: {error}, got {args!r:.80}"
            ) from None
    return clean(args)


class Precondition(Displayable, Portable, msgspec.Struct, frozen=True):
    """What the world must say for a method to apply; what it does not know it does not say."""

    key: str
    expected: str

    def __post_init__(self) -> None:
        put(self, key=a_text("key", self.key), expected=a_text("expected", self.expected))

    def holds(self, world: Mapping[str, str]) -> bool:
        """Tell whether it does."""
        return world.get(self.key) == self.expected


class Method(Displayable, Portable, msgspec.Struct, frozen=True):
    """One way to do a task: what to do instead, in order, where all preconditions hold."""

    task: str
    subtasks: Sequence[Task] = ()
    preconditions: Sequence[Precondition] = ()
    description: str = ""

    def __post_init__(self) -> None:
        put(
            self,
            task=clean(a_name("task", self.task)),
            subtasks=each_of("subtasks", self.subtasks, Task),
            preconditions=each_of("preconditions", self.preconditions, Precondition),
            description=a_text("description", self.description),
        )

    def unmet(self, world: Mapping[str, str]) -> tuple[Unmet, ...]:
        """Give the preconditions that do not hold, each with what the world says instead."""
        return tuple(
            Unmet(each.key, each.expected, world.get(each.key))
            for each in self.preconditions
            if not each.holds(world)
        )


def put(thing: msgspec.Struct, **values: Any) -> None:
    """Set fields of a frozen value while it is made."""
    for name, value in values.items():
        msgspec.structs.force_setattr(thing, name, value)


class Unmet(Displayable, Portable, msgspec.Struct, frozen=True):
    """A precondition that does not hold; ``actual`` is None where the world does not say."""

    key: str
    expected: str
    actual: str | None = None

    def __str__(self) -> str:
        if self.actual is None:
            return f"{self.key} must be {self.expected!r}, and is not known"
        return f"{self.key} must be {self.expected!r}, and is {self.actual!r}"


class Option(Displayable, Portable, msgspec.Struct, frozen=True):
    """A method of a task: whether it was chosen, and why, or why not."""

    method: str
    chosen: bool
    why: str
    unmet: tuple[Unmet, ...] = ()


class Choice(Displayable, Portable, msgspec.Struct, frozen=True):
    """What was decided for one compound task.

    Attributes
    ----------
    task : str
        Its name.
    depth : int
        How deep it is; the goal's depth is 0.
    parent : int or None
        Which choice it follows from.
    at : int
        How many steps come before those it leads to.
    options : tuple of Option
        Its methods, as they were registered.
    """

    task: str
    depth: int
    parent: int | None
    at: int
    options: tuple[Option, ...] = ()

    @property
    def chosen(self) -> Option | None:
        """The method that was chosen, if any was."""
        return next((each for each in self.options if each.chosen), None)


class PlanStep(Displayable, Portable, msgspec.Struct, frozen=True):
    """One call of a tool: with what, how deep it came about, and for which task.

    ``choice`` says which choice of the plan it follows from, where it does from any.
    """

    tool: str
    args: str = "{}"
    depth: int = 0
    source_task: str = ""
    choice: int | None = None


World = dict[str, str]


def world_of(world: Mapping[str, str] | None) -> World:
    """Give a world to plan in: texts by their names."""
    if world is None:
        return {}
    if not isinstance(world, Mapping):
        raise InvalidValue(f"world must be a dictionary of texts, got {world!r:.80}")
    for key, value in world.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise InvalidValue(f"what a world says is text, got {key!r}: {value!r:.80}")
    return {clean(key): clean(value) for key, value in world.items()}


def bindings_of(bindings: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give what placeholders stand for, by their names."""
    if bindings is None:
        return {}
    if not isinstance(bindings, Mapping):
        raise InvalidValue(f"bindings must be a dictionary, got {bindings!r:.80}")
    for name in bindings:
        if not isinstance(name, str):
            raise InvalidValue(f"the names in bindings are text, got {name!r:.80}")
    return dict(bindings)


def task_of(goal: Task | str) -> Task:
    """Give the task that ``goal`` is, or names."""
    if isinstance(goal, Task):
        return goal
    if not isinstance(goal, str) or not goal:
        raise InvalidValue(f"goal must be a Task or the name of one, got {goal!r:.80}")
    return Task.compound(goal)


def label_of(method: Method, number: int) -> str:
    """Call a method by its description, or by its number among those of its task."""
    return method.description or f"method {number}"
