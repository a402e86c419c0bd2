"""The cards of workflows: what is to be done, and what came of it."""

from __future__ import annotations

from agentlab.core.chart import Chart
from agentlab.display.charted import chart_view
from agentlab.display.html import Html, h
from agentlab.display.parts import Chip, Column, Room, asked, card, fold, note, table, took
from agentlab.display.sessions import SHORT_ANSWER
from agentlab.display.words import count, gist, most, plural, seconds, shortened, text_of
from agentlab.strategies.workflow.context import WorkflowContext
from agentlab.strategies.workflow.definition import Workflow
from agentlab.strategies.workflow.result import TaskRun, WorkflowResult

STEPS = [
    Column("step", "fit"),
    Column("kind", "fit"),
    Column("what", "wide"),
    Column("prompt", "wide"),
]
TASKS = [
    Column("task", "fit"),
    Column("asked", "wide"),
    Column("output", "wide"),
    Column("took", "fit"),
]
VARIABLES = [Column("variable", "fit"), Column("value", "wide")]
NAME = 32  # letters of one in a table; in the chart it is whole
EMPTY = "Nothing is in it yet: `Workflow('name', [WorkflowStep.Task('one', 'prompt')])` has a task."
NOTHING = "No task was done."


def workflow_card(flow: Workflow, room: Room) -> Html:
    """Draw what is to be done, and list it."""
    rows = flow.rows()
    tasks = sum(row.kind == "task" for row in rows)
    shown = rows[: 3 * room.ends]
    cells = [
        (
            h("code", "agl-code")(gist(row.step, 60)),
            row.kind,
            gist(row.label, 80),
            shortened(row.prompt, f"flow.rows()[{i}].prompt", room.text // 4),
        )
        for i, row in enumerate(shown)
    ]
    rest = f"; the rest: flow.rows()[{len(shown)}:]" if len(shown) < len(rows) else ""
    listed = table(f"each before what is in it{rest}", STEPS, cells, path="flow.rows()")
    return card(
        "workflow",
        flow.name,
        None,
        [plural(len(rows), "step"), plural(tasks, "task")],
        chart_view(Chart(flow.chart()), room, path="flow.steps", plain=True),
        fold("the steps as a table", listed) if rows else note(EMPTY),
        path="flow",
    )


def result_card(result: WorkflowResult, room: Room) -> Html:
    """Draw what was done, on the chart, and list what came out."""
    chart = result.chart
    return card(
        "workflow",
        result.name or "result",
        Chip("ok", "done"),
        [plural(result.steps_executed, "task"), seconds(result.elapsed_ms)],
        asked(("answer", *answer(result, room), "result.answer"))
        if result.outputs
        else note(NOTHING),
        chart_view(chart, room, path="result.chart") if chart else None,
        tasks_of(result, room) if result.tasks else None,
        variables(result.context, room, "result.context"),
        path="result",
    )


def answer(result: WorkflowResult, room: Room) -> tuple[str, str]:
    """Give the answer, and how large it is: a longer one is read, not seen."""
    short = len(result.answer) <= SHORT_ANSWER and "\n" not in result.answer
    return shortened(result.answer, "result.answer", room.text), "agl-answer" if short else ""


def tasks_of(result: WorkflowResult, room: Room) -> Html:
    """List the tasks that were done."""
    shown = result.tasks[: 2 * room.ends]
    longest = most([task.ms for task in result.tasks])
    cells = [task_cells(i, task, longest, room) for i, task in enumerate(shown)]
    rest = ""
    if len(shown) < len(result.tasks):
        rest = f"; the rest: result.tasks[{len(shown)}:]"
    told = f"in the order of declaration{rest}"
    return table(told, TASKS, cells, path="result.tasks")


def task_cells(i: int, task: TaskRun, longest: float, room: Room) -> tuple[object, ...]:
    """Give what a row says of a task."""
    who = f"tool {task.tool}" if task.tool else f"by {task.strategy}" if task.strategy else ""
    asked_ = shortened(task.prompt, f"result.tasks[{i}].prompt", min(240, room.text))
    return (
        gist(task.name, NAME),
        h("span")(h("span", "agl-dim")(f"{gist(who, 40)}: ") if who else None, asked_),
        shortened(task.output, f"result.tasks[{i}].output", min(400, room.text)),
        took(task.ms, longest),
    )


def context_card(context: WorkflowContext, room: Room) -> Html:
    """Draw the variables."""
    return card(
        "workflow context",
        plural(len(context.variables), "variable"),
        None,
        [plural(len(context.step_outputs), "output"), f"step {count(context.current_step)}"],
        variable_table(context, room, "context") if context.variables else None,
        path="context",
    )


def variables(context: WorkflowContext, room: Room, path: str) -> Html | None:
    """Fold the variables away."""
    if not context.variables:
        return None
    name = plural(len(context.variables), "variable") + " at the end"
    return fold(name, variable_table(context, room, path))


def variable_table(context: WorkflowContext, room: Room, path: str) -> Html:
    """List the variables."""
    known = list(context.variables.items())
    shown = known[: 3 * room.ends]
    cells = [
        (
            gist(name, NAME),
            shortened(text_of(value), f"{path}.variables[{gist(name, 40)!r}]", room.text // 4),
        )
        for name, value in shown
    ]
    rest = f"; all: {path}.variables" if len(shown) < len(known) else ""
    return table(f"as they were set{rest}", VARIABLES, cells, path=f"{path}.variables")
