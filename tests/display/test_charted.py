"""Charts, drawn: where the parts of a flow go, and what lists and trees say."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agentlab as al
from agentlab.core.events import Charted, Edge, Marked, Node
from agentlab.core.run import Run
from agentlab.display.charted import MARKS
from agentlab.display.flowing import MOST, WIDE, fitted, flow_of
from agentlab.strategies.react import Outcome
from agentlab.strategies.workflow.definition import Workflow
from agentlab.strategies.workflow.steps import WorkflowStep
from tests.display.things import Reader
from tests.strategies import flows

NAMES = [str(i) for i in range(8)]
ANY = st.builds(
    lambda nodes, edges: Charted("flow", tuple(nodes), tuple(edges)),
    st.lists(
        st.builds(
            Node,
            st.sampled_from(NAMES),
            st.text(max_size=5),
            st.sampled_from(["task", "branch", "parallel", "loop", "pass", "other"]),
            st.none() | st.sampled_from(NAMES),
        ),
        max_size=8,
    ),
    st.lists(st.builds(Edge, st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=8),
)


class Charting:
    """Charts something, marks some of it, and ends."""

    strategy_name = "charting"

    def __init__(self, *said: Any) -> None:
        self.said = said

    async def __call__(self, run: Run, _: str, /) -> Outcome:
        for event in self.said:
            run.emit(event)
        return Outcome("done")


def shown(*said: Any) -> Reader:
    """Give the card of a run that said something."""
    session = al.AgentRuntime(lambda _: "").run_sync("go", strategy=Charting(*said))
    return Reader(session.to_html())


@settings(max_examples=150, deadline=None)
@given(flows.workflows(tools=True))
def test_boxes_of_workflows(flow: Workflow) -> None:
    """Every step has a box, each is inside the picture, and no two have a point in common."""
    flow_ = flow_of(flow.chart())
    if flow_ is None:
        assert not flow.steps
        return

    steps = [i for i, node in enumerate(flow.chart().nodes) if node.kind != "pass"]
    assert [box.no for box in flow_.boxes] == steps
    for box in flow_.boxes:
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.wide <= flow_.wide
        assert box.y + box.tall <= flow_.tall
    for a, b in combinations(flow_.boxes, 2):
        apart = a.x + a.wide < b.x or b.x + b.wide < a.x
        assert apart or a.y + a.tall < b.y or b.y + b.tall < a.y


@settings(max_examples=300, deadline=None)
@given(ANY)
def test_any_chart(plan: Charted) -> None:
    """Whatever parts say they are in, and leads to whatever, is placed, or not drawn as a flow."""
    flow = flow_of(plan)

    if flow is not None:
        filled = {node.parent for node in plan.nodes}
        wanted = [node.kind != "pass" or node.id in filled for node in plan.nodes]
        assert len(flow.boxes) == sum(wanted)
        assert flow.wide > 0
        assert not re.search("nan|inf", flow.ways + flow.heads)


def test_order() -> None:
    """A step is below the one before it; what is side by side is on one height."""
    task = WorkflowStep.Task("t", "p")
    flow = flow_of(Workflow("w", [task, WorkflowStep.Parallel([task, task]), task]).chart())
    assert flow is not None
    first, head, left, right, last = flow.boxes

    assert first.y < head.y < left.y == right.y < last.y
    assert left.x + WIDE < right.x
    assert first.x == head.x == last.x == (left.x + right.x) / 2


def test_too_many() -> None:
    """A picture has at most so many parts; what has more is a list."""
    nodes = tuple(Node(str(i), "part") for i in range(MOST + 1))

    assert flow_of(Charted("flow", nodes)) is None
    assert flow_of(Charted("flow", nodes[:-1])) is not None
    assert "svg" not in shown(Charted("flow", nodes)).names


@pytest.mark.parametrize("parents", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "nothing"}], ids=str)
def test_within_themselves(parents: dict[str, str]) -> None:
    """Parts that are within themselves, or within what is not there, are listed."""
    nodes = tuple(Node(name, f"part {name}", parent=parents.get(name)) for name in "abc")
    card = shown(Charted("flow", nodes))

    assert flow_of(Charted("flow", nodes)) is None
    assert "part a" in card.line
    assert "part b" in card.line


@settings(deadline=None)
@given(st.text(max_size=80))
def test_fitted(text: str) -> None:
    """A label has one line, and is as short as there is room."""
    line = fitted(text, 60)

    assert "\n" not in line
    assert len(line) <= 15  # of the thinnest letters


def test_fitted_by_width() -> None:
    """Of thin letters more fit than of most, and of fat ones fewer; the dots fit, too."""
    cut = [fitted(c * 60) for c in "inW"]

    assert [len(line) for line in cut] == sorted({len(line) for line in cut}, reverse=True)
    assert all(line.endswith("…") for line in cut)
    assert fitted("summarise:short") == "summarise:short"


def test_list() -> None:
    """A plan is a checklist: each part with its mark, its word, and what came of it."""
    card = shown(
        Charted(
            "list", (Node("1", "Look it up", detail="tool search"), Node("2", "Add")), (), "plan"
        ),
        Marked("1", "done", "42"),
        Marked("2", "running"),
        Marked("2", "failed", "no number"),
    )

    assert "plan · 1 done, 1 failed of 2 parts" in card.line
    assert f"{MARKS['done']} Look it up · tool search → 42 done" in card.line
    assert f"{MARKS['failed']} Add → no number failed" in card.line


def test_what_heads_a_list() -> None:
    """Its title, unless that is what was asked and stands above already."""
    parts = (Node("1", "Look"),)

    for title, heading in (("go", "plan"), ("Why?", "Why?"), ("flow", "flow"), ("", "plan")):
        assert (
            f"{heading} · 1 done of 1 part"
            in shown(Charted("list", parts, (), title), Marked("1", "done")).line
        )


def test_tree() -> None:
    """A tree is set in by how deep it is, and says what was chosen and what was not."""
    nodes = (Node("r", "go"), Node("a", "by train", parent="r"), Node("b", "by car", parent="r"))
    card = shown(Charted("tree", nodes), Marked("a", "chosen"), Marked("b", "rejected", "no car"))

    assert "by train chosen" in card.line
    assert "by car → no car rejected" in card.line
    depths = [attrs.get("style") for tag, attrs in card.tags if tag == "li"]
    assert depths == [None, "--agl-depth:1", "--agl-depth:1"]


def test_path_taken() -> None:
    """The chart of a result says of each step whether it was done or left out, and what came."""
    flow = Workflow(
        "w",
        [WorkflowStep.Branch("a:x", WorkflowStep.Task("yes", "p"), WorkflowStep.Task("no", "q"))],
    )
    html = al.WorkflowEngine().run_sync(flow, str.upper, context={"a": "x"}).to_html()
    titles = re.findall(r'<g class="agl-box (\w+)"><title>(.*?)</title>', html)

    assert titles == [
        ("done", "a:x · choice · done · yes"), ("done", "yes · done · P"),
        ("skipped", "no · skipped"),
    ]  # fmt: skip


def test_frames() -> None:
    """A frame has a row a task that was done; of a workflow, a row a step."""
    flow = Workflow("w", [WorkflowStep.Loop(WorkflowStep.Task("t", "go {last}"), 2)])
    result = al.WorkflowEngine().run_sync(flow, str.upper, context={"last": "on"})
    done, steps = result.to_frame(), flow.to_frame()

    assert list(done["output"]) == ["GO ON", "GO GO ON"]
    assert list(done["step"]) == ["steps[0].body"] * 2
    assert list(steps["kind"]) == ["loop", "task"]
    assert list(steps["depth"]) == [0, 1]


def test_replaced() -> None:
    """A plan that is made anew stands for the one before, with nothing of it done."""
    one, other = (Charted("list", (Node("1", name),), (), "plan") for name in ("old", "new"))
    card = shown(one, Marked("1", "done"), other)

    assert "new pending" in card.line
    assert "old" not in card.line


def test_charts_of_runs_below() -> None:
    """Each is drawn where its run is, under the line of that; one that has none has none."""
    inner = Charting(Charted("list", (Node("1", "inmost"),)), Marked("1", "done", "so"))
    step = WorkflowStep.Task
    within = Workflow("within", [step("c", "p", strategy=inner), step("d", "p")])
    flow = Workflow("all", [step("a", "p", strategy=within), step("b", "p")])
    session = al.AgentRuntime(lambda _: "said").run_sync("go", strategy=flow)
    html = session.to_html()

    titles = re.findall(r'<g class="agl-box (?:\w+)"><title>(.*?)</title>', html)
    assert [title.partition(" ")[0] for title in titles] == ["a", "b", "c", "d"]
    card = Reader(html)
    assert f"{MARKS['done']} inmost → so done" in card.line
    assert html.index("all · 2 done") < html.index("within · 2 done")
    assert "within · " not in session.children[0].to_html()  # which has no trace to tell it


def test_many_charts_below() -> None:
    """A card of many runs with large charts is as short as any other, and says what is left out."""
    tasks = [WorkflowStep.Task(f"step {i}", "p" * 50) for i in range(30)]
    arms = [WorkflowStep.Task(f"arm {i}", "p", strategy=Workflow("w", tasks)) for i in range(12)]
    flow = Workflow("all", [WorkflowStep.Parallel(arms)])
    html = al.AgentRuntime(lambda _: "said" * 50).run_sync("go", strategy=flow).to_html()
    assert len(html.encode()) <= 65_536
    assert "session.children" in html
