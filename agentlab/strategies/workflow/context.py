"""What the steps of a workflow know of each other: variables, and what came out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from agentlab.core.bounds import a_text, count_of, texts
from agentlab.core.chained import chained
from agentlab.core.doors import Displayable
from agentlab.core.errors import InvalidValue
from agentlab.core.text import clean, compact

NAME = re.compile(r"\{([^{}]*)\}")
LAST = "last"  # the variable that every task sets


@dataclass
class WorkflowContext(Displayable):
    """Variables, outputs, and how far a workflow is.

    >>> context = WorkflowContext.with_variables({"status": "ok running"})
    >>> context.evaluate_condition("status:ok"), context.evaluate_condition("status:fail")
    (True, False)

    Parameters
    ----------
    variables : dict of str to str
        What conditions test and prompts name. A task sets that of its name, and ``last``.
    step_outputs : list of str
        What came of each task, in order.
    current_step : int
        Which step of the workflow is under way, counted from 0; how many there are, once it is
        over.
    """

    variables: dict[str, str] = field(default_factory=dict)
    step_outputs: list[str] = field(default_factory=list)
    current_step: int = 0
    _written: dict[str, None] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.variables = variables_of(self.variables)
        self.step_outputs = [*texts("step_outputs", self.step_outputs)]
        self.current_step = count_of("current_step", self.current_step)

    def set(self, name: str, value: str) -> None:
        """Set a variable.

        Raises
        ------
        InvalidValue
            Name or value is no text.
        """
        name = a_text("the name of a variable", name)
        self.variables[name] = a_text(f"variable {name!r:.80}", value)
        self._written[name] = None

    def get(self, name: str) -> str | None:
        """Give a variable, or None."""
        return self.variables.get(a_text("the name of a variable", name))

    @chained
    def with_variables(self, variables: Mapping[str, str]) -> None:
        """Set several variables, and give this; called on the class, a new context."""
        for name, value in variables_of(variables).items():
            self.set(name, value)

    def evaluate_condition(self, condition: str) -> bool:
        """Tell whether there is a variable with a text in it, as ``name:text`` says.

        Spaces round both do not count; without a colon it does not hold.

        Raises
        ------
        InvalidValue
            The condition is no text.
        """
        name, colon, text = a_text("condition", condition).partition(":")
        value = self.variables.get(name.strip())
        return bool(colon) and value is not None and text.strip() in value

    def fill(self, text: str) -> str:
        """Put variables where ``{name}`` stands; names that are not known stay as they are.

        What is put in is not read again.
        """
        return filled(a_text("text", text), self.variables)

    def copy(self) -> WorkflowContext:
        """Give one like it, which goes ways of its own."""
        return WorkflowContext({**self.variables}, [*self.step_outputs], self.current_step)

    def record(self, name: str, output: str) -> None:
        """Take what came of a task."""
        self.step_outputs.append(output)
        self.set(name, output)
        self.set(LAST, output)


def merge(context: WorkflowContext, arms: Iterable[WorkflowContext]) -> list[str]:
    """Take into a context what copies of it have set, and their outputs, in order.

    Gives the names that several of them set, and not to the same; the last one counts.
    """
    known, news = len(context.step_outputs), dict[str, str]()
    clashes: dict[str, None] = {}
    for arm in arms:
        for name in arm._written:  # noqa: SLF001 - a copy's own
            value = arm.variables[name]
            if name != LAST and news.get(name, value) != value:
                clashes[name] = None
            news[name] = value
        context.step_outputs.extend(arm.step_outputs[known:])
    for name, value in news.items():
        context.set(name, value)
    return list(clashes)


def context_of(given: WorkflowContext | Mapping[str, str] | None) -> WorkflowContext:
    """Give a context to work with; that of the caller stays as it is."""
    if given is None:
        return WorkflowContext()
    if isinstance(given, WorkflowContext):
        return given.copy()
    return WorkflowContext(variables_of(given))


def variables_of(given: Any) -> dict[str, str]:
    """Give variables, which must be texts by name.

    Raises
    ------
    InvalidValue
        They are not.
    """
    if not isinstance(given, Mapping):
        raise InvalidValue(f"variables must be texts by name, got {given!r:.80}")
    for name, value in given.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise InvalidValue(f"variables must be texts by name, got {name!r:.80}: {value!r:.80}")
    return {clean(name): clean(value) for name, value in given.items()}


def filled(text: str, variables: Mapping[str, str]) -> str:
    """Put values where their names stand in braces.

    >>> filled("{a} and {b}, {not this}", {"a": "{b}", "b": "2"})
    '{b} and 2, {not this}'
    """
    return NAME.sub(lambda found: variables.get(found[1], found[0]), text)


def filled_json(text: str, fill: Callable[[str], str]) -> str:
    r"""Fill a prompt for a tool; one that is a JSON object is filled inside its texts.

    >>> filled_json('{"q": "{x}"}', lambda text: text.replace("{x}", '", "all": "1'))
    '{"q":"\\", \\"all\\": \\"1"}'
    """
    data = object_in(text)
    if data is None:
        return fill(text)
    new = inside(data, fill)
    return text if new == data else compact(new)


def object_in(text: str) -> dict[str, Any] | None:
    """Read a JSON object, if that is one."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        data = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def inside(value: Any, fill: Callable[[str], str]) -> Any:
    """Fill every text in a JSON value, but for the names of its fields."""
    if isinstance(value, str):
        return fill(value)
    if isinstance(value, dict):
        return {name: inside(each, fill) for name, each in value.items()}
    return [inside(each, fill) for each in value] if isinstance(value, list) else value
