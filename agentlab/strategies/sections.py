"""The sections of a response, read as it comes in, whole lines at a time.

Everything between two marks is text, and belongs to the section it is in.
"""

from __future__ import annotations

import re
from math import inf
from typing import Literal

from agentlab.core.events import Action, Thought
from agentlab.strategies.actions import NO_TOOL
from agentlab.strategies.extent import MARKS, Extent, stray_fence
from agentlab.strategies.marks import (
    BOLD_END,
    FENCE,
    HEADER,
    HEADER_HERE,
    INDENT,
    INFO,
    MARK,
    TAG,
    apart,
    bare,
    marks,
    one_line,
    unmarked,
)

__all__ = ["HEADER", "Sections"]


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
    headed : bool
        There is a header.
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
        at = 0
        if last:
            self._look_ahead(block)
        if opened and (header := HEADER.match(block)):
            at = self._text_of(header)
        for position, kind, mark in marks(block):
            if position < at:
                continue
            if kind == "header":
                at = self._header(block, at, mark)
            else:
                at = (self._tag if kind == "tag" else self._fence)(block, at, mark)
            if self.done and "<" not in block:  # no tag could change that
                break
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

    def before(self) -> str:
        """Give the text before the first header, without the reasoning."""
        return "".join(self._before).strip()

    def reasoned(self) -> str:
        """Give the reasoning."""
        return "\n".join(filter(None, map(str.strip, self._reasoning)))

    def _look_ahead(self, block: str) -> None:
        """Note where the last tag and the last fence are that could close an earlier one."""
        self._last_tag = self._last_fence = -1
        if "<" in block:
            ends = (tag.start() for tag in TAG.finditer(block) if tag[1])
            self._last_tag = max(ends, default=-1)
        if "```" in block:
            ends = (fence.start(2) for fence in FENCE.finditer(block) if bare(fence))
            self._last_fence = max(ends, default=-1)

    def _restart(self) -> None:
        self._reasoning: list[str] = []
        self._thought: list[str] = []
        self.action = Extent()
        self._section: Literal["", "thought", "action", "reasoning"] = ""
        self._thought_mark = self._action_mark = ""
        self._fence_open = 0  # its length; a fence may hold shorter ones
        self._wrapped = self._thinking = self._quoted = self._hidden = self._told = False
        self._before: list[str] = []
        self.done = self.dropped = self.headed = False

    def _text(self, text: str) -> None:
        if self._thinking or self._section == "reasoning":
            self._reasoning.append(text)
        elif self._section == "thought" and not self.done:
            self._thought.append(text)
        elif self._section == "action" and not self.done:
            self.action.add(text)
            if self.action.ended:
                self._end_line()
        else:
            self.dropped = self.dropped or bool(text.strip(MARKS))
            if not self.headed:
                self._before.append(text)

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
        kind, self.headed = header[2].lower(), True
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
        if kind in ("thought", "observation"):
            return True
        if kind.startswith("final"):  # after "Action: None", or a marker without a text
            return self.action.form == "answer" or not NO_TOOL.fullmatch(self.action.name)
        return kind == "action" and self.action.form == "answer"

    def _text_of(self, header: re.Match[str]) -> int:
        """Give where the text after ``header`` begins, and note the marks still open there."""
        lead, before, after, end = header[1], header[3], header[4], header.end()
        mark = "" if MARK.search(before) else lead[len(lead.rstrip("*_")) :]
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
        elif not (header or alone):
            return at
        elif self._section == "action" and self.action.quoting and not alone:
            return at  # somebody's data, which must not speak for the model
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
