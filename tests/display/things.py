"""Everything that has a view, in every state it can be in; and a reader of what it shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from random import Random
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from agentlab.core import errors
from agentlab.core.approval import PendingCall, PendingCalls
from agentlab.core.chart import Chart
from agentlab.core.clock import FakeClock
from agentlab.core.events import Charted, Edge, Entry, Event, Marked, Node, ReActStep, Status
from agentlab.core.protocols import Hit, Usage
from agentlab.core.session import AgentSession
from agentlab.core.text import clean
from agentlab.core.trace import Trace
from agentlab.datasets import About, Dataset, DiaryEntry
from agentlab.graph.entities import Entity, Relation, Relationship
from agentlab.graph.extract import Extraction
from agentlab.graph.facts import rivers
from agentlab.graph.knowledge import KnowledgeGraph
from agentlab.graph.store import GraphStore
from agentlab.handle import RunHandle
from agentlab.memory.compressed import Compression, TurnCompression, TurnCompressionRun, row_of
from agentlab.memory.compression import ImportanceStrategy, MemoryCompressor
from agentlab.memory.consolidation import (
    ClusterRow,
    ConsolidatedMemory,
    Consolidation,
    ConsolidationMetrics,
    MemoryConsolidator,
)
from agentlab.memory.conversation import MemoryTurn
from agentlab.memory.decay import DecayPolicy, RecallPolicy
from agentlab.memory.episodic import EpisodicStore
from agentlab.memory.forgetting import Ebbinghaus, LtmConfig, LtmMerges, MergeRow
from agentlab.memory.ltm import LtmStore
from agentlab.memory.nearest import VectorMemory
from agentlab.memory.semantic import SemanticStore
from agentlab.memory.turns import CompressorConfig, TurnCompressor
from agentlab.memory.vector import SemanticMemory
from agentlab.memory.working import WorkingMemory
from agentlab.models.anthropic import AnthropicProvider
from agentlab.models.openai import OpenAiProvider
from agentlab.observe.agent_metrics import AgentMetricsRegistry
from agentlab.observe.metrics import RuntimeMetrics
from agentlab.observe.prometheus import MetricsRegistry
from agentlab.personas.persona import Persona, PersonaTone
from agentlab.personas.registry import PersonaRegistry
from agentlab.resilience.backpressure import BackpressureGuard
from agentlab.resilience.circuit_breaker import CircuitBreaker
from agentlab.resilience.dedup import Deduplicator
from agentlab.resilience.pipeline import Pipeline
from agentlab.resilience.retry import RetryPolicy
from agentlab.resilience.shared_breaker import SharedCircuitBreaker
from agentlab.skills.composing import SkillPipeline
from agentlab.skills.matching import SkillMatcher, SkillMatches
from agentlab.skills.registry import Skill, SkillRegistry
from agentlab.store.checkpoint import CheckpointManager
from agentlab.store.memory import InMemoryPersistenceBackend
from agentlab.strategies.execution import ExecutionPlan
from agentlab.strategies.planner import (
    Method,
    NoPreconditionSatisfied,
    Planner,
    Precondition,
    Task,
)
from agentlab.strategies.plans import Plan, PlanRun, PlanStep, StepStatus, VerificationResult
from agentlab.strategies.streaming_session import (
    HeardToken,
    HeardTokens,
    StreamingSession,
    StreamingStep,
)
from agentlab.strategies.workflow.context import WorkflowContext
from agentlab.strategies.workflow.definition import Workflow
from agentlab.strategies.workflow.result import TaskRun, WorkflowResult
from agentlab.strategies.workflow.steps import WorkflowStep
from agentlab.teams.bus import AgentBus
from agentlab.teams.capability import (
    AgentAdvertisement,
    AgentHealth,
    Capability,
    CapabilityMatches,
    CapabilityQuery,
)
from agentlab.teams.debate_config import (
    Argument,
    DebateRound,
    DebaterPosition,
    DebateSession,
    ScoreError,
)
from agentlab.teams.discovery import AgentRegistry, Announcement
from agentlab.teams.dispatch import DispatchAttempt, DispatchResult
from agentlab.teams.messages import AgentMessage, AgentTarget
from agentlab.teams.swarm_config import SubTask, SubTaskResult, SwarmResult
from agentlab.teams.team_config import CommunicationTopology, ConsensusStrategy
from agentlab.teams.team_result import Delivery, TeamResult, TeamTurn
from agentlab.teams.tournament import Match, Tournament, standing
from agentlab.tools.isolated import Isolated
from agentlab.tools.limits import Fence, FenceReport, IsolationError, Limits
from agentlab.tools.named import NamedToolRegistry
from agentlab.tools.permissions import NAMES, ToolManifest
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.sandbox import Sandbox, SandboxConfig
from agentlab.tools.spec import ToolSpec
from tests.memory.shelves import Shelf

AT = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
VOID = {"br", "hr", "img", "input"}
HIDDEN = {"style", "svg"}
BLOCKS = {"div", "header", "dl", "dt", "dd", "li", "p", "pre", "summary", "table", "td", "th"}


class Reader(HTMLParser):
    """Collect the tags and the text, and fail on tags that do not close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.open, self.open

    @property
    def names(self) -> set[str]:
        """The elements and the names of their attributes."""
        return {each for tag, attrs in self.tags for each in (tag, *(f"{tag} {a}" for a in attrs))}

    @property
    def shape(self) -> list[tuple[str, ...]]:
        """The elements in order, each with the names of its attributes."""
        return [(tag, *attrs) for tag, attrs in self.tags]

    @property
    def line(self) -> str:
        """The text with its white space evened out."""
        return " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.text += " " * (tag in BLOCKS)
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.text += " " * (tag in BLOCKS)

    def handle_data(self, data: str) -> None:
        if not HIDDEN & set(self.open):
            self.text += data


def filled(kind: Any, text: str) -> Any:
    """Make a ``kind`` with ``text`` wherever a text can be, at any depth."""
    options = [each for each in get_args(kind) if each not in (NoneType, Ellipsis)]
    if kind is Any or kind is str or get_origin(kind) is Literal:
        return text
    if get_origin(kind) in (Union, UnionType):
        return filled(options[0], text)
    if get_origin(kind) in (list, tuple):
        return get_origin(kind)([filled(options[0], text)])
    if get_origin(kind) is dict:
        return {text: filled(options[1], text)}
    if kind is AgentSession or not (is_dataclass(kind) or issubclass(kind, msgspec.Struct)):
        return PLAIN[kind](text)
    return kind(**dict(parts(kind, text)))


def parts(kind: Any, text: str) -> Iterator[tuple[str, Any]]:
    """Give the fields of ``kind`` with ``text`` in them."""
    hints = get_type_hints(kind)
    names = [f.name for f in fields(kind)] if is_dataclass(kind) else kind.__struct_fields__
    for name in names:
        yield name, filled(hints[name], text)


def child(text: str) -> AgentSession:
    """Give a session with ``text`` in each text, and nothing below it."""
    told = {
        "steps": list[ReActStep], "recalled": list[Hit], "answer": str, "error": str,
        "warnings": list[str], "checkpoint_errors": list[str], "session_id": str, "agent_id": str,
        "prompt": str, "model": str, "stop_reason": str,
    }  # fmt: skip
    return AgentSession(**{name: filled(kind, text) for name, kind in told.items()}, duration_ms=9)


PLAIN: dict[Any, Any] = {
    int: lambda _: 1, float: lambda _: 0.5, bool: lambda _: False, datetime: lambda _: AT,
    AgentSession: child,
}  # fmt: skip


def session(text: str) -> AgentSession:
    """Give a session with ``text`` everywhere, below as well, and in a tool call's own result."""
    whole = child(text)
    said = json.dumps({"ok": False, "error": text, "kind": text})
    plain = ReActStep(text, f"FINAL_ANSWER {text}", "", raw=text)
    whole.steps += [ReActStep(text, text, said, 1, text, text), plain]
    whole.children = [child(text)]
    return whole


def trace(text: str) -> Trace:
    """Give a trace that says everything there is to say, in two runs, with ``text`` everywhere."""
    made, kinds = Trace(clock=FakeClock()), get_args(Event)
    for run, parent in ((text, None), (f"{text}/{text}#1", text)):
        for seq, kind in enumerate(kinds):
            entry = Entry(run, parent, seq, AT, float(seq), filled(kind, text))
            made.entries.append(entry)  # as it is: ``emit`` would clean it
    return made


def heard(text: str) -> StreamingSession:
    """Give a session with its tokens, of each degree of doubt, with ``text`` everywhere."""
    tokens = [
        HeardToken(step, i, text, logprob, {text: -3.0, f"other {text}": -0.5}, i / 10)
        for step in range(2)
        for i, logprob in enumerate((-0.01, -0.3, -1.0, -2.0, -4.0, None))
    ]
    steps = [StreamingStep(text, text, text, 6, -7.31, 5, text, text, 9)]
    return StreamingSession(session(text), steps, HeardTokens(tokens))


def spoken(
    *steps: tuple[str, str], sure: float | None = -0.2, answer: str = "42"
) -> StreamingSession:
    """Give an ordinary session: what was thought and done, a token a word."""
    tokens, done = HeardTokens(), []
    for i, (thought, action) in enumerate(steps):
        words = re.findall(r"\s*\S+", f"Thought: {thought}\nAction: {action}")
        some = [
            HeardToken(i, j, word, sure, {word: sure, " else": -3.0} if sure else None)
            for j, word in enumerate(words)
        ]
        done.append(StreamingStep.of(ReActStep(thought, action, "seen"), some))
        tokens += some
    ended = AgentSession("id", "agent", "why?", stop_reason="final_answer", answer=answer)
    return StreamingSession(ended, done, tokens)


def streams() -> dict[str, Any]:
    """Give what was heard in its states."""
    unfinished = spoken(("words", "find {}"))
    unfinished.steps = []
    without = spoken(("words", "find {}"))
    without.tokens = HeardTokens()
    return {
        "empty heard": StreamingSession(), "empty tokens": HeardTokens(),
        "blank heard step": StreamingStep("", ""), "unfinished heard": unfinished,
        "heard without tokens": without, "no logprobs": spoken(("t", "find {}"), sure=None),
        "sure": spoken(("t", "find {}"), sure=0.0),
        "many tokens": spoken(*[("a thought of so many words", "find {}")] * 60),
    }  # fmt: skip


def pending(text: str, count: int = 2) -> PendingCalls:
    """Give calls that wait for a person, with ``text`` in all of them."""
    return PendingCalls(
        PendingCall(f"r/{text}#1:{i}", text, text, {text: [text, i]}, AT) for i in range(count)
    )


def handle(of: AgentSession) -> RunHandle:
    """Give a handle whose run is over."""

    async def work() -> AgentSession:
        return of

    made = RunHandle(work(), of, Trace(clock=FakeClock()), background=True)
    made.result(10)
    return made


class Named:
    """A text tool whose name and description are given."""

    def __init__(self, text: str) -> None:
        self.name = self.description = text

    async def call(self, text: str, /) -> str:
        return text


def spec(text: str) -> ToolSpec:
    """Give a tool with ``text`` wherever a tool takes any text."""
    schema = {"type": "object", "properties": {text: {"type": text, "description": text}}}
    return ToolSpec("search", text, str, schema=schema)


def failure(text: str) -> errors.AgentLabError:
    """Give an error with all an error can carry."""
    error = errors.ProviderError(text, status=503, retry_after=3.0)
    error.session, error.__cause__ = session(text), ConnectionError(text)
    return error


def counted(text: str) -> dict[str, Any]:
    """Give one of each thing that counts, with ``text`` as the name of what is counted."""
    metrics, agents = RuntimeMetrics(), AgentMetricsRegistry(clock=FakeClock())
    metrics.record_tool_call(text)
    metrics.record_tool_failure(text)
    metrics.record_step_latency(30)
    agents.record_step_with_memory(text, 30, 2048)
    agents.record_tool_call(text, failed=True)
    registry = MetricsRegistry()
    series = registry.histogram("took_ms", text, labels={"tool": text})
    series.observe(30)
    return {
        "metrics": metrics, "snapshot": metrics.snapshot(), "tool row": metrics.tool_rows()[0],
        "agents": agents, "agent": agents.rows()[0], "registry": registry, "series": series,
        "counter": registry.counter("calls_total", text, labels={"tool": text}),
    }  # fmt: skip


def kept(text: str) -> dict[str, Any]:
    """Give one of each thing that keeps, and of each guard that has a name, with ``text`` in it."""
    clock = FakeClock()
    store, manager = InMemoryPersistenceBackend(clock=clock), CheckpointManager(clock=clock)
    store.save_sync(clean(text), b"value")
    manager.maybe_checkpoint_sync(text, 5, {text: text}, text)
    breaker, dedup = CircuitBreaker(text, 2, clock=clock), Deduplicator(60, clock=clock)
    breaker.record_failure()
    dedup.check_and_register(text)
    pipeline = Pipeline().add_stage(text, str.upper, retry=RetryPolicy.constant(2, 1))
    return {
        "store": store, "checkpoints": manager, "breaker": breaker, "dedup": dedup,
        "pipeline": pipeline, "stage": pipeline.rows()[0], "stored": store.rows_sync()[0],
    }  # fmt: skip


def remembered(text: str) -> dict[str, Any]:
    """Give one memory of each kind, and what is read off them, with ``text`` everywhere."""
    clock, chance = FakeClock(), Random(1)  # noqa: S311 - reproducible, not secret
    hybrid = RecallPolicy.Hybrid(0.1, 0.2)
    episodes = EpisodicStore(
        decay=DecayPolicy.exponential(24), recall_policy=hybrid, per_agent_capacity=9,
        max_age_hours=99, clock=clock, rng=chance,
    )  # fmt: skip
    episodes.add_episode_with_tags(text, text, 0.9, [text])
    clock.advance(3600)
    pad, facts, vectors = WorkingMemory(2), SemanticStore(), VectorMemory[str]()
    pad.set(text, text)
    pad.set("other", text)
    facts.store_with_embedding(text, text, [text], [1, 2])
    facts.store("other", text)
    texts = SemanticMemory[str]()
    for vector in ([1, 0], [1, 1]):
        vectors.insert(vector, text)
        texts.remember(text, text)
    return {
        "episodes": episodes, "episode": episodes.items(clean(text))[0],
        "scores": episodes.explain(clean(text)), "score": episodes.explain(clean(text))[0],
        "pad": pad, "facts": facts, "fact": facts.rows()[0], "vectors": vectors, "texts": texts,
    }  # fmt: skip


def lasting(text: str) -> dict[str, Any]:
    """Give one of each thing that a long-term memory and its merges are, with ``text`` in it."""
    ltm = LtmStore(clock=FakeClock())
    ltm.remember(text, 0.5)
    merges = LtmMerges([MergeRow(1, (2, 3), text, 0.5, (text, text))], 3, 1)
    merged = ConsolidatedMemory(text, text, (text, text), 0.5, AT, 2, text)
    done = Consolidation([merged])
    done.before, done.after, done.errors = 3, 2, [text]
    done.clusters = [
        ClusterRow(text, (text,), 3, 1, 0.9, 2, text, AT, AT, (text, text)),
        ClusterRow(text, (), 0, 1, 0.0, 0, None, None, None, ()),
    ]
    about = About(text, text, 1, text, text)
    return {
        "ltm": ltm, "entry": ltm.entries()[0], "ltm row": ltm.rows()[0], "merges": merges,
        "merge": merges[0], "consolidated": merged, "consolidation": done,
        "cluster": done.clusters[0],
        "data": Dataset(about, [DiaryEntry(text, AT, text, text, 0.5, (text,))]),
    }  # fmt: skip


def shortened(text: str) -> dict[str, Any]:
    """Give one of each thing that makes a conversation shorter, and of what it gives."""
    turns = [MemoryTurn(text, "user", text, AT, token_count=90, tags=(text,)) for _ in range(12)]
    keywords = ImportanceStrategy.KeywordDensity([f"{text} word"])
    compressor = MemoryCompressor(900, recency_keep=2, clock=FakeClock(), strategy=keywords)
    summed = compressor.compress(turns)
    chain = TurnCompressor(CompressorConfig(5, 2, importance_tag=text))
    done = chain.compress(turns)
    summaries = [msgspec.structs.replace(summed.turns[0], fate="summarised", into=text)]
    told = Compression(summed.kept, summed.summaries, 90)
    told.turns, told.max_tokens = (*summaries, row_of(turns[0], "dropped")), 900
    return {
        "turn": turns[0], "compressor": compressor, "compression": told, "turn row": told.turns[0],
        "chain": chain, "turn compression": done, "shortened episode": done.episodes[0],
        **({"summary": summed.summaries[0]} if summed.summaries else {}),
    }  # fmt: skip


def memories() -> dict[str, Any]:
    """Give memories empty, and large."""
    many, pad = EpisodicStore(clock=FakeClock(), rng=Random(1)), WorkingMemory(50)  # noqa: S311
    many.add_many("agent", [(f"memory {i}", i / 99) for i in range(99)])
    texts, vectors = SemanticMemory[int](), VectorMemory[int]()
    for i in range(50):
        pad.set(f"key {i}", i)
        texts.remember(f"text {i % 7}", i)
        vectors.insert([i, 1], i)
    return {
        "empty episodes": EpisodicStore(), "empty pad": WorkingMemory(2),
        "empty facts": SemanticStore(), "empty vectors": VectorMemory(),
        "empty texts": SemanticMemory(), "empty scores": EpisodicStore().explain("a"),
        "decay": DecayPolicy.exponential(24), "many episodes": many, "full pad": pad,
        "many texts": texts, "many vectors": vectors, "many scores": many.explain("agent", "", 99),
    }  # fmt: skip


def lasting_memories() -> dict[str, Any]:
    """Give memories in their states."""
    clock = FakeClock()
    full = LtmStore(LtmConfig(capacity=40, reinforce=True), clock=clock)
    for i in range(40):
        full.remember(f"a thing to remember, of many: {i}", i / 40)
    clock.advance(40 * 86_400)
    turns = [MemoryTurn(f"t{i}", "user", f"word {i}", AT, token_count=9) for i in range(60)]
    long = MemoryCompressor(100, clock=FakeClock()).compress(turns)
    return {
        "full ltm": full, "empty ltm": LtmStore(clock=clock), "empty merges": LtmMerges([], 0, 0),
        "curve": Ebbinghaus(30), "consolidator": MemoryConsolidator(Shelf()),
        "consolidator metrics": ConsolidationMetrics(), "empty consolidation": Consolidation(),
        "long compression": long, "empty compression": Compression([], [], 0),
        "empty turn compression": TurnCompression([], []),
        "not triggered": TurnCompressor().run_if_needed_sync(turns[:5]),
        "triggered": TurnCompressor().run_if_needed_sync(turns),
        "empty triggered": TurnCompressionRun([], [], triggered=False),
        "tokens compressor": MemoryCompressor(1),
    }  # fmt: skip


def known(text: str) -> dict[str, Any]:
    """Give both graphs and what they are made of, with ``text`` as every name."""
    graph, knowledge = GraphStore(name=text), KnowledgeGraph(name=text)
    for i in range(3):
        entity = Entity(f"{text}{i}", text, {text: text, "name": f"{i}{text}"})
        graph.add_entity(entity)
        knowledge.add_entity(entity)
    graph.add_relationship(Relationship(f"{text}0", f"{text}1", text, 2, text))
    knowledge.add_relation(Relation(f"{text}0", f"{text}1", text, 1, text))
    return {
        "graph": graph, "knowledge": knowledge, "entity": entity, "row of a graph": graph.rows()[0],
        "relationship": graph.relationships()[0], "relation": knowledge.all_relations()[0],
        "extraction": Extraction(((text, text, text),), (), (text,)),
    }  # fmt: skip


def graphs() -> dict[str, Any]:
    """Give graphs in their states."""
    alone, ring = GraphStore(name="alone"), GraphStore(name="ring")
    alone.add_entity(Entity("a"))
    for i in range(700):
        ring.add_entity(Entity(f"place {i}", "place"))
    for i in range(700):
        ring.add_relationship(Relationship(f"place {i}", f"place {(i * 7 + 1) % 700}", "next", i))
    half = KnowledgeGraph()
    half.add_relation(Relation("a", "b", "knows"))
    return {
        "empty graph": GraphStore(), "empty knowledge": KnowledgeGraph(name="none"),
        "one entity": alone, "many entities": ring, "rivers": rivers(),
        "part of the rivers": rivers().subgraph("Rhine", 1), "only named": half,
    }  # fmt: skip


def people(text: str) -> dict[str, Any]:
    """Give one of each thing that says who and what agents are, with ``text`` in it."""
    persona = Persona(text, text, PersonaTone.Creative, text, [text, text])
    skills = SkillRegistry([Skill(text, f"{text} word", text, text, [text, "word"])])
    found = SkillMatcher(skills, 0).match_skills(f"{text} word")
    capability = Capability(text, text, [text, "tag"], {text: text}, None, 120.0, 0.002)
    said = AgentAdvertisement(text, text, [capability], text, health=AgentHealth.Degraded)
    agents, query = AgentRegistry(60, clock=FakeClock()), CapabilityQuery([text], ["other"])
    agents.register_sync(said)
    fits = agents.query_sync(query)
    tried = [
        DispatchAttempt(
            text, text, 0.6, text, ok=False, ms=9.0, error=text, error_kind="transient"
        ),
        DispatchAttempt(text, text, 0.4, text, ok=True, ms=90.0, answer=text),
    ]
    return {
        "persona": persona, "personas": PersonaRegistry([persona]), "skill": skills.all()[0],
        "skills": skills, "skill matches": found, "skill match": found[0],
        "skill row": found.rows()[0],
        "skill pipeline": SkillPipeline(skills.all()), "agent registry": agents,
        "advertisement": said, "capability": capability, "query": query, "fits": fits,
        "agent row": agents.rows()[0], "news": Announcement(text, text, text, AT),
        "dispatch": DispatchResult(text, text, text, text, tried), "attempt": tried[0],
        **({"fit": fits[0], "fit row": fits.rows()[0]} if fits else {}),
    }  # fmt: skip


def populations() -> dict[str, Any]:
    """Give registries empty, and large."""
    skills, clock = SkillRegistry(), FakeClock()
    agents = AgentRegistry(90, clock=clock)
    for i in range(40):
        skills.register(Skill(f"skill_{i:02}", f"Does the thing {i % 5}.", capabilities=[f"w{i}"]))
        ability = Capability(f"c{i}", tags=["text", f"t{i % 3}"], avg_latency_ms=i * 10)
        agents.register_sync(AgentAdvertisement(f"agent {i:02}", "", [ability]))
        clock.advance(3)
    agents.heartbeat_sync("agent 39", "unhealthy")
    agents.heartbeat_sync("agent 38", "unknown")
    every = CapabilityQuery()
    return {
        "builtin personas": PersonaRegistry.with_builtins(), "no personas": PersonaRegistry(),
        "bare persona": Persona("bare"), "no skills": SkillRegistry(), "many skills": skills,
        "no skill matches": SkillMatches(), "nothing to go by": SkillMatcher(
            SkillRegistry([Skill("bare")]), 0).match_skills("task"),
        "many skill matches": SkillMatcher(skills, 0).match_skills("thing 3 w7"),
        "no stages": SkillPipeline(), "ready pipeline": SkillPipeline(
            [Skill("a"), Skill("b")], handlers={"a": str.upper, "b": str.strip}),
        "no agents": AgentRegistry(5), "many agents": agents, "no fits": CapabilityMatches(),
        "many fits": agents.query_sync(CapabilityQuery(["text"])),
        "unhealthy fits": agents.query_sync(every, include_unhealthy=True),
        "idle agent": AgentAdvertisement("idle"),
    }  # fmt: skip


def charted(shape: str, text: str, statuses: Sequence[str], *edges: Edge) -> AgentSession:
    """Give a session whose run charted parts within each other, each with a status."""
    nodes = [
        Node(f"{text}{i}", text, "task", f"{text}0" if i else None, text)
        for i in range(len(statuses))
    ]
    ended, told = child(text), Trace(clock=FakeClock())
    said: list[Any] = [
        Charted(cast("Any", shape), tuple(nodes), edges, text),
        *(Marked(f"{text}{i}", cast("Status", each), text) for i, each in enumerate(statuses)),
    ]
    told.entries = [Entry(text, None, i, AT, 0.0, each) for i, each in enumerate(said)]
    ended.trace = told
    return ended


def worked(text: str) -> dict[str, Any]:
    """Give a workflow, and what came of it, with ``text`` everywhere."""
    name = text or "empty"
    task = WorkflowStep.Task(name, text, tool=name)
    flow = Workflow(
        name,
        [
            task,
            WorkflowStep.Branch(text, WorkflowStep.Loop(task, 2, until=text)),
            WorkflowStep.Parallel([task, task], 2),
        ],
    )
    row = TaskRun("steps[0]", text, text, text, text, text, text, AT, 5)
    marks = {"steps[0]": Marked("steps[0]", "done", text)}
    context = WorkflowContext({text: text})
    result = WorkflowResult(
        [text], context, 1, 5, text, (row,), Chart(flow.chart(), marks), trace(text)
    )
    return {
        "flow": flow, "flow row": flow.rows()[0], "flow result": result, "task run": row,
        "context": context, "charted list": charted("list", text, ["done", text]),
        "charted tree": charted("tree", text, ["chosen", "rejected"]),
        "charted flow": charted("flow", text, ["done", "failed", text], Edge(text, text, text)),
    }  # fmt: skip


def flows() -> dict[str, Any]:
    """Give workflows in their states, and charts."""
    task = WorkflowStep.Task("t", "p")
    deep: WorkflowStep = task
    for i in range(64):
        deep = WorkflowStep.Loop(deep, 2) if i % 2 else WorkflowStep.Branch("a:b", deep)
    states = [*get_args(Status)]
    return {
        "empty flow": Workflow("empty"), "deep flow": Workflow("deep", [deep]),
        "long flow": Workflow("long", [task] * 300),
        "wide flow": Workflow("wide", [WorkflowStep.Parallel([task] * 30)]),
        "result of nothing": WorkflowResult([], WorkflowContext(), 0, 0),
        "list of states": charted("list", "part", states),
        "tree of states": charted("tree", "part", states),
        "flow of states": charted("flow", "part", states, Edge("part1", "part2", "then")),
    }  # fmt: skip


def agents(text: str) -> dict[str, Any]:
    """Give one of each thing that many agents make, with ``text`` wherever it can be."""
    bus, name = AgentBus(4), clean(text)
    LISTENING.append(bus.subscribe(text, text))
    bus.send(AgentMessage(text, AgentTarget.Role(text), text))
    made = team(text, f"{name}2", answer=text)
    message = AgentMessage(text, AgentTarget.Specific(text), text, id="m", timestamp=AT)
    argued = (Argument(name, 1, text, {f"{name}2": 0.5}, flags={f"{name}2": text}, cut=1),
              Argument(f"{name}2", 1, "", error=text))  # fmt: skip
    debate = DebateSession(
        text, (DebateRound(1, argued),), text, {name: 0.5, f"{name}2": 0.0},
        (DebaterPosition(text, text), DebaterPosition(f"{name}2", text)),
        (ScoreError(text, text, 1, text),), 4, 9,
    )  # fmt: skip
    results = [
        SubTaskResult("st-0", text, text, True, None, "completed", text, 2, 9),  # noqa: FBT003
        SubTaskResult("st-1", text, "", False, text, "failed", text, 1, 9),  # noqa: FBT003
        SubTaskResult("st-2", text, "", False, text, "cancelled", text, 1, 9),  # noqa: FBT003
    ]
    return {
        "bus": bus, "bus message": message,
        "bus row": bus.rows()[0], "subscriber": bus.subscribers()[0], "team": made,
        "team turn": made.turns[0], "team row": made.rows()[0], "debate": debate,
        "argument": argued[0], "argument row": debate.rows()[0], "debate round": debate.rounds[0],
        "swarm": SwarmResult(text, tuple(results), text, 1, False, 2), "subtask": results[0],  # noqa: FBT003
        "pending subtask": SubTask(text, text, text, text), "tournament": played(text, f"{name}2"),
    }  # fmt: skip


LISTENING: list[Any] = []  # whoever is thrown away has unsubscribed


def team(*names: str, answer: str = "high", **how: Any) -> TeamResult:
    """Give a team that has worked in a star, the last of which failed."""
    leader, *members = map(clean, names)
    turns = [TeamTurn(1, each, answer, answer, None, 9) for each in (leader, *members[:-1])]
    turns.append(TeamTurn(1, members[-1], answer, None, answer, 9))
    told = {"votes": {answer: 2}, "errors": {members[-1]: answer}, "turns": tuple(turns), **how}
    return TeamResult(
        answer, {turn.agent: answer for turn in turns[:-1]}, ConsensusStrategy.Majority, 1, 9,
        CommunicationTopology.Star, len(members), answer, leader,
        deliveries=tuple(Delivery(1, each, f"agent:{leader}", (leader,)) for each in members),
        **told,
    )  # fmt: skip


def played(*names: str) -> Tournament:
    """Give a tournament in which the first always won."""
    names = tuple(map(clean, names))
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    sides = [pair for a, b in pairs for pair in ((a, b, 1.0), (b, a, 0.0))]
    matches = [
        Match(i, a, b, "for", i % 2 == 0, 0, won, 1 - won, won)
        for i, (a, b, won) in enumerate(sides)
    ]
    rows = tuple(standing(name, matches, 0.95) for name in names)
    return Tournament(names[0], tuple(matches), rows, 2)


def crowds() -> dict[str, Any]:
    """Give what many agents make in its states."""
    behind, many = AgentBus(2), [f"agent {i}" for i in range(40)]
    LISTENING.extend(behind.subscribe(f"agent {i}", "reader") for i in range(40))
    for i in range(50):
        behind.send(AgentMessage("agent 1", AgentTarget.Broadcast, f"message {i}"))
    done = tuple(
        SubTaskResult(f"st-{i}", f"a{i % 3}", f"output {i}", True, None, "completed", f"task {i}")  # noqa: FBT003
        for i in range(40)
    )
    sides = tuple(DebaterPosition(name, "a position") for name in many[:9])
    said = [Argument(side.name, 1, "words " * 50, dict.fromkeys(many, 0.5)) for side in sides]
    rounds = tuple(DebateRound(n, tuple(said)) for n in range(1, 12))
    return {
        "empty bus": AgentBus(4), "bus behind": behind, "large team": team(*many),
        "tie": team("a", "b", "c", tie=True), "empty swarm": SwarmResult("", (), "", 0, True),  # noqa: FBT003
        "large swarm": SwarmResult("all", done, "\n".join(map(repr, done)), 0, True, 40),  # noqa: FBT003
        "long debate": DebateSession("all", rounds, "so", {s.name: 5.5 for s in sides}, sides),
        "no synthesis": DebateSession("t", rounds[:1], None, {}, sides[:2], error="down"),
        "large tournament": played(*many[:12]),
    }  # fmt: skip


def guards() -> dict[str, Any]:
    """Give guards in their states."""
    clock = FakeClock()
    opened, trying = (CircuitBreaker("library", 1, 30, clock=clock) for _ in range(2))
    for each in (trying, opened):
        each.record_failure()
        clock.advance(15)
    room, full = BackpressureGuard(4).with_soft_limit(2), BackpressureGuard(1)
    for guard in (room, room, full):
        guard.try_acquire()
    trying.enter()
    store = InMemoryPersistenceBackend(clock=clock)
    shared = SharedCircuitBreaker("library", 1, 30, store=store)
    shared.acquire_sync().failure_sync()
    return {
        "shared breaker": shared,
        "open breaker": opened, "probed breaker": trying, "room": room, "full": full,
        "idle guard": BackpressureGuard(2), "one attempt": RetryPolicy.constant(1, 0),
        "retries": RetryPolicy.exponential(40, 100, jitter="full", deadline_s=5, clock=clock),
    }  # fmt: skip


def fenced(text: str) -> dict[str, Any]:
    """Give one of each thing that holds tools back, with ``text`` wherever one takes any."""
    custom = f"custom:{text}"
    sandbox = Sandbox(SandboxConfig(deny_unknown_tools=False), clock=FakeClock()).grant(custom)
    manifest = ToolManifest(text, [custom, "network"], text)
    with suppress(errors.SandboxDenied):
        sandbox.register_tool(manifest).check(text)
    sandbox.enter(f"{text} two", [custom])
    fences = (Fence(text, held=True, how=text), Fence(text, held=False, how=text))
    report = FenceReport(
        text, text, fences, 1, 9, 1234.5, 60.2, 31.4, 2, stdout=text, stderr=text, traceback=text
    )
    isolated = Isolated(ToolSpec("run", text, str, permissions=frozenset(manifest.required)))
    if isolated.spec.isolation:
        isolated.spec.isolation.last_report = report
    return {
        "sandbox": sandbox, "audit log": sandbox.audit_log(), "check": sandbox.audit_log()[0],
        "manifest": manifest, "fences": report, "fence": fences[0], "isolated": isolated,
        "isolation error": IsolationError(text, report), "sandbox row": sandbox.rows()[0],
        "row of an isolated": ToolRegistry([isolated]).stats()[0],
    }  # fmt: skip


def fences() -> dict[str, Any]:
    """Give sandboxes and reports in their states."""
    sandbox = Sandbox(clock=FakeClock()).grant_all(["file_read", "network"])
    for i, label in enumerate(NAMES):
        sandbox.register_tool(ToolManifest(f"tool_{i}", [label, "file_read"]))
        for _ in range(9):
            with suppress(errors.SandboxDenied):
                sandbox.check(f"tool_{i}")
    return {
        "empty sandbox": Sandbox(), "busy sandbox": sandbox, "empty log": Sandbox().audit_log(),
        "sandbox settings": SandboxConfig(), "limits": Limits(require=("network",)),
        "long log": sandbox.audit_log(), "fresh report": FenceReport(),
        "tools that need leave": ToolRegistry([Isolated(ToolSpec("run", "", str)), ToolSpec(
            "save", "Write a file.", str, permissions=frozenset({*sandbox.granted_capabilities()})
        )]),
    }  # fmt: skip


def planned(text: str) -> dict[str, Any]:
    """Give plans and what they are made of, with ``text`` everywhere."""
    steps = (
        PlanStep(text, text, text, StepStatus.Completed(text), text),
        PlanStep(text, None, text, StepStatus.Failed(text)),
        PlanStep(text, status=StepStatus.Skipped),
    )
    plan, verdict = Plan(text, steps, AT), VerificationResult(True, 0.9, [text], text)  # noqa: FBT003
    name, planner = f"task {clean(text)}", Planner()
    args = json.dumps({clean(text): clean(text), "a": "<b>"})
    call = Task.primitive(f"tool {text}", args)
    deep = Method(name, [call, Task.compound(f"{name} 2")], description=clean(text))
    some = (Precondition(clean(text), clean(text)),)
    planner.register_methods([deep, Method(name, [call], some, clean(text))])
    planner.register_method(Method(f"{name} 2", [call]))
    made = planner.plan(name)
    lost = NoPreconditionSatisfied(text)
    lost.choices, lost.session = made.choices, session(text)
    return {
        "plan": plan, "plan run": PlanRun(plan, verdict), "verdict": verdict,
        "plan step": steps[0], "failed plan step": steps[1], "step status": steps[1].status,
        "execution plan": made, "planned": made[0], "choice": made.choices[0], "planner": planner,
        "method": deep, "task": call, "plan row": plan.rows()[0], "planned row": made.rows()[0],
        "search error": lost,
    }  # fmt: skip


def plans() -> dict[str, Any]:
    """Give plans in their states."""
    every = [
        StepStatus.Completed("522000"), StepStatus.Running, StepStatus.Pending,
        StepStatus.Failed("not found"), StepStatus.Skipped,
    ]  # fmt: skip
    steps = tuple(PlanStep(f"Look it up, {s.state}", "search", "a page", s) for s in every)
    long = Planner().register_method(Method("all", [Task.primitive("step")] * 200))
    nothing, doubt = VerificationResult(False, 0.0), VerificationResult(True, 0.4)  # noqa: FBT003
    return {
        "empty plan": Plan("nothing"), "plan under way": Plan("a goal", steps, AT, 1),
        "long plan": Plan("a goal", steps * 30), "new plan": Plan("a goal", steps[2:3]),
        "plan in doubt": PlanRun(Plan("a goal", steps[:1]), doubt),
        "plan in vain": PlanRun(Plan("a goal"), nothing), "blank verdict": nothing,
        "pending status": StepStatus.Pending, "empty planner": Planner(),
        "empty execution plan": ExecutionPlan(Task.compound("none")),
        "one call": Planner().plan(Task.primitive("search")), "many calls": long.plan("all"),
    }  # fmt: skip


def hosted(text: str) -> AnthropicProvider:
    """Give a model elsewhere that has answered, with ``text`` wherever it takes any."""
    model = AnthropicProvider("key-7f3a9b1c5d2e", model=text, extra={text: text})
    model.last_usage = Usage(1000, 1)
    return model


def everything(text: str) -> dict[str, Any]:
    """Give one of each thing that has a view, with ``text`` everywhere."""
    tools, named = ToolRegistry([spec(text)], clock=FakeClock()), NamedToolRegistry([Named(text)])
    said = heard(text)
    return {
        "heard": said, "heard step": said.steps[0], "tokens": said.tokens, "token": said.tokens[0],
        "session": session(text), "step": session(text).steps[0], "said no": session(text).steps[1],
        "trace": trace(text), "handle": handle(session(text)), "tools": tools, "named": named,
        "pending": pending(text), "pending call": pending(text)[0],
        "tool": spec(text), "row": tools.stats()[0], "info": named.list_sync()[0],
        "error": failure(text), "hosted": hosted(text), **counted(text), **kept(text),
        **remembered(text), **lasting(text), **shortened(text), **known(text), **people(text),
        **fenced(text),**planned(text),**worked(text),**agents(text),
    }  # fmt: skip


def steps(count: int, text: str = "It is as long as a thought is, and no more.") -> list[ReActStep]:
    """Give ordinary steps, one in ten of which failed."""
    good, bad = '{"data":"seen","ok":true}', '{"error":"refused","kind":"transient","ok":false}'
    return [
        ReActStep(
            text, f'search {{"page": {i}}}', good if i % 10 else bad, i, "search", {"page": i},
            None if i % 10 else "transient", 10 + i % 7,
        )
        for i in range(count)
    ]  # fmt: skip


def long_trace(count: int) -> Trace:
    """Give a trace of ``count`` steps, each of which says eight things."""
    kinds = get_args(Event)[3:11]
    made = Trace(clock=FakeClock())
    made.entries = [
        Entry("run", None, i * 8 + j, AT, i + j / 8, filled(kind, "some text"))
        for i in range(count)
        for j, kind in enumerate(kinds)
    ]
    return made


ENDINGS = (
    "running", "final_answer", "max_iterations", "timeout", "stopped", "repeated_action",
    "tool_limit", "budget", "error", "of_another_kind",
)  # fmt: skip


def states() -> dict[str, Any]:
    """Give each thing empty, small and large, and a session in each of its endings."""
    ended = {
        reason: AgentSession("id", "agent", "why?", stop_reason=reason, steps=steps(2))
        for reason in ENDINGS
    }
    ended["final_answer"].answer, ended["error"].error = "because", "no"
    return {
        **ended, "empty session": AgentSession(), "empty trace": Trace(),
        "empty tools": ToolRegistry(), "empty named": NamedToolRegistry(),
        "empty metrics": RuntimeMetrics(), "empty agents": AgentMetricsRegistry(),
        "empty store": InMemoryPersistenceBackend(), "empty checkpoints": CheckpointManager(),
        "empty dedup": Deduplicator(60), "empty pipeline": Pipeline(), **guards(),
        **streams(), **memories(), **lasting_memories(), **graphs(), **populations(),
        **fences(), **plans(),**flows(),**crowds(),
        "keyless model": AnthropicProvider(base_url="https://host/v1"),
        "model elsewhere": OpenAiProvider(base_url="http://[::1]:8080/v1", native_tools=True),
        "fresh registry": MetricsRegistry(),
        "nothing pending": PendingCalls(),
        "much pending": pending("plain", 40),
        "empty step": ReActStep("", ""), "empty error": errors.AgentLabError(),
        "builtins": NamedToolRegistry.with_builtins(),
        "many steps": AgentSession("id", "agent", "?", steps=steps(30)),
        "handle": handle(ended["final_answer"]), "long trace": long_trace(30),
        "not configured": errors.NotConfigured("model", "give one"),
        **{f"ordinary {name}": thing for name, thing in everything("plain words").items()},
    }  # fmt: skip
