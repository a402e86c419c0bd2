r"""How an action is written, and how far it reaches: known line by line, as it comes in.

The forms::

    FINAL_ANSWER 42                         answer
    search {"q": "x"}, search {'q': None}   json, or Python literals
    search(q="x", n=2)                      call
    search[some text]                       bracket
    {"name": "search", "arguments": {}}     object
    search 12                               scalar
    search some text                        text
"""

from __future__ import annotations

import re
from typing import NamedTuple

FENCE = r"```(?:\w*+[ \t\r]*+(?:\n|\Z)|json\b)?\s*+"
FINAL = re.compile(
    rf"\s*+(?:{FENCE})?[*`]*+final[ _]answer(?!\w)(?:[*`]++(?=[\s:]|\Z))?"
    r"\s*+(?::(?:[*`]++(?=\s|\Z))?)?(.*)",
    re.IGNORECASE | re.DOTALL,
)
NAME = re.compile(rf"\s*+(?:{FENCE})?([^\s(\[{{]*+)(\s*+(?:{FENCE})?)", re.IGNORECASE)
SCALAR = re.compile(
    r'(?:"(?:[^"\\\n]++|\\.)*+"|-?\d\S*+|(?:true|false|null)(?!\w))[ \t\r]*+(?=\n|\Z)'
)
# Where brackets can be told from those inside a text. An apostrophe begins none.
TOKEN = re.compile(
    r'"(?:[^"\\]++|\\.)*+("?)'
    r"|(?<=[\[{(,:=\s])'(?:[^'\\]++|\\.)*+('?)"
    r"|([\[{(])|[\]})]",
    re.DOTALL,
)
SQUARE = re.compile(r"()()(\[)|\]")
REST = {
    '"': re.compile(r'(?:[^"\\]++|\\.)*+("?)', re.DOTALL),
    "'": re.compile(r"(?:[^'\\]++|\\.)*+('?)", re.DOTALL),
}
INSIDE = frozenset({"call", "bracket"})  # the arguments begin after an open bracket
MARKS = "`*_ \t\r\n"  # nothing that anyone means
BALANCED = INSIDE | {"json", "object"}


class Opening(NamedTuple):
    """How an action begins: its form (empty while unknown), its name, where the rest begins."""

    form: str
    name: str = ""
    at: int = 0
    fenced: bool = False


def opening(text: str) -> Opening:
    """Tell the form of an action from its first characters."""
    if final := FINAL.match(text):
        return Opening("answer" if final[1].strip() else "")
    start = NAME.match(text)
    name, gap, at = (start[1], start[2], start.end()) if start else ("", "", 0)
    follows = text[at : at + 1]
    if not follows:
        return Opening("", name, at)
    if follows == "{" or (follows == "[" and (gap or not name)):
        return Opening("json" if name else "object", name, at)
    if name and (follows == "[" or (follows == "(" and (not gap or text.startswith("({", at)))):
        return Opening("bracket" if follows == "[" else "call", name, at + 1)
    if not name:  # a stray bracket: the first word is the best name there is
        name = text.split(maxsplit=1)[0]
        at = text.index(name) + len(name)
    return Opening("scalar" if SCALAR.match(text, at) else "text", name, at, "```" in gap)


class Extent:
    """An action's text as it comes in, up to where its arguments end.

    Attributes
    ----------
    form, name : str
        What is known of it so far.
    at : int
        Where its arguments begin.
    fenced : bool
        They are text inside a code fence.
    any : bool
        There is more in it than marks.
    closed : bool
        Its arguments are balanced, and what comes after them does not count.
    ended : bool
        So is the line on which they closed.
    tail : bool
        Something came after them.
    """

    __slots__ = ("_depth", "_parts", "_quote", "any", "at", "closed", "ended", "fenced", "form",
                 "name", "tail")  # fmt: skip

    def __init__(self, text: str = "") -> None:
        self._parts = [text]
        self.any = bool(text)
        self.form = self.name = self._quote = ""
        self.at = self._depth = 0
        self.closed = self.ended = self.tail = self.fenced = False

    def add(self, piece: str) -> None:
        """Take some more: whole lines, or what is left of one."""
        if self.closed:
            self._after(piece)
        elif self.form in BALANCED:
            self._scan(piece)
        elif self.form or not piece or piece.isspace():
            self._parts.append(piece)
        else:
            self._open(self.text() + piece)

    @property
    def quoting(self) -> bool:
        """Whether what comes next stands in quotes that are still open."""
        return bool(self._quote) and not self.closed

    def text(self) -> str:
        """Give it, up to where the arguments ended."""
        return "".join(self._parts)

    def _open(self, text: str) -> None:
        self.any = bool(text.strip(MARKS))
        self.form, self.name, self.at, self.fenced = opening(text)
        if self.form in BALANCED:
            self._depth = int(self.form in INSIDE)
            self._parts = [text[: self.at]]
            self._scan(text[self.at :])
        elif self.form == "scalar" and (scalar := SCALAR.match(text, self.at)):
            self._parts = []
            self._close(text, scalar.end())
        else:
            self._parts = [text]

    def _scan(self, piece: str) -> None:
        at = 0
        if self._quote and (rest := REST[self._quote].match(piece)):
            at, self._quote = rest.end(), "" if rest[1] else self._quote
        if self._quote:
            at = len(piece)
        for token in (SQUARE if self.form == "bracket" else TOKEN).finditer(piece, at):
            first = token[0][0]
            if first in "\"'":
                self._quote = "" if token[1] or token[2] else first
                continue
            self._depth += 1 if token[3] else -1
            if self._depth <= 0:
                self._close(piece, token.end())
                return
        self._parts.append(piece)

    def _close(self, piece: str, end: int) -> None:
        self._parts.append(piece[:end])
        self.closed = True
        self._after(piece[end:])

    def _after(self, piece: str) -> None:
        self.ended = self.ended or "\n" in piece
        self.tail = self.tail or bool(piece.strip(MARKS))


def stray_fence(text: str) -> bool:
    """Tell whether ``text`` ends with the edge of a code fence that does not begin in it."""
    return text.endswith("```") and text.count("```") % 2 == 1
