"""Traces to read back: real runs of all shapes, and what models were really asked in them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st

import agentlab as al
from agentlab.core import events
from agentlab.core.events import Entry
from agentlab.core.protocols import Chunk, Model, Request
from agentlab.core.run import Run
from agentlab.strategies.react import Outcome, ReAct

STEP = 'Thought: look\nAction: population {"city": "Lyon"}'
WRONG = 'Thought: look\nAction: population {"city": "Nowhere"}'
LAST = "Thought: done\nAction: FINAL_ANSWER 42"
REPLIES = st.lists(
    st.one_of(
        st.sampled_from([STEP, WRONG, "no format at all", 'Action: nothing {"a": 1}', ""]),
        st.text(max_size=60),
        st.builds("Thought: {}\nAction: population {{}}".format, st.text(max_size=60)),
    ),
    max_size=6,
)


@al.tool
def population(city: str) -> int:
    """People living in a city."""
    return {"Lyon": 522_000}[city]


class Ear:
    """A model that keeps what it is asked, and lets another one answer."""

    def __init__(self, model: Model) -> None:
        self.model, self.requests = model, list[Request]()

    async def stream(self, request: Request, /) -> AsyncIterator[Chunk]:
        self.requests.append(request)
        async for chunk in self.model.stream(request):
            yield chunk


class Family:
    """Lets children work side by side, speaks in between, and then works itself."""

    strategy_name = "family"

    def __init__(self, children: int, inner: Any) -> None:
        self.children, self.inner = children, inner

    async def __call__(self, run: Run, goal: str, /) -> Outcome:
        run.emit(events.Phase("round", "one"))
        children = [run.child(f"child{i}") for i in range(self.children)]
        await asyncio.gather(
            *(self.inner(child, f"{goal} {i}") for i, child in enumerate(children))
        )
        run.emit(events.Argued(1, "child0", "I think so"))
        run.emit(events.Scored("judge", "child0", 1, 0.5))
        await run.ask("What do you make of that?")
        done: Outcome = await self.inner(run, goal)
        return done


def ran(
    replies: Sequence[str | Exception], *, shape: str = "react", **config: Any
) -> tuple[list[Entry], list[Request]]:
    """Run a script to its end, however it ends; give what was said, and what was really asked."""
    ear = Ear(al.ScriptedModel(*replies, *[LAST] * 12))
    if shape == "retried":
        busy = al.ProviderError("busy", status=503, retry_after=0)
        flaky = [each for reply in [*replies, *[LAST] * 6] for each in (busy, reply)]
        ear = Ear(al.Retrying(al.ScriptedModel(*flaky), al.RetryPolicy(2, 0)))
    heard: list[Entry] = []
    settings = al.AgentConfig(**{"model": "ear", "max_iterations": 6, **config})
    lab = al.AgentRuntime(ear, tools=[population], config=settings, sinks=[heard.append])
    with suppress(al.AgentLabError, ValueError):
        lab.run_sync("How many?", strategy=STRATEGIES.get(shape))
    return heard, ear.requests


STRATEGIES: dict[str, Any] = {
    "streaming": al.StreamingReAct(),
    "family": Family(3, ReAct()),
    "streaming family": Family(2, al.StreamingReAct()),
}
SHAPES = ["react", "streaming", "family", "streaming family", "retried"]
