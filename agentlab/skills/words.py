"""What counts as a word when tasks and skills are compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias
from unicodedata import normalize

Form: TypeAlias = Callable[[str], str]

STOP_WORDS = """
    a an the is are was be been being to of and or for in on at with by from that this it i need
    want please can would my me you
"""
STOP = frozenset(STOP_WORDS.split())
ENDINGS = (
    "isations", "izations", "isation", "ization", "ations", "ators", "ation", "ating", "ator",
    "ated", "ates", "ions", "ings", "ate", "ion", "ing", "ers", "ies", "ied", "er", "ed", "es",
    "s", "e", "y",
)  # fmt: skip
LEAST = 4  # letters that are left of a word


def as_it_is(word: str) -> str:
    """Give a word itself."""
    return word


def stemmed(word: str) -> str:
    """Give a word without the ending that English gives it; it is a rule of thumb.

    >>> [stemmed(word) for word in "translate translation searching searches query".split()]
    ['transl', 'transl', 'search', 'search', 'quer']
    """
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= LEAST:
            return word.removesuffix(ending)
    return word


def words_of(text: str, form: Form = as_it_is) -> list[tuple[str, str]]:
    """Give the words of a text, each with its form: lower case, letters and digits alone.

    Words that say nothing are left out.

    >>> words_of("The up-to-date Searches!", stemmed)
    [('uptodate', 'uptod'), ('searches', 'search')]
    """
    found = []
    for part in normalize("NFC", text).lower().split():
        word = "".join(filter(str.isalnum, part))
        if word and word not in STOP:
            found.append((word, form(word)))
    return found
