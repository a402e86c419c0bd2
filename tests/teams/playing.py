"""What tests of many agents need: a loop of their own, and agents that can be timed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec

P = ParamSpec("P")


def in_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test in a loop, and see that it leaves no task behind."""

    @wraps(test)
    def play(*args: P.args, **kwargs: P.kwargs) -> None:
        async def alone() -> None:
            await test(*args, **kwargs)
            await asyncio.sleep(0)
            assert asyncio.all_tasks() == {asyncio.current_task()}

        asyncio.run(alone())

    return play


class Timed:
    """Answers each agent after so many turns of the loop; knows who was asked what, and when."""

    def __init__(self, turns: Callable[[str, str], int] = lambda _agent, _prompt: 1) -> None:
        self.turns = turns
        self.asked: list[tuple[str, str]] = []
        self.open = self.most = 0

    async def __call__(self, agent: str, prompt: str) -> str:
        self.asked.append((agent, prompt))
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            for _ in range(self.turns(agent, prompt)):
                await asyncio.sleep(0)
        finally:
            self.open -= 1
        return f"{agent} did {prompt.splitlines()[0]}"

    def prompts(self, agent: str) -> list[str]:
        """Give what an agent was asked."""
        return [prompt for who, prompt in self.asked if who == agent]
