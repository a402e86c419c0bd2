"""Who lets a tool call through once its reviewers agreed: a sandbox, asked once a call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, NamedTuple

from agentlab.core.guards import Outcome, settle
from agentlab.core.protocols import Guard, Observation, Permit, Tools
from agentlab.core.sync import settled


class Pass(NamedTuple):
    """What was let through, where, and by whom: good for one call, and for no other."""

    gate: Guard
    tools: Tools
    name: str


PASS: ContextVar[Pass | None] = ContextVar("agentlab-pass", default=None)


async def through(gate: Guard, tools: Tools, name: str, args: Any) -> Observation:
    """Call a tool if ``gate`` lets it; whatever the gate raises, no handler is reached.

    Raises
    ------
    SandboxDenied
        The tool needs what was not granted.
    ToolNotFound
        There is none of that name.
    """
    permit = await let_in(gate, name, needs_of(tools, name))
    how: Outcome = "cancel"
    try:
        with passing(Pass(gate, tools, name)):
            seen = await tools.observe(name, args)
        how = outcome_of(seen)
    finally:
        await settle(permit, how, name)
    return seen


async def let_in(gate: Guard, name: str, needs: Sequence[str] | None) -> Permit:
    """Ask ``gate``; of a tool that nobody declared, it is told the name alone."""
    entering = gate.enter(name) if needs is None else gate.enter(name, needs)
    permit: Permit = await settled(entering)
    return permit


def needs_of(tools: Tools, name: str) -> Sequence[str] | None:
    """Give what a tool declares to need, or None where nothing declares it."""
    asked = getattr(tools, "needs", None)
    if asked is not None:
        declared: Sequence[str] | None = asked(name)
        return declared
    found = next((each for each in tools.specs() if each.name == name), None)
    return None if found is None else sorted(getattr(found, "permissions", ()))


def outcome_of(seen: Observation) -> Outcome:
    """Say what came of a call, as a permit is told."""
    if seen.ok:
        return "success"
    return "cancel" if seen.error_kind in ("not_found", "blocked") else "failure"


@contextmanager
def passing(granted: Pass | None) -> Iterator[None]:
    """Carry a pass to whoever may honour it; None takes it away from what is called in here."""
    before = PASS.set(granted)
    try:
        yield
    finally:
        with suppress(ValueError):  # thrown away, and in another context
            PASS.reset(before)


def passed(gate: Guard, tools: Tools, name: str) -> bool:
    """Tell whether this very call was let through already, by ``gate`` or by one it is part of."""
    now = PASS.get()
    return (
        now is not None
        and now.tools is tools
        and now.name == name
        and any(each is gate for each in gates_in(now.gate))
    )


def every(one: Guard | None, other: Guard | None) -> Guard | None:
    """Give what lets a call through only if each gate there is does; none is asked twice."""
    gates: list[Guard] = []
    for each in (*gates_in(one), *gates_in(other)):
        if not any(each is known for known in gates):
            gates.append(each)
    return Gates(gates) if len(gates) > 1 else gates[0] if gates else None


def gates_in(gate: Guard | None) -> Sequence[Guard]:
    """Give the gates that one is made of."""
    return gate.gates if isinstance(gate, Gates) else () if gate is None else (gate,)


class Gates:
    """Several gates in a row.

    Parameters
    ----------
    gates : sequence of Guard
        Asked in order; the first that refuses ends it, and those before are told it is over.
    """

    def __init__(self, gates: Sequence[Guard]) -> None:
        self.gates = tuple(gates)

    def __repr__(self) -> str:
        return f"<Gates {', '.join(map(repr, self.gates))}>"

    async def enter(self, subject: str = "", needs: Sequence[str] | None = None) -> Permits:
        """Ask each."""
        permits = Permits(subject)
        try:
            for gate in self.gates:
                permits.held.append(await let_in(gate, subject, needs))
        except BaseException:
            await permits.cancel()
            raise
        return permits


class Permits:
    """Leave of several gates."""

    def __init__(self, subject: str) -> None:
        self.held: list[Permit] = []
        self._subject = subject

    def __repr__(self) -> str:
        return f"<Permits {len(self.held)} for {self._subject!r}>"

    async def success(self) -> None:
        """Tell each that it went well."""
        await self._tell("success")

    async def failure(self) -> None:
        """Tell each that it did not."""
        await self._tell("failure")

    async def cancel(self) -> None:
        """Tell each that it is over."""
        await self._tell("cancel")

    async def _tell(self, how: Outcome) -> None:
        for permit in self.held:
            await settle(permit, how, self._subject)
