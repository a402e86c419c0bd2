"""What the tests of hosted models have in common: asking, and what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from agentlab.core.errors import ProviderError
from agentlab.core.protocols import Chunk, Request
from agentlab.models.hosted import HostedModel
from tests.models.vendors import VENDORS, Vendor
from tests.wire import Act, wire

ASKED = Request("Who are you?", system="Be brief.", stop=("\nObservation:",))


TEXT = "naïve 🌊 tide"


both = pytest.mark.parametrize("vendor", VENDORS, ids=str)


async def hear(model: HostedModel, request: Request = ASKED) -> list[Chunk]:
    """Ask and collect."""
    return [chunk async for chunk in model.stream(request)]


async def told(
    vendor: Vendor, *answers: list[Act], request: Request = ASKED, **settings: Any
) -> list[Chunk]:
    """Ask a server that answers so."""
    async with wire(*answers) as there, vendor.at(there.url, **settings) as model:
        return await hear(model, request)


def text_of(chunks: list[Chunk]) -> str:
    """Give the text."""
    return "".join(chunk.text for chunk in chunks)


def failure(work: Coroutine[Any, Any, Any]) -> ProviderError:
    """Give the error that some work ends in."""
    with pytest.raises(ProviderError) as caught:
        asyncio.run(work)
    return caught.value
