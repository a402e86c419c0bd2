"""A journal holds what was said, tells what it lost, and tears nothing."""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import os
import random
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agentlab import __version__
from agentlab.core import lines
from agentlab.core.config import AgentConfig
from agentlab.core.errors import InvalidValue, PersistenceError
from agentlab.core.events import (
    Asked,
    Entry,
    ReActStep,
    RunEnded,
    RunStarted,
    SaveFailed,
    StepEnded,
    Token,
    Warned,
)
from agentlab.core.protocols import Chunk, Request
from agentlab.core.run import Run
from agentlab.core.secrets import Secret
from agentlab.core.trace import Trace
from agentlab.models.function import FunctionModel
from agentlab.models.scripted import ScriptedModel
from agentlab.runtime import AgentRuntime
from agentlab.store.journal import Journal
from agentlab.store.loading import load, sessions
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.spec import ToolSpec, tool

SCRIPT = (
    'Thought: I will use the double tool, voilà.\nAction: double {"n":21}',
    "Thought: The answer is 42.\nAction: FINAL_ANSWER 42",
)
CANARY = "canary-0a1b2c3d4e5f"


@tool(inline=True)
def double(n: int) -> int:
    """Twice as much."""
    return n * 2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a journal that is not there yet."""
    return tmp_path / "new" / "runs.jsonl"


def run(*sinks: Any, rng: int | None = None) -> list[Entry]:
    """Run two steps and give all that was said."""
    chance = None if rng is None else random.Random(rng)  # noqa: S311 - to repeat ids
    runtime = AgentRuntime(ScriptedModel(*SCRIPT), tools=[double], sinks=sinks, rng=chance)
    trace = runtime.run_sync("Double 21").trace
    assert trace is not None
    return trace.entries


def say(journal: Journal, *texts: str, root: str = "r") -> Trace:
    """Say something and have it written."""
    trace = Trace(journal)
    for text in texts:
        trace.emit(Warned(text), run=root)
    asyncio.run(trace.flush())
    return trace


def said(path: Path) -> list[str]:
    """Give the texts that a journal holds."""
    return [e.event.text for e in load(path).entries if isinstance(e.event, Warned)]


@pytest.mark.parametrize("sync", [True, False])
def test_what_is_loaded_equals_what_was_said(path: Path, *, sync: bool) -> None:
    """Entry by entry, moments and offsets too; whoever listens gets all of it; it folds alike."""
    with Journal(path, sync=sync) as journal:
        live = run(journal)
    trace = load(path)
    heard: list[Entry] = []
    trace.attach(heard.append)

    assert trace.entries == live == heard
    assert trace.damage == ()
    (session,) = sessions(trace)
    assert session.final_answer() == "42"
    assert session.trace is not None
    assert session.trace.entries == live
    assert trace.to_frame()["kind"].tolist()[0] == "run_started"
    assert trace.to_html() == Trace.of(live).to_html()
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_says_what_it_is(path: Path) -> None:
    """The first line names kind and agentlab; each line is JSON."""
    with Journal(path, tokens=False) as journal:
        live = run(journal)
    first, *others = map(json.loads, path.read_text().splitlines())

    assert first["is"] == {
        "kind": "journal", "about": {"agentlab": __version__, "tokens": "left out"},
    }  # fmt: skip
    assert len(others) == len(load(path).entries)
    assert load(path).entries == [entry for entry in live if not isinstance(entry.event, Token)]


def test_it_is_gone_on_with(path: Path) -> None:
    """A later run is added; each can be picked, and all are there in order."""
    for number in range(3):
        with Journal(path) as journal:
            run(journal, rng=number)
    trace = load(path)
    roots = [each.session_id for each in sessions(trace)]

    assert len(set(roots)) == 3
    assert len(trace.to_frame()) == len(trace.entries)
    assert "Double 21" in trace.to_html()
    assert {entry.run for entry in load(path, run=roots[1]).entries} == {roots[1]}
    assert path.read_bytes().count(b'"kind":"journal"') == 1
    with pytest.raises(PersistenceError, match=f"no run 'x' in 'runs.jsonl': it has '{roots[0]}'"):
        load(path, run="x")


def test_a_run_that_was_run_twice_is_two(path: Path) -> None:
    """A seeded id repeats; the later one is what is picked."""
    with Journal(path) as journal:
        first, second = run(journal, rng=7), run(journal, rng=7)

    assert first[0].run == second[0].run
    assert [each.created_at for each in sessions(load(path))] == [first[0].at, second[0].at]
    assert load(path, run=first[0].run).entries == second


def test_a_loaded_trace_goes_on(path: Path) -> None:
    """What is said then has the next number, and a later offset."""
    with Journal(path) as journal:
        live = run(journal)
    trace = load(path)
    trace.emit(Warned("more"), run=live[0].run)

    assert trace.entries[-1].seq == live[-1].seq + 1
    assert trace.entries[-1].offset >= live[-1].offset


def test_several_runs_at_once(path: Path) -> None:
    """They share one journal; each is whole and in its order."""
    with Journal(path) as journal:

        async def play() -> list[list[Entry]]:
            runtimes = [
                AgentRuntime(ScriptedModel(*SCRIPT), tools=[double], sinks=[journal])
                for _ in range(20)
            ]
            done = await asyncio.gather(*(each.run("Double 21") for each in runtimes))
            return [session.trace.entries for session in done if session.trace]

        live = asyncio.run(play())
    for entries in live:
        assert load(path, run=entries[0].run).entries == entries
    assert len(load(path).entries) == sum(map(len, live))


def test_many_runs_take_one_thread(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """However many there are, threads are left for tools."""
    with Journal(path) as journal:

        async def play() -> None:
            traces = [Trace(journal) for _ in range(300)]
            for number, trace in enumerate(traces):
                trace.emit(Warned("x"), run=str(number))
            await asyncio.gather(*(trace.flush() for trace in traces))

        with caplog.at_level(logging.WARNING, "agentlab"):
            asyncio.run(play())
    assert len(load(path).entries) == 300
    assert caplog.text == ""


def test_several_loops_at_once(path: Path) -> None:
    """Each thread has a loop of its own, and they share one journal."""
    live: list[list[Entry]] = []

    async def play() -> None:
        runtime = AgentRuntime(ScriptedModel(*SCRIPT), tools=[double], sinks=[journal])
        session = await runtime.run("Double 21")
        assert session.trace
        live.append(session.trace.entries)

    with Journal(path) as journal:
        threads = [threading.Thread(target=lambda: asyncio.run(play())) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert len(live) == 8
    for entries in live:
        assert load(path, run=entries[0].run).entries == entries


def test_one_writer_at_a_time(path: Path) -> None:
    """Whoever has the file's lock is waited for, as a write may have to be taken back."""
    fcntl = pytest.importorskip("fcntl")
    journal = Journal(path)
    say(journal, "one")
    before = path.read_bytes()
    trace = Trace(journal)
    trace.emit(Warned("two"), run="r")
    writing = threading.Thread(target=journal.close)
    with path.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        writing.start()
        writing.join(0.1)
        assert path.read_bytes() == before
        other.write(b"torn")
    writing.join(10)

    assert said(path) == ["one", "two"]
    assert [each.line for each in load(path).damage] == [3]


def write_many(path: Path, name: str, count: int) -> None:
    """Write from a process of its own."""
    with Journal(path) as journal:
        for number in range(count):
            say(journal, *(f"{name} {number} {'x' * 3000}",) * 3, root=name)


def test_several_processes_at_once(path: Path) -> None:
    """None tears a line of another, and there is one header."""
    fork = multiprocessing.get_context("spawn")
    names = ("a", "b")
    others = [fork.Process(target=write_many, args=(path, name, 30)) for name in names]
    for each in others:
        each.start()
    for each in others:
        each.join(60)

    trace = load(path)
    assert trace.damage == ()
    for name in names:
        own = [e.event.text.split()[1] for e in trace.entries if e.run == name]  # type: ignore[union-attr]
        assert own == [str(n) for n in range(30) for _ in range(3)]
    assert path.read_bytes().count(b'"kind":"journal"') == 1


def test_every_torn_tail_is_closed_off(path: Path) -> None:
    """Cut anywhere, in the header too, what is added later is whole and what was before is too."""
    with Journal(path) as journal:
        say(journal, "one", "two")
    whole = path.read_bytes()
    header = whole.index(b"\n") + 1
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with Journal(path) as journal:
            say(journal, "three")
        before = whole[:length].count(b"\n") + (whole[length] == ord("\n"))  # whole lines
        assert said(path) == [*["one", "two"][: max(before - 1, 0)], "three"]
        torn = length > header and ord("\n") not in (whole[length - 1], whole[length])
        assert [each.line for each in load(path).damage] == ([before + 1] if torn else [])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"my notes\n", "runs.jsonl is not a journal: take another name"),
        (b"\x00" * 100_000, "is not a journal"),
        (lines.opening(b"", lines.Header("recording")), "this is a recording, not a journal"),
        (lines.opening(b"", lines.Header("journal", 2)), "journal version 2 is newer than 1"),
        (lines.frame(b'{"a":1}'), "this is not a journal"),
        (lines.frame(b"{no json"), "this is not a journal"),
        (lines.frame(b"[" * 60_000), "is not a journal"),
    ],
)
def test_a_file_that_is_something_else(data: bytes, why: str, tmp_path: Path) -> None:
    """It is neither written to nor read."""
    path = tmp_path / "runs.jsonl"
    path.write_bytes(data)
    with pytest.raises(PersistenceError, match=why):
        Journal(path)
    with pytest.raises(PersistenceError, match=why.removesuffix(": take another name")):
        load(path)
    assert path.read_bytes() == data


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """A folder, or nothing."""
    os.mkfifo(tmp_path / "pipe")
    for odd in (tmp_path, tmp_path / "pipe"):
        for use in (Journal, load):
            with pytest.raises(PersistenceError, match="is not a file"):
                use(odd)
    with pytest.raises(PersistenceError, match="No such file"):
        load(tmp_path / "none.jsonl")
    huge = tmp_path / "huge.jsonl"
    with huge.open("wb") as file:
        file.truncate(1 << 31)
    with pytest.raises(PersistenceError, match="has 2147483648 bytes, more than"):
        load(huge)


@pytest.mark.parametrize("bit", [0, 5])
def test_every_flipped_byte_is_found(bit: int, tmp_path: Path) -> None:
    """It is damage or an error, and the entries before it are there."""
    path = tmp_path / "runs.jsonl"
    with Journal(path, sync=False) as journal:
        live = say(journal, "one", "two é", "three").entries
    whole = path.read_bytes()
    for place in range(len(whole)):
        broken = bytearray(whole)
        broken[place] ^= 1 << bit
        path.write_bytes(broken)
        number = whole[:place].count(b"\n") + 1
        try:
            trace = load(path)
        except PersistenceError:
            assert number == 1
            continue
        assert trace.damage[0].line == number
        assert all(entry in live for entry in trace.entries)
        assert trace.entries[: max(number - 2, 0)] == live[: max(number - 2, 0)]


def test_what_is_whole_and_unknown(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An event nobody knows here, or no entry at all, is damage with its line; the rest loads."""
    with Journal(path) as journal:
        say(journal, "one")
        with path.open("ab") as file:
            file.write(b"torn\n")
            entry = load(path).entries[0].to_dict()
            entry["event"]["type"] = "from_the_future"
            for odd in (entry, 7, json.loads("[" * 90 + "]" * 90), {"run": "r"}):
                file.write(lines.frame(lines.record(odd)))
            file.write(lines.frame(b"[" * 50_000 + b"]" * 50_000))
        say(journal, "two")
    caplog.clear()
    with caplog.at_level(logging.WARNING, "agentlab"):
        trace = load(path)

    assert said(path) == ["one", "two"]
    assert [each.line for each in trace.damage] == [3, 4, 5, 6, 7, 8]
    assert "from_the_future" in trace.damage[1].why
    assert "runs.jsonl: skipped line 3 (damaged), line 4 (not an entry" in caplog.text


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.binary(max_size=60) | st.sampled_from([b'{"sum":"', b'","is":', b"\n"])))
def test_anything_can_be_loaded(tmp_path: Path, parts: list[bytes]) -> None:
    """No file makes it fail in an unexpected way, framed or not."""
    path = tmp_path / "any.jsonl"
    for data in (b"".join(parts), HEADER + b"".join(map(lines.frame, parts))):
        path.write_bytes(data)
        try:
            assert load(path).entries == []
        except PersistenceError as error:
            assert "any.jsonl" in str(error) or "this is" in str(error)  # noqa: PT017


HEADER = lines.opening(b"", lines.Header("journal"))


@pytest.mark.parametrize("sync", [True, False])
def test_sync(path: Path, monkeypatch: pytest.MonkeyPatch, *, sync: bool) -> None:
    """A first flush waits for the disk twice, for the file and for its name; a later one once."""
    calls: list[int] = []
    monkeypatch.setattr(os, "fsync", calls.append)
    with Journal(path, sync=sync) as journal:
        say(journal, "one")
        first = len(calls)
        say(journal, "two")

    assert (first, len(calls)) == ((2, 3) if sync else (0, 0))


def test_a_full_device(path: Path) -> None:
    """The real thing."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    journal = Journal(path, sync=False)
    journal.path = Path("/dev/full")
    trace = say(journal, "one")

    assert [type(entry.event) for entry in trace.entries] == [Warned, SaveFailed]
    with pytest.raises(PersistenceError, match="No space left on device"):
        journal.close()


def test_a_flush_that_is_cancelled(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is torn or written twice: the thread finishes what it began."""
    goes_on = threading.Event()
    real = os.fsync

    def slow(file: int) -> None:
        goes_on.wait(10)
        real(file)

    with Journal(path) as journal:
        monkeypatch.setattr(os, "fsync", slow)

        async def play() -> Trace:
            trace = Trace(journal)
            trace.emit(Warned("one"), run="r")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(trace.flush(), 0.05)
            trace.emit(Warned("two"), run="r")
            asyncio.get_running_loop().call_later(0.05, goes_on.set)
            await trace.flush()
            await trace.flush()
            return trace

        trace = asyncio.run(play())
    assert load(path).entries == trace.entries
    assert said(path) == ["one", "two"]


def test_a_closed_journal_takes_no_more(path: Path) -> None:
    """What was said is written; what comes after is told as not saved; it may be closed again."""
    journal = Journal(path)
    trace = Trace(journal)
    trace.emit(Warned("one"), run="r")
    journal.close()
    journal.close()
    trace.emit(Warned("two"), run="r")

    assert said(path) == ["one"]
    assert isinstance(trace.entries[-1].event, SaveFailed)
    assert "is closed: open another on its path" in trace.entries[-1].event.error


def test_a_journal_that_was_taken_away(path: Path) -> None:
    """Another is begun, header and all."""
    journal = Journal(path)
    say(journal, "one")
    path.unlink()
    say(journal, "two")

    assert said(path) == ["two"]


def test_a_reader_may_take_things_out(path: Path) -> None:
    """What it gives is written, if it is still an entry; else it is kept and told."""

    def redact(plain: dict[str, Any]) -> dict[str, Any]:
        text = plain["event"].get("text")
        return {**plain, "event": {**plain["event"], "text": text and text.upper()}}

    say(Journal(path, redact=redact), "one")
    assert said(path) == ["ONE"]

    trace = say(Journal(path, redact=lambda _: {}), "two")
    assert isinstance(trace.entries[-1].event, SaveFailed)
    assert "redact must give an entry" in trace.entries[-1].event.error
    assert said(path) == ["ONE"]
    assert issubclass(InvalidValue, ValueError)


class Split:
    """Speaks in pieces of three letters."""

    def __init__(self, *replies: str) -> None:
        self._replies = list(replies)

    async def stream(self, _request: Request, /) -> AsyncIterator[Chunk]:
        reply = self._replies.pop(0)
        for place in range(0, len(reply), 3):
            yield Chunk(reply[place : place + 3], -0.1)


def test_keys_are_not_written(path: Path) -> None:
    """Nor put together from the pieces of an answer; the run tells the same story without."""
    key = Secret(CANARY).reveal()

    @tool(inline=True)
    def tells(text: str) -> list[str]:
        """Say it again."""
        return [text, key]

    with Journal(path) as journal:
        session = AgentRuntime(
            Split(
                f'Thought: {key}\nAction: tells {{"text": "{key}"}}',
                f"Thought: done\nAction: FINAL_ANSWER {key}",
            ),
            tools=[tells],
            sinks=[journal],
        ).run_sync(f"My key is {key}.")
    entries = load(path).entries
    heard = "".join(e.event.text for e in entries if isinstance(e.event, Token))

    assert key.encode() not in path.read_bytes()
    assert heard == (
        'Thought: ***\nAction: tells {"text": "***"}Thought: done\nAction: FINAL_ANSWER ***'
    )
    assert session.trace is not None
    assert [(e.run, e.seq) for e in entries] == [(e.run, e.seq) for e in session.trace.entries]
    assert len([e for e in entries if isinstance(e.event, StepEnded)]) == 2


def prompts(entries: list[Entry]) -> list[str]:
    """Put the prompts of a run together."""
    found = [""]
    for entry in entries:
        if isinstance(entry.event, Asked):
            base = found[-1] if entry.event.extends else ""
            found.append(base[: entry.event.head] + base[entry.event.cut :] + entry.event.added)
    return found[1:]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.lists(st.sampled_from(["a ", "bb ", "key12345", "key1234", "5", " é"]), max_size=6),
        max_size=6,
    ),
    st.integers(1, 3),
)
def test_prompts_come_back_without_keys(tmp_path: Path, parts: list[list[str]], every: int) -> None:
    """Grown or trimmed, each prompt that a reader puts together is what was sent, masked."""
    key = Secret("key12345").reveal()
    path = tmp_path / "prompts.jsonl"
    path.unlink(missing_ok=True)
    wanted = ["".join(each) for each in parts]

    async def play(journal: Journal) -> None:
        run = Run("r", "a", FunctionModel(lambda _: ""), Trace(journal), AgentConfig(1, "m"))
        for number, prompt in enumerate(wanted):
            await run.ask(prompt)
            if number % every == 0:
                await run.trace.flush()

    with Journal(path, sync=False) as journal:
        asyncio.run(play(journal))
    assert prompts(load(path).entries if wanted else []) == [p.replace(key, "***") for p in wanted]
    assert not path.exists() or key.encode() not in path.read_bytes()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.text(st.characters()), JSON), max_size=4))
@example([("\ud800 é", {"\udfff": ["\ud800", 1 << 80, -0.0, 1e308]})])
def test_odd_values_come_back_equal(tmp_path: Path, said: list[tuple[str, Any]]) -> None:
    """Whatever text and data a tool or a model comes up with, surrogates and large numbers too."""
    path = tmp_path / "odd.jsonl"
    path.unlink(missing_ok=True)

    def gives(args: Any) -> Any:
        return data[args["n"]]

    data = [value for _, value in said]
    tools = ToolRegistry([ToolSpec("gives", "Give.", gives, inline=True)])

    async def play(journal: Journal) -> list[Entry]:
        trace = Trace(journal)
        run = Run("r", "a", FunctionModel(lambda text: text), trace, AgentConfig(1, "m"), tools)
        for number, (text, _) in enumerate(said):
            await run.ask(text)
            await run.act("gives", {"n": number})
            trace.emit(Warned(text), run="r")
        await trace.flush()
        return trace.entries

    with Journal(path, sync=False) as journal:
        live = asyncio.run(play(journal))
    assert (load(path).entries if live else []) == live


def test_pieces_with_a_flush_between(path: Path) -> None:
    """Of a key that began before a flush the rest is not written."""
    key = Secret(CANARY).reveal()
    with Journal(path) as journal:
        trace = Trace(journal)
        trace.emit(RunStarted("a", "p", "m", "s", {}), run="r")
        for piece in ("see ", key[:9], key[9:], " there"):
            trace.emit(Token(1, piece), run="r")
            asyncio.run(trace.flush())
        trace.emit(RunEnded("stopped"), run="r")
    texts = [e.event.text for e in load(path).entries if isinstance(e.event, Token)]

    assert texts[:3] == ["see ", key[:9], "***"]
    assert key[9:].encode() not in path.read_bytes()


def test_a_stored_example_still_loads(tmp_path: Path) -> None:
    """A journal of version 1, byte for byte."""
    path = tmp_path / "old.jsonl"
    path.write_bytes(EXAMPLE)
    trace = load(path)

    assert trace.damage == ()
    assert [type(entry.event).__name__ for entry in trace.entries] == [
        "RunStarted", "Asked", "Token", "Answered", "ToolStarted", "ToolEnded", "StepEnded",
        "RunEnded",
    ]  # fmt: skip
    (session,) = sessions(trace)
    assert session.steps == [ReActStep("t", "double", "42", 0, "double", {"n": 21})]
    assert (session.prompt, session.tokens_in, session.stop_reason) == ("2 × 21?", 3, "stopped")  # noqa: RUF001
    assert trace.entries[2].event == Token(1, "42", -0.5, {"42": -0.5})


EXAMPLE = (
    b'{"sum":"4a30ec0f","is":{"about":{"agentlab":"0.1.0"},"kind":"journal"}}\n'
    b'{"sum":"488cde1b","is":{"at":"2026-11-25T12:00:00.123456Z","event":{"agent":"a","config":{"max_iterations":10},"model":"m","prompt":"2 \xc3\x97 21?","strategy":"react","type":"run_started"},"offset":0.0,"parent":null,"run":"r","seq":0}}\n'  # noqa: E501
    b'{"sum":"24cfed3e","is":{"at":"2026-11-25T12:00:00.123456Z","event":{"added":"User: 2 \xc3\x97 21?\\n","call_id":1,"cut":0,"extends":null,"head":0,"options":{"stop":["x"]},"system":"be brief","type":"asked"},"offset":0.125,"parent":null,"run":"r","seq":1}}\n'  # noqa: E501
    b'{"sum":"f70186aa","is":{"at":"2026-11-25T12:00:00.123456Z","event":{"call_id":1,"logprob":-0.5,"text":"42","top":{"42":-0.5},"type":"token"},"offset":0.25,"parent":null,"run":"r","seq":2}}\n'
    b'{"sum":"db7dac72","is":{"at":"2026-11-25T12:00:00.123456Z","event":{"call_id":1,"text":"42","type":"answered","usage":{"input":3,"output":1,"source":"reported"}},"offset":0.375,"parent":null,"run":"r","seq":3}}\n'
    b'{"sum":"144f9bf1","is":{"at":"2026-11-25T12:00:00.123456Z","event":{"allowed":true,"args":{"n":21},"call_id":2,"tool":"double","type":"tool_started"},"offset":0.5,"parent":null,"run":"r","seq":4}}\n'
    b'{"sum":"70604417","is":{"at":"2026-11-25T12:00:00.123456Z","event":{"call_id":2,"data":42,"error":null,"error_kind":null,"ms":0.25,"ok":true,"type":"tool_ended"},"offset":0.625,"parent":null,"run":"r","seq":5}}\n'
    b'{"sum":"b952a784","is":{"at":"2026-11-25T12:00:00.123456Z","event":{"step":{"action":"double","args":{"n":21},"error_kind":null,"index":0,"observation":"42","raw":"","reasoning":"","started_at":null,"step_duration_ms":0,"thought":"t","tool":"double"},"type":"step_ended"},"offset":0.75,"parent":null,"run":"r","seq":6}}\n'
    b'{"sum":"8bffcb09","is":{"at":"2026-11-25T12:00:00.123456Z","event":{"answer":null,"error":null,"stop_reason":"stopped","type":"run_ended"},"offset":0.875,"parent":null,"run":"r","seq":7}}\n'
)
