"""Cards of planners and of what they plan: a tree of tasks, what was chosen in it, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agentlab.display.errors import partial, told
from agentlab.display.html import Html, h
from agentlab.display.parts import (
    Chip,
    Column,
    Labelled,
    Room,
    asked,
    call,
    card,
    labelled,
    laid_out,
    listed,
    note,
    prose,
    row,
    rows,
    skipped,
    table,
)
from agentlab.display.words import gist, number, plural, shortened
from agentlab.strategies.execution import ExecutionPlan
from agentlab.strategies.plan_chart import in_order
from agentlab.strategies.planner import Planner
from agentlab.strategies.search import (
    DepthExceeded,
    NodeLimitExceeded,
    SearchError,
    StepLimitExceeded,
)
from agentlab.strategies.tasks import Choice

GIST = 100
NO_STEPS = "Nothing is to be done: it has no steps."
NO_METHODS = (
    "Nothing can be taken apart yet:"
    " `planner.register_method(Method('task', [Task.primitive('tool')]))` adds one."
)
REMEDY = "See what was tried, and register a method for what is missing."
REMEDIES: dict[type[SearchError], str] = {
    DepthExceeded: "A method may lead to itself; `PlannerConfig(max_depth=…)` goes deeper.",
    StepLimitExceeded: "`PlannerConfig(max_steps=…)` allows longer plans.",
    NodeLimitExceeded: "Methods fail again and again; `PlannerConfig(max_nodes=…)` tries more.",
}
METHODS = [
    Column("task", "fit"),
    Column("where"),
    Column("is done by", "wide"),
    Column("called"),
]
DEEPEST = 12  # steps to the right that a tree goes
INDENT = 14  # pixels of each


def execution_card(plan: ExecutionPlan, room: Room) -> Html:
    """Draw a tree: each task, the method that was chosen, and under it what that leads to."""
    missing, world = plan.unbound(), dict(plan.world)
    pairs: list[tuple[str, Any, str, str]] = []
    if world:
        said = ", ".join(f"{key}={value}" for key, value in world.items())
        pairs.append(("world", gist(said, room.text // 2), "", "plan.world"))
    if missing:
        named = ", ".join(f"<{name}>" for name in missing)
        pairs.append(("not bound", gist(named, room.text // 2), "", "plan.unbound()"))
    count = len(plan.choices)
    return card(
        "execution plan",
        plan.goal.name,
        bound_chip(plan, missing),
        [plural(len(plan), "step"), plural(count, "choice") if count else ""],
        asked(*pairs) if pairs else None,
        tree(plan, room),
        path="plan",
    )


def bound_chip(plan: ExecutionPlan, missing: Sequence[str]) -> Chip | None:
    """Say what hinders a plan."""
    if not plan.planned:
        return Chip("", "empty")
    return Chip("warn", f"{len(missing)} not bound") if missing else None


def tree(plan: ExecutionPlan, room: Room) -> Html:
    """Draw the lines of the tree."""
    lines = [*in_order(plan.planned, plan.choices)]
    if not lines:
        return note(NO_STEPS)

    def one(n: int) -> Html:
        kind, k = lines[n]
        if kind == "step":
            return tool_line(plan, k, room)
        return choice_line(plan.choices[k], f"plan.choices[{k}]", room)

    def gap(start: int, end: int) -> Html:
        return skipped(f"{plural(end - start, 'line')} of the tree not shown: plan.to_frame()")

    return rows(len(plan), listed(len(lines), 2 * room.ends, one, gap))


def tool_line(plan: ExecutionPlan, n: int, room: Room) -> Html:
    """Draw a call."""
    step, path = plan.planned[n], f"plan.steps()[{n}]"
    args = "" if step.args == "{}" else f" {gist(step.args, min(GIST, room.text))}"
    body = labelled(
        Labelled("tool", "tool", shortened(step.tool, f"{path}.tool", room.text), f"{path}.tool"),
        Labelled(
            "tool", "arguments", laid_out(step.args, f"{path}.args", room.text), f"{path}.args"
        ),
        Labelled("", "for", shortened(step.source_task, path, room.text), f"{path}.source_task"),
    )
    line = [indented(step.depth, call(gist(step.tool, 60), args))]
    return row(n + 1, line, right(f"depth {step.depth}"), body, path=path)


def choice_line(choice: Choice, path: str, room: Room) -> Html:
    """Draw a task, with the method that was chosen, and inside it all of its methods."""
    chosen = choice.chosen
    rejected = sum(not option.chosen for option in choice.options)
    said = [
        h("b")(gist(choice.task, 60)),
        h("span", "agl-dim")(f" · {gist(chosen.method, 60)}: {gist(chosen.why, GIST)}")
        if chosen
        else h("span", "agl-result bad")(" no method applies"),
    ]
    return h("li", "agl-step", title=path)(
        h("details")(
            h("summary")(
                h("span", "agl-no")("▸ "),
                h("span", "agl-line1")(" ", indented(choice.depth, *said)),
                " ",
                right(f"{rejected} rejected" if rejected else "the only one" if chosen else "none"),
            ),
            options_of(choice, path, room),
        )
    )


def search_card(error: SearchError, room: Room) -> Html:
    """Draw why there is no plan: the choices from the goal to where the search ended."""
    path = error.choices

    def one(n: int) -> Html:
        return choice_line(path[n], f"error.choices[{n}]", room)

    def gap(start: int, end: int) -> Html:
        return skipped(f"{plural(end - start, 'choice')} not shown: error.choices[{start}:{end}]")

    message = shortened(told(error), "str(error)", room.text)
    pairs = [
        ("message", message, "agl-bad", "str(error)"),
        ("to do", prose(REMEDIES.get(type(error), REMEDY)), "", ""),
    ]
    return card(
        "error",
        type(error).__name__,
        Chip("bad", "no plan"),
        [plural(len(path), "choice")] if path else (),
        asked(*pairs),
        rows(len(path), listed(len(path), room.ends, one, gap)) if path else None,
        partial(error, room),
        path="error",
    )


def options_of(choice: Choice, path: str, room: Room) -> Html:
    """List the methods of a task: which was chosen, and why the others were not."""
    most = 2 * room.ends
    told = [
        Labelled(
            "ok" if option.chosen else "",
            "chosen" if option.chosen else "not chosen",
            shortened(f"{option.method}: {option.why}", f"{path}.options[{n}]", room.text),
            f"{path}.options[{n}]",
        )
        for n, option in enumerate(choice.options[:most])
    ]
    if len(choice.options) > most:
        told.append(Labelled("", "more", f"{path}.options[{most}:]", f"{path}.options"))
    return labelled(*told)


def indented(depth: int, *parts: Any) -> Html:
    """Move something to the right, as deep as it is."""
    left = INDENT * min(int(number(depth)), DEEPEST)
    return h("span", **({"style": f"padding-left:{left}px"} if left else {}))(*parts)


def right(text: str) -> Html:
    """Say something at the end of a line."""
    return h("span", "agl-ms")(h("span")(), text)


def planner_card(planner: Planner, room: Room) -> Html:
    """Draw a planner: its methods by the task that they take apart."""
    methods = planner.methods()
    if not methods:
        return card("planner", "empty", Chip("", "empty"), (), note(NO_METHODS), path="planner")
    shown = methods[: 2 * room.ends]
    cells = [
        (
            h("span", title=f"planner.methods()[{n}]")(gist(method.task, 40)),
            gist(
                ", ".join(f"{c.key} = {c.expected}" for c in method.preconditions) or "always", 80
            ),
            gist(" → ".join(task.name for task in method.subtasks) or "nothing to do", GIST),
            gist(method.description, 60),
        )
        for n, method in enumerate(shown)
    ]
    rest = len(methods) - len(shown)
    caption = f"as they were registered{f'; {rest} more: planner.methods()' if rest else ''}"
    return card(
        "planner",
        plural(len({method.task for method in methods}), "task"),
        None,
        [plural(len(methods), "method"), planner.config.method_selection.replace("_", " ")],
        table(caption, METHODS, cells, path="planner.methods()"),
        path="planner",
    )
