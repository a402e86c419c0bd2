"""What a small model is shown and held to when it plans: made from the tools, and readable."""

from __future__ import annotations

from typing import Any

import pytest

import agentlab as al
from agentlab.strategies.plan_execute import PlanExecute, PlanExecuteConfig, until_it_repeats
from agentlab.strategies.plan_grammar import MOST_STEPS, plan_grammar, verdict_grammar
from agentlab.strategies.plan_lines import read_plan, read_verdict
from agentlab.strategies.plan_prompts import planning_briefly, worked_plans
from agentlab.strategies.plans import PlanStep
from tests.models.sampler import Grammar


@al.tool
def population(city: str) -> int:
    """People living in a city."""
    return len(city)


@al.tool
def capital(country: str) -> str:
    """Name the capital of a country."""
    return country


TOOLS = [population, al.calculator, capital]


def test_worked_plans_can_be_read() -> None:
    """Each example is a plan of the tools there are, whose arguments they take."""
    for text in worked_plans(TOOLS).split("\n\n"):
        steps = read_plan(text)
        assert steps
        for step in steps:
            assert step.tool in {"population", "calculator", "capital"}
            assert step.args.startswith("{")
    assert worked_plans([]) == ""
    assert "Oslo" in planning_briefly("a goal", [capital]) or "Norway" in worked_plans([capital])
    assert planning_briefly("a goal", TOOLS).endswith("Goal: a goal\nPlan:\n")


class Small:
    """A model that is told by example; it keeps what it was asked."""

    profile = "base"

    def __init__(self, *replies: str) -> None:
        self.inner = al.ScriptedModel(*replies)

    def stream(self, request: al.Request, /) -> Any:
        return self.inner.stream(request)


def test_a_small_model_is_held() -> None:
    """Plan and verdict are asked with a grammar, a step is not; what it repeats is left out."""
    plan = (
        '1. Look | tool: population | args:{"city":"ab"}\n2. Say\n'
        '3. Look | tool: population | args:{"city":"ab"}\n4. Go'
    )
    model = Small(plan, "two", " YES 0.95")
    lab = al.AgentRuntime(model, tools=[population])
    session = lab.run_sync("How many?", strategy=PlanExecute(PlanExecuteConfig(max_steps=3)))
    first, second, third = model.inner.requests

    assert session.final_answer() == "two"
    assert "step-3" in first.options["grammar"]
    assert "step-4" not in first.options["grammar"]
    assert "grammar" not in second.options
    assert third.options["grammar"] == verdict_grammar()
    assert first.prompt.endswith("Plan:\n")


def test_until_it_repeats() -> None:
    """Equal calls, and equal words of steps without a tool, end a plan; others do not."""
    a, b = PlanStep("a", "t", args="{}"), PlanStep("b", "t", args='{"x":1}')
    c, d = PlanStep("c"), PlanStep("d")

    assert until_it_repeats([a, b, c, d]) == [a, b, c, d]
    assert until_it_repeats([a, b, PlanStep("other", "t", args="{}"), c]) == [a, b]
    assert until_it_repeats([c, d, c]) == [c, d]


@pytest.mark.parametrize("tools", [TOOLS, [population], [al.calculator], []])
def test_whatever_the_grammar_allows_is_a_plan(tools: list[Any]) -> None:
    """Sampled by chance: it can be read, names tools there are, and steps before it alone."""
    grammar = Grammar(plan_grammar(tools))
    for seed in range(60):
        text = grammar.sample(seed)
        steps = read_plan(text)

        assert 1 <= len(steps) <= MOST_STEPS
        for n, step in enumerate(steps, start=1):
            assert not tools or step.tool in {tool.name for tool in tools}
            if step.tool == "calculator":
                assert not any(f"<{k}>" in step.args for k in range(n, 10))
        assert read_verdict(Grammar(verdict_grammar()).sample(seed)).confidence > -1
