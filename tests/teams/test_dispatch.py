"""A task for whoever fits best, and for the next one if that fails."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import agentlab as al
from agentlab.core.clock import FakeClock
from agentlab.core.errors import InvalidValue, NotConfigured
from agentlab.core.events import RunEnded, RunStarted
from agentlab.core.run import Run
from agentlab.strategies.react import Outcome
from agentlab.teams.dispatch import DispatchFailed, DispatchResult

QUERY = al.CapabilityQuery(["nlp"], ["text"])
DONE = "Thought: t\nAction: FINAL_ANSWER by a runtime"


def registry() -> al.AgentRegistry:
    """Give three agents, the first of which fits best, and the last least."""
    agents = al.AgentRegistry(60, clock=FakeClock())
    for name, tags in (("ann", "nlp text"), ("bob", "nlp text x"), ("cy", "nlp x y")):
        capability = al.Capability("summarise", tags=tags.split())
        agents.register_sync(al.AgentAdvertisement(name, "", [capability]))
    return agents


def fails(_: str) -> str:
    """Be down."""
    raise ConnectionError("down")


def test_the_best_one_does_it() -> None:
    """Nobody else is asked, and the result says who and why."""
    agents, asked = registry(), list[str]()

    def other(prompt: str) -> str:
        asked.append(prompt)
        return "late"

    done = agents.dispatch_sync(
        "sum", QUERY, agents={"bob": other, "ann": lambda task: f"{task} up"}
    )
    assert (done.answer, done.agent_id) == ("sum up", "ann")
    assert done.why == "1.00 = 2/2 tags (nlp, text) × healthy 1.0"
    assert not asked
    assert repr(done) == f"<DispatchResult 'ann': {done.why}>"


def test_an_agent_is_asked_once() -> None:
    """For what it does best, whatever else of it fits."""
    agents, asked = al.AgentRegistry(60, clock=FakeClock()), list[str]()
    able = [al.Capability("well", tags=["nlp", "text"]), al.Capability("badly", tags=["nlp"])]
    agents.register_sync(al.AgentAdvertisement("ann", "", able))

    def breaks(prompt: str) -> str:
        asked.append(prompt)
        raise ConnectionError

    with pytest.raises(DispatchFailed) as caught:
        agents.dispatch_sync("sum", QUERY, agents={"ann": breaks})
    assert [each.capability for each in caught.value.attempts] == ["well"]
    assert asked == ["sum"]


def test_the_next_one_does_it() -> None:
    """Who fails is passed over and degraded until its next heartbeat; who is not there, skipped."""
    agents = registry()
    done = agents.dispatch_sync("sum", QUERY, agents={"ann": fails, "cy": lambda _: "by cy"})

    assert [(each.agent_id, each.ok) for each in done.attempts] == [("ann", False), ("cy", True)]
    assert done.attempts[0].error == "ConnectionError: down"
    assert done.attempts[0].error_kind == "transient"
    assert (done.agent_id, done.answer) == ("cy", "by cy")
    assert agents.get("ann").health is al.AgentHealth.Degraded  # type: ignore[union-attr]
    found = agents.query_sync(QUERY)
    assert [each.agent_id for each in found] == ["bob", "ann", "cy"]
    agents.heartbeat_sync("ann")
    assert agents.query_sync(QUERY)[0].agent_id == "ann"


def test_nobody_is_blamed_where_that_is_not_wanted() -> None:
    """The registry stays as it was."""
    agents = registry()
    done = agents.dispatch_sync(
        "sum", QUERY, agents={"ann": fails, "bob": lambda _: "ok"}, blame=False
    )

    assert done.agent_id == "bob"
    assert agents.get("ann").health is al.AgentHealth.Healthy  # type: ignore[union-attr]


def test_all_kinds_of_agents() -> None:
    """A runtime, a strategy, a model, a function, and ``infer`` for whoever is left."""

    class Plain:
        strategy_name = "plain"

        async def __call__(self, run: Run, goal: str, /) -> Outcome:
            return Outcome(f"{run.agent} on {goal}")

    agents = registry()
    kinds: dict[str, Any] = {
        "by a runtime": al.AgentRuntime(al.ScriptedModel(DONE)),
        "ann on sum": Plain(),
        "by a model": al.ScriptedModel("by a model"),
        "by a function": lambda _: "by a function",
    }
    for answer, kind in kinds.items():
        assert agents.dispatch_sync("sum", QUERY, agents={"ann": kind}).answer == answer
    done = agents.dispatch_sync("sum", QUERY, lambda who, prompt: f"{who}: {prompt}")
    assert done.answer == "ann: sum"
    ours = {"ann": fails}
    assert agents.dispatch_sync("sum", QUERY, lambda who, _: who, agents=ours).answer == "bob"
    borrows = al.AgentRuntime()
    done = agents.dispatch_sync("sum", QUERY, lambda _who, _prompt: DONE, agents={"bob": borrows})
    assert done.agent_id == "bob"
    assert done.answer == "by a runtime"


def test_one_tree() -> None:
    """As a strategy of a runtime each attempt is a run below, and a step of the session."""
    runtime = al.AgentRuntime(al.ScriptedModel(DONE))
    dispatch = registry().dispatcher(QUERY, agents={"ann": fails, "bob": runtime})
    session = al.AgentRuntime(al.ScriptedModel("unused")).run_sync("sum", strategy=dispatch)

    assert session.final_answer() == "by a runtime"
    assert [step.action for step in session.steps] == ["ann", "bob"]
    assert [step.error_kind for step in session.steps] == ["transient", None]
    assert [child.agent_id for child in session.children] == ["ann", "bob"]
    assert [child.stop_reason for child in session.children] == ["error", "final_answer"]
    assert isinstance(session.result, DispatchResult)
    assert session.trace is session.result.trace
    told = [entry.event for entry in session.trace.entries] if session.trace else []
    started = sum(isinstance(event, RunStarted) for event in told)
    assert started == sum(isinstance(event, RunEnded) for event in told) == 3


def test_all_fail() -> None:
    """The error says who tried and what went wrong, and carries the session so far."""
    agents, lost = registry(), al.ScriptedModel(*["Thought: t\nAction: none {}"] * 9)
    never = al.AgentRuntime(lost, max_iterations=2)
    with pytest.raises(DispatchFailed, match="'ann': ConnectionError: down; 'bob': max") as caught:
        agents.dispatch_sync("sum", QUERY, agents={"ann": fails, "bob": never})

    assert [each.agent_id for each in caught.value.attempts] == ["ann", "bob"]
    assert caught.value.kind == "transient"
    assert caught.value.session is not None
    assert caught.value.session.step_count() == 2
    with pytest.raises(DispatchFailed) as caught:
        agents.dispatch_sync("sum", QUERY, agents={"bob": never})
    assert caught.value.kind == "permanent"


def test_nobody_fits() -> None:
    """That is an error of the kind not_found, and nobody was asked."""
    agents = registry()
    query = al.CapabilityQuery(["baking"])
    with pytest.raises(DispatchFailed, match="no agent fits that can be reached") as caught:
        agents.dispatch_sync("sum", query, lambda who, _: who)
    assert (caught.value.kind, caught.value.attempts) == ("not_found", [])
    with pytest.raises(DispatchFailed, match="no agent fits"):
        agents.dispatch_sync("sum", QUERY, agents={"dee": lambda _: "x"})


def test_limits() -> None:
    """So many may try, each for so long."""

    async def slow(_: str) -> str:
        await asyncio.sleep(30)
        return "late"

    agents = registry()
    with pytest.raises(DispatchFailed, match=r"'ann': ConnectionError: down$"):
        agents.dispatch_sync("s", QUERY, agents={"ann": fails, "bob": str.upper}, max_attempts=1)
    agents.heartbeat_sync("ann")
    done = agents.dispatch_sync("s", QUERY, agents={"ann": slow, "bob": str.upper}, timeout_s=0.05)
    assert (done.agent_id, done.attempts[0].error) == ("bob", "loop timeout after 50 ms")
    assert done.attempts[0].error_kind == "transient"


def test_stopping() -> None:
    """It ends all of it: nobody else is asked, and nobody is blamed."""
    agents, asked, began = registry(), list[str](), list[asyncio.Event]()

    async def infer(who: str, _: str) -> str:
        asked.append(who)
        began[0].set()
        await asyncio.sleep(30)
        return "late"

    async def play() -> al.AgentSession:
        began.append(asyncio.Event())
        runtime = al.AgentRuntime(al.ScriptedModel("unused"))
        handle = runtime.start("sum", strategy=agents.dispatcher(QUERY, infer))
        await began[0].wait()
        handle.stop()
        return await handle

    assert asyncio.run(play()).stop_reason == "stopped"
    assert asked == ["ann"]
    assert agents.get("ann").health is al.AgentHealth.Healthy  # type: ignore[union-attr]


def test_personas_reach_whoever_does_it() -> None:
    """A child without a persona of its own has that of the runtime that dispatches."""
    seen: list[str] = []

    def infer(_who: str, prompt: str) -> str:
        seen.append(prompt)
        return "done"

    runtime = al.AgentRuntime(al.ScriptedModel("unused"))
    with runtime.with_persona("critic"):
        runtime.run_sync("sum", strategy=registry().dispatcher(QUERY, infer))
    assert "Tone: concise" in seen[0]
    assert seen[0].endswith("\n\nsum")


def test_plain_forms() -> None:
    """A result goes through JSON and comes back equal; a frame has a row an attempt."""
    done = registry().dispatch_sync("s", QUERY, agents={"ann": fails, "bob": str.upper})

    assert DispatchResult.from_dict(done.to_dict()) == done
    assert list(done.to_frame()["agent_id"]) == ["ann", "bob"]
    with pytest.raises(InvalidValue, match="not the data of a DispatchResult"):
        DispatchResult.from_dict({"task": "s"})


def test_arguments() -> None:
    """Somebody must be there to do it."""
    agents = registry()
    with pytest.raises(NotConfigured, match="missing 'agents'"):
        agents.dispatch_sync("s", QUERY)
    with pytest.raises(InvalidValue, match="agents must be a mapping"):
        agents.dispatch_sync("s", QUERY, agents=["ann"])  # type: ignore[arg-type]
    with pytest.raises(InvalidValue, match="max_attempts must be >= 1"):
        agents.dispatcher(QUERY, agents={"ann": len}, max_attempts=0)
    with pytest.raises(InvalidValue, match="not a model"):
        agents.dispatcher(QUERY, agents={"ann": 3})
