"""Twelve small tasks for a model on this machine: how many it gets right, and how fast.

    python benchmarks/local_tasks.py [--model NAME ...] [--profile NAME ...] [--steps]

Right means that the number or the name is in the final answer. The tasks were fixed before the
prompts were worded: two look-ups, three sums, a product in brackets, two chains, two differences
and two fractions, with the tools a pocket calculator and two tables.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from agentlab.core.config import AgentConfig
from agentlab.core.errors import AgentLoopError
from agentlab.core.session import AgentSession
from agentlab.models.local import LocalModel
from agentlab.runtime import AgentRuntime
from agentlab.tools.builtin import calculator
from agentlab.tools.spec import ToolSpec, tool

PEOPLE = {
    "Graz": 303_000, "Lisbon": 546_000, "Lyon": 522_000, "Madrid": 3_332_000, "Milan": 1_371_000,
    "Nice": 353_000, "Paris": 2_103_000, "Porto": 232_000, "Rome": 2_749_000, "Vienna": 2_006_000,
}  # fmt: skip
CAPITALS = {
    "Austria": "Vienna", "France": "Paris", "Italy": "Rome", "Portugal": "Lisbon",
    "Spain": "Madrid",
}  # fmt: skip


@tool(inline=True)
def population(city: str) -> int:
    """People living in a city."""
    return PEOPLE[city]


@tool(inline=True)
def capital(country: str) -> str:
    """The capital of a country."""  # noqa: D401 - what the model reads
    return CAPITALS[country]


TOOLS: tuple[ToolSpec, ...] = (calculator, capital, population)
TASKS = (
    ("How many people live in Lyon and Nice together?", "875000"),
    ("How many people live in Madrid?", "3332000"),
    ("What is the capital of Austria?", "Vienna"),
    ("What is 417 times 23?", "9591"),
    ("What is 3600 minus 1275?", "2325"),
    ("What is 1250 divided by 8?", "156.25"),
    ("How many people live in Rome and Milan together?", "4120000"),
    ("How many more people live in Rome than in Milan?", "1378000"),
    ("What is a third of the population of Graz?", "101000"),
    ("What is (18 + 24) * 3?", "126"),
    ("How many people live in the capital of Italy?", "2749000"),
    ("How many people live in Porto and Lisbon and Paris together?", "2881000"),
)
MAX_STEPS = 7


@dataclass(frozen=True)
class Score:
    """What became of one task."""

    question: str
    right: bool
    seconds: float
    tokens: int
    session: AgentSession


def is_right(answer: str | None, wanted: str) -> bool:
    """Tell whether an answer holds the number or the name, whatever else it says."""
    plain = re.sub(r"(?<=\d)[, ](?=\d{3})", "", answer or "")
    return bool(re.search(rf"(?<![\w.-]){re.escape(wanted)}(?!\w|\.\d*[1-9])", plain))


async def run_tasks(model: LocalModel, profile: str | None = None) -> list[Score]:
    """Do all tasks, one after the other."""
    config = AgentConfig(MAX_STEPS, "local", temperature=0.0, profile=profile)
    lab = AgentRuntime(model, tools=TOOLS, config=config)
    await model.load()
    scores = []
    for question, wanted in TASKS:
        began = time.perf_counter()
        try:
            session = await lab.run(question)
        except AgentLoopError as error:  # three answers in a row that nobody can read
            session = error.session or AgentSession()
        took = time.perf_counter() - began
        tokens = session.tokens_out
        scores.append(Score(question, is_right(session.answer, wanted), took, tokens, session))
    return scores


def show(scores: Sequence[Score], *, steps: bool) -> None:
    """Print a line a task, and the total."""
    for score in scores:
        print(
            f"  {'right' if score.right else 'WRONG'}  {score.seconds:5.1f} s"
            f"  {score.tokens / score.seconds:5.1f} tokens/s"
            f"  {len(score.session.steps)} steps  {score.question}  -> {score.session.answer}"
        )
        if steps:
            for step in score.session.steps:
                print(f"           {step.thought} | {step.action} | {step.observation}")
    seconds, tokens = sum(s.seconds for s in scores), sum(s.tokens for s in scores)
    print(
        f"  {sum(s.right for s in scores)} of {len(scores)} right, {seconds:.1f} s,"
        f" {seconds / len(scores):.1f} s a task, {tokens / seconds:.1f} tokens/s\n"
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Run it for each model and each profile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", nargs="+", default=["gemma3-270m"])
    parser.add_argument("--profile", nargs="+", default=[None])
    parser.add_argument("--steps", action="store_true", help="print each step")
    args = parser.parse_args(argv)
    for name in args.model:
        for profile in args.profile:
            model = LocalModel(name)
            print(f"{name}, profile {profile or model.profile}")
            show(asyncio.run(run_tasks(model, profile)), steps=args.steps)
            model.unload()


if __name__ == "__main__":
    main()
