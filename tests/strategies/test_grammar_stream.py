"""What is told of a response while it is still coming."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agentlab.core.errors import AgentLoopError
from agentlab.core.events import Action, Thought
from agentlab.strategies.grammar import StepReader, by_lines

News = list[Thought | Action]


def heard(pieces: list[str]) -> list[tuple[str, str]]:
    """Give what is told, and after which piece."""
    reader = StepReader()
    told = [(piece, each.text) for piece in pieces for each in reader.feed(piece)]
    return [*told, *(("end", each.text) for each in reader.close())]


STREAMS = {
    "line by line": (
        ["Thought: a\n", "Action: go {}\n", "Observation: 1\n"],
        [("Action: go {}\n", "a"), ("Action: go {}\n", "go {}")],
    ),
    "at the header's colon": (
        ["Thought: a", "\nActi", "on:", " go {}", "\n"], [("on:", "a"), ("\n", "go {}")],
    ),
    "at the end": (["Thought: a\nAction: go {}"], [("Thought: a\nAction: go {}", "a"),
                                                  ("end", "go {}")]),
    "at the next thought": (
        ["Action: go x", "\ny", "\nThought:", " b"], [("\nThought:", "go x\ny")],
    ),
    "at an observation, marked": (
        ["Action: go", "\n**Observation:", "**"], [("\n**Observation:", "go")],
    ),
    "an answer": (
        ["Thought: a\n", "Final Answer:", " x\n", "y"], [("Final Answer:", "a"),
                                                        ("end", "FINAL_ANSWER x\ny")],
    ),
    "JSON over lines": (
        ["Action: go {", '\n"a": 1', "\n}", " ", "\n", "x"], [("\n", 'go {\n"a": 1\n}')],
    ),
    "bold": (["**Thought:", "** a\n**Action:", "** go"], [("** a\n**Action:", "a"), ("end", "go")]),
    "a thought again": (
        ["Thought: a\n", "Thought: b\n", "Action:", " go"], [("Action:", "b"), ("end", "go")],
    ),
    "no action": (["Thought: a\n", "so"], []),
    "reasoning": (
        ["<think>\n", "Thought: x\nAction: no {}\n", "</think>\n", "Action: go {}\n"],
        [("Action: go {}\n", "go {}")],
    ),
    "reasoning, never closed": (
        ["<think>\n", "Thought: x\nAction: go {}\n"], [("end", "x"), ("end", "go {}")],
    ),
    "reasoning, found late": (
        ["Action: no {}\n", "</think>\n", "Action: go {}\n"],
        [("Action: no {}\n", "no {}"), ("end", "go {}")],
    ),
    "reasoning, found late, in one piece": (
        ["Action: no {}\n</think>\nAction: go {}\n"],
        [("Action: no {}\n</think>\nAction: go {}\n", "no {}"), ("end", "go {}")],
    ),
    "a string over lines": (
        ['Action: go {"a": "x\n', "}\n", '"}', "\n"], [("\n", 'go {"a": "x\n}\n"}')],
    ),
    "a header in a fence": (
        ["Thought: x\n```\n", "Action:", " no {}\n```\n", "Action:", " go"],
        [("Action:", "x ``` Action: no {} ```"), ("end", "go")],
    ),
    "a fence that is none": (["Action: go [\n```\n", "Action: x\n", "]\n"], [("end", "x\n]")]),
    "a fence after another": (
        ["Thought: x\n```\nAction: no\n```\nAction: go", " [\n```\n", "]\n"],
        [
            ("Thought: x\n```\nAction: no\n```\nAction: go", "x ``` Action: no ```"),
            ("]\n", "go [\n```\n]"),
        ],
    ),
    "fence": (
        ["```\n", "Thought: x\nAction: go {}\n", "```\n"], [("end", "x"), ("end", "go {}")],
    ),
    "fence in a thought": (
        ["Thought: x\n```\n", "Action: no {}\n", "```\n", "Action:", " go {}\n"],
        [("Action:", "x ``` Action: no {} ```"), (" go {}\n", "go {}")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("pieces", "told"), STREAMS.values(), ids=STREAMS)
def test_when_it_is_told(pieces: list[str], told: list[tuple[str, str]]) -> None:
    """Each is told as soon as nothing can change it, and once."""
    assert heard(pieces) == told


def test_done() -> None:
    """Once the action is complete there is no need to hear more; what is heard is kept."""
    reader = StepReader()
    states = [(reader.feed(piece), reader.done)[1] for piece in ("Action: go", " {}", "\n", "x")]

    assert states == [False, False, True, True]
    assert reader.text == "Action: go {}\nx"


def test_events() -> None:
    """What is told can be emitted as it is."""
    reader = StepReader()

    assert reader.feed("Thought: a\nAction: go {}\n") == [Thought("a"), Action("go {}")]
    assert reader.close() == []


PIECES = st.sampled_from([
    "Thought: ", "Action: ", "Observation: ", "Final Answer: ", "Action Input: ", "**Thought:** ",
    "**Action: ", "\n", "\n", "\n", "\n", " ", "\r\n", "<think>", "</think>", "```", "```json\n",
    "```py", "`", "a", "go", "go {", "{", "}", "[", "]", "(", ")", '"', "'", "\\", "**", ":", "1",
    "None", "FINAL_ANSWER", "`\\n", "\\r\\n", 'go {"a": 1}', "go(a=1)", "S[x]", "é",
])  # fmt: skip
SOUP = st.lists(PIECES, max_size=25).map("".join)


@given(SOUP, st.lists(st.integers(0, 100), max_size=6))
@example('Action: {"a": 1}```py\n1\n**Thought:** \n', [])
@example("Action: a\nAction Input: FINAL_ANSWER`\n\nAction: \nb", [])
@example("Action: a \r\n```py\r\n[1]\r\n`", [])
@example("Thought: a\nAction: `\nThought: a\nAction: b", [])
@example("Thought: " + "a" * 300 + "\nAction: go", [])
@settings(max_examples=500)
def test_how_it_is_cut_does_not_matter(text: str, cuts: list[int]) -> None:
    """Letter by letter, in pieces or at once: the same is told, and by the end all of it."""
    at = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    ways = list(text), [text[i:j] for i, j in pairwise(at)], [text]
    told = [[each for _, each in heard(pieces)] for pieces in ways]

    assert told[0] == told[1] == told[2]
    try:
        step = by_lines(text)
    except AgentLoopError:
        return
    assert told[0][-1] == step.action
    assert not step.thought or step.thought in told[0]


@given(SOUP.filter(lambda text: "</think>" not in text))
@settings(max_examples=500)
def test_what_was_told_stands(text: str) -> None:
    """But for reasoning that shows only at its end, nothing told is ever taken back."""
    reader = StepReader()
    told = [each for piece in text for each in reader.feed(piece)] + reader.close()
    actions = [each.text for each in told if isinstance(each, Action)]
    try:
        assert actions == [by_lines(text).action]
    except AgentLoopError:
        assert actions == []


@pytest.mark.parametrize("piece", ["x", "\n", "x\n", "}\n", "Thought: a\n"])
def test_hearing_is_linear(piece: str) -> None:
    """A stream of many pieces costs no more than their number."""
    reader = StepReader()
    reader.feed("Action: go {" if piece != "Thought: a\n" else "")
    began = time.process_time()
    for _ in range(100_000):
        reader.feed(piece)
    reader.close()

    assert time.process_time() - began < 5
