"""Workflows to try things on: any at all, and what should come of one, worked out step by step."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from agentlab.strategies.workflow.context import WorkflowContext
from agentlab.strategies.workflow.definition import Workflow
from agentlab.strategies.workflow.steps import WorkflowStep

NAMES = [
    "a",
    "b",
    "last",
    "goal",
    "naïve {a}",
    'x"\\\n\r\t\0\x7f]]',
    "\ud800",
    "end",
    "-->|#quot;|",
]
TEXTS = st.one_of(st.sampled_from(NAMES), st.text(max_size=12))
PROMPTS = st.lists(st.sampled_from(["{a}", "{b}", "{last}", " say ", "{no}", "x:y"]), max_size=4)
CONDITIONS = st.sampled_from(
    ["a:x", "b:", "last:say", "nothing", " a : a ", "goal:go", ":", "a:a:b"]
)


def tasks(tools: bool = False) -> st.SearchStrategy[Any]:  # noqa: FBT001, FBT002 - a switch
    """Give any task."""
    return st.builds(
        WorkflowStep.Task,
        st.sampled_from(NAMES),
        PROMPTS.map("".join),
        st.sampled_from([None, "echo"]) if tools else st.none(),
    )


def steps(tools: bool = False) -> st.SearchStrategy[Any]:  # noqa: FBT001, FBT002 - a switch
    """Give any step, with loops that end."""
    return st.recursive(
        tasks(tools),
        lambda inner: st.one_of(
            st.builds(WorkflowStep.Branch, CONDITIONS, inner, st.none() | inner),
            st.builds(
                WorkflowStep.Parallel, st.lists(inner, max_size=3), st.none() | st.integers(1, 3)
            ),
            st.builds(WorkflowStep.Loop, inner, st.integers(0, 3)),
        ),
        max_leaves=8,
    )


def workflows(tools: bool = False) -> st.SearchStrategy[Workflow]:  # noqa: FBT001, FBT002
    """Give any workflow."""
    return st.builds(Workflow, st.sampled_from(NAMES), st.lists(steps(tools), max_size=4))


def answer(prompt: str) -> str:
    """Answer, always the same."""
    return f"[{prompt[-20:]}]"


def interpreted(flow: Workflow, variables: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """Give outputs and variables, by taking one step after the other and nothing side by side."""

    def take(step: Any, known: dict[str, str]) -> tuple[list[str], dict[str, str]]:
        """Give what comes out, and what is set."""
        here = WorkflowContext({**known})
        if isinstance(step, WorkflowStep.Task):
            said = answer(here.fill(step.prompt))
            return [said], {step.name: said, "last": said}
        if isinstance(step, WorkflowStep.Branch):
            way = step.if_true if here.evaluate_condition(step.condition) else step.if_false
            return ([], {}) if way is None else take(way, known)
        out: list[str] = []
        new: dict[str, str] = {}
        if isinstance(step, WorkflowStep.Parallel):
            for each in step.steps:
                said_, set_ = take(each, known)
                out, new = [*out, *said_], {**new, **set_}
            return out, new
        for _ in range(step.max_iters):
            said_, set_ = take(step.body, {**known, **new})
            out, new = [*out, *said_], {**new, **set_}
        return out, new

    outputs: list[str] = []
    for step in flow.steps:
        said, news = take(step, variables)
        outputs, variables = [*outputs, *said], {**variables, **news}
    return outputs, variables
