"""What reading one response of 500 characters costs, against a plain port of the same grammar.

The port goes line by line and knows the basics only: headers in any case with marks and numbers,
continued lines, the first pair, final answers, JSON. It makes the same values and decodes with
the same decoder. Both are timed in turn, so that the ratio holds on a busy machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import msgspec

from agentlab.core.errors import AgentLoopError, ToolArgumentError
from agentlab.core.events import ReActStep
from agentlab.strategies.grammar import FinalAnswer, ToolCall, Wanted, read

ROUNDS, EACH = 21, 3000
LENGTH, TARGET = 500, 0.75
KNOWN = ["calculator", "population"]
THOUGHT = (
    "The question asks how many people live in the two cities together, so I need both numbers "
    "before I can add them. I have the first one from the last observation, 522000, and it is "
    "plausible for a city of that size. What I lack is the second, and the tool takes the name of "
    "one city at a time; after that the calculator adds them, and then I can answer. I will ask "
    "for the second city now, and for the same year as the first, so that they agree"
)
STEPS = {
    "usual": """Thought: {}.
Action: population {{"city": "Nice", "year": 2023}}""",
    "answer": """Thought: {}.
Action: FINAL_ANSWER Together they have 870000.""",
    "thought of two lines": """Thought: {}.
I do that now.
Action: population {{"city": "Nice"}}""",
    "made up": """Thought: {}.
Action: population {{"city": "Nice"}}
Observation: 348000""",
    "in bold": """**Thought:** {}.
**Action:** population {{"city": "Nice", "year": 2023}}""",
    "spread": """Thought: {}.
Action: population
{{
  "city": "Nice",
  "year": 2023
}}""",
}


def ours(text: str) -> tuple[ReActStep, Wanted]:
    """Read it as the loop does."""
    return read(text, KNOWN)


def port(text: str) -> tuple[ReActStep, Wanted]:
    """Read it line by line."""
    thought: list[str] = []
    action: list[str] = []
    section: list[str] | None = None
    for line in text.split("\n"):
        head, colon, rest = line.partition(":")
        word = head.strip("*_#>- \t0123456789").lower() if colon else ""
        if word in ("thought", "observation") and any(action):
            break
        if word == "thought":
            thought = section = [rest.lstrip("*_").strip()]
        elif word == "observation":
            section = None
        elif word == "action":
            action = section = [rest.lstrip("*_").strip()]
        elif word in ("final answer", "final_answer"):
            action = section = [f"FINAL_ANSWER {rest.strip()}"]
        elif section is not None:
            section.append(line.strip())
    wanted = "\n".join(action).strip()
    if not wanted:
        raise AgentLoopError("could not parse ReAct step from response")
    step = ReActStep(" ".join(part for part in thought if part), wanted)
    if wanted[:12].upper() in ("FINAL_ANSWER", "FINAL ANSWER"):
        return step, FinalAnswer(wanted[12:].lstrip(" :").strip())
    return step, call(wanted)


def call(action: str) -> ToolCall:
    """Read a tool and its arguments."""
    name, *others = action.split(maxsplit=1)
    args: Any = {}
    if others:
        try:
            args = msgspec.json.decode(others[0]) if others[0][0] in "{[" else {"input": others[0]}
        except msgspec.DecodeError as error:
            raise ToolArgumentError(f"invalid JSON args for tool call '{name}': {error}") from None
    return ToolCall(name, args)


def cpu(reader: Callable[[str], object], text: str) -> float:
    """Give the CPU microseconds of reading ``text`` once."""
    began = time.process_time()
    for _ in range(EACH):
        reader(text)
    return (time.process_time() - began) * 1e6 / EACH


def compare(name: str, text: str) -> float:
    """Time both in turn, print the medians, give the median of the ratios."""
    mine, theirs = ours(text), port(text)
    assert (mine[0].thought, mine[1]) == (theirs[0].thought, theirs[1]), (mine, theirs)
    pairs = [(cpu(ours, text), cpu(port, text)) for _ in range(ROUNDS)]
    mine, plain = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(one / other for one, other in pairs)
    print(f"{name} ({len(text)} characters): {mine:.2f} µs, port {plain:.2f} µs, {ratio:.2f}")
    return ratio


if __name__ == "__main__":
    lengths = {name: LENGTH - len(form.format("")) for name, form in STEPS.items()}
    ratios = {name: compare(name, form.format(THOUGHT[: lengths[name]]))
              for name, form in STEPS.items()}  # fmt: skip
    print(f"target: the usual step at most {TARGET}; it is {ratios['usual']:.2f}")
    assert ratios["usual"] <= TARGET
