"""What a page must know of a debate: a column a debater, and round by round what each said."""

from __future__ import annotations

from typing import Any

from agentlab.core import events
from agentlab.core.events import Entry
from agentlab.core.secrets import Scrubber
from agentlab.display.parts import Chip
from agentlab.display.words import count, gist, plural, shortened
from agentlab.widgets.company import TEXT, Company, said_of
from agentlab.widgets.company_messages import Debater, Speech
from agentlab.widgets.messages import Bit
from agentlab.widgets.story import Voice

MOST = 24  # debaters that are shown
ROUNDS = 8  # the last of them
ALONE = 4  # judges of an argument that are each shown; more are one mean


class Debating(Company):
    """Take a debate, and give its cells.

    ``debaters`` and ``totals`` are the columns; ``round3`` is the title of a round, ``said3.0``
    what the first debater says in it, ``judged3.0`` how that was found; ``mod`` is the moderator.
    ``rounds`` are those that are shown, ``before`` says how many are not.
    """

    kind = "debate"

    def __init__(self) -> None:
        super().__init__()
        self._columns: dict[str, str] = {}
        self._round = 0
        self._turns: dict[str, tuple[int, str]] = {}  # of which round, and whose; 0 is the end
        self._scores: dict[tuple[int, str], dict[str, float]] = {}
        self._given = 0
        self._judged: set[tuple[int, str]] = set()
        self._over: set[tuple[int, str]] = set()

    def led(self, event: Any) -> None:
        """Take what the debate says of itself."""
        match event:
            case events.Charted(nodes=nodes):
                for node in nodes:
                    if node.kind == "debater":
                        self._enter(node.id, node.detail)
            case events.Phase(name="round", detail=detail):
                self._begin(detail)
            case events.Argued(number, name, text):
                self._say(number, name, text)
            case events.Marked(name, "failed", why) if name in self._columns:
                self._say(self._round, name, f"failed: {why}", bad=True)
            case events.Scored(judge, of, number, score):
                self._scores.setdefault((number, of), {})[judge] = score
                self._judged.add((number, of))
                self._given += 1
            case _:
                pass

    def turned(self, run: str, voice: Voice, entry: Entry) -> None:
        """See what a turn is for, when it begins."""
        if type(entry.event) is not events.RunStarted or run in self._turns or entry.run != run:
            return
        if self.phase == "round":
            self._enter(voice.name, "")
            self._turns[run] = self._round, voice.name
        elif self.phase == "synthesis":
            self._turns[run] = 0, voice.name

    def told(self, scrub: Scrubber) -> dict[str, Any]:
        """Give what is said, and how it was judged."""
        cells: dict[str, Any] = {}
        for run, voice in self.changed.items():
            number, name = self._turns.get(run, (-1, ""))
            if number == 0:
                cells["mod"] = speech(voice, scrub)
            elif (number, name) not in self._over and (cell := self._cell("said", number, name)):
                cells[cell] = speech(voice, scrub)
        for number, name in self._judged:
            if cell := self._cell("judged", number, name):
                cells[cell] = judged(self._scores[number, name])
        if self._judged:
            cells["totals"] = self._totals()
        self._judged.clear()
        return cells

    def stands(self) -> str:
        """Say which round it is, and what is done in it."""
        if self.phase == "scoring":
            return f"round {count(self._round)} · {plural(self._given, 'score')}"
        if self.phase == "round":
            speak = sum(voice.speaking for voice in self.voices.values())
            doing = f"{count(speak)} speak" if speak > 1 else "arguing"
            return f"round {self.detail} · {doing}"
        return self.phase or "waiting"

    def figures(self) -> list[str]:
        """Count rounds and turns."""
        calls = sum(voice.driven for voice in self.voices.values())
        return [plural(self._round, "round"), plural(calls, "call")]

    def closing(self) -> Chip:
        """Say who won, or how else it ended."""
        ended = super().closing()
        sums = {name: self._sum(name) for name in self._columns}
        ranked = sorted(sums.values(), reverse=True)
        if ended.hue != "ok" or not any(ranked):
            return ended
        said = " : ".join(f"{each:.2f}" for each in ranked[:4])
        if len(ranked) > 1 and ranked[0] == ranked[1]:
            return Chip("", f"a tie {said}")
        return Chip("ok", f"{gist(max(sums, key=sums.__getitem__), 30)} wins {said}")

    def _enter(self, name: str, position: str) -> None:
        if name in self._columns:
            return
        self._columns[name] = position
        self.cells["debaters"] = [
            Debater(name=gist(each, 60), position=gist(side, 120))
            for each, side in [*self._columns.items()][:MOST]
        ]
        hidden = len(self._columns) - MOST
        self.cells["more"] = (
            f"{plural(hidden, 'more debater')}: session.trace" if hidden > 0 else ""
        )

    def _begin(self, detail: str) -> None:
        self._round += 1
        first = max(1, self._round - ROUNDS + 1)
        self.cells[f"round{self._round}"] = f"round {gist(detail, 40)}"
        self.cells["rounds"] = [*range(first, self._round + 1)]
        gone = first - 1
        self.cells["before"] = f"{plural(gone, 'earlier round')}: session.trace" if gone else ""
        if gone:
            self.cells[f"round{gone}"] = None
            for i in range(min(len(self._columns), MOST)):
                self.cells[f"said{gone}.{i}"] = self.cells[f"judged{gone}.{i}"] = None

    def _say(self, number: int, name: str, text: str, *, bad: bool = False) -> None:
        self._enter(name, "")
        self._over.add((number, name))
        if cell := self._cell("said", number, name):
            said = shortened(text, "session.trace", TEXT)
            self.cells[cell] = Speech(text=said, runs=False, bad=bad)

    def _cell(self, what: str, number: int, name: str) -> str:
        place = [*self._columns].index(name) if name in self._columns else MOST
        seen = self._round - ROUNDS < number <= self._round
        return f"{what}{number}.{place}" if seen and place < MOST else ""

    def _sum(self, name: str) -> float:
        return sum(
            sum(scores.values()) / len(scores)
            for (_, of), scores in self._scores.items()
            if of == name
        )

    def _totals(self) -> list[Bit]:
        most = max(self._round, 1)
        sums = [self._sum(name) for name in [*self._columns][:MOST]]
        return [Bit(text=f"{total:.2f}", bar=total / most, hue="ok") for total in sums]


def speech(voice: Voice, scrub: Scrubber) -> Speech:
    """Give what is said in a turn."""
    bad = voice.end is not None and voice.end.stop_reason != "final_answer"
    text = said_of(voice, scrub, "session.trace")
    return Speech(text=text, runs=voice.end is None, bad=bad)


def judged(scores: dict[str, float]) -> list[Bit]:
    """Give how an argument was found: by each, or by all together where they are many."""
    if len(scores) <= ALONE:
        return [
            Bit(text=f"{score:.2f} from {gist(judge, 40)}", bar=score, hue="run")
            for judge, score in scores.items()
        ]
    mean = sum(scores.values()) / len(scores)
    return [Bit(text=f"{mean:.2f} from {count(len(scores))}", bar=mean, hue="run")]
