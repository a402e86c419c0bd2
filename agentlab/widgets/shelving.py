"""Which memory is read how."""

from __future__ import annotations

from typing import Any

from agentlab.core.errors import InvalidValue
from agentlab.memory.episodic import EpisodicStore
from agentlab.memory.ltm import LtmStore
from agentlab.memory.nearest import VectorMemory
from agentlab.memory.semantic import SemanticStore
from agentlab.memory.vector import SemanticMemory
from agentlab.memory.working import WorkingMemory
from agentlab.widgets.shelves import Shelf
from agentlab.widgets.shelves_fading import Episodes, LongTerm
from agentlab.widgets.shelves_lasting import Facts, InMind, Texts, Vectors

SHELVES: dict[type, Any] = {
    EpisodicStore: Episodes,
    LtmStore: LongTerm,
    SemanticStore: Facts,
    SemanticMemory: Texts,
    VectorMemory: Vectors,
    WorkingMemory: InMind,
}


def shelf_of(subject: object) -> Shelf:
    """Read a memory.

    Raises
    ------
    InvalidValue
        It is none that can be explored.
    """
    for kind, shelf in SHELVES.items():
        if isinstance(subject, kind):
            found: Shelf = shelf(subject)
            return found
    known = ", ".join(sorted(kind.__name__ for kind in SHELVES))
    raise InvalidValue(f"a memory that can be explored is one of {known}, got {subject!r:.80}")
