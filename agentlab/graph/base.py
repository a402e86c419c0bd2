"""What both graphs are: held, measured, taken elsewhere, kept in a store, asked by agents."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from agentlab.core.doors import Explorable, Plottable, Tabular
from agentlab.core.errors import AgentLabError, PersistenceError
from agentlab.core.protocols import Model, PersistenceBackend
from agentlab.core.secrets import scrub
from agentlab.core.sync import twin
from agentlab.graph.export import Exported
from agentlab.graph.holding import E

if TYPE_CHECKING:
    from typing import Self

    from agentlab.graph.extract import Extraction


class Graph(Exported[E], Tabular, Plottable, Explorable):
    """A graph. See :class:`agentlab.GraphStore` and :class:`agentlab.KnowledgeGraph`."""

    def query_tool(self, *, simple: bool = False) -> Callable[..., str]:
        """Give the function ``graph_query``, a tool by which an agent asks this graph.

        Parameters
        ----------
        simple : bool
            For the smallest models: it takes a name and one of the relations and properties that
            the graph has now, and gives what is known of that, nothing else. Worked examples of
            this graph go with it. Without it a model also asks for paths, neighbours and words.

        >>> import agentlab as al
        >>> rivers = al.KnowledgeGraph()
        >>> rivers.add_entity(al.Entity("Rhine", "Rhine", {"length_km": 1233}))
        >>> lab = al.AgentRuntime(tools=[rivers.query_tool()], graph=rivers)
        >>> lab.tools.call_sync("graph_query", {"ask": "facts", "about": "rhine"})
        'Rhine: length_km is 1233. Nothing is related to it.'
        """
        from agentlab.graph import lookup, query

        return lookup.lookup_tool(self) if simple else query.query_tool(self)

    async def extract(
        self, text: str, model: Model, *, origin: str = "", limit: int = 12
    ) -> Extraction:
        """Ask a model what ``text`` says of what, and add that.

        Parameters
        ----------
        text : str
            What to read.
        model : Model
            Who reads it; ``as_model("local")`` will do. One with grammars, as the embedded one
            is, is held to the form.
        origin : str
            What the new edges say of where they were read; by default the beginning of ``text``.
        limit : int
            How many facts to ask for at most.

        Returns
        -------
        Extraction
            What was added, what was known already, and what was refused, for its words are not
            in the text.
        """
        from agentlab.graph.extract import extract

        return await extract(self, text, model, origin=origin, limit=limit)

    extract_sync = twin(extract)

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
