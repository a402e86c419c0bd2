"""Workflows in a runtime: its tools, its reviewers, strategies within and around."""

from __future__ import annotations

from typing import Any

import pytest

import agentlab as al
from agentlab.core.events import Charted, RunStarted
from agentlab.strategies.react import ReAct
from agentlab.strategies.workflow.definition import Workflow
from agentlab.strategies.workflow.errors import StepFailed
from agentlab.strategies.workflow.result import WorkflowResult
from agentlab.strategies.workflow.steps import WorkflowStep

Task, Branch, Parallel, Loop = (
    WorkflowStep.Task, WorkflowStep.Branch, WorkflowStep.Parallel, WorkflowStep.Loop,
)  # fmt: skip
FINAL = "Thought: easy\nAction: FINAL_ANSWER 42"


@al.tool
def people(city: str) -> int:
    """People living in a city."""
    return {"Lyon": 522_000}[city]


def echoing(prompt: str) -> str:
    """Answer with the last line of what was asked."""
    return prompt.splitlines()[-1]


def test_run_workflow() -> None:
    """A runtime runs a workflow with its own tools and the built-in ones."""
    lab = al.AgentRuntime(echoing, tools=[people])
    flow = Workflow(
        "sum",
        [
            Task("lyon", "{city}", tool="people"),
            Task("twice", "{lyon} * 2", tool="calculator"),
            Task("say", "{twice} in all"),
        ],
    )
    result = lab.run_workflow_sync(flow, context={"city": "Lyon"})

    assert result.outputs == ["522000", "1044000", "1044000 in all"]
    assert lab.metrics().snapshot().total_tool_calls == 2


def test_infer() -> None:
    """A model of its own answers instead of the runtime's, and a runtime needs none then."""
    flow = Workflow("w", [Task("a", "x")])

    assert al.AgentRuntime().run_workflow_sync(flow, str.upper).answer == "X"
    assert al.AgentRuntime(echoing).run_workflow_sync(flow, str.upper).answer == "X"
    with pytest.raises(al.NotConfigured):
        al.AgentRuntime().run_workflow_sync(flow)


def test_as_a_strategy() -> None:
    """As the strategy of a run its goal is a variable, and its result is the session's."""
    session = al.AgentRuntime(echoing).run_sync(
        "tea", strategy=Workflow("w", [Task("a", "on {goal}"), Task("b", "hi", tool="echo")])
    )

    assert session.answer == "hi"
    assert [step.action for step in session.steps] == ["a", "echo hi"]
    assert isinstance(session.result, WorkflowResult)
    assert session.result.context.get("goal") == "tea"
    assert session.result.outputs == ["on tea", "hi"]


def test_goal_is_no_variable() -> None:
    """A workflow that is run by itself has no goal but the one in its context."""
    lab, flow = al.AgentRuntime(echoing), Workflow("w", [Task("a", "on {goal}")])

    assert lab.run_workflow_sync(flow).answer == "on {goal}"
    assert lab.run_workflow_sync(flow, context={"goal": "tea"}).answer == "on tea"


def test_reviewed() -> None:
    """Whoever reviews actions is asked about those of a workflow, with their arguments."""
    asked: list[tuple[str, Any]] = []

    def no(name: str, args: Any) -> bool:
        asked.append((name, args))
        return False

    lab = al.AgentRuntime(echoing, tools=[people], action_hook=no)
    with pytest.raises(StepFailed, match=r"^step 'p' failed: action blocked by reviewer$") as e:
        lab.run_workflow_sync(Workflow("w", [Parallel([Task("p", "Lyon", tool="people")])]))

    assert asked == [("people", {"city": "Lyon"})]
    assert e.value.kind == "blocked"


def test_strategies_within() -> None:
    """A task with a strategy runs it in a run below, with the runtime's tools."""
    seen: list[str] = []

    def infer(prompt: str) -> str:
        seen.append(prompt)
        return FINAL

    lab = al.AgentRuntime(infer, tools=[people])
    flow = Workflow(
        "w", [Task("think hard/now", "How many?", strategy=ReAct()), Task("b", "{last}")]
    )
    session = lab.run_sync("x", strategy=flow)

    assert isinstance(session.result, WorkflowResult)
    assert session.result.outputs == ["42", FINAL]
    assert [child.agent_id for child in session.children] == ["think-hard-now"]
    assert [child.answer for child in session.children] == ["42"]
    assert "people" in seen[0]
    assert "calculator" not in seen[0]


def test_runtimes_within() -> None:
    """A runtime can do a task, with its own model, and a workflow can be within a workflow."""
    other = al.AgentRuntime(lambda _: FINAL)
    inner = Workflow("inner", [Task("e", "{goal}!", tool="echo")])
    flow = Workflow("w", [Task("one", "Go", strategy=other), Task("two", "{one}", strategy=inner)])
    session = al.AgentRuntime(echoing).run_sync("x", strategy=flow)

    assert isinstance(session.result, WorkflowResult)
    assert session.result.outputs == ["42", "42!"]
    assert [child.agent_id for child in session.children] == ["one", "two"]
    assert all(not child.children for child in session.children)


def test_strategy_without_an_answer() -> None:
    """A strategy that ends without an answer fails its step, and says how it ended."""
    lab = al.AgentRuntime(
        lambda _: "Thought: hm\nAction: people {}", tools=[people], max_iterations=1
    )
    flow = Workflow("w", [Task("think", "x", strategy=ReAct())])

    with pytest.raises(StepFailed, match=r"^step 'think' failed: no answer: max_iterations$"):
        lab.run_workflow_sync(flow)


def test_children_in_order() -> None:
    """What goes on side by side are runs below, numbered as declared, each with its steps."""
    flow = Workflow("w", [Parallel([Task("a", "1"), Task("a", "2"), Loop(Task("b", "3"), 2)])])
    session = al.AgentRuntime(echoing).run_sync("x", strategy=flow)
    assert session.trace is not None

    assert [child.session_id.rpartition("/")[2] for child in session.children] == [
        "a#1", "a#2", "loop#1",
    ]  # fmt: skip
    assert [[step.observation for step in child.steps] for child in session.children] == [
        ["1"], ["2"], ["3", "3"],
    ]  # fmt: skip
    assert sum(isinstance(e.event, Charted) for e in session.trace.entries) == 1
    assert al.AgentSession.from_trace(session.trace.entries) == session


def test_strict() -> None:
    """A strict configuration asks for an answer of the run, not of each of its parts."""
    config = al.AgentConfig(1, "m", strict=True)
    flow = Workflow("w", [Parallel([Branch("a:x", Task("a", "x"))]), Task("b", "y")])

    assert al.AgentRuntime(echoing, config=config).run_workflow_sync(flow).answer == "y"


def test_order_of_runs() -> None:
    """Runs below begin in the order of declaration, so that a script of answers suits them."""
    flow = Workflow("w", [Parallel([Task("a", "1"), Task("b", "2")]), Task("c", "{a}{b}")])
    lab = al.AgentRuntime(al.ScriptedModel("x", "y", "z"))
    session = lab.run_sync("g", strategy=flow)
    assert session.trace is not None
    started = [e.event.agent for e in session.trace.entries if isinstance(e.event, RunStarted)]

    assert started == ["agent", "a", "b"]
    assert isinstance(session.result, WorkflowResult)
    assert session.result.outputs == ["x", "y", "z"]
