"""What comes of a workflow, and how it fails."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agentlab as al
from agentlab.core.chart import Charts
from agentlab.core.events import Marked, StepEnded, Warned
from agentlab.strategies import workflow
from agentlab.strategies.workflow.context import WorkflowContext
from agentlab.strategies.workflow.definition import Workflow
from agentlab.strategies.workflow.engine import WorkflowEngine
from agentlab.strategies.workflow.errors import MaxIterationsExceeded, StepFailed, ToolNotFound
from agentlab.strategies.workflow.result import WorkflowResult
from agentlab.strategies.workflow.steps import DEEPEST, WorkflowStep
from tests.strategies import flows

Task, Branch, Parallel, Loop = (
    WorkflowStep.Task, WorkflowStep.Branch, WorkflowStep.Parallel, WorkflowStep.Loop,
)  # fmt: skip
README = Workflow(
    "research",
    [
        Task("summarise", "Summarise the topic"),
        Branch(
            "confidence:high", Task("publish", "Publish it"), Task("gather", "Gather more data")
        ),
    ],
)


def ran(
    steps: list[Any], infer: Callable[..., Any] = flows.answer, tools: Any = None, **presets: str
) -> WorkflowResult:
    """Run steps to their end."""
    return WorkflowEngine().run_sync(Workflow("flow", steps), infer, tools, context=presets)


def test_one_door() -> None:
    """All of it can be had from the package, and is what the front door gives."""
    for name in workflow.__all__:
        if name != "ToolNotFound":  # at the front door that is any tool's
            assert getattr(workflow, name) is getattr(al, name)
    assert issubclass(workflow.ToolNotFound, al.ToolNotFound)


def test_w8_1() -> None:
    """A condition holds where a variable has the text in it."""
    context = WorkflowContext()
    context.set("status", "ok running")

    assert context.evaluate_condition("status:ok")
    assert not context.evaluate_condition("status:fail")


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("status:ok", True), (" status : ok ", True), ("status:OK", False), ("status", False),
        ("status:", True), ("other:", False), (":ok", False), ("", False), (":", False),
        ("url:http://x", True), ("status:ok running ", True), ("status:k r", True),
    ],
)  # fmt: skip
def test_conditions(condition: str, *, holds: bool) -> None:
    """A condition is split at its first colon, both sides are trimmed, and letters must match."""
    context = WorkflowContext({"status": "ok running", "url": "see http://x"})

    assert context.evaluate_condition(condition) is holds


def test_w8_2() -> None:
    """A workflow gives an output a task, and a variable that is unset leads the other way."""
    result = WorkflowEngine().run_sync(README, lambda prompt: f"response to: {prompt}", None)

    assert result.outputs == [
        "response to: Summarise the topic",
        "response to: Gather more data",
    ]
    assert result.steps_executed == 2
    assert result.answer == "response to: Gather more data"
    assert result.context.get("gather") == result.context.get("last") == result.answer
    assert result.context.current_step == 2


def test_w8_3() -> None:
    """What is declared side by side goes on side by side, and its outputs keep their order."""
    gate = asyncio.Barrier(3)

    async def together(prompt: str) -> str:
        async with asyncio.timeout(5):  # whoever is alone waits in vain
            await gate.wait()
        return prompt

    assert ran([Parallel([Task(name, name) for name in "abc"])], together).outputs == [*"abc"]


@settings(max_examples=150, deadline=None)
@given(flows.workflows(), st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=5)))
def test_equals_sequential(flow: Workflow, presets: dict[str, str]) -> None:
    """Where steps only depend on what they are asked, the outcome is that of one after another."""
    context = WorkflowContext(presets)
    result = WorkflowEngine().run_sync(flow, flows.answer, context=context)
    outputs, variables = flows.interpreted(flow, context.variables)

    assert result.outputs == outputs
    assert result.context.variables == variables
    assert result.steps_executed == len(outputs) == len(result.tasks)
    assert [task.output for task in result.tasks] == outputs


@settings(max_examples=60, deadline=None)
@given(flows.workflows(tools=True))
def test_chart(flow: Workflow) -> None:
    """When a workflow is over, the trace tells of each of its parts whether it was done."""
    result = WorkflowEngine().run_sync(flow, flows.answer, [al.EchoTool()])
    assert result.trace is not None
    [chart] = Charts.of(result.trace.entries).values()
    done = {task.step for task in result.tasks}

    assert chart == result.chart
    assert {row.step for row in flow.rows()} <= {node.id for node in chart.plan.nodes}
    for node in chart.plan.nodes:
        assert chart.status(node.id) in {"done", "skipped"}
        if node.kind == "task":
            assert (chart.status(node.id) == "done") == (node.id in done)


def test_presets_stay() -> None:
    """The variables that the caller gave are read, and not changed."""
    mine = WorkflowContext({"topic": "tea"})
    result = WorkflowEngine().run_sync(
        Workflow("flow", [Task("one", "on {topic}")]), flows.answer, context=mine
    )

    assert result.outputs == ["[on tea]"]
    assert mine == WorkflowContext({"topic": "tea"})


def test_values_are_not_read_again() -> None:
    """What a variable holds is put in as it is, whatever it looks like."""
    result = ran([Task("t", "{a}{{b}}{0}{a.x}{a!r}{a:>9}")], lambda p: p, a="{b}", b="no")

    assert result.answer == "{b}{no}{0}{a.x}{a!r}{a:>9}"


def test_json_for_tools() -> None:
    """In arguments for a tool a value stays within the text it is put in."""

    @al.tool
    def look(city: str, secret: bool = False) -> str:  # noqa: FBT001, FBT002 - as a model sees it
        """Look at a city."""
        return f"{city}|{secret}"

    result = ran(
        [Task("t", '{"city": "{a}"}', tool="look")], tools=[look], a='", "secret": true, "'
    )

    assert result.answer == '", "secret": true, "|False'


def test_exact_prompt_for_tools() -> None:
    """A prompt without names reaches its tool as it was written."""
    result = ran([Task("t", ' {"b" : 1}  x', tool="echo")], tools=[al.EchoTool()])

    assert result.answer == ' {"b" : 1}  x'


def test_branches_skip() -> None:
    """A choice with one way does nothing on the other, and what was not taken is told."""
    result = ran([Branch("a:x", Task("yes", "yes")), Branch("a:y", Task("no", "no"))], a="x")
    assert result.chart is not None

    assert result.outputs == ["[yes]"]
    assert {node.id: result.chart.status(node.id) for node in result.chart.plan.nodes} == {
        "steps[0]": "done", "steps[0].if_true": "done", "steps[0].if_false": "skipped",
        "steps[1]": "done", "steps[1].if_true": "skipped", "steps[1].if_false": "done",
    }  # fmt: skip


def test_loop() -> None:
    """A loop goes round as often as it says, and each pass sees what the one before set."""
    result = ran([Loop(Task("n", "{n}i"), 3)], lambda prompt: prompt, n="")

    assert result.outputs == ["i", "ii", "iii"]
    assert result.steps_executed == 3


def test_loop_until() -> None:
    """A loop ends after the pass in which its condition comes to hold."""
    assert ran([Loop(Task("n", "{n}i"), 9, "n:ii")], lambda p: p, n="").outputs == ["i", "ii"]


def test_loop_exceeded() -> None:
    """A loop whose condition does not come to hold says so, in the reference's words."""
    with pytest.raises(MaxIterationsExceeded, match=r"^loop exceeded maximum 2 iterations$") as e:
        ran([Loop(Task("n", "no"), 2, until="n:yes")])

    assert isinstance(e.value, al.WorkflowError)
    assert e.value.max == 2


def test_loop_never() -> None:
    """A loop of no passes does nothing."""
    assert ran([Loop(Task("n", "no"), 0)]).steps_executed == 0
    assert ran([Loop(Task("n", "no"), 0, until="a:x")], a="x").outputs == []
    with pytest.raises(MaxIterationsExceeded):
        ran([Loop(Task("n", "no"), 0, until="a:y")], a="x")


def test_empty() -> None:
    """A workflow without steps ends, and its answer is empty."""
    assert ran([]).answer == ran([Parallel([])]).answer == ""


def test_tool_not_found() -> None:
    """A tool that is not there is told in the reference's words, whoever catches it."""
    for tools in (None, [al.EchoTool()], al.ToolRegistry()):
        with pytest.raises(ToolNotFound, match=r"^tool not found: ecoh$") as e:
            ran([Task("t", "x", tool="ecoh")], tools=tools)
        assert isinstance(e.value, al.WorkflowError)
        assert isinstance(e.value, al.ToolNotFound)


def test_step_failed() -> None:
    """A model that fails is told as its step's failure, with its kind and where it is from."""

    def fail(_: str) -> str:
        raise ConnectionError("gone")

    with pytest.raises(StepFailed) as e:
        ran([Task("one", "x")], fail)

    assert str(e.value) == "step 'one' failed: ConnectionError: gone"
    assert (e.value.step, e.value.reason) == ("one", "ConnectionError: gone")
    assert e.value.kind == "transient"
    assert isinstance(e.value.__cause__, ConnectionError)
    assert e.value.session is not None


def test_tool_failed() -> None:
    """A tool that fails is told as its step's failure, and the step is in the session."""
    with pytest.raises(StepFailed, match=r"^step 'sum' failed: ") as e:
        ran([Task("sum", "1 +", tool="calculator")], tools=al.NamedToolRegistry.with_builtins())

    assert e.value.session is not None
    assert [step.tool for step in e.value.session.steps] == ["calculator"]
    assert e.value.session.steps[0].error_kind


class Slow:
    """Answers that take a while, and a note of which of them were given up.

    What fails does so once that many others are under way.
    """

    def __init__(self, others: int = 0) -> None:
        self.gone, self.begun, self.others = list[str](), 0, others
        self.ready = asyncio.Event()  # that so many are under way

    async def __call__(self, prompt: str) -> str:
        if prompt.startswith("fail"):
            await self.ready.wait()
            raise asyncio.CancelledError if prompt == "fail softly" else ValueError(prompt)
        self.begun += 1
        if self.begun == self.others:
            self.ready.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            self.gone.append(prompt)
            raise
        return prompt


def test_siblings_are_cancelled() -> None:
    """What goes on beside a failure is given up at once, and no task is left of it."""
    slow = Slow(others=2)
    flow = Workflow("flow", [Parallel([Task("a", "a"), Task("f", "fail"), Task("b", "b")])])

    async def work() -> None:
        try:
            await WorkflowEngine().run(flow, slow)
        finally:
            assert asyncio.all_tasks() == {asyncio.current_task()}

    with pytest.raises(StepFailed, match=r"^step 'f' failed: ValueError: fail$") as e:
        asyncio.run(work())

    assert sorted(slow.gone) == ["a", "b"]
    assert e.value.session is not None
    assert e.value.session.trace is not None
    [chart] = Charts.of(e.value.session.trace.entries).values()
    assert [chart.status(f"steps[0].steps[{i}]") for i in range(3)] == [
        "cancelled", "failed", "cancelled",
    ]  # fmt: skip
    assert chart.status("steps[0]") == "failed"


def test_what_cancels_itself_has_failed() -> None:
    """What is cancelled from within, beside others, is a failure: no output goes missing."""
    slow = Slow(others=1)
    flow = [Parallel([Task("a", "a"), Task("f", "fail softly")])]

    with pytest.raises(StepFailed, match=r"^step 'f' failed: .*cancelled from within$"):
        ran(flow, slow)

    assert slow.gone == ["a"]


def test_first_of_simultaneous_failures() -> None:
    """Of failures at the same moment the one that was declared first is told."""
    result = Parallel([Task("wait", "fine"), Task("x", "fail x"), Task("y", "fail y")])

    async def at_once(prompt: str) -> str:
        await asyncio.sleep(0)
        if prompt.startswith("fail"):
            raise ValueError(prompt)
        await asyncio.sleep(9)
        return prompt

    for _ in range(20):
        with pytest.raises(StepFailed, match=r"^step 'x' failed: ValueError: fail x$"):
            ran([result], at_once)


def test_other_failures_side_by_side() -> None:
    """Whatever goes wrong side by side is told as the failure of the step that was declared."""
    with pytest.raises(StepFailed, match=r"^step 'loop' failed: loop exceeded maximum 1 iter") as e:
        ran([Parallel([Loop(Task("n", "no"), 1, until="n:yes")])])
    assert isinstance(e.value.__cause__, MaxIterationsExceeded)

    with pytest.raises(StepFailed, match=r"^step 't' failed: tool not found: none$") as e:
        ran([Parallel([Task("t", "x", tool="none")])])
    assert e.value.kind == "not_found"


def test_at_most_so_many_at_once() -> None:
    """No more go on at once than is said, and all of them are done."""
    now = most = 0

    async def count(prompt: str) -> str:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.005)
        now -= 1
        return prompt

    result = ran([Parallel([Task(f"t{i}", str(i)) for i in range(9)], max_concurrency=2)], count)

    assert most == 2
    assert result.outputs == [str(i) for i in range(9)]


def test_clashes_are_told() -> None:
    """Where several set one variable to different things the last one counts, and it is told."""
    result = ran([Parallel([Task("x", "1"), Task("x", "2"), Task("y", "3")])])
    assert result.trace is not None

    warned = [e.event.text for e in result.trace.entries if isinstance(e.event, Warned)]
    assert warned == ["steps[0]: several set 'x', and the last of them counts"]
    assert result.context.variables == {"x": "[2]", "y": "[3]", "last": "[3]"}


def test_copies() -> None:
    """What goes on side by side does not see what the others set."""
    result = ran([Parallel([Task("a", "{a}1"), Task("b", "{a}2")])], lambda p: p, a="0")

    assert result.outputs == ["01", "02"]


def test_hang_is_cut_short() -> None:
    """A step that hangs ends with the time of its answer, or of the run, whichever is first."""
    flow = Workflow("flow", [Task("slow", "x")])
    step = WorkflowEngine(al.AgentConfig(1, "m", step_timeout_ms=30))
    whole = WorkflowEngine(al.AgentConfig(1, "m", loop_timeout_ms=30))

    with pytest.raises(StepFailed, match=r"^step 'slow' failed: step timeout after 30 ms$") as late:
        step.run_sync(flow, Slow())
    assert late.value.kind == "transient"
    with pytest.raises(al.AgentLoopError, match="loop timeout after 30 ms") as e:
        whole.run_sync(flow, Slow())
    assert e.value.session is not None
    assert e.value.session.stop_reason == "timeout"


def test_cancelled() -> None:
    """A workflow that is stopped marks what was under way, and leaves no task."""
    marks: list[tuple[str, str]] = []

    def hear(entry: al.Entry) -> None:
        if isinstance(entry.event, Marked):
            marks.append((entry.event.node, entry.event.status))

    async def work() -> al.AgentSession:
        flow = Workflow("flow", [Parallel([Task("a", "a"), Loop(Task("b", "b"), 2)])])
        slow = Slow(others=2)
        handle = al.AgentRuntime(slow, sinks=[hear]).start("go", strategy=flow)
        await slow.ready.wait()
        handle.stop()
        session = await handle
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return session

    assert asyncio.run(work()).stop_reason == "stopped"
    assert {node for node, status in marks if status == "cancelled"} == {
        "steps[0]", "steps[0].steps[0]", "steps[0].steps[1]", "steps[0].steps[1].body",
    }  # fmt: skip


def test_depth() -> None:
    """Steps may be within each other 64 deep, such a workflow runs, and no deeper one can be."""
    step: Any = Task("t", "x")
    for i in range(DEEPEST):
        step = [Loop(step, 1), Parallel([step]), Branch("a:x", step)][i % 3]

    assert ran([step], a="x").outputs == ["[x]"]
    assert Workflow.from_toml(Workflow("w", [step]).to_toml()) == Workflow("w", [step])
    with pytest.raises(al.InvalidValue, match="nested 65 deep"):
        Loop(step, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Task("", "x"),
        lambda: Task("x", None),  # type: ignore[arg-type]
        lambda: Task("x", "x", tool=""),
        lambda: Task("x", "x", strategy=print),  # type: ignore[arg-type]
        lambda: Task("x", "x", "echo", README),
        lambda: Branch("x:y", None),  # type: ignore[arg-type]
        lambda: Branch(1, Task("x", "x")),  # type: ignore[arg-type]
        lambda: Branch("x:y", Task("x", "x"), "no"),  # type: ignore[arg-type]
        lambda: Parallel(Task("x", "x")),  # type: ignore[arg-type]
        lambda: Parallel("ab"),  # type: ignore[arg-type]
        lambda: Parallel([Task("x", "x")], 0),
        lambda: Loop(Task("x", "x"), -1),
        lambda: Loop(Task("x", "x"), 1.5),  # type: ignore[arg-type]
        lambda: Loop(Task("x", "x"), 1, until=3),  # type: ignore[arg-type]
        lambda: Workflow("", []),
        lambda: Workflow("x", [1]),  # type: ignore[list-item]
        lambda: Workflow("x", [WorkflowStep()]),
        lambda: WorkflowContext({"a": 1}),  # type: ignore[dict-item]
        lambda: WorkflowContext().set("a", None),  # type: ignore[arg-type]
        lambda: WorkflowContext().set([], "a"),  # type: ignore[arg-type]
        lambda: WorkflowContext().get([]),  # type: ignore[arg-type]
        lambda: WorkflowContext().fill(3),  # type: ignore[arg-type]
        lambda: WorkflowContext().evaluate_condition(b"a:b"),  # type: ignore[arg-type]
        lambda: WorkflowContext({}, "out"),  # type: ignore[arg-type]
        lambda: WorkflowContext({}, [], -1),
        lambda: Workflow("x").with_tools(3),  # type: ignore[arg-type]
        lambda: WorkflowEngine(al.PlannerConfig()),  # type: ignore[arg-type]
        lambda: ran([], tools=3),
        lambda: WorkflowEngine().run_sync("x", print),  # type: ignore[arg-type]
    ],
)
def test_refused(wrong: Callable[[], Any]) -> None:
    """What can never be right is refused at once, with its value."""
    with pytest.raises(al.InvalidValue):
        wrong()


def test_repr() -> None:
    """Steps and results say what they are in one line."""
    assert repr(README.steps[0]) == (
        "WorkflowStep.Task(name='summarise', prompt='Summarise the topic', tool=None,"
        " strategy=None)"
    )
    assert repr(ran([Task("a", "b")])) == "<WorkflowResult 'flow' 1 task, answer='[b]'>"


def test_it_can_be_sent_elsewhere() -> None:
    """What came of a workflow goes through pickle, without the trace, which stays here."""
    result = ran([Parallel([Task("a", "b"), Task("c", "d")])])
    again = pickle.loads(pickle.dumps(result))  # noqa: S301 - just written

    assert again == result
    assert again.chart.status("steps[0]") == "done"
    assert again.trace is None
    assert result.trace is not None


def test_with_variables() -> None:
    """Variables can be said on the class, and one call after the other."""
    context = WorkflowContext.with_variables({"a": "1"}).with_variables({"b": "2"})

    assert context.variables == {"a": "1", "b": "2"}
    assert context.get("c") is None


def test_steps_of_the_session() -> None:
    """Each task ends a step, under its name, with what was asked and what came out."""
    result = ran([Task("ask", "Why?"), Task("tool", "hi", tool="echo")], tools=[al.EchoTool()])
    assert result.trace is not None
    steps = [e.event.step for e in result.trace.entries if isinstance(e.event, StepEnded)]

    assert [(s.thought, s.action, s.tool) for s in steps] == [
        ("Why?", "ask", None), ("tool", "echo hi", "echo"),
    ]  # fmt: skip
    assert steps[0].observation == "[Why?]"
