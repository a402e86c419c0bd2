"""Personas by name, and those that are always there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from agentlab.core.bounds import each_of
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import InvalidValue, PersonaNotFound
from agentlab.core.registry import Registry
from agentlab.core.text import one_line, suggestion
from agentlab.personas.persona import Persona, PersonaTone

if TYPE_CHECKING:
    import builtins
    from typing import Self

BUILTINS = (
    Persona(
        "assistant",
        "helpful companion",
        PersonaTone.Casual,
        "You help with whatever is asked, and say so when you do not know.",
        ("Answer the question before anything else.", "Never invent facts."),
    ),
    Persona(
        "researcher",
        "careful scholar",
        PersonaTone.Formal,
        "You find out what is known, where it is from, and how sure one can be of it.",
        (
            "Name the source of each claim.",
            "Tell evidence from opinion.",
            "Say what is not known.",
        ),
    ),
    Persona(
        "coder",
        "software engineer",
        PersonaTone.Technical,
        "You write correct, simple programs, and explain only what is not plain from them.",
        (
            "Give whole code that runs.",
            "Handle errors and edge cases.",
            "Add nothing that was not asked for.",
        ),
    ),
    Persona(
        "critic",
        "demanding reviewer",
        PersonaTone.Concise,
        "You look for what is wrong, missing or unclear, and say how to mend it.",
        ("Put the worst first.", "Give a reason for each judgement."),
    ),
    Persona(
        "teacher",
        "patient tutor",
        PersonaTone.Casual,
        "You explain step by step, from what is known already to what is new.",
        ("Give an example for each idea.", "End with a question that tests the idea."),
    ),
)


class PersonaRegistry(Displayable, Tabular):
    """Personas by name.

    >>> personas = PersonaRegistry.with_builtins()
    >>> personas.list()
    ['assistant', 'coder', 'critic', 'researcher', 'teacher']
    >>> personas["codr"]
    Traceback (most recent call last):
    agentlab.core.errors.PersonaNotFound: persona 'codr' not found (did you mean 'coder'?)

    Parameters
    ----------
    personas : iterable of Persona
        What it holds to begin with.
    """

    def __init__(self, personas: Iterable[Persona] = ()) -> None:
        self._personas: Registry[Persona] = Registry(PersonaNotFound)
        for each in each_of("personas", personas, Persona):
            self.register(each)

    def __repr__(self) -> str:
        return one_line(f"<PersonaRegistry {', '.join(self.list()) or 'empty'}>")

    def __len__(self) -> int:
        return len(self._personas)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Persona]:
        return iter(self.personas())

    def __contains__(self, name: object) -> bool:
        return name in self._personas

    def __getitem__(self, name: str) -> Persona:
        if not isinstance(name, str):
            raise InvalidValue(f"a persona is found by its name, got {name!r:.80}")
        return self._personas[name]

    @classmethod
    def with_builtins(cls) -> Self:
        """Make one that holds assistant, researcher, coder, critic and teacher."""
        return cls(BUILTINS)

    def register(self, persona: Persona) -> Self:
        """Add a persona; one of the same name is replaced."""
        if not isinstance(persona, Persona):
            raise InvalidValue(f"a registry of personas takes a Persona, got {persona!r:.80}")
        self._personas.register(persona.name, persona)
        return self

    def get(self, name: str) -> Persona | None:
        """Give the persona of that name, or None."""
        return self._personas.get(name)

    def contains(self, name: str) -> bool:
        """Tell whether there is one of that name."""
        return name in self

    def list(self) -> builtins.list[str]:
        """List the names, sorted."""
        return sorted(self._personas)

    def personas(self) -> builtins.list[Persona]:
        """List the personas, by name."""
        return [found for name in self.list() if (found := self.get(name))]

    def suggestions(self, name: str) -> str:
        """Give `` (did you mean 'x'?)`` for the name nearest to ``name``, or nothing."""
        return suggestion(str(name), self.list())

    def apply(self, persona: Persona, prompt: str) -> str:
        """Give a persona and a prompt as one text; see :meth:`Persona.apply`."""
        if not isinstance(persona, Persona):
            raise InvalidValue(
                f"apply takes a Persona, got {persona!r:.80}: apply_named takes its name"
            )
        return persona.apply(prompt)

    def apply_named(self, name: str, prompt: str) -> str | None:
        """Do the same with the persona of that name; None where there is none."""
        found = self.get(name)
        return None if found is None else found.apply(prompt)
