"""Keys: kept where no text shows them, and taken out of whatever is written.

What is written goes through :func:`scrub`, which knows two kinds of secret: the values it was
told of (every :class:`Secret` made, and the keys in the environment), and what looks like one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from html import escape
from typing import Any

import msgspec

from agentlab.core.errors import InvalidValue
from agentlab.core.text import clean

MASK = "***"
SHORTEST = 8  # a shorter text would be found where it is only a word
ENVIRONMENT = ("_API_KEY", "_TOKEN", "_SECRET", "_PASSWORD")
LOOKS_SECRET = re.compile(
    r"\b(?:"
    r"sk-(?:ant-|proj-|or-)?[A-Za-z0-9_-]{16,}"  # hosted models
    r"|hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|AKIA[A-Z0-9]{16}|AIza[A-Za-z0-9_-]{30,}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"  # a signed web token
    r")|(?<=\bBearer )[A-Za-z0-9._~+/-]{16,}"
)
# What looks secret has one of these in it, and to see that none is there is quick.
MARKS = r"sk-|hf_|gh[pousr]_|xox|A(?:KIA|Iza)|eyJ|Bearer "
UNENDED = re.compile(rf"\b(?:{MARKS})[A-Za-z0-9._~+/-]*\Z")  # it may yet become one
HINT = 4  # fewer letters of a key tell nothing
_told: set[str] = set()


class Secret:
    """A key. It prints ``***`` wherever it is printed; :meth:`reveal` gives it.

    >>> key = Secret("sk-test-1234567890abcdef")
    >>> f"{key} {key!r}"
    "*** Secret('***')"
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not value:
            raise InvalidValue("a key must not be empty: set it, or leave it out")
        self._value = value
        if len(value) >= SHORTEST:
            _told.add(value)

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("a key is not pickled: give it to the other process by its environment")

    def reveal(self) -> str:
        """Give the key itself, to be sent and never kept."""
        return self._value


def scrub(text: str) -> str:
    """``text`` with every secret in it as ``***``; nearly always it is untouched.

    >>> scrub("Authorization: Bearer abcdefghijklmnop1234")
    'Authorization: Bearer ***'
    """
    return scrubber()(text)


class Scrubber:
    """Scrubs many texts with what was known to be secret when it was made.

    Parameters
    ----------
    known : iterable of str
        The keys.
    """

    __slots__ = ("_found", "_in_json", "_keys", "_marks")

    def __init__(self, known: Iterable[str]) -> None:
        # The longest first, for one may be within another.
        keys = sorted({form for key in known for form in forms(key)}, key=len, reverse=True)
        self._keys = keys
        self._found = re.compile("|".join([*map(re.escape, keys), LOOKS_SECRET.pattern]))
        self._marks = re.compile("|".join([*map(re.escape, keys), MARKS]))
        written = [msgspec.json.encode(key)[1:-1] for key in keys if clean(key) == key]
        self._in_json = re.compile(b"|".join([*map(re.escape, written), MARKS.encode()]))

    def __call__(self, text: str) -> str:
        """Give ``text`` with every secret in it as ``***``."""
        return self._found.sub(MASK, text) if self._marks.search(text) else text

    def suspects(self, data: bytes) -> bool:
        """Tell whether there may be a secret in some JSON: nearly always there is none."""
        return self._in_json.search(data) is not None

    def settled(self, text: str) -> int:
        """Tell how much of a text that grows can be shown: what follows may be half a secret.

        >>> Scrubber(["a secret"]).settled("this is a sec")
        8
        """
        begun = UNENDED.search(text)
        places = [self._begun(text, key) for key in self._keys]
        place = min([*places, begun.start() if begun else len(text)])
        if place == len(text):
            return place
        return next((start for start, end in self._secrets(text) if start < place < end), place)

    def beside(self, text: str, place: int) -> int:
        """Give ``place``, or the end of the secret that a cut there would not leave whole."""
        # What gives it away may stand right before it, so that one which begins there counts.
        return next((end for start, end in self._secrets(text) if start <= place < end), place)

    def _secrets(self, text: str) -> list[tuple[int, int]]:
        found = self._found.finditer(text) if self._marks.search(text) else ()
        return [each.span() for each in found]

    @staticmethod
    def _begun(text: str, key: str) -> int:
        start = text.find(key[:HINT], max(0, len(text) - len(key) + 1))
        while start >= 0 and not key.startswith(text[start:]):
            start = text.find(key[:HINT], start + 1)
        return start if start >= 0 else len(text)


def forms(key: str) -> set[str]:
    r"""Give a key as it may stand in a text: as it is, inside JSON, and either inside HTML.

    >>> sorted(forms('a"b'))
    ['a"b', 'a&quot;b', 'a\\"b', 'a\\&quot;b']
    """
    plain = {key} if clean(key) != key else {key, msgspec.json.encode(key)[1:-1].decode()}
    pages = {escape(each, quote=False) for each in plain}
    return plain | pages | {each.replace('"', "&quot;") for each in pages}


def scrubber() -> Scrubber:
    """Give a :func:`scrub` for many texts: the secrets are looked up now, and once."""
    global _last  # noqa: PLW0603 - looking through the environment takes longer than most texts
    environment = getattr(os.environ, "_data", None)
    told, seen, made = _last
    if told == len(_told) and environment is not None and environment == seen:
        return made
    given = {
        value
        for name in os.environ
        if name.endswith(ENVIRONMENT) and len(value := os.environ.get(name, "")) >= SHORTEST
    }
    made = Scrubber(_told | given)
    _last = len(_told), dict(environment or ()), made
    return made


_last: tuple[int, Any, Scrubber] = (-1, None, Scrubber(()))
