"""What the page is told of the span that is selected, as it was at the moment."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agentlab.core import events
from agentlab.core.calls import ModelCall, ToolUse
from agentlab.core.events import Entry
from agentlab.core.secrets import MASK, scrubber
from agentlab.core.session import AgentSession
from agentlab.core.spans import Span, Timeline
from agentlab.display.endings import chip_of, meaning_of
from agentlab.display.gists import gist_of, kind_of
from agentlab.display.parts import laid_out
from agentlab.display.sessions import ending, facts
from agentlab.display.steps import arguments, written
from agentlab.display.words import count, gist, moment, plural, seconds, shortened
from agentlab.widgets.messages import Detail, Prompt, Steps, Words
from agentlab.widgets.outline import HUES, name_of, word_of
from agentlab.widgets.story import row

CELLS = ("detail", "texts", "prompt", "steps", "saying")
LIMIT = 4000  # letters of a text
STEPS, STEP = 8, 400  # the last steps that are shown, and how many letters of each of their texts
KNOWN, EDGE = 3000, 600  # of what a model had seen before, all or the beginning and the end
WHOLE = 400_000  # letters of a prompt; a server drops what is much larger
NEXT = 500  # entries in which to look for what the model said of a result
EMPTY = "Nothing has been said yet. A run writes here while it works: handle.explore()."
NOT_YET = "Not yet, at this moment."
PATH = "explorer.selected"


@dataclass
class Scene:
    """What there is of a trace, and how far one has travelled."""

    entries: Sequence[Entry]
    timeline: Timeline
    heard: int
    lost: int = 0

    def begun(self, span: Span) -> bool:
        """Tell whether something had begun at the moment."""
        return span.first < self.heard

    def over(self, span: Span) -> bool:
        """Tell whether it was over."""
        return span.last is not None and span.last < self.heard

    def said(self, no: int) -> str:
        """Give the answer of a model as far as it was heard."""
        span = self.timeline.spans[no]
        if span.last is not None and self.over(span):
            end = self.entries[span.last].event
            if isinstance(end, events.Answered):
                return end.text
        pieces = self.timeline.pieces.get(no, [])
        heard = pieces[: bisect_left(pieces, self.heard)]
        return "".join([self.entries[place].event.text for place in heard])  # type: ignore[union-attr]

    def speaking(self, run: int) -> int | None:
        """Give the call that a run was waiting for, if it was."""
        spans = self.timeline.spans
        for no in range(len(spans) - 1, run, -1):
            span = spans[no]
            if span.kind == "model" and span.above == run and self.begun(span):
                return None if self.over(span) else no
        return None

    def whose(self, span: Span) -> str:
        """Name the agent."""
        above = span.above
        return span.name if above is None else self.timeline.spans[above].name


def of_run(scene: Scene, no: int, session: AgentSession) -> dict[str, Any]:
    """Tell of a run: its steps so far, and what was being said."""
    span = scene.timeline.spans[no]
    open_ = session.stop_reason == "running"
    hue, word = chip_of(session.stop_reason) if scene.begun(span) else ("", "not yet")
    if span.state == "ok" and not span.why:
        hue, word = "", "part of a run"
    label, text = ending(session)
    meaning = "" if open_ else meaning_of(session.stop_reason).replace("`", "")
    lost = f"{plural(scene.lost, 'line')} of the file could not be read: trace.damage says which."
    call = scene.speaking(no) if open_ else None
    steps, first = session.steps, max(0, len(session.steps) - STEPS)
    return {
        "detail": Detail(
            hue="", label="run", name=gist(span.name, 60), gist="", chip=hue, word=word,
            notes=[" · ".join(filter(None, [*facts(session), moment(session.created_at)])), meaning,
                   lost if scene.lost else ""],
            path=PATH,
        ),
        "texts": [
            *said("", "asked", shortened(session.prompt, f"{PATH}.prompt"), f"{PATH}.prompt"),
            *said("bad" if label == "error" else "ok", label, text, f"{PATH}.{label}"),
        ],
        "steps": Steps(
            first=first,
            steps=[row(i, steps[i], PATH, STEP) for i in range(first, len(steps))],
            before=f"{plural(first, 'earlier step')}: {PATH}.steps[:{first}]" if first else "",
        ),
        "saying": saying(scene, call),
    }  # fmt: skip


def of_nothing() -> dict[str, Any]:
    """Tell that there is nothing yet, and how there will be."""
    return {
        "detail": Detail(
            hue="", label="", name="", gist="", chip="", word="", notes=[EMPTY], path=PATH
        )
    }


def of_model(scene: Scene, no: int, call: ModelCall, *, whole: bool) -> dict[str, Any]:
    """Tell of a question to a model: all of it, and the answer so far."""
    span = scene.timeline.spans[no]
    over = scene.over(span)
    usage = call.usage if over else None
    about = "≈ " if usage and usage.source == "estimated" else ""
    notes = [
        scene.whose(span),
        f"call {call.call_id}",
        took(span) if over else "",
        f"{about}{count(usage.input)} → {count(usage.output)} tokens" if usage else "",
    ]
    answer = (call.answer or "") if usage else settled(call.answer or "") if over else ""
    options = {name: value for name, value in call.options.items() if name != "grammar"}
    return {
        "detail": detail(scene, span, " · ".join(filter(None, notes))),
        "prompt": asked(call, whole=whole) if scene.begun(span) else None,
        "texts": [
            *said(
                "thought", "answer", shortened(answer, f"{PATH}.answer", LIMIT), f"{PATH}.answer"
            ),
            *said("", "options", written(options) if options else "", f"{PATH}.options"),
        ],
        "saying": "" if over else saying(scene, no if scene.begun(span) else None),
    }


def of_tool(scene: Scene, no: int, use: ToolUse) -> dict[str, Any]:
    """Tell of a call of a tool: with what, what came back, and what the model made of that."""
    span = scene.timeline.spans[no]
    over = scene.over(span)
    notes = [
        scene.whose(span),
        f"call {use.call_id}",
        took(span) if over else "",
        "" if use.allowed else "refused by whoever reviews actions",
        "edited by whoever reviews actions" if use.edited else "",
    ]
    name, text = ("error", use.error) if use.error is not None else ("data", use.data)
    came = text if isinstance(text, str) else written(text)
    hue = "bad" if use.ok is False else "seen"
    label = "result" if name == "data" else name
    given = laid_out(written(use.args), f"{PATH}.args", LIMIT)
    before = laid_out(written(use.wanted), f"{PATH}.wanted", LIMIT)
    return {
        "detail": detail(scene, span, " · ".join(filter(None, notes)), arguments(use.args)),
        "texts": [
            *(said("", "asked for", before, f"{PATH}.wanted") if use.edited else []),
            *said("tool", "arguments", given, f"{PATH}.args"),
            *(
                said(hue, label, laid_out(came, f"{PATH}.{name}", LIMIT), f"{PATH}.{name}")
                if over
                else []
            ),
            *said("thought", "thought next", next_thought(scene, span), ""),
        ],
    }


def of_entry(scene: Scene, no: int, entry: Entry) -> dict[str, Any]:
    """Tell of something that took no time."""
    span = scene.timeline.spans[no]
    kind = kind_of(entry.event).replace("_", " ")
    text = laid_out(gist_of(entry.event), f"{PATH}.event", LIMIT)
    return {
        "detail": detail(scene, span, f"{scene.whose(span)} · {moment(entry.at)}"),
        "texts": said(HUES.get(span.kind, ""), kind, text, f"{PATH}.event"),
    }


def detail(scene: Scene, span: Span, note: str, did: str = "") -> Detail:
    """Give the line that makes sense alone."""
    begun, over = scene.begun(span), scene.over(span)
    chip, word = ("bad" if span.state == "failed" else "warn", word_of(span))
    if not over:
        chip, word = ("run", "under way") if begun else ("", "not yet")
    label = span.kind if span.kind in ("model", "tool") else ""
    return Detail(
        hue="bad" if over and span.state == "failed" else HUES.get(span.kind, ""),
        label=label,
        name=gist(name_of(span), 60) if span.kind != "model" else "",
        gist=gist(did, 200),
        chip=chip,
        word=word,
        notes=[note, "" if begun else NOT_YET],
        path=PATH,
    )


def took(span: Span) -> str:
    """Say how long it took."""
    return "" if span.end is None else seconds((span.end - span.start) * 1000)


def said(hue: str, name: str, text: str, path: str) -> list[Words]:
    """Give a text under its name, if there is one."""
    return [Words(hue=hue, name=name, text=text, path=path)] if text else []


def saying(scene: Scene, call: int | None) -> str:
    """Give the end of what was being said."""
    if call is None:
        return ""
    text = settled(scene.said(call))
    start = scrubber().beside(text, max(0, len(text) - LIMIT))
    return ("…" if start else "") + text[start:]


def settled(text: str) -> str:
    """Give a text that was broken off without what may be half a key."""
    return text[: scrubber().settled(text)]


def asked(call: ModelCall, *, whole: bool) -> Prompt:
    """Give a prompt with what is new in it set apart; no key is cut in two."""
    beside = scrubber().beside
    text = call.prompt
    kept = beside(text, call.kept)
    start, end, limit = kept, kept, WHOLE if whole else 2 * LIMIT
    if kept > KNOWN and not whole:
        start, end = beside(text, EDGE), beside(text, kept - EDGE)
    notes = [
        f"It cannot be put together: {call.lost}." if call.lost else "",
        f"{plural(call.trimmed, 'letter')} of the question before left out" if call.trimmed else "",
        f"keys are shown as {MASK}" if MASK in text else "",
        f"{count(len(text))} letters",
    ]
    return Prompt(
        system=shortened(call.system, f"{PATH}.system", limit),
        start=shortened(text[:start], f"{PATH}.prompt", WHOLE),
        gap=f"… {plural(end - start, 'letter')} of it, as the model had seen before …"
        if start < end
        else "",
        end=text[end:kept],
        added=shortened(text[kept:], f"{PATH}.added", limit),
        note=" · ".join(filter(None, notes)),
        more=not whole and max(end - start, len(text) - kept - limit, len(call.system) - limit) > 0,
        path=f"{PATH}.prompt",
    )


def next_thought(scene: Scene, span: Span) -> str:
    """Give what the agent thought of it."""
    if span.last is None or not scene.over(span):
        return ""
    for entry in scene.entries[span.last : span.last + NEXT]:
        if isinstance(entry.event, events.Thought) and entry.run == span.run:
            return shortened(entry.event.text, "", LIMIT)
    return ""
