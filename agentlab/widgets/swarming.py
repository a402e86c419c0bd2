"""What a page must know of a swarm: the parts of its task, who is at which, and what is enough."""

from __future__ import annotations

import re
from typing import Any

from agentlab.core import events
from agentlab.core.events import Charted, Entry, Node
from agentlab.core.ids import path_part
from agentlab.core.secrets import Scrubber
from agentlab.display.charted import MARKS
from agentlab.display.words import count, gist, plural, seconds
from agentlab.widgets.company import Company
from agentlab.widgets.company_messages import Portion, Quorum
from agentlab.widgets.debating import speech
from agentlab.widgets.story import LINE, Voice, last_line

MOST = 48  # parts that are shown
OUTPUT = 400  # letters of what came of one
NEEDED = re.compile(r"(\d+) of \d+ must succeed")
WORDS = {"": "waiting", "running": "", "done": "done", "failed": "failed", "cancelled": "cancelled"}


class Swarming(Company):
    """Take a swarm's run, and give its cells.

    ``part0`` is how a part stands, ``quorum`` how many there are and have to succeed; ``mod`` is
    whoever merges what came out.
    """

    kind = "swarm"

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[Node] = []
        self._after: set[str] = set()
        self._place: dict[str, int] = {}
        self._by_run: dict[str, int] = {}
        self._status: dict[int, str] = {}
        self._said: dict[int, str] = {}
        self._began: dict[int, float] = {}
        self._took: dict[int, float] = {}
        self._voices: dict[int, Voice] = {}
        self._tries: dict[int, int] = {}
        self._needed = 0
        self._moved: set[int] = set()

    def led(self, event: Any) -> None:
        """Take what the swarm says of itself."""
        match event:
            case events.Charted() if not self._parts:
                self._split(event)
            case events.Phase(name="work", detail=detail):
                self._needed = int(found[1]) if (found := NEEDED.match(detail)) else 0
            case events.Marked(part, status, detail) if part in self._place:
                self._mark(self._place[part], status, detail)
            case _:
                pass

    def turned(self, run: str, voice: Voice, entry: Entry) -> None:
        """See to which part a turn belongs."""
        place = self._by_run.get(run)
        if place is None:
            return
        self._voices[place] = voice
        if entry.run != run and type(entry.event) is events.RunStarted:
            self._tries[place] = self._tries.get(place, 0) + 1
        self._moved.add(place)

    def told(self, scrub: Scrubber) -> dict[str, Any]:
        """Give the parts that moved."""
        cells: dict[str, Any] = {}
        for run, voice in self.changed.items():
            if run not in self._by_run and self.phase == "synthesis":
                cells["mod"] = speech(voice, scrub)
        for place in self._moved:
            if place < MOST:
                cells[f"part{place}"] = self._part(place, scrub)
        if self._parts:
            cells["quorum"] = self._quorum()
        self._moved.clear()
        return cells

    def stands(self) -> str:
        """Say how many are at it."""
        if self.phase == "synthesis":
            return "synthesis"
        if not self._parts:
            return self.phase or "waiting"
        running = self._number("running")
        return f"{count(running)} at work" if running else "going on"

    def figures(self) -> list[str]:
        """Count parts and agents."""
        agents = len({node.detail for node in self._parts})
        return [plural(len(self._parts), "subtask"), plural(agents, "agent")]

    def _split(self, chart: Charted) -> None:
        self._parts, turns = list(chart.nodes), dict[str, int]()
        self._after = {edge.target for edge in chart.edges}
        for i, node in enumerate(self._parts):
            self._place[node.id] = i
            # The turns are given in this order, all before the first begins.
            turns[node.detail] = turns.get(node.detail, 0) + 1
            run = f"{self.session.session_id}/{path_part(node.detail)}#{turns[node.detail]}"
            self._by_run[run] = i
        self._moved.update(range(len(self._parts)))

    def _mark(self, place: int, status: str, detail: str) -> None:
        self._status[place] = status
        self._moved.add(place)
        if status == "running":
            self._began[place] = self.at
            return
        self._said[place] = detail
        if place in self._began:
            self._took[place] = (self.at - self._began[place]) * 1000

    def _number(self, status: str) -> int:
        return sum(each == status for each in self._status.values())

    def _part(self, place: int, scrub: Scrubber) -> Portion:
        node, status = self._parts[place], self._status.get(place, "")
        voice, tries = self._voices.get(place), self._tries.get(place, 0)
        said, word = gist(self._said.get(place, ""), OUTPUT), WORDS.get(status, status)
        if status == "running":
            said = last_line(voice.said, scrub)[-LINE:] if voice and not voice.end else ""
            word = gist(voice.doing, 30) if voice else "waiting"
        if status == "cancelled":
            said = said.removeprefix("cancelled: ")
        return Portion(
            agent=gist(node.detail, 40),
            what=gist(node.label, 120),
            status=status,
            mark=MARKS.get(status, MARKS["pending"]),
            word=word,
            said=said,
            took=seconds(self._took[place]) if place in self._took else "",
            tried=f"try {count(tries)}" if tries > 1 else "",
            after=node.id in self._after,
        )

    def _quorum(self) -> Quorum:
        done, failed = self._number("done"), self._number("failed")
        cancelled, total = self._number("cancelled"), len(self._parts)
        words = [
            f"{count(done)} of {count(self._needed)} needed have succeeded",
            f"{count(failed)} failed" if failed else "",
            f"{count(cancelled)} cancelled" if cancelled else "",
        ]
        return Quorum(
            total=total,
            needed=self._needed,
            done=done,
            failed=failed,
            cancelled=cancelled,
            words=" · ".join(filter(None, words)),
            more=f"{plural(total - MOST, 'more subtask')}: session.trace" if total > MOST else "",
        )
