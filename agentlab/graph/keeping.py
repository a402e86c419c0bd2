"""Graphs in a store, and out of it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentlab.core.errors import AgentLabError, PersistenceError
from agentlab.core.protocols import PersistenceBackend
from agentlab.core.secrets import scrub
from agentlab.core.sync import twin
from agentlab.graph.base import E
from agentlab.graph.export import Exported

if TYPE_CHECKING:
    from typing import Self


class Kept(Exported[E]):
    """A graph that can be kept in whatever keeps bytes by key."""

    async def save(self, store: PersistenceBackend, key: str) -> None:
        """Keep it under ``key``; what was there is replaced. Secrets in it are kept as ``***``.

        >>> import agentlab as al
        >>> store, graph = al.InMemoryPersistenceBackend(), al.GraphStore()
        >>> graph.add_entity(al.Entity("a"))
        >>> graph.save_sync(store, "graph:letters")
        >>> al.GraphStore.load_sync(store, "graph:letters")
        <GraphStore 1 entities, 0 relationships>
        """
        await store.save(key, scrub(self.to_json()).encode())

    @classmethod
    async def load(cls, store: PersistenceBackend, key: str) -> Self:
        """Give the graph that is kept under ``key``.

        Raises
        ------
        PersistenceError
            There is none, or what is there is not one.
        """
        data = await store.load(key)
        if data is None:
            raise PersistenceError(f"nothing is kept under {key!r}")
        try:
            return cls.from_json(data)
        except AgentLabError as error:
            raise PersistenceError(f"under {key!r} is {error}") from error

    save_sync = twin(save)

    @classmethod
    def load_sync(cls, store: PersistenceBackend, key: str) -> Self:
        """Wait for :meth:`load`."""
        return twin(cls.load)(store, key)
