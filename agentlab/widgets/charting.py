"""What a page must know of a run's chart: the chart once, then the marks that differ."""

from __future__ import annotations

from typing import Any

from agentlab.core.chart import Chart
from agentlab.core.events import Charted, Marked
from agentlab.display.charted import MARKS, Line, beneath, line_of, parts, summary
from agentlab.display.flowing import MOST, Flow, fitted, flow_of, levels
from agentlab.display.words import gist, plural
from agentlab.widgets.chart_messages import Plan, PlanMark, PlanPart, PlanSign

DOING = 60  # letters of the part that is under way


class Charting:
    """Take what a run says of its chart, and give the cells that differ.

    ``plan`` is the chart, ``planned`` how far it is in words, and ``m0``, ``m1``... are its parts,
    as they stand.
    """

    def __init__(self) -> None:
        self._chart: Chart | None = None
        self._flow: Flow | None = None
        self._places: dict[str, list[int]] = {}
        self._turn, self._told = 0, 0
        self._fresh = self._moved = False
        self._depths: list[int] = []
        self._changed: set[int] = set()

    def take(self, event: Charted | Marked) -> str:
        """Take one; give what is under way now, where that is said."""
        if isinstance(event, Charted):
            self._begin(event)
            return gist(event.title, DOING)
        if self._chart is None or event.node not in self._places:
            return ""
        self._chart.marks[event.node], self._moved = event, True
        places = self._places[event.node]
        self._changed.update(place for place in places if place < MOST)
        running = event.status == "running"
        return gist(self._chart.plan.nodes[places[0]].label, DOING) if running else ""

    def news(self) -> dict[str, Any]:
        """Give what is different; None is for what is gone."""
        chart = self._chart
        if chart is None or not (self._fresh or self._moved):
            return {}
        cells: dict[str, Any] = {"planned": f"{summary(chart)}{parts(chart)}"}
        self._moved = False
        if self._fresh:
            shown = min(len(chart.plan.nodes), MOST)
            cells["plan"] = self._plan(chart, [self._line(chart, i) for i in range(shown)])
            cells.update({f"m{i}": None for i in range(shown, self._told)})
            self._changed, self._told, self._fresh = set(range(shown)), shown, False
        for i in self._changed:
            cells[f"m{i}"] = self._mark(self._line(chart, i))
        self._changed = set()
        return cells

    def _begin(self, plan: Charted) -> None:
        self._chart, self._fresh, self._turn = Chart(plan), True, self._turn + 1
        self._flow = flow_of(plan) if plan.shape == "flow" else None
        self._places, self._changed = {}, set()
        self._depths = levels(plan.nodes) or [0] * len(plan.nodes)
        for i, node in enumerate(plan.nodes):
            self._places.setdefault(node.id, []).append(i)

    def _line(self, chart: Chart, place: int) -> Line:
        node = chart.plan.nodes[place]
        return line_of(node, self._depths[place], chart.status(node.id), chart.detail(node.id))

    def _mark(self, line: Line) -> PlanMark:
        said = line.said if self._flow is None else beneath(line)
        mark = MARKS.get(line.status, "")
        return PlanMark(status=line.status, mark=mark, word=line.word, said=said)

    def _plan(self, chart: Chart, lines: list[Line]) -> Plan:
        flow, left = self._flow, len(chart.plan.nodes) - len(lines)
        boxes = {} if flow is None else {box.no: box for box in flow.boxes}
        told = [
            PlanPart(
                label=line.label if flow is None else fitted(line.label),
                who=line.who,
                depth=line.depth,
                outline=boxes[i].outline if i in boxes else "",
                x=boxes[i].x if i in boxes else 0,
                y=boxes[i].y if i in boxes else 0,
                tall=boxes[i].tall if i in boxes else 0,
            )
            for i, line in enumerate(lines)
        ]
        signs = [PlanSign(text=text, x=x, y=y) for text, x, y in flow.signs] if flow else []
        return Plan(
            turn=self._turn,
            shape="flow" if flow else "tree" if chart.plan.shape == "tree" else "list",
            title=gist(chart.plan.title, DOING) or "plan",
            parts=told,
            more=f"{plural(left, 'more part')}: session.trace" if left else "",
            wide=flow.wide if flow else 0,
            tall=flow.tall if flow else 0,
            ways=flow.ways if flow else "",
            back=flow.back if flow else "",
            heads=flow.heads if flow else "",
            signs=signs,
        )
