"""The card of the spans of a trace: a waterfall."""

from __future__ import annotations

from collections.abc import Sequence

from agentlab.core.spans import Span, Spans
from agentlab.display.endings import chip_of
from agentlab.display.html import Html, h
from agentlab.display.parts import Chip, Column, Room, bar, card, drawn, note, table
from agentlab.display.words import count, gist, most, plural, seconds

EMPTY = "There is nothing yet: a run writes here while it works, `handle.trace.spans()`."
HUES = {"model": "thought", "tool": "tool", "warning": "warn"}
DEEPEST = 12  # what is further down is set in no more


def spans_card(spans: Spans, room: Room) -> Html:
    """Draw the card."""
    if not spans:
        return card("spans", "no run", Chip("", "empty"), (), note(EMPTY), path="spans")
    start = min(span.start for span in spans)
    whole = most([span.end for span in spans if span.end is not None]) - start
    kinds = [span.kind for span in spans]
    failed = sum(span.state == "failed" for span in spans)
    figures = [
        plural(kinds.count("run"), "run"),
        plural(kinds.count("model"), "model call"),
        plural(kinds.count("tool"), "tool call"),
        f"{count(failed)} failed" if failed else "",
        seconds(whole * 1000),
    ]
    body = waterfall(spans, start, whole or 1, room)
    return card("spans", gist(spans[0].name), None, figures, body, path="spans")


def waterfall(spans: Sequence[Span], start: float, whole: float, room: Room) -> Html:
    """Draw a row a span, each from when to when."""
    most_rows = 3 * room.ends
    shown = list(enumerate(spans))
    if len(spans) > 2 * most_rows + 1:
        shown = [*shown[:most_rows], *shown[-most_rows:]]
    gone = len(shown) < len(spans)
    more = f"showing the first and the last {most_rows} of {count(len(spans))}; " if gone else ""
    caption = f"{more}a row each: spans.to_frame(); with travel in time: trace.explore()"
    columns = [
        Column("", "num"), Column("what", "wide"), Column("when", "fit"), Column("took", "num")
    ]  # fmt: skip
    return table(caption, columns, [cells(no, span, start, whole) for no, span in shown])


def cells(no: int, span: Span, start: float, whole: float) -> list[object]:
    """Give the cells of one span."""
    end = start + whole if span.end is None else span.end  # what is not over reaches to the end
    name = h("span", style=f"padding-left:{min(span.depth, DEEPEST) * 14}px")
    hue = "bad" if span.state == "failed" else HUES.get(span.kind, "")
    what = name(
        h("span", f"agl-label {hue}".strip())(span.kind),
        " ",
        gist(span.name.replace("_", " "), 40) if span.name != span.kind else None,
    )
    return [
        h("span", title=f"spans[{no}]")(str(no)),
        h("span")(what, " ", drawn(standing(span)) if span.state != "ok" else None),
        bar((end - span.start) / whole, f"long {hue}".strip(), (span.start - start) / whole),
        seconds((end - span.start) * 1000) if span.end is not None and end > span.start else "",
    ]


def standing(span: Span) -> Chip:
    """Say what became of a span."""
    if span.state == "failed":
        return Chip("bad", span.why if span.why and span.why != "error" else "failed")
    return chip_of(span.why) if span.state == "cut" else Chip("run", "under way")
