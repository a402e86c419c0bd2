"""Tokens as they reach a page, and what it says of the one that is selected."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agentlab.strategies.streaming_session import HeardToken, HeardTokens, StreamingSession
from agentlab.widgets.coalescer import Board
from agentlab.widgets.token_view import TokenView, TokenWatch
from tests.widgets.test_hearing import LAST, STEP, entries_of, session_of


def in_loop(work: Callable[[], object]) -> None:
    """Do it where a loop runs."""

    async def main() -> None:
        work()

    asyncio.run(main())


async def once(true: Callable[[], bool]) -> None:
    """Wait until something holds, which the loop that runs this makes true."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - a board tells nobody
            await asyncio.sleep(0.01)


def test_selected() -> None:
    """None until the page selects one; what a page may not say does nothing."""

    def work() -> None:
        heard = StreamingSession.of(session_of(STEP, LAST))
        view = heard.explore()
        assert isinstance(view, TokenView)
        assert view.selected is None
        view.asked({"type": "choose", "at": 3, "below": 500, "step": 99, "by": "x" * 99})
        assert view.selected is heard.tokens[3]
        chosen = view.changes()["chosen"]
        assert chosen == {"at": 3, "below": 99, "step": -1, "by": "x" * 40}
        for odd in ({"type": "choose", "at": "3"}, {"type": "?"}, {}, {"type": "choose"}):
            view.asked(odd)
        assert view.selected is heard.tokens[3]
        view.asked({"type": "choose", "at": 17, "below": 10, "step": 1})
        assert view.selected is None
        assert view.changes()["chosen"]["step"] == 1
        view.close()
        part = heard.tokens[2:5].explore()
        part.asked({"type": "choose", "at": 0, "below": 50, "step": -1})
        assert part.selected is heard.tokens[2]
        part.close()

    in_loop(work)


def test_it_is_sent_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened, all of it reaches the board, in some messages; none of it twice."""
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(Board, "send_state", lambda self, key: told.append(self.get_state(key)))

    async def main() -> str:
        tokens = HeardTokens(HeardToken(0, i, "x", -0.1) for i in range(2500))
        view = TokenView(StreamingSession(tokens=tokens))
        view.touch()
        await once(lambda: len(told) >= 3)
        view.asked({"type": "choose", "at": 3, "below": 50, "step": -1, "by": "me"})
        await once(lambda: len(told) >= 4)
        view.close()
        return str(view.lane)

    lane = asyncio.run(main())
    sent = [
        len(cell["texts"])
        for cells in told
        for name, cell in cells.items()
        if name.startswith(f"{lane}.t") and name != f"{lane}.title"
    ]
    assert sent == [1000, 1000, 500]
    last = {name.partition(".")[2] for name in told[-1]}
    assert last == {"chosen", ""}


def test_watching_stops() -> None:
    """The page's Stop is that of the run; its repr is that of what was heard so far."""
    stopped: list[bool] = []

    async def main() -> None:
        view = TokenWatch(lambda: stopped.append(True))
        for entry in entries_of(LAST):
            view(entry)
        await once(lambda: repr(view) == "<TokenWatch final_answer, 1 step, 8 tokens>")
        view.asked({"type": "choose", "at": 1, "below": 50, "step": -1})
        assert view.selected
        assert view.selected.text == ":"
        view.asked({"type": "stop"})
        view.close()

    asyncio.run(main())
    assert stopped == [True]
