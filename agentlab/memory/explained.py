"""Scores taken apart: each term, and how they add up, in one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from agentlab.core.doors import Displayable, Tabular
from agentlab.core.portable import Portable

SHOWN = 40


class Term(Portable, msgspec.Struct, frozen=True):
    """A part of a score: a number, or the product of a few that have names.

    >>> Term("importance 0.90 × decay 0.91", 0.819)
    importance 0.90 × decay 0.91
    """

    text: str
    value: float

    @classmethod
    def of(cls, name: str, value: float) -> Term:
        """Give a number under its name."""
        return cls(f"{name} {value:.2f}", float(value))

    @classmethod
    def product(cls, value: float, **factors: float) -> Term:
        """Give a product of numbers under their names."""
        told = " × ".join(f"{name} {factor:.2f}" for name, factor in factors.items())
        return cls(told, float(value))

    def __repr__(self) -> str:
        return self.text


class Explanation(Portable, Displayable, msgspec.Struct, frozen=True):
    """Why something remembered stands where it does: the terms add up to the score.

    >>> Explanation("1", "Lyon is large", 0.5, (Term.of("importance", 0.5),))
    0.50 = importance 0.50 · Lyon is large
    """

    id: str
    text: str
    score: float
    terms: tuple[Term, ...] = ()

    def __repr__(self) -> str:
        line = " ".join(self.text[: 10 * SHOWN].split())
        return f"{self} · {line if len(line) <= SHOWN else f'{line[:SHOWN]}…'}"

    def __str__(self) -> str:
        told = " + ".join(term.text for term in self.terms) or "nothing"
        return f"{self.score:.2f} = {told}"


class Explanations(Tabular, Displayable, list[Explanation]):
    """Explained scores, best first."""

    def __init__(self, found: Iterable[Explanation] = ()) -> None:
        super().__init__(found)

    def __repr__(self) -> str:
        best = f", best {self[0]!s}" if self else ""
        return f"<Explanations of {len(self)} memories{best}>"

    def to_dict(self) -> list[dict[str, object]]:
        """Give them as plain JSON."""
        return [each.to_dict() for each in self]

    @classmethod
    def from_dict(cls, data: Sequence[dict[str, object]]) -> Explanations:
        """Read what :meth:`to_dict` gave."""
        return cls(Explanation.from_dict(each) for each in data)
