"""Runtimes and other strategies as members: one run each, with what each of them brings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

import agentlab as al
from agentlab.core.events import Entry, RunStarted, Warned
from agentlab.core.protocols import Chunk, Request
from agentlab.core.run import Run
from agentlab.strategies.react import ReAct
from agentlab.strategies.workflow.steps import Task
from agentlab.teams.team import TeamOrchestrator, TeamStrategy
from agentlab.teams.team_config import AgentTeam, ConsensusStrategy, TeamConfig
from agentlab.teams.team_result import TeamResult

DONE = "Thought: t\nAction: FINAL_ANSWER yes"
VOTE = TeamConfig(AgentTeam("lead", ["ann"], "Well?"), consensus=ConsensusStrategy.Majority)


class Slow:
    """A model that never answers."""

    async def stream(self, request: Request, /) -> AsyncIterator[Chunk]:
        """Wait."""
        await asyncio.sleep(60)
        yield Chunk(request.prompt)


def paths(entries: list[Entry]) -> list[str]:
    """List the places of the runs that began, below the root."""
    began = [entry.run for entry in entries if isinstance(entry.event, RunStarted)]
    return [run.partition("/")[2] for run in began]


def entries_of(result: TeamResult) -> list[Entry]:
    """Give what was said."""
    assert result.trace is not None
    return result.trace.entries


def test_a_runtime_is_one_run() -> None:
    """It is named after the member, with the session of that id, and its agent is the member."""
    heard = list[Entry]()
    mine = al.AgentRuntime(al.ScriptedModel(DONE), sinks=[heard.append])
    result = TeamOrchestrator(VOTE).run_sync(lambda _who, _prompt: "no", agents={"ann": mine})

    assert result.agent_answers == {"lead": "no", "ann": "yes"}
    assert paths(entries_of(result)) == ["", "lead#1", "ann#1"]
    assert {entry.run.partition("/")[2] for entry in heard} == {"ann#1"}
    began = next(entry.event for entry in heard if isinstance(entry.event, RunStarted))
    assert (began.agent, began.strategy) == ("ann", "react")


def test_a_runtime_as_a_step_is_one_run() -> None:
    """It goes by the name of the step."""
    mine = al.AgentRuntime(al.ScriptedModel(DONE))
    flow = al.Workflow("w", [Task("ask them", "Well?", strategy=mine)])
    session = al.AgentRuntime(al.ScriptedModel("unused")).run_sync("w", strategy=flow)

    assert [child.agent_id for child in session.children] == ["ask-them"]
    assert not session.children[0].children


def test_a_runtime_that_is_called_is_one_run_below() -> None:
    """Its id is a child's of the run that calls it."""
    mine = al.AgentRuntime(al.ScriptedModel(DONE))

    class Calls:
        strategy_name = "calls"

        async def __call__(self, run: Run, goal: str, /) -> Any:
            return await mine(run, goal)

    session = al.AgentRuntime(al.ScriptedModel("unused")).run_sync("w", strategy=Calls())
    assert [child.agent_id for child in session.children] == ["agent"]
    assert not session.children[0].children


def test_time_is_up_for_a_runtime_too() -> None:
    """The team's limit is its limit, and the shorter one of both counts."""
    short = TeamConfig(VOTE.team, consensus="majority", timeout_s=0.05)  # type: ignore[arg-type]
    patient = al.AgentRuntime(Slow())
    result = TeamOrchestrator(short).run_sync(lambda *_: "no", agents={"ann": patient})
    assert result.errors == {"ann": "Agent loop error: loop timeout after 50 ms"}

    long = TeamConfig(VOTE.team, consensus="majority", timeout_s=30)  # type: ignore[arg-type]
    hasty = al.AgentRuntime(Slow(), config=al.AgentConfig(3, "slow", loop_timeout_ms=40))
    result = TeamOrchestrator(long).run_sync(lambda *_: "no", agents={"ann": hasty})
    assert result.errors == {"ann": "Agent loop error: loop timeout after 40 ms"}


def test_a_strategy_asks_what_answers_for_the_team() -> None:
    """An agent without a model is answered by the team's ``infer``, whatever runs the team."""
    team = TeamStrategy(VOTE, lambda *_: DONE, agents={"ann": ReAct(), "lead": al.AgentRuntime()})
    session = al.AgentRuntime().run_sync("Well?", strategy=team)
    assert isinstance(session.result, TeamResult)
    assert session.result.agent_answers == {"lead": "yes", "ann": "yes"}


def test_a_team_of_strategies_asks_the_runtime() -> None:
    """All are named in ``agents``, and none brings a model: the runtime's answers."""
    mine = al.AgentRuntime(al.ScriptedModel(DONE, DONE))
    result = mine.run_team_sync(VOTE, agents={"ann": ReAct(), "lead": ReAct()})
    assert result.agent_answers == {"lead": "yes", "ann": "yes"}


def test_a_seed_reaches_a_runtime() -> None:
    """The seed of the run above counts where a member has none of its own."""
    seeds = list[Any]()

    class Seeded:
        async def stream(self, request: Request, /) -> AsyncIterator[Chunk]:
            seeds.append(request.options.get("seed"))
            yield Chunk(DONE)

    plain, own = al.AgentRuntime(Seeded()), al.AgentConfig(3, "m", seed=5)
    above = al.AgentRuntime(Seeded(), config=al.AgentConfig(3, "m", seed=7))
    above.run_team_sync(VOTE, agents={"ann": plain, "lead": al.AgentRuntime(Seeded(), config=own)})
    assert sorted(seeds) == [5, 7]


@pytest.mark.parametrize("many", [3, 40])
def test_many_runtimes_cost_a_trace_no_listeners(many: int) -> None:
    """Each hears of its own run, through one listener of the trace for all of them."""
    most, names = list[int](), [f"a{n}" for n in range(many)]
    runtimes = {name: al.AgentRuntime(al.ScriptedModel(DONE)) for name in names}

    class Looks:
        strategy_name = "looks"

        async def __call__(self, run: Run, goal: str, /) -> Any:
            config = TeamConfig(AgentTeam("lead", names, goal), consensus="majority")  # type: ignore[arg-type]
            watch = lambda _: most.append(len(run.trace._listeners))  # noqa: E731, SLF001
            run.trace.attach(watch)
            return await TeamStrategy(config, lambda *_: "yes", agents=runtimes)(run, goal)

    al.AgentRuntime(al.ScriptedModel("unused")).run_sync("Well?", strategy=Looks())
    assert max(most) <= 8
    assert [each.metrics().total_steps() for each in runtimes.values()] == [1] * many


def test_a_sink_of_a_member_that_fails() -> None:
    """It hears no more, which is told, and neither its run nor the others' suffer."""
    heard, others = list[Entry](), list[Entry]()

    def breaks(entry: Entry) -> None:
        heard.append(entry)
        raise ZeroDivisionError

    agents = {
        "ann": al.AgentRuntime(al.ScriptedModel(DONE), sinks=[breaks]),
        "lead": al.AgentRuntime(al.ScriptedModel(DONE), sinks=[others.append]),
    }
    result = TeamOrchestrator(VOTE).run_sync(agents=agents)
    assert result.agent_answers == {"lead": "yes", "ann": "yes"}
    assert len(heard) == 1
    assert len(others) > 5
    told = [each.event.text for each in entries_of(result) if isinstance(each.event, Warned)]
    assert len(told) == 1
    assert told[0].endswith("breaks failed and was detached: ZeroDivisionError: ")
