"""What agents remember, and how it is found again."""

from agentlab.memory.decay import DecayPolicy, EvictionPolicy, RecallPolicy
from agentlab.memory.episodic import EpisodicStore
from agentlab.memory.items import MemoryItem
from agentlab.memory.semantic import SemanticEntry, SemanticStore
from agentlab.memory.working import WorkingMemory

__all__ = [
    "DecayPolicy",
    "EpisodicStore",
    "EvictionPolicy",
    "MemoryItem",
    "RecallPolicy",
    "SemanticEntry",
    "SemanticStore",
    "WorkingMemory",
]
