"""Worked examples for a small model, made from the tools that there are.

They show the shapes of the calls with values that look right for the names of the arguments. What
the tools are said to give is made up, and says so nowhere: a small model would be put off by it.
A tool that brings examples of its own is shown by these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, get_type_hints

from agentlab.core.protocols import Tool
from agentlab.core.text import compact, cut
from agentlab.models.charclass import bounded_class
from agentlab.strategies.madeup import required, value

VERBS = ("get_", "fetch_", "find_", "look_up_", "lookup_", "search_", "read_", "compute_")
NUMBERS = (709000, 291000)
"""What a tool is said to give, and the sum of it."""
MAX_NOTE = 80


class Turn(NamedTuple):
    """One step, as the loop writes it."""

    thought: str
    action: str
    observation: Any = None

    @property
    def text(self) -> str:
        """Its lines, without the empty one that the loop puts first: it puts a small model off."""
        end = "" if self.observation is None else f"\nObservation: {seen(self.observation)}"
        return f"Thought: {self.thought}\nAction: {self.action}{end}\n"


def one_line(tool: Tool) -> str:
    """Say what a tool takes and does.

    >>> class Population:
    ...     name, description = "population", "People living in a city."
    ...     schema = {"properties": {"city": {"type": "string"}}, "required": ["city"]}
    >>> one_line(Population())
    'population {"city": "<city>"}  People living in a city.'
    """
    fields = required(tool.schema)
    given = ", ".join(f'"{name}": "<{what(name, field)}>"' for name, field in fields.items())
    return f"{tool.name} {{{given}}}  {on_one_line(tool.description)}".rstrip()


def on_one_line(text: str) -> str:
    """Give a text without line breaks, after which it could pass for a turn."""
    return " ".join(str(text).split())


def what(name: str, field: Any) -> str:
    """Say what an argument is: its description, or its name."""
    note = field.get("description", "") if isinstance(field, Mapping) else ""
    return cut(on_one_line(note), MAX_NOTE) or name.replace("_", " ")


def worked_examples(tools: Sequence[Tool], *, longest_first: bool = False) -> str:
    """Give a sum, a look-up, and a chain of both, as far as there are tools for them."""
    own = [given(tool, *each) for tool in tools for each in getattr(tool, "examples", ())]
    tools = [tool for tool in tools if not getattr(tool, "examples", ())]
    sums = [tool for tool in tools if sum_argument(tool)]
    others = [tool for tool in tools if tool not in sums]
    counts = [tool for tool in others if gives_number(tool)] or others[-1:]
    # A look-up of its own, with the tool of the chain, would teach to stop after the first.
    alone = [tool for tool in others[:1] if tool not in counts[:1]]
    short = [*map(work_out, sums[:1]), *map(look_up, alone), *own]
    long = [chain(tool, sums) for tool in counts[:1]]
    return "\n".join(long + short if longest_first else short + long)


def given(tool: Tool, question: str, args: Mapping[str, Any], found: Any, thought: str = "") -> str:
    """Give an example that a tool brings."""
    told = thought or f"I need the {noun(tool)} of {' and '.join(map(str, args.values()))}."
    turn = Turn(on_one_line(told), f"{tool.name} {compact_in_order(args)}", found)
    return conversation(on_one_line(question), [turn], found)


def look_up(tool: Tool) -> str:
    """One call, and the answer."""
    found = NUMBERS[0] if gives_number(tool) else "Oslo"
    return conversation(f"What is {subject(tool, 0)}?", [lookup_turn(tool, 0, found)], found)


def work_out(tool: Tool) -> str:
    """One sum, and the answer."""
    turn = Turn("I calculate 12 times 7.", sum_call(tool, "12*7"), 84)
    return conversation("What is 12 times 7?", [turn], 84)


def chain(tool: Tool, sums: Sequence[Tool]) -> str:
    """Two calls of a tool and, where there is something to add with, their sum."""
    one, two = NUMBERS
    turns = [lookup_turn(tool, n, found) for n, found in enumerate(NUMBERS)]
    question = asked(tool, f"{value_text(tool, 0)} and {value_text(tool, 1)} together")
    if not sums:
        return conversation(question, turns, f"{one} and {two}")
    turns.append(Turn(f"I add {one} and {two}.", sum_call(sums[0], f"{one}+{two}"), one + two))
    return conversation(question, turns, one + two)


def asked(tool: Tool, of: str) -> str:
    """Ask for what a tool gives, in the words of its description where they lend themselves.

    Small models think in the words of the question, so the example asks as people would.
    """
    (name,) = list(required(tool.schema))[:1] or [""]
    thing = re.compile(rf"\b(?:an?|the|one) {re.escape(name.replace('_', ' '))}\b", re.IGNORECASE)
    said = cut(tool.description.partition(".")[0], MAX_NOTE)
    if gives_number(tool) and name and thing.search(said):
        words = thing.sub(of, said[:1].lower() + said[1:], count=1)
        return f"How many {words}?"
    return f"What is {subject(tool, 0)}?".replace(value_text(tool, 0), of)


def conversation(question: str, turns: Iterable[Turn], answer: object) -> str:
    """Write a question, the turns and the answer as the loop would."""
    last = Turn(f"The answer is {answer}.", f"FINAL_ANSWER {answer}")
    return f"User: {question}\n" + "".join(turn.text for turn in (*turns, last))


def lookup_turn(tool: Tool, which: int, found: object) -> Turn:
    """Ask a tool for something."""
    call = f"{tool.name} {compact_in_order(arguments(tool, which))}"
    return Turn(f"I need {subject(tool, which)}.", call, found)


def sum_call(tool: Tool, text: str) -> str:
    """Have a tool work out a sum."""
    given = {**arguments(tool, 0), str(sum_argument(tool)): text}
    return f"{tool.name} {compact_in_order(given)}"


def subject(tool: Tool, which: int) -> str:
    """Say what a call asks for: "the population of Oslo"."""
    value = value_text(tool, which)
    return f"the {noun(tool)} of {value}" if value else f"the {noun(tool)}"


def noun(tool: Tool) -> str:
    """Say what a tool gives, by its name."""
    name = tool.name
    for verb in VERBS:
        name = name.removeprefix(verb)
    return name.replace("_", " ").replace(".", " ").replace("-", " ")


def value_text(tool: Tool, which: int) -> str:
    """Say the arguments of a call in words."""
    return " and ".join(str(value) for value in arguments(tool, which).values())


def arguments(tool: Tool, which: int) -> dict[str, Any]:
    """Make up the arguments of a call."""
    shared = tool.schema.get("$defs") or {}
    fields = required(tool.schema)
    return {name: value(name, field, which, shared) for name, field in fields.items()}


def sum_argument(tool: Tool) -> str | None:
    """Name the argument that takes a sum, where one does."""
    for name, field in required(tool.schema).items():
        allowed = bounded_class(field.get("pattern"), 1) if isinstance(field, Mapping) else None
        if name in ("expression", "formula", "sum") or (allowed and allowed[0].has("0+*")):
            return name
    return None


def gives_number(tool: Tool) -> bool:
    """Tell whether a tool is a function that says it returns a number."""
    try:
        hint = get_type_hints(getattr(tool, "__wrapped__", None) or (lambda: None)).get("return")
    except (NameError, TypeError):
        return False
    return hint in (int, float, int | float)


def seen(found: object) -> str:
    """Write what a tool gave, as the loop does."""
    return compact({"data": found, "ok": True})


def compact_in_order(given: Mapping[str, Any]) -> str:
    """Write arguments as the grammar would have them."""
    return "{" + ",".join(f"{compact(k)}:{compact(v)}" for k, v in given.items()) + "}"
