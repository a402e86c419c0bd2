"""What is left of a run, token by token. A reader of the trace, like every other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, SupportsIndex, overload

import msgspec

from agentlab.core import events
from agentlab.core.doors import Displayable, Explorable, Tabular
from agentlab.core.errors import InvalidValue
from agentlab.core.events import Entry, ReActStep
from agentlab.core.portable import Portable
from agentlab.core.session import AgentSession
from agentlab.core.trace import Trace
from agentlab.strategies.extent import FINAL


class HeardToken(Displayable, Portable, msgspec.Struct, frozen=True):
    """A token: of which step, the how-manieth of it, how likely, and when (s since the start)."""

    step: int
    index: int
    text: str
    logprob: float | None = None
    top: dict[str, float] | None = None
    offset: float = 0.0

    @property
    def says_nothing(self) -> bool:
        """Whether there is neither a text in it nor how likely that was."""
        return not self.text and self.logprob is None


class HeardTokens(Tabular, Explorable, list[HeardToken]):
    """A list of tokens that shows how sure the model was of each; part of it is one, too."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<HeardTokens {len(self)} token{'s' * (len(self) != 1)}>"

    @overload
    def __getitem__(self, at: SupportsIndex) -> HeardToken: ...
    @overload
    def __getitem__(self, at: slice) -> HeardTokens: ...
    def __getitem__(self, at: SupportsIndex | slice) -> HeardToken | HeardTokens:
        found = super().__getitem__(at)
        return HeardTokens(found) if isinstance(found, list) else found


class StreamingStep(Displayable, Portable, msgspec.Struct, frozen=True):
    """One turn of a loop, and the tokens it took.

    Tokens without a log-probability count as nothing in ``logprob_sum``, and not at all in the
    mean; ``logprob_count`` have one.
    """

    thought: str
    action: str
    observation: str = ""
    token_count: int = 0
    logprob_sum: float = 0.0
    logprob_count: int = 0
    tool: str | None = None
    error_kind: str | None = None
    step_duration_ms: int = 0

    def is_final_answer(self) -> bool:
        """Tell whether its action is an answer."""
        if self.tool is None and self.error_kind is None and self.action:
            return self.observation == self.action or bool(FINAL.match(self.action))
        return False

    def mean_logprob(self) -> float | None:
        """Give the mean of the log-probabilities there are."""
        return self.logprob_sum / self.logprob_count if self.logprob_count else None

    @classmethod
    def of(cls, step: ReActStep, tokens: Sequence[HeardToken]) -> StreamingStep:
        """Give a step with its tokens counted."""
        known = [token.logprob for token in tokens if token.logprob is not None]
        return cls(
            step.thought,
            step.action,
            step.observation,
            len(tokens),
            sum(known),
            len(known),
            step.tool,
            step.error_kind,
            step.step_duration_ms,
        )


@dataclass
class StreamingSession(Tabular, Explorable):
    """A session with its tokens. It can be read off the trace of any run, streamed or not.

    Attributes
    ----------
    session : AgentSession
        The run: how it ended, its warnings, its ``trace``.
    steps : list of StreamingStep
        Its steps, each with its tokens counted.
    tokens : HeardTokens
        All that was heard, also of a step that was never completed; a list, a row each in the
        frame.
    """

    session: AgentSession = field(default_factory=AgentSession)
    steps: list[StreamingStep] = field(default_factory=list)
    tokens: HeardTokens = field(default_factory=HeardTokens)

    def __repr__(self) -> str:
        steps = f"{len(self.steps)} step{'s' * (len(self.steps) != 1)}"
        tokens = f"{len(self.tokens)} token{'s' * (len(self.tokens) != 1)}"
        return f"<StreamingSession {self.session.stop_reason}, {steps}, {tokens}>"

    def __len__(self) -> int:
        return len(self.steps)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[StreamingStep]:
        return iter(self.steps)

    @classmethod
    def of(cls, session: AgentSession) -> StreamingSession:
        """Read the tokens of a session that still has its trace.

        Raises
        ------
        InvalidValue
            It has none: it was copied, or read from somewhere.
        """
        if session.trace is None:
            raise InvalidValue(f"{session!r} has no trace, and so no tokens: load its journal")
        heard = cls.from_trace(session.trace.entries, run=session.session_id)
        heard.session = session
        return heard

    @classmethod
    def from_trace(cls, entries: Iterable[Entry], *, run: str = "") -> StreamingSession:
        """Fold the entries of ``run``, by default the first to start; it equals the live one."""
        entries = tuple(entries)  # a run may be writing
        session = AgentSession.from_trace(entries, run=run)
        listener = Listener(cls(session))
        for entry in entries:
            listener.take(entry)
        return listener.heard

    @property
    def trace(self) -> Trace | None:
        """All that was said, where this session was run, and not copied or read from somewhere."""
        return self.session.trace

    @property
    def total_tokens(self) -> int:
        """How many tokens were heard, also of a step that was never completed."""
        return len(self.tokens)

    @property
    def duration_ms(self) -> int:
        """How long it took."""
        return self.session.duration_ms

    @property
    def completed(self) -> bool:
        """Whether it ended in an answer."""
        return self.session.has_final_answer()

    @property
    def answer(self) -> str | None:
        """What came out."""
        return self.session.answer

    def is_completed(self) -> bool:
        """Tell whether it ended in an answer."""
        return self.completed

    def step_count(self) -> int:
        """Count the steps."""
        return len(self.steps)

    def total_token_count(self) -> int:
        """Count the tokens."""
        return self.total_tokens

    def final_answer(self) -> str | None:
        """Give the answer, if it ended in one."""
        return self.session.final_answer()

    def avg_tokens_per_step(self) -> float:
        """Give how many tokens a completed step took; 0 where there is none."""
        counts = [step.token_count for step in self.steps]
        return sum(counts) / len(counts) if counts else 0.0

    def all_thoughts(self) -> list[str]:
        """List the thoughts in order."""
        return [step.thought for step in self.steps]

    def all_actions(self) -> list[str]:
        """List the actions in order."""
        return [step.action for step in self.steps]

    def overall_mean_logprob(self) -> float | None:
        """Give the mean over all tokens that have a log-probability."""
        known = [token.logprob for token in self.tokens if token.logprob is not None]
        return sum(known) / len(known) if known else None

    def rows(self) -> list[HeardToken]:
        """List the tokens: the rows of its frame."""
        return list(self.tokens)

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain JSON."""
        return {
            "session": self.session.to_dict(),
            "steps": [step.to_dict() for step in self.steps],
            "tokens": [token.to_dict() for token in self.tokens],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> StreamingSession:
        """Read what :meth:`to_dict` gave; an equal session.

        Raises
        ------
        InvalidValue
            It is not the data of a session.
        """
        if not isinstance(data, Mapping) or "session" not in data:
            raise InvalidValue(f"not the data of a streaming session: {data!r:.200}")
        try:
            steps = msgspec.convert(data.get("steps", []), list[StreamingStep])
            tokens = msgspec.convert(data.get("tokens", []), list[HeardToken])
        except msgspec.ValidationError as error:
            raise InvalidValue(f"not the data of a streaming session: {error}") from None
        return cls(AgentSession.from_dict(data["session"]), steps, HeardTokens(tokens))


class Listener:
    """Takes the entries of the run that ``heard.session`` is, and keeps its tokens and steps.

    Attributes
    ----------
    heard : StreamingSession
        What was heard so far.
    first : int
        The first token of the step that is not over.
    """

    def __init__(self, heard: StreamingSession) -> None:
        self.heard = heard
        self.first = 0
        self._began = 0.0

    def take(self, entry: Entry) -> None:
        """Take one entry; those of other runs are not ours."""
        heard, tokens = self.heard, self.heard.tokens
        if entry.run != heard.session.session_id:
            return
        match entry.event:
            case events.RunStarted():
                self._began = entry.offset
            case events.Token(text=text, logprob=logprob, top=top):
                index, when = len(tokens) - self.first, entry.offset - self._began
                tokens.append(HeardToken(len(heard.steps), index, text, logprob, top, when))
            case events.Answered(usage=usage) if usage.source == "reported":
                if len(tokens) > self.first and tokens[-1].says_nothing:
                    tokens.pop()  # it only brought the usage
            case events.StepEnded(step=step):
                heard.steps.append(StreamingStep.of(step, tokens[self.first :]))
                self.first = len(tokens)
            case _:
                pass
