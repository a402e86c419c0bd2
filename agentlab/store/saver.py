"""Saves sessions as they go; what is written where is told in ``sessions``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from agentlab.core import events
from agentlab.core.errors import InvalidValue, PersistenceError, explain
from agentlab.core.events import Entry
from agentlab.core.lines import recorder
from agentlab.core.secrets import Scrubber, scrubber
from agentlab.core.session import TAKEN, AgentSession
from agentlab.core.sync import twin
from agentlab.store.persistence import Backend, BatchStore, as_backend
from agentlab.store.prompts import Digests, digest_of
from agentlab.store.sessions import FORMAT, SAID, SO_FAR, Call

AT_ONCE = 64  # values in one batch; what a step writes is one
STATUS = {"running": "running", "stopped": "stopped", "timeout": "stopped", "error": "failed"}
UNSAVED = (events.Token, events.Thought, events.Action, events.Saved)
Snapshots: TypeAlias = Literal["incremental", "full"]
Redact: TypeAlias = Callable[[Any], Any]


class SessionSaver:
    """Saves a root run and those below it. One saver a run.

    It takes entries at once and writes when a step ends. What a failing store has not taken is
    kept, and written in its order when the next step ends.

    Parameters
    ----------
    store : anything that :func:`~agentlab.store.persistence.as_backend` takes
        Where to.
    snapshot_steps : {"incremental", "full"}
        What a step's keys hold.
    redact : callable, optional
        Is given each value, a dict or for a loop key a list of them, and gives what to write.
    key : str
        What to call the sink when it fails.

    Raises
    ------
    InvalidValue
        ``snapshot_steps`` or ``store`` is none.
    """

    durable = True
    takes = frozenset(get_args(events.Event)) - {*UNSAVED}

    def __init__(
        self,
        store: Any,
        *,
        snapshot_steps: Snapshots = "incremental",
        redact: Redact | None = None,
        key: str = "store",
    ) -> None:
        if snapshot_steps not in get_args(Snapshots):
            raise InvalidValue(
                f"snapshot_steps must be one of {get_args(Snapshots)}, got {snapshot_steps!r}"
            )
        self.backend: BatchStore = as_backend(store)
        one_by_one = isinstance(self.backend, Backend) and not self.backend.batches
        self._at_once = 1 if one_by_one else AT_ONCE
        self.key = key
        self._redact = redact
        self._taken: deque[Entry] = deque()
        self._unsafe: deque[tuple[str, Any]] = deque()
        self._fold = Fold(full=snapshot_steps == "full")

    def __repr__(self) -> str:
        return f"<SessionSaver {self._fold.session.session_id!r}, {len(self._unsafe)} to write>"

    def __call__(self, entry: Entry, /) -> None:
        """Take an entry."""
        self._taken.append(entry)

    async def flush(self) -> list[str]:
        """Write what there is to write, in order, and name the sessions and steps safe now.

        Loop keys are not named: each repeats what the key of its step holds.

        Raises
        ------
        PersistenceError
            The store failed; what it has not taken is kept.
        """
        if not self._taken and not self._unsafe:
            return []
        scrub = scrubber()
        while self._taken:
            self._unsafe += self._fold.take(self._taken.popleft(), scrub)
        record, safe = recorder(scrub), list[str]()
        while self._unsafe:
            some = list(islice(self._unsafe, self._at_once))
            try:
                values = [(key, record(self._redacted(plain))) for key, plain in some]
                await (
                    self.backend.batch_save(dict(values))
                    if len(values) > 1
                    else self.backend.save(*values[0])
                )
            except Exception as error:
                why = error.args[0] if isinstance(error, PersistenceError) else explain(error)
                raise PersistenceError(f"cannot save {some[0][0]!r}: {why}") from error
            safe += [key for key, _ in some if not key.startswith("loop:")]
            for _ in some:
                self._unsafe.popleft()
        return safe

    flush_sync = twin(flush)

    def _redacted(self, plain: Any) -> Any:
        if self._redact is None:
            return plain
        plain = msgspec.to_builtins(plain)
        redacted = self._redact(plain)
        if not isinstance(redacted, type(plain)):
            kind = type(plain).__name__
            raise InvalidValue(f"redact must give a {kind} for a {kind}, got {redacted!r:.80}")
        return redacted


class Fold:
    """Turns entries into keys and what to write there. It never fails and never waits."""

    def __init__(self, *, full: bool) -> None:
        self.session = AgentSession()
        self._full = full
        self._about: dict[str, Any] = {}
        self._agents: dict[str, str] = {}
        self._steps: dict[str, int] = {}
        self._asked: dict[tuple[str, int], str] = {}
        self._calls: list[Call] = []
        self._below: list[str] = []
        self._said = dict.fromkeys(SAID, 0)
        self._recalled: list[Any] = self.session.recalled
        self._digests = Digests()

    def take(self, entry: Entry, scrub: Scrubber) -> list[tuple[str, Any]]:
        """Take an entry and give what is to be written now."""
        if type(entry.event) in TAKEN:
            self.session.apply(entry)
        root = entry.run == self.session.session_id
        match entry.event:
            case events.RunStarted() as started:
                self._agents[entry.run] = started.agent
                if root:
                    about = {"strategy": started.strategy, "settings": started.config}
                    self._about = {"format": FORMAT, **about}
                    return [(self._key(entry.run), self._whole())]
            case events.StepEnded(step=step):
                return self._step(entry, step)
            case events.RunEnded() if root:
                told = {"calls": self._told(), "below": self._below}
                return [(self._key(entry.run), {**self._whole(), **told})]
            case _:
                self._call(entry, scrub)
        return []

    def _call(self, entry: Entry, scrub: Scrubber) -> None:
        run = entry.run
        match entry.event:
            case events.Asked(call_id=number) as asked:
                self._asked[run, number] = self._digests.of(run, asked, scrub)
            case events.ToolStarted(call_id=number, tool=tool, args=args):
                self._asked[run, number] = digest_of([tool, args], scrub)
            case events.Answered(call_id=number, text=text, usage=usage):
                self._answer(run, number, "ask", text=text, usage=usage)
            case events.ToolEnded(number, ok, data, error, kind, ms):
                seen = {"ok": ok, "data": data, "error": error, "error_kind": kind, "ms": ms}
                self._answer(run, number, "act", **seen)
            case _:
                pass

    def _answer(self, run: str, number: int, kind: Literal["ask", "act"], **result: Any) -> None:
        request = self._asked.pop((run, number), "")
        self._calls.append(Call(run, number, kind, request, result))

    def _step(self, entry: Entry, step: events.ReActStep) -> list[tuple[str, Any]]:
        run = entry.run
        number = self._steps[run] = self._steps.get(run, 0) + 1
        key = f"{self._key(run)}:step:{number}"
        calls = self._told()
        if run != self.session.session_id:
            self._below.append(key)
            agent = self._agents.get(run) or run.rpartition("/")[2].rpartition("#")[0]
            told = {"format": FORMAT, "run": run, "agent_id": agent}
            return [(key, {**told, "number": number, "step": step, "calls": calls})]
        written: list[tuple[str, Any]] = [(key, self._snapshot(entry, number, step, calls))]
        if step.tool is not None:
            steps = [*self.session.steps] if self._full else [step]
            written.append((f"loop:{run}:step:{number}", steps))
        return written

    def _snapshot(
        self, entry: Entry, number: int, step: events.ReActStep, calls: list[Call]
    ) -> dict[str, Any]:
        session, below, self._below = self.session, self._below, []
        if self._full:
            return {**self._whole(), "calls": calls, "below": below}
        told: dict[str, Any] = {
            "format": FORMAT, "run": entry.run, "agent_id": session.agent_id, "number": number,
            "at": entry.at, "step": step, "calls": calls, "below": below,
            **{name: getattr(session, name)[self._said[name] :] for name in SAID},
            **{name: getattr(session, name) for name in SO_FAR},
        }  # fmt: skip
        self._said = {name: len(getattr(session, name)) for name in SAID}
        if self._recalled is not session.recalled:
            self._recalled = session.recalled
            told["recalled"] = session.recalled
        return told

    def _whole(self) -> dict[str, Any]:
        status = STATUS.get(self.session.stop_reason, "finished")
        return {**self.session.to_dict(), **self._about, "status": status}

    def _told(self) -> list[Call]:
        calls, self._calls = self._calls, []
        return calls

    def _key(self, run: str) -> str:
        return f"session:{run}"
