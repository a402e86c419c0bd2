"""What a runtime gives of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentlab.core.errors import InvalidValue, PersonaNotFound
from agentlab.core.protocols import Memory, PersistenceBackend
from agentlab.locked import Locked
from agentlab.observe.agent_metrics import AgentMetricsRegistry
from agentlab.observe.metrics import RuntimeMetrics
from agentlab.observe.prometheus import MetricsRegistry
from agentlab.parts import Parts
from agentlab.personas.persona import Persona
from agentlab.personas.registry import PersonaRegistry
from agentlab.personas.scope import PersonaScope
from agentlab.settings import Settings
from agentlab.store.checkpoint import CheckpointManager
from agentlab.tools.named import NamedToolRegistry

if TYPE_CHECKING:
    from agentlab.graph.knowledge import KnowledgeGraph
    from agentlab.graph.store import GraphStore
    from agentlab.memory.ltm import LtmStore
    from agentlab.memory.vector import SemanticMemory
    from agentlab.memory.working import WorkingMemory


class Accessors:
    """Reads the parts of a runtime."""

    settings: Settings
    _parts: Parts

    @property
    def store(self) -> PersistenceBackend | None:
        """Where its runs are kept."""
        return self._parts.store

    def memory(self) -> Memory | None:
        """Give what is recalled before each question, if there is something."""
        return self.settings.memory

    def graph(self) -> GraphStore | KnowledgeGraph | None:
        """Give the graph, if there is one."""
        return self.settings.graph

    def working_memory(self) -> WorkingMemory | None:
        """Give what its agents have in mind, if there is something."""
        return self.settings.working_memory

    def semantic_memory(self) -> Locked[SemanticMemory[Any]]:
        """Give a memory of texts for one task at a time: ``async with ….lock() as memory``.

        It is the one the runtime recalls from, if that is one, else one beside it.
        """
        return self._parts.semantic_memory

    def ltm(self) -> LtmStore:
        """Give a memory for long: the one the runtime recalls from, if that is one, else another.

        It decays and merges when it is told to.
        """
        return self._parts.ltm

    def ltm_mut(self) -> LtmStore:
        """Give the same as :meth:`ltm`, which may always be changed."""
        return self._parts.ltm

    def with_persona(self, who: str | Persona) -> PersonaScope:
        """Let the runs that begin within ``with runtime.with_persona(name):`` have a persona.

        Their system prompt is then the persona's, that of the settings, the tone, and the
        constraints. A run that began within keeps its persona after the block has ended.

        Raises
        ------
        PersonaNotFound
            There is none of that name; it says which one may be meant.
        """
        found = self._parts.named_persona(who)
        if found is None:
            raise InvalidValue("with_persona takes a name or a Persona, got None")
        return PersonaScope(self._parts, found)

    def try_persona(self, who: str | Persona) -> PersonaScope | None:
        """Do the same, but give None where there is none of that name."""
        try:
            return self.with_persona(who)
        except PersonaNotFound:
            return None

    def persona(self) -> Persona | None:
        """Give who its agents are to be here and now, if they are to be somebody."""
        return self._parts.persona()

    def persona_registry(self) -> PersonaRegistry:
        """Give its personas: those that were given, or else the built-in ones."""
        return self._parts.personas

    def tool_registry(self) -> NamedToolRegistry:
        """Give the text tools: the built-in ones and the runtime's own."""
        return self._parts.named

    def metrics(self) -> RuntimeMetrics:
        """Give the counters of its runs."""
        return self._parts.metrics

    def metrics_registry(self) -> MetricsRegistry:
        """Give its named metrics, for Prometheus."""
        return self._parts.registry

    def agent_metrics(self) -> AgentMetricsRegistry:
        """Give the counters of each agent."""
        return self._parts.agents

    def checkpoint(self) -> CheckpointManager:
        """Give the checkpoints."""
        return self._parts.checkpoints
