"""Runs on tape."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from agentlab.core.clock import FakeClock
from agentlab.core.errors import NotConfigured, RecordingMissed
from agentlab.core.events import Entry
from agentlab.core.protocols import Chunk, Request
from agentlab.core.run import Run
from agentlab.core.session import AgentSession
from agentlab.models.recorded import RecordedModel
from agentlab.models.scripted import ScriptedModel
from agentlab.recording import record, replay
from agentlab.runtime import AgentRuntime
from agentlab.strategies.react import Outcome, ReAct
from agentlab.tools.spec import tool

CALL = 'Thought: t\nAction: double {"n":21}'
DONE = "Thought: done\nAction: FINAL_ANSWER 42"


@tool(inline=True)
def double(n: int) -> int:
    """Twice as much."""
    return n * 2


def lab(*replies: str) -> AgentRuntime:
    """Make a runtime whose ids and times repeat; without replies it cannot answer."""
    model = ScriptedModel(*replies)
    return AgentRuntime(
        model,
        tools=[double],
        clock=FakeClock(),
        rng=random.Random(7),  # noqa: S311
    )


def test_a_replay_equals_the_recording(tmp_path: Path) -> None:
    """Entry for entry; and the runtime is changed in place, whatever model it has."""
    tape = tmp_path / "runs" / "tape.jsonl"
    first = lab(CALL, DONE)
    assert record(first, tape) is first
    recorded = first.run_sync("Double 21")
    replayed = replay(lab(), tape).run_sync("Double 21")

    assert recorded == replayed
    assert recorded.trace
    assert replayed.trace
    assert recorded.trace.entries == replayed.trace.entries


def test_the_header_names_model_and_version(tmp_path: Path) -> None:
    """So that a tape can be told from its first line."""
    record(lab(DONE), tmp_path / "tape.jsonl").run_sync("?")
    header = (tmp_path / "tape.jsonl").read_text().splitlines()[0]

    assert '"kind":"recording"' in header
    assert '"model":"ScriptedModel"' in header
    assert '"agentlab":"' in header


def test_whatever_model_answers_is_on_the_tape(tmp_path: Path) -> None:
    """Models brought by a run, and those of the runs below it."""

    class Panel:
        strategy_name = "panel"

        async def __call__(self, run: Run, goal: str, /) -> Outcome:
            other = run.child("bob", model=ScriptedModel(DONE))
            return await ReAct()(other, goal)

    runtime = record(lab(DONE), tmp_path / "tape.jsonl")
    runtime.run_agent_sync("ann", "Double 21", lambda _: DONE)
    runtime.run_sync("Double 21", strategy=Panel())
    played = replay(lab(), tmp_path / "tape.jsonl")

    def nobody(_: str) -> str:
        raise AssertionError

    assert played.run_agent_sync("ann", "Double 21", nobody).answer == "42"
    assert played.run_sync("Double 21", strategy=Panel()).answer == "42"


def test_a_tape_can_be_taken_out(tmp_path: Path) -> None:
    """As a context manager; and recording again replaces the tape."""
    one, two = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    runtime = lab(DONE, DONE, DONE)
    with record(record(runtime, one), two):
        runtime.run_sync("?")
    runtime.run_sync("?")

    assert not one.exists()
    assert len(two.read_text().splitlines()) == 2

    with record(ScriptedModel(DONE, DONE), one) as model:
        assert isinstance(model, RecordedModel)
        AgentRuntime(model).run_sync("?")
    AgentRuntime(model).run_sync("?")
    assert len(one.read_text().splitlines()) == 2


def test_a_miss_says_what_differs(tmp_path: Path) -> None:
    """And the error carries the session."""
    tape = tmp_path / "tape.jsonl"
    record(lab(DONE), tape).run_sync("Double 21")
    with pytest.raises(RecordingMissed) as caught:
        replay(lab(), tape).run_sync("Double 22")

    assert "-User: Double 21" in str(caught.value)
    assert "+User: Double 22" in str(caught.value)
    assert caught.value.session
    with pytest.raises(RecordingMissed, match="is empty"):
        replay(lab(), tmp_path / "none.jsonl").run_sync("?")


def test_a_tape_without_a_model(tmp_path: Path) -> None:
    """Can replay, and says what is missing when it cannot."""
    tape = tmp_path / "tape.jsonl"
    with pytest.raises(NotConfigured, match="does not have this request"):
        AgentRuntime(record(None, tape, mode="auto")).run_sync("?")


def test_a_run_twice_over_replays_and_warns(tmp_path: Path) -> None:
    """A cell can be run again; the session says that the tape began again."""
    tape = tmp_path / "tape.jsonl"
    record(lab(DONE), tape).run_sync("?")
    runtime = replay(lab(), tape)
    sessions = [runtime.run_sync("?") for _ in range(2)]

    assert [session.answer for session in sessions] == ["42", "42"]
    assert [len(session.warnings) for session in sessions] == [0, 1]


def test_the_environment_sets_the_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a test can run somebody's notebook offline."""
    monkeypatch.setenv("AGENTLAB_RECORDING", "replay")
    with pytest.raises(RecordingMissed):
        record(lab(DONE), tmp_path / "tape.jsonl").run_sync("?")
    monkeypatch.setenv("AGENTLAB_RECORDING", "off")
    assert record(lab(DONE), tmp_path / "tape.jsonl").run_sync("?").answer == "42"
    assert not (tmp_path / "tape.jsonl").exists()


class Echo:
    """Answer slowly, the later the sooner, with the number of the call."""

    def __init__(self, count: int) -> None:
        self.count, self.calls = count, 0

    async def stream(self, _request: Request, /) -> AsyncIterator[Chunk]:
        self.calls += 1
        mine = self.calls
        for _ in range(self.count - mine):
            await asyncio.sleep(0)
        yield Chunk(f"Action: FINAL_ANSWER {mine}")


def test_twenty_at_once(tmp_path: Path) -> None:
    """Equal requests keep the order they were asked in, whoever was answered first."""

    async def play(runtime: AgentRuntime) -> list[str | None]:
        sessions = await asyncio.gather(*(runtime.run("?") for _ in range(20)))
        return [session.answer for session in sessions]

    tape = tmp_path / "tape.jsonl"
    first = asyncio.run(play(record(AgentRuntime(Echo(20), max_iterations=1), tape)))
    again = asyncio.run(play(replay(AgentRuntime(Echo(0), max_iterations=1), tape)))

    assert first == again == [str(i) for i in range(1, 21)]


WORDS = st.text(st.characters(codec="utf-8"), max_size=12)
STEP = "Thought: {}\nAction: double {{'n':{}}}".replace("'", '"')
STEPS = st.lists(st.builds(STEP.format, WORDS, st.integers()))


@given(STEPS, WORDS, WORDS)
def test_record_then_replay(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], goal: str, answer: str
) -> None:
    """Whatever was said comes back, entry by entry."""
    tape = tmp_path_factory.mktemp("tape") / "tape.jsonl"
    script = [*steps, f"Thought: done\nAction: FINAL_ANSWER {answer}"]

    def entries(session: AgentSession) -> list[Entry]:
        assert session.trace
        return [structs.replace(entry) for entry in session.trace.entries]

    def run(runtime: AgentRuntime) -> AgentSession:
        try:
            return runtime.run_sync(goal)
        except Exception as error:  # noqa: BLE001 - any ending will do
            session: AgentSession = error.__dict__["session"]
            return session

    first = run(record(lab(*script), tape))
    assert entries(run(replay(lab(), tape))) == entries(first)
