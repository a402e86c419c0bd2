"""The trace explorer as Python has it: what it tells its page, and what the page may ask."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import agentlab as al
from agentlab.core.calls import ModelCall, ToolUse
from agentlab.core.errors import InvalidValue
from agentlab.core.events import Entry, Warned
from agentlab.core.session import AgentSession
from agentlab.core.trace import Trace
from agentlab.widgets.coalescer import Board, Coalescer
from agentlab.widgets.outline import KNOWN
from agentlab.widgets.trace_explorer import TraceExplorer
from tests.tracing import LAST, STEP, WRONG, population, ran

Work = Callable[[], Awaitable[None]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Give each message of a board."""
    messages: list[dict[str, Any]] = []
    monkeypatch.setattr(
        Board, "send_state", lambda board, key: messages.append(board.get_state(key))
    )
    yield messages
    Board.close_all()


def told(explorer: TraceExplorer) -> Trace:
    """Give the trace that is explored."""
    return explorer._trace  # noqa: SLF001 - who listens to it is what is tested


def test_what_can_be_explored(tmp_path: Path) -> None:
    """A trace, a session that was run, a handle, and a journal; what has none says so."""

    async def work() -> None:
        with al.Journal(tmp_path / "j.jsonl") as journal:
            lab = al.AgentRuntime(al.ScriptedModel(STEP, LAST), tools=[population], sinks=[journal])
            handle = lab.start("How many?")
            session = await handle
        assert session.trace
        for subject in (session.trace, session, handle, al.load(journal.path)):
            explorer = subject.explore()
            assert isinstance(explorer, TraceExplorer)
            assert explorer.session is not None
            assert explorer.session == session
            assert explorer.selected == session
            assert repr(explorer).startswith("<TraceExplorer of <")
            explorer.close()
        with pytest.raises(InvalidValue, match=r"has no trace.*al\.load"):
            al.AgentSession.from_dict(session.to_dict()).explore()
        with pytest.raises(InvalidValue, match="got 3"):
            TraceExplorer(3)  # type: ignore[arg-type]

    asyncio.run(work())


def test_a_run_is_followed(sent: list[dict[str, Any]]) -> None:
    """While it goes on what it says arrives, in few messages, and all of it is there at the end."""
    words = [f"w{i} " for i in range(600)]

    async def talk(_: object) -> Any:
        yield "Thought: "
        for i, word in enumerate(words):
            yield word
            if i % 10 == 0:
                await asyncio.sleep(0.005)
        yield "\nAction: FINAL_ANSWER 42"

    async def work() -> None:
        handle = al.AgentRuntime(talk).start("Talk!")
        began = time.monotonic()
        with_it = TraceExplorer(handle, Coalescer())
        await handle
        await asyncio.sleep(0.15)
        spent = time.monotonic() - began
        assert len(sent) <= 2 + 30 * spent
        assert len(sent) >= 3
        cells = {name: cell for message in sent for name, cell in message.items()}
        lane = with_it.lane
        assert cells[f"{lane}.title"]["word"] == "answered"
        assert cells[f"{lane}.moment"]["heard"] == len(handle.trace.entries)
        growing = [message[f"{lane}.saying"] for message in sent if message.get(f"{lane}.saying")]
        assert growing
        assert all("".join(["Thought: ", *words]).startswith(text) for text in growing)
        with_it.close()

    asyncio.run(work())


def test_in_python() -> None:
    """What is selected and the session follow the moment; kinds and moment can be set."""

    async def work() -> None:
        entries, _ = ran([WRONG, STEP, LAST])
        explorer = TraceExplorer(Trace.of(entries))
        explorer.asked({"type": "row", "no": 2})
        use = explorer.selected
        assert isinstance(use, ToolUse)
        assert (use.tool, use.ok) == ("population", False)
        assert explorer.session
        assert explorer.session.steps == []
        explorer.moment = len(entries)
        assert explorer.session.step_count() == 3
        assert explorer.session.trace is None
        explorer.moment = 10**9
        assert explorer.moment == len(entries)
        explorer.kinds = {"errors"}
        assert explorer.kinds == {"errors"}
        explorer.asked({"type": "row", "no": 1})
        assert explorer.selected == use
        explorer.kinds = {"model"}
        explorer.asked({"type": "row", "no": 1})
        assert isinstance(explorer.selected, ModelCall)
        with pytest.raises(InvalidValue, match="kinds are some of"):
            explorer.kinds = {"steps"}
        with pytest.raises(InvalidValue, match="got 'now'"):
            explorer.moment = "now"  # type: ignore[assignment]
        explorer.close()

    asyncio.run(work())


def test_found() -> None:
    """What has a text is shown, with what it is within; with none all is there as before."""

    async def work() -> None:
        entries, _ = ran([WRONG, STEP, LAST], shape="family")
        explorer = TraceExplorer(Trace.of(entries))
        before = explorer.changes()["rows"]
        explorer.asked({"type": "fold", "no": 0, "away": True})
        explorer.find = " KEYERROR "
        rows = explorer.changes()["rows"]
        assert explorer.find == rows["find"] == "KEYERROR"
        assert 0 < rows["found"] < rows["total"] < before["total"]
        explorer.kinds = {"tools"}
        tools = explorer.changes()["rows"]
        assert 0 < tools["found"] < rows["found"]
        explorer.asked({"type": "row", "no": tools["total"] - 1})
        use = explorer.selected
        assert isinstance(use, ToolUse)
        assert "KeyError" in str(use.error)
        explorer.asked({"type": "find", "text": "nobody said this"})
        assert explorer.changes()["rows"]["total"] == explorer.changes()["rows"]["found"] == 0
        explorer.asked({"type": "find", "text": ""})
        explorer.kinds = {*KNOWN}
        assert explorer.changes()["rows"]["total"] == 1  # it was folded away
        with pytest.raises(InvalidValue, match="got 3"):
            explorer.find = 3  # type: ignore[assignment]
        explorer.close()

    asyncio.run(work())


def test_found_while_it_is_said() -> None:
    """What is looked for is found as soon as it is there, where it was not before."""

    async def work() -> None:
        entries, _ = ran([WRONG, STEP, LAST])
        trace = Trace()
        explorer = TraceExplorer(trace)
        explorer.find = "population"
        seen = []
        for entry in entries:
            trace.emit(entry.event, run=entry.run)
            seen.append(explorer.changes()["rows"]["found"])
        whole = TraceExplorer(Trace.of(entries))
        whole.find = "population"
        assert seen == sorted(seen)
        assert (seen[0], seen[-1]) == (0, whole.changes()["rows"]["found"])
        assert seen[-1] > 2
        explorer.close()
        whole.close()

    asyncio.run(work())


ANY = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 10**20), st.floats(), st.text(max_size=5),
    st.lists(st.sampled_from(["model", "errors", 3, None, "x"]), max_size=3),
)  # fmt: skip
MESSAGES = st.dictionaries(
    st.sampled_from(["type", "no", "size", "away", "kinds", "text"]),
    st.one_of(
        ANY,
        st.sampled_from(["see", "go", "select", "row", "above", "begin", "fold", "kinds", "whole"]),
        st.just("find"),
    ),
)


@settings(max_examples=60)
@given(st.lists(MESSAGES, max_size=8))
def test_whatever_a_page_asks(messages: list[dict[str, Any]]) -> None:
    """Nothing that a page may send raises, and there is always something to show."""

    async def work() -> None:
        explorer = TraceExplorer(Trace.of(ran_once()))
        for message in messages:
            explorer.asked(message)
            assert json.dumps(explorer.changes())
            _ = explorer.selected
        explorer.close()

    asyncio.run(work())


def ran_once(kept: list[list[Entry]] = []) -> list[Entry]:  # noqa: B006 - one for all examples
    """Give a trace."""
    if not kept:
        kept.append(ran([WRONG, STEP, LAST], shape="family")[0])
    return kept[0]


def test_closed_it_listens_no_more() -> None:
    """A trace lets go of an explorer that was closed."""

    async def work() -> None:
        trace = Trace()
        before = len(trace._listeners)  # noqa: SLF001
        explorer = TraceExplorer(trace)
        trace.emit(Warned("x"), run="r")
        assert len(trace._listeners) == before + 1  # noqa: SLF001
        explorer.asked({"type": "close"})
        assert len(trace._listeners) == before  # noqa: SLF001

    asyncio.run(work())


def test_no_key_reaches_the_page(sent: list[dict[str, Any]]) -> None:
    """Neither in a row nor in a prompt, not even where a piece of it is left out or is new."""
    key = al.Secret("a-very-secret-key-9876543210").reveal()

    async def work() -> None:
        entries, _ = ran([f"Thought: {'x ' * 290}{key * 200}\nAction: nothing {{}}", key, LAST])
        explorer = TraceExplorer(Trace.of(entries), Coalescer())
        for row in range(20):
            explorer.asked({"type": "row", "no": row})
            await asyncio.sleep(0.09)
        explorer.asked({"type": "whole"})
        await asyncio.sleep(0.09)
        explorer.close()

    asyncio.run(work())
    assert len(sent) > 4
    page = json.dumps(sent)
    assert "***" in page
    assert "secret-key" not in page
    assert "very-sec" not in page


def test_a_session_at_a_moment_is_whole() -> None:
    """What Python takes of it can be looked at, turned into a frame, and kept."""

    async def work() -> None:
        explorer = TraceExplorer(Trace.of(ran_once()))
        explorer.moment = 40
        session = explorer.session
        assert isinstance(session, AgentSession)
        assert session.to_html()
        assert AgentSession.from_dict(session.to_dict()) == session
        explorer.close()

    asyncio.run(work())
