"""Which skills fit a task, and why: each score can be read off the words that are in both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from agentlab.core.bounds import a_text, count_of, finite_number
from agentlab.core.doors import Displayable, Tabular
from agentlab.core.errors import InvalidValue
from agentlab.core.portable import Portable
from agentlab.core.ranking import best
from agentlab.core.text import one_line
from agentlab.skills.registry import Skill, SkillRegistry, skills_in
from agentlab.skills.words import Form, as_it_is, stemmed, words_of

SHOWN = 6  # words that are named in one line


class SkillMatch(Portable, Displayable, msgspec.Struct, frozen=True):
    """A skill, how well it fits a task, and which words say so.

    Attributes
    ----------
    skill : Skill
        The skill.
    score : float
        From 0 to 1: half for the share of its capabilities that the task names, half for that of
        the words of its description.
    capabilities, of_capabilities : tuple of str, int
        The capabilities that the task names, and how many there are to name.
    words, of_words : tuple of str, int
        The same of the words of its description.
    first : int, optional
        Which word of the task is the first of all these, counted from 0.
    """

    skill: Skill
    score: float
    capabilities: tuple[str, ...] = ()
    of_capabilities: int = 0
    words: tuple[str, ...] = ()
    of_words: int = 0
    first: int | None = None

    def __repr__(self) -> str:
        return one_line(f"<SkillMatch {self.skill.name!r}: {self!s}>")

    def __str__(self) -> str:
        halves = [
            f"0.5 × {len(found)}/{total} {what}{named(found)}"
            for what, found, total in (
                ("capabilities", self.capabilities, self.of_capabilities),
                ("words", self.words, self.of_words),
            )
            if total
        ]
        return f"{self.score:.2f} = {' + '.join(halves) or 'nothing to go by'}"


def named(found: Sequence[str]) -> str:
    """Name some words, if there are any."""
    more = ", …" if len(found) > SHOWN else ""
    return f" ({', '.join(found[:SHOWN])}{more})" if found else ""


class MatchRow(Portable, Displayable, msgspec.Struct, frozen=True):
    """A match as a row of a frame."""

    skill: str
    score: float
    capabilities: tuple[str, ...]
    of_capabilities: int
    words: tuple[str, ...]
    of_words: int
    version: str


class SkillMatches(Tabular, Displayable, list[SkillMatch]):
    """Matches, best first."""

    def __init__(self, found: Iterable[SkillMatch] = ()) -> None:
        super().__init__(found)

    def __repr__(self) -> str:
        told = ", ".join(f"{each.skill.name} {each.score:.2f}" for each in self[:SHOWN])
        more = ", …" if len(self) > SHOWN else ""
        return one_line(f"<SkillMatches {told or 'none'}{more}>")

    def rows(self) -> list[MatchRow]:
        """Give a row a match."""
        return [
            MatchRow(
                each.skill.name,
                each.score,
                each.capabilities,
                each.of_capabilities,
                each.words,
                each.of_words,
                each.skill.version,
            )
            for each in self
        ]

    def to_dict(self) -> list[dict[str, Any]]:
        """Give them as plain JSON."""
        return [each.to_dict() for each in self]

    @classmethod
    def from_dict(cls, data: Sequence[dict[str, Any]]) -> SkillMatches:
        """Read what :meth:`to_dict` gave."""
        return cls(SkillMatch.from_dict(each) for each in data)


class Found(NamedTuple):
    """What of some texts is in a task: which, of how many, and where first."""

    which: tuple[str, ...]
    total: int
    first: int | None

    @property
    def share(self) -> float:
        """How much of them that is; nothing, where there are none."""
        return len(self.which) / self.total if self.total else 0.0


class SkillMatcher:
    """Finds the skills that fit a task, by the words they have in common.

    >>> skills = SkillRegistry([Skill("web_search", "Search the web", capabilities=["search"])])
    >>> SkillMatcher(skills).match_skills("Please search for cats", 0)[0]
    <SkillMatch 'web_search': 0.75 = 0.5 × 1/1 capabilities (search) + 0.5 × 1/2 words (search)>

    Parameters
    ----------
    registry : SkillRegistry
        The skills.
    min_score : float
        What fits less is left out.
    stem : bool
        Take a word and its inflections for one: ``translation`` and ``translate``.

    Raises
    ------
    InvalidValue
        ``min_score`` does not lie from 0 to 1.
    """

    def __init__(
        self, registry: SkillRegistry, min_score: float = 0.1, *, stem: bool = False
    ) -> None:
        if not finite_number(min_score) or not 0 <= min_score <= 1:
            raise InvalidValue(f"min_score must be from 0 to 1, got {min_score!r:.80}")
        self.registry, self.min_score, self.stem = skills_in(registry), float(min_score), stem

    def __repr__(self) -> str:
        stem = ", stem=True" if self.stem else ""
        return f"SkillMatcher({self.registry!r}, min_score={self.min_score}{stem})"

    def match_skills(self, text: str, limit: int = 0) -> SkillMatches:
        """Give the skills that fit, best first; of equals, by name.

        Parameters
        ----------
        text : str
            The task.
        limit : int
            How many at most; 0 means all.
        """
        form = stemmed if self.stem else as_it_is
        task: dict[str, int] = {}
        for place, (_, word) in enumerate(words_of(a_text("text", text), form)):
            task.setdefault(word, place)
        found = [match(skill, task, form) for skill in self.registry.all()]
        fitting = [each for each in found if each.score >= self.min_score]
        limit = count_of("limit", limit)
        ranked = best(fitting, lambda each: each.score, limit or None, tie=lambda m: m.skill.name)
        return SkillMatches(each for each, _ in ranked)


def match(skill: Skill, task: dict[str, int], form: Form) -> SkillMatch:
    """Compare a skill with the words of a task, each of which is known by where it stands."""
    able = [
        (each, [word for _, word in words_of(each, form)]) for each in reversed(skill.capabilities)
    ]
    capabilities = within({" ".join(words): (each, words) for each, words in able}, task)
    told = reversed(words_of(skill.description, form))
    words = within({word: (plain, [word]) for plain, word in told}, task)
    firsts = [each.first for each in (capabilities, words) if each.first is not None]
    return SkillMatch(
        skill,
        0.5 * capabilities.share + 0.5 * words.share,
        capabilities.which,
        capabilities.total,
        words.which,
        words.total,
        min(firsts, default=None),
    )


def within(texts: dict[str, tuple[str, list[str]]], task: dict[str, int]) -> Found:
    """Tell which texts are in a task with all of their words, in the order the task names them.

    They come by what they are compared as, so that no two are one; a text without words is none.
    """
    real = [text for form, text in texts.items() if form]
    there = [
        (min(task[word] for word in words), plain)
        for plain, words in real
        if all(word in task for word in words)
    ]
    there.sort()
    first = there[0][0] if there else None
    return Found(tuple(plain for _, plain in there), len(real), first)
