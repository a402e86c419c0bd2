"""Who may say no is asked on each way to a tool: an action hook, and a person."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

import agentlab as al
from agentlab.core.events import Entry, ToolEnded, ToolStarted
from tests.tools.gated import SHAPES, Shape, planner, script

MARK = {"mark": "by the reviewer"}


class Watched:
    """A tool that keeps what it was called with, and the events of a run."""

    def __init__(self) -> None:
        self.called: list[Any] = []
        self.told: list[Entry] = []

        @al.tool(inline=True)
        def act(mark: str = "") -> str:
            """Act."""
            self.called.append(mark)
            return "done"

        self.tools = [act]

    def lab(self, shape: Shape, **how: Any) -> al.AgentRuntime:
        """Make a runtime whose model says what the shape needs."""
        model = al.ScriptedModel(*shape.says("act"))
        return al.AgentRuntime(model, tools=self.tools, sinks=[self.told.append], **how)

    @property
    def error(self) -> str | None:
        """What the model, or whoever called, was told of the one call."""
        (ended,) = (e.event for e in self.told if isinstance(e.event, ToolEnded))
        return ended.error


@pytest.mark.parametrize("name", SHAPES)
def test_a_hook_refuses(name: str) -> None:
    """It is asked once, on each way, and what it refuses is not called."""
    shape, seen, asked = SHAPES[name], Watched(), []

    def no(tool: str, args: Any) -> al.Refuse:
        asked.append((tool, args))
        return al.Refuse("not today")

    lab = seen.lab(shape, action_hook=no)
    with suppress(al.AgentLabError):
        session = lab.run_sync("Go", strategy=shape.make("act", seen.tools))
        assert not shape.goes_on or session.final_answer() == "42"

    assert (seen.called, asked) == ([], [("act", {})])
    assert seen.error == "action blocked by reviewer: not today"


@pytest.mark.parametrize("name", SHAPES)
def test_a_hook_edits(name: str) -> None:
    """What is called, is called with what it made of the arguments."""
    shape, seen = SHAPES[name], Watched()
    lab = seen.lab(shape, action_hook=lambda *_: al.Edit(MARK))
    lab.run_sync("Go", strategy=shape.make("act", seen.tools))
    assert seen.called == ["by the reviewer"]


@pytest.mark.parametrize("word", [al.Refuse("not today"), True, al.Edit(MARK)], ids=repr)
@pytest.mark.parametrize("name", SHAPES)
def test_a_person_is_asked(name: str, word: Any) -> None:
    """Once, whoever calls, and the tool is not reached before there is an answer."""
    shape, seen = SHAPES[name], Watched()
    asked: list[str] = []

    async def main() -> None:
        handle = seen.lab(shape).start("Go", strategy=shape.make("act", seen.tools), approve=True)
        async with asyncio.timeout(10):
            while not handle.done():
                for call in handle.pending():
                    assert seen.called == []
                    asked.append(call.tool)
                    handle.answer(call.call_id, word)
                await asyncio.sleep(0.001)
        with suppress(al.AgentLabError):
            await handle

    asyncio.run(main())
    assert asked == ["act"]
    if isinstance(word, al.Refuse):
        assert (seen.called, seen.error) == ([], "action blocked by reviewer: not today")
    else:
        assert seen.called == [MARK["mark"] if isinstance(word, al.Edit) else ""]


def test_the_loop_that_does_the_steps_of_a_plan_has_a_hook_of_its_own() -> None:
    """Which is asked after that of the run, and once where there is no other."""
    order: list[str] = []

    def hook(name: str) -> Any:
        def yes(*_: Any) -> bool:
            order.append(name)
            return True

        return yes

    seen = Watched()
    loop = al.ReActLoop(al.AgentConfig(3, "m")).register_tools(seen.tools)
    bridge = planner("act").bridge(loop.with_action_hook(hook("loop")))
    seen.lab(Shape(lambda *_: None), action_hook=hook("run")).run_sync("Go", strategy=bridge)
    assert (order, len(seen.called)) == (["run", "loop"], 1)

    bridge.run_sync("Go", al.ScriptedModel(*script("act")))
    assert (order[2:], len(seen.called)) == (["loop"], 2)


def test_what_is_told_of_a_refusal() -> None:
    """That the call was not allowed, on whichever way."""
    seen, shape = Watched(), SHAPES["workflow, side by side"]
    with pytest.raises(al.AgentLabError, match="action blocked by reviewer"):
        seen.lab(shape, action_hook=lambda *_: False).run_sync(
            "Go", strategy=shape.make("act", seen.tools)
        )
    (started,) = (e.event for e in seen.told if isinstance(e.event, ToolStarted))
    assert not started.allowed
