"""Workflows as plain values, as files, and for mermaid."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import agentlab as al
from agentlab.strategies.react import ReAct
from agentlab.strategies.workflow.definition import Workflow
from agentlab.strategies.workflow.files import MOST
from agentlab.strategies.workflow.steps import WorkflowStep
from tests.strategies import flows
from tests.strategies.test_workflow import README

Task, Branch, Parallel, Loop = (
    WorkflowStep.Task, WorkflowStep.Branch, WorkflowStep.Parallel, WorkflowStep.Loop,
)  # fmt: skip
BY_HAND = """
name = "by hand"  # with a comment

[[steps]]
kind = "task"
name = "ask"
prompt = '''
Why {goal}?'''

[[steps]]
kind = "loop"
max_iters = 2
until = "last:done"

[steps.body]
kind = "task"
name = "again"
prompt = "{last}"
tool = "echo"
"""


@settings(max_examples=200, deadline=None)
@given(flows.workflows(tools=True))
def test_round_trips(flow: Workflow) -> None:
    """Whatever a workflow says comes back from each plain form as it was."""
    assert Workflow.from_dict(flow.to_dict()) == flow
    assert Workflow.from_toml(flow.to_toml()) == flow
    assert Workflow.from_json(flow.to_json()) == flow


@settings(max_examples=200, deadline=None)
@given(flows.TEXTS)
def test_any_text(text: str) -> None:
    """Any text at all comes back from TOML and JSON."""
    flow = Workflow("w", [Branch(text, Loop(Task("t", text, tool=text or None), 1, until=text))])

    assert Workflow.from_toml(flow.to_toml()) == flow
    assert Workflow.from_json(flow.to_json()) == flow


@pytest.mark.parametrize("name", ["flow.toml", "deep/er/flow.json"])
def test_files(tmp_path: Path, name: str) -> None:
    """What is kept as a file is read as it was, and the folder is made."""
    kept = README.save(tmp_path / name)

    assert kept == tmp_path / name
    assert Workflow.load(str(kept)) == README


def test_by_hand() -> None:
    """A file that somebody wrote by hand is read."""
    assert Workflow.from_toml(BY_HAND) == Workflow(
        "by hand",
        [
            Task("ask", "Why {goal}?"),
            Loop(Task("again", "{last}", tool="echo"), 2, until="last:done"),
        ],
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (3, "the workflow must be a table, got 3"),
        ({}, "the workflow needs 'name', got "),
        ({"name": "x"}, "the workflow needs 'steps', got 'name'"),
        ({"name": "x", "steps": [], "stesp": 1}, "the workflow has no 'stesp' (did you mean"),
        ({"name": "", "steps": []}, "the workflow: name must be a name, got ''"),
        ({"name": "x", "steps": {}}, "steps: a list of steps is needed, got {}"),
        ({"name": "x", "steps": [3]}, "steps[0]: the kind of a step must be one of task, branch"),
        (
            {"name": "x", "steps": [{"kind": "taks"}]},
            "parallel, loop, got 'taks' (did you mean 'task'?)",
        ),
        (
            {"name": "x", "steps": [{"kind": "task", "name": "a"}]},
            "steps[0]: a task needs 'prompt', got 'kind', 'name'",
        ),
        (
            {"name": "x", "steps": [{"kind": "task", "name": "a", "prompt": 1}]},
            "steps[0]: prompt must be text, got 1",
        ),
        (
            {"name": "x", "steps": [{"kind": "loop", "body": {"kind": "loop"}, "max_iters": 1}]},
            "steps[0].body: a loop needs 'body', got 'kind'",
        ),
        (
            {"name": "x", "steps": [{"kind": "parallel", "steps": [], "max_concurrency": 0}]},
            "steps[0]: max_concurrency must be >= 1",
        ),
        (
            {"name": "x", "steps": [{"kind": "task", "name": "a", "prompt": "", "strategy": "r"}]},
            "steps[0]: a task has no 'strategy'",
        ),
    ],
)
def test_bad_data(data: Any, said: str) -> None:
    """Data that is no workflow is refused, and the place is named."""
    with pytest.raises(al.InvalidValue, match=re.escape(said)):
        Workflow.from_dict(data)


@pytest.mark.parametrize("text", ["x", "a = [", "a = " + "[" * 5000, "a = 99-99-99", "\0"])
def test_bad_toml(text: str) -> None:
    """Text that is no TOML is refused in a sentence."""
    with pytest.raises(al.InvalidValue, match=r"^not TOML: "):
        Workflow.from_toml(text)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"name": NaN}'])
def test_bad_json(text: str) -> None:
    """Text that is no JSON is refused in a sentence."""
    with pytest.raises(al.InvalidValue, match=r"^not JSON: "):
        Workflow.from_json(text)


def test_nested_data() -> None:
    """Data that is nested without end is refused, whichever form it comes in."""
    data: dict[str, Any] = {"kind": "task", "name": "t", "prompt": ""}
    for _ in range(400):
        data = {"kind": "loop", "max_iters": 1, "body": data}

    with pytest.raises(al.InvalidValue, match="nested deeper than 64"):
        Workflow.from_dict({"name": "x", "steps": [data]})


def test_bad_files(tmp_path: Path) -> None:
    """A file that cannot be read is named, and so is the place in it."""
    big, bad, odd = (tmp_path / name for name in ("big.toml", "bad.toml", "odd.json"))
    big.write_bytes(b"#" * (MOST + 1))
    bad.write_text("name = 'x'\nsteps = [1]", encoding="utf-8")
    odd.write_bytes(b"\xff")

    with pytest.raises(al.PersistenceError, match=r"big\.toml is longer than .* 1,000,000 bytes"):
        Workflow.load(big)
    with pytest.raises(al.InvalidValue, match=r"bad\.toml: steps\[0\]: the kind of a step"):
        Workflow.load(bad)
    with pytest.raises(al.InvalidValue, match=r"odd\.json: no text of UTF-8"):
        Workflow.load(odd)
    with pytest.raises(al.PersistenceError, match=r"none\.toml is no file"):
        Workflow.load(tmp_path / "none.toml")
    (tmp_path / "dir.toml").mkdir()
    with pytest.raises(al.PersistenceError, match="is no file"):
        Workflow.load(tmp_path / "dir.toml")
    with pytest.raises(al.InvalidValue, match=r"must end in \.toml or \.json, got 'flow\.yaml'"):
        README.save(tmp_path / "flow.yaml")


def test_strategies_cannot_be_written(tmp_path: Path) -> None:
    """A workflow with an object in it is not written, which is said with the place."""
    flow = Workflow("w", [Task("a", "x"), Loop(Task("think", "x", strategy=ReAct()), 1)])

    with pytest.raises(al.InvalidValue, match=r"steps\[1\]\.body: task 'think' has a strategy"):
        flow.save(tmp_path / "flow.toml")
    assert not [*tmp_path.iterdir()]


def test_mermaid() -> None:
    """Each step is a node, and arrows lead as the workflow goes."""
    flow = Workflow(
        "w",
        [
            Task("ask", "x"),
            Branch("ask:yes", Loop(Task("try", "x", tool="echo"), 2, "try:x")),
            Parallel([Task("a", ""), Task("b", "")]),
            Task("end", ""),
        ],
    )

    assert flow.to_mermaid().splitlines() == [
        "flowchart TD",
        '    n0["ask"]', '    n1{"ask:yes"}', '    n2{{"until try:x · at most 2 times"}}',
        '    n3["try · tool echo"]',
        '    n4(["side by side"])', '    n5["a"]', '    n6["b"]', '    n7["end"]',
        "    n0 --> n1", "    n1 -->|yes| n2", "    n2 --> n3", "    n3 -.-> n2",
        "    n2 --> n4", "    n1 -->|no| n4", "    n4 --> n5", "    n4 --> n6",
        "    n5 --> n7", "    n6 --> n7",
    ]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(flows.workflows(tools=True))
def test_mermaid_is_safe(flow: Workflow) -> None:
    """Whatever steps are called, each line is a node or an arrow, and no name can end it."""
    said = r'([^"<>&`#\[\]{}\n]|#\d+;)+'
    node = rf'n\d+(\["{said}"\]|\{{"{said}"\}}|\(\["{said}"\]\)|\{{\{{"{said}"\}}\}})'
    arrow = r"n\d+ (-->|-\.->)(\|(yes|no)\|)? n\d+"
    lines = flow.to_mermaid().split("\n")

    assert lines[0] == "flowchart TD"
    for line in lines[1:]:
        assert re.fullmatch(f"    ({node}|{arrow})", line), line
