"""Each way from a model, or from a caller, to a handler: one table, to which new ways are added.

A way takes tools and a sandbox and calls the tool ``name`` by it, once. What comes back is the
text of the observation or of the error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import agentlab as al
from agentlab.core.events import Entry, ToolEnded
from agentlab.core.protocols import Guard
from agentlab.core.run import Run
from agentlab.strategies.react import Outcome, ReAct
from agentlab.tools.cache import InMemoryToolCache

Way = Callable[[Sequence[al.ToolSpec], Guard, str], Coroutine[Any, Any, str]]
LAST = "Thought: done\nAction: FINAL_ANSWER 42"


def script(name: str) -> tuple[str, str]:
    """Say what a model says that calls ``name`` and then gives up."""
    return (f"Thought: I was told to\nAction: {name} {{}}", LAST)


class Below:
    """Hands the goal on to a strategy, as a child of its run."""

    strategy_name = "below"

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, run: Run, goal: str, /) -> Outcome:
        (done,) = await asyncio.gather(self.inner(run.child("child"), goal))
        return Outcome(done.answer)


class Direct:
    """Calls a tool itself, without asking a model."""

    strategy_name = "direct"

    def __init__(self, name: str) -> None:
        self.name = name

    async def __call__(self, run: Run, _: str, /) -> Outcome:
        await run.act(self.name, {})
        return Outcome("42")


async def heard(lab: al.AgentRuntime, strategy: Any, *, sees: list[Entry]) -> str:
    """Run to the end, and give what came of the one call."""
    with suppress(al.AgentLabError):
        session = await lab.run("Go", strategy=strategy)
        assert session.final_answer() == "42", "a denial is no end of a run"
    return told(sees)


def told(sees: Sequence[Entry]) -> str:
    """Say what came of the one call."""
    (ended,) = (e.event for e in sees if isinstance(e.event, ToolEnded))
    return ended.error or f"did {ended.data}"


def by(strategy: Callable[[str], Any], **how: Any) -> Way:
    """Make a way of a strategy, in a runtime that has the sandbox."""

    async def way(tools: Sequence[al.ToolSpec], sandbox: Guard, name: str) -> str:
        sees: list[Entry] = []
        model: Any = al.ScriptedModel(*script(name))
        lab = al.AgentRuntime(model, tools=tools, sandbox=sandbox, sinks=[sees.append], **how)
        return await heard(lab, strategy(name), sees=sees)

    return way


def laid(strategy: Callable[[str], Any], *replies: str) -> Way:
    """Make a way of a strategy that follows a plan, which may end where a call is denied."""

    async def way(tools: Sequence[al.ToolSpec], sandbox: Guard, name: str) -> str:
        sees: list[Entry] = []
        model = al.ScriptedModel(*(each.format(name) for each in replies or (LAST,)))
        lab = al.AgentRuntime(model, tools=tools, sandbox=sandbox, sinks=[sees.append])
        with suppress(al.AgentLabError):
            await lab.run(name, strategy=strategy(name))
        return told(sees)

    return way


async def in_capitals(tools: Sequence[al.ToolSpec], sandbox: Guard, name: str) -> str:
    """Call it by a name that is nearly its own."""
    sees: list[Entry] = []
    model = al.ScriptedModel(*script(name.upper()))
    lab = al.AgentRuntime(model, tools=tools, sandbox=sandbox, sinks=[sees.append])
    return await heard(lab, None, sees=sees)


async def kept(tools: Sequence[al.ToolSpec], sandbox: Guard, name: str) -> str:
    """Call it where its result is kept from a call that was let through by nobody."""
    cache = InMemoryToolCache()
    cache.set(name, {}, "a secret")
    sees: list[Entry] = []
    lab = al.AgentRuntime(al.ScriptedModel(*script(name)), sandbox=sandbox, sinks=[sees.append])
    lab.tools.with_cache(cache)
    for each in tools:
        lab.tools.register(replace(each, cacheable=True))
    said = await heard(lab, None, sees=sees)
    if "a secret" in said:
        tools[0](None)
        return "done"
    return said


async def retried(tools: Sequence[al.ToolSpec], sandbox: Guard, name: str) -> str:
    """Call it on behalf of a model that is busy at first."""
    busy = al.ProviderError("busy", status=503, retry_after=0)
    sees: list[Entry] = []
    model = al.ScriptedModel(busy, *script(name))
    lab = al.AgentRuntime(
        model, tools=tools, sandbox=sandbox, retry=al.RetryPolicy(3, 0), sinks=[sees.append]
    )
    return await heard(lab, None, sees=sees)


def nested(*, above: bool, depth: int = 1) -> Way:
    """Make a way through runtimes in each other; the sandbox is that of the uppermost or lowest."""

    async def way(tools: Sequence[al.ToolSpec], sandbox: Guard, name: str) -> str:
        sees: list[Entry] = []
        inner: Any = al.AgentRuntime(
            al.ScriptedModel(*script(name)), tools=tools, sandbox=None if above else sandbox
        )
        for _ in range(depth - 1):
            inner = al.AgentRuntime(al.ScriptedModel(LAST)) if inner is None else Below(inner)
        outer = al.AgentRuntime(
            al.ScriptedModel(LAST), sandbox=sandbox if above else None, sinks=[sees.append]
        )
        return await heard(outer, inner, sees=sees)

    return way


async def loop(tools: Sequence[al.ToolSpec], sandbox: Guard, name: str) -> str:
    """Call it from a loop that has no runtime."""
    alone = al.ReActLoop(al.AgentConfig(3, "m"), sandbox=sandbox).register_tools(tools)
    session = await alone.run("Go", al.ScriptedModel(*script(name)))
    return session.steps[0].observation


async def streaming_loop(tools: Sequence[al.ToolSpec], sandbox: Guard, name: str) -> str:
    """Call it from the one that is heard."""
    alone = al.StreamingReActLoop(al.ScriptedModel(*script(name)), 3).with_sandbox(sandbox)
    alone.register_tools(tools)
    return (await alone.run("Go")).steps[0].observation


async def handled(tools: Sequence[al.ToolSpec], sandbox: Guard, name: str) -> str:
    """Call it through a function that takes whatever no tool does."""
    known = {each.name: each for each in tools}
    alone = al.StreamingReActLoop(al.ScriptedModel(*script(name)), 3, sandbox=sandbox)
    alone.with_tool_handler(lambda tool, _: known[tool]())
    return (await alone.run("Go")).steps[0].observation


async def named(tools: Sequence[al.ToolSpec], sandbox: Guard, name: str) -> str:
    """Call it by the direct door of the text tools."""
    try:
        return f"did {await al.NamedToolRegistry(tools, sandbox=sandbox).call(name, '{}')}"
    except al.AgentLabError as error:
        return str(error)


async def named_observed(tools: Sequence[al.ToolSpec], sandbox: Guard, name: str) -> str:
    """Call it there with JSON."""
    return (await al.NamedToolRegistry(tools).with_sandbox(sandbox).observe(name, {})).text


async def named_of_runtime(tools: Sequence[al.ToolSpec], sandbox: Guard, name: str) -> str:
    """Call it by the text tools of a runtime."""
    lab = al.AgentRuntime(al.ScriptedModel(LAST), tools=tools, sandbox=sandbox)
    try:
        return f"did {await lab.tool_registry().call(name, '{}')}"
    except al.AgentLabError as error:
        return str(error)


async def named_below_a_tool(tools: Sequence[al.ToolSpec], sandbox: Guard, name: str) -> str:
    """Call it from a handler that was let through itself."""
    inner = al.NamedToolRegistry(tools, sandbox=sandbox)

    @al.tool
    async def ask() -> str:
        """Ask another."""
        return await inner.call(name, "{}")

    sees: list[Entry] = []
    lab = al.AgentRuntime(
        al.ScriptedModel(*script("ask")), tools=[ask], sandbox=sandbox, sinks=[sees.append]
    )
    return await heard(lab, None, sees=sees)


async def run_with_text_tools(tools: Sequence[al.ToolSpec], sandbox: Guard, name: str) -> str:
    """Call it in a run whose tools are text tools that have the same sandbox."""

    class Borrowing:
        strategy_name = "borrowing"

        async def __call__(self, run: Run, goal: str, /) -> Outcome:
            registry = al.NamedToolRegistry(tools, sandbox=sandbox)
            return await ReAct()(run.child("child", tools=registry), goal)

    return await by(lambda _: Borrowing())(tools, sandbox, name)


class Leaf:
    """Calls its own tool: ``react``, ``streaming`` or ``act``; or a runtime does, for ``runtime``.

    That has the tools and, where ``grants`` are given, a sandbox of its own.
    """

    strategy_name = "leaf"
    KINDS = ("react", "streaming", "act", "runtime")

    def __init__(self, kind: str, grants: frozenset[str] | None) -> None:
        self.kind, self.grants, self.name = kind, grants, ""
        self.tools: Sequence[al.ToolSpec] = ()

    def __repr__(self) -> str:
        return f"Leaf({self.kind!r}, {self.grants and sorted(self.grants)})"

    async def __call__(self, run: Run, goal: str, /) -> Outcome:
        """Work as a child of ``run``, with a model that knows what to call."""
        model = al.ScriptedModel(*script(self.name))
        own = None if self.grants is None else al.Sandbox().grant_all(self.grants)
        doers: dict[str, Any] = {
            "react": ReAct(),
            "streaming": al.StreamingReAct(),
            "act": Direct(self.name),
            "runtime": al.AgentRuntime(model, tools=self.tools, sandbox=own),
        }
        done = await doers[self.kind](run.child(self.name, model=model), goal)
        return Outcome(done.answer)


class Fork:
    """Lets several work side by side."""

    strategy_name = "fork"

    def __init__(self, inner: Sequence[Any]) -> None:
        self.inner = inner

    def __repr__(self) -> str:
        return f"Fork({self.inner})"

    async def __call__(self, run: Run, goal: str, /) -> Outcome:
        """Give each a child."""
        children = [run.child(f"child{i}") for i in range(len(self.inner))]
        work = [each(child, goal) for each, child in zip(self.inner, children, strict=True)]
        return Outcome(str(len(await asyncio.gather(*work))))


def leaves(tree: Leaf | Fork) -> list[Leaf]:
    """List the leaves, from left to right."""
    return (
        [tree] if isinstance(tree, Leaf) else [leaf for each in tree.inner for leaf in leaves(each)]
    )


WAYS: dict[str, Way] = {
    "plan": laid(
        lambda _: al.PlanExecute(), "1. Do it | tool: {0} | args: {{}}", "ACHIEVED 0.9\nFine."
    ),
    "planner": laid(
        lambda name: al.Planner().register_methods(
            [al.Method(name, (al.Task.primitive(name, {}),))]
        )
    ),
    "workflow": laid(lambda name: al.Workflow("w", [al.WorkflowStep.Task("t", "{}", tool=name)])),
    "in capitals": in_capitals,
    "kept": kept,
    "react": by(lambda _: ReAct()),
    "streaming": by(lambda _: al.StreamingReAct()),
    "act": by(Direct),
    "child": by(lambda _: Below(ReAct())),
    "grandchild": by(lambda _: Below(Below(al.StreamingReAct()))),
    "retried": retried,
    "parent's sandbox": nested(above=True),
    "parent's sandbox, deep": nested(above=True, depth=3),
    "nested, own sandbox": nested(above=False),
    "nested, own sandbox, deep": nested(above=False, depth=3),
    "loop": loop,
    "streaming loop": streaming_loop,
    "tool handler": handled,
    "named": named,
    "named, observed": named_observed,
    "named, of a runtime": named_of_runtime,
    "named, below a tool": named_below_a_tool,
    "run with text tools": run_with_text_tools,
}
