"""Rotation against a model of it: a list, the oldest first."""

from __future__ import annotations

import asyncio

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from agentlab.core.clock import FakeClock
from agentlab.store.checkpoint import CheckpointManager
from agentlab.store.checkpoint_stores import BackendCheckpointStore, InMemoryCheckpointStore
from agentlab.store.memory import InMemoryPersistenceBackend

AGENTS = st.sampled_from(["a", "a/b", "a_b"])


class Checkpoints(RuleBasedStateMachine):
    """Saves at any step in any order, by managers that come and go."""

    @initialize(limit=st.integers(1, 4), interval=st.integers(1, 3), bytewise=st.booleans())
    def begin(self, limit: int, interval: int, *, bytewise: bool) -> None:
        """Start with nothing."""
        self.kept = (
            BackendCheckpointStore(InMemoryPersistenceBackend())
            if bytewise
            else InMemoryCheckpointStore()
        )
        self.limit, self.interval, self.clock = limit, interval, FakeClock()
        self.model: dict[str, list[tuple[int, int]]] = {}
        self.another_manager()

    @rule()
    def another_manager(self) -> None:
        """Forget all that is not in the store."""
        self.manager = CheckpointManager(self.kept, self.interval, self.limit, clock=self.clock)

    @rule(agent=AGENTS, step=st.integers(0, 9), number=st.integers(), force=st.booleans())
    def save(self, agent: str, step: int, number: int, *, force: bool) -> None:
        """Save, if the step is one."""
        self.clock.advance(0.001)
        done = asyncio.run(self.manager.maybe_checkpoint(agent, step, {}, number, force))
        assert done == (force or (step > 0 and step % self.interval == 0))
        if done:
            others = [(s, n) for s, n in self.model.get(agent, []) if s != step]
            self.model[agent] = [*others, (step, number)][-self.limit :]

    @rule(agent=AGENTS)
    def latest(self, agent: str) -> None:
        """Find what was saved last."""
        found = asyncio.run(self.manager.load_latest(agent))
        wanted = self.model.get(agent, [])
        assert (found and (found.step, found.context)) == (wanted[-1] if wanted else None)

    @invariant()
    def as_in_the_model(self) -> None:
        """Have the same steps in the same order, in the index and in the store."""
        rows = asyncio.run(self.manager.refresh())
        for agent, wanted in self.model.items():
            assert [row.step for row in rows if row.agent == agent] == [s for s, _ in wanted]
            assert asyncio.run(self.manager.checkpoint_count(agent)) == len(wanted)
        assert len(asyncio.run(self.kept.list())) == sum(map(len, self.model.values()))


Checkpoints.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
TestCheckpoints = Checkpoints.TestCase
