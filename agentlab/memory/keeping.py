"""A long-term memory as it lies in a store."""

from __future__ import annotations

from typing import Any

import msgspec

from agentlab.core.errors import InvalidValue, NewerFormat, PersistenceError
from agentlab.memory.forgetting import LtmConfig, LtmEntry, moment_of
from agentlab.memory.given import a_share, a_text

FORMAT = 1


class Start(msgspec.Struct, frozen=True):
    """As much of it as every format has."""

    format: int


class Kept(msgspec.Struct, frozen=True):
    """All of it, in plain JSON."""

    format: int
    config: dict[str, Any]
    next_id: int
    decayed_at: float
    entries: tuple[LtmEntry, ...] = ()

    def checked(self) -> Kept:
        """Give it back, if it can be one.

        Raises
        ------
        InvalidValue
            It cannot.
        """
        LtmConfig(**self.config)
        ids = {entry.id for entry in self.entries}
        if len(ids) < len(self.entries) or not all(0 < id_ < self.next_id for id_ in ids):
            raise InvalidValue(f"ids must be unique and below {self.next_id}, got {sorted(ids)}")
        for entry in self.entries:
            a_share("importance", entry.importance)
            a_share("decayed_importance", entry.decayed_importance)
            for seconds in (entry.created_at, entry.last_accessed, self.decayed_at):
                moment_of(seconds)
        return self


def key_of(name: str) -> str:
    """Name the key of a memory in a store."""
    return f"ltm:{a_text('name', name)}"


def opened(data: bytes, name: str) -> Kept:
    """Read a stored memory.

    Raises
    ------
    PersistenceError
        It is none, or of a newer agentlab.
    """
    try:
        found = msgspec.json.decode(data, type=Start).format
        if found > FORMAT:
            raise NewerFormat(
                f"{key_of(name)!r} has format {found}, newer than {FORMAT}: update agentlab"
            )
        return msgspec.json.decode(data, type=Kept).checked()
    except (ValueError, TypeError, RecursionError, OverflowError, OSError) as error:
        raise PersistenceError(f"{key_of(name)!r} holds no long-term memory: {error}") from None
