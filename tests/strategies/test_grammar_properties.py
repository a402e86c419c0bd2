"""What holds for every response: it is read, in time, and as it was meant."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agentlab.core.errors import AgentLoopError, ToolArgumentError
from agentlab.strategies.extent import FINAL
from agentlab.strategies.grammar import (
    FinalAnswer,
    ToolCall,
    by_lines,
    parse_react_step,
    read,
    usual,
)
from agentlab.strategies.marks import HEADER

# Pieces that mean something to the grammar, so that chance makes responses out of them.
PIECES = st.sampled_from([
    "Thought: ", "Action: ", "Observation: ", "Final Answer: ", "Action Input: ", "**Thought:** ",
    "**Action: ", "# ", "\n", "\n", "\n", "\n", " ", "\t", "\r\n", "<think>", "</think>", "```",
    "```json\n", "```py", "`", "a", "go", "go {", "{", "}", "[", "]", "(", ")", '"', "'", "\\",
    "**", "- ", ":", "1", "12", "x < y", "None", "N/A", "null", "FINAL_ANSWER", "FINAL_ANSWER 42",
    'go {"a": 1}', "go(a=1)", "S[x]", '{"name": "go", "args": ', "é", "\ud800", "\x00", "\u202e",
])  # fmt: skip
SOUP = st.lists(PIECES, max_size=25).map("".join)
USUAL = st.builds("Thought: {}\nAction: {}{}".format, SOUP, PIECES, SOUP)


@given(SOUP | USUAL | st.text())
@settings(max_examples=500)
def test_reading_is_total(text: str) -> None:
    """Anything at all is a step and something wanted, or an error to show; nothing else."""
    step, wanted = read(text, ["go"])

    assert isinstance(wanted, FinalAnswer | ToolCall | AgentLoopError | ToolArgumentError)
    assert step.action or step.raw == text
    if isinstance(wanted, ToolCall):
        json.dumps(wanted.args, allow_nan=False)


@given(SOUP | USUAL)
@example("Thought: a\nAction: FINAL_ANSWER b\r\nc")
@example("Thought: a\nAction: FINAL_ANSWER b\nThought: c")
@example("Thought: a\nAction: \nFINAL_ANSWER 4:a")
@example("Thought: a\nAction: FINAL_ANSWER \nb")
@example("Thought: a\nAction: go {}\n**")
@example("Thought: a\nAction: go \nmore")
@example("Thought: a\nSo\nAction: final_answer {}")
@settings(max_examples=500)
def test_both_ways_agree(text: str) -> None:
    """The fast path gives what the full grammar gives, or nothing."""
    fast = usual(text)

    assert fast is None or fast == by_lines(text)


@given(SOUP | USUAL)
@settings(max_examples=300)
def test_reading_in_one_go_or_two(text: str) -> None:
    """What is read of a response is what is read of its step and its action by themselves."""
    step, wanted = read(text)

    if not isinstance(wanted, Exception):
        assert step == parse_react_step(text)
        assert wanted == read(f"Action: {step.action}")[1]


LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\r<`")
LINE = st.text(LETTERS.filter(lambda c: c != "\n"), max_size=30)
PROSE = (
    st.lists(LINE, min_size=1, max_size=4)
    .map("\n".join)
    .filter(lambda t: not HEADER.search(f"\n{t}"))
)
THOUGHT = PROSE.filter(lambda t: t.strip()[:1] not in ("*", "_"))
ANSWER = PROSE.map(str.strip).filter(lambda t: t and t[0] not in ":*")
CODE = st.builds("{}\n```py\n# Thought: {}\nAction: x\n```\ndone".format, ANSWER, ANSWER)
NAME = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,12}", fullmatch=True).filter(
    lambda name: not FINAL.match(name)
)
NUMBER = st.integers(-(2**63), 2**63) | st.floats(-1e300, 1e300)
VALUE = st.recursive(
    st.none() | st.booleans() | NUMBER | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(LETTERS), inner, max_size=3)
    ),
    max_leaves=6,
)
ARGS = st.dictionaries(st.text(LETTERS, max_size=8), VALUE, max_size=4)
NAMED_ARGS = st.dictionaries(st.from_regex(r"[a-z_]\w{0,8}", fullmatch=True), VALUE, min_size=1)

FRAMES = {
    "usual": "Thought: {t}\nAction: {a}",
    "capitals": "THOUGHT : {t}\nACTION : {a}\n",
    "bold": "**Thought:** {t}\n**Action:** {a}\n",
    "headings": "### Thought: {t}\n\n### Action: {a}\n\n",
    "numbers": "- Thought 1: {t}\n- **Action 1**: {a}\n",
    "talkative": "Sure, here it is.\nThought: {t}\nAction: {a}",
    "second try": "Thought: no\nThought: {t}\nAction: {a}",
    "below": "Thought:\n{t}\nAction:\n{a}\n",
    "made up": "Thought: {t}\nAction: {a}\nObservation: 1\nThought: b\nAction: no {{}}",
    "goes on": "Thought: {t}\nAction: {a}\nThought: b\nAction: no {{}}",
    "reasoning": "<think>hm\nAction: no {{}}\n</think>\n\nThought: {t}\nAction: {a}",
    "reasoning, open": "<think>hm\nThought: {t}\nAction: {a}",
    "reasoning, unopened": "hm\nThought: x\nAction: no {{}}\n</think>\nThought: {t}\nAction: {a}",
    "reasoning between": "Thought: {t}\n<think>hm</think>\nAction: {a}",
    "fence": "```\nThought: {t}\nAction: {a}\n```",
    "fence, then talk": "```text\nThought: {t}\nAction: {a}\n```\nI hope this helps.",
    "action in a fence": "Thought: {t}\n```\nAction: {a}\n```\n",
}
WRITTEN: dict[str, Callable[[str, Any], str]] = {
    "JSON": lambda name, args: f"{name} {json.dumps(args)}",
    "JSON, any letters": lambda name, args: f"{name} {json.dumps(args, ensure_ascii=False)}",
    "JSON, spread": lambda name, args: f"{name} {json.dumps(args, indent=2)}",
    "JSON, below": lambda name, args: f"{name}\n{json.dumps(args)}",
    "input": lambda name, args: f"{name}\nAction Input: {json.dumps(args)}",
    "input, spread": lambda name, args: f"{name}\n**Action Input:**\n{json.dumps(args, indent=1)}",
    "literal": lambda name, args: f"{name} {args!r}",
    "input, literal": lambda name, args: f"{name}\nAction Input: {args!r}",
    "call, object": lambda name, args: f"{name}({json.dumps(args)})",
    "object": lambda name, args: json.dumps({"name": name, "arguments": args}),
    "object, spread": lambda name, args: json.dumps({"tool": name, "args": args}, indent=2),
    "object, literal": lambda name, args: repr({"action": name, "action_input": args}),
    "object, wrapped": lambda name, args: json.dumps({"tool_call": {"tool": name, "input": args}}),
    "object, twice JSON": lambda name, args: json.dumps(
        {"tool_calls": [{"function": {"name": name, "arguments": json.dumps(args)}}]}
    ),
}


def one_line(text: str) -> str:
    """Give a thought as it is kept."""
    return " ".join(line.strip() for line in text.split("\n") if line.strip())


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
@given(thought=THOUGHT, name=NAME, args=ARGS, data=st.data())
@settings(max_examples=60)
def test_calls_come_back(frame: str, thought: str, name: str, args: Any, data: Any) -> None:
    """A thought and a call, in whatever layout and spelling, are read as what they were."""
    written = data.draw(st.sampled_from(sorted(WRITTEN)))
    text = frame.format(t=thought, a=WRITTEN[written](name, args))
    step, wanted = read(text, [name])

    assert (step.thought, wanted) == (one_line(thought), ToolCall(name, args))


@given(thought=THOUGHT, name=NAME, args=ARGS)
@settings(max_examples=100)
def test_fenced_arguments_come_back(thought: str, name: str, args: Any) -> None:
    """So are arguments in a fence of their own."""
    text = f"Thought: {thought}\nAction: {name}\nAction Input:\n```json\n{json.dumps(args)}\n```\n"

    assert read(text, [name])[1] == ToolCall(name, args)


@given(name=NAME, args=NAMED_ARGS)
@settings(max_examples=200)
def test_keywords_come_back(name: str, args: Any) -> None:
    """So are the keywords of a call."""
    call = f"{name}({', '.join(f'{key}={value!r}' for key, value in args.items())})"

    assert read(f"Thought: a\nAction: {call}\nso", [name])[1] == ToolCall(name, args)


@pytest.mark.parametrize("marker", ["Action: FINAL_ANSWER ", "Final Answer: ", "**Final Answer:** ",
                                    "Action: Final Answer: ", "FINAL ANSWER:\n"])  # fmt: skip
@given(thought=THOUGHT, answer=ANSWER | CODE, data=st.data())
@settings(max_examples=100)
def test_answers_come_back(marker: str, thought: str, answer: str, data: Any) -> None:
    """A final answer keeps its lines and their indentation, in whatever layout."""
    frames = [frame for frame in FRAMES.values() if frame.count("Action") == 1]
    frame = data.draw(st.sampled_from([each for each in frames if "Action: {a}" in each]))
    if "```" in answer:
        frame = FRAMES["usual"]
    text = frame.replace("Action: {a}", "{a}").format(t=thought, a=marker + answer)
    step, wanted = read(text)

    assert (step.thought, wanted) == (one_line(thought), FinalAnswer(answer))


HOSTILE: dict[str, Callable[[int], str]] = {
    "no header": lambda n: "word " * n,
    "marks": lambda n: "-" * n + "x",
    "marks in a header": lambda n: "*" * n + "Thought: " + "*" * n + " \nAction: go",
    "blanks in a header": lambda n: "thought" + " " * n + "x",
    "digits in a header": lambda n: "thought" + "1" * n + "x",
    "headers": lambda n: "Thought: a\n" * n,
    "actions": lambda n: "Action: a\n" * n,
    "inputs": lambda n: "Action: go\n" + "Action Input:\n" * n,
    "answers": lambda n: "Final Answer:\n" * n,
    "open tags": lambda n: "<think>" * n,
    "open tags on lines": lambda n: "<think>\n" * n,
    "closing tags": lambda n: "</think>\n" * n,
    "tags": lambda n: "<think>a</think>\n" * n,
    "tags after actions": lambda n: "Action: a {}\n</think>\n" * n,
    "tags and blanks": lambda n: ("<think>" + " " * 50) * n,
    "fences": lambda n: "```\n" * n,
    "open fences": lambda n: "```py\n" * n,
    "backticks": lambda n: "`" * n,
    "deep": lambda n: "Action: go " + "[" * n,
    "deep objects": lambda n: "Action: go " + '{"a":' * n,
    "closing": lambda n: "Action: go {\n" + "}\n" * n,
    "closing nothing": lambda n: "Action: go x\n" + "}\n" * n,
    "escapes": lambda n: 'Action: go {"' + '\\"' * n,
    "quotes": lambda n: "Action: go {" + " '\\'" * n,
    "square": lambda n: "Action: go[" + "[" * n,
    "round": lambda n: "Action: go(a=" + "(" * n,
    "literal": lambda n: "Action: go {'a':" + '"\\' * (n // 4),
    "names": lambda n: "Action: {" + '"name" ' * n,
    "blank": lambda n: "Action:" + "\n" * n + "x",
    "blank answer": lambda n: "Action: FINAL_ANSWER" + " " * n + "\nx",
    "punctuation": lambda n: "Action: " + "`" * n + "x" + ":" * n,
}


def cost(text: str) -> float:
    """Give the CPU seconds that reading ``text`` takes."""
    began = time.process_time()
    read(text, ["go"])
    return time.process_time() - began


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_reading_is_linear(text: Callable[[int], str]) -> None:
    """Eight times the text costs some eight times as much, where a square would be 64 times."""
    little = min(cost(text(20_000)) for _ in range(3))

    assert cost(text(160_000)) < 24 * little + 0.1


@pytest.mark.parametrize("letters", ["x", "\n", "so \n", "\u202e"])
def test_a_thought_of_ten_megabytes(letters: str) -> None:
    """It is a thought like any other."""
    thought = letters * (10_000_000 // len(letters))
    began = time.process_time()
    step, wanted = read(f"Thought: {thought}\nAction: go {{}}")

    assert time.process_time() - began < 5
    assert (step.thought, wanted) == (one_line(thought), ToolCall("go", {}))
