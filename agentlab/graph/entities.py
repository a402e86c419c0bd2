"""What graphs are made of: things, and what relates one to another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import force_setattr

from agentlab.core.bounds import a_name
from agentlab.core.doors import Displayable
from agentlab.core.errors import InvalidValue
from agentlab.core.ids import EntityId
from agentlab.core.portable import Portable
from agentlab.core.text import canonical, clean

Ends: TypeAlias = tuple[str, str, str]  # from, to, kind


class Entity(Portable, Displayable, msgspec.Struct, frozen=True):
    """A thing, of either graph.

    >>> Entity("ada", "Ada").with_property("role", "engineer").properties
    {'role': 'engineer'}

    Parameters
    ----------
    id : str
        What it is told from others by.
    label : str
        What kind of thing it is, in a :class:`GraphStore`; in a :class:`KnowledgeGraph`, what it
        is called.
    properties : dict
        What else is known of it: JSON.
    """

    id: str
    label: str = ""
    properties: dict[str, Any] = {}

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not isinstance(self.label, str):
            raise InvalidValue(f"id and label must be text, got {self.id!r}, {self.label!r}")
        if not isinstance(self.properties, Mapping):
            raise InvalidValue(f"properties must be a dictionary, got {self.properties!r:.80}")
        force_setattr(self, "id", str(EntityId(self.id)))
        force_setattr(self, "label", clean(self.label))
        force_setattr(self, "properties", canonical(self.properties))

    def with_property(self, name: str, value: Any) -> Entity:
        """Give it with one more property, or another value of one."""
        return msgspec.structs.replace(self, properties={**self.properties, name: value})


class Relationship(Portable, Displayable, msgspec.Struct, frozen=True):
    """An edge of a :class:`GraphStore`.

    Parameters
    ----------
    from_, to : str
        The ids at its ends.
    kind : str
        What it says of them; between two entities there is one of a kind in a direction.
    weight : float
        How far it is, for weighted paths.
    origin : str
        Where it was read, where that is known.
    """

    from_: str
    to: str
    kind: str
    weight: float = 1.0
    origin: str = ""

    def __post_init__(self) -> None:
        if not settled(self.from_, self.to, self.kind, self.weight, self.origin):
            settle(self, "from_", "to")

    @property
    def ends(self) -> Ends:
        """From, to, and kind."""
        return self.from_, self.to, self.kind


class Relation(Portable, Displayable, msgspec.Struct, frozen=True):
    """An edge of a :class:`KnowledgeGraph`; see :class:`Relationship`."""

    from_id: str
    to_id: str
    kind: str
    weight: float = 1.0
    origin: str = ""

    def __post_init__(self) -> None:
        if not settled(self.from_id, self.to_id, self.kind, self.weight, self.origin):
            settle(self, "from_id", "to_id")

    @property
    def ends(self) -> Ends:
        """From, to, and kind."""
        return self.from_id, self.to_id, self.kind


Edge: TypeAlias = Relationship | Relation


def settled(tail: Any, head: Any, kind: Any, weight: Any, origin: Any) -> bool:
    """Tell whether an edge is surely right as it is: nearly always, and quickly."""
    return (
        type(tail) is type(head) is type(kind) is type(origin) is str
        and type(weight) is float
        and bool(tail and head and kind)
        and tail.isascii()
        and head.isascii()
        and kind.isascii()
        and origin.isascii()
        and math.isfinite(weight)
    )


def settle(edge: Edge, *ends: str) -> None:
    """Refuse an edge that can never be right, and make its texts and its weight plain."""
    for name in (*ends, "kind"):
        value = a_name(name, getattr(edge, name))
        if type(value) is not str or not value.isascii():
            force_setattr(edge, name, clean(value))
    weight = edge.weight
    if type(weight) is not float:
        if not isinstance(weight, Real) or isinstance(weight, bool):
            raise InvalidValue(f"weight must be a number, got {weight!r:.80}")
        try:
            weight = float(weight)
        except OverflowError:
            weight = math.inf
        force_setattr(edge, "weight", weight)
    if not math.isfinite(weight):
        raise InvalidValue(f"weight must be finite, got {edge.weight!r:.80}")
    if not isinstance(edge.origin, str):
        raise InvalidValue(f"origin must be text, got {edge.origin!r:.80}")
    if edge.origin:
        force_setattr(edge, "origin", clean(edge.origin))
