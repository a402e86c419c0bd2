"""What ends a section: a header at a line's start, a tag of reasoning, the edge of a code fence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from heapq import merge
from operator import itemgetter
from typing import Literal, TypeAlias

# Marks, a keyword, marks and a number (of a turn, so not of an answer), a colon, closing marks.
KEYWORD = (
    r"([*_#>\- \t]*+)"
    r"(thought|action[ _]?input|action|observation|final[ _]answer(?=[*_ \t]*+[:\uff1a]))"
    r"([*_# \t]*+\d*+[*_ \t]*+)[:\uff1a]([*_]*+)[ \t]*+"
)
HEADER = re.compile(rf"\n{KEYWORD}", re.IGNORECASE)
HEADER_HERE = re.compile(KEYWORD, re.IGNORECASE)
TAG = re.compile(r"<(/?)think(?:ing)?>(?:[ \t\r]*+(?P<ends_line>(?=\n|\Z)))?", re.IGNORECASE)
FENCE = re.compile(r"\n([^`\n]*+)(`{3,}+)([^`\n]*+)(?=\n|\Z)")
MARK = re.compile(r"[*_]")
BOLD_END = re.compile(r"[*_]++(?=\s|\Z)")
INFO = re.compile(r"\w*+\s*+")
INDENT = " \t>*_#-"  # what may stand before the first word of a line

Found: TypeAlias = tuple[int, Literal["header", "tag", "fence"], re.Match[str]]


def marks(block: str) -> Iterator[Found]:
    """Give the marks in ``block``, in order."""
    headers: Iterator[Found] = ((each.start(), "header", each) for each in HEADER.finditer(block))
    if "<" not in block and "```" not in block:
        return headers
    tags: Iterator[Found] = ((each.start(), "tag", each) for each in TAG.finditer(block))
    fences: Iterator[Found] = ((each.start(2), "fence", each) for each in FENCE.finditer(block))
    return merge(headers, tags, fences, key=itemgetter(0))


def one_line(text: str) -> str:
    """Join the lines of ``text``, each trimmed, by single spaces."""
    return " ".join(filter(None, map(str.strip, text.split("\n"))))


def bare(fence: re.Match[str]) -> bool:
    """Tell whether a fence could close what an earlier one opened."""
    return not fence[3].strip()


def apart(block: str, at: int, tag: re.Match[str]) -> bool:
    """Tell whether ``tag`` begins or ends its line, or follows another mark."""
    before = block[max(at, tag.start() - 9) : tag.start()].rstrip(INDENT)
    return tag["ends_line"] is not None or before[-1:] in ("", "\n")


def unmarked(text: str, mark: str) -> str:
    """Take off the marks that close at the end of the first line, where some were open."""
    line, end, rest = text.partition("\n")
    return f"{line.rstrip().removesuffix(mark)}{end}{rest}" if mark else text
