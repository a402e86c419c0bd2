"""Opening and closing explorers, in what takes itself for a notebook."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.formatters import DisplayFormatter

import agentlab as al
from agentlab.core.errors import InvalidValue, WrongThread
from agentlab.observe.metrics import RuntimeMetrics
from agentlab.widgets import explorer as module
from agentlab.widgets.explorer import SHOWN, Explorer, explore
from agentlab.widgets.metrics_view import MetricsView


class Notebook:
    """Keeps what cells show; ``cell`` is the one that runs, ``no`` which run of a cell it is."""

    def __init__(self) -> None:
        self.shown: list[list[Any]] = []
        self.cell, self.no = "a", 1
        self.kernel = 1

    def run(self, cell: str) -> None:
        """Run another cell, or one again."""
        self.cell, self.no = cell, self.no + 1

    def get_parent(self) -> dict[str, Any]:
        """Say which cell it is, as a kernel does."""
        return {"metadata": {"cellId": self.cell}, "header": {"msg_id": str(self.no)}}

    def display(self, bundle: Any, **_: Any) -> Any:
        """Show something."""
        place = [bundle]
        self.shown.append(place)
        return SimpleNamespace(update=lambda bundle, raw: place.append(bundle))  # noqa: ARG005

    @property
    def kinds(self) -> list[str]:
        """What is on show now: a card, a widget, or nothing."""
        return [
            "widget" if len(now) == 2 and "text/html" not in now
            else "card" if now["text/html"] else "nothing"
            for *_, now in self.shown
        ]  # fmt: skip


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """Give a notebook."""
    notebook = Notebook()
    fake = SimpleNamespace(get_ipython=lambda: notebook)
    monkeypatch.setattr("agentlab.widgets.notebook.sys", SimpleNamespace(modules={"IPython": fake}))
    monkeypatch.setattr("IPython.display.display", notebook.display)
    return notebook


def in_loop(work: Callable[[], object]) -> None:
    """Do it where a loop runs, and leave no view behind."""

    async def main() -> None:
        work()
        for view in [view for views in SHOWN.values() for view in views]:
            view.close()
        assert SHOWN == {}  # what is closed is forgotten

    asyncio.run(main())


def last_line(view: Explorer) -> None:
    """Do what a cell does with its last line."""
    DisplayFormatter().format(view)  # type: ignore[no-untyped-call]


def test_a_card_and_a_widget_then_the_card(notebook: Notebook) -> None:
    """What was opened shows two things, once; closed, the card as it is by then, and nothing."""

    def work() -> None:
        metrics = RuntimeMetrics()
        view = metrics.explore()
        last_line(view)
        assert notebook.kinds == ["card", "widget"]
        metrics.record_tool_call("search")
        view.close()
        view.close()
        assert notebook.kinds == ["card", "nothing"]
        assert "search" in notebook.shown[0][-1]["text/html"]

    in_loop(work)


def test_shown_again_elsewhere(notebook: Notebook) -> None:
    """As the last line of a later cell it is shown there too, and closed in both places."""

    def work() -> None:
        view = RuntimeMetrics().explore()
        notebook.run("b")
        last_line(view)
        assert notebook.kinds == ["card", "widget"] * 2
        view.close()
        assert notebook.kinds == ["card", "nothing"] * 2

    in_loop(work)


def test_a_cell_that_runs_again(notebook: Notebook) -> None:
    """What it showed before is closed; what another cell shows is not, nor what it shows now."""

    def work() -> None:
        other = RuntimeMetrics().explore()
        views = []
        for _ in range(3):
            notebook.run("b")
            views += [RuntimeMetrics().explore(), RuntimeMetrics().explore()]
        assert [view.comm is None for view in (other, *views)] == [False, *[True] * 4, *[False] * 2]

    in_loop(work)


def test_made_by_hand(notebook: Notebook) -> None:
    """A view that nobody opened is opened as the last line of a cell."""

    def work() -> None:
        view = MetricsView(al.AgentRuntime(al.ScriptedModel("x")).metrics())
        assert notebook.kinds == []
        last_line(view)
        assert notebook.kinds == ["card", "widget"]

    in_loop(work)


def test_the_page_closes_it(notebook: Notebook) -> None:
    """The button closes it; what else a page may send does nothing."""

    def work() -> None:
        view = RuntimeMetrics().explore()
        for message in ({"type": "?"}, {}):
            view.asked(message)
        assert notebook.kinds == ["card", "widget"]
        view.asked({"type": "close"})
        assert notebook.kinds == ["card", "nothing"]

    in_loop(work)


async def truth(notebook: Notebook, text: str) -> None:
    """Wait until the first card says something."""
    for _ in range(500):
        if text in notebook.shown[0][-1]["text/html"]:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"the card never said {text!r}")


def test_the_card_of_a_run_follows(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened before the first entry, it says when the run goes on and at once when it is over."""
    monkeypatch.setattr(module, "CARD_S", 0.05)
    gate = asyncio.Event()

    async def talk(_: object) -> Any:
        yield "Thought: a thought\n"
        await gate.wait()
        yield "Action: FINAL_ANSWER forty-two"

    async def work() -> None:
        handle = al.AgentRuntime(talk).start("How many?")
        view = handle.explore()
        assert "not started" in notebook.shown[0][-1]["text/html"]
        await truth(notebook, "running")
        monkeypatch.setattr(module, "CARD_S", 3600)
        view._draw()  # noqa: SLF001 - from now on it would wait for an hour
        gate.set()
        await handle
        await truth(notebook, "forty-two")
        assert notebook.kinds == ["card", "widget"]
        view.close()

    asyncio.run(work())


def test_a_card_follows_seldom(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many changes one is drawn; what looks as before is not sent; closed, none is."""
    monkeypatch.setattr(module, "FIRST_S", 0.2)
    monkeypatch.setattr(module, "CARD_S", 0.2)

    async def work() -> None:
        metrics = RuntimeMetrics()
        view = metrics.explore()
        for _ in range(50):
            metrics.record_tool_call("search")
            view.freshen()
        await truth(notebook, "search")
        assert len(notebook.shown[0]) == 2
        view._follow()  # noqa: SLF001 - nothing has changed
        assert len(notebook.shown[0]) == 2
        view.freshen()
        view.close()
        metrics.record_tool_call("walk")
        await asyncio.sleep(0.3)
        assert len(notebook.shown[0]) == 3
        assert "walk" not in notebook.shown[0][-1]["text/html"]

    asyncio.run(work())


def test_metrics_are_told_to_the_card(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read anew is drawn anew, without a Close."""
    monkeypatch.setattr(module, "CARD_S", 0.05)

    async def work() -> None:
        metrics = RuntimeMetrics()
        view = metrics.explore()
        metrics.record_tool_call("search")
        await truth(notebook, "search")
        view.close()

    asyncio.run(work())


def test_outside_a_notebook() -> None:
    """In a program it shows nothing; where no loop runs it says what to do."""
    in_loop(lambda: RuntimeMetrics().explore().close())
    with pytest.raises(WrongThread, match="cell"):
        RuntimeMetrics().explore()


def test_nothing_to_explore() -> None:
    """What has no explorer is named."""
    with pytest.raises(InvalidValue, match="int, got 3"):
        explore(3)


def test_all_are_there() -> None:
    """Each explorer of the table can be loaded."""
    for name in module.EXPLORERS.values():
        where, _, view = name.partition(".")
        found = getattr(__import__(f"agentlab.widgets.{where}", fromlist=[view]), view)
        assert issubclass(found, Explorer)
