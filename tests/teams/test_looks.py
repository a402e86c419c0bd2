"""How what many agents make is seen: cards, frames and pictures say the same as the values."""

from __future__ import annotations

from typing import Any

import pytest

import agentlab as al
from agentlab.core.trace import Trace
from agentlab.teams.bus import AgentBus
from agentlab.teams.debate_config import ArgumentRow
from agentlab.teams.messages import AgentMessage, AgentTarget, BusRow
from agentlab.teams.swarm_config import SubTaskResult
from agentlab.teams.team_result import TeamRow
from agentlab.teams.tournament import Match
from tests.display.things import Reader

SIDES = [al.DebaterPosition("Alice", "for"), al.DebaterPosition("Bob", "against")]


def infer(agent: str, prompt: str) -> str:
    """Answer, or judge."""
    if agent == "broken":
        raise ConnectionError("down")
    if prompt.startswith("You judge"):
        return "0.9" if agent == "Bob" else "0.25"
    return f"{agent} says so"


def team(**how: Any) -> al.TeamResult:
    """Let a team work, one of which fails."""
    config = al.TeamConfig(al.AgentTeam("lead", ["ann", "broken"], "Severity?"), **how)
    return al.TeamOrchestrator(config).run_sync(infer)


def debate() -> al.DebateSession:
    """Hold a debate."""
    return al.DebateOrchestrator(al.DebateConfig("Tabs?", SIDES)).run_sync(infer)


def test_the_card_of_a_team() -> None:
    """The answer first, then who heard whom and who said what; failures say why."""
    html = team().to_html()
    text = Reader(html).line
    place = 0
    for part in (
        "team", "Severity?", "star · parallel", "3 agents, 1 failed", "1 round", "2 messages",
        "answer", "lead says so", "result.to_frame()", "ann", "member",
        "failed: ConnectionError: down",
    ):  # fmt: skip
        place = text.index(part, place) + len(part)
    assert html.count("<circle") == 3
    assert "ann to lead 1" in html
    voted = Reader(team(consensus="majority").to_html()).line
    assert "1 of 2 votes" in voted or "a tie" in voted


def test_the_card_of_a_swarm() -> None:
    """Who did what, and what was not needed any more, and why."""
    agents = ["ann", "broken"]
    text = Reader(
        al.SwarmOrchestrator().run_swarm_sync("a, b", infer, agents=agents).to_html()
    ).line
    for part in ("1 of 2", "2 subtasks", "1 failed", "ann a → ann says so", "broken b →", "down"):
        assert part in text


def test_the_card_of_a_debate() -> None:
    """Who won by how much, what it came to, and each argument with its scores and its speaker."""
    text = Reader(debate().to_html()).line
    place = 0
    for part in (
        "debate", "Tabs?", "Alice wins 1.80 : 0.50", "9 calls", "synthesis", "Alice", "for", "Bob",
        "against", "round 1 · opening", "Alice: Alice says so", "0.90 from Bob", "Bob: Bob says so",
        "0.25 from Alice", "round 2 · rebuttal",
    ):  # fmt: skip
        place = text.index(part, place) + len(part)


def test_the_card_of_a_bus() -> None:
    """Who listens in which roles, who is behind, and what was said last."""
    bus = AgentBus(2)
    readers = [bus.subscribe("ann", "writer"), bus.subscribe("bob")]
    for i in range(3):
        bus.send(AgentMessage("bob", AgentTarget.Specific("ann"), f"message {i}"))
    text = Reader(bus.to_html()).line
    for part in ("2 subscribers", "some lag", "3 messages", "1 role", "1 lost", "writer",
                 "agent:ann", "message 2"):  # fmt: skip
        assert part in text
    assert len(readers) == 2
    assert repr(bus) == "<AgentBus 2 subscribers, 3 sent>"


def test_frames() -> None:
    """A row an agent, a subtask, an argument, a message, a debate as each debater saw it."""
    bus = AgentBus(2)
    reader = bus.subscribe("ann")
    bus.send(AgentMessage("bob", AgentTarget.Broadcast, "hello"))
    held = al.tournament_sync("?", ["Alice", "Bob"], infer=infer, rounds=1)
    swarm = al.SwarmOrchestrator().run_swarm_sync("a, b", infer, agents=["ann"])
    for thing, kind, rows in (
        (team(), TeamRow, 3), (swarm, SubTaskResult, 2), (debate(), ArgumentRow, 4),
        (bus, BusRow, 1), (held, Match, 4),
    ):  # fmt: skip
        frame = thing.to_frame()
        assert list(frame.columns) == list(kind.__struct_fields__)
        assert len(frame) == rows
    assert debate().to_frame().groupby("debater")["score"].sum().to_dict() == {
        "Alice": pytest.approx(1.8), "Bob": pytest.approx(0.5),
    }  # fmt: skip
    assert reader.try_recv() is not None


def test_pictures() -> None:
    """Scores by round, a line a debater; standings with their intervals."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    ax = debate().plot()
    assert [line.get_label() for line in ax.get_lines()] == ["Alice", "Bob"]
    heights: Any = ax.get_lines()[0].get_ydata()
    assert list(heights) == [0.9, 0.9]
    assert ax.get_title(loc="left") == "Alice wins"
    held = al.tournament_sync("?", ["Alice", "Bob"], infer=infer, rounds=1)
    names = [label.get_text() for label in held.plot().get_yticklabels()]
    assert names == [each.debater for each in held.standings] == ["Alice", "Bob"]
    pyplot.close("all")


def test_the_session_of_a_team_is_seen_as_one() -> None:
    """A row a turn, and each agent's run below it, with its own answer."""
    config = al.TeamConfig(al.AgentTeam("lead", ["ann"], "Severity?"))
    session = al.AgentRuntime().run_sync("Which?", strategy=al.TeamStrategy(config, infer))
    text = Reader(session.to_html()).line

    assert "2 runs below it" in text
    assert "ann, round 1" in text
    assert isinstance(session.trace, Trace)
    assert {span.name for span in session.trace.spans() if span.kind == "run"} == {
        "agent", "ann", "lead",
    }  # fmt: skip


def test_a_recorded_team_is_replayed(tmp_path: Any) -> None:
    """Also if its members answer in another order then."""
    config = al.TeamConfig(al.AgentTeam("lead", ["ann", "bob"], "Severity?"))
    lab = al.record(al.AgentRuntime(), tmp_path / "team.jsonl")
    said = lab.run_team_sync(config, infer)
    again = al.replay(al.AgentRuntime(), tmp_path / "team.jsonl")

    def silent(agent: str, prompt: str) -> str:
        raise AssertionError(agent, prompt)

    assert again.run_team_sync(config, silent).agent_answers == said.agent_answers


def test_a_team_has_its_time() -> None:
    """The deadline of the whole run ends it, and every agent with it."""
    import asyncio

    async def slow(_agent: str, _prompt: str) -> str:
        await asyncio.sleep(60)
        return ""

    how = al.AgentConfig(3, "stub", loop_timeout_ms=30)
    config = al.TeamConfig(al.AgentTeam("lead", ["ann"], "Severity?"))
    with pytest.raises(al.AgentLoopError, match="loop timeout after 30 ms") as raised:
        al.AgentRuntime(config=how).run_team_sync(config, slow)
    assert raised.value.session is not None
    assert raised.value.session.stop_reason == "timeout"
