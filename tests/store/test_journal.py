"""A journal holds what was said, tells what it lost, and tears nothing."""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import os
import threading
from pathlib import Path

import pytest

from agentlab import __version__
from agentlab.core.errors import PersistenceError
from agentlab.core.events import (
    Entry,
    SaveFailed,
    Token,
    Warned,
)
from agentlab.core.trace import Trace
from agentlab.models.scripted import ScriptedModel
from agentlab.runtime import AgentRuntime
from agentlab.store.journal import Journal
from agentlab.store.loading import load, sessions
from tests.store.journals import SCRIPT, double, run, said, say


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a journal that is not there yet."""
    return tmp_path / "new" / "runs.jsonl"


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
