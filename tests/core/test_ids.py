"""Ids."""

from __future__ import annotations

import random
import re

import pytest

from agentlab.core.errors import InvalidValue
from agentlab.core.ids import AgentId, EntityId, Id, MemoryId, MessageId, new_id

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.mark.parametrize("kind", [AgentId, EntityId, MemoryId, MessageId])
def test_ids(kind: type[Id]) -> None:
    """A string that is not empty; a random one is a UUID4, and nobody else's."""
    assert kind("x") == "x"
    assert UUID4.fullmatch(kind.random())
    assert kind.random() != kind.random()
    with pytest.raises(InvalidValue, match=f"{kind.__name__} must not be empty, got ''"):
        kind("")


def test_a_seeded_source_repeats() -> None:
    """Then ids are the same again, and still UUID4."""
    ids = [new_id(random.Random(7)) for _ in range(2)]  # noqa: S311

    assert ids[0] == ids[1]
    assert UUID4.fullmatch(ids[0])
