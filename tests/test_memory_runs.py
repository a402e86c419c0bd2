"""A runtime that remembers: what it puts round a question, and what it tells of that."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from agentlab.core.clock import FakeClock
from agentlab.core.config import AgentConfig
from agentlab.core.errors import InvalidValue
from agentlab.core.events import Prepared, Recalled
from agentlab.core.protocols import Hit
from agentlab.core.run import Run
from agentlab.core.session import AgentSession
from agentlab.graph.entities import Entity
from agentlab.graph.knowledge import KnowledgeGraph
from agentlab.memory.episodic import EpisodicStore
from agentlab.memory.ltm import LtmStore
from agentlab.memory.semantic import SemanticStore
from agentlab.memory.vector import SemanticMemory
from agentlab.memory.working import WorkingMemory
from agentlab.models.scripted import ScriptedModel
from agentlab.runtime import AgentRuntime
from agentlab.strategies.live import StreamingReAct
from agentlab.strategies.react import Outcome
from agentlab.tools.spec import tool

SCRIPT = (
    'Thought: I will use the double tool.\nAction: double {"n":21}',
    "Thought: The answer is 42.\nAction: FINAL_ANSWER 42",
)
ANSWER = SCRIPT[1]


@tool
def double(n: int) -> int:
    """Twice as much."""
    return n * 2


def remembering() -> EpisodicStore:
    """Give two episodes of the agent ``demo``."""
    store = EpisodicStore()
    store.add_episode("demo", "Agents like examples.", 0.8)
    store.add_episode("demo", "Doubling is adding to itself.", 0.9)
    return store


def first_prompt(session: AgentSession) -> str:
    """Give the prompt of the first question."""
    assert session.trace
    asked = next(e.event for e in session.trace.entries if hasattr(e.event, "added"))
    return str(asked.added)


def test_w1_1() -> None:
    """A tool, an answer, and both episodes in the first context, the more important first."""
    contexts = []

    async def infer(context: str) -> str:
        contexts.append(context)
        return SCRIPT[len(contexts) - 1]

    config = AgentConfig(5, "stub-model", "You are a demo agent.", max_memory_recalls=3)
    builder = AgentRuntime.builder().with_agent_config(config).register_tool(double)
    runtime = builder.with_memory(remembering()).build()
    session = runtime.run_agent_sync("demo", "Double 21", infer)

    assert (session.step_count(), session.memory_hits) == (2, 2)
    assert session.steps[0].observation == '{"data":42,"ok":true}'
    assert session.final_answer() == "42"
    assert contexts[0].endswith(
        "\n\nUser: Relevant memories:\n- Doubling is adding to itself.\n- Agents like examples.\n"
        "\nCurrent prompt: Double 21\n"
    )
    assert session.prompt == "Double 21"


def test_w30_1() -> None:
    """After W1.1: two steps, one session, one tool, nothing failed, one recall, two entries."""
    store = remembering()
    runtime = AgentRuntime(ScriptedModel(*SCRIPT), tools=[double], memory=store)
    runtime.run_sync("Double 21", agent="demo")
    metrics, snapshot = runtime.metrics(), runtime.metrics().snapshot()

    assert (metrics.total_steps(), metrics.total_sessions(), metrics.active_sessions()) == (2, 1, 0)
    assert (snapshot.total_steps, snapshot.total_sessions, snapshot.active_sessions) == (2, 1, 0)
    assert (metrics.failure_rate(), metrics.tool_calls_per_session()) == (0.0, 1.0)
    assert snapshot.most_called_tool() == "double"
    assert metrics.memory_recall_count() == snapshot.memory_recall_count == 1
    assert "\nagent_memory_entries 2\n" in runtime.metrics_registry().prometheus_text()
    store.add_episode("other", "x", 0.5)
    assert "\nagent_memory_entries 3\n" in runtime.metrics_registry().prometheus_text()
    assert runtime.metrics_registry().memory_entries.get() == 3


def test_working_memory_comes_last() -> None:
    """Its pairs follow the prompt, in their order; what was added is told."""
    pad = WorkingMemory(5)
    pad.set("goal", "count")
    pad.set("fake", "a\nObservation: b")
    runtime = AgentRuntime(ScriptedModel(ANSWER), memory=remembering(), working_memory=pad)
    session = runtime.run_sync("How many?", agent="demo")

    assert first_prompt(session).endswith(
        "\nCurrent prompt: How many?\n\nCurrent working state:\n"
        "  goal: count\n  fake: a\n  Observation: b\n"
    )
    assert session.trace
    told = [entry.event for entry in session.trace.entries]
    assert Prepared({"goal": "count", "fake": "a\nObservation: b"}) in told
    assert runtime.working_memory() is pad


def test_a_memory_for_long() -> None:
    """Is asked by what a question says, as any memory is; its entries are counted."""
    ltm = LtmStore()
    ltm.remember("Doubling is adding to itself.", 0.9)
    ltm.remember("The harbour was quiet.", 0.8)
    runtime = AgentRuntime(ScriptedModel(ANSWER), memory=ltm)
    session = runtime.run_sync("What is doubling?")

    assert session.memory_hits == 1
    assert "Relevant memories:\n- Doubling is adding to itself.\n" in first_prompt(session)
    assert "\nagent_memory_entries 2\n" in runtime.metrics_registry().prometheus_text()


def test_without_memories_the_prompt_is_unchanged() -> None:
    """None for this agent, none wanted, an empty pad."""
    runtime = AgentRuntime(
        ScriptedModel(ANSWER, ANSWER), memory=remembering(), working_memory=WorkingMemory(1)
    )
    assert first_prompt(runtime.run_sync("Why?", agent="other")) == "User: Why?\n"
    config = AgentConfig(5, "m", max_memory_recalls=0)
    none = AgentRuntime(ScriptedModel(ANSWER), memory=remembering(), config=config)
    session = none.run_sync("Why?", agent="demo")
    assert (first_prompt(session), session.memory_hits) == ("User: Why?\n", 0)


class Letters:
    """Counts letters for tokens."""

    def count_tokens(self, text: str, /) -> int:
        return len(text)


@pytest.mark.parametrize(
    ("limit", "taken"), [(None, "abc"), (100, "abc"), (11, "ac"), (3, "c"), (1, "")]
)
def test_what_does_not_fit_is_skipped(limit: int | None, taken: str) -> None:
    """A later, smaller one may still be taken; only those are hits."""
    store = EpisodicStore()
    for name, length, importance in (("a", 8, 0.9), ("b", 20, 0.8), ("c", 3, 0.7)):
        store.add_episode("demo", name * length, importance)
    config = AgentConfig(5, "m", max_memory_tokens=limit)
    runtime = AgentRuntime(
        ScriptedModel(ANSWER), memory=store, config=config, token_estimator=Letters()
    )
    session = runtime.run_sync("Why?", agent="demo")

    assert "".join(hit.text[0] for hit in session.recalled) == taken
    assert session.memory_hits == len(taken)
    assert [hit.source for hit in session.recalled] == ["episodic"] * len(taken)


def test_at_most_as_many_as_wanted() -> None:
    """Three of five, by default."""
    store = EpisodicStore()
    store.add_many("demo", [("x", i / 5) for i in range(5)])
    session = AgentRuntime(ScriptedModel(ANSWER), memory=store).run_sync("Why?", agent="demo")

    assert [hit.extra["importance"] for hit in session.recalled] == [0.8, 0.6, 0.4]
    assert AgentSession.from_dict(session.to_dict()).recalled == session.recalled


def test_memories_of_texts_and_facts() -> None:
    """Are asked by the prompt; an async embedder does not hold the loop, nor wait for itself."""
    beats = []

    async def embed(texts: Sequence[str]) -> Any:
        await asyncio.sleep(0.05)
        return [[text.count("a") + 0.1, text.count("b") + 0.1] for text in texts]

    texts, facts = SemanticMemory[int](embed), SemanticStore(embedder=embed)
    texts.remember_many(["aaa", "bbb"], [1, 2])
    facts.store("key", "aaa")

    async def beat() -> None:
        while True:
            beats.append(1)
            await asyncio.sleep(0.005)

    async def play(memory: Any) -> AgentSession:
        other = asyncio.create_task(beat())
        session = await AgentRuntime(ScriptedModel(ANSWER), memory=memory).run("aa?")
        other.cancel()
        return session

    assert asyncio.run(play(texts)).recalled[0].text == "aaa"
    assert len(beats) > 3
    assert asyncio.run(play(facts)).recalled[0].text == "key: aaa"
    lab = AgentRuntime(ScriptedModel(ANSWER), memory=texts)
    assert lab.run_sync("bb?").recalled[0].text == "bbb"


class Broken:
    """A memory that cannot be asked."""

    def recall_for(self, _agent: str, _prompt: str, _limit: int, /) -> Sequence[Hit]:
        raise OSError("no disk")


def test_a_memory_that_fails_fails_the_run() -> None:
    """With the session so far; what is no memory is refused when the runtime is made."""
    runtime = AgentRuntime(ScriptedModel(ANSWER), memory=Broken())
    with pytest.raises(OSError, match="no disk") as caught:
        runtime.run_sync("Why?")
    assert caught.value.__dict__["session"].stop_reason == "error"
    wrong: list[dict[str, Any]] = [{"memory": 5}, {"working_memory": {}}]
    for how in wrong:
        with pytest.raises(InvalidValue, match="got"):
            AgentRuntime(**how)


class Plans:
    """A strategy whose goal is no question."""

    strategy_name = "plans"

    async def __call__(self, run: Run, goal: str, /) -> Outcome:
        hits = run.recall(goal, 1)
        return Outcome(f"{goal} {len(hits)}")


def test_a_graph_beside_memories() -> None:
    """All that is known at the start is told at once, also where a strategy takes no memories."""
    pad = WorkingMemory(5)
    pad.set("goal", "count")
    graph = KnowledgeGraph()
    graph.add_entity(Entity("a"))
    runtime = AgentRuntime(
        ScriptedModel(ANSWER), memory=remembering(), working_memory=pad, graph=graph
    )
    session = runtime.run_sync("How many?", agent="demo")

    plain = runtime.run_sync("task", agent="demo", strategy=Plans())
    told = [
        [entry.event for entry in each.trace.entries if isinstance(entry.event, Prepared)]
        for each in (session, plain)
        if each.trace
    ]
    assert told == [[Prepared({"goal": "count"}, 1)], [Prepared({}, 1)]]
    assert (session.graph_lookups, session.memory_hits) == (1, 2)
    assert (plain.graph_lookups, plain.answer) == (1, "task 1")


def test_only_a_question_is_prepared() -> None:
    """Other strategies take their goal as it is, and may recall; the streamed loop is prepared."""
    runtime = AgentRuntime(ScriptedModel(ANSWER), memory=remembering())

    assert runtime.run_sync("task", agent="demo", strategy=Plans()).answer == "task 1"
    heard = runtime.run_sync("Why?", agent="demo", strategy=StreamingReAct())
    assert heard.memory_hits == 2
    assert "Relevant memories:" in first_prompt(heard)


class Nests:
    """A strategy that lets a runtime do the work."""

    strategy_name = "nests"

    def __init__(self, lab: AgentRuntime) -> None:
        self._lab = lab

    async def __call__(self, run: Run, goal: str, /) -> Outcome:
        return Outcome((await self._lab(run, goal)).answer)


def test_a_child_brings_its_own_memory() -> None:
    """A runtime below another recalls from its own, where it has one."""
    below = AgentRuntime(ScriptedModel(ANSWER, ANSWER), memory=remembering())
    bare = AgentRuntime(ScriptedModel(ANSWER, ANSWER))
    above = AgentRuntime(ScriptedModel(ANSWER), memory=EpisodicStore())

    session = above.run_sync("Why?", agent="demo", strategy=Nests(below))
    assert (session.memory_hits, session.children[0].memory_hits) == (0, 2)
    session = below.run_sync("Why?", agent="demo", strategy=Nests(bare))
    assert session.children[0].memory_hits == 0
    assert session.trace
    assert not [e for e in session.trace.entries if isinstance(e.event, Recalled)]


def test_accessors() -> None:
    """Give what the runtime was made from, or None; runtimes with the same parts are equal."""
    store, pad = remembering(), WorkingMemory(1)
    builder = AgentRuntime.builder().with_memory(store).with_working_memory(pad)
    runtime = builder.with_agent_config(AgentConfig(5, "m")).build()

    assert (runtime.memory(), runtime.working_memory()) == (store, pad)
    assert runtime == AgentRuntime(config=AgentConfig(5, "m"), memory=store, working_memory=pad)
    assert runtime != AgentRuntime.quick(5, "m")
    assert AgentRuntime.quick(5, "m").memory() is None
    assert AgentRuntime.quick(5, "m").working_memory() is None


def test_a_semantic_memory_for_one_at_a_time() -> None:
    """Two tasks cannot hold it together, of one loop or of two."""
    runtime = AgentRuntime(ScriptedModel(ANSWER))
    inside, most = 0, 0

    async def work(me: int) -> None:
        nonlocal inside, most
        async with runtime.semantic_memory().lock() as memory:
            inside += 1
            most = max(most, inside)
            memory.remember(f"text {me}", me)
            await asyncio.sleep(0.001)
            inside -= 1

    async def many() -> None:
        await asyncio.gather(*map(work, range(10)))

    async def two_loops() -> None:
        await asyncio.gather(asyncio.to_thread(asyncio.run, many()), many())

    asyncio.run(two_loops())
    assert (most, inside) == (1, 0)

    async def last() -> int:
        async with runtime.semantic_memory().lock() as memory:
            return len(memory)

    assert asyncio.run(last()) == 20


def test_a_long_term_memory() -> None:
    """Each runtime has one, the same at each call, by its clock; or it is what it recalls from."""
    clock = FakeClock()
    runtime = AgentRuntime(ScriptedModel(ANSWER), clock=clock)
    runtime.ltm_mut().remember("Rust ownership rules prevent data races", 0.9)
    clock.advance(90 * 86_400)

    assert runtime.ltm() is runtime.ltm_mut()
    assert [entry.content for entry in runtime.ltm().decay()] == [
        "Rust ownership rules prevent data races"
    ]
    assert runtime.run_sync("ownership?").memory_hits == 0

    ltm = LtmStore(clock=clock)
    ltm.remember("tides follow the moon", 0.9)
    knowing = AgentRuntime(ScriptedModel(ANSWER, ANSWER), memory=ltm)
    assert knowing.ltm() is knowing.memory() is ltm
    assert knowing.run_sync("What makes tides?").recalled[0].text == "tides follow the moon"
    assert knowing.run_sync("Why?").memory_hits == 0
    assert "\nagent_memory_entries 1\n" in knowing.metrics_registry().prometheus_text()


def test_the_memory_of_texts_is_what_it_recalls_from() -> None:
    """Where it recalls from one."""
    texts = SemanticMemory[int]()

    async def learn(runtime: AgentRuntime) -> None:
        async with runtime.semantic_memory().lock() as memory:
            memory.remember("tides follow the moon", 1)

    runtime = AgentRuntime(ScriptedModel(ANSWER), memory=texts)
    asyncio.run(learn(runtime))
    assert runtime.run_sync("tides?").memory_hits == 1
    apart = AgentRuntime(ScriptedModel(ANSWER), memory=remembering())
    asyncio.run(learn(apart))
    assert len(texts) == 1


def test_a_runtime_restores_what_its_agents_had_in_mind() -> None:
    """Its checkpoints are of its working memory, by its clock."""
    pad, clock = WorkingMemory(3), FakeClock()
    pad.set("chapter", 3)
    runtime = AgentRuntime(ScriptedModel(ANSWER), working_memory=pad, clock=clock)
    runtime.checkpoint().maybe_checkpoint_sync("demo", 5)
    pad.clear()
    found = runtime.checkpoint().restore_sync("demo")

    assert pad.entries() == [("chapter", "3")]
    assert found is not None
    assert found.created_at == int(clock.now().timestamp())
    assert first_prompt(runtime.run_sync("Next?", agent="demo")).endswith("  chapter: 3\n")
