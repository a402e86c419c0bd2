"""Sessions in a store: as they go, however far they got."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.core import events
from agentlab.core.config import AgentConfig
from agentlab.core.errors import InvalidValue, PersistenceError
from agentlab.core.events import Asked, ReActStep
from agentlab.core.protocols import Chunk, Request
from agentlab.core.run import Run
from agentlab.core.secrets import Scrubber, Secret
from agentlab.core.session import AgentSession
from agentlab.core.trace import Trace
from agentlab.models.function import FunctionModel
from agentlab.models.scripted import ScriptedModel
from agentlab.runtime import AgentRuntime
from agentlab.store.file import FilePersistenceBackend
from agentlab.store.memory import InMemoryPersistenceBackend
from agentlab.store.prompts import Digests
from agentlab.store.saver import SessionSaver
from agentlab.store.sessions import load_calls, load_session
from agentlab.store.sqlite import SqlitePersistenceBackend
from agentlab.strategies.react import Outcome
from agentlab.tools.spec import tool

SCRIPT = (
    'Thought: I will use the double tool.\nAction: double {"n":21}',
    "Thought: The answer is 42.\nAction: FINAL_ANSWER 42",
)
CANARY = "canary-0123456789ab"


class Kept(dict[str, bytes]):
    """A user's backend: a dict, and a disk that may be full."""

    full = False

    async def save(self, key: str, value: bytes) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        self[key] = value

    async def load(self, key: str) -> bytes | None:
        return self.get(key)

    async def delete(self, key: str) -> None:
        self.pop(key, None)

    def read(self, key: str) -> Any:
        """Give what is kept as JSON."""
        return json.loads(self[key])


@tool(inline=True)
def double(n: int) -> int:
    """Twice as much."""
    return n * 2


def two_steps(kept: Kept, **how: Any) -> AgentSession:
    """Run a tool step and a final one."""
    runtime = AgentRuntime(
        ScriptedModel(*SCRIPT), tools=[double], sinks=[SessionSaver(kept, **how)]
    )
    return runtime.run_sync("Double 21", agent="demo")


def loaded(kept: Any, session: AgentSession) -> AgentSession:
    """Read a session back."""
    return asyncio.run(load_session(kept, session.session_id))


@pytest.mark.parametrize("snapshots", ["incremental", "full"])
def test_w28_4(snapshots: str) -> None:
    """Two steps, one with a tool, are exactly four keys, in JSON."""
    kept = Kept()
    session = two_steps(kept, snapshot_steps=snapshots)
    name = session.session_id

    assert list(kept) == [
        f"session:{name}", f"session:{name}:step:1", f"loop:{name}:step:1",
        f"session:{name}:step:2",
    ]  # fmt: skip
    whole = kept.read(f"session:{name}")
    assert (whole["status"], whole["format"], whole["strategy"]) == ("finished", 1, "react")
    assert whole["settings"]["max_iterations"] == 10
    (step,) = kept.read(f"loop:{name}:step:1")
    assert step["tool"] == "double"
    assert loaded(kept, session) == session


def test_what_a_step_key_holds() -> None:
    """Its own step, how far the run was, and what each call came to."""
    kept = Kept()
    session = two_steps(kept)
    first, second = (kept.read(f"session:{session.session_id}:step:{n}") for n in (1, 2))

    assert first["step"]["action"] == 'double {"n":21}'
    assert second["step"]["action"] == "FINAL_ANSWER 42"
    assert "steps" not in first
    calls = asyncio.run(load_calls(kept, session.session_id))
    assert [(call.run, call.number, call.kind) for call in calls] == [
        (session.session_id, 1, "ask"), (session.session_id, 2, "act"),
        (session.session_id, 3, "ask"),
    ]  # fmt: skip
    assert calls[0].result["text"] == SCRIPT[0]
    assert calls[0].result["usage"]["source"] == "estimated"
    assert (calls[1].result["ok"], calls[1].result["data"]) == (True, 42)
    assert len({call.request for call in calls}) == 3


def test_the_layout_with_all_steps_so_far() -> None:
    """Each step key is the session cut there, each loop key the list of steps up to it."""
    kept = Kept()
    runtime = AgentRuntime(
        ScriptedModel(SCRIPT[0], *SCRIPT),
        tools=[double],
        sinks=[SessionSaver(kept, snapshot_steps="full")],
    )
    session = runtime.run_sync("Double 21")
    cut = kept.read(f"session:{session.session_id}:step:2")

    assert (cut["status"], len(cut["steps"])) == ("running", 2)
    assert len(kept.read(f"loop:{session.session_id}:step:2")) == 2
    assert AgentSession.from_dict(cut).steps == session.steps[:2]


def test_it_is_there_from_the_start() -> None:
    """Before anything was asked, prompt and settings are safe; then, each step that ended."""
    kept = Kept()
    seen: list[AgentSession] = []

    async def infer(_: str) -> str:
        seen.append(await load_session(kept, saver._fold.session.session_id))  # noqa: SLF001
        return SCRIPT[len(seen) > 2]

    saver = SessionSaver(kept)
    session = AgentRuntime(FunctionModel(infer), tools=[double], sinks=[saver]).run_sync("Go")

    assert [(each.stop_reason, len(each.steps)) for each in seen] == [
        ("running", 0), ("running", 1), ("running", 2),
    ]  # fmt: skip
    assert seen[0].prompt == "Go"
    assert seen[2].steps == session.steps[:2]
    assert seen[2].tokens_in > seen[1].tokens_in > 0
    assert seen[0].created_at == session.created_at


def test_a_full_disk_loses_nothing() -> None:
    """Each step tells of it; when there is room again, all is written in its order."""
    kept = Kept()
    kept.full = True
    saver = SessionSaver(kept)
    told: list[str] = []

    def watch(entry: events.Entry) -> None:
        if isinstance(entry.event, events.SaveFailed):
            told.append(entry.event.error)
        if isinstance(entry.event, events.StepEnded) and entry.event.step.action.startswith("F"):
            kept.full = False

    runtime = AgentRuntime(ScriptedModel(*SCRIPT), tools=[double], sinks=[watch, saver])
    session = runtime.run_sync("Double 21")
    name = session.session_id

    why = f"cannot save 'session:{name}': OSError: [Errno 28] No space left on device"
    assert told == [f"Persistence error: {why}"] * 2  # at the start, and after the first step
    assert session.checkpoint_errors == [f"store: {each}" for each in told]
    assert list(kept)[:3] == [
        f"session:{name}", f"session:{name}:step:1", f"loop:{name}:step:1"
    ]  # fmt: skip
    assert loaded(kept, session) == session
    assert [len(kept.read(f"session:{name}:step:{n}")["checkpoint_errors"]) for n in (1, 2)] == [
        1,
        1,
    ]  # each names those since the step before


def test_what_is_safe_is_named() -> None:
    """Each key once it is; and a store that was cancelled in the middle gets it again."""

    class Hangs(Kept):
        async def save(self, key: str, value: bytes) -> None:
            if key.endswith("step:1") and self.full:
                await asyncio.sleep(60)
            await super().save(key, value) if not self.full else self.update({key: value})

    async def play() -> None:
        kept = Hangs()
        kept.full = True
        saver = SessionSaver(kept)
        trace = Trace(saver)
        trace.emit(events.RunStarted("a", "p", "m", "s", {}), run="r")
        trace.emit(events.StepEnded(ReActStep("t", "a")), run="r")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(saver.flush(), 0.05)
        assert list(kept) == ["session:r"]
        kept.full = False
        assert await saver.flush() == ["session:r:step:1"]
        assert await saver.flush() == []

    asyncio.run(play())


def test_a_batch_that_failed_is_written_again() -> None:
    """A store with its own way with many gets what a step writes at once, and all of it again."""

    class Batches(Kept):
        batches = 0

        async def batch_save(self, items: dict[str, bytes]) -> None:
            self.batches += 1
            key, *_ = items
            self[key] = items[key]
            if self.batches == 1:
                raise OSError("half of it is there")
            self.update(items)

    kept = Batches()
    session = two_steps(kept)
    name = session.session_id

    assert len(session.checkpoint_errors) == 1
    assert kept.batches == 2
    assert set(kept) == {
        f"session:{name}", f"session:{name}:step:1", f"session:{name}:step:2",
        f"loop:{name}:step:1",
    }  # fmt: skip
    assert loaded(kept, session) == session


class Family:
    """Asks by itself, and has two below it that take steps of their own."""

    strategy_name = "family"

    async def __call__(self, run: Run, goal: str, /) -> Outcome:
        one, two = run.child("one"), run.child("two")
        for each in (one, two, one):
            await each.ask(f"{goal} {each.agent}")
            await each.end_step(ReActStep("t", f"{each.agent} is done"))
        await two.ask("unfinished")
        await run.act("double", {"n": 4})
        await run.end_step(ReActStep("t", "all"))
        await one.ask("late")
        await one.end_step(ReActStep("t", "late"))
        return Outcome("42")


def test_no_call_below_is_lost() -> None:
    """Steps of runs below have keys of their own, and a store that cannot list finds them."""
    kept = Kept()
    runtime = AgentRuntime(
        FunctionModel(lambda text: text.upper()), tools=[double], sinks=[SessionSaver(kept)]
    )
    name = (session := runtime.run_sync("Go", strategy=Family())).session_id

    assert list(kept) == [
        f"session:{name}", f"session:{name}/one#1:step:1", f"session:{name}/two#1:step:1",
        f"session:{name}/one#1:step:2", f"session:{name}:step:1", f"session:{name}/one#1:step:3",
    ]  # fmt: skip
    calls = asyncio.run(load_calls(kept, name))
    assert [(call.run.removeprefix(name), call.number, call.kind) for call in calls] == [
        ("", 1, "act"), ("/one#1", 1, "ask"), ("/one#1", 2, "ask"), ("/one#1", 3, "ask"),
        ("/two#1", 1, "ask"), ("/two#1", 2, "ask"),
    ]  # fmt: skip
    assert loaded(kept, session) == session


def test_what_came_after_the_last_step_is_kept() -> None:
    """Of a run that broke, the calls of the step in flight are in the session itself."""
    kept = Kept()
    runtime = AgentRuntime(
        ScriptedModel(SCRIPT[0], ValueError("gone")), tools=[double], sinks=[SessionSaver(kept)]
    )
    with pytest.raises(ValueError, match="gone") as failed:
        runtime.run_sync("Go")
    session = failed.value.session  # type: ignore[attr-defined]

    whole = kept.read(f"session:{session.session_id}")
    assert (whole["status"], whole["stop_reason"]) == ("failed", "error")
    assert loaded(kept, session) == session
    assert len(asyncio.run(load_calls(kept, session.session_id))) == 2


def test_how_a_session_can_be_wrong() -> None:
    """What is not there, or not one, or from the future, is an error and not a guess."""
    kept = Kept()
    session = two_steps(kept)
    key = f"session:{session.session_id}"
    whole = kept.read(key)
    for bad, why in (
        (b"{", "not of a session"), (b"[]", "not of a session"), (b"\xff", "not of a session"),
        (b"[" * 100_000, "not of a session"),
        (json.dumps({**whole, "format": 2}).encode(), "has format 2, newer than 1"),
        (json.dumps({**whole, "steps": 7}).encode(), "not the data of a session"),
    ):  # fmt: skip
        kept[key] = bad
        with pytest.raises(PersistenceError, match=why):
            loaded(kept, session)
    for read in (load_session, load_calls):
        with pytest.raises(PersistenceError, match="no session 'x'"):
            asyncio.run(read(kept, "x"))
    with pytest.raises(InvalidValue, match="snapshot_steps must be"):
        SessionSaver(kept, snapshot_steps="all")  # type: ignore[arg-type]


def test_a_reader_may_take_things_out() -> None:
    """The hook sees all that is written; one that gives nothing back loses nothing."""
    kept = Kept()

    def redact(plain: Any) -> Any:
        return json.loads(json.dumps(plain).replace("Double", "D*****"))

    session = two_steps(kept, redact=redact)
    assert "Double" not in str(kept)
    assert loaded(kept, session).prompt == "D***** 21"

    kept = Kept()
    session = two_steps(kept, redact=lambda _: None)
    assert not kept
    assert "redact must give a dict for a dict, got None" in session.checkpoint_errors[0]


class Split:
    """Speaks in pieces of three letters."""

    def __init__(self, *replies: str) -> None:
        self._replies = list(replies)

    async def stream(self, _request: Request, /) -> Any:
        reply = self._replies.pop(0)
        for place in range(0, len(reply), 3):
            yield Chunk(reply[place : place + 3])


STORES: dict[str, Callable[[Path], Any]] = {
    "files": FilePersistenceBackend,
    "sqlite": lambda folder: SqlitePersistenceBackend(folder / "s.db"),
}


@pytest.mark.parametrize("kind", STORES.values(), ids=list(STORES))
@pytest.mark.parametrize("snapshots", ["incremental", "full"])
def test_keys_are_not_written(kind: Callable[[Path], Any], snapshots: Any, tmp_path: Path) -> None:
    """Not from the prompt, not from what the model said, a tool was given or gave back."""
    key = Secret(CANARY).reveal()

    @tool(inline=True)
    def tells(text: str) -> list[str]:
        """Say it again."""
        return [text, key]

    store = kind(tmp_path / "kept")
    runtime = AgentRuntime(
        Split(
            f'Thought: {key}\nAction: tells {{"text": "{key}"}}',
            f"Thought: {key}\nAction: FINAL_ANSWER {key}",
        ),
        tools=[tells],
        sinks=[SessionSaver(store, snapshot_steps=snapshots)],
    )
    session = runtime.run_sync(f"My key is {key}.")
    read = loaded(store, session)
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]

    assert session.final_answer() == key
    assert read.final_answer() == "***"
    assert read.prompt == "My key is ***."
    assert files
    assert not any(key.encode() in data for data in files)


UNCHANGED = Scrubber(())


@given(st.lists(st.text("ab é", max_size=12), min_size=1, max_size=8))
def test_a_digest_is_of_the_request(prompts: list[str]) -> None:
    """However a prompt came to be, equal ones have equal digests, and others have others."""

    async def ask() -> list[Asked]:
        asked: list[Asked] = []
        trace = Trace(lambda e: asked.append(e.event) if isinstance(e.event, Asked) else None)
        run = Run("r", "a", FunctionModel(lambda _: ""), trace, AgentConfig(1, "m"))
        for prompt in prompts:
            await run.ask(prompt)
        return asked

    digests, found = Digests(), dict[str, set[str]]()
    for prompt, asked in zip(prompts, asyncio.run(ask()), strict=True):
        found.setdefault(prompt, set()).add(digests.of("r", asked, UNCHANGED))
    assert all(len(same) == 1 for same in found.values())
    assert len(set().union(*found.values())) == len(found)


def test_a_digest_tells_the_rest_apart() -> None:
    """System text, options and stop count; a key counts as what it is written as."""
    digests = Digests()
    first = Asked(1, "s", None, 0, 0, "q", {"seed": 1})
    of_first = digests.of("r", first, UNCHANGED)
    again = digests.of("r", Asked(2, None, 1, 1, 1, "", None), UNCHANGED)
    others = [
        digests.of("x", msgspec.structs.replace(first, **change), UNCHANGED)
        for change in ({"system": ""}, {"options": {"seed": 2}}, {"options": {"stop": ["x"]}})
    ]
    secret = Asked(1, "s", None, 0, 0, "k=opensesame", {"key": "opensesame"})
    hidden = digests.of("y", secret, Scrubber(["opensesame"]))
    shown = digests.of("z", Asked(1, "s", None, 0, 0, "k=***", {"key": "***"}), UNCHANGED)

    assert of_first == again
    assert len({of_first, *others}) == 4
    assert hidden == shown


def test_whole_store_and_nothing_but_a_dict() -> None:
    """The same bytes whatever the store, but for ids and times."""
    store, kept = InMemoryPersistenceBackend(), Kept()
    runtime = AgentRuntime(
        ScriptedModel(*SCRIPT), tools=[double], sinks=[SessionSaver(store), SessionSaver(kept)]
    )
    runtime.run_sync("Double 21")

    assert {key: store.load_sync(key) for key in store.keys_sync()} == kept
