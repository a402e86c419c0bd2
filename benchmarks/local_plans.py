"""Ten goals of two steps for a model on this machine: planned first, or one step at a time.

    python benchmarks/local_plans.py [--model NAME ...] [--steps]

Both ways have the same tools, the same seed and no temperature. Right means that the number is in
the final answer. How often some call gave the number is counted, too, for it may be lost on the
way there. The goals were fixed before either way was tried on them: five of a look-up in a look-up,
five of a look-up and a sum.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agentlab.core.config import AgentConfig
from agentlab.core.errors import AgentLabError
from agentlab.core.protocols import Strategy
from agentlab.core.session import AgentSession
from agentlab.models.local import LocalModel
from agentlab.runtime import AgentRuntime
from agentlab.strategies.plan_execute import PlanExecute

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.local_tasks import TOOLS, is_right

GOALS = (
    ("How many people live in the capital of Italy?", "2749000"),
    ("How many people live in the capital of Portugal?", "546000"),
    ("How many people live in the capital of Austria?", "2006000"),
    ("What is the population of the capital of Spain?", "3332000"),
    ("What is the population of the capital of France?", "2103000"),
    ("What is half of the population of Lyon?", "261000"),
    ("What is twice the population of Nice?", "706000"),
    ("What is a tenth of the population of Madrid?", "333200"),
    ("What is the population of Porto plus 1000?", "233000"),
    ("What is the population of Graz minus 3000?", "300000"),
)
MAX_STEPS = 5
SEED = 1


@dataclass(frozen=True)
class Result:
    """What became of a goal, in one way."""

    session: AgentSession
    right: bool  # by the answer
    found: bool  # by what some call gave, whatever was made of it


def ways() -> dict[str, Strategy | None]:
    """Give both, by name."""
    return {"plan": PlanExecute(), "react": None}


async def attempt(lab: AgentRuntime, goal: str, wanted: str, strategy: Strategy | None) -> Result:
    """Pursue one goal in one way."""
    try:
        session = await lab.run(goal, strategy=strategy)
    except AgentLabError as error:  # no plan, or three answers in a row that nobody can read
        session = getattr(error, "session", None) or AgentSession()
    found = any(is_right(step.observation, wanted) for step in session.tool_calls())
    return Result(session, is_right(session.answer, wanted), found)


async def compare(model: LocalModel) -> dict[str, dict[str, Result]]:
    """Pursue all goals in both ways."""
    config = AgentConfig(MAX_STEPS, "local", temperature=0.0, seed=SEED)
    lab = AgentRuntime(model, tools=TOOLS, config=config)
    await model.load()
    return {
        goal: {way: await attempt(lab, goal, wanted, strategy) for way, strategy in ways().items()}
        for goal, wanted in GOALS
    }


def show(results: dict[str, dict[str, Result]], *, steps: bool) -> None:
    """Print a line a goal, and the totals."""
    names = list(ways())
    print("  " + "".join(f"{name:22}" for name in names) + "goal")
    for goal, by_way in results.items():
        print("  " + "".join(f"{told(by_way[name]):22}" for name in names) + goal)
        for name in names if steps else ():
            session = by_way[name].session
            print(f"      {name}: {session.answer!r} {session.error or ''}")
            for step in session.steps:
                print(f"        {step.thought} | {step.action} | {step.observation}")
    for name in names:
        of = [by_way[name] for by_way in results.values()]
        print(
            f"  {name}: {sum(each.right for each in of)} of {len(of)} answers right,"
            f" {sum(each.found for each in of)} given by some call,"
            f" {sum(each.session.tokens_out for each in of)} tokens said"
        )
    print()


def told(result: Result) -> str:
    """Say in a word or two how it went."""
    if result.right:
        return "right"
    said = "no answer" if result.session.answer is None else "WRONG"
    return f"{said}, but found" if result.found else said


def main(argv: Sequence[str] | None = None) -> None:
    """Run it for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", nargs="+", default=["gemma3-270m"])
    parser.add_argument("--steps", action="store_true", help="print each step")
    args = parser.parse_args(argv)
    for name in args.model:
        model = LocalModel(name)
        print(name)
        show(asyncio.run(compare(model)), steps=args.steps)
        model.unload()


if __name__ == "__main__":
    main()
