"""Each way from a model, or from a caller, to a handler: one table, to which new ways are added.

A way takes tools and a sandbox and calls the tool ``name`` by it, once. What comes back is the
text of the observation or of the error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

import agentlab as al
from agentlab.core.events import Entry, ToolEnded
from agentlab.core.protocols import Guard
from agentlab.core.run import Run
from agentlab.strategies.react import Outcome, ReAct
from agentlab.teams.dispatch import Dispatch
from agentlab.teams.swarm import SwarmStrategy
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


async def heard(
    lab: al.AgentRuntime, strategy: Any, *, sees: list[Entry], goes_on: bool = True
) -> str:
    """Run to the end, and give what came of the one call."""
    with suppress(al.AgentLabError):
        session = await lab.run("Go", strategy=strategy)
        assert not goes_on or session.final_answer() == "42", "a denial is no end of a run"
    (ended,) = (e.event for e in sees if isinstance(e.event, ToolEnded))
    return ended.error or f"did {ended.data}"


class Shape(NamedTuple):
    """A strategy that calls one tool, once.

    ``make`` makes it of the tool's name, for a run that has the tools, and ``says`` what a model
    says to it. It ``goes_on`` to its answer, 42, though the call is refused, or it ends there.
    """

    make: Callable[[str, Sequence[al.ToolSpec]], Any]
    says: Callable[[str], Sequence[str]] = script
    goes_on: bool = True


def by(shape: Shape) -> Way:
    """Make a way of a strategy, in a runtime that has the sandbox."""

    async def way(tools: Sequence[al.ToolSpec], sandbox: Guard, name: str) -> str:
        sees: list[Entry] = []
        model: Any = al.ScriptedModel(*shape.says(name))
        lab = al.AgentRuntime(model, tools=tools, sandbox=sandbox, sinks=[sees.append])
        return await heard(lab, shape.make(name, tools), sees=sees, goes_on=shape.goes_on)

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

    return await by(Shape(lambda *_: Borrowing()))(tools, sandbox, name)


Step = al.WorkflowStep


def planner(name: str) -> al.Planner:
    """Make one that has one plan: the call."""
    return al.Planner().register_method(al.Method("Go", [al.Task.primitive(name)]))


def plan_of(name: str) -> tuple[str, str, str]:
    """Say what a model says that plans the call and a question, and finds it all well."""
    return (f"1. Do it | tool: {name} | args: {{}}\n2. Say it", "42", "ACHIEVED 0.9")


def call(name: str) -> al.WorkflowStep:
    """Make a task of a workflow that is the call."""
    return Step.Task("t", "{}", tool=name)


def flow(*steps: al.WorkflowStep) -> al.Workflow:
    """Make a workflow."""
    return al.Workflow("flow", steps)


def agent(name: str, tools: Sequence[al.ToolSpec]) -> al.AgentRuntime:
    """Make a runtime that calls it."""
    return al.AgentRuntime(al.ScriptedModel(*script(name)), tools=tools)


def same(_: str) -> str:
    """Answer for everybody."""
    return "42"


def team_of(**members: Any) -> al.TeamStrategy:
    """Make a team whose leader only answers."""
    config = al.TeamConfig(al.AgentTeam("leader", list(members), "Go"))
    return al.TeamStrategy(config, agents={"leader": same, **members})


def swarm_of(one: Any, **how: Any) -> Any:
    """Make a swarm of one."""
    return SwarmStrategy(al.SwarmConfig(**how), {"ann": one})


def debate_of(one: Any) -> Any:
    """Make a debate of two, one of whom can do something."""
    sides = [al.DebaterPosition("ann", "yes"), al.DebaterPosition("bob", "no")]
    config = al.DebateConfig("Go?", sides, rounds=1, enable_peer_scoring=False)
    return al.DebateStrategy(config, agents={"ann": one, "bob": same, "moderator": same})


class Dispatched:
    """Gives the goal to the one agent there is."""

    strategy_name = "dispatched"

    def __init__(self, one: Any) -> None:
        self.one = one

    async def __call__(self, run: Run, goal: str, /) -> Any:
        known = al.AgentRegistry(60)
        await known.register(al.AgentAdvertisement("ann", "", [al.Capability("go")]))
        return await Dispatch(known, al.CapabilityQuery(), agents={"ann": self.one})(run, goal)


SHAPES: dict[str, Shape] = {
    "react": Shape(lambda *_: ReAct()),
    "streaming": Shape(lambda *_: al.StreamingReAct()),
    "act": Shape(lambda name, _: Direct(name)),
    "child": Shape(lambda *_: Below(ReAct())),
    "grandchild": Shape(lambda *_: Below(Below(al.StreamingReAct()))),
    "plan-execute": Shape(
        lambda *_: al.PlanExecute(al.PlanExecuteConfig(stop_on_failure=False)), plan_of
    ),
    "plan-execute, a step by react": Shape(
        lambda *_: al.PlanExecute(step_strategy=ReAct()),
        lambda name: ("1. Do it", *script(name), "ACHIEVED 0.9"),
    ),
    "planner": Shape(lambda name, _: planner(name), goes_on=False),
    "plan": Shape(lambda name, _: planner(name).plan("Go"), goes_on=False),
    "bridge": Shape(lambda name, _: planner(name).bridge()),
    "bridge to a loop": Shape(
        lambda name, tools: planner(name).bridge(
            al.ReActLoop(al.AgentConfig(3, "m")).register_tools(tools)
        )
    ),
    "bridge to a runtime": Shape(lambda name, tools: planner(name).bridge(agent(name, tools))),
    "workflow": Shape(lambda name, _: flow(call(name)), goes_on=False),
    "workflow, side by side": Shape(
        lambda name, _: flow(Step.Parallel([call(name), Step.Task("u", "?")])), goes_on=False
    ),
    "workflow, loop": Shape(lambda name, _: flow(Step.Loop(call(name), 1)), goes_on=False),
    "workflow, branch": Shape(
        lambda name, _: flow(Step.Branch("goal:G", call(name))), goes_on=False
    ),
    "workflow, nested": Shape(
        lambda name, _: flow(Step.Task("n", "Go", strategy=flow(call(name)))), goes_on=False
    ),
    "workflow, by react": Shape(lambda *_: flow(Step.Task("s", "Go", strategy=ReAct()))),
    "workflow, by a plan": Shape(
        lambda name, _: flow(Step.Task("s", "Go", strategy=planner(name))), goes_on=False
    ),
    "workflow, by a runtime": Shape(
        lambda name, tools: flow(Step.Task("s", "Go", strategy=agent(name, tools)))
    ),
    "workflow, its own tools": Shape(
        lambda name, tools: flow(call(name)).with_tools(al.NamedToolRegistry(tools)),
        goes_on=False,
    ),
    "team": Shape(lambda *_: team_of(ann=ReAct())),
    "team, a runtime": Shape(lambda name, tools: team_of(ann=agent(name, tools))),
    "team, a workflow": Shape(lambda name, _: team_of(ann=flow(call(name)))),
    "swarm": Shape(lambda *_: swarm_of(ReAct()), goes_on=False),
    "swarm, a runtime": Shape(lambda name, tools: swarm_of(agent(name, tools)), goes_on=False),
    "swarm, tried again": Shape(
        lambda *_: swarm_of(ReAct(), retry=al.RetryPolicy(2, 0)), goes_on=False
    ),
    "debate": Shape(lambda *_: debate_of(ReAct())),
    "debate, a runtime": Shape(lambda name, tools: debate_of(agent(name, tools))),
    "dispatch": Shape(lambda *_: Dispatched(ReAct())),
    "dispatch, a runtime": Shape(lambda name, tools: Dispatched(agent(name, tools))),
    "dispatch, a planner": Shape(lambda name, _: Dispatched(planner(name)), goes_on=False),
}


async def bridged_loop(tools: Sequence[al.ToolSpec], sandbox: Guard, name: str) -> str:
    """Call it by a plan whose steps a loop does that has the sandbox, in a runtime without."""
    alone = al.ReActLoop(al.AgentConfig(3, "m"), sandbox=sandbox).register_tools(tools)
    sees: list[Entry] = []
    lab = al.AgentRuntime(al.ScriptedModel(*script(name)), sinks=[sees.append])
    return await heard(lab, planner(name).bridge(alone), sees=sees)


async def bridge_alone(tools: Sequence[al.ToolSpec], sandbox: Guard, name: str) -> str:
    """Do so without a runtime."""
    alone = al.ReActLoop(al.AgentConfig(3, "m"), sandbox=sandbox).register_tools(tools)
    session = await planner(name).bridge(alone).run("Go", al.ScriptedModel(*script(name)))
    return session.children[0].steps[0].observation


def engine(*, by_registry: bool) -> Way:
    """Make a way through a workflow by name: the sandbox is the text tools' or the runtime's."""

    async def way(tools: Sequence[al.ToolSpec], sandbox: Guard, name: str) -> str:
        step = flow(call(name))
        try:
            if by_registry:
                known = al.NamedToolRegistry(tools, sandbox=sandbox)
                result = await al.WorkflowEngine().run(step, lambda _: "42", known)
            else:
                lab = al.AgentRuntime(lambda _: "42", tools=tools, sandbox=sandbox)
                result = await lab.run_workflow(step)
        except al.AgentLabError as error:
            return str(error)
        return f"did {result.answer}"

    return way


def member(make: Callable[[Any], Any]) -> Way:
    """Make a way through an agent that has the sandbox, in something that has none."""

    async def way(tools: Sequence[al.ToolSpec], sandbox: Guard, name: str) -> str:
        sees: list[Entry] = []
        model = al.ScriptedModel(*script(name))
        one = al.AgentRuntime(model, tools=tools, sandbox=sandbox)
        lab = al.AgentRuntime(al.ScriptedModel(LAST), sinks=[sees.append])
        return await heard(lab, make(one), sees=sees, goes_on=False)

    return way


async def by_a_skill(tools: Sequence[al.ToolSpec], sandbox: Guard, name: str) -> str:
    """Call it from a stage of a pipeline that is an agent."""
    sees: list[Entry] = []
    lab = al.AgentRuntime(
        al.ScriptedModel(*script(name)), tools=tools, sandbox=sandbox, sinks=[sees.append]
    )

    async def stage(text: str) -> str:
        return (await lab.run(text)).final_answer() or ""

    assert await al.SkillPipeline([al.Skill("go")]).bind("go", stage).run("Go") == "42"
    (ended,) = (e.event for e in sees if isinstance(e.event, ToolEnded))
    return ended.error or f"did {ended.data}"


class Leaf:
    """Calls its own tool by one of the shapes; or a runtime does, for ``runtime``.

    That has the tools and, where ``grants`` are given, a sandbox of its own.
    """

    strategy_name = "leaf"
    KINDS = (*SHAPES, "runtime")

    def __init__(self, kind: str, grants: frozenset[str] | None) -> None:
        self.kind, self.grants, self.name = kind, grants, ""
        self.tools: Sequence[al.ToolSpec] = ()

    def __repr__(self) -> str:
        return f"Leaf({self.kind!r}, {self.grants and sorted(self.grants)})"

    async def __call__(self, run: Run, _: str, /) -> Outcome:
        """Work as a child of ``run``, with a model that knows what to call."""
        shape = SHAPES.get(self.kind)
        model = al.ScriptedModel(*(shape.says if shape else script)(self.name))
        own = None if self.grants is None else al.Sandbox().grant_all(self.grants)
        doer: Any = (
            shape.make(self.name, self.tools)
            if shape
            else al.AgentRuntime(model, tools=self.tools, sandbox=own)
        )
        with suppress(al.AgentLabError):  # a refusal is the end of some
            await doer(run.child(self.name, model=model), "Go")  # which is what a planner knows
        return Outcome("42")


class Fork:
    """Lets several work side by side: as children, in a workflow, or as a team."""

    strategy_name = "fork"
    KINDS = ("children", "workflow", "team")

    def __init__(self, kind: str, inner: Sequence[Any]) -> None:
        self.kind, self.inner = kind, inner

    def __repr__(self) -> str:
        return f"Fork({self.kind!r}, {self.inner})"

    async def __call__(self, run: Run, goal: str, /) -> Any:
        """Give each a child."""
        if self.kind == "workflow":
            tasks = [Step.Task(f"t{i}", "Go", strategy=x) for i, x in enumerate(self.inner)]
            return await flow(Step.Parallel(tasks))(run, "Go")
        if self.kind == "team":
            return await team_of(**{f"m{i}": x for i, x in enumerate(self.inner)})(run, "Go")
        children = [run.child(f"child{i}") for i in range(len(self.inner))]
        work = [each(child, goal) for each, child in zip(self.inner, children, strict=True)]
        return Outcome(str(len(await asyncio.gather(*work))))


def leaves(tree: Leaf | Fork) -> list[Leaf]:
    """List the leaves, from left to right."""
    return (
        [tree] if isinstance(tree, Leaf) else [leaf for each in tree.inner for leaf in leaves(each)]
    )


WAYS: dict[str, Way] = {
    **{name: by(shape) for name, shape in SHAPES.items()},
    "bridge to a loop, its own sandbox": bridged_loop,
    "bridge alone": bridge_alone,
    "workflow by name, text tools' sandbox": engine(by_registry=True),
    "workflow by name, runtime's sandbox": engine(by_registry=False),
    "team, own sandbox": member(lambda one: team_of(ann=one)),
    "swarm, own sandbox": member(swarm_of),
    "debate, own sandbox": member(debate_of),
    "dispatch, own sandbox": member(Dispatched),
    "workflow, own sandbox": member(lambda one: flow(Step.Task("s", "Go", strategy=one))),
    "plan's step, own sandbox": member(lambda one: planner("x").bridge(one)),
    "skill": by_a_skill,
    "in capitals": in_capitals,
    "kept": kept,
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
