"""Who an agent is to be, and for how long."""

from agentlab.personas.persona import Persona, PersonaBuilder, PersonaTone
from agentlab.personas.registry import PersonaRegistry
from agentlab.personas.scope import PersonaScope

__all__ = ["Persona", "PersonaBuilder", "PersonaRegistry", "PersonaScope", "PersonaTone"]
