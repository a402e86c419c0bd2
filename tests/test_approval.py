"""Reviewers in a run: code that edits and refuses, and people, for whom calls wait."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import pytest

import agentlab as al
from agentlab.core import events
from agentlab.core.approval import PendingCall
from agentlab.core.clock import FakeClock
from agentlab.core.protocols import Observation
from agentlab.core.run import Run
from agentlab.handle import RunHandle
from agentlab.observe.metrics import RuntimeMetrics
from agentlab.strategies.react import Outcome
from agentlab.widgets.journey import Journey
from tests.doubles import until

CALL = 'Thought: write\nAction: send {"to": "Ada", "text": "hello"}'
YES: Any = True
LAST = "Thought: done\nAction: FINAL_ANSWER 42"
ADA, EVE = {"to": "Ada", "text": "hello"}, {"to": "Eve", "text": "hello"}


class Post:
    """A runtime with a tool, and what that was called with."""

    def __init__(self, *replies: str, **options: Any) -> None:
        self.sent: list[dict[str, Any]] = []

        @al.tool(inline=True)
        def send(to: str, text: str) -> str:
            """Send a letter."""
            self.sent.append({"to": to, "text": text})
            return f"sent to {to}"

        self.heard: list[str] = []
        script = al.ScriptedModel(*(replies or (CALL, LAST)))

        async def model(context: str) -> AsyncIterator[str]:
            self.heard.append(context)
            async for chunk in script.stream(al.Request(context)):
                yield chunk.text

        self.lab = al.AgentRuntime(model, tools=[send], **options)


async def asked(handle: RunHandle, count: int = 1) -> list[PendingCall]:
    """Wait until so many calls wait."""
    async with asyncio.timeout(30):
        while len(handle.pending()) < count:  # noqa: ASYNC110 - as a user would
            await asyncio.sleep(0.001)
    return handle.pending()


def told(session: al.AgentSession, kind: type[events.Event]) -> list[Any]:
    """Give the events of a kind."""
    assert session.trace
    return [each.event for each in session.trace.entries if type(each.event) is kind]


def answered(decision: Any, *replies: str, **options: Any) -> tuple[Post, al.AgentSession]:
    """Run, and answer each call the same."""
    post = Post(*replies, **options)

    async def main() -> al.AgentSession:
        handle = post.lab.start("?", approve=True)
        while not handle.done():
            for call in handle.pending():
                handle.answer(call.call_id, decision)
            await asyncio.sleep(0.001)
        return await handle

    return post, asyncio.run(main())


HOOKS: dict[str, Callable[[Any], tuple[Post, al.AgentSession]]] = {
    "person": answered,
    "hook": lambda word: (
        (post := Post(action_hook=lambda *_: word)),
        post.lab.run_sync("?"),
    ),
}


@pytest.fixture(params=HOOKS)
def reviewed(request: pytest.FixtureRequest) -> Callable[[Any], tuple[Post, al.AgentSession]]:
    """Give a way to run with a reviewer who always says the same: a hook, or a person."""
    return HOOKS[request.param]


@pytest.mark.parametrize("yes", [True, al.Approve()])
def test_approved(reviewed: Any, yes: Any) -> None:
    """The call is made as it is, and nobody is told otherwise."""
    post, session = reviewed(yes)

    assert post.sent == [ADA]
    assert session.steps[0].observation == '{"data":"sent to Ada","ok":true}'
    (started,) = told(session, events.ToolStarted)
    assert (started.args, started.allowed, started.edited, started.wanted) == (
        ADA,
        True,
        False,
        None,
    )


@pytest.mark.parametrize(
    ("no", "error"),
    [
        (False, "action blocked by reviewer"),
        (al.Refuse(), "action blocked by reviewer"),
        (al.Refuse("too many letters"), "action blocked by reviewer: too many letters"),
    ],
)
def test_refused(reviewed: Any, no: Any, error: str) -> None:
    """The call is not made, and the model reads why, so that it can do something else."""
    post, session = reviewed(no)

    assert post.sent == []
    assert session.steps[0].observation == f'{{"error":"{error}","kind":"blocked","ok":false}}'
    assert session.steps[0].error_kind == "blocked"
    assert session.steps[0].observation in post.heard[1]
    (started,) = told(session, events.ToolStarted)
    assert (started.args, started.allowed) == (ADA, False)
    assert session.failed_tool_call_count() == 1
    assert session.final_answer() == "42"


def test_edited(reviewed: Any) -> None:
    """The call is made with other arguments; trace, step, model and card say what was done."""
    post, session = reviewed(al.Edit(EVE))

    assert post.sent == [EVE]
    assert session.steps[0].args == EVE
    assert session.steps[0].error_kind is None
    assert "the reviewer changed the arguments to" in session.steps[0].observation
    assert session.steps[0].observation in post.heard[1]
    (started,) = told(session, events.ToolStarted)
    assert started == events.ToolStarted(2, "send", EVE, edited=True, wanted=ADA)
    assert session.trace
    explorer = Journey(session.trace.entries)
    explorer.select(next(i for i, e in enumerate(explorer.timeline.spans) if e.kind == "tool"))
    cells = explorer.cells()
    assert "edited by whoever reviews actions" in str(cells["detail"])
    assert [each["name"] for each in cells["texts"]][:2] == ["asked for", "arguments"]
    assert '(to="Eve", text="hello") (edited)' in session.to_html().replace("&quot;", '"')


def test_a_hook_that_says_something_else() -> None:
    """Is told what it may say, and that is a refusal, as is a hook that raises."""
    post = Post(action_hook=lambda *_: None)
    session = post.lab.run_sync("?")

    assert post.sent == []
    assert session.steps[0].error_kind == "permanent"
    assert "a reviewer says True, False, Approve(), Edit(args)" in session.steps[0].observation


def test_a_hook_that_changes_what_it_was_shown() -> None:
    """Changes a copy, at once or while somebody thinks: only ``Edit`` changes a call."""
    kept: list[Any] = []

    def hook(_: str, args: Any) -> bool:
        kept.append(args)
        args["to"] = "Eve"
        return True

    post = Post(action_hook=hook)

    async def main() -> None:
        handle = post.lab.start("?", approve=True)
        (call,) = await asked(handle)
        assert call.args == ADA
        kept[0]["to"] = call.args["to"] = "Mallory"
        handle.answer(call.call_id, True)  # noqa: FBT003
        await handle

    asyncio.run(main())
    assert post.sent == [ADA]


def test_a_person_sees_what_the_hook_made_of_it() -> None:
    """And is not asked for what the hook refuses; a person's edit is what is done."""
    words: list[Any] = [al.Edit(EVE), al.Refuse("no")]
    post = Post(CALL, CALL, LAST, action_hook=lambda *_: words.pop(0))

    async def main() -> al.AgentSession:
        handle = post.lab.start("?", approve=True)
        (call,) = await asked(handle)
        assert call.args == EVE
        handle.answer(call.call_id, YES)
        return await handle

    session = asyncio.run(main())
    assert post.sent == [EVE]
    assert len(told(session, events.AwaitingApproval)) == 1
    assert told(session, events.ToolStarted)[0].wanted == ADA


def test_what_waits_and_what_is_told() -> None:
    """A question has an id, who asks, what, and since when; the trace tells question and answer."""
    clock = FakeClock()
    post = Post(clock=clock)

    async def main() -> al.AgentSession:
        handle = post.lab.start("?", agent="writer", approve=True)
        (call,) = await asked(handle)
        root = handle.session.session_id
        assert call == PendingCall(f"{root}:2", "writer", "send", ADA, clock.now())
        call.args["to"] = "Mallory"  # which changes nothing
        with pytest.raises(AttributeError):
            call.tool = "other"  # type: ignore[misc]
        handle.answer(call.call_id, al.Refuse("later"))
        assert handle.pending() == []
        with pytest.raises(al.InvalidValue, match="was answered before: it is refused"):
            handle.answer(call.call_id, YES)
        session = await handle
        with pytest.raises(al.InvalidValue, match=r"no call 'x:1' waits .* has nothing"):
            handle.answer("x:1", YES)
        return session

    session = asyncio.run(main())
    assert told(session, events.AwaitingApproval) == [events.AwaitingApproval(2, "send", ADA)]
    assert told(session, events.Reviewed) == [events.Reviewed(2, "refused", "later")]
    assert session.trace
    kinds = [type(each.event).__name__ for each in session.trace.entries]
    place = kinds.index("AwaitingApproval")
    assert kinds[place : place + 4] == ["AwaitingApproval", "Reviewed", "ToolStarted", "ToolEnded"]


def test_a_decision_that_is_none() -> None:
    """Leaves the question open."""
    post = Post()

    async def main() -> None:
        handle = post.lab.start("?", approve=True)
        (call,) = await asked(handle)
        for odd in ("yes", None, al.Edit(float("nan"))):
            with pytest.raises(al.InvalidValue):
                handle.answer(call.call_id, odd)  # type: ignore[arg-type]
        assert handle.pending() == [call]
        handle.answer(call.call_id, al.Edit(EVE))
        await handle

    asyncio.run(main())
    assert post.sent == [EVE]


def later(*, yes: bool) -> Callable[[str, Any], Any]:
    """Make an async function that picks calls; it changes what it is shown of them."""

    async def picks(_: str, args: Any) -> bool:
        await asyncio.sleep(0)
        args.clear()
        return yes

    return picks


@pytest.mark.parametrize(
    ("approve", "asks"),
    [
        (True, True), (["send"], True), ({"send"}, True), (("other",), False), ([], False),
        (None, False), (False, False),
        (lambda tool, args: (tool, args) == ("send", ADA), True), (lambda *_: 0, False),
        (later(yes=True), True), (later(yes=False), False),
    ],
)  # fmt: skip
def test_who_is_asked_about(approve: Any, asks: bool) -> None:  # noqa: FBT001
    """All calls, those of some tools, or those that a function picks."""
    post = Post()
    post.lab.tools.register(al.ToolSpec("other", "", lambda _: 1))
    if asks:
        with pytest.raises(al.NotConfigured, match="missing 'approver'"):
            post.lab.run_sync("?", approve=approve)
    else:
        assert post.lab.run_sync("?", approve=approve).final_answer() == "42"
    assert len(post.sent) == (not asks)


def test_names_that_nobody_has() -> None:
    """A slip of the pen would let everything pass, so it is refused, before anything runs."""
    post = Post()
    for begin in (post.lab.start, post.lab.run_sync):
        with pytest.raises(al.InvalidValue, match=r"'sent', and there is no such tool \(did you"):
            begin("?", approve=["sent"])
    for odd in ("send", 3, 0, b"send", "", [["send"]], {1}, np.array([1, 2]), object()):
        with pytest.raises(al.InvalidValue, match="approve is True, the names"):
            post.lab.run_sync("?", approve=odd)  # type: ignore[arg-type]
    assert post.heard == []


def test_a_predicate_that_raises() -> None:
    """Lets nothing pass."""
    post = Post()

    def odd(tool: str, args: Any) -> bool:
        raise KeyError(tool, args)

    session = asyncio.run(post.lab.run("?", approve=odd))
    assert post.sent == []
    assert session.steps[0].error_kind == "permanent"


def test_nobody_is_there() -> None:
    """The first call that is to be approved ends the run, which says what to do; none is made."""
    post = Post()
    with pytest.raises(al.NotConfigured) as caught:
        post.lab.run_sync("?", approve=True)

    assert str(caught.value).startswith("Runtime not configured: missing 'approver' (")
    for cure in ("lab.start(", "answer(call_id", "action_hook="):
        assert cure in str(caught.value)
    assert caught.value.session
    assert caught.value.session.stop_reason == "error"
    assert post.sent == []
    assert post.lab.run_sync("?").final_answer() == "42"  # without a call to approve it is fine


class Family:
    """Lets children act side by side: one by itself, one that is a runtime."""

    strategy_name = "family"

    def __init__(self, helper: al.AgentRuntime) -> None:
        self.helper = helper
        self.seen: list[Observation] = []

    async def __call__(self, run: Run, goal: str, /) -> Outcome:
        one, other = run.child("one"), run.child("helper")
        acts = [one.act("send", ADA), one.act("send", EVE)]
        work = asyncio.gather(*acts)
        session = await self.helper(other, goal)
        self.seen = await work
        return Outcome(session.answer)


def test_runs_below_and_side_by_side() -> None:
    """Children and runtimes within are asked for too, wait side by side, and are told apart."""
    post, helper = Post(), Post()
    family = Family(helper.lab)

    async def main() -> al.AgentSession:
        handle = post.lab.start("?", strategy=family, approve={"send"})
        calls = await asked(handle, 3)
        root = handle.session.session_id
        assert {call.call_id for call in calls} == {
            f"{root}/one#1:1", f"{root}/one#1:2", f"{root}/helper#1/helper#1:2"
        }  # fmt: skip
        assert sorted(call.agent for call in calls) == ["helper", "one", "one"]
        for call in reversed(calls):  # in any order
            handle.answer(call.call_id, call.args == ADA)
        return await handle

    session = asyncio.run(main())
    assert session.answer == "42"
    assert [seen.error_kind for seen in family.seen] == [None, "blocked"]
    assert (post.sent, helper.sent) == ([ADA], [ADA])


@pytest.mark.parametrize("end", ["stop", "cancel", "deadline"])
def test_it_ends_while_it_waits(end: str) -> None:
    """Cleanly: the question is withdrawn, nothing is called, and no task is left."""
    config = al.AgentConfig(5, "m", loop_timeout_ms=30) if end == "deadline" else None
    post = Post(config=config) if config else Post()
    metrics = RuntimeMetrics()

    async def main() -> tuple[al.AgentSession, str]:
        handle = post.lab.start("?", approve=True)
        handle.trace.attach(metrics)
        (call,) = await asked(handle)
        if end == "cancel":
            waiter = asyncio.ensure_future(handle)
            await asyncio.sleep(0)
            waiter.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiter
        elif end == "stop":
            handle.stop()
        await handle.over()
        assert handle.pending() == []
        with pytest.raises(al.InvalidValue, match="waits no more"):
            handle.answer(call.call_id, YES)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return handle.session, call.call_id

    session, _ = asyncio.run(main())
    assert session.stop_reason == ("timeout" if end == "deadline" else "stopped")
    assert told(session, events.Reviewed) == [events.Reviewed(2, "withdrawn")]
    assert told(session, events.ToolStarted) == []
    assert metrics.snapshot().total_tool_calls == 0
    assert post.sent == []


def test_only_the_deadline_runs_meanwhile() -> None:
    """The time of a step, of a tool, and of its statistics stands still while a person thinks."""
    post = Post(config=al.AgentConfig(5, "m", step_timeout_ms=40))

    @al.tool(timeout_s=0.04)
    async def send(to: str, text: str) -> str:
        """Send a letter."""
        post.sent.append({"to": to, "text": text})
        return "sent"

    post.lab.tools.register(send)

    async def main() -> al.AgentSession:
        handle = post.lab.start("?", approve=True)
        (call,) = await asked(handle)
        await asyncio.sleep(0.15)
        handle.answer(call.call_id, YES)
        return await handle

    session = asyncio.run(main())
    assert session.final_answer() == "42"
    assert told(session, events.ToolEnded)[0].ms < 100


def test_from_another_thread_and_another_loop() -> None:
    """A run on the portal is answered from threads, each of which may be the one that does."""
    post = Post(*[CALL.replace("hello", f"{i}") for i in range(30)], LAST, max_iterations=40)
    handle = post.lab.start("?", approve=True, background=True)
    wins, losses = list[str](), list[str]()

    def answer() -> None:
        while not handle.done():
            for call in handle.pending():
                try:
                    handle.answer(call.call_id, YES)
                    wins.append(call.call_id)
                except al.InvalidValue:
                    losses.append(call.call_id)

    threads = [threading.Thread(target=answer) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert handle.result(30).final_answer() == "42"
    for thread in threads:
        thread.join()
    assert len(wins) == len(set(wins)) == len(post.sent) == 30


def test_an_answer_while_it_is_stopped() -> None:
    """Is either taken or refused, and never an error of another kind."""
    for _ in range(30):
        handle = Post().lab.start("?", approve=True, background=True)
        until(lambda handle=handle: bool(handle.pending()))  # type: ignore[misc]
        (call,) = handle.pending()
        stopper = threading.Thread(target=handle.stop)
        stopper.start()
        try:
            handle.answer(call.call_id, YES)
        except al.InvalidValue as error:
            assert "waits no more" in str(error)  # noqa: PT017
        stopper.join()
        assert handle.result(5).stop_reason in {"stopped", "final_answer"}
        assert handle.pending() == []


def test_a_handle_without_questions() -> None:
    """Has none, and says so."""

    async def main() -> None:
        handle = Post().lab.start("?")
        assert handle.pending() == []
        with pytest.raises(al.InvalidValue, match="has nothing"):
            handle.answer("1", YES)
        await handle

    asyncio.run(main())
