"""Cards of plans that are carried out: a checklist, what came of each step, and the verdict."""

from __future__ import annotations

from typing import Any

from agentlab.display.html import Html, h
from agentlab.display.parts import (
    Chip,
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
)
from agentlab.display.words import gist, number, plural, shortened, text_of
from agentlab.strategies.plans import (
    EXPECTED,
    Plan,
    PlanRun,
    PlanStep,
    StepStatus,
    VerificationResult,
)

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
        "",
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
    return card("step status", "", Chip(hue, word), (), body, path="status")


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
    said = f"agl-label {hue}" if hue in ("run", "ok", "bad") else ""  # what is dim is so already
    right = h("span", "agl-ms")(h("span")(), h("span", said)(word))
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
