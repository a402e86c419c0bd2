"""The sections of a response, read as it comes in, whole lines at a time.

What ends a section is one of three marks: a header at a line's start, a tag of reasoning, the
edge of a code fence. Everything between two marks is text, and belongs to the section it is in.
"""

from __future__ import annotations

import re
from math import inf
from operator import itemgetter
from typing import Literal, TypeAlias

from agentlab.core.events import Action, Thought
from agentlab.strategies.actions import NO_TOOL
from agentlab.strategies.extent import MARKS, Extent, stray_fence

# Marks, a keyword, marks and a number, a colon, marks that close after it.
KEYWORD = (
    r"([*_#>\- \t]*+)(thought|action[ _]?input|action|observation|final[ _]answer)"
    r"([*_# \t]*+\d*+[*_ \t]*+)[:\uff1a]([*_]*+)[ \t]*+"
)
HEADER = re.compile(rf"\n{KEYWORD}", re.IGNORECASE)
HEADER_HERE = re.compile(KEYWORD, re.IGNORECASE)
TAG = re.compile(r"<(/?)think(?:ing)?>(?:[ \t\r]*+(?P<ends_line>(?=\n|\Z)))?", re.IGNORECASE)
FENCE = re.compile(r"\n([^`\n]*+)(`{3,}+)([^`\n]*+)(?=\n|\Z)")
BOLD_END = re.compile(r"[*_]++(?=\s|\Z)")
INFO = re.compile(r"\w*+\s*+")
INDENT = " \t>*_#-"  # what may stand before the first word of a line

Found: TypeAlias = tuple[int, Literal["header", "tag", "fence"], re.Match[str]]


def marks(block: str) -> list[Found]:
    """List the marks in ``block``, in order."""
    found: list[Found] = [(each.start(), "header", each) for each in HEADER.finditer(block)]
    if "<" in block:
        found += [(each.start(), "tag", each) for each in TAG.finditer(block)]
    if "```" in block:
        found += [(each.start(2), "fence", each) for each in FENCE.finditer(block)]
    return sorted(found, key=itemgetter(0))


class Sections:
    """What has been read so far.

    Parameters
    ----------
    unwrap : bool
        Read the headers inside code fences as well.
    orphans : bool
        Take a ``</think>`` that nothing opened for the end of reasoning.
    news : list, optional
        Where to say that the thought, or the action, is complete.

    Attributes
    ----------
    done : bool
        The pair is complete, and what follows does not count.
    orphaned : bool
        Such a tag was found.
    dropped : bool
        Some of the text belongs to no section that counts.
    """

    def __init__(
        self,
        *,
        unwrap: bool = False,
        orphans: bool = True,
        news: list[Thought | Action] | None = None,
    ) -> None:
        self.unwrap, self.orphans, self.news = unwrap, orphans, news
        self.orphaned = False
        self._last_tag: float = inf  # where the last closing tag is, once that is known
        self._last_fence: float = inf
        self._reasoned_to = 0  # all of the block before that is reasoning
        self._restart()

    def take(self, block: str, *, last: bool = False, opened: bool = False) -> None:
        """Take whole lines, each after the line break before it; ``opened``: see :meth:`open`."""
        found, at = marks(block), 0
        if last:
            self._last_tag = max([p for p, kind, m in found if kind == "tag" and m[1]], default=-1)
            edges = [p for p, kind, m in found if kind == "fence" and bare(m)]
            self._last_fence = max(edges, default=-1)
        if opened and (header := HEADER.match(block)):
            at = self._text_of(header)
        for position, kind, mark in found:
            if position < at:
                continue
            if kind == "header":
                at = self._header(block, at, mark)
            else:
                at = (self._tag if kind == "tag" else self._fence)(block, at, mark)
        self._text(block[at:])
        if self._reasoned_to:
            self._reasoning.insert(0, block[: self._reasoned_to])
            self._reasoned_to = 0
        if not last:  # a line break follows
            self._end_line()

    def open(self, line: str) -> bool:
        """Open the section whose header ``line`` begins with; the line must still be taken."""
        header = None if self._thinking or self._fence_open else HEADER.match(line)
        if header:
            self._open(header)
        return bool(header)

    def thought(self) -> str:
        """Give the thought, as one line."""
        return one_line(unmarked("".join(self._thought), self._thought_mark))

    def wanted(self) -> str:
        """Give the text of the action."""
        text = self.action.text().replace("\r\n", "\n")
        text = unmarked(text, self._action_mark).strip()
        if text.startswith("FINAL_ANSWER \n"):
            text = f"FINAL_ANSWER {text[13:].lstrip()}"
        stray = not self.action.closed and stray_fence(text)
        return text.removesuffix("```").rstrip() if stray else text

    def reasoned(self) -> str:
        """Give the reasoning."""
        return "\n".join(filter(None, map(str.strip, self._reasoning)))

    def _restart(self) -> None:
        self._reasoning: list[str] = []
        self._thought: list[str] = []
        self.action = Extent()
        self._section: Literal["", "thought", "action", "reasoning"] = ""
        self._thought_mark = self._action_mark = ""
        self._fence_open = 0  # its length; a fence may hold shorter ones
        self._wrapped = self._thinking = self._quoted = self._hidden = self._told = False
        self.done = self.dropped = False

    def _text(self, text: str) -> None:
        if self._thinking or self._section == "reasoning":
            self._reasoning.append(text)
        elif self._section == "thought" and not self.done:
            self._thought.append(text)
        elif self._section == "action" and not self.done:
            self.action.add(text)
            if self.action.ended:
                self._end_line()
        elif not self.dropped:
            self.dropped = bool(text.strip(MARKS))

    def _end_line(self) -> None:
        """Finish if the arguments are balanced; not while a fence that hid a header may be none."""
        unsure = self._hidden and self._fence_open and self.news is not None
        if self.action.closed and not (self.done or unsure):
            self._finish()

    def _finish(self) -> None:
        self.done = True
        self.dropped = self.dropped or self.action.tail
        if self.news is not None:
            self._tell()
            self.news.append(Action(self.wanted()))

    def _tell(self) -> None:
        if self.news is not None and not self._told and (thought := self.thought()):
            self._told = True
            self.news.append(Thought(thought))

    def _header(self, block: str, at: int, header: re.Match[str]) -> int:
        if self.done:
            return at
        start = header.start()
        self._text(block[at:start])
        if block[start] == "\n":
            self._end_line()
        if self._thinking or self._fence_open:
            self._hidden = True
        elif not self.done:
            self._open(header)
            return start if self.done else self._text_of(header)
        return start

    def _open(self, header: re.Match[str]) -> None:
        kind = header[2].lower()
        if self.action.any and self._closes(kind):
            self._finish()
        elif kind == "thought":
            self.dropped = self.dropped or any(self._thought)
            self._thought, self._told, self._section = [], False, "thought"
        elif kind == "observation":
            self._section = ""
        else:
            self._tell()
            self._section = "action"
            if kind.endswith("input"):
                self.action.add("\n")
            else:
                self.dropped = self.dropped or self.action.any
                self.action = Extent("FINAL_ANSWER " if kind.startswith("final") else "")

    def _closes(self, kind: str) -> bool:
        """Tell whether a header of that kind comes after the pair, and not within it."""
        if kind in ("thought", "observation") or self.action.closed:
            return True
        if kind.startswith("final"):  # after "Action: None", or a marker without a text
            return self.action.form == "answer" or not NO_TOOL.fullmatch(self.action.name)
        return kind == "action" and self.action.form == "answer"

    def _text_of(self, header: re.Match[str]) -> int:
        """Give where the text after ``header`` begins, and note the marks still open there."""
        lead, before, after, end = header[1], header[3], header[4], header.end()
        mark = lead[len(lead.rstrip("*_")) :] if "*" not in before else ""
        if mark and not after and BOLD_END.match(header.string, end):
            after, end = mark, end + len(mark)
        if self._section == "thought":
            self._thought_mark = "" if after else mark
        elif self._section == "action":
            self._action_mark = "" if after else mark
        return end if mark or not after else header.start(4)

    def _tag(self, block: str, at: int, tag: re.Match[str]) -> int:
        alone = apart(block, at, tag)
        if not self.done:
            self._text(block[at : tag.start()])
            at = tag.start()
        if self.done and self.news is not None:  # what was told stands
            return at
        if self._fence_open and not (self._thinking or self.done):
            self._hidden = True
            return at
        if tag[1]:
            return self._closing_tag(block, at, tag, alone=alone)
        if self._thinking:
            return at
        within = self._section == "action" and self.action.form  # "between sections" it is not
        if self.done or within or not alone:
            self._quoted = True  # it is text, and so will be what closes it
            return at
        if tag.start() < self._last_tag:
            self._thinking = True
        else:
            self._section = "reasoning"
        return tag.end()

    def _closing_tag(self, block: str, at: int, tag: re.Match[str], *, alone: bool) -> int:
        header = HEADER_HERE.match(block, tag.end())
        if self._thinking:
            self._thinking = False
        elif self._quoted:
            self._quoted = False
            return at
        elif not (header or alone) or (self.done and not self.orphans):
            return at
        elif self.orphans:
            self._restart()
            self.orphaned, self._reasoned_to = True, tag.start()
        else:
            self.dropped = True
        return self._header(block, tag.end(), header) if header else tag.end()

    def _fence(self, block: str, at: int, fence: re.Match[str]) -> int:
        if self.done or self._thinking:
            return at
        start, length = fence.start(2), len(fence[2])
        if self._fence_open:
            if bare(fence) and length >= self._fence_open:
                self._fence_open = 0
            return at
        if self.unwrap and (bare(fence) if self._wrapped else not self.action.any):
            self._text(block[at:start])
            if self._wrapped and self.action.any and not self.done:
                self._finish()
            self._wrapped = not self._wrapped
            return fence.end()
        if start < self._last_fence and (INFO.fullmatch(fence[3]) or not fence[1].strip(INDENT)):
            self._fence_open, self._hidden = length, False
        return at


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
