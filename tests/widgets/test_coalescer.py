"""Many views, few messages; and what the page is told of them."""

from __future__ import annotations

import asyncio
import runpy
import threading
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from agentlab.core.errors import WrongThread
from agentlab.core.events import RunStarted, Token
from agentlab.core.trace import Trace
from agentlab.widgets.coalescer import INTERVAL_S, Board, Coalescer
from agentlab.widgets.run_view import RunView

ROOT = Path(__file__).parents[2]


class Talker:
    """A view that has a number to say."""

    def __init__(self, lane: str) -> None:
        self.lane, self.no = lane, 0

    def changes(self) -> dict[str, Any]:
        """Say the number."""
        return {"no": self.no}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Give each message of a board."""
    messages: list[dict[str, Any]] = []

    def send(board: Board, key: list[str]) -> None:
        messages.append(board.get_state(key))

    monkeypatch.setattr(Board, "send_state", send)
    yield messages
    Board.close_all()


def test_views_share_messages(sent: list[dict[str, Any]]) -> None:
    """Eight that speak all the time cost as many messages as one; the last word is heard."""

    async def speak() -> None:
        coalescer = Coalescer()
        views = [Talker(f"v{i}") for i in range(8)]
        for view in views:
            coalescer.open(view)
        loop = asyncio.get_running_loop()
        end = loop.time() + 0.5
        while loop.time() < end:
            for view in views:
                view.no += 1
                coalescer.touch(view)
            await asyncio.sleep(0.001)
        await asyncio.sleep(3 * INTERVAL_S)
        assert {view.lane: sent[-1][f"{view.lane}.no"] for view in views} == {
            view.lane: view.no for view in views
        }

    asyncio.run(speak())
    assert 2 <= len(sent) <= 0.5 / INTERVAL_S + 3
    assert all("at" in message for message in sent)


class Broken(Talker):
    """A view that cannot say anything."""

    def changes(self) -> dict[str, Any]:
        """Fail."""
        raise ValueError("no")


def test_one_that_fails_is_left_out(
    sent: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and the others are heard."""

    async def speak() -> None:
        coalescer = Coalescer()
        for view in (Broken("broken"), Talker("v")):
            coalescer.open(view)
            coalescer.touch(view)
        await asyncio.sleep(2 * INTERVAL_S)

    asyncio.run(speak())
    assert [message["v.no"] for message in sent] == [0]
    assert "live view broken failed" in caplog.text


def test_spoken_too_late(sent: list[dict[str, Any]]) -> None:
    """A view that speaks once more after it was closed is not heard, and keeps no timer going."""

    async def speak(*, others: bool) -> None:
        coalescer, view = Coalescer(0.001), Talker("v")
        coalescer.open(view)
        if others:
            coalescer.open(Talker("other"))
        coalescer.close(view)
        elsewhere = asyncio.to_thread(asyncio.run, late(coalescer, view))
        assert await elsewhere == 0
        await asyncio.sleep(0.02)

    async def late(coalescer: Coalescer, view: Talker) -> int:
        coalescer.touch(view)
        await asyncio.sleep(0.02)
        return len(vars(asyncio.get_running_loop())["_scheduled"])

    asyncio.run(speak(others=False))
    asyncio.run(speak(others=True))
    assert sent == []


def test_another_loop(sent: list[dict[str, Any]]) -> None:
    """A loop that has ended is no reason to be silent on the next."""
    coalescer = Coalescer()

    async def speak(lane: str) -> None:
        view = Talker(lane)
        coalescer.open(view)
        coalescer.touch(view)
        await asyncio.sleep(0)

    async def wait() -> None:
        await speak("two")
        await asyncio.sleep(2 * INTERVAL_S)

    asyncio.run(speak("one"))
    asyncio.run(wait())
    assert sent[-1]["two.no"] == 0


def test_nothing_new_is_no_message(sent: list[dict[str, Any]]) -> None:
    """A view that is touched and has the same to say sends nothing."""

    async def repeat() -> None:
        coalescer, view = Coalescer(), Talker("v")
        coalescer.open(view)
        for _ in range(3):
            coalescer.touch(view)
            await asyncio.sleep(2 * INTERVAL_S)

    asyncio.run(repeat())
    assert [message["v.no"] for message in sent] == [0]


def test_closing_wipes_with_the_next_message(sent: list[dict[str, Any]]) -> None:
    """What a view said is gone, without a message of its own, and the board goes with the last."""

    async def leave() -> None:
        coalescer, one, other = Coalescer(), Talker("one"), Talker("other")
        first = coalescer.open(one)
        assert coalescer.open(other) == first
        coalescer.touch(one)
        coalescer.touch(other)
        await asyncio.sleep(2 * INTERVAL_S)
        for _ in range(2):
            coalescer.close(one)
        other.no = 1
        coalescer.touch(other)
        await asyncio.sleep(2 * INTERVAL_S)
        coalescer.close(other)
        assert coalescer.open(one) != first
        coalescer.close(one)

    asyncio.run(leave())
    assert len(sent) == 2
    assert (sent[1]["one.no"], sent[1]["other.no"]) == (None, 1)


def test_touched_from_another_thread(sent: list[dict[str, Any]]) -> None:
    """A run on another thread is heard as well."""

    async def other_thread() -> None:
        coalescer, view = Coalescer(), Talker("v")
        coalescer.open(view)
        thread = threading.Thread(target=coalescer.touch, args=(view,))
        thread.start()
        await asyncio.sleep(3 * INTERVAL_S)
        thread.join()

    asyncio.run(other_thread())
    assert len(sent) == 1


def test_while_a_cell_blocks_the_kernel(sent: list[dict[str, Any]]) -> None:
    """A run on another loop is heard though the kernel's is busy, and no more often than that."""
    coalescer, view = Coalescer(), Talker("v")

    async def run() -> None:
        for _ in range(250):
            view.no += 1
            coalescer.touch(view)
            await asyncio.sleep(0.002)
        await asyncio.sleep(4 * INTERVAL_S)

    async def soon_over() -> None:
        coalescer.touch(view)  # whose loop ends before it can speak for anybody

    def block(run: Coroutine[Any, Any, None]) -> float:
        begin = time.monotonic()
        thread = threading.Thread(target=asyncio.run, args=(run,))
        thread.start()
        thread.join()  # as a cell does that is not async
        return time.monotonic() - begin

    async def kernel() -> None:
        coalescer.open(view)
        coalescer.touch(view)
        block(soon_over())
        took = block(run())
        assert 3 <= len(sent) <= took / INTERVAL_S + 1
        assert sent[-1]["v.no"] == 250

    asyncio.run(kernel())


def test_a_run_goes_on_after_its_cell(sent: list[dict[str, Any]]) -> None:
    """What it said in the cell that started it still waits when the next one blocks the kernel."""
    coalescer = Coalescer()
    trace = Trace()

    async def run() -> None:
        for _ in range(100):
            trace.emit(Token(1, "word ", None, None), run="r")
            await asyncio.sleep(0.005)

    async def kernel() -> None:
        trace.emit(RunStarted("a", "q", "m", "s", {}), run="r")
        view = RunView(coalescer=coalescer)
        trace.attach(view)
        thread = threading.Thread(target=asyncio.run, args=(run(),))
        thread.start()
        thread.join()
        assert [message for message in sent if "word word" in str(message)]
        view.close()

    asyncio.run(kernel())


def test_whoever_comes_late_gets_all(sent: list[dict[str, Any]]) -> None:
    """The state of a board is every cell that is there, and when it was told."""
    board = Board()
    assert board.write({"a": 1, "b": 2})
    assert board.write({"b": None})
    state = board.get_state()

    assert state["a"] == 1
    assert "b" not in state
    assert state["at"] > 1e12
    assert len(sent) == 2


def test_without_a_loop(sent: list[dict[str, Any]]) -> None:
    """A view where no loop runs says what to do."""
    with pytest.raises(WrongThread, match="make it in a cell"):
        Coalescer().open(Talker("v"))
    assert sent == []


def test_the_pages_types_are_current() -> None:
    """What the front end is checked against is what Python sends."""
    made = runpy.run_path(str(ROOT / "widgets/messages.py"))["generated"]()

    assert (ROOT / "widgets/src/messages.d.ts").read_text() == made
