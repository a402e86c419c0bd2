"""How a task falls apart into subtasks: by its list, its commas and its ands. Pure functions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

PAIRS = {"(": ")", "[": "]", "{": "}", "“": "”", "«": "»"}
QUOTES = '"`'
ENDS = {end: start for start, end in PAIRS.items()}
LISTED = re.compile(r"(?:^|(?<=\s))(\d{1,3})([.)])\s+(?=\D)")
WIDE = re.compile(r"[,;]|\band\b", re.IGNORECASE)
DEEP = re.compile(r"\b(?:then|next|finally|after that|subsequently)\b|\.(?=\s|$)", re.IGNORECASE)


def breadth(task: str) -> list[str]:
    """Split a task into what can be done side by side.

    Items of a list are parts, and each falls apart at its commas, semicolons and the word
    ``and``; what stands in quotes or brackets stays together, and so do numbers like 1,000.

    >>> breadth('1. read "a and b", 2. cite 1,000 papers and summarise')
    ['read "a and b"', 'cite 1,000 papers', 'summarise']
    """
    return [part for item in items(task) for part in split(item, WIDE)]


def depth(part: str) -> list[str]:
    """Split a part into what must be done one after the other.

    >>> depth("collect logs then parse them. Finally summarise")
    ['collect logs', 'parse them', 'summarise']
    """
    return split(part, DEEP)


def items(task: str) -> Iterator[str]:
    """Give the items of a list, or the whole.

    A marker counts at the beginning of a line, and where it goes on counting from one that did.
    """
    shield, cuts, expected = shielded(task), [(0, 0)], None
    for found in LISTED.finditer(task):
        number, kind = int(found[1]), found[2]
        first = not task[: found.start()].rpartition("\n")[2].strip()
        if (first or (number, kind) == expected) and not shield[found.start()]:
            cuts.append((found.start(), found.end()))
            expected = (number + 1, kind)
    cuts.append((len(task), len(task)))
    for (_, start), (end, _) in pairwise(cuts):
        if item := task[start:end].strip():
            yield item


def split(text: str, where: re.Pattern[str]) -> list[str]:
    """Split a text, but not within quotes, brackets and numbers; empty parts are dropped."""
    shield, parts, start = shielded(text), list[str](), 0
    for found in where.finditer(text):
        at, end = found.span()
        if shield[at] or (
            found[0] == "," and text[at - 1 : at].isdigit() and text[end:][:1].isdigit()
        ):
            continue
        parts.append(text[start:at])
        start = end
    parts.append(text[start:])
    return [part for each in parts if (part := each.strip())]


def shielded(text: str) -> Sequence[bool]:
    """Tell of each letter whether it stands within quotes or brackets that are closed again."""
    depth = [0] * (len(text) + 1)
    opened, counts = list[tuple[str, int]](), Counter[str]()
    for i, letter in enumerate(text):
        if letter in ENDS or letter in QUOTES:
            wanted = ENDS.get(letter, letter)
            if counts[wanted]:  # else nothing is looked for in vain
                while opened[-1][0] != wanted:
                    counts[opened.pop()[0]] -= 1
                counts[wanted] -= 1
                depth[opened.pop()[1]] += 1
                depth[i] -= 1
                continue
        if letter in PAIRS or letter in QUOTES:
            opened.append((letter, i))
            counts[letter] += 1
    inside, within = list[bool](), 0
    for change in depth:
        within += change
        inside.append(within > 0)
    return inside
