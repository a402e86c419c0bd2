"""Checkpoints, and how they are written down: JSON with a checksum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeAlias, runtime_checkable

import msgspec

from agentlab.core.errors import CheckpointError, InvalidValue, NewerFormat
from agentlab.core.lines import record
from agentlab.core.portable import Portable
from agentlab.core.text import canonical
from agentlab.store.envelope import Broken, checksum

FORMAT = 1


class MemoryEntry(Portable, msgspec.Struct, frozen=True):
    """Something an agent has in mind: any JSON value by a key."""

    key: str
    value: Any


class AgentCheckpoint(Portable, msgspec.Struct, frozen=True):
    """An agent as it was at a step.

    ``created_at`` is in seconds since 1970; ``created_ns``, the same in nanoseconds, and
    ``sequence`` tell the order of what was made in one second.
    """

    agent_id: str
    step: int
    memory_snapshot: tuple[MemoryEntry, ...] = ()
    context: Any = ""
    created_at: int = 0
    created_ns: int = 0
    sequence: int = 0

    @property
    def id(self) -> str:
        """What it is kept under: one a step."""
        return f"{self.agent_id}__step{self.step}"


@runtime_checkable
class Holder(Protocol):
    """Has something in mind: a working memory."""

    def entries(self) -> list[tuple[str, str]]:
        """List keys and values, from the least to the most recently used."""


Entries: TypeAlias = Holder | Mapping[str, Any] | Iterable[MemoryEntry]


class Document(msgspec.Struct, frozen=True):
    """A checkpoint as it is written, with a checksum."""

    id: str
    sum: str
    checkpoint: msgspec.Raw
    format: int = FORMAT


def entries_of(memory: Entries) -> tuple[MemoryEntry, ...]:
    """Give a memory as entries of plain JSON.

    Raises
    ------
    InvalidValue
        It is no memory.
    """
    if isinstance(memory, Holder):
        memory = dict(memory.entries())
    if isinstance(memory, Mapping):
        memory = [MemoryEntry(key, value) for key, value in memory.items()]
    found = list(memory) if not isinstance(memory, str) else [memory]
    for each in found:
        if not isinstance(each, MemoryEntry):
            raise InvalidValue(
                f"memory is a WorkingMemory, a mapping or MemoryEntry objects, got {each!r:.80}"
            )
    return tuple(MemoryEntry(str(canonical(e.key)), canonical(e.value)) for e in found)


def sealed(id: str, checkpoint: AgentCheckpoint) -> bytes:  # noqa: A002
    """Write a checkpoint down, every key in its texts as ``***``.

    Raises
    ------
    CheckpointError
        There is something in it that JSON does not know.
    """
    try:
        inner = record(checkpoint)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise CheckpointError(f"{id!r:.80} cannot be written: {error}") from error
    return msgspec.json.encode(Document(id, checksum(inner), msgspec.Raw(inner)))


def unsealed(data: bytes, id: str) -> AgentCheckpoint:  # noqa: A002
    """Read a checkpoint that should be this one.

    Raises
    ------
    Broken
        It is damaged, or another one.
    NewerFormat
        It is from the future.
    """
    found = document(data, id)
    if found.id != id:
        raise Broken(f"it is {found.id!r:.80}, renamed or copied")
    try:
        return msgspec.json.decode(found.checkpoint, type=AgentCheckpoint)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Broken(f"it is no checkpoint ({error})") from None


def document(data: bytes, name: str) -> Document:
    """Read what stands round a checkpoint, and see whether it is whole.

    Raises
    ------
    Broken
        It is damaged.
    NewerFormat
        It is from the future.
    """
    try:
        found = msgspec.json.decode(data, type=Document)
        # However it was spaced: what counts is what it says.
        inner = msgspec.json.encode(msgspec.json.decode(found.checkpoint), order="sorted")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Broken(str(error)) from None
    if found.format > FORMAT:
        raise NewerFormat(
            f"{name!r:.80} has format {found.format}, newer than {FORMAT}: update agentlab"
        )
    if checksum(inner) != found.sum:
        raise Broken("its checksum is wrong")
    return found
