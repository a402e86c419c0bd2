"""What a model was asked, word for word, and what tools were: put together from what was said.

``Asked`` tells a question by how it differs from the one before, so that a run of n steps takes
room for n steps and not for n². Here it is read back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from agentlab.core.doors import Displayable
from agentlab.core.errors import ErrorKind
from agentlab.core.events import Answered, Asked, Entry, ToolEnded, ToolStarted
from agentlab.core.portable import Portable
from agentlab.core.protocols import Usage


class ModelCall(Displayable, Portable, msgspec.Struct, frozen=True):
    """A question to a model, whole, and what came back.

    Attributes
    ----------
    run, call_id : str, int
        Whose it is, and the how-manieth call of that run.
    system, prompt, options : str, str, dict
        What was sent. Keys are ``***`` where it was read from a file.
    kept, trimmed : int
        ``prompt[:kept]`` is from the question before it, of which ``trimmed`` letters were left
        out at ``head``; ``prompt[kept:]`` is new.
    lost : str
        Why the question cannot be put together, where that is so: ``prompt`` is then what was
        added to a question that is not known.
    answer, usage : str or None, Usage or None
        What came back, as far as it did, and what it cost; an answer that broke off has no usage.
    began, ms : float, float or None
        When it was asked, in seconds from the start, and how long the answer took.
    """

    run: str
    call_id: int
    system: str
    prompt: str
    options: dict[str, Any]
    kept: int = 0
    head: int = 0
    trimmed: int = 0
    lost: str = ""
    answer: str | None = None
    usage: Usage | None = None
    began: float = 0.0
    ms: float | None = None

    @property
    def added(self) -> str:
        """What is new in the prompt."""
        return self.prompt[self.kept :]


class ToolUse(Displayable, Portable, msgspec.Struct, frozen=True):
    """A tool that was called, and what came back; ``ok`` is None until it has.

    Where a reviewer ``edited`` the arguments, ``wanted`` is what they were before.
    """

    run: str
    call_id: int
    tool: str
    args: Any = None
    allowed: bool = True
    ok: bool | None = None
    data: Any = None
    error: str | None = None
    error_kind: ErrorKind | None = None
    began: float = 0.0
    ms: float | None = None
    edited: bool = False
    wanted: Any = None


class Question(NamedTuple):
    """What was asked; the next one is told by how it differs."""

    call_id: int = 0
    system: str = ""
    options: dict[str, Any] = {}  # noqa: RUF012 - nobody changes it
    prompt: str = ""
    kept: int = 0
    head: int = 0
    trimmed: int = 0
    lost: str = ""


NOTHING = Question()


def after(before: Question, asked: Asked) -> Question:
    """Give the question that ``asked`` tells, where ``before`` was the last of its run."""
    base = NOTHING if asked.extends is None else before
    lost = base.lost
    if asked.extends is not None and asked.extends != base.call_id:
        base, lost = NOTHING, f"the question it goes on from, call {asked.extends}, is not here"
    elif not 0 <= asked.head <= asked.cut <= len(base.prompt) and not lost:
        lost = "the question it goes on from is not here as it was sent"
    start = "" if lost else base.prompt[: asked.head] + base.prompt[asked.cut :]
    return Question(
        asked.call_id,
        base.system if asked.system is None else asked.system,
        base.options if asked.options is None else asked.options,
        start + asked.added,
        len(start),
        0 if lost else asked.head,
        0 if lost else asked.cut - asked.head,
        lost,
    )


class Questions:
    """The questions of one run, any of which is put together without starting over each time."""

    EVERY = 32

    def __init__(self) -> None:
        self._asked: list[Asked] = []
        self._known: list[Question] = [NOTHING]  # before every so-manieth of them

    def __len__(self) -> int:
        return len(self._asked)

    def add(self, asked: Asked) -> None:
        """Take one more."""
        self._asked.append(asked)

    def at(self, index: int) -> Question:
        """Give one of them, whole, counted from 0."""
        start = min(index // self.EVERY, len(self._known) - 1)
        question = self._known[start]
        for place in range(start * self.EVERY, index + 1):
            if place % self.EVERY == 0 and place // self.EVERY == len(self._known):
                self._known.append(question)
            question = after(question, self._asked[place])
        return question


def call_of(run: str, question: Question, began: float = 0.0) -> ModelCall:
    """Give a call that has no answer yet."""
    return ModelCall(run=run, began=began, **question._asdict())


def model_calls(entries: Iterable[Entry]) -> Iterator[ModelCall]:
    """Give each question to a model, whole, with its answer, in the order they were asked.

    All of them at once take room for all prompts, which may be much.
    """
    told = list(entries)
    answers = _answers(told)
    last: dict[str, Question] = {}
    for place, entry in enumerate(told):
        if not isinstance(entry.event, Asked):
            continue
        question = last[entry.run] = after(last.get(entry.run, NOTHING), entry.event)
        call = call_of(entry.run, question, entry.offset)
        yield answered(call, "", answers.get(place))


def answered(call: ModelCall, said: str, end: Entry | None) -> ModelCall:
    """Give a call with what was said, and once it is over with what it cost."""
    over = end.event if end else None
    if not (end and isinstance(over, Answered)):
        return msgspec.structs.replace(call, answer=said or None)
    ms = (end.offset - call.began) * 1000
    return msgspec.structs.replace(call, answer=over.text, usage=over.usage, ms=ms)


def used(start: Entry, end: Entry | None = None) -> ToolUse:
    """Give a call of a tool, with what came back if it has."""
    event, over = start.event, end.event if end else None
    if not isinstance(event, ToolStarted):
        raise TypeError(f"not the start of a tool call: {event!r}")
    use = ToolUse(
        start.run, event.call_id, event.tool, event.args, event.allowed, began=start.offset,
        edited=event.edited, wanted=event.wanted,
    )  # fmt: skip
    if not isinstance(over, ToolEnded):
        return use
    return msgspec.structs.replace(
        use,
        ok=over.ok, data=over.data, error=over.error, error_kind=over.error_kind, ms=over.ms,
    )  # fmt: skip


def _answers(entries: list[Entry]) -> dict[int, Entry]:
    """Find the answer to each question, by where the question is."""
    waiting: dict[tuple[str, int], int] = {}
    found: dict[int, Entry] = {}
    for place, entry in enumerate(entries):
        event = entry.event
        if isinstance(event, Asked):
            waiting[entry.run, event.call_id] = place
        elif isinstance(event, Answered):
            asked = waiting.pop((entry.run, event.call_id), None)
            if asked is not None:
                found[asked] = entry
    return found
