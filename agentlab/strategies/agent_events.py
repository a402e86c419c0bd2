r"""What an agent says to whoever watches it from afar: five kinds of event, each a line of JSON.

>>> AgentEvent.Action("search", {"q": "rain"}).to_sse()
'data: {"type":"action","tool":"search","input":{"q":"rain"}}\n\n'
>>> AgentEvent.from_sse('data: {"type":"result","content":"42"}\n\n')
ResultEvent(content='42')
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from agentlab.core import events
from agentlab.core.doors import Displayable
from agentlab.core.errors import InvalidValue
from agentlab.core.portable import Portable
from agentlab.core.protocols import Observation
from agentlab.core.text import canonical, clean, compact
from agentlab.models.sse import SseParser

if TYPE_CHECKING:
    from typing import Self

# Line ends to `str.splitlines`, so that a reader built on it would cut them; JSON may escape them.
ODD_ENDS = {ord(each): f"\\u{ord(each):04x}" for each in "\x85\u2028\u2029"}


class AgentEvent(
    Portable,
    Displayable,
    msgspec.Struct,
    frozen=True,
    tag=lambda name: name.removesuffix("Event").lower(),
):
    """One of ``AgentEvent.Thought``, ``.Action``, ``.Observation``, ``.Result`` and ``.Error``."""

    Thought: ClassVar[type[ThoughtEvent]]
    Action: ClassVar[type[ActionEvent]]
    Observation: ClassVar[type[ObservationEvent]]
    Result: ClassVar[type[ResultEvent]]
    Error: ClassVar[type[ErrorEvent]]

    def is_terminal(self) -> bool:
        """Tell whether nothing follows it: a result, or an error."""
        return isinstance(self, ResultEvent | ErrorEvent)

    def to_json(self) -> str:
        """Give it as one line of JSON, whatever one calls a line."""
        return msgspec.json.encode(self).decode().translate(ODD_ENDS)

    def to_sse(self) -> str:
        """Give it as an event of an event stream."""
        return f"data: {self.to_json()}\n\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what :meth:`to_json` gave.

        Raises
        ------
        InvalidValue
            It is no such JSON.
        """
        try:
            return cls._as_asked(msgspec.json.decode(text, type=Any))
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise InvalidValue(
                f"not the JSON of an agent's event ({error}): {text!r:.200}"
            ) from None

    @classmethod
    def from_sse(cls, frame: str | bytes) -> Self:
        """Read what :meth:`to_sse` gave; comments beside it are passed over.

        Raises
        ------
        InvalidValue
            It is not one such event.
        """
        parser = SseParser()
        found = parser.feed(clean(frame).encode() if isinstance(frame, str) else frame)
        if len(found) != 1 or parser.close() is not None:
            raise InvalidValue(f"not one event of an event stream: {frame!r:.200}")
        return cls.from_json(found[0].data)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` gave.

        Raises
        ------
        InvalidValue
            It is not the data of such an event.
        """
        return cls._as_asked(data)

    @classmethod
    def _as_asked(cls, data: Any) -> Self:
        try:
            event = msgspec.convert(data, Kinds)
        except msgspec.ValidationError as error:
            raise InvalidValue(f"not the data of an agent's event: {error}") from None
        if not isinstance(event, cls):
            raise InvalidValue(f"not the data of a {cls.__name__}: {data!r:.200}")
        return event


class Saying(AgentEvent, frozen=True):
    """An event that is all text."""

    content: str

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "content", clean(self.content))


class ThoughtEvent(Saying, frozen=True):
    """What the agent thinks."""


class ObservationEvent(Saying, frozen=True):
    """What came of an action.

    Of a tool's call it is the whole envelope, though the model may read a part, or plain text.
    """


class ResultEvent(Saying, frozen=True):
    """The answer."""


class ErrorEvent(Saying, frozen=True):
    """Why there is no answer."""


class ActionEvent(AgentEvent, frozen=True):
    """What the agent does: the tool, and what it is given, as JSON."""

    tool: str
    input: Any = None

    def __post_init__(self) -> None:
        plain = canonical(self.input)
        try:
            compact(plain)
        except ValueError as error:  # a number of thousands of digits
            raise InvalidValue(f"the input of {self.tool!r} is not JSON: {error}") from None
        msgspec.structs.force_setattr(self, "tool", clean(self.tool))
        msgspec.structs.force_setattr(self, "input", plain)


AgentEvent.Thought = ThoughtEvent
AgentEvent.Action = ActionEvent
AgentEvent.Observation = ObservationEvent
AgentEvent.Result = ResultEvent
AgentEvent.Error = ErrorEvent

Kinds = ThoughtEvent | ActionEvent | ObservationEvent | ResultEvent | ErrorEvent


def agent_event(fact: events.Event) -> AgentEvent | None:  # noqa: PLR0911 - one a kind
    """Give what ``fact`` of a trace is to whoever watches, None where that is nothing.

    A turn that called no tool is an observation too, if there is one: of a response that could
    not be read, of a step of a plan.
    """
    match fact:
        case events.Thought(text) if text:
            return ThoughtEvent(text)
        case events.Action(text, tool, args) if tool is not None:
            try:
                return ActionEvent(tool, args)
            except InvalidValue:  # a model may nest them as deep as it likes
                return ActionEvent(tool, text)
        case events.ToolEnded(ok=ok, data=data, error=error, error_kind=kind):
            return ObservationEvent(_words(Observation(ok, data, error, kind)))
        case events.StepEnded(step) if step.tool is None:
            seen = step.observation
            return ObservationEvent(seen) if seen and seen != step.action else None
        case events.RunEnded("final_answer", answer):
            return ResultEvent(answer or "")
        case events.RunEnded(reason, _, error):
            return ErrorEvent(error or reason)
    return None


def _words(seen: Observation) -> str:
    """Give what the model reads; where that cannot be written, the run is about to fail of it."""
    try:
        return seen.text
    except ValueError as error:
        return Observation.failed(error).text
