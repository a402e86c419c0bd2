"""What policies cost where nothing goes wrong, in CPU µs, and how that compares with the bare call.

Each figure is the median of several rounds, ours and the bare call in turn, so that the ratio
holds on a busy machine.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from agentlab import Chunk, Model, Request
from agentlab.models.wrapped import Guarded, Retrying
from agentlab.resilience.circuit_breaker import CircuitBreaker
from agentlab.resilience.dedup import Deduplicator
from agentlab.resilience.pipeline import Pipeline
from agentlab.resilience.retry import RetryPolicy

ROUNDS, CALLS, TOKENS = 9, 2000, 200
POLICY = RetryPolicy.exponential(3, 100)


async def answer() -> str:
    """Answer at once."""
    return "yes"


async def stage(text: str) -> str:
    """Give it back."""
    return text


class Letters:
    """A model of many tokens."""

    async def stream(self, _request: Request, /) -> AsyncIterator[Chunk]:
        """Give them."""
        for _ in range(TOKENS):
            yield Chunk("tok ", -0.1)


async def bare(count: int) -> None:
    """Await the function."""
    for _ in range(count):
        await answer()


async def retried(count: int) -> None:
    """Await it under a policy; the first attempt succeeds."""
    for _ in range(count):
        await POLICY.run(answer)


async def missed(count: int) -> None:
    """Await it once for each of as many keys."""
    dedup = Deduplicator(60)
    for number in range(count):
        await dedup.run(str(number), answer)


async def hit(count: int) -> None:
    """Ask for a result that is there."""
    dedup = Deduplicator(60)
    for _ in range(count):
        await dedup.run("k", answer)


async def checked(count: int) -> None:
    """Claim and complete as many keys by hand."""
    dedup = Deduplicator(60)
    for number in range(count):
        dedup.check_and_register(str(number))
        dedup.complete(str(number), "yes")


async def staged(count: int) -> None:
    """Send a text through one stage without policies."""
    pipeline = Pipeline().add_stage("s", stage)
    for _ in range(count):
        await pipeline.run("text")


async def staged_with_all(count: int) -> None:
    """Send different texts through one stage with all of them."""
    breaker, dedup = CircuitBreaker("s"), Deduplicator(60)
    pipeline = Pipeline().add_stage("s", stage, retry=POLICY, breaker=breaker, dedup=dedup)
    for number in range(count):
        await pipeline.run(str(number))


async def streamed(model: Model, count: int) -> None:
    """Read as many tokens as there are in ``count``."""
    for _ in range(count // TOKENS):
        async for _chunk in model.stream(Request("q")):
            pass


def cpu(work: Callable[[int], Awaitable[None]]) -> float:
    """Give the CPU microseconds a call."""

    async def play() -> float:
        await work(TOKENS)
        began = time.process_time()
        await work(CALLS)
        return (time.process_time() - began) * 1e6 / CALLS

    return asyncio.run(play())


def compare(name: str, ours: Callable[[int], Awaitable[None]], floor: Callable[[int], Awaitable[None]]) -> None:  # fmt: skip  # noqa: E501
    """Time both in turn and print the medians."""
    pairs = [(cpu(ours), cpu(floor)) for _ in range(ROUNDS)]
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{name:<44} {mine:>8.2f} µs   bare {theirs:>6.2f} µs   ratio {mine / theirs:>7.1f}")


if __name__ == "__main__":
    assert asyncio.run(POLICY.run(answer)) == "yes"
    compare("retry, the first attempt succeeds", retried, bare)
    compare("dedup.run, cached", hit, bare)
    compare("dedup.run, new keys", missed, bare)
    compare("dedup, claim and complete by hand", checked, bare)
    compare("a stage without policies", staged, bare)
    compare("a stage with all policies, new texts", staged_with_all, bare)
    inner, tokens = Letters(), partial(streamed, Letters())
    compare("a token through Retrying", partial(streamed, Retrying(inner, POLICY)), tokens)
    compare(
        "a token through Guarded", partial(streamed, Guarded(inner, CircuitBreaker("m"))), tokens
    )
