"""A long-term memory as it is written."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec

from agentlab.core.errors import InvalidValue
from agentlab.memory.forgetting import LtmConfig, LtmEntry, moment_of
from agentlab.memory.given import a_share, a_text


class LtmState(msgspec.Struct, frozen=True):
    """All of it, in plain JSON."""

    config: dict[str, Any]
    next_id: int
    decayed_at: float
    entries: tuple[LtmEntry, ...] = ()

    @classmethod
    def of(cls, config: LtmConfig, *rest: Any) -> LtmState:
        """Write settings, the next id, the moment of the last decay, and the entries."""
        return cls(asdict(config), *rest)

    def settings(self) -> LtmConfig:
        """Read the settings.

        Raises
        ------
        InvalidValue
            They, or the entries, cannot be those of a memory.
        """
        ids = {entry.id for entry in self.entries}
        if len(ids) < len(self.entries) or not all(0 < id_ < self.next_id for id_ in ids):
            raise InvalidValue(f"ids must be unique and below {self.next_id}, got {sorted(ids)}")
        for entry in self.entries:
            a_share("importance", entry.importance)
            a_share("decayed_importance", entry.decayed_importance)
            for seconds in (entry.created_at, entry.last_accessed, self.decayed_at):
                moment_of(seconds)
        return LtmConfig(**self.config)


def key_of(name: str) -> str:
    """Name the key of a memory in a store."""
    return f"ltm:{a_text('name', name)}"
