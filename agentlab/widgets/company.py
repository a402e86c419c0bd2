"""What a page must know of agents that work together, whatever they do: a fold, without a screen.

All of them speak on one trace, each turn in a run of its own below the one that is shown. What is
being said is the end of it, so that a message is as large as there are agents, and no larger.
"""

from __future__ import annotations

from typing import Any

from agentlab.core import events
from agentlab.core.events import Entry
from agentlab.core.secrets import Scrubber, scrubber
from agentlab.core.session import TAKEN, AgentSession
from agentlab.display.parts import Chip
from agentlab.display.sessions import chip, ending
from agentlab.display.words import count, gist, plural, seconds, shortened
from agentlab.widgets.asking import TAKEN as ASKED
from agentlab.widgets.asking import Asking
from agentlab.widgets.company_messages import Going
from agentlab.widgets.messages import End, Title
from agentlab.widgets.story import KEPT, Voice, attend, recent

TEXT = 1000  # letters of what was said, once it is over
SPEECH = frozenset({events.Asked, events.Token, events.Answered})
TAIL = 480  # of what is being said: its last letters


class Company:
    """Take entries, and give the cells that differ since they were last asked for.

    ``title`` and ``going`` are the header line, ``end`` what came out in words.
    """

    kind = "run"

    def __init__(self) -> None:
        self.session, self.asking = AgentSession(), Asking()
        self.voices: dict[str, Voice] = {}  # by run; one of each turn
        self.cells: dict[str, Any] = {}
        self.changed: dict[str, Voice] = {}
        self.phase = self.detail = ""
        self._speakers: dict[str, str] = {}  # of a turn: which of the runs in it is heard
        self.at = 0.0  # seconds, of what was taken last
        self._since, self._heard = 0.0, 0

    def take(self, entry: Entry) -> None:
        """Take an entry of the run, or of one below it."""
        kind = type(entry.event)
        if kind in TAKEN:
            self.session.apply(entry)
        root = self.session.session_id
        if not root or not f"{entry.run}/".startswith(f"{root}/"):
            return
        self.at = entry.offset
        if entry.run == root:
            if kind in ASKED:
                self.asking.take(entry, self.session.agent_id)
            self._own(entry)
            self.led(entry.event)
            return
        run = "/".join(entry.run.split("/")[: root.count("/") + 2])
        voice = self.voices.get(run)
        if voice is None:
            name = run.rpartition("/")[2].rpartition("#")[0]
            voice = self.voices[run] = Voice(1, name, len(self.voices))
        if kind in ASKED:
            self.asking.take(entry, voice.name)
        if self._followed(run, voice, entry):
            hear(voice, entry, own=entry.run == run)
        self._heard += kind is events.Token
        self.changed[run] = voice
        self.turned(run, voice, entry)

    def led(self, event: Any) -> None:
        """Take what the run itself says."""

    def turned(self, run: str, voice: Voice, entry: Entry) -> None:
        """Take what is said in the turn ``run``, or below it."""

    def told(self, scrub: Scrubber) -> dict[str, Any]:
        """Give what is different, besides what all have in common."""
        raise NotImplementedError

    def stands(self) -> str:
        """Say what goes on, in a few words."""
        raise NotImplementedError

    def figures(self) -> list[str]:
        """List what there is to count."""
        raise NotImplementedError

    def closing(self) -> Chip:
        """Say how it ended."""
        return chip(self.session)

    def news(self) -> dict[str, Any]:
        """Give what is different; None is for what is gone.

        Whoever sends it hides the keys in it, so none is cut, and what may be half of one waits.
        """
        told = self.told(scrubber())
        self.changed.clear()
        cells, self.cells = self.cells, {}
        if not self.session.session_id:
            return {}
        live = self.session.stop_reason == "running"
        asks = self.asking.chip()
        hue, word = (asks or Chip("run", self.stands())) if live else self.closing()
        rest = self._pace() if live else [seconds(self.session.duration_ms)]
        title = Title(
            kind=self.kind,
            name=gist(self.session.prompt) or self.kind,
            path="session.prompt",
            hue=hue,
            word=gist(word, 80),
            figures=[each for each in (*self.figures(), *rest) if each],
        )
        going = Going(live=live, began=self._since)
        return {**cells, **told, **self.asking.news(), "title": title, "going": going}

    def busy(self) -> list[Voice]:
        """List the turns that go on."""
        return [voice for voice in self.voices.values() if voice.busy]

    def _followed(self, run: str, voice: Voice, entry: Entry) -> bool:
        """Tell whether to hear this: where several speak in one turn, it is one until it ends."""
        kind = type(entry.event)
        if kind not in SPEECH:
            return True
        speaker = self._speakers.get(run)
        if kind is events.Answered:
            if speaker == entry.run:
                del self._speakers[run]
            return speaker in (None, entry.run)
        if speaker is None:
            self._speakers[run] = entry.run
            voice.heard = 0
        return self._speakers[run] == entry.run

    def _own(self, entry: Entry) -> None:
        match entry.event:
            case events.RunStarted():
                self._since = entry.at.timestamp() * 1000
            case events.Phase(name=name, detail=detail):
                self.phase, self.detail = gist(name, 40), gist(detail, 60)
            case events.RunEnded():
                label, text = ending(self.session)
                self.cells["end"] = End(label=label, text=text)
            case _:
                pass

    def _pace(self) -> list[str]:
        pace = sum(voice.pace for voice in self.voices.values() if voice.speaking)
        return [
            f"≈ {plural(self._heard, 'token')}" if self._heard else "",
            f"{count(pace)} tokens/s" if pace else "",
        ]


def hear(voice: Voice, entry: Entry, *, own: bool) -> None:
    """Note what is said in a turn, and what it is about; its end is that of its ``own`` run."""
    match entry.event:
        case events.Token(text=text):
            before = voice.said if voice.heard else ""  # what it said last stays until now
            voice.hear(entry.offset)
            voice.said = before + text
            if len(voice.said) > 2 * KEPT:
                voice.said = recent(voice.said, scrubber())
        case events.RunStarted(agent=agent) if own:
            voice.name, voice.driven = agent, True
        case events.StepEnded() if own:
            voice.steps += 1
        case events.RunEnded() as end if own:
            voice.end, voice.said = end, end.answer or end.error or ""
        case events.RunEnded():
            return  # it goes on with another one
        case _:
            pass
    attend(voice, entry)


def tail(voice: Voice, scrub: Scrubber, letters: int = TAIL) -> str:
    """Give the end of what is being said."""
    said = scrub(voice.said[: scrub.settled(voice.said)])
    return said if len(said) <= letters else f"…{said[-letters:]}"


def said_of(voice: Voice, scrub: Scrubber, path: str) -> str:
    """Give what is said, or what was."""
    return shortened(voice.said, path, TEXT) if voice.end else tail(voice, scrub)
