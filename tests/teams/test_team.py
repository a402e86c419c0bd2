"""Teams: who is asked what, who hears whom, and how many answers become one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import agentlab as al
from agentlab.core.chart import Charts
from agentlab.core.events import Phase, RunEnded, Said
from agentlab.core.run import Run
from agentlab.teams.team_config import normalised
from agentlab.teams.team_result import decided
from tests.teams.playing import Timed, in_loop

Star, Mesh, Ring = al.CommunicationTopology
Parallel, Majority, Pipeline = al.ConsensusStrategy


def team(*members: str, **how: Any) -> al.TeamConfig:
    """Give a team of a leader and some members."""
    return al.TeamConfig(al.AgentTeam("leader", members, "Severity?"), **how)


def says(answers: dict[str, Any]) -> Any:
    """Give an ``infer`` that says what it is told to, or raises it; of a list one each time."""

    def infer(agent: str, _: str) -> str:
        answer = answers[agent]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    return infer


def lab() -> al.AgentRuntime:
    """Give a runtime without a model."""
    return al.AgentRuntime.quick(3, "none")


def test_w35_1() -> None:
    """Two reports and a synthesis: three calls, three messages, one round."""
    asked = list[tuple[str, str]]()

    def infer(agent: str, prompt: str) -> str:
        asked.append((agent, prompt))
        return f"{agent}: severity=high (stubbed)"

    result = lab().run_team_sync(team("m1", "m2", max_rounds=3), infer)

    assert result.final_answer == result.answer == "leader: severity=high (stubbed)"
    assert (len(asked), result.messages_exchanged, result.rounds_completed) == (3, 3, 1)
    prompts = dict(asked)
    assert prompts["m1"] == "[Team task] Severity?\n[Your role] member"
    assert prompts["leader"] == (
        "[Team task] Severity?\n[Your role] leader\n[Member answers]\n"
        "- m1: m1: severity=high (stubbed)\n- m2: m2: severity=high (stubbed)"
    )
    assert result.consensus_used is Parallel
    assert result.topology_used is Star
    assert result.all_answered()


def test_w35_2() -> None:
    """The majority decides."""
    votes = says({"leader": "yes", "m1": "no", "m2": "yes"})
    result = al.TeamOrchestrator(team("m1", "m2").with_consensus(Majority)).run_sync(votes)

    assert (result.final_answer, result.votes, result.tie) == ("yes", {"yes": 2, "no": 1}, False)


def test_w35_3() -> None:
    """A leader alone answers itself, and tells nobody."""
    for consensus in al.ConsensusStrategy:
        for topology in al.CommunicationTopology:
            config = team(consensus=consensus, topology=topology)
            result = al.TeamOrchestrator(config).run_sync(says({"leader": "mine"}))
            assert (result.final_answer, result.messages_exchanged) == ("mine", 0)


def test_w35_4() -> None:
    """In a ring of three each tells the next."""
    config = team("m1", "m2", topology=Ring, consensus=Majority)
    result = al.TeamOrchestrator(config).run_sync(lambda agent, _: agent)

    assert result.messages_exchanged == 3
    assert result.links() == {("leader", "m1"): 1, ("m1", "m2"): 1, ("m2", "leader"): 1}


def test_a_tie_goes_to_the_leader() -> None:
    """If its option is among the best; else to the earliest. Spellings do not matter."""
    infer = says({"leader": "NO", "m1": " Yes. ", "m2": "yes", "m3": "no."})
    config = team("m1", "m2", "m3", consensus=Majority)
    result = al.TeamOrchestrator(config).run_sync(infer)
    assert (result.final_answer, result.tie) == ("NO", True)
    assert result.votes == {"NO": 2, " Yes. ": 2}

    infer = says({"leader": "c", "m1": "b", "m2": "a", "m3": "b", "m4": "a"})
    result = al.TeamOrchestrator(team("m1", "m2", "m3", "m4", consensus=Majority)).run_sync(infer)
    assert (result.final_answer, result.tie) == ("b", True)


def test_what_counts_as_the_same() -> None:
    """Can be said: here the first letter."""
    infer = says({"leader": "abc", "m1": "axe", "m2": "b"})
    config = team("m1", "m2", consensus=Majority, key=lambda answer: answer[0])
    result = al.TeamOrchestrator(config).run_sync(infer)

    assert result.votes == {"abc": 2, "b": 1}
    assert normalised("  Cafe\u0301  au lait. ") == "caf\u00e9 au lait"


def test_a_pipeline_ends_with_the_leader() -> None:
    """Each goes on from the one before, the first from the task."""
    infer = Timed()
    config = team("m1", "m2", consensus=Pipeline)
    result = al.TeamOrchestrator(config).run_sync(infer)

    assert [agent for agent, _ in infer.asked] == ["m1", "m2", "leader"]
    assert infer.prompts("m1")[0].endswith("[Previous context] Severity?")
    assert infer.prompts("m2")[0].endswith(f"[Previous context] {result.agent_answers['m1']}")
    assert infer.prompts("leader")[0].endswith(f"context] {result.agent_answers['m2']}")
    assert result.final_answer == result.agent_answers["leader"]
    assert infer.most == 1


@in_loop
async def test_members_overlap_in_time() -> None:
    """All members work at once; the leader when all are done."""
    infer = Timed(lambda _agent, _prompt: 3)
    await al.TeamOrchestrator(team("a", "b", "c", "d")).run(infer)

    assert infer.most == 4
    assert infer.asked[-1][0] == "leader"


@pytest.mark.parametrize("topology", al.CommunicationTopology)
def test_several_rounds(topology: al.CommunicationTopology) -> None:
    """From the second round on everybody is told what was routed to them, and no more."""
    prompts = dict[str, list[str]]()

    def infer(agent: str, prompt: str) -> str:
        prompts.setdefault(agent, []).append(prompt)
        return f"{agent}{len(prompts[agent])}"

    config = team("m1", "m2", topology=topology, consensus=Majority, multi_round=True, max_rounds=3)
    result = al.TeamOrchestrator(config).run_sync(infer)

    heard = {
        Star: {"leader": "- m1: m11\n- m2: m21", "m1": "- leader: leader1"},
        Mesh: {"leader": "- m1: m11\n- m2: m21", "m1": "- leader: leader1\n- m2: m21"},
        Ring: {"leader": "- m2: m21", "m1": "- leader: leader1"},
    }[topology]
    assert result.rounds_completed == 3
    for agent, told in heard.items():
        assert prompts[agent][1].partition("[Messages]\n")[2] == told
    assert "[Messages]" not in prompts["m1"][0]


def test_rounds_end_early() -> None:
    """When nobody changes an answer, or most agree; ``max_rounds`` alone repeats nothing."""
    quiet = team("m1", "m2", multi_round=True, max_rounds=9)
    assert al.TeamOrchestrator(quiet).run_sync(lambda agent, _: agent).rounds_completed == 2
    votes = says({"leader": ["a", "b"], "m1": ["c", "b"], "m2": "d"})
    agreed = team("m1", "m2", multi_round=True, max_rounds=9, consensus=Majority)
    result = al.TeamOrchestrator(agreed).run_sync(votes)

    assert (result.rounds_completed, result.final_answer) == (2, "b")
    assert result.answers_in(1) == {"leader": "a", "m1": "c", "m2": "d"}


def test_the_ring_hears_the_leader_too() -> None:
    """In ``Parallel`` the synthesis is for everybody, and the leader is always given all."""
    prompts = list[tuple[str, str]]()

    def infer(agent: str, prompt: str) -> str:
        prompts.append((agent, prompt))
        return f"{agent} says {len(prompts)}"

    config = team("m1", "m2", topology=Ring, multi_round=True, max_rounds=2)
    result = al.TeamOrchestrator(config).run_sync(infer)
    second = [prompt for agent, prompt in prompts if agent == "m2"][1]

    assert "- leader: " in second
    assert "- m1: " in second
    assert all(f"- {m}: " in prompts[-1][1].partition("[Member answers]")[2] for m in ("m1", "m2"))
    assert result.messages_exchanged == 6


def test_a_failing_agent_is_skipped() -> None:
    """And noted; or it stops all, where that is wanted, with the session so far."""
    infer = says({"leader": "fine", "m1": ConnectionError("down"), "m2": "ok"})
    result = al.TeamOrchestrator(team("m1", "m2")).run_sync(infer)
    assert result.errors == {"m1": "ConnectionError: down"}
    assert result.agent_answers == {"leader": "fine", "m2": "ok"}
    assert not result.all_answered()

    with pytest.raises(ConnectionError) as raised:
        lab().run_team_sync(team("m1", "m2", on_agent_error="raise"), infer)
    assert raised.value.session.stop_reason == "error"  # type: ignore[attr-defined]

    pipeline = team("m1", "m2", consensus=Pipeline)
    broken = says({"leader": ValueError("no"), "m1": "one", "m2": ValueError("no")})
    assert al.TeamOrchestrator(pipeline).run_sync(broken).final_answer == "one"


def test_when_nobody_answers() -> None:
    """It fails; so does a team whose leader has nothing to say at the end."""
    none = says({name: ValueError(f"not {name}") for name in ("leader", "m1")})
    for consensus in al.ConsensusStrategy:
        with pytest.raises(al.OrchestrationError, match="ValueError: not m1"):
            al.TeamOrchestrator(team("m1", consensus=consensus)).run_sync(none)
    silent = says({"leader": KeyError("gone"), "m1": "here"})
    with pytest.raises(KeyError):
        al.TeamOrchestrator(team("m1")).run_sync(silent)


@in_loop
async def test_each_answer_has_its_time() -> None:
    """Who is too slow is skipped, and its run ends for want of time."""

    async def infer(agent: str, _: str) -> str:
        if agent == "m1":
            await asyncio.sleep(60)
        return agent

    result = await al.TeamOrchestrator(team("m1", "m2", timeout_s=0.02)).run(infer)
    assert result.errors == {"m1": "Agent loop error: loop timeout after 20 ms"}
    assert result.trace is not None
    ends = [e.event for e in result.trace.entries if isinstance(e.event, RunEnded)]
    assert [end.stop_reason for end in ends].count("timeout") == 1


def test_what_can_never_be() -> None:
    """Is refused at once, with what was given."""
    with pytest.raises(al.InvalidValue, match="'m1' is there twice"):
        team("m1", "m1")
    with pytest.raises(al.InvalidValue, match="'leader' is there twice"):
        team("leader")
    with pytest.raises(al.InvalidValue, match="members must be several ids, got 'ab'"):
        al.AgentTeam("a", "ab", "")
    for wrong in ({"max_rounds": 0}, {"topology": "line"}, {"on_agent_error": "cry"},
                  {"timeout_s": 0}, {"roles": {"who": "x"}}, {"key": 3}):  # fmt: skip
        with pytest.raises(al.InvalidValue):
            team("m1", **wrong)
    with pytest.raises(al.InvalidValue, match=r"'m2'.*did you mean 'm1'"):
        al.TeamStrategy(team("m1"), agents={"m2": len})
    with pytest.raises(al.NotConfigured, match="m1"):
        al.TeamOrchestrator(team("m1")).run_sync(agents={"leader": len})


def test_builders() -> None:
    """Each gives a changed copy."""
    config = team("m1").with_topology(Ring).with_consensus(Majority).with_max_rounds(2)
    config = config.with_bus_capacity(9).with_role("m1", "critic")

    assert (config.topology, config.consensus, config.max_rounds) == (Ring, Majority, 2)
    assert (config.bus_capacity, config.role_for("m1")) == (9, "critic")
    assert config.role_for("leader") == "leader"
    group = config.team
    assert (group.size(), group.contains("m1"), group.contains("x")) == (2, True, False)
    assert (group.member_at(0), group.member_at(1), group.is_solo()) == ("m1", None, False)


def test_agents_of_all_kinds() -> None:
    """A member may be a runtime, a debate, a model or a function; each has its own session."""
    inner = al.AgentRuntime(al.ScriptedModel("Thought: t\nAction: FINAL_ANSWER 42"))
    sides = [al.DebaterPosition("x", "for"), al.DebaterPosition("y", "against")]
    debate = al.DebateStrategy(al.DebateConfig("?", sides, 1), lambda agent, _: f"{agent} 0.5")
    model = al.ScriptedModel("from a script")
    agents = {"r": inner, "d": debate, "m": model, "f": lambda prompt: prompt[:11]}
    outer = al.AgentRuntime(al.ScriptedModel("from the runtime's own"))
    session = outer.run_sync("Which?", strategy=al.TeamStrategy(team(*agents), agents=agents))
    result = session.result

    assert isinstance(result, al.TeamResult)
    assert result.task == session.prompt == "Which?"
    assert result.agent_answers == {
        "leader": "from the runtime's own", "r": "42", "d": "moderator 0.5",
        "m": "from a script", "f": "[Team task]",
    }  # fmt: skip
    assert session.answer == result.answer
    assert {child.agent_id: child.answer for child in session.children} == result.agent_answers
    below = next(child for child in session.children if child.agent_id == "d")
    assert len(below.children) == 5
    assert session.trace is not None
    assert session.trace is result.trace
    again = al.AgentSession.from_trace(session.trace.entries)
    assert again == session


def test_it_is_all_on_the_trace() -> None:
    """Messages, rounds, how far each agent is; and an agent's tokens under its own run."""
    result = lab().run_team_sync(team("m1", "m2", topology=Mesh), lambda agent, _: agent)
    assert result.trace is not None
    entries = result.trace.entries
    root = entries[0].run

    said = [e.event for e in entries if isinstance(e.event, Said)]
    assert len(said) == result.messages_exchanged
    assert [e.event.name for e in entries if isinstance(e.event, Phase)] == [
        "team", "round", "synthesis",
    ]  # fmt: skip
    chart = Charts.of(entries)[root]
    assert chart.plan.shape == "flow"
    assert {node.id: chart.status(node.id) for node in chart.plan.nodes} == dict.fromkeys(
        ("leader", "m1", "m2"), "done"
    )
    told = {e.run for e in entries if e.event.__class__.__name__ == "Token"}
    assert told == {f"{root}/{agent}#1" for agent in ("m1", "m2", "leader")}


def test_results_go_through_json() -> None:
    """And come back equal, without their trace; so do copies by pickle."""
    import pickle

    result = lab().run_team_sync(team("m1", consensus=Majority), lambda agent, _: agent)
    assert al.TeamResult.from_dict(result.to_dict()) == result
    copied = pickle.loads(pickle.dumps(result))  # noqa: S301 - our own
    assert (copied, copied.trace) == (result, None)


def test_messages_that_had_no_room() -> None:
    """Are told by a warning; the team goes on."""
    config = team(
        *[f"m{i}" for i in range(5)], topology=Mesh, consensus=Majority, multi_round=True,
        max_rounds=2, bus_capacity=2,
    )  # fmt: skip
    session = lab().run_sync("?", strategy=al.TeamStrategy(config, lambda agent, _: agent))

    assert len(session.warnings) == 6
    assert "m0 missed 3 message(s)" in " ".join(session.warnings)


SIZES = st.integers(0, 6)


@given(
    SIZES, st.sampled_from(list(al.CommunicationTopology)),
    st.sampled_from(list(al.ConsensusStrategy)), st.integers(1, 3), st.randoms(),
)  # fmt: skip
def test_who_hears_whom(
    size: int,
    topology: al.CommunicationTopology,
    consensus: al.ConsensusStrategy,
    rounds: int,
    chance: Any,
) -> None:
    """In any team what is delivered is what its topology says, whoever is quicker."""
    names = ["leader", *[f"m{i}" for i in range(size)]]
    config = team(*names[1:], topology=topology, consensus=consensus, multi_round=True,
                  max_rounds=rounds)  # fmt: skip
    waits = Timed(lambda _agent, _prompt: chance.randrange(5))
    result = al.TeamOrchestrator(config).run_sync(waits)

    expected = dict[tuple[str, str], int]()
    for i, name in enumerate(names):
        others = [each for each in names if each != name]
        targets = {
            Star: others if name == "leader" else ["leader"],
            Mesh: others,
            Ring: [names[(i + 1) % len(names)]] if others else [],
        }[topology]
        if consensus is Parallel and name == "leader":
            targets = others
        for target in targets:
            expected[name, target] = result.rounds_completed
    assert result.links() == expected
    assert sum(len(each.receivers) for each in result.deliveries) == sum(expected.values())
    assert all(turn.answer for turn in result.turns)
    assert [turn.agent for turn in result.turns][: len(names)] == names


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=7))
def test_votes(votes: list[str]) -> None:
    """The winner has the most votes; of several with the most, the leader's, else the earliest."""
    by = {f"a{i}": vote for i, vote in enumerate(votes)}
    winner, counts, tie = decided(by, "a0")
    best = [
        each for each in dict.fromkeys(votes) if votes.count(each) == max(map(votes.count, votes))
    ]

    assert by[winner] == best[0]  # the leader is the earliest of all
    assert sum(counts.values()) == len(votes)
    assert tie == (len(best) > 1)


@pytest.mark.parametrize("moves", range(0, 40, 2))
def test_cancelled_at_any_moment(moves: int) -> None:
    """No task is left, nobody goes on answering, and every run that began has an end."""

    async def play() -> None:
        infer = Timed(lambda _agent, _prompt: 3)
        strategy = al.TeamStrategy(team("a", "b", "c", consensus=Majority), infer)
        handle = al.AgentRuntime(al.ScriptedModel()).start("?", strategy=strategy)
        for _ in range(moves):
            await asyncio.sleep(0)
        handle.stop()
        session = await handle
        assert session.stop_reason in ("stopped", "final_answer")
        assert infer.open == 0
        kinds = [type(entry.event).__name__ for entry in handle.trace.entries]
        assert kinds.count("RunStarted") == kinds.count("RunEnded")
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(play())


def test_strategies_that_bring_no_model() -> None:
    """What answers the run answers for agents that are strategies of their own."""

    class Asks:
        strategy_name = "asks"

        async def __call__(self, run: Run, goal: str, /) -> str:
            return (await run.ask(goal)).text

    model = al.FunctionModel(lambda agent, _: f"{agent} says", with_agent=True)
    strategy = al.TeamStrategy(team("ann"), agents={"leader": Asks(), "ann": Asks()})
    result = al.AgentRuntime(model).run_sync("?", strategy=strategy).result
    assert isinstance(result, al.TeamResult)
    assert result.agent_answers == {"leader": "leader says", "ann": "ann says"}


def test_two_loops() -> None:
    """One strategy, and one runtime, serve this loop and another in turn."""
    runtime, config = lab(), team("m1", "m2")

    async def play() -> list[al.TeamResult]:
        first = await runtime.run_team(config, lambda agent, _: agent)
        second = runtime.run_team_sync(config, lambda agent, _: agent)
        third = await runtime.run_team(config, lambda agent, _: agent)
        return [first, second, third]

    results = asyncio.run(play())
    assert {result.final_answer for result in results} == {"leader"}
