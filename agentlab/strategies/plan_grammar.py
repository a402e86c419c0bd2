r"""Grammars in GBNF for a plan and for a verdict, so that what a small model writes can be read.

>>> print(verdict_grammar())
root ::= " "? ("YES" | "NO") " 0." [0-9]{2}
"""

from __future__ import annotations

from collections.abc import Sequence

from agentlab.core.protocols import Tool
from agentlab.core.text import compact
from agentlab.models.gbnf import DIGITS, NATURAL, SIMPLE, Rules, literal, one_of
from agentlab.strategies.examples import sum_argument
from agentlab.strategies.madeup import required

MOST_STEPS = 6
WHAT = 60  # characters of a description, not counting digits
TERMS = 4  # of a sum
WHAT_START, WHAT_CHAR = r"[A-Z]", r"[^0-9<`|\x00-\x1f\x7f]"


def plan_grammar(tools: Sequence[Tool], *, steps: int = MOST_STEPS) -> str:
    """Give the grammar of a plan of at most ``steps`` steps, each with one of ``tools``.

    A sum may hold numbers and the results of the steps before it. Without tools a step is only
    described.
    """
    rules, bodies = Rules(), list[str]()
    count = max(1, min(steps, MOST_STEPS))
    for n in range(1, count + 1):
        more = f' ("\\n" step-{n + 1})?' if n < count else ""
        calls = [
            rules.named(f"call-{n}-{k}", call(each, n, rules))
            for k, each in enumerate(tools, start=1)
        ]
        tail = f" {one_of(calls)}" if calls else ""
        bodies.append(f"step-{n} ::= {literal(f'{n}. ')} what{tail}{more}")
    head = {
        "root": 'step-1 "\\n\\n"',  # as where the next example begins; it does not stop by itself
        "what": f"{WHAT_START} letter{{1,{WHAT - 1}}} digits?",
        "digits": f"[0-9]{{1,{DIGITS}}}",
        "letter": f"digits? {WHAT_CHAR}",
    }
    written = [f"{name} ::= {body}" for name, body in {**head, **rules.bodies}.items()]
    return "\n".join([*written, *bodies])


def call(tool: Tool, n: int, rules: Rules) -> str:
    """Give the fields of a step that calls ``tool``, as step ``n``: what it must be given."""
    rules.forget()
    shared, summed = tool.schema.get("$defs") or {}, sum_argument(tool)
    pairs = [
        f"{literal(f'{compact(name)}:')} "
        f"{sum_of(n, rules) if name == summed else rules.value(field, shared)}"
        for name, field in required(tool.schema).items()
    ]
    inside = ' "," '.join(pairs)
    return f'{literal(f" | tool: {tool.name} | args:")} "{{" {inside} "}}"'


def sum_of(n: int, rules: Rules) -> str:
    """Give a sum of numbers, and of the results of the steps before step ``n``."""
    rules.named("number", SIMPLE["number"])
    rules.named("natural", NATURAL)
    rules.named("operator", '" + " | " - " | " * " | " / "')
    before = [literal(f"<{k}>") for k in range(1, n)]
    term = rules.named(f"term-{n}", " | ".join(["number", *before]))
    return f'"\\"" {term} (operator {term}){{1,{TERMS - 1}}} "\\""'


def verdict_grammar() -> str:
    """Give the grammar of a verdict, and how sure it is."""
    return 'root ::= " "? ("YES" | "NO") " 0." [0-9]{2}'
