"""What a page is told of debates, teams and swarms, without a page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

import agentlab as al
from agentlab.core import events
from agentlab.core.events import Entry
from agentlab.core.secrets import scrubber
from agentlab.core.trace import Trace
from agentlab.display.debates import verdict
from agentlab.teams.debate import DebateOrchestrator
from agentlab.teams.debate_config import DebateConfig, DebaterPosition
from agentlab.teams.swarm import SwarmOrchestrator
from agentlab.teams.swarm_config import SwarmConfig
from agentlab.teams.team import TeamOrchestrator, TeamStrategy
from agentlab.teams.team_config import (
    AgentTeam,
    CommunicationTopology,
    ConsensusStrategy,
    TeamConfig,
)
from agentlab.widgets.coalescer import presentable
from agentlab.widgets.company import TAIL, Company
from agentlab.widgets.debating import ALONE, ROUNDS, Debating
from agentlab.widgets.swarming import Swarming
from agentlab.widgets.teaming import AIR, FAILED, Teaming

Infer = Callable[[str, str], str]


def told(fold: Company, entries: Sequence[Entry], every: int = 1) -> dict[str, Any]:
    """Give the cells that a page has when it has heard all, asked for after ``every`` entries."""
    cells = dict[str, Any]()
    for i, entry in enumerate(entries):
        fold.take(entry)
        if i % every == 0 or i == len(entries) - 1:
            cells.update(presentable(fold.news(), scrubber()))
    return {name: cell for name, cell in cells.items() if cell is not None}


def heard(result: Any) -> list[Entry]:
    """Give all that was said."""
    assert result.trace is not None
    return list(result.trace.entries)


def before(entries: Sequence[Entry], kind: str) -> list[Entry]:
    """Give what came before the last entry of a kind."""
    last = max(i for i, each in enumerate(entries) if type(each.event).__name__ == kind)
    return list(entries[:last])


def debate(infer: Any, n: int = 2, rounds: int = 2, **how: Any) -> al.DebateSession:
    """Hold a debate."""
    sides = [DebaterPosition(f"d{i}", f"side {i}") for i in range(n)]
    return DebateOrchestrator(DebateConfig("Tabs?", sides, rounds=rounds, **how)).run_sync(infer)


def argue(agent: str, prompt: str) -> str:
    """Argue, judge or moderate."""
    if prompt.startswith("You judge"):
        return "0.9" if "d0, round" in prompt else "0.3"
    return f"{agent} says so"


def team(infer: Any, *members: str, **how: Any) -> al.TeamResult:
    """Let a team work."""
    made = AgentTeam("lead", members, "Severity?")
    return TeamOrchestrator(TeamConfig(made, **how)).run_sync(infer)


def swarm(infer: Any, task: str, *agents: str, **how: Any) -> al.SwarmResult:
    """Let a swarm work."""
    return SwarmOrchestrator(SwarmConfig(**how)).run_swarm_sync(task, infer, agents=agents)


@pytest.mark.parametrize("every", [1, 7, 10**6])
def test_a_debate_ends_as_its_card_says(every: int) -> None:
    """Arguments, scores, sums, the synthesis and the winner are those of what comes of it."""
    session = debate(argue)
    cells = told(Debating(), heard(session), every)

    assert [each["name"] for each in cells["debaters"]] == ["d0", "d1"]
    assert [each["position"] for each in cells["debaters"]] == ["side 0", "side 1"]
    assert cells["rounds"] == [1, 2]
    assert cells["round2"] == "round 2 · rebuttal"
    for one in session.rounds:
        for i, argument in enumerate(one.arguments):
            said = cells[f"said{one.round}.{i}"]
            assert said == {"text": argument.text, "runs": False, "bad": False}
            ((judge, score),) = argument.peer_scores.items()
            (bit,) = cells[f"judged{one.round}.{i}"]
            assert (bit["text"], bit["bar"]) == (f"{score:.2f} from {judge}", score)
    sums = [f"{session.cumulative_scores[name]:.2f}" for name in ("d0", "d1")]
    assert [each["text"] for each in cells["totals"]] == sums
    assert cells["mod"]["text"] == session.synthesis
    assert cells["title"]["word"] == verdict(session).word
    assert cells["title"]["hue"] == "ok"
    assert cells["going"]["live"] is False
    assert cells["end"]["label"] == "answer"


def test_a_debate_while_it_goes_on() -> None:
    """Who speaks is seen to; what was not yet said has no cell; the header says which round."""
    entries = heard(debate(argue))
    first = next(i for i, each in enumerate(entries) if isinstance(each.event, events.Token))
    cells = told(Debating(), entries[: first + 1])

    assert cells["said1.0"] == {"text": "d0 says so", "runs": True, "bad": False}
    assert "judged1.0" not in cells
    assert "mod" not in cells
    assert cells["title"]["word"].startswith("round 1 · opening")
    assert cells["title"]["hue"] == "run"


def test_a_debater_that_fails() -> None:
    """Why stands in its place, in every round."""

    def infer(agent: str, prompt: str) -> str:
        if agent == "d1" and not prompt.startswith("You judge"):
            raise ConnectionError("no line")
        return argue(agent, prompt)

    cells = told(Debating(), heard(debate(infer)))
    for number in (1, 2):
        assert cells[f"said{number}.1"]["bad"]
        assert "no line" in cells[f"said{number}.1"]["text"]
    assert not cells["said1.0"]["bad"]


def test_many_rounds_and_many_judges() -> None:
    """Only the last rounds are kept, and who is judged by many has one mean."""
    session = debate(argue, n=ALONE + 2, rounds=ROUNDS + 3)
    cells = told(Debating(), heard(session))

    assert cells["rounds"] == list(range(4, ROUNDS + 4))
    assert cells["before"] == "3 earlier rounds: session.trace"
    assert "said3.0" not in cells
    assert "judged3.0" not in cells
    assert [each["text"] for each in cells["judged4.0"]] == [f"0.90 from {ALONE + 1}"]
    assert cells["totals"][0]["text"] == f"{session.cumulative_scores['d0']:.2f}"


def test_a_team_ends_as_its_card_says() -> None:
    """Answers, messages along each edge and votes are those of what comes of it."""

    def infer(agent: str, _: str) -> str:
        return "Medium" if agent == "bob" else "High."

    result = team(
        infer, "ann", "bob", "cid",
        topology=CommunicationTopology.Mesh, consensus=ConsensusStrategy.Majority,
    )  # fmt: skip
    cells = told(Teaming(), heard(result))
    seats = [each["name"] for each in cells["net"]["seats"]]
    links = dict[tuple[str, str], int]()
    for k, way in enumerate(cells["net"]["ways"]):
        a, b = seats[way["a"]], seats[way["b"]]
        links[a, b], links[b, a] = cells[f"load{k}"]["there"], cells[f"load{k}"]["back"]

    assert seats == ["lead", "ann", "bob", "cid"]
    assert links == result.links()
    assert cells["flights"][-1]["no"] == sum(links.values())
    members = [cells[f"member{i}"] for i in range(4)]
    assert [each["said"] for each in members] == list(result.agent_answers.values())
    assert [each["word"] for each in members] == ["answered"] * 4
    hues = [each["hue"] for each in members]
    assert hues[0] == hues[1] == hues[3] != hues[2]
    assert {each["text"]: each["votes"] for each in cells["votes"]} == result.votes
    assert cells["title"]["figures"][:2] == [
        "Mesh · Majority".replace("Mesh", str(result.topology_used)).replace(
            "Majority", str(result.consensus_used)
        ),
        "4 messages",
    ]


@pytest.mark.parametrize("topology", list(CommunicationTopology))
def test_topologies(topology: CommunicationTopology) -> None:
    """All that was heard went along a way that is drawn."""
    result = team(lambda agent, _: agent, *(f"m{i}" for i in range(5)), topology=topology)
    cells = told(Teaming(), heard(result))
    gone = sum(cell["there"] + cell["back"] for name, cell in cells.items() if "load" in name)
    net = cells["net"]

    if topology is CommunicationTopology.Mesh:
        assert gone == sum(result.links().values())
    assert gone > 0
    assert len(net["ways"]) == {"star": 5, "ring": 6, "mesh": 15}[str(topology).lower()]
    middle = [each["x"] for each in net["seats"]].count(50.0)
    assert middle >= (topology is CommunicationTopology.Star)
    assert len(cells["flights"]) <= AIR
    assert "votes" not in cells


def test_an_agent_that_fails_and_one_that_is_looked_at() -> None:
    """Who fails says why; the turn of whom a page looks at is told, and of nobody else."""

    def infer(agent: str, _: str) -> str:
        if agent == "bob":
            raise ConnectionError("no line")
        return f"{agent} knows"

    fold, entries = Teaming(), heard(team(infer, "ann", "bob"))
    half = len(entries) // 2
    cells = told(fold, entries[:half])
    fold.open(1)
    fold.open("nobody")
    cells |= told(fold, entries[half:])

    assert cells["member2"]["hue"] == FAILED
    assert "no line" in cells["member2"]["said"]
    assert [name for name in cells if name.startswith("turn")] == ["turn1"]
    turn = cells["turn1"]
    assert (turn["name"], turn["label"], turn["text"]) == ("ann", "answer", "ann knows")
    assert "Severity?" in turn["asked"]
    assert turn["path"] == "session.children[0]"


def test_a_swarm_ends_as_its_card_says() -> None:
    """Who did what, with what, is that of what comes of it; and how many there had to be."""
    result = swarm(lambda agent, task: f"{agent}: {task}", "wash and dry and iron", "ann", "bob")
    cells = told(Swarming(), heard(result))

    for i, each in enumerate(result.subtask_results):
        part = cells[f"part{i}"]
        assert (part["agent"], part["what"]) == (each.agent_id, each.description)
        assert (part["status"], part["said"]) == ("done", each.output)
    quorum = cells["quorum"]
    assert (quorum["done"], quorum["needed"], quorum["total"]) == (3, result.required, 3)
    assert cells["title"]["figures"][:2] == ["3 subtasks", "2 agents"]


def test_what_is_not_needed_any_more() -> None:
    """A part that is cancelled says why; one that failed does too."""

    async def infer(agent: str, _: str) -> str:
        if agent == "ann":
            return "done"
        if agent == "bob":
            raise ConnectionError("no line")
        await asyncio.sleep(60)
        return "too late"

    result = swarm(infer, "a and b and c", "ann", "bob", "cid", convergence_threshold=0.3)
    entries = heard(result)
    cells = told(Swarming(), entries)

    assert [each.status for each in result.subtask_results][2] == "cancelled"
    assert cells["part2"]["status"] == "cancelled"
    assert cells["part2"]["said"] == "1 of 1 needed had succeeded"
    assert cells["quorum"]["cancelled"] == len(result.cancelled())
    assert "1 of 1 needed have succeeded" in cells["quorum"]["words"]


def test_the_steps_of_a_runtime_in_a_team() -> None:
    """Whose turn is taken by a runtime shows the steps of that, and where they are in Python."""
    look = 'Thought: look\nAction: echo {"text": "hi"}'
    model = al.ScriptedModel(look, "Thought: done\nAction: FINAL_ANSWER 42")

    @al.tool
    def echo(text: str) -> str:
        """Say it again."""
        return text

    lab = al.AgentRuntime(model, tools=[echo])
    made = TeamConfig(AgentTeam("lead", ["bob"], "Severity?"))
    result = TeamOrchestrator(made).run_sync(lambda agent, _: agent, agents={"bob": lab})
    fold = Teaming()
    cells = told(fold, heard(result))
    fold.open(1)
    turn = fold.news()["turn1"]

    assert turn["steps"][0]["tool"] == "echo"
    assert turn["turn"] == "turn 1, 2 steps"
    assert turn["path"] == "session.children[0]"
    assert (turn["label"], turn["text"]) == ("answer", "42")
    assert cells["member1"]["said"] == "42"


async def long(agent: str, _: str) -> AsyncIterator[str]:
    """Say more than a page is told at once."""
    for i in range(400):
        yield f"{agent}-{i} "
        await asyncio.sleep(0)


@pytest.mark.parametrize("kind", ["debate", "team", "swarm"])
def test_sixteen_streams_are_one_small_message(kind: str) -> None:
    """However much sixteen agents have said, what is new of all of them is a few kilobytes."""
    names = [f"a{i}" for i in range(16)]
    made: dict[str, tuple[Company, Callable[[], Any]]] = {
        "debate": (
            Debating(), lambda: debate(long, n=16, rounds=1, enable_peer_scoring=False),
        ),
        "team": (Teaming(), lambda: team(long, *names[1:])),
        "swarm": (Swarming(), lambda: swarm(long, " and ".join(names), *names)),
    }  # fmt: skip
    fold, make = made[kind]
    entries = heard(make())
    sizes, cells, streaming = [], dict[str, Any](), 0
    for i, entry in enumerate(entries):
        fold.take(entry)
        if i % 64 == 0:
            news = fold.news()
            sizes.append(len(json.dumps(news)))
            cells.update(news)
            streaming = max(streaming, sum(voice.speaking for voice in fold.voices.values()))

    assert streaming >= 15
    assert max(sizes) < 16 * (TAIL + 600)


@pytest.mark.parametrize("fold", [Debating, Teaming, Swarming])
def test_a_call_that_waits_is_asked_about(fold: type[Company]) -> None:
    """Whoever's call it is, the page is asked, and told no more once it is answered or over."""
    trace, asked = Trace(), fold()
    trace.emit(events.RunStarted("a", "q", "m", "s", {}), run="r")
    trace.emit(events.RunStarted("bob", "q", "m", "s", {}), run="r/bob#1", parent="r")
    for call in (1, 2):
        trace.emit(events.AwaitingApproval(call, "delete", {"no": call}), run="r/bob#1/x#1")
    cells = told(asked, trace.entries)

    assert cells["asks"] == [1, 2]
    assert (cells["q1"]["agent"], cells["q1"]["tool"]) == ("bob", "delete")
    assert cells["title"]["word"] == "2 calls wait for your answer"
    known = len(trace.entries)
    trace.emit(events.Reviewed(1, "approved"), run="r/bob#1/x#1")
    trace.emit(events.RunEnded("stopped"), run="r/bob#1")
    assert told(asked, trace.entries[known:])["asks"] == []


@pytest.mark.parametrize("fold", [Debating, Teaming, Swarming])
def test_a_run_that_says_nothing_of_itself(fold: type[Company]) -> None:
    """What charts nothing, and what is of another run, does no harm."""
    trace = Trace()
    trace.emit(events.RunStarted("other", "q", "m", "s", {}), run="other/x#1", parent="other")
    trace.emit(events.RunStarted("a", "", "m", "s", {}), run="r")
    trace.emit(events.Marked("nobody", "done"), run="r")
    trace.emit(events.Said("nobody", "agent:x", "hi"), run="r")
    trace.emit(events.Scored("x", "nobody", 1, 0.5), run="r")
    trace.emit(events.Token(1, "hi"), run="r/x#1")
    trace.emit(events.RunEnded("error", error="no"), run="r")
    cells = told(fold(), trace.entries[1:])

    assert cells["title"]["name"] == fold.kind
    assert cells["title"]["hue"] == "bad"
    assert cells["end"] == {"label": "error", "text": "no"}


def test_a_team_that_is_a_debater() -> None:
    """Where several speak within one turn, they are not mixed up: one is heard until it ends."""
    inner = TeamStrategy(TeamConfig(AgentTeam("lead", ["ann", "bob"], "?")), long)
    sides = [DebaterPosition("d0", "side"), DebaterPosition("d1", "other side")]
    config = DebateConfig("Tabs?", sides, rounds=1, enable_peer_scoring=False)
    session = DebateOrchestrator(config).run_sync(argue, agents={"d0": inner})
    fold, texts = Debating(), set[str]()
    for entry in heard(session):
        fold.take(entry)
        said = fold.news().get("said1.0", {"runs": False})
        if said["runs"]:
            texts.add(said["text"])

    words = [word.strip("…") for text in texts for word in text.split()[1:-1]]
    assert {word.partition("-")[0] for word in words} >= {"ann", "lead"}
    for text in texts:
        assert len({word.partition("-")[0] for word in text.split()[1:-1]}) <= 1


@pytest.mark.parametrize("kind", ["debate", "team", "swarm"])
def test_keys_are_hidden_however_they_are_cut(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that comes letter by letter is in no cell at any moment, nor is its beginning."""
    key = "correct-horse-battery-staple"
    monkeypatch.setenv("SOME_API_KEY", key)

    async def leaky(_agent: str, _prompt: str) -> AsyncIterator[str]:
        for letter in f"it is {key}, I think":
            yield letter

    made: dict[str, tuple[Company, Callable[[], Any]]] = {
        "debate": (Debating(), lambda: debate(leaky, enable_peer_scoring=False)),
        "team": (Teaming(), lambda: team(leaky, "ann")),
        "swarm": (Swarming(), lambda: swarm(leaky, "a and b", "ann", "bob")),
    }
    fold, make = made[kind]
    whole = ""
    for entry in heard(make()):
        fold.take(entry)
        if isinstance(fold, Teaming):
            fold.open(0)
        whole += json.dumps(presentable(fold.news(), scrubber()))

    assert "it is ***" in whole
    assert key[:6] not in whole
