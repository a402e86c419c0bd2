"""Where a shared circuit is: in a store, which has an atomic step, or in a backend, which has not.

Times are whole milliseconds of Unix time.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal, Protocol

import msgspec

from agentlab.core.clock import Clock
from agentlab.core.protocols import Store
from agentlab.resilience.circuit import Circuit, Rule
from agentlab.resilience.circuit_backends import AsyncCircuitBreakerBackend, Trouble

Count = Annotated[int, msgspec.Meta(ge=0)]
MS = 1000


class Kept(msgspec.Struct, frozen=True):
    """What is in the store of one circuit; times in milliseconds of Unix time."""

    failures: Count = 0
    opened_at_ms: int | None = None
    probing_since_ms: int | None = None
    generation: Count = 0
    version: Literal[1] = 1


class Unchanged(Exception):
    """There is nothing to write."""


class Keeper(Protocol):
    """Holds one circuit somewhere."""

    async def peek(self) -> Circuit:
        """Read it."""

    async def change(self, rule: Rule, /) -> tuple[Circuit, float]:
        """Change it by ``rule``; give it as it is now, and the time there."""


class InStore:
    """A circuit under one key of a store. What cannot be read there counts as nothing."""

    def __init__(self, store: Store, key: str, rules: Circuit, trouble: Trouble) -> None:
        self._store, self._key, self._rules, self._trouble = store, key, rules, trouble

    def __repr__(self) -> str:
        return f"<InStore {self._key!r}>"

    async def peek(self) -> Circuit:
        """Read it."""
        return self._read(await self._store.load(self._key))

    async def change(self, rule: Rule, /) -> tuple[Circuit, float]:
        """Change it in one step of the store, which may try more than once."""
        told: tuple[Circuit, float] = self._rules, 0
        same = False

        def step(old: bytes | None, now: datetime) -> bytes | None:
            nonlocal told, same
            before, at = self._read(old), round(now.timestamp() * MS)
            after = rule(before, at)
            told, same = (after, at), after == before
            if same:
                raise Unchanged  # so that nothing is written: to look, or to refuse, is cheap
            return written(after)

        try:
            await self._store.update(self._key, step)
        except Exception:
            if not same:
                raise
        return told

    def _read(self, data: bytes | None) -> Circuit:
        if data is None:
            return self._rules
        try:
            kept = msgspec.json.decode(data, type=Kept)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._trouble.damaged(error)
            return self._rules
        return replace(
            self._rules,
            failures=kept.failures,
            opened_at=kept.opened_at_ms,
            probing_since=kept.probing_since_ms,
            generation=kept.generation,
        )


def written(circuit: Circuit) -> bytes:
    """Give a circuit as a store holds it."""
    opened, probing = (
        None if at is None else round(at) for at in (circuit.opened_at, circuit.probing_since)
    )
    return msgspec.json.encode(Kept(circuit.failures, opened, probing, circuit.generation))


class InBackend:
    """A circuit whose failures and open time are in a backend; probe and generation are here."""

    def __init__(
        self, backend: AsyncCircuitBreakerBackend, service: str, rules: Circuit, clock: Clock
    ) -> None:
        self._backend, self._service, self._known, self._clock = backend, service, rules, clock
        self._lock = threading.RLock()  # several loops may be at it; not held across an await

    def __repr__(self) -> str:
        return f"<InBackend {self._backend!r}>"

    async def peek(self) -> Circuit:
        """Read it."""
        failures = await self._backend.get_failures(self._service)
        opened_at = await self._backend.get_open_at(self._service)
        with self._lock:
            at = None if opened_at is None else round(opened_at * MS)
            self._known = self._known.seen(failures, at)
            return self._known

    async def change(self, rule: Rule, /) -> tuple[Circuit, float]:
        """Change it, and tell the backend what changed."""
        await self.peek()
        with self._lock:
            before, now = self._known, round(self._clock.now().timestamp() * MS)
            self._known = after = rule(before, now)
        backend, service = self._backend, self._service
        if after.failures > before.failures:
            count = await backend.increment_failures(service)
            if after.opened_at is not None or count >= after.threshold:
                await backend.set_open_at(service, now / MS)
            return after, now
        if before.failures > after.failures:
            await backend.reset_failures(service)
        if before.opened_at is not None and after.opened_at is None:
            await backend.clear_open_at(service)
        return after, now
