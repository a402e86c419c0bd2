"""The parts of a workflow, and what leads from one to another: as a chart, and for mermaid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from agentlab.core.events import Charted, Edge, Node

if TYPE_CHECKING:
    from agentlab.strategies.workflow.steps import WorkflowStep

SPOKEN = frozenset(" ,:()?!='\u00b7")  # what means nothing to mermaid, between quotes
SHAPES = {
    "task": ('["', '"]'),
    "branch": ('{"', '"}'),
    "parallel": ('(["', '"])'),
    "loop": ('{{"', '"}}'),
}


def place(index: int) -> str:
    """Give the id of a step at the top."""
    return f"steps[{index}]"


def below(where: str, name: str) -> str:
    """Give the id of a step within another."""
    return f"{where}.{name}"


def charted(steps: Iterable[WorkflowStep], title: str) -> Charted:
    """Give nodes and edges; what is within a step names it as its parent."""
    nodes: list[Node] = []
    edges: list[Edge] = []
    before = ""
    for i, step in enumerate(steps):
        where = place(i)
        _chart(where, step, None, nodes, edges)
        if before:
            edges.append(Edge(before, where))
        before = where
    return Charted("flow", tuple(nodes), tuple(edges), title)


def _chart(where: str, step: Any, parent: str | None, nodes: list[Node], edges: list[Edge]) -> None:
    nodes.append(Node(where, step.label, step.kind, parent, who(step)))
    for name, inner in step.within:
        there = below(where, name)
        _chart(there, inner, where, nodes, edges)
        edges.append(Edge(where, there, way(name)))
    if step.kind == "branch" and step.if_false is None:
        there = below(where, "if_false")
        nodes.append(Node(there, "nothing", "pass", where))
        edges.append(Edge(where, there, "no"))


def who(step: Any) -> str:
    """Say who does a task, where it is not the model; and how often a loop goes round at most."""
    if step.kind == "loop" and step.until is not None:
        return f"at most {step.times}"
    if getattr(step, "tool", None):
        return f"tool {step.tool}"
    return f"by {name}" if (name := strategy_of(step)) else ""


def strategy_of(step: Any) -> str | None:
    """Name what works towards a task, where that is a strategy."""
    strategy = getattr(step, "strategy", None)
    return None if strategy is None else str(strategy.strategy_name)


def way(name: str) -> str:
    """Say what leads to a step within another."""
    return {"if_true": "yes", "if_false": "no"}.get(name, "")


class Exit(NamedTuple):
    """Where a step is left, and what is said there."""

    id: str
    label: str = ""


def mermaid(steps: Iterable[WorkflowStep]) -> str:
    """Write a flow chart."""
    chart = Chart()
    before: list[Exit] = []
    for step in steps:
        before = chart.add(step, before)
    return "\n".join(["flowchart TD", *(f"    {line}" for line in chart.lines())])


class Chart:
    """The lines of a chart for mermaid: its nodes, then what leads where."""

    def __init__(self) -> None:
        self.nodes: list[str] = []
        self.arrows: list[str] = []

    def lines(self) -> Iterator[str]:
        """Give them."""
        yield from self.nodes
        yield from self.arrows

    def add(self, step: Any, before: Iterable[Exit]) -> list[Exit]:
        """Draw a step after others, and give where it is left."""
        me = f"n{len(self.nodes)}"
        opened, closed = SHAPES[step.kind]
        said = " \u00b7 ".join(filter(None, (step.label, who(step))))
        self.nodes.append(f"{me}{opened}{escaped(said)}{closed}")
        for exit_ in before:
            self.arrows.append(arrow(exit_, me))
        left: list[Exit] = []
        for name, inner in step.within:
            left += self.add(inner, [Exit(me, way(name))])
        if step.kind == "loop":
            self.arrows += [arrow(exit_, me, "-.->") for exit_ in left]
            return [Exit(me)]
        if step.kind == "branch" and step.if_false is None:
            left.append(Exit(me, "no"))
        return left or [Exit(me)]


def arrow(start: Exit, end: str, line: str = "-->") -> str:
    """Draw what leads from one node to another."""
    label = f"|{start.label}|" if start.label else ""
    return f"{start.id} {line}{label} {end}"


def escaped(text: str) -> str:
    """``text`` as it may stand between the quotes of a node: nothing in it means anything.

    >>> escaped('a "b" <c>')
    'a #34;b#34; #60;c#62;'
    """
    line = "".join([c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in flat(text)])
    return "".join([c if c.isalnum() or c in SPOKEN else f"#{ord(c)};" for c in line]) or " "


def flat(text: str) -> str:
    """``text`` on one line."""
    return " ".join(text.split())
