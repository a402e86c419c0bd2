"""The bus: whoever is meant hears it, in order, and nobody waits for the slow ones."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import agentlab as al
from agentlab.core.errors import BusError
from agentlab.core.events import Said
from agentlab.core.sync import run_sync
from agentlab.teams.bus import AgentBus
from agentlab.teams.messages import (
    AgentMessage,
    AgentTarget,
    BusClosed,
    BusLagged,
    BusUnanswered,
)
from agentlab.teams.subscription import BusSubscription
from tests.teams.playing import in_loop

ALL = AgentTarget.Broadcast


def to_all(content: str, sender: str = "a") -> AgentMessage:
    """Give a message for everybody."""
    return AgentMessage(sender, ALL, content)


def contents(subscription: BusSubscription) -> list[str]:
    """Give what waits for a reader."""
    found = list[str]()
    while (message := subscription.try_recv()) is not None:
        found.append(message.content)
    return found


@in_loop
async def test_w34_1() -> None:
    """The planner asks, the executor hears it, and what the planner hears next is the answer."""
    bus = al.AgentRuntime.quick(1, "stub").bus(64)
    planner, executor = bus.subscribe("planner"), bus.subscribe("executor")
    bus.send(AgentMessage("planner", AgentTarget.Specific("executor"), "Summarise Q3 results"))
    asked = await executor.recv()
    assert asked.content == "Summarise Q3 results"
    reply = AgentMessage("executor", AgentTarget.Specific("planner"), "Task complete")
    bus.send(reply.with_reply_to(asked.id))
    heard = await planner.recv()

    assert (heard.content, heard.reply_to, heard.is_reply()) == ("Task complete", asked.id, True)


def test_w34_2() -> None:
    """What is for a role reaches all in it, and nobody else."""
    bus = AgentBus(8)
    planner = bus.subscribe("planner", "planner")
    executors = [bus.subscribe(f"e{i}", role="executor") for i in range(2)]

    assert bus.send(AgentMessage("planner", AgentTarget.Role("executor"), "go")) == 3
    assert [contents(each) for each in (planner, *executors)] == [[], ["go"], ["go"]]


def test_w34_3() -> None:
    """Of three messages two fit: the reader is told that one is lost, and has the others."""
    bus = AgentBus(2)
    reader = bus.subscribe("b")
    for i in (1, 2, 3):
        bus.send(to_all(str(i)))
    with pytest.raises(BusLagged, match=r"^Bus receiver lagged by 1 message\(s\)$") as lag:
        reader.try_recv()

    assert (lag.value.count, lag.value.kind) == (1, "transient")
    assert contents(reader) == ["2", "3"]
    assert bus.stats().lost == 1


@in_loop
async def test_w34_4() -> None:
    """When the bus is gone a reader has what was delivered, then hears that it is closed."""
    bus = AgentBus(2)
    reader = bus.subscribe("b")
    bus.send(to_all("last"))
    waiting = bus.subscribe("c")
    later = asyncio.create_task(waiting.recv())
    await asyncio.sleep(0)
    del bus
    gc.collect()

    assert (await reader.recv()).content == "last"
    with pytest.raises(BusError.Closed, match=r"^Bus channel closed$"):  # type: ignore[attr-defined]
        await reader.recv()
    with pytest.raises(BusClosed):
        await later


def test_only_what_is_meant_for_a_reader_can_be_lost() -> None:
    """A busy neighbour starves nobody."""
    bus = AgentBus(2)
    quiet, busy = bus.subscribe("quiet"), bus.subscribe("busy")
    bus.send(AgentMessage("a", AgentTarget.Specific("quiet"), "for you"))
    for i in range(50):
        bus.send(AgentMessage("a", AgentTarget.Specific("busy"), str(i)))

    assert contents(quiet) == ["for you"]
    with pytest.raises(BusLagged) as lag:
        busy.try_recv()
    assert lag.value.count == 48


def test_whoever_says_it_hears_it() -> None:
    """Unless it does not want to; and nobody hears what was said before it came."""
    bus = AgentBus(8)
    mine, deaf = bus.subscribe("a"), bus.subscribe("a", include_own=False)
    bus.send(to_all("hello"))
    late = bus.subscribe("late")

    assert [contents(each) for each in (mine, deaf, late)] == [["hello"], [], []]


def test_roles_are_of_a_subscription() -> None:
    """They are gone with the last that has them; a new one changes no old one."""
    bus = AgentBus(8)
    first = bus.subscribe("a", "reader", roles={"critic"})
    second = bus.subscribe("a", "writer")

    assert bus.registered_roles() == ["critic", "reader", "writer"]
    assert (bus.role_for("a"), bus.role_for("b"), bus.role_count()) == ("writer", None, 3)
    assert (first.role, first.roles) == ("critic", ("critic", "reader"))
    second.close()
    assert (bus.role_for("a"), bus.has_role("writer")) == ("critic", False)
    del first
    gc.collect()
    assert (bus.subscriber_count(), bus.registered_roles()) == (0, [])


def test_nobody_there() -> None:
    """Sending to nobody is an error, and is not counted as sent."""
    bus = AgentBus(1)
    with pytest.raises(al.AgentLoopError, match="no subscribers"):
        bus.send(to_all("?"))
    bus.close()
    with pytest.raises(al.AgentLoopError, match="is closed"):
        bus.send(to_all("?"))
    with pytest.raises(BusClosed):
        bus.subscribe("a")

    assert (bus.total_sent(), bus.stats().send_errors) == (0, 2)


@pytest.mark.parametrize("capacity", [0, -1, True, 1.5])
def test_what_can_never_be(capacity: int) -> None:
    """Is refused at once."""
    with pytest.raises(al.InvalidValue):
        AgentBus(capacity)
    with pytest.raises(al.InvalidValue):
        AgentMessage("a", "b", "c")  # type: ignore[arg-type]
    with pytest.raises(al.InvalidValue):
        AgentTarget.Role("")
    with pytest.raises(al.InvalidValue):
        AgentMessage("", ALL, "c")


def test_messages_go_through_json() -> None:
    """And come back equal; a target says what it is."""
    for target in (ALL, AgentTarget.Specific("b"), AgentTarget.Role("r")):
        message = AgentMessage("a", target, "c").with_reply_to("x")
        assert AgentMessage.from_dict(message.to_dict()) == message
        kinds = (message.is_broadcast(), message.is_specific(), message.is_role_targeted())
        assert sum(kinds) == 1
    assert [str(ALL), str(AgentTarget.Specific("b"))] == ["broadcast", "agent:b"]
    assert len({AgentMessage("a", ALL, "c").id for _ in range(9)}) == 9


@in_loop
async def test_it_is_an_iterator_and_a_block() -> None:
    """``async for`` ends with the bus, and leaving the block unsubscribes."""
    bus = AgentBus(8)
    async with bus.subscribe("b") as reader:
        for word in ("one", "two"):
            bus.send(to_all(word))
        asyncio.get_running_loop().call_later(0.01, bus.close)
        heard = [message.content async for message in reader]

    assert heard == ["one", "two"]
    assert bus.subscriber_count() == 0


@in_loop
async def test_request() -> None:
    """Gives the reply to this very message, however much else is said meanwhile."""
    bus = AgentBus(2)
    worker = bus.subscribe("worker")

    async def work() -> None:
        message = await worker.recv()
        for i in range(9):
            bus.send(AgentMessage("worker", AgentTarget.Specific("boss"), f"noise {i}"))
        answer = AgentMessage("worker", AgentTarget.Specific("boss"), "42")
        bus.send(answer.with_reply_to(message.id))

    task = asyncio.create_task(work())
    reply = await bus.request(AgentMessage("boss", AgentTarget.Specific("worker"), "?"), 5)
    await task

    assert reply.content == "42"
    assert bus.subscriber_count() == 1
    question = AgentMessage("boss", AgentTarget.Specific("worker"), "?")
    with pytest.raises(BusUnanswered, match="no reply to message") as late:
        await bus.request(question, 0.01)
    assert late.value.kind == "transient"
    assert bus.subscriber_count() == 1
    with pytest.raises(al.AgentLoopError):
        await AgentBus(1).request(question, 1)


@in_loop
async def test_two_readers_of_one_subscription() -> None:
    """Each message goes to one of them, also if the other one is cancelled while it waits."""
    bus = AgentBus(8)
    shared = bus.subscribe("b")
    first, second = (asyncio.create_task(shared.recv()) for _ in range(2))
    await asyncio.sleep(0)
    bus.send(to_all("x"))
    first.cancel()
    await asyncio.wait([first])

    assert (await asyncio.wait_for(second, 1)).content == "x"


@in_loop
async def test_from_threads_and_between_loops() -> None:
    """Senders may be on any thread, readers on any loop; a sender's messages stay in order."""
    bus = AgentBus(1000)
    here = bus.subscribe("here")
    there = bus.subscribe("there")

    def talk(name: str) -> None:
        for i in range(100):
            bus.send(to_all(str(i), name))

    async def listen(reader: BusSubscription) -> list[AgentMessage]:
        return [await reader.recv() for _ in range(300)]

    threads = [threading.Thread(target=talk, args=(f"t{n}",)) for n in range(3)]
    elsewhere = asyncio.to_thread(run_sync, listen, there)
    waiting = asyncio.gather(listen(here), elsewhere)
    await asyncio.sleep(0.01)
    for thread in threads:
        thread.start()
    one, other = await waiting
    for thread in threads:
        thread.join()

    assert [m.id for m in one] == [m.id for m in other]
    for name in ("t0", "t1", "t2"):
        assert [m.content for m in one if m.from_ == name] == [str(i) for i in range(100)]


def test_in_a_script() -> None:
    """A reader can block, too."""
    bus = AgentBus(4)
    reader = bus.subscribe("b")
    timer = threading.Timer(0.02, bus.send, [to_all("late")])
    timer.start()

    assert reader.recv_sync().content == "late"
    timer.join()


@in_loop
async def test_on_the_trace() -> None:
    """Within a run all that is said is told on its trace, from other threads as well."""
    bus = AgentBus(8)
    reader = bus.subscribe("b")

    class Talks:
        strategy_name = "talks"

        async def __call__(self, run: al.Run, goal: str, /) -> al.AgentSession:
            with bus.on_trace(run):
                bus.send(to_all(goal))
                await asyncio.to_thread(bus.send, to_all("from a thread"))
                await asyncio.sleep(0)
            bus.send(to_all("after"))
            return await al.AgentRuntime(al.ScriptedModel(*["Action: FINAL_ANSWER x"]))(run, "?")

    session = await al.AgentRuntime(al.ScriptedModel()).run("hello", strategy=Talks())
    assert session.trace is not None
    said = [e.event for e in session.trace.entries if isinstance(e.event, Said)]

    assert contents(reader) == ["hello", "from a thread", "after"]
    assert said == [Said("a", "broadcast", "hello"), Said("a", "broadcast", "from a thread")]


@given(
    st.integers(1, 5),
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from("xyz"), st.integers(0, 4)), max_size=40),
)
def test_what_each_reader_has_and_has_lost(capacity: int, talk: list[tuple[int, str, int]]) -> None:
    """Read or lost, each message that is meant for a reader is accounted for, once, in order."""
    bus = AgentBus(capacity)
    readers = [bus.subscribe(f"a{i}", roles=["xyz"[i % 3]]) for i in range(4)]
    meant, got, lost = Counter[int](), Counter[int](), Counter[int]()
    for number, (kind, role, to) in enumerate(talk):
        target: Any = [ALL, AgentTarget.Role(role), AgentTarget.Specific(f"a{to}"), ALL][kind]
        bus.send(AgentMessage("s", target, str(number)))
        for i, reader in enumerate(readers):
            meant[i] += target.reaches(f"a{i}", reader.roles)
    for i, reader in enumerate(readers):
        try:
            order = contents(reader)
        except BusLagged as lag:
            lost[i] = lag.count
            order = contents(reader)
        got[i] = len(order)
        assert order == sorted(order, key=int)

    assert all(meant[i] == got[i] + lost[i] for i in range(4))
    assert all(got[i] == min(capacity, meant[i]) for i in range(4))
