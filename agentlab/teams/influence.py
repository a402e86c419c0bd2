"""Who changed whose answer: a graph of what was taken up from others, to be looked at."""

from __future__ import annotations

from collections import Counter
from typing import TypeAlias

from agentlab.core.errors import InvalidValue
from agentlab.core.text import words
from agentlab.graph.entities import Entity, Relation
from agentlab.graph.knowledge import KnowledgeGraph
from agentlab.teams.debate_config import DebateSession
from agentlab.teams.team_config import normalised
from agentlab.teams.team_result import TeamResult

Pair: TypeAlias = tuple[str, str]
CHANGED, TAKEN_UP = "changed", "taken up by"


def influence(result: TeamResult | DebateSession) -> KnowledgeGraph:
    """Give the graph of who changed whose answer.

    In a team of several rounds an edge ``changed`` leads from an agent to another one that gave
    up its answer for what that agent had said in the round before, in a message that reached it;
    its weight is how often. In a debate, where nobody gives up a position, an edge ``taken up by``
    leads from a debater to another one; its weight is how many words of its argument the other
    one used in the next round that it had not used before, and that no third one had said.

    Each entity says how often the agent spoke and how often it changed its answer.

    Raises
    ------
    InvalidValue
        It is neither of a team nor of a debate.
    """
    if isinstance(result, TeamResult):
        return _of_team(result)
    if isinstance(result, DebateSession):
        return _of_debate(result)
    raise InvalidValue(f"influence is of a TeamResult or a DebateSession, got {result!r:.80}")


def _of_team(result: TeamResult) -> KnowledgeGraph:
    pairs, changes = Counter[Pair](), Counter[str]()
    for number in range(2, result.rounds_completed + 1):
        before, after = result.answers_in(number - 1), result.answers_in(number)
        for agent, answer in after.items():
            if agent not in before or normalised(answer) == normalised(before[agent]):
                continue
            changes[agent] += 1
            for each in result.deliveries:
                if each.round == number - 1 and agent in each.receivers:
                    said = before.get(each.sender, "")
                    if normalised(said) == normalised(answer):
                        pairs[each.sender, agent] += 1
    spoke = Counter(turn.agent for turn in result.turns if turn.answer is not None)
    facts: dict[str, dict[str, object]] = {
        agent: {"turns": spoke[agent], "changes": changes[agent]} for agent in result.agents()
    }
    return _graph(result.task, facts, pairs, CHANGED)


def _of_debate(session: DebateSession) -> KnowledgeGraph:
    pairs, new = Counter[Pair](), Counter[str]()
    known: dict[str, set[str]] = {each.name: set() for each in session.positions}
    topic, last = set(words(session.topic)), dict[str, set[str]]()
    for each in session.rounds:
        now = {one.agent_id: set(words(one.text)) for one in each.arguments if one.error is None}
        for agent, said in now.items():
            fresh = said - known.setdefault(agent, set()) - topic
            new[agent] += len(fresh)
            for other, before in last.items():
                third = set[str]().union(*(w for n, w in last.items() if n not in (agent, other)))
                taken = len((fresh & before) - third)
                if other != agent and taken:
                    pairs[other, agent] += taken
            known[agent] |= said
        last = now
    facts: dict[str, dict[str, object]] = {
        each.name: {"position": each.position, "words": new[each.name]}
        for each in session.positions
    }
    return _graph(session.topic, facts, pairs, TAKEN_UP)


def _graph(
    name: str, facts: dict[str, dict[str, object]], pairs: Counter[Pair], kind: str
) -> KnowledgeGraph:
    graph = KnowledgeGraph(name=name[:80])
    for agent, told in facts.items():
        graph.add_entity(Entity(agent, agent, told))
    for (source, target), times in sorted(pairs.items()):
        graph.add_relation(Relation(source, target, kind, float(times)))
    return graph
