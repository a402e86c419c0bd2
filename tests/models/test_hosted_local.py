"""Hosted models against a server that nobody here wrote: the embedded engine's own.

It speaks both formats on this machine. One small model, a few tokens a question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from agentlab.core.config import AgentConfig
from agentlab.core.errors import ProviderError
from agentlab.core.protocols import Chunk, Request
from agentlab.core.sync import closing
from agentlab.models.catalogue import look_up
from agentlab.models.engine import parameters, waiting_asleep
from agentlab.models.hosted import HostedModel
from agentlab.models.pull import at_hand
from agentlab.runtime import AgentRuntime
from agentlab.strategies.grammar import parse_react_step
from agentlab.tools.builtin import calculator
from agentlab.tools.spec import tool
from tests.models.vendors import ANTHROPIC, KEY, VENDORS, Vendor
from tests.wire import until

pytestmark = pytest.mark.local
both = pytest.mark.parametrize("vendor", VENDORS, ids=str)

TALE = "Tell me a tale."


@dataclass
class Served:
    """Where the engine listens."""

    url: str

    def at(self, vendor: Vendor, key: str = KEY, **settings: Any) -> HostedModel:
        """Make a provider that asks there."""
        settings = {"timeout_s": 60.0, "temperature": 0, "max_tokens": 8, **settings}
        return vendor.at(self.url, key, **settings)

    def works(self) -> bool:
        """Ask whether it is answering anybody."""
        headers = {"authorization": f"Bearer {KEY}"}
        slots = httpx.get(f"{self.url}/slots", headers=headers).json()
        return any(slot["is_processing"] for slot in slots)


@pytest.fixture(scope="module")
def engine() -> Iterator[Served]:
    """Serve the default model on a free port."""
    with waiting_asleep():
        xllamacpp = pytest.importorskip("xllamacpp")
    params = parameters(xllamacpp, at_hand(look_up("gemma3-270m")), 2048, None)
    params.n_parallel, params.n_threads_http = 2, 4
    params.api_keys, params.endpoint_slots = [KEY], True
    server = xllamacpp.Server(params)
    server.handle_completions({"prompt": "a", "max_tokens": 1}, lambda _: False)
    yield Served(server.listening_address)
    del server


async def hear(model: HostedModel, prompt: str = TALE, **options: Any) -> list[Chunk]:
    """Ask and collect."""
    stop = options.pop("stop", ())
    return [each async for each in model.stream(Request(prompt, stop=stop, options=options))]


def text_of(chunks: list[Chunk]) -> str:
    """Give the text."""
    return "".join(chunk.text for chunk in chunks)


@both
def test_a_stream(engine: Served, vendor: Vendor) -> None:
    """Token by token, then what it cost; asked for whole, it is the same text at the same cost."""

    async def scene() -> None:
        async with engine.at(vendor) as model:
            *pieces, last = await hear(model)
            usage = model.last_usage
            assert len(pieces) > 3
            assert last.is_final
            assert last.usage == usage
            assert usage
            assert (usage.output, usage.source) == (8, "reported")
            assert usage.input > 5
            assert last.warning == "the answer was cut: raise max_tokens"
            assert await model.complete(TALE) == text_of(pieces)
            assert model.last_usage == usage

    asyncio.run(scene())


@both
def test_stops(engine: Served, vendor: Vendor) -> None:
    """The answer ends before a stop sequence."""

    async def scene() -> None:
        async with engine.at(vendor, max_tokens=24) as model:
            whole = text_of(await hear(model))
            word = whole.split()[2]
            cut = text_of(await hear(model, stop=(word,)))
            assert cut == whole.partition(word)[0]
            assert cut != whole

    asyncio.run(scene())


@both
def test_system_text_and_temperature(engine: Served, vendor: Vendor) -> None:
    """The system text is read, and chance comes with temperature."""

    async def scene() -> None:
        async with engine.at(vendor) as model:
            plain = [each async for each in model.stream(Request(TALE))]
            told = [each async for each in model.stream(Request(TALE, system="You are a pirate."))]
            assert plain[-1].usage
            assert told[-1].usage
            assert told[-1].usage.input > plain[-1].usage.input
            hot = {text_of(await hear(model, temperature=3.0)) for _ in range(4)}
            assert len(hot) > 1

    asyncio.run(scene())


@both
def test_errors(engine: Served, vendor: Vendor) -> None:
    """A key that is none, a prompt that is too long, a place that is not there."""

    async def failed(model: HostedModel, prompt: str = TALE) -> ProviderError:
        async with model:
            with pytest.raises(ProviderError) as caught:
                await hear(model, prompt)
        return caught.value

    wrong = asyncio.run(failed(engine.at(vendor, "another-key-12345")))
    assert (wrong.status, wrong.kind) == (401, "permanent")
    assert "Invalid API Key" in str(wrong)
    long = asyncio.run(failed(engine.at(vendor), "word " * 5000))
    assert (long.status, long.kind) == (400, "permanent")
    assert "exceeds the available context size" in str(long)
    lost = vendor.made(KEY, model="m", base_url=f"{engine.url}/nowhere")
    assert asyncio.run(failed(lost)).status == 404


@both
@pytest.mark.parametrize("how", ["cancel", "leave"])
def test_the_engine_stops(engine: Served, vendor: Vendor, how: str) -> None:
    """Whoever is cancelled, or has heard enough, hangs up, and the engine works no more."""

    async def scene() -> None:
        async with engine.at(vendor, max_tokens=1500) as model:
            stream = model.stream(Request(TALE))
            if how == "leave":
                async with closing(stream) as chunks:
                    await anext(chunks)
            else:
                task = asyncio.create_task(hear(model))
                await until(engine.works)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                await stream.aclose()  # type: ignore[attr-defined]
            await until(lambda: not engine.works())

    asyncio.run(scene())


def test_log_probabilities(engine: Served) -> None:
    """What the tokens were worth comes with them."""
    openai = next(each for each in VENDORS if each is not ANTHROPIC)

    async def scene() -> list[Chunk]:
        async with engine.at(openai, extra={"logprobs": True, "top_logprobs": 3}) as model:
            return await hear(model)

    *pieces, _ = asyncio.run(scene())
    assert all(piece.logprob is not None and piece.logprob <= 0 for piece in pieces)
    assert all(piece.top and len(piece.top) == 3 for piece in pieces)


@tool(inline=True)
def population(city: str) -> int:
    """People living in a city."""
    return {"Lyon": 522_000, "Nice": 353_000}[city]


def test_an_agent(engine: Served) -> None:
    """Held to the format by a grammar, the small model works through a provider as it does here."""
    openai = next(each for each in VENDORS if each is not ANTHROPIC)

    async def scene() -> None:
        model = engine.at(openai, profile="base", max_tokens=160)
        async with model:
            config = AgentConfig(4, "served")
            lab = AgentRuntime(model, tools=[population, calculator], config=config)
            session = await lab.run("How many people live in Lyon?")
        assert session.steps
        assert all(parse_react_step(f"Thought: {s.thought}\nAction: {s.action}")
                   for s in session.steps)  # fmt: skip
        assert session.tokens_out > 10
        assert not session.tokens_estimated
        assert "522000" in str([step.observation for step in session.steps])

    asyncio.run(scene())


@both
def test_many_at_once(engine: Served, vendor: Vendor) -> None:
    """Six questions at a server with two places are all answered."""

    async def scene() -> list[str]:
        async with engine.at(vendor) as model:
            return await asyncio.gather(*(model.complete(f"Count to {n}.") for n in range(6)))

    answers = asyncio.run(scene())
    assert len(answers) == 6
    assert all(answers)
