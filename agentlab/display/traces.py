"""The card of a trace: the tree of its runs on one line of time, then what was said, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from agentlab.core import events
from agentlab.core.events import Entry
from agentlab.core.trace import Trace
from agentlab.display.endings import chip_of
from agentlab.display.gists import gist_of, kind_of
from agentlab.display.html import Html, h
from agentlab.display.lives import Life, told, tree
from agentlab.display.parts import (
    Chip,
    Column,
    Labelled,
    Room,
    bar,
    card,
    drawn,
    labelled,
    laid_out,
    note,
    row,
    rows,
    skipped,
    table,
)
from agentlab.display.words import count, gist, moment, number, plural, seconds

EMPTY = "Nothing has been said yet. A run writes here while it works: `handle.trace`."
GIST = 120
COUNTED: dict[type, tuple[str, ...]] = {
    events.Asked: ("model call",), events.Token: ("token",), events.ToolEnded: ("tool call",),
    events.StepEnded: ("step",), events.Thought: ("thought",), events.Action: ("action",),
    events.Recalled: ("recall",), events.Phase: ("phase",), events.Said: ("message",),
    events.Charted: ("chart",), events.Marked: ("mark",),
    events.AwaitingApproval: ("question to a person", "questions to a person"),
    events.Argued: ("argument",), events.Scored: ("score",), events.Saved: ("save",),
    events.SaveFailed: ("failed save",), events.Warned: ("warning",),
}  # fmt: skip
DEEPEST = 12  # runs further down are set in no more
HUES: dict[type, str] = {
    events.Asked: "thought", events.Token: "thought", events.Answered: "thought",
    events.Thought: "thought", events.Action: "tool", events.ToolStarted: "tool",
    events.ToolEnded: "tool", events.Scored: "warn", events.Warned: "warn",
    events.SaveFailed: "bad", events.AwaitingApproval: "warn", events.Reviewed: "tool",
}  # fmt: skip


class Scene(NamedTuple):
    """What is drawn: the entries, their runs, how many seconds they span, and in what room."""

    entries: Sequence[Entry]
    lives: dict[str, Life]
    span: float
    room: Room


def trace_card(trace: Trace, room: Room) -> Html:
    """Draw the card."""
    entries = list(trace.entries)  # a run may be writing
    if not entries:
        return card("trace", "no run", Chip("", "empty"), (), note(EMPTY), path="trace")
    lives = told(entries)
    first = next(iter(lives.values()))
    span = max(number(life.last) for life in lives.values())
    figures = facts(lives, span, len(entries))
    body = runs(tree(lives), span, room), said(Scene(entries, lives, span, room))
    lost = None
    if trace.damage:
        lines = plural(len(trace.damage), "line")
        lost = note(f"{lines} of the file could not be read: `trace.damage` says which, and why.")
    return card("trace", first.name, chip(first), figures, lost, *body, path="trace")


def chip(life: Life) -> Chip:
    """Say how a run ended."""
    if life.end is None:
        return Chip("run", "running") if events.RunStarted in life.kinds else Chip("", "a part")
    return chip_of(life.end.stop_reason)


def facts(lives: dict[str, Life], span: float, total: int) -> list[str]:
    """List the figures of the header line."""
    kinds: Counter[type] = Counter()
    for life in lives.values():
        kinds.update(life.kinds)
    failed, calls = sum(life.failed for life in lives.values()), kinds[events.ToolEnded]
    bad = f", {count(failed)} failed" if failed else ""
    return [
        plural(len(lives), "run") if len(lives) > 1 else "",
        plural(kinds[events.Asked], "model call") if kinds[events.Asked] else "",
        plural(calls, "tool call") + bad if calls else "",
        seconds(span * 1000),
        plural(total, "entry", "entries"),
    ]


def runs(order: list[tuple[int, Life]], span: float, room: Room) -> Html:
    """Draw the runs as a tree, each from when to when, and how often it said what."""
    ends = room.ends
    shown = order if len(order) <= 2 * ends + 1 else [*order[:ends], *order[-ends:]]
    gone = len(shown) < len(order)
    most = f"showing the first and the last {ends} of {count(len(order))} runs; " if gone else ""
    caption = f"{most}counts of all kinds: trace.to_frame().value_counts(['run', 'kind'])"
    columns = [
        Column("run", "fit"),
        Column("when", "fit"),
        Column("took", "num"),
        Column("what there was", "wide"),
    ]
    return table(caption, columns, [life_cells(depth, life, span or 1) for depth, life in shown])


def life_cells(depth: int, life: Life, span: float) -> list[object]:
    """Give the cells of one run."""
    depth = min(depth, DEEPEST)
    name = h("span", title=gist(life.path, 80), style=f"padding-left:{depth * 14}px")
    said = (
        plural(times, *names)
        + (f" ({count(life.failed)} failed)" if each is events.ToolEnded and life.failed else "")
        for each, names in COUNTED.items()
        if (times := life.kinds[each])
    )
    return [
        h("span")(name("└ " if depth else "", gist(life.name, 40)), " ", drawn(chip(life))),
        bar(life.length / span, "long", number(life.first) / span),
        seconds(life.length * 1000),
        h("span", "agl-dim")(", ".join(said) or "nothing yet"),
    ]


def said(scene: Scene) -> Html:
    """Draw the first and the last entries, the pieces of one answer together."""
    entries = scene.entries
    head, tail = groups(entries, 2 * scene.room.ends)
    items = [entry_row(scene, *ends) for ends in (*head, *tail)]
    start, end = head[-1][1], tail[0][0] if tail else len(entries)
    if start < end:
        more = plural(end - start, "more entry", "more entries")
        rest = f"{more}: trace.entries[{start}:{end}]; all of them: trace.to_frame()"
        items.insert(len(head), skipped(rest))
    return rows(len(entries), items)


def groups(
    entries: Sequence[Entry], most: int
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Give the first and the last groups of entries, by where they start and end.

    A group is one entry, or the pieces of an answer that follow each other.
    """
    total, head, tail = len(entries), [(0, 0)][:0], [(0, 0)][:0]
    start = 0
    while start < total and len(head) < most:
        end = start + 1
        while end < total and together(entries[start], entries[end]):
            end += 1
        head.append((start, end))
        start = end
    end = total
    while start < end and len(tail) < most:
        begin = end - 1
        while begin > start and together(entries[begin - 1], entries[end - 1]):
            begin -= 1
        tail.append((begin, end))
        end = begin
    return head, tail[::-1]


def together(one: Entry, other: Entry) -> bool:
    """Tell whether both are pieces of the same answer."""
    return (
        isinstance(one.event, events.Token)
        and isinstance(other.event, events.Token)
        and (one.run, one.event.call_id) == (other.run, other.event.call_id)
    )


def entry_row(scene: Scene, start: int, end: int) -> Html:
    """Draw one entry, or the pieces of one answer."""
    entries, lives, span, room = scene
    entry, last, several = entries[start], entries[end - 1], end > start + 1
    path = f"trace.entries[{start}:{end}]" if several else f"trace.entries[{start}]"
    life, hue = lives[entry.run], hue_of(entry)
    kind = f"{count(end - start)} tokens" if several else kind_of(entry.event).replace("_", " ")
    text = "".join(gist_of(each.event) for each in entries[start:end])
    line = [
        h("span", f"agl-label agl-what {hue}".strip())(kind),
        " ",
        h("span", "agl-tag")(gist(life.name, 24)) if len(lives) > 1 else None,
        " ",
        h("span", "agl-result bad" if hue == "bad" else "agl-result")(
            gist(text, min(GIST, room.text))
        ),
    ]
    began, whole = since(entry, life), span or 1
    drawn_bar = bar((number(last.offset) - began) / whole, hue, began / whole)
    parts = [
        Labelled("", "run", gist(entry.run), f"{path}.run"),
        Labelled("", "at", moment(entry.at), f"{path}.at"),
        Labelled(hue, kind, laid_out(text, path, room.text), f"{path}.event"),
    ]
    right = h("span", "agl-ms")(drawn_bar, " ", seconds(number(entry.offset) * 1000))
    return row(start, line, right, labelled(*parts), path=path)


def hue_of(entry: Entry) -> str:
    """Give the hue of what an entry means; its kind stands beside it."""
    match entry.event:
        case events.ToolEnded(ok=False):
            return "bad"
        case events.RunEnded(stop_reason=reason):
            return chip_of(reason).hue
        case event:
            return HUES.get(type(event), "")


def since(entry: Entry, life: Life) -> float:
    """Tell when what an entry ends began: a call, a step; others are but a moment."""
    at = number(entry.offset)
    match entry.event:
        case events.Answered(call_id=call):
            return number(life.asked.get(call, at))
        case events.ToolEnded(ms=ms):
            return max(at - number(ms) / 1000, 0.0)
        case events.StepEnded(step=step):
            return max(at - number(step.step_duration_ms) / 1000, 0.0)
        case _:
            return at
