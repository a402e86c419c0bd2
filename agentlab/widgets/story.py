"""What a page must know of a run, cell by cell: a fold over its entries that draws nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agentlab.core import events
from agentlab.core.events import Entry, ReActStep
from agentlab.core.secrets import Scrubber, scrubber
from agentlab.core.session import TAKEN, AgentSession
from agentlab.display.endings import chip_of
from agentlab.display.parts import Chip, Room
from agentlab.display.sessions import chip, ending, facts, missing
from agentlab.display.steps import failed, texts, told
from agentlab.display.words import count, gist, plural, seconds, shortened
from agentlab.widgets.asking import TAKEN as ASKED
from agentlab.widgets.asking import Asking
from agentlab.widgets.charting import Charting
from agentlab.widgets.messages import Child, End, Head, Now, Step, Words

ROOM = Room()
PIECE = 1024  # what is being said is sent again while it grows, but never more of it than this
WINDOW = 8 * PIECE  # in which a key is looked for that a cut would fall into
LINE = 160  # of what a run below says: its last letters
KEPT = 1024  # of it, so that a key in it is found
MOMENT_S = 0.05  # in less there is no rate


@dataclass(slots=True)
class Voice:
    """One run of the tree: what it is doing, and how fast it speaks."""

    depth: int
    name: str
    no: int
    doing: str = "waiting"
    said: str = ""
    steps: int = 0
    speaking: bool = False
    asking: int = 0
    heard: int = 0
    first: float = 0.0
    last: float = 0.0
    pace: float = 0.0
    driven: bool = False
    end: events.RunEnded | None = None

    def hear(self, offset: float, *, tokens: int = 1, since: float | None = None) -> None:
        """Count a token; or several, the first of them said ``since`` then."""
        if not self.heard:
            self.first = offset if since is None else since
        self.heard, self.last = self.heard + tokens, offset
        if (spent := offset - self.first) >= MOMENT_S:
            self.pace = (self.heard - 1) / spent

    @property
    def busy(self) -> bool:
        """Tell whether it is at work."""
        return self.speaking or self.asking > 0 or (self.driven and self.end is None)


class Story:
    """Take entries, and give the cells that differ since they were last asked for."""

    def __init__(self) -> None:
        self.session = AgentSession()
        self._plans: dict[str, Charting] = {}
        self._voices: dict[str, Voice] = {}
        self._cells: dict[str, Any] = {}
        self._changed: dict[int, Voice] = {}
        self._heard: list[Entry] = []
        self._tail, self._turn, self._pieces, self._hidden = "", 0, 0, ROOM.ends
        self._longest = 0.0
        self.asking = Asking()

    def take(self, entry: Entry) -> None:
        """Take an entry of the run, or of one below it."""
        if type(entry.event) is events.Token and entry.run == self.session.session_id:
            self._heard.append(entry)  # most are of this kind: they are seen to together
            return
        self._hear()
        if type(entry.event) in TAKEN:
            self.session.apply(entry)
        root = self.session.session_id
        if type(entry.event) in ASKED and f"{entry.run}/".startswith(f"{root}/"):
            own = entry.run == root
            self.asking.take(entry, self.session.agent_id if own else self._voice(entry).name)
        if entry.run == root:
            self._own(self._voice(entry), entry)
            self._chart(self._voice(entry), entry)
        elif root and entry.run.startswith(f"{root}/"):
            voice = self._voice(entry)
            self._changed[voice.no] = voice
            self._others(voice, entry)
            self._chart(voice, entry)

    def _hear(self) -> None:
        if not self._heard:
            return
        said, self._heard = self._heard, []
        first, last = said[0], said[-1]
        self._voice(first).hear(last.offset, tokens=len(said), since=first.offset)
        self._tail += "".join([each.event.text for each in said])  # type: ignore[union-attr]

    def news(self) -> dict[str, Any]:
        """Give what is different; None is for what is gone.

        Whoever sends it hides the keys in it, so none is cut, and what may be half of one waits.
        """
        self._hear()
        scrub = scrubber()
        cells, self._cells = self._cells, {}
        known = scrub.settled(self._tail)
        while known > PIECE:
            cut = min(scrub.beside(self._tail[:WINDOW], cut_of(self._tail)), known)
            cells[f"p{self._pieces}"] = self._tail[:cut]
            self._tail, self._pieces = self._tail[cut:], self._pieces + 1
            known -= cut
        for no, voice in self._changed.items():
            cells[f"c{no}"] = self._child(voice, scrub)
        self._changed.clear()
        plan = self._plans.get(self.session.session_id)
        return {
            **cells,
            **(plan.news() if plan else {}),
            **self.asking.news(),
            "tail": self._tail[:known],
            "now": self._now(),
        }

    def _voice(self, entry: Entry) -> Voice:
        voice = self._voices.get(entry.run)
        if voice is None:
            above, _, name = entry.run.rpartition("/")
            while above and above not in self._voices:
                above = above.rpartition("/")[0]  # that one has not spoken, and has no line
            depth = self._voices[above].depth + 1 if above else 0
            voice = self._voices[entry.run] = Voice(depth, name, len(self._voices) - 1)
        return voice

    def _own(self, voice: Voice, entry: Entry) -> None:
        match entry.event:
            case events.RunStarted(agent=agent, prompt=prompt):
                self._cells["head"] = Head(
                    agent=gist(agent),
                    asked=shortened(prompt, "session.prompt", ROOM.text),
                    began=entry.at.timestamp() * 1000,
                )
            case events.Asked():
                if self._tail and not self._tail.endswith("\n"):
                    self._tail += "\n"
            case events.StepEnded(step=step):
                self._add(step)
                self._clear()
            case events.RunEnded():
                label, text = ending(self.session)
                self._cells["end"] = End(label=label, text=text)
            case _:
                pass
        attend(voice, entry)

    def _others(self, voice: Voice, entry: Entry) -> None:
        match entry.event:
            case events.Token(text=text):
                before = voice.said if voice.heard else ""  # what it said last stays until now
                voice.hear(entry.offset)
                voice.said = before + text
                if len(voice.said) > 2 * KEPT:
                    voice.said = recent(voice.said, scrubber())
            case events.RunStarted(agent=agent):
                voice.name, voice.driven = agent, True
            case events.StepEnded():
                voice.steps += 1
            case events.RunEnded() as end:
                voice.end, voice.said = end, end.answer or end.error or ""
            case _:
                pass
        attend(voice, entry)

    def _chart(self, voice: Voice, entry: Entry) -> None:
        if isinstance(entry.event, events.Charted | events.Marked):
            plan = self._plans.setdefault(entry.run, Charting())
            voice.doing = plan.take(entry.event) or voice.doing

    def _add(self, step: ReActStep) -> None:
        total = len(self.session.steps)
        self._longest = max(self._longest, step.step_duration_ms)
        self._cells[f"s{total - 1}"] = row(total - 1, step)
        if total > 2 * ROOM.ends + 1:
            for hidden in range(self._hidden, total - ROOM.ends):
                self._cells[f"s{hidden}"] = None
            self._hidden = total - ROOM.ends

    def _clear(self) -> None:
        self._cells.update({f"p{piece}": None for piece in range(self._pieces)})
        self._tail, self._pieces, self._turn = "", 0, self._turn + 1

    def _child(self, voice: Voice, scrub: Scrubber) -> Child:
        if voice.end:
            hue, word = chip_of(voice.end.stop_reason)
        elif voice.busy:
            hue, word = "run", voice.doing
        else:
            hue, word = "", plural(voice.steps, "step") if voice.steps else "done"
        said = gist(voice.said, LINE) if voice.end else last_line(voice.said, scrub)
        name, word = gist(voice.name, 60), gist(word, 60)
        return Child(depth=voice.depth, name=name, hue=hue, word=word, said=said)

    def _now(self) -> Now:
        session, steps = self.session, len(self.session.steps)
        live = session.stop_reason == "running"
        hidden = steps > 2 * ROOM.ends + 1
        start, end = ROOM.ends, steps - ROOM.ends
        asks = self.asking.chip()
        hue, word = (asks or Chip("run", self._word())) if live else chip(session)
        return Now(
            live=live,
            hue=hue,
            word=word,
            figures=self._figures() if live else [each for each in facts(session) if each],
            steps=steps,
            gap=missing(session.steps, start, end, "session") if hidden else "",
            longest=self._longest,
            turn=self._turn,
            pieces=self._pieces,
            below=len(self._voices) - 1,
        )

    def _word(self) -> str:
        mine = self._voices.get(self.session.session_id)
        busy = sum(voice.busy for voice in self._voices.values() if voice is not mine)
        doing = mine.doing if mine else "waiting"
        if busy and not (mine and mine.speaking):
            doing = f"{plural(busy, 'run')} below at work"
        return f"step {count(len(self.session.steps) + 1)} · {doing}" if mine else doing

    def _figures(self) -> list[str]:
        mine = self._voices.get(self.session.session_id)
        ours = [each for each in self._voices.values() if each is mine or not each.driven]
        heard = sum(voice.heard for voice in ours if voice.speaking)
        total = self.session.tokens_out + heard
        pace = sum(voice.pace for voice in ours if voice.speaking) or (mine.pace if mine else 0.0)
        about = "≈ " if heard or self.session.tokens_estimated else ""
        return [
            *([f"{about}{plural(total, 'token')}"] if total else []),
            *([f"{count(pace)} tokens/s"] if pace else []),
        ]


def cut_of(text: str) -> int:
    """Tell where a piece of ``text`` ends: with a line, so that no header is cut, or a word."""
    return text.rfind("\n", 0, PIECE) + 1 or text.rfind(" ", 0, PIECE) + 1 or PIECE


def last_line(said: str, scrub: Scrubber) -> str:
    """Give the last letters of what is being said, on one line."""
    return " ".join(scrub(said[: scrub.settled(said)]).split())[-LINE:]


def recent(said: str, scrub: Scrubber) -> str:
    """Give the end of what is being said, without the secrets in it that are whole."""
    known = scrub.settled(said)
    return scrub(said[:known])[-KEPT:] + said[known:]


def attend(voice: Voice, entry: Entry) -> None:
    """Note what a run is doing now, in words."""
    match entry.event:
        case events.Asked():
            voice.speaking, voice.heard, voice.doing = True, 0, "thinking"
        case events.Answered():
            voice.speaking = False
        case events.Action(tool=tool) if tool:
            voice.doing = f"wants {gist(tool, 40)}"
        case events.AwaitingApproval(tool=tool):
            voice.asking, voice.doing = voice.asking + 1, f"asks for {gist(tool, 40)}"
        case events.Reviewed():
            voice.asking -= 1
        case events.ToolStarted(tool=tool):
            voice.doing = f"calling {gist(tool, 40)}"
        case events.ToolEnded():
            voice.doing = "reading what came back"
        case events.Phase(name=name):
            voice.doing = gist(name, 40)
        case events.StepEnded() | events.RunEnded():
            voice.speaking, voice.doing = False, "going on"
        case _:
            pass


def row(index: int, step: ReActStep, path: str = "session", limit: int = ROOM.text) -> Step:
    """Give a step as the page needs it, in the words of the static card."""
    name, did, came = told(step)
    return Step(
        tool=name,
        did=did,
        came=came,
        bad=failed(step),
        ms=step.step_duration_ms,
        took=seconds(step.step_duration_ms),
        texts=[
            Words(hue=hue, name=name, text=text, path=path)
            for hue, name, text, path in texts(step, f"{path}.steps[{index}]", limit)
        ],
    )
