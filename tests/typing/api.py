"""What a type checker must see. Checked, never run."""

from __future__ import annotations

from typing import assert_type

import agentlab as al
from agentlab.core.protocols import Tools


@al.tool
def population(city: str) -> int:
    """People living in a city."""
    return len(city)


async def check(runtime: al.AgentRuntime) -> None:
    """Every form of a run gives a session."""
    assert_type(population, al.ToolSpec)
    assert_type(await runtime.run("?"), al.AgentSession)
    assert_type(runtime.run_sync("?", agent="a"), al.AgentSession)
    assert_type(runtime.run_agent_sync("a", "?", lambda _: "hi"), al.AgentSession)
    handle = runtime.start("?")
    assert_type(handle, al.RunHandle)
    assert_type(await handle, al.AgentSession)
    assert_type(handle.result(1.0), al.AgentSession)
    async for entry in handle:
        assert_type(entry, al.Entry)

    model: al.Model = al.ScriptedModel("a")
    tape: al.Model = al.RecordedModel(model, "tape.jsonl", mode="auto")
    function: al.Model = al.FunctionModel(len)
    tools: Tools = al.ToolRegistry([population])
    assert [tape, function, tools]

    runtime.run_sync(3)  # type: ignore[arg-type]
    runtime.run_sync("?", agnet="a")  # type: ignore[call-arg]
    al.RecordedModel(model, "tape.jsonl", mode="maybe")  # type: ignore[arg-type]
