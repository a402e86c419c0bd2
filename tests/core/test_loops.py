"""What belongs to one running loop."""

from __future__ import annotations

import asyncio
import threading

from agentlab.core.loops import PerLoop


class Thing:
    """Knows the loop it was made on, and whether it was ended there."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.ended = False

    async def end(self) -> None:
        assert asyncio.get_running_loop() is self.loop
        self.ended = True


def made() -> PerLoop[Thing]:
    """Make one."""
    return PerLoop(Thing, Thing.end)


def test_one_for_each_loop_ended_with_it() -> None:
    """The same to all who ask on a loop, another on the next; closed ones are forgotten."""
    things = made()

    async def scene() -> Thing:
        first, *others = await asyncio.gather(*(things.get() for _ in range(5)))
        assert all(each is first for each in others)
        assert not first.ended
        return first

    one, two = asyncio.run(scene()), asyncio.run(scene())
    assert one is not two
    assert one.ended
    assert two.ended
    assert len(things._held) == 1  # noqa: SLF001 - what would leak


def test_closing_ends_those_of_other_loops() -> None:
    """Each on its own, while that still runs; who asks again gets another."""
    things, other = made(), asyncio.new_event_loop()
    thread = threading.Thread(target=other.run_forever)
    thread.start()

    async def scene() -> None:
        there = await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(things.get(), other))
        here = await things.get()
        await things.aclose()
        assert here.ended
        assert there.ended
        assert await things.get() is not here

    asyncio.run(scene())
    other.call_soon_threadsafe(other.stop)
    thread.join()
    other.close()
    asyncio.run(things.aclose())


def test_throwing_it_away_ends_them() -> None:
    """Nobody has to close what nobody holds any more."""

    async def scene() -> None:
        things = made()
        thing = await things.get()
        del things
        await asyncio.sleep(0.01)
        assert thing.ended

    asyncio.run(scene())
