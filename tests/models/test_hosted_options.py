"""What hosted models are asked for, and how it reaches a vendor."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentlab.core.errors import InvalidValue
from agentlab.core.protocols import Request
from agentlab.models.llm import CompletionOptions
from agentlab.models.openai import OpenAiProvider
from tests.models.asking import both, hear
from tests.models.vendors import ANTHROPIC, KEY, Vendor
from tests.wire import reply, streamed, wire


@both
def test_odd_text(vendor: Vendor) -> None:
    """Half a character in a prompt, a stop or an option is sent as what it is: unknown."""
    options = CompletionOptions("m\ud800", stop_sequences=("\ud800",), extra={"user": "\ud800"})

    async def scene() -> dict[str, Any]:
        async with wire(reply(vendor.whole("x"))) as there, vendor.at(there.url) as model:
            await model.complete_with_options("\ud800", options)
            body: dict[str, Any] = there.asked[0].body
            return body

    body = asyncio.run(scene())
    assert body["user"] == body["messages"][0]["content"] == "\ufffd"


@both
def test_options_reach_the_vendor(vendor: Vendor) -> None:
    """Each under the vendor's own name; what a request says goes before the provider's own."""
    options = {"temperature": 0.5, "seed": 7, "max_tokens": 9, "top_p": 0.9}

    async def scene() -> list[dict[str, Any]]:
        async with (
            wire(streamed(vendor.events("x"))) as there,
            vendor.at(there.url, temperature=0.1, max_tokens=5, extra={"user": "u"}) as model,
        ):
            await hear(model)
            await hear(model, Request("p", stop=("a", "b"), options=options))
            return [each.body for each in there.asked]

    first, second = asyncio.run(scene())
    stops = "stop_sequences" if vendor is ANTHROPIC else "stop"
    assert (first["temperature"], first["max_tokens"], first["user"]) == (0.1, 5, "u")
    assert first[stops] == ["\nObservation:"]
    assert (second["temperature"], second["max_tokens"], second["top_p"]) == (0.5, 9, 0.9)
    assert second[stops] == ["a", "b"]
    assert first["stream"] is True
    if vendor is ANTHROPIC:
        assert first["system"] == "Be brief."
        assert "system" not in second
        assert "seed" not in second
    else:
        assert first["messages"][0] == {"role": "system", "content": "Be brief."}
        assert first["stream_options"] == {"include_usage": True}
        assert second["seed"] == 7


@both
def test_a_field_that_is_not_wanted(vendor: Vendor) -> None:
    """None in ``extra`` leaves out what would be sent: some models take no stops."""
    stops = "stop_sequences" if vendor is ANTHROPIC else "stop"

    async def scene() -> dict[str, Any]:
        async with (
            wire(streamed(vendor.events("x"))) as there,
            vendor.at(there.url, extra={stops: None}) as model,
        ):
            await hear(model)
            body: dict[str, Any] = there.asked[0].body
            return body

    assert stops not in asyncio.run(scene())


def test_a_seed_that_is_not_heeded_is_told_once() -> None:
    """Not at each of twenty steps."""

    async def scene() -> list[str]:
        async with (
            wire(streamed(ANTHROPIC.events("x"))) as there,
            ANTHROPIC.at(there.url, seed=7) as model,
        ):
            return [chunk.warning for _ in "ab" for chunk in await hear(model) if chunk.is_final]

    assert asyncio.run(scene()) == [
        "Anthropic takes no seed: equal questions may have other answers",
        "",
    ]


def test_the_vendor_itself_has_another_name_for_it() -> None:
    """OpenAI's newest models know ``max_completion_tokens`` alone, other servers the old name."""
    asked = CompletionOptions("m", max_tokens=3)
    home = OpenAiProvider(KEY)._body("p", asked, [])  # noqa: SLF001 - nobody here may ask there
    assert home["max_completion_tokens"] == 3
    assert "max_tokens" not in home


def test_settings_that_can_never_be_right() -> None:
    """Are refused with their value."""
    for wrong in (
        {"timeout_s": 0},
        {"max_tokens": 0},
        {"temperature": -1},
        {"max_concurrent_streams": 0},
        {"temperature": float("nan")},
    ):
        with pytest.raises(InvalidValue):
            OpenAiProvider(KEY, **wrong)
    with pytest.raises(InvalidValue, match="several texts"):
        CompletionOptions(stop_sequences="stop")  # type: ignore[arg-type]
