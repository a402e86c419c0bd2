"""How a subtask is tried again: by the same agent, and then by the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentlab.core.protocols import Model, Patience
from agentlab.core.run import Run
from agentlab.resilience.attempts import attempted
from agentlab.teams.crew import Crew, Worker


@dataclass(frozen=True, slots=True)
class Attempted:
    """What came of trying, by whom in the end, and how often it was tried."""

    answer: str
    agent: str
    attempts: int


class Attempts:
    """Tries again where that may help, and then lets the next agent try; each a run of its own."""

    strategy_name = "attempts"

    def __init__(
        self, agents: Sequence[str], workers: Mapping[str, Worker], model: Model | None,
        retry: Patience | None, timeout_s: float | None,
    ) -> None:  # fmt: skip
        self._agents, self._retry = agents, retry
        self._how = (workers, model, timeout_s)

    async def __call__(self, run: Run, goal: str, /) -> Attempted:
        """Try."""
        count = 0
        crew = Crew(run, *self._how)

        async def attempt(agent: str) -> str:
            nonlocal count
            count += 1
            return await crew.answer(crew.turn(agent), goal)

        for agent in self._agents:
            try:
                said = await self._patiently(lambda agent=agent: attempt(agent))
                return Attempted(said, agent, count)
            except Exception as error:
                if agent == self._agents[-1]:
                    vars(error)["attempts"] = count
                    raise
        raise AssertionError  # there is at least one agent

    async def _patiently(self, attempt: Any) -> str:
        if self._retry is None:
            first: str = await attempt()
            return first

        async def once() -> str:
            said: str = await attempt()
            return said

        last: str = await attempted(self._retry, once, None)
        return last
