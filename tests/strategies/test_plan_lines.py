"""How plans and verdicts are read, line by line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentlab.strategies.plan_lines import UNRECOGNISED, confidence, read_plan, read_verdict
from agentlab.strategies.plans import EXPECTED

STEP_CASES = [
    ("1. Search | tool: web_search | expected: results", ("Search", "web_search", "results", "")),
    ("1. Search", ("Search", None, EXPECTED, "")),
    ("2) Search|tool:web_search", ("Search", "web_search", EXPECTED, "")),
    ("  12.   Search   |   tool :  web_search  ", ("Search", "web_search", EXPECTED, "")),
    ("- 1. Search | tool: x", ("Search", "x", EXPECTED, "")),
    ("**1.** Search | tool: x", ("Search", "x", EXPECTED, "")),
    ("1. Search | tool: none", ("Search", None, EXPECTED, "")),
    ("1. Search | tool: NONE | expected: a page", ("Search", None, "a page", "")),
    ("1. Search | tool: | expected: a page", ("Search", None, "a page", "")),
    ("1. Search | TOOL: `x` | Expected: y", ("Search", "x", "y", "")),
    ("1. Search | tool: x | expected: a | b", ("Search", "x", "a | b", "")),
    ("1. Search | tool: x | expected: a | tool: b", ("Search", "x", "a | tool: b", "")),
    ("1. Read a | b | tool: x", ("Read a | b", "x", EXPECTED, "")),
    ("1. Read a | b", ("Read a | b", None, EXPECTED, "")),
    ('1. Go | tool: x | expected: y | args:{"q": "a | b"}', ("Go", "x", "y", '{"q": "a | b"}')),
    ('1. Go | tool: x | args:{"q":1} | expected: y', ("Go", "x", "y", '{"q":1}')),
    ('1. Go|tool:x|args: {"q": "<1>"}', ("Go", "x", EXPECTED, '{"q": "<1>"}')),
    ('1. Go | tool: x | args:{"q": "open', ("Go", "x", EXPECTED, '{"q": "open')),
    ("1. Go | tool: x | expected: y | args: see below", ("Go", "x", "y | args: see below", "")),
]  # fmt: skip


@pytest.mark.parametrize(("line", "told"), STEP_CASES, ids=[line for line, _ in STEP_CASES])
def test_a_step(line: str, told: tuple[str, str | None, str, str]) -> None:
    """Its fields are read, however they are spaced, numbered and marked."""
    (step,) = read_plan(f"Here is the plan:\n{line}\nGood luck!")

    assert (step.description, step.tool, step.expected_outcome, step.args) == told


@pytest.mark.parametrize(
    "line",
    ["", "Search", "- Search", "1.Search", "3.5 million people", "1. ", "1. | tool: x", "a. b"],
)
def test_no_step(line: str) -> None:
    """A line without a number, or without a description, is none."""
    assert read_plan(line) == []


def test_bullets_in_a_fence_and_the_order_of_lines() -> None:
    """Inside a code fence a bullet will do, and the numbers say nothing of the order."""
    text = "- not this\n```\n- 2. Second | tool: x\n* First\n```\n1. Last\n- nor this"

    assert [step.description for step in read_plan(text)] == ["Second", "First", "Last"]


VERDICTS = [
    ("ACHIEVED 0.92\nBoth steps completed with good output.", (True, 0.92, 1)),
    ("NOT_ACHIEVED 0.30\nStep 2 failed.\nData was incomplete.", (False, 0.3, 2)),  # W6.2
    ("ACHIEVED", (True, 0.8, 0)),
    ("not_achieved", (False, 0.2, 0)),
    ("yes 0.7", (True, 0.7, 0)),
    ("NO", (False, 0.2, 0)),
    ("Failed 0.1", (False, 0.1, 0)),
    ("ACHIEVED 92%", (True, 0.92, 0)),
    ("ACHIEVED 0.92.", (True, 0.92, 0)),
    ("ACHIEVED, 0.92", (True, 0.92, 0)),
    ("**ACHIEVED** (confidence: 0.92)", (True, 0.92, 0)),
    ("Verdict: ACHIEVED 0.5", (True, 0.5, 0)),
    ("NOT ACHIEVED 0.4", (False, 0.4, 0)),
    ("ACHIEVED 7", (True, 1.0, 0)),
    ("ACHIEVED -3", (True, 0.0, 0)),
    ("ACHIEVED nan", (True, 0.8, 0)),
    ("ACHIEVED 8/10", (True, 0.8, 0)),
    ("Let me see.\n\nACHIEVED 0.6\n\n  One thing.  \n", (True, 0.6, 1)),
    ("```\nACHIEVED 0.6\n```", (True, 0.6, 0)),
    ("No step failed.\nACHIEVED 0.9", (True, 0.9, 0)),
    ("No, it was not.", (False, 0.2, 0)),
]


@pytest.mark.parametrize(("text", "told"), VERDICTS, ids=[text for text, _ in VERDICTS])
def test_a_verdict(text: str, told: tuple[bool, float, int]) -> None:
    """The first line that holds one is the verdict; what follows are issues."""
    verdict = read_verdict(text)

    assert (verdict.achieved, verdict.confidence, len(verdict.issues)) == told
    assert verdict.raw_response == text
    assert all(issue == issue.strip() for issue in verdict.issues)


@pytest.mark.parametrize(
    "text",
    ["The goal was not achieved.", "I think it was achieved, 0.9", "", "0.9", "ACHIEVED_NOTHING"],
)
def test_no_verdict(text: str) -> None:
    """A sentence in which the word stands somewhere is none, and counts as not achieved."""
    verdict = read_verdict(text)

    assert (verdict.achieved, verdict.confidence, verdict.issues) == (False, 0.0, [UNRECOGNISED])
    assert not verdict.is_confident_success()


WORDS = [
    "1. ", "a", " | ", "tool:", "expected:", "args:", '{"a":1}', "```\n", "\n", "ACHIEVED", " 0.9",
    "NO", "none", "%", "<1>",
]  # fmt: skip
LIKELY = st.lists(st.sampled_from(WORDS)).map("".join)


@given(st.one_of(st.text(max_size=200), LIKELY))
def test_whatever_a_model_says(text: str) -> None:
    """Reading is total: a plan's steps have descriptions, and a verdict is sure from 0 to 1."""
    for step in read_plan(text):
        assert step.description == step.description.strip() != ""
        assert step.tool is None or step.tool.strip() == step.tool != ""
    assert 0 <= read_verdict(text).confidence <= 1


@given(st.floats(0, 1))
def test_a_confidence_that_was_written_is_read(share: float) -> None:
    """As a share and as a percentage."""
    assert confidence(f" {share:.4f}") == pytest.approx(share, abs=1e-4)
    assert confidence(f": {share * 100:.2f}%,") == pytest.approx(share, abs=1e-4)


def test_long_lines_take_no_time() -> None:
    """A hundred thousand bars are read at once."""
    (step,) = read_plan("1. " + "a | " * 100_000 + "tool:")

    assert len(step.description) > 100_000
    assert read_verdict("yes " * 100_000).achieved
