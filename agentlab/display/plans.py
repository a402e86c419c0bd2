"""Cards of plans: a checklist with its verdict; a tree of tasks, what was chosen, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agentlab.display.html import Html, h
from agentlab.display.parts import (
    Chip,
    Column,
    Labelled,
    Room,
    asked,
    bar,
    call,
    card,
    fold,
    labelled,
    laid_out,
    listed,
    note,
    row,
    rows,
    skipped,
    table,
)
from agentlab.display.words import gist, number, plural, shortened, text_of
from agentlab.strategies.execution import ExecutionPlan, in_order
from agentlab.strategies.planner import Planner
from agentlab.strategies.plans import (
    EXPECTED,
    Plan,
    PlanRun,
    PlanStep,
    StepStatus,
    VerificationResult,
)
from agentlab.strategies.tasks import Choice

GIST = 100
BESIDE = 48  # letters of a description, where something came of it
STATES = {
    "pending": ("", "○", "pending"),
    "running": ("run", "◐", "running"),
    "completed": ("ok", "✓", "done"),
    "failed": ("bad", "✗", "failed"),
    "skipped": ("off", "·", "skipped"),
}
UNKNOWN = ("", "?", "unknown")
NO_STEPS = "Nothing is to be done: it has no steps."
NO_METHODS = (
    "Nothing can be taken apart yet:"
    " `planner.register_method(Method('task', [Task.primitive('tool')]))` adds one."
)
METHODS = [
    Column("task", "fit"),
    Column("where"),
    Column("is done by", "wide"),
    Column("called"),
]
DEEPEST = 12  # steps to the right that a tree goes
INDENT = 14  # pixels of each


def plan_card(plan: Plan, room: Room) -> Html:
    """Draw a plan by itself."""
    return card(
        "plan", plan.goal or "no goal", standing(plan), figures(plan),
        checklist(plan, room, "plan"), path="plan",
    )  # fmt: skip


def plan_run_card(done: PlanRun, room: Room) -> Html:
    """Draw a plan that was carried out: the verdict first, then the answer, then the steps."""
    plan, verdict = done.plan, done.verification
    pairs: list[tuple[str, Any, str, str]] = [
        ("verdict", sure(verdict), "", "done.verification"),
        *issues_of(verdict, room, "done.verification"),
    ]
    if done.answer is not None:
        text = shortened(done.answer, "done.answer", room.text)
        pairs.insert(0, ("answer", text, "agl-answer", "done.answer"))
    return card(
        "plan", plan.goal or "no goal", verdict_chip(verdict), figures(plan),
        asked(*pairs), checklist(plan, room, "done.plan"), path="done",
    )  # fmt: skip


def verification_card(verdict: VerificationResult, room: Room) -> Html:
    """Draw a verdict."""
    said = shortened(verdict.raw_response, "verification.raw_response", room.text)
    body = asked(
        ("confidence", sure(verdict), "", "verification.confidence"),
        *issues_of(verdict, room, "verification"),
    )
    response = labelled(Labelled("", "response", said, "verification.raw_response"))
    return card(
        "verdict",
        "achieved" if verdict.achieved else "not achieved",
        verdict_chip(verdict),
        [plural(len(verdict.issues), "issue")],
        body,
        fold("what the model said", response) if said else None,
        path="verification",
    )


def status_card(status: StepStatus, room: Room) -> Html:
    """Draw how a step stands."""
    hue, _, word = state_of(status)
    name = "error" if status.is_failed() else "output"
    text = shortened(status.text, "status.text", room.text)
    body = labelled(Labelled(hue, name, text, "status.text")) if text else None
    return card("step status", word, Chip(hue, word), (), body, path="status")


def plan_step_card(step: PlanStep, room: Room) -> Html:
    """Draw a step of a plan by itself."""
    hue, _, word = state_of(step.status)
    body = labelled(*texts_of(step, "step", room.text))
    return card(
        "plan step", step.description, Chip(hue, word), [step.tool or ""], body, path="step"
    )


def standing(plan: Plan) -> Chip:
    """Say how far a plan is."""
    if plan.failed_count():
        return Chip("bad", f"{plan.failed_count()} failed")
    if plan.all_succeeded():
        return Chip("ok", "all done")
    begun = any(text_of(step.status.state) != "pending" for step in plan.steps)
    return Chip("run", "under way") if begun else Chip("", "not begun" if plan.steps else "empty")


def figures(plan: Plan) -> list[str]:
    """Count the steps."""
    times = plan.replans
    return [
        f"{plan.completed_count()} of {plural(plan.step_count(), 'step')} done",
        f"replanned {'once' if times == 1 else plural(times, 'time')}" if times else "",
    ]


def verdict_chip(verdict: VerificationResult) -> Chip:
    """Say the verdict; one that is not sure is neither good nor bad."""
    if not verdict.achieved:
        return Chip("bad", "not achieved")
    return Chip("ok", "achieved") if verdict.is_confident_success() else Chip("warn", "perhaps")


def sure(verdict: VerificationResult) -> Html:
    """Draw how sure a verdict is."""
    hue = verdict_chip(verdict).hue
    share = number(verdict.confidence)
    word = "achieved" if verdict.achieved else "not achieved"
    return h("span")(bar(share, hue), f" {word}, confidence {share:.0%}")


def issues_of(
    verdict: VerificationResult, room: Room, path: str
) -> list[tuple[str, Any, str, str]]:
    """List what was found besides."""
    most = 2 * room.ends
    shown = verdict.issues[:most]
    if not shown:
        return []
    told = [shortened(each, f"{path}.issues[{n}]", room.text // 2) for n, each in enumerate(shown)]
    if rest := len(verdict.issues) - len(shown):
        told.append(f"and {rest} more: {path}.issues[{most}:]")
    return [("issues", "\n".join(told), "", f"{path}.issues")]


def checklist(plan: Plan, room: Room, path: str) -> Html:
    """Draw the steps, each with how it stands and what came of it."""
    if not plan.steps:
        return note(NO_STEPS)

    def one(n: int) -> Html:
        return step_row(n, plan.steps[n], f"{path}.steps[{n}]", room)

    def gap(start: int, end: int) -> Html:
        return skipped(f"{plural(end - start, 'step')} not shown: {path}.steps[{start}:{end}]")

    return rows(len(plan.steps), listed(len(plan.steps), 2 * room.ends, one, gap))


def step_row(n: int, step: PlanStep, path: str, room: Room) -> Html:
    """Draw a step among others: its mark, what it is, an arrow, what came of it."""
    hue, glyph, word = state_of(step.status)
    limit = min(GIST, room.text)
    line = [
        h("span", f"agl-label {hue}".strip())(f"{glyph} "),
        h("span")(gist(step.description, min(limit, BESIDE) if step.status.text else limit)),
        " ",
        call(gist(step.tool, 40), "") if step.tool else None,
    ]
    if step.status.text:
        line += [
            h("span", "agl-arrow")(" → "),
            h("span", "agl-result bad" if step.status.is_failed() else "agl-result")(
                gist(step.status.text, limit)
            ),
        ]
    right = h("span", "agl-ms")(h("span")(), h("span", f"agl-label {hue}".strip())(word))
    return row(n + 1, line, right, labelled(*texts_of(step, path, room.text)), path=path)


def texts_of(step: PlanStep, path: str, limit: int) -> list[Labelled]:
    """List the texts of a step."""
    hue, _, word = state_of(step.status)
    came = "error" if step.status.is_failed() else "output"
    expected = "" if step.expected_outcome == EXPECTED else step.expected_outcome
    parts = [
        ("", "step", step.description, "description"),
        ("tool", "tool", step.tool, "tool"),
        ("tool", "arguments", step.args, "args"),
        ("", "expected", expected, "expected_outcome"),
        (hue, "status", "" if step.status.text else word, "status"),
        (hue, came, step.status.text, "status.text"),
    ]
    return [
        Labelled(hue, name, laid_out(text, f"{path}.{field}", limit), f"{path}.{field}")
        for hue, name, text, field in parts
        if text
    ]


def state_of(status: StepStatus) -> tuple[str, str, str]:
    """Give the hue, the mark and the word of a status."""
    return STATES.get(text_of(status.state), UNKNOWN)


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
        return tool_line(plan, k, room) if kind == "step" else choice_line(plan, k, room)

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


def choice_line(plan: ExecutionPlan, k: int, room: Room) -> Html:
    """Draw a task, with the method that was chosen, and inside it all of its methods."""
    choice, path = plan.choices[k], f"plan.choices[{k}]"
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
                right(f"{rejected} rejected" if rejected else "the only one"),
            ),
            options_of(choice, path, room),
        )
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
