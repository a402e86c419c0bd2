"""Prompts, followed by what each question adds: their digests, and their form without keys.

``Asked`` tells a prompt by how it differs from the one before, so that a session of n steps takes
room for n steps and not for n². Whoever listens keeps the last prompt of each run and no more.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from agentlab.core.events import Answered, Asked, Entry, Event, Token
from agentlab.core.lines import recorder
from agentlab.core.secrets import MASK, Scrubber
from agentlab.core.text import edit

REACH = 512  # characters before an addition in which a key may begin


class Prompt(NamedTuple):
    """The last prompt of a run as it was sent, and what stands for it in a file."""

    sent: str = ""
    shown: Any = ""


class Digests:
    """Names each request of a run by a digest: equal requests, equal digests.

    It is the SHA-256 of two others in hex, that of the prompt and that of the canonical JSON of
    ``[system, options]``, where ``options`` includes ``stop``; keys count as ``***``, as they do
    in the answers that a resumed run is given. The model is left out, for ``Asked`` does not name
    it. A prompt that grows is hashed by what it grows by; one that was trimmed, anew.
    """

    def __init__(self) -> None:
        self._prompts: dict[str, Prompt] = {}
        self._others: dict[str, tuple[str, Any, str]] = {}

    def of(self, run: str, asked: Asked, scrub: Scrubber) -> str:
        """Give the digest of a question of ``run``, whose questions all come by here."""
        base, digest = self._prompts.get(run, Prompt()) if asked.extends else Prompt()
        sent = base[: asked.head] + base[asked.cut :] + asked.added
        if digest and asked.head == len(base):
            digest = digest.copy()
            digest.update(scrub(asked.added).encode())
        else:
            digest = hashlib.sha256(scrub(sent).encode())
        self._prompts[run] = Prompt(sent, digest)
        system, options, others = self._others.get(run, ("", {}, ""))
        if not (others and asked.system is None and asked.options is None):
            system = system if asked.system is None else asked.system
            options = options if asked.options is None else asked.options
            others = digest_of([system, options], scrub)
            self._others[run] = system, options, others
        return hashlib.sha256((digest.hexdigest() + others).encode()).hexdigest()


def digest_of(value: object, scrub: Scrubber) -> str:
    """Give the SHA-256 of a value's canonical JSON, its keys as ``***``."""
    return hashlib.sha256(recorder(scrub)(value)).hexdigest()


class Masks:
    """Takes out the keys that lie across entries, which no entry shows by itself.

    A question whose prompt has a key is told anew, by how its masked prompt differs from the
    masked one before it, so that a reader puts together what was sent but for the keys. The
    pieces of an answer with a key across them become one piece.
    """

    def __init__(self) -> None:
        self._prompts: dict[str, Prompt] = {}
        self._heard: dict[tuple[str, int], str] = {}

    def over(self, entries: Sequence[Entry], scrub: Scrubber) -> list[Entry]:
        """Give the entries as they may be written, each still to be scrubbed by itself."""
        pieces: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
        shown = list(entries)
        for place, entry in enumerate(entries):
            if isinstance(entry.event, Asked):
                shown[place] = told(entry, self._asked(entry.run, entry.event, scrub))
            elif isinstance(entry.event, Token):
                pieces[entry.run, entry.event.call_id].append(place)
        for call, places in pieces.items():
            self._pieces(call, places, shown, scrub)
        for entry in entries:
            if isinstance(entry.event, Answered):
                self._heard.pop((entry.run, entry.event.call_id), None)
        return shown

    def forget(self, run: str) -> None:
        """Let go of a run that is over, and of those below it."""
        for name in [name for name in self._prompts if f"{name}/".startswith(f"{run}/")]:
            del self._prompts[name]
        for call in [call for call in self._heard if f"{call[0]}/".startswith(f"{run}/")]:
            del self._heard[call]

    def _asked(self, run: str, asked: Asked, scrub: Scrubber) -> Asked:
        base, masked = self._prompts.get(run, Prompt()) if asked.extends else Prompt()
        sent = base[: asked.head] + base[asked.cut :] + asked.added
        if masked is base:  # so far there was none
            near = sent[max(0, len(sent) - len(asked.added) - REACH) :]
            if scrub(near) == near:
                self._prompts[run] = Prompt(sent, sent)
                return asked
        shown = scrub(sent)
        self._prompts[run] = Prompt(sent, shown)
        head, rest, added = edit(masked, shown)
        return msgspec.structs.replace(asked, head=head, cut=rest, added=added)

    def _pieces(
        self, call: tuple[str, int], places: list[int], shown: list[Entry], scrub: Scrubber
    ) -> None:
        texts = [getattr(shown[place].event, "text", "") for place in places]
        before, now = self._heard.get(call, ""), "".join(texts)
        self._heard[call] = (before + now)[-REACH:]
        whole = scrub(now)
        if whole == now and scrub(before + now) != scrub(before) + now:
            whole = MASK  # its beginning is written already; the answer will tell the rest
        if whole != now:
            for place in places:
                shown[place] = told(shown[place], Token(call[1], whole))
                whole = ""


def told(entry: Entry, event: Event) -> Entry:
    """Give ``entry`` with another event in it."""
    return entry if event is entry.event else msgspec.structs.replace(entry, event=event)
