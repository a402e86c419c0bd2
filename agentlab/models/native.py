r"""Tool calls of a vendor's own kind, told as the text of a step.

A vendor that knows tools sends text, then calls. Both become what a model writes that was taught
our format, so whatever reads an answer (parser, events, recordings) knows one kind of answer.

>>> step = NativeStep()
>>> step.text("I look it up."), step.call(0, "population"), step.args(0, '{"city": "Lyon"}')
('', 'Thought: I look it up.\nAction: population ', '{"city": "Lyon"}')
>>> step.end()
''
>>> step = NativeStep()
>>> step.text("It is 875000."), step.end()
('', 'Action: FINAL_ANSWER It is 875000.')
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

HEADS = ("Thought:", "Action:")
LONGEST = max(map(len, HEADS))
ACTION = re.compile(r"^[ *#>]{0,8}Action[ *]{0,4}:", re.IGNORECASE | re.MULTILINE)
HEADER = re.compile(
    r"^[ *#>]{0,8}(?:(?:Thought|Action)[ *]{0,4}:|FINAL_ANSWER\b)", re.IGNORECASE | re.MULTILINE
)
MAX_NAME = 64
ANYTHING: dict[str, Any] = {"type": "object", "properties": {}}  # of which vendors want both


class NativeStep:
    """Tells text and calls, as they come, as the text of one step.

    What begins with a header is told at once. Other text is held back, for only a call, or the
    end, shows whether it was a thought or the answer. A step has one call: the first.
    """

    def __init__(self) -> None:
        self.dropped = 0  # calls beyond the first
        self._heard: list[str] = []
        self._headed: bool | None = None  # None where too little was heard to tell
        self._call: object = None
        self._args = False

    def text(self, piece: str) -> str:
        """Take text; give what can be told of it now."""
        if self._call is not None:
            return ""
        self._heard.append(piece)
        if self._headed is None:
            said = self._said().lstrip()
            if said.startswith(HEADS):
                self._headed = True
                return said
            self._headed = False if len(said) >= LONGEST else None
        return piece if self._headed else ""

    def call(self, key: object, name: str) -> str:
        """Take the beginning of a call, known by ``key`` from now on."""
        if self._call is not None:
            self.dropped += key != self._call
            return ""
        said, self._call = self._said(), key
        if ACTION.search(said):  # the model wrote its call out, and that counts
            self._call, self._args = object(), True
            return "" if self._headed else said
        if self._headed:
            return f"\nAction: {name} "
        return f"Thought: {said.strip()}\nAction: {name} "

    def args(self, key: object, piece: str) -> str:
        """Take a piece of the arguments, which are JSON."""
        if key != self._call:
            return ""
        self._args = self._args or bool(piece)
        return piece

    def end(self) -> str:
        """Give what was held back."""
        if self._call is not None:
            return "" if self._args else "{}"
        said = "" if self._headed else self._said().strip()
        return f"Action: FINAL_ANSWER {said}" if said and not HEADER.search(said) else said

    def held(self) -> str:
        """Give the text that was heard and not told, as it is."""
        return "" if self._headed or self._call is not None else self._said()

    def _said(self) -> str:
        return "".join(self._heard)


class ToolNames:
    """The tools of a request, by names that vendors take, and back.

    Parameters
    ----------
    tools : sequence of dict
        Each with ``name``, ``description`` and ``schema``.
    """

    def __init__(self, tools: Sequence[dict[str, Any]]) -> None:
        self.tools = [
            {**each, "name": vendors(each["name"]), "schema": {**ANYTHING, **each["schema"]}}
            for each in tools
        ]
        self._ours = {vendors(each["name"]): each["name"] for each in tools}

    def ours(self, name: str) -> str:
        """Give the name that we know a tool by."""
        given: str = self._ours.get(name, name)
        return given


def are_ours(tools: Any) -> bool:
    """Tell tools as the prompt profile gives them from those that a vendor documents."""
    return isinstance(tools, list | tuple) and all("schema" in each for each in tools)


def vendors(name: str) -> str:
    """Give a tool's name in the letters that vendors take.

    >>> vendors("files.read")
    'files_read'
    """
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:MAX_NAME]


def as_json(value: object) -> str:
    """Give arguments that came whole, as text; those that came as text already, as they are."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
