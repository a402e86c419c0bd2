"""What a page must know of a team: who may hear whom, who is at it, what went where, and votes."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import Any

from agentlab.core import events
from agentlab.core.events import Charted, Entry
from agentlab.core.secrets import Scrubber
from agentlab.display.charted import MARKS
from agentlab.display.drawings import FEW, short
from agentlab.display.labels import Circle, edge_labels, node_labels
from agentlab.display.sessions import ending
from agentlab.display.topologies import heard, height, places
from agentlab.display.words import count, gist, plural, shortened
from agentlab.teams.team_config import normalised
from agentlab.widgets.company import TEXT, Company, tail
from agentlab.widgets.company_messages import (
    Flight,
    Load,
    Member,
    Network,
    Option,
    Seat,
    Turned,
    Way,
)
from agentlab.widgets.story import LINE, Voice, last_line, row

MOST = 24  # agents that are drawn
AIR = 48  # messages that are seen to travel at once
HUES = (0, 1, 2, 3, 5)  # of answers; what fails has the one that is missing
FAILED = 4
OPEN = 4  # agents whose turns are told: one a page that is looked at
STEPS = 6  # the last of a turn
OPTIONS = 6  # answers that are counted, those that most gave
ANSWER = 240  # letters of one, in the list
WORDS = {"running": "thinking", "done": "answered", "failed": "failed"}


class Teaming(Company):
    """Take a team's run, and give its cells.

    ``net`` is the picture, ``member0`` how an agent stands, ``load0`` what went along a way, and
    ``flights`` what was sent last; ``votes`` are there if they count; ``turn0`` is the turn of an
    agent that a page looks at.
    """

    kind = "team"

    def __init__(self) -> None:
        super().__init__()
        self._names: dict[str, int] = {}
        self._roles: dict[str, str] = {}
        self._ways: dict[tuple[int, int], int] = {}
        self._how = self._round = ""
        self._status: dict[str, str] = {}
        self._said: dict[str, str] = {}
        self._options: dict[str, str] = {}  # as they are compared, and first spelt
        self._runs: dict[str, list[str]] = {}  # the turns of each
        self._sent, self._got, self._loads = Counter[str](), Counter[str](), Counter[Any]()
        self._messages = self._flown = 0
        self._flights = deque[Flight](maxlen=AIR)
        self._moved: set[str] = set()
        self._loaded: set[int] = set()
        self._open: list[str] = []
        self._voted = False

    def open(self, no: object) -> None:
        """Tell of the turns of an agent from now on: a page looks at it."""
        names = [name for name, i in self._names.items() if i == no]
        for name in names:
            self._open = [*(each for each in self._open if each != name), name]
            for gone in self._open[:-OPEN]:
                self.cells[f"turn{self._names[gone]}"] = None
            self._open = self._open[-OPEN:]
            self._moved.add(name)

    def led(self, event: Any) -> None:
        """Take what the team says of itself."""
        match event:
            case events.Phase(name="team", detail=how):
                self._how = gist(how, 60)
            case events.Phase(name="round", detail=detail):
                self._round = gist(detail, 40).partition(" ")[0]
                self._status = dict.fromkeys(self._names, "")
                self._moved.update(self._names)
            case events.Charted() if not self._names:
                self._draw(event)
            case events.Marked(name, status, detail) if name in self._names:
                self._mark(name, status, detail)
            case events.Said(sender, target, _):
                self._send(sender, target)
            case _:
                pass

    def turned(self, run: str, voice: Voice, entry: Entry) -> None:  # noqa: ARG002 - all turns are
        """Note whose turn it is."""
        runs = self._runs.setdefault(voice.name, [])
        if run not in runs:
            runs.append(run)
        self._moved.add(voice.name)

    def told(self, scrub: Scrubber) -> dict[str, Any]:
        """Give how each stands, what went where, and what is looked at."""
        cells: dict[str, Any] = {}
        for name in self._moved:
            if self._names.get(name, MOST) < MOST:
                cells[f"member{self._names[name]}"] = self._member(name, scrub)
            if name in self._open and (turn := self._turn(name, scrub)):
                cells[f"turn{self._names[name]}"] = turn
        pairs = list(self._ways)
        for k in self._loaded:
            a, b = pairs[k]
            cells[f"load{k}"] = Load(there=self._loads[a, b], back=self._loads[b, a])
        if self._loaded:
            cells["flights"] = [*self._flights]
        if self._voted and "majority" in self._how.lower():
            cells["votes"] = self._votes()
        self._moved.clear()
        self._loaded.clear()
        self._voted = False
        return cells

    def stands(self) -> str:
        """Say how many have answered."""
        if self.phase == "synthesis":
            return f"synthesis · {gist(self.detail, 30)}"
        over = sum(status in ("done", "failed") for status in self._status.values())
        said = f"{count(over)} of {count(len(self._names))} answered"
        return f"round {self._round} · {said}" if self._round else "waiting"

    def figures(self) -> list[str]:
        """Say how the team works, and count its messages."""
        return [self._how, plural(self._messages, "message")]

    def _draw(self, chart: Charted) -> None:
        nodes = chart.nodes[:MOST]
        self._names = {node.id: i for i, node in enumerate(chart.nodes)}
        self._roles = {node.id: node.kind for node in chart.nodes}
        self._status = dict.fromkeys(self._names, "")
        self._moved.update(self._names)
        names = [node.id for node in nodes]
        star = len(chart.edges) > 1 and all(edge.target == names[0] for edge in chart.edges)
        circles = places(names, names[0] if star else "", height(len(names)))
        for edge in chart.edges:
            a, b = self._names.get(edge.source, MOST), self._names.get(edge.target, MOST)
            if max(a, b) < MOST and a != b and (b, a) not in self._ways:
                self._ways.setdefault((a, b), len(self._ways))
        hidden = len(chart.nodes) - len(nodes)
        seats, ways = pictured(circles, nodes, list(self._ways))
        self.cells["net"] = Network(
            tall=height(len(names)),
            title=f"who hears whom: {gist(self._how, 60) or 'a team'}",
            more=f"{plural(hidden, 'more agent')}: session.trace" if hidden else "",
            seats=seats,
            ways=ways,
        )

    def _mark(self, name: str, status: str, detail: str) -> None:
        self._status[name] = status
        self._moved.add(name)
        if status == "running":
            return
        self._said[name] = detail
        if status == "done":
            self._options.setdefault(normalised(detail), detail)
            self._voted = True

    def _send(self, sender: str, target: str) -> None:
        self._messages += 1
        self._sent[sender] += 1
        self._moved.add(sender)
        for name in self._heard_by(sender, target):
            self._got[name] += 1
            self._moved.add(name)
            a, b = self._names.get(sender, MOST), self._names[name]
            way = self._ways.get((a, b), self._ways.get((b, a)))
            if way is None:
                continue
            self._loads[a, b] += 1
            self._flown += 1
            self._loaded.add(way)
            self._flights.append(Flight(no=self._flown, a=a, b=b))

    def _heard_by(self, sender: str, target: str) -> Iterator[str]:
        kind, _, who = target.partition(":")
        for name, role in self._roles.items():
            meant = {"broadcast": True, "agent": name == who, "role": role == who}.get(kind, False)
            if meant and name != sender:
                yield name

    def _member(self, name: str, scrub: Scrubber) -> Member:
        status, said, runs = self._status.get(name, ""), "", self._runs.get(name, [])
        voice = self.voices[runs[-1]] if runs else None
        if status == "running":
            said = last_line(voice.said, scrub)[-LINE:] if voice and not voice.end else ""
        elif name in self._said:
            said = gist(self._said[name], ANSWER)
        word = WORDS.get(status, "waiting")
        if status == "running" and voice:
            word = gist(voice.doing, 40)
        return Member(
            status=status,
            mark=MARKS.get(status, MARKS["pending"]),
            word=word,
            said=said,
            hue=self._hue(name, status),
            traffic=heard(self._sent[name], self._got[name]),
            turns=len(runs),
        )

    def _hue(self, name: str, status: str) -> int:
        if status == "failed":
            return FAILED
        if status != "done":
            return -1
        place = [*self._options].index(normalised(self._said[name]))
        return HUES[min(place, len(HUES) - 1)]

    def _votes(self) -> list[Option]:
        votes = Counter(
            normalised(self._said[name]) for name in self._names if self._status[name] == "done"
        )
        order = [*self._options]
        return [
            Option(
                text=gist(self._options[option], 30),
                votes=times,
                hue=HUES[min(order.index(option), len(HUES) - 1)],
            )
            for option, times in votes.most_common(OPTIONS)
        ]

    def _turn(self, name: str, scrub: Scrubber) -> Turned | None:
        if not (runs := self._runs.get(name)):
            return None
        voice = self.voices[runs[-1]]
        own = (s for s in enumerate(self.session.children) if s[1].session_id == runs[-1])
        place, session = next(own, (0, None))
        path = f"session.children[{place}]"
        while session and session.children and not session.steps:  # it lets another one work
            path += f".children[{len(session.children) - 1}]"
            session = session.children[-1]
        steps = session.steps if session else []
        first = max(0, len(steps) - STEPS)
        label, text = ending(session) if session and voice.end else ("", "")
        return Turned(
            name=gist(name, 60),
            turn=f"turn {count(len(runs))}" + (f", {plural(len(steps), 'step')}" if steps else ""),
            path=path,
            asked=shortened(session.prompt if session else "", f"{path}.prompt", TEXT),
            steps=[row(first + i, step, path, TEXT) for i, step in enumerate(steps[first:])],
            first=first,
            said="" if voice.end else tail(voice, scrub),
            runs=voice.end is None,
            label=label,
            text=text[:TEXT],
        )


def pictured(
    circles: Sequence[Circle], nodes: Sequence[events.Node], pairs: Sequence[tuple[int, int]]
) -> tuple[list[Seat], list[Way]]:
    """Give the seats and the ways of a picture, and where there is room for words."""
    tall = height(len(nodes))
    labels = node_labels(circles, [short(node.id) for node in nodes], tall)
    said = [(a, b, "00") for a, b in pairs] if len(pairs) <= FEW else []
    counts = edge_labels(circles, said, labels.values())
    room = {(label.x, label.y): label.roomy for label in counts}
    seats = []
    for i, circle in enumerate(circles):
        label = labels.get(i)
        seats.append(
            Seat(
                name=gist(nodes[i].id, 60),
                role=gist(nodes[i].kind, 30),
                x=circle.x,
                y=circle.y,
                r=circle.r,
                label=label.text if label else "",
                left=label.x if label else 0,
                top=label.y if label else 0,
                anchor=label.anchor if label else "",
                dx=label.dx if label else 0,
                roomy=bool(label and label.roomy),
            )
        )
    ways = []
    for a, b in pairs:
        x, y = (circles[a].x + circles[b].x) / 2, (circles[a].y + circles[b].y) / 2 + 3
        ways.append(
            Way(a=a, b=b, x=x, y=y if (x, y) in room else -1, roomy=room.get((x, y), False))
        )
    return seats, ways
