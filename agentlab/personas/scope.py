"""Who an agent is to be from here to there. Each task sees its own scopes, and no other's.

What is active is a tuple in a context variable: a task takes what there was when it was made, so
that a run keeps its persona when the scope it was started in has ended.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from agentlab.core.errors import AgentLabError
from agentlab.personas.persona import Persona

if TYPE_CHECKING:
    from typing import Self

ACTIVE: ContextVar[tuple[PersonaScope, ...]] = ContextVar("agentlab-personas", default=())


class PersonaScopeError(AgentLabError, RuntimeError):
    """A scope was entered twice, or left before one that is within it, or elsewhere."""


class PersonaScope:
    """Lets the runs of one runtime that begin within it have a persona.

    ``runtime.with_persona(name)`` makes one. Scopes nest; the innermost counts.

    Parameters
    ----------
    owner : object
        Whose runs they are.
    persona : Persona
        Who they are to be.
    """

    def __init__(self, owner: object, persona: Persona) -> None:
        self.owner, self._persona = owner, persona

    def __repr__(self) -> str:
        state = "active" if self in ACTIVE.get() else "not entered: with runtime.with_persona(…):"
        return f"<PersonaScope {self._persona.name!r}, {state}>"

    def __enter__(self) -> Self:
        """Begin.

        Raises
        ------
        PersonaScopeError
            It has begun already.
        """
        before = ACTIVE.get()
        if self in before:
            name = self._persona.name
            raise PersonaScopeError(f"the scope of persona {name!r} has begun already")
        ACTIVE.set((*before, self))
        return self

    def __exit__(self, *_: object) -> None:
        """End; who was active before is active again.

        Raises
        ------
        PersonaScopeError
            A scope within it has not ended yet, or it did not begin in this task. Nothing is
            changed.
        """
        scopes, name = ACTIVE.get(), self._persona.name
        if self not in scopes:
            raise PersonaScopeError(f"the scope of persona {name!r} did not begin in this task")
        inner = next(each for each in reversed(scopes) if each.owner is self.owner)
        if inner is not self:
            raise PersonaScopeError(
                f"the scope of persona {name!r} ends before that of"
                f" {inner.persona().name!r}, which is within it"
            )
        ACTIVE.set(tuple(each for each in scopes if each is not self))

    def persona(self) -> Persona:
        """Give the persona."""
        return self._persona


def active_persona(owner: object) -> Persona | None:
    """Give the persona of the innermost scope of ``owner`` that is open here."""
    mine = (each for each in reversed(ACTIVE.get()) if each.owner is owner)
    scope = next(mine, None)
    return None if scope is None else scope.persona()
