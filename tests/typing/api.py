"""What a type checker must see. Checked, never run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import assert_type

from matplotlib.axes import Axes

import agentlab as al
from agentlab.builder import HasConfig, NeedsConfig
from agentlab.core.doors import Plottable
from agentlab.core.protocols import Guard, Memory, Sink, Store, Tape, Tools
from agentlab.models.recorded import Recording
from agentlab.tools.isolated import Isolated, Limits


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
    assert_type(await runtime.run_agent_with_provider("a", "?", object()), al.AgentSession)
    plan, verification = await runtime.run_plan_execute("a", "?", lambda _: "1. Go")
    assert_type(plan, al.Plan)
    assert_type(verification, al.VerificationResult)
    planner = al.Planner().register_method(al.Method("a", [al.Task.primitive("b", {"c": 1})]))
    assert_type(planner.plan("a"), al.ExecutionPlan)
    assert_type(await planner.plan("a").run(runtime), al.AgentSession)
    handle = runtime.start("?")
    assert_type(handle, al.RunHandle)
    assert_type(await handle, al.AgentSession)
    assert_type(handle.result(1.0), al.AgentSession)
    assert_type(handle.session.to_html(), str)
    assert_type(handle.session.to_html("session.html"), Path)
    assert_type(al.StreamingSession.of(handle.session).to_html(Path("tokens.html")), Path)
    async for entry in handle:
        assert_type(entry, al.Entry)
    assert_type(al.record(runtime, "tape.jsonl"), al.AgentRuntime)
    assert_type(al.replay(runtime, "tape.jsonl"), al.AgentRuntime)

    model: al.Model = al.ScriptedModel("a")
    taped: al.Model = al.RecordedModel(model, "tape.jsonl", mode="auto")
    function: al.Model = al.FunctionModel(len)
    local: al.Model = al.LocalModel()
    tape: Tape = Recording("tape.jsonl")
    tools: Tools = al.ToolRegistry([population])
    strategies: list[al.Strategy] = [
        runtime, al.PlanExecute(), planner, planner.plan("a"), planner.bridge(),
    ]  # fmt: skip
    assert [taped, function, local, tape, tools, strategies]

    runtime.run_sync(3)  # type: ignore[arg-type]
    runtime.run_sync("?", agnet="a")  # type: ignore[call-arg]
    al.RecordedModel(model, "tape.jsonl", mode="maybe")  # type: ignore[arg-type]
    al.AgentConfig(5, "m", on_parse_error="ignore")  # type: ignore[arg-type]


async def many(runtime: al.AgentRuntime) -> None:
    """Each way to let many work gives its own result; lists will do."""
    team = al.TeamConfig(al.AgentTeam("lead", ["a", "b"], "?"), al.CommunicationTopology.Ring)
    assert_type(await runtime.run_team(team, lambda *_: "x"), al.TeamResult)
    assert_type(runtime.run_team_sync(team, agents={"a": runtime}), al.TeamResult)
    assert_type(runtime.run_swarm_sync("a and b", agents=["a"]), al.SwarmResult)
    sides = [al.DebaterPosition("a", "for"), al.DebaterPosition("b", "against")]
    debate = al.DebateConfig("?", sides)
    assert_type(await runtime.run_debate(debate), al.DebateSession)
    assert_type(al.DebateOrchestrator(debate).run_sync(runtime), al.DebateSession)
    assert_type(al.influence(runtime.run_debate_sync(debate)), al.KnowledgeGraph)
    strategies: list[al.Strategy] = [
        al.TeamStrategy(team), al.SwarmStrategy(agents=["a"]), al.DebateStrategy(debate)
    ]  # fmt: skip
    runtime.start("?", strategy=strategies[0])

    bus = runtime.bus(8)
    assert_type(bus, al.AgentBus)
    async with bus.subscribe("a", "reader") as reader:
        assert_type(reader, al.BusSubscription)
        assert_type(bus.send(al.AgentMessage("a", al.AgentTarget.Role("reader"), "x")), int)
        async for message in reader:
            assert_type(message, al.AgentMessage)
    al.AgentBus("8")  # type: ignore[arg-type]


def build() -> None:
    """Build once there is a configuration, and never before."""
    config = al.AgentConfig(5, "m")
    assert_type(al.AgentRuntime.builder(), al.AgentRuntimeBuilder[NeedsConfig])
    ready = al.AgentRuntime.builder().register_tool(population).with_agent_config(config)
    assert_type(ready, al.AgentRuntimeBuilder[HasConfig])
    assert_type(ready.register_tool(population).build(), al.AgentRuntime)

    al.AgentRuntime.builder().build()  # type: ignore[misc]
    al.AgentRuntime.builder().register_tool(population).build()  # type: ignore[misc]


async def people(runtime: al.AgentRuntime) -> None:
    """Give scopes, matches and results their types; take lists where several are taken."""
    with runtime.with_persona("coder") as scope:
        assert_type(scope, al.PersonaScope)
        assert_type(scope.persona(), al.Persona)
    assert_type(runtime.try_persona("x"), al.PersonaScope | None)
    assert_type(al.PersonaBuilder().name("p").constraint("c").build(), al.Persona)
    assert_type(al.PersonaRegistry.with_builtins().list(), list[str])
    skills = al.SkillRegistry([al.Skill("s", capabilities=["a"])])
    assert_type(al.SkillMatcher(skills).match_skills("a")[0], al.SkillMatch)
    assert_type(al.SkillComposer(skills).compose(["s"]).bind("s", str.upper), al.SkillPipeline)
    registry = al.AgentRegistry(60)
    ann = al.AgentAdvertisement("ann", "Ann", [al.Capability("c", tags=["t"])])
    assert_type(await registry.register(ann), None)
    assert_type(registry.query_sync(al.CapabilityQuery(["t"]))[0], al.CapabilityMatch)
    assert_type((await registry.dispatch("?", al.CapabilityQuery(), len)).answer, str)
    al.SkillComposer(skills).compose_for_task("a", order="name")  # type: ignore[arg-type]


class Shelf:
    """The smallest backend there can be."""

    async def save(self, key: str, value: bytes) -> None: ...
    async def load(self, key: str) -> bytes | None: ...
    async def delete(self, key: str) -> None: ...


async def keep(runtime: al.AgentRuntime) -> None:
    """Give what a runtime counts and keeps its type; and what guards it."""
    al.AgentRuntime(store=Shelf())
    al.AgentRuntime(store="runs.sqlite", backpressure=al.BackpressureGuard(3))
    ready = al.AgentRuntime.builder().with_checkpoint_backend(Shelf())
    assert_type(ready, al.AgentRuntimeBuilder[NeedsConfig])
    assert_type(runtime.metrics().snapshot(), al.MetricsSnapshot)
    assert_type(runtime.agent_metrics().snapshot("a"), al.AgentMetricsSnapshot | None)
    assert_type(runtime.metrics_registry().counter("a_total", "A"), al.Counter)
    assert_type(await runtime.load_session("id"), al.AgentSession)
    assert_type(runtime.checkpoint(), al.CheckpointManager)
    assert_type(al.load("run.jsonl"), al.Trace)

    breaker = al.CircuitBreaker("s")
    assert_type(breaker.call(len, "abc"), int)
    patient: al.Model = al.Retrying(al.Guarded("local", breaker), al.RetryPolicy.constant(2, 1))
    sink: Sink = al.Journal("run.jsonl")
    store: Store = al.SqlitePersistenceBackend("runs.sqlite")
    assert_type(await store.load("key"), bytes | None)
    al.AgentRuntime(patient, sinks=[sink, al.RuntimeMetrics()])

    al.AgentRuntime(store=3)  # type: ignore[arg-type]
    al.RetryPolicy.exponential("3", 100)  # type: ignore[arg-type]


def remember_long(ltm: al.LtmStore, turns: list[al.MemoryTurn]) -> None:
    """Give what a long-term memory and the compressors give its type."""
    assert_type(ltm.remember("a thing", 0.5), int)
    assert_type(ltm.recall("thing", 3), list[al.LtmEntry])
    memory: Memory = ltm
    al.MemoryTurn("t", "user", "hello", datetime.now(UTC))
    kept, summaries, saved = al.MemoryCompressor(100, model=al.ScriptedModel("short")).compress(
        turns
    )
    assert_type((kept, summaries, saved), tuple[list[al.MemoryTurn], list[al.MemorySummary], int])
    shorter, episodes = al.TurnCompressor().compress(turns)
    assert_type((shorter, episodes), tuple[list[al.MemoryTurn], list[al.CompressedEpisode]])
    assert_type(al.datasets.dialogue()[0], al.MemoryTurn)
    memory.recall_for("agent", "prompt", 3)

    ltm.remember(3, 0.5)  # type: ignore[arg-type]
    al.MemoryConsolidator(ltm)  # type: ignore[arg-type]


class Letters:
    """An embedder of one's own."""

    dim = 1

    def embed(self, texts: Sequence[str], /) -> list[list[float]]:
        return [[float(len(text))] for text in texts]


async def remember(runtime: al.AgentRuntime, store: Store) -> None:
    """Memories keep the types of what they hold; settings follow each other."""
    episodes = al.EpisodicStore.with_decay(al.DecayPolicy.exponential(24)).with_max_age(100)
    assert_type(episodes, al.EpisodicStore)
    assert_type(episodes.with_per_agent_capacity(3), al.EpisodicStore)
    assert_type(al.EpisodicStore.builder().with_recall_policy(al.RecallPolicy.Importance).build(),
                al.EpisodicStore)  # fmt: skip
    assert_type(episodes.add_episode("a", "x", 0.5), al.MemoryId)
    assert_type(episodes.recall("a", 3), list[al.MemoryItem])
    policy: al.RecallPolicy = al.RecallPolicy.Hybrid(1.0, 0.1)
    memories: list[al.Memory] = [
        episodes, al.SemanticMemory[str](), al.SemanticStore(embedder=len),
    ]  # fmt: skip
    embedder: al.Embedder = Letters()
    texts = al.SemanticMemory[int](embedder)
    assert_type(texts.recall_similar("x", 3), list[tuple[float, int]])
    vectors = al.VectorMemory[str]()
    vectors.insert(al.Embedding([1.0, 2.0]), "x")
    assert_type(vectors.search([1.0, 2.0], 1), list[tuple[float, str]])
    assert_type(al.BagOfWordsEmbedder().embed("x"), al.Embedding)
    await episodes.save(store, "key")
    assert_type(await al.EpisodicStore.load(store, "key"), al.EpisodicStore)
    assert_type(al.WorkingMemory.load_sync(store, "key"), al.WorkingMemory)
    entries: list[al.LtmEntry] = runtime.ltm().recall("text", 3)
    runtime.ltm_mut().remember(entries[0].content, 0.5)
    async with runtime.semantic_memory().lock() as memory:
        memory.remember("text", 1)
    al.AgentRuntime(memory=memories[0], working_memory=al.WorkingMemory(3))
    al.EpisodicStore(recall_policy=policy)
    ready = al.AgentRuntime.builder().with_memory(episodes).with_working_memory(al.WorkingMemory(3))
    assert_type(ready, al.AgentRuntimeBuilder[NeedsConfig])

    assert_type(al.MemoryConsolidator(episodes).take_consolidated(), list[al.ConsolidatedMemory])

    al.AgentRuntime(memory=3)  # type: ignore[arg-type]
    al.EpisodicStore.with_decay(24)  # type: ignore[arg-type]
    vectors.insert([1.0], 5)  # type: ignore[arg-type]


def know() -> None:
    """Graphs give what they hold; whatever can be drawn is drawn by the same method."""
    graph, store = al.KnowledgeGraph(), al.GraphStore()
    assert_type(graph.entity("a"), al.Entity | None)
    assert_type(graph.all_relations(), list[al.Relation])
    al.AgentRuntime(graph=graph, tools=[graph.query_tool()])
    al.AgentRuntime.builder().with_graph(store)
    drawn: list[Plottable] = [graph, store, al.EpisodicStore(), al.LtmStore(), al.Trace()]
    assert_type(drawn[0].plot(), Axes)
    assert_type(drawn[0].plot(drawn[1].plot(measure="betweenness")), Axes)

    store.add_entity("a")  # type: ignore[arg-type]
    graph.plot(3)  # type: ignore[arg-type]


@al.tool(permissions=["file_write", al.ToolPermission.Network], isolated=True)
def save(path: str) -> str:
    """Write a file."""
    return path


def hold_back() -> None:
    """Any guard may stand before tools; permissions are themselves or their labels."""
    sandbox = (
        al.Sandbox(al.SandboxConfig(100)).grant("file_read").revoke(al.ToolPermission.FileRead)
    )
    assert_type(sandbox.register_tool(al.ToolManifest("save", ["network"])), al.Sandbox)
    gate: Guard = sandbox
    with sandbox.scoped(grants=["network"]) as same:
        assert_type(same, al.Sandbox)
    assert_type(save, al.ToolSpec)
    al.AgentRuntime(tools=[save, Isolated(save, Limits(cpu_s=1))], sandbox=gate)
    al.AgentRuntime.builder().with_sandbox(al.CircuitBreaker("tools"))
    al.NamedToolRegistry(sandbox=sandbox).with_sandbox(sandbox)

    al.AgentRuntime(sandbox="strict")  # type: ignore[arg-type]
    sandbox.grant(3)  # type: ignore[arg-type]
