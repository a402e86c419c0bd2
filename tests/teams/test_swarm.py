"""Swarms: how a task is split, who does what, and when it is enough."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import agentlab as al
from agentlab.core.chart import Charts
from agentlab.core.events import RunEnded
from agentlab.teams.splitting import breadth, depth
from agentlab.teams.swarm import SwarmOrchestrator
from agentlab.teams.swarm_config import (
    NOTHING,
    AgentSwarm,
    SubTaskResult,
    SwarmConfig,
    SwarmResult,
    converge_results,
)
from tests.teams.playing import Timed, in_loop

WORKERS = ["worker-1", "worker-2", "worker-3"]
README = "Research Rust async runtimes, compare with C++ coroutines, and summarise tradeoffs"


def swarm(task: str, infer: Any, agents: Any = WORKERS, **how: Any) -> SwarmResult:
    """Run a swarm that stands alone."""
    return SwarmOrchestrator(SwarmConfig(**how)).run_swarm_sync(task, infer, agents=agents)


def test_w36_1() -> None:
    """Three prompts for three workers, all of which are needed."""
    asked = dict[str, str]()

    def infer(agent: str, prompt: str) -> str:
        asked[agent] = prompt
        return f"about: {prompt}"

    lab = al.AgentRuntime.quick(3, "none")
    how = SwarmConfig(3, convergence_threshold=0.8)
    result = lab.run_swarm_sync(README, infer, agents=WORKERS, config=how)

    assert asked == {
        "worker-1": "Research Rust async runtimes",
        "worker-2": "compare with C++ coroutines",
        "worker-3": "summarise tradeoffs",
    }
    assert (result.required, result.threshold_met, result.failure_count) == (3, True, 0)
    first, *lines = result.converged_answer.splitlines()
    assert first == "Synthesised answer from 3 agent result(s):"
    assert lines[0] == "1. [worker-1] about: Research Rust async runtimes"
    assert result.all_succeeded()


@in_loop
async def test_w36_2() -> None:
    """Half is enough: it stops after two, and cancels the others, whose runs end stopped."""
    infer = Timed(lambda _agent, prompt: 1 if prompt in "ab" else 500)
    task = "a and b and c and d"
    strategy = al.SwarmStrategy(SwarmConfig(convergence_threshold=0.5), WORKERS, infer)
    session = await al.AgentRuntime().run(task, strategy=strategy)
    result = session.result

    assert isinstance(result, SwarmResult)
    assert [each.status for each in result.subtask_results] == ["completed"] * 2 + ["cancelled"] * 2
    assert (result.failure_count, result.threshold_met, infer.open) == (0, True, 0)
    assert [child.stop_reason for child in session.children] == ["final_answer"] * 2 + [
        "stopped"
    ] * 2
    assert result.subtask_results[2].error == "cancelled: 2 of 2 needed had succeeded"
    assert not result.all_succeeded()
    assert len(result.cancelled()) == 2


def test_w36_3() -> None:
    """Nothing to do is done."""
    for task in ("", "  ", ", ; and "):
        result = swarm(task, lambda agent, _: agent)
        assert (result.subtask_results, result.threshold_met) == ((), True)
        assert result.answer == NOTHING


def test_w36_4() -> None:
    """Nobody to do it is an error."""
    with pytest.raises(al.InternalError, match="no agents"):
        swarm("a", lambda agent, _: agent, agents=[])


@in_loop
async def test_w36_5() -> None:
    """Pieces of one part are done one after the other, and told what came before."""
    infer = Timed(lambda _agent, _prompt: 5)
    config = SwarmConfig(task_split_strategy=al.TaskSplitStrategy.Depth)
    task = "collect logs then parse them then summarise"
    result = await SwarmOrchestrator(config).run_swarm(task, infer, agents=WORKERS)

    assert [each.subtask_id for each in result.subtask_results] == [
        "st-0-d0", "st-0-d1", "st-0-d2",
    ]  # fmt: skip
    assert infer.most == 1
    assert [prompt.splitlines()[0] for _, prompt in infer.asked] == [
        "collect logs", "parse them", "summarise",
    ]  # fmt: skip
    assert "[Earlier results]\n- collect logs: worker-1 did collect logs" in infer.asked[1][1]
    assert infer.asked[0][1] == "collect logs"


def test_w36_6() -> None:
    """One of three fails: that is counted, and what the others found is kept."""

    def infer(agent: str, prompt: str) -> str:
        if agent == "worker-2":
            raise ConnectionError("down")
        return prompt.upper()

    result = swarm("a, b, c", infer)

    assert (result.failure_count, result.threshold_met) == (1, False)
    assert [each.output for each in result.subtask_results] == ["A", "", "C"]
    assert result.subtask_results[1].error == "ConnectionError: down"
    assert result.answer.endswith("1. [worker-1] A\n2. [worker-3] C")


@pytest.mark.parametrize(
    ("task", "parts"),
    [
        ("1. a\n2) b\n3. c", ["a", "b", "c"]),
        ("1. write it 2. run it 3. fix it", ["write it", "run it", "fix it"]),
        ("learn Rust 2. 0 features", ["learn Rust 2. 0 features"]),
        ("pay 1,000 euros, then sleep", ["pay 1,000 euros", "then sleep"]),
        ('say "salt and pepper" and go', ['say "salt and pepper"', "go"]),
        ("f(a, b); g[c, d]", ["f(a, b)", "g[c, d]"]),
        ("sort (a, b", ["sort (a", "b"]),
        ('an odd " quote, here', ['an odd " quote', "here"]),
        ("the sandman ANDROID And x", ["the sandman ANDROID", "x"]),
        ("", []),
        ("one", ["one"]),
    ],
)  # fmt: skip
def test_breadth(task: str, parts: list[str]) -> None:
    """Lists, commas, semicolons and the word "and" split; quotes, brackets, numbers do not."""
    assert breadth(task) == parts


@pytest.mark.parametrize(
    ("part", "pieces"),
    [
        ("a then b next c finally d", ["a", "b", "c", "d"]),
        ("a. after that b, subsequently c", ["a", "b,", "c"]),
        ("use version 2.0 of x.y. Then test", ["use version 2.0 of x.y", "test"]),
        ("strengthen the net", ["strengthen the net"]),
    ],
)
def test_depth(part: str, pieces: list[str]) -> None:
    """Words of order and full stops split; numbers and parts of words do not."""
    assert depth(part) == pieces


@given(st.text(alphabet='ab ,;.()[]{}"`“”1and', max_size=60))
def test_nothing_is_lost_in_splitting(task: str) -> None:
    """Every letter of a task but separators is in a part, in order."""
    kept = "".join("".join(breadth(task)).split())
    position = 0
    for letter in kept:
        position = task.index(letter, position) + 1


def test_splitting_takes_no_time() -> None:
    """However odd a text is."""
    for text in ("(" * 20_000, '"' * 20_001, "([{“" * 5000 + "]" * 5000, "1. " * 5000):
        breadth(text)


def test_ids_and_assignments() -> None:
    """Dealt out in turn to as many agents as may be used."""
    crowd = AgentSwarm(SwarmConfig(2), WORKERS)
    parts = crowd.assign(crowd.split_task("a, b, c"))
    assert [(each.id, each.assigned_agent, each.depth) for each in parts] == [
        ("st-0", "worker-1", 0), ("st-1", "worker-2", 0), ("st-2", "worker-1", 0),
    ]  # fmt: skip
    deep = AgentSwarm(SwarmConfig(task_split_strategy="depth"), WORKERS)  # type: ignore[arg-type]
    parts = deep.assign(deep.split_task("a then b, c"))
    assert [(each.id, each.depth) for each in parts] == [
        ("st-0-d0", 1),
        ("st-0-d1", 1),
        ("st-1-d0", 1),
    ]


def test_never_more_than_may_be() -> None:
    """Of very many subtasks the last holds those that are left."""
    parts = AgentSwarm(agents=["a"]).split_task(", ".join(f"t{i}" for i in range(100)))
    assert len(parts) == 64
    assert parts[-1].prompt.split("; ") == [f"t{i}" for i in range(63, 100)]


@pytest.mark.parametrize(
    ("share", "total", "required"),
    [(0.8, 3, 3), (0.07, 100, 7), (0.0, 4, 1), (1.0, 4, 4), (0.5, 3, 2), (0.5, 4, 2), (1, 0, 0)],
)
def test_how_many_must_succeed(share: float, total: int, required: int) -> None:
    """The share, rounded up as people count, and one at least."""
    assert SwarmConfig(convergence_threshold=share).required(total) == required


def test_converging() -> None:
    """Nothing, one, or a list in which what is said twice stands once."""

    def result(i: int, output: str, *, success: bool = True) -> SubTaskResult:
        return SubTaskResult(f"st-{i}", f"a{i}", output, success)

    long = "x" * 70
    assert converge_results([result(0, "", success=False)]) == NOTHING
    assert converge_results([result(0, "", success=False), result(1, "one")]) == "one"
    several = [result(0, "Same."), result(1, " same"), result(2, long + "1"), result(3, long + "2")]
    assert converge_results(several) == (
        "Synthesised answer from 4 agent result(s):\n1. [a0] Same.\n"
        f"2. [a2] {long}1\n3. [a3] {long}2"
    )


@given(st.randoms(), st.integers(1, 8), st.integers(0, 4))
def test_the_answer_does_not_depend_on_who_is_quicker(chance: Any, count: int, limit: int) -> None:
    """Results stand in the order of the subtasks, however long each takes."""
    infer = Timed(lambda _agent, _prompt: chance.randrange(6))
    task = ", ".join(f"task {i}" for i in range(count))
    result = swarm(task, infer, max_agents=limit)
    used = WORKERS[: limit or None]

    assert [each.output for each in result.subtask_results] == [
        f"{used[i % len(used)]} did task {i}" for i in range(count)
    ]
    assert infer.most <= (limit or count)
    assert result.trace is not None
    root = result.trace.entries[0].run
    again = swarm(task, Timed(), max_agents=limit)
    assert again.answer == result.answer
    assert again.trace is not None
    other = again.trace.entries[0].run
    runs = {e.run.removeprefix(root) for e in result.trace.entries}
    assert runs == {e.run.removeprefix(other) for e in again.trace.entries}


@in_loop
async def test_trying_again() -> None:
    """An agent may try again where that may help, and then the next one once."""
    tries = list[str]()

    async def infer(agent: str, prompt: str) -> str:
        tries.append(f"{agent} {prompt}")
        if prompt == "b" and agent == "worker-2":
            raise ConnectionError("down")
        return prompt

    retry = al.RetryPolicy.constant(2, 0)
    config = SwarmConfig(retry=retry, reassign=True, max_agents=1)
    assert len((await SwarmOrchestrator(config).run_swarm("b", infer, agents=WORKERS)).answer) == 1
    tries.clear()
    config = SwarmConfig(retry=retry, reassign=True)
    strategy = al.SwarmStrategy(config, WORKERS, infer)
    session = await al.AgentRuntime().run("a, b", strategy=strategy)
    result = session.result

    assert isinstance(result, SwarmResult)
    assert tries == ["worker-1 a", "worker-2 b", "worker-2 b", "worker-3 b"]
    second = result.subtask_results[1]
    assert (second.agent_id, second.attempts, second.success) == ("worker-3", 3, True)
    below = session.children[1].children
    assert [(child.agent_id, child.stop_reason) for child in below] == [
        ("worker-2", "error"), ("worker-2", "error"), ("worker-3", "final_answer"),
    ]  # fmt: skip

    def no(_agent: str, _prompt: str) -> str:
        raise ConnectionError("down")

    failed = await SwarmOrchestrator(config).run_swarm("a", no, agents=WORKERS)
    assert (failed.failure_count, failed.subtask_results[0].attempts) == (1, 4)


def test_a_splitter_of_ones_own() -> None:
    """Gives texts, and several in place of one for what must be done in turn; it may be async."""

    async def splitter(task: str) -> list[Any]:
        return [task, ["first", "second"]]

    result = swarm("whole", lambda _, prompt: prompt.splitlines()[0], splitter=splitter)
    assert [(r.subtask_id, r.output) for r in result.subtask_results] == [
        ("st-0", "whole"), ("st-1-d0", "first"), ("st-1-d1", "second"),
    ]  # fmt: skip
    for wrong in ("a text", [3]):
        with pytest.raises(al.InvalidValue):
            swarm("x", lambda agent, _: agent, splitter=lambda _, wrong=wrong: wrong)


def test_one_coherent_answer() -> None:
    """Where it is wanted something that answers makes one of the results."""
    model = al.ScriptedModel("all is well")
    result = swarm("a, b", lambda _, prompt: prompt, synthesise=model)
    assert result.answer == "all is well"
    assert "1. [worker-1] a\n2. [worker-2] b" in model.requests[0].prompt
    broken = al.ScriptedModel(ConnectionError("down"))
    assert swarm("a, b", lambda _, prompt: prompt, synthesise=broken).answer.startswith("Synth")


@in_loop
async def test_a_swarm_gives_up_what_is_too_slow() -> None:
    """Each attempt has its time; that is a failure."""

    async def infer(agent: str, prompt: str) -> str:
        await asyncio.sleep(60 * (agent == "worker-2"))
        return prompt

    config = SwarmConfig(timeout_s=0.02)
    result = await SwarmOrchestrator(config).run_swarm("a, b", infer, agents=WORKERS)
    assert result.failure_count == 1
    assert "timeout" in (result.subtask_results[1].error or "")


def test_who_swallows_the_cancellation_is_cancelled() -> None:
    """Early exit means it: also for an agent that catches everything, and for blocking ones."""
    release = threading.Event()

    async def stubborn(_: str) -> str:
        while True:
            try:
                await asyncio.sleep(60)
            except BaseException:  # noqa: BLE001 - the very thing
                break
        return "I go on"

    agents = {
        "quick": lambda _: "done",
        "stubborn": stubborn,
        "blocking": lambda _: release.wait(9),
    }
    result = SwarmOrchestrator(SwarmConfig(convergence_threshold=0.1)).run_swarm_sync(
        "a, b, c", agents=agents
    )
    release.set()

    assert [each.status for each in result.subtask_results] == [
        "completed",
        "cancelled",
        "cancelled",
    ]
    assert result.trace is not None
    ends = [e.event.stop_reason for e in result.trace.entries if isinstance(e.event, RunEnded)]
    assert sorted(ends) == ["final_answer", "final_answer", "stopped", "stopped"]


@pytest.mark.parametrize("share", [0.4, 1.0])
@pytest.mark.parametrize("moves", range(0, 60, 3))
def test_cancelled_at_any_moment(moves: int, share: float) -> None:
    """No task is left, nobody goes on answering, and every run that began has an end."""

    async def play() -> None:
        infer = Timed(lambda _agent, prompt: 1 + ord(prompt[0]) % 5)
        config = SwarmConfig(2, convergence_threshold=share, retry=al.RetryPolicy.constant(2, 0))
        strategy = al.SwarmStrategy(config, WORKERS, infer)
        handle = al.AgentRuntime().start("a, b, c, d and e", strategy=strategy)
        for _ in range(moves):
            await asyncio.sleep(0)
        handle.stop()
        session = await handle
        assert session.stop_reason in ("stopped", "final_answer")
        assert infer.open == 0
        kinds = [type(entry.event).__name__ for entry in handle.trace.entries]
        assert kinds.count("RunStarted") == kinds.count("RunEnded")
        assert al.AgentSession.from_trace(handle.trace.entries) == session
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(play())


def test_it_is_charted() -> None:
    """A list of subtasks, who does each, and how far each is."""
    result = swarm("a, b and c", lambda _, prompt: prompt)
    assert result.trace is not None
    (chart,) = Charts.of(result.trace.entries).values()
    assert chart.plan.shape == "list"
    assert [(n.id, n.label, n.detail) for n in chart.plan.nodes] == [
        ("st-0", "a", "worker-1"), ("st-1", "b", "worker-2"), ("st-2", "c", "worker-3"),
    ]  # fmt: skip
    assert {chart.status(node.id) for node in chart.plan.nodes} == {"done"}
    assert SwarmResult.from_dict(result.to_dict()) == result


@pytest.mark.parametrize(
    "how",
    [
        {"convergence_threshold": 1.1}, {"convergence_threshold": float("nan")},
        {"max_agents": -1}, {"task_split_strategy": "wide"}, {"splitter": 3}, {"retry": 3},
        {"timeout_s": 0},
    ],
)  # fmt: skip
def test_what_can_never_be(how: dict[str, Any]) -> None:
    """Is refused at once."""
    with pytest.raises(al.InvalidValue):
        SwarmConfig(**how)


def test_builders_and_defaults() -> None:
    """As the reference has them."""
    config = SwarmConfig()
    assert (config.max_agents, config.convergence_threshold) == (0, 1.0)
    assert config.task_split_strategy is al.TaskSplitStrategy.Breadth
    changed = config.with_max_agents(2).with_convergence_threshold(0.5)
    assert changed.with_task_split_strategy(al.TaskSplitStrategy.Depth) == SwarmConfig(
        2, al.TaskSplitStrategy.Depth, 0.5
    )
