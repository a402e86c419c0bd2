"""What goes over a bus: messages, whom they are for, and what can go wrong with them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import ClassVar

import msgspec
from msgspec.structs import force_setattr, replace

from agentlab.core.clock import SYSTEM_CLOCK
from agentlab.core.doors import Displayable
from agentlab.core.errors import BusError, InvalidValue
from agentlab.core.ids import AgentId, MessageId, new_id
from agentlab.core.portable import Portable
from agentlab.core.text import clean


class BusClosed(BusError):
    """The bus is gone, and all that it had delivered was received."""

    form = "Bus channel closed"


class BusLagged(BusError):
    """Messages were lost, the oldest ones, because nobody received them in time.

    Parameters
    ----------
    count : int
        How many.
    """

    kind = "transient"
    form = "Bus receiver lagged by {0} message(s)"

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.count = count


class BusUnanswered(BusError):
    """Nobody replied in time."""

    kind = "transient"
    form = "no reply to message '{0}' within {1:g} s"

    def __init__(self, message: str, timeout_s: float) -> None:
        super().__init__(message, timeout_s)
        self.message, self.timeout_s = message, timeout_s


BusError.Closed = BusClosed  # type: ignore[attr-defined]  # its cases, as the reference names them
BusError.Lagged = BusLagged  # type: ignore[attr-defined]


class AgentTarget(Portable, Displayable, msgspec.Struct, frozen=True):
    """Whom a message is for: ``AgentTarget.Broadcast``, ``.Specific(id)`` or ``.Role(name)``.

    >>> [str(each) for each in (AgentTarget.Broadcast, AgentTarget.Role("executor"))]
    ['broadcast', 'role:executor']
    """

    Broadcast: ClassVar[ToAll]
    Specific: ClassVar[type[ToAgent]]
    Role: ClassVar[type[ToRole]]

    def reaches(self, agent: str, roles: Collection[str] = ()) -> bool:
        """Tell whether an agent in these roles is meant."""
        raise NotImplementedError


class ToAll(AgentTarget, frozen=True, tag="broadcast"):
    """Everybody."""

    def __repr__(self) -> str:
        return "AgentTarget.Broadcast"

    def __str__(self) -> str:
        return "broadcast"

    def __call__(self) -> ToAll:
        """Give itself, for those who write it like the others."""
        return self

    def reaches(self, agent: str, roles: Collection[str] = ()) -> bool:  # noqa: ARG002
        """Tell that everybody is meant."""
        return True


class ToAgent(AgentTarget, frozen=True, tag="agent"):
    """The agent of that id."""

    id: str

    def __post_init__(self) -> None:
        force_setattr(self, "id", str(AgentId(self.id)))

    def __repr__(self) -> str:
        return f"AgentTarget.Specific({self.id!r})"

    def __str__(self) -> str:
        return f"agent:{self.id}"

    def reaches(self, agent: str, roles: Collection[str] = ()) -> bool:  # noqa: ARG002
        """Tell whether this agent is meant."""
        return agent == self.id


class ToRole(AgentTarget, frozen=True, tag="role"):
    """Everybody in that role."""

    name: str

    def __post_init__(self) -> None:
        force_setattr(self, "name", role_of(self.name))

    def __repr__(self) -> str:
        return f"AgentTarget.Role({self.name!r})"

    def __str__(self) -> str:
        return f"role:{self.name}"

    def reaches(self, agent: str, roles: Collection[str] = ()) -> bool:  # noqa: ARG002
        """Tell whether somebody in one of these roles is meant."""
        return self.name in roles


AgentTarget.Broadcast = ToAll()
AgentTarget.Specific = ToAgent
AgentTarget.Role = ToRole


def role_of(name: object) -> str:
    """Give the name of a role.

    Raises
    ------
    InvalidValue
        It is none.
    """
    if not isinstance(name, str) or not name:
        raise InvalidValue(f"a role must be a name, got {name!r:.80}")
    return clean(name)


class Spoken(Portable, Displayable, msgspec.Struct, frozen=True):
    """Who says what to whom."""

    from_: str
    to: ToAll | ToAgent | ToRole
    content: str


class AgentMessage(Spoken, frozen=True, kw_only=True):
    """Something one agent says to others: ``AgentMessage(from_, to, content)``.

    >>> AgentMessage("executor", AgentTarget.Specific("planner"), "Done", id="m2").is_specific()
    True

    Parameters
    ----------
    from_ : str
        Who says it.
    to : AgentTarget
        Whom it is for.
    content : str
        What is said.
    reply_to : str, optional
        The id of the message it answers.
    id : str
        Its own; by default one nobody else has.
    timestamp : datetime
        When it was made; by default now.
    """

    reply_to: str | None = None
    id: str = msgspec.field(default_factory=new_id)
    timestamp: datetime = msgspec.field(default_factory=SYSTEM_CLOCK.now)

    def __post_init__(self) -> None:
        if not isinstance(self.to, AgentTarget):
            raise InvalidValue(
                f"a message is to AgentTarget.Broadcast, .Specific(id) or .Role(name), got"
                f" {self.to!r:.80}"
            )
        if not isinstance(self.content, str):
            raise InvalidValue(f"a message says a text, got {self.content!r:.80}")
        force_setattr(self, "from_", str(AgentId(self.from_)))
        force_setattr(self, "content", clean(self.content))
        force_setattr(self, "id", str(MessageId(self.id)))

    def with_reply_to(self, message_id: str) -> AgentMessage:
        """Give it as the answer to another message."""
        return replace(self, reply_to=str(MessageId(message_id)))

    def is_broadcast(self) -> bool:
        """Tell whether it is for everybody."""
        return isinstance(self.to, ToAll)

    def is_specific(self) -> bool:
        """Tell whether it is for one agent."""
        return isinstance(self.to, ToAgent)

    def is_role_targeted(self) -> bool:
        """Tell whether it is for a role."""
        return isinstance(self.to, ToRole)

    def is_reply(self) -> bool:
        """Tell whether it answers another."""
        return self.reply_to is not None


class BusRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """A message that was sent, and how many received it; a row of a bus's frame."""

    sender: str
    target: str
    content: str
    delivered: int
    reply_to: str | None
    id: str
    timestamp: datetime


class SubscriberRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """How a subscription stands: what waits for it, what it lost, what it received."""

    agent: str
    roles: tuple[str, ...]
    unread: int
    lost: int
    received: int


class BusStats(Portable, Displayable, msgspec.Struct, frozen=True):
    """The figures of a bus."""

    capacity: int
    subscribers: int
    roles: int
    total_sent: int
    send_errors: int
    lost: int
