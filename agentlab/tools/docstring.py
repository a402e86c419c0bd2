"""What a docstring says about a function and its parameters, in numpydoc's or Google's manner."""

from __future__ import annotations

import re
from collections.abc import Sequence

UNDERLINE = re.compile(r"-{3,}\s*$")
GOOGLE_SECTION = re.compile(r"[A-Z][A-Za-z ]*:\s*$")
PARAMETER_SECTIONS = {"parameters", "other parameters", "args", "arguments", "params"}
NUMPY_ITEM = re.compile(r"(\*{0,2}\w+(?:\s*,\s*\*{0,2}\w+)*)\s*(?::.*)?$")
GOOGLE_ITEM = re.compile(r"(\*{0,2}\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")


def summary(doc: str) -> str:
    r"""Give the first paragraph as one line.

    >>> summary("Look things\nup.\n\nAnd more.")
    'Look things up.'
    """
    said = []
    lines = doc.strip().splitlines()
    for number, line in enumerate(lines):
        if not line.strip() or starts_section(lines, number):
            break
        said.append(line.strip())
    return " ".join(said)


def parameters(doc: str) -> dict[str, str]:
    r"""Give what is said of each parameter, as one line each.

    >>> parameters("Go.\n\nParameters\n----------\ncity : str\n    Where\n    to.")
    {'city': 'Where to.'}
    >>> parameters("Go.\n\nArgs:\n    city (str): Where\n        to.")
    {'city': 'Where to.'}
    """
    lines = doc.strip().splitlines()
    found: dict[str, str] = {}
    for number, line in enumerate(lines):
        if line.strip().rstrip(":").lower() not in PARAMETER_SECTIONS:
            continue
        if underlined(lines, number):
            found |= numpy_items(body(lines, number + 2))
        elif GOOGLE_SECTION.match(line):
            found |= google_items(body(lines, number + 1))
    return {name: " ".join(said.split()) for name, said in found.items() if said.strip()}


def underlined(lines: Sequence[str], number: int) -> bool:
    """Tell whether dashes follow a line."""
    return number + 1 < len(lines) and UNDERLINE.match(lines[number + 1]) is not None


def starts_section(lines: Sequence[str], number: int) -> bool:
    """Tell whether a line heads a section, in either manner."""
    named = lines[number].strip().rstrip(":").lower() in PARAMETER_SECTIONS
    google = named and GOOGLE_SECTION.match(lines[number]) is not None
    return google or (underlined(lines, number) and not lines[number].startswith(" "))


def body(lines: Sequence[str], start: int) -> list[str]:
    """Give the lines of a section, up to the next one's head."""
    taken = []
    for number in range(start, len(lines)):
        outer = lines[number][:1].strip()
        if outer and (underlined(lines, number) or GOOGLE_SECTION.match(lines[number])):
            break
        taken.append(lines[number])
    return taken


def numpy_items(lines: Sequence[str]) -> dict[str, str]:
    """Read ``a, b : type`` with what is said indented below it."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in lines:
        if line[:1].strip():
            item = NUMPY_ITEM.match(line)
            names = [name.strip(" *") for name in item[1].split(",")] if item else []
            found |= dict.fromkeys(names, "")
        for name in names if not line[:1].strip() else ():
            found[name] += f" {line}"
    return found


def google_items(lines: Sequence[str]) -> dict[str, str]:
    """Read ``name (type): what``, with more of it indented below; text at the margin ends it."""
    found: dict[str, str] = {}
    margin, name = 0, ""
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if not line.strip():
            continue
        if not indent:
            break
        margin = margin or indent
        item = GOOGLE_ITEM.match(line.strip()) if indent <= margin else None
        if item:
            name = item[1].strip("*")
            found[name] = item[2]
        elif name:
            found[name] += f" {line}"
    return found
