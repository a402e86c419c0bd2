"""The cards of a session with its tokens, and of a step of it."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from typing import Any

from agentlab.core.events import ReActStep
from agentlab.display.html import Html, h
from agentlab.display.parts import Chip, Room, asked, bar, card, labelled, listed, note, row, rows
from agentlab.display.sessions import UNSAVED, chip, noted, outcome
from agentlab.display.steps import failed, line, said_kind, texts
from agentlab.display.tokens import (
    NO_TOKENS,
    Placed,
    decimal,
    doubts,
    figures,
    flow,
    mean,
    percent,
    placed,
    share,
)
from agentlab.display.words import gist, number, plural, seconds, shortened
from agentlab.strategies.streaming_session import StreamingSession, StreamingStep

FEW = 300  # tokens that are seen at once
UNFINISHED = "never completed"
NONE_KEPT = "No token was heard: what this was read from does not hold them."


def streaming_card(heard: StreamingSession, room: Room) -> Html:
    """Draw the session: what was asked, what came out; then what was said, token by token."""
    session, path = heard.session, "heard.session"
    if not (heard.tokens or heard.steps or session.agent_id):
        empty = Chip("", "empty")
        return card("streaming session", "not started", empty, (), note(NO_TOKENS), path="heard")
    steps = told(heard)
    return card(
        "streaming session",
        session.agent_id or "unnamed",
        chip(session),
        [
            plural(len(heard.steps), "step"),
            *figures(heard.tokens),
            seconds(session.duration_ms) if session.duration_ms else "",
            gist(session.model, 60),
        ],
        asked(
            ("asked", shortened(session.prompt, f"{path}.prompt", room.text), "", f"{path}.prompt"),
            *outcome(session, path, room.text),
        ),
        rows(len(steps), step_rows(heard, steps, room)) if steps else None,
        None if heard.tokens else note(NONE_KEPT),
        doubts(placed(heard.tokens, "heard.tokens"), room),
        noted(("warning",), "warn", session.warnings, room, f"{path}.warnings"),
        noted(UNSAVED, "bad", session.checkpoint_errors, room, f"{path}.checkpoint_errors"),
        path="heard",
    )


def told(heard: StreamingSession) -> list[tuple[StreamingStep | None, list[Placed]]]:
    """Give each step with its tokens; last, those of a step that was never completed."""
    of: dict[int, list[Placed]] = {}
    for each in placed(heard.tokens, "heard.tokens"):
        of.setdefault(each.token.step, []).append(each)
    done = [(step, of.pop(i, [])) for i, step in enumerate(heard.steps)]
    return [*done, *((None, rest) for _, rest in sorted(of.items()))]


def step_rows(
    heard: StreamingSession,
    steps: Sequence[tuple[StreamingStep | None, list[Placed]]],
    room: Room,
) -> list[Html]:
    """Give a row a step, or the first and the last of many."""
    most = share(room, min(len(steps), 2 * room.ends + 1))

    def one(i: int) -> Html:
        step, tokens = steps[i]
        path = f"heard.steps[{i}]" if step else "heard.tokens"
        said = line(plain(step), min(120, room.text)) if step else [UNFINISHED]
        return row(
            i + 1,
            said,
            sureness(step, tokens),
            h("div", "agl-body")(*flow(tokens, room, most)) if tokens else None,
            inside(step, path, room, whole=not tokens) if step else None,
            path=path,
            is_open=len(heard.tokens) <= FEW,
        )

    def gap(start: int, end: int) -> Html:
        pieces = sum(len(tokens) for _, tokens in steps[start:end])
        more = f"{plural(end - start, 'more step')}, {plural(pieces, 'token')}"
        return h("li", "agl-step agl-gap")(f"{more}: heard.steps[{start}:{end}]")

    return listed(len(steps), room.ends, one, gap)


def inside(step: StreamingStep, path: str, room: Room, *, whole: bool) -> Html:
    """Give the texts of a step: all, or where its tokens stand above, what came back."""
    told = texts(plain(step, tool=step.tool), path, room.text)
    shown = told if whole else [text for text in told if text.path.endswith(".observation")]
    return labelled(*shown) if shown else h("span")()


def plain(step: StreamingStep, *, tool: str | None = None) -> ReActStep:
    """Give the step as one whose call is not taken apart: its action is as it was said."""
    kind: Any = step.error_kind  # one of those of a step, but not said to be
    took = step.step_duration_ms
    return ReActStep(step.thought, step.action, step.observation, 0, tool, None, kind, took)


def sureness(step: StreamingStep | None, tokens: Sequence[Placed]) -> Html:
    """Draw how likely the tokens of a step were, on the whole."""
    average = step.mean_logprob() if step else None
    if average is None:
        return h("span", "agl-ms")(h("span")(), " ", plural(len(tokens), "token"))
    value = min(number(average), 0.0)
    return h("span", "agl-ms", title=f"mean log p {decimal(value)}")(
        bar(exp(value)), " ", percent(value)
    )


def streaming_step_card(step: StreamingStep, room: Room) -> Html:
    """Draw a step by itself; its tokens are the session's."""
    bad = failed(plain(step, tool=step.tool))
    chip = Chip("bad", said_kind(plain(step))) if bad else None
    figures = [
        plural(step.token_count, "token"),
        mean(step.logprob_sum, step.logprob_count, step.token_count),
        seconds(step.step_duration_ms) if step.step_duration_ms else "",
    ]
    name = step.tool or gist(step.action, 60) or "empty"
    body = labelled(*texts(plain(step, tool=step.tool), "step", room.text))
    return card("streaming step", name, chip, figures, body, path="step")
