"""What the page of a :class:`TokenView` is told: tokens in pieces, and the steps they are of."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp
from typing import Any

from agentlab.core.events import Entry
from agentlab.core.secrets import MASK, Scrubber, scrubber
from agentlab.core.session import TAKEN
from agentlab.display.parts import Chip
from agentlab.display.sessions import chip
from agentlab.display.steps import failed, told
from agentlab.display.streams import NONE_KEPT, UNFINISHED, plain
from agentlab.display.tokens import (
    ACTION,
    KINDS,
    NO_TOKENS,
    Placed,
    figures,
    logprob,
    percent,
    secrets,
    sections,
    spelled,
    visible,
)
from agentlab.display.words import count, gist, number, plural, seconds, shortened, text_of
from agentlab.strategies.streaming_session import (
    HeardToken,
    HeardTokens,
    Listener,
    StreamingSession,
    StreamingStep,
)
from agentlab.widgets.messages import Heard, Spoken, Title, Tokens
from agentlab.widgets.story import Voice, attend

LOT = 1000  # tokens that leave at once
BESIDE = 200  # that are looked at before and after them, for a key may be several tokens
MOST_OTHERS = 8  # alternatives of a token
LONGEST = 2000  # letters of a token
UNKNOWN = 1.0  # no log-probability is positive
NONE_YET = "No token yet."
GOING_ON = "going on"


@dataclass(slots=True)
class Part:
    """The tokens of a step, as far as the page has them, and the sections they are in."""

    step: int
    first: int
    end: int
    starts: list[int] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)


class Hearing:
    """Give the cells of tokens that were heard, or of those that come; none of it is said twice.

    Parameters
    ----------
    subject : StreamingSession or HeardTokens, optional
        What was heard; by default a run is listened to, by :meth:`take`.
    """

    def __init__(self, subject: StreamingSession | HeardTokens | None = None) -> None:
        whole = not isinstance(subject, HeardTokens)
        self.heard = subject if isinstance(subject, StreamingSession) else StreamingSession()
        if isinstance(subject, HeardTokens):
            self.heard.tokens = subject
        self._root = "heard.tokens" if whole else "tokens"
        self._whole = whole
        self._listener = Listener(self.heard) if subject is None else None
        self._voice = Voice(0, "", 0)
        self._parts: list[Part] = []
        self._dirty: set[int] = set()
        self._sent = self._pieces = self._done = 0
        self._known, self._sum = 0, 0.0
        self._last: list[str] = []

    @property
    def live(self) -> bool:
        """Tell whether more may come."""
        return self._listener is not None and self.heard.session.stop_reason == "running"

    @property
    def steps(self) -> int:
        """How many steps the page knows of."""
        return len(self._parts)

    def take(self, entry: Entry) -> None:
        """Take an entry of the run that is listened to."""
        session = self.heard.session
        if type(entry.event) in TAKEN:
            session.apply(entry)
        if not self._listener or entry.run != session.session_id:
            return
        before = len(self.heard.tokens)
        self._listener.take(entry)
        attend(self._voice, entry)
        if len(self.heard.tokens) > before:
            self._voice.hear(entry.offset)

    def news(self) -> dict[str, Any]:
        """Give what is different; what is there but did not fit yet is :meth:`more`."""
        scrub = scrubber()
        start, end = self._sent, min(self._ready(scrub), self._sent + LOT)
        cells: dict[str, Any] = {}
        if end > start:
            cells[f"t{self._pieces}"] = self._lot(start, end, scrub)
            self._pieces, self._sent = self._pieces + 1, end
            self._extend(start, end)
        self._dirty.update(
            i for i in range(len(self._parts)) if self._done <= self._parts[i].step < self._over
        )
        self._done = self._over
        cells.update({f"s{i}": self._spoken(self._parts[i]) for i in self._dirty})
        self._dirty.clear()
        return {**cells, "title": self._title(), "now": self._now()}

    def more(self) -> bool:
        """Tell whether there is something to say at once."""
        return self._ready(scrubber()) > self._sent

    @property
    def _over(self) -> int:
        return len(self.heard.steps)

    def _ready(self, scrub: Scrubber) -> int:
        """Tell how many tokens can be shown: the last may be half a key, or bring only a usage."""
        tokens = self.heard.tokens
        if not self._listener or not self.live:
            return len(tokens)
        at = max(self._sent, self._listener.first)
        known = scrub.settled("".join(token.text for token in tokens[at:]))
        while at < len(tokens) and len(tokens[at].text) <= known:
            known -= len(tokens[at].text)
            at += 1
        return at - 1 if at > self._sent and at == len(tokens) and tokens[-1].says_nothing else at

    def _lot(self, start: int, end: int, scrub: Scrubber) -> Tokens:
        tokens = self.heard.tokens
        near = range(max(0, start - BESIDE), min(len(tokens), end + BESIDE))
        secret = secrets([text_of(tokens[i].text) for i in near], scrub)
        lot = Tokens(texts=[], logs=[], others=[], likely=[], told=[])
        for i in range(start, end):
            token, value = tokens[i], logprob(tokens[i])
            hidden = i - near.start in secret
            top = {} if hidden else token.top or {}
            others = alternatives(token, top)
            lot["texts"].append(MASK if hidden else visible(token.text, LONGEST))
            lot["logs"].append(UNKNOWN if value is None else round(value, 3))
            lot["others"].append([text for text, _ in others])
            lot["likely"].append([round(likely, 3) for _, likely in others])
            lot["told"].append(bool(top))
            if value is not None:
                self._known, self._sum = self._known + 1, self._sum + value
        return lot

    def _extend(self, start: int, end: int) -> None:
        """Put tokens into the parts they belong to."""
        at = start
        while at < end:
            step = self.heard.tokens[at].step
            stop = at + 1
            while stop < end and self.heard.tokens[stop].step == step:
                stop += 1
            if not self._parts or self._parts[-1].step != step:
                self._parts.append(Part(step, at, at))
            self._within(self._parts[-1], stop)
            self._dirty.add(len(self._parts) - 1)
            at = stop

    def _within(self, part: Part, stop: int) -> None:
        """Find where sections begin; a header, and so a colon, may be what was in doubt."""
        tokens, seen, part.end = self.heard.tokens, part.end, stop
        if part.starts and not any(sign in tokens[i].text for i in range(seen, stop)
                                   for sign in ":\uff1a"):  # fmt: skip
            return
        since = part.starts.pop() if part.starts else part.first
        kept = part.kinds.pop() if part.kinds else ""
        found = sections([Placed(tokens[i], self._root, i) for i in range(since, stop)])
        for kind, some in found:
            part.starts.append(some[0].at)
            part.kinds.append(kind or kept if some[0].at == since else kind)

    def _spoken(self, part: Part) -> Spoken:
        steps = self.heard.steps
        step = steps[part.step] if 0 <= part.step < len(steps) else None
        did, came, bad = done(step) if step else (self._unfinished, "", False)
        average = step.mean_logprob() if step else None
        sure = -1.0 if average is None else exp(min(number(average), 0.0))
        looks = [KINDS.get(kind, ACTION) for kind in part.kinds]
        return Spoken(
            no=part.step + 1,
            first=part.first,
            did=did,
            came=came,
            bad=bad,
            sure=sure,
            right="" if average is None else percent(min(number(average), 0.0)),
            path=f"heard.steps[{part.step}]" if step else "",
            starts=list(part.starts),
            hues=[hue for hue, _ in looks],
            names=[name for _, name in looks],
        )

    @property
    def _unfinished(self) -> str:
        """Say what a step is that is not over."""
        return GOING_ON if self.live else UNFINISHED if self._whole else ""

    def _now(self) -> Heard:
        session = self.heard.session
        none = NONE_YET if self.live else NONE_KEPT if self.heard.steps else NO_TOKENS
        return Heard(
            live=self.live,
            asked=shortened(session.prompt, "session.prompt") if self._listener else "",
            pieces=self._pieces,
            steps=self.steps,
            root=self._root,
            empty="" if self._sent else none.replace("`", ""),
        )

    def _title(self) -> Title:
        session = self.heard.session
        name = gist(session.agent_id, 60) if self._whole else "how sure the model was"
        hue, word = chip(session) if self._whole else Chip("", "")
        if self.live:
            hue, word = "run", f"step {count(self._over + 1)} · {self._voice.doing}"
        return Title(
            kind="tokens",
            name=name or "unnamed",
            path=self._root,
            hue=hue,
            word=word,
            figures=[each for each in self._figures() if each],
        )

    def _figures(self) -> list[str]:
        if not self.live:
            self._last = self._last or self._at_rest()
            return self._last
        pace = self._voice.pace
        return [
            plural(self._sent, "token"),
            f"{percent(self._sum / self._known)} a token" if self._known else "",
            f"{count(pace)} tokens/s" if pace else "",
        ]

    def _at_rest(self) -> list[str]:
        took = self.heard.session.duration_ms
        steps = plural(self._over, "step") if self._whole else ""
        return [steps, *figures(self.heard.tokens), seconds(took) if took else ""]


def done(step: StreamingStep) -> tuple[str, str, bool]:
    """Say what was done, what came back, and whether that is an error."""
    as_said = plain(step)
    _, did, came = told(as_said)
    return did, came, failed(plain(step, tool=step.tool))


def alternatives(token: HeardToken, top: dict[str, float]) -> list[tuple[str, float]]:
    """List what the model might have said instead, the likeliest first."""
    found = [(text, min(number(value), 0.0)) for text, value in top.items() if text != token.text]
    found.sort(key=lambda each: -each[1])
    return [(spelled(text, 30), value) for text, value in found[:MOST_OTHERS]]
