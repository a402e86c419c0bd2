"""What a skill is, and skills by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import force_setattr

from agentlab.core.bounds import a_name, a_text, callback, each_of, texts
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import AgentLabError, InvalidValue
from agentlab.core.portable import Portable
from agentlab.core.registry import Registry
from agentlab.core.text import clean, one_line, suggestion

if TYPE_CHECKING:
    from packaging.version import Version

    from agentlab.resilience.pipeline import Handler

FIRST = "0.1.0"


class SkillNotFound(AgentLabError, KeyError):
    """No skill has that name."""

    kind = "not_found"
    form = "skill '{0}' not found{1}"

    def __init__(self, name: str, suggestion: str = "") -> None:
        super().__init__(name, suggestion)
        self.name = name


class Skill(Portable, Displayable, msgspec.Struct, frozen=True):
    """What somebody can do, described so that it can be found.

    >>> Skill("web_search", "Search the web.", capabilities=["search", "web"])
    <Skill 'web_search' 0.1.0: search, web>

    Parameters
    ----------
    name : str
        What it is called by.
    description : str
        What it does, in a sentence.
    version, author : str
        Which one it is, and whose.
    capabilities : iterable of str
        What it is good for, a word or a few each.

    Raises
    ------
    InvalidValue
        It has no name, or something else is no text.
    """

    name: str
    description: str = ""
    version: str = FIRST
    author: str = ""
    capabilities: Sequence[str] = ()

    def __post_init__(self) -> None:
        force_setattr(self, "name", clean(a_name("a skill's name", self.name)))
        for field in ("description", "version", "author"):
            force_setattr(self, field, a_text(field, getattr(self, field)))
        force_setattr(self, "capabilities", texts("capabilities", self.capabilities))

    def __repr__(self) -> str:
        told = f": {', '.join(self.capabilities)}" if self.capabilities else ""
        return one_line(f"<Skill {self.name!r} {self.version}{told}>")


class SkillRegistry(Displayable, Tabular):
    """Skills by name, and what does them.

    >>> skills = SkillRegistry([Skill("translate", version="1.10")])
    >>> skills.register(Skill("translate", version="1.9"), if_newer=True)
    False
    >>> len(skills)
    1

    Parameters
    ----------
    skills : iterable of Skill
        What it holds to begin with.
    """

    def __init__(self, skills: Iterable[Skill] = ()) -> None:
        self._skills: Registry[Skill] = Registry(SkillNotFound)
        self._handlers: dict[str, Handler] = {}
        for each in each_of("skills", skills, Skill):
            self.register(each)

    def __repr__(self) -> str:
        return one_line(f"<SkillRegistry {', '.join(sorted(self._skills)) or 'empty'}>")

    def __len__(self) -> int:
        return len(self._skills)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Skill]:
        return iter(self.all())

    def __contains__(self, name: object) -> bool:
        return name in self._skills

    def __getitem__(self, name: str) -> Skill:
        return self._skills[name]

    def register(self, skill: Skill, *, if_newer: bool = False) -> bool:
        """Add a skill; one of the same name is replaced, or only by a later version of it.

        Versions are compared as those of packages are; one that is none is older than all others.

        Returns
        -------
        bool
            Whether it is there now.

        Raises
        ------
        InvalidValue
            It is no skill, or it must be newer and its version is none.
        """
        if not isinstance(skill, Skill):
            raise InvalidValue(f"a registry of skills takes a Skill, got {skill!r:.80}")
        if if_newer and not self._is_newer(skill):
            return False
        self._skills.register(skill.name, skill)
        return True

    def deregister(self, name: str) -> bool:
        """Take a skill out, and what does it; tell whether it was there."""
        there = self._skills.unregister(name)
        if there:
            self._handlers.pop(name, None)
        return there

    def get(self, name: str) -> Skill | None:
        """Give the skill of that name, or None."""
        return self._skills.get(name)

    def all(self) -> list[Skill]:
        """List the skills, by name."""
        return [found for name in sorted(self._skills) if (found := self.get(name))]

    def suggestions(self, name: str) -> str:
        """Give `` (did you mean 'x'?)`` for the name nearest to ``name``, or nothing."""
        return suggestion(str(name), sorted(self._skills))

    def bind(self, name: str, handler: Handler) -> SkillRegistry:
        """Say what does a skill: a function of text that gives text, async or plain.

        Every pipeline that is composed from here has it.

        Raises
        ------
        SkillNotFound
            There is no skill of that name.
        """
        callback("what does a skill", handler)
        self._handlers[self[name].name] = handler
        return self

    def handler(self, name: str) -> Handler | None:
        """Give what does a skill, if that was said."""
        return self._handlers.get(name) if isinstance(name, str) else None

    def _is_newer(self, skill: Skill) -> bool:
        mine = version_of(skill)
        if mine is None:
            raise InvalidValue(
                f"if_newer needs a version such as '1.2.0', got {skill.version!r:.80}"
                f" of skill {skill.name!r:.80}"
            )
        before = self.get(skill.name)
        other = before and version_of(before)
        return not other or mine > other


def version_of(skill: Skill) -> Version | None:
    """Read a skill's version, or give None where it is none."""
    from packaging.version import Version

    try:
        return Version(skill.version)
    except ValueError:  # an InvalidVersion, or a number of thousands of digits
        return None


def skills_in(registry: object) -> SkillRegistry:
    """Give ``registry``, which must be one of skills."""
    if not isinstance(registry, SkillRegistry):
        raise InvalidValue(f"registry must be a SkillRegistry, got {registry!r:.80}")
    return registry
