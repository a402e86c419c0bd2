"""Turns of a conversation: what both compressors take."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec.structs import force_setattr

from agentlab.core.bounds import count_of
from agentlab.core.doors import Displayable
from agentlab.core.errors import InvalidValue
from agentlab.core.portable import Portable
from agentlab.core.protocols import TokenEstimator
from agentlab.core.text import estimate_tokens
from agentlab.memory.given import a_number, a_text, aware, texts


class Role(StrEnum):
    """Who speaks."""

    System = "system"
    User = "user"
    Assistant = "assistant"
    Tool = "tool"


class MemoryTurn(Portable, Displayable, msgspec.Struct, frozen=True):
    """What somebody said, and when.

    >>> from datetime import UTC, datetime
    >>> MemoryTurn("t1", "user", "Hello", datetime(2030, 1, 1, tzinfo=UTC)).role
    <Role.User: 'user'>

    Attributes
    ----------
    id : str
        What it is called.
    role : Role
        Who said it; given as a :class:`Role` or as its text.
    content : str
        What was said.
    timestamp : datetime
        When, with a time zone; kept in UTC.
    importance_score : float
        How much it matters.
    token_count : int
        How many tokens it takes; 0 is to be estimated.
    tags : tuple of str
        What it is about.

    Raises
    ------
    InvalidValue
        A value that can never be right.
    """

    id: str
    role: str
    content: str
    timestamp: datetime
    importance_score: float = 0.0
    token_count: int = 0
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, value in (
            ("id", a_text("id", self.id)),
            ("role", a_role(self.role)),
            ("content", a_text("content", self.content)),
            ("timestamp", aware("timestamp", self.timestamp)),
            ("importance_score", a_number("importance_score", self.importance_score)),
            ("token_count", count_of("token_count", self.token_count)),
            ("tags", texts("tags", self.tags)),
        ):
            force_setattr(self, name, value)


def a_role(value: str) -> Role:
    """Give the role that ``value`` names."""
    try:
        return Role(value)
    except ValueError:
        known = ", ".join(Role)
        raise InvalidValue(f"role must be one of {known}, got {value!r:.80}") from None


def in_time(turns: Iterable[MemoryTurn]) -> list[MemoryTurn]:
    """Give turns by their time; of the same moment, in the order they came."""
    found = list(turns)
    for turn in found:
        if not isinstance(turn, MemoryTurn):
            raise InvalidValue(f"turns must be MemoryTurns, got {turn!r:.80}")
    return sorted(found, key=lambda turn: turn.timestamp)


def roles_of(turns: Iterable[MemoryTurn]) -> str:
    """Name who speaks in them, sorted."""
    return ", ".join(sorted({turn.role for turn in turns}))


class Quarter:
    """Counts a token for every four bytes."""

    def count_tokens(self, text: str, /) -> int:
        """Guess how many tokens ``text`` is."""
        return estimate_tokens(text)


QUARTER: TokenEstimator = Quarter()
