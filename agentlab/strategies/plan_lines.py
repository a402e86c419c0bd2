"""What a plan and a verdict look like as text, and how they are read. Pure and total."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator

from agentlab.core.text import clean
from agentlab.strategies.plans import EXPECTED, PlanStep, VerificationResult

FENCE = "```"
NUMBERED = re.compile(r"(?:[-*•+]\s++)?[*_]{0,2}\d++[.)][*_]{0,2}\s++(.*+)", re.DOTALL)
BULLETED = re.compile(r"[-*•+]\s++(.*+)", re.DOTALL)
FIELD = re.compile(r"\|\s*+(tool|expected|args)\s*+:\s*+", re.IGNORECASE)
NO_TOOL = frozenset({"", "none", "n/a", "-"})

MARKS = "*_`#>\"' \t"
AROUND = ",;:!?()[]*`'\""  # a number
SURE = r"(?P<yes>achieved|yes)|(?P<no>not[ _-]?+achieved)"
# No and failed begin many a sentence that is no verdict: "No step failed."
BARE = r"(?P<bare>no|failed)(?=[\s*_`]*+(?:$|[.,:;!()\u2013\u2014-]|\d))"
VERDICT = re.compile(
    rf"(?:(?:verdict|result|answer)\s*+[:=]\s*+[*_`]*+)?(?:(?:{SURE})\b(?!_)|{BARE})", re.IGNORECASE
)
CONFIDENCE = re.compile(r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:e[+-]?\d{1,4})?+(%?)", re.IGNORECASE)
UNRECOGNISED = "unrecognised verification response"
ACHIEVED_BY_DEFAULT, FAILED_BY_DEFAULT = 0.8, 0.2
PERCENT = 100.0


def read_plan(text: str) -> list[PlanStep]:
    r"""Read the steps of a plan, one a line; other lines are none.

    >>> read_plan("Sure!\n1. Look it up | tool: search | expected: a page")[0].tool
    'search'
    """
    steps, fenced = list[PlanStep](), False
    for line in lines_of(text):
        if line.startswith(FENCE):
            fenced = not fenced
        else:
            found = NUMBERED.fullmatch(line) or (BULLETED.fullmatch(line) if fenced else None)
            steps += filter(None, [read_step(found[1])] if found else [])
    return steps


def lines_of(text: str) -> list[str]:
    """Give the lines of a text, trimmed; U+2028 and its like end none, for JSON may hold them."""
    return [line.strip() for line in clean(text).replace("\r", "\n").split("\n")]


def read_step(text: str) -> PlanStep | None:
    r"""Read what stands after a step's number; without a description it is no step.

    >>> read_step('Add them|tool:sum|args:{"a":"<1>"}').args
    '{"a":"<1>"}'
    """
    fields = dict(fields_of(text))
    description = fields.get("", "").strip()
    if not description:
        return None
    tool: str | None = fields.get("tool", "").strip().strip("`\"'").removesuffix("()").strip()
    if not tool or tool.casefold() in NO_TOOL:
        tool = None
    expected = fields.get("expected", "").strip() or EXPECTED
    return PlanStep(description, tool, expected, args=fields.get("args", "").strip())


def fields_of(text: str) -> Iterator[tuple[str, str]]:
    """Take a step apart: its description, under no name, and its fields.

    Each field is there once: after the expected outcome only arguments may follow, and what looks
    like another field is part of the last. A bar that begins no field is part of the text.
    """
    name, start, seen = "", 0, {""}
    while found := next_field(text, start, name, seen):
        yield name, text[start : found.start()].rstrip()
        name, start = found[1].lower(), found.end()
        seen.add(name)
        if name == "args" and (end := end_of_json(text, start)):
            yield name, text[start:end]
            rest = FIELD.match(text, end + len(text[end:]) - len(text[end:].lstrip()))
            if not rest or rest[1].lower() in seen:
                return
            name, start = rest[1].lower(), rest.end()
            seen.add(name)
    yield name, text[start:]


def next_field(text: str, start: int, name: str, seen: set[str]) -> re.Match[str] | None:
    """Find where the field ``name`` ends and another begins."""
    for found in FIELD.finditer(text, start):
        other = found[1].lower()
        if other in seen or name == "args" or (name == "expected" and other == "tool"):
            continue
        if other == "args" and text[found.end() : found.end() + 1] not in ("{", "["):
            continue
        return found
    return None


def end_of_json(text: str, start: int) -> int | None:
    """Tell where the JSON that begins at ``start`` ends, if it does."""
    try:
        return json.JSONDecoder().raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        return None


def read_verdict(text: str) -> VerificationResult:
    r"""Read a verdict, how sure it is, and what was found besides, one a line.

    >>> read_verdict("ACHIEVED 92%\nAll is well.")
    <VerificationResult achieved 0.92, 1 issues>
    """
    text = clean(text)
    lines = [stripped for line in lines_of(text) if (stripped := line.removeprefix(FENCE))]
    for n, line in enumerate(lines):
        if found := VERDICT.match(line.lstrip(MARKS)):
            achieved = bool(found["yes"])
            rest = line.lstrip(MARKS)[found.end() :]
            sure = confidence(rest)
            if sure is None:
                sure = ACHIEVED_BY_DEFAULT if achieved else FAILED_BY_DEFAULT
            return VerificationResult(achieved, sure, lines[n + 1 :], text)
    return VerificationResult(
        achieved=False, confidence=0.0, issues=[UNRECOGNISED], raw_response=text
    )


def confidence(text: str) -> float | None:
    """Give the first number among some words, as a share of one, if there is one.

    >>> [confidence(text) for text in (" 92%", ": 0.92.", " (confidence 7)", " nan")]
    [0.92, 0.92, 1.0, None]
    """
    for said in re.split(r"[\s=:]+", text):
        word = said.strip(AROUND).removesuffix(".")
        if found := CONFIDENCE.fullmatch(word):
            value = float(word.removesuffix("%")) / (PERCENT if found[1] else 1.0)
            return min(max(value, 0.0), 1.0) if math.isfinite(value) else 1.0
    return None
