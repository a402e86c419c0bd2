"""A chart, drawn: as a checklist, as a tree, or as a flow chart; each part with how it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agentlab.core.chart import Chart, Charts
from agentlab.core.events import Charted, Node
from agentlab.core.session import AgentSession
from agentlab.display.flowing import LEFT, PLAIN, SMALL, Box, Flow, fitted, flow_of, levels
from agentlab.display.html import Html, h
from agentlab.display.parts import Room, listed, skipped
from agentlab.display.words import count, gist, plural

# What each state is called, and its mark; beside the words, for those who look.
MARKS = {
    "pending": "○", "running": "◐", "done": "✓", "failed": "✗", "skipped": "\N{EN DASH}",
    "cancelled": "■", "chosen": "●", "rejected": "\N{EN DASH}",
}  # fmt: skip
KINDS = {"branch": "choice", "parallel": "", "loop": "loop", "task": "", "method": "", "pass": ""}
SAID = 160  # letters of what was said of a part, in a list
DEEPEST = 12  # levels that are set in
SMALLEST = 0.8  # of a picture's size: what is smaller still is scrolled, not shrunk


class Line(NamedTuple):
    """A part in a list: how deep, its label and who does it, how it stands, what was said of it."""

    depth: int
    label: str
    who: str
    status: str
    word: str
    said: str


def charts_of(session: AgentSession) -> Charts:
    """Give what a session's run charted, and the runs below it; nothing where there is no trace."""
    return Charts.of([] if session.trace is None else list(session.trace.entries))


def chart_section(session: AgentSession, charts: Charts, room: Room, path: str) -> Html | None:
    """Draw what a session's run charted, if it did."""
    chart = charts.get(session.session_id)
    if chart is None:
        return None
    return chart_view(chart, room, path=path, goal=session.prompt)


def chart_view(
    chart: Chart, room: Room, *, path: str, plain: bool = False, goal: str = ""
) -> Html | None:
    """Draw a chart; ``plain`` where nothing of it was done yet; what is known need not be said."""
    if not chart.plan.nodes:
        return None
    flow = flow_of(chart.plan) if chart.plan.shape == "flow" and drawable(chart, room) else None
    lines = lines_of(chart, plain=plain)
    name = gist("" if chart.plan.title == goal else chart.plan.title, 60) or "plan"
    heading = None if plain else h("div", "agl-round")(f"{name} · {summary(chart)}{parts(chart)}")
    if flow is not None:
        return h("div", "agl-plan", title=path)(heading, picture(chart.plan, flow, lines))
    return h("div", "agl-plan", title=path)(heading, checklist(lines, room, path))


def drawable(chart: Chart, room: Room) -> bool:
    """Tell whether a picture of it is small enough."""
    return len(chart.plan.nodes) <= 9 * room.ends


def parts(chart: Chart) -> str:
    """Say how many parts there are."""
    return plural(sum(node.kind != "pass" for node in chart.plan.nodes), "part")


def summary(chart: Chart) -> str:
    """Say how many parts stand how: ``2 of 3 done, 1 failed; ``."""
    tally: dict[str, int] = {}
    for node in chart.plan.nodes:
        if node.kind != "pass":
            status = chart.status(node.id)
            tally[status] = tally.get(status, 0) + 1
    told = [f"{count(times)} {status}" for status, times in tally.items() if status != "pending"]
    return f"{', '.join(told)} of " if told else ""


def lines_of(chart: Chart, *, plain: bool = False) -> list[Line]:
    """Give each part as it stands in a list."""
    depths = levels(chart.plan.nodes) or [0] * len(chart.plan.nodes)
    return [
        line_of(node, depth, "" if plain else chart.status(node.id), chart.detail(node.id))
        for node, depth in zip(chart.plan.nodes, depths, strict=True)
    ]


def line_of(node: Node, depth: int, status: str, detail: str) -> Line:
    """Give a part as it stands."""
    who = node.detail or KINDS.get(node.kind, node.kind)
    said = gist(detail, SAID)
    known = status if status in MARKS else ""
    return Line(depth, gist(node.label, SAID), gist(who, 60), known, gist(status, 20), said)


def checklist(told: Sequence[Line], room: Room, path: str) -> Html:
    """Draw parts under each other, those within another set in."""
    items = listed(
        len(told),
        2 * room.ends,
        lambda i: item(told[i]),
        lambda start, end: skipped(f"{plural(end - start, 'more part')}: {path}"),
    )
    return h("ul", "agl-parts")(*items)


def item(line: Line) -> Html:
    """Draw a part on a line."""
    set_in = min(line.depth, DEEPEST)
    inner = {"style": f"--agl-depth:{set_in}"} if set_in else {}
    return h("li", f"agl-part {line.status}".strip(), **inner)(
        h("span", "agl-mark")(MARKS.get(line.status, "·"), " "),
        h("span", "agl-whole")(
            h("b", "agl-partname")(line.label),
            h("span", "agl-dim")(f" · {line.who}") if line.who else None,
            h("span", "agl-dim")(" → ") if line.said else None,
            h("span", "agl-came")(line.said) if line.said else None,
        ),
        " ",
        h("span", "agl-stands")(line.word) if line.word else None,
    )


def picture(plan: Charted, flow: Flow, told: Sequence[Line]) -> Html:
    """Draw a flow chart."""
    stroke = {"fill": "none", "stroke": "currentColor"}
    wide, tall = f"{flow.wide:g}", f"{flow.tall:g}"
    size = {"width": wide, "height": tall, "viewBox": f"0 0 {wide} {tall}"}
    size["style"] = f"max-width:max(100%,{flow.wide * SMALLEST:.0f}px);height:auto"
    spoken = "; ".join(
        " ".join(filter(None, (line.label, line.word))) for line in told if line.label
    )
    return h("div", "agl-scroll agl-chart", tabindex="0")(
        h("svg", role="img", **size)(
            h("title")(gist(f"flow chart: {spoken}", 600)),
            h("path", "agl-lead", d=flow.ways, **stroke)(),
            h("path", "agl-lead back", d=flow.back, **stroke)() if flow.back else None,
            h("path", "agl-tip", d=flow.heads, fill="currentColor")(),
            *(boxed(each, plan.nodes[each.no], told[each.no]) for each in flow.boxes),
            *(
                h("text", "agl-tick", x=f"{x:g}", y=f"{y:g}", **{"font-size": "11"})(text, " ")
                for text, x, y in flow.signs
            ),
        )
    )


def boxed(box: Box, node: Node, line: Line) -> Html:
    """Draw a part of a flow chart: its label, and under it how it stands or who does it."""
    under = beneath(line)
    two = box.tall >= 2 * 16 and under
    top = f"{box.y + (17 if two else box.tall / 2 + 4):g}"
    mark = MARKS.get(line.status, "")
    text = {"fill": "currentColor", "x": f"{box.x + (LEFT if mark else PLAIN):g}"}
    told = " · ".join(filter(None, (node.label, line.who, line.word, line.said)))
    return h("g", f"agl-box {line.status}".strip())(
        h("title")(gist(told, 200)),
        h("path", d=box.outline, fill="none", stroke="currentColor")(),
        h("text", "agl-mark", x=f"{box.x + 11:g}", y=top, fill="currentColor")(mark)
        if mark
        else None,
        h("text", "agl-partname", y=top, **text, **{"font-size": "12"})(fitted(node.label), " "),
        h("text", "agl-under", y=f"{box.y + 32:g}", **text, **{"font-size": "11"})(under, " ")
        if two
        else None,
    )


def beneath(line: Line) -> str:
    """Say in a box how a part stands, and what came of it, else who does it."""
    if not line.status or line.status == "pending":
        return fitted(line.who, letter=SMALL)
    told = (line.said,) if line.status == "running" and line.said else (line.word, line.said)
    return fitted(" · ".join(filter(None, told)), letter=SMALL)
