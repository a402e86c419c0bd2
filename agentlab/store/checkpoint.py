"""Checkpoints every few steps, the newest few of each agent."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from itertools import count
from os import PathLike
from typing import Any

import msgspec

from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import CheckpointError, InvalidValue, PersistenceError
from agentlab.core.guards import able
from agentlab.core.ids import AgentId
from agentlab.core.portable import Portable
from agentlab.core.sync import settled, twin
from agentlab.core.text import canonical, compact, size
from agentlab.store.checkpoint_format import AgentCheckpoint, Entries, entries_of
from agentlab.store.checkpoint_stores import (
    BackendCheckpointStore,
    CheckpointStore,
    InMemoryCheckpointStore,
)
from agentlab.store.turns import Turns

log = logging.getLogger("agentlab.checkpoint")

MAX_CONTEXT_BYTES = 10_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CheckpointRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """A checkpoint at a glance."""

    agent: str
    step: int
    entries: int
    context_bytes: int
    created_at: datetime


class Version(msgspec.Struct, frozen=True, order=True):
    """A checkpoint's place among those of its agent: the newest is the greatest."""

    created_ns: int
    step: int
    sequence: int
    id: str
    row: Any


class CheckpointManager(Tabular, Displayable):
    """Save an agent every few steps and keep the newest few.

    >>> manager = CheckpointManager(interval_steps=5)
    >>> [manager.maybe_checkpoint_sync("a", step, {"n": step}, "…") for step in (4, 5)]
    [False, True]
    >>> manager.load_latest_sync("a").memory_snapshot
    (MemoryEntry(key='n', value=5),)

    Several managers, in several processes too, may share a store: what is there is looked up at
    each call. Newest means made last; of those made at the same time, of the highest step.

    Parameters
    ----------
    store : CheckpointStore, Store or path, optional
        Where checkpoints are kept; by default as long as the process. In a store of bytes they
        lie beside the sessions; a path is that of an SQLite file.
    interval_steps : int
        Every how many steps one is made unasked.
    max_checkpoints : int
        How many are kept of each agent.
    working_memory : WorkingMemory, optional
        What is kept where nothing else is given, and restored.
    clock : Clock
        Says when they are made.

    Raises
    ------
    InvalidValue
        ``interval_steps`` or ``max_checkpoints`` is not a whole number from 1 on, or ``store`` or
        ``working_memory`` is none.
    """

    def __init__(
        self,
        store: Any = None,
        interval_steps: int = 5,
        max_checkpoints: int = 10,
        *,
        working_memory: Any = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        for name, value in (
            ("interval_steps", interval_steps),
            ("max_checkpoints", max_checkpoints),
        ):
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InvalidValue(f"{name} must be a whole number from 1 on, got {value!r}")
        self.store = as_checkpoint_store(store)
        self.interval_steps, self.max_checkpoints = interval_steps, max_checkpoints
        self.working_memory = a_pad(working_memory)
        self._clock = clock
        self._index: dict[str, Version] = {}
        self._damaged: set[str] = set()
        self._sequence = count(1)
        self._lock = Turns(1)

    def __repr__(self) -> str:
        return (
            f"CheckpointManager({self.store!r}, interval_steps={self.interval_steps},"
            f" max_checkpoints={self.max_checkpoints})"
        )

    async def maybe_checkpoint(
        self,
        agent_id: str,
        step: int,
        memory: Entries | None = None,
        context: Any = "",
        force: bool = False,  # noqa: FBT001, FBT002
    ) -> bool:
        """Save the agent if its step is one to be saved, or ``force`` says so; tell whether.

        Parameters
        ----------
        agent_id, step
            Whose, and when: any step from 0 on. One that was saved before is replaced.
        memory : WorkingMemory, mapping or iterable of MemoryEntry, optional
            What the agent has in mind; by default what the manager's working memory holds.
        context : any JSON value
            Where it is; at most 10 MB.
        force : bool
            Save it at any step.

        Raises
        ------
        CheckpointError
            The context is too large, or the checkpoint cannot be written.
        InvalidValue
            One of the values can never be right.
        """
        agent = str(AgentId(agent_id))
        if not isinstance(step, int) or isinstance(step, bool) or step < 0:
            raise InvalidValue(f"step must be a whole number from 0 on, got {step!r}")
        if not force and (step == 0 or step % self.interval_steps):
            return False
        held = self.working_memory if memory is None else memory
        snapshot, kept = entries_of(() if held is None else held), canonical(context)
        if (length := size(compact(kept))) > MAX_CONTEXT_BYTES:
            raise CheckpointError(
                f"the context of {agent!r} has {length} bytes, more than {MAX_CONTEXT_BYTES}:"
                " keep less of it"
            )
        async with self._lock:
            await self._look()
            made = max(nanoseconds(self._clock.now()), *self._times(agent), 0)
            checkpoint = AgentCheckpoint(
                agent, step, snapshot, kept, made // 10**9, made, next(self._sequence)
            )
            await settled(self.store.save(checkpoint.id, checkpoint))
            self._damaged.discard(checkpoint.id)
            self._index[checkpoint.id] = version_of(checkpoint, length)
            await self._rotate(agent, checkpoint.id)
        return True

    async def load_latest(self, agent_id: str) -> AgentCheckpoint | None:
        """Give the newest checkpoint of an agent that can be read, or None."""
        agent = str(AgentId(agent_id))
        async with self._lock:
            await self._look()
            for version in reversed(self._versions(agent)):
                if (found := await self._load(version.id)) is not None:
                    return found
        return None

    async def restore(self, agent_id: str, working_memory: Any = None) -> AgentCheckpoint | None:
        """Put what an agent had in mind back, in its order, and give the checkpoint it is from.

        That is the newest one that can be read. Where there is none, this gives None and leaves
        the memory alone; otherwise what was in there before is forgotten.

        Parameters
        ----------
        agent_id : str
            Whose.
        working_memory : WorkingMemory, optional
            Where to put it; by default into the manager's own.

        Raises
        ------
        InvalidValue
            There is no memory to put it into, or what was kept cannot be in one; then nothing of
            it was put there.
        """
        pad = self.working_memory if working_memory is None else a_pad(working_memory)
        if pad is None:
            raise InvalidValue("restore needs a WorkingMemory, given to it or to the manager")
        found = await self.load_latest(agent_id)
        if found is not None:
            pad.fill((entry.key, entry.value) for entry in found.memory_snapshot)
        return found

    async def checkpoint_count(self, agent_id: str) -> int:
        """Count the checkpoints there are of an agent."""
        async with self._lock:
            await self._look()
            return len(self._versions(str(AgentId(agent_id))))

    async def refresh(self) -> list[CheckpointRow]:
        """Look up what is in the store now, and give it as :meth:`rows` does."""
        async with self._lock:
            await self._look()
        return self.rows()

    maybe_checkpoint_sync = twin(maybe_checkpoint)
    load_latest_sync = twin(load_latest)
    restore_sync = twin(restore)
    checkpoint_count_sync = twin(checkpoint_count)
    refresh_sync = twin(refresh)

    def rows(self) -> list[CheckpointRow]:
        """Describe what was there when last looked, by agent, the oldest first."""
        versions = sorted(self._index.copy().values(), key=lambda v: (v.row.agent, v))
        return [version.row for version in versions]

    def _versions(self, agent: str) -> list[Version]:
        return sorted(each for each in self._index.values() if each.row.agent == agent)

    def _times(self, agent: str) -> list[int]:
        return [version.created_ns for version in self._versions(agent)]

    async def _look(self) -> None:
        """Bring the index up to date: of what is new, each is read once."""
        there = set(await settled(self.store.list()))
        for gone in self._index.keys() - there:
            del self._index[gone]
        self._damaged &= there
        for id in sorted(there - self._index.keys() - self._damaged):  # noqa: A001 - what it is
            await self._load(id)

    async def _load(self, id: str) -> AgentCheckpoint | None:  # noqa: A002
        """Give one, or None where it is gone, or damaged, of which the log tells."""
        try:
            found: AgentCheckpoint | None = await settled(self.store.load(id))
        except PersistenceError as error:
            log.warning("skipped a checkpoint: %s", error)
            self._damaged.add(id)
            found = None
        if found is None:
            self._index.pop(id, None)
        else:
            self._index[id] = version_of(found, size(compact(found.context)))
        return found

    async def _rotate(self, agent: str, newest: str) -> None:
        """Delete the oldest beyond the limit, and never what was saved just now."""
        versions = [each for each in self._versions(agent) if each.id != newest]
        for version in versions[: max(0, len(versions) + 1 - self.max_checkpoints)]:
            await settled(self.store.delete(version.id))
            self._index.pop(version.id, None)


def as_checkpoint_store(store: Any) -> CheckpointStore:
    """Give what keeps checkpoints: itself, a store of bytes, a path, or by default the memory.

    Raises
    ------
    InvalidValue
        It is neither.
    """
    if store is None:
        return InMemoryCheckpointStore()
    needed = ("save", "load", "list", "delete")
    if isinstance(store, str | PathLike):
        return BackendCheckpointStore(store)
    if not isinstance(store, type):
        if all(callable(getattr(store, name, None)) for name in needed):
            kept: CheckpointStore = store
            return kept
        if callable(getattr(store, "keys", None)):
            return BackendCheckpointStore(store)
    raise InvalidValue(
        f"checkpoints are kept by what has {', '.join(needed)}, by a store of bytes that has keys"
        f" too, or at a path, got {store!r:.80}"
    )


def a_pad(memory: Any) -> Any:
    """Give a working memory, or None.

    Raises
    ------
    InvalidValue
        It is neither.
    """
    return None if memory is None else able(memory, "fill", "a WorkingMemory")


def version_of(checkpoint: AgentCheckpoint, length: int) -> Version:
    """Give a checkpoint's place in the order, and what a card says of it."""
    made = EPOCH + timedelta(microseconds=checkpoint.created_ns // 1000)
    row = CheckpointRow(
        checkpoint.agent_id, checkpoint.step, len(checkpoint.memory_snapshot), length, made
    )
    return Version(checkpoint.created_ns, checkpoint.step, checkpoint.sequence, checkpoint.id, row)


def nanoseconds(moment: datetime) -> int:
    """Count from 1970, exactly."""
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000
