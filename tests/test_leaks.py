"""However a run ends, nothing of it is left: no task, no thread, no socket, no file, no timer."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from ipywidgets.widgets.widget import _instances as widgets

from agentlab.core.config import AgentConfig
from agentlab.core.events import Entry, RunEnded
from agentlab.core.protocols import Chunk, Request
from agentlab.core.run import Run
from agentlab.core.session import AgentSession
from agentlab.core.sync import portal
from agentlab.runtime import AgentRuntime
from agentlab.strategies.react import ReAct
from agentlab.strategies.streaming import StreamingReAct
from agentlab.tools.spec import tool
from agentlab.widgets.coalescer import Coalescer
from agentlab.widgets.run_view import RunView
from tests.doubles import until

ROUNDS = 3
WORKER = "agentlab-worker"
MOST = {WORKER: 3}  # as many as there are calls at once
LOOKING = ThreadPoolExecutor(1, thread_name_prefix="looking")


class Server:
    """Answers on a loop of its own: first with a call of a tool, then for ever."""

    def __init__(self) -> None:
        self.open, self.served, self.words = 0, 0, 0
        self._started, self._over = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),), name="server")
        self._thread.start()
        assert self._started.wait(5)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._answer, "127.0.0.1")
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            self._started.set()
            await self._over.wait()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open, self.served = self.open + 1, self.served + 1
        try:
            if await reader.readline() == b"first\n":
                writer.write(b"Thought: one\nAction: noop {}\n\n")
                await writer.drain()
                await reader.read()  # until the other side hangs up
                return
            gone = asyncio.ensure_future(reader.read())
            while not gone.done():
                self.words += 1
                writer.write(b"word\n")
                await asyncio.sleep(0.002)
        finally:
            self.open -= 1
            writer.close()

    def close(self) -> None:
        """Serve nobody any more."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()


class Remote:
    """A model at the other end of a socket, held open as long as it is listened to."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def stream(self, request: Request, /) -> AsyncIterator[Chunk]:
        """Ask, and give line by line."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(b"next\n" if "\nObservation:" in request.prompt else b"first\n")
            while (line := await reader.readline()) not in (b"\n", b""):
                yield Chunk(line.decode())
        finally:
            writer.close()
            await writer.wait_closed()


class Parent:
    """Two runs below at once, each on its own socket, and the run itself."""

    strategy_name = "parent"

    async def __call__(self, run: Run, goal: str, /) -> Any:
        """Ask all three."""
        async with asyncio.TaskGroup() as group:
            for name in ("one", "two"):
                lab = AgentRuntime(run.model, tools=[noop])
                group.create_task(lab(run.child(name), goal))
            return await group.create_task(ReAct()(run, goal))


@tool
def noop() -> str:
    """Do nothing, in a worker thread."""
    return "done"


STRATEGIES: Mapping[str, Callable[[], Any]] = {
    "ReAct": ReAct,
    "StreamingReAct": StreamingReAct,
    "StreamingReAct that waits for each token": lambda: StreamingReAct(token_timeout_ms=9000),
    "a parent and two below it": Parent,
}


@pytest.fixture
def server() -> Iterator[Server]:
    """Give a server."""
    server = Server()
    yield server
    server.close()


def timers(loop: asyncio.AbstractEventLoop) -> list[asyncio.TimerHandle]:
    """List what the loop would still do, some time."""
    scheduled: list[asyncio.TimerHandle] = vars(loop)["_scheduled"]
    return [each for each in scheduled if not each.cancelled()]


async def timers_here() -> int:
    """Count those of the loop that runs this."""
    return len(timers(asyncio.get_running_loop()))


@contextmanager
def notebook() -> Iterator[asyncio.AbstractEventLoop]:
    """Give a loop as a kernel has it: Ctrl-C is an exception in the cell that runs."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    loop = asyncio.new_event_loop()
    try:
        yield loop
    finally:
        assert asyncio.all_tasks(loop) == set()
        assert timers(loop) == []
        loop.close()
        signal.signal(signal.SIGINT, before)


async def once(true: Callable[[], bool]) -> None:
    """Wait until something holds."""
    await asyncio.get_running_loop().run_in_executor(LOOKING, until, true)


async def stopped(lab: AgentRuntime, strategy: Any, talking: Callable[[], bool]) -> AgentSession:
    """Press Stop."""
    handle = lab.start("?", strategy=strategy)
    await once(talking)
    handle.stop()
    return await handle


async def stopped_on_the_portal(
    lab: AgentRuntime, strategy: Any, talking: Callable[[], bool]
) -> AgentSession:
    """Press Stop for a run in the background."""
    handle = lab.start("?", strategy=strategy, background=True)
    await once(talking)
    handle.stop()
    return await handle


async def out_of_time(lab: AgentRuntime, strategy: Any, _: Callable[[], bool]) -> AgentSession:
    """Let it take the time that it may."""
    return await lab.run("?", strategy=strategy)


async def cancelled(lab: AgentRuntime, strategy: Any, talking: Callable[[], bool]) -> None:
    """Cancel whoever waits for it."""
    task = asyncio.create_task(lab.run("?", strategy=strategy))
    await once(talking)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def interrupted(lab: AgentRuntime, strategy: Any, talking: Callable[[], bool]) -> None:
    """Interrupt the kernel, with a blocking call in the cell."""
    main = threading.main_thread().ident
    assert main

    def interrupt() -> None:
        until(talking)
        signal.pthread_kill(main, signal.SIGINT)

    other = threading.Thread(target=interrupt)
    other.start()
    with pytest.raises(KeyboardInterrupt):
        lab.run_sync("?", strategy=strategy)
    other.join()


WAYS = (stopped, stopped_on_the_portal, out_of_time, cancelled, interrupted)


def held() -> dict[str, Any]:
    """Tell what this process holds, but for the workers, who wait for the next one."""
    kinds = [kind.partition(":")[0] for kind in links()]
    threads = [each.name for each in threading.enumerate()]
    return {
        "tasks on the portal": portal().call(tasks_here),
        "sockets": kinds.count("socket"),
        "files": sorted(kind for kind in kinds if kind != "socket"),
        "threads": sorted(set(threads) - {WORKER, "looking_0"}),
        "too many": [name for name in set(threads) if threads.count(name) > MOST.get(name, 1)],
        "widgets": len(widgets),
    }


async def tasks_here() -> int:
    """Count them, but for whoever counts."""
    return len(asyncio.all_tasks()) - 1


def links() -> list[str]:
    """Tell what each open descriptor leads to."""
    found = list[str]()
    for each in Path("/dev/fd").iterdir():
        with suppress(OSError):  # that of the folder itself
            found.append(str(each.readlink()))
    return found


@pytest.mark.parametrize("watched", [False, True], ids=["alone", "watched"])
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_nothing_is_left(server: Server, way: Any, strategy: str, *, watched: bool) -> None:
    """Before and after there are the same tasks, threads, sockets, files, timers and widgets.

    The server sees each connection closed, the run has an end, and the next call works.
    """
    portal()
    ending = RunEnded("stopped")
    if way is out_of_time:
        ending = RunEnded("timeout", error="loop timeout after 300 ms")
    before, rounds = dict[str, Any](), 0

    log: list[Entry] = []

    async def play(coalescer: Coalescer) -> None:
        views = [RunView(coalescer=coalescer)] if watched else []
        config = AgentConfig(5, "m", loop_timeout_ms=300 if way is out_of_time else None)
        lab = AgentRuntime(
            Remote(server.port), tools=[noop], sinks=[*views, log.append], config=config
        )
        words = server.words + 20
        await way(lab, STRATEGIES[strategy](), lambda: server.words > words)
        for view in views:
            while "running" in repr(view):  # noqa: ASYNC110 - a view tells nobody
                await asyncio.sleep(0.01)
            view.close()

    for rounds in range(ROUNDS + 1):
        coalescer = Coalescer(0.01)
        with notebook() as loop:
            loop.run_until_complete(play(coalescer))
        until(lambda: server.open == 0)
        until(lambda: not portal().call(timers_here))
        until(lambda: log[-1].run == log[0].run and isinstance(log[-1].event, RunEnded))
        assert log[-1].event == ending
        log.clear()
        if watched:
            assert coalescer._board is None  # noqa: SLF001 - what it holds is the point
            assert coalescer._timer is None  # noqa: SLF001
            assert [*coalescer._open, *coalescer._touched, *coalescer._wiped] == []  # noqa: SLF001
        if not rounds:
            before = held()  # what is made once, and kept, is there
    after = held()
    assert server.served >= 2 * rounds
    # workers of the test before may still wait when this one begins, and be gone when it ends
    assert set(after.pop("too many")) <= set(before.pop("too many"))
    assert after == before
