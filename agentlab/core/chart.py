"""What a strategy means to do, and how far it is with it: a fold over the trace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from agentlab.core.events import Charted, Entry, Marked, Status


@dataclass
class Chart:
    """The parts that one run charted last, and how each stands.

    Attributes
    ----------
    plan : Charted
        The shape, the parts and what leads from one to another.
    marks : dict of str to Marked
        What was said last of each part, by its id; of some nothing was said yet.
    """

    plan: Charted
    marks: dict[str, Marked] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._known = {node.id for node in self.plan.nodes}

    def status(self, node: str) -> Status:
        """Tell how a part stands."""
        mark = self.marks.get(node)
        return mark.status if mark else "pending"

    def detail(self, node: str) -> str:
        """Give what was said of a part: its output, or why."""
        mark = self.marks.get(node)
        return mark.detail if mark else ""

    def mark(self, mark: Marked) -> None:
        """Take what is said of a part; of one that is not in the chart nothing is kept."""
        if mark.node in self._known:
            self.marks[mark.node] = mark


class Charts(dict[str, Chart]):
    """The chart of each run that has one, by the run's id, in the order they were first drawn."""

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Charts:
        """Fold entries."""
        charts = cls()
        for entry in entries:
            charts.apply(entry)
        return charts

    def apply(self, entry: Entry) -> None:
        """Take one entry."""
        match entry.event:
            case Charted() as plan:
                self[entry.run] = Chart(plan)
            case Marked() as mark if entry.run in self:
                self[entry.run].mark(mark)
            case _:
                pass
