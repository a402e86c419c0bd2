"""The embedded model plans for real: with the tools there are, held to a grammar of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import agentlab as al
from agentlab.models.local import LocalModel
from agentlab.strategies.plan_execute import PlanExecute, Verifier
from agentlab.strategies.plan_lines import read_plan
from agentlab.strategies.plans import Plan, PlanStep, StepStatus

pytestmark = pytest.mark.local

CITIES = {"Lyon": 522_000, "Nice": 353_000, "Paris": 2_103_000}  # of others it says 1,000,000


@al.tool
def population(city: str) -> int:
    """People living in a city."""
    return CITIES.get(city, 1_000_000)


@pytest.fixture(scope="module")
def model() -> Iterator[LocalModel]:
    """Load it once."""
    model = LocalModel()
    yield model
    model.unload()


@pytest.mark.parametrize(
    ("goal", "answer"),
    [
        ("How many people live in Lyon and Nice together?", "875000"),
        ("What is the population of Paris divided by 2?", "1051500"),
    ],
)
def test_it_plans(model: LocalModel, goal: str, answer: str) -> None:
    """Look-ups, then a sum of what they gave, and a verdict."""
    lab = al.AgentRuntime(model, tools=[population, al.calculator])
    session = lab.run_sync(goal, strategy=PlanExecute())
    done: Any = session.result

    assert answer in done.plan.outputs()
    assert done.plan.steps[-1].tool == "calculator"
    assert "<1>" in done.plan.steps[-1].args
    assert {step.tool for step in done.plan.steps} == {"population", "calculator"}
    assert session.has_final_answer() is done.verification.achieved


def test_it_judges(model: LocalModel) -> None:
    """What was done is achieved, what failed is not; in the form that is read."""
    good = (
        PlanStep("Look up Lyon", status=StepStatus.Completed("522000")),
        PlanStep("Look up Nice", status=StepStatus.Completed("353000")),
        PlanStep("Add the results", status=StepStatus.Completed("875000")),
    )
    bad = (good[0], PlanStep("Look up Nice", status=StepStatus.Failed("KeyError: 'Nice'")))
    goal = "How many people live in Lyon and Nice together?"

    assert Verifier().verify_sync(Plan(goal, good), model).is_confident_success()
    assert not Verifier().verify_sync(Plan(goal, bad), model).achieved


def test_whatever_is_asked_it_is_a_plan(model: LocalModel) -> None:
    """The grammar sees to it: every step can be read, and calls a tool that is there."""
    from agentlab.strategies.plan_grammar import plan_grammar

    for tools in ([population], [al.calculator], []):
        grammar = plan_grammar(tools, steps=2)
        session = al.AgentRuntime(model, tools=tools)  # the model is asked as a run would ask it
        reply = session.run_sync("x", strategy=Asking(grammar)).final_answer()
        steps = read_plan(str(reply))

        assert 1 <= len(steps) <= 2
        assert {step.tool for step in steps} == {tool.name for tool in tools} or not tools


class Asking:
    """Asks one question, held to a grammar."""

    strategy_name = "asking"

    def __init__(self, grammar: str) -> None:
        self.grammar = grammar

    async def __call__(self, run: al.Run, goal: str, /) -> Any:
        from agentlab.strategies.react import Outcome

        reply = await run.ask(f"Goal: {goal}\nPlan:\n", grammar=self.grammar, max_tokens=200)
        return Outcome(reply.text)
