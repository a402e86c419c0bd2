"""A team at work: rounds of answers, messages by its topology, and one answer in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agentlab.core.bounds import a_kind
from agentlab.core.clock import SYSTEM_CLOCK, Clock
from agentlab.core.drive import drive, result_of
from agentlab.core.errors import OrchestrationError, explain
from agentlab.core.events import Charted, Edge, Marked, Node, Phase, Warned
from agentlab.core.run import Run
from agentlab.core.sync import twin
from agentlab.core.text import clean, cut
from agentlab.teams.bus import AgentBus
from agentlab.teams.crew import Crew, Turn, as_infer, as_workers, opened, turn_step
from agentlab.teams.messages import AgentMessage, AgentTarget, BusLagged
from agentlab.teams.subscription import BusSubscription
from agentlab.teams.team_config import CommunicationTopology, ConsensusStrategy, TeamConfig
from agentlab.teams.team_result import Delivery, TeamResult, TeamTurn, decided
from agentlab.teams.together import together

DRAWN = 24  # agents of a mesh whose lines are charted
MESSAGE_CHARS = 2000


class TeamStrategy:
    """A team as a strategy: its goal, where there is one, is the team's task.

    Parameters
    ----------
    config : TeamConfig
        Who is in it, and how it works.
    infer : callable or model, optional
        ``infer(agent_id, prompt)``; by default what answers the run.
    agents : mapping, optional
        What some agents are instead: runtimes, strategies, models or functions of the prompt.
    """

    strategy_name = view = "team"

    def __init__(
        self, config: TeamConfig, infer: Any = None, *, agents: Mapping[str, Any] | None = None
    ) -> None:
        self.config = a_kind("config", config, TeamConfig)
        self.workers = as_workers(agents, config.team.all_agents())
        self._model = None if infer is None else as_infer(infer)

    def __repr__(self) -> str:
        return f"TeamStrategy({self.config.team!r})"

    @property
    def brings_models(self) -> bool:
        """Whether nobody needs what answers the run."""
        alone = all(agent in self.workers for agent in self.config.team.all_agents())
        return self._model is not None or alone

    async def __call__(self, run: Run, goal: str, /) -> TeamResult:
        """Let the team work on ``goal``."""
        bus = AgentBus(self.config.bus_capacity)
        crew = Crew(run, self.workers, self._model, self.config.timeout_s)
        with bus.on_trace(run):
            return await Meeting(self.config, run, crew, bus, goal).hold()


class TeamOrchestrator:
    """A team without a runtime.

    >>> from agentlab.teams.team_config import AgentTeam
    >>> team = TeamConfig(AgentTeam("lead", ["ann", "bob"], "Severity?"))
    >>> TeamOrchestrator(team).run_sync(lambda agent, prompt: f"{agent}: high").final_answer
    'lead: high'

    Parameters
    ----------
    config : TeamConfig
        Who is in it, and how it works.
    clock : Clock
        What everything but deadlines reads.
    """

    def __init__(self, config: TeamConfig, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self.config, self._clock = a_kind("config", config, TeamConfig), clock

    def __repr__(self) -> str:
        return f"TeamOrchestrator({self.config.team!r})"

    async def run(
        self, infer: Any = None, *, agents: Mapping[str, Any] | None = None
    ) -> TeamResult:
        """Let the team work.

        Parameters
        ----------
        infer : callable or model, optional
            ``infer(agent_id, prompt)`` gives an agent's answer.
        agents : mapping, optional
            What some agents are instead: runtimes, strategies, models or functions of the prompt.

        Raises
        ------
        OrchestrationError
            Nobody answered.
        Exception
            What the leader raised in ``Parallel``, or anybody where ``on_agent_error="raise"``.
        """
        strategy = TeamStrategy(self.config, agents=agents)
        team = self.config.team
        run, session = opened("team", infer, strategy.workers, team.all_agents(), clock=self._clock)
        return result_of(await drive(run, session, strategy, team.task), TeamResult)

    run_sync = twin(run)


class Meeting:
    """One team at work: what was said so far, and by whom."""

    def __init__(self, config: TeamConfig, run: Run, crew: Crew, bus: AgentBus, goal: str) -> None:
        self.config, self.run, self.crew, self.bus = config, run, crew, bus
        self.team, self.task = config.team, goal or config.team.task
        self.names = self.team.all_agents()
        self.inboxes = {
            agent: bus.subscribe(agent, config.role_for(agent), include_own=False)
            for agent in self.names
        }
        self.answers: dict[str, str] = {}
        self.failures: dict[str, Exception] = {}
        self.turns: list[TeamTurn] = []
        self.deliveries: list[Delivery] = []
        self.heard: dict[str, str] = {}
        self.round = 0

    async def hold(self) -> TeamResult:
        """Go from round to round until there is an answer."""
        began, run = self.run.clock.monotonic(), self.run
        run.emit(Phase("team", f"{self.config.topology} · {self.config.consensus}"))
        run.emit(chart(self.config, self.task))
        while self.round < self.config.rounds():
            before = {agent: self.config.same(said) for agent, said in self.answers.items()}
            self.heard = {agent: self._told(inbox) for agent, inbox in self.inboxes.items()}
            self.round += 1
            run.emit(Phase("round", f"{self.round} of at most {self.config.rounds()}"))
            final, votes, tie = await self._round()
            now = {agent: self.config.same(said) for agent, said in self.answers.items()}
            if now == before or 2 * max(votes.values(), default=0) > sum(votes.values()) > 0:
                break
        order = {agent: place for place, agent in enumerate(self.names)}
        return TeamResult(
            final,
            {agent: self.answers[agent] for agent in self.names if agent in self.answers},
            self.config.consensus,
            self.round,
            round((run.clock.monotonic() - began) * 1000),
            self.config.topology,
            len(self.deliveries),
            self.task,
            self.team.leader,
            votes,
            tie,
            {name: self._why(name) for name in self.names if name in self.failures},
            tuple(sorted(self.turns, key=lambda turn: (turn.round, order[turn.agent]))),
            tuple(sorted(self.deliveries, key=lambda each: (each.round, order[each.sender]))),
            run.trace,
        )

    async def _round(self) -> tuple[str, dict[str, int], bool]:
        match self.config.consensus:
            case ConsensusStrategy.Parallel:
                return await self._parallel(), {}, False
            case ConsensusStrategy.Majority:
                return await self._majority()
            case ConsensusStrategy.Pipeline:
                return await self._pipeline(), {}, False

    async def _parallel(self) -> str:
        leader, members = self.team.leader, self.team.members
        turns = [self.crew.turn(agent) for agent in members]
        lead = self.crew.turn(leader)
        said = await together(self._speak(turn, self._prompt(turn.agent)) for turn in turns)
        answers = {
            agent: text for agent, text in zip(members, said, strict=True) if text is not None
        }
        if members and not answers:
            raise self._nobody()
        self.run.emit(Phase("synthesis", leader))
        final = await self._speak(lead, self._prompt(leader, answers=answers), route=False)
        if final is None:
            raise self.failures[leader]
        if members:
            self._send(leader, AgentTarget.Broadcast, final)
        return final

    async def _majority(self) -> tuple[str, dict[str, int], bool]:
        turns = [self.crew.turn(agent) for agent in self.names]
        await together(self._speak(turn, self._prompt(turn.agent)) for turn in turns)
        voted = {agent: self.answers[agent] for agent in self.names if agent in self.answers}
        if not voted:
            raise self._nobody()
        options = {agent: self.config.same(text) for agent, text in voted.items()}
        winner, counts, tie = decided(options, self.team.leader)
        return voted[winner], {voted[who]: count for who, count in counts.items()}, tie

    async def _pipeline(self) -> str:
        context = self.task
        turns = [self.crew.turn(agent) for agent in (*self.team.members, self.team.leader)]
        spoken = False
        for turn in turns:
            said = await self._speak(turn, self._prompt(turn.agent, context=context))
            if said is not None:
                context, spoken = said, True
        if not spoken:
            raise self._nobody()
        return context

    async def _speak(self, turn: Turn, prompt: str, *, route: bool = True) -> str | None:
        """Let an agent have its turn, tell how it went, and bring its answer to who hears it."""
        run, agent, began = self.run, turn.agent, self.run.clock.monotonic()
        run.emit(Marked(agent, "running"))
        answer, failure = None, None
        try:
            answer = await self.crew.answer(turn, prompt)
        except Exception as wrong:  # noqa: BLE001 - whatever an agent does
            failure = self.failures[agent] = wrong
        error = None if failure is None else self._why(agent)
        ms = round((run.clock.monotonic() - began) * 1000)
        run.emit(Marked(agent, "failed" if failure else "done", error or answer or ""))
        role = self.config.role_for(agent)
        self.turns.append(TeamTurn(self.round, agent, role, answer, error, ms))
        if answer is not None:
            self.answers[agent] = answer
            for target in self._targets(agent) if route else ():
                self._send(agent, target, answer)
        action, index = f"{agent}, round {self.round}", len(self.turns) - 1
        await run.end_step(turn_step(action, answer or error or "", index, failure, ms))
        if failure and self.config.on_agent_error == "raise":
            raise failure
        return answer

    def _targets(self, agent: str) -> Sequence[Any]:
        if len(self.names) == 1:
            return ()
        match self.config.topology:
            case CommunicationTopology.Mesh:
                return [AgentTarget.Broadcast]
            case CommunicationTopology.Ring:
                after = self.names[(self.names.index(agent) + 1) % len(self.names)]
                return [AgentTarget.Specific(after)]
            case CommunicationTopology.Star if agent == self.team.leader:
                return [AgentTarget.Specific(member) for member in self.team.members]
            case CommunicationTopology.Star:
                return [AgentTarget.Specific(self.team.leader)]

    def _send(self, agent: str, target: Any, content: str) -> None:
        self.bus.send(AgentMessage(agent, target, content, timestamp=self.run.clock.now()))
        to = tuple(each for each in self.names if each != agent and target.reaches(each))
        self.deliveries.append(Delivery(self.round, agent, str(target), to))

    def _told(self, inbox: BusSubscription) -> str:
        """Give what an agent was told since the last round, a line a message, in team order."""
        lines = list[tuple[int, str]]()
        while True:
            try:
                message = inbox.try_recv()
            except BusLagged as lag:
                text = f"{inbox.agent_id} missed {lag.count} message(s): raise bus_capacity"
                self.run.emit(Warned(text))
                continue
            if message is None:
                return "\n".join(line for _, line in sorted(lines))
            said = one_line(message.content, MESSAGE_CHARS)
            lines.append((self.names.index(message.from_), f"- {message.from_}: {said}"))

    def _prompt(
        self, agent: str, *, context: str = "", answers: Mapping[str, str] | None = None
    ) -> str:
        parts = [f"[Team task] {self.task}", f"[Your role] {self.config.role_for(agent)}"]
        if context:
            parts.append(f"[Previous context] {context}")
        if self.heard.get(agent):
            parts.append(f"[Messages]\n{self.heard[agent]}")
        if answers:
            room = max(1, self.config.max_answer_chars // len(answers))
            lines = [f"- {name}: {one_line(said, room)}" for name, said in answers.items()]
            parts.append("\n".join(["[Member answers]", *lines]))
        return "\n".join(parts)

    def _why(self, name: str) -> str:
        return clean(explain(self.failures[name]))

    def _nobody(self) -> Exception:
        """Say that there is nothing to go on with."""
        told = [f"{name}: {self._why(name)}" for name in self.names if name in self.failures]
        error = OrchestrationError(f"no agent of the team answered ({'; '.join(told)})")
        error.__cause__ = next(iter(self.failures.values()), None)
        return error


def one_line(text: str, room: int) -> str:
    """Give an answer as one line of a prompt, so that no part of it looks like another section."""
    return cut(" ".join(text.split()), room)


def chart(config: TeamConfig, task: str) -> Charted:
    """Draw who hears whom."""
    team = config.team
    names = team.all_agents()
    match config.topology:
        case CommunicationTopology.Star:
            pairs = [(member, team.leader) for member in team.members]
        case CommunicationTopology.Ring:
            pairs = list(zip(names, [*names[1:], names[0]], strict=True)) if team.members else []
        case CommunicationTopology.Mesh:
            few = names[:DRAWN]
            pairs = [(a, b) for i, a in enumerate(few) for b in few[i + 1 :]]
    nodes = tuple(Node(agent, agent, config.role_for(agent)) for agent in names)
    return Charted("flow", nodes, tuple(Edge(a, b) for a, b in pairs), task)
