"""What a model is asked when it plans, does a step, and judges; worded for large and small ones.

A large model is told the form of a line. A small one goes by example: it is shown plans and
verdicts made from the tools that there are, and a grammar holds it to the form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agentlab.core.protocols import Tool
from agentlab.core.text import compact, cut
from agentlab.strategies.examples import arguments as made_up
from agentlab.strategies.examples import (
    compact_in_order,
    gives_number,
    on_one_line,
    one_line,
    subject,
    sum_argument,
    value_text,
)
from agentlab.strategies.plans import EXPECTED, Plan, PlanStep

LINE = "1. <what to do> | tool: <name, or none> | expected: <what comes of it> | args:<JSON>"
PLANNING = f"""\
Make a plan for the goal: numbered steps, one a line, in the order they are to be done, and
nothing else. A step is a line of this form:
{LINE}
The fields after the description may be left out. In args, <1> stands for the output of step 1."""
PLANNING_BRIEFLY = """\
Write a plan: numbered steps, one a line. Each step calls one tool.
<1> stands for the result of step 1, <2> for the result of step 2.
Do not write results that are not known yet."""
DOING = "Carry out this step of a plan. Answer with its result alone."
JUDGING = """\
Judge whether the goal was achieved by what the steps gave. The first line of your answer is
ACHIEVED or NOT_ACHIEVED, then how sure you are from 0 to 1, for example: ACHIEVED 0.90
Each further line names one issue; if there is none, write no further line."""
AGAIN = "A plan was tried, and a step failed. Plan what is still to be done, in another way."
JUDGING_BRIEFLY = """\
Judge whether the goal was achieved. Where a step failed, it was not.

Goal: What is the population of Atlantis?
1. Look up Atlantis: failed: not found
Failed steps: 1
Achieved: NO 0.90

Goal: What is 12 times 7?
1. Multiply 12 and 7: completed: 84
Failed steps: none
Achieved: YES 0.95

Goal: How old are Ada and Alan together?
1. Look up Ada: completed: 36
2. Look up Alan: failed: time-out
3. Add the results: skipped
Failed steps: 2
Achieved: NO 0.90

Goal: Who wrote Emma?
1. Look up the author of Emma: completed: Austen
Failed steps: none
Achieved: YES 0.95

Goal: What is the sum of 3 and 4, times 2?
1. Add 3 and 4: completed: 7
2. Multiply the result by 2: completed: 14
Failed steps: none
Achieved: YES 0.95

"""
MAX_OUTPUT = 2000  # characters of each output where all are judged


def planning(goal: str, tools: Sequence[Tool], done: Sequence[PlanStep] = ()) -> str:
    """Ask a large model for a plan; for another one where steps were tried already."""
    parts = [PLANNING]
    if tools:
        listed = [
            f"- {each.name}: {on_one_line(each.description)} {compact(each.schema)}"
            for each in tools
        ]
        parts.append("\n".join(["Tools:", *listed]))
    if done:
        parts.append("\n".join([AGAIN, *tried(done)]))
    return "\n\n".join([*parts, f"Goal: {goal}"])


def planning_briefly(goal: str, tools: Sequence[Tool], done: Sequence[PlanStep] = ()) -> str:
    """Ask a small model for a plan, by example."""
    listed = "\n".join(["Tools:", *map(one_line, tools)]) if tools else ""
    parts = [PLANNING_BRIEFLY, listed, worked_plans(tools)]
    if done:
        parts.append("\n".join([AGAIN, *tried(done)]))
    head = "\n\n".join(filter(None, parts))
    return f"{head}\n\nGoal: {goal}\nPlan:\n"


def tried(done: Sequence[PlanStep]) -> list[str]:
    """List what was done already, and what came of it."""
    return [f"{n}. {standing(step)}" for n, step in enumerate(done, start=1)]


def standing(step: PlanStep) -> str:
    """Say on a line what a step was, how it stands, and its output or why it failed."""
    said = cut(on_one_line(step.status.text), MAX_OUTPUT)
    return ": ".join(filter(None, [on_one_line(step.description), step.status.state, said]))


def doing(goal: str, step: PlanStep, outputs: Sequence[tuple[int, str]], room: int) -> str:
    """Ask for one step, with what came out of those before, newest last, as far as there is room.

    The oldest outputs make room first; one that alone is too long is cut.
    """
    task = f"Step: {step.description}"
    if step.expected_outcome != EXPECTED:
        task += f"\nExpected: {step.expected_outcome}"
    head, told = f"{DOING}\n\nGoal: {goal}", list[str]()
    left = room - len(head) - len(task) - 4
    for n, output in reversed(outputs):
        text = f"Output of step {n}:\n{output}"
        if len(text) + 2 > left:
            if not told and left > MAX_OUTPUT // 10:
                told.append(cut(text, left - 40))
            break
        told.append(text)
        left -= len(text) + 2
    return "\n\n".join([head, *reversed(told), task])


def judging(plan: Plan, *, briefly: bool, room: int) -> str:
    """Ask whether the goal was achieved: each step, what was expected, and what came of it."""
    if briefly:
        asked = f"{JUDGING_BRIEFLY}Goal: {on_one_line(plan.goal)}\n"
        steps = cut("\n".join(tried(plan.steps)), max(room - len(asked), MAX_OUTPUT))
        bad = [str(n) for n, step in enumerate(plan.steps, start=1) if step.status.is_failed()]
        return f"{asked}{steps}\nFailed steps: {', '.join(bad) or 'none'}\nAchieved:"
    told = [
        f"Step {n}: {step.description}\nExpected: {step.expected_outcome}\n"
        f"Status: {step.status.state}\n"
        f"{'Error' if step.status.is_failed() else 'Output'}: {step.status.text}"
        for n, step in enumerate(plan.steps, start=1)
    ]
    head = f"{JUDGING}\n\nGoal: {plan.goal}"
    share = max((room - len(head)) // max(len(told), 1) - 2, MAX_OUTPUT // 10)
    return "\n\n".join([head, *(cut(each, share) for each in told)])


def worked_plans(tools: Sequence[Tool]) -> str:
    """Give plans as they should look: a sum, a chain of look-ups and a sum, or a look-up."""
    sums = [tool for tool in tools if sum_argument(tool)]
    others = [tool for tool in tools if tool not in sums]
    counts = [tool for tool in others if gives_number(tool)]
    plans = [one_sum(sums[0])] if sums else []
    plans += [one_call(tool) for tool in others[:2] if tool not in counts[:1]]
    for tool in counts[:1]:
        plans += [half(tool, sums[0]), chain(tool, sums[0])] if sums else [one_call(tool)]
    return "\n\n".join(plans)


def one_sum(tool: Tool) -> str:
    """Give a plan of one sum."""
    given = {**made_up(tool, 0), str(sum_argument(tool)): "12 * 7"}
    return example("What is 12 times 7?", [line("Multiply 12 and 7", tool, given)])


def one_call(tool: Tool) -> str:
    """Give a plan of one call."""
    step = line(f"Look up {subject(tool, 0)}", tool, made_up(tool, 0))
    return example(f"What is {subject(tool, 0)}?", [step])


def half(tool: Tool, divider: Tool) -> str:
    """Give a plan of a look-up and a sum."""
    step = line(f"Look up {subject(tool, 1)}", tool, made_up(tool, 1))
    given = {**made_up(divider, 0), str(sum_argument(divider)): "<1> / 2"}
    goal = f"What is {subject(tool, 1)} divided by 2?"
    return example(goal, [step, line("Divide the result by 2", divider, given)])


def chain(tool: Tool, adder: Tool) -> str:
    """Give a plan of two look-ups and their sum."""
    steps = [line(f"Look up {subject(tool, n)}", tool, made_up(tool, n)) for n in (0, 1)]
    given = {**made_up(adder, 0), str(sum_argument(adder)): "<1> + <2>"}
    both = subject(tool, 0).replace(
        value_text(tool, 0), f"{value_text(tool, 0)} and {value_text(tool, 1)} together"
    )
    return example(f"What is {both}?", [*steps, line("Add the results", adder, given)])


def line(what: str, tool: Tool, args: dict[str, Any]) -> str:
    """Write a step, without its number."""
    return f"{what} | tool: {tool.name} | args:{compact_in_order(args)}"


def example(goal: str, steps: Sequence[str]) -> str:
    """Write a goal and its plan."""
    numbered = "\n".join(f"{n}. {step}" for n, step in enumerate(steps, start=1))
    return f"Goal: {goal}\nPlan:\n{numbered}"
