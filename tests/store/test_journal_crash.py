"""A process is killed in the middle of a run: each step that was safe is there."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agentlab.core.events import StepEnded
from agentlab.store.journal import Journal
from agentlab.store.loading import load, sessions
from agentlab.store.sessions import load_calls, load_session
from tests.store.crash import STEPS, store_in

if TYPE_CHECKING:
    from typing import Self

KILLS = int(os.environ.get("AGENTLAB_FAULTS", "50"))
CHANCE = random.Random(20261125)  # noqa: S311 - to repeat


class Runs:
    """A process that starts runs."""

    def __init__(self) -> None:
        root = Path(__file__).parents[2]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.crash"],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)

    def kill_one(self, folder: Path, after: int, moment: float) -> int:
        """Start a run, kill it a moment after a step, and tell how many steps it said are safe."""
        assert self._process.stdin
        self._process.stdin.write(f"{folder}\n")
        self._process.stdin.flush()
        kind, pid = next(self._said())
        assert kind == "pid"
        killer, safe = threading.Timer(moment, kill, [pid]), 0
        if not after:
            killer.start()
        for kind, number in self._said():
            if kind == "gone":
                break
            safe = number
            if safe == after:
                killer.start()
        killer.cancel()
        return safe

    def _said(self) -> Iterator[tuple[str, int]]:
        assert self._process.stdout
        for line in self._process.stdout:
            kind, _, number = line.strip().partition(" ")
            yield kind, int(number or 0)
            if kind == "gone":
                return


def kill(pid: int) -> None:
    """Kill a run that may be over already; nobody has waited for it yet, so the id is its own."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def check(folder: Path, safe: int) -> int:
    """Look at what a killed run left, and give the number of its steps in the journal."""
    if not (folder / "runs.jsonl").exists():
        assert safe == 0
        return 0
    trace = load(folder / "runs.jsonl")
    steps = [entry.event.step for entry in trace.entries if isinstance(entry.event, StepEnded)]
    assert all(each.why == "torn" for each in trace.damage)
    assert len(trace.damage) <= 1
    assert safe <= len(steps) <= safe + 1
    actions = [f'double {{"n": {number}}}' for number in range(1, STEPS)]
    assert [step.action for step in steps] == [*actions, "FINAL_ANSWER 42"][: len(steps)]

    if safe == 0:  # not even its beginning need be there
        return len(steps)
    (session,) = sessions(trace)
    store = store_in(folder)
    kept = asyncio.run(load_session(store, session.session_id))
    calls = asyncio.run(load_calls(store, session.session_id))
    assert safe <= len(kept.steps) <= len(steps)  # the journal is flushed first
    assert kept.steps == session.steps[: len(kept.steps)]
    assert (kept.prompt, kept.created_at) == ("Count", session.created_at)
    assert [call.number for call in calls] == list(range(1, len(calls) + 1))
    assert len(calls) >= 2 * len(kept.steps) - (len(kept.steps) == STEPS)
    store.close()  # type: ignore[attr-defined]
    with Journal(folder / "runs.jsonl"):  # it can be gone on with
        assert len(load(folder / "runs.jsonl").entries) == len(trace.entries)
    return len(steps)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_any_moment(tmp_path: Path) -> None:
    """At most the step in flight is lost, and no torn record is read, in journal and store."""
    ended = 0
    with Runs() as runs:
        for number in range(KILLS):
            folder = tmp_path / f"{('files', 'sqlite')[number % 2]}-{number}"
            folder.mkdir()
            safe = runs.kill_one(folder, CHANCE.randrange(STEPS), CHANCE.random() * 0.01)
            ended += check(folder, safe) == STEPS

    assert ended < KILLS / 2  # most were killed in the middle
