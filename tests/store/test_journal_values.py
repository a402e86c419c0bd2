"""What a journal holds is what was said, but for keys and what its reader takes out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agentlab.core.config import AgentConfig
from agentlab.core.errors import InvalidValue
from agentlab.core.events import (
    Asked,
    Entry,
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
from agentlab.runtime import AgentRuntime
from agentlab.store.journal import Journal
from agentlab.store.loading import load
from agentlab.tools.registry import ToolRegistry
from agentlab.tools.spec import ToolSpec, tool
from tests.store.journals import CANARY, said, say


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a journal that is not there yet."""
    return tmp_path / "new" / "runs.jsonl"


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
