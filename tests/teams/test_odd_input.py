"""What is no team, swarm, debate, message or mapping of agents is refused with its value."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import agentlab as al
from agentlab.core.errors import InvalidValue
from agentlab.teams.debate import DebateOrchestrator, DebateStrategy
from agentlab.teams.debate_config import DebateConfig, DebaterPosition
from agentlab.teams.swarm import SwarmOrchestrator, SwarmStrategy
from agentlab.teams.swarm_config import AgentSwarm, converge_results
from agentlab.teams.team import TeamOrchestrator, TeamStrategy
from agentlab.teams.team_config import AgentTeam, TeamConfig
from agentlab.teams.tournament import tournament_sync

TEAM = TeamConfig(AgentTeam("lead", ["ann"], "Well?"))
SIDES = [DebaterPosition("ann", "for"), DebaterPosition("bob", "against")]
LOST = "\ud800"


def says(_who: str, _prompt: str) -> str:
    """Say something."""
    return "0.5"


def fails(_who: str, _prompt: str) -> str:
    """Fail with a text that no file can hold."""
    raise ValueError(LOST)


def not_text(odd: Any) -> Any:
    """Give it, but no text, which would be right here."""
    return None if isinstance(odd, str) else odd


@pytest.mark.parametrize("odd", [0, True, 1.5, "text", [3], object(), len])
@pytest.mark.parametrize(
    "takes",
    [
        TeamStrategy,
        TeamOrchestrator,
        DebateStrategy,
        DebateOrchestrator,
        lambda odd: SwarmStrategy(odd, ["ann"]),
        lambda odd: TeamConfig(TEAM.team, roles=odd),
        lambda odd: TeamStrategy(TEAM, says, agents=odd),
        lambda odd: DebateStrategy(DebateConfig("t", SIDES), says, agents=odd),
        lambda odd: DebateConfig("t", odd),
        lambda odd: SwarmOrchestrator().run_swarm_sync("t", says, agents=odd),
        lambda odd: SwarmOrchestrator().add_agent(not_text(odd)),
        lambda odd: AgentSwarm(None, ["ann"]).assign(odd),
        converge_results,
        lambda odd: tournament_sync(not_text(odd), ["a", "b"], infer=says),
        lambda odd: tournament_sync("t", odd, infer=says),
        lambda odd: tournament_sync("t", ["a", "b"], infer=says, sides=odd),
        lambda odd: al.AgentBus(2).send(odd),
        lambda odd: al.AgentBus(2).request_sync(odd, 1),
    ],
)
def test_what_is_of_another_kind(takes: Callable[[Any], Any], odd: Any) -> None:
    """It is refused where it is given, and the message shows it."""
    with pytest.raises(InvalidValue, match="got "):
        takes(odd)


def test_errors_that_no_file_could_hold() -> None:
    """Their text is mended, so that every result can be written down."""
    alone = TeamConfig(AgentTeam("lead", ["ann", "bob"], "t"), consensus="majority")  # type: ignore[arg-type]
    team = TeamOrchestrator(alone).run_sync(says, agents={"ann": lambda _: fails("", "")})
    assert team.errors == {"ann": "ValueError: \ufffd"}
    swarm = SwarmOrchestrator().run_swarm_sync("a and b", fails, agents=["ann"])
    assert swarm.failure_count == 2
    held = DebateConfig("t", SIDES, rounds=1)
    debate = DebateOrchestrator(held).run_sync(says, agents={"ann": lambda _: fails("", "")})
    assert [each.reason for each in debate.score_errors] == ["ValueError: \ufffd"]
    for each in (team, swarm, debate):
        assert json.dumps(each.to_dict(), ensure_ascii=False).encode()
