"""Watching where there is no notebook, and where there seems to be one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.formatters import DisplayFormatter

import agentlab as al
from agentlab.core.events import Token
from agentlab.teams.debate import DebateStrategy
from agentlab.teams.debate_config import DebateConfig, DebaterPosition
from agentlab.teams.swarm import SwarmStrategy
from agentlab.teams.swarm_config import SwarmConfig
from agentlab.teams.team import TeamStrategy
from agentlab.teams.team_config import AgentTeam, TeamConfig
from agentlab.widgets.debate_view import DebateView
from agentlab.widgets.notebook import attended
from agentlab.widgets.run_view import RunView
from agentlab.widgets.swarm_view import SwarmView
from agentlab.widgets.team_view import TeamView
from agentlab.widgets.token_view import TokenWatch
from agentlab.widgets.watch import show

LAST = "Thought: done\nAction: FINAL_ANSWER 42"


def formatted(obj: object) -> Any:
    """Do what a cell does with its last line."""
    return DisplayFormatter().format(obj)  # type: ignore[no-untyped-call]


class Place:
    """Where something is shown: keeps what was put there."""

    def __init__(self, first: Any) -> None:
        self.shown = [first]

    def update(self, bundle: Any, *, raw: bool) -> None:
        """Put something else there."""
        assert raw
        self.shown.append(bundle)


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> list[Place]:
    """Give the places of what is shown, in what takes itself for a notebook."""
    places: list[Place] = []

    def display(view: Any, *, display_id: bool, raw: bool = False) -> Place:
        assert display_id
        assert raw is isinstance(view, dict)
        places.append(Place(view))
        return places[-1]

    fake = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1))
    monkeypatch.setattr("IPython.display.display", display)
    monkeypatch.setattr("agentlab.widgets.watch.GRACE_S", 0)  # a view, however quick the run
    monkeypatch.setattr("agentlab.widgets.watch.LEAST_S", 0)
    monkeypatch.setattr("agentlab.widgets.notebook.sys", SimpleNamespace(modules={"IPython": fake}))
    return places


async def forever(_: str) -> AsyncIterator[str]:
    """Talk without an end."""
    while True:
        yield "word "
        await asyncio.sleep(0.01)


def test_outside_a_notebook() -> None:
    """It only waits, and no widget is loaded."""

    async def main() -> al.AgentSession:
        return await al.watch(al.AgentRuntime(al.ScriptedModel(LAST)).start("How many?"))

    assert asyncio.run(main()).final_answer() == "42"


def test_not_awaited() -> None:
    """What is not awaited says so, as does whoever takes it for a session."""

    async def main() -> None:
        handle = al.AgentRuntime(al.ScriptedModel(LAST)).start("How many?")
        watching = al.watch(handle)
        assert "session = await al.watch(handle)" in repr(watching)
        with pytest.raises(AttributeError, match=r"await al\.watch"):
            _ = watching.answer
        watching.close()
        assert (await asyncio.create_task(al.watch(handle))).final_answer() == "42"

    asyncio.run(main())


def test_something_else() -> None:
    """Only a handle can be watched."""
    with pytest.raises(al.InvalidValue, match=r"runtime\.start"):
        al.watch("a goal")  # type: ignore[arg-type]


def cards(places: list[Place]) -> list[str]:
    """Give the card that is left at each place."""
    for place in places:
        view, bundle = place.shown
        assert isinstance(view, RunView)
        assert view.comm is None
        assert set(bundle) == {"text/html", "text/plain"}
    return [place.shown[-1]["text/plain"] for place in places]


def test_a_view_then_a_card(places: list[Place]) -> None:
    """Each of several at once is shown, and leaves its card at its place."""

    async def main() -> list[al.AgentSession]:
        labs = [al.AgentRuntime(al.ScriptedModel(LAST)) for _ in range(3)]
        return await asyncio.gather(*(al.watch(lab.start("How many?")) for lab in labs))

    assert [session.final_answer() for session in asyncio.run(main())] == ["42"] * 3
    assert cards(places) == ["<AgentSession 'agent' final_answer, 1 step>"] * 3


SIDES = [DebaterPosition("ann", "for"), DebaterPosition("bob", "against")]


@pytest.mark.parametrize(
    ("strategy", "kind", "left"),
    [
        (DebateStrategy(DebateConfig("Tabs?", SIDES, rounds=1)), DebateView, "<DebateSession"),
        (TeamStrategy(TeamConfig(AgentTeam("ann", ["bob"], "Tabs?"))), TeamView, "<TeamResult"),
        (SwarmStrategy(SwarmConfig(), ["ann", "bob"]), SwarmView, "<SwarmResult"),
    ],
)
def test_the_view_that_fits(
    places: list[Place], strategy: Any, kind: type[RunView], left: str
) -> None:
    """A debate, a team and a swarm have views of their own, and leave the card of what came of it.

    Stopped before, there is only the session to show.
    """

    async def main() -> tuple[al.AgentSession, al.AgentSession]:
        whole = await al.watch(al.AgentRuntime(lambda _: "0.5").start("Tabs?", strategy=strategy))
        handle = al.AgentRuntime(forever).start("Tabs?", strategy=strategy)
        watching = asyncio.create_task(al.watch(handle))
        await asyncio.sleep(0.1)
        places[-1].shown[0].asked({"type": "stop"})
        return whole, await watching

    whole, part = asyncio.run(main())
    assert whole.has_final_answer()
    assert part.stop_reason == "stopped"
    ended, stopped = cards(places)
    assert ended.startswith(left)
    assert stopped.startswith("<AgentSession 'agent' stopped")
    views = [place.shown[0] for place in places]
    assert all(isinstance(view, kind) for view in views)
    assert repr(views[0]).startswith(f"<{kind.__name__} ")


def test_an_agent_is_looked_at(places: list[Place]) -> None:
    """A page that asks for an agent's turns is told of them; nonsense is passed over."""

    async def main() -> dict[str, Any]:
        strategy = TeamStrategy(TeamConfig(AgentTeam("ann", ["bob"], "Tabs?")))
        handle = al.AgentRuntime(forever).start("Tabs?", strategy=strategy)
        watching = asyncio.create_task(al.watch(handle))
        spoken = asyncio.Event()
        handle.trace.attach(lambda entry: spoken.set() if isinstance(entry.event, Token) else None)
        await spoken.wait()
        view = places[-1].shown[0]
        view.changes()
        for no in (None, 7, "x", [1], 1):
            view.asked({"type": "open", "no": no})
        news: dict[str, Any] = view.changes()
        handle.stop()
        await watching
        return news

    news = asyncio.run(main())
    assert [name for name in news if name.startswith("turn")] == ["turn1"]
    assert news["turn1"]["said"].endswith("word ")


def test_token_by_token(places: list[Place]) -> None:
    """What is left is the card of the tokens that were heard; the session is what comes back."""

    async def main() -> al.AgentSession:
        return await al.watch(al.AgentRuntime(al.ScriptedModel(LAST)).start("?"), tokens=True)

    session = asyncio.run(main())
    ((view, card),) = [place.shown for place in places]
    assert session.final_answer() == "42"
    assert isinstance(view, TokenWatch)
    assert view.comm is None
    assert card["text/plain"].startswith("<StreamingSession final_answer, 1 step, ")
    assert "agl-toks" in card["text/html"]


def test_a_run_that_is_soon_over(places: list[Place], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shown by its card at once; a view would be gone before a page had loaded it."""
    monkeypatch.setattr("agentlab.widgets.watch.GRACE_S", 30)

    async def main() -> None:
        await al.watch(al.AgentRuntime(al.ScriptedModel(LAST)).start("How many?"))

    asyncio.run(main())
    ((first, last),) = [place.shown for place in places]
    assert "answered" in first["text/html"]
    assert first == last


def test_cancelled_before_there_was_a_view(
    places: list[Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is stopped, and its card is there."""
    monkeypatch.setattr("agentlab.widgets.watch.GRACE_S", 30)

    async def main() -> None:
        handle = al.AgentRuntime(forever).start("How many?")
        task = asyncio.ensure_future(al.watch(handle))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert handle.session.stop_reason == "stopped"

    asyncio.run(main())
    assert "stopped" in places[0].shown[-1]["text/html"]


def test_stopped(places: list[Place]) -> None:
    """The button ends it, and the session so far comes back; other messages do nothing."""

    async def main() -> al.AgentSession:
        handle = al.AgentRuntime(forever).start("How many?")
        watching = asyncio.create_task(al.watch(handle))
        await asyncio.sleep(0.05)
        view = places[0].shown[0]
        view._handle_custom_msg({"type": "other"}, [])  # noqa: SLF001 - what a page sends
        await asyncio.sleep(0.05)
        assert not handle.done()
        view._handle_custom_msg({"type": "stop"}, [])  # noqa: SLF001
        return await watching

    assert asyncio.run(main()).stop_reason == "stopped"
    assert cards(places) == ["<AgentSession 'agent' stopped, 0 steps>"]


def test_an_error_comes_after_the_card(places: list[Place]) -> None:
    """With the session attached."""

    async def main() -> None:
        await al.watch(al.AgentRuntime(al.ScriptedModel(ValueError("no"))).start("How many?"))

    with pytest.raises(ValueError, match="no") as raised:
        asyncio.run(main())
    assert raised.value.session.stop_reason == "error"  # type: ignore[attr-defined]
    assert cards(places) == ["<AgentSession 'agent' error, 0 steps>"]


def test_cancelled(places: list[Place]) -> None:
    """Time out whoever watches: the run is stopped, and its card says so."""

    async def main() -> None:
        await asyncio.wait_for(al.watch(al.AgentRuntime(forever).start("How many?")), 0.1)

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert cards(places) == ["<AgentSession 'agent' stopped, 0 steps>"]


def test_the_last_line_of_a_cell(places: list[Place]) -> None:
    """A handle shows itself live, from the background; one that is over shows its card."""

    async def main() -> None:
        handle = al.AgentRuntime(al.ScriptedModel(LAST)).start("How many?")
        assert formatted(handle) == ({}, {})
        await handle.over()
        await asyncio.sleep(0.05)
        assert len(places) == 1
        bundle, _ = formatted(handle)
        assert "agl-card" in bundle["text/html"]
        failing = al.AgentRuntime(al.ScriptedModel(ValueError("no"))).start("How many?")
        assert show(failing)
        await failing.over()
        await asyncio.sleep(0.05)

    asyncio.run(main())
    assert [place.split()[2].strip(",>") for place in cards(places)] == ["final_answer", "error"]


@pytest.mark.parametrize("last_line", [False, True])
def test_nobody_looks_on(
    places: list[Place], monkeypatch: pytest.MonkeyPatch, *, last_line: bool
) -> None:
    """A notebook that is executed by itself has a card from the start, and never a widget."""
    monkeypatch.setattr("agentlab.widgets.watch.attended", lambda: False)

    async def main() -> None:
        handle = al.AgentRuntime(al.ScriptedModel(LAST)).start("How many?")
        if last_line:
            assert show(handle)
        else:
            assert (await al.watch(handle)).final_answer() == "42"
        await handle.over()
        await asyncio.sleep(0.05)

    asyncio.run(main())
    ((first, last),) = [place.shown for place in places]
    assert "await al.watch(handle)" in first["text/html"]
    assert "under way" in first["text/html"]
    assert first["text/plain"] == "<RunHandle '' running, 0 steps>"
    assert last["text/plain"] == "<AgentSession 'agent' final_answer, 1 step>"


def test_who_looks_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever can be asked something; where nothing is said of that, somebody is there."""
    shell = SimpleNamespace(kernel=1)
    fake = SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setattr("agentlab.widgets.notebook.sys", SimpleNamespace(modules={"IPython": fake}))
    assert attended()
    for content, expected in (
        ({}, True),
        ({"allow_stdin": True}, True),
        ({"allow_stdin": 0}, False),
    ):
        shell.get_parent = lambda content=content: {"content": content}
        assert attended() is expected


def test_a_handle_outside_a_notebook() -> None:
    """Is not shown live."""

    async def main() -> None:
        handle = al.AgentRuntime(al.ScriptedModel(LAST)).start("How many?")
        assert not show(handle)
        await handle

    asyncio.run(main())
    assert "IPython" in sys.modules
